//! Heat map of whole networks and targets, one panel for each subset.

use consilience_core::{AppraisalRecord, RatingCorrelation};

use super::heat_map::HeatMap;
use super::{scores, simulated, stars_and_ceilings};
use crate::{
    figures::{Flow, Plate},
    view,
};

const CELL: (f64, f64) = (68.0, 34.0);

pub(super) fn plate(analysis: &str, appraisal: &AppraisalRecord) -> Plate {
    let raters = scores::whole(appraisal);
    let alt = |subset: usize| {
        let cells = raters.iter().flat_map(|&rater| {
            let targets = appraisal.targets.iter().enumerate();
            targets.filter_map(move |(column, target)| {
                let c = scores::correlation(appraisal, subset, rater, column);
                let (value, text) = of_mean(c);
                let name = scores::rater_name(&appraisal.raters[rater]);
                value.map(|_| format!("{name} with {} {text}", target.name))
            })
        });
        format!(
            "Heat map of correlations over {} stimuli: {}.",
            appraisal.subsets[subset].name,
            view::listed(&cells.collect::<Vec<_>>())
        )
    };
    let name = |&rater: &usize| (rater, scores::rater_name(&appraisal.raters[rater]));
    let map = HeatMap {
        appraisal,
        rows: raters.iter().map(name).collect(),
        cell: CELL,
        read: of_mean,
        alt: &alt,
    };
    let panels = map.panels();
    Plate {
        name: format!("{analysis}-networks"),
        title: "Agreement of networks with targets".into(),
        caption: format!(
            "{} of each network’s mean rating over runs with each target, one panel for each set of stimuli.{}{}",
            view::coefficient(&appraisal.settings.correlation),
            stars_and_ceilings(appraisal),
            simulated(appraisal)
        ),
        flow: Flow::Natural,
        max_columns: if panels.len() > 4 { 3 } else { 2 },
        panels,
        key: Vec::new(),
        definitions: String::new(),
    }
}

fn of_mean(c: &RatingCorrelation) -> (Option<f64>, String) {
    let value = view::finite(c.of_mean);
    (value, value.map(view::score).unwrap_or_default())
}
