//! Brain ratings against scikit-learn and plain loops, tables against their parts, and how often tests err.

mod brain;
mod calibration;
mod ceiling;
mod table;

use consilience_stats::random::{Domain, Stream};
use ndarray::Array2;

fn stream(seed: u64) -> Stream {
    Stream::new(seed, Domain::Permutations, 1 << 40)
}

/// Ratings and voxels of subjects that follow them with this weight, and have noise of their own.
fn brains(seed: u64, n: usize, widths: &[usize], weight: f64) -> (Vec<Array2<f64>>, Vec<f64>) {
    let mut stream = stream(seed);
    let ratings: Vec<f64> = (0..n).map(|_| stream.normal()).collect();
    let subjects = widths
        .iter()
        .map(|&v| {
            let tuning: Vec<f64> = (0..v).map(|_| weight * stream.normal()).collect();
            Array2::from_shape_fn((n, v), |(i, j)| ratings[i] * tuning[j] + stream.normal())
        })
        .collect();
    (subjects, ratings)
}
