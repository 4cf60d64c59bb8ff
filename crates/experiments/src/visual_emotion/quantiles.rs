//! Means of given and predicted ratings in bins of the given ones.

use consilience_core::EmotionQuantiles;
use consilience_methods::behaviour::quantile_table;
use ndarray::{Array2, ArrayView2};

use super::score::{mean, scores, sd};
use crate::error::Result;

/// Bins of the released program.
pub const N_QUANTILES: usize = 25;

/// Fewest stimuli of a bin, on average.
const FEWEST: usize = 2;

/// Divides stimuli by each given rating into bins of about equal size, and compares the means of the bins.
///
/// # Shapes
///
/// `ratings` and each of `repeats` are `(n_stimuli, n_ratings)`.
///
/// # Definition
///
/// Bins are those of [`quantile_table`]: [`N_QUANTILES`] of them, or half as many as stimuli where that is fewer; those between equal edges are
/// merged. Of each repeat, predictions are averaged in each bin, and these means scored against the means of given ratings as single stimuli
/// are by [`scores`], without intervals; values are means over repeats. As noise averages out within bins, r is above that of the stimuli, and
/// says nothing of single ones. `None` for fewer than three bins.
///
/// # Errors
///
/// Those of [`quantile_table`] and [`scores`].
///
/// # Peers
///
/// pandas `qcut(duplicates="drop")` and the mean of each group.
pub fn quantiles(
    ratings: ArrayView2<'_, f64>,
    repeats: &[ArrayView2<'_, f64>],
) -> Result<Vec<Option<EmotionQuantiles>>> {
    let n_bins = N_QUANTILES.min(ratings.nrows() / FEWEST);
    let of_rating = |column: usize| {
        let given = ratings.column(column);
        let tables = repeats.iter().map(|repeat| {
            let predicted = repeat.column(column);
            quantile_table(given, predicted, n_bins)
        });
        let tables = tables.collect::<std::result::Result<Vec<_>, _>>()?;
        let Some(first) = tables.first().filter(|table| table.counts.len() > 2) else {
            return Ok(None);
        };
        let column_of =
            |values: &[f64]| Array2::from_shape_fn((values.len(), 1), |(bin, _)| values[bin]);
        let binned: Vec<Array2<f64>> = tables.iter().map(|t| column_of(&t.predicted)).collect();
        let views: Vec<ArrayView2<'_, f64>> = binned.iter().map(|b| b.view()).collect();
        let mut score = scores(column_of(&first.actual).view(), &views, 0, 0)?;
        let over_repeats = |of: &dyn Fn(&[Option<f64>]) -> Option<f64>| -> Vec<Option<f64>> {
            let bins = 0..first.counts.len();
            bins.map(|bin| {
                let found = tables.iter().map(|table| Some(table.predicted[bin]));
                of(&found.collect::<Vec<_>>())
            })
            .collect()
        };
        Ok(Some(EmotionQuantiles {
            edges: first.edges.clone(),
            counts: first.counts.clone(),
            given: first.actual.clone(),
            predicted: over_repeats(&|found| mean(found))
                .into_iter()
                .flatten()
                .collect(),
            predicted_sd: over_repeats(&|found| sd(found)),
            score: score.remove(0),
        }))
    };
    (0..ratings.ncols()).map(of_rating).collect()
}
