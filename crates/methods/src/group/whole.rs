//! All tests of all models and pairs.

use consilience_core::pairs;
use ndarray::ArrayView2;
use rayon::prelude::*;

use super::differences::Differences;
use super::params::{Alternative, GroupParams};
use super::result::{GroupTest, GroupTests, PairTest};
use super::sign_flip::Flips;
use super::signed_rank::{EXACT_LIMIT, signed_rank_test};
use super::student::student_test;
use crate::correct::correct;
use crate::error::at_least;
use crate::{MethodsError, NanPolicy, Result};

/// Fewest subjects of whom a two-sided p of sign flips can be below 0.05.
const MIN_SUBJECTS: usize = 6;

/// Largest score, so that squares stay within 64 bits.
const LARGEST: f64 = 1e150;

/// Tests the scores of models over subjects: each against chance, and each two against each other.
///
/// # Shapes
///
/// `scores` is `(n_models, n_subjects)`.
///
/// # Definition
///
/// With x the scores less chance, or the differences of two models' scores, of n subjects:
/// - t = √n·x̄/s with n − 1 degrees of freedom (s with denominator n − 1); the 95 % interval is x̄ ± t₀.₉₇₅·s/√n
/// - d = x̄/s; its 95 % interval holds the δ/√n under which noncentral t is above, and below, t with probability 0.025; g = J(n − 1)·d without
///   bias
/// - the Bayes factor of [`ln_bayes_factor`](super::ln_bayes_factor), of one side when the alternative is
/// - W⁺, the sum of the ranks of |x| where x > 0, zeros left out and ties sharing ranks. p is exact up to 100 subjects, with ties
///   too; above, normal without a correction for continuity. The rank-biserial correlation is (W⁺ − W⁻)/(W⁺ + W⁻)
/// - sign flips: the share of flips under which t is at least as extreme; all flips when there are no more than asked for, else p = (1 +
///   #)/(1 + flips). The family-wise p counts the most extreme t over models, or over pairs. All see the same flips
///
/// A two-sided p is twice the smaller one-sided p, at most 1; for flips |t| is counted. Differences that are no larger than the rounding
/// of the scores are zeros, and those no further apart are ties.
///
/// # Errors
///
/// [`MethodsError::TooFew`] models, [`MethodsError::NonFinite`], [`MethodsError::OptionOutOfRange`]. What else is undefined is `None`, with
/// a note.
///
/// # Example
///
/// ```
/// use consilience_methods::group::{GroupParams, group_tests};
/// use ndarray::array;
///
/// let scores = array![[0.21, 0.30, 0.18, 0.25, 0.27, 0.16], [0.20, 0.22, 0.15, 0.19, 0.28, 0.10]];
/// let found = group_tests(scores.view(), &GroupParams::default())?;
/// let student = found.models[0].student.unwrap();
/// assert!(student.p < 0.001 && student.ln_bayes_factor > 3.0);
/// // All 64 flips: only the observed signs reach the observed mean.
/// assert_eq!(found.models[0].sign_flip.unwrap().p, 1.0 / 64.0);
/// assert_eq!(found.pairs[0].models, [0, 1]);
/// # Ok::<(), consilience_methods::MethodsError>(())
/// ```
///
/// # References
///
/// Student 1908, doi:10.1093/biomet/6.1.1; Hedges 1981, doi:10.3102/10769986006002107; Cumming & Finch 2001,
/// doi:10.1177/0013164401614002; Rouder et al. 2009, doi:10.3758/PBR.16.2.225; Wilcoxon 1945, doi:10.2307/3001968; Kerby 2014,
/// doi:10.2466/11.IT.3.1 (rank-biserial); Nichols & Holmes 2002, doi:10.1002/hbm.1058; Phipson & Smyth 2010,
/// doi:10.2202/1544-6115.1585.
///
/// # Peers
///
/// SciPy 1.17.1 `ttest_1samp`, `nct`, `wilcoxon`, `permutation_test(permutation_type="samples")`, pingouin 0.7.0 `ttest`,
/// `bayesfactor_ttest`, `wilcoxon` (rank-biserial).
pub fn group_tests(scores: ArrayView2<'_, f64>, params: &GroupParams) -> Result<GroupTests> {
    params.validate()?;
    check(scores, params.nan)?;
    let (n_models, n_subjects) = scores.dim();
    let of_models: Vec<Differences> = scores
        .rows()
        .into_iter()
        .map(|row| Differences::from_chance(row, params.chance))
        .collect();
    let order: Vec<(usize, usize)> = pairs::iter(n_models).collect();
    let of_pairs: Vec<Differences> = order
        .iter()
        .map(|&(a, b)| Differences::between(scores.row(a), scores.row(b)))
        .collect();

    let flips = Flips::new(n_subjects, params);
    let mut notes = Vec::new();
    if (2..MIN_SUBJECTS).contains(&n_subjects) {
        let n_all = 1 << n_subjects;
        notes.push(format!(
            "{n_subjects} subjects have only {n_all} sign flips: p of flips and of the Wilcoxon test is at least 1/{n_all}, two-sided \
             2/{n_all}; give at least {MIN_SUBJECTS} subjects, or rely on the t-test"
        ));
    }
    let models = family(&of_models, params.alternative, &flips, params);
    let of_pairs = family(&of_pairs, params.pair_alternative, &flips, params);
    for (i, test) in models.iter().enumerate() {
        add_notes(
            test,
            &format!("model {i} (counted from 0)"),
            "scores",
            &mut notes,
        );
    }
    for (&(a, b), test) in order.iter().zip(&of_pairs) {
        let name = format!("models {a} and {b} (counted from 0)");
        add_notes(test, &name, "differences", &mut notes);
    }
    Ok(GroupTests {
        models,
        pairs: order
            .into_iter()
            .zip(of_pairs)
            .map(|((a, b), test)| PairTest {
                models: [a, b],
                test,
            })
            .collect(),
        n_flips: flips.n,
        all_flips: flips.all,
        notes,
    })
}

