//! Regression, comparisons with a covariance, and comparisons of patterns.

use consilience_core::pairs;
use consilience_stats::random::{Domain, Stream};
use ndarray::{Array2, Axis, array};
use proptest::prelude::*;
use serde_json::Value;

use super::super::{
    PatternMeasure, RegressionParams, Similarity, Weights, compare, compare_patterns,
    compare_whitened, negative_riemannian, partial_correlation, regress,
};
use crate::{MethodsError, NanPolicy};

const MEASURES: [PatternMeasure; 4] = [
    PatternMeasure::Cka,
    PatternMeasure::UnbiasedCka,
    PatternMeasure::Procrustes,
    PatternMeasure::AngularShape,
];

fn document() -> Value {
    let text = include_str!("../../../../../fixtures/rsa/comparators.json");
    serde_json::from_str(text).unwrap()
}

fn matrix(value: &Value) -> Array2<f64> {
    let rows: Vec<Vec<f64>> = serde_json::from_value(value.clone()).unwrap();
    Array2::from_shape_vec((rows.len(), rows[0].len()), rows.concat()).unwrap()
}

#[track_caller]
fn assert_close(found: &Array2<f64>, expected: &Array2<f64>, tolerance: f64, name: &str) {
    assert_eq!(found.dim(), expected.dim(), "{name}");
    for (f, e) in found.iter().zip(expected) {
        assert!(
            (f - e).abs() <= tolerance * e.abs().max(1.0),
            "{name}: {f}, expected {e}"
        );
    }
}

fn normals(n_rows: usize, n_columns: usize, seed: u64) -> Array2<f64> {
    let mut draw = Stream::new(seed, Domain::Simulation, 0);
    Array2::from_shape_fn((n_rows, n_columns), |_| draw.normal())
}

/// Squared distances of random points.
fn rdm_of(points: &Array2<f64>) -> Array2<f64> {
    let n = points.nrows();
    let values = pairs::iter(n)
        .map(|(i, j)| {
            let difference = &points.row(i) - &points.row(j);
            difference.dot(&difference)
        })
        .collect();
    Array2::from_shape_vec((1, pairs::n_pairs(n)), values).unwrap()
}

fn rows(list: &[Array2<f64>]) -> Array2<f64> {
    let views: Vec<_> = list.iter().map(|r| r.view()).collect();
    ndarray::concatenate(Axis(0), &views).unwrap()
}

#[test]
fn whitening_by_a_covariance_agrees_with_its_definition() {
    let document = document();
    let cases = document["whitened"].as_array().unwrap();
    assert_eq!(cases.len(), 3);
    for case in cases {
        let (a, b) = (matrix(&case["a"]), matrix(&case["b"]));
        let covariance = matrix(&case["covariance"]);
        for similarity in [Similarity::WhitenedCosine, Similarity::WhitenedPearson] {
            let found = compare_whitened(
                a.view(),
                b.view(),
                similarity,
                covariance.view(),
                NanPolicy::Refuse,
            );
            let expected = matrix(&case["scores"][similarity.name()]);
            assert_close(&found.unwrap(), &expected, 1e-9, similarity.name());
        }
    }
}

#[test]
fn riemannian_distances_agree_with_rsatoolbox() {
    let document = document();
    let cases = document["riemannian"].as_array().unwrap();
    assert_eq!(cases.len(), 3);
    for case in cases {
        let (a, b) = (matrix(&case["a"]), matrix(&case["b"]));
        let covariance = (!case["covariance"].is_null()).then(|| matrix(&case["covariance"]));
        let view = covariance.as_ref().map(|c| c.view());
        let found = negative_riemannian(a.view(), b.view(), view, NanPolicy::Refuse).unwrap();
        let expected = matrix(&case["scores"]);
        assert_close(&found, &expected, 1e-6, "riemannian");
        for (found, expected) in found.iter().zip(&expected) {
            assert!(
                found >= &(expected - 1e-9),
                "the peer found a shorter distance: {found} {expected}"
            );
        }
    }
}

