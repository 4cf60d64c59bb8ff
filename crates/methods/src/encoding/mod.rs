//! Encoding models: responses predicted from features, target by target.
//!
//! # Not supported
//!
//! Delays of time series (add shifted columns), penalties other than the squared norm, missing values.

mod banded;
mod components;
mod error;
mod folds;
mod gradient;
mod held_out;
mod memory;
mod params;
mod partition;
mod parts;
mod result;
mod ridge;
mod scores;

#[cfg(test)]
mod tests;

pub use banded::banded;
pub use components::components;
pub use error::EncodingError;
pub use folds::Folds;
pub(crate) use held_out::{components_held_out, ridge_held_out};
pub use memory::{EncodingSize, banded_memory, components_memory, partition_memory};
pub use params::{BandedParams, BandedSearch, ComponentsKind, ComponentsParams, RidgeParams};
pub use partition::{Partition, PartitionBy, commonality, partition};
pub use result::{BandedOutcome, ComponentsOutcome, GridEnds, RidgeOutcome};
pub use ridge::{Ridge, ridge};
pub use scores::{TargetScores, scores};
