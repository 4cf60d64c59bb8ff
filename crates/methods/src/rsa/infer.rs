//! Inference on how well models agree with data.

use std::sync::atomic::{AtomicUsize, Ordering};

use consilience_core::Ceiling;
use ndarray::{ArrayView2, Axis};

use super::bootstrap::{Draw, Evaluation, Problem, evaluations};
use super::ceiling::Pool;
use super::compare::scores;
use super::compat;
use super::estimates::Scored;
use super::inputs;
use super::mantel::block_numbers;
use super::params::{Bootstrap, InferParams};
use super::permutation::{Permutations, permute};
use super::result::Inference;
use super::row::{Row, Source};
use super::sample::Sample;
use super::similarity::Similarity;
use super::spread::Spread;
use crate::{Compat, MethodsError, Result};

/// Fewest conditions that are worth resampling: fewer repeat themselves in most resamples.
pub(super) const MIN_CONDITIONS: usize = 6;

/// Compares model RDMs with the RDMs of subjects, and says how sure the answer is.
///
/// # Shapes
///
/// `models` is `(n_models, n_pairs)`, `data` is `(n_subjects, n_pairs)`.
///
/// # Definition
///
/// The score of a model is its mean similarity over subjects. Its variance comes from
/// - `none`: the variance over subjects (ddof 1) ÷ S; dof S − 1; the ceiling is taken as known
/// - `subjects`: resamples of subjects, times S/(S − 1); dof S − 1
/// - `conditions`: resamples of conditions, times C/(C − 1); dof C − 1. Pairs of a condition with its
///   own copy are left out
/// - `both`: the dual bootstrap. Of one draw, v_b resamples both, v_s only subjects, v_c only
///   conditions; with f_s = S/(S − 1) and f_c = C/(C − 1) the variance is
///   f_s·v_s + f_c·v_c − f_s·f_c·(v_b − v_s − v_c), at least f_s·v_s and f_c·v_c, at most v_b; dof
///   min(S, C) − 1
///
/// where S counts subjects and C conditions. The standard error is its root; the 95 % interval is
/// score ± t₀.₉₇₅·sem; `p` tests score > 0, `p_ceiling` score < lower ceiling (both one-sided), and
/// `p_difference` two models (two-sided), by t-tests on the variance of the difference.
///
/// Permutations rearrange rows and columns of all subjects' RDMs together:
/// p = (1 + #{permuted ≥ observed}) / (1 + N), and for the family-wise p the best of all models is
/// counted. With `blocks`, conditions only change places within theirs.
///
/// `p_corrected` corrects `p` over all models and `p_difference_corrected` over all pairs, by
/// Benjamini–Hochberg (`fdr`) or Holm (`fwe`).
///
/// A resample of fewer than three different conditions, or on which RDMs are constant or cancel each
/// other, is skipped and counted in the notes. What cannot be had is `None`, and the notes say why.
///
/// A permutation is one matrix product for similarities that are inner products. Kendall's τ and `bures`
/// compare every model with every subject anew, which takes hundreds of times as long: `rho-a` treats
/// ties as `kendall-tau-a` does.
///
/// `progress` is called, from any thread, with the resamples and permutations done and their total.
///
/// # Errors
///
/// As [`compare`](super::compare()), but an undefined model or subject is left out with a note, as
/// long as one subject remains; [`MethodsError::TooFew`] for a bootstrap of fewer than 2 resamples.
///
/// # Example
///
/// ```
/// use consilience_methods::rsa::{Bootstrap, InferParams, infer};
/// use ndarray::Array2;
///
/// let models = Array2::from_shape_fn((2, 45), |(m, k)| ((k * (m + 3)) % 13) as f64);
/// let data = Array2::from_shape_fn((5, 45), |(s, k)| ((k * 3) % 13 + (k * s) % 5) as f64);
/// let params = InferParams { resamples: 100, permutations: 199, ..InferParams::default() };
/// let found = infer(models.view(), data.view(), &params, &|_, _| {}).unwrap();
/// let best = found.models[0].estimate.as_ref().unwrap();
/// assert!(best.value > 0.5 && best.p.unwrap() < 0.05);
/// assert_eq!(found.p_difference[0][0], None);
/// ```
///
/// # References
///
/// Schütt, Kipnis, Diedrichsen & Kriegeskorte (2023), doi:10.7554/eLife.82566; Nili et al. (2014),
/// doi:10.1371/journal.pcbi.1003553; Phipson & Smyth (2010), doi:10.2202/1544-6115.1585.
///
/// # Peers
///
/// rsatoolbox 0.3.2 `eval_fixed`, `eval_bootstrap_rdm`, `eval_bootstrap_pattern` and
/// `eval_dual_bootstrap`, to 1e-9 for the same draws. Known differences: our score and ceiling are
/// those of the data, rsatoolbox reports their mean over resamples; our `p_ceiling` is one-sided, and
/// for `subjects` it uses the variance of the difference from the ceiling, where `eval_bootstrap_rdm`
/// takes the ceiling as known; for one subject the ceiling is undefined here, 1 there.
pub fn infer(
    models: ArrayView2<'_, f64>,
    data: ArrayView2<'_, f64>,
    params: &InferParams,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Result<Inference> {
    infer_as(models, data, params, None, progress)
}

/// [`infer`] with what another toolbox does otherwise; the notes say what that changed.
///
/// rsatoolbox (0.3) reports as score and ceiling their means over the resamples (for `both` over those of both, of subjects and of
/// conditions alike), from which its tests and intervals follow; its p of the ceiling is two-sided, and for `subjects` takes the
/// ceiling as known. Variances, degrees of freedom and the other p are the same. Its random draws are others, and it neither
/// corrects nor permutes.
///
/// # Errors
///
/// As [`infer`]; [`MethodsError::NoInferenceInPeer`] for any other toolbox.
///
/// # Peers
///
/// rsatoolbox 0.3.2 `eval_fixed`, `eval_bootstrap_rdm`, `eval_bootstrap_pattern` and `eval_dual_bootstrap` with one fold: all
/// numbers of `Result`, to 1e-9 for the same draws.
pub fn infer_as(
    models: ArrayView2<'_, f64>,
    data: ArrayView2<'_, f64>,
    params: &InferParams,
    compat: Option<Compat>,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Result<Inference> {
    params.validate()?;
    compat::check(compat)?;
    let similarity = params.similarity;
    let (what_models, what_data) = ("the model RDMs", "the subjects' RDMs");
    let checked = inputs::check(
        (what_models, models),
        (what_data, data),
        similarity,
        params.nan,
    )?;
    let blocks = match &params.blocks {
        Some(labels) => Some(block_numbers(labels, checked.n_conditions)?),
        None => None,
    };
    let present = checked.present();
    let mut notes = Vec::new();
    note_omitted(checked.n_omitted, present.len(), &mut notes);

    let sample = Sample::whole(checked.n_conditions, &present);
    let model_set = Defined::new(models, "model", &sample, similarity, &mut notes);
    let subject_set = Defined::new(data, "subject", &sample, similarity, &mut notes);
    subject_set.some(what_data, similarity)?;
    let problem = Problem {
        models: &model_set.source,
        data: &subject_set.source,
        n_conditions: checked.n_conditions,
        present: &present,
        similarity,
    };
    let by_subject = scores(&model_set.rows, &subject_set.rows, &sample, similarity);
    let means: Vec<f64> = by_subject
        .mean_axis(Axis(1))
        .expect("at least one subject is defined")
        .to_vec();
    let ceiling = ceiling(&problem, &subject_set.rows, &sample, &mut notes);

    let bootstrap = feasible(
        params.bootstrap,
        Size::of(problem.data, problem.n_conditions),
        similarity,
        &mut notes,
    );
    let n_resamples = if means.is_empty() || matches!(bootstrap, None | Some(Bootstrap::None)) {
        0
    } else {
        params.resamples
    };
    let n_permutations = if means.is_empty() {
        0
    } else {
        params.permutations
    };
    let n_done = AtomicUsize::new(0);
    let done = |n: usize| {
        progress(
            n_done.fetch_add(n, Ordering::Relaxed) + n,
            n_resamples + n_permutations,
        );
    };

    let mut kept: Vec<Vec<Evaluation>> = Vec::new();
    let spread = match bootstrap {
        Some(Bootstrap::None) if !means.is_empty() => {
            Some(Spread::over_subjects(by_subject.view()))
        }
        Some(bootstrap) if !means.is_empty() => {
            let draws: Vec<Draw> = (0..n_resamples as u64)
                .map(|i| Draw::new(params.seed, i, problem.data.len(), problem.n_conditions))
                .collect();
            let found = evaluations(&problem, bootstrap, &draws, &done);
            kept = found.into_iter().flatten().collect();
            note_skipped(kept.len(), n_resamples, &mut notes).then(|| {
                spread_of(
                    &kept,
                    1,
                    bootstrap,
                    Size::of(problem.data, problem.n_conditions),
                )
            })
        }
        _ => None,
    };
    let permuted = (n_permutations > 0).then(|| {
        note_few_orders(
            problem.n_conditions,
            blocks.as_deref(),
            n_permutations,
            &mut notes,
        );
        permute(
            &problem,
            &checked.present_b,
            &checked.present_a,
            &means,
            Permutations {
                n: n_permutations,
                seed: params.seed,
                blocks: blocks.as_deref(),
            },
            &done,
        )
    });
    if spread.is_none() && permuted.is_some() {
        notes.push(
            "without a variance, p for score > 0 is the p of the condition-label permutation"
                .to_owned(),
        );
    }

    let mut scored = Scored {
        n_models: models.nrows(),
        n_subjects: data.nrows(),
        models: model_set.indices,
        subjects: subject_set.indices,
        by_subject,
        means,
        ceiling,
        spread,
        permuted,
        bootstrap,
        n_resamples: kept.len(),
        n_omitted: checked.n_omitted,
        notes,
    };
    if compat.is_some() {
        compat::follow_rsatoolbox(&mut scored, &kept);
    }
    Ok(scored.inference(params.correction))
}

pub(super) fn note_omitted(n_omitted: usize, n_pairs: usize, notes: &mut Vec<String>) {
    if n_omitted > 0 {
        notes.push(format!(
            "{n_omitted} of {n_pairs} pairs of conditions were left out: they are NaN in some RDM"
        ));
    }
}

/// The RDMs of a set that have similarities at all.
pub(super) struct Defined<'a> {
    /// Their places in the input.
    pub indices: Vec<usize>,
    pub source: Source<'a>,
    pub rows: Vec<Row>,
}

impl<'a> Defined<'a> {
    pub fn new(
        rdms: ArrayView2<'a, f64>,
        what: &str,
        sample: &Sample,
        similarity: Similarity,
        notes: &mut Vec<String>,
    ) -> Self {
        let source = Source::new(rdms, similarity);
        let (mut indices, mut rows) = (Vec::new(), Vec::new());
        for (i, row) in source.on(sample, similarity).into_iter().enumerate() {
            if let Some(row) = row {
                indices.push(i);
                rows.push(row);
            } else {
                notes.push(format!(
                    "{what} {i} (counted from 0) was left out: {similarity} is undefined because {}",
                    similarity.why_undefined()
                ));
            }
        }
        Self {
            source: source.select(&indices),
            indices,
            rows,
        }
    }

    /// That any is left.
    pub fn some(&self, what: &'static str, similarity: Similarity) -> Result<()> {
        if self.indices.is_empty() {
            return Err(MethodsError::UndefinedRdm {
                similarity: similarity.name(),
                what,
                row: 0,
                why: similarity.why_undefined(),
            });
        }
        Ok(())
    }
}

fn ceiling(
    problem: &Problem<'_>,
    subjects: &[Row],
    sample: &Sample,
    notes: &mut Vec<String>,
) -> Option<Ceiling> {
    if subjects.len() < 2 {
        notes.push(
            "the noise ceiling is undefined for one subject: it measures how well subjects predict \
             each other"
                .to_owned(),
        );
        return None;
    }
    let ceiling = Pool::new(problem.data, subjects, sample, problem.similarity)
        .ceiling(&vec![1; subjects.len()]);
    if ceiling.is_none() {
        notes.push(
            "the noise ceiling is undefined: the subjects' RDMs cancel each other; check that they \
             hold the same conditions in the same order"
                .to_owned(),
        );
    }
    ceiling
}

/// How much there is to resample.
#[derive(Clone, Copy)]
pub(super) struct Size {
    pub n_subjects: usize,
    pub n_conditions: usize,
}

impl Size {
    pub fn of(data: &Source<'_>, n_conditions: usize) -> Self {
        Self {
            n_subjects: data.len(),
            n_conditions,
        }
    }
}

/// The bootstrap that these data allow; `None`, with a note, for no variance at all.
pub(super) fn feasible(
    asked: Bootstrap,
    size: Size,
    similarity: Similarity,
    notes: &mut Vec<String>,
) -> Option<Bootstrap> {
    const WITHOUT: &str =
        "standard errors, intervals and t-tests are left out; the permutation test needs neither";
    let one_subject = size.n_subjects < 2;
    let possible = match asked {
        Bootstrap::None | Bootstrap::Subjects if one_subject => {
            notes.push(format!(
                "one subject has no variance over subjects: {WITHOUT}, or resample conditions instead"
            ));
            return None;
        }
        Bootstrap::Both if one_subject => {
            notes.push(
                "one subject cannot be resampled: only conditions were, and nothing is said about \
                 other subjects"
                    .to_owned(),
            );
            Bootstrap::Conditions
        }
        possible => possible,
    };
    if matches!(possible, Bootstrap::None | Bootstrap::Subjects) {
        return Some(possible);
    }
    if similarity == Similarity::Bures {
        notes.push(format!(
            "bures needs every pair of conditions, which a resample of conditions does not have: \
             {WITHOUT}, or resample subjects instead"
        ));
        return None;
    }
    if size.n_conditions < MIN_CONDITIONS {
        notes.push(format!(
            "{} conditions are too few to resample (at least {MIN_CONDITIONS}): {WITHOUT}, or \
             resample subjects instead",
            size.n_conditions
        ));
        return None;
    }
    Some(possible)
}

/// Notes skipped resamples; whether enough are left for a variance.
pub(super) fn note_skipped(n_used: usize, n_resamples: usize, notes: &mut Vec<String>) -> bool {
    let n_skipped = n_resamples - n_used;
    if n_skipped == 0 {
        return true;
    }
    let why =
        "fewer than 3 different conditions, or RDMs that are constant on them or cancel each other";
    let enough = n_used >= 2 && n_skipped <= n_used;
    notes.push(if enough {
        format!("{n_skipped} of {n_resamples} resamples were skipped: {why}")
    } else {
        format!(
            "{n_skipped} of {n_resamples} resamples had to be skipped ({why}), too many for a \
             variance: standard errors, intervals and t-tests are left out; use more conditions, or \
             rely on the permutation test"
        )
    });
    enough
}

fn note_few_orders(
    n_conditions: usize,
    blocks: Option<&[usize]>,
    n_permutations: usize,
    notes: &mut Vec<String>,
) {
    let sizes = match blocks {
        None => vec![n_conditions],
        Some(blocks) => {
            let mut sizes = vec![0; n_conditions];
            blocks.iter().for_each(|&b| sizes[b] += 1);
            sizes
        }
    };
    let n_orders = sizes
        .into_iter()
        .flat_map(|size| 1..=size)
        .try_fold(1_usize, usize::checked_mul)
        .unwrap_or(usize::MAX);
    if n_orders < n_permutations {
        let within = if blocks.is_some() {
            " within their blocks"
        } else {
            ""
        };
        notes.push(format!(
            "{n_conditions} conditions have only {n_orders} orders{within}: the permutation p cannot \
             fall much below {:.2}",
            1.0 / n_orders as f64
        ));
    }
}

/// The spread of evaluations, each of which was made on `n_divisions` divisions into folds.
pub(super) fn spread_of(
    evaluations: &[Vec<Evaluation>],
    n_divisions: usize,
    bootstrap: Bootstrap,
    size: Size,
) -> Spread {
    match bootstrap {
        Bootstrap::Both => {
            Spread::over_both(evaluations, n_divisions, size.n_subjects, size.n_conditions)
        }
        Bootstrap::Subjects => Spread::over_one_factor(evaluations, n_divisions, size.n_subjects),
        Bootstrap::Conditions | Bootstrap::None => {
            Spread::over_one_factor(evaluations, n_divisions, size.n_conditions)
        }
    }
}
