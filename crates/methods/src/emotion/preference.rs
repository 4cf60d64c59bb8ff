//! Whether units prefer the same bin in two sets of items.

use std::ops::Range;

use consilience_stats::random::{Domain, Stream};
use ndarray::{Array2, ArrayView2, Axis};
use rayon::prelude::*;

use super::{Bins, EmotionError};
use crate::Result;
use crate::behaviour::check_finite;
use crate::error::same_count;

/// Units of a layer that prefer the same bin in two sets of items.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SamePreference {
    /// Units with a preference in both sets.
    pub n: usize,
    /// Those that prefer the same.
    pub n_same: usize,
    /// The same count for each shuffle.
    pub shuffled: Vec<u32>,
}

/// The bins that have enough items in both sets, as positions in [`Bins::names`].
///
/// # Errors
///
/// [`MethodsError::ShapeMismatch`](crate::MethodsError::ShapeMismatch) for bins of another kind.
pub fn shared_bins(first: &Bins, second: &Bins) -> Result<Vec<usize>> {
    same_count(
        "bins of the second set of items",
        first.names.len(),
        second.names.len(),
    )?;
    let kept = second.kept();
    let both = first.kept().into_iter();
    Ok(both.filter(|bin| kept.contains(bin)).collect())
}

/// Counts units that prefer the same bin in two sets of items.
///
/// # Shapes
///
/// Both responses are `(n_items, n_units)`, each of the items of its bins in the same order; `layers` are ranges of units.
///
/// # Definition
///
/// A unit prefers the bin with the largest mean response, of those with enough items in both sets (the first of equals); that is the
/// one of the largest tuning value. A unit that gives the same response to all items of a set has no preference. A shuffle permutes the bins of the
/// second set's items that have one.
///
/// # Errors
///
/// [`MethodsError::ShapeMismatch`](crate::MethodsError::ShapeMismatch), [`MethodsError::NonFinite`](crate::MethodsError::NonFinite),
/// [`EmotionError::TooFewBins`], [`EmotionError::BadLayer`].
///
/// # References
///
/// Liu, Bo, Ding & Fang 2024, doi:10.1371/journal.pcbi.1011943 (preference by tuning value).
pub fn same_preference(
    (first, first_bins): (ArrayView2<'_, f64>, &Bins),
    (second, second_bins): (ArrayView2<'_, f64>, &Bins),
    layers: &[Range<usize>],
    shuffles: usize,
    seed: u64,
) -> Result<Vec<SamePreference>> {
    let n_units = first.ncols();
    same_count("units of the second responses", n_units, second.ncols())?;
    for (responses, bins) in [(first, first_bins), (second, second_bins)] {
        bins.check_items(responses.nrows())?;
        check_finite("the responses", responses)?;
    }
    let shared = shared_bins(first_bins, second_bins)?;
    if shared.len() < 2 {
        return Err(EmotionError::TooFewBins {
            n_kept: shared.len(),
            n_bins: first_bins.names.len(),
            min_items: first_bins.min_items,
        }
        .into());
    }
    if let Some(layer) = layers.iter().find(|l| l.is_empty() || l.end > n_units) {
        return Err(EmotionError::BadLayer {
            name: format!("{}..{}", layer.start, layer.end),
            first: layer.start,
            last: layer.end,
            n_units,
        }
        .into());
    }
    let of_first = preferred(first, &first_bins.of_items, &shared);
    let (binned, labels): (Vec<usize>, Vec<usize>) = (second_bins.of_items.iter().enumerate())
        .filter_map(|(item, bin)| Some((item, (*bin)?)))
        .unzip();
    let responses = second.select(Axis(0), &binned);
    let count = |labels: Vec<Option<usize>>| -> Vec<[usize; 2]> {
        let of_second = preferred(responses.view(), &labels, &shared);
        let pairs = |layer: &Range<usize>| -> [usize; 2] {
            let pairs = layer.clone().filter_map(|u| of_first[u].zip(of_second[u]));
            pairs.fold([0, 0], |[n, same], (a, b)| {
                [n + 1, same + usize::from(a == b)]
            })
        };
        layers.iter().map(pairs).collect()
    };
    let observed = count(labels.iter().copied().map(Some).collect());
    let shuffled: Vec<Vec<[usize; 2]>> = (0..shuffles as u64)
        .into_par_iter()
        .map(|index| {
            let order = Stream::new(seed, Domain::Permutations, index).permutation(labels.len());
            count(order.into_iter().map(|from| Some(labels[from])).collect())
        })
        .collect();
    let of_layer = |layer: usize| SamePreference {
        n: observed[layer][0],
        n_same: observed[layer][1],
        shuffled: shuffled.iter().map(|of| of[layer][1] as u32).collect(),
    };
    Ok((0..layers.len()).map(of_layer).collect())
}

/// The preferred of some bins for each unit.
fn preferred(
    responses: ArrayView2<'_, f64>,
    labels: &[Option<usize>],
    bins: &[usize],
) -> Vec<Option<usize>> {
    let n_units = responses.ncols();
    let mut means = Array2::<f64>::zeros((bins.len(), n_units));
    let mut counts = vec![0.0_f64; bins.len()];
    for (row, label) in responses.rows().into_iter().zip(labels) {
        let place = label.and_then(|bin| bins.iter().position(|of| *of == bin));
        if let Some(place) = place {
            counts[place] += 1.0;
            let mut sum = means.row_mut(place);
            sum += &row;
        }
    }
    for (mut row, n) in means.rows_mut().into_iter().zip(&counts) {
        row /= n.max(1.0);
    }
    let of_unit = |unit: usize| {
        let column = responses.column(unit);
        let varies = column.iter().any(|v| *v != column[0]);
        let best = |best: usize, bin: usize| match means[[bin, unit]] > means[[best, unit]] {
            true => bin,
            false => best,
        };
        varies.then(|| (1..bins.len()).fold(0, best))
    };
    (0..n_units).map(of_unit).collect()
}
