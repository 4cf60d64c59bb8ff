//! How many units of each layer are selective for each bin, by chance, and with which standard error.

use std::ops::Range;

use consilience_stats::correction::Procedure;
use consilience_stats::normal;
use consilience_stats::random::{Domain, Stream};
use ndarray::{Array3, ArrayView2, Axis, s};
use rayon::prelude::*;

use super::tally::{Criterion, Tallies};
use super::{Bins, EmotionError};
use crate::Result;
use crate::behaviour::{Selectivity, SelectivityParams, selectivity};
use crate::error::at_least;
use crate::interval::standard_error;

/// Units that belong together, such as a layer or a nucleus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnitRange {
    /// Name of the layer.
    pub name: String,
    /// Its units, as columns of the responses.
    pub units: Range<usize>,
}

/// Options of [`bin_selectivity`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BinSelectivityParams {
    /// d′ that a selective unit exceeds (default 0.65).
    pub threshold: f64,
    /// Level of Welch's test that a selective unit passes (default 0.05).
    pub alpha: f64,
    /// Correction of the p over all units and bins (default: none). With one, each shuffle and resample corrects its own.
    pub correction: Option<Procedure>,
    /// Shuffles of the items' bins, to count what is selective by chance (default 0).
    pub shuffles: usize,
    /// Bootstrap resamples of items, for standard errors (default 0).
    pub resamples: usize,
    /// Seed of shuffles and resamples (default 1).
    pub seed: u64,
}

impl Default for BinSelectivityParams {
    fn default() -> Self {
        Self {
            threshold: 0.65,
            alpha: 0.05,
            correction: None,
            shuffles: 0,
            resamples: 0,
            seed: 1,
        }
    }
}

/// A number of selective units, and how sure it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct UnitCount {
    /// Selective units.
    pub n: usize,
    /// Standard error by bootstrap over items; `None` without at least 2 resamples.
    pub sem: Option<f64>,
    /// Mean over shuffles; `None` without.
    pub by_chance: Option<f64>,
    /// One-sided p over shuffles, (1 + #{shuffled ≥ observed}) / (1 + shuffles); `None` without.
    pub p: Option<f64>,
}

/// Selective units of a layer.
#[derive(Debug, Clone, PartialEq)]
pub struct LayerCounts {
    /// Name of the layer.
    pub name: String,
    /// Units of the layer.
    pub n_units: usize,
    /// Units selective for each bin.
    pub bins: Vec<UnitCount>,
    /// Units selective for any bin.
    pub any: UnitCount,
}

impl LayerCounts {
    /// Share of the units that are selective for any bin.
    #[must_use]
    pub fn share(&self) -> f64 {
        self.any.n as f64 / self.n_units as f64
    }
}

/// Units that are selective for a bin of valence and arousal.
#[derive(Debug, Clone, PartialEq)]
pub struct BinSelectivity {
    /// The bins with enough items, as positions in [`Bins::names`].
    pub bins: Vec<usize>,
    /// Items that counted: those in some bin.
    pub n_items: usize,
    /// What is found of each unit; its categories are `bins`.
    pub units: Selectivity,
    /// Counts of each layer.
    pub layers: Vec<LayerCounts>,
    /// Counts of all resamples, `(n_resamples, n_layers, n_bins + 1)`, the last for any bin.
    pub resampled: Array3<u32>,
    /// Counts of all shuffles, in the same way.
    pub shuffled: Array3<u32>,
    /// What was asked for.
    pub params: BinSelectivityParams,
}

