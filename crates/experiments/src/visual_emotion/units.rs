//! Units that are selective for a bin of valence and arousal, over repeats.

use consilience_core::{EmotionBin, NucleusSelectivity, SelectiveCount};
use consilience_methods::emotion::{
    BinSelectivity, BinSelectivityParams, Bins, UnitRange, bin_selectivity,
};
use consilience_stats::normal;
use ndarray::{Array2, Array3, ArrayView2, Axis};
use rayon::prelude::*;

use super::{Repeat, Wired};
use crate::error::Result;

/// What is found of the units of each repeat.
#[derive(Debug, Clone, PartialEq)]
pub struct UnitsFound {
    /// Names of the kept bins.
    pub bins: Vec<String>,
    /// For each repeat whether each unit is selective for each bin after training, `(n_bins, n_units)`.
    pub selective: Vec<Array2<bool>>,
    /// Counts and tuning, by nucleus and of all.
    pub nuclei: Vec<NucleusSelectivity>,
}

/// Bins as a record tells them.
#[must_use]
pub fn bin_records(bins: &Bins) -> Vec<EmotionBin> {
    let kept = bins.kept();
    let record = |bin: usize| EmotionBin {
        name: bins.names[bin].to_owned(),
        n: bins.counts[bin],
        is_kept: kept.contains(&bin),
    };
    (0..bins.names.len()).map(record).collect()
}

/// Counts selective units of the main module before and after training.
///
/// # Definition
///
/// Of each repeat as [`bin_selectivity`] does, with the same shuffles and resamples of stimuli; counts are means over repeats. The
/// shuffled count is the mean over shuffles and repeats, and its p compares the mean count over repeats with that of each shuffle.
/// Standard errors are those of the mean count over resamples of stimuli.
///
/// # Errors
///
/// Those of [`bin_selectivity`].
pub fn selective_units(
    wired: &Wired,
    repeats: &[Repeat],
    bins: &Bins,
    params: &BinSelectivityParams,
) -> Result<UnitsFound> {
    let mut layers: Vec<UnitRange> = (wired.nuclei.iter())
        .zip(wired.ranges())
        .map(|((name, _), units)| UnitRange {
            name: name.clone(),
            units,
        })
        .collect();
    layers.push(UnitRange {
        name: "all".to_owned(),
        units: 0..wired.n_units(),
    });
    let look = |units: ArrayView2<'_, f32>, shuffles: usize| {
        let params = BinSelectivityParams {
            shuffles,
            ..*params
        };
        bin_selectivity(units.mapv(f64::from).view(), bins, &layers, &params)
    };
    let found = repeats
        .par_iter()
        .map(|repeat| {
            let before = look(repeat.units.index_axis(Axis(0), 0), 0)?;
            Ok([before, look(repeat.units_after.view(), params.shuffles)?])
        })
        .collect::<Result<Vec<[BinSelectivity; 2]>>>()?;
    let kept = bins.kept();
    let names: Vec<String> = kept.iter().map(|&bin| bins.names[bin].to_owned()).collect();
    let n_items = found.first().map_or(0, |[before, _]| before.n_items);
    let of_layer = |layer: usize| {
        let count = |bin: usize| {
            let observed = |which: usize| {
                let of = |repeat: &[BinSelectivity; 2]| {
                    let layer = &repeat[which].layers[layer];
                    layer.bins.get(bin).unwrap_or(&layer.any).n as f64
                };
                average(found.iter().map(of))
            };
            let draws = |of: &dyn Fn(&[BinSelectivity; 2]) -> Vec<f64>| -> Vec<f64> {
                let all: Vec<Vec<f64>> = found.iter().map(of).collect();
                let n = all.first().map_or(0, Vec::len);
                (0..n)
                    .map(|draw| average(all.iter().map(|repeat| repeat[draw])))
                    .collect()
            };
            let column = |counts: &Array3<u32>| -> Vec<f64> {
                let counts = counts.slice(ndarray::s![.., layer, bin]);
                counts.iter().map(|&n| f64::from(n)).collect()
            };
            let [resampled_before, resampled_after] =
                [0, 1].map(|which| draws(&|repeat| column(&repeat[which].resampled)));
            let shuffled = draws(&|repeat| column(&repeat[1].shuffled));
            let (before, after) = (observed(0), observed(1));
            let changes = resampled_after.iter().zip(&resampled_before);
            let changes: Vec<f64> = changes.map(|(after, before)| after - before).collect();
            let n_shuffles = shuffled.len() as f64;
            let n_as_large = shuffled.iter().filter(|&&n| n >= after).count() as f64;
            SelectiveCount {
                bin: names.get(bin).cloned().unwrap_or_else(|| "any".to_owned()),
                before,
                before_sem: standard_error(&resampled_before, n_items),
                after,
                after_sem: standard_error(&resampled_after, n_items),
                shuffled: (n_shuffles > 0.0).then(|| average(shuffled.iter().copied())),
                p_shuffled: (n_shuffles > 0.0).then(|| (1.0 + n_as_large) / (1.0 + n_shuffles)),
                p_change: standard_error(&changes, n_items)
                    .filter(|sem| *sem > 0.0)
                    .map(|sem| (2.0 * normal::sf((after - before).abs() / sem)).min(1.0)),
            }
        };
        NucleusSelectivity {
            nucleus: layers[layer].name.clone(),
            n_units: layers[layer].units.len(),
            counts: (0..=kept.len()).map(count).collect(),
            tuning: (0..kept.len())
                .map(|bin| tuning(&found, &layers[layer], bin, kept.len()))
                .collect(),
        }
    };
    Ok(UnitsFound {
        bins: names.clone(),
        selective: (found.iter())
            .map(|[_, after]| after.units.selective.clone())
            .collect(),
        nuclei: (0..layers.len()).map(of_layer).collect(),
    })
}

fn average(values: impl Iterator<Item = f64>) -> f64 {
    let (n, sum) = values.fold((0.0, 0.0), |(n, sum), value| (n + 1.0, sum + value));
    if n > 0.0 { sum / n } else { 0.0 }
}

/// Spread of a count over resamples of n items, as that over samples: times n ÷ (n − 1).
fn standard_error(resampled: &[f64], n_items: usize) -> Option<f64> {
    if resampled.len() < 2 || n_items < 2 {
        return None;
    }
    let mean = average(resampled.iter().copied());
    let squares: f64 = resampled.iter().map(|n| (n - mean).powi(2)).sum();
    let variance = squares / (resampled.len() - 1) as f64;
    Some((variance * n_items as f64 / (n_items - 1) as f64).sqrt())
}

/// Mean tuning values in each bin of the units of all repeats that are selective for `bin`.
fn tuning(
    found: &[[BinSelectivity; 2]],
    layer: &UnitRange,
    bin: usize,
    n_bins: usize,
) -> Option<Vec<f64>> {
    let mut sums = vec![0.0; n_bins];
    let mut n = 0.0;
    for [_, after] in found {
        for unit in layer
            .units
            .clone()
            .filter(|&unit| after.units.selective[[bin, unit]])
        {
            n += 1.0;
            for (to, sum) in sums.iter_mut().enumerate() {
                *sum += after.units.tuning[[to, unit]].unwrap_or(0.0);
            }
        }
    }
    (n > 0.0).then(|| sums.iter().map(|sum| sum / n).collect())
}
