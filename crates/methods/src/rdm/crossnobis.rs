//! Cross-validation folds over runs that all hold every condition.

use consilience_stats::Real;
use ndarray::{Array2, ArrayView2};

use super::patterns::{Conditions, means};
use crate::error::at_least;
use crate::{MethodsError, Result};

/// For each run, the rows of each condition inside it and outside it.
pub(super) struct Folds {
    test: Vec<Vec<Vec<usize>>>,
    train: Vec<Vec<Vec<usize>>>,
}

impl Folds {
    /// One fold a run, in ascending order of the labels in `runs`.
    ///
    /// # Errors
    ///
    /// [`MethodsError::TooFew`] runs, or [`MethodsError::ConditionMissingInRun`].
    pub(super) fn new(conditions: &Conditions, runs: &[i64]) -> Result<Self> {
        let labels = labels(runs)?;
        let mut folds = Self {
            test: Vec::with_capacity(labels.len()),
            train: Vec::with_capacity(labels.len()),
        };
        for &run in &labels {
            let (test, train): (Vec<Vec<usize>>, Vec<Vec<usize>>) = conditions
                .rows
                .iter()
                .map(|rows| rows.iter().partition(|&&row| runs[row] == run))
                .unzip();
            if let Some(idx) = test.iter().position(Vec::is_empty) {
                return Err(MethodsError::ConditionMissingInRun {
                    condition: conditions.labels[idx],
                    run,
                });
            }
            folds.test.push(test);
            folds.train.push(train);
        }
        Ok(folds)
    }

    pub(super) fn len(&self) -> usize {
        self.test.len()
    }

    pub(super) fn n_conditions(&self) -> usize {
        self.test.first().map_or(0, Vec::len)
    }

    /// Whether each condition has as many rows in one run as in any other.
    pub(super) fn are_balanced(&self) -> bool {
        let counts = |run: &[Vec<usize>]| run.iter().map(Vec::len).collect::<Vec<_>>();
        self.test.windows(2).all(|w| counts(&w[0]) == counts(&w[1]))
    }

    /// Condition means outside and inside run `m`.
    pub(super) fn sides<T: Real>(&self, x: ArrayView2<'_, T>, m: usize) -> [Array2<f64>; 2] {
        [means(x, &self.train[m]), self.inside(x, m)]
    }

    /// Condition means inside run `m`.
    pub(super) fn inside<T: Real>(&self, x: ArrayView2<'_, T>, m: usize) -> Array2<f64> {
        means(x, &self.test[m])
    }
}

/// The labels of the runs, ascending, of which there must be two.
pub(super) fn labels(runs: &[i64]) -> Result<Vec<i64>> {
    let mut labels = runs.to_vec();
    labels.sort_unstable();
    labels.dedup();
    at_least("runs to cross-validate over", 2, labels.len())?;
    Ok(labels)
}
