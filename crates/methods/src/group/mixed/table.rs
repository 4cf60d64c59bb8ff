//! A table of scores and covariates in the terms of the model.

use ndarray::ArrayView2;

use super::error::MixedError;
use super::products::Observation;
use crate::error::same_count;
use crate::{MethodsError, Result};

/// The scores of each subject who has one, about the means of their models and in a unit near their spread.
pub(super) struct Table {
    pub subjects: Vec<Vec<Observation>>,
    pub means: Vec<f64>,
    pub unit: f64,
    pub covariate_units: Vec<f64>,
    /// Largest score, in that unit.
    largest: f64,
}

impl Table {
    pub fn new(scores: ArrayView2<'_, f64>, covariates: &[ArrayView2<'_, f64>]) -> Result<Self> {
        let present = |&(_, v): &(_, &f64)| !v.is_nan();
        let mut means = Vec::new();
        for (model, row) in scores.rows().into_iter().enumerate() {
            let values: Vec<f64> = row.iter().copied().filter(|v| !v.is_nan()).collect();
            if values.is_empty() {
                return Err(MixedError::NoScores { model }.into());
            }
            means.push(mean(&values));
        }
        let deviations: Vec<f64> = scores
            .indexed_iter()
            .filter(present)
            .map(|((m, _), v)| v - means[m])
            .collect();
        let largest = scores
            .iter()
            .filter(|v| !v.is_nan())
            .fold(0.0_f64, |l, v| l.max(v.abs()));
        let unit = root_mean_square(&deviations);
        if unit <= ROUNDING * largest {
            return Err(MixedError::NoVariance { within_only: false }.into());
        }
        let centred: Vec<(f64, f64)> = covariates
            .iter()
            .map(|x| {
                let values: Vec<f64> = scores
                    .indexed_iter()
                    .filter(present)
                    .map(|(at, _)| x[at])
                    .collect();
                let centre = mean(&values);
                let deviations: Vec<f64> = values.iter().map(|v| v - centre).collect();
                (centre, root_mean_square(&deviations))
            })
            .collect();
        if centred
            .iter()
            .any(|(centre, unit)| *unit <= ROUNDING * centre.abs())
        {
            return Err(MixedError::Collinear.into());
        }
        let subjects = scores
            .columns()
            .into_iter()
            .enumerate()
            .map(|(subject, column)| {
                column
                    .iter()
                    .enumerate()
                    .filter(|(_, v)| !v.is_nan())
                    .map(|(model, score)| Observation {
                        model,
                        covariates: covariates
                            .iter()
                            .zip(&centred)
                            .map(|(x, (centre, unit))| (x[[model, subject]] - centre) / unit)
                            .collect(),
                        score: (score - means[model]) / unit,
                    })
                    .collect::<Vec<_>>()
            })
            .filter(|subject| !subject.is_empty())
            .collect();
        Ok(Self {
            subjects,
            means,
            unit,
            covariate_units: centred.into_iter().map(|(_, unit)| unit).collect(),
            largest: largest / unit,
        })
    }

    /// Whether a variance is more than the rounding of the scores.
    pub fn varies(&self, variance: f64) -> bool {
        variance.sqrt() > ROUNDING * self.largest
    }
}

/// Differences that are smaller than this share of the numbers they come from are rounding.
const ROUNDING: f64 = 4.0 * f64::EPSILON;

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// Without overflow or underflow of the squares.
fn root_mean_square(values: &[f64]) -> f64 {
    let largest = values.iter().fold(0.0_f64, |l, v| l.max(v.abs()));
    if largest == 0.0 {
        return 0.0;
    }
    let square: f64 = values.iter().map(|v| (v / largest).powi(2)).sum();
    largest * (square / values.len() as f64).sqrt()
}

pub(super) fn check_covariates(
    scores: ArrayView2<'_, f64>,
    covariates: &[ArrayView2<'_, f64>],
) -> Result<()> {
    for x in covariates {
        for (what, axis) in [
            ("models of a covariate, as of the scores", 0),
            ("subjects of a covariate, as of the scores", 1),
        ] {
            let (expected, found) = (scores.shape()[axis], x.shape()[axis]);
            same_count(what, expected, found)?;
        }
        let bad = x
            .indexed_iter()
            .find(|&(at, v)| !(scores[at].is_nan() || v.is_finite() && v.abs() <= 1e150));
        if let Some(((row, column), &value)) = bad {
            return Err(MethodsError::NonFinite {
                what: "a covariate (models × subjects)",
                row,
                column,
                value,
                cure: "correct it, or set the score to NaN and omit it",
            });
        }
    }
    Ok(())
}
