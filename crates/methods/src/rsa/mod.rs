//! Representational similarity analysis: comparing RDMs, and how sure the answer is.
//!
//! - [`compare`](compare()): similarities of RDMs with RDMs
//! - [`noise_ceiling`]: the best any model can score
//! - [`infer`](infer()): scores of models with standard errors, intervals, tests and corrections
//! - [`mantel`](mantel()): one RDM with another, by permutation
//!
//! # Not here
//!
//! Models with free parameters (weighted, fitted), and so cross-validation of them; whitening with a
//! given noise covariance.

mod bootstrap;
mod ceiling;
mod compare;
mod infer;
mod inputs;
mod kernel;
mod levels;
mod mantel;
mod params;
mod permutation;
mod result;
mod row;
mod sample;
mod similarity;
mod spread;
#[cfg(test)]
mod tests;
mod whitening;

pub use ceiling::noise_ceiling;
pub use compare::{Comparison, compare};
pub use infer::infer;
pub use mantel::{Mantel, MantelParams, mantel};
pub use params::{Bootstrap, Correction, InferParams};
pub use result::Inference;
pub use similarity::Similarity;

/// The name of an option's value.
fn name_of<T: PartialEq>(value: T, names: &[(&'static str, T)]) -> &'static str {
    names
        .iter()
        .find(|(_, named)| *named == value)
        .map(|&(name, _)| name)
        .expect("every value of an option has a name")
}
