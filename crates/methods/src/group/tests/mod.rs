//! Tests of tests over subjects. A new test goes to
//! - `golden`: numbers computed by a peer, from `fixtures/group`
//! - `laws`: what must hold for any input, and naive references
//! - `refusals`: what degenerate input is answered with
//! - `calibration`: error rates and coverage on simulated data (slow)

mod calibration;
mod golden;
mod laws;
mod refusals;

use consilience_stats::random::{Domain, Stream};
use ndarray::Array2;

fn normals(index: u64, n_models: usize, n_subjects: usize) -> Array2<f64> {
    let mut draw = Stream::new(61, Domain::Simulation, index);
    Array2::from_shape_fn((n_models, n_subjects), |_| draw.normal())
}
