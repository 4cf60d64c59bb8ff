//! How alike two sets of patterns are, channels and all: CKA, RV, Procrustes and angular shape distance, CCA.

use crate::error::{at_least, same_count};
use crate::names::named;

use faer::Mat;
use ndarray::{Array2, ArrayView2};

use super::cca::{Cca, CcaParams, cca};
use crate::{MethodsError, Result};
use consilience_stats::dense::{Spectrum, product, singular_values};

/// The sets as messages name them.
pub(super) const FIRST: &str = "the first set of patterns";
pub(super) const SECOND: &str = "the second set of patterns";

/// A measure of how alike two sets of patterns of the same stimuli are.
///
/// # Definition
///
/// For X and Y whose channels have their mean over stimuli taken off, K = X·Xᵀ and L = Y·Yᵀ:
///
/// | name | value |
/// |---|---|
/// | `cka` | ⟨K, L⟩ / (‖K‖·‖L‖), 0…1: linear CKA, which is the RV coefficient |
/// | `unbiased-cka` | the same with the unbiased estimates of the three inner products (Song et al. 2012), so 0 in expectation for unrelated patterns whatever their channels; negative values occur |
/// | `procrustes` | √(‖X‖² + ‖Y‖² − 2·‖XᵀY‖₊) of X and Y scaled to ‖X‖ = ‖Y‖ = 1, where ‖·‖₊ sums singular values: the distance after the best rotation, 0…√2 |
/// | `angular-shape` | arccos of ‖XᵀY‖₊ / (‖X‖·‖Y‖), 0…π/2 (Williams et al. 2021) |
/// | `cca` | mean canonical correlation, 0…1, see [`cca`](cca()) |
/// | `svcca` | the same of the principal components that hold 0.99 of the variance of either set |
///
/// `procrustes` and `angular-shape` are distances that satisfy the triangle inequality, the others similarities. All
/// ignore rotations of the channels and the scale of all channels together. The unbiased inner product
/// of n stimuli is, with K and L of 0 diagonal,
/// \[tr KL + 1ᵀK1·1ᵀL1/((n−1)(n−2)) − 2/(n−2)·1ᵀKL1\] / (n(n−3)).
///
/// # References
///
/// Robert & Escoufier 1976, doi:10.2307/2347233 (RV); Kornblith, Norouzi, Lee & Hinton 2019,
/// arXiv:1905.00414 (CKA); Song, Smola, Gretton, Bedo & Borgwardt 2012, JMLR 13:1393–1434; Williams, Kunz,
/// Kornblith & Linderman 2021, arXiv:2110.14739.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum PatternMeasure {
    /// Linear CKA, the RV coefficient.
    #[default]
    Cka,
    /// Linear CKA from unbiased estimates.
    UnbiasedCka,
    /// Procrustes distance.
    Procrustes,
    /// Angular shape distance.
    AngularShape,
    /// Mean canonical correlation.
    Cca,
    /// Mean canonical correlation of leading principal components.
    Svcca,
}

