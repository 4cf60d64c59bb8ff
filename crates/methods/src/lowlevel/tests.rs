//! Agreement with NumPy on `fixtures/lowlevel`, written by `fixtures/generate/lowlevel.py`; laws and refusals.

use consilience_stats::random::{Domain, Stream};
use ndarray::{Array3, ArrayView3, Axis, s};
use proptest::prelude::*;
use serde_json::Value;

use super::{ImageFeature, ImageFeatureParams, image_features};
use crate::MethodsError;

const FEATURES: [ImageFeature; 4] = [
    ImageFeature::Pixels,
    ImageFeature::Luminance,
    ImageFeature::Gist,
    ImageFeature::Spectrum,
];

fn with(feature: ImageFeature) -> ImageFeatureParams {
    ImageFeatureParams {
        feature,
        size: matches!(feature, ImageFeature::Gist | ImageFeature::Spectrum).then_some(16),
        scales: 2,
        ..ImageFeatureParams::default()
    }
}

fn of(image: &Array3<f64>, params: &ImageFeatureParams) -> Vec<f64> {
    image_features(&[image.view()], params)
        .unwrap()
        .row(0)
        .to_vec()
}

fn picture(index: u64, shape: (usize, usize, usize)) -> Array3<f64> {
    let mut draw = Stream::new(73, Domain::Simulation, index);
    Array3::from_shape_fn(shape, |_| draw.uniform())
}

#[test]
fn features_agree_with_numpy() {
    let text = include_str!("../../../../fixtures/lowlevel/lowlevel.json");
    let document: Value = serde_json::from_str(text).unwrap();
    let images: Vec<Array3<f64>> = document["images"]
        .as_array()
        .unwrap()
        .iter()
        .map(|image| {
            let shape: [usize; 3] = serde_json::from_value(image["shape"].clone()).unwrap();
            let bytes: Vec<u8> = serde_json::from_value(image["bytes"].clone()).unwrap();
            Array3::from_shape_vec(shape, bytes)
                .unwrap()
                .mapv(|v| f64::from(v) / 255.0)
        })
        .collect();
    let cases = document["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 7);
    for case in cases {
        let number = |key: &str| case[key].as_u64().map(|n| n as usize);
        let params = ImageFeatureParams {
            feature: case["feature"].as_str().unwrap().parse().unwrap(),
            size: number("size"),
            orientations: number("orientations"),
            scales: number("scales").unwrap_or(4),
            grid: number("grid").unwrap_or(4),
        };
        let shown: Vec<usize> = serde_json::from_value(case["shown"].clone()).unwrap();
        let views: Vec<ArrayView3<'_, f64>> = shown.iter().map(|&i| images[i].view()).collect();
        let found = image_features(&views, &params).unwrap();
        let expected: Vec<Vec<f64>> = serde_json::from_value(case["features"].clone()).unwrap();
        assert_eq!(
            found.dim(),
            (expected.len(), expected[0].len()),
            "{params:?}"
        );
        for (found, expected) in found.iter().zip(expected.iter().flatten()) {
            assert!(
                (found - expected).abs() < 1e-9 * expected.abs().max(1.0),
                "{params:?}: {found} {expected}"
            );
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20))]

    /// Grey stands for equal channels, and enlarging by whole pixels changes nothing.
    #[test]
    fn what_looks_the_same_is_the_same(h in 3..20_usize, w in 3..20_usize, index in 0..1000_u64) {
        let grey = picture(index, (h, w, 1));
        let colour = Array3::from_shape_fn((h, w, 3), |(y, x, _)| grey[[y, x, 0]]);
        let large = Array3::from_shape_fn((3 * h, 2 * w, 1), |(y, x, _)| grey[[y / 3, x / 2, 0]]);
        for feature in FEATURES {
            let plain = of(&grey, &with(feature));
            for (name, other) in [("colour", &colour), ("large", &large)] {
                let other = of(other, &with(feature));
                prop_assert!(
                    plain.iter().zip(&other).all(|(a, b)| (a - b).abs() < 1e-9), "{feature} {name}"
                );
            }
        }
    }

    /// Contrast about mid-grey scales energies, and mirroring exchanges orientations.
    #[test]
    fn energies_follow_contrast_and_mirrors(index in 0..1000_u64, contrast in 0.1..1.0_f64) {
        let image = picture(index, (16, 16, 1));
        let faint = image.mapv(|v| 0.5 + contrast * (v - 0.5));
        let mirrored = image.slice(s![.., ..;-1, ..]).to_owned();
        for feature in [ImageFeature::Gist, ImageFeature::Spectrum] {
            let params = ImageFeatureParams { grid: 1, orientations: Some(4), ..with(feature) };
            let (a, b, c) = (of(&image, &params), of(&faint, &params), of(&mirrored, &params));
            for (a, b) in a.iter().zip(&b) {
                prop_assert!((contrast * a - b).abs() < 1e-9);
            }
            for (a, c) in a.chunks(4).zip(c.chunks(4)) {
                if feature == ImageFeature::Spectrum {
                    // 45° becomes 135°; the others stay.
                    for (i, j) in [(0, 0), (1, 3), (2, 2), (3, 1)] {
                        prop_assert!((a[i] - c[j]).abs() < 1e-9, "{feature} {a:?} {c:?}");
                    }
                }
            }
        }
    }
}

