//! Models with parameters: against a peer, against searches by hand, and what degenerate input is answered with.

use ndarray::{Array2, ArrayView2, s};
use serde::Deserialize;

use super::super::bootstrap::{Draw, Evaluation};
use super::super::fit::Components;
use super::super::folded::{Fold, FoldedProblem, folds, whole_fit};
use super::super::folds::{Division, FoldCounts};
use super::super::row::Source;
use super::super::spread::Spread;
use super::super::{
    Bootstrap, EvaluateParams, Evaluated, InferParams, Model, ModelKind, Similarity, compare,
    evaluate, infer,
};
use super::golden::{BySimilarity, assert_close, fixture, matrix};
use super::simulated;
use crate::{MethodsError, NanPolicy};
use consilience_core::Estimate;
use consilience_stats::random::{Domain, Stream};

#[derive(Deserialize)]
struct Case {
    data: Vec<Vec<f64>>,
    parts: Vec<Vec<f64>>,
    test_subjects: Vec<Vec<usize>>,
    test_conditions: Vec<Vec<usize>>,
    similarities: BySimilarity<Judged>,
}

#[derive(Deserialize)]
struct Judged {
    models: BySimilarity<FromPeer>,
    lower: f64,
}

#[derive(Deserialize)]
struct FromPeer {
    folds: Vec<f64>,
    weights: Vec<f64>,
}

fn everything(n_subjects: usize, n_conditions: usize) -> Draw {
    Draw {
        subjects: vec![1; n_subjects],
        conditions: vec![1; n_conditions],
    }
}

/// Mean over the subjects of a fold, of the only model.
fn mean_score(fold: &Fold) -> f64 {
    fold.scores.mean().unwrap()
}

#[test]
fn fits_and_folds_agree_with_the_peer() {
    let case: Case = fixture("evaluate");
    let (data, parts) = (matrix(&case.data), matrix(&case.parts));
    // By subject fold and in it by condition fold there; the other way round here.
    let counts = FoldCounts {
        subjects: 2,
        conditions: 3,
    };
    let n_conditions = 15;
    let mut division = Division {
        counts,
        subjects: vec![0; data.nrows()],
        conditions: vec![0; n_conditions],
    };
    for (fold, (subjects, conditions)) in case
        .test_subjects
        .iter()
        .zip(&case.test_conditions)
        .enumerate()
    {
        subjects
            .iter()
            .for_each(|&s| division.subjects[s] = fold / 3);
        conditions
            .iter()
            .for_each(|&c| division.conditions[c] = fold % 3);
    }
    let draw = everything(data.nrows(), n_conditions);
    let present = vec![true; data.ncols()];
    assert_eq!(case.similarities.len(), 5);
    for (name, expected) in &case.similarities {
        let similarity: Similarity = name.parse().unwrap();
        for (kind, expected_of_kind) in &expected.models {
            let what = format!("{name} {kind}");
            let kind: ModelKind = kind.parse().unwrap();
            let rdms = if kind == ModelKind::Fixed {
                parts.slice(s![..1, ..])
            } else {
                parts.view()
            };
            let problem = FoldedProblem {
                models: &[Components {
                    kind,
                    source: Source::new(rdms, similarity),
                }],
                data: &Source::new(data.view(), similarity),
                n_conditions,
                present: &present,
                similarity,
            };
            let found = folds(&problem, &draw, &division).unwrap();
            // The peer searches for the interpolation numerically.
            let tolerance = if kind == ModelKind::Interpolated {
                1e-5
            } else {
                1e-9
            };
            for (place, &score) in expected_of_kind.folds.iter().enumerate() {
                let fold = &found[place % 3 * 2 + place / 3];
                let difference = (mean_score(fold) - score).abs();
                assert!(difference < tolerance, "{what}: {difference}");
            }
            let lower = found.iter().map(|f| f.ceiling[0]).sum::<f64>() / 6.0;
            assert_close(&what, lower, expected.lower);
            let weights = whole_fit(&problem, &draw).unwrap();
            for (found, expected) in weights[0].iter().zip(&expected_of_kind.weights) {
                if kind.is_flexible() {
                    assert!(
                        (found - expected).abs() < tolerance.max(1e-8),
                        "{what}: {found} {expected}"
                    );
                }
            }
        }
    }
}

