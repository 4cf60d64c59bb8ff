//! Heads that rate pictures, trained on the features of frozen, cut networks.
//!
//! [`train_heads`] rates the stimuli by heads that did not learn from them; [`train_heads_elsewhere`] by heads that learnt
//! from other pictures.
//!
//! # Definition
//!
//! Features are z-scored with means and standard deviations (denominator n) of the training set, ratings too for a linear
//! head; for a sigmoid head they are mapped from the declared scale to 0…1. The head that is found is folded back onto
//! features and ratings as they are. A feature that does not vary in a training set has weight 0 there.
//!
//! A linear head with a (weighted) squared error minimises (1/n) Σ wᵢ (yᵢ − ŷᵢ)² + ½ λ ‖w‖², which has an exact solution
//! ([`Solver::Exact`], ridge regression). It is the default, because there is nothing to stop early and no step length to choose
//! that could differ between layers, and because it is several times as fast: a study trains thousands of heads. Everything else goes down the gradient ([`Solver::Gradient`])
//! with Adam from weights of 0.
//!
//! # Same bytes
//!
//! Everything drawn depends on the seed of the run; results do not depend on the number of threads.
//!
//! # References
//!
//! - Hoerl & Kennard (1970), doi:10.1080/00401706.1970.10488634; Allen (1974), doi:10.1080/00401706.1974.10489157
//! - Srivastava et al. (2014), Dropout. JMLR 15
//! - Object2Brain (2025), arXiv:2509.21384, for the question; the text of its methods was not at hand, so all choices are
//!   options

mod check;
mod division;
mod error;
mod exact;
mod gradient;
mod params;
mod scaling;
#[cfg(test)]
mod tests;

use std::sync::atomic::{AtomicUsize, Ordering};

use consilience_learn::train::frequency_weights;
use consilience_stats::correlation::pearson;
use ndarray::ArrayView2;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::error::{ExperimentError, Result};
use crate::head::{RatingHead, RunHeads};
use check::{check, check_finite, enough};
use division::parted;
use gradient::Scaled;
use scaling::Scaling;

pub(crate) use division::folds;
pub use error::AppraiseError;
pub use params::{HeadKind, HeadParams, RatingLoss, Solver, Validation};

/// Progress: heads that are trained, and how many there will be.
pub type Progress<'a> = &'a (dyn Fn(usize, usize) + Sync);

/// One run: its heads and what they are worth.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HeadRun {
    /// Its seed.
    pub seed: u64,
    /// Its heads: one for each fold, or one.
    pub heads: RunHeads,
    /// Rating of each stimulus.
    pub predictions: Vec<f64>,
    /// Mean absolute error of held-out pictures.
    pub mae: f64,
    /// Pearson's r of held-out pictures; `None` when their ratings, given or predicted, are constant.
    pub r: Option<f64>,
    /// 1 − Σ(y − ŷ)² ÷ Σ(y − ȳ)² of held-out pictures, ȳ their mean; `None` when their ratings are constant.
    pub r2: Option<f64>,
    /// The epoch that was kept of each head; empty for the exact solver.
    pub epochs: Vec<usize>,
    /// λ of each head, given or chosen.
    pub weight_decay: Vec<f64>,
}

