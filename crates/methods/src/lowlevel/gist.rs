//! Oriented energy by place.

use std::f64::consts::PI;

use consilience_stats::fourier::{Complex, Fourier};
use ndarray::Array2;

/// Bandwidth of a filter: standard deviation over centre of its frequencies, in logarithms.
const BANDWIDTH: f64 = 0.65;
/// Frequency of the finest scale, in cycles a pixel.
const FINEST: f64 = 0.25;

/// A bank of log-Gabor filters for squares of one size.
pub(super) struct Gist {
    side: usize,
    grid: usize,
    fourier: Fourier,
    /// Transfer functions over a period of twice the side.
    filters: Vec<Vec<f64>>,
}

impl Gist {
    pub fn new(side: usize, scales: usize, orientations: usize, grid: usize) -> Self {
        let filters = (0..scales)
            .flat_map(|scale| (0..orientations).map(move |o| (scale, o)))
            .map(|(scale, orientation)| {
                let frequency = FINEST / f64::from(1_u32 << scale);
                filter(2 * side, frequency, orientation, orientations)
            })
            .collect();
        Self {
            side,
            grid,
            fourier: Fourier::new(2 * side),
            filters,
        }
    }

    /// Mean amplitude of each filter in each cell of the grid.
    pub fn features(&self, square: &Array2<f64>) -> Vec<f64> {
        let (s, period) = (self.side, 2 * self.side);
        let mirrored = |i: usize| if i < s { i } else { period - 1 - i };
        let mut transform: Vec<Complex> = (0..period * period)
            .map(|at| (square[[mirrored(at / period), mirrored(at % period)]], 0.0))
            .collect();
        self.fourier.forward(&mut transform);
        let width = s / self.grid;
        let mut features = Vec::with_capacity(self.filters.len() * self.grid * self.grid);
        for filter in &self.filters {
            let mut response: Vec<Complex> = transform
                .iter()
                .zip(filter)
                .map(|((re, im), gain)| (re * gain, im * gain))
                .collect();
            self.fourier.inverse(&mut response);
            for cell in 0..self.grid * self.grid {
                let (top, left) = (cell / self.grid * width, cell % self.grid * width);
                let mut sum = 0.0;
                for y in top..top + width {
                    for (re, im) in &response[y * period + left..][..width] {
                        sum += re.hypot(*im);
                    }
                }
                features.push(sum / (width * width) as f64);
            }
        }
        features
    }
}

/// Gain at each frequency of a period, row by row.
fn filter(period: usize, centre: f64, orientation: usize, orientations: usize) -> Vec<f64> {
    let direction = PI * orientation as f64 / orientations as f64;
    let spread = PI / (2.0 * orientations as f64);
    let frequency = |k: usize| {
        let signed = if k < period / 2 {
            k as f64
        } else {
            k as f64 - period as f64
        };
        signed / period as f64
    };
    (0..period * period)
        .map(|at| {
            let (fy, fx) = (frequency(at / period), frequency(at % period));
            let f = fx.hypot(fy);
            if f == 0.0 {
                return 0.0;
            }
            let off = fy.atan2(fx) - direction;
            // From −π to π.
            let off = off - 2.0 * PI * ((off + PI) / (2.0 * PI)).floor();
            let radial = (f / centre).ln() / BANDWIDTH.ln();
            (-0.5 * radial * radial - 0.5 * (off / spread).powi(2)).exp()
        })
        .collect()
}
