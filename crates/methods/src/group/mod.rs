//! Tests of scores over subjects: each model against chance, each two models against each other.
//!
//! - [`group_tests`]: mean with interval, t-test, effect size, Bayes factor, Wilcoxon's signed ranks and sign flips, corrected over models
//!   and over pairs
//! - [`ln_bayes_factor`]: the Bayes factor of an observed t alone
//!
//! # Not supported
//!
//! Two groups of subjects ([`welch`](crate::behaviour::welch)), several scores of a subject (average them first), covariates.

mod bayes;
mod differences;
mod params;
mod result;
mod sign_flip;
mod signed_rank;
mod student;
#[cfg(test)]
mod tests;
mod whole;

pub use bayes::ln_bayes_factor;
pub use params::{Alternative, GroupParams};
pub use result::{GroupTest, GroupTests, PairTest, SignFlipTest, SignedRankTest, StudentTest};
pub use whole::group_tests;
