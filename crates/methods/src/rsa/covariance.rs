//! Comparisons that know the covariance of the patterns' estimates.

use consilience_core::pairs;
use faer::{Mat, MatRef};
use ndarray::{Array2, ArrayView2};
use rayon::prelude::*;

use super::inputs;
use super::similarity::Similarity;
use crate::error::same_count;
use crate::{MethodsError, NanPolicy, Result};
use consilience_stats::dense::{Spectrum, product};

/// Whitened similarities of RDMs for conditions whose patterns are not estimated equally well, or not
/// independently.
///
/// # Shapes
///
/// `a` is `(n_a, n_pairs)`, `b` is `(n_b, n_pairs)`, `covariance` is `(n_conditions, n_conditions)`: the
/// covariance of the noise of the conditions' patterns. The result is `(n_a, n_b)`.
///
/// # Definition
///
/// xᵀV⁻¹y / √(xᵀV⁻¹x·yᵀV⁻¹y) with V = (C·Σ·Cᵀ)∘(C·Σ·Cᵀ) for the pairwise contrasts C of conditions and their
/// covariance Σ; for [`Similarity::WhitenedPearson`] after subtracting the mean of x and of y. With equal
/// and independent noise (Σ a multiple of the identity) it is the similarity of
/// [`compare`](super::compare()).
///
/// V has n_pairs² entries and is never made: xᵀV⁻¹y = ⟨Q·X·Q, Q·Y·Q⟩ with X = −½·Σ^(−½)·D·Σ^(−½) of the square
/// RDM D, and Q the projection that takes out Σ^(−½)·1. Time is O(n³) an RDM.
///
/// # Errors
///
/// As [`compare`](super::compare()), [`MethodsError::IncompleteRdms`] for omitted pairs;
/// [`MethodsError::ShapeMismatch`], [`MethodsError::NonFinite`], [`MethodsError::NotSymmetric`] and
/// [`MethodsError::SingularPatterns`] for the covariance.
///
/// # Panics
///
/// When `similarity` is not a whitened one.
///
/// # References
///
/// Diedrichsen, Berlot, Mur, Schütt, Shahbazi & Kriegeskorte 2021, doi:10.51628/001c.27664.
///
/// # Peers
///
/// rsatoolbox 0.3.2 solves with V by conjugate gradients to 1e-5; we agree with a direct solution with its V
/// to 1e-9. For variances without covariances (a vector `sigma_k`) it takes another, approximate way.
pub fn compare_whitened(
    a: ArrayView2<'_, f64>,
    b: ArrayView2<'_, f64>,
    similarity: Similarity,
    covariance: ArrayView2<'_, f64>,
    nan: NanPolicy,
) -> Result<Array2<f64>> {
    assert!(
        similarity.is_whitened(),
        "{similarity} is no whitened similarity"
    );
    let (what_a, what_b) = ("the first set of RDMs", "the second set of RDMs");
    let checked = inputs::check((what_a, a), (what_b, b), similarity, nan)?;
    refuse_missing(similarity.name(), checked.n_omitted)?;
    let n = checked.n_conditions;
    let root = spectrum_of(covariance, n)?.with_values(|v| v.sqrt().recip());
    let whiten = |what, rdms: ArrayView2<'_, f64>| -> Result<Vec<Mat<f64>>> {
        let rows: Vec<_> = rdms.outer_iter().collect();
        rows.par_iter()
            .enumerate()
            .map(|(row, rdm)| {
                let mut values = rdm.to_vec();
                let why = similarity.why_undefined();
                let undefined = || MethodsError::UndefinedRdm {
                    similarity: similarity.name(),
                    what,
                    row,
                    why,
                };
                if similarity.subtracts_mean() {
                    if values.iter().all(|v| *v == values[0]) {
                        return Err(undefined());
                    }
                    let mean = values.iter().sum::<f64>() / values.len() as f64;
                    values.iter_mut().for_each(|v| *v -= mean);
                }
                unit(projected(&values, n, root.as_ref())).ok_or_else(undefined)
            })
            .collect()
    };
    let (a, b) = (whiten(what_a, a)?, whiten(what_b, b)?);
    let score = |i: usize, j: usize| inner(a[i].as_ref(), b[j].as_ref()).clamp(-1.0, 1.0);
    Ok(Array2::from_shape_fn((a.len(), b.len()), |(i, j)| {
        score(i, j)
    }))
}

