//! Heat map of whole networks and targets, one panel for each subset.

use consilience_core::AppraisalRecord;

use super::{heads, scores, shades, simulated, stars_and_ceilings, tip};
use crate::{
    figures::{Flow, Heading, Panel, Plate, common_top, grid::Grid},
    methods::n_stimuli,
    svg::Draw,
    view,
};

const CELL: (f64, f64) = (68.0, 34.0);

pub(super) fn plate(analysis: &str, appraisal: &AppraisalRecord) -> Plate {
    let raters = scores::whole(appraisal);
    let width = 120.0 + CELL.0 * appraisal.targets.len() as f64;
    let headings: Vec<Heading> = appraisal
        .subsets
        .iter()
        .map(|s| Heading::new(&s.name, &n_stimuli(s.n_stimuli), width))
        .collect();
    let top = common_top(&headings);
    let panels: Vec<Panel> = headings
        .iter()
        .enumerate()
        .filter(|_| !raters.is_empty() && !appraisal.targets.is_empty())
        .map(|(subset, heading)| panel(appraisal, &raters, subset, heading, top))
        .collect();
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

fn panel(
    appraisal: &AppraisalRecord,
    raters: &[usize],
    subset: usize,
    heading: &Heading,
    top: f64,
) -> Panel {
    let mut d = Draw::default();
    heading.draw(&mut d);
    let names: Vec<String> = raters
        .iter()
        .map(|&r| scores::rater_name(&appraisal.raters[r]))
        .collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let grid = Grid::new(&names, heads(appraisal, CELL.0), CELL, top);
    grid.names(&mut d);
    let shades = shades(appraisal);
    let mut told = Vec::new();
    for (row, &rater) in raters.iter().enumerate() {
        for (column, target) in appraisal.targets.iter().enumerate() {
            let c = scores::correlation(appraisal, subset, rater, column);
            let value = view::finite(c.of_mean);
            let text = value.map(view::score).unwrap_or_default();
            if value.is_some() {
                told.push(format!("{} with {} {text}", names[row], target.name));
            }
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
    Panel {
        alt: format!(
            "Heat map of correlations over {} stimuli: {}.",
            appraisal.subsets[subset].name,
            view::listed(&told)
        ),
        size: (heading.width(grid.extent().0.max(right)), bottom),
        body: d.into_string(),
    }
}
