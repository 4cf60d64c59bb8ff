//! Options of the mixed model.

use crate::group::Alternative;
use crate::{MethodsError, NanPolicy, Result};

/// Options of [`mixed_model`](super::mixed_model).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MixedParams {
    /// Score to expect by chance (default 0).
    pub chance: f64,
    /// Which means of models speak against chance (default: greater).
    pub alternative: Alternative,
    /// Which differences of two models, first minus second, speak against equality (default: two-sided).
    pub pair_alternative: Alternative,
    /// What to do with NaN (default: refuse). Omitting leaves out that score only; the subject's others stay.
    pub nan: NanPolicy,
}

impl Default for MixedParams {
    fn default() -> Self {
        Self {
            chance: 0.0,
            alternative: Alternative::Greater,
            pair_alternative: Alternative::TwoSided,
            nan: NanPolicy::default(),
        }
    }
}

impl MixedParams {
    /// Checks the options.
    ///
    /// # Errors
    ///
    /// [`MethodsError::OptionOutOfRange`] for a chance that is not finite.
    pub fn validate(&self) -> Result<()> {
        if self.chance.is_finite() {
            return Ok(());
        }
        Err(MethodsError::OptionOutOfRange {
            option: "the score to expect by chance",
            value: self.chance,
            expected: "a finite number",
        })
    }
}
