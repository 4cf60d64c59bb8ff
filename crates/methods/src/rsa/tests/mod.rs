//! Tests of RSA as a whole. A new test goes to
//! - `golden`: numbers computed by a peer, from `fixtures/rsa`
//! - `compat`: inference as another toolbox reports it
//! - `evaluate`: models with parameters
//! - `laws`: what must hold for any input, against naive loops or another route
//! - `ceiling`: intervals and the test of noise ceilings
//! - `notes`: what degenerate input is answered with
//! - `blocks`: permutation within blocks
//! - `calibration`: error rates and coverage on simulated data (slow)

mod blocks;
mod calibration;
mod ceiling;
mod comparators;
mod compat;
mod evaluate;
mod golden;
mod laws;
mod notes;

use consilience_core::pairs;
use consilience_stats::random::{Domain, Stream};
use ndarray::Array2;

/// RDMs of `n_rdms` noisy views of one set of random patterns; `signal` 0 leaves pure noise.
fn simulated(
    seed: u64,
    index: u64,
    n_rdms: usize,
    n_conditions: usize,
    signal: f64,
) -> Array2<f64> {
    const N_CHANNELS: usize = 8;
    let mut stream = Stream::new(seed, Domain::Simulation, index);
    let shared: Vec<f64> = (0..n_conditions * N_CHANNELS)
        .map(|_| stream.normal())
        .collect();
    let mut rdms = Array2::zeros((n_rdms, pairs::n_pairs(n_conditions)));
    for mut rdm in rdms.rows_mut() {
        let patterns: Vec<f64> = shared
            .iter()
            .map(|x| signal * x + stream.normal())
            .collect();
        for ((i, j), slot) in pairs::iter(n_conditions).zip(&mut rdm) {
            let pattern = |c: usize| &patterns[c * N_CHANNELS..(c + 1) * N_CHANNELS];
            *slot = pattern(i)
                .iter()
                .zip(pattern(j))
                .map(|(a, b)| (a - b).powi(2))
                .sum();
        }
    }
    rdms
}

/// The same RDMs with few different values.
fn with_ties(rdms: &Array2<f64>) -> Array2<f64> {
    rdms.mapv(|d| (d / 4.0).floor())
}
