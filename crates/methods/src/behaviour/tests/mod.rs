//! Tests of behavioural statistics. A new test goes to
//! - `golden`: numbers computed by a peer, from `fixtures/behaviour`
//! - `laws`: what must hold for any input
//! - `differences`: all of these of differences of correlations
//! - `refusals`: what degenerate input is answered with
//! - `calibration`: error rates and coverage on simulated data (slow)

mod calibration;
mod differences;
mod golden;
mod laws;
mod refusals;

use consilience_stats::random::{Domain, Stream};
use ndarray::Array2;

fn normals(index: u64, n_rows: usize, n_columns: usize) -> Array2<f64> {
    let mut draw = Stream::new(51, Domain::Simulation, index);
    Array2::from_shape_fn((n_rows, n_columns), |_| draw.normal())
}
