//! Heat maps of cut layers and targets, one figure for each model, one panel for each subset.

use consilience_core::{AppraisalRecord, RatingCorrelation};

use super::heat_map::HeatMap;
use super::{scores, simulated, stars_and_ceilings};
use crate::{
    figures::{Flow, Panel, Plate},
    view,
};

const CELL: (f64, f64) = (78.0, 32.0);

pub(super) fn plates(analysis: &str, appraisal: &AppraisalRecord) -> Vec<Plate> {
    let raters_of = |model: &str| -> Vec<usize> {
        let raters = appraisal.raters.iter().enumerate();
        raters
            .filter(|(_, r)| r.model == model)
            .map(|(idx, _)| idx)
            .collect()
    };
    scores::models(appraisal)
        .into_iter()
        .enumerate()
        .map(|(idx, model)| (idx, model, raters_of(model)))
        // One layer says no more than the heat map of networks.
        .filter(|(.., raters)| raters.len() > 1)
        .map(|(idx, model, raters)| Plate {
            name: format!("{analysis}-layers-{}", idx + 1),
            title: format!("Agreement of {model}, layer by layer"),
            caption: caption(appraisal, model),
            flow: Flow::Natural,
            max_columns: 3,
            panels: panels(appraisal, &raters),
            key: Vec::new(),
            definitions: String::new(),
        })
        .collect()
}

fn caption(appraisal: &AppraisalRecord, model: &str) -> String {
    format!(
        "{} of the ratings of {model}, cut at each layer, layers from input to output: mean over runs and, in brackets, \
         standard deviation. One panel for each set of stimuli.{}{}",
        view::coefficient(&appraisal.settings.correlation),
        stars_and_ceilings(appraisal),
        simulated(appraisal)
    )
}

fn panels(appraisal: &AppraisalRecord, raters: &[usize]) -> Vec<Panel> {
    let alt = |subset: usize| {
        format!(
            "Heat map of correlations of {} of {} with {} over {} stimuli.",
            view::plural(raters.len(), "layer"),
            appraisal.raters[raters[0]].model,
            view::plural(appraisal.targets.len(), "target"),
            appraisal.subsets[subset].name
        )
    };
    let name = |&rater: &usize| (rater, appraisal.raters[rater].layer.clone());
    let map = HeatMap {
        appraisal,
        rows: raters.iter().map(name).collect(),
        cell: CELL,
        read: mean_and_sd,
        alt: &alt,
    };
    map.panels()
}

fn mean_and_sd(c: &RatingCorrelation) -> (Option<f64>, String) {
    let value = view::finite(c.mean);
    let text = match (value, view::finite(c.sd)) {
        (None, _) => String::new(),
        (Some(mean), None) => view::score(mean),
        (Some(mean), Some(sd)) => format!("{} ({})", view::score(mean), view::score(sd)),
    };
    (value, text)
}