impl PatternMeasure {
    const NAMES: [(&'static str, Self); 6] = [
        ("cka", Self::Cka),
        ("unbiased-cka", Self::UnbiasedCka),
        ("procrustes", Self::Procrustes),
        ("angular-shape", Self::AngularShape),
        ("cca", Self::Cca),
        ("svcca", Self::Svcca),
    ];
}

named!(PatternMeasure, "measure of patterns");

/// Compares two sets of patterns of the same stimuli.
///
/// # Shapes
///
/// `x` is `(n_stimuli, n_channels)`, `y` is `(n_stimuli, m_channels)`.
///
/// # Errors
///
/// [`MethodsError::ShapeMismatch`] for other stimuli, [`MethodsError::TooFew`] of them (2; 4 for the
/// unbiased CKA), [`MethodsError::NonFinite`], [`MethodsError::UndefinedRdm`] for patterns that are all
/// the same, or of which the unbiased estimate of ‖K‖² is not positive; [`MethodsError::ForcedCorrelations`] when
/// canonical correlations are 1 for want of stimuli.
///
/// # Example
///
/// ```
/// use consilience_methods::rsa::{PatternMeasure, compare_patterns};
/// use ndarray::array;
///
/// let x = array![[0.0, 1.0], [2.0, 0.0], [1.0, 5.0]];
/// // Turned by a quarter and doubled.
/// let y = array![[-2.0, 0.0], [0.0, 4.0], [-10.0, 2.0]];
/// let found = compare_patterns(x.view(), y.view(), PatternMeasure::Procrustes)?;
/// assert!(found < 1e-7);
/// # Ok::<(), consilience_methods::MethodsError>(())
/// ```
///
/// # Peers
///
/// SciPy 1.17.1 `procrustes` (its disparity is ours of Procrustes d as 1 − (1 − d²/2)²), rsatoolbox's
/// `cosine_cov` on squared Euclidean RDMs (CKA), and the formulas in NumPy, to 1e-9.
pub fn compare_patterns(
    x: ArrayView2<'_, f64>,
    y: ArrayView2<'_, f64>,
    measure: PatternMeasure,
) -> Result<f64> {
    match measure {
        PatternMeasure::Cka => {
            let (x, y) = prepared(x, y, 2)?;
            let (k, l) = (gram(&x), gram(&y));
            Ok((inner(&k, &l) / (inner(&k, &k) * inner(&l, &l)).sqrt()).clamp(0.0, 1.0))
        }
        PatternMeasure::UnbiasedCka => {
            let (x, y) = prepared(x, y, 4)?;
            let (k, l) = (gram(&x), gram(&y));
            let [kk, ll, kl] = [(&k, &k), (&l, &l), (&k, &l)].map(|(a, b)| unbiased(a, b));
            for (what, square) in [(FIRST, kk), (SECOND, ll)] {
                if square <= 0.0 {
                    return Err(undefined(what, "its structure is no larger than chance"));
                }
            }
            Ok(kl / (kk * ll).sqrt())
        }
        PatternMeasure::Procrustes => {
            let (x, y) = prepared(x, y, 2)?;
            let cosine = best_rotation(&x, &y);
            Ok((2.0 - 2.0 * cosine).max(0.0).sqrt())
        }
        PatternMeasure::AngularShape => {
            let (x, y) = prepared(x, y, 2)?;
            Ok(best_rotation(&x, &y).acos())
        }
        PatternMeasure::Cca => unforced(cca(x, y, &CcaParams::default())?, x.nrows()),
        PatternMeasure::Svcca => unforced(cca(x, y, &CcaParams::SVCCA)?, x.nrows()),
    }
}

/// Both sets centred and scaled, when they have the same stimuli and `needed` of them.
pub(super) fn prepared(
    x: ArrayView2<'_, f64>,
    y: ArrayView2<'_, f64>,
    needed: usize,
) -> Result<(Array2<f64>, Array2<f64>)> {
    same_count(
        "rows of the second set of patterns, one for each stimulus",
        x.nrows(),
        y.nrows(),
    )?;
    at_least("stimuli to compare patterns over", needed, x.nrows())?;
    Ok((centred(FIRST, x)?, centred(SECOND, y)?))
}

/// The mean, which has no place to say that some of it is no finding.
fn unforced(found: Cca, n_stimuli: usize) -> Result<f64> {
    if found.n_forced > 0 {
        return Err(MethodsError::ForcedCorrelations {
            n_forced: found.n_forced,
            n_correlations: found.correlations.len(),
            n_components: found.n_components,
            n_stimuli,
        });
    }
    Ok(found.mean)
}

fn undefined(what: &'static str, why: &'static str) -> MethodsError {
    MethodsError::UndefinedRdm {
        similarity: "a comparison of patterns",
        what,
        row: 0,
        why,
    }
}

/// Without the mean of each channel, scaled to unit sum of squares.
fn centred(what: &'static str, x: ArrayView2<'_, f64>) -> Result<Array2<f64>> {
    at_least("channels of the patterns", 1, x.ncols())?;
    if let Some(((row, column), &value)) = x.indexed_iter().find(|(_, v)| !v.is_finite()) {
        return Err(MethodsError::NonFinite {
            what,
            row,
            column,
            value,
            cure: "leave out the stimulus or the channel",
        });
    }
    let mut out = x.to_owned();
    for mut channel in out.columns_mut() {
        let mean = channel.sum() / channel.len() as f64;
        // A constant channel leaves exactly nothing, not the rounding of its mean.
        let constant = channel.iter().all(|v| *v == channel[0]);
        channel.mapv_inplace(|v| if constant { 0.0 } else { v - mean });
    }
    let largest = out.iter().fold(0.0_f64, |max, v| max.max(v.abs()));
    if largest == 0.0 {
        return Err(undefined(what, "all stimuli have the same pattern"));
    }
    out /= largest;
    let length = out.iter().map(|v| v * v).sum::<f64>().sqrt();
    out /= length;
    Ok(out)
}

/// X·Xᵀ.
fn gram(x: &Array2<f64>) -> Array2<f64> {
    let n = x.nrows();
    let rows: Vec<_> = x.outer_iter().collect();
    let mut k = Array2::zeros((n, n));
    for i in 0..n {
        for j in 0..=i {
            let value = rows[i].dot(&rows[j]);
            k[[i, j]] = value;
            k[[j, i]] = value;
        }
    }
    k
}

fn inner(a: &Array2<f64>, b: &Array2<f64>) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Unbiased estimate of the inner product of centred kernels.
fn unbiased(k: &Array2<f64>, l: &Array2<f64>) -> f64 {
    let n = k.nrows() as f64;
    let off = |m: &Array2<f64>, i: usize| m.row(i).sum() - m[[i, i]];
    let sums: Vec<(f64, f64)> = (0..k.nrows()).map(|i| (off(k, i), off(l, i))).collect();
    let trace = inner(k, l) - (0..k.nrows()).map(|i| k[[i, i]] * l[[i, i]]).sum::<f64>();
    let (all_k, all_l) = sums
        .iter()
        .fold((0.0, 0.0), |(a, b), (k, l)| (a + k, b + l));
    let crossed: f64 = sums.iter().map(|(k, l)| k * l).sum();
    (trace + all_k * all_l / ((n - 1.0) * (n - 2.0)) - 2.0 / (n - 2.0) * crossed) / (n * (n - 3.0))
}

/// Sum of the singular values of XᵀY, at most 1.
fn best_rotation(x: &Array2<f64>, y: &Array2<f64>) -> f64 {
    let (n, p, q) = (x.nrows(), x.ncols(), y.ncols());
    // With more channels than stimuli, the singular values of the roots of both kernels are the same.
    let shared = if p.max(q) > n {
        let [a, b] = [x, y].map(root);
        product(a.transpose(), b.as_ref())
    } else {
        let [a, b] = [x, y].map(|m| Mat::from_fn(n, m.ncols(), |i, j| m[[i, j]]));
        product(a.transpose(), b.as_ref())
    };
    let sum: f64 = singular_values(shared.as_ref()).map_or(0.0, |values| values.iter().sum());
    sum.clamp(0.0, 1.0)
}

/// R with R·Rᵀ = X·Xᵀ, as many columns as it has rank at most.
fn root(x: &Array2<f64>) -> Mat<f64> {
    let k = gram(x);
    let n = k.nrows();
    let matrix = Mat::from_fn(n, n, |i, j| k[[i, j]]);
    match Spectrum::of(matrix.as_ref()) {
        Some(spectrum) => Mat::from_fn(n, n, |i, j| {
            spectrum.vectors[(i, j)] * spectrum.values[j].max(0.0).sqrt()
        }),
        None => Mat::zeros(n, n),
    }
}
