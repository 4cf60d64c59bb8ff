//! The figures of visual emotion.

mod brackets;
mod cells;
mod connections;
pub(super) mod consistency;
mod curves;
mod edges;
mod gains;
mod geometry;
mod history;
mod layout;
mod modules;
mod nuclei;
mod plane;
mod read_outs;
mod regions;
mod rows;
mod scatter;
mod selectivity;
mod tuning;

use consilience_core::{EmotionRecord, StimulusRecord};

use super::scores;
use crate::{
    figures::{Order, Plate, Values, mds, plot::Stroke, rdms},
    palette::Ink,
    svg::Dash,
};

/// Width of a panel.
const WIDTH: f64 = 400.0;
/// Left edge of a field with numbers beside it.
const LEFT: f64 = 40.0;
/// Room below a field for numbers and what they are.
const AXIS: f64 = 32.0;

pub(crate) fn plates(
    analysis: &str,
    emotion: &EmotionRecord,
    stimuli: &[StimulusRecord],
) -> Vec<Plate> {
    let order = match emotion.ratings.first() {
        None => Order::Categories,
        Some(rating) => Order::Values(Values {
            name: &rating.name,
            values: &rating.values,
            ends: rating.scale,
        }),
    };
    vec![
        nuclei::plate(analysis, emotion),
        scatter::plate(analysis, emotion, stimuli),
        plane::plate(analysis, emotion, stimuli),
        history::plate(analysis, emotion),
        modules::plate(analysis, emotion),
        selectivity::counts(analysis, emotion),
        selectivity::shares(analysis, emotion),
        consistency::plate(analysis, emotion),
        tuning::plate(analysis, emotion),
        geometry::trajectories(analysis, emotion),
        geometry::dimensionality(analysis, emotion),
        regions::scores(analysis, emotion),
        regions::curves(analysis, emotion),
        gains::plate(analysis, emotion),
        cells::plate(analysis, emotion),
        connections::plate(analysis, emotion),
        read_outs::plate(analysis, emotion),
        rdms::plate(analysis, &emotion.rdms, stimuli, order),
        mds::plate(analysis, &emotion.maps, stimuli, order),
    ]
}

/// How the curve of a nucleus is drawn; what is over all nuclei stands out.
fn stroke(emotion: &EmotionRecord, nucleus: &str) -> Stroke {
    match scores::nucleus_idx(emotion, nucleus) {
        Some(idx) => Stroke {
            ink: Ink::Series(idx),
            width: 1.5,
            dash: Dash::of(idx),
        },
        None => Stroke {
            ink: Ink::Text,
            width: 2.2,
            dash: Dash::Solid,
        },
    }
}

/// Of which module a figure is, for captions; begins with a space.
fn of_main(emotion: &EmotionRecord) -> String {
    format!(" Module: {}.", scores::main(emotion).label())
}

/// How many repeats a mean is over.
fn over_repeats(emotion: &EmotionRecord) -> String {
    match scores::main(emotion).runs.len() {
        0 | 1 => "a single repeat".to_owned(),
        n => format!("the mean over {n} repeats"),
    }
}
