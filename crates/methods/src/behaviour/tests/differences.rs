//! Differences of correlations: their laws, the formulas that cocor documents, and refusals.

use ndarray::{Array1, Array2, ArrayView1};
use proptest::prelude::*;
use serde_json::Value;

use super::super::{
    BehaviourError, CorrelationDifference, CorrelationKind, DependentTest, DifferenceParams,
    NoCorrelation, NoDifference, dependent_difference, independent_difference,
    prediction_differences, subset_differences,
};
use super::golden::{assert_close, of};
use super::normals;
use crate::MethodsError;
use crate::rsa::Correction;

fn masked(x: &Array2<f64>, row: usize, mask: ArrayView1<'_, bool>) -> Vec<f64> {
    let values = x.row(row).into_iter().zip(mask);
    values.filter(|(_, kept)| **kept).map(|(v, _)| *v).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn differences_turn_round(index in any::<u64>(), n in 5..40_usize, resamples in prop_oneof![Just(0_usize), Just(20)]) {
        let x = normals(index, 3, n);
        let [a, b, c] = [0, 1, 2].map(|i| x.row(i).to_vec());
        for kind in [CorrelationKind::Pearson, CorrelationKind::Spearman] {
            for test in [DependentTest::Williams, DependentTest::Steiger] {
                let params = DifferenceParams { kind, test, resamples, ..DifferenceParams::default() };
                let Ok(there) = dependent_difference(&a, &b, &c, &params).unwrap() else { continue };
                let back = dependent_difference(&b, &a, &c, &params).unwrap().unwrap();
                prop_assert!((there.difference + back.difference).abs() < 1e-12);
                prop_assert!((there.statistic + back.statistic).abs() < 1e-9);
                prop_assert!((there.p - back.p).abs() < 1e-9);
                prop_assert!((there.interval[0] + back.interval[1]).abs() < 1e-9);
                prop_assert!(there.interval[0] <= there.difference && there.difference <= there.interval[1]);
                // Scale and place of the predictions say nothing.
                let moved: Vec<f64> = a.iter().map(|v| 3.0 + 2.0 * v).collect();
                let moved = dependent_difference(&moved, &b, &c, &params).unwrap().unwrap();
                prop_assert!((moved.statistic - there.statistic).abs() < 1e-8);
            }
        }
    }
}

#[test]
fn tables_hold_each_pair_once_and_correct_all() {
    let (x, y) = (normals(7, 3, 40), normals(8, 2, 40));
    let subsets = Array2::from_shape_fn((2, 40), |(s, i)| s == 0 || i % 2 == 0);
    let params = DifferenceParams {
        correction: Correction::Bonferroni,
        ..DifferenceParams::default()
    };
    let all = prediction_differences(x.view(), y.view(), subsets.view(), &params).unwrap();
    assert_eq!(all.len(), 2 * 2 * 3);
    for cell in &all {
        let found = cell.difference.unwrap();
        assert!((found.p_corrected.unwrap() - (12.0 * found.p).min(1.0)).abs() < 1e-12);
        let mask = subsets.row(cell.subset);
        let [a, b] = [cell.first, cell.second].map(|i| masked(&x, i, mask));
        let alone = dependent_difference(&a, &b, &masked(&y, cell.target, mask), &params);
        assert_eq!(alone.unwrap().unwrap().p, found.p);
    }
    let odd = subsets.row(1).mapv(|even| !even);
    let between =
        subset_differences(x.view(), y.view(), [subsets.row(1), odd.view()], &params).unwrap();
    assert_eq!(between.len(), 3 * 2);
    for cell in &between {
        let of = |mask| {
            [
                masked(&x, cell.prediction, mask),
                masked(&y, cell.target, mask),
            ]
        };
        let (a, b) = (of(subsets.row(1)), of(odd.view()));
        let alone = independent_difference([&a[0], &a[1]], [&b[0], &b[1]], &params);
        assert_eq!(alone.unwrap().unwrap().p, cell.difference.unwrap().p);
    }
}

