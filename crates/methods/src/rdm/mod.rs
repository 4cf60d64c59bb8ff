//! Representational dissimilarity matrices from response patterns.
//!
//! [`noise_of_residuals`] and [`noise_of_repetitions`] estimate the noise that `mahalanobis` and `crossnobis`
//! are weighted by; [`categorical_model`] and its kin make RDMs of hypotheses; [`rdm_movie`] makes RDMs over time.
//!
//! [`rdm_as`] follows the conventions of another toolbox.
//!
//! [`rdm`] averages repetitions, compares every pair of conditions and returns the RDM vector in
//! the order of [`consilience_core::pairs`]. Sums and results are `f64` whatever the storage of
//! the patterns; single-precision patterns are multiplied in single precision by blocks.
//!
//! # Not supported
//!
//! Cross-validation of measures other than crossnobis and the Poisson divergence, Poisson divergence with
//! another prior.

mod bilinear;
mod compat;
mod crossnobis;
mod geometric;
mod incomplete;
mod method;
mod model;
mod movie;
mod noise;
mod params;
mod patterns;
mod vector;

#[cfg(test)]
mod tests;

pub use compat::{PeerRdm, rdm_as};
pub use method::{RdmOutcome, rdm};
pub use model::{
    categorical_model, circular_model, circumplex_model, interval_model, ordinal_model,
};
pub use movie::{MovieParams, RdmMovie, WindowSamples, rdm_movie};
pub use noise::{NoiseCovariance, NoiseEstimate, noise_of_repetitions, noise_of_residuals};
pub use params::{Dissimilarity, IncompleteRuns, RdmParams};
pub use patterns::Patterns;
