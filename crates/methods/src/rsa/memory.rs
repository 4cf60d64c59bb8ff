//! How much memory comparing RDMs takes, before it is done.

use super::permutation::BATCH_BYTES;
use super::similarity::Similarity;

/// What is to be done with some RDMs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Workload {
    /// How many RDMs, of models and subjects together.
    pub n_rdms: usize,
    /// Pairs of conditions in each.
    pub n_pairs: usize,
    /// How they are compared.
    pub similarity: Similarity,
    /// Whether conditions are resampled or divided into folds.
    pub is_resampled: bool,
    /// Whether condition labels are permuted.
    pub is_permuted: bool,
    /// Threads that work at once.
    pub n_threads: usize,
}

/// About how many bytes a workload takes beside the RDMs themselves; real use may be a little less.
///
/// # Example
///
/// ```
/// use consilience_methods::rsa::{Similarity, Workload, memory};
///
/// let workload = Workload {
///     n_rdms: 2,
///     n_pairs: 49_995_000,
///     similarity: Similarity::Pearson,
///     is_resampled: false,
///     is_permuted: false,
///     n_threads: 2,
/// };
/// assert!(memory(&workload) < 1.5e9);
/// ```
#[must_use]
pub fn memory(workload: &Workload) -> f64 {
    let (n, pairs) = (workload.n_rdms as f64, workload.n_pairs as f64);
    let n_threads = workload.n_threads as f64;
    let is_ranked = workload.similarity.is_rank_based();
    // Per pair: which are compared and how often they count, for whitening also of what; then each RDM as a vector.
    let ends = if workload.similarity.is_whitened() {
        8.0
    } else {
        0.0
    };
    let sample = 8.0 + 3.0 + ends;
    let rows = 8.0 * n;
    let ranks = if is_ranked {
        // The order of each RDM, and the numbers being sorted.
        4.0 * n + 24.0 * n.min(n_threads)
    } else {
        0.0
    };
    let mut per_pair = sample + rows + ranks;
    if workload.is_resampled {
        // Samples have the roots of their weights, and ranks are pooled over subjects.
        let pooled = if is_ranked { 8.0 * n } else { 0.0 };
        per_pair += pooled + n_threads * (sample + 8.0 + rows + pooled);
    }
    let mut fixed = 0.0;
    if workload.is_permuted {
        // The mean subject as a matrix, the models once more, and a batch of permutations a thread.
        per_pair += 16.0 + 8.0 * n;
        fixed += n_threads * (BATCH_BYTES as f64).max(8.0 * pairs);
    }
    per_pair * pairs + fixed
}
