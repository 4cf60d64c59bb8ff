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

/// About how many bytes [`compare`](super::compare()) takes beside the RDMs themselves, where no pair is missing; each
/// missing pair costs up to 12 more.
///
/// # Example
///
/// ```
/// use consilience_methods::rsa::{Similarity, compare_memory};
///
/// // Two RDMs of 10,000 conditions are 0.8 GB themselves.
/// for similarity in [Similarity::Pearson, Similarity::Spearman, Similarity::WhitenedCosine] {
///     assert!(compare_memory([1, 1], 49_995_000, similarity, 2) < 1.2e9);
/// }
/// ```
#[must_use]
pub fn compare_memory(
    [n_a, n_b]: [usize; 2],
    n_pairs: usize,
    similarity: Similarity,
    n_threads: usize,
) -> f64 {
    // Per pair: a vector, or a square matrix; what an RDM is made from, with it.
    let (row, at_work) = match similarity {
        Similarity::Bures => (16.0, 48.0),
        _ if similarity.is_kendall() => (8.0, 16.0),
        // Numbers being sorted and ranks, or these and the vector.
        _ if similarity.is_rank_based() => (8.0, 12.0),
        _ => (8.0, 8.0),
    };
    let n_at_once = n_a.max(n_b).min(n_threads) as f64;
    // Which pairs are there is known of each set and of both, for a moment.
    (3.0 + row * n_a as f64 + at_work * n_at_once) * n_pairs as f64
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
/// assert!(memory(&workload) < 1e9);
/// ```
#[must_use]
pub fn memory(workload: &Workload) -> f64 {
    let (n, pairs) = (workload.n_rdms as f64, workload.n_pairs as f64);
    let n_threads = workload.n_threads as f64;
    let is_ranked = workload.similarity.is_rank_based();
    let is_whitened = workload.similarity.is_whitened();
    // Per pair: which are there, and each RDM as a vector.
    let rows = 8.0 * n;
    let ranks = if is_ranked {
        // The order of each RDM, and the numbers being sorted.
        4.0 * n + 8.0 * n.min(n_threads)
    } else {
        0.0
    };
    let mut per_pair = 3.0 + rows + ranks;
    if workload.is_resampled {
        // A sample has positions, weights and their roots, for whitening also conditions; ranks are pooled over subjects.
        let sample = 16.0 + if is_whitened { 8.0 } else { 0.0 };
        let pooled = if is_ranked { 4.0 * n } else { 0.0 };
        per_pair += pooled + n_threads * (sample + rows + pooled);
    }
    let mut fixed = 0.0;
    if workload.is_permuted {
        // The mean subject as a matrix, the models once more, and a batch of permutations a thread.
        per_pair += 16.0 + 8.0 * n;
        fixed += n_threads * (BATCH_BYTES as f64).max(8.0 * pairs);
    }
    per_pair * pairs + fixed
}
