//! Tests of objects, filters and lesions. A new test goes to
//! - `golden`: numbers computed by a peer, from `fixtures/objects`
//! - `laws`: naive versions, and what must hold for any input
//! - `filters`: the same of selected filters and lesions
//! - `refusals`: what degenerate input is answered with
//! - `calibration`: error rates and coverage on simulated data (slow)

mod calibration;
mod filters;
mod golden;
mod laws;
mod refusals;

use consilience_stats::random::{Domain, Stream};
use ndarray::{Array2, Array3};

use super::{DetectedObject, PictureBox};

fn normals(index: u64, n_rows: usize, n_columns: usize) -> Array2<f64> {
    let mut draw = Stream::new(61, Domain::Simulation, index);
    Array2::from_shape_fn((n_rows, n_columns), |_| draw.normal())
}

fn maps(index: u64, shape: (usize, usize, usize)) -> Array3<f32> {
    let mut draw = Stream::new(62, Domain::Simulation, index);
    Array3::from_shape_fn(shape, |_| draw.normal() as f32)
}

fn object(class: usize, [left, top, right, bottom]: [f64; 4]) -> DetectedObject {
    DetectedObject {
        bounds: PictureBox::new(left, top, right, bottom),
        class,
        score: 0.9,
    }
}

/// Boxes within and beyond a picture of 100 × 80, some of them beside it.
fn objects(index: u64, n: usize, n_classes: usize) -> Vec<DetectedObject> {
    let mut draw = Stream::new(63, Domain::Simulation, index);
    let mut one = || {
        let (x, y) = (draw.uniform() * 120.0 - 15.0, draw.uniform() * 100.0 - 15.0);
        let (w, h) = (draw.uniform() * 70.0, draw.uniform() * 60.0);
        object(draw.below(n_classes as u32) as usize, [x, y, x + w, y + h])
    };
    (0..n).map(|_| one()).collect()
}

const PICTURE: [f64; 2] = [100.0, 80.0];
