//! Filling an RDM vector in parallel.

use consilience_core::pairs;
use rayon::prelude::*;

/// `value(i, j)` for every pair of `n` conditions, in the order of an RDM vector.
pub(super) fn from_pairs(n: usize, value: impl Fn(usize, usize) -> f64 + Sync) -> Vec<f64> {
    let mut vector = vec![0.0; pairs::n_pairs(n)];
    rows_mut(&mut vector, n)
        .into_par_iter()
        .enumerate()
        .for_each(|(i, row)| {
            for (j, slot) in (i + 1..n).zip(row) {
                *slot = value(i, j);
            }
        });
    vector
}

/// The same, when a pair may fail; of several failures, that of the first pair is returned.
pub(super) fn try_from_pairs<E: Send>(
    n: usize,
    value: impl Fn(usize, usize) -> Result<f64, E> + Sync,
) -> Result<Vec<f64>, E> {
    let mut vector = vec![0.0; pairs::n_pairs(n)];
    let outcomes: Vec<Result<(), E>> = rows_mut(&mut vector, n)
        .into_par_iter()
        .enumerate()
        .map(|(i, row)| {
            for (j, slot) in (i + 1..n).zip(row) {
                *slot = value(i, j)?;
            }
            Ok(())
        })
        .collect();
    outcomes.into_iter().collect::<Result<(), E>>()?;
    Ok(vector)
}

/// Row `i` of the triangle holds the pairs (i, i + 1) … (i, n − 1).
fn rows_mut(mut rest: &mut [f64], n: usize) -> Vec<&mut [f64]> {
    let mut rows = Vec::with_capacity(n);
    for i in 0..n {
        let (row, tail) = rest.split_at_mut(n - 1 - i);
        rows.push(row);
        rest = tail;
    }
    rows
}
