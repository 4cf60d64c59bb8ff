//! From the factor of a training set to predictions of a test set.

use faer::linalg::matmul::matmul;
use faer::{Accum, Mat, MatMut, MatRef, Par};
use ndarray::ArrayView2;
use rayon::prelude::*;

use super::{Design, Factor, RidgeError};
use crate::Real;

/// Targets of one chunk, each centred at its mean over all rows and in units of its largest deviation.
///
/// A target without any variation is zero throughout.
#[derive(Debug, Clone)]
pub struct Targets<T> {
    n_targets: usize,
    /// Row by row.
    values: Vec<T>,
    means: Vec<f64>,
    units: Vec<f64>,
    varies: Vec<bool>,
}

impl<T: Real> Targets<T> {
    /// Takes finite values, `(n_rows, n_targets)`. Without `centre` the means are left at 0.
    #[must_use]
    pub fn new<Y: Real>(y: ArrayView2<'_, Y>, centre: bool) -> Self {
        let (n_rows, n_targets) = y.dim();
        let first: Vec<f64> = y.row(0).iter().map(|v| v.to_f64()).collect();
        let mut means = vec![0.0; n_targets];
        let mut varies = vec![false; n_targets];
        for row in y.rows() {
            for (((mean, varies), value), first) in
                means.iter_mut().zip(&mut varies).zip(row).zip(&first)
            {
                let value = value.to_f64();
                // In shares, so that no sum overflows.
                *mean += value / n_rows as f64;
                *varies |= value != *first;
            }
        }
        for ((mean, varies), first) in means.iter_mut().zip(&varies).zip(first) {
            if !centre {
                *mean = 0.0;
            } else if !varies {
                *mean = first;
            }
        }
        let mut units = vec![0.0_f64; n_targets];
        for row in y.rows() {
            for ((unit, value), mean) in units.iter_mut().zip(row).zip(&means) {
                *unit = unit.max((value.to_f64() - mean).abs());
            }
        }
        for unit in &mut units {
            if *unit == 0.0 {
                *unit = 1.0;
            }
        }
        let mut values = Vec::with_capacity(n_rows * n_targets);
        for row in y.rows() {
            for ((value, mean), unit) in row.iter().zip(&means).zip(&units) {
                values.push(T::from_f64((value.to_f64() - mean) / unit));
            }
        }
        Self {
            n_targets,
            values,
            means,
            units,
            varies,
        }
    }

    /// Number of targets.
    #[must_use]
    pub fn n_targets(&self) -> usize {
        self.n_targets
    }

    /// The mean of each target that was taken off, and the unit that it was divided by then.
    #[must_use]
    pub fn means_and_units(&self) -> (&[f64], &[f64]) {
        (&self.means, &self.units)
    }

    /// Whether each target takes more than one value.
    #[must_use]
    pub fn varies(&self) -> &[bool] {
        &self.varies
    }

    /// The targets of a row, less their means and in their units.
    #[must_use]
    pub fn row(&self, row: usize) -> &[T] {
        &self.values[row * self.n_targets..][..self.n_targets]
    }
}

/// How a predictor keeps what it needs; the choice changes time and memory and only rounding of the
/// result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// A matrix from training to test rows for every penalty.
    Direct,
    /// Two factors and the penalties' weights between them.
    Factored,
}

impl Form {
    /// The cheaper form for a target, from the sizes of a split and the number of penalties.
    #[must_use]
    pub fn of(n_train: usize, n_test: usize, rank: usize, n_alphas: usize) -> Self {
        let direct = n_alphas * n_test * n_train;
        let factored = rank * n_train + (n_alphas + 1) * n_test * rank;
        if direct <= factored {
            Self::Direct
        } else {
            Self::Factored
        }
    }

    /// Values of `T` that a predictor of this form holds.
    #[must_use]
    pub fn n_values(self, n_train: usize, n_test: usize, rank: usize, n_alphas: usize) -> usize {
        match self {
            Self::Direct => n_alphas * n_test * n_train,
            Self::Factored => rank * (n_train + n_test),
        }
    }
}

/// Predicts the rows of a test set from those of a training set, for any of several penalties.
#[derive(Debug, Clone)]
pub struct Predictor<T> {
    train: Vec<usize>,
    test: Vec<usize>,
    n_alphas: usize,
    intercept: bool,
    matrices: Matrices<T>,
}

