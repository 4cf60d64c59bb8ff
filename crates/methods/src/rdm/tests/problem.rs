//! The definitions in plain loops.

use consilience_core::pairs;
use consilience_stats::rank::average_ranks;
use ndarray::Array2;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::NanPolicy;
use crate::rdm::{Dissimilarity, RdmOutcome, RdmParams, rdm};

/// An RDM problem with an answer by definition.
#[derive(Debug, Clone)]
pub struct Problem {
    pub patterns: Array2<f64>,
    pub params: RdmParams,
}

impl Problem {
    /// Random patterns of the kind a measure is for: `n_runs` runs of `n_conditions` conditions.
    pub fn new(
        dissimilarity: Dissimilarity,
        seed: u64,
        n_conditions: usize,
        n_channels: usize,
    ) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let n_runs = 3;
        // Each condition once a run, then some more of either.
        let mut rows: Vec<(i64, i64)> = (0..n_conditions as i64)
            .flat_map(|c| (0..n_runs).map(move |r| (3 * c - 4, r)))
            .collect();
        for _ in 0..rng.random_range(0..6) {
            rows.push(rows[rng.random_range(0..rows.len())]);
        }
        for i in (1..rows.len()).rev() {
            rows.swap(i, rng.random_range(0..=i));
        }
        let offset = rng.random_range(-20.0..20.0);
        let patterns = Array2::from_shape_fn((rows.len(), n_channels), |_| match dissimilarity {
            Dissimilarity::PoissonKl | Dissimilarity::PoissonKlCv => {
                f64::from(rng.random_range(0..12_u8))
            }
            // Ties, as behind a ReLU.
            Dissimilarity::Spearman => rng.random_range(-1.0..1.0_f64).max(0.0),
            _ => offset + rng.random_range(-1.0..1.0),
        });
        let weighted = matches!(
            dissimilarity,
            Dissimilarity::Mahalanobis | Dissimilarity::Crossnobis
        );
        let precision = weighted.then(|| {
            let root =
                Array2::from_shape_fn((n_channels, n_channels), |_| rng.random_range(-1.0..1.0));
            root.t().dot(&root)
        });
        let crossed = dissimilarity.is_crossvalidated();
        let labelled = crossed || seed.is_multiple_of(2);
        Self {
            patterns,
            params: RdmParams {
                dissimilarity,
                per_channel: seed.is_multiple_of(3)
                    && matches!(
                        dissimilarity,
                        Dissimilarity::Euclidean | Dissimilarity::Sqeuclidean
                    ),
                conditions: labelled.then(|| rows.iter().map(|r| r.0).collect()),
                runs: crossed.then(|| rows.iter().map(|r| r.1).collect()),
                noise_precision: precision,
                ..RdmParams::default()
            },
        }
    }

    /// Makes a share of the values missing, and one channel altogether.
    pub fn with_missing(mut self, seed: u64, share: f64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        self.patterns
            .mapv_inplace(|v| if rng.random_bool(share) { f64::NAN } else { v });
        self.patterns.column_mut(1).fill(f64::NAN);
        self.params.nan = NanPolicy::Omit;
        self
    }

    /// The mean of the rows that `keep` holds for, NaN left out.
    fn mean(&self, keep: impl Fn(usize) -> bool) -> Vec<f64> {
        self.patterns
            .columns()
            .into_iter()
            .map(|column| {
                let values: Vec<f64> = (0..column.len())
                    .filter(|&row| keep(row) && !column[row].is_nan())
                    .map(|row| column[row])
                    .collect();
                values.iter().sum::<f64>() / values.len() as f64
            })
            .collect()
    }

    /// The definition, in loops.
    pub fn reference(&self) -> Vec<f64> {
        let n_rows = self.patterns.nrows();
        let labels = self
            .params
            .conditions
            .clone()
            .unwrap_or_else(|| (0..n_rows as i64).collect());
        let mut conditions = labels.clone();
        conditions.sort_unstable();
        conditions.dedup();
        let folds: Vec<Vec<[Vec<f64>; 2]>> = match &self.params.runs {
            None => vec![
                conditions
                    .iter()
                    .map(|&c| {
                        let mean = self.mean(|row| labels[row] == c);
                        [mean.clone(), mean]
                    })
                    .collect(),
            ],
            Some(runs) => (0..3)
                .map(|run| {
                    conditions
                        .iter()
                        .map(|&c| {
                            [
                                self.mean(|row| labels[row] == c && runs[row] != run),
                                self.mean(|row| labels[row] == c && runs[row] == run),
                            ]
                        })
                        .collect()
                })
                .collect(),
        };
        pairs::iter(conditions.len())
            .map(|(i, j)| {
                let common: Vec<usize> = (0..self.patterns.ncols())
                    .filter(|&k| {
                        folds.iter().all(|fold| {
                            [&fold[i], &fold[j]]
                                .iter()
                                .all(|sides| sides.iter().all(|s| !s[k].is_nan()))
                        })
                    })
                    .collect();
                let pick = |v: &[f64]| -> Vec<f64> { common.iter().map(|&k| v[k]).collect() };
                let values: Vec<f64> = folds
                    .iter()
                    .map(|fold| {
                        let [x, x_other] = [&fold[i][0], &fold[i][1]].map(|v| pick(v));
                        let [y, y_other] = [&fold[j][0], &fold[j][1]].map(|v| pick(v));
                        self.dissimilarity(&x, &y, &x_other, &y_other, &common)
                    })
                    .collect();
                values.iter().sum::<f64>() / values.len() as f64
            })
            .collect()
    }

    fn dissimilarity(
        &self,
        x: &[f64],
        y: &[f64],
        x_other: &[f64],
        y_other: &[f64],
        common: &[usize],
    ) -> f64 {
        let p = x.len() as f64;
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        let cosine = |a: &[f64], b: &[f64]| 1.0 - dot(a, b) / (dot(a, a) * dot(b, b)).sqrt();
        let centred = |a: &[f64]| -> Vec<f64> {
            let mean = a.iter().sum::<f64>() / p;
            a.iter().map(|v| v - mean).collect()
        };
        let minus =
            |a: &[f64], b: &[f64]| -> Vec<f64> { a.iter().zip(b).map(|(a, b)| a - b).collect() };
        let difference = minus(x, y);
        let divisor = if self.params.per_channel { p } else { 1.0 };
        match self.params.dissimilarity {
            Dissimilarity::Correlation => cosine(&centred(x), &centred(y)),
            Dissimilarity::Spearman => {
                cosine(&centred(&average_ranks(x)), &centred(&average_ranks(y)))
            }
            Dissimilarity::Cosine => cosine(x, y),
            Dissimilarity::Euclidean => (dot(&difference, &difference) / divisor).sqrt(),
            Dissimilarity::Sqeuclidean => dot(&difference, &difference) / divisor,
            Dissimilarity::Mahalanobis | Dissimilarity::Crossnobis => {
                let other = minus(x_other, y_other);
                let precision = self.params.noise_precision.as_ref().unwrap();
                let mut total = 0.0;
                for (a, &k) in common.iter().enumerate() {
                    for (b, &l) in common.iter().enumerate() {
                        total += difference[a] * precision[[k, l]] * other[b];
                    }
                }
                total / p
            }
            Dissimilarity::PoissonKl | Dissimilarity::PoissonKlCv => {
                let rate = |v: f64| (v + 0.1) / 1.1;
                (0..x.len())
                    .map(|k| (rate(x[k]) - rate(y[k])) * (rate(x_other[k]) / rate(y_other[k])).ln())
                    .sum::<f64>()
                    / p
            }
        }
    }

    pub fn solve(&self) -> RdmOutcome {
        rdm(self.patterns.view(), &self.params).unwrap()
    }
}

/// Compares with a tolerance relative to each value, or to the mean size where values pass zero.
pub fn assert_close(found: &[f64], expected: &[f64], tolerance: f64, signed: bool) {
    assert_eq!(found.len(), expected.len());
    let mean = expected.iter().map(|v| v.abs()).sum::<f64>() / expected.len() as f64;
    for (k, (f, e)) in found.iter().zip(expected).enumerate() {
        let scale = if signed { mean.max(e.abs()) } else { e.abs() };
        assert!(
            (f - e).abs() <= tolerance * scale,
            "pair {k}: found {f}, expected {e}"
        );
    }
}
