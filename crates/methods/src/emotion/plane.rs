//! How far two clouds of items lie apart in the plane of valence and arousal.

use ndarray::ArrayView2;
use rayon::prelude::*;

use crate::Result;
use crate::behaviour::{ProcrustesParams, check_finite, procrustes};
use crate::error::{at_least, same_count};

/// Distance of predicted from given ratings in the plane.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PlaneAgreement {
    /// Procrustes disparity, 0…1: what is left after place, size and orientation were fitted.
    pub disparity: f64,
    /// One-sided p of it by permutation of items; `None` without permutations.
    pub disparity_p: Option<f64>,
    /// Root of the mean squared distance between the rated and the predicted place of an item.
    pub rmse: f64,
    /// Energy distance of the clouds, whichever item lies where.
    pub energy_distance: f64,
}

/// Compares predicted with given places of the same items.
///
/// # Shapes
///
/// `actual` and `predicted` are `(n_items, n_dims)`: valence and arousal.
///
/// # Definition
///
/// The disparity is that of [`procrustes`], the energy distance that of [`energy_distance`]; rmse = √(Σ‖x − x̂‖²/n). Disparity
/// ignores place, size and orientation of the cloud, the other two do not.
///
/// # Errors
///
/// As [`procrustes`].
pub fn plane_agreement(
    actual: ArrayView2<'_, f64>,
    predicted: ArrayView2<'_, f64>,
    params: &ProcrustesParams,
) -> Result<PlaneAgreement> {
    let found = procrustes(actual, predicted, params)?;
    let squares = actual.iter().zip(predicted).map(|(a, b)| (a - b) * (a - b));
    let mean = squares.sum::<f64>() / actual.nrows() as f64;
    Ok(PlaneAgreement {
        disparity: found.disparity,
        disparity_p: found.p,
        rmse: mean.sqrt(),
        energy_distance: energy_distance(actual, predicted)?,
    })
}

/// Energy distance of two clouds of points: 0 only for the same distribution.
///
/// # Shapes
///
/// `a` is `(n, n_dims)`, `b` is `(m, n_dims)`.
///
/// # Definition
///
/// √(2·E‖X − Y‖ − E‖X − X′‖ − E‖Y − Y′‖) with Euclidean distances, each E the mean over all pairs of points, a point with itself included.
///
/// # Errors
///
/// [`MethodsError::TooFew`](crate::MethodsError::TooFew) points or dimensions, [`MethodsError::ShapeMismatch`](crate::MethodsError::ShapeMismatch),
/// [`MethodsError::NonFinite`](crate::MethodsError::NonFinite).
///
/// # Example
///
/// ```
/// use consilience_methods::emotion::energy_distance;
/// use ndarray::array;
///
/// let found = energy_distance(array![[0.0, 0.0]].view(), array![[3.0, 4.0]].view())?;
/// assert!((found - 10.0_f64.sqrt()).abs() < 1e-12);
/// # Ok::<(), consilience_methods::MethodsError>(())
/// ```
///
/// # References
///
/// Székely & Rizzo 2013, doi:10.1016/j.jspi.2013.03.018.
///
/// # Peers
///
/// `scipy.stats.energy_distance` 1.17.1 in one dimension, the definition in NumPy in two, to 1e-9.
pub fn energy_distance(a: ArrayView2<'_, f64>, b: ArrayView2<'_, f64>) -> Result<f64> {
    for (what, needed, found) in [
        ("points of the first cloud", 1, a.nrows()),
        ("points of the second cloud", 1, b.nrows()),
        ("dimensions of the clouds", 1, a.ncols()),
    ] {
        at_least(what, needed, found)?;
    }
    same_count("dimensions of the second cloud", a.ncols(), b.ncols())?;
    check_finite("the first cloud", a)?;
    check_finite("the second cloud", b)?;
    let square = 2.0 * mean_distance(a, b) - mean_distance(a, a) - mean_distance(b, b);
    Ok(square.max(0.0).sqrt())
}

fn mean_distance(a: ArrayView2<'_, f64>, b: ArrayView2<'_, f64>) -> f64 {
    let rows: Vec<f64> = (0..a.nrows())
        .into_par_iter()
        .map(|i| {
            let to = |y: ndarray::ArrayView1<'_, f64>| {
                let squares = a.row(i).into_iter().zip(y).map(|(x, y)| (x - y) * (x - y));
                squares.sum::<f64>().sqrt()
            };
            b.rows().into_iter().map(to).sum::<f64>()
        })
        .collect();
    rows.iter().sum::<f64>() / (a.nrows() as f64 * b.nrows() as f64)
}
