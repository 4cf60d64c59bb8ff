//! Inference on how well models agree with data.

use std::sync::atomic::{AtomicUsize, Ordering};

use consilience_core::{Ceiling, Estimate, RsaScore, pairs};
use consilience_stats::correction::corrected;
use ndarray::{Array2, ArrayView2, Axis};

use super::bootstrap::{Draw, Evaluation, Problem, evaluations};
use super::ceiling::Pool;
use super::compare::scores;
use super::inputs;
use super::params::{Bootstrap, Correction, InferParams};
use super::permutation::{Permuted, permute};
use super::result::Inference;
use super::row::{Row, Source};
use super::sample::Sample;
use super::similarity::Similarity;
use super::spread::Spread;
use crate::{MethodsError, Result};

/// Fewest conditions that are worth resampling: fewer repeat themselves in most resamples.
const MIN_CONDITIONS: usize = 6;

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
/// counted.
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
    params.validate()?;
    let similarity = params.similarity;
    let (what_models, what_data) = ("the model RDMs", "the subjects' RDMs");
    let checked = inputs::check(
        (what_models, models),
        (what_data, data),
        similarity,
        params.nan,
    )?;
    let present = checked.present();
    let mut notes = Vec::new();
    if checked.n_omitted > 0 {
        notes.push(format!(
            "{} of {} pairs of conditions were left out: they are NaN in some RDM",
            checked.n_omitted,
            present.len()
        ));
    }

    let sample = Sample::whole(checked.n_conditions, &present);
    let model_set = Defined::new(models, "model", &sample, similarity, &mut notes);
    let subject_set = Defined::new(data, "subject", &sample, similarity, &mut notes);
    if subject_set.indices.is_empty() {
        return Err(MethodsError::UndefinedRdm {
            similarity: similarity.name(),
            what: what_data,
            row: 0,
            why: similarity.why_undefined(),
        });
    }
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

    let bootstrap = feasible(params.bootstrap, &problem, &mut notes);
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

    let mut n_used = 0;
    let spread = match bootstrap {
        Some(Bootstrap::None) if !means.is_empty() => {
            Some(Spread::over_subjects(by_subject.view()))
        }
        Some(bootstrap) if !means.is_empty() => {
            let draws: Vec<Draw> = (0..n_resamples as u64)
                .map(|i| Draw::new(params.seed, i, problem.data.len(), problem.n_conditions))
                .collect();
            let found = evaluations(&problem, bootstrap, &draws, &done);
            let kept: Vec<Vec<Evaluation>> = found.into_iter().flatten().collect();
            n_used = kept.len();
            note_skipped(n_used, n_resamples, &mut notes)
                .then(|| spread_of(&kept, bootstrap, &problem))
        }
        _ => None,
    };
    let permuted = (n_permutations > 0).then(|| {
        note_few_orders(problem.n_conditions, n_permutations, &mut notes);
        permute(
            &problem,
            &checked.present_b,
            &checked.present_a,
            &means,
            n_permutations,
            params.seed,
            &done,
        )
    });
    if spread.is_none() && permuted.is_some() {
        notes.push(
            "without a variance, p for score > 0 is the p of the condition-label permutation"
                .to_owned(),
        );
    }

    let mut estimates = estimates(&means, ceiling.as_ref(), spread.as_ref(), permuted.as_ref());
    correct(
        estimates.iter_mut().map(|e| (e.p, &mut e.p_corrected)),
        params.correction,
    );
    let p_difference = differences(&means, spread.as_ref());
    let p_difference_corrected = corrected_differences(&p_difference, params.correction);
    Ok(Inference {
        models: by_model(
            models.nrows(),
            data.nrows(),
            &model_set,
            &subject_set,
            &by_subject,
            estimates,
        ),
        p_difference: spread_out(&p_difference, &model_set.indices, models.nrows()),
        p_difference_corrected: spread_out(
            &p_difference_corrected,
            &model_set.indices,
            models.nrows(),
        ),
        ceiling,
        bootstrap: bootstrap.unwrap_or(Bootstrap::None),
        n_resamples: n_used,
        dof: spread.map(|s| s.dof),
        n_omitted: checked.n_omitted,
        notes,
    })
}

/// The RDMs of a set that have similarities at all.
struct Defined {
    /// Their places in the input.
    indices: Vec<usize>,
    source: Source,
    rows: Vec<Row>,
}

