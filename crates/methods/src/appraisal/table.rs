//! How ratings of networks follow targets over subsets of the pictures, and how the correlations differ.

use consilience_core::{DifferenceOf, RatingCorrelation, RatingDifference};
use ndarray::{Array2, ArrayView2, ArrayView3, Axis};

use super::{AppraisalError, AppraisalParams, TargetCeiling, p_below_ceiling};
use crate::Result;
use crate::behaviour::{
    CorrelationDifference, CorrelationParams, DifferenceParams, NoDifference,
    correlation_over_runs, correlation_table, prediction_differences, subset_differences,
};
use crate::correct::correct;
use crate::error::same_count;
use crate::rsa::Correction;

/// Correlations of ratings with targets and their differences, as a record holds them.
#[derive(Debug, Clone, PartialEq)]
pub struct AppraisalOutcome {
    /// One for each subset, rater and target, targets fastest.
    pub correlations: Vec<RatingCorrelation>,
    /// Of each pair of subsets without a common picture, for each rater and target; then of each pair of the raters to
    /// be compared, for each subset and target (pairs fastest).
    pub differences: Vec<RatingDifference>,
    /// What could not be tested, and why.
    pub notes: Vec<String>,
}

/// Correlates the ratings of networks with targets over subsets of the pictures, and compares subsets and raters.
///
/// # Shapes
///
/// `predictions` is `(n_runs, n_raters, n_pictures)`, `targets` is `(n_targets, n_pictures)`; a subset lists 0-based
/// pictures (without one there is one of all pictures); `ceilings` is `(n_subsets, n_targets)`, because ratings that vary
/// less over some pictures are less reliable there.
///
/// # Definition
///
/// A correlation is that of each run; mean and standard deviation (denominator n − 1) are over runs. Interval, p by Student's t and p by
/// permutation are of the mean rating over runs ([`correlation_over_runs`]): runs are no independent
/// samples of pictures. `p_corrected` is the permutation test's p, else Student's, corrected over all
/// correlations. The test against the ceiling is [`p_below_ceiling`].
///
/// Subsets are compared by [`subset_differences`], raters by [`prediction_differences`], both of mean ratings over runs; p
/// is corrected over all differences of either kind.
///
/// # Errors
///
/// As [`correlation_table`]; [`MethodsError::ShapeMismatch`](crate::MethodsError::ShapeMismatch) of ceilings, [`AppraisalError::BadCeiling`],
/// [`AppraisalError::BadRater`]. What is undefined says so in its `note`.
///
/// # Example
///
/// ```
/// use consilience_methods::appraisal::{AppraisalParams, appraisal};
/// use ndarray::{Array2, Array3};
///
/// let noise = |i: usize, k: usize| ((i * (k + 7) * 13) % 11) as f64 / 4.0;
/// let targets = Array2::from_shape_fn((1, 24), |(_, i)| i as f64 % 8.0 + noise(i, 0));
/// let predictions = Array3::from_shape_fn((2, 1, 24), |(run, _, i)| i as f64 % 8.0 + noise(i, run + 1));
/// let halves = [(0..24).collect(), (0..12).collect(), (12..24).collect()];
/// let none = Array2::from_elem((3, 1), None);
/// let found = appraisal(
///     predictions.view(), targets.view(), &halves, none.view(), &AppraisalParams::default(),
/// )?;
/// assert!(found.correlations[0].mean.unwrap() > 0.7);
/// assert_eq!((found.differences[0].first, found.differences[0].second), (1, 2));
/// # Ok::<(), consilience_methods::MethodsError>(())
/// ```
///
/// # References
///
/// As [`correlation_table`] and [`prediction_differences`].
pub fn appraisal(
    predictions: ArrayView3<'_, f64>,
    targets: ArrayView2<'_, f64>,
    subsets: &[Vec<usize>],
    ceilings: ArrayView2<'_, Option<TargetCeiling>>,
    params: &AppraisalParams,
) -> Result<AppraisalOutcome> {
    let (_, n_raters, n_pictures) = predictions.dim();
    let everything = [(0..n_pictures).collect()];
    let subsets = match subsets {
        [] => &everything,
        _ => subsets,
    };
    check_ceilings(ceilings, [subsets.len(), targets.nrows()])?;
    check_compared(&params.compared, n_raters)?;
    let mut notes = Vec::new();
    let correlations = correlations(predictions, targets, subsets, ceilings, params, &mut notes)?;
    let mean = predictions
        .mean_axis(Axis(0))
        .expect("correlations are refused without runs");
    let mut differences = between_subsets(mean.view(), targets, subsets, params)?;
    differences.extend(between_raters(mean.view(), targets, subsets, params)?);
    for of in [DifferenceOf::Subsets, DifferenceOf::Raters] {
        let of_kind = differences.iter_mut().filter(|d| d.of == of);
        correct(
            of_kind.map(|d| (d.p, &mut d.p_corrected)),
            params.correction,
        );
    }
    Ok(AppraisalOutcome {
        correlations,
        differences,
        notes,
    })
}

