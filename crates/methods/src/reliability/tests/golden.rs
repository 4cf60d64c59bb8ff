//! Agreement with pingouin and NumPy on `fixtures/reliability`, written by `fixtures/generate/reliability.py`.

use ndarray::{Array2, Array3};
use serde_json::Value;

use super::super::{ReliabilityParams, SnrParams, noise_ceiling_snr, rater_reliability};
use super::{COEFFICIENTS, SCALES, bare};
use crate::reliability::Coefficient;

fn document() -> Value {
    let text = include_str!("../../../../../fixtures/reliability/reliability.json");
    serde_json::from_str(text).unwrap()
}

#[track_caller]
fn assert_close(found: f64, expected: &Value, name: &str) {
    let expected = expected.as_f64().unwrap();
    assert!(
        (found - expected).abs() <= 1e-9 * expected.abs().max(1.0),
        "{name}: {found}, expected {expected}"
    );
}

#[test]
fn coefficients_agree_with_their_definitions_and_pingouin() {
    let document = document();
    let cases = document["raters"].as_array().unwrap();
    assert_eq!(cases.len(), 4);
    for case in cases {
        let rows: Vec<Vec<f64>> = serde_json::from_value(case["ratings"].clone()).unwrap();
        let ratings = Array2::from_shape_vec((rows.len(), rows[0].len()), rows.concat()).unwrap();
        for scale in SCALES {
            let expected = &case["expected"][scale.to_string()];
            for coefficient in COEFFICIENTS {
                let name = format!("{} {scale} {coefficient}", case["name"]);
                let params = ReliabilityParams {
                    scale,
                    ..bare(coefficient)
                };
                let found = rater_reliability(ratings.view(), &params).unwrap();
                assert_close(found.value, &expected[coefficient.name()], &name);
                if coefficient == Coefficient::LeaveOneOut {
                    assert_close(found.ceiling.unwrap(), &expected["with all"], &name);
                }
            }
        }
    }
}

#[test]
fn signal_and_noise_agree_with_their_definition() {
    let document = document();
    let cases = document["snr"].as_array().unwrap();
    assert_eq!(cases.len(), 2);
    for case in cases {
        let nested: Vec<Vec<Vec<f64>>> = serde_json::from_value(case["responses"].clone()).unwrap();
        let shape = (nested.len(), nested[0].len(), nested[0][0].len());
        let flat: Vec<f64> = nested.into_iter().flatten().flatten().collect();
        let responses = Array3::from_shape_vec(shape, flat).unwrap();
        for (key, z_scores) in [("z_scores", true), ("raw", false)] {
            let params = SnrParams {
                z_scores,
                averaged: case["averaged"].as_u64().map(|m| m as usize),
                resamples: 0,
                permutations: 0,
                ..SnrParams::default()
            };
            let found = noise_ceiling_snr(responses.view(), &params).unwrap();
            let expected = case[key].as_array().unwrap();
            for (found, expected) in found.iter().zip(expected) {
                let found = found.as_ref().unwrap();
                assert_close(found.signal_variance, &expected["signal"], "signal");
                assert_close(found.noise_variance, &expected["noise"], "noise");
                assert_close(found.ncsnr, &expected["ncsnr"], "ncsnr");
                assert_close(
                    found.explainable_variance,
                    &expected["explainable"],
                    "explainable",
                );
            }
        }
    }
}
