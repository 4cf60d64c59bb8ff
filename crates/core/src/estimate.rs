//! A number and how sure it is.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The best that any model can score, given how much subjects differ.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Ceiling {
    /// Mean similarity of each subject's RDM with the mean RDM of the others.
    pub lower: f64,
    /// Mean similarity of each subject's RDM with the mean RDM of all.
    pub upper: f64,
}

/// A value with its uncertainty. What could not be estimated is `None`, and the notes of the
/// result say why.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Estimate {
    /// The value itself, in the unit of the similarity measure.
    pub value: f64,
    /// Standard error of the mean over what was resampled.
    pub sem: Option<f64>,
    /// 95 % interval (low, high).
    pub interval: Option<[f64; 2]>,
    /// One-sided p for value > 0, uncorrected.
    pub p: Option<f64>,
    /// The same, corrected over the family that the result names.
    pub p_corrected: Option<f64>,
    /// One-sided p for value < lower noise ceiling, uncorrected.
    pub p_ceiling: Option<f64>,
    /// One-sided p by permuting condition labels, uncorrected.
    pub p_permutation: Option<f64>,
    /// Family-wise p by the largest statistic of each permutation.
    pub p_permutation_fwe: Option<f64>,
}