#[track_caller]
fn assert_test(found: &CorrelationDifference, test: &Value, interval: &Value) {
    let [statistic, p]: [f64; 2] = of(test);
    assert_close(found.statistic, statistic, "statistic");
    assert!((found.p / p - 1.0).abs() < 1e-8, "{} {p}", found.p);
    for (found, expected) in found.interval.iter().zip(of::<[f64; 2]>(interval)) {
        assert_close(*found, expected, "limit");
    }
}

#[test]
fn differences_agree_with_the_formulas_of_cocor() {
    let text = include_str!("../../../../../fixtures/objects/objects.json");
    let document: Value = serde_json::from_str(text).unwrap();
    for case in document["differences"].as_array().unwrap() {
        let [first, second, target] =
            ["first", "second", "target"].map(|key| of::<Vec<f64>>(&case[key]));
        let [x, y]: [Vec<f64>; 2] = of(&case["other"]);
        for kind in [CorrelationKind::Pearson, CorrelationKind::Spearman] {
            let expected = &case[kind.to_string()];
            let r: [f64; 4] = of(&expected["r"]);
            for test in [DependentTest::Williams, DependentTest::Steiger] {
                let params = DifferenceParams {
                    kind,
                    test,
                    ..DifferenceParams::default()
                };
                let found = dependent_difference(&first, &second, &target, &params)
                    .unwrap()
                    .unwrap();
                assert!((found.difference - (r[0] - r[1])).abs() <= 1e-12);
                assert!((found.r_between.unwrap() - r[2]).abs() <= 1e-12);
                assert_test(&found, &expected[test.to_string()], &expected["interval"]);
            }
            let params = DifferenceParams {
                kind,
                ..DifferenceParams::default()
            };
            let found = independent_difference([&first, &target], [&x, &y], &params)
                .unwrap()
                .unwrap();
            assert!((found.r[1] - r[3]).abs() <= 1e-12);
            assert_test(
                &found,
                &expected["independent"],
                &expected["independent_interval"],
            );
        }
    }
}

#[test]
fn a_difference_that_cannot_be_tested_says_why() {
    let x = normals(1, 3, 8);
    let [a, b, y] = [0, 1, 2].map(|i| x.row(i).to_vec());
    let flat = vec![2.0; 8];
    let twice: Vec<f64> = a.iter().map(|v| 2.0 * v).collect();
    let params = DifferenceParams::default();
    let why = |a: &[f64], b: &[f64], y: &[f64]| {
        dependent_difference(a, b, y, &params).unwrap().unwrap_err()
    };
    assert_eq!(
        why(&flat, &b, &y),
        NoDifference::First(NoCorrelation::ConstantPrediction)
    );
    assert_eq!(
        why(&a, &flat, &y),
        NoDifference::Second(NoCorrelation::ConstantPrediction)
    );
    assert_eq!(
        why(&a, &b, &flat),
        NoDifference::First(NoCorrelation::ConstantTarget)
    );
    assert_eq!(
        why(&a[..3], &b[..3], &y[..3]),
        NoDifference::TooFewItems { found: 3 }
    );
    assert_eq!(why(&a, &twice, &y), NoDifference::SamePredictions);
    assert_eq!(why(&a, &b, &a), NoDifference::Perfect);
    assert!(matches!(
        dependent_difference(&a[..7], &b, &y, &params),
        Err(MethodsError::ShapeMismatch { .. })
    ));
    let found = independent_difference([&a, &y], [&b[..3], &y[..3]], &params).unwrap();
    assert_eq!(found.unwrap_err(), NoDifference::TooFewItems { found: 3 });

    let (x, y) = (normals(1, 2, 8), normals(2, 1, 8));
    let half = Array1::from_shape_fn(8, |i| i < 5);
    let error = subset_differences(x.view(), y.view(), [half.view(), half.view()], &params);
    assert!(matches!(
        error,
        Err(MethodsError::Behaviour(BehaviourError::SharedItem {
            item: 0
        }))
    ));
    let one = normals(1, 1, 8);
    let all = Array2::from_elem((1, 8), true);
    assert!(matches!(
        prediction_differences(one.view(), y.view(), all.view(), &params),
        Err(MethodsError::TooFew { needed: 2, .. })
    ));
}
