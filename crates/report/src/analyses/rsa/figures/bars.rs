//! Model comparison: the best layer of each model, or the best layers of the only one.

use consilience_core::{RsaRecord, RsaTarget};

use super::scores;
use crate::{
    figures::{CEILING_OPACITY, Flow, Heading, KeyEntry, Mark, Panel, Plate, common_top},
    palette::Ink,
    scale::Scale,
    svg::{Anchor, Draw, Type},
    text, view,
};

/// Layers that are shown when there is one model.
const N_BEST: usize = 6;
const WIDTH: f64 = 490.0;
/// Most that names may take of the width; they take what they need.
const NAME_LIMIT: f64 = 170.0;
const NAME_SIZE: f64 = 10.5;
const VALUE_WIDTH: f64 = 34.0;
const MARK_WIDTH: f64 = 25.0;
const CELL: f64 = 13.0;

pub(super) fn plate(analysis: &str, rsa: &RsaRecord) -> Plate {
    let headings: Vec<Heading> = rsa
        .targets
        .iter()
        .map(|target| Heading::new(&target.name, &subtitle(target), WIDTH))
        .collect();
    let top = common_top(&headings);
    let panels: Vec<Panel> = rsa
        .targets
        .iter()
        .zip(&headings)
        .filter_map(|(target, heading)| panel(rsa, target, heading, top))
        .collect();
    Plate {
        name: format!("{analysis}-comparison"),
        title: "Comparison of models".into(),
        caption: caption(rsa),
        flow: Flow::Columns,
        max_columns: if panels.len() > 4 { 3 } else { 2 },
        panels,
        key: key(rsa),
        definitions: String::new(),
    }
}

fn one_model(rsa: &RsaRecord) -> bool {
    scores::models(rsa).len() == 1
}

fn has_differences(rsa: &RsaRecord) -> bool {
    rsa.targets
        .iter()
        .any(|t| t.p_difference.iter().flatten().any(Option::is_some))
}

fn has_ceiling_tests(rsa: &RsaRecord) -> bool {
    rsa.targets
        .iter()
        .flat_map(|t| &t.scores)
        .filter_map(|s| s.estimate.as_ref())
        .any(|e| view::finite(e.p_ceiling).is_some())
}

fn has_subjects(rsa: &RsaRecord) -> bool {
    rsa.targets.iter().any(|t| t.n_subjects > 1)
}

fn caption(rsa: &RsaRecord) -> String {
    let what = if one_model(rsa) {
        "The best layers"
    } else {
        "The best layer of each model"
    };
    let mut out = format!(
        "{what} for each target ({}).",
        scores::similarity_label(&rsa.settings)
    );
    if let Some(name) = scores::spread_name(rsa) {
        out.push_str(&format!(" Whiskers: {name}."));
    }
    if has_subjects(rsa) {
        out.push_str(" Small dots: single subjects.");
    }
    let mut tests = Vec::new();
    if let Some(source) = scores::p_zero_source(rsa) {
        tests.push(format!(
            "in the column “> 0” for a score above zero ({source})"
        ));
    }
    if has_ceiling_tests(rsa) {
        tests.push(
            "in the column “< NC” for a score below the lower noise ceiling (uncorrected)".into(),
        );
    }
    if has_differences(rsa) {
        tests.push(
            "in the triangle for a difference between the row’s layer and the column’s (two-sided; \
             letters name the rows)"
                .into(),
        );
    }
    if tests.is_empty() {
        out.push_str(" Nothing was tested.");
    } else {
        out.push_str(&format!(
            " A filled dot marks p < {}: {}. An open ring: tested, not significant; a dash: no \
             test possible.",
            rsa.settings.alpha,
            view::listed(&tests)
        ));
    }

    if !one_model(rsa) {
        out.push_str(
            " The best layer is chosen on the same data, so its score is slightly optimistic.",
        );
    }
    out
}

