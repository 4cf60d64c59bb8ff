//! RDMs over time.

use ndarray::{Array2, Array3, Axis, s};
use proptest::prelude::*;
use serde_json::Value;

use super::super::{Dissimilarity, MovieParams, RdmParams, WindowSamples, rdm, rdm_movie};
use crate::{MethodsError, NanPolicy};
use consilience_stats::random::{Domain, Stream};

fn patterns(index: u64, shape: (usize, usize, usize)) -> Array3<f64> {
    let mut draw = Stream::new(72, Domain::Simulation, index);
    Array3::from_shape_fn(shape, |_| draw.normal())
}

fn with(dissimilarity: Dissimilarity, window: usize, step: usize) -> MovieParams {
    MovieParams {
        window,
        step,
        rdm: RdmParams {
            dissimilarity,
            ..RdmParams::default()
        },
        ..MovieParams::default()
    }
}

#[test]
fn agrees_with_rsatoolbox() {
    let text = include_str!("../../../../../fixtures/rdm/movie.json");
    let document: Value = serde_json::from_str(text).unwrap();
    let nested: Vec<Vec<Vec<f64>>> = serde_json::from_value(document["patterns"].clone()).unwrap();
    let shape = (nested.len(), nested[0].len(), nested[0][0].len());
    let flat = nested.into_iter().flatten().flatten().collect();
    let patterns = Array3::from_shape_vec(shape, flat).unwrap();
    let cases = document["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 4);
    for case in cases {
        let number = |key: &str| case[key].as_u64().unwrap() as usize;
        let dissimilarity = case["dissimilarity"].as_str().unwrap().parse().unwrap();
        let mut params = with(dissimilarity, number("window"), number("step"));
        // The peer's Euclidean distance is squared and by channel.
        params.rdm.per_channel = dissimilarity == Dissimilarity::Sqeuclidean;
        let found = rdm_movie(patterns.view(), &params).unwrap();
        let expected: Vec<Vec<f64>> = serde_json::from_value(case["rdms"].clone()).unwrap();
        assert_eq!(found.rdms.nrows(), expected.len());
        for (found, expected) in found.rdms.iter().zip(expected.iter().flatten()) {
            assert!((found - expected).abs() < 1e-9, "{found} {expected}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(30))]

    /// A window is an RDM of its own.
    #[test]
    fn a_window_is_an_rdm(n in 3..6_usize, p in 2..5_usize, times in 3..9_usize, window in 1..4_usize, step in 1..4_usize, index in 0..1000_u64) {
        let x = patterns(index, (n, p, times));
        for samples in [WindowSamples::Mean, WindowSamples::Concatenate] {
            let params = MovieParams { samples, ..with(Dissimilarity::Correlation, window, step) };
            let movie = rdm_movie(x.view(), &params).unwrap();
            prop_assert_eq!(movie.windows.len(), (times - window) / step + 1);
            for (found, range) in movie.rdms.rows().into_iter().zip(&movie.windows) {
                let part = x.slice(s![.., .., range.clone()]);
                let flat: Array2<f64> = match samples {
                    WindowSamples::Mean => part.mean_axis(Axis(2)).unwrap(),
                    WindowSamples::Concatenate => part.to_owned().into_shape_with_order((n, p * window)).unwrap(),
                };
                let alone = rdm(flat.view(), &params.rdm).unwrap();
                prop_assert!(found.iter().zip(&alone.vector).all(|(a, b)| (a - b).abs() < 1e-12));
            }
        }
    }
}

#[test]
fn single_precision_and_missing_samples() {
    let x = patterns(1, (4, 3, 6));
    let params = with(Dissimilarity::Euclidean, 2, 2);
    let narrow = rdm_movie(x.mapv(|v| v as f32).view(), &params).unwrap();
    let wide = rdm_movie(x.view(), &params).unwrap();
    assert!(
        narrow
            .rdms
            .iter()
            .zip(&wide.rdms)
            .all(|(a, b)| (a - b).abs() < 1e-5)
    );
    let mut gap = x.clone();
    gap[[1, 2, 0]] = f64::NAN;
    assert!(matches!(
        rdm_movie(gap.view(), &params),
        Err(MethodsError::NonFinite {
            row: 1,
            column: 2,
            ..
        })
    ));
    let mut omit = params.clone();
    omit.rdm.nan = NanPolicy::Omit;
    // The other sample of the window stands for the mean.
    let found = rdm_movie(gap.view(), &omit).unwrap();
    assert_eq!(found.n_omitted, [0, 0, 0]);
    gap[[1, 2, 1]] = f64::NAN;
    assert_eq!(rdm_movie(gap.view(), &omit).unwrap().n_omitted, [1, 0, 0]);
}

#[test]
fn windows_must_fit() {
    let x = patterns(2, (3, 2, 4));
    for (window, step) in [(0, 1), (1, 0), (5, 1)] {
        let params = with(Dissimilarity::Euclidean, window, step);
        assert!(matches!(
            rdm_movie(x.view(), &params),
            Err(MethodsError::TooFew { .. })
        ));
    }
    for samples in [WindowSamples::Mean, WindowSamples::Concatenate] {
        assert_eq!(samples.to_string().parse(), Ok(samples));
    }
}
