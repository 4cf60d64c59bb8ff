//! What predictions lose without a connection between nuclei.

use consilience_core::{ConnectionLesion, EmotionRecord};

use super::{
    WIDTH, of_main,
    rows::{Line, Marked, Shape, ends, panel},
    scores,
};
use crate::{
    figures::{Flow, Heading, KeyEntry, Mark, Panel, Plate, common_top},
    palette::Ink,
    svg::Dash,
    view,
};

/// Most connections of a panel.
const N_SHOWN: usize = 60;

/// `"LA → CE"`, with what kind it is when it is not read.
pub(super) fn name(lesion: &ConnectionLesion) -> String {
    match lesion.kind.as_str() {
        "reads" => format!("{} → {}", lesion.from, lesion.to),
        kind => format!("{} → {} ({kind})", lesion.from, lesion.to),
    }
}

pub(super) fn plate(analysis: &str, emotion: &EmotionRecord) -> Plate {
    let lines: Vec<Vec<Line>> = (emotion.ratings.iter().enumerate())
        .map(|(idx, rating)| {
            let of = emotion
                .connections
                .iter()
                .filter(|c| c.rating == rating.name);
            of.take(N_SHOWN)
                .map(|lesion| line(lesion, Ink::Series(idx)))
                .collect()
        })
        .collect();
    let intact: Vec<Option<f64>> = scores::main(emotion).after.iter().map(|s| s.r).collect();
    let has_any = !emotion.connections.is_empty();
    let headings: Vec<Heading> = (emotion.ratings.iter())
        .filter(|_| has_any)
        .map(|rating| Heading::new(&format!("r of {}", rating.name), "", WIDTH))
        .collect();
    let top = common_top(&headings) + 4.0;
    let panels: Vec<Panel> = headings
        .iter()
        .enumerate()
        .map(|(idx, heading)| {
            let x = ends(lines[idx].iter(), view::finite(intact[idx]));
            let alt = format!(
                "Correlations of {} without single connections: {}.",
                emotion.ratings[idx].name,
                view::listed(&told(emotion, idx))
            );
            let axis = ("Pearson r", view::finite(intact[idx]));
            panel(&lines[idx], x, axis, (heading, top), alt)
        })
        .collect();
    let mut caption = "Correlation of predicted with given ratings when a nucleus gets nothing from another, one connection at a time and without \
                       training again; mean over repeats."
        .to_owned();
    let mut key = vec![
        KeyEntry::new(Mark::Dot, Ink::Series(0), "without the connection"),
        KeyEntry::new(Mark::Line(Dash::Long), Ink::Text, "intact"),
    ];
    if emotion
        .connections
        .iter()
        .any(|c| view::finite(c.r_sd).is_some())
    {
        caption.push_str(" Lines: ± standard deviation.");
        key.push(KeyEntry::new(Mark::Whisker, Ink::Text, "± SD over repeats"));
    }
    caption.push_str(" Numbers: mean change of r.");
    if emotion.connections.len() > N_SHOWN * emotion.ratings.len() {
        caption.push_str(&format!(" The first {N_SHOWN}; connections.csv has all."));
    }
    caption.push_str(&of_main(emotion));
    Plate {
        name: format!("{analysis}-connections"),
        title: "Lesions of connections".into(),
        caption,
        flow: Flow::Columns,
        max_columns: 2,
        panels,
        key,
        definitions: String::new(),
    }
}

fn line(lesion: &ConnectionLesion, ink: Ink) -> Line {
    Line {
        name: name(lesion),
        marks: vec![Marked {
            value: lesion.r,
            spread: lesion.r_sd,
            shape: Shape::Dot,
            ink,
            is_filled: true,
            what: "r".to_owned(),
        }],
        end: lesion.change,
    }
}

fn told(emotion: &EmotionRecord, rating: usize) -> Vec<String> {
    let of = emotion.connections.iter();
    let of = of.filter(|c| c.rating == emotion.ratings[rating].name);
    of.take(N_SHOWN)
        .map(|c| {
            let r = view::finite(c.r).map_or_else(|| "undefined".to_owned(), view::score);
            format!("{} {r}", name(c))
        })
        .collect()
}
