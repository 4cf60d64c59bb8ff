//! Scores along the layers of each model, one panel for each target.

use consilience_core::{RsaRecord, RsaTarget};

use super::{best_line, scores};
use crate::{
    figures::{CEILING_OPACITY, Flow, Heading, KeyEntry, Mark, Panel, Plate, common_top},
    palette::Ink,
    scale::Scale,
    svg::{Anchor, Draw, Type},
    text, view,
};

const WIDTH: f64 = 490.0;
const PLOT_HEIGHT: f64 = 190.0;
const RIGHT: f64 = 8.0;
const LABEL_SIZE: f64 = 9.0;
/// Longest layer name below the axis.
const LABEL_LIMIT: f64 = 152.0;
/// Layer names lean by this angle, in degrees.
const LEAN: f64 = 60.0;
/// Least distance between two layer names along the axis.
const LABEL_STEP: f64 = 13.0;
/// Height of the strip that holds the significance marks.
const STRIP: f64 = 12.0;

pub(super) fn plate(analysis: &str, rsa: &RsaRecord) -> Plate {
    let panels: Vec<Panel> = if rsa.predictors.is_empty() {
        Vec::new()
    } else {
        let headings: Vec<Heading> = rsa
            .targets
            .iter()
            .map(|t| Heading::new(&t.name, &best_line(rsa, t), WIDTH))
            .collect();
        let top = common_top(&headings) + 14.0;
        rsa.targets
            .iter()
            .zip(&headings)
            .map(|(target, heading)| panel(rsa, target, heading, top))
            .collect()
    };
    let max_columns = if panels.len() > 4 { 3 } else { 2 };
    Plate {
        name: format!("{analysis}-layers"),
        title: "Agreement along the layers".into(),
        caption: caption(rsa),
        panels,
        key: key(rsa),
        definitions: String::new(),
        flow: Flow::Columns,
        max_columns,
    }
}

fn caption(rsa: &RsaRecord) -> String {
    let mut out = format!(
        "Agreement ({}) of each layer’s RDM with each target, layers from input to output.",
        scores::similarity_label(&rsa.settings)
    );
    match scores::spread_name(rsa) {
        Some(name) => out.push_str(&format!(" Shaded along the curve: {name}.")),
        None => out.push_str(" No interval was estimated."),
    }
    if rsa.targets.iter().any(|t| t.ceiling.is_some()) {
        out.push_str(" Grey band: noise ceiling, lower to upper bound.");
    }
    out.push_str(" Ring: best layer.");
    if let Some(source) = scores::p_zero_source(rsa) {
        out.push_str(&format!(
            " Dots below the curve: layers above zero at p < {} ({source}).",
            rsa.settings.alpha
        ));
    }
    out
}

fn key(rsa: &RsaRecord) -> Vec<KeyEntry> {
    let models = scores::models(rsa);
    let mut key = Vec::new();
    if models.len() > 1 {
        key.extend(
            models
                .iter()
                .enumerate()
                .map(|(idx, name)| KeyEntry::new(Mark::Swatch, Ink::Series(idx), *name)),
        );
    }
    if rsa.targets.iter().any(|t| t.ceiling.is_some()) {
        key.push(KeyEntry::new(Mark::Band, Ink::Ceiling, "noise ceiling"));
    }
    key.push(KeyEntry::new(Mark::Ring, Ink::Accent, "best layer"));
    if let Some(source) = scores::p_zero_source(rsa) {
        let significance = format!("p < {}, {source}", rsa.settings.alpha);
        key.push(KeyEntry::new(Mark::Dot, Ink::Muted, significance));
    }
    key
}

/// One layer in the plot.
struct Point<'a> {
    x: f64,
    series: usize,
    label: &'a str,
}

