//! Canonical correlations of two sets of patterns, plain and of their principal components (SVCCA).

use consilience_stats::dense::{Svd, product, singular_values};
use faer::Mat;
use ndarray::{Array2, ArrayView2};

use super::shape::{FIRST, SECOND, prepared};
use crate::{MethodsError, Result};

/// Options of [`cca`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CcaParams {
    /// Share of the variance of each set that its leading principal components must hold; the rest is left out. 1 keeps
    /// all (default: CCA), 0.99 is usual for SVCCA.
    pub variance: f64,
}

impl Default for CcaParams {
    fn default() -> Self {
        Self { variance: 1.0 }
    }
}

impl CcaParams {
    /// SVCCA as Raghu et al. use it: 0.99 of the variance.
    pub const SVCCA: Self = Self { variance: 0.99 };
}

/// Canonical correlations.
#[derive(Debug, Clone, PartialEq)]
pub struct Cca {
    /// All of them, descending, 0…1.
    pub correlations: Vec<f64>,
    /// Their mean.
    pub mean: f64,
    /// Principal components that were kept of either set.
    pub n_components: [usize; 2],
    /// Correlations that are 1 whatever the patterns, because there are so few stimuli.
    pub n_forced: usize,
}

/// Correlates two sets of patterns after the best linear map of each.
///
/// # Shapes
///
/// `x` is `(n_stimuli, n_channels)`, `y` is `(n_stimuli, m_channels)`; there are as many correlations as the smaller of
/// both numbers of components.
///
/// # Definition
///
/// Channels have their mean over stimuli taken off. Of X = U·S·Vᵀ the first a columns of U are kept, the fewest whose S² hold
/// `variance` of the sum; likewise b of Y. The canonical correlations are the singular values of UₓᵀUᵧ. Any invertible map of the
/// components that were kept changes nothing. Centred patterns of n stimuli have n − 1 dimensions, so a + b − (n − 1) of the correlations
/// are 1 by necessity, and with few stimuli the others are large for unrelated patterns too: give many more stimuli than
/// components.
///
/// # Errors
///
/// As [`compare_patterns`](super::compare_patterns()); [`MethodsError::OptionOutOfRange`],
/// [`MethodsError::ForcedCorrelations`] when all correlations are 1 by necessity.
///
/// # Example
///
/// ```
/// use consilience_methods::rsa::{CcaParams, cca};
/// use ndarray::array;
///
/// let x = array![[0.0, 1.0], [2.0, 0.0], [1.0, 5.0], [4.0, 4.0]];
/// let y = array![[0.0], [2.1], [0.9], [4.0]];
/// let found = cca(x.view(), y.view(), &CcaParams::default())?;
/// assert!(found.correlations.len() == 1 && found.mean > 0.99);
/// # Ok::<(), consilience_methods::MethodsError>(())
/// ```
///
/// # References
///
/// Hotelling 1936, doi:10.1093/biomet/28.3-4.321; Björck & Golub 1973, doi:10.1090/S0025-5718-1973-0348991-3; Raghu, Gilmer,
/// Yosinski & Sohl-Dickstein 2017, arXiv:1706.05806.
///
/// # Peers
///
/// statsmodels 0.15.0 `CanCorr` (CCA) and the formulas in NumPy (SVCCA), to 1e-9.
pub fn cca(x: ArrayView2<'_, f64>, y: ArrayView2<'_, f64>, params: &CcaParams) -> Result<Cca> {
    let variance = params.variance;
    if !(variance > 0.0 && variance <= 1.0) {
        return Err(MethodsError::OptionOutOfRange {
            option: "the share of variance that is kept",
            value: variance,
            expected: "a number above 0 and at most 1",
        });
    }
    let (x, y) = prepared(x, y, 3)?;
    let n = x.nrows();
    let a = components(FIRST, &x, variance)?;
    let b = components(SECOND, &y, variance)?;
    let n_components = [a.ncols(), b.ncols()];
    let n_correlations = n_components[0].min(n_components[1]);
    let n_forced = (n_components[0] + n_components[1]).saturating_sub(n - 1);
    if n_forced >= n_correlations {
        return Err(MethodsError::ForcedCorrelations {
            n_forced: n_correlations,
            n_correlations,
            n_components,
            n_stimuli: n,
        });
    }
    let shared = product(a.transpose(), b.as_ref());
    let correlations: Vec<f64> = singular_values(shared.as_ref())
        .unwrap_or_default()
        .into_iter()
        .map(|value| value.clamp(0.0, 1.0))
        .collect();
    Ok(Cca {
        mean: correlations.iter().sum::<f64>() / n_correlations as f64,
        correlations,
        n_components,
        n_forced,
    })
}