/// Looks for units that respond more to the items of one bin than to all others, and counts them by layer.
///
/// # Shapes
///
/// `responses` is `(n_items, n_units)`, with the items of `bins` in the same order; layers are ranges of units, which may overlap.
/// Without a layer there is one of all units.
///
/// # Definition
///
/// d′, Welch's test, tuning values and index of each unit are those of [`selectivity`] with the bins as categories: d′ =
/// (x̄ in − x̄ out)/√((s² in + s² out)/2), selective when d′ > threshold and p < alpha. Items of a bin that is left out count as outside; items of no bin
/// (in a gap between edges) do not count at all.
///
/// A shuffle permutes the bins of the items. A resample draws as many items with replacement, each with its bin; a unit is selective in it by
/// the same criteria, and not where it or the bin has no variance in the resample. Repeated items make a resample look more certain than the data, so the
/// mean of its counts is no estimate; their spread is the standard error: √(variance of the counts · n/(n − 1)).
/// Draws depend on the seed and the number of items alone, so counts of two epochs are paired ([`count_changes`]).
///
/// # Errors
///
/// [`MethodsError::ShapeMismatch`](crate::MethodsError::ShapeMismatch), [`EmotionError::TooFewBins`], [`EmotionError::BadLayer`], and those of [`selectivity`].
///
/// # References
///
/// Aparicio, Issa & DiCarlo 2016, doi:10.1523/JNEUROSCI.0935-16.2016 (d′ > 0.65); Liu et al. 2025, doi:10.1101/2025.10.20.683439; Efron
/// 1979, doi:10.1214/aos/1176344552.
///
/// # Peers
///
/// The formulas in NumPy and SciPy `ttest_ind` on the same draws, exactly.
pub fn bin_selectivity(
    responses: ArrayView2<'_, f64>,
    bins: &Bins,
    layers: &[UnitRange],
    params: &BinSelectivityParams,
) -> Result<BinSelectivity> {
    bins.check_items(responses.nrows())?;
    let kept = bins.kept();
    if kept.len() < 2 {
        return Err(EmotionError::TooFewBins {
            n_kept: kept.len(),
            n_bins: bins.names.len(),
            min_items: bins.min_items,
        }
        .into());
    }
    let n_units = responses.ncols();
    let layers = checked_layers(layers, n_units)?;
    let items: Vec<usize> = (0..responses.nrows())
        .filter(|&item| bins.of_items[item].is_some())
        .collect();
    let of_items: Vec<usize> = bins.of_items.iter().flatten().copied().collect();
    let responses = responses.select(Axis(0), &items);
    let labels: Vec<i64> = of_items.iter().map(|&bin| bin as i64).collect();
    let units = selectivity(
        responses.view(),
        &labels,
        &SelectivityParams {
            min_items: bins.min_items,
            threshold: params.threshold,
            alpha: params.alpha,
            correction: params.correction,
            shuffles: 0,
            seed: params.seed,
        },
    )?;
    let members: Vec<Option<usize>> = (of_items.iter())
        .map(|bin| kept.binary_search(bin).ok())
        .collect();
    let criterion = Criterion {
        threshold: params.threshold,
        alpha: params.alpha,
        correction: params.correction,
    };
    let tallies = Tallies::new(responses.view(), kept.len(), criterion);
    let shuffled = counts(params.shuffles, &layers, kept.len(), |index| {
        let mut draw = Stream::new(params.seed, Domain::Permutations, index);
        let order = draw.permutation(members.len());
        tallies.selective(
            order
                .iter()
                .enumerate()
                .map(|(i, &from)| (i, members[from], 1)),
        )
    });
    let resampled = counts(params.resamples, &layers, kept.len(), |index| {
        let mut draw = Stream::new(params.seed, Domain::Conditions, index);
        let times = draw.multiplicities(members.len()).into_iter().enumerate();
        tallies.selective(times.map(|(i, times)| (i, members[i], times)))
    });
    let observed = by_layer(&units.selective.view(), &layers);
    let found = layers.iter().enumerate().map(|(layer, range)| {
        let count = |bin: usize| {
            UnitCount::of(
                observed[layer][bin] as usize,
                &column(&shuffled, layer, bin),
                &column(&resampled, layer, bin),
                members.len(),
            )
        };
        LayerCounts {
            name: range.name.clone(),
            n_units: range.units.len(),
            bins: (0..kept.len()).map(count).collect(),
            any: count(kept.len()),
        }
    });
    Ok(BinSelectivity {
        layers: found.collect(),
        bins: kept,
        n_items: members.len(),
        units,
        resampled,
        shuffled,
        params: *params,
    })
}

/// A number of selective units in two epochs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CountChange {
    /// Selective units before and after.
    pub n: [usize; 2],
    /// After minus before.
    pub difference: f64,
    /// Standard error of the difference over resamples of items, the same for both.
    pub sem: f64,
    /// 95 % interval: the difference ± 1.96 standard errors.
    pub interval: [f64; 2],
    /// Two-sided p of no difference by the normal distribution; `None` when no resample has any difference from another.
    pub p: Option<f64>,
}

/// How the counts of a layer changed.
#[derive(Debug, Clone, PartialEq)]
pub struct LayerChanges {
    /// Name of the layer.
    pub name: String,
    /// Change of the units selective for each bin.
    pub bins: Vec<CountChange>,
    /// Change of the units selective for any bin.
    pub any: CountChange,
}

