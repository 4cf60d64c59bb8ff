//! Axes with curves, bands and labels, as kinds of analyses share them.

use crate::{
    palette::Ink,
    scale::{Scale, signed},
    svg::{Anchor, Dash, Draw, Type},
    text, view,
};

/// Size of letters at axes and curves.
pub(crate) const SMALL: f64 = 9.0;

/// Largest size of a number that is drawn; what is larger is an error of a record, and no axis would show the rest.
const LIMIT: f64 = 1e9;

/// A number that can be drawn.
pub(crate) fn shown(value: Option<f64>) -> Option<f64> {
    view::finite(value).filter(|v| v.abs() < LIMIT)
}

/// The ends of some numbers with a little air; 0…1 without any.
pub(crate) fn extent(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let ends = values
        .filter_map(|v| shown(Some(v)))
        .fold(None, |ends, v| match ends {
            None => Some((v, v)),
            Some((low, high)) => Some((v.min(low), v.max(high))),
        });
    match ends {
        None => (0.0, 1.0),
        Some((low, high)) if high - low < 1e-9 => (low - 0.5, high + 0.5),
        Some((low, high)) => {
            let air = 0.05 * (high - low);
            (low - air, high + air)
        }
    }
}

/// The same, with 0 always inside and no air beyond it.
pub(crate) fn extent_from_zero(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let values: Vec<f64> = values.filter_map(|v| shown(Some(v))).collect();
    if values.is_empty() {
        return (0.0, 1.0);
    }
    let (low, high) = extent(values.iter().copied().chain([0.0]));
    let any = |side: fn(&f64) -> bool| values.iter().any(side);
    let low = if any(|v| *v < 0.0) { low } else { 0.0 };
    let high = if any(|v| *v > 0.0) { high } else { 0.0 };
    if high > low { (low, high) } else { (0.0, 1.0) }
}

/// A field with two axes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plot {
    pub(crate) x: Scale,
    pub(crate) y: Scale,
    pub(crate) left: f64,
    pub(crate) right: f64,
    pub(crate) top: f64,
    pub(crate) bottom: f64,
}

impl Plot {
    /// A field between left and right and between top and bottom.
    pub(crate) fn new(
        x: (f64, f64),
        y: (f64, f64),
        (left, right): (f64, f64),
        (top, bottom): (f64, f64),
    ) -> Self {
        Self {
            x: Scale::new(x, (left, right)),
            y: Scale::new(y, (bottom, top)),
            left,
            right,
            top,
            bottom,
        }
    }

    /// Where a point is; values outside the field at its edge.
    pub(crate) fn at(&self, x: f64, y: f64) -> (f64, f64) {
        (
            self.x.at(x).clamp(self.left, self.right),
            self.y.at(y).clamp(self.top, self.bottom),
        )
    }

    /// Lines across the field with their numbers, and what they are above them.
    pub(crate) fn y_axis(&self, d: &mut Draw, n: usize, label: &str) {
        let style = muted(Anchor::End);
        for (value, label) in self.y.ticks(n) {
            let y = self.y.at(value);
            d.line((self.left, y), (self.right, y), Ink::Grid, 0.7);
            d.text(self.left - 5.0, y + 3.2, &label, style);
        }
        d.text(1.0, self.top - 7.0, label, muted(Anchor::Start));
    }

    /// The line below the field with numbers, and what they are below them.
    pub(crate) fn x_axis(&self, d: &mut Draw, ticks: &[(f64, String)], label: &str) {
        d.line(
            (self.left, self.bottom),
            (self.right, self.bottom),
            Ink::Axis,
            1.0,
        );
        for (value, label) in ticks {
            let x = self.x.at(*value);
            d.line((x, self.bottom), (x, self.bottom + 3.0), Ink::Axis, 0.8);
            d.text(x, self.bottom + 13.0, label, muted(Anchor::Middle));
        }
        d.text(
            (self.left + self.right) / 2.0,
            self.bottom + 26.0,
            label,
            muted(Anchor::Middle),
        );
    }

