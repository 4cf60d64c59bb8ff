//! Names and input that are refused, and how.

use ndarray::{Array2, ArrayView2, array};

use crate::rdm::{Dissimilarity, RdmParams, rdm};
use crate::{MethodsError, NanPolicy, PatternId};

#[test]
fn names_round_trip_and_a_wrong_one_is_helped() {
    for dissimilarity in Dissimilarity::all() {
        assert_eq!(dissimilarity.to_string().parse(), Ok(dissimilarity));
    }
    let message = "corelation"
        .parse::<Dissimilarity>()
        .unwrap_err()
        .to_string();
    assert_eq!(
        message,
        "unknown dissimilarity \"corelation\", did you mean \"correlation\"?; expected one of: \
         correlation, spearman, cosine, euclidean, sqeuclidean, mahalanobis, crossnobis, poisson-kl, poisson-kl-cv"
    );
}

fn refused(x: ArrayView2<'_, f64>, params: RdmParams) -> MethodsError {
    rdm(x, &params).unwrap_err()
}

fn with(dissimilarity: Dissimilarity) -> RdmParams {
    RdmParams {
        dissimilarity,
        ..RdmParams::default()
    }
}

#[test]
fn undefined_patterns_are_named() {
    let x = array![[0.1, 0.2, 0.3], [0.1, 0.1, 0.1], [0.0, 0.0, 0.0]];
    let error = refused(x.view(), RdmParams::default());
    assert_eq!(
        error.to_string(),
        "correlation is undefined for row 1 (counted from 0): all its values are the same; leave \
         the pattern out or use euclidean"
    );
    let labelled = RdmParams {
        conditions: Some(vec![7, 4, 2]),
        ..with(Dissimilarity::Spearman)
    };
    assert!(matches!(
        refused(x.view(), labelled),
        MethodsError::UndefinedPattern {
            pattern: PatternId::Condition {
                label: 2,
                first_row: 2
            },
            ..
        }
    ));
    assert!(matches!(
        refused(x.view(), with(Dissimilarity::Cosine)),
        MethodsError::UndefinedPattern {
            pattern: PatternId::Row(2),
            ..
        }
    ));
    assert!(rdm(x.view(), &with(Dissimilarity::Euclidean)).is_ok());
    let rates = array![[1.0, 2.0], [3.0, -0.5]];
    assert!(matches!(
        refused(rates.view(), with(Dissimilarity::PoissonKl)),
        MethodsError::NegativeRate {
            pattern: PatternId::Row(1),
            column: 1,
            ..
        }
    ));
}

#[test]
fn values_that_are_not_numbers_are_refused() {
    let x = array![
        [1.0, 2.0, 4.0],
        [2.0, f64::NAN, 1.0],
        [f64::INFINITY, 0.0, 1.0]
    ];
    let omit = RdmParams {
        nan: NanPolicy::Omit,
        ..RdmParams::default()
    };
    assert!(matches!(
        refused(x.view(), RdmParams::default()),
        MethodsError::NonFinite {
            row: 1,
            column: 1,
            ..
        }
    ));
    assert!(matches!(
        refused(x.view(), omit.clone()),
        MethodsError::NonFinite {
            row: 2,
            column: 0,
            ..
        }
    ));
    let apart = array![[1.0, f64::NAN], [f64::NAN, 2.0]];
    for dissimilarity in [Dissimilarity::Euclidean, Dissimilarity::Mahalanobis] {
        let params = RdmParams {
            dissimilarity,
            ..omit.clone()
        };
        assert!(matches!(
            refused(apart.view(), params),
            MethodsError::UndefinedPair { n_common: 0, .. }
        ));
    }
    let nothing = array![[f64::NAN], [f64::NAN]];
    assert!(matches!(
        refused(nothing.view(), omit),
        MethodsError::TooFew { found: 0, .. }
    ));
}

#[test]
fn options_must_fit_the_measure() {
    let x = array![[1.0, 2.0], [2.0, 1.0], [0.0, 5.0], [3.0, 3.5]];
    let crossnobis = RdmParams {
        conditions: Some(vec![0, 1, 0, 1]),
        runs: Some(vec![0, 0, 1, 1]),
        ..with(Dissimilarity::Crossnobis)
    };
    assert!(rdm(x.view(), &crossnobis).is_ok());
    let change = |edit: fn(&mut RdmParams)| {
        let mut params = crossnobis.clone();
        edit(&mut params);
        refused(x.view(), params)
    };
    assert!(matches!(
        change(|p| p.runs = None),
        MethodsError::MissingOption { option: "runs", .. }
    ));
    assert!(matches!(
        change(|p| p.conditions = None),
        MethodsError::MissingOption {
            option: "conditions",
            ..
        }
    ));
    assert!(matches!(
        change(|p| p.runs = Some(vec![3; 4])),
        MethodsError::TooFew { found: 1, .. }
    ));
    assert!(matches!(
        change(|p| p.runs = Some(vec![0, 0, 1, 2])),
        MethodsError::ConditionMissingInRun {
            condition: 1,
            run: 1
        }
    ));
    assert!(matches!(
        change(|p| p.conditions = Some(vec![0; 3])),
        MethodsError::ShapeMismatch {
            expected: 4,
            found: 3,
            ..
        }
    ));
    assert!(matches!(
        change(|p| p.noise_precision = Some(Array2::eye(3))),
        MethodsError::ShapeMismatch {
            expected: 2,
            found: 3,
            ..
        }
    ));
    assert!(matches!(
        change(|p| p.noise_precision = Some(array![[1.0, 2.0], [0.0, 1.0]])),
        MethodsError::NotSymmetric {
            row: 0,
            column: 1,
            ..
        }
    ));
    assert!(matches!(
        change(|p| p.noise_precision = Some(array![[f64::NAN, 0.0], [0.0, 1.0]])),
        MethodsError::NonFinite {
            what: "the noise precision",
            ..
        }
    ));
    assert!(matches!(
        change(|p| p.per_channel = true),
        MethodsError::UnusedOption { .. }
    ));
    assert!(matches!(
        change(|p| p.dissimilarity = Dissimilarity::Cosine),
        MethodsError::UnusedOption { .. }
    ));
}

#[test]
fn too_little_data_is_refused() {
    for shape in [(0, 3), (1, 3), (3, 0)] {
        let x = Array2::<f64>::zeros(shape);
        let error = refused(x.view(), with(Dissimilarity::Euclidean));
        assert!(matches!(error, MethodsError::TooFew { .. }), "{shape:?}");
    }
}