/// Orthonormal columns that span the leading principal components.
fn components(what: &'static str, x: &Array2<f64>, variance: f64) -> Result<Mat<f64>> {
    let (n, p) = x.dim();
    let matrix = Mat::from_fn(n, p, |i, j| x[[i, j]]);
    let svd = Svd::of(matrix.as_ref()).ok_or(MethodsError::UndefinedRdm {
        similarity: "a comparison of patterns",
        what,
        row: 0,
        why: "its principal components cannot be found",
    })?;
    // What a singular value of 0 may come out as.
    let least = svd.values[0] * n.max(p) as f64 * f64::EPSILON;
    let rank = svd
        .values
        .iter()
        .take_while(|value| **value > least)
        .count();
    let total: f64 = svd.values[..rank].iter().map(|v| v * v).sum();
    let mut held = 0.0;
    let enough = svd.values[..rank].iter().position(|value| {
        held += value * value;
        variance < 1.0 && held >= variance * total
    });
    let n_kept = enough.map_or(rank, |last| last + 1);
    Ok(Mat::from_fn(n, n_kept, |i, j| svd.left[(i, j)]))
}

#[cfg(test)]
mod tests {
    use consilience_stats::random::{Domain, Stream};
    use ndarray::{Axis, array};
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;
    use crate::rsa::{PatternMeasure, compare_patterns};

    fn normals(index: u64, n_rows: usize, n_columns: usize) -> Array2<f64> {
        let mut draw = Stream::new(61, Domain::Simulation, index);
        Array2::from_shape_fn((n_rows, n_columns), |_| draw.normal())
    }

    fn matrix(value: &Value) -> Array2<f64> {
        let rows: Vec<Vec<f64>> = serde_json::from_value(value.clone()).unwrap();
        Array2::from_shape_vec((rows.len(), rows[0].len()), rows.concat()).unwrap()
    }

    #[test]
    fn agrees_with_statsmodels_and_numpy() {
        let text = include_str!("../../../../fixtures/rsa/cca.json");
        let document: Value = serde_json::from_str(text).unwrap();
        let cases = document["cases"].as_array().unwrap();
        assert_eq!(cases.len(), 4);
        for case in cases {
            let (x, y) = (matrix(&case["x"]), matrix(&case["y"]));
            let params = CcaParams {
                variance: case["variance"].as_f64().unwrap(),
            };
            let found = cca(x.view(), y.view(), &params).unwrap();
            let expected: Vec<f64> = serde_json::from_value(case["correlations"].clone()).unwrap();
            assert_eq!(found.correlations.len(), expected.len(), "{}", case["name"]);
            for (found, expected) in found.correlations.iter().zip(&expected) {
                assert!(
                    (found - expected).abs() < 1e-9,
                    "{}: {found} {expected}",
                    case["name"]
                );
            }
            let mean = expected.iter().sum::<f64>() / expected.len() as f64;
            assert!((found.mean - mean).abs() < 1e-9);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]

        /// Any invertible map of the channels changes nothing (CCA), any turn (SVCCA); both ways are the same.
        #[test]
        fn maps_change_nothing(n in 12..30_usize, p in 1..5_usize, q in 1..5_usize, index in 0..1000_u64) {
            let (x, y) = (normals(4 * index, n, p), normals(4 * index + 1, n, q));
            let of = |x: &Array2<f64>, y: &Array2<f64>| cca(x.view(), y.view(), &CcaParams::default()).unwrap();
            let plain = of(&x, &y);
            let map = normals(4 * index + 2, p, p) + Array2::<f64>::eye(p) * 4.0;
            for other in [of(&(x.dot(&map) + 3.0), &y), of(&y, &x)] {
                prop_assert!((plain.mean - other.mean).abs() < 1e-8, "{plain:?} {other:?}");
            }
            prop_assert_eq!(plain.n_forced, 0);
            prop_assert!((of(&x, &x.dot(&map)).mean - 1.0).abs() < 1e-9);
            let axis = normals(4 * index + 3, p, 1);
            let square: f64 = axis.iter().map(|v| v * v).sum();
            let mirror = Array2::<f64>::eye(p) - axis.dot(&axis.t()) * (2.0 / square);
            let svcca = |x: &Array2<f64>| compare_patterns(x.view(), y.view(), PatternMeasure::Svcca).unwrap();
            prop_assert!((svcca(&x) - svcca(&(x.dot(&mirror) * 5.0))).abs() < 1e-8);
        }
    }

