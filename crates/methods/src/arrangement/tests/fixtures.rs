//! Against rsatoolbox.

use serde_json::Value;

use super::super::{ArrangementParams, fit};
use super::trials;
use crate::NanPolicy;

#[test]
fn agrees_with_rsatoolbox() {
    let document = include_str!("../../../../../fixtures/arrangement/rsatoolbox.json");
    let document: Value = serde_json::from_str(document).unwrap();
    let cases = document["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 24);
    for case in cases {
        let placed: Vec<(Vec<usize>, Vec<[f64; 2]>)> = case["trials"]
            .as_array()
            .unwrap()
            .iter()
            .map(|trial| {
                (
                    serde_json::from_value(trial["items"].clone()).unwrap(),
                    serde_json::from_value(trial["positions"].clone()).unwrap(),
                )
            })
            .collect();
        let n_items = case["n_items"].as_u64().unwrap() as usize;
        let params = ArrangementParams {
            weighting: case["weighting"].as_str().unwrap().parse().unwrap(),
            tolerance: case["tolerance"].as_f64().unwrap(),
            unseen: NanPolicy::Omit,
            ..ArrangementParams::default()
        };
        let found = fit(&trials(n_items, &placed), &params).unwrap();
        assert!(found.converged);
        let name = format!(
            "{} {} {}",
            case["name"], case["weighting"], params.tolerance
        );
        let expected: Vec<Option<f64>> = serde_json::from_value(case["rdm"].clone()).unwrap();
        for (found, expected) in found.vector.iter().zip(&expected) {
            match expected {
                Some(expected) => assert!((found - expected).abs() < 1e-9, "{name}"),
                None => assert!(found.is_nan(), "{name}"),
            }
        }
        let expected: Vec<f64> = serde_json::from_value(case["evidence"].clone()).unwrap();
        for (found, expected) in found.evidence.iter().zip(&expected) {
            assert!((found - expected).abs() <= 1e-9 * expected, "{name}");
        }
        assert_eq!(
            found.n_unseen,
            expected.iter().filter(|&&e| e == 0.0).count()
        );
    }
}
