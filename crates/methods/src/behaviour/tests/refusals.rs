//! What degenerate input is answered with.

use ndarray::{Array1, Array2, Array3, array};

use super::super::{
    BehaviourError, CorrelationParams, ErrorConsistencyParams, NoCorrelation, ProcrustesParams,
    RateCorrection, SelectivityParams, SignalCounts, Similarities, correlation_over_runs,
    correlation_table, d_prime, error_consistency, odd_one_out, odd_one_out_ceiling, procrustes,
    quantile_table, selectivity, triplet_similarity, welch,
};
use super::normals;
use crate::MethodsError;

#[test]
fn an_empty_cell_says_why() {
    let x = array![[1.0, 2.0, 3.0, 4.0], [2.0, 2.0, 2.0, 5.0]];
    let y = array![[1.0, 3.0, 2.0, 4.0], [7.0, 7.0, 7.0, 7.0]];
    let subsets = [vec![0, 1, 2, 3], vec![0, 1, 2], vec![0, 3], vec![]];
    let params = CorrelationParams::default();
    let table = correlation_table(x.view(), y.view(), &subsets, &params).unwrap();
    assert!(table[[0, 0, 0]].is_ok());
    assert_eq!(table[[0, 0, 1]], Err(NoCorrelation::ConstantTarget));
    assert_eq!(table[[1, 1, 0]], Err(NoCorrelation::ConstantPrediction));
    assert_eq!(
        table[[2, 0, 0]],
        Err(NoCorrelation::TooFewItems { found: 2 })
    );
    assert_eq!(
        table[[3, 0, 0]],
        Err(NoCorrelation::TooFewItems { found: 0 })
    );
    assert!(table[[1, 0, 0]].unwrap().interval.is_none());

    let wrong = |subsets: &[Vec<usize>]| {
        correlation_table(x.view(), y.view(), subsets, &params).unwrap_err()
    };
    assert!(
        wrong(&[vec![0, 1, 4]])
            .to_string()
            .contains("that is not there")
    );
    assert!(
        wrong(&[vec![0], vec![1, 2, 1]])
            .to_string()
            .contains("subset 1")
    );
    assert!(matches!(
        correlation_table(x.view(), normals(1, 2, 5).view(), &[], &params),
        Err(MethodsError::ShapeMismatch { .. })
    ));
    let gap = array![[1.0, f64::NAN, 2.0, 3.0]];
    assert!(matches!(
        correlation_table(gap.view(), y.view(), &[], &params),
        Err(MethodsError::NonFinite { column: 1, .. })
    ));
    let none = Array2::zeros((0, 4));
    assert!(correlation_table(none.view(), y.view(), &[], &params).is_err());
    let none = Array3::zeros((0, 1, 4));
    assert!(correlation_over_runs(none.view(), y.view(), &[], &params).is_err());
}

#[test]
fn configurations_need_two_points() {
    let a = normals(1, 5, 2);
    let params = ProcrustesParams::default();
    let refused =
        |a: &Array2<f64>, b: &Array2<f64>| procrustes(a.view(), b.view(), &params).unwrap_err();
    assert!(matches!(
        refused(&a, &normals(1, 4, 2)),
        MethodsError::ShapeMismatch { .. }
    ));
    assert!(matches!(
        refused(&a, &normals(1, 5, 3)),
        MethodsError::ShapeMismatch { .. }
    ));
    let flat = Array2::from_elem((5, 2), 0.1);
    assert!(matches!(
        refused(&a, &flat),
        MethodsError::Behaviour(BehaviourError::OnePoint { .. })
    ));
    let one = normals(1, 1, 2);
    assert!(matches!(refused(&one, &one), MethodsError::TooFew { .. }));
}

#[test]
fn quantiles_need_different_values() {
    let y = array![1.0, 2.0, 3.0];
    let refused = |x: Array1<f64>, n| quantile_table(x.view(), y.view(), n).unwrap_err();
    assert!(matches!(
        refused(array![2.0, 2.0, 2.0], 2),
        MethodsError::Behaviour(BehaviourError::OneValue { .. })
    ));
    assert!(matches!(
        refused(array![1.0, 2.0, 3.0], 4),
        MethodsError::TooFew { .. }
    ));
    assert!(matches!(
        refused(array![1.0, 2.0, 3.0], 0),
        MethodsError::TooFew { .. }
    ));
    assert!(matches!(
        refused(array![1.0, 2.0], 2),
        MethodsError::ShapeMismatch { .. }
    ));
}

