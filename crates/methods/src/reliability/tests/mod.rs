//! Tests of reliability. A new test goes to
//! - `golden`: numbers computed by a peer, from `fixtures/reliability`
//! - `laws`: what must hold for any input
//! - `refusals`: what degenerate input is answered with
//! - `calibration`: error rates and coverage on simulated data (slow)

mod calibration;
mod golden;
mod laws;
mod refusals;

use consilience_stats::random::{Domain, Stream};
use ndarray::{Array2, Array3};

use super::{Coefficient, RatingScale, ReliabilityParams};

const COEFFICIENTS: [Coefficient; 4] = [
    Coefficient::SplitHalf,
    Coefficient::Alpha,
    Coefficient::Pairwise,
    Coefficient::LeaveOneOut,
];

const SCALES: [RatingScale; 3] = [RatingScale::Raw, RatingScale::ZScores, RatingScale::Ranks];

/// Ratings of `n_items` by `n_raters`: true values times `signal` plus noise.
fn ratings(index: u64, n_items: usize, n_raters: usize, signal: f64) -> Array2<f64> {
    let mut draw = Stream::new(41, Domain::Simulation, index);
    let truth: Vec<f64> = (0..n_items).map(|_| signal * draw.normal()).collect();
    Array2::from_shape_fn((n_items, n_raters), |(item, _)| truth[item] + draw.normal())
}

/// `(n_repetitions, n_stimuli, n_channels)`, as above in each channel.
fn responses(index: u64, shape: (usize, usize, usize), signal: f64) -> Array3<f64> {
    let mut draw = Stream::new(42, Domain::Simulation, index);
    let truth = Array2::from_shape_fn((shape.1, shape.2), |_| signal * draw.normal());
    Array3::from_shape_fn(shape, |(_, s, c)| truth[[s, c]] + draw.normal())
}

/// Only the value.
fn bare(coefficient: Coefficient) -> ReliabilityParams {
    ReliabilityParams {
        coefficient,
        resamples: 0,
        permutations: 0,
        ..ReliabilityParams::default()
    }
}
