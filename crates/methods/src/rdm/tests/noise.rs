//! Noise covariance.

use ndarray::{Array2, Axis};
use proptest::prelude::*;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::Value;

use crate::MethodsError;
use crate::rdm::{
    Dissimilarity, NoiseCovariance, NoiseEstimate, RdmParams, noise_of_repetitions,
    noise_of_residuals, rdm,
};

const ESTIMATES: [NoiseEstimate; 4] = [
    NoiseEstimate::Full,
    NoiseEstimate::Diagonal,
    NoiseEstimate::ShrinkIdentity,
    NoiseEstimate::ShrinkDiagonal,
];

fn matrix(value: &Value) -> Array2<f64> {
    let rows: Vec<Vec<f64>> = serde_json::from_value(value.clone()).unwrap();
    let shape = (rows.len(), rows[0].len());
    Array2::from_shape_vec(shape, rows.concat()).unwrap()
}

fn off(found: &Array2<f64>, expected: &Array2<f64>) -> f64 {
    let largest = expected.iter().fold(0.0_f64, |max, v| max.max(v.abs()));
    let off = (found - expected)
        .iter()
        .fold(0.0_f64, |max, v| max.max(v.abs()));
    off / largest
}

fn random(n_rows: usize, n_channels: usize, seed: u64) -> Array2<f64> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mixing = Array2::from_shape_fn((n_channels, n_channels), |(i, j)| {
        rng.random_range(-0.5..0.5) / (n_channels as f64).sqrt() + if i == j { 1.5 } else { 0.0 }
    });
    Array2::from_shape_fn((n_rows, n_channels), |_| rng.random_range(-2.0..2.0)).dot(&mixing) + 7.0
}

