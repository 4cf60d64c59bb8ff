//! Inference on models with and without parameters, with a plan that follows from what it is to hold for.

use std::sync::atomic::{AtomicUsize, Ordering};

use consilience_core::Ceiling;
use ndarray::{Array2, ArrayView2, Axis, concatenate};

use super::bootstrap::{Draw, Evaluation};
use super::estimates::Scored;
use super::fit::Components;
use super::folded::{FoldedProblem, folded_evaluations, folds, mean_over_folds, whole_fit};
use super::folds::{Division, FoldCounts, MIN_FOLD_CONDITIONS};
use super::infer::{
    Defined, MIN_CONDITIONS, Size, feasible, infer, note_omitted, note_skipped, spread_of,
};
use super::inputs;
use super::model::Model;
use super::params::{Bootstrap, EvaluateParams};
use super::plan::{CrossValidation, explanation};
use super::result::Inference;
use super::row::Source;
use super::sample::Sample;
use super::similarity::Similarity;
use super::spread::Spread;
use crate::{MethodsError, Result};

/// Random divisions over which the scores of the data themselves are averaged.
const SCORE_DIVISIONS: usize = 20;

/// Scores of models, how they were judged, and why so.
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluated {
    /// Scores, intervals and tests.
    pub inference: Inference,
    /// How the models were cross-validated; `None` where no model has parameters.
    pub cross_validation: Option<CrossValidation>,
    /// For each model, the weights of its components: those of the fit to all data, and their spread.
    pub weights: Vec<Option<FittedWeights>>,
    /// What was chosen, why, and what the result does not say.
    pub explanation: Vec<String>,
}

/// Weights of the components of a model.
#[derive(Debug, Clone, PartialEq)]
pub struct FittedWeights {
    /// Fitted to all subjects and conditions.
    pub all: Vec<f64>,
    /// Standard deviation over the fits to parts of the data; 0 where there was one fit only.
    pub sd: Vec<f64>,
}

