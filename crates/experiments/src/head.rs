//! Heads that rate pictures: one number from the features of a cut network.

use ndarray::{Array1, ArrayView1, ArrayView2};
use serde::{Deserialize, Serialize};

use crate::error::{ExperimentError, Result};

/// What becomes of a head's weighted sum.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HeadOutput {
    /// It is the rating.
    Linear,
    /// low + (high − low)·σ(sum): a rating within a declared scale.
    Sigmoid {
        /// Lower end of the scale.
        low: f64,
        /// Upper end.
        high: f64,
    },
}

impl HeadOutput {
    /// The rating of a weighted sum.
    #[must_use]
    pub fn of(self, sum: f64) -> f64 {
        match self {
            Self::Linear => sum,
            Self::Sigmoid { low, high } => low + (high - low) / (1.0 + (-sum).exp()),
        }
    }
}

/// A head that has learnt to rate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RatingHead {
    /// Weight of each feature.
    pub weights: Vec<f32>,
    /// What is added to the weighted sum.
    pub bias: f32,
    /// What becomes of it.
    pub output: HeadOutput,
}

impl RatingHead {
    /// Weighted sum of one picture's features, before [`HeadOutput`]; summed with 64 bits.
    ///
    /// # Errors
    ///
    /// [`ExperimentError::Count`] of features.
    pub fn sum(&self, features: ArrayView1<'_, f32>) -> Result<f64> {
        if features.len() != self.weights.len() {
            return Err(ExperimentError::Count {
                what: "features",
                expected: self.weights.len(),
                found: features.len(),
            });
        }
        let products = features.iter().zip(&self.weights);
        let sum: f64 = products.map(|(&x, &w)| f64::from(x) * f64::from(w)).sum();
        Ok(sum + f64::from(self.bias))
    }

    /// Ratings of pictures, a row of features each.
    ///
    /// # Errors
    ///
    /// As [`RatingHead::sum`].
    pub fn rate(&self, features: ArrayView2<'_, f32>) -> Result<Array1<f64>> {
        features
            .rows()
            .into_iter()
            .map(|row| Ok(self.output.of(self.sum(row)?)))
            .collect()
    }
}

/// The heads of one run: a picture is rated by one that did not learn from it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunHeads {
    /// One head, or one for each fold.
    pub heads: Vec<RatingHead>,
    /// For each stimulus, the position of the head that rates it.
    pub head_of: Vec<usize>,
}

impl RunHeads {
    /// The head that rates stimulus `idx`.
    #[must_use]
    pub fn of(&self, idx: usize) -> &RatingHead {
        &self.heads[self.head_of[idx]]
    }
}
