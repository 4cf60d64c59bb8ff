//! What gains and lesions of units do to predictions.

use consilience_core::{EmotionRecord, GainCurve};

use super::{
    AXIS, LEFT, WIDTH,
    cells::is_cell,
    of_main,
    scores::{self, units},
};
use crate::{
    figures::{
        Flow, Heading, KeyEntry, Mark, Panel, Plate, common_top,
        plot::{EndLabel, Plot, Stroke, end_labels, extent_from_zero, labels_width, shown},
    },
    palette::Ink,
    svg::{Dash, Draw},
    view,
};

const HEIGHT: f64 = 170.0;
/// Most panels: nuclei and bins multiply.
const N_SHOWN: usize = 24;

/// Curves of the same units, one for each rating.
struct Group<'a> {
    nucleus: &'a str,
    units: &'a str,
    selective_in: Option<&'a str>,
    curves: Vec<&'a GainCurve>,
}

/// Groups in the order of the record, those over any bin and over whole nuclei first; single bins of single nuclei have a figure of their own.
fn groups(emotion: &EmotionRecord) -> Vec<Group<'_>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    for curve in emotion.gains.iter().filter(|curve| !is_cell(curve)) {
        let selective_in = curve.selective_in.as_deref();
        let same = |g: &&mut Group<'_>| {
            (g.nucleus, g.units, g.selective_in) == (&curve.nucleus, &curve.units, selective_in)
        };
        match groups.iter_mut().find(same) {
            Some(group) => group.curves.push(curve),
            None => groups.push(Group {
                nucleus: &curve.nucleus,
                units: &curve.units,
                selective_in,
                curves: vec![curve],
            }),
        }
    }
    let rank = |units: &str| match units {
        "any" => 0,
        "whole" => 1,
        _ => 2,
    };
    groups.sort_by_key(|g| rank(g.units));
    groups
}

pub(super) fn plate(analysis: &str, emotion: &EmotionRecord) -> Plate {
    let mut groups: Vec<Group<'_>> = groups(emotion)
        .into_iter()
        .filter(|g| {
            g.curves
                .iter()
                .any(|c| c.r.iter().copied().any(|r| shown(r).is_some()))
        })
        .collect();
    let n = groups.len();
    groups.truncate(N_SHOWN);
    let headings: Vec<Heading> = groups
        .iter()
        .map(|g| {
            let n = g.curves.first().map_or(0.0, |c| c.n_units);
            Heading::new(&title(g), &format!("{} units", units(n)), WIDTH)
        })
        .collect();
    let top = common_top(&headings) + 16.0;
    let all = groups.iter().flat_map(|g| &g.curves);
    let y = extent_from_zero(all.clone().flat_map(|c| values(c)));
    let panels: Vec<Panel> = groups
        .iter()
        .zip(&headings)
        .map(|(group, heading)| panel(emotion, group, y, heading, top))
        .collect();
    let has_random = all
        .clone()
        .any(|c| c.random.iter().copied().any(|r| shown(r).is_some()));
    let mut caption = "Correlation of predicted with given ratings when values of some units are multiplied by 1 + α: −1 is a lesion, 0 \
                       (dotted) changes nothing. Mean over repeats."
        .to_owned();
    let mut key: Vec<KeyEntry> = emotion
        .ratings
        .iter()
        .enumerate()
        .map(|(idx, rating)| {
            KeyEntry::new(Mark::Line(Dash::of(idx)), Ink::Series(idx), &rating.name)
        })
        .collect();
    if has_random {
        caption.push_str(&format!(
            " Shaded: the same for equally many random units of the nucleus, mean ± SD over {}; filled dots: p < {} against these \
             (two-sided, uncorrected).",
            view::plural(emotion.settings.random_sets, "set"),
            emotion.settings.alpha
        ));
        key.push(KeyEntry::new(Mark::Band, Ink::Ceiling, "random units"));
        key.push(KeyEntry::new(
            Mark::Dot,
            Ink::Text,
            format!("p < {} against random units", emotion.settings.alpha),
        ));
    }
    if n > N_SHOWN {
        caption.push_str(&format!(
            " The first {N_SHOWN} of {n} sets of units; gains.csv has all."
        ));
    }
    caption.push_str(&of_main(emotion));
    Plate {
        name: format!("{analysis}-gains"),
        title: "Gains and lesions of units".into(),
        caption,
        flow: Flow::Columns,
        max_columns: 2,
        panels,
        key,
        definitions: String::new(),
    }
}