fn panel(rsa: &RsaRecord, target: &RsaTarget, heading: &Heading, top: f64) -> Panel {
    let mut d = Draw::default();
    heading.draw(&mut d);
    let bottom = top + PLOT_HEIGHT;

    let names: Vec<&str> = rsa.predictors.iter().map(|p| p.layer.as_str()).collect();
    let labels = text::fit_all(&names, LABEL_SIZE, LABEL_LIMIT);
    let longest = labels
        .iter()
        .fold(0.0_f64, |w, label| w.max(text::width(label, LABEL_SIZE)));
    let (sin, cos) = LEAN.to_radians().sin_cos();
    let left = (longest * cos + 8.0).max(40.0);
    let points = positions(rsa, &labels, left);

    let spans = target.scores.iter().filter_map(|s| s.estimate.as_ref());
    let values = spans
        .flat_map(|e| {
            let (low, high) = scores::spread(e).unwrap_or((e.value, e.value));
            [e.value, low, high]
        })
        .chain(target.ceiling.iter().flat_map(|c| [c.lower, c.upper]));
    let y = Scale::around_zero(values, (bottom, top));

    if let Some(c) = target
        .ceiling
        .filter(|c| c.lower.is_finite() && c.upper.is_finite())
    {
        let (high, low) = (y.at(c.upper), y.at(c.lower));
        d.rect(
            (left, high),
            (WIDTH - RIGHT - left, (low - high).max(1.0)),
            Ink::Ceiling,
            CEILING_OPACITY,
        );
    }
    axis(
        &mut d,
        &y,
        left,
        &scores::similarity_label(&rsa.settings),
        top,
    );
    curves(&mut d, rsa, target, &points, &y);
    marks(&mut d, rsa, target, &points, bottom);
    layer_names(&mut d, target, &points, bottom + STRIP + 4.0);

    let height = bottom + STRIP + 14.0 + longest * sin + 4.0;
    Panel {
        alt: format!(
            "Curve of {} of {} against {}; {}.",
            scores::similarity_label(&rsa.settings),
            view::plural(rsa.predictors.len(), "layer"),
            target.name,
            best_line(rsa, target)
        ),
        size: (WIDTH, height),
        body: d.into_string(),
    }
}

/// Layers at equal steps, with a wider step between two models.
fn positions<'a>(rsa: &RsaRecord, labels: &'a [String], left: f64) -> Vec<Point<'a>> {
    let models = scores::models(rsa);
    let mut at = 0.0;
    let mut steps: Vec<(f64, usize, &str)> = Vec::with_capacity(labels.len());
    for (idx, p) in rsa.predictors.iter().enumerate() {
        if idx > 0 {
            let same = rsa.predictors[idx - 1].model == p.model;
            at += if same { 1.0 } else { 2.0 };
        }
        let series = models.iter().position(|m| *m == p.model).unwrap_or(0);
        steps.push((at, series, &labels[idx]));
    }
    let x = Scale::new((-0.5, at + 0.5), (left, WIDTH - RIGHT));
    steps
        .into_iter()
        .map(|(at, series, label)| Point {
            x: x.at(at),
            series,
            label,
        })
        .collect()
}

fn axis(d: &mut Draw, y: &Scale, left: f64, label: &str, top: f64) {
    let small = Type {
        ink: Ink::Muted,
        ..Type::default()
    };
    d.text(left - 30.0, top - 7.0, label, small);
    for (value, label) in y.ticks(7) {
        let at = y.at(value);
        d.line((left, at), (WIDTH - RIGHT, at), Ink::Grid, 0.7);
        let style = Type {
            anchor: Anchor::End,
            ..small
        };
        d.text(left - 6.0, at + 3.4, &label, style);
    }
    d.line(
        (left, y.at(0.0)),
        (WIDTH - RIGHT, y.at(0.0)),
        Ink::Axis,
        1.0,
    );
}

