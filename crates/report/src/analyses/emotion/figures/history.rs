//! How the main module learns: correlations, disparity and loss, epoch by epoch.

use consilience_core::{EmotionEpoch, EmotionRecord};

use super::{AXIS, LEFT, WIDTH, of_main, scores};
use crate::{
    figures::{
        Flow, Heading, KeyEntry, Mark, Panel, Plate, common_top,
        plot::{
            EndLabel, Plot, Stroke, end_labels, extent_from_zero, labels_width, shown, whole_ticks,
        },
    },
    palette::Ink,
    svg::{Dash, Draw},
    view,
};

const HEIGHT: f64 = 190.0;
/// Most other modules that are drawn beside the main one.
const N_OTHERS: usize = 12;

/// A curve with what is around it.
struct Curve {
    ink: Ink,
    dash: Dash,
    name: String,
    values: Vec<Option<f64>>,
    sds: Vec<Option<f64>>,
}

/// A level across the field with its name.
struct Level {
    value: f64,
    dash: Dash,
    name: &'static str,
}

/// What a panel shows.
struct Content {
    title: String,
    subtitle: String,
    label: &'static str,
    epochs: Vec<f64>,
    curves: Vec<Curve>,
    /// The same of other modules.
    others: Vec<Vec<(f64, Option<f64>)>>,
    levels: Vec<Level>,
}

pub(super) fn plate(analysis: &str, emotion: &EmotionRecord) -> Plate {
    let history = &scores::main(emotion).history;
    let mut contents: Vec<Content> = match history.is_empty() {
        true => Vec::new(),
        false => (0..emotion.ratings.len())
            .map(|rating| correlations(emotion, rating))
            .collect(),
    };
    contents.extend(disparity(emotion));
    contents.extend(loss(emotion));
    let headings: Vec<Heading> = contents
        .iter()
        .map(|c| Heading::new(&c.title, &c.subtitle, WIDTH))
        .collect();
    let top = common_top(&headings) + 16.0;
    let chosen = chosen_epochs(emotion);
    let panels: Vec<Panel> = contents
        .iter()
        .zip(&headings)
        .map(|(content, heading)| panel(content, &chosen, heading, top))
        .collect();
    Plate {
        name: format!("{analysis}-history"),
        title: "Learning, epoch by epoch".into(),
        caption: caption(emotion, &contents),
        flow: Flow::Columns,
        max_columns: 2,
        panels,
        key: vec![
            KeyEntry::new(
                Mark::Curve(Dash::Solid),
                Ink::Series(0),
                "mean ± SD over repeats",
            ),
            KeyEntry::new(Mark::Line(Dash::Long), Ink::Text, "noise ceiling"),
            KeyEntry::new(Mark::Line(Dash::Mixed), Ink::Accent, "ridge regression"),
            KeyEntry::new(Mark::Up, Ink::Muted, "weights used"),
        ],
        definitions: String::new(),
    }
}

fn caption(emotion: &EmotionRecord, contents: &[Content]) -> String {
    let mut out = "Correlation of predicted with given ratings, Procrustes disparity of their plane and loss, mean over repeats; \
                   epoch 0 is before training."
        .to_owned();
    let has = |name: &str| {
        let levels = contents.iter().flat_map(|c| &c.levels);
        levels.into_iter().any(|l| l.name == name)
    };
    if has(CEILING) {
        out.push_str(
            " Noise ceiling: the best correlation that can be expected given how raters differ.",
        );
    }
    if has(RIDGE) {
        out.push_str(" Ridge regression: on the same features and folds.");
    }
    if contents.iter().any(|c| !c.others.is_empty()) {
        out.push_str(" Thin grey lines: the other modules.");
    }
    out.push_str(" Triangles: epochs whose weights were used, one for each fold and repeat.");
    out.push_str(&of_main(emotion));
    out
}

const CEILING: &str = "ceiling";
const RIDGE: &str = "ridge";

fn epochs(history: &[EmotionEpoch]) -> Vec<f64> {
    history.iter().map(|e| e.epoch as f64).collect()
}

