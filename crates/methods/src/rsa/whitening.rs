//! Whitening of RDM vectors by the covariance of RDM estimates.

use super::sample::Sample;

/// Whitens RDM vectors on one sample.
///
/// # Definition
///
/// The inner product xᵀV⁻¹y of two RDMs equals, up to a constant, the inner product of their
/// kernels −½·D after projecting out all matrices a·1ᵀ + 1·aᵀ. With missing pairs the projection
/// is the least-squares fit of ½·(aᵢ + aⱼ) to the pairs that are there and of aᵢ to the zero
/// diagonal. That is one system in n unknowns, never an n_pairs² matrix. Copies of a condition share
/// their a, so a resample solves for the original conditions only.
pub(super) struct Whitener {
    /// Square roots of how often each condition occurs.
    roots: Vec<f64>,
    /// Lower Cholesky factor of the normal equations, row by row.
    factor: Vec<f64>,
}

impl Whitener {
    pub fn new(sample: &Sample) -> Self {
        let n = sample.conditions.len();
        let roots: Vec<f64> = sample
            .conditions
            .iter()
            .map(|&m| f64::from(m).sqrt())
            .collect();
        let mut normal = vec![0.0; n * n];
        for i in 0..n {
            normal[i * n + i] = 1.0;
        }
        for &(i, j) in sample.ends() {
            let (i, j) = (i as usize, j as usize);
            normal[i * n + i] += 0.5 * f64::from(sample.conditions[j]);
            normal[j * n + j] += 0.5 * f64::from(sample.conditions[i]);
            normal[j * n + i] = 0.5 * roots[i] * roots[j];
        }
        cholesky_in_place(&mut normal, n);
        Self {
            roots,
            factor: normal,
        }
    }

    /// The whitened vector of the values at the sample's pairs: first the pairs, then the diagonal,
    /// each entry times the root of how often it occurs, so that inner products are plain sums.
    pub fn whiten(&self, values: &[f64], sample: &Sample) -> Vec<f64> {
        let n = self.roots.len();
        let mut fit = vec![0.0; n];
        for (&x, &(i, j)) in values.iter().zip(sample.ends()) {
            let (i, j) = (i as usize, j as usize);
            fit[i] -= 0.5 * self.roots[i] * f64::from(sample.conditions[j]) * x;
            fit[j] -= 0.5 * self.roots[j] * f64::from(sample.conditions[i]) * x;
        }
        solve_in_place(&self.factor, &mut fit);
        let offset = |i: u32| fit[i as usize] / self.roots[i as usize];
        let pairs = values.iter().zip(sample.ends());
        let mut whitened: Vec<f64> = pairs
            .map(|(&x, &(i, j))| -std::f64::consts::FRAC_1_SQRT_2 * (x + offset(i) + offset(j)))
            .collect();
        sample.scale_by_roots(&mut whitened);
        whitened.extend(fit.iter().map(|f| -f));
        whitened
    }
}

/// Overwrites the lower triangle of a positive definite matrix with its Cholesky factor.
fn cholesky_in_place(matrix: &mut [f64], n: usize) {
    for i in 0..n {
        let (above, row) = matrix.split_at_mut(i * n);
        for j in 0..=i {
            let other = if j < i {
                &above[j * n..j * n + j]
            } else {
                &row[..j]
            };
            let dot: f64 = other.iter().zip(&row[..j]).map(|(a, b)| a * b).sum();
            let rest = row[j] - dot;
            row[j] = if j < i {
                rest / above[j * n + j]
            } else {
                rest.sqrt()
            };
        }
    }
}

/// Solves L·Lᵀ·x = b for a lower factor L, overwriting b with x.
fn solve_in_place(factor: &[f64], b: &mut [f64]) {
    let n = b.len();
    for i in 0..n {
        let row = &factor[i * n..i * n + i];
        let dot: f64 = row.iter().zip(&*b).map(|(l, x)| l * x).sum();
        b[i] = (b[i] - dot) / factor[i * n + i];
    }
    for i in (0..n).rev() {
        b[i] /= factor[i * n + i];
        let x = b[i];
        for (slot, l) in b[..i].iter_mut().zip(&factor[i * n..i * n + i]) {
            *slot -= l * x;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use consilience_core::pairs;

    /// xᵀV⁻¹y by elimination on the full covariance V = (C·Cᵀ)∘(C·Cᵀ).
    fn reference(x: &[f64], y: &[f64], n: usize) -> f64 {
        let ends: Vec<_> = pairs::iter(n).collect();
        let entry = |&(a, b): &(usize, usize), &(c, d): &(usize, usize)| {
            let same = |p, q| f64::from(u8::from(p == q));
            (same(a, c) - same(a, d) - same(b, c) + same(b, d)).powi(2)
        };
        let mut v: Vec<f64> = ends
            .iter()
            .flat_map(|p| ends.iter().map(move |q| entry(p, q)))
            .collect();
        let mut solved = y.to_vec();
        cholesky_in_place(&mut v, ends.len());
        solve_in_place(&v, &mut solved);
        x.iter().zip(&solved).map(|(a, b)| a * b).sum()
    }

    #[test]
    fn inner_products_are_those_of_the_full_covariance() {
        let n = 6;
        let x: Vec<f64> = (0..15).map(|k| f64::from(k * k % 7) + 0.5).collect();
        let y: Vec<f64> = (0..15).map(|k| f64::from(k * 5 % 11) - 2.0).collect();
        let sample = Sample::whole(n, &[true; 15]);
        let whitener = Whitener::new(&sample);
        let (wx, wy) = (whitener.whiten(&x, &sample), whitener.whiten(&y, &sample));
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        let ratio = dot(&wx, &wy) / reference(&x, &y, n);
        let ratio_of_norms = dot(&wx, &wx) / reference(&x, &x, n);
        assert!(
            (ratio / ratio_of_norms - 1.0).abs() < 1e-12,
            "{ratio} {ratio_of_norms}"
        );
    }
}