fn key(rsa: &RsaRecord) -> Vec<KeyEntry> {
    let mut key = Vec::new();
    if let Some(name) = scores::spread_name(rsa) {
        key.push(KeyEntry::new(Mark::Whisker, Ink::Text, name));
    }
    if has_subjects(rsa) {
        key.push(KeyEntry::new(Mark::SmallDot, Ink::Text, "single subject"));
    }
    if rsa.targets.iter().any(|t| t.ceiling.is_some()) {
        key.push(KeyEntry::new(
            Mark::Band,
            Ink::Ceiling,
            "noise ceiling (NC)",
        ));
    }
    if scores::p_zero_source(rsa).is_some() || has_ceiling_tests(rsa) || has_differences(rsa) {
        let alpha = rsa.settings.alpha;
        key.push(KeyEntry::new(Mark::Dot, Ink::Text, format!("p < {alpha}")));
        key.push(KeyEntry::new(Mark::Ring, Ink::Axis, "not significant"));
    }
    key
}

/// Predictors to compare: of several models the best layer of each, of one its best layers.
fn rows(rsa: &RsaRecord, target: &RsaTarget) -> Vec<usize> {
    let value = |idx: usize| scores::estimate(target, idx).map(|e| e.value);
    // The first of equals wins, as everywhere.
    let better = |a: &usize, b: &usize| {
        let order = value(*b).partial_cmp(&value(*a));
        order.unwrap_or(std::cmp::Ordering::Equal).then(a.cmp(b))
    };
    let scored = |idx: &usize| value(*idx).is_some();
    let n = rsa.predictors.len();
    if one_model(rsa) {
        let mut all: Vec<usize> = (0..n).filter(scored).collect();
        all.sort_by(better);
        all.truncate(N_BEST);
        return all;
    }
    scores::models(rsa)
        .into_iter()
        .filter_map(|model| {
            (0..n)
                .filter(|&idx| rsa.predictors[idx].model == model)
                .filter(scored)
                .min_by(better)
        })
        .collect()
}

/// Where the parts of a row stand; `None` for what this analysis does not have.
struct Layout {
    names: f64,
    left: f64,
    right: f64,
    value: f64,
    zero: Option<f64>,
    ceiling: Option<f64>,
    triangle: Option<f64>,
    first: f64,
    step: f64,
}

impl Layout {
    fn middle(&self, row: usize) -> f64 {
        self.first + (row as f64 + 0.5) * self.step
    }
}

fn panel(rsa: &RsaRecord, target: &RsaTarget, heading: &Heading, top: f64) -> Option<Panel> {
    let rows = rows(rsa, target);
    if rows.is_empty() {
        return None;
    }
    let mut d = Draw::default();
    heading.draw(&mut d);
    let triangle_width = if has_differences(rsa) {
        8.0 + rows.len() as f64 * CELL
    } else {
        0.0
    };
    let layers: Vec<&str> = rows
        .iter()
        .map(|&idx| rsa.predictors[idx].layer.as_str())
        .collect();
    let layers = text::fit_all(&layers, NAME_SIZE, NAME_LIMIT);
    let models = rows
        .iter()
        .filter(|_| !one_model(rsa))
        .map(|&idx| rsa.predictors[idx].model.as_str());
    let name_width = layers
        .iter()
        .map(String::as_str)
        .chain(models)
        .map(|name| text::width(name, NAME_SIZE))
        .fold(0.0, f64::max)
        .min(NAME_LIMIT);
    let column = |shown: bool| if shown { MARK_WIDTH } else { 0.0 };
    let zero_width = column(scores::p_zero_source(rsa).is_some());
    let ceiling_width = column(has_ceiling_tests(rsa));
    let verdicts = WIDTH - triangle_width - ceiling_width - zero_width;
    let right = verdicts - VALUE_WIDTH - 8.0;
    let layout = Layout {
        names: name_width,
        left: name_width + 8.0,
        right,
        value: verdicts - 6.0,
        zero: (zero_width > 0.0).then_some(verdicts + MARK_WIDTH / 2.0),
        ceiling: (ceiling_width > 0.0).then_some(verdicts + zero_width + MARK_WIDTH / 2.0),
        triangle: (triangle_width > 0.0).then_some(WIDTH - triangle_width + 8.0),
        first: top + 18.0,
        step: if one_model(rsa) { 22.0 } else { 32.0 },
    };
    let bottom = layout.first + rows.len() as f64 * layout.step;

    let x = Scale::around_zero(extent(target, &rows), (layout.left, layout.right));
    backdrop(&mut d, rsa, target, &layout, &x, bottom);
    for (row, &idx) in rows.iter().enumerate() {
        let y = layout.middle(row);
        names(&mut d, rsa, idx, &layers[row], (layout.names, y));
        draw_row(&mut d, rsa, target, &layout, &x, y, idx);
    }
    header(&mut d, &layout, top + 8.0);
    if let Some(left) = layout.triangle {
        triangle(&mut d, rsa, target, (&layout, left), &rows);
    }

    let scores: Vec<String> = rows
        .iter()
        .filter_map(|&idx| {
            let value = scores::estimate(target, idx)?.value;
            let p = &rsa.predictors[idx];
            Some(format!("{} {} {}", p.model, p.layer, view::score(value)))
        })
        .collect();
    Some(Panel {
        alt: format!(
            "Best scores for {}: {}.",
            target.name,
            view::listed(&scores)
        ),
        size: (WIDTH, bottom + 36.0),
        body: d.into_string(),
    })
}