fn check_ceilings(
    ceilings: ArrayView2<'_, Option<TargetCeiling>>,
    [n_subsets, n_targets]: [usize; 2],
) -> Result<()> {
    same_count("subsets of the ceilings", n_subsets, ceilings.nrows())?;
    same_count("targets of the ceilings", n_targets, ceilings.ncols())?;
    for ((subset, target), ceiling) in ceilings.indexed_iter() {
        if let Some(ceiling) = ceiling {
            let value = ceiling.correlation;
            if !(value > 0.0 && value <= 1.0) {
                return Err(AppraisalError::BadCeiling {
                    subset,
                    target,
                    value,
                }
                .into());
            }
        }
    }
    Ok(())
}

fn check_compared(compared: &[usize], n_raters: usize) -> Result<()> {
    for (at, &rater) in compared.iter().enumerate() {
        let found = match (rater < n_raters, compared[..at].contains(&rater)) {
            (true, false) => continue,
            (true, true) => "is named twice",
            (false, _) => "is not there",
        };
        return Err(AppraisalError::BadRater {
            rater,
            found,
            n_raters,
        }
        .into());
    }
    Ok(())
}

fn correlations(
    predictions: ArrayView3<'_, f64>,
    targets: ArrayView2<'_, f64>,
    subsets: &[Vec<usize>],
    ceilings: ArrayView2<'_, Option<TargetCeiling>>,
    params: &AppraisalParams,
    notes: &mut Vec<String>,
) -> Result<Vec<RatingCorrelation>> {
    // Single runs are not tested: only the mean rating is permuted.
    let untested = CorrelationParams {
        kind: params.correlation,
        ..CorrelationParams::default()
    };
    let tested = CorrelationParams {
        permutations: params.permutations,
        seed: params.seed,
        ..untested
    };
    let over_runs = correlation_over_runs(predictions, targets, subsets, &untested)?;
    let mean = predictions
        .mean_axis(Axis(0))
        .expect("refused without runs");
    let of_mean = correlation_table(mean.view(), targets, subsets, &tested)?;
    let mut all = Vec::with_capacity(over_runs.len());
    for ((subset, rater, target), over_runs) in over_runs.indexed_iter() {
        let cell = of_mean[[subset, rater, target]];
        let found = cell.ok();
        let ceiling = ceilings[[subset, target]];
        let below = |ceiling| p_below_ceiling(&found?, params.correlation, &ceiling);
        let p_ceiling = ceiling.and_then(below);
        let runs = over_runs.runs.iter().map(|run| run.ok().map(|run| run.r));
        all.push(RatingCorrelation {
            subset,
            rater,
            target,
            n: subsets[subset].len(),
            runs: runs.collect(),
            mean: over_runs.mean,
            sd: over_runs.sd,
            of_mean: found.map(|found| found.r),
            interval: found.and_then(|found| found.interval),
            p: found.map(|found| found.p),
            p_permutation: found.and_then(|found| found.p_permutation),
            p_corrected: None,
            p_ceiling,
            note: cell.err().map(|why| why.to_string()),
        });
    }
    let without = |c: &&RatingCorrelation| {
        c.of_mean.is_some() && c.p_ceiling.is_none() && ceilings[[c.subset, c.target]].is_some()
    };
    let n_without = all.iter().filter(without).count();
    if n_without > 0 {
        notes.push(format!(
            "{n_without} of {} correlations were not tested against their ceiling: it or the correlation is 1, its interval reaches from 0 to 1, or there are fewer than 4 pictures",
            all.len()
        ));
    }
    correct(
        (all.iter_mut()).map(|c| (c.p_permutation.or(c.p), &mut c.p_corrected)),
        params.correction,
    );
    Ok(all)
}