pub(super) fn check(scores: ArrayView2<'_, f64>, nan: NanPolicy) -> Result<()> {
    at_least("models", 1, scores.nrows())?;
    let omit = nan == NanPolicy::Omit;
    let wrong = |v: f64| !(v.is_finite() || omit && v.is_nan());
    if let Some(((row, column), &value)) = scores.indexed_iter().find(|(_, v)| wrong(**v)) {
        return Err(MethodsError::NonFinite {
            what: "the scores (models × subjects)",
            row,
            column,
            value,
            cure: if value.is_nan() {
                "leave out the model or the subject, or ask for subjects without a score to be omitted"
            } else {
                "correct it: an infinity is never left out"
            },
        });
    }
    match scores.iter().find(|v| v.abs() > LARGEST) {
        Some(&value) => Err(MethodsError::OptionOutOfRange {
            option: "a score",
            value,
            expected: "a size of at most 1e150",
        }),
        None => Ok(()),
    }
}

/// The tests of all models, or of all pairs, corrected over them.
fn family(
    samples: &[Differences],
    alternative: Alternative,
    flips: &Flips,
    params: &GroupParams,
) -> Vec<GroupTest> {
    let mut tests: Vec<GroupTest> = samples
        .par_iter()
        .zip(flips.tests(samples, alternative))
        .map(|(sample, sign_flip)| GroupTest {
            n: sample.n(),
            n_omitted: sample.n_omitted,
            mean: sample.mean(),
            student: student_test(sample, alternative, params.prior_scale),
            signed_rank: signed_rank_test(sample, alternative),
            sign_flip,
        })
        .collect();
    correct(
        tests
            .iter_mut()
            .filter_map(|test| test.student.as_mut())
            .map(|found| (Some(found.p), &mut found.p_corrected)),
        params.correction,
    );
    correct(
        tests
            .iter_mut()
            .filter_map(|test| test.signed_rank.as_mut())
            .map(|found| (Some(found.p), &mut found.p_corrected)),
        params.correction,
    );
    correct(
        tests
            .iter_mut()
            .filter_map(|test| test.sign_flip.as_mut())
            .map(|found| (Some(found.p), &mut found.p_corrected)),
        params.correction,
    );
    tests
}

/// Says what a test lacks, and why.
fn add_notes(test: &GroupTest, name: &str, what: &str, notes: &mut Vec<String>) {
    let n = test.n;
    if test.n_omitted > 0 {
        notes.push(format!(
            "{name}: {} of {} subjects were left out because a score is NaN",
            test.n_omitted,
            n + test.n_omitted
        ));
    }
    if n < 2 {
        notes.push(format!(
            "{name}: there is no test, because {n} subjects are too few; give at least 2"
        ));
        return;
    }
    if test.student.is_none() {
        notes.push(format!(
            "{name}: there is no t-test, effect size or Bayes factor, because the {what} are all the same (or their squares are beyond \
             64-bit numbers)"
        ));
    }
    match test.signed_rank {
        None => notes.push(format!(
            "{name}: there is no Wilcoxon test and no sign flip, because all {what} are at {}",
            if what == "scores" { "chance" } else { "0" }
        )),
        Some(found) if !found.exact => notes.push(format!(
            "{name}: p of the Wilcoxon test is a normal approximation, because more than {EXACT_LIMIT} subjects differ"
        )),
        Some(_) => {}
    }
    if test.student.is_some_and(|s| s.hedges_g.is_none()) {
        notes.push(format!(
            "{name}: there is no Hedges' g, because the effect size of 2 subjects has no expectation; give at least 3"
        ));
    }
    if test.student.is_some_and(|s| s.bayes_factor.is_none()) {
        notes.push(format!(
            "{name}: the Bayes factor exceeds the largest 64-bit number; its logarithm is given"
        ));
    }
}
