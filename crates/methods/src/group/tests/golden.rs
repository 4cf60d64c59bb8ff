//! Agreement with peers on `fixtures/group`, written by `fixtures/generate/group.py`.

use ndarray::{Array2, ArrayView2};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::super::{Alternative, GroupParams, GroupTest, group_tests, ln_bayes_factor};

const SIDES: [Alternative; 3] = [
    Alternative::Greater,
    Alternative::Less,
    Alternative::TwoSided,
];

fn part(name: &str) -> Value {
    let text = include_str!("../../../../../fixtures/group/group.json");
    let document: Value = serde_json::from_str(text).unwrap();
    document[name].clone()
}

fn of<T: DeserializeOwned>(value: &Value) -> T {
    serde_json::from_value(value.clone()).unwrap()
}

#[track_caller]
fn assert_close(found: f64, expected: f64, tolerance: f64, name: &str) {
    assert!(
        (found - expected).abs() <= tolerance * expected.abs(),
        "{name}: {found}, expected {expected}"
    );
}

fn alone(scores: &[f64], params: &GroupParams) -> GroupTest {
    let scores = ArrayView2::from_shape((1, scores.len()), scores).unwrap();
    group_tests(scores, params).unwrap().models.remove(0)
}

#[test]
fn one_sample_agrees_with_scipy_and_pingouin() {
    let cases: Vec<Value> = of(&part("samples"));
    assert_eq!(cases.len(), 8);
    for case in cases {
        let scores: Vec<f64> = of(&case["scores"]);
        for (i, alternative) in SIDES.into_iter().enumerate() {
            let params = GroupParams {
                chance: of(&case["chance"]),
                alternative,
                flips: 4096,
                ..GroupParams::default()
            };
            let found = alone(&scores, &params);
            let student = found.student.unwrap();
            let at = |name: &str| -> f64 { of(&case[name][i]) };
            assert_close(student.t, of(&case["t"]), 1e-10, "t");
            assert_close(student.p, at("p"), 1e-9, "p");
            assert_close(student.cohens_d, of(&case["cohens_d"]), 1e-10, "d");
            let [low, high] = student.interval;
            assert_close(low, of(&case["interval"][0]), 1e-10, "low");
            assert_close(high, of(&case["interval"][1]), 1e-10, "high");
            let ranks = found.signed_rank.unwrap();
            assert_close(ranks.w_plus, of(&case["w_plus"]), 1e-12, "W");
            assert_close(ranks.p, at("wilcoxon"), 1e-10, "Wilcoxon");
            assert_close(ranks.rank_biserial, of(&case["rank_biserial"]), 1e-10, "r");
            assert_eq!(ranks.exact, ranks.n_used <= 100);
            if !case["flips"].is_null() {
                assert_close(found.sign_flip.unwrap().p, at("flips"), 1e-12, "flips");
            }
        }
    }
}

#[test]
fn bayes_factors_agree_with_pingouin_and_the_definition() {
    let cases: Vec<Value> = of(&part("bayes"));
    assert!(cases.len() > 80);
    for case in cases {
        let factor = |alternative| {
            ln_bayes_factor(
                of(&case["t"]),
                of(&case["n"]),
                of(&case["scale"]),
                alternative,
            )
            .exp()
        };
        for (i, alternative) in SIDES.into_iter().enumerate() {
            let expected = of(&case["expected"][i]);
            assert_close(
                factor(alternative),
                expected,
                1e-7,
                &format!("{alternative} {case}"),
            );
        }
        let peer = of(&case["pingouin"]);
        assert_close(factor(Alternative::TwoSided), peer, 1e-8, "pingouin");
    }
}

#[test]
fn family_wise_p_agrees_with_enumeration() {
    let family = part("family");
    let rows: Vec<Vec<f64>> = of(&family["scores"]);
    let scores = Array2::from_shape_vec((rows.len(), rows[0].len()), rows.concat()).unwrap();
    for alternative in [Alternative::Greater, Alternative::TwoSided] {
        let params = GroupParams {
            alternative,
            ..GroupParams::default()
        };
        let found = group_tests(scores.view(), &params).unwrap();
        assert!(found.all_flips && found.n_flips == 256);
        let expected: Vec<f64> = of(&family["p_fwe"][alternative.to_string()]);
        for (model, expected) in found.models.iter().zip(expected) {
            assert_close(model.sign_flip.unwrap().p_fwe, expected, 1e-12, "p");
        }
    }
}
