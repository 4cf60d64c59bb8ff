//! Modules compared: encoders and structures, with their baselines and the ceiling.

use consilience_core::{EmotionModule, EmotionRecord, ModuleComparison};

use super::{AXIS, WIDTH, brackets::brackets, scores};
use crate::{
    figures::{
        Flow, Heading, KeyEntry, Mark, Panel, Plate, common_top,
        plot::{Plot, SMALL, extent_from_zero, muted, shown},
    },
    palette::Ink,
    svg::{Anchor, Dash, Draw, Type},
    text, view,
};

const STEP: f64 = 17.0;
/// Height of the name of an encoder above its structures.
const HEAD: f64 = 17.0;
const NAME_LIMIT: f64 = 120.0;
const VALUE_WIDTH: f64 = 32.0;
/// Width of a bracket with its stars.
const LANE: f64 = 24.0;
const N_LANES: usize = 4;
/// Most modules of a panel.
const N_SHOWN: usize = 120;

/// A measure that modules are compared by.
struct Measure {
    title: String,
    label: &'static str,
    /// As in [`ModuleComparison::measure`].
    name: String,
    ink: Ink,
    of: Of,
    ceiling: Option<f64>,
}

/// What a measure is of.
#[derive(Clone, Copy)]
enum Of {
    /// Correlation with the rating at this position.
    Rating(usize),
    /// Disparity of the plane.
    Plane,
}

impl Measure {
    /// Mean and SD after training.
    fn after(&self, module: &EmotionModule) -> [Option<f64>; 2] {
        match self.of {
            Of::Rating(idx) => [module.after[idx].r, module.after[idx].r_sd],
            Of::Plane => {
                let after = module.plane.map(|[_, after]| after);
                [
                    after.and_then(|a| a.disparity),
                    after.and_then(|a| a.disparity_sd),
                ]
            }
        }
    }

    fn before(&self, module: &EmotionModule) -> Option<f64> {
        match self.of {
            Of::Rating(idx) => module.before[idx].r,
            Of::Plane => module.plane.and_then(|[before, _]| before.disparity),
        }
    }

    /// Single repeats, where their predictions tell it.
    fn runs(&self, emotion: &EmotionRecord, module: &EmotionModule) -> Vec<Option<f64>> {
        match self.of {
            Of::Rating(idx) => scores::r_of_runs(emotion, module, idx),
            Of::Plane => Vec::new(),
        }
    }

    fn ridge(&self, emotion: &EmotionRecord, module: &EmotionModule) -> Option<f64> {
        match self.of {
            Of::Rating(idx) => scores::baseline(emotion, module)?.scores[idx].r,
            Of::Plane => None,
        }
    }
}

pub(super) fn plate(analysis: &str, emotion: &EmotionRecord) -> Plate {
    let measures: Vec<Measure> = match emotion.modules.len() {
        // One module is shown by other figures.
        0 | 1 => Vec::new(),
        _ => (0..emotion.ratings.len())
            .map(|rating| correlation(emotion, rating))
            .chain(disparity(emotion))
            .collect(),
    };
    let headings: Vec<Heading> = measures
        .iter()
        .map(|m| Heading::new(&m.title, &subtitle(emotion, m), WIDTH))
        .collect();
    let top = common_top(&headings) + 4.0;
    let mut is_cut = emotion.modules.len() > N_SHOWN;
    let panels: Vec<Panel> = measures
        .iter()
        .zip(&headings)
        .map(|(measure, heading)| {
            let (panel, all_drawn) = panel(emotion, measure, heading, top);
            is_cut |= !all_drawn;
            panel
        })
        .collect();
    Plate {
        name: format!("{analysis}-modules"),
        title: "Encoders and structures compared".into(),
        caption: caption(emotion, is_cut),
        flow: Flow::Columns,
        max_columns: 2,
        panels,
        key: key(emotion),
        definitions: String::new(),
    }
}

fn correlation(emotion: &EmotionRecord, rating: usize) -> Measure {
    let of = &emotion.ratings[rating];
    Measure {
        title: format!("r of {}", of.name),
        label: "Pearson r",
        name: format!("r of {}", of.name),
        ink: Ink::Series(rating),
        of: Of::Rating(rating),
        ceiling: shown(of.ceiling),
    }
}

fn disparity(emotion: &EmotionRecord) -> Option<Measure> {
    let value = |m: &EmotionModule| m.plane.and_then(|[_, after]| shown(after.disparity));
    emotion.modules.iter().find_map(value)?;
    Some(Measure {
        title: "disparity (less is better)".into(),
        label: "Procrustes disparity",
        name: "disparity".into(),
        ink: Ink::Series(2),
        of: Of::Plane,
        ceiling: None,
    })
}

