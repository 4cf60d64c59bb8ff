//! Against a naive version, Captum, and what must hold for any patch.

use ndarray::{Array2, Array3, s};
use proptest::prelude::*;
use serde::Deserialize;

use super::{OcclusionError, Windows};

/// Pixel by pixel: all windows are asked whether they hold it.
fn naive(
    size: [usize; 2],
    patch: usize,
    stride: usize,
    whole: f64,
    covered: &[f64],
) -> Array2<f64> {
    let first = |extent: usize| -> Vec<usize> {
        let mut all = vec![0];
        while all[all.len() - 1] + patch < extent {
            all.push(all[all.len() - 1] + stride);
        }
        all
    };
    let (rows, columns) = (first(size[0]), first(size[1]));
    Array2::from_shape_fn(size, |(y, x)| {
        let mut found = Vec::new();
        for (i, &row) in rows.iter().enumerate() {
            for (j, &column) in columns.iter().enumerate() {
                if (row..row + patch).contains(&y) && (column..column + patch).contains(&x) {
                    found.push(whole - covered[i * columns.len() + j]);
                }
            }
        }
        found.iter().sum::<f64>() / found.len() as f64
    })
}

/// A size with a patch that fits and a stride that covers all.
fn patches() -> impl Strategy<Value = ([usize; 2], usize, usize)> {
    (1..20_usize, 1..20_usize)
        .prop_flat_map(|(height, width)| (Just([height, width]), 1..=height.min(width)))
        .prop_flat_map(|(size, patch)| (Just(size), Just(patch), 1..=patch))
}

proptest! {
    #[test]
    fn maps_are_those_of_the_naive_version((size, patch, stride) in patches(), seed in 0..1000_u32) {
        let windows = Windows::new(size, patch, stride).unwrap();
        let covered: Vec<f64> = (0..windows.len())
            .map(|k| f64::from((k as u32 * 7919 + seed * 104_729) % 1009) / 100.0)
            .collect();
        let found = windows.map(4.0, &covered).unwrap();
        let expected = naive(size, patch, stride, 4.0, &covered);
        for (a, b) in found.iter().zip(&expected) {
            prop_assert!((a - b).abs() < 1e-12, "{a} {b}");
        }
    }

    #[test]
    fn every_pixel_is_covered_and_no_window_leaves_the_picture((size, patch, stride) in patches()) {
        let windows = Windows::new(size, patch, stride).unwrap();
        let mut seen = Array2::from_elem(size, false);
        let mut n = 0;
        for [rows, columns] in windows.iter() {
            prop_assert!(!rows.is_empty() && !columns.is_empty());
            prop_assert!(rows.end <= size[0] && columns.end <= size[1]);
            seen.slice_mut(s![rows, columns]).fill(true);
            n += 1;
        }
        prop_assert_eq!(n, windows.len());
        prop_assert!(seen.iter().all(|&seen| seen));
    }

    #[test]
    fn a_change_that_is_the_same_everywhere_is_the_map((size, patch, stride) in patches(), change in -5.0..5.0_f64) {
        let windows = Windows::new(size, patch, stride).unwrap();
        let map = windows.map(2.0, &vec![2.0 - change; windows.len()]).unwrap();
        prop_assert!(map.iter().all(|value| (value - change).abs() < 1e-12));
    }
}

#[test]
fn a_sum_over_one_pixel_is_found_where_it_is() {
    // The prediction is the value 3 of pixel (4, 5); each window that holds it takes all of it away.
    let windows = Windows::new([8, 10], 3, 1).unwrap();
    let covered: Vec<f64> = windows
        .iter()
        .map(
            |[rows, columns]| match rows.contains(&4) && columns.contains(&5) {
                true => 0.0,
                false => 3.0,
            },
        )
        .collect();
    let map = windows.map(3.0, &covered).unwrap();
    assert_eq!(map[[4, 5]], 3.0);
    // Of the nine windows that hold its neighbour, six hold the pixel too.
    assert_eq!(map[[4, 6]], 2.0);
    assert_eq!(map[[1, 5]], 0.0);
    assert_eq!(map[[4, 8]], 0.0);
}

/// A prediction Σ a tanh(w · x) of a picture x, and Captum's maps of it.
#[derive(Deserialize)]
struct Fixture {
    shape: [usize; 3],
    picture: Vec<f64>,
    weights: Vec<Vec<f64>>,
    outer: Vec<f64>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    patch: usize,
    stride: usize,
    map: Vec<f64>,
}

#[test]
fn maps_are_those_of_captum() {
    let text = include_str!("../../../../fixtures/occlusion/occlusion.json");
    let fixture: Fixture = serde_json::from_str(text).unwrap();
    let picture = Array3::from_shape_vec(fixture.shape, fixture.picture).unwrap();
    let predict = |picture: &Array3<f64>| -> f64 {
        let hidden = fixture.weights.iter().map(|weights| {
            let sum: f64 = weights.iter().zip(picture).map(|(w, x)| w * x).sum();
            sum.tanh()
        });
        hidden.zip(&fixture.outer).map(|(h, a)| h * a).sum()
    };
    assert_eq!(fixture.cases.len(), 5);
    for case in &fixture.cases {
        let [_, height, width] = fixture.shape;
        let windows = Windows::new([height, width], case.patch, case.stride).unwrap();
        let covered: Vec<f64> = windows
            .iter()
            .map(|[rows, columns]| {
                let mut covered = picture.clone();
                covered.slice_mut(s![.., rows, columns]).fill(0.0);
                predict(&covered)
            })
            .collect();
        let map = windows.map(predict(&picture), &covered).unwrap();
        // Captum rounds sums to single precision and divides these in it: two roundings of 2⁻²⁴.
        for (found, expected) in map.iter().zip(&case.map) {
            let bound = f64::from(f32::EPSILON) * expected.abs() + 1e-14;
            assert!(
                (found - expected).abs() <= bound,
                "{} {}: {found} {expected}",
                case.patch,
                case.stride
            );
        }
    }
}

#[test]
fn patches_that_cannot_slide_are_refused() {
    let refused = |size, patch, stride| Windows::new(size, patch, stride).unwrap_err();
    assert_eq!(refused([8, 8], 0, 1), OcclusionError::NoPatch);
    assert!(matches!(
        refused([8, 4], 5, 1),
        OcclusionError::PatchTooLarge {
            patch: 5,
            height: 8,
            width: 4
        }
    ));
    assert_eq!(refused([8, 8], 3, 0), OcclusionError::NoStride { patch: 3 });
    assert!(matches!(
        refused([8, 8], 3, 4),
        OcclusionError::StrideTooLarge {
            stride: 4,
            patch: 3
        }
    ));
    let windows = Windows::new([8, 8], 4, 4).unwrap();
    assert_eq!(
        windows.map(1.0, &[0.0; 3]).unwrap_err(),
        OcclusionError::Count {
            expected: 4,
            found: 3
        }
    );
}