/// How the numbers of selective units differ between two epochs, or two sets of responses to the same items.
///
/// # Definition
///
/// Either count is bootstrapped over the same resamples of items, so what items do to both cancels in the difference. Nothing is corrected for the
/// number of bins and layers.
///
/// # Errors
///
/// [`EmotionError::Unpaired`] for another number of items, other bins, layers, criteria, resamples or seeds; [`MethodsError::TooFew`](crate::MethodsError::TooFew) resamples (2).
pub fn count_changes(before: &BinSelectivity, after: &BinSelectivity) -> Result<Vec<LayerChanges>> {
    at_least("resamples of either count", 2, before.params.resamples)?;
    let names = |of: &BinSelectivity| -> Vec<(String, usize)> {
        let layers = of.layers.iter();
        layers.map(|l| (l.name.clone(), l.n_units)).collect()
    };
    // Shuffles have no part in it.
    let options = |of: &BinSelectivity| BinSelectivityParams {
        shuffles: 0,
        ..of.params
    };
    for (what, same) in [
        ("their items", before.n_items == after.n_items),
        ("their bins", before.bins == after.bins),
        ("their layers", names(before) == names(after)),
        ("their options", options(before) == options(after)),
    ] {
        if !same {
            return Err(EmotionError::Unpaired { what }.into());
        }
    }
    let n_bins = before.bins.len();
    let layers = before.layers.iter().zip(&after.layers).enumerate();
    let changes = layers.map(|(layer, (a, b))| {
        let change = |bin: usize| {
            let count = |of: &LayerCounts| of.bins.get(bin).unwrap_or(&of.any).n;
            let [from, to] = [before, after].map(|set| column(&set.resampled, layer, bin));
            let differences = to.iter().zip(&from).map(|(to, from)| to - from);
            let differences: Vec<f64> = differences.collect();
            CountChange::of([count(a), count(b)], &differences, before.n_items)
        };
        LayerChanges {
            name: a.name.clone(),
            bins: (0..n_bins).map(change).collect(),
            any: change(n_bins),
        }
    });
    Ok(changes.collect())
}

impl CountChange {
    fn of(n: [usize; 2], resampled: &[f64], n_items: usize) -> Self {
        let difference = n[1] as f64 - n[0] as f64;
        let sem = standard_error(resampled, n_items).unwrap_or(0.0);
        let half = normal::quantile(0.975) * sem;
        Self {
            n,
            difference,
            sem,
            interval: [difference - half, difference + half],
            p: (sem > 0.0).then(|| (2.0 * normal::sf(difference.abs() / sem)).min(1.0)),
        }
    }
}

impl UnitCount {
    fn of(n: usize, shuffled: &[f64], resampled: &[f64], n_items: usize) -> Self {
        let n_shuffles = shuffled.len() as f64;
        let n_as_large = shuffled.iter().filter(|&&count| count >= n as f64).count();
        Self {
            n,
            sem: standard_error(resampled, n_items),
            by_chance: (n_shuffles > 0.0).then(|| shuffled.iter().sum::<f64>() / n_shuffles),
            p: (n_shuffles > 0.0).then(|| (1 + n_as_large) as f64 / (1.0 + n_shuffles)),
        }
    }
}

/// Counts of each draw, `(n_draws, n_layers, n_bins + 1)`.
fn counts(
    n_draws: usize,
    layers: &[UnitRange],
    n_bins: usize,
    selective: impl Fn(u64) -> ndarray::Array2<bool> + Sync,
) -> Array3<u32> {
    let all: Vec<u32> = (0..n_draws as u64)
        .into_par_iter()
        .flat_map_iter(|index| by_layer(&selective(index).view(), layers).concat())
        .collect();
    Array3::from_shape_vec((n_draws, layers.len(), n_bins + 1), all)
        .expect("a count for each draw, layer and bin")
}

/// Selective units of each layer: of each bin, then of any.
fn by_layer(selective: &ArrayView2<'_, bool>, layers: &[UnitRange]) -> Vec<Vec<u32>> {
    let of_layer = |layer: &UnitRange| -> Vec<u32> {
        let units = selective.slice(s![.., layer.units.clone()]);
        let count = |row: ndarray::ArrayView1<'_, bool>| row.iter().filter(|&&s| s).count() as u32;
        let any = units
            .columns()
            .into_iter()
            .filter(|unit| unit.iter().any(|&s| s));
        let any = any.count() as u32;
        units.rows().into_iter().map(count).chain([any]).collect()
    };
    layers.iter().map(of_layer).collect()
}

fn column(counts: &Array3<u32>, layer: usize, bin: usize) -> Vec<f64> {
    counts
        .slice(s![.., layer, bin])
        .iter()
        .map(|&n| f64::from(n))
        .collect()
}

fn checked_layers(layers: &[UnitRange], n_units: usize) -> Result<Vec<UnitRange>> {
    if layers.is_empty() {
        return Ok(vec![UnitRange {
            name: "all".to_owned(),
            units: 0..n_units,
        }]);
    }
    for UnitRange { name, units } in layers {
        if units.is_empty() || units.end > n_units {
            return Err(EmotionError::BadLayer {
                name: name.clone(),
                first: units.start,
                last: units.end,
                n_units,
            }
            .into());
        }
    }
    Ok(layers.to_vec())
}
