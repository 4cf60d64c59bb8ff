//! Agreement with regions of the brain: nuclei, encoder and models of emotion, and the way there over epochs.

use consilience_core::{EmotionRecord, EmotionRegion, Estimate, RegionAgreement};

use super::{
    AXIS, WIDTH,
    curves::{Across, Curve, panel as curve_panel},
    history::span,
    of_main, scores,
};
use crate::{
    figures::{
        CEILING_OPACITY, Flow, Heading, KeyEntry, Mark, Panel, Plate, common_top,
        plot::{Plot, SMALL, Stroke, diamond, extent_from_zero, muted, shown, whole_ticks},
    },
    palette::Ink,
    svg::{Anchor, Dash, Draw, Type},
    text, view,
};

const STEP: f64 = 20.0;
const NAME_LIMIT: f64 = 165.0;
/// Room for stars and the score.
const VALUE_WIDTH: f64 = 56.0;
const GAP: f64 = 8.0;

/// A sentence for captions when regions are simulated, with a space before it.
fn simulated(emotion: &EmotionRecord) -> String {
    scores::simulated(emotion).map_or_else(String::new, |sentence| format!(" {sentence}"))
}

fn heading(region: &EmotionRegion, more: Option<String>) -> Heading {
    let origin = region.is_simulated.then(|| "simulated".to_owned());
    let parts: Vec<String> = origin
        .into_iter()
        .chain([view::plural(region.n_subjects, "subject")])
        .chain(more)
        .collect();
    Heading::new(&region.name, &parts.join(", "), WIDTH)
}

pub(super) fn scores(analysis: &str, emotion: &EmotionRecord) -> Plate {
    let regions: Vec<&EmotionRegion> = emotion
        .regions
        .iter()
        .filter(|r| !r.scores.is_empty())
        .collect();
    let headings: Vec<Heading> = regions
        .iter()
        .map(|region| {
            let ceiling = region.ceiling.map(|c| {
                format!(
                    "ceiling {} to {}",
                    view::score(c.lower),
                    view::score(c.upper)
                )
            });
            heading(region, ceiling)
        })
        .collect();
    let top = common_top(&headings) + 6.0;
    let panels: Vec<Panel> = regions
        .iter()
        .zip(&headings)
        .map(|(region, heading)| panel(region, heading, top))
        .collect();
    let scores = || regions.iter().flat_map(|r| &r.scores);
    let has_partial = scores().any(|s| shown(s.partial).is_some());
    let has_estimates = scores().any(|s| estimate(s).is_some());
    let has_ceiling = regions.iter().any(|r| r.ceiling.is_some());
    let mut caption = "Bars: Spearman correlation of the RDM of each nucleus, of all nuclei together, of what the module reads and of \
                       models of emotion with the region’s RDM of all subjects together. Stars and “n.s.”: one-sided p by permutation of stimuli, \
                       uncorrected, * p < 0.05, ** p < 0.01, *** p < 0.001."
        .to_owned();
    let mut key = Vec::new();
    if has_partial {
        let controls: Vec<&str> =
            view::distinct(regions.iter().flat_map(|r| &r.controls).map(String::as_str));
        caption.push_str(&format!(
            " Diamonds: partial correlation given {}; filled when its p < 0.05.",
            view::listed(&controls)
        ));
        key.push(KeyEntry::new(
            Mark::Diamond,
            Ink::Accent,
            "partial correlation",
        ));
    }
    if has_estimates {
        caption.push_str(" Dots: mean agreement with single subjects’ RDMs, with standard error or 95 % interval.");
        key.push(KeyEntry::new(Mark::Dot, Ink::Text, "mean over subjects"));
    }
    if has_ceiling {
        caption.push_str(" Grey band: noise ceiling of that mean, so the dots compare with it and the bars do not.");
        key.push(KeyEntry::new(
            Mark::Band,
            Ink::Ceiling,
            "noise ceiling of the dots",
        ));
    }
    caption.push_str(&of_main(emotion));
    caption.push_str(&simulated(emotion));
    Plate {
        name: format!("{analysis}-regions"),
        title: "Agreement with the brain".into(),
        caption,
        flow: Flow::Columns,
        max_columns: 2,
        panels,
        key,
        definitions: String::new(),
    }
}

fn estimate(score: &RegionAgreement) -> Option<&Estimate> {
    score
        .estimate
        .as_ref()
        .filter(|e| shown(Some(e.value)).is_some())
}

