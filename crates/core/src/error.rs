//! What can be wrong with the nouns themselves.

/// Shorthand for results of this crate.
pub type Result<T> = std::result::Result<T, CoreError>;

/// A noun that was refused at construction.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum CoreError {
    /// A vector whose length is not n·(n−1)/2 for any n ≥ 2.
    #[error(
        "{found} values are not the upper triangle of a square matrix (nearest: {nearest_pairs} values for {nearest_n} conditions)"
    )]
    NotTriangular {
        /// Length that was given.
        found: usize,
        /// Closest possible number of conditions.
        nearest_n: usize,
        /// Its number of pairs.
        nearest_pairs: usize,
    },
    /// Two things that must agree in size do not.
    #[error("{what}: expected {expected}, found {found}")]
    ShapeMismatch {
        /// What was counted.
        what: String,
        /// The count that was needed.
        expected: usize,
        /// The count that was given.
        found: usize,
    },
    /// A square matrix that is not a dissimilarity matrix.
    #[error("not an RDM: {why} at row {row}, column {column} (found {found})")]
    NotAnRdm {
        /// The rule that is broken.
        why: &'static str,
        /// 0-based row.
        row: usize,
        /// 0-based column.
        column: usize,
        /// The value there.
        found: f64,
    },
    /// The same stimulus identifier twice.
    #[error("stimulus identifier {id:?} occurs more than once; identifiers must be unique")]
    DuplicateStimulus {
        /// The identifier.
        id: String,
    },
    /// The same item name twice.
    #[error("item {item:?} occurs more than once; items must have names of their own")]
    DuplicateItem {
        /// The name.
        item: String,
    },
    /// A place of an item that is not in the list of items.
    #[error(
        "trial {trial:?} has the item {item:?}, which is not in the list of items; add it there"
    )]
    UnlistedItem {
        /// Name of the trial.
        trial: String,
        /// Name of the item.
        item: String,
    },
    /// Arrangements without a trial.
    #[error("there are no trials; give at least one arrangement of two or more items")]
    NoTrials,
    /// A trial that is no arrangement.
    #[error("trial {trial:?} is refused: {problem}")]
    Arrangement {
        /// Name of the trial.
        trial: String,
        /// What is wrong with it.
        problem: crate::trials::ArrangementProblem,
    },
}
