//! Representational dissimilarity matrices from response patterns.
//!
//! [`rdm`] averages repetitions, compares every pair of conditions and returns the RDM vector in
//! the order of [`consilience_core::pairs`]. Sums and results are `f64` whatever the storage of
//! the patterns; single-precision patterns are multiplied in single precision by blocks.
//!
//! # Not supported
//!
//! A noise precision of its own for each run, cross-validation of measures other than crossnobis,
//! Poisson divergence with another prior.

mod bilinear;
mod crossnobis;
mod geometric;
mod method;
mod params;
mod patterns;
mod vector;

#[cfg(test)]
mod tests;

pub use method::{RdmOutcome, rdm};
pub use params::{Dissimilarity, RdmParams};
pub use patterns::Patterns;