fn subtitle(emotion: &EmotionRecord, measure: &Measure) -> String {
    let tested: Vec<&ModuleComparison> = emotion
        .comparisons
        .iter()
        .filter(|c| c.measure == measure.name && scores::p_difference(c).is_some())
        .collect();
    let n = tested
        .iter()
        .filter(|c| scores::is_significant(emotion, c))
        .count();
    match tested.len() {
        0 => String::new(),
        all => format!("{n} of {} significant", view::plural(all, "difference")),
    }
}

fn caption(emotion: &EmotionRecord, is_cut: bool) -> String {
    let mut out = "Each module after training, mean over repeats; rows are structures on an encoder’s features.".to_owned();
    if emotion.modules.iter().any(|m| m.runs.len() > 1) {
        out.push_str(" Dots: single repeats; whiskers: ± standard deviation.");
    }
    out.push_str(" Rings: before training.");
    if !emotion.baselines.is_empty() {
        out.push_str(
            " Line through an encoder’s rows: ridge regression on the same features and folds.",
        );
    }
    if emotion.ratings.iter().any(|r| shown(r.ceiling).is_some()) {
        out.push_str(" Dashed: noise ceiling of the ratings.");
    }
    let tested = emotion
        .comparisons
        .iter()
        .any(|c| scores::p_difference(c).is_some());
    match tested {
        true => out.push_str(&format!(
            " Brackets: differences with p < {} (Welch’s test over repeats, {}), * p < 0.05, ** p < 0.01, *** p < 0.001.",
            emotion.settings.alpha,
            scores::p_difference_source(emotion)
        )),
        false => out.push_str(" No difference was tested."),
    }
    if is_cut {
        out.push_str(" Not all are drawn; module_comparisons.csv and the table have them.");
    }
    out
}

fn key(emotion: &EmotionRecord) -> Vec<KeyEntry> {
    let mut key = vec![KeyEntry::new(Mark::Ring, Ink::Axis, "before training")];
    if emotion.modules.iter().any(|m| m.runs.len() > 1) {
        key.push(KeyEntry::new(Mark::SmallDot, Ink::Text, "single repeat"));
        key.push(KeyEntry::new(Mark::Whisker, Ink::Text, "± SD over repeats"));
    }
    if !emotion.baselines.is_empty() {
        key.push(KeyEntry::new(Mark::Tick, Ink::Accent, "ridge regression"));
    }
    if emotion.ratings.iter().any(|r| shown(r.ceiling).is_some()) {
        key.push(KeyEntry::new(
            Mark::Line(Dash::Long),
            Ink::Text,
            "noise ceiling",
        ));
    }
    key
}

/// Modules of one encoder.
struct Group<'a> {
    name: String,
    modules: &'a [EmotionModule],
    first: usize,
}

fn groups(emotion: &EmotionRecord) -> Vec<Group<'_>> {
    let n = emotion.modules.len().min(N_SHOWN);
    let mut first = 0;
    emotion.modules[..n]
        .chunk_by(|a, b| (&a.encoder, &a.layer) == (&b.encoder, &b.layer))
        .map(|modules| {
            let group = Group {
                name: format!("{} {}", modules[0].encoder, modules[0].layer),
                modules,
                first,
            };
            first += modules.len();
            group
        })
        .collect()
}

