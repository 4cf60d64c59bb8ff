//! What becomes of predictions when units are made to respond more, or not at all.

use std::sync::atomic::{AtomicUsize, Ordering};

use consilience_core::GainCurve;
use consilience_stats::correlation::pearson;
use consilience_stats::random::{Domain, Stream};
use ndarray::{Array2, ArrayView2};
use rayon::prelude::*;

use super::changed_units::chosen;
use super::score::{mean, sd};
use super::{ChangedUnits, TrainedRepeat, Wired};

/// Options of [`gains`].
#[derive(Debug, Clone, PartialEq)]
pub struct GainParams {
    /// α.
    pub gains: Vec<f64>,
    /// Sets of random units that each gain is compared with.
    pub random_sets: usize,
    /// Seed of these sets.
    pub seed: u64,
    /// Whether units of single bins are changed within each nucleus too, and not only in all together.
    pub bins_within_nuclei: bool,
}

/// Changes the gain of units that are selective for any bin, in each nucleus and in all, and for single bins, in all and, where it is asked for, in
/// each nucleus; and silences whole nuclei.
///
/// # Definition
///
/// r is that of the ratings of all stimuli by the changed modules, mean over repeats. Set i of random units has as many units of the
/// same nuclei, drawn anew for each repeat; the mean over repeats of each set is one value, and p compares r with these:
/// (1 + #{|value − their mean| ≥ |r − their mean|}) / (1 + sets). Units that are selective may be among the random ones. α = 0, and what
/// has no unit in any repeat, is not computed anew.
///
/// Every curve with units takes gains × (1 + random sets) × repeats passes of the module over the stimuli. With k nuclei and b bins there are
/// k + 1 + b of them for each of the `units`, and k·b more within nuclei.
#[must_use]
pub fn gains(
    wired: &Wired,
    repeats: &[TrainedRepeat],
    ratings: ArrayView2<'_, f64>,
    names: &[String],
    units: &[ChangedUnits],
    params: &GainParams,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Vec<GainCurve> {
    let chosen = chosen(wired, repeats.len(), units, params);
    // A job: what is chosen, α, and the set of random units, of which 0 is no random one.
    let mut jobs = Vec::new();
    for (curve, of_curve) in chosen.iter().enumerate() {
        for (at, _) in of_curve
            .gains
            .iter()
            .enumerate()
            .filter(|(_, a)| **a != 0.0 && !of_curve.is_empty())
        {
            let n_sets = if of_curve.is_compared {
                params.random_sets
            } else {
                0
            };
            jobs.extend((0..=n_sets).map(|set| (curve, at, set)));
        }
    }
    let given: Vec<Vec<f64>> = ratings.columns().into_iter().map(|c| c.to_vec()).collect();
    let correlations = |found: &Array2<f64>| -> Vec<Option<f64>> {
        let of =
            |(rating, actual): (usize, &Vec<f64>)| pearson(actual, &found.column(rating).to_vec());
        given.iter().enumerate().map(of).collect()
    };
    let over_repeats = |r: &[Vec<Option<f64>>]| -> Vec<Option<f64>> {
        let of = |rating: usize| mean(&r.iter().map(|r| r[rating]).collect::<Vec<_>>());
        (0..given.len()).map(of).collect()
    };
    let intact = repeats.iter();
    let intact = intact.map(|repeat| correlations(&repeat.ratings(wired, &[], 0.0)));
    let intact = over_repeats(&intact.collect::<Vec<_>>());
    let n_done = AtomicUsize::new(0);
    let found: Vec<Vec<Option<f64>>> = jobs
        .par_iter()
        .map(|&(curve, at, set)| {
            let of_curve = &chosen[curve];
            let r = repeats.iter().enumerate().map(|(idx, repeat)| {
                let units = match set {
                    0 => of_curve.sets[idx].clone(),
                    set => {
                        let draw = (idx * (params.random_sets + 1) + set) as u64;
                        random_like(wired, &of_curve.sets[idx], params.seed, draw)
                    }
                };
                correlations(&repeat.ratings(wired, &units, of_curve.gains[at]))
            });
            let r = over_repeats(&r.collect::<Vec<_>>());
            progress(1 + n_done.fetch_add(1, Ordering::Relaxed), jobs.len());
            r
        })
        .collect();
    let mut curves = Vec::new();
    for (curve, of_curve) in chosen.iter().enumerate() {
        for (rating, name) in names.iter().enumerate() {
            let at = |gain: usize, random: bool| -> Vec<Option<f64>> {
                let jobs = jobs.iter().zip(&found);
                jobs.filter(|((c, g, set), _)| *c == curve && *g == gain && (*set > 0) == random)
                    .map(|(_, r)| r[rating])
                    .collect()
            };
            let n_gains = of_curve.gains.len();
            let r: Vec<Option<f64>> = (0..n_gains)
                .map(
                    |gain| match of_curve.gains[gain] == 0.0 || of_curve.is_empty() {
                        true => intact[rating],
                        false => at(gain, false).first().copied().flatten(),
                    },
                )
                .collect();
            let random: Vec<Vec<Option<f64>>> = (0..n_gains).map(|gain| at(gain, true)).collect();
            let n_units = of_curve.sets.iter().map(Vec::len).sum::<usize>() as f64;
            curves.push(GainCurve {
                nucleus: of_curve.nucleus.clone(),
                units: of_curve.units.clone(),
                selective_in: of_curve.selective_in.map(str::to_owned),
                n_units: n_units / repeats.len().max(1) as f64,
                rating: name.clone(),
                gains: of_curve.gains.clone(),
                p: r.iter()
                    .zip(&random)
                    .map(|(r, sets)| p_of(*r, sets))
                    .collect(),
                r,
                random: random.iter().map(|sets| mean(sets)).collect(),
                random_sd: random.iter().map(|sets| sd(sets)).collect(),
            });
        }
    }
    curves
}

/// As many random units of each nucleus as `units` has there, ascending.
pub(super) fn random_like(wired: &Wired, units: &[usize], seed: u64, draw: u64) -> Vec<usize> {
    let mut stream = Stream::new(seed, Domain::Permutations, draw);
    let mut all = Vec::with_capacity(units.len());
    for range in wired.ranges() {
        // Drawn for every nucleus, so that sets of one do not depend on the others.
        let order = stream.permutation(range.len());
        let n = units.iter().filter(|unit| range.contains(unit)).count();
        all.extend(order[..n].iter().map(|unit| range.start + unit));
    }
    all.sort_unstable();
    all
}

/// Two-sided p of a value among those of random sets.
pub(super) fn p_of(r: Option<f64>, sets: &[Option<f64>]) -> Option<f64> {
    let (r, centre) = (r?, mean(sets)?);
    let found: Vec<f64> = sets.iter().copied().flatten().collect();
    let as_far = (found.iter()).filter(|set| (**set - centre).abs() >= (r - centre).abs());
    Some((1 + as_far.count()) as f64 / (1 + found.len()) as f64)
}
