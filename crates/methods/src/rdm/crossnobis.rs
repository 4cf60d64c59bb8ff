//! Cross-validation folds over runs.

use consilience_stats::Real;
use ndarray::ArrayView2;

use super::bilinear::Form;
use super::patterns::{Conditions, means};
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
        let mut labels = runs.to_vec();
        labels.sort_unstable();
        labels.dedup();
        if labels.len() < 2 {
            return Err(MethodsError::TooFew {
                what: "runs to cross-validate over",
                needed: 2,
                found: labels.len(),
            });
        }
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

    /// Condition means outside and inside run `m`.
    pub(super) fn form<T: Real>(&self, x: ArrayView2<'_, T>, m: usize) -> Form {
        Form::centred(means(x, &self.train[m]), means(x, &self.test[m]))
    }
}