/// The same number of the other modules.
fn others(
    emotion: &EmotionRecord,
    value: impl Fn(&EmotionEpoch) -> Option<f64>,
) -> Vec<Vec<(f64, Option<f64>)>> {
    if emotion.modules.len() > N_OTHERS + 1 {
        return Vec::new();
    }
    let modules = emotion.modules.iter().enumerate();
    modules
        .filter(|(idx, _)| *idx != emotion.main)
        .map(|(_, module)| {
            let history = module.history.iter();
            history.map(|e| (e.epoch as f64, value(e))).collect()
        })
        .collect()
}

fn correlations(emotion: &EmotionRecord, rating: usize) -> Content {
    let module = scores::main(emotion);
    let of = &emotion.ratings[rating];
    let ceiling = shown(of.ceiling).map(|value| Level {
        value,
        dash: Dash::Long,
        name: CEILING,
    });
    let ridge = scores::baseline(emotion, module).and_then(|b| shown(b.scores[rating].r));
    let ridge = ridge.map(|value| Level {
        value,
        dash: Dash::Mixed,
        name: RIDGE,
    });
    let after = view::finite(module.after[rating].r);
    Content {
        title: of.name.clone(),
        subtitle: after.map_or_else(String::new, |r| {
            format!("r = {} with the weights used", view::score(r))
        }),
        label: "Pearson r",
        epochs: epochs(&module.history),
        curves: vec![Curve {
            ink: Ink::Series(rating),
            dash: Dash::Solid,
            name: String::new(),
            values: module.history.iter().map(|e| e.r[rating]).collect(),
            sds: module.history.iter().map(|e| e.r_sd[rating]).collect(),
        }],
        others: others(emotion, |e| e.r[rating]),
        levels: ceiling.into_iter().chain(ridge).collect(),
    }
}

fn disparity(emotion: &EmotionRecord) -> Option<Content> {
    let module = scores::main(emotion);
    let values: Vec<Option<f64>> = module.history.iter().map(|e| e.disparity).collect();
    values.iter().copied().find_map(shown)?;
    let after = module
        .plane
        .and_then(|[_, after]| view::finite(after.disparity));
    Some(Content {
        title: "disparity".into(),
        subtitle: after.map_or_else(String::new, |v| {
            format!("{} with the weights used", view::score(v))
        }),
        label: "Procrustes disparity",
        epochs: epochs(&module.history),
        curves: vec![Curve {
            ink: Ink::Series(2),
            dash: Dash::Solid,
            name: String::new(),
            values,
            sds: module.history.iter().map(|e| e.disparity_sd).collect(),
        }],
        others: others(emotion, |e| e.disparity),
        levels: Vec::new(),
    })
}

fn loss(emotion: &EmotionRecord) -> Option<Content> {
    let module = scores::main(emotion);
    let curve = |name: &str, ink, dash, values: Vec<Option<f64>>| {
        let any = values.iter().copied().find_map(shown).is_some();
        any.then(|| Curve {
            ink,
            dash,
            name: name.to_owned(),
            sds: vec![None; values.len()],
            values,
        })
    };
    let history = || module.history.iter();
    let curves: Vec<Curve> = [
        curve(
            "training",
            Ink::Series(3),
            Dash::Solid,
            history().map(|e| e.training).collect(),
        ),
        curve(
            "validation",
            Ink::Series(4),
            Dash::Long,
            history().map(|e| e.validation).collect(),
        ),
    ]
    .into_iter()
    .flatten()
    .collect();
    (!curves.is_empty()).then(|| Content {
        title: "loss".into(),
        subtitle: String::new(),
        label: "loss",
        epochs: epochs(&module.history),
        curves,
        others: Vec::new(),
        levels: Vec::new(),
    })
}

/// Epochs whose weights were used, each once, with how often.
fn chosen_epochs(emotion: &EmotionRecord) -> Vec<(f64, usize)> {
    let runs = scores::main(emotion).runs.iter();
    let mut all: Vec<usize> = runs.flat_map(|run| run.epochs.iter().copied()).collect();
    all.sort_unstable();
    all.chunk_by(|a, b| a == b)
        .map(|same| (same[0] as f64, same.len()))
        .collect()
}

