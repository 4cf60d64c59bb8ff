//! The definition in plain loops.

use ndarray::{Array1, Array2};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::encoding::{Folds, RidgeOutcome, RidgeParams, ridge};

/// A ridge problem with an answer by definition.
#[derive(Debug, Clone)]
pub struct Problem {
    pub x: Array2<f64>,
    pub y: Array2<f64>,
    pub params: RidgeParams,
}

/// What the definition gives.
pub struct Reference {
    pub alpha: Vec<f64>,
    pub predictions: Array2<f64>,
    /// How near the second best penalty came, as a share of the error; choices below rounding prove nothing.
    pub margin: f64,
}

impl Problem {
    /// Random features and targets of which the first depend on them.
    pub fn new(seed: u64, n_rows: usize, n_features: usize, n_targets: usize) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut noise = |shape: (usize, usize)| {
            Array2::from_shape_fn(shape, |_| rng.random_range(-1.0..1.0_f64))
        };
        let x = noise((n_rows, n_features)) + 2.0;
        let mut weights = noise((n_features, n_targets));
        for (target, mut column) in weights.columns_mut().into_iter().enumerate() {
            column *= 1.0 / (1.0 + target as f64);
        }
        let y = x.dot(&weights) + noise((n_rows, n_targets)) - 5.0;
        let n_folds = 3 + (seed % 3) as usize;
        let folds = match seed % 2 {
            0 => Folds::Contiguous(n_folds),
            _ => Folds::Given(
                (0..n_rows)
                    .map(|row| (row * 7 % n_folds) as i64 * 2)
                    .collect(),
            ),
        };
        Self {
            x,
            y,
            params: RidgeParams {
                alphas: vec![0.03, 30.0, 0.3, 3.0, 300.0],
                folds,
                intercept: !seed.is_multiple_of(5),
                nested: seed.is_multiple_of(3),
            },
        }
    }

    pub fn solve(&self) -> RidgeOutcome {
        ridge(self.x.view().into(), self.y.view().into(), &self.params).unwrap()
    }

    pub fn reference(&self) -> Reference {
        let folds = self
            .params
            .folds
            .rows(self.x.nrows(), self.params.nested)
            .unwrap();
        let mut predictions = Array2::zeros(self.y.dim());
        let mut alpha = Vec::new();
        let mut margin = f64::INFINITY;
        for target in 0..self.y.ncols() {
            let all: Vec<usize> = (0..folds.len()).collect();
            let (best, distance) = self.choose(&folds, &all, target);
            alpha.push(best);
            margin = margin.min(distance);
            for (fold, test) in folds.iter().enumerate() {
                let others: Vec<usize> = all.iter().copied().filter(|&f| f != fold).collect();
                let mut alpha = best;
                if self.params.nested {
                    let (best, distance) = self.choose(&folds, &others, target);
                    alpha = best;
                    margin = margin.min(distance);
                }
                let train = rows(&folds, &others);
                for (&row, value) in test.iter().zip(self.predict(&train, test, target, alpha)) {
                    predictions[[row, target]] = value;
                }
            }
        }
        Reference {
            alpha,
            predictions,
            margin,
        }
    }

    /// The best penalty over the given folds, each predicted from the others of them.
    fn choose(&self, folds: &[Vec<usize>], used: &[usize], target: usize) -> (f64, f64) {
        let mut errors: Vec<(f64, f64)> = self
            .params
            .alphas
            .iter()
            .map(|&alpha| {
                let error = used.iter().map(|&fold| {
                    let others: Vec<usize> = used.iter().copied().filter(|&f| f != fold).collect();
                    let found = self.predict(&rows(folds, &others), &folds[fold], target, alpha);
                    let errors = folds[fold].iter().zip(found);
                    errors
                        .map(|(&row, value)| (self.y[[row, target]] - value).powi(2))
                        .sum::<f64>()
                });
                (error.sum::<f64>(), alpha)
            })
            .collect();
        errors.sort_by(|a, b| a.0.total_cmp(&b.0));
        (errors[0].1, errors[1].0 / errors[0].0 - 1.0)
    }

    /// Solves (XᵀX + α·I)·w = Xᵀy by elimination.
    fn predict(&self, train: &[usize], test: &[usize], target: usize, alpha: f64) -> Vec<f64> {
        let p = self.x.ncols();
        let share = if self.params.intercept {
            1.0 / train.len() as f64
        } else {
            0.0
        };
        let mean_x: Array1<f64> = train
            .iter()
            .fold(Array1::zeros(p), |sum, &row| sum + &self.x.row(row) * share);
        let mean_y: f64 = train.iter().map(|&row| self.y[[row, target]] * share).sum();
        let mut system = Array2::<f64>::eye(p) * alpha;
        let mut right = Array1::<f64>::zeros(p);
        for &row in train {
            let x = &self.x.row(row) - &mean_x;
            for i in 0..p {
                for j in 0..p {
                    system[[i, j]] += x[i] * x[j];
                }
                right[i] += x[i] * (self.y[[row, target]] - mean_y);
            }
        }
        for k in 0..p {
            for i in k + 1..p {
                let factor = system[[i, k]] / system[[k, k]];
                for j in k..p {
                    system[[i, j]] -= factor * system[[k, j]];
                }
                right[i] -= factor * right[k];
            }
        }
        for k in (0..p).rev() {
            let known: f64 = (k + 1..p).map(|j| system[[k, j]] * right[j]).sum();
            right[k] = (right[k] - known) / system[[k, k]];
        }
        test.iter()
            .map(|&row| mean_y + (&self.x.row(row) - &mean_x).dot(&right))
            .collect()
    }
}

fn rows(folds: &[Vec<usize>], used: &[usize]) -> Vec<usize> {
    used.iter()
        .flat_map(|&fold| folds[fold].iter().copied())
        .collect()
}

/// Every value is the expected one within a tolerance relative to the largest.
#[track_caller]
pub fn assert_close(found: &Array2<f64>, expected: &Array2<f64>, tolerance: f64) {
    assert_eq!(found.dim(), expected.dim());
    let scale = expected.iter().fold(0.0_f64, |m, v| m.max(v.abs()));
    for ((at, found), expected) in found.indexed_iter().zip(expected) {
        assert!(
            (found - expected).abs() <= tolerance * scale,
            "{at:?}: found {found}, expected {expected}"
        );
    }
}
