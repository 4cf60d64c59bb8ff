//! Agreement with scikit-learn and himalaya; `fixtures/generate/encoding.py` wrote the numbers.

use ndarray::Array2;
use serde_json::Value;

use super::problem::assert_close;
use crate::encoding::{Folds, RidgeParams, ridge};

fn matrix(value: &Value) -> Array2<f64> {
    let rows: Vec<Vec<f64>> = serde_json::from_value(value.clone()).unwrap();
    let shape = (rows.len(), rows.first().map_or(0, Vec::len));
    Array2::from_shape_vec(shape, rows.concat()).unwrap()
}

fn vector(value: &Value) -> Vec<f64> {
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