    #[test]
    fn copies_of_channels_add_no_component() {
        let x = normals(7, 20, 3);
        let y = normals(8, 20, 2);
        let doubled = ndarray::concatenate(Axis(1), &[x.view(), (&x * 2.0).view()]).unwrap();
        let of = |x: &Array2<f64>| cca(x.view(), y.view(), &CcaParams::default()).unwrap();
        assert_eq!(of(&doubled).n_components, [3, 2]);
        assert!((of(&doubled).mean - of(&x).mean).abs() < 1e-9);
        // A channel of little variance is left out by SVCCA.
        let mut weak = x.clone();
        weak.column_mut(1).mapv_inplace(|v| 1e-3 * v);
        let found = cca(weak.view(), y.view(), &CcaParams::SVCCA).unwrap();
        assert_eq!(found.n_components, [2, 2]);
    }

    #[test]
    fn too_few_stimuli_are_told() {
        let (x, y) = (normals(1, 10, 9), normals(2, 10, 3));
        let error = cca(x.view(), y.view(), &CcaParams::default()).unwrap_err();
        assert!(matches!(
            error,
            MethodsError::ForcedCorrelations { n_forced: 3, .. }
        ));
        let some = cca(
            normals(1, 10, 6).view(),
            normals(2, 10, 5).view(),
            &CcaParams::default(),
        );
        let some = some.unwrap();
        assert_eq!(some.n_forced, 2);
        assert!((some.correlations[1] - 1.0).abs() < 1e-12 && some.correlations[2] < 1.0 - 1e-9);
        // Where there is no place to say so, it is refused.
        let error = compare_patterns(
            normals(1, 10, 6).view(),
            normals(2, 10, 5).view(),
            PatternMeasure::Cca,
        );
        assert!(matches!(
            error,
            Err(MethodsError::ForcedCorrelations {
                n_forced: 2,
                n_correlations: 5,
                ..
            })
        ));
    }

    #[test]
    fn bad_input_is_refused() {
        let x = normals(1, 10, 2);
        let of = |x: &Array2<f64>, y: &Array2<f64>, variance| {
            cca(x.view(), y.view(), &CcaParams { variance }).unwrap_err()
        };
        for variance in [0.0, 1.1, f64::NAN] {
            assert!(matches!(
                of(&x, &x, variance),
                MethodsError::OptionOutOfRange { .. }
            ));
        }
        assert!(matches!(
            of(&x, &normals(1, 9, 2), 1.0),
            MethodsError::ShapeMismatch { .. }
        ));
        assert!(matches!(
            of(&x, &Array2::ones((10, 2)), 1.0),
            MethodsError::UndefinedRdm { .. }
        ));
        let two = array![[1.0], [2.0]];
        assert!(matches!(of(&two, &two, 1.0), MethodsError::TooFew { .. }));
    }
}