#[derive(Debug, Clone)]
enum Matrices<T> {
    /// (n_alphas · n_test, n_train), row by row.
    Direct(Vec<T>),
    Factored {
        rank: usize,
        /// Uᵀ, (rank, n_train), row by row.
        vectors: Vec<T>,
        /// X·V, (n_test, rank), row by row.
        scores: Vec<f64>,
        /// s/(s² + α), a row for each penalty.
        weights: Vec<Vec<f64>>,
    },
}

/// A predictor's view of one chunk of targets.
#[derive(Debug, Clone)]
pub struct Fitted<T> {
    /// Predictions of all penalties, or Uᵀ·y.
    values: Vec<T>,
    /// Means over the training set.
    means: Vec<f64>,
}

impl<T: Real> Predictor<T> {
    /// The predictor of the rows `test` for the penalties `alphas`, in their order.
    ///
    /// # Errors
    ///
    /// [`RidgeError::Singular`] for a penalty of 0 where the columns are dependent.
    pub fn new(
        design: &Design,
        factor: &Factor,
        test: &[usize],
        alphas: &[f64],
        form: Form,
    ) -> Result<Self, RidgeError> {
        let (n_train, rank) = (factor.train.len(), factor.rank());
        if alphas.contains(&0.0) && rank < design.n_columns() {
            return Err(RidgeError::Singular {
                rank,
                n_columns: design.n_columns(),
                n_train,
            });
        }
        let scores = design.scores(factor, test);
        let weights: Vec<Vec<f64>> = alphas
            .iter()
            .map(|alpha| {
                let weight = |s: &f64| s / (s * s + alpha);
                factor.values.iter().map(weight).collect()
            })
            .collect();
        let matrices = match form {
            Form::Direct => Matrices::Direct(
                weights
                    .par_iter()
                    .flat_map_iter(|weights| operator(factor, &scores, weights))
                    .collect(),
            ),
            Form::Factored => Matrices::Factored {
                rank,
                vectors: (0..rank)
                    .flat_map(|k| factor.vectors.col(k).iter().map(|v| T::from_f64(*v)))
                    .collect(),
                scores: (0..test.len())
                    .flat_map(|i| scores.row(i).iter().copied())
                    .collect(),
                weights,
            },
        };
        Ok(Self {
            train: factor.train.clone(),
            test: test.to_vec(),
            n_alphas: alphas.len(),
            intercept: design.has_intercept(),
            matrices,
        })
    }

    /// The rows that are predicted.
    #[must_use]
    pub fn test(&self) -> &[usize] {
        &self.test
    }

    /// Everything about a chunk of targets that does not depend on which penalty is chosen.
    #[must_use]
    pub fn fit(&self, targets: &Targets<T>) -> Fitted<T> {
        let (n_train, width) = (self.train.len(), targets.n_targets);
        let mut train = Vec::with_capacity(n_train * width);
        for &row in &self.train {
            train.extend_from_slice(targets.row(row));
        }
        let mut means = vec![0.0; width];
        if self.intercept {
            for row in train.chunks_exact(width) {
                for (mean, value) in means.iter_mut().zip(row) {
                    *mean += value.to_f64() / n_train as f64;
                }
            }
        }
        let (left, n_left) = match &self.matrices {
            Matrices::Direct(operators) => (operators, self.n_alphas * self.test.len()),
            Matrices::Factored { vectors, rank, .. } => (vectors, *rank),
        };
        let mut values = vec![T::from_f64(0.0); n_left * width];
        multiply((left, n_left, n_train), &train, &mut values, width);
        Fitted { values, means }
    }

    /// Adds the squared errors over the test rows to `sums`, (n_alphas, n_targets) row by row, in the
    /// squared units of the targets.
    ///
    /// # Panics
    ///
    /// When `sums` has another size.
    pub fn add_errors(&self, targets: &Targets<T>, fitted: &Fitted<T>, sums: &mut [f64]) {
        let width = targets.n_targets;
        assert_eq!(sums.len(), self.n_alphas * width, "a sum for each penalty");
        let mut left: Vec<f64> = Vec::with_capacity(self.test.len() * width);
        for &row in &self.test {
            let values = targets.row(row).iter().zip(&fitted.means);
            left.extend(values.map(|(value, mean)| value.to_f64() - mean));
        }
        let mut buffer = Vec::new();
        for (alpha_idx, sums) in sums.chunks_exact_mut(width).enumerate() {
            let predicted: &[T] = match &self.matrices {
                Matrices::Direct(_) => self.predicted(fitted, alpha_idx, width),
                Matrices::Factored { weights, .. } => {
                    self.by_factors(fitted, &weights[alpha_idx], &mut buffer, width);
                    &buffer
                }
            };
            for (left, predicted) in left.chunks_exact(width).zip(predicted.chunks_exact(width)) {
                for ((sum, left), predicted) in sums.iter_mut().zip(left).zip(predicted) {
                    let error = left - predicted.to_f64();
                    *sum += error * error;
                }
            }
        }
    }

