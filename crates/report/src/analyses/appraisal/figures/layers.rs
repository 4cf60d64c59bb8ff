//! Heat maps of cut layers and targets, one panel for each model and subset.

use consilience_core::AppraisalRecord;

use super::{heads, scores, shades, simulated, stars_and_ceilings, tip};
use crate::{
    figures::{Heading, Panel, Plate, common_top, grid::Grid},
    methods::n_stimuli,
    svg::Draw,
    view,
};

const CELL: (f64, f64) = (78.0, 32.0);

pub(super) fn plate(analysis: &str, appraisal: &AppraisalRecord) -> Plate {
    let raters_of = |model: &str| -> Vec<usize> {
        let raters = appraisal.raters.iter().enumerate();
        raters
            .filter(|(_, r)| r.model == model)
            .map(|(idx, _)| idx)
            .collect()
    };
    let width = 120.0 + CELL.0 * appraisal.targets.len() as f64;
    // One layer says no more than the heat map of networks.
    let places: Vec<(Vec<usize>, usize, Heading)> = scores::models(appraisal)
        .into_iter()
        .map(|model| (model, raters_of(model)))
        .filter(|(_, raters)| raters.len() > 1 && !appraisal.targets.is_empty())
        .flat_map(|(model, raters)| {
            appraisal.subsets.iter().enumerate().map(move |(idx, s)| {
                let subtitle = format!("{}, {}", s.name, n_stimuli(s.n_stimuli));
                (raters.clone(), idx, Heading::new(model, &subtitle, width))
            })
        })
        .collect();
    let top = places.iter().fold(0.0, |top: f64, (.., heading)| {
        top.max(common_top(std::slice::from_ref(heading)))
    });
    let panels: Vec<Panel> = places
        .iter()
        .map(|(raters, subset, heading)| panel(appraisal, raters, *subset, heading, top))
        .collect();
    let n_subsets = appraisal.subsets.len();
    Plate {
        name: format!("{analysis}-layers"),
        title: "Agreement of cut networks with targets",
        caption: format!(
            "{} of the ratings of networks that end at each layer, layers from input to output: mean over runs and, \
             in brackets, standard deviation. One panel for each model and set of stimuli.{}{}",
            view::coefficient(&appraisal.settings.correlation),
            stars_and_ceilings(appraisal),
            simulated(appraisal)
        ),
        max_columns: n_subsets.clamp(1, 3),
        panels,
        key: Vec::new(),
        definitions: String::new(),
    }
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
    let bottom = shades.bar(&mut d, grid.left(), grid.bottom() + 10.0, &label);
    let model = &appraisal.raters[raters[0]].model;
    Panel {
        alt: format!(
            "Heat map of correlations of {} of {model} with {} over {} stimuli.",
            view::plural(raters.len(), "layer"),
            view::plural(appraisal.targets.len(), "target"),
            appraisal.subsets[subset].name
        ),
        size: (heading.width(grid.extent().0), bottom),
        body: d.into_string(),
    }
}