/// One standard error to both sides, else the interval.
fn spread(e: &Estimate) -> Option<(f64, f64)> {
    match (view::finite(e.sem), e.interval) {
        (Some(sem), _) => Some((e.value - sem, e.value + sem)),
        (None, Some([low, high])) if low.is_finite() && high.is_finite() => Some((low, high)),
        _ => None,
    }
}

fn ink(score: &RegionAgreement) -> Ink {
    match score.of.as_str() {
        "nucleus" => Ink::Series(0),
        "encoder" => Ink::Series(5),
        _ => Ink::Series(4),
    }
}

fn panel(region: &EmotionRegion, heading: &Heading, top: f64) -> Panel {
    let mut d = Draw::default();
    heading.draw(&mut d);
    let names: Vec<&str> = region.scores.iter().map(|s| s.name.as_str()).collect();
    let names = text::fit_all(&names, 10.0, NAME_LIMIT);
    let left = names
        .iter()
        .fold(0.0_f64, |w, name| w.max(text::width(name, 10.0)))
        + 10.0;
    // A gap parts nuclei, encoder and models.
    let mut y = top;
    let mut rows = Vec::with_capacity(names.len());
    for (idx, score) in region.scores.iter().enumerate() {
        if idx > 0 && region.scores[idx - 1].of != score.of {
            y += GAP;
        }
        rows.push(y + STEP / 2.0);
        y += STEP;
    }
    let values = region.scores.iter().flat_map(|s| {
        let around = estimate(s).map(|e| {
            let (low, high) = spread(e).unwrap_or((e.value, e.value));
            [low, e.value, high]
        });
        [s.rho, s.partial]
            .into_iter()
            .flatten()
            .chain(around.into_iter().flatten())
            .collect::<Vec<_>>()
    });
    let ceiling = region.ceiling.filter(|c| {
        let [low, high] = [c.lower, c.upper].map(|v| shown(Some(v)));
        low.is_some() && high.is_some()
    });
    let ends = ceiling.iter().flat_map(|c| [c.lower, c.upper]);
    let right = WIDTH - VALUE_WIDTH;
    let plot = Plot::new(
        extent_from_zero(values.chain(ends)),
        (0.0, 1.0),
        (left, right),
        (top, y),
    );
    if let Some(c) = ceiling {
        let (low, high) = (plot.x.at(c.lower), plot.x.at(c.upper));
        let width = (high - low).max(1.0);
        d.rect((low, top), (width, y - top), Ink::Ceiling, CEILING_OPACITY);
    }
    for (value, label) in plot.x.ticks(5) {
        let x = plot.x.at(value);
        d.line((x, top), (x, y), Ink::Grid, 0.7);
        d.text(x, y + 12.0, &label, muted(Anchor::Middle));
    }
    d.text(
        (left + right) / 2.0,
        y + 25.0,
        "Spearman ρ",
        muted(Anchor::Middle),
    );
    for ((score, name), &row) in region.scores.iter().zip(&names).zip(&rows) {
        line(&mut d, &plot, score, name, row);
    }
    d.line((plot.x.at(0.0), top), (plot.x.at(0.0), y), Ink::Axis, 1.0);
    let told = region
        .scores
        .iter()
        .filter_map(|s| shown(s.rho).map(|rho| format!("{} {}", s.name, view::score(rho))));
    Panel {
        alt: format!(
            "Bars of agreement with {}{}: {}.",
            region.name,
            if region.is_simulated {
                " (simulated)"
            } else {
                ""
            },
            view::listed(&told.collect::<Vec<_>>())
        ),
        size: (WIDTH, y + AXIS),
        body: d.into_string(),
    }
}

