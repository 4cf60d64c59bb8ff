//! Fewer columns with nearly the same distances: sparse random projection and principal components.

mod pca;
mod projection;

pub use pca::Pca;
pub use projection::{SparseProjection, johnson_lindenstrauss_min_dim};

/// A reduction that cannot be made.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ReduceError {
    /// No columns are asked for, or more than there are.
    #[error(
        "expected from 1 to {n_features} components for {n_features} features, found {n_components}"
    )]
    Components {
        /// Components that were asked for.
        n_components: usize,
        /// Features that there are.
        n_features: usize,
    },
    /// More components than the fitting rows can give.
    #[error(
        "{n_rows} rows give at most {} principal components, found {n_components}; fit on more rows or ask for fewer components",
        n_rows.saturating_sub(1)
    )]
    TooFewRows {
        /// Rows to fit on.
        n_rows: usize,
        /// Components that were asked for.
        n_components: usize,
    },
    /// A fit whose smaller side is too large for an eigendecomposition in memory.
    #[error(
        "principal components of {n_rows} rows × {n_features} features need a matrix of the smaller side squared, at most {limit}; fit on fewer rows, or pool or project first"
    )]
    TooLarge {
        /// Rows to fit on.
        n_rows: usize,
        /// Features.
        n_features: usize,
        /// Largest smaller side.
        limit: usize,
    },
    /// A tolerance outside of its range.
    #[error("a tolerance of distances lies between 0 and 1, found {found}")]
    Epsilon {
        /// The tolerance that was given.
        found: f64,
    },
    /// A share of non-zero weights outside of its range.
    #[error("the density of a projection is above 0 and at most 1, found {found}")]
    Density {
        /// The density that was given.
        found: f64,
    },
    /// Rows without any variance.
    #[error("all rows to fit on are equal, so there are no principal components")]
    NoVariance,
    /// An eigendecomposition that did not converge.
    #[error("the eigendecomposition did not converge; check the rows for extreme values")]
    NotConverged,
}