/// −½·R·D·R without the directions along R·1.
fn projected(vector: &[f64], n: usize, root: MatRef<'_, f64>) -> Mat<f64> {
    let mut square = Mat::<f64>::zeros(n, n);
    for ((i, j), &d) in pairs::iter(n).zip(vector) {
        square[(i, j)] = -0.5 * d;
        square[(j, i)] = -0.5 * d;
    }
    let half = product(root, square.as_ref());
    let mut x = product(half.as_ref(), root);
    let sums: Vec<f64> = (0..n).map(|i| (0..n).map(|j| root[(i, j)]).sum()).collect();
    let length = sums.iter().map(|u| u * u).sum::<f64>().sqrt();
    let u: Vec<f64> = sums.iter().map(|v| v / length).collect();
    let xu: Vec<f64> = (0..n)
        .map(|i| (0..n).map(|j| x[(i, j)] * u[j]).sum())
        .collect();
    let uxu: f64 = u.iter().zip(&xu).map(|(u, v)| u * v).sum();
    for j in 0..n {
        for i in 0..n {
            x[(i, j)] += uxu * u[i] * u[j] - u[i] * xu[j] - xu[i] * u[j];
        }
    }
    x
}

fn inner(a: MatRef<'_, f64>, b: MatRef<'_, f64>) -> f64 {
    let columns =
        (0..a.ncols()).map(|j| (0..a.nrows()).map(|i| a[(i, j)] * b[(i, j)]).sum::<f64>());
    columns.sum()
}

fn unit(matrix: Mat<f64>) -> Option<Mat<f64>> {
    let length = inner(matrix.as_ref(), matrix.as_ref()).sqrt();
    (length > 0.0 && length.is_finite()).then(|| {
        Mat::from_fn(matrix.nrows(), matrix.ncols(), |i, j| {
            matrix[(i, j)] / length
        })
    })
}

