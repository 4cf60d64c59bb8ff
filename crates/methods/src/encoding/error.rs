//! What can be wrong with an encoding model.

use consilience_stats::ridge::RidgeError;

/// An encoding model that was refused.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum EncodingError {
    /// A penalty that is none.
    #[error(
        "alpha {idx} (counted from 0) is {value}, expected a finite number of at least 0; give penalties, not their logarithms"
    )]
    InvalidAlpha {
        /// 0-based position in the grid.
        idx: usize,
        /// What stands there.
        value: f64,
    },
    /// A fold number below zero.
    #[error(
        "row {row} (counted from 0) has fold {fold}, expected a number of at least 0; every row belongs to a fold"
    )]
    NegativeFold {
        /// 0-based row.
        row: usize,
        /// Its fold.
        fold: i64,
    },
    /// Too few folds, or more than rows.
    #[error("{found} folds of {n_rows} rows, expected {needed} to {n_rows}{}", match nested {
        true => "; --nested leaves out two folds at a time, so it needs one more",
        false => "",
    })]
    FoldCount {
        /// Folds asked for.
        found: usize,
        /// The smallest number that works.
        needed: usize,
        /// Rows to divide.
        n_rows: usize,
        /// Whether penalties are chosen inside training sets.
        nested: bool,
    },
    /// Features without any variation.
    #[error(
        "no column of the features varies, so they predict nothing; check that rows are stimuli and columns are features"
    )]
    ConstantFeatures,
    /// The design has no solution.
    #[error(transparent)]
    Ridge(#[from] RidgeError),
}
