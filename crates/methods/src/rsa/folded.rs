//! Scores of models on what they were not fitted to.

use ndarray::Array2;
use rayon::prelude::*;

use super::bootstrap::{Draw, Evaluation};
use super::ceiling::Pool;
use super::compare::scores;
use super::fit::{Components, Prepared, Training, criterion};
use super::folds::{Division, FoldCounts, MIN_FOLD_CONDITIONS, learnt_from, tested};
use super::params::Bootstrap;
use super::row::{Row, Source};
use super::sample::Sample;
use super::similarity::Similarity;
use super::whitening::Whitener;

/// Models with parameters and the subjects over the same conditions.
pub(super) struct FoldedProblem<'a> {
    pub models: &'a [Components<'a>],
    pub data: &'a Source<'a>,
    pub n_conditions: usize,
    /// Pairs that no RDM lacks.
    pub present: &'a [bool],
    pub similarity: Similarity,
}

/// One fold: models fitted to the rest and judged by it.
pub(super) struct Fold {
    /// The subjects judged by, and how often each was drawn.
    pub subjects: Vec<usize>,
    pub copies: Vec<u32>,
    /// `(n_models, n_subjects)`, of these subjects.
    pub scores: Array2<f64>,
    /// Mean over these subjects, copies counted; `None` for a pool without similarity.
    pub ceiling: [f64; 2],
    /// Weights of the components of each model.
    pub weights: Vec<Vec<f64>>,
}

/// All folds of a division of a draw, by condition folds and in them by subject folds; `None` where some
/// RDM is undefined on the conditions of a fold.
pub(super) fn folds(
    problem: &FoldedProblem<'_>,
    draw: &Draw,
    division: &Division,
) -> Option<Vec<Fold>> {
    let n_condition_folds = division.counts.conditions;
    let mut found = Vec::with_capacity(n_condition_folds * division.counts.subjects);
    for fold in 0..n_condition_folds {
        let parts = [
            learnt_from(
                &draw.conditions,
                &division.conditions,
                fold,
                n_condition_folds,
            ),
            tested(&draw.conditions, &division.conditions, fold),
        ];
        let [train, test] = parts.map(|c| Sample::resampled(c, problem.present));
        if train.n_distinct().min(test.n_distinct()) < MIN_FOLD_CONDITIONS {
            return None;
        }
        found.extend(folds_of_subjects(problem, draw, division, &train, &test)?);
    }
    Some(found)
}

/// Weights of each model, fitted to everything.
pub(super) fn whole_fit(problem: &FoldedProblem<'_>, everything: &Draw) -> Option<Vec<Vec<f64>>> {
    let sample = Sample::resampled(everything.conditions.clone(), problem.present);
    let teachers = Teachers::new(problem, &sample)?;
    teachers.fit(problem, &sample, &everything.subjects)
}

fn all_defined(source: &Source, sample: &Sample, similarity: Similarity) -> Option<Vec<Row>> {
    source.on(sample, similarity).into_iter().collect()
}

/// What models are fitted to on one sample of conditions, whoever of the subjects takes part.
struct Teachers {
    subjects: Vec<Row>,
    /// By the criterion of weights, where that is not the similarity.
    criteria: Option<Vec<Row>>,
    /// The components of each model.
    models: Vec<Prepared>,
}

impl Teachers {
    fn new(problem: &FoldedProblem<'_>, sample: &Sample) -> Option<Self> {
        let similarity = problem.similarity;
        let subjects = all_defined(problem.data, sample, similarity)?;
        let other = criterion(similarity);
        let criteria = if other == similarity {
            None
        } else {
            Some(all_defined(problem.data, sample, other)?)
        };
        let models = problem.models.iter();
        Some(Self {
            subjects,
            criteria,
            models: models.map(|m| m.prepared(sample, similarity)).collect(),
        })
    }

    /// Weights of each model; `None` where one has no component to fit.
    fn fit(
        &self,
        problem: &FoldedProblem<'_>,
        sample: &Sample,
        multiplicities: &[u32],
    ) -> Option<Vec<Vec<f64>>> {
        let training = Training {
            sample,
            subjects: &self.subjects,
            criteria: self.criteria.as_ref().unwrap_or(&self.subjects),
            multiplicities,
            similarity: problem.similarity,
        };
        let models = problem.models.iter().zip(&self.models);
        models
            .map(|(model, prepared)| model.fit(prepared, &training))
            .collect()
    }
}

fn folds_of_subjects(
    problem: &FoldedProblem<'_>,
    draw: &Draw,
    division: &Division,
    train: &Sample,
    test: &Sample,
) -> Option<Vec<Fold>> {
    let similarity = problem.similarity;
    let n_folds = division.counts.subjects;
    let judges = all_defined(problem.data, test, similarity)?;
    let pool = Pool::new(problem.data, &judges, test, similarity);
    let teachers = Teachers::new(problem, train)?;
    let whitener = similarity.is_whitened().then(|| Whitener::new(test));
    let mut found = Vec::with_capacity(n_folds);
    for fold in 0..n_folds {
        let learnt = learnt_from(&draw.subjects, &division.subjects, fold, n_folds);
        let judged = tested(&draw.subjects, &division.subjects, fold);
        let weights = teachers.fit(problem, train, &learnt)?;
        let predicted: Vec<Row> = problem
            .models
            .iter()
            .zip(&weights)
            .map(|(model, w)| model.predicted_on(w, test, similarity, whitener.as_ref()))
            .collect::<Option<_>>()?;
        let subjects: Vec<usize> = (0..judged.len()).filter(|&s| judged[s] > 0).collect();
        let copies: Vec<u32> = subjects.iter().map(|&s| judged[s]).collect();
        let of_subjects = scores(&predicted, &judges, test, similarity);
        found.push(Fold {
            scores: of_subjects.select(ndarray::Axis(1), &subjects),
            ceiling: ceiling(&pool, &draw.subjects, &learnt, &judged, n_folds)?,
            subjects,
            copies,
            weights,
        });
    }
    Some(found)
}

