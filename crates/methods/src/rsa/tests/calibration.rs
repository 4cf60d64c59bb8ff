//! Error rates and coverage on simulated data.
#![expect(
    clippy::print_stderr,
    reason = "the measured rates are what these tests are run for"
)]

use ndarray::Array2;

use super::super::{
    Bootstrap, EvaluateParams, InferParams, Model, ModelKind, Similarity, compare, evaluate, infer,
};
use super::simulated;
use crate::NanPolicy;
use crate::simulation::{chance, rate};
use consilience_core::{Estimate, pairs};
use consilience_stats::random::{Domain, Stream};

const N_STUDIES: u64 = 400;

/// An RDM of random patterns that share nothing with any other.
fn unrelated(index: u64, n_conditions: usize) -> Array2<f64> {
    simulated(77, index, 1, n_conditions, 1.0)
}

fn estimate(models: &Array2<f64>, data: &Array2<f64>, params: &InferParams) -> Estimate {
    let found = infer(models.view(), data.view(), params, &|_, _| {}).unwrap();
    found.models[0].estimate.clone().unwrap()
}

#[test]
#[ignore = "slow: calibration, run by the checks"]
fn permutation_p_is_exact_under_the_null() {
    for similarity in [Similarity::Spearman, Similarity::WhitenedCosine] {
        let params = InferParams {
            similarity,
            bootstrap: Bootstrap::None,
            permutations: 199,
            ..InferParams::default()
        };
        let found = rate(N_STUDIES, |i| {
            let data = simulated(78, i, 4, 12, 1.0);
            estimate(&unrelated(i, 12), &data, &params)
                .p_permutation
                .unwrap()
                <= 0.05
        });
        eprintln!("false positives of the permutation test, {similarity}: {found:.3}");
        assert!(
            (found - 0.05).abs() < chance(N_STUDIES),
            "{similarity}: {found}"
        );
    }
}

/// The dual bootstrap may be conservative; it must not exceed the level by more than chance.
#[test]
#[ignore = "slow: calibration, run by the checks"]
fn the_dual_bootstrap_keeps_its_level_under_the_null() {
    for (n_subjects, n_conditions) in [(6, 20), (12, 12)] {
        let params = InferParams {
            resamples: 200,
            ..InferParams::default()
        };
        let found = rate(N_STUDIES, |i| {
            let data = simulated(79, i, n_subjects, n_conditions, 1.0);
            let params = InferParams {
                seed: i,
                ..params.clone()
            };
            estimate(&unrelated(i, n_conditions), &data, &params)
                .p
                .unwrap()
                <= 0.05
        });
        eprintln!(
            "false positives of the dual bootstrap, {n_subjects} subjects, {n_conditions} \
             conditions: {found:.3}"
        );
        assert!(found < 0.06 + chance(N_STUDIES), "{found}");
    }
}

/// Subjects whose RDMs are a fixed RDM plus independent noise: the expected score is the mean over
/// very many subjects, and the interval over subjects must cover it 95 times in 100.
#[test]
#[ignore = "slow: calibration, run by the checks"]
fn the_interval_over_subjects_covers_the_expected_score() {
    let n_conditions = 12;
    let model = unrelated(0, n_conditions);
    let subjects = |index: u64, n: usize| -> Array2<f64> {
        let mut stream = Stream::new(80, Domain::Simulation, index);
        Array2::from_shape_fn((n, pairs::n_pairs(n_conditions)), |(_, k)| {
            model[[0, k]] + 10.0 * stream.normal()
        })
    };
    let fixed = InferParams {
        similarity: Similarity::Pearson,
        bootstrap: Bootstrap::None,
        ..InferParams::default()
    };
    let many = subjects(u64::MAX, 20_000);
    let scores = compare(
        model.view(),
        many.view(),
        Similarity::Pearson,
        NanPolicy::Refuse,
    );
    let truth = scores.unwrap().scores.mean().unwrap();
    for bootstrap in [Bootstrap::None, Bootstrap::Subjects] {
        let params = InferParams {
            bootstrap,
            resamples: 300,
            ..fixed.clone()
        };
        let found = rate(N_STUDIES, |i| {
            let [low, high] = estimate(&model, &subjects(i, 10), &params)
                .interval
                .unwrap();
            low <= truth && truth <= high
        });
        eprintln!("coverage of the 95 % interval, bootstrap {bootstrap}: {found:.3}");
        assert!(
            (found - 0.95).abs() < 0.005 + chance(N_STUDIES),
            "{bootstrap}: {found}"
        );
    }
}

/// Dimensions of a stimulus.
const N_DIMS: usize = 8;

/// A way to see stimuli: a matrix that is the identity plus noise.
fn view(seed: u64, index: u64, noise: f64) -> Array2<f64> {
    let mut stream = Stream::new(seed, Domain::Simulation, index);
    Array2::from_shape_fn((N_DIMS, N_DIMS), |(i, j)| {
        f64::from(u8::from(i == j)) + noise * stream.normal()
    })
}