fn panel(content: &Content, chosen: &[(f64, usize)], heading: &Heading, top: f64) -> Panel {
    let mut d = Draw::default();
    heading.draw(&mut d);
    let names: Vec<String> = content
        .curves
        .iter()
        .map(|c| c.name.clone())
        .chain(content.levels.iter().map(|l| l.name.to_owned()))
        .filter(|name| !name.is_empty())
        .collect();
    let right = match names.is_empty() {
        true => WIDTH - 8.0,
        false => WIDTH - labels_width(&names),
    };
    let x = span(&content.epochs);
    let ends = content.curves.iter().flat_map(|c| {
        let around = c.values.iter().zip(&c.sds);
        around.flat_map(|(v, sd)| {
            let (v, sd) = (v.unwrap_or(f64::NAN), view::finite(*sd).unwrap_or(0.0));
            [v - sd, v + sd]
        })
    });
    let others = content.others.iter().flatten().filter_map(|(_, y)| *y);
    let levels = content.levels.iter().map(|l| l.value);
    let y = extent_from_zero(ends.chain(others).chain(levels));
    let plot = Plot::new(x, y, (LEFT, right), (top, top + HEIGHT));
    plot.y_axis(&mut d, 6, content.label);
    plot.x_axis(&mut d, &whole_ticks(&plot.x, 7), "epoch");
    plot.level(&mut d, 0.0, Ink::Axis, 0.8, Dash::Solid);

    for other in &content.others {
        let style = Stroke {
            ink: Ink::Ceiling,
            width: 1.0,
            dash: Dash::Solid,
        };
        plot.curve(&mut d, other, style);
    }
    let mut labels = Vec::new();
    for level in &content.levels {
        let ink = if level.name == RIDGE {
            Ink::Accent
        } else {
            Ink::Text
        };
        plot.level(&mut d, level.value, ink, 1.2, level.dash);
        labels.push(EndLabel {
            y: plot.y.at(level.value),
            text: level.name.to_owned(),
            ink,
            dash: level.dash,
        });
    }
    for curve in &content.curves {
        let points = || content.epochs.iter().copied();
        let band: Vec<_> = points()
            .zip(curve.values.iter().zip(&curve.sds))
            .map(|(x, (v, sd))| (x, v.zip(*sd).map(|(v, sd)| (v - sd, v + sd))))
            .collect();
        plot.band(&mut d, &band, curve.ink, 0.2);
        let line: Vec<_> = points().zip(curve.values.iter().copied()).collect();
        let style = Stroke {
            ink: curve.ink,
            width: 1.8,
            dash: curve.dash,
        };
        plot.curve(&mut d, &line, style);
        let last = curve.values.iter().rev().copied().find_map(shown);
        if let (Some(last), false) = (last, curve.name.is_empty()) {
            labels.push(EndLabel {
                y: plot.y.at(last),
                text: curve.name.clone(),
                ink: curve.ink,
                dash: curve.dash,
            });
        }
    }
    end_labels(&mut d, &plot, labels);
    for &(epoch, n) in chosen.iter().filter(|(e, _)| (x.0..=x.1).contains(e)) {
        let at = (plot.x.at(epoch), plot.bottom);
        let half = 2.2 + (n as f64).sqrt().min(4.0) * 0.5;
        let corners = [
            (at.0, at.1 - 2.2 * half),
            (at.0 - half, at.1),
            (at.0 + half, at.1),
        ];
        d.polygon(&corners, Ink::Muted, 0.7);
    }
    Panel {
        alt: format!(
            "Curve of {} over {}; {}.",
            content.title,
            view::plural(content.epochs.len(), "epoch"),
            content.subtitle
        ),
        size: (WIDTH, top + HEIGHT + AXIS),
        body: d.into_string(),
    }
}

/// From the first epoch to the last.
pub(super) fn span(epochs: &[f64]) -> (f64, f64) {
    let all = || epochs.iter().filter_map(|&e| shown(Some(e)));
    let first = all().fold(f64::INFINITY, f64::min);
    let last = all().fold(f64::NEG_INFINITY, f64::max);
    match first.is_finite() && last.is_finite() {
        true => (first, last),
        false => (0.0, 1.0),
    }
}
