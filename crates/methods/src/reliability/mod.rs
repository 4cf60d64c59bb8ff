//! How reliable ratings and responses are, which limits how well any model can predict them.
//!
//! - [`rater_reliability`]: split-half with Spearman-Brown, Cronbach's alpha, correlation between raters
//! - [`response_reliability`]: the same for each channel of repeated responses
//! - [`correlation_ceiling`]: the largest correlation of two measures of given reliability
//! - [`noise_ceiling_snr`]: signal-to-noise ratio and explainable variance of each channel
//!
//! Ceilings of RDMs are in [`rsa`](crate::rsa), reliability of arrangements in
//! [`arrangement`](crate::arrangement).
//!
//! # Not supported
//!
//! Items that only some raters rated (they are refused or left out), unequal numbers of repetitions, intraclass correlations other than alpha.

mod agreement;
mod coefficient;
mod covariance;
mod error;
mod params;
mod snr;
mod splits;

#[cfg(test)]
mod tests;

pub use agreement::{Reliability, correlation_ceiling, rater_reliability, response_reliability};
pub use error::ReliabilityError;
pub use params::{Coefficient, RatingScale, ReliabilityParams, Unit};
pub use snr::{ChannelSnr, SnrParams, noise_ceiling_snr};
