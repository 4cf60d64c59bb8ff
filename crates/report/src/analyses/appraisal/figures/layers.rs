//! Heat maps of cut layers and targets, one figure for each model, one panel for each subset.

use consilience_core::AppraisalRecord;

use super::{heads, scores, shades, simulated, stars_and_ceilings, tip};
use crate::{
    figures::{Flow, Heading, Panel, Plate, common_top, grid::Grid},
    methods::n_stimuli,
    svg::Draw,
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
    let width = 120.0 + CELL.0 * appraisal.targets.len() as f64;
    let headings: Vec<Heading> = appraisal
        .subsets
        .iter()
        .map(|s| Heading::new(&s.name, &n_stimuli(s.n_stimuli), width))
        .collect();
    let top = common_top(&headings);
    headings
        .iter()
        .enumerate()
        .filter(|_| !appraisal.targets.is_empty())
        .map(|(subset, heading)| panel(appraisal, raters, subset, heading, top))
        .collect()
}

fn panel(
    appraisal: &AppraisalRecord,
    raters: &[usize],
    subset: usize,
    heading: &Heading,
    top: f64,
) -> Panel {
    let mut d = Draw::default();
    heading.draw(&mut d);
    let names: Vec<&str> = raters
        .iter()
        .map(|&r| appraisal.raters[r].layer.as_str())
        .collect();
    let grid = Grid::new(&names, heads(appraisal, CELL.0), CELL, top);
    grid.names(&mut d);
    let shades = shades(appraisal);
    for (row, &rater) in raters.iter().enumerate() {
        for column in 0..appraisal.targets.len() {
            let c = scores::correlation(appraisal, subset, rater, column);
            let value = view::finite(c.mean);
            let text = match (value, view::finite(c.sd)) {
                (None, _) => String::new(),
                (Some(mean), None) => view::score(mean),
                (Some(mean), Some(sd)) => format!("{} ({})", view::score(mean), view::score(sd)),
            };
            let lines = [text.as_str(), view::stars(scores::p(c))];
            shades.cell(
                &mut d,
                &grid,
                (row, column),
                value,
                lines,
                &tip(appraisal, c),
            );
        }
    }
    let label = view::coefficient(&appraisal.settings.correlation);
    let (right, bottom) = shades.bar(&mut d, grid.left(), grid.bottom() + 10.0, &label);
    let model = &appraisal.raters[raters[0]].model;
    Panel {
        alt: format!(
            "Heat map of correlations of {} of {model} with {} over {} stimuli.",
            view::plural(raters.len(), "layer"),
            view::plural(appraisal.targets.len(), "target"),
            appraisal.subsets[subset].name
        ),
        size: (heading.width(grid.extent().0.max(right)), bottom),
        body: d.into_string(),
    }
}
