//! Agreement with peers on `fixtures/behaviour`, written by `fixtures/generate/behaviour.py`.

use ndarray::{Array1, Array2};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::super::{
    CorrelationKind, CorrelationParams, ErrorConsistencyParams, ProcrustesParams, RateCorrection,
    SelectivityParams, SignalCounts, Similarities, correlation_table, d_prime, error_consistency,
    odd_one_out, procrustes, quantile_table, selectivity, triplet_similarity, welch,
};

fn part(name: &str) -> Value {
    let text = include_str!("../../../../../fixtures/behaviour/behaviour.json");
    let document: Value = serde_json::from_str(text).unwrap();
    document[name].clone()
}

fn cases(name: &str) -> Vec<Value> {
    part(name).as_array().unwrap().clone()
}

pub(super) fn of<T: DeserializeOwned>(value: &Value) -> T {
    serde_json::from_value(value.clone()).unwrap()
}

fn matrix<T: DeserializeOwned + Clone>(value: &Value) -> Array2<T> {
    let rows: Vec<Vec<T>> = of(value);
    Array2::from_shape_vec((rows.len(), rows[0].len()), rows.concat()).unwrap()
}

#[track_caller]
pub(super) fn assert_close(found: f64, expected: f64, name: &str) {
    assert!(
        (found - expected).abs() <= 1e-9 * expected.abs().max(1.0),
        "{name}: {found}, expected {expected}"
    );
}

#[test]
fn correlations_agree_with_scipy() {
    let document = part("correlations");
    let (x, y) = (
        matrix(&document["predictions"]),
        matrix(&document["targets"]),
    );
    let subsets: Vec<Vec<usize>> = of(&document["subsets"]);
    let expected = document["cells"].as_array().unwrap();
    assert_eq!(expected.len(), 18);
    for kind in [CorrelationKind::Pearson, CorrelationKind::Spearman] {
        let params = CorrelationParams {
            kind,
            ..CorrelationParams::default()
        };
        let table = correlation_table(x.view(), y.view(), &subsets, &params).unwrap();
        for (found, expected) in table.iter().zip(expected) {
            let found = found.unwrap();
            let expected: Vec<f64> = of(&expected[kind.to_string()]);
            assert_close(found.r, expected[0], "r");
            if let [_, p, low, high] = expected[..] {
                assert!((found.p / p - 1.0).abs() < 1e-8, "{} {p}", found.p);
                let interval = found.interval.unwrap();
                assert_close(interval[0], low, "low");
                assert_close(interval[1], high, "high");
            }
        }
    }
}

#[test]
fn procrustes_agrees_with_scipy() {
    for case in cases("procrustes") {
        let (a, b): (Array2<f64>, Array2<f64>) = (matrix(&case["a"]), matrix(&case["b"]));
        let found = procrustes(a.view(), b.view(), &ProcrustesParams::default()).unwrap();
        assert_close(found.disparity, of(&case["disparity"]), "disparity");
        for (found, key) in [(&found.target, "target"), (&found.fitted, "fitted")] {
            for (found, expected) in found.iter().zip(&matrix::<f64>(&case[key])) {
                assert_close(*found, *expected, key);
            }
        }
    }
}

#[test]
fn quantiles_agree_with_pandas() {
    for case in cases("quantiles") {
        let actual: Array1<f64> = of::<Vec<f64>>(&case["actual"]).into();
        let predicted: Array1<f64> = of::<Vec<f64>>(&case["predicted"]).into();
        let n_bins: usize = of(&case["n_bins"]);
        let found = quantile_table(actual.view(), predicted.view(), n_bins).unwrap();
        let means: Vec<Vec<f64>> = of(&case["means"]);
        assert_eq!(found.counts, of::<Vec<usize>>(&case["counts"]));
        assert_eq!(found.n_merged, n_bins - found.counts.len());
        for (found, expected) in found.actual.iter().zip(&means[0]) {
            assert_close(*found, *expected, "actual");
        }
        for (found, expected) in found.predicted.iter().zip(&means[1]) {
            assert_close(*found, *expected, "predicted");
        }
    }
}

#[test]
fn welch_agrees_with_scipy_statsmodels_and_pingouin() {
    for case in cases("welch") {
        let a: Array1<f64> = of::<Vec<f64>>(&case["a"]).into();
        let b: Array1<f64> = of::<Vec<f64>>(&case["b"]).into();
        let found = welch(a.view(), b.view()).unwrap();
        for (key, value) in [
            ("t", found.t),
            ("p", found.p),
            ("dof", found.dof),
            ("cohens_d", found.cohens_d),
            ("hedges_g", found.hedges_g),
        ] {
            assert_close(value, of(&case[key]), key);
        }
        let interval: [f64; 2] = of(&case["interval"]);
        assert_close(found.interval[0], interval[0], "low");
        assert_close(found.interval[1], interval[1], "high");
    }
}

