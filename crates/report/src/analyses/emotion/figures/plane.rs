//! The plane of valence and arousal: given and predicted points over each other.

use consilience_core::{EmotionRecord, PlaneScore, StimulusRecord};

use super::{AXIS, LEFT, WIDTH, of_main, over_repeats, scores};
use crate::{
    figures::{
        Flow, Heading, KeyEntry, Mark, Panel, Plate, common_top,
        plot::{Plot, extent, shown},
    },
    palette::Ink,
    svg::Draw,
    view,
};
use scores::When;

const SIDE: f64 = 320.0;
/// Most stimuli whose points are joined.
const N_JOINED: usize = 200;

pub(super) fn plate(analysis: &str, emotion: &EmotionRecord, stimuli: &[StimulusRecord]) -> Plate {
    let module = scores::main(emotion);
    let places = match (module.plane, emotion.ratings.len() >= 2) {
        (Some([before, after]), true) if !module.runs.is_empty() => {
            vec![(When::Before, before), (When::After, after)]
        }
        _ => Vec::new(),
    };
    let headings: Vec<Heading> = places
        .iter()
        .map(|(when, score)| Heading::new(&sentence_case(when.name()), &subtitle(score), WIDTH))
        .collect();
    let top = common_top(&headings) + 16.0;
    let panels: Vec<Panel> = places
        .iter()
        .zip(&headings)
        .map(|(place, heading)| panel(emotion, stimuli, *place, heading, top))
        .collect();
    let joined = match stimuli.len() <= N_JOINED {
        true => " Lines join both points of a stimulus.",
        false => "",
    };
    Plate {
        name: format!("{analysis}-plane"),
        title: "Plane of the ratings".into(),
        caption: format!(
            "Given ratings and {} of the predictions, as predicted.{joined} Disparity (Procrustes): what remains between both \
             clouds, 0 to 1, after one is moved, turned, mirrored and scaled onto the other; the energy distance compares them as they \
             are.{}{}",
            over_repeats(emotion),
            super::scatter::thinned(stimuli.len()),
            of_main(emotion)
        ),
        flow: Flow::Columns,
        max_columns: 2,
        panels,
        key: vec![
            KeyEntry::new(Mark::Ring, Ink::Axis, "given"),
            KeyEntry::new(Mark::Dot, Ink::Series(0), "predicted"),
        ],
        definitions: String::new(),
    }
}

fn sentence_case(text: &str) -> String {
    let mut chars = text.chars();
    match chars.next() {
        Some(first) => first.to_uppercase().chain(chars).collect(),
        None => String::new(),
    }
}

fn subtitle(score: &PlaneScore) -> String {
    let disparity = match view::finite(score.disparity) {
        None => "no disparity: predictions are constant".to_owned(),
        Some(value) => format!("disparity {}", view::score(value)),
    };
    let sd = view::finite(score.disparity_sd);
    format!(
        "{disparity}{}, energy distance {}",
        sd.map_or_else(String::new, |sd| format!(" ± {}", view::score(sd))),
        view::score(score.energy)
    )
}

fn panel(
    emotion: &EmotionRecord,
    stimuli: &[StimulusRecord],
    (when, score): (When, PlaneScore),
    heading: &Heading,
    top: f64,
) -> Panel {
    let [across, up] = [0, 1].map(|idx| &emotion.ratings[idx]);
    let [px, py] = [0, 1].map(|idx| scores::mean_prediction(scores::main(emotion), when, idx));
    let mut d = Draw::default();
    heading.draw(&mut d);
    let domain = |given: &[f64], predicted: &[f64], scale: [f64; 2]| {
        extent(given.iter().chain(predicted).copied().chain(scale))
    };
    let plot = Plot::new(
        domain(&across.values, &px, across.scale),
        domain(&up.values, &py, up.scale),
        (LEFT, WIDTH - 8.0),
        (top, top + SIDE),
    );
    plot.y_axis(&mut d, 7, &up.name);
    plot.x_axis(&mut d, &plot.x.ticks(8), &across.name);
    let n = stimuli.len();
    let step = n.div_ceil(super::scatter::N_DRAWN).max(1);
    let joined = n <= N_JOINED;
    let radius = if joined { 2.8 } else { 1.8 };
    let point = |x: f64, y: f64| Some(plot.at(shown(Some(x))?, shown(Some(y))?));
    let places: Vec<_> = (0..n)
        .step_by(step)
        .map(|idx| {
            let given = point(across.values[idx], up.values[idx]);
            (idx, given, point(px[idx], py[idx]))
        })
        .collect();
    for (_, given, predicted) in places.iter().filter(|_| joined) {
        if let (Some(from), Some(to)) = (given, predicted) {
            d.line(*from, *to, Ink::Ceiling, 0.8);
        }
    }
    for (_, given, _) in &places {
        if let Some(at) = given {
            d.ring(*at, radius, Ink::Axis, 0.9);
        }
    }
    for &(idx, _, predicted) in &places {
        let tip = match joined {
            true => stimuli[idx].id.as_str(),
            false => "",
        };
        if let Some(at) = predicted {
            d.dot(at, radius, Ink::Series(0), 0.75, tip);
        }
    }
    Panel {
        alt: format!(
            "Plane of {} and {} with given and predicted points of {n} stimuli {}: {}.",
            across.name,
            up.name,
            when.name(),
            subtitle(&score)
        ),
        size: (WIDTH, top + SIDE + AXIS),
        body: d.into_string(),
    }
}
