//! What degenerate input is answered with: an error or a note that says what to do, never NaN.

use ndarray::{Array2, Axis, array};

use super::super::{
    Bootstrap, Correction, InferParams, Inference, MantelParams, Similarity, compare, infer,
    mantel, noise_ceiling,
};
use super::simulated;
use crate::{MethodsError, NanPolicy, Result};

fn run(models: &Array2<f64>, data: &Array2<f64>, params: &InferParams) -> Inference {
    infer(models.view(), data.view(), params, &|_, _| {}).unwrap()
}

fn compared(a: &Array2<f64>, b: &Array2<f64>, similarity: Similarity) -> Result<f64> {
    Ok(compare(a.view(), b.view(), similarity, NanPolicy::Refuse)?.scores[[0, 0]])
}

#[test]
fn more_conditions_than_can_be_counted_are_refused() {
    let value = array![[1.0]];
    let many = value
        .broadcast((1, consilience_core::pairs::n_pairs(65_537)))
        .unwrap();
    let message = compare(many, many, Similarity::Cosine, NanPolicy::Refuse)
        .unwrap_err()
        .to_string();
    assert!(
        message.contains("65537 conditions") && message.contains("at most 65536"),
        "{message}"
    );
}

#[test]
fn a_constant_rdm_is_named() {
    let a = array![[1.0, 2.0, 3.0]];
    let b = array![[3.0, 1.0, 2.0], [5.0, 5.0, 5.0]];
    for similarity in [
        Similarity::Pearson,
        Similarity::Spearman,
        Similarity::KendallTauB,
        Similarity::WhitenedPearson,
    ] {
        let message = compared(&a, &b, similarity).unwrap_err().to_string();
        assert!(
            message.contains("RDM 1 (counted from 0) of the second set"),
            "{message}"
        );
        assert!(message.contains("equal"), "{message}");
    }
    assert_eq!(
        compared(
            &a,
            &b.slice_move(ndarray::s![1.., ..]),
            Similarity::KendallTauA
        ),
        Ok(0.0)
    );
    let zero = Array2::zeros((1, 3));
    for similarity in [
        Similarity::Cosine,
        Similarity::WhitenedCosine,
        Similarity::Bures,
    ] {
        let found = compared(&zero, &a, similarity);
        assert!(
            matches!(found, Err(MethodsError::UndefinedRdm { row: 0, .. })),
            "{found:?}"
        );
    }
}

#[test]
fn what_is_not_finite_is_placed() {
    let good = array![[1.0, 2.0, 3.0]];
    let mut bad = array![[1.0, 2.0, 3.0], [1.0, 2.0, f64::NAN]];
    let message = compared(&good, &bad, Similarity::Pearson)
        .unwrap_err()
        .to_string();
    assert!(message.contains("NaN at row 1, column 2"), "{message}");
    bad[[1, 2]] = f64::INFINITY;
    let found = compare(
        good.view(),
        bad.view(),
        Similarity::Pearson,
        NanPolicy::Omit,
    );
    assert!(
        matches!(
            found,
            Err(MethodsError::NonFinite {
                row: 1,
                column: 2,
                ..
            })
        ),
        "{found:?}"
    );
}

#[test]
fn sizes_must_fit() {
    let three = array![[1.0, 2.0, 3.0]];
    let six = array![[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]];
    let four = array![[1.0, 2.0, 3.0, 4.0]];
    let is_mismatch = |e| {
        matches!(
            e,
            MethodsError::PairsMismatch {
                n_first: 3,
                n_second: 6,
                ..
            }
        )
    };
    assert!(is_mismatch(
        compared(&three, &six, Similarity::Cosine).unwrap_err()
    ));
    let found = compared(&four, &four, Similarity::Cosine);
    assert!(matches!(found, Err(MethodsError::Rdm(_))), "{found:?}");
    let none = Array2::zeros((0, 3));
    let found = compared(&three, &none, Similarity::Cosine);
    assert!(
        matches!(found, Err(MethodsError::TooFew { .. })),
        "{found:?}"
    );
}