#[test]
fn sensitivity_agrees_with_its_definition() {
    for case in cases("sensitivity") {
        let [hits, misses, false_alarms, correct_rejections]: [u64; 4] = of(&case["counts"]);
        let counts = SignalCounts {
            hits,
            misses,
            false_alarms,
            correct_rejections,
        };
        let correction = match of(&case["log_linear"]) {
            true => RateCorrection::LogLinear,
            false => RateCorrection::None,
        };
        let found = d_prime(counts, correction).unwrap();
        let expected: [f64; 6] = of(&case["expected"]);
        let found = [
            found.d_prime,
            found.criterion,
            found.hit_rate,
            found.false_alarm_rate,
            found.sem,
            found.p,
        ];
        for (found, expected) in found.into_iter().zip(expected) {
            assert_close(found, expected, "sensitivity");
        }
    }
}

#[test]
fn selectivity_agrees_with_its_definition() {
    let document = part("selectivity");
    let responses: Array2<f64> = matrix(&document["responses"]);
    let labels: Vec<i64> = of(&document["labels"]);
    let params = SelectivityParams {
        min_items: 5,
        ..SelectivityParams::default()
    };
    let found = selectivity(responses.view(), &labels, &params).unwrap();
    assert_eq!(found.categories, of::<Vec<i64>>(&document["categories"]));
    assert_eq!(found.left_out, [5]);
    for e in 0..3 {
        for u in 0..4 {
            let expected = &document["cells"][e][u];
            for (key, value) in [
                ("d_prime", found.d_prime[[e, u]]),
                ("p", found.p[[e, u]]),
                ("tuning", found.tuning[[e, u]]),
            ] {
                assert_close(value.unwrap(), of(&expected[key]), key);
            }
            let is_selective =
                of::<f64>(&expected["d_prime"]) > 0.65 && of::<f64>(&expected["p"]) < 0.05;
            assert_eq!(found.selective[[e, u]], is_selective);
        }
        assert_eq!((found.d_prime[[e, 4]], found.tuning[[e, 4]]), (None, None));
    }
    for (found, expected) in found.index.iter().zip(of::<Vec<f64>>(&document["index"])) {
        assert_close(found.unwrap(), expected, "index");
    }
    assert_eq!((found.index[4], found.preferred[4]), (None, None));
    assert_eq!(found.preferred[0], Some(1));
}

#[test]
fn choices_agree_with_peers() {
    let document = part("choices");
    let embedding: Array2<f64> = matrix(&document["embedding"]);
    let rdm: Array1<f64> = of::<Vec<f64>>(&document["rdm"]).into();
    let triplets: Array2<usize> = matrix(&document["triplets"]);
    for (name, similarities) in [
        ("embedding", Similarities::Embedding(embedding.view())),
        ("rdm", Similarities::Rdm(rdm.view())),
    ] {
        let case = &document["cases"][name];
        let temperature: f64 = of(&case["temperature"]);
        let found = odd_one_out(similarities, triplets.view(), temperature).unwrap();
        assert_close(found.accuracy, of(&case["accuracy"]), "accuracy");
        assert_close(found.p, of(&case["p"]), "p");
        let interval: [f64; 2] = of(&case["interval"]);
        assert_close(found.interval[0], interval[0], "low");
        assert_close(found.interval[1], interval[1], "high");
        let expected: Vec<f64> = of(&case["probabilities"]);
        let log: f64 = expected.iter().map(|p| p.ln()).sum::<f64>() / expected.len() as f64;
        assert_close(found.log_likelihood, log, "log likelihood");
        for (found, expected) in found.probabilities.iter().zip(expected) {
            assert_close(*found, expected, "probability");
        }
        let found = triplet_similarity(similarities, temperature).unwrap();
        let expected: Vec<f64> = of(&case["similarity"]);
        assert_eq!(found.len(), expected.len());
        for (found, expected) in found.iter().zip(expected) {
            assert_close(*found, expected, "similarity");
        }
    }
}

#[test]
fn error_consistency_agrees_with_scikit_learn_and_scipy() {
    let document = part("errors");
    let correct: Array2<bool> = matrix(&document["correct"]);
    let found = error_consistency(correct.view(), &ErrorConsistencyParams::default()).unwrap();
    let expected = document["pairs"].as_array().unwrap();
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.into_iter().zip(expected) {
        let found = found.unwrap();
        assert_close(found.kappa, of(&expected["kappa"]), "kappa");
        assert_close(found.expected, of(&expected["expected"]), "expected");
        assert_close(found.p, of(&expected["p"]), "p");
        let [low, high] = found.bounds;
        assert!(low <= found.kappa + 1e-12 && found.kappa <= high + 1e-12);
    }
}
