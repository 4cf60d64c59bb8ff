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
    /// A penalty of zero for bands of features.
    #[error("alpha {idx} (counted from 0) is 0, but only penalties tell bands apart; leave it out")]
    UnpenalisedBands {
        /// 0-based position in the grid.
        idx: usize,
    },
    /// Shares of bands that are none.
    #[error(
        "row {sample} (counted from 0) of the shares of bands is not {n_bands} finite numbers of at least 0 with a positive sum; give a share for each band"
    )]
    InvalidShares {
        /// 0-based row.
        sample: usize,
        /// Number of bands.
        n_bands: usize,
    },
    /// A Dirichlet distribution that does not exist.
    #[error(
        "the concentrations of the shares of bands are not all finite and above 0; give for example 0.1 and 1"
    )]
    InvalidConcentration,
    /// A tolerance of the search by gradient that is none.
    #[error(
        "the tolerance of the search by gradient is {value}, expected a finite number above 0; give for example 0.01"
    )]
    InvalidTolerance {
        /// What was given.
        value: f64,
    },
    /// More sets than all of whose combinations can be fitted.
    #[error(
        "{found} sets of features have too many combinations, expected at most {limit}; join some of them"
    )]
    TooManySets {
        /// Sets that were given.
        found: usize,
        /// Largest number.
        limit: usize,
    },
    /// More components than the features have.
    #[error(
        "{found} components are more than there are: the features of a training set of {n_train} rows have rank {rank}; ask for at most {rank}"
    )]
    TooManyComponents {
        /// Components asked for.
        found: usize,
        /// Independent directions of the features.
        rank: usize,
        /// Rows of the training set.
        n_train: usize,
    },
    /// The design has no solution.
    #[error(transparent)]
    Ridge(#[from] RidgeError),
}
