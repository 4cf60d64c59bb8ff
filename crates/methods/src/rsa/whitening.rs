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
    normal: Normal,
}

/// The matrix of the normal equations, in the form in which they are solved.
enum Normal {
    /// Without a missing pair it is D + ½·r·rᵀ, where r are the roots of how often each condition occurs, mᵢ, and
    /// Dᵢ = 1 + ½·Σm − mᵢ. Its inverse is D⁻¹ − s·(D⁻¹r)(D⁻¹r)ᵀ with s = ½ ÷ (1 + ½·rᵀD⁻¹r) (Sherman & Morrison 1950,
    /// doi:10.1214/aoms/1177729893).
    RankOne {
        diagonal: Vec<f64>,
        /// D⁻¹r.
        direction: Vec<f64>,
        /// s.
        scale: f64,
    },
    /// Lower Cholesky factor, row by row.
    Dense(Vec<f64>),
}

impl Whitener {
    pub fn new(sample: &Sample) -> Self {
        Self::rank_one(sample).unwrap_or_else(|| Self::dense(sample))
    }

    /// `None` where a pair is missing, or one condition occurs about as often as all others together and D is not positive.
    fn rank_one(sample: &Sample) -> Option<Self> {
        let half: f64 = 0.5 * sample.conditions.iter().map(|&m| f64::from(m)).sum::<f64>();
        let diagonal: Vec<f64> = sample
            .conditions
            .iter()
            .map(|&m| 1.0 + half - f64::from(m))
            .collect();
        if !sample.is_complete() || diagonal.iter().any(|&d| d <= 0.0) {
            return None;
        }
        let roots = roots(sample);
        let direction: Vec<f64> = roots.iter().zip(&diagonal).map(|(r, d)| r / d).collect();
        let along: f64 = roots.iter().zip(&direction).map(|(r, v)| r * v).sum();
        Some(Self {
            roots,
            normal: Normal::RankOne {
                diagonal,
                direction,
                scale: 0.5 / (1.0 + 0.5 * along),
            },
        })
    }

    fn dense(sample: &Sample) -> Self {
        let n = sample.conditions.len();
        let roots = roots(sample);
        let mut normal = vec![0.0; n * n];
        for i in 0..n {
            normal[i * n + i] = 1.0;
        }
        sample.for_each_pair(|_, i, j| {
            normal[i * n + i] += 0.5 * f64::from(sample.conditions[j]);
            normal[j * n + j] += 0.5 * f64::from(sample.conditions[i]);
            normal[j * n + i] = 0.5 * roots[i] * roots[j];
        });
        cholesky_in_place(&mut normal, n);
        Self {
            roots,
            normal: Normal::Dense(normal),
        }
    }

    /// The whitened vector of the values at the sample's pairs: first the pairs, then the diagonal,
    /// each entry times the root of how often it occurs, so that inner products are plain sums.
    pub fn whiten(&self, mut values: Vec<f64>, sample: &Sample) -> Vec<f64> {
        let mut fit = vec![0.0; self.roots.len()];
        sample.for_each_pair(|k, i, j| {
            fit[i] -= 0.5 * self.roots[i] * f64::from(sample.conditions[j]) * values[k];
            fit[j] -= 0.5 * self.roots[j] * f64::from(sample.conditions[i]) * values[k];
        });
        self.solve_in_place(&mut fit);
        let offset = |i: usize| fit[i] / self.roots[i];
        sample.for_each_pair(|k, i, j| {
            let residual = values[k] + offset(i) + offset(j);
            values[k] = -std::f64::consts::FRAC_1_SQRT_2 * residual;
        });
        sample.scale_by_roots(&mut values);
        values.extend(fit.iter().map(|f| -f));
        values
    }

    fn solve_in_place(&self, b: &mut [f64]) {
        match &self.normal {
            Normal::Dense(factor) => solve_in_place(factor, b),
            Normal::RankOne {
                diagonal,
                direction,
                scale,
            } => {
                let along: f64 = direction.iter().zip(&*b).map(|(v, x)| v * x).sum();
                for ((x, d), v) in b.iter_mut().zip(diagonal).zip(direction) {
                    *x = *x / d - scale * along * v;
                }
            }
        }
    }
}

fn roots(sample: &Sample) -> Vec<f64> {
    let conditions = sample.conditions.iter();
    conditions.map(|&m| f64::from(m).sqrt()).collect()
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
    use proptest::prelude::*;

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
        let [wx, wy] = [&x, &y].map(|v| whitener.whiten(v.clone(), &sample));
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        let ratio = dot(&wx, &wy) / reference(&x, &y, n);
        let ratio_of_norms = dot(&wx, &wx) / reference(&x, &x, n);
        assert!(
            (ratio / ratio_of_norms - 1.0).abs() < 1e-12,
            "{ratio} {ratio_of_norms}"
        );
    }
    proptest! {
        /// One condition that occurs as often as all others takes the dense way by itself.
        #[test]
        fn both_ways_of_solving_agree(
            counts in prop::collection::vec(0_u32..6, 3..9),
            values in prop::collection::vec(-3.0..3.0, 28),
        ) {
            let n = counts.len();
            let total: u32 = counts.iter().sum();
            let most = counts.iter().copied().max().unwrap_or(0);
            let sample = Sample::resampled(counts, &vec![true; pairs::n_pairs(n)]);
            let fast = Whitener::rank_one(&sample);
            prop_assert_eq!(fast.is_some(), 2 * most < total + 2);
            let fast = fast.unwrap_or_else(|| Whitener::new(&sample));
            let values = sample.gather(&values);
            let found = fast.whiten(values.clone(), &sample);
            let expected = Whitener::dense(&sample).whiten(values, &sample);
            for (found, expected) in found.iter().zip(&expected) {
                prop_assert!((found - expected).abs() < 1e-12, "{found} {expected}");
            }
        }
    }

    #[test]
    fn missing_pairs_take_the_dense_way() {
        let sample = Sample::whole(3, &[true, false, true]);
        assert!(Whitener::rank_one(&sample).is_none());
        assert!(Whitener::rank_one(&Sample::whole(3, &[true; 3])).is_some());
    }
}
