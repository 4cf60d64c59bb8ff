//! Variances of scores and of their differences, and the t-tests they allow.

use consilience_stats::tails::{student_t_isf, student_t_sf, student_t_two_sided};
use ndarray::{Array2, ArrayView2};

use super::bootstrap::Evaluation;

/// Covariances of scores (and ceilings), and what turns them into the variance of an estimate.
pub(super) struct Spread {
    /// One matrix, or three for the dual bootstrap: both, subjects, conditions.
    covariances: Vec<Array2<f64>>,
    factors: Factors,
    /// Degrees of freedom of the t-tests.
    pub dof: usize,
}

/// What varied between evaluations.
enum Factors {
    /// Nothing was resampled: the covariance is that of a mean already, and the ceiling is taken as
    /// known.
    Fixed,
    /// One of them, with this many levels.
    One(usize),
    /// Both.
    Two {
        n_subjects: usize,
        n_conditions: usize,
    },
}

/// A t-test needs some variance: that of rounding errors stands in for none at all.
const MIN_VARIANCE: f64 = f64::EPSILON;

impl Spread {
    /// From scores of each subject, `(n_models, n_subjects)` with at least 2 subjects.
    pub fn over_subjects(scores: ArrayView2<'_, f64>) -> Self {
        let n_subjects = scores.ncols();
        let by_subject: Vec<Vec<f64>> = scores.columns().into_iter().map(|c| c.to_vec()).collect();
        let rows: Vec<&Vec<f64>> = by_subject.iter().collect();
        Self {
            covariances: vec![covariance(&rows) / n_subjects as f64],
            factors: Factors::Fixed,
            dof: n_subjects - 1,
        }
    }

    /// From evaluations on resamples of one factor with `n_levels` levels.
    pub fn over_one_factor(evaluations: &[Vec<Evaluation>], n_levels: usize) -> Self {
        Self {
            covariances: covariances(evaluations),
            factors: Factors::One(n_levels),
            dof: n_levels - 1,
        }
    }

    /// From evaluations on resamples of both factors.
    pub fn over_both(
        evaluations: &[Vec<Evaluation>],
        n_subjects: usize,
        n_conditions: usize,
    ) -> Self {
        Self {
            covariances: covariances(evaluations),
            factors: Factors::Two {
                n_subjects,
                n_conditions,
            },
            dof: n_subjects.min(n_conditions) - 1,
        }
    }

    /// Variance of the score of a model.
    pub fn of_score(&self, model: usize) -> f64 {
        self.combine(|c| c[[model, model]])
    }

    /// Variance of the difference of the scores of two models.
    pub fn of_difference(&self, a: usize, b: usize) -> f64 {
        self.combine(|c| c[[a, a]] + c[[b, b]] - 2.0 * c[[a, b]])
    }

    /// Variance of the difference between a score and the lower ceiling.
    pub fn of_distance_to_ceiling(&self, model: usize) -> f64 {
        match self.factors {
            Factors::Fixed => self.of_score(model),
            // Evaluations end with the lower and the upper ceiling.
            Factors::One(_) | Factors::Two { .. } => {
                self.of_difference(model, self.covariances[0].nrows() - 2)
            }
        }
    }

    /// The variance of an estimate from its variances over resamples.
    ///
    /// A bootstrap of n levels has (n − 1)/n of the variance. Resampling both factors at once counts
    /// the noise of their interaction thrice; the dual bootstrap takes two parts off again (Schütt,
    /// Kipnis, Diedrichsen & Kriegeskorte 2023, doi:10.7554/eLife.82566), and the result stays
    /// between the corrected variance of either factor and the uncorrected one of both.
    fn combine(&self, variance: impl Fn(&Array2<f64>) -> f64) -> f64 {
        match self.factors {
            Factors::Fixed => variance(&self.covariances[0]),
            Factors::One(n) => inflation(n) * variance(&self.covariances[0]),
            Factors::Two {
                n_subjects,
                n_conditions,
            } => {
                let [both, subjects, conditions] =
                    [0, 1, 2].map(|k| variance(&self.covariances[k]));
                let by_subjects = inflation(n_subjects) * subjects;
                let by_conditions = inflation(n_conditions) * conditions;
                let interaction = inflation(n_subjects)
                    * inflation(n_conditions)
                    * (both - subjects - conditions);
                (by_subjects + by_conditions - interaction)
                    .max(by_subjects)
                    .max(by_conditions)
                    .min(both)
            }
        }
    }

    /// One-sided p for `estimate` > 0.
    pub fn p_above_zero(&self, estimate: f64, variance: f64) -> f64 {
        student_t_sf(t_value(estimate, variance), self.dof as f64)
    }

    /// Two-sided p for `estimate` ≠ 0.
    pub fn p_not_zero(&self, estimate: f64, variance: f64) -> f64 {
        student_t_two_sided(t_value(estimate, variance), self.dof as f64)
    }

    /// The 95 % interval of an estimate.
    pub fn interval(&self, estimate: f64, variance: f64) -> [f64; 2] {
        let half = student_t_isf(0.025, self.dof as f64) * variance.max(0.0).sqrt();
        [estimate - half, estimate + half]
    }
}

fn t_value(estimate: f64, variance: f64) -> f64 {
    estimate / variance.max(MIN_VARIANCE).sqrt()
}

fn inflation(n: usize) -> f64 {
    n as f64 / (n as f64 - 1.0)
}

/// One covariance matrix for each kind of evaluation.
fn covariances(evaluations: &[Vec<Evaluation>]) -> Vec<Array2<f64>> {
    let n_kinds = evaluations.first().map_or(0, Vec::len);
    (0..n_kinds)
        .map(|kind| {
            let rows: Vec<&Vec<f64>> = evaluations.iter().map(|e| &e[kind]).collect();
            covariance(&rows)
        })
        .collect()
}

/// Covariance of the columns of some rows, with denominator n − 1.
fn covariance(rows: &[&Vec<f64>]) -> Array2<f64> {
    let (n, n_columns) = (rows.len(), rows.first().map_or(0, |r| r.len()));
    let mut means = vec![0.0; n_columns];
    for row in rows {
        means
            .iter_mut()
            .zip(*row)
            .for_each(|(mean, x)| *mean += x / n as f64);
    }
    let mut sums = Array2::zeros((n_columns, n_columns));
    for row in rows {
        let centred: Vec<f64> = row.iter().zip(&means).map(|(x, mean)| x - mean).collect();
        for (mut sums, a) in sums.rows_mut().into_iter().zip(&centred) {
            sums.iter_mut()
                .zip(&centred)
                .for_each(|(sum, b)| *sum += a * b);
        }
    }
    sums / (n as f64 - 1.0)
}
