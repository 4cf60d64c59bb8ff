//! Squares on grey.

use consilience_io::image::RgbImage;
use consilience_stats::random::{Domain, Stream};

use super::colours::{GREY, directions, levels};
use super::{N_COLOURS, SIDE, SQUARE};

/// Standard deviation of a pixel, in levels.
const NOISE: f64 = 4.0;
/// Places for squares along each axis.
const N_PLACES: usize = SIDE / SQUARE;

/// A picture and where each colour is in it.
pub struct Scene {
    pub picture: RgbImage,
    /// Left and upper edge of the square of each colour.
    pub squares: [Option<[usize; 2]>; N_COLOURS],
}

impl Scene {
    /// The picture of an index, which shows each colour with its probability.
    pub fn new(seed: u64, idx: usize, shares: &[f64; N_COLOURS]) -> Self {
        let mut draw = Stream::new(seed, Domain::Simulation, idx as u64);
        let order = draw.permutation(N_PLACES * N_PLACES);
        let squares = std::array::from_fn(|colour| {
            let place = order[colour];
            let edges = [place % N_PLACES * SQUARE, place / N_PLACES * SQUARE];
            (draw.uniform() < shares[colour]).then_some(edges)
        });
        let mut pixels = vec![[GREY; 3]; SIDE * SIDE];
        for (square, direction) in squares.iter().zip(directions()) {
            let Some([left, top]) = *square else {
                continue;
            };
            for row in top..top + SQUARE {
                pixels[row * SIDE + left..][..SQUARE].fill(levels(direction));
            }
        }
        let noisy = |level: f64| (level + NOISE * draw.normal()).round() as u8;
        Self {
            picture: RgbImage {
                width: SIDE,
                height: SIDE,
                pixels: pixels.into_iter().flatten().map(noisy).collect(),
            },
            squares,
        }
    }
}