fn curves(d: &mut Draw, rsa: &RsaRecord, target: &RsaTarget, points: &[Point<'_>], y: &Scale) {
    let step = match points {
        [a, b, ..] => b.x - a.x,
        _ => 20.0,
    };
    let radius = (step / 3.0).clamp(0.9, 2.4);
    for run in runs(target, points) {
        let ink = Ink::Series(points[run[0]].series);
        let spread: Vec<(f64, (f64, f64))> = run
            .iter()
            .filter_map(|&i| {
                let e = scores::estimate(target, i)?;
                Some((points[i].x, scores::spread(e)?))
            })
            .collect();
        match spread.as_slice() {
            [] => {}
            [(x, (low, high))] => d.line((*x, y.at(*low)), (*x, y.at(*high)), ink, 1.0),
            _ => {
                let upper = spread.iter().map(|&(x, (_, high))| (x, y.at(high)));
                let lower = spread.iter().rev().map(|&(x, (low, _))| (x, y.at(low)));
                let outline: Vec<_> = upper.chain(lower).collect();
                d.polygon(&outline, ink, 0.22);
            }
        }
        let line: Vec<_> = run
            .iter()
            .filter_map(|&i| Some((points[i].x, y.at(scores::estimate(target, i)?.value))))
            .collect();
        if line.len() > 1 {
            d.polyline(&line, ink, 1.6);
        }
        for (&i, &at) in run.iter().zip(&line) {
            let value = scores::estimate(target, i).map_or(f64::NAN, |e| e.value);
            let tip = format!(
                "{}: {}",
                scores::predictor_name(rsa, i),
                view::score3(value)
            );
            d.dot(at, radius, ink, 1.0, &tip);
        }
    }
    if let Some((idx, e)) = target
        .best
        .and_then(|idx| scores::estimate(target, idx).map(|e| (idx, e)))
    {
        d.ring((points[idx].x, y.at(e.value)), 4.6, Ink::Accent, 1.6);
    }
}

/// Neighbouring layers of one model that have a score.
fn runs(target: &RsaTarget, points: &[Point<'_>]) -> Vec<Vec<usize>> {
    let mut runs: Vec<Vec<usize>> = Vec::new();
    for idx in (0..points.len()).filter(|&i| scores::estimate(target, i).is_some()) {
        match runs.last_mut() {
            Some(run)
                if run.last() == Some(&(idx.wrapping_sub(1)))
                    && points[idx - 1].series == points[idx].series =>
            {
                run.push(idx);
            }
            _ => runs.push(vec![idx]),
        }
    }
    runs
}

fn marks(d: &mut Draw, rsa: &RsaRecord, target: &RsaTarget, points: &[Point<'_>], bottom: f64) {
    for (idx, point) in points.iter().enumerate() {
        let p = scores::estimate(target, idx).and_then(scores::p_zero);
        if let Some(p) = p.filter(|&p| p < rsa.settings.alpha) {
            let tip = format!(
                "{}: {}",
                scores::predictor_name(rsa, idx),
                view::p_clause(p)
            );
            d.dot(
                (point.x, bottom + STRIP / 2.0 + 1.0),
                1.7,
                Ink::Series(point.series),
                1.0,
                &tip,
            );
        }
    }
}

/// As many layer names as there is room for, the best one always among them.
fn layer_names(d: &mut Draw, target: &RsaTarget, points: &[Point<'_>], top: f64) {
    let mut kept: Vec<usize> = Vec::new();
    let first = target
        .best
        .filter(|&best| scores::estimate(target, best).is_some());
    for idx in first.into_iter().chain(0..points.len()) {
        let free = |other: &usize| (points[*other].x - points[idx].x).abs() >= LABEL_STEP;
        if kept.iter().all(free) {
            kept.push(idx);
        }
    }
    kept.sort_unstable();
    for idx in kept {
        let point = &points[idx];
        let best = first == Some(idx);
        d.line((point.x, top - 3.0), (point.x, top + 1.0), Ink::Axis, 0.8);
        let style = Type {
            size: LABEL_SIZE,
            anchor: Anchor::End,
            ink: if best { Ink::Accent } else { Ink::Muted },
            rotate: -LEAN,
            ..Type::default()
        };
        d.text(point.x + 3.0, top + 9.0, point.label, style);
    }
}