#[test]
fn omitted_pairs_are_counted_or_refused() {
    let a = array![[1.0, f64::NAN, 3.0, 2.0, 5.0, 4.0]];
    let b = array![[2.0, 1.0, 3.0, f64::NAN, 6.0, 5.0]];
    let found = compare(a.view(), b.view(), Similarity::Pearson, NanPolicy::Omit).unwrap();
    assert_eq!(found.n_omitted, 2);
    let (a4, b4) = (array![1.0, 3.0, 5.0, 4.0], array![2.0, 3.0, 6.0, 5.0]);
    let (a4, b4) = (&a4 - a4.mean().unwrap(), &b4 - b4.mean().unwrap());
    let expected = a4.dot(&b4) / f64::sqrt(a4.dot(&a4) * b4.dot(&b4));
    assert!((found.scores[[0, 0]] - expected).abs() < 1e-15);
    let found = compare(a.view(), b.view(), Similarity::Bures, NanPolicy::Omit);
    assert!(matches!(
        found,
        Err(MethodsError::IncompleteRdms { n_omitted: 2, .. })
    ));
    let all = Array2::from_elem((1, 6), f64::NAN);
    let found = compare(all.view(), b.view(), Similarity::Cosine, NanPolicy::Omit);
    assert_eq!(found, Err(MethodsError::NoCommonPairs { n_pairs: 6 }));
}

#[test]
fn one_subject_has_no_ceiling() {
    let data = simulated(1, 0, 1, 8, 1.0);
    let found = noise_ceiling(data.view(), Similarity::Spearman, NanPolicy::Refuse);
    assert_eq!(found, Err(MethodsError::NoCeiling { n_subjects: 1 }));
    assert!(found.unwrap_err().to_string().contains("at least 2"));
}

#[test]
fn one_subject_falls_back_to_conditions() {
    let (models, data) = (simulated(2, 0, 2, 8, 1.0), simulated(2, 1, 1, 8, 1.0));
    let params = InferParams {
        resamples: 60,
        ..InferParams::default()
    };
    let found = run(&models, &data, &params);
    assert_eq!(found.bootstrap, Bootstrap::Conditions);
    assert_eq!(found.dof, Some(7));
    assert_eq!(found.ceiling, None);
    let estimate = found.models[0].estimate.as_ref().unwrap();
    assert!(estimate.sem.is_some() && estimate.p_ceiling.is_none());
    assert!(
        found
            .notes
            .iter()
            .any(|n| n.contains("only conditions were")),
        "{:?}",
        found.notes
    );
    let same = run(
        &models,
        &data,
        &InferParams {
            bootstrap: Bootstrap::Conditions,
            ..params
        },
    );
    assert_eq!(found.models, same.models);
}

#[test]
fn without_a_variance_the_permutations_give_p() {
    let (models, data) = (simulated(3, 0, 2, 8, 1.0), simulated(3, 1, 1, 8, 1.0));
    for bootstrap in [Bootstrap::None, Bootstrap::Subjects] {
        let params = InferParams {
            bootstrap,
            permutations: 99,
            ..InferParams::default()
        };
        let found = run(&models, &data, &params);
        let estimate = found.models[0].estimate.as_ref().unwrap();
        assert_eq!(estimate.sem, None);
        assert_eq!(estimate.p, estimate.p_permutation);
        assert!(estimate.p.is_some() && estimate.p_corrected.is_some());
        assert_eq!(found.p_difference[0][1], None);
        assert!(
            found
                .notes
                .iter()
                .any(|n| n.contains("one subject has no variance"))
        );
        assert!(found.notes.iter().any(|n| n.contains("without a variance")));
    }
}

#[test]
fn few_conditions_are_not_resampled() {
    let (models, data) = (simulated(4, 0, 2, 5, 1.0), simulated(4, 1, 4, 5, 1.0));
    let found = run(
        &models,
        &data,
        &InferParams {
            permutations: 200,
            ..InferParams::default()
        },
    );
    assert_eq!((found.dof, found.n_resamples), (None, 0));
    assert!(
        found
            .notes
            .iter()
            .any(|n| n.contains("5 conditions are too few"))
    );
    assert!(found.notes.iter().any(|n| n.contains("only 120 orders")));
    let subjects = InferParams {
        bootstrap: Bootstrap::Subjects,
        ..InferParams::default()
    };
    assert!(run(&models, &data, &subjects).dof.is_some());
}

#[test]
fn bures_resamples_subjects_only() {
    let (models, data) = (simulated(5, 0, 2, 8, 1.0), simulated(5, 1, 4, 8, 1.0));
    let params = InferParams {
        similarity: Similarity::Bures,
        resamples: 20,
        ..InferParams::default()
    };
    let found = run(&models, &data, &params);
    assert!(
        found
            .notes
            .iter()
            .any(|n| n.contains("bures needs every pair")),
        "{:?}",
        found.notes
    );
    let params = InferParams {
        bootstrap: Bootstrap::Subjects,
        ..params
    };
    assert!(
        run(&models, &data, &params).models[0]
            .estimate
            .as_ref()
            .unwrap()
            .sem
            .is_some()
    );
}

