//! What is refused, and how that is said.

use ndarray::Array2;

use super::problem::Problem;
use crate::encoding::{EncodingError, Folds, RidgeParams, ridge};
use crate::{MethodsError, Result};

fn refused(change: impl FnOnce(&mut Problem)) -> MethodsError {
    let mut problem = Problem::new(1, 12, 4, 3);
    problem.params.folds = Folds::Contiguous(4);
    change(&mut problem);
    attempt(&problem).unwrap_err()
}

fn attempt(problem: &Problem) -> Result<()> {
    ridge(
        problem.x.view().into(),
        problem.y.view().into(),
        &problem.params,
    )
    .map(|_| ())
}

#[test]
fn penalties_are_numbers_from_zero_on() {
    for value in [-1.0, f64::NAN, f64::INFINITY] {
        let error = refused(|p| p.params.alphas[2] = value);
        assert!(error.to_string().contains("alpha 2"), "{error}");
    }
    let error = refused(|p| p.params.alphas.clear());
    assert!(matches!(error, MethodsError::TooFew { .. }), "{error}");
}

#[test]
fn arrays_that_do_not_belong_together() {
    let error = refused(|p| p.y = Array2::zeros((11, 3)));
    assert!(
        error.to_string().contains("expected 12, found 11"),
        "{error}"
    );
    for empty in [(12, 0), (12, 3)] {
        let error = refused(|p| {
            (p.x, p.y) = (Array2::zeros(empty), Array2::zeros((12, 3 - empty.1)));
            p.params.intercept = false;
        });
        assert!(matches!(error, MethodsError::TooFew { .. }), "{error}");
    }
    let error = refused(|p| p.params.folds = Folds::Contiguous(13));
    assert!(error.to_string().contains("13 folds of 12 rows"), "{error}");
    let error = refused(|p| {
        p.params.folds = Folds::Contiguous(2);
        p.params.nested = true;
    });
    assert!(error.to_string().contains("--nested"), "{error}");
}

#[test]
fn missing_and_infinite_values_are_located() {
    let error = refused(|p| p.x[[3, 2]] = f64::NAN);
    assert!(
        error
            .to_string()
            .contains("features has NaN at row 3, column 2"),
        "{error}"
    );
    let error = refused(|p| p.y[[5, 1]] = f64::NEG_INFINITY);
    assert!(
        error
            .to_string()
            .contains("targets has -inf at row 5, column 1"),
        "{error}"
    );
}

#[test]
fn features_without_variation_or_beyond_range() {
    let error = refused(|p| {
        p.x.fill(4.0);
        p.params.intercept = true;
    });
    assert_eq!(error, EncodingError::ConstantFeatures.into());
    let error = refused(|p| p.x *= 1e200);
    assert!(error.to_string().contains("too large"), "{error}");
}

#[test]
fn least_squares_need_independent_columns() {
    let least_squares = |p: &mut Problem| p.params.alphas = vec![0.0, 1.0];
    for n_features in [4, 8] {
        let mut problem = Problem::new(1, 12, n_features, 3);
        least_squares(&mut problem);
        problem.params.folds = Folds::Contiguous(4);
        attempt(&problem).unwrap();
    }
    let error = refused(|p| {
        least_squares(p);
        let repeated = p.x.column(0).to_owned() * 2.0;
        p.x.column_mut(3).assign(&repeated);
    });
    let message = error.to_string();
    assert!(message.contains("rank 3 in 4 columns"), "{message}");
    let mut wide = Problem::new(1, 12, 20, 3);
    wide.params = RidgeParams {
        alphas: vec![0.0],
        folds: Folds::Contiguous(4),
        ..RidgeParams::default()
    };
    let message = attempt(&wide).unwrap_err().to_string();
    assert!(
        message.contains("rank 8 in 20 columns") && message.contains("leave out 0"),
        "{message}"
    );
}
