//! Tests of scores over subjects: each model against chance, each two models against each other.
//!
//! - [`group_tests`]: mean with interval, t-test, effect size, Bayes factor, Wilcoxon's signed ranks and sign flips, corrected over models
//!   and over pairs
//! - [`mixed_model`]: means of models and their differences from all scores together, with an intercept for each subject (REML); missing
//!   scores and covariates
//! - [`ln_bayes_factor`]: the Bayes factor of an observed t alone
//!
//! # Not supported
//!
//! Two groups of subjects ([`welch`](crate::behaviour::welch)), several scores of a subject (average them first); random slopes, crossed
//! random effects.

mod bayes;
mod differences;
mod mixed;
mod params;
mod result;
mod sign_flip;
mod signed_rank;
mod student;
#[cfg(test)]
mod tests;
mod whole;

pub use bayes::ln_bayes_factor;
pub use mixed::{MixedError, MixedModel, MixedPair, MixedParams, MixedTest, mixed_model};
pub use params::{Alternative, GroupParams};
pub use result::{GroupTest, GroupTests, PairTest, SignFlipTest, SignedRankTest, StudentTest};
pub use whole::group_tests;
