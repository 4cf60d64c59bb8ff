//! Procrustes disparity of two configurations of the same items.

use consilience_stats::dense::{Svd, product};
use consilience_stats::random::{Domain, Stream};
use faer::Mat;
use ndarray::{Array2, ArrayView2};
use rayon::prelude::*;

use super::BehaviourError;
use super::correlations::check_finite;
use crate::Result;
use crate::error::{at_least, same_count};

/// Options of [`procrustes`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProcrustesParams {
    /// Permutations of items (default 0: no test).
    pub permutations: usize,
    /// Seed of the permutations (default 1).
    pub seed: u64,
}

impl Default for ProcrustesParams {
    fn default() -> Self {
        Self {
            permutations: 0,
            seed: 1,
        }
    }
}

/// Two configurations brought onto each other.
#[derive(Debug, Clone, PartialEq)]
pub struct Procrustes {
    /// Sum of squared distances between them, 0…1.
    pub disparity: f64,
    /// One-sided p that items of the same name lie no closer than at random.
    pub p: Option<f64>,
    /// The first configuration, centred, with a sum of squares of 1.
    pub target: Array2<f64>,
    /// The second one, centred, turned, mirrored and scaled to fit.
    pub fitted: Array2<f64>,
}

/// How far two configurations differ beyond their place, size and orientation.
///
/// # Shapes
///
/// `target` and `moved` are `(n_items, n_dims)`, such as valence and arousal of each picture.
///
/// # Definition
///
/// Both are centred and scaled to a sum of squares of 1; `moved` is then rotated, mirrored and scaled by s to come
/// closest. disparity = 1 − s², s the sum of the singular values of targetᵀ·moved. It is the same both ways. p = (1 +
/// #{permuted ≤ observed}) / (1 + permutations) over permutations of the items of `moved` (Protest).
///
/// # Errors
///
/// [`MethodsError::ShapeMismatch`](crate::MethodsError::ShapeMismatch), [`MethodsError::TooFew`](crate::MethodsError::TooFew) items (2) or dimensions,
/// [`MethodsError::NonFinite`](crate::MethodsError::NonFinite), [`BehaviourError::OnePoint`].
///
/// # References
///
/// Gower 1975, doi:10.1007/BF02291478; Peres-Neto & Jackson 2001, doi:10.1007/s004420100720.
///
/// # Peers
///
/// `scipy.spatial.procrustes` 1.17.1, to 1e-9.
pub fn procrustes(
    target: ArrayView2<'_, f64>,
    moved: ArrayView2<'_, f64>,
    params: &ProcrustesParams,
) -> Result<Procrustes> {
    let (what_a, what_b) = ("the first configuration", "the second configuration");
    for (what, expected, found) in [
        (
            "items of the second configuration",
            target.nrows(),
            moved.nrows(),
        ),
        (
            "dimensions of the second configuration",
            target.ncols(),
            moved.ncols(),
        ),
    ] {
        same_count(what, expected, found)?;
    }
    for (what, needed, found) in [
        ("items of the configurations", 2, target.nrows()),
        ("dimensions of the configurations", 1, target.ncols()),
    ] {
        at_least(what, needed, found)?;
    }
    check_finite(what_a, target)?;
    check_finite(what_b, moved)?;
    let a = standardised(what_a, target)?;
    let b = standardised(what_b, moved)?;
    let identity: Vec<usize> = (0..a.nrows()).collect();
    let not_found = || BehaviourError::OnePoint { what: what_b };
    let svd = Svd::of(shared(&a, &b, &identity).as_ref()).ok_or_else(not_found)?;
    let s: f64 = svd.values.iter().sum();
    // aᵀ·b = U·S·Vᵀ, so b·V·Uᵀ is closest to a.
    let rotation = product(svd.right.as_ref(), svd.left.transpose());
    let fitted = product(b.as_ref(), rotation.as_ref());
    let p = (params.permutations > 0).then(|| {
        let n_as_large = (0..params.permutations as u64)
            .into_par_iter()
            .filter(|&index| {
                let order =
                    Stream::new(params.seed, Domain::Permutations, index).permutation(a.nrows());
                // Where nothing can be said, it counts against the configurations.
                consilience_stats::dense::singular_values(shared(&a, &b, &order).as_ref())
                    .is_none_or(|values| values.iter().sum::<f64>() >= s - 1e-12)
            })
            .count();
        (1 + n_as_large) as f64 / (1 + params.permutations) as f64
    });
    let array = |m: &Mat<f64>, scale: f64| {
        Array2::from_shape_fn((m.nrows(), m.ncols()), |(i, j)| scale * m[(i, j)])
    };
    Ok(Procrustes {
        disparity: (1.0 - s * s).clamp(0.0, 1.0),
        p,
        target: array(&a, 1.0),
        fitted: array(&fitted, s),
    })
}

/// aᵀ·b with the items of b in another order.
fn shared(a: &Mat<f64>, b: &Mat<f64>, order: &[usize]) -> Mat<f64> {
    let b = Mat::from_fn(b.nrows(), b.ncols(), |i, j| b[(order[i], j)]);
    product(a.transpose(), b.as_ref())
}

/// Centred, with a sum of squares of 1.
fn standardised(what: &'static str, x: ArrayView2<'_, f64>) -> Result<Mat<f64>> {
    if x.rows().into_iter().all(|row| row == x.row(0)) {
        return Err(BehaviourError::OnePoint { what }.into());
    }
    let (n, p) = x.dim();
    let means: Vec<f64> = x
        .columns()
        .into_iter()
        .map(|c| c.sum() / n as f64)
        .collect();
    let centred = |i: usize, j: usize| x[[i, j]] - means[j];
    let mut largest = 0.0_f64;
    for i in 0..n {
        for j in 0..p {
            largest = largest.max(centred(i, j).abs());
        }
    }
    let mut out = Mat::from_fn(n, p, |i, j| centred(i, j) / largest);
    let length = out.norm_l2();
    for i in 0..n {
        for j in 0..p {
            out[(i, j)] /= length;
        }
    }
    Ok(out)
}
