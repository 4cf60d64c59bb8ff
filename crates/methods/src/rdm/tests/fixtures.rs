//! Agreement with SciPy and rsatoolbox; `fixtures/generate/rdm.py` wrote the numbers.

use ndarray::Array2;
use serde_json::Value;

use crate::rdm::{Dissimilarity, IncompleteRuns, RdmParams, rdm};

fn matrix(value: &Value) -> Array2<f64> {
    let rows: Vec<Vec<f64>> = serde_json::from_value(value.clone()).unwrap();
    let shape = (rows.len(), rows[0].len());
    Array2::from_shape_vec(shape, rows.concat()).unwrap()
}

fn labels(value: &Value) -> Option<Vec<i64>> {
    serde_json::from_value(value.clone()).unwrap()
}

/// Largest difference relative to the expected value, but at least to `floor`.
fn worst(found: &[f64], expected: &[f64], floor: f64) -> f64 {
    assert_eq!(found.len(), expected.len());
    found
        .iter()
        .zip(expected)
        .map(|(f, e)| (f - e).abs() / e.abs().max(floor))
        .fold(0.0, f64::max)
}

fn check(document: &str, n_cases: usize) {
    let document: Value = serde_json::from_str(document).unwrap();
    let cases = document["cases"].as_array().unwrap();
    assert_eq!(cases.len(), n_cases);
    for case in cases {
        let name = format!(
            "{} {} {}",
            case["name"], case["dissimilarity"], case["dtype"]
        );
        let params = RdmParams {
            dissimilarity: case["dissimilarity"]
                .as_str()
                .unwrap()
                .parse::<Dissimilarity>()
                .unwrap(),
            per_channel: case["per_channel"] == true,
            conditions: labels(&case["conditions"]),
            runs: labels(&case["runs"]),
            noise_precision: case.get("noise").map(matrix),
            run_noise_precisions: case
                .get("run_noise")
                .map(|list| list.as_array().unwrap().iter().map(matrix).collect()),
            incomplete_runs: case
                .get("incomplete_runs")
                .map_or(IncompleteRuns::Refuse, |name| {
                    name.as_str().unwrap().parse().unwrap()
                }),
            ..RdmParams::default()
        };
        let patterns = matrix(&case["patterns"]);
        let expected: Vec<f64> = serde_json::from_value(case["expected"].clone()).unwrap();
        let (outcome, tolerance) = if case["dtype"] == "float32" {
            let narrow = patterns.mapv(|v| v as f32);
            (rdm(narrow.view(), &params).unwrap(), 1e-5)
        } else {
            (rdm(patterns.view(), &params).unwrap(), 1e-9)
        };
        // A cross-validated distance may be as near to zero as it likes.
        let scale = expected.iter().map(|v| v.abs()).sum::<f64>() / expected.len() as f64;
        let floor = if params.runs.is_some() {
            0.01 * scale
        } else {
            0.0
        };
        let off = worst(&outcome.vector, &expected, floor);
        assert!(off < tolerance, "{name}: off by {off:e}");
    }
}

#[test]
fn agrees_with_scipy() {
    check(include_str!("../../../../../fixtures/rdm/scipy.json"), 30);
}

#[test]
fn agrees_with_rsatoolbox() {
    check(
        include_str!("../../../../../fixtures/rdm/rsatoolbox.json"),
        10,
    );
}

#[test]
fn crossnobis_agrees_with_rsatoolbox() {
    check(
        include_str!("../../../../../fixtures/rdm/crossnobis.json"),
        6,
    );
}

#[test]
fn crossvalidated_measures_agree_with_rsatoolbox() {
    check(
        include_str!("../../../../../fixtures/rdm/crossvalidated.json"),
        4,
    );
}