fn subtitle(target: &RsaTarget) -> String {
    let n = format!(
        "{}, {}",
        view::plural(target.n_subjects, "subject"),
        view::plural(target.n_conditions, "condition")
    );
    match target.ceiling {
        Some(c) => format!(
            "noise ceiling {} to {}; {n}",
            view::score(c.lower),
            view::score(c.upper)
        ),
        None => format!("no noise ceiling; {n}"),
    }
}

fn extent<'a>(target: &'a RsaTarget, rows: &'a [usize]) -> impl Iterator<Item = f64> + 'a {
    rows.iter()
        .flat_map(|&idx| {
            let e = scores::estimate(target, idx);
            let own = e.map(|e| e.value);
            let ends = e.and_then(scores::spread).map(|(low, high)| [low, high]);
            let subjects = target.scores[idx].per_subject.iter().copied().flatten();
            own.into_iter()
                .chain(ends.into_iter().flatten())
                .chain(subjects)
        })
        .chain(target.ceiling.iter().flat_map(|c| [c.lower, c.upper]))
}

fn backdrop(
    d: &mut Draw,
    rsa: &RsaRecord,
    target: &RsaTarget,
    layout: &Layout,
    x: &Scale,
    bottom: f64,
) {
    let height = bottom - layout.first;
    if let Some(c) = target
        .ceiling
        .filter(|c| c.lower.is_finite() && c.upper.is_finite())
    {
        let (low, high) = (x.at(c.lower), x.at(c.upper));
        d.rect(
            (low, layout.first),
            ((high - low).max(1.0), height),
            Ink::Ceiling,
            CEILING_OPACITY,
        );
    }
    let small = Type {
        ink: Ink::Muted,
        anchor: Anchor::Middle,
        ..Type::default()
    };
    for (value, label) in x.ticks(5) {
        let at = x.at(value);
        d.line((at, layout.first), (at, bottom), Ink::Grid, 0.7);
        d.text(at, bottom + 13.0, &label, small);
    }
    d.line(
        (x.at(0.0), layout.first),
        (x.at(0.0), bottom),
        Ink::Axis,
        1.0,
    );
    let label = scores::similarity_label(&rsa.settings);
    let label = text::fit(&label, 10.0, layout.right - layout.left);
    d.text(
        (layout.left + layout.right) / 2.0,
        bottom + 28.0,
        &label,
        small,
    );
}

