//! Which pictures are learnt from.

use std::ops::RangeInclusive;

use consilience_stats::random::{Domain, Stream};

/// The fold of each picture, drawn; folds differ by one picture at most.
///
/// Stratified, pictures are taken in the order of their ratings, equal ones in a drawn order, and every `n_folds` of them in turn go
/// to different folds: the means of all training sets are then nearly the same.
pub(crate) fn folds(ratings: &[f64], n_folds: usize, stratified: bool, seed: u64) -> Vec<usize> {
    let mut stream = Stream::new(seed, Domain::Split, 0);
    let mut order = stream.permutation(ratings.len());
    let mut fold_of = vec![0; ratings.len()];
    if stratified {
        order.sort_by(|&a, &b| ratings[a].total_cmp(&ratings[b]));
    }
    for neighbours in order.chunks(n_folds) {
        let drawn = match stratified {
            true => stream.permutation(n_folds),
            false => (0..n_folds).collect(),
        };
        for (&row, fold) in neighbours.iter().zip(drawn) {
            fold_of[row] = fold;
        }
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
