//! Differences with their intervals below each other.

use consilience_core::RatingDifference;

use super::scores;
use crate::{
    figures::{Heading, Panel},
    palette::Ink,
    scale::Scale,
    svg::{Anchor, Draw, Type},
    text, view,
};

pub(super) const WIDTH: f64 = 470.0;
const STEP: f64 = 19.0;
const NAME_SIZE: f64 = 10.0;
/// Most that names may take of the width; they take what they need.
const NAME_LIMIT: f64 = 215.0;
const VALUE_WIDTH: f64 = 38.0;

/// Differences below one heading.
pub(super) struct Group<'a> {
    pub(super) title: String,
    pub(super) lines: Vec<(String, &'a RatingDifference)>,
}

/// `"first − second"`, each shortened so that both can be told.
pub(super) fn pair(first: &str, second: &str) -> String {
    const MINUS: &str = " − ";
    let limit = NAME_LIMIT - text::width(MINUS, NAME_SIZE);
    let (a, b) = (
        text::width(first, NAME_SIZE),
        text::width(second, NAME_SIZE),
    );
    // The shorter one leaves the other what it does not need.
    let half = limit / 2.0;
    let first = text::fit(first, NAME_SIZE, half.max(limit - b));
    let second = text::fit(second, NAME_SIZE, half.max(limit - a));
    format!("{first}{MINUS}{second}")
}

/// Ends of everything that is drawn, so that panels share an axis.
pub(super) fn extent<'a>(groups: impl Iterator<Item = &'a Group<'a>>) -> Vec<f64> {
    groups
        .flat_map(|g| g.lines.iter())
        .flat_map(|(_, d)| {
            let ends = d.interval.into_iter().flatten();
            d.difference.into_iter().chain(ends)
        })
        .filter(|v| v.is_finite())
        .collect()
}

/// Widest of the names that are drawn, and of the titles where these are drawn above their lines; at most the limit.
pub(super) fn name_width<'a>(groups: impl Iterator<Item = &'a Group<'a>>, titled: bool) -> f64 {
    let title = |group: &'a Group<'a>| titled.then_some(&group.title);
    groups
        .flat_map(|group| group.lines.iter().map(|(name, _)| name).chain(title(group)))
        .fold(0.0_f64, |w, name| w.max(text::width(name, NAME_SIZE)))
        .min(NAME_LIMIT)
}

pub(super) fn panel(
    groups: &[Group<'_>],
    (heading, top): (&Heading, f64),
    (values, names): (&[f64], f64),
    alpha: f64,
    label: &str,
) -> Panel {
    let mut d = Draw::default();
    heading.draw(&mut d);
    let left = names + 10.0;
    let right = WIDTH - VALUE_WIDTH;
    let x = Scale::around_zero(values.iter().copied(), (left, right));
    let titled = groups.len() > 1;
    let n_lines = groups.iter().map(|g| g.lines.len()).sum::<usize>();
    let n_titles = if titled { groups.len() } else { 0 };
    let bottom = top + (n_lines + n_titles) as f64 * STEP + 4.0;
    axis(&mut d, &x, (top, bottom), label);

    let mut y = top;
    let mut told = Vec::new();
    for group in groups {
        if titled {
            let style = Type {
                size: NAME_SIZE,
                ink: Ink::Muted,
                anchor: Anchor::End,
                ..Type::default()
            };
            let title = text::fit(&group.title, NAME_SIZE, left - 10.0);
            d.text(left - 10.0, y + STEP / 2.0 + 3.6, &title, style);
            y += STEP;
        }
        for (name, difference) in &group.lines {
            line(
                &mut d,
                &x,
                (left - 10.0, y + STEP / 2.0),
                name,
                difference,
                alpha,
            );
            if let Some(value) = view::finite(difference.difference) {
                told.push(format!("{name} {}", view::score(value)));
            }
            y += STEP;
        }
    }
    Panel {
        alt: format!("Differences with 95 % intervals: {}.", view::listed(&told)),
        size: (WIDTH, bottom + 34.0),
        body: d.into_string(),
    }
}

fn axis(d: &mut Draw, x: &Scale, (top, bottom): (f64, f64), label: &str) {
    let small = Type {
        ink: Ink::Muted,
        anchor: Anchor::Middle,
        size: 9.0,
        ..Type::default()
    };
    let ticks = x.ticks(5);
    for (value, text) in &ticks {
        let at = x.at(*value);
        d.line((at, top), (at, bottom), Ink::Grid, 0.7);
        d.text(at, bottom + 12.0, text, small);
    }
    d.line((x.at(0.0), top), (x.at(0.0), bottom), Ink::Axis, 1.0);
    let ends = ticks.first().zip(ticks.last());
    if let Some((first, last)) = ends {
        d.text(x.at((first.0 + last.0) / 2.0), bottom + 26.0, label, small);
    }
}

fn line(
    d: &mut Draw,
    x: &Scale,
    (names, y): (f64, f64),
    name: &str,
    difference: &RatingDifference,
    alpha: f64,
) {
    let style = Type {
        size: NAME_SIZE,
        anchor: Anchor::End,
        ..Type::default()
    };
    d.text(
        names,
        y + 3.6,
        &text::fit(name, NAME_SIZE, NAME_LIMIT),
        style,
    );
    let Some(value) = view::finite(difference.difference) else {
        let style = Type {
            ink: Ink::Muted,
            ..style
        };
        d.text(WIDTH, y + 3.6, "–", style);
        return;
    };
    let p = scores::p_difference(difference);
    let significant = p.is_some_and(|p| p < alpha);
    let ink = if significant { Ink::Text } else { Ink::Axis };
    let ends = difference
        .interval
        .filter(|ends| ends.iter().all(|e| e.is_finite()));
    if let Some([low, high]) = ends {
        let width = if significant { 1.6 } else { 1.1 };
        d.line((x.at(low), y), (x.at(high), y), ink, width);
    }
    let tip = p.map_or_else(
        || name.to_owned(),
        |p| format!("{name}: {}", view::p_clause(p)),
    );
    if significant {
        d.dot((x.at(value), y), 3.6, ink, 1.0, &tip);
    } else {
        d.disc((x.at(value), y), 3.2, Ink::Paper, ink, &tip);
    }
    let style = Type {
        bold: significant,
        ..style
    };
    d.text(WIDTH, y + 3.6, &view::score(value), style);
}