#[test]
fn too_many_skipped_resamples_leave_no_variance() {
    // A model with one odd pair is constant on most resamples.
    let mut models = Array2::zeros((1, 28));
    models[[0, 0]] = 1.0;
    let data = simulated(6, 0, 4, 8, 1.0);
    let params = InferParams {
        resamples: 100,
        ..InferParams::default()
    };
    let found = run(&models, &data, &params);
    assert_eq!(found.models[0].estimate.as_ref().unwrap().sem, None);
    assert!(
        found.notes.iter().any(|n| n.contains("had to be skipped")),
        "{:?}",
        found.notes
    );
}

#[test]
fn an_undefined_model_or_subject_is_left_out_with_a_note() {
    let mut models = simulated(7, 0, 3, 8, 1.0);
    let mut data = simulated(7, 1, 4, 8, 1.0);
    let params = InferParams {
        resamples: 50,
        permutations: 50,
        ..InferParams::default()
    };
    let clean = run(
        &models.select(Axis(0), &[0, 2]),
        &data.select(Axis(0), &[0, 1, 3]),
        &params,
    );
    models.row_mut(1).fill(2.0);
    data.row_mut(2).fill(7.0);
    let found = run(&models, &data, &params);
    assert!(
        found.notes.iter().any(|n| n.starts_with("model 1 ")),
        "{:?}",
        found.notes
    );
    assert!(
        found.notes.iter().any(|n| n.starts_with("subject 2 ")),
        "{:?}",
        found.notes
    );
    assert_eq!(found.models[1].estimate, None);
    assert_eq!(found.models[0].estimate, clean.models[0].estimate);
    assert_eq!(found.models[2].estimate, clean.models[1].estimate);
    assert_eq!(found.p_difference[0][2], clean.p_difference[0][1]);
    assert_eq!(found.p_difference[0][1], None);
    assert_eq!(found.models[0].per_subject[2], None);
    assert!(found.models[0].per_subject[3].is_some());

    models.fill(1.0);
    let none = run(&models, &data, &params);
    assert!(none.models.iter().all(|m| m.estimate.is_none()));
    data.fill(1.0);
    let found = infer(models.view(), data.view(), &params, &|_, _| {});
    assert!(matches!(found, Err(MethodsError::UndefinedRdm { .. })));
}

#[test]
fn corrections_span_models_and_pairs() {
    let (models, data) = (simulated(8, 0, 4, 10, 0.6), simulated(8, 0, 5, 10, 0.6));
    let params = |correction| InferParams {
        correction,
        resamples: 50,
        ..InferParams::default()
    };
    let [none, fdr, fdr_any, fwe, bonferroni] = [
        Correction::None,
        Correction::Fdr,
        Correction::FdrAny,
        Correction::Fwe,
        Correction::Bonferroni,
    ]
    .map(|correction| run(&models, &data, &params(correction)));
    assert_eq!(none.p_difference, none.p_difference_corrected);
    for m in 0..4 {
        let p = |found: &Inference| {
            let estimate = found.models[m].estimate.as_ref().unwrap();
            (estimate.p.unwrap(), estimate.p_corrected.unwrap())
        };
        assert_eq!(p(&none).0, p(&none).1);
        assert!(p(&none).1 <= p(&fdr).1 && p(&fdr).1 <= p(&fwe).1 && p(&fwe).1 <= 1.0);
        assert!(p(&fdr).1 <= p(&fdr_any).1 && p(&fwe).1 <= p(&bonferroni).1);
        for other in 0..4 {
            let (a, b) = (
                fwe.p_difference_corrected[m][other],
                fwe.p_difference[m][other],
            );
            assert_eq!(a.is_none(), m == other);
            assert!(a >= b);
            assert_eq!(a, fwe.p_difference_corrected[other][m]);
        }
    }
}

#[test]
fn options_are_checked() {
    let rdm = simulated(9, 0, 2, 8, 1.0);
    let params = InferParams {
        resamples: 1,
        ..InferParams::default()
    };
    let found = infer(rdm.view(), rdm.view(), &params, &|_, _| {});
    assert!(matches!(
        found,
        Err(MethodsError::TooFew {
            needed: 2,
            found: 1,
            ..
        })
    ));
    let params = MantelParams {
        permutations: 0,
        ..MantelParams::default()
    };
    assert!(mantel(rdm.row(0), rdm.row(1), &params).is_err());
}
