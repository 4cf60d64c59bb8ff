//! Diagrams of the nuclei: what reads, inhibits and feeds back to what.

use consilience_core::{EmotionModule, EmotionRecord};

use super::{
    layout::{Edge, Lanes, Layout, Link},
    scores,
};
use crate::{
    figures::{Flow, Heading, KeyEntry, Mark, Panel, Plate, common_top, plot::SMALL},
    palette::Ink,
    svg::{Anchor, Dash, Draw, Type},
    text, view,
};

const LEAST_WIDTH: f64 = 400.0;
const BOX: (f64, f64) = (124.0, 62.0);
/// Narrowest box.
const LEAST_BOX: f64 = 108.0;
const GAP: (f64, f64) = (30.0, 36.0);
/// Room at both sides for what goes around boxes.
const MARGIN: f64 = 34.0;
/// Most structures that are drawn.
const N_SHOWN: usize = 8;

pub(super) fn plate(analysis: &str, emotion: &EmotionRecord) -> Plate {
    let shown = modules(emotion);
    let layouts: Vec<Layout> = shown.iter().map(|m| Layout::new(m)).collect();
    let headings: Vec<Heading> = shown
        .iter()
        .zip(&layouts)
        .map(|(module, layout)| {
            let parameters = view::plural(module.n_parameters, "trainable parameter");
            let units: usize = module
                .nuclei
                .iter()
                .fold(0, |n, of| n.saturating_add(of.width));
            let subtitle = format!("{parameters}, {}", view::plural(units, "unit"));
            Heading::new(&title(emotion, module), &subtitle, width(layout))
        })
        .collect();
    let top = common_top(&headings) + 6.0;
    let panels: Vec<Panel> = shown
        .iter()
        .zip(&layouts)
        .zip(&headings)
        .map(|((module, layout), heading)| panel(emotion, module, layout, heading, top))
        .collect();
    let has = |link: Link| {
        layouts
            .iter()
            .flat_map(|l| &l.edges)
            .any(|e| e.link == link)
    };
    let mut caption =
        "What each nucleus reads, from the features of the frozen network down to the ratings."
            .to_owned();
    let mut key = vec![KeyEntry::new(
        Mark::Line(Dash::Solid),
        Ink::Text,
        "reads (arrow)",
    )];
    if has(Link::Inhibits) {
        caption.push_str(" Lines that end in a bar inhibit.");
        key.push(KeyEntry::new(
            Mark::Line(Dash::Solid),
            Ink::Down,
            "inhibits (bar)",
        ));
    }
    if has(Link::Feedback) {
        caption.push_str(" Dashed: what a nucleus gets of the step before.");
        key.push(KeyEntry::new(
            Mark::Line(Dash::Short),
            Ink::Series(3),
            "feedback",
        ));
    }
    let nuclei = || shown.iter().flat_map(|m| &m.nuclei);
    if nuclei().any(|n| view::finite(n.attention_entropy).is_some()) {
        caption.push_str(
            " Entropy: of attention, as a share of the largest (1: all tokens count alike).",
        );
    }
    if nuclei().any(scores::attends_to_one_token) {
        caption.push_str(
            " One token: attention is a linear map there; queries and keys have no effect.",
        );
    }
    Plate {
        name: format!("{analysis}-nuclei"),
        title: "Nuclei".into(),
        caption,
        flow: Flow::Natural,
        max_columns: 2,
        panels,
        key,
        definitions: String::new(),
    }
}

/// The main module, then one of each other structure, on the same encoder if there is one.
fn modules(emotion: &EmotionRecord) -> Vec<&EmotionModule> {
    let main = scores::main(emotion);
    let others = scores::structures(emotion)
        .into_iter()
        .filter_map(|structure| {
            let of = || emotion.modules.iter().filter(|m| m.structure == structure);
            let same = of().find(|m| m.encoder == main.encoder && m.layer == main.layer);
            same.or_else(|| of().next())
        });
    let others = others.filter(|m| m.structure != main.structure);
    [main].into_iter().chain(others).take(N_SHOWN).collect()
}

fn title(emotion: &EmotionRecord, module: &EmotionModule) -> String {
    match scores::structures(emotion).len() {
        1 => module.label(),
        _ => format!("Structure {}", module.structure),
    }
}

fn width(layout: &Layout) -> f64 {
    let most = layout.rows.iter().map(Vec::len).max().unwrap_or(1) as f64;
    (most * (LEAST_BOX + GAP.0) - GAP.0 + 2.0 * MARGIN).max(LEAST_WIDTH)
}

/// A box that has found its place.
#[derive(Clone, Copy)]
struct Placed {
    left: f64,
    top: f64,
    size: (f64, f64),
}

impl Placed {
    fn right(&self) -> f64 {
        self.left + self.size.0
    }

    fn bottom(&self) -> f64 {
        self.top + self.size.1
    }

    fn middle(&self) -> (f64, f64) {
        (self.left + self.size.0 / 2.0, self.top + self.size.1 / 2.0)
    }

    /// Place number `idx` of `n` along an edge.
    fn port(&self, idx: usize, n: usize) -> f64 {
        let step = (self.size.0 * 0.66 / n.max(1) as f64).min(26.0);
        self.middle().0 + step * (idx as f64 - (n as f64 - 1.0) / 2.0)
    }
}

