//! Options of inference on RDM comparisons.

use std::fmt;
use std::str::FromStr;

use consilience_stats::correction::Procedure;

use super::similarity::Similarity;
use crate::{MethodsError, NanPolicy, Result, names};

/// What a bootstrap resamples, and so what the result generalises to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Bootstrap {
    /// Nothing: the spread over subjects gives the variance.
    None,
    /// Subjects: generalises to new subjects seeing the same conditions.
    Subjects,
    /// Conditions: generalises to new conditions shown to the same subjects.
    Conditions,
    /// Both, with the correction for the doubled variance.
    #[default]
    Both,
}

impl Bootstrap {
    const NAMES: [(&'static str, Self); 4] = [
        ("none", Self::None),
        ("subjects", Self::Subjects),
        ("conditions", Self::Conditions),
        ("both", Self::Both),
    ];

    /// The name in study files and on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        super::name_of(self, &Self::NAMES)
    }
}

impl fmt::Display for Bootstrap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Bootstrap {
    type Err = MethodsError;

    fn from_str(name: &str) -> Result<Self> {
        names::parse("bootstrap", name, &Self::NAMES)
    }
}

/// How p-values are corrected for the number of tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Correction {
    /// Not at all.
    None,
    /// False discovery rate (Benjamini & Hochberg 1995).
    #[default]
    Fdr,
    /// False discovery rate whatever the tests have to do with each other (Benjamini & Yekutieli
    /// 2001).
    FdrAny,
    /// Family-wise error (Holm 1979).
    Fwe,
    /// Family-wise error by the number of tests; Holm is never weaker.
    Bonferroni,
}

impl Correction {
    const NAMES: [(&'static str, Self); 5] = [
        ("none", Self::None),
        ("fdr", Self::Fdr),
        ("fdr-any", Self::FdrAny),
        ("fwe", Self::Fwe),
        ("bonferroni", Self::Bonferroni),
    ];

    /// The name in study files and on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        super::name_of(self, &Self::NAMES)
    }

    /// The procedure, if anything is corrected.
    #[must_use]
    pub fn procedure(self) -> Option<Procedure> {
        match self {
            Self::None => None,
            Self::Fdr => Some(Procedure::BenjaminiHochberg),
            Self::FdrAny => Some(Procedure::BenjaminiYekutieli),
            Self::Fwe => Some(Procedure::Holm),
            Self::Bonferroni => Some(Procedure::Bonferroni),
        }
    }
}

impl fmt::Display for Correction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Correction {
    type Err = MethodsError;

    fn from_str(name: &str) -> Result<Self> {
        names::parse("correction", name, &Self::NAMES)
    }
}

/// Options of [`infer`](super::infer()).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InferParams {
    /// How RDMs are compared.
    pub similarity: Similarity,
    /// What is resampled.
    pub bootstrap: Bootstrap,
    /// Bootstrap resamples, at least 2.
    pub resamples: usize,
    /// Permutations of the condition labels; 0 for none.
    pub permutations: usize,
    /// Seed of all draws.
    pub seed: u64,
    /// Correction over all models, and over all pairs of models.
    pub correction: Correction,
    /// What to do with NaN.
    pub nan: NanPolicy,
}

impl Default for InferParams {
    /// Spearman, 1,000 resamples of subjects and conditions, no permutations, seed 1, false discovery
    /// rate, NaN refused.
    fn default() -> Self {
        Self {
            similarity: Similarity::default(),
            bootstrap: Bootstrap::default(),
            resamples: 1000,
            permutations: 0,
            seed: 1,
            correction: Correction::default(),
            nan: NanPolicy::default(),
        }
    }
}

impl InferParams {
    /// Checks the options against each other.
    ///
    /// # Errors
    ///
    /// [`MethodsError::TooFew`] for a bootstrap of fewer than 2 resamples.
    pub fn validate(&self) -> Result<()> {
        if self.bootstrap != Bootstrap::None && self.resamples < 2 {
            return Err(MethodsError::TooFew {
                what: "bootstrap resamples",
                needed: 2,
                found: self.resamples,
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
        for (name, value) in Bootstrap::NAMES {
            assert_eq!(name.parse::<Bootstrap>().unwrap(), value);
            assert_eq!(value.to_string(), name);
        }
        for (name, value) in Correction::NAMES {
            assert_eq!(name.parse::<Correction>().unwrap(), value);
            assert_eq!(value.to_string(), name);
        }
        assert!(
            "subject"
                .parse::<Bootstrap>()
                .unwrap_err()
                .to_string()
                .contains("\"subjects\"")
        );
    }
}