fn model(kind: ModelKind, rdms: ArrayView2<'_, f64>) -> Model<'_> {
    Model { kind, rdms }
}

fn params(similarity: Similarity, bootstrap: Bootstrap, resamples: usize) -> EvaluateParams {
    EvaluateParams {
        inference: InferParams {
            similarity,
            bootstrap,
            resamples,
            ..InferParams::default()
        },
        ..EvaluateParams::default()
    }
}

fn run(models: &[Model<'_>], data: &Array2<f64>, params: &EvaluateParams) -> Evaluated {
    evaluate(models, data.view(), params, &|_, _| {}).unwrap()
}

fn estimate(found: &Evaluated, model: usize) -> &Estimate {
    found.inference.models[model].estimate.as_ref().unwrap()
}

/// No weights on a grid beat those that are fitted.
#[test]
fn fitted_weights_have_the_largest_mean_similarity() {
    let parts = simulated(5, 0, 2, 10, 0.5);
    let data = &simulated(6, 1, 4, 10, 0.3) + &(&parts.row(0) * 0.7);
    let present = vec![true; parts.ncols()];
    for similarity in [
        Similarity::Pearson,
        Similarity::Cosine,
        Similarity::WhitenedPearson,
        Similarity::WhitenedCosine,
    ] {
        let mean = |weights: [f64; 2]| -> f64 {
            let sum = &parts.row(0) * weights[0] + &parts.row(1) * weights[1];
            let sum = sum.insert_axis(ndarray::Axis(0));
            let found = compare(sum.view(), data.view(), similarity, NanPolicy::Refuse);
            found.unwrap().scores.mean().unwrap()
        };
        for (kind, range) in [
            (ModelKind::Weighted, 0..=90),
            (ModelKind::WeightedAnySign, 0..=359),
            (ModelKind::Interpolated, 0..=90),
        ] {
            let problem = FoldedProblem {
                models: &[Components {
                    kind,
                    source: Source::new(parts.view(), similarity),
                }],
                data: &Source::new(data.view(), similarity),
                n_conditions: 10,
                present: &present,
                similarity,
            };
            let weights = whole_fit(&problem, &everything(4, 10)).unwrap();
            let fitted = mean([weights[0][0], weights[0][1]]);
            let best = range
                .map(|degrees| {
                    let (sin, cos) = f64::from(degrees).to_radians().sin_cos();
                    mean([cos, sin])
                })
                .fold(f64::NEG_INFINITY, f64::max);
            assert!(
                fitted >= best - 1e-12,
                "{similarity} {kind}: {fitted} < {best}"
            );
            assert!(
                fitted < best + 1e-3,
                "{similarity} {kind}: {fitted} > {best}"
            );
        }
    }
}

#[test]
fn fixed_models_are_inferred_on() {
    let (rdms, data) = (simulated(1, 0, 3, 9, 1.0), simulated(2, 0, 5, 9, 1.0));
    let models: Vec<Model<'_>> = (0..3)
        .map(|m| model(ModelKind::Fixed, rdms.slice(s![m..=m, ..])))
        .collect();
    let params = params(Similarity::Spearman, Bootstrap::Both, 40);
    let found = run(&models, &data, &params);
    let expected = infer(rdms.view(), data.view(), &params.inference, &|_, _| {}).unwrap();
    assert_eq!(found.inference, expected);
    assert_eq!(found.cross_validation, None);
    assert_eq!(found.weights, [None, None, None]);
}

/// One component leaves nothing to fit.
#[test]
fn a_model_of_one_component_scores_as_a_fixed_one() {
    let (rdms, data) = (simulated(1, 0, 2, 14, 1.0), simulated(2, 0, 6, 14, 1.0));
    let one = rdms.slice(s![..1, ..]);
    for similarity in [
        Similarity::Spearman,
        Similarity::KendallTauA,
        Similarity::WhitenedCosine,
    ] {
        let models = [
            model(ModelKind::Fixed, one),
            model(ModelKind::Weighted, one),
            model(ModelKind::Selected, one),
        ];
        let found = run(&models, &data, &params(similarity, Bootstrap::Both, 20));
        for m in 1..3 {
            let (a, b) = (estimate(&found, 0), estimate(&found, m));
            assert!((a.value - b.value).abs() < 1e-12, "{similarity} {m}");
            assert!(
                (a.sem.unwrap() - b.sem.unwrap()).abs() < 1e-12,
                "{similarity} {m}"
            );
        }
        let plan = found.cross_validation.unwrap();
        assert_eq!((plan.subject_folds, plan.condition_folds), (2, 2));
    }
}

#[test]
fn planted_weights_are_found() {
    let parts = simulated(1, 0, 3, 20, 0.0);
    let noise = simulated(9, 0, 8, 20, 0.0);
    let planted = &parts.row(0) * 3.0 + &parts.row(2) * 1.0;
    let data = &noise * 0.5 + &planted;
    let models = [
        model(ModelKind::Fixed, parts.slice(s![..1, ..])),
        model(ModelKind::Weighted, parts.view()),
        model(ModelKind::Selected, parts.view()),
        model(ModelKind::Interpolated, parts.view()),
    ];
    for bootstrap in [
        Bootstrap::None,
        Bootstrap::Subjects,
        Bootstrap::Conditions,
        Bootstrap::Both,
    ] {
        let found = run(&models, &data, &params(Similarity::Pearson, bootstrap, 60));
        let weights = found.weights[1].as_ref().unwrap();
        assert!(
            (weights.all[0] / weights.all[2] - 3.0).abs() < 0.6,
            "{weights:?}"
        );
        assert!(
            weights.all[1] < 0.15 && weights.sd.iter().all(|sd| *sd < 0.1),
            "{weights:?}"
        );
        assert_eq!(found.weights[2].as_ref().unwrap().all, [1.0, 0.0, 0.0]);
        assert!(estimate(&found, 1).value > estimate(&found, 0).value);
        assert_eq!(estimate(&found, 0).value, estimate(&found, 2).value);
        assert!(estimate(&found, 1).p.unwrap() < 0.001, "{bootstrap}");
        let ceiling = found.inference.ceiling.unwrap();
        assert!(ceiling.lower <= ceiling.upper && estimate(&found, 1).value < ceiling.upper + 0.02);
        assert!(
            found
                .explanation
                .iter()
                .any(|line| line.contains("3 of 4 models"))
        );
        let plan = found.cross_validation.unwrap();
        assert_eq!(plan.subject_folds > 1, bootstrap != Bootstrap::Conditions);
        assert_eq!(
            plan.condition_folds > 1,
            matches!(bootstrap, Bootstrap::Conditions | Bootstrap::Both)
        );
    }
}

#[test]
fn threads_change_nothing() {
    let (parts, data) = (simulated(1, 0, 3, 12, 1.0), simulated(2, 0, 6, 12, 1.0));
    let models = [
        model(ModelKind::WeightedAnySign, parts.view()),
        model(ModelKind::Interpolated, parts.view()),
    ];
    let params = params(Similarity::RhoA, Bootstrap::Both, 30);
    let on = |n: usize| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(n)
            .build()
            .unwrap();
        pool.install(|| run(&models, &data, &params))
    };
    assert_eq!(on(1), on(3));
}

#[test]
fn missing_pairs_are_left_out() {
    let (mut parts, mut data) = (simulated(1, 0, 2, 12, 1.0), simulated(2, 0, 6, 12, 1.0));
    parts[[0, 7]] = f64::NAN;
    data[[3, 20]] = f64::NAN;
    let models = [model(ModelKind::Weighted, parts.view())];
    let mut params = params(Similarity::Pearson, Bootstrap::Subjects, 20);
    assert!(evaluate(&models, data.view(), &params, &|_, _| {}).is_err());
    params.inference.nan = NanPolicy::Omit;
    let found = run(&models, &data, &params);
    assert_eq!(found.inference.n_omitted, 2);
    assert!(estimate(&found, 0).value.is_finite());
}

/// The variance of divisions is taken off: with R divisions of which each adds independent noise, what is
/// left is the variance of the draws.
#[test]
fn the_variance_of_divisions_is_taken_off() {
    let (n_draws, n_divisions) = (4000, 3);
    let mut stream = Stream::new(5, Domain::Simulation, 0);
    let evaluations: Vec<Vec<Evaluation>> = (0..n_draws)
        .map(|_| {
            let of_draw = stream.normal();
            (0..n_divisions)
                .map(|_| vec![of_draw + 2.0 * stream.normal(), 0.0, 0.0])
                .collect()
        })
        .collect();
    let n_levels = 1_000_000;
    let corrected = Spread::over_one_factor(&evaluations, n_divisions, n_levels).of_score(0);
    // Standard error of this estimate: about 0.07.
    assert!((corrected - 1.0).abs() < 0.25, "{corrected}");
    let single: Vec<Vec<Evaluation>> = evaluations.iter().map(|e| vec![e[0].clone()]).collect();
    let plain = Spread::over_one_factor(&single, 1, n_levels).of_score(0);
    assert!((plain - 5.0).abs() < 0.5, "{plain}");
    // Divisions without draws behind them leave nothing, or less: then their variance stays.
    let noise: Vec<Vec<Evaluation>> = (0..5)
        .map(|_| (0..2).map(|_| vec![stream.normal(), 0.0, 0.0]).collect())
        .collect();
    assert!(Spread::over_one_factor(&noise, 2, 5).of_score(0) > 0.0);
}

#[test]
fn what_cannot_be_held_back_is_said() {
    let (parts, data) = (simulated(1, 0, 2, 5, 1.0), simulated(2, 0, 1, 5, 1.0));
    let models = [model(ModelKind::Weighted, parts.view())];
    let found = run(
        &models,
        &data,
        &params(Similarity::Pearson, Bootstrap::Both, 20),
    );
    let notes = found.inference.notes.join("\n");
    assert!(notes.contains("score too high"), "{notes}");
    assert_eq!(found.inference.ceiling, None);
    assert_eq!(estimate(&found, 0).sem, None);

    let data = simulated(2, 0, 5, 12, 1.0);
    let parts = simulated(1, 0, 2, 12, 1.0);
    let models = [model(ModelKind::Weighted, parts.view())];
    let mut with_labels = params(Similarity::Bures, Bootstrap::Both, 20);
    with_labels.inference.permutations = 10;
    let found = run(&models, &data, &with_labels);
    let notes = found.inference.notes.join("\n");
    assert!(
        notes.contains("labels were not permuted") && notes.contains("bures"),
        "{notes}"
    );
    let plan = found.cross_validation.unwrap();
    assert_eq!((plan.subject_folds, plan.condition_folds), (2, 1));
}

#[test]
fn a_component_without_similarities_has_no_part() {
    let mut parts = simulated(1, 0, 2, 12, 1.0);
    parts.row_mut(0).fill(1.0);
    let data = simulated(2, 0, 6, 12, 1.0);
    let models = [
        model(ModelKind::Weighted, parts.view()),
        model(ModelKind::Selected, parts.slice(s![..1, ..])),
    ];
    let found = run(
        &models,
        &data,
        &params(Similarity::Pearson, Bootstrap::Subjects, 20),
    );
    assert_eq!(found.weights[0].as_ref().unwrap().all, [0.0, 1.0]);
    assert_eq!(found.inference.models[1].estimate, None);
    let notes = found.inference.notes.join("\n");
    assert!(
        notes.contains("component 0 of model 0") && notes.contains("model 1"),
        "{notes}"
    );
}

#[test]
fn folds_that_cannot_be_are_refused() {
    let (parts, data) = (simulated(1, 0, 2, 12, 1.0), simulated(2, 0, 4, 12, 1.0));
    let models = [model(ModelKind::Weighted, parts.view())];
    let base = params(Similarity::Pearson, Bootstrap::Both, 20);
    let refused =
        |params: &EvaluateParams| evaluate(&models, data.view(), params, &|_, _| {}).unwrap_err();
    let found = refused(&EvaluateParams {
        subject_folds: Some(5),
        ..base.clone()
    });
    assert!(
        matches!(
            found,
            MethodsError::TooFew {
                needed: 5,
                found: 4,
                ..
            }
        ),
        "{found}"
    );
    let found = refused(&EvaluateParams {
        condition_folds: Some(5),
        ..base.clone()
    });
    assert!(
        matches!(
            found,
            MethodsError::TooFew {
                needed: 15,
                found: 12,
                ..
            }
        ),
        "{found}"
    );
    let found = refused(&EvaluateParams {
        divisions: 0,
        ..base.clone()
    });
    assert!(found.to_string().contains("divisions"), "{found}");
    let mut bures = EvaluateParams {
        condition_folds: Some(2),
        ..base.clone()
    };
    bures.inference.similarity = Similarity::Bures;
    assert!(matches!(
        refused(&bures),
        MethodsError::IncompleteFolds { .. }
    ));
    let short = simulated(1, 0, 2, 11, 1.0);
    let models = [model(ModelKind::Weighted, short.view())];
    let found = evaluate(&models, data.view(), &base, &|_, _| {}).unwrap_err();
    assert!(
        matches!(found, MethodsError::PairsMismatch { .. }),
        "{found}"
    );
    let models = [model(ModelKind::Fixed, parts.view())];
    let found = evaluate(&models, data.view(), &base, &|_, _| {}).unwrap_err();
    assert!(found.to_string().contains("fixed model"), "{found}");
}
