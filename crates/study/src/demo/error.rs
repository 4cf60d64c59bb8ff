//! What can be wrong with what the demo study is asked to make.

/// A request that the demo study's generators refuse.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum DemoError {
    /// A word that names no category.
    #[error(
        "unknown category {name:?}; the categories are face, quadruped, bird, fish, house, tree, \
         cup, car"
    )]
    UnknownCategory {
        /// The word.
        name: String,
    },
    /// Fewer of something than the simulation can work with.
    #[error("too few {what} to simulate: found {found}, needed at least {needed}")]
    TooFew {
        /// What was counted.
        what: &'static str,
        /// How many there are.
        found: usize,
        /// How many there must be.
        needed: usize,
    },
    /// A noise level that is no standard deviation.
    #[error("the noise must be a finite standard deviation of 0 or more, found {found}")]
    InvalidNoise {
        /// The value.
        found: f64,
    },
    /// A stimulus whose features have no Pearson correlation.
    #[error(
        "the features of stimulus {stimulus_idx} are all equal or not finite, so its pattern has \
         no correlation with others; simulate from another layer"
    )]
    NoPattern {
        /// 0-based row of the patterns.
        stimulus_idx: usize,
    },
}
