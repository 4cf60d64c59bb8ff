//! Mean responses of units to each bin.

use ndarray::{Array2, ArrayView2, Axis};

use super::{Bins, EmotionError};
use crate::Result;
use crate::behaviour::check_finite;
use crate::error::at_least;

/// Mean responses of some units to the bins with enough items.
#[derive(Debug, Clone, PartialEq)]
pub struct TuningCurves {
    /// The units, as columns of the responses.
    pub units: Vec<usize>,
    /// The bins, as positions in [`Bins::names`].
    pub bins: Vec<usize>,
    /// Items of each bin.
    pub n_items: Vec<usize>,
    /// Mean response, `(n_units, n_bins)`.
    pub means: Array2<f64>,
    /// Standard error of the mean over items, s/√n with denominator n − 1 of s², `(n_units, n_bins)`.
    pub sems: Array2<f64>,
}

/// Mean response and its standard error for each bin with enough items.
///
/// # Shapes
///
/// `responses` is `(n_items, n_units)`, with the items of `bins` in the same order; `units` are columns.
///
/// # Errors
///
/// [`MethodsError::ShapeMismatch`](crate::MethodsError::ShapeMismatch), [`MethodsError::TooFew`](crate::MethodsError::TooFew) bins with enough items (1),
/// [`MethodsError::NonFinite`](crate::MethodsError::NonFinite), [`EmotionError::BadUnit`].
///
/// # Peers
///
/// `scipy.stats.sem` 1.17.1, to 1e-9.
pub fn tuning_curves(
    responses: ArrayView2<'_, f64>,
    bins: &Bins,
    units: &[usize],
) -> Result<TuningCurves> {
    bins.check_items(responses.nrows())?;
    let kept = bins.kept();
    at_least("bins with enough items", 1, kept.len())?;
    let n_units = responses.ncols();
    if let Some(&unit) = units.iter().find(|&&unit| unit >= n_units) {
        return Err(EmotionError::BadUnit { unit, n_units }.into());
    }
    let responses = responses.select(Axis(1), units);
    check_finite("the responses", responses.view())?;
    let shape = (units.len(), kept.len());
    let (mut means, mut sems) = (Array2::zeros(shape), Array2::zeros(shape));
    for (column, &bin) in kept.iter().enumerate() {
        let inside = |item: &usize| bins.of_items[*item] == Some(bin);
        let items: Vec<usize> = (0..responses.nrows()).filter(inside).collect();
        let n = items.len() as f64;
        for (row, unit) in responses.columns().into_iter().enumerate() {
            let values = || items.iter().map(|&item| unit[item]);
            let mean = values().sum::<f64>() / n;
            let squares: f64 = values().map(|v| (v - mean).powi(2)).sum();
            means[[row, column]] = mean;
            sems[[row, column]] = (squares / (n - 1.0) / n).sqrt();
        }
    }
    Ok(TuningCurves {
        units: units.to_vec(),
        n_items: kept.iter().map(|&bin| bins.counts[bin]).collect(),
        bins: kept,
        means,
        sems,
    })
}
