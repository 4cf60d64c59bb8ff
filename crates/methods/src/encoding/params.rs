//! Options of ridge regression.

use super::{EncodingError, Folds};
use crate::{MethodsError, Result};

/// Options of [`ridge`](super::ridge()).
#[derive(Debug, Clone, PartialEq)]
pub struct RidgeParams {
    /// Penalties to choose from, in any order; default: 13 powers of ten from 10⁻⁶ to 10⁶.
    pub alphas: Vec<f64>,
    /// How rows are divided; default: five contiguous blocks.
    pub folds: Folds,
    /// Whether features and targets are centred at the means of each training set (default), which is
    /// an intercept that costs no penalty.
    pub intercept: bool,
    /// Whether the penalty that predicts a fold is chosen without it, from the remaining folds. By
    /// default one penalty is chosen from all folds.
    pub nested: bool,
}

impl Default for RidgeParams {
    fn default() -> Self {
        Self {
            alphas: (-6..=6).map(|exponent| 10_f64.powi(exponent)).collect(),
            folds: Folds::default(),
            intercept: true,
            nested: false,
        }
    }
}

impl RidgeParams {
    /// Checks what can be checked without data.
    ///
    /// # Errors
    ///
    /// [`MethodsError::TooFew`] without a penalty, [`EncodingError::InvalidAlpha`].
    pub fn validate(&self) -> Result<()> {
        if self.alphas.is_empty() {
            return Err(MethodsError::TooFew {
                what: "penalties (alphas)",
                needed: 1,
                found: 0,
            });
        }
        let valid = |alpha: &f64| alpha.is_finite() && *alpha >= 0.0;
        if let Some(idx) = self.alphas.iter().position(|alpha| !valid(alpha)) {
            return Err(EncodingError::InvalidAlpha {
                idx,
                value: self.alphas[idx],
            }
            .into());
        }
        Ok(())
    }
}
