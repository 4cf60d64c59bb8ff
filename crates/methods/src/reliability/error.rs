//! Why a reliability does not exist.

/// A reliability that is undefined.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ReliabilityError {
    /// Nobody to agree with.
    #[error(
        "reliability is undefined for {n_raters} rater (or repetition): it measures how well raters agree; give at least 2"
    )]
    NoAgreement {
        /// Raters or repetitions that were given.
        n_raters: usize,
    },
    /// A rater whose values are all the same.
    #[error(
        "{coefficient} is undefined: rater {rater} (counted from 0) gives all items the same value, so nothing correlates with it; leave it out"
    )]
    ConstantRater {
        /// Name of the coefficient.
        coefficient: &'static str,
        /// 0-based rater.
        rater: usize,
    },
    /// Some raters whose mean is the same for all items.
    #[error("{coefficient} is undefined: the mean over {what} is the same for all items; {cure}")]
    ConstantMean {
        /// Name of the coefficient.
        coefficient: &'static str,
        /// Whose mean.
        what: &'static str,
        /// What to do about it.
        cure: &'static str,
    },
    /// A channel that never changes.
    #[error(
        "the responses of the channel are all the same, so it has neither signal nor noise; leave it out"
    )]
    ConstantChannel,
    /// A repetition that does not vary over stimuli.
    #[error(
        "repetition {repetition} (counted from 0) is the same for all stimuli and has no z-scores; leave it out"
    )]
    ConstantRepetition {
        /// 0-based repetition.
        repetition: usize,
    },
    /// Repetitions that are copies.
    #[error(
        "all repetitions are exactly the same, so the noise is 0 and the ratio infinite; check that they are not copies or averages"
    )]
    NoNoise,
}
