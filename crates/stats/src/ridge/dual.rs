//! Weights of training rows, from which the parts of a prediction follow.

use faer::linalg::matmul::matmul;
use faer::{Accum, Mat, Par};
use ndarray::{ArrayView2, Axis};

use super::{Design, Factor, RidgeError, Targets};

/// For each target a weight of every training row, with a penalty of its own.
///
/// A row x is predicted as the sum over training rows of (x·xᵢ)·wᵢ, features centred at the training set.
#[derive(Debug, Clone)]
pub struct RowWeights {
    train: Vec<usize>,
    /// (n_train, n_targets).
    values: Mat<f64>,
    /// Means of the targets over the training set, in their units.
    means: Vec<f64>,
}

impl Factor {
    /// The weights of all targets, `alphas` with a positive penalty for each of them.
    ///
    /// # Panics
    ///
    /// When there is not one penalty for each target.
    #[must_use]
    pub fn row_weights(
        &self,
        targets: &Targets<f64>,
        intercept: bool,
        alphas: &[f64],
    ) -> RowWeights {
        let (n_train, width) = (self.train.len(), targets.n_targets());
        assert_eq!(alphas.len(), width, "a penalty for each target");
        let mut means = vec![0.0; width];
        if intercept {
            for &row in &self.train {
                for (mean, value) in means.iter_mut().zip(targets.row(row)) {
                    *mean += value / n_train as f64;
                }
            }
        }
        let train = Mat::from_fn(n_train, width, |i, t| {
            targets.row(self.train[i])[t] - means[t]
        });
        let mut projected = Mat::<f64>::zeros(self.rank(), width);
        let mut values = Mat::<f64>::zeros(n_train, width);
        matmul(
            projected.as_mut(),
            Accum::Replace,
            self.vectors.transpose(),
            train.as_ref(),
            1.0,
            Par::Seq,
        );
        for (t, alpha) in alphas.iter().enumerate() {
            for (k, s) in self.values.iter().enumerate() {
                projected[(k, t)] /= s * s + alpha;
            }
        }
        matmul(
            values.as_mut(),
            Accum::Replace,
            self.vectors.as_ref(),
            projected.as_ref(),
            1.0,
            Par::Seq,
        );
        RowWeights {
            train: self.train.clone(),
            values,
            means,
        }
    }
}

impl Factor {
    /// R² of ordinary least squares on the training set itself, of targets that are `(n_rows, n_targets)` like the
    /// design: ‖Uᵀ·y‖² / ‖y‖², y centred at the training set when the design is. A target without variation has 0.
    ///
    /// # Errors
    ///
    /// [`RidgeError::Singular`] when the columns are dependent.
    pub fn explained(
        &self,
        design: &Design,
        y: ArrayView2<'_, f64>,
    ) -> Result<Vec<f64>, RidgeError> {
        if self.rank() < design.n_columns() {
            return Err(RidgeError::Singular {
                rank: self.rank(),
                n_columns: design.n_columns(),
                n_train: self.train.len(),
            });
        }
        let train = y.select(Axis(0), &self.train);
        let targets = Targets::<f64>::new(train.view(), design.has_intercept());
        let (n_train, width) = train.dim();
        let values = Mat::from_fn(n_train, width, |i, t| targets.row(i)[t]);
        let mut projected = Mat::<f64>::zeros(self.rank(), width);
        matmul(
            projected.as_mut(),
            Accum::Replace,
            self.vectors.transpose(),
            values.as_ref(),
            1.0,
            Par::Seq,
        );
        let square = |m: &Mat<f64>, t: usize| m.col(t).iter().map(|v| v * v).sum::<f64>();
        Ok((0..width)
            .map(|t| match square(&values, t) {
                0.0 => 0.0,
                total => square(&projected, t) / total,
            })
            .collect())
    }
}

impl RowWeights {
    /// Means of the targets over the training set, in the units of [`Targets`].
    #[must_use]
    pub fn means(&self) -> &[f64] {
        &self.means
    }

    /// What the features of `design` add to the prediction of rows, (n_rows, n_targets) row by row in the
    /// units of [`Targets`].
    ///
    /// # Panics
    ///
    /// When the design was made for the primal side.
    #[must_use]
    pub fn contribution(&self, design: &Design, rows: &[usize]) -> Vec<f64> {
        let products = design.centred_products(&self.train, rows);
        let mut part = Mat::<f64>::zeros(rows.len(), self.values.ncols());
        matmul(
            part.as_mut(),
            Accum::Replace,
            products.as_ref(),
            self.values.as_ref(),
            1.0,
            Par::Seq,
        );
        (0..rows.len())
            .flat_map(|i| part.row(i).iter().copied().collect::<Vec<f64>>())
            .collect()
    }
}
