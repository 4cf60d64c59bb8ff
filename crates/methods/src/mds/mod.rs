//! Two-dimensional arrangements of conditions whose distances resemble an RDM.
//!
//! # Not supported
//!
//! Other numbers of dimensions, non-metric scaling, weights, missing dissimilarities.

mod classical;
mod method;

#[cfg(test)]
mod tests;

pub use method::{MdsOutcome, MdsParams, mds};