/// Gratings drive the filter and the band that are made for them.
#[test]
fn gratings_are_found() {
    let grating = |cycles: f64, across: bool| {
        Array3::from_shape_fn((64, 64, 1), |(y, x, _)| {
            let at = if across { x } else { y } as f64;
            0.5 + 0.4 * (std::f64::consts::TAU * cycles * at / 64.0).cos()
        })
    };
    let best = |features: &[f64]| {
        (0..features.len()).fold(0, |b, i| if features[i] > features[b] { i } else { b })
    };
    let gist = ImageFeatureParams {
        feature: ImageFeature::Gist,
        grid: 1,
        orientations: Some(4),
        scales: 3,
        ..ImageFeatureParams::default()
    };
    let spectrum = ImageFeatureParams {
        feature: ImageFeature::Spectrum,
        size: Some(64),
        ..ImageFeatureParams::default()
    };
    // Of 64 pixels, scale k prefers 16 / 2ᵏ cycles; octave k ends at 32 / 2ᵏ.
    for (cycles, scale, octave) in [(16.0, 0, 1), (8.0, 1, 2), (4.0, 2, 3)] {
        for (across, sector) in [(true, 0), (false, 2)] {
            let image = grating(cycles, across);
            assert_eq!(
                best(&of(&image, &gist)),
                4 * scale + sector,
                "{cycles} {across}"
            );
            assert_eq!(
                best(&of(&image, &spectrum)),
                4 * octave + sector,
                "{cycles} {across}"
            );
        }
    }
    // Only the left half has a grating: so do only the left cells.
    let mut half = grating(16.0, true);
    half.slice_mut(s![.., 32.., ..]).fill(0.5);
    let cells = of(&half, &ImageFeatureParams { grid: 2, ..gist });
    assert!(
        cells[0] > 5.0 * cells[1] && cells[2] > 5.0 * cells[3],
        "{:?}",
        &cells[..4]
    );
}

#[test]
fn a_uniform_picture_has_no_energy() {
    let flat = Array3::from_elem((10, 12, 3), 0.3);
    for feature in [ImageFeature::Gist, ImageFeature::Spectrum] {
        assert!(of(&flat, &with(feature)).iter().all(|v| v.abs() < 1e-12));
    }
    let luminance = of(&flat, &with(ImageFeature::Luminance));
    assert!((luminance[0] - 0.073_238_955_987_277_87).abs() < 1e-9 && luminance[1] < 1e-12);
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let images: Vec<Array3<f64>> = (0..5).map(|i| picture(i, (20, 15, 3))).collect();
    let views: Vec<ArrayView3<'_, f64>> = images.iter().map(|i| i.view()).collect();
    for feature in FEATURES {
        let run = |n: usize| {
            let pool = rayon::ThreadPoolBuilder::new()
                .num_threads(n)
                .build()
                .unwrap();
            pool.install(|| image_features(&views, &with(feature)).unwrap())
        };
        assert_eq!(run(1), run(3));
        let alone = image_features(&views[2..3], &with(feature)).unwrap();
        assert_eq!(run(1).index_axis(Axis(0), 2), alone.index_axis(Axis(0), 0));
    }
}

#[test]
fn bad_pictures_and_options_are_refused() {
    let image = picture(1, (8, 8, 3));
    let refused = |image: &Array3<f64>, params: ImageFeatureParams| {
        image_features(&[image.view()], &params).unwrap_err()
    };
    let usual = ImageFeatureParams::default();
    let bytes = image.mapv(|v| 1.0 + (254.0 * v).round());
    assert!(
        refused(&bytes, usual)
            .to_string()
            .contains("divide bytes by 255")
    );
    let mut gap = image.clone();
    gap[[1, 1, 1]] = f64::NAN;
    assert!(matches!(
        refused(&gap, usual),
        MethodsError::OptionOutOfRange { .. }
    ));
    assert!(matches!(
        refused(&picture(1, (8, 8, 4)), usual),
        MethodsError::ShapeMismatch { .. }
    ));
    assert!(matches!(
        refused(&picture(1, (8, 0, 3)), usual),
        MethodsError::TooFew { .. }
    ));
    assert!(matches!(
        image_features(&[], &usual),
        Err(MethodsError::TooFew { .. })
    ));
    let grey = picture(1, (8, 8, 1));
    assert!(image_features(&[image.view(), grey.view()], &usual).is_err());
    for feature in FEATURES {
        assert_eq!(feature.to_string().parse(), Ok(feature));
    }
    for (feature, change) in [
        (
            ImageFeature::Pixels,
            ImageFeatureParams {
                size: Some(0),
                ..usual
            },
        ),
        (
            ImageFeature::Gist,
            ImageFeatureParams {
                size: Some(48),
                ..usual
            },
        ),
        (
            ImageFeature::Gist,
            ImageFeatureParams { scales: 5, ..usual },
        ),
        (ImageFeature::Gist, ImageFeatureParams { grid: 5, ..usual }),
        (
            ImageFeature::Gist,
            ImageFeatureParams {
                orientations: Some(0),
                ..usual
            },
        ),
        (
            ImageFeature::Spectrum,
            ImageFeatureParams {
                size: Some(4),
                ..usual
            },
        ),
        (
            ImageFeature::Spectrum,
            ImageFeatureParams {
                orientations: Some(5),
                ..usual
            },
        ),
    ] {
        let error = refused(&image, ImageFeatureParams { feature, ..change });
        assert!(
            matches!(error, MethodsError::OptionOutOfRange { .. }),
            "{change:?}"
        );
    }
}