/// Trains heads to rate the stimuli, each of which is rated by the head of its fold.
///
/// # Shapes
///
/// Features `(n_stimuli, n_features)`, pooled or flat, and a rating for each stimulus; a result for each run.
///
/// # Definition
///
/// See the [module](self). The folds of a run are drawn by its seed and differ by one stimulus at most. The metrics are over
/// all stimuli, each as its fold's head rates it.
///
/// A head that finds nothing rates by the mean of its training set. Without [strata](HeadParams::stratified) this is the lower, the
/// higher the left-out ratings are, so that r of such heads is far below 0; with them it is nearly 0.
///
/// # Errors
///
/// [`AppraiseError`], [`ExperimentError::Count`], and of training by the gradient.
///
/// # Example
///
/// ```
/// use consilience_experiments::appraise::{HeadParams, train_heads};
/// use ndarray::Array2;
///
/// let features = Array2::from_shape_fn((20, 3), |(i, j)| ((7 * i + 5 * i * j + j) % 11) as f32);
/// let ratings: Vec<f64> = (0..20).map(|i| f64::from(features[[i, 0]] - features[[i, 2]])).collect();
/// let runs = train_heads(features.view(), &ratings, &HeadParams::default(), &|_, _| {})?;
/// assert_eq!((runs.len(), runs[0].heads.heads.len()), (5, 5));
/// assert!(runs.iter().all(|run| run.r.is_some_and(|r| r > 0.99)));
/// # Ok::<(), consilience_experiments::ExperimentError>(())
/// ```
///
/// # Peers
///
/// scikit-learn `Ridge` and `RidgeCV` (with the penalties tried here) on scaled features, with weights of rows, for the exact
/// solver: to 1e-9 before weights are narrowed to 32 bits.
pub fn train_heads(
    features: ArrayView2<'_, f32>,
    ratings: &[f64],
    params: &HeadParams,
    progress: Progress<'_>,
) -> Result<Vec<HeadRun>> {
    params.validate()?;
    check(features, ratings, params)?;
    let Validation::Folds(n_folds) = params.validation else {
        return Err(AppraiseError::LearntStimuli.into());
    };
    let n = ratings.len();
    enough(
        n,
        n_folds.max(MIN_PICTURES),
        "take fewer folds, or more pictures",
    )?;
    let divisions: Vec<(u64, Vec<usize>)> = seeds(params)
        .map(|seed| (seed, folds(ratings, n_folds, params.stratified, seed)))
        .collect();
    let tasks: Vec<Task> = divisions
        .iter()
        .flat_map(|(seed, fold_of)| {
            (0..n_folds).map(|fold| Task {
                seed: *seed,
                fold,
                rows: (0..n).filter(|&row| fold_of[row] != fold).collect(),
            })
        })
        .collect();
    let found = fit_all(features, ratings, tasks, params, progress)?;
    let runs = divisions.into_iter().zip(found.chunks(n_folds));
    runs.map(|((seed, head_of), found)| {
        let heads = RunHeads {
            heads: found.iter().map(|found| found.head.clone()).collect(),
            head_of,
        };
        let predictions = (0..n)
            .map(|row| heads.of(row).rating(features.row(row)))
            .collect::<Result<Vec<f64>>>()?;
        let held_out: Vec<usize> = (0..n).collect();
        Ok(run(
            seed,
            heads,
            found,
            predictions.clone(),
            &predictions,
            ratings,
            &held_out,
        ))
    })
    .collect()
}

/// Trains heads on other pictures, and rates the stimuli by them.
///
/// # Shapes
///
/// Features `(n_pictures, n_features)` with a rating for each picture, features `(n_stimuli, n_features)`; a result for each run.
///
/// # Definition
///
/// See the [module](self). A run learns from the pictures less a share that its seed draws ([`Validation::HoldOut`]), by which
/// its only head is judged.
///
/// # Errors
///
/// As [`train_heads`].
pub fn train_heads_elsewhere(
    train_features: ArrayView2<'_, f32>,
    train_ratings: &[f64],
    stimuli_features: ArrayView2<'_, f32>,
    params: &HeadParams,
    progress: Progress<'_>,
) -> Result<Vec<HeadRun>> {
    params.validate()?;
    check(train_features, train_ratings, params)?;
    check_finite(stimuli_features)?;
    if stimuli_features.ncols() != train_features.ncols() {
        return Err(ExperimentError::Count {
            what: "features of the stimuli",
            expected: train_features.ncols(),
            found: stimuli_features.ncols(),
        });
    }
    let Validation::HoldOut(share) = params.validation else {
        return Err(AppraiseError::FoldsElsewhere.into());
    };
    let n = train_ratings.len();
    enough(n, MIN_PICTURES, "take more pictures")?;
    let (tasks, held_out): (Vec<Task>, Vec<Vec<usize>>) = seeds(params)
        .map(|seed| {
            let all: Vec<usize> = (0..n).collect();
            // At least one to judge by and two to learn from.
            let (rows, held_out) = parted(&all, share, 1..=n - 2, seed, 0);
            (
                Task {
                    seed,
                    fold: 0,
                    rows,
                },
                held_out,
            )
        })
        .unzip();
    let found = fit_all(train_features, train_ratings, tasks, params, progress)?;
    let runs = seeds(params).zip(found.chunks(1)).zip(held_out);
    runs.map(|((seed, found), held_out)| {
        let heads = RunHeads {
            heads: vec![found[0].head.clone()],
            head_of: vec![0; stimuli_features.nrows()],
        };
        let predictions = found[0].head.rate(stimuli_features)?.to_vec();
        let judged = found[0].head.rate(train_features)?.to_vec();
        Ok(run(
            seed,
            heads,
            found,
            predictions,
            &judged,
            train_ratings,
            &held_out,
        ))
    })
    .collect()
}

