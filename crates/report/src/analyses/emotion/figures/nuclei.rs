//! Diagrams of the nuclei: what reads, inhibits and feeds back to what.

use consilience_core::{EmotionModule, EmotionRecord};

use super::{
    edges::{Placed, downwards, feedback, routes},
    layout::{Layout, Link},
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

/// Name in bold, then what explains it.
fn lines(emotion: &EmotionRecord, module: &EmotionModule, idx: usize) -> Vec<String> {
    let Some(nucleus) = idx.checked_sub(1).and_then(|idx| module.nuclei.get(idx)) else {
        return match idx {
            0 => vec![
                module.encoder.clone(),
                module.layer.clone(),
                scores::read(module),
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
