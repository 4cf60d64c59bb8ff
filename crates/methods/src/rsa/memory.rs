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
/// assert!(memory(&workload) < 4e9);
/// ```
#[must_use]
pub fn memory(workload: &Workload) -> f64 {
    let (n, pairs) = (workload.n_rdms as f64, workload.n_pairs as f64);
    let n_threads = workload.n_threads as f64;
    let is_ranked = workload.similarity.is_rank_based();
    // Per pair: which are compared, where they lie and how often they count; then each RDM as a vector.
    let sample = 24.0 + 3.0;
    let rows = 8.0 * n;
    let ranks = if is_ranked {
        // The order of each RDM, the numbers being sorted, and ranks for the pool of subjects.
        4.0 * n + 16.0 * n.min(n_threads) + 8.0 * n
    } else {
        0.0
    };
    let mut per_pair = 8.0 * n + sample + rows + ranks;
    if workload.is_resampled {
        per_pair += n_threads * (sample + rows + if is_ranked { 8.0 * n } else { 0.0 });
    }
    let mut fixed = 0.0;
    if workload.is_permuted {
        // The mean subject as a matrix, the models once more, and a batch of permutations a thread.
        per_pair += 16.0 + 8.0 * n;
        fixed += n_threads * (BATCH_BYTES as f64).max(8.0 * pairs);
    }
    per_pair * pairs + fixed
}
