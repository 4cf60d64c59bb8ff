//! Ridge regression of many targets on one design: a factorisation for each training set, and from
//! it the predictions of every penalty.
//!
//! # Definition
//!
//! The weights of a target minimise ‖y − X·w‖² + α·‖w‖². With the thin singular value decomposition
//! X = U·S·Vᵀ of a training set, the prediction of a row x is Σₖ (x·vₖ)·sₖ/(sₖ² + α)·(uₖ·y). With an
//! intercept, X and y are centred at the means of the training set, which are added again.
//!
//! # Precision
//!
//! The design is centred, multiplied and factorised in `f64`. The products with the targets are made in
//! the width of `T`, of targets centred and scaled in `f64`; errors are summed in `f64`.
//!
//! # Determinism
//!
//! Every factorisation and every product runs on one thread; threads share out training sets and chunks
//! of targets. So the same input gives the same bytes on any number of threads.

mod design;
mod dual;
mod predictor;
#[cfg(test)]
mod tests;

pub use design::{Design, Factor, Side};
pub use dual::RowWeights;
pub use predictor::{Fitted, Form, Predictor, Targets};

/// A design that has no ridge solution.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RidgeError {
    /// A penalty of zero where the columns do not determine the weights.
    #[error(
        "a penalty of 0 is ordinary least squares, which needs independent columns: a training set of {n_train} rows has rank {rank} in {n_columns} columns; use fewer columns, or penalties above 0 (leave out 0)"
    )]
    Singular {
        /// Independent columns found.
        rank: usize,
        /// Columns of the design.
        n_columns: usize,
        /// Rows of the training set.
        n_train: usize,
    },
    /// Products of the design that no `f64` can hold.
    #[error("the values of the design are too large to be squared; give them in a larger unit")]
    OutOfRange,
    /// A factorisation that did not converge.
    #[error(
        "the factorisation of the design did not converge; look for columns of very different size and scale them"
    )]
    NotConverged,
}