#[test]
fn patterns_agree_with_peers() {
    let document = document();
    let cases = document["patterns"].as_array().unwrap();
    assert_eq!(cases.len(), 3);
    for case in cases {
        let (x, y) = (matrix(&case["x"]), matrix(&case["y"]));
        for (measure, key) in
            MEASURES
                .into_iter()
                .zip(["cka", "unbiased_cka", "procrustes", "angular_shape"])
        {
            let found = compare_patterns(x.view(), y.view(), measure).unwrap();
            let expected = case[key].as_f64().unwrap();
            assert!(
                (found - expected).abs() < 1e-9,
                "{} {key}: {found} {expected}",
                case["name"]
            );
        }
    }
}

#[test]
fn regression_agrees_with_peers() {
    let document = document();
    let cases = document["regression"].as_array().unwrap();
    assert_eq!(cases.len(), 3);
    for case in cases {
        let (data, models) = (matrix(&case["data"]), matrix(&case["models"]));
        let usual = RegressionParams::default();
        let non_negative = RegressionParams {
            weights: Weights::NonNegative,
            ..usual
        };
        for (key, params) in [
            ("any", usual),
            (
                "without_intercept",
                RegressionParams {
                    intercept: false,
                    ..usual
                },
            ),
            ("non_negative", non_negative),
            (
                "non_negative_without_intercept",
                RegressionParams {
                    intercept: false,
                    ..non_negative
                },
            ),
            (
                "ranks",
                RegressionParams {
                    ranks: true,
                    ..usual
                },
            ),
        ] {
            let found = regress(data.view(), models.view(), &params).unwrap();
            let name = format!("{} {key}", case["name"]);
            assert_close(&found.weights, &matrix(&case[key]), 1e-9, &name);
        }
        let plain =
            partial_correlation(data.view(), models.view(), false, NanPolicy::Refuse).unwrap();
        if models.nrows() > 1 {
            assert_close(&plain.partial, &matrix(&case["partial"]), 1e-9, "partial");
            assert_close(
                &plain.semi_partial,
                &matrix(&case["semi_partial"]),
                1e-9,
                "semi-partial",
            );
            let ranked = partial_correlation(data.view(), models.view(), true, NanPolicy::Refuse);
            assert_close(
                &ranked.unwrap().partial,
                &matrix(&case["partial_ranks"]),
                1e-9,
                "ranks",
            );
        } else {
            let pearson = compare(
                data.view(),
                models.view(),
                Similarity::Pearson,
                NanPolicy::Refuse,
            );
            let pearson = pearson.unwrap().scores;
            assert_close(&plain.partial, &pearson, 1e-12, "one model");
            assert_close(&plain.semi_partial, &pearson, 1e-12, "one model");
        }
    }
}