#[test]
fn groups_need_variance() {
    let flat = array![0.1, 0.1, 0.1];
    assert!(matches!(
        welch(flat.view(), array![2.0, 2.0].view()),
        Err(MethodsError::Behaviour(BehaviourError::NoVariance))
    ));
    assert!(welch(flat.view(), array![2.0, 2.5].view()).is_ok());
    assert!(matches!(
        welch(array![1.0].view(), flat.view()),
        Err(MethodsError::TooFew { .. })
    ));
}

#[test]
fn rates_of_0_and_1_need_a_correction() {
    let counts = SignalCounts {
        hits: 10,
        misses: 0,
        false_alarms: 3,
        correct_rejections: 7,
    };
    let error = d_prime(counts, RateCorrection::None).unwrap_err();
    assert!(error.to_string().contains("log-linear"), "{error}");
    assert!(d_prime(counts, RateCorrection::LogLinear).is_ok());
    let none = SignalCounts { hits: 0, ..counts };
    assert!(matches!(
        d_prime(none, RateCorrection::LogLinear),
        Err(MethodsError::Behaviour(BehaviourError::NoTrials { .. }))
    ));
}

#[test]
fn selectivity_needs_two_categories() {
    let x = normals(1, 12, 2);
    let labels: Vec<i64> = (0..12).map(|i| i64::from(i >= 9)).collect();
    let error = selectivity(x.view(), &labels, &SelectivityParams::default()).unwrap_err();
    assert!(error.to_string().contains("0 of 2 categories"), "{error}");
    let fewer = SelectivityParams {
        min_items: 0,
        ..SelectivityParams::default()
    };
    assert!(selectivity(x.view(), &labels, &fewer).is_ok());
    assert!(selectivity(x.view(), &labels[1..], &fewer).is_err());
    assert!(selectivity(x.view(), &[1; 12], &fewer).is_err());
    let wrong = SelectivityParams {
        alpha: 0.0,
        ..fewer
    };
    assert!(selectivity(x.view(), &labels, &wrong).is_err());
}

#[test]
fn triplets_are_three_items() {
    let x = normals(1, 4, 2);
    let s = Similarities::Embedding(x.view());
    for bad in [array![[0, 1, 4]], array![[0, 1, 1]]] {
        let error = odd_one_out(s, bad.view(), 1.0).unwrap_err();
        assert!(matches!(
            error,
            MethodsError::Behaviour(BehaviourError::BadTriplet { row: 0, .. })
        ));
    }
    assert!(odd_one_out(s, Array2::zeros((2, 2)).view(), 1.0).is_err());
    assert!(odd_one_out(s, Array2::zeros((0, 3)).view(), 1.0).is_err());
    for temperature in [0.0, f64::NAN] {
        assert!(odd_one_out(s, array![[0, 1, 2]].view(), temperature).is_err());
        assert!(triplet_similarity(s, temperature).is_err());
    }
    let two = normals(1, 2, 2);
    assert!(triplet_similarity(Similarities::Embedding(two.view()), 1.0).is_err());
    assert!(triplet_similarity(Similarities::Rdm(array![1.0, 2.0].view()), 1.0).is_err());
    assert!(matches!(
        odd_one_out_ceiling(array![[0, 1, 2], [0, 1, 3]].view()),
        Err(MethodsError::Behaviour(BehaviourError::NoRepeatedTriplet {
            n_triplets: 2
        }))
    ));
}

#[test]
fn observers_need_errors() {
    let x = array![
        [true, true, true],
        [true, true, true],
        [false, false, false],
        [true, false, true]
    ];
    let found = error_consistency(x.view(), &ErrorConsistencyParams::default()).unwrap();
    let error = found[0].as_ref().unwrap_err();
    assert!(error.to_string().contains("always right"), "{error}");
    // Always right against always wrong: no agreement is possible, nor expected.
    assert_eq!(found[1].as_ref().unwrap().kappa, 0.0);
    assert!(found[2].is_ok());
    assert!(
        error_consistency(
            x.slice(ndarray::s![..1, ..]),
            &ErrorConsistencyParams::default()
        )
        .is_err()
    );
}
