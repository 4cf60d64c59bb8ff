//! Means of predictions in quantiles of what they predict.

use consilience_stats::correlation::pearson;
use ndarray::{ArrayView1, Axis};

use super::BehaviourError;
use super::correlations::check_finite;
use crate::Result;
use crate::error::{at_least, same_count};

/// Bins of actual values with their means.
#[derive(Debug, Clone, PartialEq)]
pub struct QuantileTable {
    /// Edges, one more than bins.
    pub edges: Vec<f64>,
    /// Items of each bin.
    pub counts: Vec<usize>,
    /// Mean of the actual values in each bin.
    pub actual: Vec<f64>,
    /// Mean of the predictions in each bin.
    pub predicted: Vec<f64>,
    /// Bins that were asked for and fell together with others, because so many values are equal.
    pub n_merged: usize,
    /// Correlation of the means; `None` for fewer than 2 bins with items or equal means. Its square is the R² of a
    /// line through them.
    pub r: Option<f64>,
}

/// Divides items into bins of about equal size by what was measured, and averages what was predicted.
///
/// # Shapes
///
/// `actual` and `predicted` are `(n_items,)`.
///
/// # Definition
///
/// Edge k of b bins is the quantile k/b of `actual`, linear between order statistics. A bin holds its upper edge
/// and not its lower one, except for the lowest. Bins between equal edges are merged. Means of bins agree better
/// than items do: r grows as noise averages out, so it says nothing of single items.
///
/// # Errors
///
/// [`MethodsError::ShapeMismatch`](crate::MethodsError::ShapeMismatch), [`MethodsError::TooFew`](crate::MethodsError::TooFew) bins or items (one a bin),
/// [`MethodsError::NonFinite`](crate::MethodsError::NonFinite), [`BehaviourError::OneValue`].
///
/// # Example
///
/// ```
/// use consilience_methods::behaviour::quantile_table;
/// use ndarray::array;
///
/// let actual = array![1.0, 2.0, 3.0, 4.0];
/// let table = quantile_table(actual.view(), array![0.0, 2.0, 4.0, 4.0].view(), 2)?;
/// assert_eq!(table.edges, [1.0, 2.5, 4.0]);
/// assert_eq!((table.actual, table.predicted), (vec![1.5, 3.5], vec![1.0, 4.0]));
/// # Ok::<(), consilience_methods::MethodsError>(())
/// ```
///
/// # Peers
///
/// pandas `qcut(duplicates="drop")`, to 1e-12.
pub fn quantile_table(
    actual: ArrayView1<'_, f64>,
    predicted: ArrayView1<'_, f64>,
    n_bins: usize,
) -> Result<QuantileTable> {
    let n = actual.len();
    same_count("predictions, one for each actual value", n, predicted.len())?;
    for (what, needed, found) in [
        ("bins of the quantile table", 1, n_bins),
        ("items to divide into bins", n_bins, n),
    ] {
        at_least(what, needed, found)?;
    }
    check_finite("the actual values", actual.insert_axis(Axis(0)))?;
    check_finite("the predictions", predicted.insert_axis(Axis(0)))?;
    let mut sorted = actual.to_vec();
    sorted.sort_by(f64::total_cmp);
    if sorted[0] == sorted[n - 1] {
        return Err(BehaviourError::OneValue {
            what: "the actual values",
        }
        .into());
    }
    let mut edges: Vec<f64> = (0..=n_bins)
        .map(|k| quantile(&sorted, k as f64 / n_bins as f64))
        .collect();
    edges.dedup();
    let n_found = edges.len() - 1;
    let mut counts = vec![0; n_found];
    let (mut sums, mut predictions) = (vec![0.0; n_found], vec![0.0; n_found]);
    for (&value, &prediction) in actual.iter().zip(predicted) {
        // Upper edges belong to their bin, the lowest edge to the first.
        let bin = edges[1..n_found].partition_point(|edge| *edge < value);
        counts[bin] += 1;
        sums[bin] += value;
        predictions[bin] += prediction;
    }
    // Interpolated edges can leave a bin between two neighbours empty.
    let kept: Vec<usize> = (0..n_found).filter(|&bin| counts[bin] > 0).collect();
    let mean = |sums: &[f64]| -> Vec<f64> {
        kept.iter()
            .map(|&bin| sums[bin] / counts[bin] as f64)
            .collect()
    };
    let (actual, predicted) = (mean(&sums), mean(&predictions));
    let mut kept_edges = vec![edges[0]];
    kept_edges.extend(kept.iter().map(|&bin| edges[bin + 1]));
    Ok(QuantileTable {
        edges: kept_edges,
        r: pearson(&actual, &predicted),
        counts: kept.iter().map(|&bin| counts[bin]).collect(),
        n_merged: n_bins - kept.len(),
        actual,
        predicted,
    })
}

/// Quantile `share` of ascending values, linear between neighbours.
pub(crate) fn quantile(sorted: &[f64], share: f64) -> f64 {
    let place = share * (sorted.len() - 1) as f64;
    let below = place.floor() as usize;
    let above = (below + 1).min(sorted.len() - 1);
    let fraction = place - below as f64;
    // As NumPy does, from the nearer end, so that equal neighbours give exactly themselves.
    let step = sorted[above] - sorted[below];
    if fraction < 0.5 {
        sorted[below] + step * fraction
    } else {
        sorted[above] - step * (1.0 - fraction)
    }
}
