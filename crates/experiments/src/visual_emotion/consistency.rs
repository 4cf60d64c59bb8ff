//! Whether units that are selective for stimuli are so for a second set of pictures, over repeats.

use std::ops::Range;

use consilience_core::{NucleusConsistency, UnitOverlap, UnitPreference};
use consilience_methods::behaviour::{SelectivityParams, selectivity};
use consilience_methods::emotion::{
    BinSelectivityParams, Bins, Overlap, SamePreference, bin_selectivity, consistent_units,
    overlap_in_layers, same_bin, same_preference, shared_bins,
};
use ndarray::{Array2, ArrayView2, Axis};
use rayon::prelude::*;

use super::Wired;
use super::score::{mean, sd};
use crate::error::Result;

/// Share of units with the lowest selectivity index that Liu et al. 2024 drop.
const DROPPED: f64 = 0.2;

/// Units of all nuclei for the pictures of some bins.
#[derive(Debug, Clone, Copy)]
pub struct Units<'a> {
    /// For each repeat, `(n_pictures, n_units)`.
    pub of_repeats: &'a [ArrayView2<'a, f32>],
    /// Their bins.
    pub bins: &'a Bins,
}

/// What units do in two sets of pictures.
#[derive(Debug, Clone, PartialEq)]
pub struct Consistency {
    /// Names of the bins that are kept in both sets.
    pub bins: Vec<String>,
    /// For each repeat whether each unit is selective for each of these, in either set, `(n_bins, n_units)`.
    pub selective: Vec<[Array2<bool>; 2]>,
    /// Nuclei, then all.
    pub nuclei: Vec<NucleusConsistency>,
}

/// What is found in one repeat.
struct Found {
    selective: [Array2<bool>; 2],
    /// For each nucleus and all, each shared bin and any.
    overlaps: Vec<Vec<Overlap>>,
    preferences: Vec<SamePreference>,
    /// Genuine units of each nucleus, and how many are expected.
    genuine: Vec<[f64; 2]>,
}

/// Compares selective units of trained modules in two sets of pictures.
///
/// # Definition
///
/// A unit is selective in either set as [`bin_selectivity`] says, with the bins, and against all other pictures, of that set. Bins with enough
/// pictures in both are compared: within a nucleus as [`overlap`](consilience_methods::emotion::overlap()), over all nuclei as
/// [`overlap_in_layers`]; for any bin a unit counts as in both when it is selective for the same one ([`same_bin`], with as many permutations of units
/// as shuffles). What units prefer is [`same_preference`], and genuine units are those of
/// [`consistent_units`] with the pictures of shared bins, within each nucleus, which for all are summed.
///
/// Counts are means over repeats; shares are ratios of these means. p of a count is that of each repeat, merged as ⌈m/2⌉-th smallest of m times
/// m ÷ ⌈m/2⌉, at most 1: repeats share pictures and features, and this holds however they depend on each other. The share of
/// preferences is compared with that of the same shuffle in all repeats.
///
/// # Errors
///
/// Those of [`bin_selectivity`] and [`same_preference`], for fewer than two shared bins among others.
///
/// # References
///
/// Liu, Bo, Ding & Fang 2024, doi:10.1371/journal.pcbi.1011943; Vovk & Wang 2020, doi:10.1093/biomet/asaa027 (merged p, after Rüger 1978).
pub fn consistency(
    wired: &Wired,
    first: Units<'_>,
    second: Units<'_>,
    params: &BinSelectivityParams,
) -> Result<Consistency> {
    let shared = shared_bins(first.bins, second.bins)?;
    let layers = wired.ranges();
    let pairs: Vec<_> = (first.of_repeats.iter().zip(second.of_repeats)).collect();
    let found = pairs
        .into_par_iter()
        .map(|(a, b)| {
            let [a, b] = [a, b].map(|units| units.mapv(f64::from));
            let sets = [(a.view(), first.bins), (b.view(), second.bins)];
            one(sets, &shared, &layers, params)
        })
        .collect::<Result<Vec<Found>>>()?;
    let names: Vec<String> = (shared.iter())
        .map(|&bin| first.bins.names[bin].to_owned())
        .collect();
    let titles = wired
        .nuclei
        .iter()
        .map(|(name, width)| (name.clone(), *width));
    let titles = titles.chain([("all".to_owned(), wired.n_units())]);
    let nuclei = titles.enumerate().map(|(layer, (nucleus, n_units))| {
        let overlaps = (0..=names.len()).map(|row| {
            let of = found.iter().map(|of| &of.overlaps[layer][row]);
            let bin = names.get(row).map_or("any", String::as_str);
            overlap_over_repeats(bin, &of.collect::<Vec<_>>())
        });
        let preferences: Vec<&SamePreference> =
            found.iter().map(|of| &of.preferences[layer]).collect();
        let genuine = |which: usize| average(found.iter().map(|of| of.genuine[layer][which]));
        NucleusConsistency {
            nucleus,
            n_units,
            overlaps: overlaps.collect(),
            preference: UnitPreference {
                genuine: genuine(0),
                genuine_expected: genuine(1),
                ..preference_over_repeats(&preferences)
            },
        }
    });
    let nuclei = nuclei.collect();
    Ok(Consistency {
        bins: names,
        selective: found.into_iter().map(|of| of.selective).collect(),
        nuclei,
    })
}