    /// A level across the field.
    pub(crate) fn level(&self, d: &mut Draw, y: f64, ink: Ink, width: f64, dash: Dash) {
        let y = self.y.at(y);
        if (self.top..=self.bottom).contains(&y) {
            d.dashes(&[(self.left, y), (self.right, y)], ink, width, dash);
        }
    }

    /// A curve that breaks off where a value is missing; single points become dots.
    pub(crate) fn curve(&self, d: &mut Draw, points: &[(f64, Option<f64>)], style: Stroke) {
        let value = |&(x, y): &(f64, Option<f64>)| Some((shown(Some(x))?, shown(y)?));
        for run in points.chunk_by(|a, b| value(a).is_some() == value(b).is_some()) {
            let line: Vec<(f64, f64)> = run
                .iter()
                .filter_map(value)
                .map(|(x, y)| self.at(x, y))
                .collect();
            match line.as_slice() {
                [] => {}
                [only] => d.dot(*only, style.width + 0.6, style.ink, 1.0, ""),
                _ => d.dashes(&line, style.ink, style.width, style.dash),
            }
        }
    }

    /// What lies between two curves, broken off where either is missing.
    pub(crate) fn band(
        &self,
        d: &mut Draw,
        points: &[(f64, Option<(f64, f64)>)],
        ink: Ink,
        opacity: f64,
    ) {
        let value = |&(x, ends): &(f64, Option<(f64, f64)>)| {
            let (low, high) = ends?;
            Some((shown(Some(x))?, shown(Some(low))?, shown(Some(high))?))
        };
        for run in points.chunk_by(|a, b| value(a).is_some() == value(b).is_some()) {
            let run: Vec<_> = run.iter().filter_map(value).collect();
            if let [(x, low, high)] = run.as_slice() {
                d.line(self.at(*x, *low), self.at(*x, *high), ink, 1.0);
                continue;
            }
            let upper = run.iter().map(|&(x, _, high)| self.at(x, high));
            let lower = run.iter().rev().map(|&(x, low, _)| self.at(x, low));
            let outline: Vec<_> = upper.chain(lower).collect();
            if !outline.is_empty() {
                d.polygon(&outline, ink, opacity);
            }
        }
    }

    /// An upright line with ends, around a value.
    pub(crate) fn whisker(&self, d: &mut Draw, x: f64, (low, high): (f64, f64), ink: Ink) {
        let (Some(low), Some(high)) = (shown(Some(low)), shown(Some(high))) else {
            return;
        };
        let at = |y: f64| self.y.at(y).clamp(self.top, self.bottom);
        let (low, high) = (at(low), at(high));
        d.line((x, low), (x, high), ink, 1.0);
        for y in [low, high] {
            d.line((x - 2.5, y), (x + 2.5, y), ink, 1.0);
        }
    }
}

/// How a curve is drawn.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stroke {
    pub(crate) ink: Ink,
    pub(crate) width: f64,
    pub(crate) dash: Dash,
}

/// Muted letters beside axes.
pub(crate) fn muted(anchor: Anchor) -> Type {
    Type {
        size: SMALL,
        ink: Ink::Muted,
        anchor,
        ..Type::default()
    }
}

/// Whole numbers on a scale, about `n` of them.
pub(crate) fn whole_ticks(scale: &Scale, n: usize) -> Vec<(f64, String)> {
    let ticks = scale.ticks(n).into_iter().map(|(value, _)| value);
    ticks
        .filter(|v| (v - v.round()).abs() < 1e-9)
        .map(|v| (v, signed(&format!("{v:.0}"))))
        .collect()
}

/// Corners of a square that stands on one of them.
pub(crate) fn diamond((x, y): (f64, f64), r: f64) -> [(f64, f64); 4] {
    [(x, y - r), (x + r, y), (x, y + r), (x - r, y)]
}

/// A name beside the end of a curve.
pub(crate) struct EndLabel {
    /// Where the curve ends.
    pub(crate) y: f64,
    pub(crate) text: String,
    pub(crate) ink: Ink,
    pub(crate) dash: Dash,
}

