//! Brackets beside rows that differ significantly.

use consilience_core::EmotionRecord;

use super::scores;
use crate::{
    palette::Ink,
    svg::{Draw, Type},
    view,
};

/// A significant difference between two rows.
pub(super) struct Bracket {
    ends: (f64, f64),
    stars: &'static str,
    /// How many brackets stand between it and the rows.
    pub(super) lane: usize,
}

impl Bracket {
    pub(super) fn draw(&self, d: &mut Draw, x: f64) {
        let (from, to) = self.ends;
        for y in [from, to] {
            d.line((x, y), (x + 4.0, y), Ink::Text, 0.9);
        }
        d.line((x + 4.0, from), (x + 4.0, to), Ink::Text, 0.9);
        let style = Type {
            size: 10.0,
            ..Type::default()
        };
        d.text(x + 6.0, (from + to) / 2.0 + 5.0, self.stars, style);
    }
}

/// Short ones near the rows, none over another.
pub(super) fn brackets(emotion: &EmotionRecord, measure: &str, rows: &[f64]) -> Vec<Bracket> {
    let mut found: Vec<Bracket> = emotion
        .comparisons
        .iter()
        .filter(|c| c.measure == measure && scores::is_significant(emotion, c))
        .filter_map(|c| {
            let (a, b) = (*rows.get(c.a)?, *rows.get(c.b)?);
            Some(Bracket {
                // A little shorter, so that brackets that share a row can stand below each other.
                ends: (a.min(b) + 3.0, a.max(b) - 3.0),
                stars: view::stars(scores::p_difference(c)),
                lane: 0,
            })
        })
        .collect();
    let length = |b: &Bracket| b.ends.1 - b.ends.0;
    found.sort_by(|a, b| length(a).total_cmp(&length(b)));
    let mut lanes: Vec<Vec<(f64, f64)>> = Vec::new();
    for bracket in &mut found {
        let (from, to) = bracket.ends;
        let free = |lane: &Vec<(f64, f64)>| lane.iter().all(|l| to + 1.0 < l.0 || from > l.1 + 1.0);
        bracket.lane = lanes.iter().position(free).unwrap_or(lanes.len());
        match lanes.get_mut(bracket.lane) {
            Some(lane) => lane.push(bracket.ends),
            None => lanes.push(vec![bracket.ends]),
        }
    }
    found
}