fn draw_row(
    d: &mut Draw,
    rsa: &RsaRecord,
    target: &RsaTarget,
    layout: &Layout,
    x: &Scale,
    y: f64,
    idx: usize,
) {
    let Some(e) = scores::estimate(target, idx) else {
        return;
    };
    let models = scores::models(rsa);
    let series = models.iter().position(|m| *m == rsa.predictors[idx].model);
    let ink = Ink::Series(series.unwrap_or(0));

    let (zero, end) = (x.at(0.0), x.at(e.value));
    d.rect(
        (zero.min(end), y - 6.0),
        ((end - zero).abs(), 12.0),
        ink,
        0.85,
    );
    let subjects = if target.n_subjects > 1 {
        target.scores[idx].per_subject.as_slice()
    } else {
        &[]
    };
    for (subject, value) in subjects.iter().enumerate() {
        if let Some(value) = view::finite(*value) {
            // Neighbouring subjects part vertically, so that equal scores stay countable.
            let offset = [0.0, -2.6, 2.6][subject % 3];
            let tip = format!("subject {}: {}", subject + 1, view::score3(value));
            d.dot((x.at(value), y + offset), 1.8, Ink::Text, 0.45, &tip);
        }
    }
    if let Some((low, high)) = scores::spread(e) {
        d.line((x.at(low), y), (x.at(high), y), Ink::Text, 1.2);
        for end in [low, high] {
            d.line((x.at(end), y - 3.0), (x.at(end), y + 3.0), Ink::Text, 1.2);
        }
    }
    let style = Type {
        anchor: Anchor::End,
        ..Type::default()
    };
    d.text(layout.value, y + 3.5, &view::score(e.value), style);
    if let Some(at) = layout.zero {
        verdict(d, (at, y), scores::p_zero(e), rsa.settings.alpha);
    }
    if let Some(at) = layout.ceiling {
        verdict(d, (at, y), view::finite(e.p_ceiling), rsa.settings.alpha);
    }
}

fn names(d: &mut Draw, rsa: &RsaRecord, idx: usize, layer: &str, (right, y): (f64, f64)) {
    let style = Type {
        size: NAME_SIZE,
        anchor: Anchor::End,
        ..Type::default()
    };
    if one_model(rsa) {
        d.text(right, y + 3.6, layer, style);
    } else {
        let model = text::fit(&rsa.predictors[idx].model, NAME_SIZE, NAME_LIMIT);
        let small = Type {
            size: NAME_SIZE - 1.0,
            ink: Ink::Muted,
            ..style
        };
        d.text(right, y - 1.6, &model, style);
        d.text(right, y + 10.4, layer, small);
    }
}

fn header(d: &mut Draw, layout: &Layout, y: f64) {
    let style = Type {
        size: 9.0,
        anchor: Anchor::Middle,
        ink: Ink::Muted,
        ..Type::default()
    };
    if let Some(at) = layout.zero {
        d.text(at, y, "> 0", style);
    }
    if let Some(at) = layout.ceiling {
        d.text(at, y, "< NC", style);
    }
    if let Some(at) = layout.triangle {
        let style = Type {
            anchor: Anchor::Start,
            ..style
        };
        d.text(at, y, "pairs", style);
    }
}

/// A filled dot, an open ring, or a dash.
fn verdict(d: &mut Draw, at: (f64, f64), p: Option<f64>, alpha: f64) {
    match p {
        Some(p) if p < alpha => d.dot(at, 3.0, Ink::Text, 1.0, &view::p_clause(p)),
        Some(_) => d.ring(at, 2.6, Ink::Axis, 0.9),
        None => d.line((at.0 - 2.5, at.1), (at.0 + 2.5, at.1), Ink::Axis, 0.9),
    }
}

/// Verdicts on the differences: row against column, letters on the diagonal.
fn triangle(
    d: &mut Draw,
    rsa: &RsaRecord,
    target: &RsaTarget,
    (layout, left): (&Layout, f64),
    rows: &[usize],
) {
    let letter = Type {
        size: 9.0,
        anchor: Anchor::Middle,
        ink: Ink::Muted,
        ..Type::default()
    };
    for (row, &a) in rows.iter().enumerate() {
        let y = layout.middle(row);
        let centre = |column: usize| left + (column as f64 + 0.5) * CELL;
        for (column, &b) in rows[..row].iter().enumerate() {
            let p = scores::p_difference(target, a, b);
            verdict(d, (centre(column), y), p, rsa.settings.alpha);
        }
        let name = char::from(b'a' + (row % 26) as u8).to_string();
        d.text(centre(row), y + 3.2, &name, letter);
    }
}
