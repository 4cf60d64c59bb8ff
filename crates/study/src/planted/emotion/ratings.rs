//! What pictures are rated.

use std::fmt::Write;

use consilience_stats::random::{Domain, Stream};

use super::{N_PICTURES, PLACES, Set, feeling};

/// Middle of the scale, and how far feelings are from it.
const MIDDLE: f64 = 5.0;
const EXTENT: f64 = 2.5;
/// Ends of the scale.
const SCALE: [f64; 2] = [1.0, 9.0];
const N_RATERS: usize = 20;
/// Standard deviation of what raters err.
const ERROR: f64 = 1.2;
/// The first stream that no picture has: where pictures are dealt their ratings, then the raters; then the same of the second set.
const FIRST_STREAM: u64 = 1 << 32;

/// Means and spreads of valence and arousal.
pub struct Ratings {
    /// Mean and standard deviation of each picture, for valence and for arousal.
    pub spreads: Vec<[[f64; 2]; 2]>,
}

impl Ratings {
    /// Ratings that follow the pictures' feelings, or are dealt to the pictures at random.
    pub fn draw(follow: bool, seed: u64, set: Set) -> Self {
        let first = FIRST_STREAM + 2 * u64::from(set == Set::Second);
        let mut deal = Stream::new(seed, Domain::Simulation, first);
        let dealt = deal.permutation(N_PICTURES);
        let mut draw = Stream::new(seed, Domain::Simulation, first + 1);
        let of = |picture: usize| {
            let place = feeling(if follow { picture } else { dealt[picture] });
            let place = place.map_or([0.0; 2], |feeling| PLACES[feeling]);
            place.map(|at| {
                let rated = |_| MIDDLE + EXTENT * at + ERROR * draw.normal();
                let given = (0..N_RATERS).map(rated);
                spread(
                    &given
                        .map(|r| r.clamp(SCALE[0], SCALE[1]))
                        .collect::<Vec<_>>(),
                )
            })
        };
        Self {
            spreads: (0..N_PICTURES).map(of).collect(),
        }
    }

    /// Mean valence and arousal of a picture, from −1 to 1 or a little beyond.
    pub fn place(&self, picture: usize) -> [f64; 2] {
        self.spreads[picture].map(|[mean, _]| (mean - MIDDLE) / EXTENT)
    }

    /// A table with a row for each picture.
    pub fn table(&self, names: &[String]) -> String {
        let mut text =
            "file,valence,valence_sd,valence_n,arousal,arousal_sd,arousal_n\n".to_owned();
        for (name, spreads) in names.iter().zip(&self.spreads) {
            text.push_str(name);
            for [mean, sd] in spreads {
                let _ = write!(text, ",{mean:.4},{sd:.4},{N_RATERS}");
            }
            text.push('\n');
        }
        text
    }
}

/// Mean and standard deviation (denominator n − 1).
fn spread(values: &[f64]) -> [f64; 2] {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    [mean, (squares / (n - 1.0)).sqrt()]
}