/// Compares models, some of which may have parameters, with the RDMs of subjects.
///
/// # Shapes
///
/// Every model has `(n_components, n_pairs)` RDMs, `data` is `(n_subjects, n_pairs)`.
///
/// # Definition
///
/// When all models are fixed, this is [`infer`](super::infer()) with the bootstrap that
/// `params.inference.bootstrap` names. As soon as one has parameters, all are judged by what they were not
/// fitted to: subjects, conditions or both — those that the result is to hold for — are divided at random into
/// folds, models are fitted to all other folds ([`Model`]) and compared with this one, for every fold. The
/// score is the mean over folds and over 20 such divisions of the data. Standard errors come from the bootstrap
/// of [`infer`](super::infer()); there every resample is divided `params.divisions` times, copies of a subject or
/// condition stay in one fold, and the variance that the divisions themselves add is taken off:
/// (R·V(mean of R) − V(single)) / (R − 1) for R divisions. Where that leaves nothing, the variance keeps it.
///
/// The ceiling is cross-validated alike: the subjects of a fold with the pool of the other folds (lower) and
/// with the pool of all (upper), on the conditions of the fold.
///
/// Numbers of folds that are not given follow from n·(1 − 1/e), what a resample holds of n: conditions 2, from
/// 12 on 3, from 24 on 4, from 40 on 5; subjects 2, from 6 on 3, from 12 on 4, from 20 on 5.
///
/// Permutations of condition labels are for fixed models only.
///
/// `progress` is called, from any thread, with the resamples and permutations done and their total.
///
/// # Errors
///
/// As [`infer`](super::infer()); [`MethodsError::TooFew`] subjects or conditions for the folds asked for,
/// or fewer than 1 division.
///
/// # Example
///
/// ```
/// use consilience_methods::rsa::{EvaluateParams, InferParams, Model, ModelKind, evaluate};
/// use ndarray::Array2;
///
/// let parts = Array2::from_shape_fn((2, 66), |(m, k)| ((k * (m + 3)) % 13) as f64);
/// let data = Array2::from_shape_fn((6, 66), |(s, k)| {
///     2.0 * parts[[0, k]] + parts[[1, k]] + ((k * (s + 5)) % 7) as f64
/// });
/// let model = |kind, n| Model { kind, rdms: parts.slice(ndarray::s![..n, ..]) };
/// let models = [model(ModelKind::Fixed, 1), model(ModelKind::Weighted, 2)];
/// let params = EvaluateParams {
///     inference: InferParams { resamples: 50, ..InferParams::default() },
///     ..EvaluateParams::default()
/// };
/// let found = evaluate(&models, data.view(), &params, &|_, _| {}).unwrap();
/// let score = |m: usize| found.inference.models[m].estimate.as_ref().unwrap().value;
/// assert!(score(1) > score(0));
/// assert!(found.weights[1].as_ref().unwrap().all[0] > 0.0);
/// ```
///
/// # References
///
/// Schütt, Kipnis, Diedrichsen & Kriegeskorte 2023, doi:10.7554/eLife.82566; Storrs, Khaligh-Razavi &
/// Kriegeskorte 2020, doi:10.1101/2020.03.23.003046 (ceilings of reweighted models).
///
/// # Peers
///
/// rsatoolbox 0.3.2 `crossval` and `cv_noise_ceiling`, to 1e-9 for the same folds of equal size with `cosine` and
/// `pearson`, and its `eval_dual_bootstrap` in what is resampled and corrected. Known differences: folds weigh
/// by their subjects here and equally there; scores of the data are those of the data and not the mean over
/// resamples; under `spearman` and its kin weights are fitted for `pearson` here and refused there.
pub fn evaluate(
    models: &[Model<'_>],
    data: ArrayView2<'_, f64>,
    params: &EvaluateParams,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Result<Evaluated> {
    params.validate()?;
    for model in models {
        model.validate()?;
    }
    let all_rdms: Vec<ArrayView2<'_, f64>> = models.iter().map(|m| m.rdms.view()).collect();
    let n_pairs = data.ncols();
    if let Some(other) = all_rdms.iter().find(|rdms| rdms.ncols() != n_pairs) {
        return Err(MethodsError::PairsMismatch {
            first: "the RDMs of a model",
            n_first: other.ncols(),
            second: "the subjects' RDMs",
            n_second: n_pairs,
        });
    }
    let rdms = if all_rdms.is_empty() {
        Array2::zeros((0, n_pairs))
    } else {
        concatenate(Axis(0), &all_rdms).expect("RDMs of one length")
    };
    if models.iter().any(|model| model.kind.is_flexible()) {
        return flexible(models, rdms.view(), data, params, progress);
    }
    let inference = infer(rdms.view(), data, &params.inference, progress)?;
    Ok(Evaluated {
        explanation: explanation(&inference, models, data.nrows(), None),
        weights: models.iter().map(|_| None).collect(),
        cross_validation: None,
        inference,
    })
}

fn flexible(
    models: &[Model<'_>],
    rdms: ArrayView2<'_, f64>,
    data: ArrayView2<'_, f64>,
    params: &EvaluateParams,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Result<Evaluated> {
    let similarity = params.inference.similarity;
    let what_data = "the subjects' RDMs";
    let checked = inputs::check(
        ("the model RDMs", rdms),
        (what_data, data),
        similarity,
        params.inference.nan,
    )?;
    let present = checked.present();
    let mut notes = Vec::new();
    note_omitted(checked.n_omitted, present.len(), &mut notes);
    let sample = Sample::whole(checked.n_conditions, &present);
    let subject_set = Defined::new(data, "subject", &sample, similarity, &mut notes);
    subject_set.some(what_data, similarity)?;
    let (indices, components) = components_of(models, &sample, similarity, &mut notes);
    let problem = FoldedProblem {
        models: &components,
        data: &subject_set.source,
        n_conditions: checked.n_conditions,
        present: &present,
        similarity,
    };
    let size = Size::of(problem.data, problem.n_conditions);
    let bootstrap = feasible(params.inference.bootstrap, size, similarity, &mut notes);
    let counts = fold_counts(params, size, similarity, &mut notes)?;
    if params.inference.permutations > 0 {
        notes.push(
            "condition labels were not permuted: models with parameters would have to be fitted anew \
             for each permutation; rely on the bootstrap"
                .to_owned(),
        );
    }

    let draws = if components.is_empty() || matches!(bootstrap, None | Some(Bootstrap::None)) {
        Vec::new()
    } else {
        draws(params, size)
    };
    let n_done = AtomicUsize::new(0);
    let done = |n: usize| {
        progress(n_done.fetch_add(n, Ordering::Relaxed) + n, draws.len());
    };

    let mut scored = Scored {
        n_models: models.len(),
        n_subjects: data.nrows(),
        models: indices,
        subjects: subject_set.indices.clone(),
        by_subject: Array2::zeros((components.len(), size.n_subjects)),
        means: vec![0.0; components.len()],
        ceiling: None,
        spread: None,
        permuted: None,
        bootstrap,
        n_resamples: 0,
        n_omitted: checked.n_omitted,
        notes,
    };
    let mut weights: Vec<Option<FittedWeights>> = models.iter().map(|_| None).collect();
    if !components.is_empty() {
        let found =
            score(&problem, counts, params.inference.seed).ok_or(MethodsError::UndefinedFolds {
                similarity: similarity.name(),
                n_subject_folds: counts.subjects,
                n_condition_folds: counts.conditions,
            })?;
        for ((&model, fitted), kind) in scored
            .models
            .iter()
            .zip(found.weights)
            .zip(components.iter().map(|c| c.kind))
        {
            if kind.is_flexible() {
                weights[model] = Some(fitted);
            }
        }
        scored.means = found
            .by_subject
            .mean_axis(Axis(1))
            .expect("at least one subject is defined")
            .to_vec();
        if size.n_subjects > 1 {
            let [lower, upper] = found.ceiling;
            scored.ceiling = Some(Ceiling { lower, upper });
        }
        scored.by_subject = found.by_subject;
        if bootstrap == Some(Bootstrap::None) {
            scored.spread = Some(Spread::over_subjects(scored.by_subject.view()));
        } else if let Some(bootstrap) = bootstrap {
            let all = folded_evaluations(
                &problem,
                bootstrap,
                &draws,
                counts,
                params.divisions,
                params.inference.seed,
                &done,
            );
            let kept: Vec<Vec<Evaluation>> = all.into_iter().flatten().collect();
            scored.n_resamples = kept.len();
            scored.spread = note_skipped(kept.len(), draws.len(), &mut scored.notes)
                .then(|| spread_of(&kept, params.divisions, bootstrap, size));
        }
    }
    let inference = scored.inference(params.inference.correction);
    let cross_validation = CrossValidation {
        subject_folds: counts.subjects,
        condition_folds: counts.conditions,
        divisions: params.divisions,
    };
    Ok(Evaluated {
        explanation: explanation(&inference, models, data.nrows(), Some(cross_validation)),
        cross_validation: Some(cross_validation),
        weights,
        inference,
    })
}

fn draws(params: &EvaluateParams, size: Size) -> Vec<Draw> {
    (0..params.inference.resamples as u64)
        .map(|i| Draw::new(params.inference.seed, i, size.n_subjects, size.n_conditions))
        .collect()
}

/// The models that have a component with similarities, and their places.
fn components_of<'a>(
    models: &[Model<'a>],
    sample: &Sample,
    similarity: Similarity,
    notes: &mut Vec<String>,
) -> (Vec<usize>, Vec<Components<'a>>) {
    let mut found = (Vec::new(), Vec::new());
    for (m, model) in models.iter().enumerate() {
        let source = Source::new(model.rdms, similarity);
        let rows = source.on(sample, similarity);
        let undefined: Vec<usize> = (0..rows.len()).filter(|&j| rows[j].is_none()).collect();
        if undefined.len() == rows.len() {
            notes.push(format!(
                "model {m} (counted from 0) was left out: {similarity} is undefined because {}",
                similarity.why_undefined()
            ));
            continue;
        }
        for j in undefined {
            notes.push(format!(
                "component {j} of model {m} (counted from 0) has no part in it: {similarity} is \
                 undefined because {}",
                similarity.why_undefined()
            ));
        }
        found.0.push(m);
        found.1.push(Components {
            kind: model.kind,
            source,
        });
    }
    found
}

/// Into how many folds subjects and conditions are divided: those that the result is to hold for.
fn fold_counts(
    params: &EvaluateParams,
    size: Size,
    similarity: Similarity,
    notes: &mut Vec<String>,
) -> Result<FoldCounts> {
    let asked = params.inference.bootstrap;
    let too_few = |what, needed, found| MethodsError::TooFew {
        what,
        needed,
        found,
    };
    let subjects = match params.subject_folds {
        Some(n) if n > size.n_subjects => {
            return Err(too_few(
                "subjects, of folds of one subject",
                n,
                size.n_subjects,
            ));
        }
        Some(n) => n,
        None if asked == Bootstrap::Conditions || size.n_subjects < 2 => 1,
        None => default_folds(size.n_subjects, [6.0, 12.0, 20.0]),
    };
    let needs_all = similarity == Similarity::Bures;
    let conditions = match params.condition_folds {
        Some(n) if n > 1 && needs_all => {
            return Err(MethodsError::IncompleteFolds {
                similarity: similarity.name(),
            });
        }
        Some(n) if n > 1 && n * MIN_FOLD_CONDITIONS > size.n_conditions => {
            return Err(too_few(
                "conditions, of folds of three conditions",
                n * MIN_FOLD_CONDITIONS,
                size.n_conditions,
            ));
        }
        Some(n) => n,
        None if matches!(asked, Bootstrap::None | Bootstrap::Subjects) => 1,
        None if needs_all || size.n_conditions < MIN_CONDITIONS => 1,
        None => default_folds(size.n_conditions, [12.0, 24.0, 40.0]),
    };
    if subjects * conditions == 1 {
        notes.push(
            "models were fitted to the data that judge them, so those with parameters score too high: \
             there are too few subjects and conditions to hold some back, or one fold was asked for"
                .to_owned(),
        );
    }
    Ok(FoldCounts {
        subjects,
        conditions,
    })
}

/// Two folds, and one more at each of the numbers that what a resample holds of n on average reaches.
fn default_folds(n: usize, reached: [f64; 3]) -> usize {
    let distinct = n as f64 * (1.0 - (-1.0_f64).exp());
    2 + reached.iter().filter(|&&more| distinct >= more).count()
}

struct Score {
    by_subject: Array2<f64>,
    ceiling: [f64; 2],
    /// By defined model.
    weights: Vec<FittedWeights>,
}

/// Means over divisions of the data; `None` where every division has a fold without similarities.
fn score(problem: &FoldedProblem<'_>, counts: FoldCounts, seed: u64) -> Option<Score> {
    let everything = Draw {
        subjects: vec![1; problem.data.len()],
        conditions: vec![1; problem.n_conditions],
    };
    // A division into one fold is always the same.
    let n_divisions = if counts.subjects * counts.conditions == 1 {
        1
    } else {
        SCORE_DIVISIONS
    };
    let mut by_subject: Array2<f64> =
        Array2::zeros((problem.models.len(), everything.subjects.len()));
    let (mut ceiling, mut n_found) = ([0.0; 2], 0.0);
    let mut fits: Vec<Vec<Vec<f64>>> = vec![Vec::new(); problem.models.len()];
    for division in 0..n_divisions as u64 {
        // Resamples number their divisions from 0.
        let division = Division::random(&everything, counts, seed, u64::MAX - division)?;
        let Some(found) = folds(problem, &everything, &division) else {
            continue;
        };
        let (scores, bounds) = mean_over_folds(&found, everything.subjects.len());
        by_subject += &scores;
        ceiling.iter_mut().zip(bounds).for_each(|(c, b)| *c += b);
        n_found += 1.0;
        for fold in found {
            for (fits, weights) in fits.iter_mut().zip(fold.weights) {
                fits.push(weights);
            }
        }
    }
    if n_found == 0.0 {
        return None;
    }
    let all = whole_fit(problem, &everything)?;
    Some(Score {
        by_subject: by_subject / n_found,
        ceiling: ceiling.map(|c| c / n_found),
        weights: all
            .into_iter()
            .zip(&fits)
            .map(|(all, fits)| FittedWeights {
                sd: (0..all.len()).map(|j| deviation(fits, j)).collect(),
                all,
            })
            .collect(),
    })
}

fn deviation(fits: &[Vec<f64>], component: usize) -> f64 {
    let n = fits.len() as f64;
    if fits.len() < 2 {
        return 0.0;
    }
    let mean = fits.iter().map(|w| w[component]).sum::<f64>() / n;
    let squares: f64 = fits.iter().map(|w| (w[component] - mean).powi(2)).sum();
    (squares / (n - 1.0)).sqrt()
}
