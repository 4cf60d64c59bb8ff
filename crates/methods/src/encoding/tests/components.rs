//! Regression on components against its definition, its laws and scikit-learn.

use ndarray::{Array1, Array2, Axis};
use proptest::prelude::*;

use super::fixtures::{matrix, vector};
use super::problem::{Problem, assert_close};
use crate::encoding::{
    ComponentsKind, ComponentsParams, EncodingError, Folds, RidgeParams, components, ridge,
};
use crate::{MethodsError, Result};

const KINDS: [ComponentsKind; 2] = [
    ComponentsKind::Principal,
    ComponentsKind::PartialLeastSquares,
];

fn params(kind: ComponentsKind, counts: &[usize], folds: Folds) -> ComponentsParams {
    ComponentsParams {
        kind,
        counts: counts.to_vec(),
        folds,
    }
}

/// The definition of partial least squares of one target in plain loops, for one fold.
fn naive_least_squares(
    x: &Array2<f64>,
    y: &Array1<f64>,
    train: &[usize],
    test: &[usize],
    n_components: usize,
) -> Array1<f64> {
    let (train_x, train_y) = (x.select(Axis(0), train), y.select(Axis(0), train));
    let (mean_x, mean_y) = (train_x.mean_axis(Axis(0)).unwrap(), train_y.mean().unwrap());
    let (mut e, mut f) = (&train_x - &mean_x, &x.select(Axis(0), test) - &mean_x);
    let centred = &train_y - mean_y;
    let mut out = Array1::from_elem(test.len(), mean_y);
    for _ in 0..n_components {
        let mut w = e.t().dot(&centred);
        w /= w.dot(&w).sqrt();
        let t = e.dot(&w);
        let loading = e.t().dot(&t) / t.dot(&t);
        let of_test = f.dot(&w);
        out = out + &of_test * (t.dot(&centred) / t.dot(&t));
        for (mut row, t) in e.rows_mut().into_iter().zip(&t) {
            row.scaled_add(-t, &loading);
        }
        for (mut row, t) in f.rows_mut().into_iter().zip(&of_test) {
            row.scaled_add(-t, &loading);
        }
    }
    out
}

#[test]
fn one_target_agrees_with_plain_loops() {
    let problem = Problem::new(4, 24, 9, 1);
    let folds = Folds::Contiguous(4).rows(24, false).unwrap();
    let y = problem.y.column(0).to_owned();
    for k in 1..=5 {
        let params = params(
            ComponentsKind::PartialLeastSquares,
            &[k],
            Folds::Contiguous(4),
        );
        let found = components(problem.x.view(), problem.y.view(), &params).unwrap();
        for test in &folds {
            let train: Vec<usize> = (0..24).filter(|row| !test.contains(row)).collect();
            let expected = naive_least_squares(&problem.x, &y, &train, test, k);
            for (&row, expected) in test.iter().zip(&expected) {
                assert!(
                    (found.predictions[[row, 0]] - expected).abs() < 1e-9,
                    "{k} {row}"
                );
            }
        }
    }
}

