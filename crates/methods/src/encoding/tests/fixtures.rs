//! Agreement with scikit-learn and himalaya; `fixtures/generate/encoding.py` wrote the numbers.

use ndarray::{Array2, ArrayView2};
use serde_json::Value;

use super::problem::assert_close;
use crate::encoding::{BandedParams, Folds, PartitionBy, RidgeParams, banded, partition, ridge};

pub fn matrix(value: &Value) -> Array2<f64> {
    let rows: Vec<Vec<f64>> = serde_json::from_value(value.clone()).unwrap();
    let shape = (rows.len(), rows.first().map_or(0, Vec::len));
    Array2::from_shape_vec(shape, rows.concat()).unwrap()
}

pub fn vector(value: &Value) -> Vec<f64> {
    serde_json::from_value(value.clone()).unwrap()
}

#[test]
fn agrees_with_scikit_learn_and_himalaya() {
    let document = include_str!("../../../../../fixtures/encoding/ridge.json");
    let document: Value = serde_json::from_str(document).unwrap();
    let cases = document["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 11);
    for case in cases {
        let name = &case["name"];
        let params = RidgeParams {
            alphas: vector(&case["alphas"]),
            folds: match case["folds"].as_u64() {
                Some(n_folds) => Folds::Contiguous(n_folds as usize),
                None => Folds::Given(serde_json::from_value(case["folds"].clone()).unwrap()),
            },
            intercept: case["intercept"] == true,
            nested: case["nested"] == true,
        };
        let (x, y) = (matrix(&case["x"]), matrix(&case["y"]));
        let (narrow_x, narrow_y) = (x.mapv(|v| v as f32), y.mapv(|v| v as f32));
        let predictions = matrix(&case["predictions"]);
        for (outcome, tolerance) in [
            (
                ridge(x.view().into(), y.view().into(), &params).unwrap(),
                1e-9,
            ),
            (
                ridge(narrow_x.view().into(), narrow_y.view().into(), &params).unwrap(),
                1e-5,
            ),
        ] {
            assert_eq!(outcome.alpha, vector(&case["alpha"]), "{name}");
            match &outcome.fold_alphas {
                Some(found) => assert_eq!(*found, matrix(&case["fold_alphas"]), "{name}"),
                None => assert!(!params.nested),
            }
            assert_close(&outcome.predictions, &predictions, tolerance);
            for (key, found) in [("r", &outcome.r), ("r2", &outcome.r2)] {
                for (found, expected) in found.iter().zip(vector(&case[key])) {
                    let off = (found - expected).abs() / expected.abs().max(1.0);
                    assert!(off < tolerance, "{name} {key}: off by {off:e}");
                }
            }
        }
    }
}

#[test]
fn bands_agree_with_himalaya() {
    let document = include_str!("../../../../../fixtures/encoding/banded.json");
    let document: Value = serde_json::from_str(document).unwrap();
    for case in document["cases"].as_array().unwrap() {
        let bands: Vec<Array2<f64>> = case["bands"]
            .as_array()
            .unwrap()
            .iter()
            .map(matrix)
            .collect();
        let y = matrix(&case["y"]);
        let params = BandedParams {
            alphas: vector(&case["alphas"]),
            folds: Folds::Contiguous(4),
            shares: Some(matrix(&case["shares"])),
            ..BandedParams::default()
        };
        let views: Vec<_> = bands.iter().map(|band| band.view().into()).collect();
        let found = banded(&views, y.view().into(), &params).unwrap();
        assert_close(&found.shares, &matrix(&case["best_shares"]), 1e-9);
        assert_eq!(found.alpha, vector(&case["alpha"]));
        assert_close(&found.predictions, &matrix(&case["predictions"]), 1e-9);
        assert_close(
            &found.product_measure,
            &matrix(&case["product_measure"]),
            1e-9,
        );
        for (found, expected) in found.r2.iter().zip(vector(&case["r2"])) {
            assert!((found - expected).abs() < 1e-9);
        }
        let narrow: Vec<_> = bands.iter().map(|band| band.mapv(|v| v as f32)).collect();
        let views: Vec<_> = narrow.iter().map(|band| band.view().into()).collect();
        let narrow_y = y.mapv(|v| v as f32);
        let found = banded(&views, narrow_y.view().into(), &params).unwrap();
        assert_close(&found.predictions, &matrix(&case["predictions"]), 1e-5);
    }
}

#[test]
fn partitions_agree_with_scikit_learn() {
    let document = include_str!("../../../../../fixtures/encoding/partition.json");
    let document: Value = serde_json::from_str(document).unwrap();
    let cases = document["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 2);
    for case in cases {
        let sets: Vec<Array2<f64>> = case["sets"]
            .as_array()
            .unwrap()
            .iter()
            .map(matrix)
            .collect();
        let views: Vec<ArrayView2<'_, f64>> = sets.iter().map(|set| set.view()).collect();
        let found = partition(&views, matrix(&case["y"]).view(), &PartitionBy::Adjusted).unwrap();
        assert_close(&found.r2, &matrix(&case["r2"]), 1e-9);
    }
}