#[test]
fn names_of_measures_round_trip() {
    let more = [PatternMeasure::Cca, PatternMeasure::Svcca];
    for measure in MEASURES.into_iter().chain(more) {
        assert_eq!(measure.to_string().parse(), Ok(measure));
    }
    assert!("cka-unbiased".parse::<PatternMeasure>().is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// Equal and independent noise is what the plain whitened similarities assume.
    #[test]
    fn a_multiple_of_the_identity_changes_nothing(n in 3..9_usize, seed in 0..1000_u64, scale in 0.01..100.0_f64) {
        let a = rows(&[rdm_of(&normals(n, 4, seed)), rdm_of(&normals(n, 3, seed + 1))]);
        let b = rdm_of(&normals(n, 4, seed + 2));
        let covariance = Array2::<f64>::eye(n) * scale;
        for similarity in [Similarity::WhitenedCosine, Similarity::WhitenedPearson] {
            let plain = compare(a.view(), b.view(), similarity, NanPolicy::Refuse).unwrap().scores;
            let found =
                compare_whitened(a.view(), b.view(), similarity, covariance.view(), NanPolicy::Refuse).unwrap();
            assert_close(&found, &plain, 1e-9, similarity.name());
        }
    }

    /// A scale of the first RDM and added noise cost nothing; an RDM is at distance 0 of itself.
    #[test]
    fn riemannian_distance_ignores_scale_and_noise(n in 3..7_usize, seed in 0..1000_u64, scale in 0.2..5.0_f64, noise in 0.0..2.0_f64) {
        let b = rdm_of(&normals(n, n + 2, seed));
        let score = |a: &Array2<f64>, b: &Array2<f64>| {
            negative_riemannian(a.view(), b.view(), None, NanPolicy::Refuse).unwrap()[[0, 0]]
        };
        prop_assert!(score(&b.mapv(|d| d * scale), &b) > -1e-5);
        // Independent noise of each pattern adds twice its variance to every squared distance.
        prop_assert!(score(&b, &b.mapv(|d| scale * d + noise)) > -1e-5);
        let other = rdm_of(&normals(n, n + 2, seed + 1));
        prop_assert!(score(&other, &b) <= 1e-12);
        prop_assert!((score(&other, &b) - score(&other.mapv(|d| d * scale), &b)).abs() < 1e-5);
    }

    /// Rotations, shifts and one scale of the channels change nothing; distances obey the triangle.
    #[test]
    fn measures_of_patterns_keep_their_laws(n in 5..12_usize, p in 2..8_usize, seed in 0..1000_u64, scale in 0.1..10.0_f64) {
        let [x, y, z] = [0, 1, 2].map(|k| normals(n, p, seed + 1000 * k));
        let of = |a: &Array2<f64>, b: &Array2<f64>, m| compare_patterns(a.view(), b.view(), m);
        // A reflection along a random direction.
        let axis = normals(p, 1, seed + 7);
        let square: f64 = axis.iter().map(|v| v * v).sum();
        let mirror = Array2::<f64>::eye(p) - axis.dot(&axis.t()) * (2.0 / square);
        let moved = x.dot(&mirror) * scale + 3.0;
        for measure in MEASURES {
            let Ok(plain) = of(&x, &y, measure) else { continue };
            let there = of(&moved, &y, measure).unwrap();
            prop_assert!((plain - there).abs() < 1e-8, "{measure:?} {plain} {there}");
            prop_assert!((plain - of(&y, &x, measure).unwrap()).abs() < 1e-9);
            let distance = matches!(measure, PatternMeasure::Procrustes | PatternMeasure::AngularShape);
            let own = of(&moved, &x, measure).unwrap();
            prop_assert!((own - if distance { 0.0 } else { 1.0 }).abs() < 1e-6, "{measure:?} {own}");
            if distance {
                let detour = of(&x, &z, measure).unwrap() + of(&z, &y, measure).unwrap();
                prop_assert!(plain <= detour + 1e-9);
            }
        }
        let angle = of(&x, &y, PatternMeasure::AngularShape).unwrap();
        let chord = of(&x, &y, PatternMeasure::Procrustes).unwrap();
        prop_assert!((chord - 2.0 * (angle / 2.0).sin()).abs() < 1e-9);
    }

    /// Residuals are orthogonal to the models; non-negative weights are the best of their kind.
    #[test]
    fn regressions_are_least_squares(n in 5..9_usize, n_models in 1..5_usize, seed in 0..1000_u64, intercept in any::<bool>()) {
        let models: Vec<_> = (0..n_models as u64).map(|k| rdm_of(&normals(n, 3, seed + 17 * k))).collect();
        let models = rows(&models);
        let data = rdm_of(&normals(n, 3, seed + 999));
        let params = RegressionParams { intercept, ..RegressionParams::default() };
        let residual = |weights: &[f64], constant: f64| -> Vec<f64> {
            (0..data.ncols())
                .map(|k| {
                    let sum: f64 = weights.iter().enumerate().map(|(m, w)| w * models[[m, k]]).sum();
                    data[[0, k]] - sum - constant
                })
                .collect()
        };
        let error = |r: &[f64]| r.iter().map(|v| v * v).sum::<f64>();
        let free = regress(data.view(), models.view(), &params).unwrap();
        let rest = residual(&free.weights.row(0).to_vec(), free.intercepts[0]);
        let size: f64 = data.iter().map(|d| d * d).sum();
        for m in 0..n_models {
            let along: f64 = rest.iter().zip(models.row(m)).map(|(r, c)| r * c).sum();
            prop_assert!(along.abs() < 1e-8 * size);
        }
        let bounded = regress(data.view(), models.view(), &RegressionParams { weights: Weights::NonNegative, ..params }).unwrap();
        let weights = bounded.weights.row(0).to_vec();
        prop_assert!(weights.iter().all(|w| *w >= 0.0));
        let rest = residual(&weights, bounded.intercepts[0]);
        prop_assert!(error(&rest) >= error(&residual(&free.weights.row(0).to_vec(), free.intercepts[0])) - 1e-9 * size);
        // No weight can be raised, nor a positive one changed, to any gain.
        for (m, w) in weights.iter().enumerate() {
            let along: f64 = rest.iter().zip(models.row(m)).map(|(r, c)| r * c).sum();
            prop_assert!(along < 1e-8 * size);
            if *w > 0.0 {
                prop_assert!(along.abs() < 1e-8 * size);
            }
        }
        if free.weights.iter().all(|w| *w > 1e-9) {
            assert_close(&bounded.weights, &free.weights, 1e-8, "inside the bounds");
        }
    }

    /// A semi-partial correlation is never larger than the partial one.
    #[test]
    fn partial_correlations_keep_their_order(n in 6..9_usize, seed in 0..1000_u64) {
        let models = rows(&[0, 1, 2].map(|k| rdm_of(&normals(n, 3, seed + 17 * k))));
        let data = rdm_of(&normals(n, 3, seed + 999));
        let found = partial_correlation(data.view(), models.view(), false, NanPolicy::Refuse).unwrap();
        for (partial, semi) in found.partial.iter().zip(&found.semi_partial) {
            prop_assert!(semi.abs() <= partial.abs() + 1e-12 && partial.abs() <= 1.0);
            prop_assert!(semi * partial >= 0.0);
        }
    }
}

/// Patterns of many channels look alike to the plain CKA of few stimuli, and not to the unbiased one.
#[test]
fn unbiased_cka_is_0_on_average_for_unrelated_patterns() {
    let (mut biased, mut unbiased) = (0.0, 0.0);
    let n_draws = 200;
    for seed in 0..n_draws {
        let (x, y) = (normals(10, 60, 2 * seed), normals(10, 60, 2 * seed + 1));
        biased += compare_patterns(x.view(), y.view(), PatternMeasure::Cka).unwrap();
        // The unbiased norm of one draw may be negative; then there is nothing to compare.
        unbiased +=
            compare_patterns(x.view(), y.view(), PatternMeasure::UnbiasedCka).unwrap_or(0.0);
    }
    let n = n_draws as f64;
    assert!(biased / n > 0.5, "{}", biased / n);
    assert!((unbiased / n).abs() < 0.3, "{}", unbiased / n);
}

#[test]
fn missing_pairs_are_left_out_of_all() {
    let models = rows(&[rdm_of(&normals(6, 3, 1)), rdm_of(&normals(6, 3, 2))]);
    let mut data = rdm_of(&normals(6, 3, 3));
    data[[0, 4]] = f64::NAN;
    let params = RegressionParams::default();
    assert!(matches!(
        regress(data.view(), models.view(), &params),
        Err(MethodsError::NonFinite { column: 4, .. })
    ));
    let omit = RegressionParams {
        nan: NanPolicy::Omit,
        ..params
    };
    let found = regress(data.view(), models.view(), &omit).unwrap();
    assert_eq!(found.n_omitted, 1);
    let partial = partial_correlation(data.view(), models.view(), true, NanPolicy::Omit).unwrap();
    assert_eq!(partial.n_omitted, 1);
    let covariance = Array2::<f64>::eye(6);
    let error = compare_whitened(
        data.view(),
        models.view(),
        Similarity::WhitenedCosine,
        covariance.view(),
        NanPolicy::Omit,
    );
    assert!(matches!(
        error,
        Err(MethodsError::IncompleteRdms { n_omitted: 1, .. })
    ));
    let error = negative_riemannian(data.view(), models.view(), None, NanPolicy::Omit);
    assert!(matches!(
        error,
        Err(MethodsError::IncompleteRdms { n_omitted: 1, .. })
    ));
}

#[test]
fn what_cannot_be_fitted_is_refused() {
    let models = rows(&[rdm_of(&normals(5, 3, 1)), rdm_of(&normals(5, 3, 2))]);
    let data = rdm_of(&normals(5, 3, 3));
    let params = RegressionParams::default();
    let sum = (&models.row(0) * 2.0 - models.row(1) + 1.0).insert_axis(Axis(0));
    let redundant = rows(&[models.clone(), sum.clone()]);
    assert!(matches!(
        regress(data.view(), redundant.view(), &params),
        Err(MethodsError::Collinear { model: 2 })
    ));
    assert!(matches!(
        partial_correlation(data.view(), redundant.view(), false, NanPolicy::Refuse),
        Err(MethodsError::Collinear { .. })
    ));
    let other = (&models.row(1) * 2.0 + 1.0).insert_axis(Axis(0));
    assert!(matches!(
        partial_correlation(other.view(), models.view(), false, NanPolicy::Refuse),
        Err(MethodsError::UndefinedRdm { row: 0, .. })
    ));
    let flat = Array2::from_elem((1, 10), 2.0);
    assert!(matches!(
        regress(data.view(), flat.view(), &params),
        Err(MethodsError::UndefinedRdm {
            what: "the model RDMs",
            ..
        })
    ));
    let without = RegressionParams {
        intercept: false,
        ..params
    };
    assert!(regress(data.view(), flat.view(), &without).is_ok());
    let short = array![[1.0, 2.0, 4.0]];
    assert!(matches!(
        regress(
            short.view(),
            array![[1.0, 0.0, 2.0], [0.0, 1.0, 2.0]].view(),
            &params
        ),
        Err(MethodsError::TooFew {
            needed: 4,
            found: 3,
            ..
        })
    ));
    assert!(matches!(
        regress(short.view(), models.view(), &params),
        Err(MethodsError::PairsMismatch { .. })
    ));

    let whitened = |covariance: Array2<f64>| {
        compare_whitened(
            data.view(),
            models.view(),
            Similarity::WhitenedCosine,
            covariance.view(),
            NanPolicy::Refuse,
        )
        .unwrap_err()
    };
    assert!(matches!(
        whitened(Array2::eye(4)),
        MethodsError::ShapeMismatch { .. }
    ));
    assert!(matches!(
        whitened(Array2::zeros((5, 5))),
        MethodsError::SingularPatterns { .. }
    ));
    let mut skew = Array2::<f64>::eye(5);
    skew[[0, 1]] = 0.5;
    assert!(matches!(
        whitened(skew),
        MethodsError::SingularPatterns { .. }
    ));
    let mut gap = Array2::<f64>::eye(5);
    gap[[2, 2]] = f64::NAN;
    assert!(matches!(
        whitened(gap),
        MethodsError::NonFinite { row: 2, .. }
    ));

    // Points on a line have a kernel of one dimension.
    let line = rdm_of(&array![[0.0], [1.0], [3.0], [4.0], [9.0]]);
    let full = rdm_of(&normals(5, 7, 1));
    assert!(negative_riemannian(line.view(), full.view(), None, NanPolicy::Refuse).is_ok());
    assert!(matches!(
        negative_riemannian(full.view(), line.view(), None, NanPolicy::Refuse),
        Err(MethodsError::UndefinedRdm {
            what: "the second set of RDMs",
            ..
        })
    ));

    let x = normals(5, 3, 1);
    let of =
        |x: &Array2<f64>, y: &Array2<f64>, m| compare_patterns(x.view(), y.view(), m).unwrap_err();
    let cka = PatternMeasure::Cka;
    assert!(matches!(
        of(&x, &normals(4, 3, 1), cka),
        MethodsError::ShapeMismatch { .. }
    ));
    assert!(matches!(
        of(&x, &Array2::ones((5, 2)), cka),
        MethodsError::UndefinedRdm { .. }
    ));
    assert!(matches!(
        of(&x, &Array2::zeros((5, 0)), cka),
        MethodsError::TooFew { .. }
    ));
    let three = normals(3, 2, 1);
    assert!(matches!(
        of(&three, &three, PatternMeasure::UnbiasedCka),
        MethodsError::TooFew { needed: 4, .. }
    ));
    let mut gap = x.clone();
    gap[[1, 2]] = f64::INFINITY;
    assert!(matches!(
        of(&gap, &x, cka),
        MethodsError::NonFinite {
            row: 1,
            column: 2,
            ..
        }
    ));
}
