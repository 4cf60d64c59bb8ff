//! Regions of the brain whose geometry is a known mixture.

use consilience_stats::random::{Domain, Stream};
use ndarray::Array2;

use super::ratings::Ratings;
use super::{N_COLOURS, N_PICTURES};

pub const N_SUBJECTS: usize = 20;
/// More than filters, so that each filter can have a pattern of its own.
pub const N_VOXELS: usize = 80;
/// Standard deviation of a voxel's noise, which each subject has anew; that of a voxel without noise is 1.
const NOISE: f64 = 2.5;
/// How far apart two pictures on the plane have to be to have little in common; a feeling is 1 from the middle on each axis.
const REACH: f64 = 1.5;
/// Streams of a region start here; those of pictures and ratings lie below.
const FIRST_STREAM: u64 = 1 << 40;

/// A region, by what share of the variance of its voxels comes from where.
pub struct Region {
    pub name: &'static str,
    /// Follows the plane of valence and arousal.
    pub plane: f64,
    /// Follows the filters of the network.
    pub filters: f64,
    streams: u64,
}

impl Region {
    pub fn all(is_planted: bool) -> [Self; 2] {
        let region = |name, [plane, filters]: [f64; 2], which: u64| Self {
            name,
            plane,
            filters,
            streams: FIRST_STREAM * (1 + which),
        };
        let amygdala = if is_planted { [0.5, 0.5] } else { [0.0, 0.0] };
        [
            region("amygdala", amygdala, 0),
            region("cortex", [0.0, 1.0], 1),
        ]
    }

    /// What a subject's voxels do, `(n_pictures, n_voxels)`.
    ///
    /// Without noise, two pictures correlate over voxels by plane × exp(−d² ÷ 2·reach²), where d is their distance on the plane, plus filters × r,
    /// where r is how their filters correlate: that geometry is exact for filters, and up to the number of voxels for the plane.
    pub fn responses(
        &self,
        filters: &[[f64; N_COLOURS]],
        ratings: &Ratings,
        seed: u64,
        subject: usize,
    ) -> Array2<f32> {
        // All subjects have the same voxels.
        let mut draw = Stream::new(seed, Domain::Simulation, self.streams);
        let waves: Vec<Wave> = (0..N_VOXELS).map(|_| Wave::draw(&mut draw)).collect();
        let axes = axes(&mut draw);
        let own = self.streams + 1 + subject as u64;
        let mut noise = Stream::new(seed, Domain::Simulation, own);
        let mut found = Array2::zeros((N_PICTURES, N_VOXELS));
        for (picture, mut voxels) in found.rows_mut().into_iter().enumerate() {
            let place = ratings.place(picture);
            let pattern = standardised(&filters[picture]);
            for (voxel, value) in voxels.iter_mut().enumerate() {
                let of_filters: f64 = axes.iter().zip(&pattern).map(|(a, p)| a[voxel] * p).sum();
                let signal = self.plane.sqrt() * waves[voxel].at(place)
                    + self.filters.sqrt() * of_filters * (N_VOXELS as f64).sqrt();
                *value = (signal + NOISE * noise.normal()) as f32;
            }
        }
        found
    }

    /// How two pictures at these places correlate over endless voxels in the mean of all subjects, if their filters correlate by `r`.
    #[cfg(test)]
    pub fn planned(&self, [a, b]: [[f64; 2]; 2], r: f64) -> f64 {
        let square = (a[0] - b[0]).powi(2) + (a[1] - b[1]).powi(2);
        let signal = self.plane * (-square / (2.0 * REACH * REACH)).exp() + self.filters * r;
        signal / (1.0 + NOISE * NOISE / N_SUBJECTS as f64)
    }

    /// Share of the variance of the mean over all subjects that comes from the filters.
    #[cfg(test)]
    pub fn filter_variance(&self) -> f64 {
        self.filters / (1.0 + NOISE * NOISE / N_SUBJECTS as f64)
    }
}

/// Tuning of a voxel to the plane. Many such tunings have the geometry of a bell curve (Rahimi and Recht 2007).
struct Wave {
    frequency: [f64; 2],
    phase: f64,
}

impl Wave {
    fn draw(draw: &mut Stream) -> Self {
        Self {
            frequency: std::array::from_fn(|_| draw.normal() / REACH),
            phase: std::f64::consts::TAU * draw.uniform(),
        }
    }

    fn at(&self, [valence, arousal]: [f64; 2]) -> f64 {
        let along = self.frequency[0] * valence + self.frequency[1] * arousal;
        std::f64::consts::SQRT_2 * (along + self.phase).cos()
    }
}

/// A pattern of voxels for each filter: of unit length, at right angles to each other, and with mean 0.
fn axes(draw: &mut Stream) -> Vec<Vec<f64>> {
    let mut axes: Vec<Vec<f64>> = vec![vec![(N_VOXELS as f64).recip().sqrt(); N_VOXELS]];
    while axes.len() <= N_COLOURS {
        let mut axis: Vec<f64> = (0..N_VOXELS).map(|_| draw.normal()).collect();
        // The second pass takes away what rounding left in the first.
        for other in axes.iter().chain(&axes) {
            let along = dot(&axis, other);
            axis.iter_mut()
                .zip(other)
                .for_each(|(a, o)| *a -= along * o);
        }
        let length = dot(&axis, &axis).sqrt();
        axis.iter_mut().for_each(|a| *a /= length);
        axes.push(axis);
    }
    axes.split_off(1)
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// A picture's filters with mean 0 and unit length.
fn standardised(filters: &[f64; N_COLOURS]) -> [f64; N_COLOURS] {
    let mean = filters.iter().sum::<f64>() / N_COLOURS as f64;
    let centred = filters.map(|value| value - mean);
    let length = dot(&centred, &centred).sqrt();
    // A picture without any colour has no pattern.
    centred.map(|value| if length > 0.0 { value / length } else { 0.0 })
}
