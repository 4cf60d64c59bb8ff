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

    /// Rating of one picture.
    ///
    /// # Errors
    ///
    /// As [`RatingHead::sum`].
    pub fn rating(&self, features: ArrayView1<'_, f32>) -> Result<f64> {
        Ok(self.output.of(self.sum(features)?))
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
            .map(|row| self.rating(row))
            .collect()
    }
}

/// What each channel adds to the weighted sum of one picture.
///
/// # Shapes
///
/// Features of one picture: those of the first channel, then those of the second …, equally many each (one when positions were
/// averaged); a number for each channel.
///
/// # Definition
///
/// Σ w·x over the channel's features, summed with 64 bits. Without the channels F, a network that is cut there rates the picture
/// [`HeadOutput::of`] (sum − Σ_{k∈F} contributionₖ): a lesion needs no other pass through the network.
///
/// # Errors
///
/// [`ExperimentError::Count`] of features, or when they do not divide into channels.
///
/// # Example
///
/// ```
/// use consilience_experiments::head::{HeadOutput, RatingHead, channel_contributions};
/// use ndarray::array;
///
/// let head = RatingHead { weights: vec![1.0, 2.0, -1.0, 0.5], bias: 3.0, output: HeadOutput::Linear };
/// let parts = channel_contributions(&head, array![1.0, 1.0, 2.0, 4.0].view(), 2)?;
/// assert_eq!(parts, [3.0, 0.0]);
/// # Ok::<(), consilience_experiments::ExperimentError>(())
/// ```
pub fn channel_contributions(
    head: &RatingHead,
    features: ArrayView1<'_, f32>,
    n_channels: usize,
) -> Result<Vec<f64>> {
    let (n, n_weights) = (features.len(), head.weights.len());
    if n != n_weights {
        return Err(ExperimentError::Count {
            what: "features",
            expected: n_weights,
            found: n,
        });
    }
    let n_each = n.checked_div(n_channels).unwrap_or(0);
    if n_each == 0 || n_each * n_channels != n {
        return Err(ExperimentError::Count {
            what: "features, equally many for each channel",
            expected: n_each.max(1) * n_channels,
            found: n,
        });
    }
    let products: Vec<f64> = features
        .iter()
        .zip(&head.weights)
        .map(|(&x, &w)| f64::from(x) * f64::from(w))
        .collect();
    Ok(products
        .chunks(n_each)
        .map(|of_channel| of_channel.iter().sum())
        .collect())
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