impl Defined {
    fn new(
        rdms: ArrayView2<'_, f64>,
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

/// The bootstrap that these data allow; `None`, with a note, for no variance at all.
fn feasible(asked: Bootstrap, problem: &Problem<'_>, notes: &mut Vec<String>) -> Option<Bootstrap> {
    const WITHOUT: &str =
        "standard errors, intervals and t-tests are left out; the permutation test needs neither";
    let one_subject = problem.data.len() < 2;
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
    if problem.similarity == Similarity::Bures {
        notes.push(format!(
            "bures needs every pair of conditions, which a resample of conditions does not have: \
             {WITHOUT}, or resample subjects instead"
        ));
        return None;
    }
    if problem.n_conditions < MIN_CONDITIONS {
        notes.push(format!(
            "{} conditions are too few to resample (at least {MIN_CONDITIONS}): {WITHOUT}, or \
             resample subjects instead",
            problem.n_conditions
        ));
        return None;
    }
    Some(possible)
}

/// Notes skipped resamples; whether enough are left for a variance.
fn note_skipped(n_used: usize, n_resamples: usize, notes: &mut Vec<String>) -> bool {
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

fn note_few_orders(n_conditions: usize, n_permutations: usize, notes: &mut Vec<String>) {
    let n_orders = (1..=n_conditions)
        .try_fold(1_usize, usize::checked_mul)
        .unwrap_or(usize::MAX);
    if n_orders < n_permutations {
        notes.push(format!(
            "{n_conditions} conditions have only {n_orders} orders: the permutation p cannot fall \
             much below {:.2}",
            1.0 / n_orders as f64
        ));
    }
}

fn spread_of(
    evaluations: &[Vec<Evaluation>],
    bootstrap: Bootstrap,
    problem: &Problem<'_>,
) -> Spread {
    let (n_subjects, n_conditions) = (problem.data.len(), problem.n_conditions);
    match bootstrap {
        Bootstrap::Both => Spread::over_both(evaluations, n_subjects, n_conditions),
        Bootstrap::Subjects => Spread::over_one_factor(evaluations, n_subjects),
        Bootstrap::Conditions | Bootstrap::None => {
            Spread::over_one_factor(evaluations, n_conditions)
        }
    }
}

/// One estimate a model, uncorrected.
pub(super) fn estimates(
    scores: &[f64],
    ceiling: Option<&Ceiling>,
    spread: Option<&Spread>,
    permuted: Option<&Permuted>,
) -> Vec<Estimate> {
    scores
        .iter()
        .enumerate()
        .map(|(model, &value)| {
            let p_permutation = permuted.map(|p| p.p(model));
            let variance = spread.map(|s| (s, s.of_score(model)));
            Estimate {
                value,
                sem: variance.map(|(_, v)| v.max(0.0).sqrt()),
                interval: variance.map(|(s, v)| s.interval(value, v)),
                p: variance
                    .map(|(s, v)| s.p_above_zero(value, v))
                    .or(p_permutation),
                p_corrected: None,
                p_ceiling: spread.zip(ceiling).map(|(s, ceiling)| {
                    s.p_above_zero(ceiling.lower - value, s.of_distance_to_ceiling(model))
                }),
                p_permutation,
                p_permutation_fwe: permuted.map(|p| p.p_fwe(model)),
            }
        })
        .collect()
}

/// Two-sided p of each two models, with `None` on the diagonal.
pub(super) fn differences(scores: &[f64], spread: Option<&Spread>) -> Vec<Vec<Option<f64>>> {
    (0..scores.len())
        .map(|a| {
            (0..scores.len())
                .map(|b| {
                    let spread = spread.filter(|_| a != b)?;
                    // The same numbers on both sides of the diagonal, to the last bit.
                    let (a, b) = (a.min(b), a.max(b));
                    Some(spread.p_not_zero(scores[a] - scores[b], spread.of_difference(a, b)))
                })
                .collect()
        })
        .collect()
}

/// Fills in corrected values for all p that exist.
fn correct<'a>(
    tests: impl Iterator<Item = (Option<f64>, &'a mut Option<f64>)>,
    correction: Correction,
) {
    let (p, slots): (Vec<f64>, Vec<&mut Option<f64>>) =
        tests.filter_map(|(p, slot)| Some((p?, slot))).unzip();
    let all = correction
        .procedure()
        .map_or_else(|| p.clone(), |procedure| corrected(&p, procedure));
    for (slot, value) in slots.into_iter().zip(all) {
        *slot = Some(value);
    }
}

fn corrected_differences(p: &[Vec<Option<f64>>], correction: Correction) -> Vec<Vec<Option<f64>>> {
    let mut out = vec![vec![None; p.len()]; p.len()];
    correct(
        out.iter_mut().zip(p).enumerate().flat_map(|(i, (out, p))| {
            out.iter_mut()
                .zip(p)
                .skip(i + 1)
                .map(|(slot, &p)| (p, slot))
        }),
        correction,
    );
    for (i, j) in pairs::iter(p.len()) {
        out[j][i] = out[i][j];
    }
    out
}

/// Puts a matrix over the defined models into one over all of them.
fn spread_out(p: &[Vec<Option<f64>>], indices: &[usize], n_models: usize) -> Vec<Vec<Option<f64>>> {
    let mut out = vec![vec![None; n_models]; n_models];
    for (row, &i) in p.iter().zip(indices) {
        for (value, &j) in row.iter().zip(indices) {
            out[i][j] = *value;
        }
    }
    out
}

fn by_model(
    n_models: usize,
    n_subjects: usize,
    models: &Defined,
    subjects: &Defined,
    by_subject: &Array2<f64>,
    estimates: Vec<Estimate>,
) -> Vec<RsaScore> {
    let undefined = RsaScore {
        estimate: None,
        per_subject: vec![None; n_subjects],
    };
    let mut out = vec![undefined; n_models];
    for ((&model, scores), estimate) in models.indices.iter().zip(by_subject.rows()).zip(estimates)
    {
        out[model].estimate = Some(estimate);
        for (&subject, &score) in subjects.indices.iter().zip(scores) {
            out[model].per_subject[subject] = Some(score);
        }
    }
    out
}