fn title(group: &Group<'_>) -> String {
    let nucleus = match group.nucleus {
        "all" => "all nuclei",
        other => other,
    };
    match group.units {
        "whole" => format!("{nucleus}, whole"),
        units => {
            let bin = if units == "any" { "any bin" } else { units };
            let pictures = group
                .selective_in
                .map(|which| format!(" in {}", scores::pictures(which)));
            format!(
                "{nucleus}, units selective for {bin}{}",
                pictures.unwrap_or_default()
            )
        }
    }
}

/// Mean ± SD over random units; where α = 0 changes no unit, that is the intact r.
fn random_band(curve: &GainCurve) -> Vec<(f64, Option<(f64, f64)>)> {
    let has_random = curve.random.iter().any(Option::is_some);
    (0..curve.gains.len())
        .map(|k| {
            let intact = curve.r[k].filter(|_| has_random && curve.gains[k] == 0.0);
            let around = match intact {
                Some(r) => Some((r, 0.0)),
                None => curve.random[k].zip(curve.random_sd[k].or(Some(0.0))),
            };
            let ends = around.map(|(mean, sd)| (mean - sd, mean + sd));
            (curve.gains[k], ends)
        })
        .collect()
}

fn values(curve: &GainCurve) -> Vec<f64> {
    let band = random_band(curve).into_iter().filter_map(|(_, ends)| ends);
    curve
        .r
        .iter()
        .flatten()
        .copied()
        .chain(band.flat_map(|(low, high)| [low, high]))
        .collect()
}

fn panel(
    emotion: &EmotionRecord,
    group: &Group<'_>,
    y: (f64, f64),
    heading: &Heading,
    top: f64,
) -> Panel {
    let mut d = Draw::default();
    heading.draw(&mut d);
    let names: Vec<String> = group.curves.iter().map(|c| c.rating.clone()).collect();
    let gains = group.curves.iter().flat_map(|c| &c.gains);
    let x = gains
        .filter_map(|g| shown(Some(*g)))
        .fold((-1.0_f64, 0.0_f64), |(low, high), g| {
            (low.min(g), high.max(g))
        });
    let plot = Plot::new(
        x,
        y,
        (LEFT, WIDTH - labels_width(&names)),
        (top, top + HEIGHT),
    );
    plot.y_axis(&mut d, 5, "Pearson r");
    plot.x_axis(&mut d, &plot.x.ticks(6), "α");
    plot.level(&mut d, 0.0, Ink::Axis, 0.8, Dash::Solid);
    let zero = plot.x.at(0.0);
    d.dashes(
        &[(zero, top), (zero, plot.bottom)],
        Ink::Muted,
        1.0,
        Dash::Dots,
    );
    for curve in &group.curves {
        plot.band(&mut d, &random_band(curve), Ink::Ceiling, 0.7);
    }
    let mut labels = Vec::new();
    for (curve, text) in group.curves.iter().zip(names) {
        let idx = emotion.ratings.iter().position(|r| r.name == curve.rating);
        let (ink, dash) = idx.map_or((Ink::Text, Dash::Solid), |idx| {
            (Ink::Series(idx), Dash::of(idx))
        });
        let style = Stroke {
            ink,
            width: 1.7,
            dash,
        };
        let points: Vec<_> = curve
            .gains
            .iter()
            .copied()
            .zip(curve.r.iter().copied())
            .collect();
        plot.curve(&mut d, &points, style);
        for (&(gain, r), p) in points.iter().zip(&curve.p) {
            let significant = view::finite(*p).is_some_and(|p| p < emotion.settings.alpha);
            if let (Some(gain), Some(r), true) = (shown(Some(gain)), shown(r), significant) {
                let tip = format!("α = {}: r = {}", view::short(gain), view::score3(r));
                d.dot(plot.at(gain, r), 2.4, ink, 1.0, &tip);
            }
        }
        let last = curve.r.iter().rev().copied().find_map(shown);
        if let Some(last) = last {
            labels.push(EndLabel {
                y: plot.at(0.0, last).1,
                text,
                ink,
                dash,
            });
        }
    }
    end_labels(&mut d, &plot, labels);
    let lesion = |c: &&GainCurve| {
        let at = c.gains.iter().position(|g| *g == -1.0)?;
        shown(c.r[at]).map(|r| format!("{} {}", c.rating, view::score(r)))
    };
    let lesions: Vec<String> = group.curves.iter().filter_map(lesion).collect();
    Panel {
        alt: match lesions.is_empty() {
            true => format!("Curves of correlations against gains of {}.", title(group)),
            false => format!(
                "Curves of correlations against gains of {}; lesioned: {}.",
                title(group),
                view::listed(&lesions)
            ),
        },
        size: (WIDTH, top + HEIGHT + AXIS),
        body: d.into_string(),
    }
}
