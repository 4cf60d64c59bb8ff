//! Covariance of the noise over channels, its inverse, and patterns without it.

use crate::error::{at_least, same_count};
use crate::names::named;

use faer::{Mat, MatRef};
use ndarray::{Array2, ArrayView2};
use rayon::prelude::*;

use super::patterns::{Conditions, count_missing, means};
use crate::{MethodsError, NanPolicy, Result};
use consilience_stats::dense::{Spectrum, product};

/// How the covariance of the noise is estimated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum NoiseEstimate {
    /// Sample covariance.
    Full,
    /// Variances only: each channel by itself.
    Diagonal,
    /// Shrunk to a multiple of the identity (Ledoit & Wolf 2004).
    ShrinkIdentity,
    /// Covariances shrunk to 0, variances kept (Schäfer & Strimmer 2005).
    #[default]
    ShrinkDiagonal,
}

impl NoiseEstimate {
    const NAMES: [(&'static str, Self); 4] = [
        ("full", Self::Full),
        ("diagonal", Self::Diagonal),
        ("shrink-identity", Self::ShrinkIdentity),
        ("shrink-diagonal", Self::ShrinkDiagonal),
    ];
}

named!(NoiseEstimate, "noise estimate");

/// A covariance of noise over channels.
#[derive(Debug, Clone, PartialEq)]
pub struct NoiseCovariance {
    /// `(n_channels, n_channels)`, symmetric.
    pub covariance: Array2<f64>,
    /// Share of the target in the estimate, 0 (sample covariance) … 1; 0 without shrinkage.
    pub shrinkage: f64,
    /// Degrees of freedom that the sums of products were divided by.
    pub dof: usize,
}

/// Estimates the covariance of noise from residuals.
///
/// # Shapes
///
/// `residuals` is `(n_rows, n_channels)`.
///
/// # Definition
///
/// With e the rows after subtracting their mean, N rows, ν degrees of freedom (`dof`, default N − 1) and
/// S = Σₜ eₜeₜᵀ/ν:
///
/// | estimate | value |
/// |---|---|
/// | `full` | S |
/// | `diagonal` | the diagonal of S |
/// | `shrink-identity` | λ·m·I + (1 − λ)·S with m the mean variance and λ = min(1, b²/d²); b² = Σⱼₖ varₜ(eⱼeₖ)/N, d² = ‖S′ − m′·I‖² for S′ = S·ν/N |
/// | `shrink-diagonal` | variances of S; covariances times 1 − λ with λ = Σ var(rⱼₖ)/Σ rⱼₖ² over j ≠ k, within 0…1 |
///
/// where r are the correlations Σₜ zⱼzₖ/(N − 1) of e in units of the standard deviations of S and
/// var(r) = N/ν²·(Σₜ(zⱼzₖ)²/(N − 1) − r²).
///
/// Time is O(N·n_channels²), memory n_channels² values: the second moments of products are never
/// stored.
///
/// # Errors
///
/// [`MethodsError::TooFew`] rows, channels or degrees of freedom; [`MethodsError::NonFinite`];
/// [`MethodsError::ConstantChannel`] for a channel without variance under `shrink-diagonal`.
///
/// # Example
///
/// ```
/// use consilience_methods::rdm::{NoiseEstimate, noise_of_residuals};
/// use ndarray::array;
///
/// let residuals = array![[1.0, 1.0], [-1.0, -1.0], [1.0, -1.0], [-1.0, 1.0]];
/// let noise = noise_of_residuals(residuals.view(), NoiseEstimate::Full, Some(4))?;
/// assert_eq!(noise.covariance, array![[1.0, 0.0], [0.0, 1.0]]);
/// # Ok::<(), consilience_methods::MethodsError>(())
/// ```
///
/// # References
///
/// Ledoit & Wolf 2004, doi:10.1016/S0047-259X(03)00096-4; Schäfer & Strimmer 2005,
/// doi:10.2202/1544-6115.1175; Walther et al. 2016, doi:10.1016/j.neuroimage.2015.12.012.
///
/// # Peers
///
/// rsatoolbox 0.3.2 `cov_from_residuals` with the methods full, diag, shrinkage_eye, shrinkage_diag, to
/// 1e-9.
pub fn noise_of_residuals(
    residuals: ArrayView2<'_, f64>,
    estimate: NoiseEstimate,
    dof: Option<usize>,
) -> Result<NoiseCovariance> {
    count_missing(residuals, NanPolicy::Refuse)?;
    let n_rows = residuals.nrows();
    covariance(residuals, estimate, dof.unwrap_or(n_rows.saturating_sub(1)))
}

/// Estimates the covariance of noise from repetitions of conditions.
///
/// # Shapes
///
/// `patterns` is `(n_rows, n_channels)`, `conditions` has a label for each row.
///
/// # Definition
///
/// The residuals are the rows less the mean of their condition, with N − (number of conditions) degrees
/// of freedom unless `dof` is given; then as [`noise_of_residuals`].
///
/// # Errors
///
/// As [`noise_of_residuals`]; [`MethodsError::ShapeMismatch`] for another number of labels.
///
/// # Peers
///
/// rsatoolbox 0.3.2 `cov_from_unbalanced`, to 1e-9. Its `cov_from_measurements` has the same
/// residuals but divides by (conditions − 1)·repetitions, which are not their degrees of freedom.
pub fn noise_of_repetitions(
    patterns: ArrayView2<'_, f64>,
    conditions: &[i64],
    estimate: NoiseEstimate,
    dof: Option<usize>,
) -> Result<NoiseCovariance> {
    same_count(
        "condition labels, one for each row of the patterns",
        patterns.nrows(),
        conditions.len(),
    )?;
    count_missing(patterns, NanPolicy::Refuse)?;
    let groups = Conditions::new(patterns.nrows(), Some(conditions));
    let means = means(patterns, &groups.rows);
    let mut residuals = patterns.to_owned();
    for (idx, rows) in groups.rows.iter().enumerate() {
        for &row in rows {
            let mut residual = residuals.row_mut(row);
            residual -= &means.row(idx);
        }
    }
    let n_free = patterns.nrows().saturating_sub(groups.len());
    covariance(residuals.view(), estimate, dof.unwrap_or(n_free))
}

fn covariance(
    x: ArrayView2<'_, f64>,
    estimate: NoiseEstimate,
    dof: usize,
) -> Result<NoiseCovariance> {
    let (n_rows, n_channels) = x.dim();
    for (what, needed, found) in [
        ("rows to estimate noise from", 2, n_rows),
        ("channels of the patterns", 1, n_channels),
        (
            "degrees of freedom of the noise (rows less conditions)",
            1,
            dof,
        ),
    ] {
        at_least(what, needed, found)?;
    }
    let means = super::patterns::channel_means(x);
    // Channels by rows, so that products of channels run over contiguous values.
    let mut e = Array2::<f64>::zeros((n_channels, n_rows));
    for (channel, mut values) in e.rows_mut().into_iter().enumerate() {
        for (value, &pattern) in values.iter_mut().zip(x.column(channel)) {
            *value = pattern - means[channel];
        }
    }
    let nu = dof as f64;
    if estimate == NoiseEstimate::Diagonal {
        let variances = e.rows().into_iter().map(|row| row.dot(&row) / nu);
        return Ok(NoiseCovariance {
            covariance: Array2::from_diag(&variances.collect::<ndarray::Array1<f64>>()),
            shrinkage: 0.0,
            dof,
        });
    }
    let mut s = products(&e);
    s /= nu;
    let shrinkage = match estimate {
        NoiseEstimate::Full | NoiseEstimate::Diagonal => 0.0,
        NoiseEstimate::ShrinkIdentity => {
            let (shrinkage, mean) = to_identity(&e, &s, nu);
            s *= 1.0 - shrinkage;
            for variance in s.diag_mut() {
                *variance += shrinkage * mean;
            }
            shrinkage
        }
        NoiseEstimate::ShrinkDiagonal => {
            let shrinkage = to_diagonal(&e, &s, nu)?;
            for ((row, column), value) in s.indexed_iter_mut() {
                if row != column {
                    *value *= 1.0 - shrinkage;
                }
            }
            shrinkage
        }
    };
    Ok(NoiseCovariance {
        covariance: s,
        shrinkage,
        dof,
    })
}

/// E·Eᵀ, exactly symmetric.
fn products(e: &Array2<f64>) -> Array2<f64> {
    let n = e.nrows();
    let upper = super::vector::from_pairs(n, |i, j| e.row(i).dot(&e.row(j)));
    let mut s = Array2::zeros((n, n));
    for ((i, j), value) in consilience_core::pairs::iter(n).zip(upper) {
        s[[i, j]] = value;
        s[[j, i]] = value;
    }
    for (i, row) in e.rows().into_iter().enumerate() {
        s[[i, i]] = row.dot(&row);
    }
    s
}

/// Share of the identity, and the mean variance.
fn to_identity(e: &Array2<f64>, s: &Array2<f64>, nu: f64) -> (f64, f64) {
    let (n_channels, n_rows) = e.dim();
    let n = n_rows as f64;
    // With sums of products over N, as in the paper.
    let factor = nu / n;
    let mean = s.diag().sum() / n_channels as f64;
    let square_of_s: f64 = s.iter().map(|v| (v * factor).powi(2)).sum();
    // The sum over channels j and k of (eⱼeₖ)² is the square of the sum of squares.
    let fourth: f64 = e
        .columns()
        .into_iter()
        .map(|column| column.dot(&column).powi(2))
        .sum();
    let b2 = (fourth / n - square_of_s) / n;
    let d2: f64 = s
        .indexed_iter()
        .map(|((row, column), v)| {
            let target = if row == column { mean } else { 0.0 };
            ((v - target) * factor).powi(2)
        })
        .sum();
    // A covariance that is the target already has nothing to lose.
    let share = if d2 > 0.0 {
        (b2 / d2).clamp(0.0, 1.0)
    } else {
        1.0
    };
    (share, mean)
}

/// Share by which covariances are shrunk.
fn to_diagonal(e: &Array2<f64>, s: &Array2<f64>, nu: f64) -> Result<f64> {
    let n = e.ncols() as f64;
    if let Some(channel) = s.diag().iter().position(|&v| v <= 0.0) {
        return Err(MethodsError::ConstantChannel { channel });
    }
    let variances = s.diag();
    let (mut fourth, mut own) = (0.0, 0.0);
    for column in e.columns() {
        let squares = column
            .iter()
            .zip(variances)
            .map(|(v, variance)| v * v / variance);
        let (sum, sum_of_squares) =
            squares.fold((0.0, 0.0), |(sum, square), z| (sum + z, square + z * z));
        fourth += sum * sum;
        own += sum_of_squares;
    }
    let mut squares_of_r = 0.0;
    for ((row, column), v) in s.indexed_iter() {
        if row != column {
            let r = v * nu / (n - 1.0) / (variances[row] * variances[column]).sqrt();
            squares_of_r += r * r;
        }
    }
    if squares_of_r == 0.0 {
        return Ok(1.0);
    }
    let variance_of_r = n / (nu * nu) * ((fourth - own) / (n - 1.0) - squares_of_r);
    Ok((variance_of_r / squares_of_r).clamp(0.0, 1.0))
}

impl NoiseCovariance {
    /// The inverse, `(n_channels, n_channels)`, as `mahalanobis` and `crossnobis` take it.
    ///
    /// # Errors
    ///
    /// [`MethodsError::SingularCovariance`] when there is none, as for a sample covariance of fewer
    /// rows than channels.
    ///
    /// # Peers
    ///
    /// rsatoolbox 0.3.2 `prec_from_residuals`, `prec_from_unbalanced`.
    pub fn precision(&self) -> Result<Array2<f64>> {
        self.power(-1.0)
    }

