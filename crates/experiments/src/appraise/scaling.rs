//! Features and ratings as heads learn from them, and the way back.

use ndarray::{Array2, ArrayView2};

use super::{HeadKind, HeadParams};
use crate::head::{HeadOutput, RatingHead};

/// Means and standard deviations (denominator n) of a training set.
pub(super) struct Scaling {
    means: Vec<f64>,
    /// 0 for features that do not vary in the training set.
    deviations: Vec<f64>,
    /// What is taken from a rating, and what the rest is divided by.
    centre: f64,
    unit: f64,
    output: HeadOutput,
}

impl Scaling {
    pub fn of(
        features: ArrayView2<'_, f32>,
        ratings: &[f64],
        rows: &[usize],
        params: &HeadParams,
    ) -> Self {
        let n = rows.len() as f64;
        let p = features.ncols();
        let mut means = vec![0.0; p];
        for &row in rows {
            for (mean, &x) in means.iter_mut().zip(features.row(row)) {
                *mean += f64::from(x) / n;
            }
        }
        let mut squares = vec![0.0; p];
        let mut varies = vec![false; p];
        let first = features.row(rows[0]);
        for &row in rows {
            for (j, &x) in features.row(row).iter().enumerate() {
                squares[j] += (f64::from(x) - means[j]).powi(2);
                // Rounding of the mean must not become a deviation.
                varies[j] |= x != first[j];
            }
        }
        let deviations = squares
            .iter()
            .zip(&varies)
            .map(|(square, varies)| match varies {
                true => (square / n).sqrt(),
                false => 0.0,
            });
        let (centre, unit, output) = match (params.head, params.scale) {
            (HeadKind::Sigmoid, Some([low, high])) => {
                (low, high - low, HeadOutput::Sigmoid { low, high })
            }
            _ => {
                let centre = rows.iter().map(|&row| ratings[row]).sum::<f64>() / n;
                let squares = rows.iter().map(|&row| (ratings[row] - centre).powi(2));
                let deviation = (squares.sum::<f64>() / n).sqrt();
                let varies = rows.iter().any(|&row| ratings[row] != ratings[rows[0]]);
                (
                    centre,
                    if varies { deviation } else { 1.0 },
                    HeadOutput::Linear,
                )
            }
        };
        Self {
            deviations: deviations.collect(),
            means,
            centre,
            unit,
            output,
        }
    }

    /// z-scores of the features of some pictures; 0 where the training set does not vary.
    pub fn features(&self, features: ArrayView2<'_, f32>, rows: &[usize]) -> Array2<f64> {
        let mut scaled = Array2::zeros((rows.len(), self.means.len()));
        for (mut slot, &row) in scaled.rows_mut().into_iter().zip(rows) {
            let values = features.row(row);
            for (j, slot) in slot.iter_mut().enumerate() {
                if self.deviations[j] > 0.0 {
                    *slot = (f64::from(values[j]) - self.means[j]) / self.deviations[j];
                }
            }
        }
        scaled
    }

    /// z-scores of the ratings, or, for a sigmoid head, their places on the scale from 0 to 1.
    pub fn ratings(&self, ratings: &[f64], rows: &[usize]) -> Vec<f64> {
        let scaled = rows
            .iter()
            .map(|&row| (ratings[row] - self.centre) / self.unit);
        scaled.collect()
    }

    /// A difference of ratings in the unit of scaled ones.
    pub fn difference(&self, difference: f64) -> f64 {
        difference / self.unit
    }

    /// The head on features and ratings as they are that does what this one does on scaled ones.
    pub fn head(&self, weights: &[f64], bias: f64) -> RatingHead {
        let (unit, centre) = match self.output {
            HeadOutput::Linear => (self.unit, self.centre),
            HeadOutput::Sigmoid { .. } => (1.0, 0.0),
        };
        let scaled = weights.iter().zip(&self.deviations);
        let weights: Vec<f32> = scaled
            .map(|(w, deviation)| match *deviation > 0.0 {
                true => (unit * w / deviation) as f32,
                false => 0.0,
            })
            .collect();
        // Of the weights as they are kept, so that their rounding does not shift the ratings.
        let products = weights.iter().zip(&self.means);
        let of_means: f64 = products.map(|(&w, mean)| f64::from(w) * mean).sum();
        RatingHead {
            weights,
            bias: (centre + unit * bias - of_means) as f32,
            output: self.output,
        }
    }
}
