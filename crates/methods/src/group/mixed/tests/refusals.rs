//! What degenerate input is answered with.

use ndarray::{Array2, array};

use super::super::{MixedError, MixedParams, mixed_model};
use super::{OMIT, run, scores};
use crate::MethodsError;

#[track_caller]
fn refused(table: &Array2<f64>) -> MixedError {
    match mixed_model(table.view(), &[], &OMIT) {
        Err(MethodsError::Mixed(error)) => error,
        other => panic!("{other:?}"),
    }
}

#[test]
fn too_little_is_refused() {
    for (n_models, n_subjects, missing) in
        [(1, 8, "models"), (8, 1, "subjects"), (2, 0, "subjects")]
    {
        let table = Array2::zeros((n_models, n_subjects));
        let error = mixed_model(table.view(), &[], &OMIT).unwrap_err();
        assert!(
            matches!(error, MethodsError::TooFew { what, needed: 2, .. } if what == missing),
            "{error}"
        );
    }
    let error = mixed_model(Array2::zeros((0, 3)).view(), &[], &OMIT).unwrap_err();
    assert!(matches!(error, MethodsError::TooFew { what: "models", .. }));
    let nan = f64::NAN;
    assert_eq!(
        refused(&array![[0.1, 0.2, 0.4], [nan; 3]]),
        MixedError::NoScores { model: 1 }
    );
    // Every subject has one score, or two models have no subject in common.
    let apart = array![
        [0.1, 0.2, 0.4, nan, nan, nan],
        [nan, nan, nan, 0.3, 0.1, 0.5]
    ];
    let error = refused(&apart);
    assert_eq!(
        error,
        MixedError::Inseparable {
            n_scores: 6,
            n_subjects: 6,
            within: 0,
            between: 4
        }
    );
    assert!(
        error
            .to_string()
            .contains("give at least 2 models whose subjects are the same")
    );
}

#[test]
fn nan_is_refused_unless_omitted() {
    let mut table = scores(1, 3, 6, 1.0, 0.1);
    table[[1, 2]] = f64::NAN;
    let message = mixed_model(table.view(), &[], &MixedParams::default())
        .unwrap_err()
        .to_string();
    assert!(message.contains("NaN at row 1, column 2"), "{message}");
    assert_eq!(run(&table).n_missing, 1);
    table.column_mut(4).fill(f64::NAN);
    let found = run(&table);
    assert_eq!((found.n_subjects, found.n_missing), (5, 4));
    assert!(
        found
            .notes
            .iter()
            .any(|note| note.contains("1 of 6 subjects have no score"))
    );
    table[[0, 0]] = f64::INFINITY;
    let error = mixed_model(table.view(), &[], &OMIT).unwrap_err();
    assert!(matches!(
        error,
        MethodsError::NonFinite {
            row: 0,
            column: 0,
            ..
        }
    ));
    let params = MixedParams {
        chance: f64::NAN,
        ..OMIT
    };
    let error = mixed_model(table.view(), &[], &params).unwrap_err();
    assert!(matches!(error, MethodsError::OptionOutOfRange { .. }));
}

#[test]
fn scores_without_variance_are_refused() {
    let constant = array![[0.3; 5], [0.1; 5]];
    assert_eq!(
        refused(&constant),
        MixedError::NoVariance { within_only: false }
    );
    // Subjects differ, but all models by the same.
    let base = array![0.1, 0.7, -0.4, 1.3, 0.2];
    let parallel = ndarray::stack![ndarray::Axis(0), base, &base + 0.3, &base - 1.1];
    assert_eq!(
        refused(&parallel),
        MixedError::NoVariance { within_only: true }
    );
    assert!(refused(&parallel).to_string().contains("8 digits"));
    let found = mixed_model((scores(2, 3, 6, 1.0, 0.1) * 1e140).view(), &[], &OMIT).unwrap();
    assert!(found.residual_variance.is_finite() && found.pairs[0].test.p > 0.0);
}

#[test]
fn covariates_are_checked() {
    let table = scores(3, 3, 6, 1.0, 0.1);
    let of = |x: &Array2<f64>| mixed_model(table.view(), &[x.view()], &OMIT).unwrap_err();
    let error = of(&Array2::zeros((3, 5)));
    assert!(matches!(
        error,
        MethodsError::ShapeMismatch {
            expected: 6,
            found: 5,
            ..
        }
    ));
    let mut gap = scores(4, 3, 6, 1.0, 0.1);
    gap[[2, 1]] = f64::NAN;
    assert!(matches!(
        of(&gap),
        MethodsError::NonFinite {
            row: 2,
            column: 1,
            ..
        }
    ));
    // The same for all subjects: the models' means hold it.
    let of_models = Array2::from_shape_fn((3, 6), |(m, _)| m as f64);
    for x in [of_models, Array2::from_elem((3, 6), 2.5)] {
        assert_eq!(of(&x), MethodsError::Mixed(MixedError::Collinear));
    }
    // The same for all models, as age is: allowed.
    let age = Array2::from_shape_fn((3, 6), |(_, s)| 20.0 + (s * s) as f64);
    let found = mixed_model(table.view(), &[age.view()], &OMIT).unwrap();
    assert_eq!(found.covariates.len(), 1);
    // Its degrees of freedom are those between subjects.
    assert!(found.at_boundary || (found.covariates[0].dof - 4.0).abs() < 1e-6);
}