/// Fewest pictures: two to learn from, one to judge by.
const MIN_PICTURES: usize = 3;

/// A head to be trained.
struct Task {
    seed: u64,
    fold: usize,
    /// The training set, ascending.
    rows: Vec<usize>,
}

/// A trained head.
struct Fitted {
    head: RatingHead,
    epoch: Option<usize>,
    weight_decay: f64,
}

fn fit_all(
    features: ArrayView2<'_, f32>,
    ratings: &[f64],
    tasks: Vec<Task>,
    params: &HeadParams,
    progress: Progress<'_>,
) -> Result<Vec<Fitted>> {
    let n_done = AtomicUsize::new(0);
    let fitted = tasks.par_iter().map(|task| {
        let fitted = fit(features, ratings, task, params)?;
        progress(n_done.fetch_add(1, Ordering::Relaxed) + 1, tasks.len());
        Ok(fitted)
    });
    fitted.collect()
}

fn fit(
    features: ArrayView2<'_, f32>,
    ratings: &[f64],
    task: &Task,
    params: &HeadParams,
) -> Result<Fitted> {
    let scaling = Scaling::of(features, ratings, &task.rows, params);
    let x = scaling.features(features, &task.rows);
    let y = scaling.ratings(ratings, &task.rows);
    let weights: Vec<f64> = match params.loss {
        RatingLoss::WeightedMse(frequencies) => {
            let own: Vec<f64> = task.rows.iter().map(|&row| ratings[row]).collect();
            let weights = frequency_weights(&own, frequencies)?;
            weights.into_iter().map(f64::from).collect()
        }
        _ => vec![1.0; y.len()],
    };
    if params.solver() == Solver::Exact {
        let found = exact::ridge(x.view(), &y, &weights, params.weight_decay)?;
        return Ok(Fitted {
            head: scaling.head(&found.weights, found.bias),
            epoch: None,
            weight_decay: found.weight_decay,
        });
    }
    let all: Vec<usize> = (0..y.len()).collect();
    let (learnt, stopping) = match params.patience {
        Some(_) => parted(
            &all,
            params.stop_share,
            0..=y.len() - 1,
            task.seed,
            1 + task.fold,
        ),
        None => (all, Vec::new()),
    };
    let data = Scaled {
        features: x.view(),
        ratings: &y,
        weights: &weights,
        huber: match params.loss {
            RatingLoss::Huber { delta } => Some(scaling.difference(delta)),
            _ => None,
        },
    };
    let found = gradient::descend(&data, &learnt, &stopping, params, task.seed)?;
    Ok(Fitted {
        head: scaling.head(&found.weights, found.bias),
        epoch: Some(found.epoch),
        weight_decay: params.weight_decay.unwrap_or(0.0),
    })
}

/// The linear head of the pictures `rows`, by the exact solver with the penalty that it chooses.
pub(crate) fn ridge_of(
    features: ArrayView2<'_, f32>,
    ratings: &[f64],
    rows: &[usize],
) -> Result<RatingHead> {
    let task = Task {
        seed: 0,
        fold: 0,
        rows: rows.to_vec(),
    };
    Ok(fit(features, ratings, &task, &HeadParams::default())?.head)
}

fn run(
    seed: u64,
    heads: RunHeads,
    found: &[Fitted],
    predictions: Vec<f64>,
    judged: &[f64],
    ratings: &[f64],
    held_out: &[usize],
) -> HeadRun {
    let of = |values: &[f64]| {
        held_out
            .iter()
            .map(|&row| values[row])
            .collect::<Vec<f64>>()
    };
    let (given, rated) = (of(ratings), of(judged));
    let n = given.len() as f64;
    let errors = || given.iter().zip(&rated).map(|(y, found)| y - found);
    let mean = given.iter().sum::<f64>() / n;
    let variation: f64 = given.iter().map(|y| (y - mean).powi(2)).sum();
    let varies = given.iter().any(|y| *y != given[0]);
    HeadRun {
        seed,
        heads,
        predictions,
        mae: errors().map(f64::abs).sum::<f64>() / n,
        r: pearson(&given, &rated),
        r2: varies.then(|| 1.0 - errors().map(|e| e * e).sum::<f64>() / variation),
        epochs: found.iter().filter_map(|found| found.epoch).collect(),
        weight_decay: found.iter().map(|found| found.weight_decay).collect(),
    }
}

fn seeds(params: &HeadParams) -> impl Iterator<Item = u64> {
    let first = params.seed;
    (0..params.runs as u64).map(move |run| first.wrapping_add(run))
}
