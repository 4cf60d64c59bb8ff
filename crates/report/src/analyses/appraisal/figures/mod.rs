//! The figures of an appraisal.

mod differences;
mod forest;
mod heat_map;
mod layers;
mod networks;

use consilience_core::{AppraisalRecord, RatingCorrelation};

use super::scores;
use crate::{
    figures::{
        Plate,
        grid::{Head, Heads, Shades, upright},
    },
    view,
};

pub(crate) fn plates(analysis: &str, appraisal: &AppraisalRecord) -> Vec<Plate> {
    let mut plates = vec![
        networks::plate(analysis, appraisal),
        differences::of_subsets(analysis, appraisal),
        differences::of_networks(analysis, appraisal),
    ];
    plates.extend(layers::plates(analysis, appraisal));
    plates
}

/// A sentence for captions when targets are simulated, with a space before it.
fn simulated(appraisal: &AppraisalRecord) -> String {
    scores::simulated(appraisal).map_or_else(String::new, |sentence| format!(" {sentence}"))
}

/// Targets as columns of the given width, with their ceilings.
fn heads(appraisal: &AppraisalRecord, width: f64) -> Heads {
    let head = |target: &consilience_core::RatingTarget| -> Vec<Head> {
        let mut details = Vec::new();
        if target.is_simulated {
            details.push("simulated".to_owned());
        }
        let ceiling = target.reliability.and_then(|r| view::finite(r.ceiling));
        details.extend(ceiling.map(|c| format!("ceiling {}", view::score(c))));
        upright(&target.name, &details, width)
    };
    Heads::Upright(appraisal.targets.iter().map(head).collect())
}

/// Colours for all correlations, so that cells of all panels compare.
fn shades(appraisal: &AppraisalRecord) -> Shades {
    let values = appraisal.correlations.iter();
    Shades::around_zero(values.flat_map(|c| [c.of_mean, c.mean]).flatten())
}

/// What stars and ceilings mean, for captions; begins with a space.
fn stars_and_ceilings(appraisal: &AppraisalRecord) -> String {
    let mut out = match scores::p_source(appraisal) {
        Some(source) => format!(
            " Stars: two-sided p of the mean rating’s correlation ({source}), * p < 0.05, ** p < 0.01, *** p < 0.001."
        ),
        None => " Nothing was tested.".to_owned(),
    };
    if appraisal.targets.iter().any(|t| t.reliability.is_some()) {
        out.push_str(" Ceiling: root of the target’s reliability.");
    }
    if appraisal.correlations.iter().any(|c| c.of_mean.is_none()) {
        out.push_str(" A dash on grey: undefined, see the table’s notes.");
    }
    out
}

/// What a browser shows when the pointer rests on a cell.
fn tip(appraisal: &AppraisalRecord, c: &RatingCorrelation) -> String {
    let mut out = format!(
        "{} with {}",
        scores::rater_name(&appraisal.raters[c.rater]),
        appraisal.targets[c.target].name
    );
    if let Some(r) = view::finite(c.of_mean) {
        out.push_str(&format!(": {}", view::score3(r)));
    }
    if let Some([low, high]) = c.interval {
        out.push_str(&format!(
            " (95 % interval {} to {})",
            view::score3(low),
            view::score3(high)
        ));
    }
    if let Some(p) = scores::p(c) {
        out.push_str(&format!(", {}", view::p_clause(p)));
    }
    out
}
