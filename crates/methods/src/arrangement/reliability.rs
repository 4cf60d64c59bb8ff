//! How reliable RDMs from arrangements are.

use consilience_core::Trials;
use consilience_stats::random::{Domain, Stream};
use ndarray::{ArrayView1, ArrayView2};
use rayon::prelude::*;

use super::fit::fit;
use super::params::ArrangementParams;
use crate::error::at_least;
use crate::{NanPolicy, Result};

/// Agreement of RDMs from two halves of the trials.
#[derive(Debug, Clone, PartialEq)]
pub struct SplitHalf {
    /// Mean Pearson correlation of the halves over the splits that have one; `None` if none has.
    pub correlation: Option<f64>,
    /// The same stepped up to all trials: 2r / (1 + r), `None` where r is not above −1.
    pub spearman_brown: Option<f64>,
    /// Splits that have a correlation: three or more pairs in both halves, not all the same.
    pub n_splits: usize,
    /// Splits that have none.
    pub n_without: usize,
    /// Mean number of pairs that both halves hold, over the splits that have a correlation.
    pub mean_common_pairs: f64,
}

/// Agreement of subjects' RDMs.
#[derive(Debug, Clone, PartialEq)]
pub struct BetweenSubjects {
    /// Mean Pearson correlation over pairs of subjects; `None` when no pair has one.
    pub pairwise: Option<f64>,
    /// For each subject, the correlation with the mean of the others; `None` where it is undefined.
    pub leave_one_out: Vec<Option<f64>>,
    /// Mean of those.
    pub mean_leave_one_out: Option<f64>,
}

/// Splits the trials at random into halves and correlates the RDMs of both.
///
/// # Definition
///
/// Each split permutes the trials (stream of its own under `seed`) and takes the first ⌊T/2⌋ as one
/// half. Both are fitted ([`fit`]); the correlation is over the pairs that both hold. A trial that
/// holds most pairs, as the first of a session often does, is in one half only, so the halves differ in
/// what they see: the value is a lower estimate.
///
/// # Errors
///
/// [`MethodsError::TooFew`](crate::MethodsError::TooFew) trials or splits; as [`fit`].
///
/// # References
///
/// Spearman 1910, doi:10.1111/j.2044-8295.1910.tb00206.x; Brown 1910,
/// doi:10.1111/j.2044-8295.1910.tb00207.x.
pub fn split_half(
    trials: &Trials,
    params: &ArrangementParams,
    n_splits: usize,
    seed: u64,
) -> Result<SplitHalf> {
    let n_trials = trials.trials().len();
    for (what, needed, found) in [
        ("trials to split", 2, n_trials),
        ("splits of the trials", 1, n_splits),
    ] {
        at_least(what, needed, found)?;
    }
    let params = ArrangementParams {
        unseen: NanPolicy::Omit,
        ..*params
    };
    let found: Vec<Option<(f64, usize)>> = (0..n_splits)
        .into_par_iter()
        .map(|split| {
            let order = Stream::new(seed, Domain::Permutations, split as u64).permutation(n_trials);
            let (first, second) = order.split_at(n_trials / 2);
            let [a, b] = [first, second].map(|half| {
                let mut half = half.to_vec();
                half.sort_unstable();
                fit(&trials.select(&half)?, &params)
            });
            Ok(correlation(
                ArrayView1::from(&a?.vector),
                ArrayView1::from(&b?.vector),
            ))
        })
        .collect::<Result<_>>()?;
    let correlations: Vec<(f64, usize)> = found.iter().flatten().copied().collect();
    let n = correlations.len();
    let r = mean(correlations.iter().map(|c| c.0));
    Ok(SplitHalf {
        correlation: r,
        spearman_brown: r.filter(|&r| r > -1.0).map(|r| 2.0 * r / (1.0 + r)),
        n_splits: n,
        n_without: n_splits - n,
        mean_common_pairs: mean(correlations.iter().map(|c| c.1 as f64)).unwrap_or(0.0),
    })
}

/// Correlates the RDMs of subjects with each other.
///
/// # Shapes
///
/// `rdms` is `(n_subjects, n_pairs)`; NaN where a subject has no value.
///
/// # Definition
///
/// Pearson correlations over the pairs that both have. The mean of the other subjects is over those
/// who have a value, each scaled to a mean square of 1 over the pairs that it has.
///
/// # Errors
///
/// [`MethodsError::TooFew`](crate::MethodsError::TooFew) subjects.
pub fn between_subjects(rdms: ArrayView2<'_, f64>) -> Result<BetweenSubjects> {
    let n = rdms.nrows();
    at_least("subjects to compare", 2, n)?;
    let pairwise = consilience_core::pairs::iter(n)
        .filter_map(|(i, j)| correlation(rdms.row(i), rdms.row(j)))
        .map(|(r, _)| r);
    let pairwise = mean(pairwise);
    let scales: Vec<f64> = rdms.rows().into_iter().map(scale).collect();
    let leave_one_out: Vec<Option<f64>> = (0..n)
        .map(|s| {
            let others: Vec<f64> = (0..rdms.ncols())
                .map(|k| {
                    let values = (0..n)
                        .filter(|&t| t != s && !rdms[[t, k]].is_nan())
                        .map(|t| rdms[[t, k]] * scales[t]);
                    mean(values).unwrap_or(f64::NAN)
                })
                .collect();
            correlation(rdms.row(s), ArrayView1::from(&others)).map(|(r, _)| r)
        })
        .collect();
    Ok(BetweenSubjects {
        pairwise,
        mean_leave_one_out: mean(leave_one_out.iter().flatten().copied()),
        leave_one_out,
    })
}

/// What brings a vector to a mean square of 1 over the values that it has.
fn scale(vector: ArrayView1<'_, f64>) -> f64 {
    let square = mean(vector.iter().filter(|v| !v.is_nan()).map(|v| v * v));
    square
        .filter(|&s| s > 0.0)
        .map_or(1.0, |s| s.sqrt().recip())
}

/// Pearson correlation over the entries that both have, and how many those are; `None` for fewer than
/// three or where one does not vary.
fn correlation(a: ArrayView1<'_, f64>, b: ArrayView1<'_, f64>) -> Option<(f64, usize)> {
    let common: Vec<(f64, f64)> = a
        .iter()
        .zip(b)
        .map(|(&a, &b)| (a, b))
        .filter(|(a, b)| !a.is_nan() && !b.is_nan())
        .collect();
    let n = common.len();
    let same = |of: fn(&(f64, f64)) -> f64| common.iter().all(|c| of(c) == of(&common[0]));
    if n < 3 || same(|c| c.0) || same(|c| c.1) {
        return None;
    }
    let mean_a = common.iter().map(|c| c.0).sum::<f64>() / n as f64;
    let mean_b = common.iter().map(|c| c.1).sum::<f64>() / n as f64;
    let (mut ab, mut aa, mut bb) = (0.0, 0.0, 0.0);
    for (a, b) in &common {
        let (a, b) = (a - mean_a, b - mean_b);
        ab += a * b;
        aa += a * a;
        bb += b * b;
    }
    Some(((ab / (aa.sqrt() * bb.sqrt())).clamp(-1.0, 1.0), n))
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, n) = values.fold((0.0, 0_usize), |(sum, n), v| (sum + v, n + 1));
    (n > 0).then(|| sum / n as f64)
}
