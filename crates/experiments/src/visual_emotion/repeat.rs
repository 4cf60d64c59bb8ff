//! The trainings of a repeat put together: each stimulus by the module that did not learn from it.

use consilience_core::EmotionRun;
use ndarray::{Array2, Array3, ArrayView2, Axis};

use super::{Division, FoldRun};

/// A repeat of a module over all stimuli.
#[derive(Debug, Clone, PartialEq)]
pub struct Repeat {
    /// Its seed.
    pub seed: u64,
    /// The epoch whose weights are used, one for each fold.
    pub epochs: Vec<usize>,
    /// Mean training and validation loss over folds, epoch by epoch from 0.
    pub losses: Vec<[Option<f64>; 2]>,
    /// Ratings at each epoch, `(n_epochs + 1, n_stimuli, n_ratings)`.
    pub ratings: Array3<f64>,
    /// Ratings by the weights that are used, `(n_stimuli, n_ratings)`.
    pub after: Array2<f64>,
    /// Units at each epoch, `(n_epochs + 1, n_stimuli, n_units)`, or without epochs.
    pub units: Array3<f32>,
    /// Units by the weights that are used, or none.
    pub units_after: Array2<f32>,
    /// Entropy of the attention of each nucleus, mean over stimuli, by the weights that are used; empty without tokens.
    pub attention: Vec<Option<f64>>,
}

impl Repeat {
    /// From the trainings on all divisions, in their order.
    ///
    /// All begin with the same weights, so that unit i of one fold is unit i of another.
    #[must_use]
    pub fn of(seed: u64, divisions: &[Division], runs: &[FoldRun]) -> Self {
        let n_stimuli = divisions.iter().map(|d| d.tested.len()).sum();
        let (n_epochs, _, n_ratings) = runs.first().map_or((0, 0, 0), |run| run.ratings.dim());
        let (n_kept, _, n_units) = runs.first().map_or((0, 0, 0), |run| run.units.dim());
        let mut found = Self {
            seed,
            epochs: runs.iter().map(|run| run.epoch).collect(),
            losses: (0..n_epochs).map(|epoch| losses(runs, epoch)).collect(),
            ratings: Array3::zeros((n_epochs, n_stimuli, n_ratings)),
            after: Array2::zeros((n_stimuli, n_ratings)),
            units: Array3::zeros((n_kept, n_stimuli, n_units)),
            units_after: Array2::zeros((if n_kept > 0 { n_stimuli } else { 0 }, n_units)),
            attention: attention(divisions, runs),
        };
        for (division, run) in divisions.iter().zip(runs) {
            for (row, &stimulus) in division.tested.iter().enumerate() {
                let of_run = run.ratings.index_axis(Axis(1), row);
                found
                    .ratings
                    .index_axis_mut(Axis(1), stimulus)
                    .assign(&of_run);
                found.after.row_mut(stimulus).assign(&of_run.row(run.epoch));
                if n_kept > 0 {
                    let of_run = run.units.index_axis(Axis(1), row);
                    found
                        .units
                        .index_axis_mut(Axis(1), stimulus)
                        .assign(&of_run);
                    let used = of_run.row(run.epoch);
                    found.units_after.row_mut(stimulus).assign(&used);
                }
            }
        }
        found
    }

    /// Ratings before training, `(n_stimuli, n_ratings)`.
    #[must_use]
    pub fn before(&self) -> ArrayView2<'_, f64> {
        self.ratings.index_axis(Axis(0), 0)
    }

    /// The same without what is known of units, for modules that are only compared.
    #[must_use]
    pub fn without_units(self) -> Self {
        Self {
            units: Array3::zeros((0, 0, 0)),
            units_after: Array2::zeros((0, 0)),
            ..self
        }
    }

    /// As a record tells it.
    #[must_use]
    pub fn record(&self) -> EmotionRun {
        let rows = |ratings: ArrayView2<'_, f64>| {
            let columns = ratings.columns().into_iter();
            columns.map(|column| column.to_vec()).collect()
        };
        EmotionRun {
            seed: self.seed,
            epochs: self.epochs.clone(),
            before: rows(self.before()),
            after: rows(self.after.view()),
        }
    }
}

/// Means over the stimuli of all folds.
fn attention(divisions: &[Division], runs: &[FoldRun]) -> Vec<Option<f64>> {
    let n_nuclei = runs.first().map_or(0, |run| run.attention.len());
    let mean = |nucleus: usize| {
        let (mut sum, mut n) = (0.0, 0.0);
        for (division, run) in divisions.iter().zip(runs) {
            let n_tested = division.tested.len() as f64;
            sum += n_tested * run.attention.get(nucleus).copied().flatten()?;
            n += n_tested;
        }
        (n > 0.0).then(|| sum / n)
    };
    (0..n_nuclei).map(mean).collect()
}

/// Mean losses over the folds that came to an epoch.
fn losses(runs: &[FoldRun], epoch: usize) -> [Option<f64>; 2] {
    let mean = |of: &dyn Fn(&consilience_learn::train::Epoch) -> Option<f64>| {
        let found = runs.iter().filter_map(|run| run.history.get(epoch));
        let found: Vec<f64> = found.filter_map(of).collect();
        (!found.is_empty()).then(|| found.iter().sum::<f64>() / found.len() as f64)
    };
    [mean(&|at| at.training), mean(&|at| at.validation)]
}
