//! Rows of marks along one axis, such as a row for each connection.

use super::{AXIS, WIDTH};
use crate::{
    figures::{
        Heading, Panel,
        plot::{Plot, extent_from_zero, muted, shown},
    },
    palette::Ink,
    svg::{Anchor, Dash, Draw, Type},
    text, view,
};

const STEP: f64 = 18.0;
const NAME_LIMIT: f64 = 130.0;
/// Room for a number at the end of a row.
const VALUE_WIDTH: f64 = 36.0;

/// How a value is marked.
#[derive(Clone, Copy)]
pub(super) enum Shape {
    Dot,
    Ring,
    Up,
    Down,
    Tick,
}

/// A value in a row.
pub(super) struct Marked {
    pub(super) value: Option<f64>,
    /// Half of what is shown around it.
    pub(super) spread: Option<f64>,
    pub(super) shape: Shape,
    pub(super) ink: Ink,
    /// Whether a triangle is filled.
    pub(super) is_filled: bool,
    /// What it is, for its tip.
    pub(super) what: String,
}

/// A row with its name, its marks, and the number that stands at its end.
pub(super) struct Line {
    pub(super) name: String,
    pub(super) marks: Vec<Marked>,
    pub(super) end: Option<f64>,
}

/// The ends of an axis for all marks, with 0.
pub(super) fn ends<'a>(lines: impl Iterator<Item = &'a Line>, level: Option<f64>) -> (f64, f64) {
    let values = lines.flat_map(|line| &line.marks).flat_map(|mark| {
        let spread = shown(mark.spread).unwrap_or(0.0);
        let value = shown(mark.value).unwrap_or(f64::NAN);
        [value - spread, value + spread]
    });
    extent_from_zero(values.chain(level))
}

/// A panel of rows; `level` is a value to compare all with.
pub(super) fn panel(
    lines: &[Line],
    x: (f64, f64),
    (label, level): (&str, Option<f64>),
    (heading, top): (&Heading, f64),
    alt: String,
) -> Panel {
    let mut d = Draw::default();
    heading.draw(&mut d);
    let names: Vec<&str> = lines.iter().map(|line| line.name.as_str()).collect();
    let names = text::fit_all(&names, 10.0, NAME_LIMIT);
    let widest = names.iter().map(|name| text::width(name, 10.0));
    let left = widest.fold(20.0, f64::max) + 10.0;
    let bottom = top + STEP * lines.len() as f64;
    let plot = Plot::new(x, (0.0, 1.0), (left, WIDTH - VALUE_WIDTH), (top, bottom));
    for (value, label) in plot.x.ticks(5) {
        let x = plot.x.at(value);
        d.line((x, top), (x, bottom), Ink::Grid, 0.7);
        d.text(x, bottom + 13.0, &label, muted(Anchor::Middle));
    }
    d.text(
        (plot.left + plot.right) / 2.0,
        bottom + 26.0,
        label,
        muted(Anchor::Middle),
    );
    let zero = plot.x.at(0.0);
    d.line((zero, top), (zero, bottom), Ink::Axis, 1.0);
    if let Some(level) = shown(level) {
        let x = plot.at(level, 0.0).0;
        d.dashes(&[(x, top), (x, bottom)], Ink::Text, 1.0, Dash::Long);
    }
    let end = Type {
        anchor: Anchor::End,
        ..Type::default()
    };
    for (idx, (line, name)) in lines.iter().zip(&names).enumerate() {
        let y = top + STEP * (idx as f64 + 0.5);
        d.text(left - 7.0, y + 3.5, name, end);
        for mark in &line.marks {
            draw(&mut d, &plot, y, mark, &line.name);
        }
        let number = shown(line.end).map_or_else(|| "–".to_owned(), view::score);
        d.text(WIDTH - 1.0, y + 3.5, &number, end);
    }
    Panel {
        alt,
        size: (WIDTH, bottom + AXIS),
        body: d.into_string(),
    }
}

fn draw(d: &mut Draw, plot: &Plot, y: f64, mark: &Marked, name: &str) {
    let Some(value) = shown(mark.value) else {
        return;
    };
    let x = plot.at(value, 0.0).0;
    if let Some(spread) = shown(mark.spread) {
        let [from, to] = [value - spread, value + spread].map(|v| plot.at(v, 0.0).0);
        d.line((from, y), (to, y), mark.ink, 1.2);
    }
    let tip = format!("{name}: {} {}", mark.what, view::score3(value));
    let triangle = |up: f64| {
        [
            (x, y - 4.5 * up),
            (x - 4.2, y + 3.5 * up),
            (x + 4.2, y + 3.5 * up),
        ]
    };
    let fill = if mark.is_filled { mark.ink } else { Ink::Paper };
    match mark.shape {
        Shape::Dot => d.dot((x, y), 3.2, mark.ink, 1.0, &tip),
        Shape::Ring => d.ring((x, y), 4.0, mark.ink, 1.5),
        Shape::Up => d.shape(&triangle(1.0), fill, mark.ink, &tip),
        Shape::Down => d.shape(&triangle(-1.0), fill, mark.ink, &tip),
        Shape::Tick => d.line((x, y - 5.0), (x, y + 5.0), mark.ink, 1.6),
    }
}
