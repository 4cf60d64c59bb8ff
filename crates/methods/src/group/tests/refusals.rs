//! What degenerate input is answered with.

use ndarray::{Array2, array};

use super::super::{Alternative, GroupParams, group_tests};
use super::normals;
use crate::{MethodsError, NanPolicy};

fn notes(scores: &Array2<f64>) -> Vec<String> {
    let params = GroupParams {
        nan: NanPolicy::Omit,
        ..GroupParams::default()
    };
    group_tests(scores.view(), &params).unwrap().notes
}

#[track_caller]
fn assert_noted(notes: &[String], part: &str) {
    assert!(
        notes.iter().any(|note| note.contains(part)),
        "{part:?} in {notes:#?}"
    );
}

#[test]
fn nan_is_refused_or_omitted_and_infinity_refused() {
    let scores = array![[0.1, 0.2, 0.3], [0.2, f64::NAN, 0.4]];
    let message = group_tests(scores.view(), &GroupParams::default())
        .unwrap_err()
        .to_string();
    assert!(message.contains("NaN at row 1, column 1"), "{message}");
    assert_noted(
        &notes(&scores),
        "model 1 (counted from 0): 1 of 3 subjects were left out",
    );
    assert_noted(
        &notes(&scores),
        "models 0 and 1 (counted from 0): 1 of 3 subjects",
    );
    let params = GroupParams {
        nan: NanPolicy::Omit,
        ..GroupParams::default()
    };
    let infinite = array![[0.1, f64::INFINITY, 0.3]];
    let error = group_tests(infinite.view(), &params).unwrap_err();
    assert!(matches!(error, MethodsError::NonFinite { column: 1, .. }));
    let huge = array![[0.1, 1e200, 0.3]];
    let message = group_tests(huge.view(), &params).unwrap_err().to_string();
    assert!(message.contains("a size of at most 1e150"), "{message}");
}

#[test]
fn no_models_and_bad_options_are_refused() {
    let error = group_tests(Array2::zeros((0, 4)).view(), &GroupParams::default()).unwrap_err();
    assert!(matches!(error, MethodsError::TooFew { what: "models", .. }));
    let scores = normals(0, 2, 5);
    for params in [
        GroupParams {
            chance: f64::NAN,
            ..GroupParams::default()
        },
        GroupParams {
            prior_scale: 0.0,
            ..GroupParams::default()
        },
        GroupParams {
            prior_scale: f64::INFINITY,
            ..GroupParams::default()
        },
    ] {
        let error = group_tests(scores.view(), &params).unwrap_err();
        assert!(matches!(error, MethodsError::OptionOutOfRange { .. }));
    }
}

#[test]
fn too_few_subjects_are_noted() {
    for n in [0, 1] {
        let found = group_tests(normals(0, 2, n).view(), &GroupParams::default()).unwrap();
        for test in found.models.iter().chain([&found.pairs[0].test]) {
            assert_eq!(
                (test.student, test.signed_rank, test.sign_flip),
                (None, None, None)
            );
            assert_eq!(test.mean.is_some(), n == 1);
        }
        assert_noted(&found.notes, &format!("because {n} subjects are too few"));
    }
    let two = group_tests(normals(0, 1, 2).view(), &GroupParams::default()).unwrap();
    let student = two.models[0].student.unwrap();
    assert!(student.hedges_g.is_none() && student.d_interval.iter().all(|d| d.is_finite()));
    assert_noted(&two.notes, "there is no Hedges' g");
    assert_noted(&two.notes, "only 4 sign flips");
}

#[test]
fn constant_scores_are_noted() {
    let scores = array![[0.2; 8], [0.0; 8]];
    let found = group_tests(scores.view(), &GroupParams::default()).unwrap();
    // Constant, but above chance: order and signs still say something.
    let above = &found.models[0];
    assert_eq!(above.student, None);
    assert_eq!(above.signed_rank.unwrap().p, 1.0 / 256.0);
    assert_eq!(above.sign_flip.unwrap().p, 1.0 / 256.0);
    let at_chance = &found.models[1];
    assert_eq!((at_chance.signed_rank, at_chance.sign_flip), (None, None));
    assert_eq!(at_chance.mean, Some(0.0));
    assert_noted(&found.notes, "model 0 (counted from 0): there is no t-test");
    assert_noted(&found.notes, "all scores are at chance");
    // A model and its copy.
    let row = normals(1, 1, 9);
    let copies = ndarray::concatenate![ndarray::Axis(0), row, row];
    assert_noted(&notes(&copies), "all differences are at 0");
    let tiny = normals(1, 1, 9) * 1e-200;
    let found = group_tests(tiny.view(), &GroupParams::default()).unwrap();
    assert!(found.models[0].student.is_none() && found.models[0].sign_flip.is_some());
}

#[test]
fn overwhelming_evidence_is_noted() {
    let scores = normals(2, 1, 400).mapv(|v| 1.0 + 0.01 * v);
    let found = group_tests(scores.view(), &GroupParams::default()).unwrap();
    let student = found.models[0].student.unwrap();
    assert_eq!(student.bayes_factor, None);
    assert!(student.ln_bayes_factor > 710.0 && student.ln_bayes_factor.is_finite());
    assert_noted(&found.notes, "the Bayes factor exceeds");
    assert_noted(&found.notes, "normal approximation");
}

#[test]
fn no_flips_no_test() {
    let params = GroupParams {
        flips: 0,
        alternative: Alternative::Less,
        ..GroupParams::default()
    };
    let found = group_tests(normals(0, 2, 9).view(), &params).unwrap();
    assert!(
        found
            .models
            .iter()
            .all(|m| m.sign_flip.is_none() && m.student.is_some())
    );
    assert_eq!((found.n_flips, found.all_flips), (0, false));
}
