//! A panel of named curves, as trajectories and tuning curves share it.

use super::{AXIS, LEFT, WIDTH};
use crate::{
    figures::{
        Heading, Panel,
        plot::{EndLabel, Plot, SMALL, Stroke, end_labels, labels_height, labels_width, shown},
    },
    palette::Ink,
    svg::{Dash, Draw},
    text, view,
};

const HEIGHT: f64 = 190.0;
/// Widest name of a curve.
const NAME_LIMIT: f64 = 96.0;

/// A curve with its spread.
pub(super) struct Curve<'a> {
    pub(super) name: &'a str,
    pub(super) stroke: Stroke,
    pub(super) points: Vec<(f64, Option<f64>)>,
    /// Half the height of the band around each point.
    pub(super) spread: Vec<Option<f64>>,
}

impl Curve<'_> {
    fn band(&self) -> Vec<(f64, Option<(f64, f64)>)> {
        let around = self.points.iter().zip(&self.spread);
        around
            .map(|(&(x, y), spread)| {
                let half = view::finite(*spread);
                (x, y.zip(half).map(|(y, half)| (y - half, y + half)))
            })
            .collect()
    }

    /// Every value with its band, for the extent of an axis.
    pub(super) fn values(&self) -> impl Iterator<Item = f64> {
        let ends = self.band().into_iter().filter_map(|(_, ends)| ends);
        let middles = self.points.iter().filter_map(|(_, y)| *y);
        middles
            .chain(ends.flat_map(|(low, high)| [low, high]))
            .collect::<Vec<_>>()
            .into_iter()
    }

    fn last(&self) -> Option<f64> {
        self.points.iter().rev().find_map(|&(_, y)| shown(y))
    }
}

/// What stands below a field.
pub(super) enum Across<'a> {
    /// Numbers.
    Numbers {
        ends: (f64, f64),
        ticks: fn(&crate::scale::Scale) -> Vec<(f64, String)>,
        label: &'a str,
    },
    /// Names at 0, 1, 2 …, one of which may be marked.
    Names {
        names: &'a [&'a str],
        marked: Option<usize>,
        label: &'a str,
    },
}

/// Curves over one extent of values, names at their ends.
pub(super) fn panel(
    (heading, top): (&Heading, f64),
    across: &Across<'_>,
    (y, y_label): ((f64, f64), &str),
    curves: &[Curve<'_>],
    alt: String,
) -> Panel {
    let mut d = Draw::default();
    heading.draw(&mut d);
    let names: Vec<&str> = curves.iter().map(|c| c.name).collect();
    let names = text::fit_all(&names, SMALL, NAME_LIMIT);
    let ends = match across {
        Across::Numbers { ends, .. } => *ends,
        Across::Names { names, .. } => (-0.5, names.len() as f64 - 0.5),
    };
    let right = WIDTH - labels_width(&names);
    let height = HEIGHT.max(labels_height(curves.len()));
    let plot = Plot::new(ends, y, (LEFT, right), (top, top + height));
    if let Across::Names {
        marked: Some(marked),
        ..
    } = across
    {
        let edge = |at: f64| plot.x.at(*marked as f64 + at);
        let size = (edge(0.5) - edge(-0.5), height);
        d.rect((edge(-0.5), top), size, Ink::Grid, 1.0);
    }
    plot.y_axis(&mut d, 6, y_label);
    match across {
        Across::Numbers { ticks, label, .. } => plot.x_axis(&mut d, &ticks(&plot.x), label),
        Across::Names { names, label, .. } => {
            let slot = plot.x.at(1.0) - plot.x.at(0.0) - 2.0;
            let fitted = names.iter().map(|name| text::fit(name, SMALL, slot));
            let ticks: Vec<(f64, String)> = fitted
                .enumerate()
                .map(|(k, name)| (k as f64, name))
                .collect();
            plot.x_axis(&mut d, &ticks, label);
        }
    }
    plot.level(&mut d, 0.0, Ink::Axis, 0.8, Dash::Solid);
    for curve in curves {
        plot.band(&mut d, &curve.band(), curve.stroke.ink, 0.16);
    }
    for curve in curves {
        plot.curve(&mut d, &curve.points, curve.stroke);
    }
    let labels = curves.iter().zip(names).filter_map(|(curve, text)| {
        Some(EndLabel {
            y: plot.at(0.0, curve.last()?).1,
            text,
            ink: curve.stroke.ink,
            dash: curve.stroke.dash,
        })
    });
    end_labels(&mut d, &plot, labels.collect());
    Panel {
        alt,
        size: (WIDTH, top + height + AXIS),
        body: d.into_string(),
    }
}
