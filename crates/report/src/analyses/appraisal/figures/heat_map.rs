//! Raters × targets, one panel for each subset: what heat maps of networks and of layers share.

use consilience_core::{AppraisalRecord, RatingCorrelation};

use super::{heads, scores, shades, tip};
use crate::{
    figures::{Heading, Panel, common_top, grid::Grid},
    methods::n_stimuli,
    svg::Draw,
    view,
};

/// A heat map to be drawn.
pub(super) struct HeatMap<'a> {
    pub(super) appraisal: &'a AppraisalRecord,
    /// Rows, as positions in the record's raters, with what they are called.
    pub(super) rows: Vec<(usize, String)>,
    /// Width and height of a cell.
    pub(super) cell: (f64, f64),
    /// The value that colours a cell, and what is written in it.
    pub(super) read: fn(&RatingCorrelation) -> (Option<f64>, String),
    /// What the panel of a subset shows, in words.
    pub(super) alt: &'a dyn Fn(usize) -> String,
}

impl HeatMap<'_> {
    /// One panel for each subset; none without rows or targets.
    pub(super) fn panels(&self) -> Vec<Panel> {
        let (subsets, targets) = (&self.appraisal.subsets, &self.appraisal.targets);
        if self.rows.is_empty() || targets.is_empty() {
            return Vec::new();
        }
        let width = 120.0 + self.cell.0 * targets.len() as f64;
        let headings: Vec<Heading> = subsets
            .iter()
            .map(|s| Heading::new(&s.name, &n_stimuli(s.n_stimuli), width))
            .collect();
        let top = common_top(&headings);
        let panels = headings.iter().enumerate();
        panels
            .map(|(subset, heading)| self.panel(subset, heading, top))
            .collect()
    }

    fn panel(&self, subset: usize, heading: &Heading, top: f64) -> Panel {
        let appraisal = self.appraisal;
        let mut d = Draw::default();
        heading.draw(&mut d);
        let names: Vec<&str> = self.rows.iter().map(|(_, name)| name.as_str()).collect();
        let grid = Grid::new(&names, heads(appraisal, self.cell.0), self.cell, top);
        grid.names(&mut d);
        let shades = shades(appraisal);
        for (row, &(rater, _)) in self.rows.iter().enumerate() {
            for column in 0..appraisal.targets.len() {
                let c = scores::correlation(appraisal, subset, rater, column);
                let (value, text) = (self.read)(c);
                let lines = [text.as_str(), view::stars(scores::p(c))];
                let tip = tip(appraisal, c);
                shades.cell(&mut d, &grid, (row, column), value, lines, &tip);
            }
        }
        let label = view::coefficient(&appraisal.settings.correlation);
        let (right, bottom) = shades.bar(&mut d, grid.left(), grid.bottom() + 10.0, &label);
        Panel {
            alt: (self.alt)(subset),
            size: (heading.width(grid.extent().0.max(right)), bottom),
            body: d.into_string(),
        }
    }
}