/// Negative Riemannian distance of the second moments behind RDMs, minimised over the scale and the noise
/// of the first.
///
/// # Shapes
///
/// `a` is `(n_a, n_pairs)`, `b` is `(n_b, n_pairs)`: squared distances; `covariance` is
/// `(n_conditions, n_conditions)`, the identity when none is given. The result is `(n_a, n_b)`.
///
/// # Definition
///
/// With the kernels G and H of a and b relative to the first condition, Gᵢⱼ = ½(d₀ᵢ + d₀ⱼ − dᵢⱼ), and the
/// covariance S of the differences from it:
///
/// > −min over s, t of √Σ ln² λₖ, λ the eigenvalues of H⁻¹·(eˢ·G + eᵗ·S)
///
/// found by damped Gauss–Newton steps on s and t from 0. 0 is the largest value. It is not symmetric: H needs
/// an inverse, G does not.
///
/// # Errors
///
/// As [`compare_whitened`]; [`MethodsError::UndefinedRdm`] for an RDM of `b` whose kernel is not
/// positive definite (distances of points in n − 1 dimensions), or of `a` whose kernel has a negative
/// eigenvalue.
///
/// # References
///
/// Shahbazi, Shirali, Aghajan & Nili 2021, doi:10.1016/j.neuroimage.2021.118271.
///
/// # Peers
///
/// rsatoolbox 0.3.2 `compare` with `neg_riem_dist`, which minimises by Nelder–Mead to about 1e-4 in s and t:
/// ours is never lower, and agrees to 1e-6.
pub fn negative_riemannian(
    a: ArrayView2<'_, f64>,
    b: ArrayView2<'_, f64>,
    covariance: Option<ArrayView2<'_, f64>>,
    nan: NanPolicy,
) -> Result<Array2<f64>> {
    const NAME: &str = "negative Riemannian distance";
    let (what_a, what_b) = ("the first set of RDMs", "the second set of RDMs");
    let checked = inputs::check((what_a, a), (what_b, b), Similarity::Pearson, nan)?;
    refuse_missing(NAME, checked.n_omitted)?;
    let n = checked.n_conditions;
    let sigma = match covariance {
        Some(covariance) => {
            spectrum_of(covariance, n)?;
            covariance.to_owned()
        }
        None => Array2::eye(n),
    };
    let noise = Mat::from_fn(n - 1, n - 1, |i, j| {
        sigma[[0, 0]] + sigma[[i + 1, j + 1]] - sigma[[i + 1, 0]] - sigma[[0, j + 1]]
    });
    let undefined = |what, row, why| MethodsError::UndefinedRdm {
        similarity: NAME,
        what,
        row,
        why,
    };
    let kernels =
        |what, rdms: ArrayView2<'_, f64>, definite: bool| -> Result<Vec<(Mat<f64>, Spectrum)>> {
            rdms.outer_iter()
                .enumerate()
                .map(|(row, rdm)| {
                    let kernel = relative_kernel(&rdm.to_vec(), n);
                    let spectrum = Spectrum::of(kernel.as_ref())
                        .ok_or_else(|| undefined(what, row, "its kernel has no eigenvalues"))?;
                    let rounding = spectrum.rounding();
                    let lowest = spectrum.values[0];
                    if definite && lowest <= rounding {
                        let why =
                            "it does not hold squared distances of points in n − 1 dimensions";
                        return Err(undefined(what, row, why));
                    }
                    if lowest < -rounding {
                        return Err(undefined(
                            what,
                            row,
                            "it does not hold squared distances of points",
                        ));
                    }
                    Ok((kernel, spectrum))
                })
                .collect()
        };
    let first = kernels(what_a, a, false)?;
    let second = kernels(what_b, b, true)?;
    let rows: Vec<Vec<f64>> = second
        .par_iter()
        .map(|(_, spectrum)| {
            let root = spectrum.with_values(|v| v.sqrt().recip());
            let moved =
                |m: &Mat<f64>| product(product(root.as_ref(), m.as_ref()).as_ref(), root.as_ref());
            let noise = moved(&noise);
            first
                .iter()
                .map(|(kernel, _)| -distance(&moved(kernel), &noise))
                .collect()
        })
        .collect();
    Ok(Array2::from_shape_fn(
        (first.len(), second.len()),
        |(i, j)| rows[j][i],
    ))
}

/// Gᵢⱼ = ½(d₀ᵢ + d₀ⱼ − dᵢⱼ) for i, j ≥ 1.
fn relative_kernel(vector: &[f64], n: usize) -> Mat<f64> {
    let d = |i: usize, j: usize| match i.cmp(&j) {
        std::cmp::Ordering::Less => vector[pairs::pair_idx(i, j, n)],
        std::cmp::Ordering::Equal => 0.0,
        std::cmp::Ordering::Greater => vector[pairs::pair_idx(j, i, n)],
    };
    Mat::from_fn(n - 1, n - 1, |i, j| {
        0.5 * (d(0, i + 1) + d(0, j + 1) - d(i + 1, j + 1))
    })
}

