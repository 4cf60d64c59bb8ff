//! Options of reliability.

use crate::names::{name_of, named};
use crate::{MethodsError, NanPolicy, Result};

/// A coefficient of reliability.
///
/// # Definition
///
/// For k raters (or repetitions, or subjects) of the same items, C their covariance over items:
///
/// | name | value | ceiling of a model |
/// |---|---|---|
/// | `split-half` | r̄ stepped up to all raters, r̄ the mean over splits (that have one) of the correlation between the means of both halves | √value |
/// | `alpha` | k/(k−1)·(1 − Σⱼ Cⱼⱼ / Σⱼₗ Cⱼₗ): Cronbach's alpha of the mean over raters | √value |
/// | `pairwise` | mean correlation of two raters | √value |
/// | `leave-one-out` | mean correlation of a rater with the mean of the others | mean correlation of a rater with the mean of all |
///
/// `split-half` and `alpha` are about the mean over all raters, and the ceiling is what the true values
/// would correlate with it; `pairwise` and `leave-one-out` are about one rater. Stepping up is
/// 2r / (1 + r) (Spearman and Brown) for equal halves and Horst's 2r / (√(r² + 4pq(1 − r²)) + r) for shares
/// p and q of the raters, which is the same for equal ones. `leave-one-out` is itself the lower bound of the ceiling and
/// its `ceiling` the upper one, as for RDMs.
///
/// # References
///
/// Spearman 1910, doi:10.1111/j.2044-8295.1910.tb00206.x; Brown 1910, doi:10.1111/j.2044-8295.1910.tb00207.x;
/// Horst 1951, doi:10.1177/001316445101100306; Cronbach 1951, doi:10.1007/BF02310555; Nili et al. 2014,
/// doi:10.1371/journal.pcbi.1003553; Nastase, Gazzola, Hasson & Keysers 2019, doi:10.1093/scan/nsz037.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Coefficient {
    /// Correlation of halves, stepped up.
    #[default]
    SplitHalf,
    /// Cronbach's alpha.
    Alpha,
    /// Mean correlation of two raters.
    Pairwise,
    /// Mean correlation of a rater with the mean of the others.
    LeaveOneOut,
}

impl Coefficient {
    const NAMES: [(&'static str, Self); 4] = [
        ("split-half", Self::SplitHalf),
        ("alpha", Self::Alpha),
        ("pairwise", Self::Pairwise),
        ("leave-one-out", Self::LeaveOneOut),
    ];

    /// The name on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        name_of(self, &Self::NAMES)
    }
}

named!(Coefficient, "coefficient of reliability");

/// What an interval generalises to: what would be drawn anew in another study.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Unit {
    /// Items (stimuli), for these very raters: bootstrap.
    #[default]
    Items,
    /// Raters (subjects, repetitions), for these very items: jackknife. A bootstrap would put a rater and his
    /// copy on both sides of a correlation.
    Raters,
}

impl Unit {
    const NAMES: [(&'static str, Self); 2] = [("items", Self::Items), ("raters", Self::Raters)];
}

named!(Unit, "unit");

/// How the values of raters are made comparable first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RatingScale {
    /// Not at all.
    #[default]
    Raw,
    /// Each rater at unit variance, in every resample anew.
    ZScores,
    /// Each rater's values replaced by their average ranks, once.
    Ranks,
}

impl RatingScale {
    const NAMES: [(&'static str, Self); 3] = [
        ("raw", Self::Raw),
        ("z-scores", Self::ZScores),
        ("ranks", Self::Ranks),
    ];
}

named!(RatingScale, "rating scale");

/// Options of [`rater_reliability`](super::rater_reliability) and
/// [`response_reliability`](super::response_reliability).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReliabilityParams {
    /// What is computed (default: split-half).
    pub coefficient: Coefficient,
    /// How raters are made comparable (default: not).
    pub scale: RatingScale,
    /// Most splits into halves (default 1,000): all there are when they are no more, else this many at random.
    pub splits: usize,
    /// What the interval generalises to (default: items).
    pub unit: Unit,
    /// Resamples of items (default 1,000); 0 for no interval. The jackknife over raters needs none.
    pub resamples: usize,
    /// Permutations of the test against chance (default 1,000); 0 for no test.
    pub permutations: usize,
    /// Seed of splits, resamples and permutations (default 1).
    pub seed: u64,
    /// What to do with NaN (default: refuse). Omitting leaves out every item that some rater did not rate.
    pub nan: NanPolicy,
}

impl Default for ReliabilityParams {
    fn default() -> Self {
        Self {
            coefficient: Coefficient::default(),
            scale: RatingScale::default(),
            splits: 1000,
            unit: Unit::default(),
            resamples: 1000,
            permutations: 1000,
            seed: 1,
            nan: NanPolicy::default(),
        }
    }
}

impl ReliabilityParams {
    /// Checks the options.
    ///
    /// # Errors
    ///
    /// [`MethodsError::TooFew`] splits.
    pub fn validate(&self) -> Result<()> {
        if self.coefficient == Coefficient::SplitHalf && self.splits == 0 {
            return Err(MethodsError::TooFew {
                what: "splits into halves",
                needed: 1,
                found: 0,
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
        for (name, value) in Coefficient::NAMES {
            assert_eq!((name.parse(), value.to_string()), (Ok(value), name.into()));
        }
        for (name, value) in Unit::NAMES {
            assert_eq!((name.parse(), value.to_string()), (Ok(value), name.into()));
        }
        for (name, value) in RatingScale::NAMES {
            assert_eq!((name.parse(), value.to_string()), (Ok(value), name.into()));
        }
        assert!("cronbach".parse::<Coefficient>().is_err());
    }
}