fn mask(subset: &[usize], n_pictures: usize) -> Vec<bool> {
    let mut mask = vec![false; n_pictures];
    subset.iter().for_each(|&picture| mask[picture] = true);
    mask
}

/// Every difference is corrected with others later.
fn difference_params(params: &AppraisalParams) -> DifferenceParams {
    DifferenceParams {
        kind: params.correlation,
        test: params.test,
        correction: Correction::None,
        ..DifferenceParams::default()
    }
}

fn between_subsets(
    mean: ArrayView2<'_, f64>,
    targets: ArrayView2<'_, f64>,
    subsets: &[Vec<usize>],
    params: &AppraisalParams,
) -> Result<Vec<RatingDifference>> {
    let masks: Vec<Vec<bool>> = (subsets.iter())
        .map(|subset| mask(subset, mean.ncols()))
        .collect();
    let mut all = Vec::new();
    for first in 0..subsets.len() {
        for second in first + 1..subsets.len() {
            if subsets[first].iter().any(|&picture| masks[second][picture]) {
                continue;
            }
            let pair = [first, second].map(|subset| masks[subset].as_slice().into());
            for found in subset_differences(mean, targets, pair, &difference_params(params))? {
                all.push(difference(
                    DifferenceOf::Subsets,
                    [first, second],
                    [found.prediction, found.target],
                    found.difference,
                ));
            }
        }
    }
    Ok(all)
}

fn between_raters(
    mean: ArrayView2<'_, f64>,
    targets: ArrayView2<'_, f64>,
    subsets: &[Vec<usize>],
    params: &AppraisalParams,
) -> Result<Vec<RatingDifference>> {
    let compared = &params.compared;
    if compared.len() < 2 {
        return Ok(Vec::new());
    }
    let chosen = mean.select(Axis(0), compared);
    let masks: Vec<bool> = (subsets.iter())
        .flat_map(|subset| mask(subset, mean.ncols()))
        .collect();
    let masks = Array2::from_shape_vec((subsets.len(), mean.ncols()), masks)
        .expect("a mask of all pictures for each subset");
    let params = difference_params(params);
    let found = prediction_differences(chosen.view(), targets, masks.view(), &params)?;
    Ok((found.into_iter())
        .map(|found| {
            difference(
                DifferenceOf::Raters,
                [compared[found.first], compared[found.second]],
                [found.subset, found.target],
                found.difference,
            )
        })
        .collect())
}

fn difference(
    of: DifferenceOf,
    [first, second]: [usize; 2],
    [within, target]: [usize; 2],
    found: std::result::Result<CorrelationDifference, NoDifference>,
) -> RatingDifference {
    RatingDifference {
        of,
        first,
        second,
        within,
        target,
        difference: found.ok().map(|found| found.difference),
        interval: found.ok().map(|found| found.interval),
        p: found.ok().map(|found| found.p),
        p_corrected: None,
        note: found.err().map(|why| why.to_string()),
    }
}