/// Whether every significant difference found its place is the second.
fn panel(emotion: &EmotionRecord, measure: &Measure, heading: &Heading, top: f64) -> (Panel, bool) {
    let mut d = Draw::default();
    heading.draw(&mut d);
    let groups = groups(emotion);
    let names: Vec<&str> = emotion
        .modules
        .iter()
        .map(|m| m.structure.as_str())
        .collect();
    let names = text::fit_all(&names, 10.0, NAME_LIMIT);
    let left = names
        .iter()
        .fold(0.0_f64, |w, name| w.max(text::width(name, 10.0)))
        .max(20.0)
        + 10.0;
    let mut y = top;
    let mut rows: Vec<f64> = Vec::new();
    let mut heads = Vec::new();
    for group in &groups {
        heads.push(y + HEAD - 5.0);
        y += HEAD;
        for _ in group.modules {
            rows.push(y + STEP / 2.0);
            y += STEP;
        }
        y += 4.0;
    }
    let brackets = brackets(emotion, &measure.name, &rows);
    let n_lanes = brackets.iter().map(|b| b.lane + 1).max().unwrap_or(0);
    let right = WIDTH - VALUE_WIDTH - LANE * n_lanes.min(N_LANES) as f64;

    let values = emotion.modules.iter().flat_map(|m| {
        let [mean, sd] = measure.after(m);
        let (mean, sd) = (mean.unwrap_or(f64::NAN), view::finite(sd).unwrap_or(0.0));
        let runs = measure.runs(emotion, m).into_iter().flatten();
        let marks = [measure.before(m), measure.ridge(emotion, m)];
        [mean - sd, mean + sd]
            .into_iter()
            .chain(runs)
            .chain(marks.into_iter().flatten())
            .collect::<Vec<_>>()
    });
    let x = extent_from_zero(values.chain(measure.ceiling));
    let plot = Plot::new(x, (0.0, 1.0), (left, right), (top, y));
    // Lines leave the names of encoders free.
    let spans: Vec<(f64, f64)> = groups
        .iter()
        .map(|group| {
            let of = &rows[group.first..][..group.modules.len()];
            let half = STEP / 2.0 + 1.0;
            (of[0] - half, of[of.len() - 1] + half)
        })
        .collect();
    for (value, label) in plot.x.ticks(5) {
        let x = plot.x.at(value);
        for &(from, to) in &spans {
            d.line((x, from), (x, to), Ink::Grid, 0.7);
        }
        d.text(x, y + 12.0, &label, muted(Anchor::Middle));
    }
    d.text(
        (left + right) / 2.0,
        y + 25.0,
        measure.label,
        muted(Anchor::Middle),
    );

    let head = Type {
        bold: true,
        ..Type::default()
    };
    for (group, at) in groups.iter().zip(heads) {
        d.text(1.0, at, &text::fit(&group.name, 10.5, right - 4.0), head);
        bars(
            &mut d,
            &plot,
            (emotion, measure),
            group,
            &rows[group.first..],
        );
    }
    let end = Type {
        anchor: Anchor::End,
        ..Type::default()
    };
    for (name, row) in names.iter().zip(&rows) {
        d.text(left - 7.0, row + 3.5, name, end);
    }
    for &(from, to) in &spans {
        let zero = plot.x.at(0.0);
        d.line((zero, from), (zero, to), Ink::Axis, 1.0);
        if let Some(ceiling) = measure.ceiling {
            let x = plot.x.at(ceiling);
            d.dashes(&[(x, from), (x, to)], Ink::Text, 1.1, Dash::Long);
        }
    }
    for bracket in brackets.iter().filter(|b| b.lane < N_LANES) {
        bracket.draw(&mut d, right + VALUE_WIDTH + bracket.lane as f64 * LANE);
    }
    let best = emotion.modules.iter().filter_map(|m| {
        let [mean, _] = measure.after(m);
        mean.map(|v| format!("{} {}", m.label(), view::score(v)))
    });
    let panel = Panel {
        alt: format!(
            "Bars of {} of each module: {}.",
            measure.title,
            view::listed(&best.take(12).collect::<Vec<_>>())
        ),
        size: (WIDTH, y + AXIS),
        body: d.into_string(),
    };
    (panel, brackets.iter().all(|b| b.lane < N_LANES))
}

fn bars(
    d: &mut Draw,
    plot: &Plot,
    (emotion, measure): (&EmotionRecord, &Measure),
    group: &Group<'_>,
    rows: &[f64],
) {
    let zero = plot.x.at(0.0);
    let across = |value: f64| plot.x.at(value).clamp(plot.left, plot.right);
    for (module, &row) in group.modules.iter().zip(rows) {
        let [mean, sd] = measure.after(module);
        let value = Type {
            size: SMALL,
            anchor: Anchor::End,
            ..Type::default()
        };
        let x_value = plot.right + VALUE_WIDTH - 4.0;
        let Some(mean) = shown(mean) else {
            d.text(x_value, row + 3.2, "–", value);
            continue;
        };
        let x = across(mean);
        d.rect(
            (x.min(zero), row - 5.0),
            ((x - zero).abs(), 10.0),
            measure.ink,
            0.55,
        );
        for run in measure.runs(emotion, module).into_iter().filter_map(shown) {
            d.dot((across(run), row), 1.7, Ink::Text, 0.6, "");
        }
        if let Some(sd) = shown(sd) {
            let (low, high) = (across(mean - sd), across(mean + sd));
            d.line((low, row), (high, row), Ink::Text, 1.0);
            for x in [low, high] {
                d.line((x, row - 2.5), (x, row + 2.5), Ink::Text, 1.0);
            }
        }
        if let Some(before) = shown(measure.before(module)) {
            d.ring((across(before), row), 3.0, Ink::Axis, 1.2);
        }
        d.text(x_value, row + 3.2, &view::score(mean), value);
    }
    let ridge = group
        .modules
        .first()
        .and_then(|m| shown(measure.ridge(emotion, m)));
    if let (Some(ridge), Some(first)) = (ridge, rows.first()) {
        let x = across(ridge);
        let last = rows[group.modules.len().min(rows.len()) - 1];
        d.line((x, first - 7.5), (x, last + 7.5), Ink::Accent, 2.0);
    }
}
