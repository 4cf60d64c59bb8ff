//! Options of tests over subjects.

use std::f64::consts::FRAC_1_SQRT_2;

use crate::names::named;
use crate::rsa::Correction;
use crate::{MethodsError, NanPolicy, Result};

/// What a test is for: which values speak against the null hypothesis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Alternative {
    /// Values above it.
    #[default]
    Greater,
    /// Values below it.
    Less,
    /// Values on either side.
    TwoSided,
}

impl Alternative {
    const NAMES: [(&'static str, Self); 3] = [
        ("greater", Self::Greater),
        ("less", Self::Less),
        ("two-sided", Self::TwoSided),
    ];

    /// p from the probabilities of at most, and at least, what was observed.
    pub(super) fn p(self, [at_most, at_least]: [f64; 2]) -> f64 {
        match self {
            Self::Greater => at_least,
            Self::Less => at_most,
            Self::TwoSided => (2.0 * at_most.min(at_least)).min(1.0),
        }
    }

    /// How much a statistic that is 0 under the null hypothesis speaks against it.
    pub(super) fn evidence(self, statistic: f64) -> f64 {
        match self {
            Self::Greater => statistic,
            Self::Less => -statistic,
            Self::TwoSided => statistic.abs(),
        }
    }
}

named!(Alternative, "alternative");

/// Options of [`group_tests`](super::group_tests).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GroupParams {
    /// Score to expect by chance (default 0).
    pub chance: f64,
    /// Which means of models speak against chance (default: greater).
    pub alternative: Alternative,
    /// Which differences of two models, first minus second, speak against equality (default: two-sided).
    pub pair_alternative: Alternative,
    /// Scale of the Cauchy prior of standardised effects (default √2/2), above 0 and at most 10⁶.
    pub prior_scale: f64,
    /// Most sign flips (default 10,000): all there are when they are no more, else this many at random; 0 for no
    /// such test.
    pub flips: usize,
    /// Seed of the sign flips (default 1).
    pub seed: u64,
    /// Correction over all models, and over all pairs of models.
    pub correction: Correction,
    /// What to do with NaN (default: refuse). Omitting leaves a subject out of the tests of the model, and of its
    /// pairs.
    pub nan: NanPolicy,
}

impl Default for GroupParams {
    fn default() -> Self {
        Self {
            chance: 0.0,
            alternative: Alternative::Greater,
            pair_alternative: Alternative::TwoSided,
            prior_scale: FRAC_1_SQRT_2,
            flips: 10_000,
            seed: 1,
            correction: Correction::default(),
            nan: NanPolicy::default(),
        }
    }
}

impl GroupParams {
    /// Checks the options.
    ///
    /// # Errors
    ///
    /// [`MethodsError::OptionOutOfRange`] for a chance that is not finite or a scale out of range.
    pub fn validate(&self) -> Result<()> {
        if !self.chance.is_finite() {
            return Err(MethodsError::OptionOutOfRange {
                option: "the score to expect by chance",
                value: self.chance,
                expected: "a finite number",
            });
        }
        if !(self.prior_scale > 0.0 && self.prior_scale <= 1e6) {
            return Err(MethodsError::OptionOutOfRange {
                option: "the scale of the Cauchy prior",
                value: self.prior_scale,
                expected: "a number above 0, at most 1000000",
            });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip() {
        for (name, value) in Alternative::NAMES {
            assert_eq!((name.parse(), value.to_string()), (Ok(value), name.into()));
        }
        assert!("larger".parse::<Alternative>().is_err());
    }
}
