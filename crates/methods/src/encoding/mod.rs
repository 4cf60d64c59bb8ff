//! Encoding models: responses predicted from features, target by target.
//!
//! # Not supported
//!
//! Delays of time series (add shifted columns), penalties other than the squared norm, missing values.

mod error;
mod folds;
mod params;
mod result;
mod ridge;
mod scores;

#[cfg(test)]
mod tests;

pub use error::EncodingError;
pub use folds::Folds;
pub use params::RidgeParams;
pub use result::{GridEnds, RidgeOutcome};
pub use ridge::{Ridge, ridge};
pub use scores::{TargetScores, scores};
