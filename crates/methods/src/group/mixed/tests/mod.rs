//! Tests of the mixed model. A new test goes to
//! - `golden`: numbers computed by a peer, from `fixtures/group/mixed.json`
//! - `laws`: what must hold for any input
//! - `reference`: the definition on dense matrices
//! - `refusals`: what degenerate input is answered with
//! - `calibration`: error rates and coverage on simulated data (slow)

mod calibration;
mod golden;
mod laws;
mod reference;
mod refusals;

use consilience_stats::random::{Domain, Stream};
use ndarray::Array2;

use super::{MixedModel, MixedParams, mixed_model};
use crate::NanPolicy;

const OMIT: MixedParams = MixedParams {
    chance: 0.0,
    alternative: crate::group::Alternative::Greater,
    pair_alternative: crate::group::Alternative::TwoSided,
    nan: NanPolicy::Omit,
};

/// Scores with an effect of subjects of the given standard deviation, and of models of the given step.
fn scores(index: u64, n_models: usize, n_subjects: usize, sd: f64, step: f64) -> Array2<f64> {
    let mut draw = Stream::new(63, Domain::Simulation, index);
    let subjects: Vec<f64> = (0..n_subjects).map(|_| sd * draw.normal()).collect();
    Array2::from_shape_fn((n_models, n_subjects), |(m, s)| {
        step * m as f64 + subjects[s] + draw.normal()
    })
}

/// The same with each score missing with a given probability, though never those of the first subject, nor of the first two models of
/// every third.
fn with_gaps(mut table: Array2<f64>, index: u64, missing: f64) -> Array2<f64> {
    let mut draw = Stream::new(64, Domain::Simulation, index);
    for ((model, subject), score) in table.indexed_iter_mut() {
        if draw.uniform() < missing && subject > 0 && (model > 1 || subject % 3 > 0) {
            *score = f64::NAN;
        }
    }
    table
}

fn run(table: &Array2<f64>) -> MixedModel {
    mixed_model(table.view(), &[], &OMIT).unwrap()
}

/// To a share of the larger, or of 1.
fn close(a: f64, b: f64, tolerance: f64) -> bool {
    (a - b).abs() <= tolerance * a.abs().max(b.abs()).max(1.0)
}