#[test]
fn agrees_with_scikit_learn() {
    let document = include_str!("../../../../../fixtures/encoding/components.json");
    let document: serde_json::Value = serde_json::from_str(document).unwrap();
    let cases = document["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 6);
    for case in cases {
        let kind = case["kind"].as_str().unwrap().parse().unwrap();
        let counts: Vec<usize> = serde_json::from_value(case["counts"].clone()).unwrap();
        let params = params(kind, &counts, Folds::Contiguous(4));
        let (x, y) = (matrix(&case["x"]), matrix(&case["y"]));
        let found = components(x.view(), y.view(), &params).unwrap();
        let best: Vec<usize> = serde_json::from_value(case["count"].clone()).unwrap();
        assert_eq!(found.count, best, "{}", case["name"]);
        assert_close(&found.predictions, &matrix(&case["predictions"]), 1e-9);
        for (found, expected) in found.r2.iter().zip(vector(&case["r2"])) {
            assert!((found - expected).abs() < 1e-9 * expected.abs().max(1.0));
        }
    }
}

#[test]
fn what_cannot_be_fitted_is_refused() {
    let problem = Problem::new(1, 20, 4, 2);
    let refused = |counts: &[usize], x: &Array2<f64>, y: &Array2<f64>| -> MethodsError {
        let params = params(ComponentsKind::Principal, counts, Folds::Contiguous(4));
        components(x.view(), y.view(), &params).unwrap_err()
    };
    let (x, y) = (&problem.x, &problem.y);
    let error = refused(&[5], x, y);
    assert!(
        matches!(
            error,
            MethodsError::Encoding(EncodingError::TooManyComponents {
                found: 5,
                rank: 4,
                ..
            })
        ),
        "{error}"
    );
    assert!(matches!(refused(&[], x, y), MethodsError::TooFew { .. }));
    assert!(matches!(
        refused(&[0, 1], x, y),
        MethodsError::TooFew { .. }
    ));
    assert_eq!(
        refused(&[1], &Array2::ones((20, 3)), y),
        EncodingError::ConstantFeatures.into()
    );
    let short = y.slice(ndarray::s![..19, ..]).to_owned();
    assert!(matches!(
        refused(&[1], x, &short),
        MethodsError::ShapeMismatch { .. }
    ));
    let mut holed = y.clone();
    holed[[3, 1]] = f64::NAN;
    assert!(matches!(
        refused(&[1], x, &holed),
        MethodsError::NonFinite { .. }
    ));
}

#[test]
fn targets_that_nothing_covaries_with_are_their_mean() -> Result<()> {
    let problem = Problem::new(2, 20, 4, 1);
    let y = Array2::from_elem((20, 2), 3.0);
    for kind in KINDS {
        let params = params(kind, &[1, 3], Folds::Contiguous(4));
        let found = components(problem.x.view(), y.view(), &params)?;
        assert!(found.predictions.iter().all(|v| *v == 3.0));
        assert_eq!((found.constant, found.r2), (vec![0, 1], vec![0.0, 0.0]));
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// All components together are ordinary least squares.
    #[test]
    fn all_components_are_least_squares(seed in 0_u64..1000, one in any::<bool>()) {
        let problem = Problem::new(seed, 30, 5, if one { 1 } else { 7 });
        let folds = problem.params.folds.clone();
        let expected = ridge(
            problem.x.view().into(),
            problem.y.view().into(),
            &RidgeParams { alphas: vec![0.0], folds: folds.clone(), ..RidgeParams::default() },
        ).unwrap();
        for kind in KINDS {
            let params = params(kind, &[5], folds.clone());
            let found = components(problem.x.view(), problem.y.view(), &params).unwrap();
            assert_close(&found.predictions, &expected.predictions, 1e-7);
        }
    }

    /// Turning the features changes nothing; nor does another order of the counts.
    #[test]
    fn rotations_change_nothing(seed in 0_u64..1000, angle in 0.1_f64..3.0) {
        let problem = Problem::new(seed, 26, 6, 3);
        let mut turned = problem.x.clone();
        let (sin, cos) = angle.sin_cos();
        for mut row in turned.rows_mut() {
            let (a, b) = (row[0], row[4]);
            row[0] = cos * a - sin * b;
            row[4] = sin * a + cos * b;
        }
        for kind in KINDS {
            let folds = problem.params.folds.clone();
            let ascending = params(kind, &[1, 2, 4], folds.clone());
            let found = components(problem.x.view(), problem.y.view(), &ascending).unwrap();
            let other = params(kind, &[4, 1, 2], folds);
            let again = components(problem.x.view(), problem.y.view(), &other).unwrap();
            prop_assert_eq!(&found, &again);
            let turned = components(turned.view(), problem.y.view(), &ascending).unwrap();
            assert_close(&turned.predictions, &found.predictions, 1e-7);
        }
    }
}
