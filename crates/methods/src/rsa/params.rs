//! Options of inference on RDM comparisons.

use crate::names::named;

use consilience_stats::correction::Procedure;

use super::similarity::Similarity;
use crate::{MethodsError, NanPolicy, Result};

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

named!(Bootstrap, "bootstrap");

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

named!(Correction, "correction");

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
    /// A label for each condition; only conditions of the same label are exchanged (default: all are).
    pub blocks: Option<Vec<i64>>,
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
            blocks: None,
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

/// Options of [`evaluate`](super::evaluate()).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EvaluateParams {
    /// Similarity, seed, correction and, as `bootstrap`, what the result is to hold for.
    pub inference: InferParams,
    /// Folds of the subjects; `None` for as many as their number suggests.
    pub subject_folds: Option<usize>,
    /// Folds of the conditions; `None` for as many as their number suggests.
    pub condition_folds: Option<usize>,
    /// Random divisions into folds of every resample, at least 1.
    pub divisions: usize,
}

impl Default for EvaluateParams {
    /// The defaults of [`InferParams`], folds by number, 2 divisions.
    fn default() -> Self {
        Self {
            inference: InferParams::default(),
            subject_folds: None,
            condition_folds: None,
            divisions: 2,
        }
    }
}

impl EvaluateParams {
    /// Checks the options against each other.
    ///
    /// # Errors
    ///
    /// [`MethodsError::TooFew`] resamples, folds or divisions.
    pub fn validate(&self) -> Result<()> {
        self.inference.validate()?;
        for (what, found) in [
            ("divisions into folds", Some(self.divisions)),
            ("folds of the subjects", self.subject_folds),
            ("folds of the conditions", self.condition_folds),
        ] {
            if found == Some(0) {
                return Err(MethodsError::TooFew {
                    what,
                    needed: 1,
                    found: 0,
                });
            }
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
