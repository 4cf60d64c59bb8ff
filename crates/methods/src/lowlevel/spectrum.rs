//! Power by spatial frequency and orientation.

use std::f64::consts::PI;

use consilience_stats::fourier::{Complex, Fourier};
use ndarray::Array2;

/// Octaves and sectors for squares of one size.
pub(super) struct Spectrum {
    side: usize,
    fourier: Fourier,
    window: Vec<f64>,
    /// The band of each frequency, row by row; `None` outside of all.
    bands: Vec<Option<usize>>,
    n_bands: usize,
}

impl Spectrum {
    pub fn new(side: usize, orientations: usize) -> Self {
        let signed = |k: usize| {
            if k < side / 2 {
                k as f64
            } else {
                k as f64 - side as f64
            }
        };
        let n_octaves = side.ilog2() as usize - 1;
        let bands = (0..side * side)
            .map(|at| {
                let (fy, fx) = (signed(at / side), signed(at % side));
                let f = fx.hypot(fy);
                let octave = (0..n_octaves).find(|&k| {
                    let upper = side as f64 / (1_u64 << (k + 1)) as f64;
                    f <= upper && f > upper / 2.0
                })?;
                let turn = fy.atan2(fx) / (PI / orientations as f64);
                let sector = ((turn + 0.5).floor() as i64).rem_euclid(orientations as i64);
                Some(octave * orientations + sector as usize)
            })
            .collect();
        Self {
            side,
            fourier: Fourier::new(side),
            window: (0..side)
                .map(|i| 0.5 - 0.5 * (2.0 * PI * (i as f64 + 0.5) / side as f64).cos())
                .collect(),
            bands,
            n_bands: n_octaves * orientations,
        }
    }

    /// Root mean power of each octave and sector.
    pub fn features(&self, square: &Array2<f64>) -> Vec<f64> {
        let s = self.side;
        let mean = square.sum() / square.len() as f64;
        let mut transform: Vec<Complex> = (0..s * s)
            .map(|at| {
                let (y, x) = (at / s, at % s);
                (
                    (square[[y, x]] - mean) * self.window[y] * self.window[x],
                    0.0,
                )
            })
            .collect();
        self.fourier.forward(&mut transform);
        let (mut power, mut counts) = (vec![0.0; self.n_bands], vec![0_u32; self.n_bands]);
        for ((re, im), band) in transform.iter().zip(&self.bands) {
            if let Some(band) = *band {
                power[band] += (re * re + im * im) / (s as f64).powi(4);
                counts[band] += 1;
            }
        }
        power
            .iter()
            .zip(counts)
            .map(|(p, n)| (p / f64::from(n)).sqrt())
            .collect()
    }
}