#[test]
fn agrees_with_rsatoolbox() {
    let document = include_str!("../../../../../fixtures/rdm/noise.json");
    let document: Value = serde_json::from_str(document).unwrap();
    let cases = document["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 24);
    let mut n_inverted = 0;
    for case in cases {
        let rows = matrix(&case["rows"]);
        let estimate: NoiseEstimate = case["estimate"].as_str().unwrap().parse().unwrap();
        let dof = case["dof"].as_u64().map(|dof| dof as usize);
        let conditions: Option<Vec<i64>> =
            serde_json::from_value(case["conditions"].clone()).unwrap();
        let found = match &conditions {
            Some(conditions) => noise_of_repetitions(rows.view(), conditions, estimate, dof),
            None => noise_of_residuals(rows.view(), estimate, dof),
        }
        .unwrap();
        let name = format!("{} {estimate} {}", case["name"], conditions.is_some());
        let off_covariance = off(&found.covariance, &matrix(&case["covariance"]));
        assert!(off_covariance < 1e-11, "{name}: {off_covariance:e}");
        if case["precision"].is_null() {
            let error = found.precision().unwrap_err();
            assert!(
                matches!(error, MethodsError::SingularCovariance { .. }),
                "{name}"
            );
        } else {
            n_inverted += 1;
            let off_precision = off(&found.precision().unwrap(), &matrix(&case["precision"]));
            assert!(off_precision < 1e-9, "{name}: {off_precision:e}");
        }
    }
    assert!(n_inverted >= 20, "{n_inverted}");
}

/// The definition with every second moment of products.
fn naive_shrinkage(x: &Array2<f64>, estimate: NoiseEstimate, nu: f64) -> f64 {
    let (n, p) = (x.nrows(), x.ncols());
    let e = x - &x.mean_axis(Axis(0)).unwrap();
    let moment = |j: usize, k: usize| (0..n).map(|t| e[[t, j]] * e[[t, k]]).sum::<f64>();
    let fourth = |j: usize, k: usize| (0..n).map(|t| (e[[t, j]] * e[[t, k]]).powi(2)).sum::<f64>();
    let (mut above, mut below) = (0.0, 0.0);
    let rows = n as f64;
    let mean = (0..p).map(|j| moment(j, j) / rows).sum::<f64>() / p as f64;
    for j in 0..p {
        for k in 0..p {
            if estimate == NoiseEstimate::ShrinkIdentity {
                let s = moment(j, k) / rows;
                above += (fourth(j, k) / rows - s * s) / rows;
                below += (s - if j == k { mean } else { 0.0 }).powi(2);
            } else if j != k {
                let scale = (moment(j, j) / nu * moment(k, k) / nu).sqrt();
                let r = moment(j, k) / scale / (rows - 1.0);
                let square = fourth(j, k) / (scale * scale) / (rows - 1.0);
                above += rows / (nu * nu) * (square - r * r);
                below += r * r;
            }
        }
    }
    (above / below).clamp(0.0, 1.0)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn the_naive_version_gives_the_same(n in 4..30_usize, p in 2..12_usize, seed in 0..1000_u64) {
        let x = random(n, p, seed);
        for estimate in [NoiseEstimate::ShrinkIdentity, NoiseEstimate::ShrinkDiagonal] {
            let found = noise_of_residuals(x.view(), estimate, None).unwrap();
            let expected = naive_shrinkage(&x, estimate, (n - 1) as f64);
            prop_assert!((found.shrinkage - expected).abs() < 1e-9, "{} {expected}", found.shrinkage);
        }
    }

    /// Another order of channels or rows permutes, another unit scales, a shift does nothing.
    #[test]
    fn estimates_follow_the_data(n in 5..20_usize, p in 2..8_usize, seed in 0..1000_u64, unit in 0.1..10.0_f64) {
        let x = random(n, p, seed);
        let mut turned = x.mapv(|v| unit * v - 3.0);
        turned.invert_axis(Axis(0));
        turned.invert_axis(Axis(1));
        for estimate in ESTIMATES {
            let plain = noise_of_residuals(x.view(), estimate, None).unwrap();
            let mut other = noise_of_residuals(turned.view(), estimate, None).unwrap();
            other.covariance.invert_axis(Axis(0));
            other.covariance.invert_axis(Axis(1));
            prop_assert!(off(&other.covariance, &(&plain.covariance * (unit * unit))) < 1e-9);
            prop_assert!((0.0..=1.0).contains(&plain.shrinkage));
            prop_assert_eq!(&plain.covariance, &plain.covariance.t());
        }
    }

    /// Whitened patterns have Mahalanobis distances as squared Euclidean ones, and noise of unit variance.
    #[test]
    fn whitening_turns_mahalanobis_into_euclidean(n in 20..40_usize, p in 2..7_usize, seed in 0..1000_u64) {
        let x = random(n, p, seed);
        let noise = noise_of_residuals(x.view(), NoiseEstimate::Full, None).unwrap();
        let white = noise.whiten(x.view()).unwrap();
        let again = noise_of_residuals(white.view(), NoiseEstimate::Full, None).unwrap();
        prop_assert!(off(&again.covariance, &Array2::eye(p)) < 1e-8);
        let plain = rdm(white.view(), &RdmParams {
            dissimilarity: Dissimilarity::Sqeuclidean,
            per_channel: true,
            ..RdmParams::default()
        }).unwrap();
        let weighted = rdm(x.view(), &RdmParams {
            dissimilarity: Dissimilarity::Mahalanobis,
            noise_precision: Some(noise.precision().unwrap()),
            ..RdmParams::default()
        }).unwrap();
        for (a, b) in plain.vector.iter().zip(&weighted.vector) {
            prop_assert!((a - b).abs() < 1e-8 * b.abs().max(1e-3));
        }
        let product = noise.precision().unwrap().dot(&noise.covariance);
        prop_assert!(off(&product, &Array2::eye(p)) < 1e-9);
    }
}

#[test]
fn repetitions_without_noise_or_data_are_refused() {
    let x = random(6, 3, 1);
    let few = |rows: usize| x.slice(ndarray::s![..rows, ..]);
    assert!(matches!(
        noise_of_residuals(few(1), NoiseEstimate::Full, None),
        Err(MethodsError::TooFew {
            needed: 2,
            found: 1,
            ..
        })
    ));
    assert!(matches!(
        noise_of_repetitions(x.view(), &[1, 2, 3, 4, 5, 6], NoiseEstimate::Full, None),
        Err(MethodsError::TooFew { found: 0, .. })
    ));
    assert!(matches!(
        noise_of_repetitions(x.view(), &[1, 2], NoiseEstimate::Full, None),
        Err(MethodsError::ShapeMismatch { .. })
    ));
    let mut flat = x.clone();
    flat.column_mut(1).fill(4.0);
    assert!(matches!(
        noise_of_residuals(flat.view(), NoiseEstimate::ShrinkDiagonal, None),
        Err(MethodsError::ConstantChannel { channel: 1 })
    ));
    let shrunk = noise_of_residuals(flat.view(), NoiseEstimate::ShrinkIdentity, None).unwrap();
    assert!(shrunk.precision().is_ok());
    let full = noise_of_residuals(flat.view(), NoiseEstimate::Full, None).unwrap();
    assert!(matches!(
        full.precision(),
        Err(MethodsError::ConstantChannel { channel: 1 })
    ));
    let mut gap = x.clone();
    gap[[2, 0]] = f64::NAN;
    assert!(matches!(
        noise_of_residuals(gap.view(), NoiseEstimate::Full, None),
        Err(MethodsError::NonFinite {
            row: 2,
            column: 0,
            ..
        })
    ));
    let fewer = noise_of_residuals(few(3), NoiseEstimate::Full, None).unwrap();
    assert!(matches!(
        fewer.precision(),
        Err(MethodsError::SingularCovariance {
            n_channels: 3,
            rank: 2
        })
    ));
    let identity = NoiseCovariance {
        covariance: Array2::eye(2),
        shrinkage: 0.0,
        dof: 1,
    };
    assert!(matches!(
        identity.whiten(x.view()),
        Err(MethodsError::ShapeMismatch { .. })
    ));
    assert_eq!(identity.precision().unwrap(), Array2::<f64>::eye(2));
}

#[test]
fn names_round_trip() {
    for estimate in ESTIMATES {
        assert_eq!(estimate.to_string().parse(), Ok(estimate));
    }
}
