//! Which pictures are learnt from.

use std::ops::RangeInclusive;

use consilience_stats::random::{Domain, Stream};

/// The fold of each of `n` pictures, drawn.
pub(super) fn folds(n: usize, n_folds: usize, seed: u64) -> Vec<usize> {
    let order = Stream::new(seed, Domain::Split, 0).permutation(n);
    let mut fold_of = vec![0; n];
    for (place, row) in order.into_iter().enumerate() {
        fold_of[row] = place % n_folds;
    }
    fold_of
}

/// Rows without a drawn share of them, and these, both ascending; as many as `within` allows.
pub(super) fn parted(
    rows: &[usize],
    share: f64,
    within: RangeInclusive<usize>,
    seed: u64,
    index: usize,
) -> (Vec<usize>, Vec<usize>) {
    let n_out = (share * rows.len() as f64).round() as usize;
    let n_out = n_out.clamp(*within.start(), *within.end());
    let order = Stream::new(seed, Domain::Split, index as u64).permutation(rows.len());
    let mut is_out = vec![false; rows.len()];
    order[..n_out].iter().for_each(|&at| is_out[at] = true);
    let of = |out: bool| {
        (0..rows.len())
            .filter(|&at| is_out[at] == out)
            .map(|at| rows[at])
            .collect()
    };
    (of(false), of(true))
}