fn line(d: &mut Draw, plot: &Plot, score: &RegionAgreement, name: &str, row: f64) {
    let end = Type {
        anchor: Anchor::End,
        ..Type::default()
    };
    d.text(plot.left - 7.0, row + 3.5, name, end);
    let small = Type {
        size: SMALL,
        ..Type::default()
    };
    let zero = plot.x.at(0.0);
    let Some(rho) = shown(score.rho) else {
        d.text(plot.right + 6.0, row + 3.3, "–", small);
        return;
    };
    let across = |value: f64| plot.x.at(value).clamp(plot.left, plot.right);
    let x = across(rho);
    d.rect(
        (x.min(zero), row - 6.5),
        ((x - zero).abs(), 13.0),
        ink(score),
        0.6,
    );
    if let Some(e) = estimate(score) {
        if let Some((low, high)) = spread(e) {
            let (low, high) = (across(low), across(high));
            d.line((low, row + 3.0), (high, row + 3.0), Ink::Text, 1.0);
            for x in [low, high] {
                d.line((x, row + 1.0), (x, row + 5.0), Ink::Text, 1.0);
            }
        }
        let tip = format!("{}: {} over subjects", score.name, view::score3(e.value));
        d.dot((across(e.value), row + 3.0), 2.4, Ink::Text, 1.0, &tip);
    }
    if let Some(partial) = shown(score.partial) {
        let significant = view::finite(score.partial_p).is_some_and(|p| p < 0.05);
        let fill = if significant { Ink::Accent } else { Ink::Paper };
        let mut tip = format!("{}: partial {}", score.name, view::score3(partial));
        if let Some(p) = view::finite(score.partial_p) {
            tip.push_str(&format!(", {}", view::p_clause(p)));
        }
        d.shape(
            &diamond((across(partial), row - 3.0), 3.8),
            fill,
            Ink::Accent,
            &tip,
        );
    }
    let stars = match view::finite(score.p) {
        Some(p) if p < 0.05 => view::stars(Some(p)),
        Some(_) => "n.s.",
        None => "",
    };
    d.text(
        plot.right + 6.0,
        row + 3.3,
        &format!("{} {stars}", view::score(rho)),
        small,
    );
}

/// Agreement of all nuclei together, epoch by epoch.
pub(super) fn curves(analysis: &str, emotion: &EmotionRecord) -> Plate {
    let with: Vec<(&EmotionRegion, Vec<Curve<'_>>)> = emotion
        .regions
        .iter()
        .filter(|r| r.curve.means.iter().copied().find_map(shown).is_some())
        .map(|r| (r, curve_and_trend(r)))
        .collect();
    let y = extent_from_zero(with.iter().flat_map(|(_, c)| c).flat_map(Curve::values));
    let headings: Vec<Heading> = with
        .iter()
        .map(|(region, _)| heading(region, None))
        .collect();
    let top = common_top(&headings) + 16.0;
    let panels: Vec<Panel> = with
        .iter()
        .zip(&headings)
        .map(|((region, curves), heading)| {
            let epochs: Vec<f64> = region.curve.epochs.iter().map(|&e| e as f64).collect();
            let across = Across::Numbers {
                ends: span(&epochs),
                ticks: |scale| whole_ticks(scale, 7),
                label: "epoch",
            };
            let alt = format!(
                "Agreement of all nuclei with {}{} over epochs.",
                region.name,
                if region.is_simulated {
                    " (simulated)"
                } else {
                    ""
                }
            );
            curve_panel((heading, top), &across, (y, "Spearman ρ"), curves, alt)
        })
        .collect();
    Plate {
        name: format!("{analysis}-region-epochs"),
        title: "Agreement with the brain while the module learns".into(),
        caption: format!(
            "Spearman correlation of the RDM of all nuclei together with the region’s, mean over repeats; shaded: ± standard error over \
             repeats, if there are several. Trend: least squares over epochs. Epoch 0 is before training.{}{}",
            of_main(emotion),
            simulated(emotion)
        ),
        flow: Flow::Columns,
        max_columns: 2,
        panels,
        key: Vec::new(),
        definitions: String::new(),
    }
}

fn curve_and_trend(region: &EmotionRegion) -> Vec<Curve<'_>> {
    let of = &region.curve;
    let epochs: Vec<f64> = of.epochs.iter().map(|&e| e as f64).collect();
    let mut curves = vec![Curve {
        name: "all nuclei",
        stroke: Stroke {
            ink: Ink::Series(0),
            width: 1.6,
            dash: Dash::Solid,
        },
        points: epochs
            .iter()
            .copied()
            .zip(of.means.iter().copied())
            .collect(),
        spread: of.sems.clone(),
    }];
    let means: Vec<f64> = of.means.iter().map(|m| m.unwrap_or(f64::NAN)).collect();
    if let Some(line) = scores::line(&epochs, &means) {
        let (first, last) = span(&epochs);
        let at = |x: f64| (x, Some(line.intercept + line.slope * x));
        curves.push(Curve {
            name: "trend",
            stroke: Stroke {
                ink: Ink::Accent,
                width: 1.4,
                dash: Dash::Long,
            },
            points: vec![at(first), at(last)],
            spread: vec![None; 2],
        });
    }
    curves
}