/// Lower and upper ceiling of one fold: the pool of the subjects learnt from, and of all, with those judged
/// by. Where subjects are not divided, each is left out in turn for the lower one.
fn ceiling(
    pool: &Pool<'_>,
    drawn: &[u32],
    learnt: &[u32],
    judged: &[u32],
    n_folds: usize,
) -> Option<[f64; 2]> {
    if n_folds == 1 {
        let found = pool.ceiling(drawn)?;
        return Some([found.lower, found.upper]);
    }
    let with_copies: Vec<usize> = judged
        .iter()
        .enumerate()
        .flat_map(|(s, &m)| std::iter::repeat_n(s, m as usize))
        .collect();
    let mean = |taking_part: &[u32]| {
        let weights: Vec<f64> = taking_part.iter().map(|&m| f64::from(m)).collect();
        let sum = pool.similarities(&weights, &with_copies)?;
        Some(sum / with_copies.len() as f64)
    };
    Some([mean(learnt)?, mean(drawn)?])
}

/// Scores of each subject, `(n_models, n_subjects)`, and the ceiling: means over the folds. A subject
/// without a fold has 0.
pub(super) fn mean_over_folds(folds: &[Fold], n_subjects: usize) -> (Array2<f64>, [f64; 2]) {
    let n_models = folds[0].scores.nrows();
    let mut sums = Array2::zeros((n_models, n_subjects));
    let mut n_folds = vec![0.0; n_subjects];
    let (mut bounds, mut n_judged) = ([0.0; 2], 0.0);
    for fold in folds {
        for (column, &s) in fold.scores.columns().into_iter().zip(&fold.subjects) {
            let mut sum = sums.column_mut(s);
            sum += &column;
            n_folds[s] += 1.0;
        }
        let here: f64 = fold.copies.iter().map(|&m| f64::from(m)).sum();
        n_judged += here;
        for (bound, value) in bounds.iter_mut().zip(fold.ceiling) {
            *bound += here * value;
        }
    }
    for (mut column, n) in sums.columns_mut().into_iter().zip(n_folds) {
        if n > 0.0 {
            column /= n;
        }
    }
    (sums, bounds.map(|b| b / n_judged))
}

/// The score of each model and the ceilings of one division of a draw.
fn evaluate(problem: &FoldedProblem<'_>, draw: &Draw, division: &Division) -> Option<Evaluation> {
    let folds = folds(problem, draw, division)?;
    let (by_subject, ceiling) = mean_over_folds(&folds, draw.subjects.len());
    let n: u32 = draw.subjects.iter().sum();
    let mean = |row: ndarray::ArrayView1<'_, f64>| -> f64 {
        let copies = row.iter().zip(&draw.subjects);
        copies.map(|(s, &m)| s * f64::from(m)).sum::<f64>() / f64::from(n)
    };
    let mut evaluation: Evaluation = by_subject.rows().into_iter().map(mean).collect();
    evaluation.extend(ceiling);
    Some(evaluation)
}

/// Evaluations of every draw, as [`evaluations`](super::bootstrap::evaluations) orders them, but each as
/// often as there are divisions; `None` for a draw that had to be skipped.
pub(super) fn folded_evaluations(
    problem: &FoldedProblem<'_>,
    bootstrap: Bootstrap,
    draws: &[Draw],
    counts: FoldCounts,
    n_divisions: usize,
    seed: u64,
    done: &(dyn Fn(usize) + Sync),
) -> Vec<Option<Vec<Evaluation>>> {
    let n_kinds = if bootstrap == Bootstrap::Both { 3 } else { 1 };
    draws
        .par_iter()
        .enumerate()
        .map(|(i, draw)| {
            let of_kind = |kind: usize| {
                let drawn = match (bootstrap, kind) {
                    (Bootstrap::Both, 0) => draw.clone(),
                    (Bootstrap::Both, 1) | (Bootstrap::Subjects, _) => Draw {
                        conditions: vec![1; draw.conditions.len()],
                        ..draw.clone()
                    },
                    _ => Draw {
                        subjects: vec![1; draw.subjects.len()],
                        ..draw.clone()
                    },
                };
                (0..n_divisions)
                    .map(|division| {
                        let index = (i * n_kinds + kind) * n_divisions + division;
                        let division = Division::random(&drawn, counts, seed, index as u64)?;
                        evaluate(problem, &drawn, &division)
                    })
                    .collect::<Option<Vec<_>>>()
            };
            let kinds: Option<Vec<_>> = (0..n_kinds).map(of_kind).collect();
            done(1);
            kinds.map(|kinds| kinds.concat())
        })
        .collect()
}