    /// The symmetric inverse root Σ^(−½), `(n_channels, n_channels)`: patterns times this have
    /// uncorrelated noise of unit variance.
    ///
    /// # Errors
    ///
    /// As [`precision`](Self::precision).
    pub fn whitener(&self) -> Result<Array2<f64>> {
        self.power(-0.5)
    }

    /// Patterns without the noise's correlations and scale (multivariate noise normalisation).
    ///
    /// # Shapes
    ///
    /// `patterns` and the result are `(n_rows, n_channels)`.
    ///
    /// # Definition
    ///
    /// X·Σ^(−½): squared Euclidean distances of the result are Mahalanobis distances of X.
    ///
    /// # Errors
    ///
    /// As [`precision`](Self::precision); [`MethodsError::ShapeMismatch`] for another number of channels.
    ///
    /// # References
    ///
    /// Walther et al. 2016, doi:10.1016/j.neuroimage.2015.12.012; Guggenmos, Sterzer & Cichy 2018,
    /// doi:10.1016/j.neuroimage.2018.02.044.
    pub fn whiten(&self, patterns: ArrayView2<'_, f64>) -> Result<Array2<f64>> {
        let n_channels = self.covariance.nrows();
        same_count(
            "channels of the patterns, as in the noise covariance",
            n_channels,
            patterns.ncols(),
        )?;
        let whitener = self.whitener()?;
        let rows: Vec<Vec<f64>> = patterns
            .outer_iter()
            .into_par_iter()
            .map(|row| {
                whitener
                    .columns()
                    .into_iter()
                    .map(|c| row.dot(&c))
                    .collect()
            })
            .collect();
        Ok(Array2::from_shape_fn(patterns.dim(), |(i, j)| rows[i][j]))
    }

