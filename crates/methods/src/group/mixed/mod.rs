//! A linear mixed model of all scores: a mean for each model, an intercept for each subject.
//!
//! - [`mixed_model`]: means of models and their differences, with the variance of subjects estimated by REML
//!
//! # Not supported
//!
//! Random slopes, crossed random effects (stimuli as well as subjects), scores with different variances.

mod criterion;
mod error;
mod params;
mod products;
mod result;
mod table;
#[cfg(test)]
mod tests;
mod whole;

pub use error::MixedError;
pub use params::MixedParams;
pub use result::{MixedModel, MixedPair, MixedTest};
pub use whole::mixed_model;
