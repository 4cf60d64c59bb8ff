//! The discrete Fourier transform in two dimensions, of sides that are powers of two.

use std::f64::consts::TAU;

/// A complex number as (real, imaginary).
pub type Complex = (f64, f64);

/// Transforms of squares of one size.
///
/// # Definition
///
/// Forward: F(u, v) = Σ f(y, x)·exp(−2πi(uy + vx)/n); inverse with + and the factor 1/n².
///
/// # Peers
///
/// `numpy.fft.fft2` and `ifft2`, to 1e-12 of the largest value.
#[derive(Debug, Clone)]
pub struct Fourier {
    n: usize,
    /// exp(−2πi k/n) for k < n/2.
    turns: Vec<Complex>,
}

impl Fourier {
    /// For squares of side `n`.
    ///
    /// # Panics
    ///
    /// When `n` is no power of two.
    #[must_use]
    pub fn new(n: usize) -> Self {
        assert!(n.is_power_of_two(), "the side is a power of two");
        let turn = |k: usize| {
            let (sin, cos) = (-TAU * k as f64 / n as f64).sin_cos();
            (cos, sin)
        };
        Self {
            n,
            turns: (0..n / 2).map(turn).collect(),
        }
    }

    /// Transforms `values`, row by row, in place.
    ///
    /// # Panics
    ///
    /// When there are other than n² values.
    pub fn forward(&self, values: &mut [Complex]) {
        self.both_axes(values, false);
    }

    /// Undoes [`forward`](Self::forward).
    ///
    /// # Panics
    ///
    /// As there.
    pub fn inverse(&self, values: &mut [Complex]) {
        self.both_axes(values, true);
        let scale = 1.0 / (self.n * self.n) as f64;
        for value in values {
            *value = (value.0 * scale, value.1 * scale);
        }
    }

    fn both_axes(&self, values: &mut [Complex], inverse: bool) {
        let n = self.n;
        assert_eq!(values.len(), n * n, "a square has n² values");
        for _ in 0..2 {
            for row in values.chunks_exact_mut(n) {
                self.line(row, inverse);
            }
            for i in 0..n {
                for j in 0..i {
                    values.swap(i * n + j, j * n + i);
                }
            }
        }
    }

    /// Cooley and Tukey 1965, in place: bits of the position reversed, then butterflies of growing width.
    fn line(&self, line: &mut [Complex], inverse: bool) {
        let n = self.n;
        let bits = n.trailing_zeros();
        for i in 0..n {
            let j = if bits == 0 {
                0
            } else {
                i.reverse_bits() >> (usize::BITS - bits)
            };
            if i < j {
                line.swap(i, j);
            }
        }
        let mut width = 2;
        while width <= n {
            let step = n / width;
            for block in line.chunks_exact_mut(width) {
                let (low, high) = block.split_at_mut(width / 2);
                for (k, (a, b)) in low.iter_mut().zip(high).enumerate() {
                    let (cos, sin) = self.turns[k * step];
                    let sin = if inverse { -sin } else { sin };
                    let turned = (b.0 * cos - b.1 * sin, b.0 * sin + b.1 * cos);
                    *b = (a.0 - turned.0, a.1 - turned.1);
                    *a = (a.0 + turned.0, a.1 + turned.1);
                }
            }
            width *= 2;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Domain, Stream};

    #[test]
    fn agrees_with_the_definition() {
        for n in [1_usize, 2, 4, 8] {
            let mut draw = Stream::new(71, Domain::Simulation, n as u64);
            let values: Vec<Complex> = (0..n * n).map(|_| (draw.normal(), draw.normal())).collect();
            let mut found = values.clone();
            let fourier = Fourier::new(n);
            fourier.forward(&mut found);
            for u in 0..n {
                for v in 0..n {
                    let mut sum = (0.0, 0.0);
                    for y in 0..n {
                        for x in 0..n {
                            let (sin, cos) = (-TAU * (u * y + v * x) as f64 / n as f64).sin_cos();
                            let (re, im) = values[y * n + x];
                            sum = (sum.0 + re * cos - im * sin, sum.1 + re * sin + im * cos);
                        }
                    }
                    let found = found[u * n + v];
                    assert!((found.0 - sum.0).abs() < 1e-12 && (found.1 - sum.1).abs() < 1e-12);
                }
            }
            fourier.inverse(&mut found);
            for (found, value) in found.iter().zip(&values) {
                assert!((found.0 - value.0).abs() < 1e-13 && (found.1 - value.1).abs() < 1e-13);
            }
        }
    }
}