/// min over s, t of √Σ ln² λ of eˢ·G + eᵗ·S.
fn distance(g: &Mat<f64>, noise: &Mat<f64>) -> f64 {
    let n = g.nrows();
    // Sum of squared logarithms with its Gauss–Newton system: gradient JᵀR and JᵀJ.
    let evaluate = |theta: [f64; 2]| -> Option<(f64, [f64; 2], [f64; 3])> {
        let factors = theta.map(f64::exp);
        let mixed = Mat::from_fn(n, n, |i, j| {
            factors[0] * g[(i, j)] + factors[1] * 0.5 * (noise[(i, j)] + noise[(j, i)])
        });
        let spectrum = Spectrum::of(mixed.as_ref())?;
        if spectrum.values[0] <= 0.0 {
            return None;
        }
        let gv = product(g.as_ref(), spectrum.vectors.as_ref());
        let (mut value, mut gradient, mut normal) = (0.0, [0.0; 2], [0.0; 3]);
        for (k, &lambda) in spectrum.values.iter().enumerate() {
            let r = lambda.ln();
            let along: f64 = (0..n).map(|i| spectrum.vectors[(i, k)] * gv[(i, k)]).sum();
            // λ = eˢ·vᵀGv + eᵗ·vᵀSv, so the two shares of a logarithm's slope sum to 1.
            let share = factors[0] * along / lambda;
            let slope = [share, 1.0 - share];
            value += r * r;
            for axis in 0..2 {
                gradient[axis] += slope[axis] * r;
            }
            normal[0] += slope[0] * slope[0];
            normal[1] += slope[0] * slope[1];
            normal[2] += slope[1] * slope[1];
        }
        Some((value, gradient, normal))
    };
    let mut theta = [0.0, 0.0];
    let Some(mut here) = evaluate(theta) else {
        return f64::INFINITY;
    };
    let mut damping = 1e-3;
    for _ in 0..500 {
        let (value, [g0, g1], [a, b, c]) = here;
        let (a, c) = (a + damping, c + damping);
        let determinant = a * c - b * b;
        let step = [
            (c * g0 - b * g1) / determinant,
            (a * g1 - b * g0) / determinant,
        ];
        let next = [theta[0] - step[0], theta[1] - step[1]];
        match evaluate(next) {
            Some(there) if there.0 <= value => {
                let gained = value - there.0;
                theta = next;
                here = there;
                damping = (damping * 0.3).max(1e-12);
                if gained <= 1e-15 * value {
                    break;
                }
            }
            _ => {
                damping *= 4.0;
                if damping > 1e12 {
                    break;
                }
            }
        }
    }
    here.0.sqrt()
}

fn refuse_missing(similarity: &'static str, n_omitted: usize) -> Result<()> {
    if n_omitted > 0 {
        return Err(MethodsError::IncompleteRdms {
            similarity,
            n_omitted,
        });
    }
    Ok(())
}

/// Eigenvalues of a covariance of patterns, all positive.
fn spectrum_of(covariance: ArrayView2<'_, f64>, n: usize) -> Result<Spectrum> {
    for (what, found) in [
        (
            "rows of the covariance, one for each condition",
            covariance.nrows(),
        ),
        (
            "columns of the covariance, one for each condition",
            covariance.ncols(),
        ),
    ] {
        same_count(what, n, found)?;
    }
    let largest = covariance.iter().fold(0.0_f64, |max, v| max.max(v.abs()));
    for ((row, column), &value) in covariance.indexed_iter() {
        if !value.is_finite() {
            return Err(MethodsError::NonFinite {
                what: "the covariance of patterns",
                row,
                column,
                value,
                cure: "give a finite covariance",
            });
        }
        let mirrored = covariance[[column, row]];
        if (value - mirrored).abs() > 1e-9 * largest {
            return Err(MethodsError::SingularPatterns {
                why: "is not symmetric",
            });
        }
    }
    let matrix = Mat::from_fn(n, n, |i, j| 0.5 * (covariance[[i, j]] + covariance[[j, i]]));
    let singular = MethodsError::SingularPatterns {
        why: "has no inverse",
    };
    let spectrum = Spectrum::of(matrix.as_ref()).ok_or(singular.clone())?;
    if spectrum.values[0] <= spectrum.rounding() {
        return Err(singular);
    }
    Ok(spectrum)
}
