//! Variances of scores and of their differences, and the t-tests they allow.

use consilience_stats::tails::{student_t_isf, student_t_sf, student_t_two_sided};
use ndarray::{Array2, ArrayView2};

use super::bootstrap::Evaluation;

/// Covariances of scores (and ceilings), and what turns them into the variance of an estimate.
pub(super) struct Spread {
    /// One, or three for the dual bootstrap: both, subjects, conditions.
    covariances: Vec<Covariance>,
    factors: Factors,
    /// Degrees of freedom of the t-tests.
    pub dof: usize,
    /// Whether the ceiling is taken as known though it was resampled.
    pub ceiling_known: bool,
    /// Whether a score above the ceiling speaks against equality too.
    pub ceiling_two_sided: bool,
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
            covariances: vec![Covariance::of(covariance(&rows) / n_subjects as f64)],
            factors: Factors::Fixed,
            dof: n_subjects - 1,
            ceiling_known: true,
            ceiling_two_sided: false,
        }
    }

    /// From evaluations on resamples of one factor with `n_levels` levels.
    ///
    /// Where models were cross-validated, every draw was evaluated on `n_divisions` random divisions into
    /// folds; 1 otherwise.
    pub fn over_one_factor(
        evaluations: &[Vec<Evaluation>],
        n_divisions: usize,
        n_levels: usize,
    ) -> Self {
        Self {
            covariances: covariances(evaluations, n_divisions),
            factors: Factors::One(n_levels),
            dof: n_levels - 1,
            ceiling_known: false,
            ceiling_two_sided: false,
        }
    }

    /// From evaluations on resamples of both factors.
    pub fn over_both(
        evaluations: &[Vec<Evaluation>],
        n_divisions: usize,
        n_subjects: usize,
        n_conditions: usize,
    ) -> Self {
        Self {
            covariances: covariances(evaluations, n_divisions),
            factors: Factors::Two {
                n_subjects,
                n_conditions,
            },
            dof: n_subjects.min(n_conditions) - 1,
            ceiling_known: false,
            ceiling_two_sided: false,
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
    fn of_distance_to_ceiling(&self, model: usize) -> f64 {
        if self.ceiling_known {
            return self.of_score(model);
        }
        // Evaluations end with the lower and the upper ceiling.
        self.of_difference(model, self.covariances[0].all.nrows() - 2)
    }

    /// The variance of an estimate from its variances over resamples.
    ///
    /// A bootstrap of n levels has (n − 1)/n of the variance. Resampling both factors at once counts
    /// the noise of their interaction thrice; the dual bootstrap takes two parts off again (Schütt,
    /// Kipnis, Diedrichsen & Kriegeskorte 2023, doi:10.7554/eLife.82566), and the result stays
    /// between the corrected variance of either factor and the uncorrected one of both.
    fn combine(&self, variance: impl Fn(&Array2<f64>) -> f64) -> f64 {
        match self.factors {
            Factors::Fixed => self.covariances[0].of_variance(&variance),
            Factors::One(n) => inflation(n) * self.covariances[0].of_variance(&variance),
            Factors::Two {
                n_subjects,
                n_conditions,
            } => {
                let [both, subjects, conditions] =
                    [0, 1, 2].map(|k| self.covariances[k].of_variance(&variance));
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

    /// p of the distance of a score to the lower ceiling.
    pub fn p_below_ceiling(&self, model: usize, distance: f64) -> f64 {
        let variance = self.of_distance_to_ceiling(model);
        if self.ceiling_two_sided {
            self.p_not_zero(distance, variance)
        } else {
            self.p_above_zero(distance, variance)
        }
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

/// Covariance of evaluations over draws.
struct Covariance {
    /// All of it.
    all: Array2<f64>,
    /// Without the part that random divisions into folds add, where there were some.
    without_divisions: Option<Array2<f64>>,
}

impl Covariance {
    fn of(all: Array2<f64>) -> Self {
        Self {
            all,
            without_divisions: None,
        }
    }

    /// Of the mean over R divisions of each draw, and with the part of the divisions taken off: that mean
    /// has 1/R of it and single divisions have all, so (R·cov(mean) − mean of cov(single))/(R − 1) has none
    /// (Schütt, Kipnis, Diedrichsen & Kriegeskorte 2023).
    fn of_divisions(by_draw: &[&[Evaluation]], n_divisions: usize) -> Self {
        let n_columns = by_draw.first().map_or(0, |draw| draw[0].len());
        let means: Vec<Vec<f64>> = by_draw
            .iter()
            .map(|draw| {
                let mean = |c: usize| draw.iter().map(|e| e[c]).sum::<f64>() / draw.len() as f64;
                (0..n_columns).map(mean).collect()
            })
            .collect();
        let all = covariance(&means.iter().collect::<Vec<_>>());
        if n_divisions < 2 {
            return Self::of(all);
        }
        let r = n_divisions as f64;
        let mut single: Array2<f64> = Array2::zeros(all.dim());
        for division in 0..n_divisions {
            let rows: Vec<&Vec<f64>> = by_draw.iter().map(|draw| &draw[division]).collect();
            single += &(covariance(&rows) / r);
        }
        Self {
            without_divisions: Some((&all * r - single) / (r - 1.0)),
            all,
        }
    }

    /// A variance; where nothing is left of it without the divisions (few draws), with them, which errs on
    /// the safe side.
    fn of_variance(&self, variance: &impl Fn(&Array2<f64>) -> f64) -> f64 {
        let without = self.without_divisions.as_ref().map(variance);
        without
            .filter(|v| *v > 0.0)
            .unwrap_or_else(|| variance(&self.all))
    }
}

/// One covariance for each kind of evaluation, which are `n_divisions` evaluations each.
fn covariances(evaluations: &[Vec<Evaluation>], n_divisions: usize) -> Vec<Covariance> {
    let n_kinds = evaluations.first().map_or(0, Vec::len) / n_divisions;
    (0..n_kinds)
        .map(|kind| {
            let of_kind = kind * n_divisions..(kind + 1) * n_divisions;
            let by_draw: Vec<&[Evaluation]> =
                evaluations.iter().map(|e| &e[of_kind.clone()]).collect();
            Covariance::of_divisions(&by_draw, n_divisions)
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