    /// Predictions of the test rows, `(n_test, n_targets)` row by row in the units of the data, each target
    /// with the penalty of which `choices` holds the position.
    #[must_use]
    pub fn predict(&self, targets: &Targets<T>, fitted: &Fitted<T>, choices: &[usize]) -> Vec<f64> {
        let width = targets.n_targets;
        let mut chosen = Vec::new();
        match &self.matrices {
            Matrices::Direct(_) => {
                let n_values = self.test.len() * width;
                chosen.reserve_exact(n_values);
                for start in (0..n_values).step_by(width) {
                    let all = &fitted.values[start..];
                    let pick = |(at, choice): (usize, &usize)| all[choice * n_values + at];
                    chosen.extend(choices.iter().enumerate().map(pick));
                }
            }
            Matrices::Factored { weights, .. } => {
                let mut weighted = fitted.clone();
                for (k, row) in weighted.values.chunks_exact_mut(width).enumerate() {
                    for (value, &choice) in row.iter_mut().zip(choices) {
                        *value = T::from_f64(value.to_f64() * weights[choice][k]);
                    }
                }
                let ones = vec![1.0; weights.first().map_or(0, Vec::len)];
                self.by_factors(&weighted, &ones, &mut chosen, width);
            }
        }
        let mut predictions = Vec::with_capacity(chosen.len());
        for row in chosen.chunks_exact(width) {
            for (at, value) in row.iter().enumerate() {
                let own = fitted.means[at] + value.to_f64();
                predictions.push(targets.means[at] + targets.units[at] * own);
            }
        }
        predictions
    }

    fn predicted<'a>(&self, fitted: &'a Fitted<T>, alpha_idx: usize, width: usize) -> &'a [T] {
        let n_values = self.test.len() * width;
        &fitted.values[alpha_idx * n_values..][..n_values]
    }

    /// (X·V ∘ weights)·(Uᵀ·y).
    fn by_factors(
        &self,
        fitted: &Fitted<T>,
        weights: &[f64],
        predicted: &mut Vec<T>,
        width: usize,
    ) {
        let Matrices::Factored { rank, scores, .. } = &self.matrices else {
            unreachable!("only the factored form has factors");
        };
        let n_test = self.test.len();
        predicted.clear();
        predicted.resize(n_test * width, T::from_f64(0.0));
        if *rank == 0 {
            return;
        }
        let weighted: Vec<T> = scores
            .chunks_exact(*rank)
            .flat_map(|row| row.iter().zip(weights).map(|(s, w)| T::from_f64(s * w)))
            .collect();
        multiply((&weighted, n_test, *rank), &fitted.values, predicted, width);
    }
}

/// (X·V ∘ weights)·Uᵀ, row by row.
fn operator<T: Real>(factor: &Factor, scores: &Mat<f64>, weights: &[f64]) -> Vec<T> {
    let (n_test, n_train) = (scores.nrows(), factor.train.len());
    let weighted = Mat::from_fn(n_test, weights.len(), |i, k| scores[(i, k)] * weights[k]);
    let mut product = Mat::<f64>::zeros(n_test, n_train);
    matmul(
        product.as_mut(),
        Accum::Replace,
        weighted.as_ref(),
        factor.vectors.transpose(),
        1.0,
        Par::Seq,
    );
    (0..n_test)
        .flat_map(|i| {
            product
                .row(i)
                .iter()
                .map(|v| T::from_f64(*v))
                .collect::<Vec<T>>()
        })
        .collect()
}

/// The product of two matrices, all stored row by row.
fn multiply<T: Real>(
    (left, n_left, n_inner): (&[T], usize, usize),
    right: &[T],
    product: &mut [T],
    width: usize,
) {
    if n_left == 0 || n_inner == 0 {
        return;
    }
    matmul(
        MatMut::from_row_major_slice_mut(product, n_left, width),
        Accum::Replace,
        MatRef::from_row_major_slice(left, n_left, n_inner),
        MatRef::from_row_major_slice(right, n_inner, width),
        T::from_f64(1.0),
        Par::Seq,
    );
}