fn places(layout: &Layout, width: f64, top: f64) -> Vec<Placed> {
    let n = layout.rows.iter().map(Vec::len).sum();
    let nothing = Placed {
        left: 0.0,
        top,
        size: BOX,
    };
    let mut places = vec![nothing; n];
    for (row, boxes) in layout.rows.iter().enumerate() {
        let n = boxes.len() as f64;
        let room = (width - 2.0 * MARGIN + GAP.0) / n.max(1.0) - GAP.0;
        // What the module reads and the ratings have names of any length.
        let widest = if boxes.len() == 1 && (row == 0 || row + 1 == layout.rows.len()) {
            220.0
        } else {
            BOX.0
        };
        let size = (room.min(widest), BOX.1);
        let all = n * (size.0 + GAP.0) - GAP.0;
        for (column, &of) in boxes.iter().enumerate() {
            places[of] = Placed {
                left: (width - all) / 2.0 + column as f64 * (size.0 + GAP.0),
                top: top + row as f64 * (BOX.1 + GAP.1),
                size,
            };
        }
    }
    places
}

/// A line with the x at which it passes each row between.
struct Route<'a> {
    edge: &'a Edge,
    between: Vec<f64>,
}

fn panel(
    emotion: &EmotionRecord,
    module: &EmotionModule,
    layout: &Layout,
    heading: &Heading,
    top: f64,
) -> Panel {
    let width = heading.width(width(layout));
    let mut d = Draw::default();
    heading.draw(&mut d);
    let places = places(layout, width, top);
    let routes = routes(layout, &places, width);
    for route in &routes {
        downwards(&mut d, route, &routes, layout, &places);
    }
    for (idx, edge) in layout
        .edges
        .iter()
        .filter(|e| e.link == Link::Feedback)
        .enumerate()
    {
        feedback(&mut d, edge, idx, layout, &places, width);
    }
    for (idx, place) in places.iter().enumerate() {
        let lines = lines(emotion, module, idx);
        draw_box(&mut d, place, &lines, idx == 0 || idx + 1 == places.len());
    }
    let bottom = places.iter().fold(top, |b, p| b.max(p.bottom()));
    let told = module.nuclei.iter().map(|n| {
        let mut out = format!(
            "{} ({}) reads {}",
            n.name,
            view::plural(n.width, "unit"),
            view::listed(&n.reads)
        );
        if !n.inhibited_by.is_empty() {
            out.push_str(&format!(
                " and is inhibited by {}",
                view::listed(&n.inhibited_by)
            ));
        }
        if !n.feedback.is_empty() {
            out.push_str(&format!(
                " with feedback from {}",
                view::listed(&n.feedback)
            ));
        }
        out
    });
    Panel {
        alt: format!(
            "Diagram of the nuclei of {}: {}; ratings are read out of {}.",
            module.label(),
            told.collect::<Vec<_>>().join("; "),
            module.read_out
        ),
        size: (width, bottom + 4.0),
        body: d.into_string(),
    }
}

/// Ways around boxes; the longest lines choose first.
fn routes<'a>(layout: &'a Layout, places: &[Placed], width: f64) -> Vec<Route<'a>> {
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

/// Name in bold, then what explains it.
fn lines(emotion: &EmotionRecord, module: &EmotionModule, idx: usize) -> Vec<String> {
    let Some(nucleus) = idx.checked_sub(1).and_then(|idx| module.nuclei.get(idx)) else {
        return match idx {
            0 => vec![
                module.encoder.clone(),
                module.layer.clone(),
                view::plural(module.n_features, "feature"),
            ],
            _ => {
                let names: Vec<&str> = emotion.ratings.iter().map(|r| r.name.as_str()).collect();
                vec![view::listed(&names), "ratings".to_owned()]
            }
        };
    };
    let mut lines = vec![
        nucleus.name.clone(),
        view::plural(nucleus.width, "unit"),
        nucleus
            .unit
            .replace("transformer and linear", "transformer, linear"),
    ];
    if let Some(entropy) = view::finite(nucleus.attention_entropy) {
        lines.push(format!("entropy {}", view::score(entropy)));
    } else if scores::attends_to_one_token(nucleus) {
        lines.push("one token".to_owned());
    }
    lines
}

fn draw_box(d: &mut Draw, place: &Placed, lines: &[String], is_end: bool) {
    d.rect((place.left, place.top), place.size, Ink::Paper, 1.0);
    let (ink, line) = if is_end {
        (Ink::Axis, 0.9)
    } else {
        (Ink::Text, 1.3)
    };
    d.frame((place.left, place.top), place.size, ink, line);
    let step = 13.0;
    let first = place.middle().1 - step * (lines.len() as f64 - 1.0) / 2.0 + 3.5;
    for (k, line) in lines.iter().enumerate() {
        // A name that is too wide is written smaller before it is cut. A bold letter is a little wider than a plain one.
        let room = place.size.0 - 6.0;
        let size = match k == 0 && text::width(line, 11.0 * 1.08) <= room {
            true => 11.0,
            false => SMALL,
        };
        let style = Type {
            anchor: Anchor::Middle,
            size,
            ink: if k == 0 { Ink::Text } else { Ink::Muted },
            bold: k == 0,
            ..Type::default()
        };
        let wider = if k == 0 { 1.08 } else { 1.0 };
        let fitted = text::fit(line, size * wider, room);
        d.text(place.middle().0, first + step * k as f64, &fitted, style);
    }
}

/// A line from the lower edge of a box to the upper edge of a lower one.
fn downwards(
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
fn feedback(d: &mut Draw, edge: &Edge, idx: usize, layout: &Layout, places: &[Placed], width: f64) {
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
