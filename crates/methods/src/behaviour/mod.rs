//! Statistics of ratings, choices and errors, and of units that prefer some of the items.
//!
//! - [`correlation_table`], [`correlation_over_runs`]: predictions with targets, by subset of items
//! - [`prediction_differences`], [`subset_differences`]: whether two correlations differ
//! - [`procrustes`], [`quantile_table`]: how far two configurations, two columns of ratings agree
//! - [`welch`]: two groups with unequal variances, with effect sizes
//! - [`d_prime`]: sensitivity from hits and false alarms
//! - [`selectivity`]: which categories of items units prefer
//! - [`odd_one_out`], [`triplet_similarity`], [`odd_one_out_ceiling`]: triplets of items, one of which is odd
//! - [`error_consistency`]: whether two observers err on the same trials
//!
//! # Not supported
//!
//! Missing values, mixed-effects models, receiver operating characteristics.

mod choices;
mod correlations;
mod difference;
mod difference_tables;
mod error;
mod errors;
mod procrustes;
mod quantiles;
mod selectivity;
mod sensitivity;
mod welch;

#[cfg(test)]
mod tests;

pub use choices::{
    ChoiceCeiling, OddOneOut, Similarities, odd_one_out, odd_one_out_ceiling, triplet_similarity,
};
pub use correlations::{
    Correlated, CorrelationKind, CorrelationParams, NoCorrelation, OverRuns, correlation_over_runs,
    correlation_table,
};
pub(crate) use correlations::{check_finite, items_of};
pub use difference::{
    BootstrapDifference, CorrelationDifference, DependentTest, DifferenceParams, NoDifference,
    dependent_difference, independent_difference,
};
pub use difference_tables::{
    PredictionDifference, SubsetDifference, prediction_differences, subset_differences,
};
pub use error::BehaviourError;
pub use errors::{ErrorConsistency, ErrorConsistencyParams, error_consistency};
pub use procrustes::{Procrustes, ProcrustesParams, procrustes};
pub(crate) use quantiles::quantile;
pub use quantiles::{QuantileTable, quantile_table};
pub(crate) use selectivity::Sums;
pub use selectivity::{Selectivity, SelectivityParams, selectivity};
pub use sensitivity::{RateCorrection, Sensitivity, SignalCounts, d_prime};
pub(crate) use welch::Contrast;
pub use welch::{Welch, welch};
