//! What tests on simulated studies share.

use rayon::prelude::*;

/// Share of `n_studies` studies for which `is_hit` holds.
pub fn rate(n_studies: u64, is_hit: impl Fn(u64) -> bool + Sync) -> f64 {
    let n_hits = (0..n_studies)
        .into_par_iter()
        .filter(|&i| is_hit(i))
        .count();
    n_hits as f64 / n_studies as f64
}
