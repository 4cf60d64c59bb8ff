//! What can be wrong with a module of nuclei.

/// A module that cannot be built.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NucleiError {
    /// No nuclei, or no step.
    #[error("a module needs at least one nucleus and one step")]
    Empty,
    /// Features without numbers.
    #[error("the features that the module reads have no numbers")]
    NoFeatures,
    /// More than can be meant.
    #[error(
        "the module has more than 1,000 nuclei and layers over its steps, or more than 16,777,216 units in one of them; take fewer"
    )]
    TooLarge,
    /// One nucleus that cannot be.
    #[error("nucleus {nucleus:?}: {fault}")]
    Nucleus {
        /// Its name.
        nucleus: String,
        /// What is wrong, and what to do.
        fault: &'static str,
    },
    /// Heads that do not divide the width of what they attend to.
    #[error(
        "nucleus {nucleus:?}: {n_heads} heads do not divide a width of {width}; take a number that does"
    )]
    Heads {
        /// Its name.
        nucleus: String,
        /// Number of heads.
        n_heads: usize,
        /// Width of what the nucleus reads.
        width: usize,
    },
    /// A read-out from nowhere.
    #[error("the read-out is from {found:?}, which is no nucleus")]
    ReadOut {
        /// What was named.
        found: String,
    },
    /// Text that is not a module.
    #[error("not a module of nuclei: {reason}")]
    Syntax {
        /// What the reader says.
        reason: String,
    },
}
