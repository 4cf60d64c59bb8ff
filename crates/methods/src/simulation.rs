//! What tests on simulated studies share.

use rayon::prelude::*;

/// Share of simulated studies for which `is_hit` holds.
///
/// As many studies as the checks have time for: `usual`. The published rates come from more, which
/// `CONSILIENCE_STUDIES` asks for.
pub fn rate(usual: u64, is_hit: impl Fn(u64) -> bool + Sync) -> f64 {
    let [rate] = rates(usual, |i| [is_hit(i)]);
    rate
}

/// The same for several events of a study.
pub fn rates<const N: usize>(usual: u64, hits: impl Fn(u64) -> [bool; N] + Sync) -> [f64; N] {
    let n_studies = n_studies(usual);
    let none = || [0_u64; N];
    let counts = (0..n_studies)
        .into_par_iter()
        .map(|i| hits(i).map(u64::from))
        .reduce(none, |a, b| std::array::from_fn(|k| a[k] + b[k]));
    counts.map(|n| n as f64 / n_studies as f64)
}

/// Three standard errors of a rate of 0.05 (or 0.95) over as many studies.
pub fn chance(usual: u64) -> f64 {
    3.0 * (0.05 * 0.95 / n_studies(usual) as f64).sqrt()
}

fn n_studies(usual: u64) -> u64 {
    std::env::var("CONSILIENCE_STUDIES").map_or(usual, |n| {
        n.parse()
            .expect("CONSILIENCE_STUDIES is a number of studies")
    })
}