/// Least distance of two names.
const LINE: f64 = 11.0;
/// Length of the sample of a line beside its name.
const SAMPLE: f64 = 16.0;

/// Height that names of curves need.
pub(crate) fn labels_height(n: usize) -> f64 {
    n as f64 * LINE
}

/// Width of names of curves with their samples.
pub(crate) fn labels_width(names: &[String]) -> f64 {
    let widest = names
        .iter()
        .fold(0.0_f64, |w, name| w.max(text::width(name, SMALL)));
    widest + SAMPLE + 10.0
}

/// Writes names to the right of a field, each near the end of its curve and none over another.
pub(crate) fn end_labels(d: &mut Draw, plot: &Plot, mut labels: Vec<EndLabel>) {
    labels.sort_by(|a, b| a.y.total_cmp(&b.y));
    let mut places: Vec<f64> = Vec::with_capacity(labels.len());
    for label in &labels {
        let least = places.last().map_or(plot.top, |last| last + LINE);
        places.push(label.y.max(least));
    }
    // What runs out below moves up again.
    let mut most = plot.bottom;
    for place in places.iter_mut().rev() {
        *place = place.min(most);
        most = *place - LINE;
    }
    for (label, place) in labels.iter().zip(places) {
        let x = plot.right + 5.0;
        d.dashes(
            &[(x, place), (x + SAMPLE, place)],
            label.ink,
            1.6,
            label.dash,
        );
        let style = Type {
            size: SMALL,
            ..Type::default()
        };
        d.text(x + SAMPLE + 4.0, place + 3.2, &label.text, style);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extents_hold_what_can_be_drawn() {
        assert_eq!(extent([].into_iter()), (0.0, 1.0));
        assert_eq!(extent([2.0, f64::NAN, 1e300].into_iter()), (1.5, 2.5));
        assert_eq!(extent_from_zero([2.0].into_iter()).0, 0.0);
        assert_eq!(extent_from_zero([0.0].into_iter()), (0.0, 1.0));
        let (low, high) = extent_from_zero([-2.0, -1.0].into_iter());
        assert!(low < -2.0 && high == 0.0);
    }

    #[test]
    fn names_of_curves_keep_their_distance_and_stay_inside() {
        let plot = Plot::new((0.0, 1.0), (0.0, 1.0), (0.0, 100.0), (10.0, 110.0));
        let label = |y| EndLabel {
            y,
            text: "x".into(),
            ink: Ink::Text,
            dash: Dash::Solid,
        };
        let mut d = Draw::default();
        end_labels(&mut d, &plot, [108.0, 107.0, 10.0, 11.0].map(label).into());
        let text = d.into_string();
        let mut ys: Vec<f64> = text
            .split("<text")
            .skip(1)
            .map(|t| t.split(" y=\"").nth(1).unwrap())
            .map(|t| t.split('"').next().unwrap().parse().unwrap())
            .collect();
        ys.sort_by(f64::total_cmp);
        assert!(ys.windows(2).all(|w| w[1] - w[0] >= LINE - 0.01), "{ys:?}");
        assert!(ys[0] >= 10.0 && ys[3] <= 114.0, "{ys:?}");
    }

    #[test]
    fn curves_break_off_where_values_are_missing() {
        let plot = Plot::new((0.0, 4.0), (0.0, 1.0), (0.0, 100.0), (0.0, 100.0));
        let mut d = Draw::default();
        let values = [Some(0.1), Some(0.2), None, Some(0.5), Some(f64::NAN)];
        let points: Vec<_> = values
            .iter()
            .enumerate()
            .map(|(x, y)| (x as f64, *y))
            .collect();
        let style = Stroke {
            ink: Ink::Text,
            width: 1.0,
            dash: Dash::Solid,
        };
        plot.curve(&mut d, &points, style);
        let text = d.into_string();
        assert_eq!(text.matches("<polyline").count(), 1);
        assert_eq!(text.matches("<circle").count(), 1);
    }
}
