//! Why a mixed model does not exist.

/// A mixed model that is undefined.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum MixedError {
    /// A model that nobody has a score of.
    #[error("model {model} (counted from 0) has no score, so its mean is undefined; leave it out")]
    NoScores {
        /// 0-based model.
        model: usize,
    },
    /// Scores that cannot tell the variance of subjects from that of scores.
    #[error(
        "the variances between and within subjects cannot be told apart: {n_scores} scores of {n_subjects} subjects leave {within} degrees of freedom within and {between} between them; give at least 2 models whose subjects are the same"
    )]
    Inseparable {
        /// Scores that are not NaN.
        n_scores: usize,
        /// Subjects with a score.
        n_subjects: usize,
        /// Degrees of freedom within subjects.
        within: usize,
        /// Degrees of freedom between subjects.
        between: usize,
    },
    /// Covariates that the means and the other covariates already hold.
    #[error(
        "the covariates are sums of each other and of constants of the models, so their slopes are undefined; leave out one that is the same for all subjects or follows from the others"
    )]
    Collinear,
    /// Scores without variance within subjects.
    #[error(
        "there is no standard error: within subjects the scores differ by nothing but the means of the models{}; give scores that vary",
        if *within_only { " (to 8 digits of what subjects differ by)" } else { "" }
    )]
    NoVariance {
        /// Whether subjects themselves differ.
        within_only: bool,
    },
}
