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
}
