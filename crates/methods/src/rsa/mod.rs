//! Representational similarity analysis: comparing RDMs, and how sure the answer is.
//!
//! - [`compare`](compare()): similarities of RDMs with RDMs
//! - [`noise_ceiling`]: the best any model can score; [`tested_ceiling`] with intervals and a test against chance
//! - [`infer`](infer()): scores of models with standard errors, intervals, tests and corrections; [`infer_as`] as another toolbox does
//! - [`evaluate`](evaluate()): the same for models with parameters, cross-validated
//! - [`mantel`](mantel()): one RDM with another, by permutation
//! - [`regress`], [`partial_correlation`]: an RDM as a weighted sum of others
//! - [`compare_whitened`], [`negative_riemannian`]: comparisons that know the covariance of patterns
//! - [`compare_patterns`]: CKA, RV, Procrustes and angular shape distance, CCA and SVCCA of patterns; [`cca`](cca()) with all correlations

mod bootstrap;
mod cca;
mod ceiling;
mod ceiling_test;
mod compare;
mod compat;
mod covariance;
mod estimates;
mod evaluate;
mod fit;
mod folded;
mod folds;
mod infer;
mod inputs;
mod kernel;
mod levels;
mod mantel;
mod memory;
mod model;
mod params;
mod permutation;
mod plan;
mod regression;
mod result;
mod row;
mod sample;
mod shape;
mod similarity;
mod spread;
#[cfg(test)]
mod tests;
mod whitening;

pub use cca::{Cca, CcaParams, cca};
pub use ceiling::noise_ceiling;
pub use ceiling_test::{CeilingParams, TestedCeiling, tested_ceiling};
pub use compare::{Comparison, compare};
pub use covariance::{compare_whitened, negative_riemannian};
pub use evaluate::{Evaluated, FittedWeights, evaluate};
pub use infer::{infer, infer_as};
pub use mantel::{Mantel, MantelParams, mantel};
pub use memory::{Workload, compare_memory, memory};
pub use model::{Model, ModelKind};
pub use params::{Bootstrap, Correction, EvaluateParams, InferParams};
pub use plan::CrossValidation;
pub use regression::{
    PartialCorrelation, Regression, RegressionParams, Weights, partial_correlation, regress,
};
pub use result::Inference;
pub use shape::{PatternMeasure, compare_patterns};
pub use similarity::Similarity;

use crate::names::name_of;