/// Conditions drawn from all possible ones, `(n, N_DIMS)`.
fn conditions(seed: u64, index: u64, n: usize) -> Array2<f64> {
    let mut stream = Stream::new(seed, Domain::Simulation, index);
    Array2::from_shape_fn((n, N_DIMS), |_| stream.normal())
}

/// RDMs of the same conditions in several views, `(n_views, n_pairs)`.
fn seen(views: &[Array2<f64>], conditions: &Array2<f64>) -> Array2<f64> {
    let n = conditions.nrows();
    let mut rdms = Array2::zeros((views.len(), pairs::n_pairs(n)));
    for (view, mut rdm) in views.iter().zip(rdms.rows_mut()) {
        let patterns = conditions.dot(view);
        let all = (0..n).flat_map(|a| (a + 1..n).map(move |b| (a, b)));
        for ((a, b), distance) in all.zip(&mut rdm) {
            let difference = &patterns.row(a) - &patterns.row(b);
            *distance = difference.dot(&difference);
        }
    }
    rdms
}

fn mean_score(model: &Array2<f64>, subjects: &[Array2<f64>], conditions: &Array2<f64>) -> f64 {
    let model = seen(std::slice::from_ref(model), conditions);
    let data = seen(subjects, conditions);
    let found = compare(
        model.view(),
        data.view(),
        Similarity::Pearson,
        NanPolicy::Refuse,
    );
    found.unwrap().scores.mean().unwrap()
}

/// Conditions are drawn anew for each study. With the subjects fixed, the interval over conditions
/// must cover the score on very many conditions; with subjects drawn anew as well, the interval over
/// both must cover the score on very many of both.
#[test]
#[ignore = "slow: calibration, run by the checks"]
fn the_intervals_over_conditions_cover_the_score_on_all_conditions() {
    let (n_subjects, n_conditions, noise) = (8, 20, 0.4);
    let model = view(81, 0, noise);
    let subjects = |study: u64, n: u64| -> Vec<Array2<f64>> {
        (0..n).map(|s| view(82, study * 1000 + s, noise)).collect()
    };
    let fixed = subjects(0, n_subjects);
    let everything = conditions(83, u64::MAX, 600);
    for bootstrap in [Bootstrap::Conditions, Bootstrap::Both] {
        let subjects_of = |study: u64| match bootstrap {
            Bootstrap::Both => subjects(study + 1, n_subjects),
            _ => fixed.clone(),
        };
        let truth = match bootstrap {
            Bootstrap::Both => mean_score(&model, &subjects(u64::from(u32::MAX), 400), &everything),
            _ => mean_score(&model, &fixed, &everything),
        };
        let params = InferParams {
            similarity: Similarity::Pearson,
            bootstrap,
            resamples: 300,
            ..InferParams::default()
        };
        let found = rate(N_STUDIES, |study| {
            let conditions = conditions(83, study, n_conditions);
            let models = seen(std::slice::from_ref(&model), &conditions);
            let data = seen(&subjects_of(study), &conditions);
            let [low, high] = estimate(&models, &data, &params).interval.unwrap();
            low <= truth && truth <= high
        });
        eprintln!("coverage of the 95 % interval, bootstrap {bootstrap}: {found:.3}");
        assert!(
            (found - 0.95).abs() < 0.015 + chance(N_STUDIES),
            "{bootstrap}: {found}"
        );
    }
}

/// Models with parameters that predict nothing: what they fit to must not make them score.
#[test]
#[ignore = "slow: calibration, run by the checks"]
fn cross_validation_keeps_the_level_of_models_with_parameters() {
    const N_FITTED: u64 = 100;
    let (n_subjects, n_conditions) = (10, 20);
    for (bootstrap, signal, most) in [
        // With the conditions given, what subjects share has a true similarity with any model.
        (Bootstrap::Subjects, 0.0, 0.055),
        (Bootstrap::Conditions, 1.0, 0.075),
        (Bootstrap::Both, 1.0, 0.055),
    ] {
        for kind in [ModelKind::Weighted, ModelKind::Selected] {
            let found = rate(N_FITTED, |i| {
                let parts = simulated(91, i, 5, n_conditions, 0.0);
                let data = simulated(92, i, n_subjects, n_conditions, signal);
                let models = [Model {
                    kind,
                    rdms: parts.view(),
                }];
                let params = EvaluateParams {
                    inference: InferParams {
                        similarity: Similarity::Pearson,
                        bootstrap,
                        resamples: 100,
                        seed: i,
                        ..InferParams::default()
                    },
                    ..EvaluateParams::default()
                };
                let found = evaluate(&models, data.view(), &params, &|_, _| {}).unwrap();
                let estimate = found.inference.models[0].estimate.clone().unwrap();
                estimate.p.unwrap() <= 0.05
            });
            eprintln!("false positives of a {kind} model, bootstrap {bootstrap}: {found:.3}");
            assert!(
                found < most + chance(N_FITTED),
                "{kind} {bootstrap}: {found}"
            );
        }
    }
}
