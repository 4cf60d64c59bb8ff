//! Lines between the boxes of a diagram of nuclei.

use super::layout::{Edge, Lanes, Layout, Link};
use crate::{
    palette::Ink,
    svg::{Dash, Draw},
};

/// A box that has found its place.
#[derive(Clone, Copy)]
pub(super) struct Placed {
    pub(super) left: f64,
    pub(super) top: f64,
    pub(super) size: (f64, f64),
}

impl Placed {
    fn right(&self) -> f64 {
        self.left + self.size.0
    }

    pub(super) fn bottom(&self) -> f64 {
        self.top + self.size.1
    }

    pub(super) fn middle(&self) -> (f64, f64) {
        (self.left + self.size.0 / 2.0, self.top + self.size.1 / 2.0)
    }

    /// Place number `idx` of `n` along an edge.
    fn port(&self, idx: usize, n: usize) -> f64 {
        let step = (self.size.0 * 0.66 / n.max(1) as f64).min(26.0);
        self.middle().0 + step * (idx as f64 - (n as f64 - 1.0) / 2.0)
    }
}

/// A line with the x at which it passes each row between.
pub(super) struct Route<'a> {
    edge: &'a Edge,
    between: Vec<f64>,
}

/// Ways around boxes; the longest lines choose first.
pub(super) fn routes<'a>(layout: &'a Layout, places: &[Placed], width: f64) -> Vec<Route<'a>> {
    let row = |of: usize| layout.place(of).0;
    let mut edges: Vec<&Edge> = layout
        .edges
        .iter()
        .filter(|e| e.link != Link::Feedback)
        .collect();
    edges.sort_by_key(|e| row(e.from).abs_diff(row(e.to)));
    let mut lanes = Lanes::default();
    let route = |edge: &'a Edge| {
        let (from, to) = (row(edge.from), row(edge.to));
        let rows: Vec<Vec<(f64, f64)>> = layout.rows[from + 1..to]
            .iter()
            .map(|row| {
                row.iter()
                    .map(|&b| (places[b].left, places[b].right()))
                    .collect()
            })
            .collect();
        let x = (places[edge.from].middle().0, places[edge.to].middle().0);
        let between = lanes.pass(from + 1, &rows, x).into_iter();
        Route {
            edge,
            between: between.map(|x| x.clamp(3.0, width - 3.0)).collect(),
        }
    };
    edges.into_iter().map(route).collect()
}

/// A line from the lower edge of a box to the upper edge of a lower one.
pub(super) fn downwards(
    d: &mut Draw,
    route: &Route<'_>,
    all: &[Route<'_>],
    layout: &Layout,
    places: &[Placed],
) {
    let Edge { from, to, link } = *route.edge;
    // Lines at one edge stand in the order in which they come from the sides, so that none crosses another there.
    let port = |of: usize, is_source: bool| {
        let mut there: Vec<(f64, usize)> = all
            .iter()
            .enumerate()
            .filter(|(_, r)| {
                if is_source {
                    r.edge.from == of
                } else {
                    r.edge.to == of
                }
            })
            .map(|(idx, r)| {
                let far = if is_source { r.edge.to } else { r.edge.from };
                let near = if is_source {
                    r.between.first()
                } else {
                    r.between.last()
                };
                (near.copied().unwrap_or(places[far].middle().0), idx)
            })
            .collect();
        there.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        let mine = there
            .iter()
            .position(|(_, idx)| std::ptr::eq(&all[*idx], route));
        places[of].port(mine.unwrap_or(0), there.len())
    };
    let start = (port(from, true), places[from].bottom());
    let end = (port(to, false), places[to].top);
    let mut points = vec![start];
    let first_row = layout.place(from).0 + 1;
    for (k, &x) in route.between.iter().enumerate() {
        let row = layout.rows[first_row + k].first().map_or(0, |&b| b);
        points.push((x, places[row].top - 2.0));
        points.push((x, places[row].bottom() + 2.0));
    }
    let (ink, back) = match link {
        Link::Inhibits => (Ink::Down, 4.0),
        _ => (Ink::Text, 6.0),
    };
    points.push((end.0, end.1 - back));
    d.flow(&points, ink, 1.3, Dash::Solid);
    match link {
        Link::Inhibits => d.line(
            (end.0 - 6.0, end.1 - 4.0),
            (end.0 + 6.0, end.1 - 4.0),
            ink,
            2.6,
        ),
        _ => d.polygon(
            &[
                (end.0, end.1 - 0.5),
                (end.0 - 3.6, end.1 - 7.0),
                (end.0 + 3.6, end.1 - 7.0),
            ],
            ink,
            1.0,
        ),
    }
}

/// A dashed line: straight between neighbours, else around by the nearer side.
pub(super) fn feedback(
    d: &mut Draw,
    edge: &Edge,
    idx: usize,
    layout: &Layout,
    places: &[Placed],
    width: f64,
) {
    const INK: Ink = Ink::Series(3);
    let (from, to) = (&places[edge.from], &places[edge.to]);
    let (a, b) = (layout.place(edge.from), layout.place(edge.to));
    let head = |(x, y): (f64, f64), to_right: bool, d: &mut Draw| {
        let back = if to_right { -6.5 } else { 6.5 };
        d.polygon(
            &[(x, y), (x + back, y - 3.4), (x + back, y + 3.4)],
            INK,
            1.0,
        );
    };
    if a.0 == b.0 && a.1.abs_diff(b.1) == 1 {
        let to_right = a.1 < b.1;
        let y = from.middle().1 + if to_right { -7.0 } else { 7.0 };
        let ends = match to_right {
            true => ((from.right(), y), (to.left, y)),
            false => ((from.left, y), (to.right(), y)),
        };
        let back = if to_right { -6.0 } else { 6.0 };
        d.dashes(&[ends.0, (ends.1.0 + back, y)], INK, 1.3, Dash::Short);
        head(ends.1, to_right, d);
        return;
    }
    let by_right = from.middle().0 + to.middle().0 >= width;
    let side = |place: &Placed| if by_right { place.right() } else { place.left };
    let shift = if edge.from == edge.to { 10.0 } else { 0.0 };
    let start = (side(from), from.middle().1 + shift);
    let end = (side(to), to.middle().1 - shift);
    let reach = 10.0 + 5.0 * (idx % 4) as f64;
    let out = match by_right {
        true => start.0.max(end.0) + reach,
        false => start.0.min(end.0) - reach,
    };
    let back = if by_right { 6.0 } else { -6.0 };
    let (start_inner, end_inner) = (start, (end.0 + back, end.1));
    d.dashes(
        &[start_inner, (out, start.1), (out, end.1), end_inner],
        INK,
        1.3,
        Dash::Short,
    );
    head(end, !by_right, d);
}
