//! Why a visual-emotion analysis cannot be done.

use consilience_models::nuclei::NucleiError;

/// A visual-emotion analysis that cannot be done.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum VisualEmotionError {
    /// Nuclei that cannot be.
    #[error(transparent)]
    Nuclei(#[from] NucleiError),
    /// Too few pictures to learn from, to choose the epoch by, or to test.
    #[error(
        "{n} pictures for {n_folds} folds, expected at least {needed}; take fewer folds or more pictures"
    )]
    TooFewPictures {
        /// Pictures that there are.
        n: usize,
        /// Folds that were asked for.
        n_folds: usize,
        /// Pictures that these need.
        needed: usize,
    },
    /// A number out of its range.
    #[error("{what} must be {expected}, found {found}")]
    Parameter {
        /// Which.
        what: &'static str,
        /// Its range.
        expected: &'static str,
        /// The number.
        found: f64,
    },
    /// Ratings that are all the same.
    #[error(
        "all ratings of {name} are the same, so there is nothing to learn; give ratings that vary"
    )]
    ConstantRatings {
        /// Name of the rating.
        name: String,
    },
    /// No repeat of a module came to its end.
    #[error(
        "every training of {module} diverged, the first in epoch {epoch} at a learning rate of {learning_rate:e}; lower `learning-rate`, or set `standardise = true`"
    )]
    AllDiverged {
        /// Encoder and structure.
        module: String,
        /// The epoch whose loss was no number.
        epoch: usize,
        /// Learning rate.
        learning_rate: f64,
    },
}
