//! What inference finds.

use consilience_core::{Ceiling, RsaScore};

use super::params::Bootstrap;

/// Scores of models, how sure they are, and how they differ.
///
/// No value is NaN: what could not be had is `None`, and [`notes`](Self::notes) says why.
#[derive(Debug, Clone, PartialEq)]
pub struct Inference {
    /// One score a model, in the order given.
    pub models: Vec<RsaScore>,
    /// Two-sided p of the difference of each two models, uncorrected, `(n_models, n_models)`; `None`
    /// on the diagonal.
    pub p_difference: Vec<Vec<Option<f64>>>,
    /// The same, corrected over all pairs of models.
    pub p_difference_corrected: Vec<Vec<Option<f64>>>,
    /// Noise ceiling.
    pub ceiling: Option<Ceiling>,
    /// What was resampled in the end: less than was asked for where the notes say so.
    pub bootstrap: Bootstrap,
    /// Resamples that took part.
    pub n_resamples: usize,
    /// Degrees of freedom of the t-tests.
    pub dof: Option<usize>,
    /// Pairs of conditions that were left out because some RDM has NaN there.
    pub n_omitted: usize,
    /// What was left out, what could not be computed, why, and what to do about it.
    pub notes: Vec<String>,
}
