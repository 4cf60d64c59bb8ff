//! The restricted likelihood over the ratio of the two variances, and its maximum.

use consilience_stats::dense::{Spectrum, product};
use faer::Mat;

use super::products::{Products, quadratic};

/// The largest ratio that is looked at; beyond it, what is left within subjects is rounding.
const LARGEST_RATIO: f64 = 1e8;
/// Ratios that are looked at from 10⁻⁸ upwards, eight in each power of ten.
const N_RATIOS: i32 = 128;

/// Generalised least squares under a given ratio λ = σ_b²/σ² of the variances.
///
/// With n_i scores of subject i, H = I + λ·ZZ′ has the inverse 1 within a subject and 1/(1 + λ·n_i) on its mean.
pub(super) struct Fit {
    pub ratio: f64,
    /// Coefficients of the design.
    pub coefficients: Vec<f64>,
    /// (X′H⁻¹X)⁻¹.
    pub inverse: Mat<f64>,
    /// σ² = r′H⁻¹r/(N − p).
    pub variance: f64,
    /// −2 times the restricted log-likelihood.
    pub deviance: f64,
    /// Its derivative by λ.
    pub slope: f64,
}

impl Fit {
    /// `None` when the design is not of full rank, or nothing is left that varies.
    pub fn at(ratio: f64, products: &Products) -> Option<Self> {
        let p = products.n_fixed;
        let dof = products.n_scores as f64 - p as f64;
        let shrink = |n: f64| 1.0 / (1.0 + ratio * n);
        let normal = products.weighted(1.0, shrink);
        let spectrum = Spectrum::of(normal.submatrix(0, 0, p, p))?;
        if spectrum.values[0] <= spectrum.rounding() {
            return None;
        }
        let inverse = spectrum.with_values(f64::recip);
        let coefficients: Vec<f64> = (0..p)
            .map(|i| (0..p).map(|j| inverse[(i, j)] * normal[(j, p)]).sum())
            .collect();
        let residual: Vec<f64> = coefficients.iter().map(|c| -c).chain([1.0]).collect();
        let square = quadratic(normal.as_ref(), &residual);
        let variance = square / dof;
        if !(variance > 0.0 && variance.is_finite()) {
            return None;
        }
        let ln_determinants = products.sum(|n| (ratio * n).ln_1p())
            + spectrum.values.iter().map(|v| v.ln()).sum::<f64>();
        // −∂(X′H⁻¹X)/∂λ, and of the products with the scores.
        let falling = products.weighted(0.0, |n| n * shrink(n).powi(2));
        let trace: f64 = (0..p)
            .map(|j| {
                (0..p)
                    .map(|i| inverse[(i, j)] * falling[(j, i)])
                    .sum::<f64>()
            })
            .sum();
        let slope = products.sum(|n| n * shrink(n))
            - trace
            - quadratic(falling.as_ref(), &residual) / variance;
        Some(Self {
            ratio,
            coefficients,
            inverse,
            variance,
            deviance: dof * ((std::f64::consts::TAU * variance).ln() + 1.0) + ln_determinants,
            slope,
        })
    }

    /// At the ratio of the largest restricted likelihood, 0 included; `None` when there is none below the largest.
    ///
    /// The criterion may have more than one maximum, so it is looked at on a grid; around the best point the root of the
    /// derivative is found by bisection to the last bit.
    pub fn best(products: &Products) -> Option<Self> {
        let grid: Vec<f64> = std::iter::once(0.0)
            .chain(
                (0..=N_RATIOS).map(|i| LARGEST_RATIO * 10_f64.powf(f64::from(i - N_RATIOS) / 8.0)),
            )
            .collect();
        let mut best = Self::at(grid[0], products)?;
        let mut best_idx = 0;
        for (idx, &ratio) in grid.iter().enumerate().skip(1) {
            let Some(fit) = Self::at(ratio, products) else {
                break;
            };
            if fit.deviance < best.deviance {
                (best, best_idx) = (fit, idx);
            }
        }
        let rises = best.slope >= 0.0;
        if best_idx == 0 && rises {
            return Some(best);
        }
        let (mut low, mut high) = if rises {
            (grid[best_idx - 1], best.ratio)
        } else {
            (best.ratio, *grid.get(best_idx + 1)?)
        };
        loop {
            let middle = f64::midpoint(low, high);
            let fit = Self::at(middle, products)?;
            if middle <= low || middle >= high {
                return Some(fit);
            }
            if fit.slope < 0.0 {
                low = middle;
            } else {
                high = middle;
            }
        }
    }

    /// What degrees of freedom are made of.
    pub fn information(&self, products: &Products) -> Information {
        let p = products.n_fixed;
        let ratio = self.ratio;
        let shrink = |n: f64| 1.0 / (1.0 + ratio * n);
        // Z′PZ with P = H⁻¹ − H⁻¹X(X′H⁻¹X)⁻¹X′H⁻¹: n/(1 + λn) on the diagonal less what the design takes.
        let scaled = Mat::from_fn(products.n_subjects, p, |i, j| {
            let (n, sums) = &products.sums[i];
            n.sqrt() * shrink(*n) * sums[j]
        });
        let taken = product(
            product(scaled.as_ref(), self.inverse.as_ref()).as_ref(),
            scaled.transpose(),
        );
        let (mut trace, mut square) = (0.0, 0.0);
        for j in 0..products.n_subjects {
            for i in 0..products.n_subjects {
                let n = products.sums[i].0;
                let entry = if i == j { n * shrink(n) } else { 0.0 } - taken[(i, j)];
                square += entry * entry;
                trace += if i == j { entry } else { 0.0 };
            }
        }
        let sandwich = |middle: Mat<f64>| {
            let half = product(self.inverse.as_ref(), middle.submatrix(0, 0, p, p));
            product(half.as_ref(), self.inverse.as_ref())
        };
        let dof = products.n_scores as f64 - p as f64;
        Information {
            // P·H·P = P gives the traces with P·P from those of Z′PZ.
            subjects: square,
            both: trace - ratio * square,
            scores: dof - 2.0 * ratio * trace + ratio * ratio * square,
            by_subjects: sandwich(products.weighted(0.0, |n| n * shrink(n).powi(2))),
            by_scores: sandwich(products.weighted(1.0, |n| shrink(n).powi(2))),
        }
    }
}

/// How well the two variances are known, and how the covariance of coefficients depends on them, in units of σ².
///
/// The expected information of (σ_b², σ²) is ½·[[subjects, both], [both, scores]].
pub(super) struct Information {
    pub subjects: f64,
    pub both: f64,
    pub scores: f64,
    /// ∂(X′V⁻¹X)⁻¹/∂σ_b².
    pub by_subjects: Mat<f64>,
    /// ∂(X′V⁻¹X)⁻¹/∂σ².
    pub by_scores: Mat<f64>,
}

impl Information {
    /// Satterthwaite's degrees of freedom of a contrast of the coefficients: 2·f²/var(f̂), where f is the variance of the
    /// contrast.
    pub fn dof(&self, fit: &Fit, contrast: &[f64]) -> f64 {
        let [f, b, e] = [&fit.inverse, &self.by_subjects, &self.by_scores]
            .map(|matrix| quadratic(matrix.as_ref(), contrast));
        let determinant = self.subjects * self.scores - self.both * self.both;
        let spread = self.scores * b * b - 2.0 * self.both * b * e + self.subjects * e * e;
        f * f * determinant / spread
    }
}