/// What is found in the repeat whose units these are.
fn one(
    sets: [(ArrayView2<'_, f64>, &Bins); 2],
    shared: &[usize],
    layers: &[Range<usize>],
    params: &BinSelectivityParams,
) -> Result<Found> {
    let plain = BinSelectivityParams {
        shuffles: 0,
        resamples: 0,
        ..*params
    };
    let selective = |(units, bins): (ArrayView2<'_, f64>, &Bins)| -> Result<Array2<bool>> {
        let found = bin_selectivity(units, bins, &[], &plain)?;
        let rows = shared
            .iter()
            .filter_map(|bin| found.bins.binary_search(bin).ok());
        Ok(found
            .units
            .selective
            .select(Axis(0), &rows.collect::<Vec<_>>()))
    };
    let [first, second] = [selective(sets[0])?, selective(sets[1])?];
    let overlaps = |layers: &[Range<usize>]| -> Result<Vec<Overlap>> {
        let rows = first.rows().into_iter().zip(second.rows());
        let of_bins = rows.map(|(a, b)| overlap_in_layers(&a.to_vec(), &b.to_vec(), layers));
        let permutations = params.shuffles.max(1);
        let any = same_bin(
            first.view(),
            second.view(),
            layers,
            permutations,
            params.seed,
        );
        Ok(of_bins
            .chain([any])
            .collect::<std::result::Result<_, _>>()?)
    };
    let each = layers
        .iter()
        .map(|layer| overlaps(std::slice::from_ref(layer)));
    let overlaps = each.chain([overlaps(layers)]).collect::<Result<_>>()?;
    let whole = 0..first.ncols();
    let all = [layers, std::slice::from_ref(&whole)].concat();
    let preferences = same_preference(sets[0], sets[1], &all, params.shuffles, params.seed)?;
    let mut genuine = layers
        .iter()
        .map(|layer| genuine(sets, shared, layer))
        .collect::<Result<Vec<[f64; 2]>>>()?;
    let sum = genuine
        .iter()
        .fold([0.0; 2], |sum, of| [sum[0] + of[0], sum[1] + of[1]]);
    genuine.push(sum);
    Ok(Found {
        selective: [first, second],
        overlaps,
        preferences,
        genuine,
    })
}

/// Genuine units of a nucleus by the rule of Liu et al. 2024, and how many are expected of unrelated preferences.
fn genuine(
    sets: [(ArrayView2<'_, f64>, &Bins); 2],
    shared: &[usize],
    layer: &Range<usize>,
) -> Result<[f64; 2]> {
    let of_set = |(units, bins): (ArrayView2<'_, f64>, &Bins)| {
        let (items, labels): (Vec<usize>, Vec<i64>) = (bins.of_items.iter().enumerate())
            .filter_map(|(item, bin)| Some((item, bin.filter(|bin| shared.contains(bin))? as i64)))
            .unzip();
        let columns: Vec<usize> = layer.clone().collect();
        let units = units.select(Axis(0), &items).select(Axis(1), &columns);
        let params = SelectivityParams {
            min_items: bins.min_items,
            ..SelectivityParams::default()
        };
        selectivity(units.view(), &labels, &params)
    };
    let found = consistent_units(&of_set(sets[0])?, &of_set(sets[1])?, DROPPED)?;
    let expected = found.overlaps.iter().map(|of| of.expected).sum();
    Ok([found.counts.iter().sum::<usize>() as f64, expected])
}

fn overlap_over_repeats(bin: &str, of: &[&Overlap]) -> UnitOverlap {
    let both: Vec<Option<f64>> = of.iter().map(|o| Some(o.n_both as f64)).collect();
    let [first, second] = [0, 1].map(|set| average(of.iter().map(|o| o.n[set] as f64)));
    let n_both = average(of.iter().map(|o| o.n_both as f64));
    let either = average(of.iter().map(|o| o.n_either as f64));
    UnitOverlap {
        bin: bin.to_owned(),
        first,
        second,
        both: n_both,
        both_sd: sd(&both),
        expected: average(of.iter().map(|o| o.expected)),
        kept: (first > 0.0).then(|| n_both / first),
        jaccard: (either > 0.0).then(|| n_both / either),
        p: merged(of.iter().map(|o| o.p).collect()),
    }
}

/// Shares of preferences over repeats, without genuine units.
fn preference_over_repeats(of: &[&SamePreference]) -> UnitPreference {
    let share = |n: f64, of: &SamePreference| (of.n > 0).then(|| n / of.n as f64);
    let shares = |at: &dyn Fn(&SamePreference) -> f64| -> Option<f64> {
        mean(&of.iter().map(|of| share(at(of), of)).collect::<Vec<_>>())
    };
    let same = shares(&|of| of.n_same as f64);
    let n_shuffles = of.iter().map(|of| of.shuffled.len()).min().unwrap_or(0);
    let shuffled = (0..n_shuffles).map(|draw| shares(&|of| f64::from(of.shuffled[draw])));
    let shuffled: Vec<Option<f64>> = shuffled.collect();
    let as_large = |same: f64| shuffled.iter().flatten().filter(|s| **s >= same).count();
    UnitPreference {
        same,
        shuffled: mean(&shuffled),
        shuffled_sd: sd(&shuffled),
        p: same
            .filter(|_| n_shuffles > 0)
            .map(|same| (1 + as_large(same)) as f64 / (1 + n_shuffles) as f64),
        genuine: 0.0,
        genuine_expected: 0.0,
    }
}

/// One p from those of repeats, which may depend on each other in any way.
pub(super) fn merged(mut p: Vec<f64>) -> f64 {
    p.sort_by(f64::total_cmp);
    let middle = p.len().div_ceil(2);
    match middle.checked_sub(1) {
        None => 1.0,
        Some(place) => (p.len() as f64 / middle as f64 * p[place]).min(1.0),
    }
}

fn average(values: impl Iterator<Item = f64>) -> f64 {
    let (n, sum) = values.fold((0.0, 0.0), |(n, sum), value| (n + 1.0, sum + value));
    if n > 0.0 { sum / n } else { 0.0 }
}