    fn power(&self, exponent: f64) -> Result<Array2<f64>> {
        let n = self.covariance.nrows();
        let matrix = Mat::from_fn(n, n, |i, j| self.covariance[[i, j]]);
        // In units of the standard deviations, channels of very different scale keep their digits.
        let scales: Vec<f64> = (0..n).map(|i| matrix[(i, i)].sqrt()).collect();
        if let Some(channel) = scales.iter().position(|s| !(*s > 0.0 && s.is_finite())) {
            return Err(MethodsError::ConstantChannel { channel });
        }
        let singular = |n_positive| MethodsError::SingularCovariance {
            n_channels: n,
            rank: n_positive,
        };
        if exponent == -1.0 {
            let correlations = Mat::from_fn(n, n, |i, j| matrix[(i, j)] / scales[i] / scales[j]);
            let inverse = inverse(correlations.as_ref(), &singular)?;
            return Ok(Array2::from_shape_fn((n, n), |(i, j)| {
                inverse[(i, j)] / scales[i] / scales[j]
            }));
        }
        let spectrum = regular(matrix.as_ref(), &singular)?;
        let root = spectrum.with_values(|v| v.powf(exponent));
        Ok(Array2::from_shape_fn((n, n), |(i, j)| {
            0.5 * (root[(i, j)] + root[(j, i)])
        }))
    }
}

/// The inverse of a symmetric positive definite matrix.
///
/// # Errors
///
/// [`MethodsError::SingularCovariance`].
pub(super) fn inverse_of(matrix: &Array2<f64>) -> Result<Array2<f64>> {
    let n = matrix.nrows();
    let singular = |rank| MethodsError::SingularCovariance {
        n_channels: n,
        rank,
    };
    let matrix = Mat::from_fn(n, n, |i, j| 0.5 * (matrix[[i, j]] + matrix[[j, i]]));
    let inverse = inverse(matrix.as_ref(), &singular)?;
    Ok(Array2::from_shape_fn((n, n), |(i, j)| inverse[(i, j)]))
}

/// Eigenvalues that are all clear of rounding.
fn regular(matrix: MatRef<'_, f64>, singular: &dyn Fn(usize) -> MethodsError) -> Result<Spectrum> {
    let spectrum = Spectrum::of(matrix).ok_or_else(|| singular(0))?;
    let rounding = spectrum.rounding();
    let n_positive = spectrum.values.iter().filter(|&&v| v > rounding).count();
    if n_positive < spectrum.values.len() {
        return Err(singular(n_positive));
    }
    Ok(spectrum)
}

/// The inverse of a symmetric positive definite matrix, exactly symmetric, with one step of refinement.
fn inverse(matrix: MatRef<'_, f64>, singular: &dyn Fn(usize) -> MethodsError) -> Result<Mat<f64>> {
    let first = regular(matrix, singular)?.with_values(f64::recip);
    // X ← X·(2I − A·X) squares what is left of the error.
    let n = matrix.nrows();
    let ax = product(matrix, first.as_ref());
    let rest = Mat::from_fn(n, n, |i, j| 2.0 * f64::from(u8::from(i == j)) - ax[(i, j)]);
    let refined = product(first.as_ref(), rest.as_ref());
    Ok(Mat::from_fn(n, n, |i, j| {
        0.5 * (refined[(i, j)] + refined[(j, i)])
    }))
}
