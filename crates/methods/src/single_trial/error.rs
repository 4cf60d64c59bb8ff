//! Why trials have no responses.

/// A run whose trials cannot be told apart.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SingleTrialError {
    /// A time that is no number, or one from the wrong side of 0.
    #[error("{what} is {value}, expected {expected}")]
    BadTime {
        /// Which time.
        what: &'static str,
        /// Its value.
        value: f64,
        /// What it may be.
        expected: &'static str,
    },
    /// An expected response that is nothing but what other columns hold.
    #[error(
        "the expected response to trial {trial} (counted from 0) {why}; check its onset against the run's length, or leave it out"
    )]
    Undetermined {
        /// 0-based trial.
        trial: usize,
        /// Why it has no beta, as a verb phrase.
        why: &'static str,
    },
    /// A design with as many columns as volumes.
    #[error(
        "the run has {n_volumes} volumes and {n_columns} columns of no interest, which leave nothing to fit; give fewer confounds or a longer period of the high-pass filter"
    )]
    NothingLeft {
        /// Volumes of the run.
        n_volumes: usize,
        /// Independent columns, the constant among them.
        n_columns: usize,
    },
}
