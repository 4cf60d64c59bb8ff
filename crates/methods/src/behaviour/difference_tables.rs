//! Differences of correlations for whole heat maps.

use ndarray::{ArrayView1, ArrayView2};

use super::BehaviourError;
use super::correlations::items_of;
use super::difference::{
    CorrelationDifference, DifferenceParams, NoDifference, dependent_difference,
    independent_difference,
};
use crate::Result;
use crate::correct::correct;
use crate::error::{at_least, same_count};

/// Two predictions compared in how they follow a target.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PredictionDifference {
    /// 0-based subset of the items.
    pub subset: usize,
    /// 0-based target.
    pub target: usize,
    /// 0-based prediction.
    pub first: usize,
    /// 0-based prediction that is subtracted.
    pub second: usize,
    /// The difference, or why there is none.
    pub difference: std::result::Result<CorrelationDifference, NoDifference>,
}

/// Two subsets compared in how a prediction follows a target.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SubsetDifference {
    /// 0-based prediction.
    pub prediction: usize,
    /// 0-based target.
    pub target: usize,
    /// The difference, first subset minus second, or why there is none.
    pub difference: std::result::Result<CorrelationDifference, NoDifference>,
}

/// Compares all pairs of predictions (architectures, layers), for each target and subset.
///
/// # Shapes
///
/// `predictions` is `(n_predictions, n_items)`, `targets` is `(n_targets, n_items)`, `subsets` is `(n_subsets, n_items)`; the
/// result is in the order of subsets, targets, first and second predictions.
///
/// # Definition
///
/// As [`dependent_difference`]; p is corrected over all differences that are defined.
///
/// # Errors
///
/// [`MethodsError::ShapeMismatch`](crate::MethodsError::ShapeMismatch), [`MethodsError::TooFew`](crate::MethodsError::TooFew), [`MethodsError::NonFinite`](crate::MethodsError::NonFinite).
pub fn prediction_differences(
    predictions: ArrayView2<'_, f64>,
    targets: ArrayView2<'_, f64>,
    subsets: ArrayView2<'_, bool>,
    params: &DifferenceParams,
) -> Result<Vec<PredictionDifference>> {
    check_items(predictions, targets)?;
    at_least("predictions to compare", 2, predictions.nrows())?;
    let mut all = Vec::new();
    for (subset, items) in items_of(subsets, predictions.ncols())?.iter().enumerate() {
        for target in 0..targets.nrows() {
            let goal = taken(targets.row(target), items);
            for first in 0..predictions.nrows() {
                for second in first + 1..predictions.nrows() {
                    let [x, y] = [first, second].map(|i| taken(predictions.row(i), items));
                    all.push(PredictionDifference {
                        subset,
                        target,
                        first,
                        second,
                        difference: dependent_difference(&x, &y, &goal, params)?,
                    });
                }
            }
        }
    }
    correct_all(all.iter_mut().map(|d| &mut d.difference), params);
    Ok(all)
}

/// Compares two subsets of items (congruent and incongruent), for each prediction and target.
///
/// # Shapes
///
/// As [`prediction_differences`], with two masks of different items; the result is in the order of predictions and
/// targets.
///
/// # Definition
///
/// As [`independent_difference`]; p is corrected over all differences that are defined.
///
/// # Errors
///
/// As [`prediction_differences`], and [`BehaviourError::SharedItem`].
pub fn subset_differences(
    predictions: ArrayView2<'_, f64>,
    targets: ArrayView2<'_, f64>,
    subsets: [ArrayView1<'_, bool>; 2],
    params: &DifferenceParams,
) -> Result<Vec<SubsetDifference>> {
    check_items(predictions, targets)?;
    let [mut first, mut second] = [Vec::new(), Vec::new()];
    for (mask, items) in subsets.iter().zip([&mut first, &mut second]) {
        let mask = mask.insert_axis(ndarray::Axis(0));
        items.extend(items_of(mask, predictions.ncols())?.remove(0));
    }
    if let Some(&item) = first.iter().find(|item| second.contains(item)) {
        return Err(BehaviourError::SharedItem { item }.into());
    }
    let mut all = Vec::new();
    for prediction in 0..predictions.nrows() {
        for target in 0..targets.nrows() {
            let of = |items: &[usize]| {
                [predictions.row(prediction), targets.row(target)].map(|row| taken(row, items))
            };
            let (a, b) = (of(&first), of(&second));
            all.push(SubsetDifference {
                prediction,
                target,
                difference: independent_difference([&a[0], &a[1]], [&b[0], &b[1]], params)?,
            });
        }
    }
    correct_all(all.iter_mut().map(|d| &mut d.difference), params);
    Ok(all)
}

fn check_items(predictions: ArrayView2<'_, f64>, targets: ArrayView2<'_, f64>) -> Result<()> {
    same_count(
        "items of the targets, as many as of the predictions",
        predictions.ncols(),
        targets.ncols(),
    )?;
    for (what, found) in [
        ("rows of the predictions", predictions.nrows()),
        ("rows of the targets", targets.nrows()),
    ] {
        at_least(what, 1, found)?;
    }
    Ok(())
}

fn taken(row: ArrayView1<'_, f64>, items: &[usize]) -> Vec<f64> {
    items.iter().map(|&item| row[item]).collect()
}

fn correct_all<'a>(
    differences: impl Iterator<Item = &'a mut std::result::Result<CorrelationDifference, NoDifference>>,
    params: &DifferenceParams,
) {
    let tests = differences
        .flatten()
        .map(|d| (Some(d.p), &mut d.p_corrected));
    correct(tests, params.correction);
}
