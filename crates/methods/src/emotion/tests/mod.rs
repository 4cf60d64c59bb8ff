//! Tests of analyses of emotion. A new test goes to
//! - `golden`: numbers computed by a peer, from `fixtures/emotion`
//! - `laws`: what must hold for any input, and naive references
//! - `consistency`: units in two sets of items
//! - `refusals`: what degenerate input is answered with
//! - `calibration`: error rates on simulated data (slow)

mod calibration;
mod consistency;
mod golden;
mod laws;
mod refusals;

use consilience_stats::random::{Domain, Stream};
use ndarray::Array2;

use super::{BinParams, Bins, Edges, bins};

fn normals(index: u64, n_rows: usize, n_columns: usize) -> Array2<f64> {
    let mut draw = Stream::new(61, Domain::Simulation, index);
    Array2::from_shape_fn((n_rows, n_columns), |_| draw.normal())
}

/// Valence and arousal of items, anywhere on the scale.
fn ratings(index: u64, n: usize) -> [Vec<f64>; 2] {
    let mut draw = Stream::new(62, Domain::Simulation, index);
    [0, 1].map(|_| (0..n).map(|_| 1.0 + 8.0 * draw.uniform()).collect())
}

fn nine_bins(index: u64, n: usize, min_items: usize) -> Bins {
    let [valence, arousal] = ratings(index, n);
    let params = BinParams {
        valence: Edges::Tertiles,
        arousal: Edges::Tertiles,
        min_items,
        ..BinParams::default()
    };
    bins(&valence, Some(&arousal), &params).unwrap()
}
