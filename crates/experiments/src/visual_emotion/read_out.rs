//! Negative, middle and positive pictures told from the units of a nucleus, with units silenced or enhanced.

use std::ops::Range;

use consilience_core::{CategoryReadOut, GainedReadOut};
use consilience_stats::logistic::logistic;
use ndarray::{Array1, Array2, ArrayView2, Axis, s};
use rayon::prelude::*;

use super::fold::Scaling;
use super::forward::Change;
use super::gains::{p_of, random_like};
use super::score::{mean, sd};
use super::{Division, FoldRun, GainParams, Learning, Pictures, Wired};

/// Categories of valence, as the thirds of [`Bins::third_of_valence`](consilience_methods::emotion::Bins::third_of_valence).
pub const CATEGORIES: [&str; 3] = ["negative", "middle", "positive"];

/// Last letters of the names of their bins.
const LETTERS: [char; 3] = ['N', 'M', 'P'];

/// Penalty of the read-outs, which is what scikit-learn has by default.
const PENALTY: f64 = 1.0;

/// The category of each picture that is learnt from and of each stimulus; `None` in a gap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Categories {
    /// Of the pictures.
    pub learnt: Vec<Option<usize>>,
    /// Of the stimuli.
    pub tested: Vec<Option<usize>>,
}

/// F1 of every read-out of one repeat.
#[derive(Debug, Clone, PartialEq)]
pub struct RepeatReadOuts {
    /// Of each nucleus and of all, with each category.
    cells: Vec<Cell>,
}

#[derive(Debug, Clone, PartialEq)]
struct Cell {
    /// Units whose gain is changed.
    n_units: usize,
    /// Whether other sets of as many units can differ from them.
    is_compared: bool,
    /// For these and then each set of random ones, F1 at each α of [`alphas`]; `None` without a read-out.
    f1: Option<Vec<Vec<f64>>>,
}

/// 0, −1, and the gains above 0, ascending.
fn alphas(params: &GainParams) -> Vec<f64> {
    let mut above: Vec<f64> = params.gains.iter().copied().filter(|g| *g > 0.0).collect();
    above.sort_by(f64::total_cmp);
    above.dedup();
    [&[0.0, -1.0], above.as_slice()].concat()
}

/// Reads categories out of nuclei of the modules of one repeat.
///
/// `selective` is `(n_bins, n_units)`, with the names of the bins; `repeat` is its position, which random sets depend on.
///
/// # Definition
///
/// For each module, a logistic regression ([`logistic`], penalty 1, both classes of equal weight) tells one category from the others by the units
/// of a nucleus, z-scored with the pictures that the module learnt from. It learns from these pictures and is tested on the module's stimuli; F1 is
/// 2 TP/(2 TP + FP + FN) over the stimuli of all modules of the repeat. Units that are selective for any bin of the category are then
/// multiplied by 1 + α, and so are random sets of as many units of the same nuclei; nothing is learnt again. Pictures in a gap between edges take no part.
#[must_use]
pub fn repeat_read_outs(
    wired: &Wired,
    pictures: &Pictures<'_>,
    (divisions, runs): (&[Division], &[FoldRun]),
    learning: &Learning,
    (selective, bins): (ArrayView2<'_, bool>, &[String]),
    categories: &Categories,
    (params, repeat): (&GainParams, usize),
) -> RepeatReadOuts {
    let folds: Vec<Units> = (divisions.iter().zip(runs))
        .map(|(division, run)| Units::of(wired, pictures, division, run, learning, categories))
        .collect();
    let alphas = alphas(params);
    let jobs: Vec<(Range<usize>, usize)> = (ranges(wired).into_iter())
        .flat_map(|(_, range)| (0..CATEGORIES.len()).map(move |c| (range.clone(), c)))
        .collect();
    let cells = jobs.into_par_iter().map(|(range, category)| {
        let is_selective = |unit: &usize| {
            let of_bins = bins.iter().zip(selective.column(*unit));
            of_bins
                .into_iter()
                .any(|(bin, &is)| is && bin.ends_with(LETTERS[category]))
        };
        let units: Vec<usize> = range.clone().filter(is_selective).collect();
        let random = (1..=params.random_sets).map(|set| {
            let draw = (repeat * (params.random_sets + 1) + set) as u64;
            random_like(wired, &units, params.seed, draw)
        });
        let sets: Vec<Vec<usize>> = [units.clone()].into_iter().chain(random).collect();
        Cell {
            n_units: units.len(),
            is_compared: !units.is_empty() && units.len() < range.len(),
            f1: f1(&folds, &range, category, &sets, &alphas),
        }
    });
    RepeatReadOuts {
        cells: cells.collect(),
    }
}

/// Nuclei with their units, then all.
fn ranges(wired: &Wired) -> Vec<(String, Range<usize>)> {
    let nuclei = wired.nuclei.iter().zip(wired.ranges());
    let nuclei = nuclei.map(|((name, _), range)| (name.clone(), range));
    nuclei
        .chain([("all".to_owned(), 0..wired.n_units())])
        .collect()
}

/// Units of one module, z-scored, of pictures and stimuli with a category.
struct Units {
    learnt: Array2<f64>,
    learnt_is: Vec<usize>,
    tested: Array2<f64>,
    tested_is: Vec<usize>,
    /// What is to be added for a value of 0: the mean over the deviation.
    zero: Array1<f64>,
}

impl Units {
    fn of(
        wired: &Wired,
        pictures: &Pictures<'_>,
        division: &Division,
        run: &FoldRun,
        learning: &Learning,
        categories: &Categories,
    ) -> Self {
        let scaling = Scaling::of(pictures, &division.training, learning);
        let read = |from: ArrayView2<'_, f32>, rows: &[usize], of: &[Option<usize>]| {
            let with = rows.iter().filter_map(|&row| Some((row, of[row]?)));
            let (rows, is): (Vec<usize>, Vec<usize>) = with.unzip();
            let features = scaling.features(from.select(Axis(0), &rows).view());
            let visual = wired.visual(&run.weights, features.view());
            let forward = wired.forward(&run.weights);
            let (units, _) = forward.run(visual.view(), Change::None);
            (units.mapv(f64::from), is)
        };
        let (mut learnt, learnt_is) =
            read(pictures.features, &division.training, &categories.learnt);
        let (mut tested, tested_is) = read(pictures.stimuli, &division.tested, &categories.tested);
        let mut zero = Array1::zeros(learnt.ncols());
        let n = learnt.nrows().max(1) as f64;
        for (unit, zero) in zero.iter_mut().enumerate() {
            let column = learnt.column(unit);
            let centre = column.sum() / n;
            let variance = column.mapv(|v| (v - centre).powi(2)).sum() / n;
            // A unit that does not vary tells nothing.
            let factor = match variance > 0.0 {
                true => 1.0 / variance.sqrt(),
                false => 0.0,
            };
            *zero = centre * factor;
            for units in [&mut learnt, &mut tested] {
                units
                    .column_mut(unit)
                    .mapv_inplace(|v| (v - centre) * factor);
            }
        }
        Self {
            learnt,
            learnt_is,
            tested,
            tested_is,
            zero,
        }
    }
}

/// F1 for each set of units at each α; `None` where a module has no read-out, or no stimulus is of the category.
fn f1(
    folds: &[Units],
    range: &Range<usize>,
    category: usize,
    sets: &[Vec<usize>],
    alphas: &[f64],
) -> Option<Vec<Vec<f64>>> {
    // Hits, and stimuli that are of the category or called so.
    let mut counts = vec![vec![[0_usize; 2]; alphas.len()]; sets.len()];
    for fold in folds {
        let is: Vec<bool> = fold.learnt_is.iter().map(|&c| c == category).collect();
        let n_in = is.iter().filter(|is| **is).count() as f64;
        let n = is.len() as f64;
        let weight = |&is: &bool| n / 2.0 / if is { n_in } else { n - n_in };
        let weights: Vec<f64> = is.iter().map(weight).collect();
        let found = logistic(
            fold.learnt.slice(s![.., range.clone()]),
            &is,
            &weights,
            PENALTY,
        )?;
        for (row, &of) in fold.tested.axis_iter(Axis(0)).zip(&fold.tested_is) {
            let intact = found.log_odds(row.slice(s![range.clone()]));
            for (set, counts) in sets.iter().zip(&mut counts) {
                // What the units of the set contribute, counted from a value of 0.
                let share = set
                    .iter()
                    .map(|&unit| found.weights[unit - range.start] * (row[unit] + fold.zero[unit]));
                let share: f64 = share.sum();
                for (alpha, [hits, named]) in alphas.iter().zip(counts) {
                    let is_called = intact + alpha * share > 0.0;
                    *hits += usize::from(is_called && of == category);
                    *named += usize::from(is_called) + usize::from(of == category);
                }
            }
        }
    }
    let has_any = folds.iter().any(|fold| fold.tested_is.contains(&category));
    let f1 = |[hits, named]: [usize; 2]| 2.0 * hits as f64 / named as f64;
    has_any.then(|| {
        let sets = counts.into_iter();
        sets.map(|set| set.into_iter().map(f1).collect()).collect()
    })
}

/// Means over repeats, with the α that helps most.
///
/// # Definition
///
/// F1 at each α is the mean over repeats. The best α is the one of most F1 (the smallest of equals), chosen by the tested stimuli themselves as
/// published; for each random set it is chosen in the same way, so that chance has the same freedom. p is two-sided as in [`gains`](super::gains()). `chance` is
/// F1 of calling every stimulus so, 2 q/(1 + q) for a share q of the stimuli.
#[must_use]
pub fn read_outs(
    wired: &Wired,
    repeats: &[RepeatReadOuts],
    categories: &Categories,
    params: &GainParams,
) -> Vec<CategoryReadOut> {
    let alphas = alphas(params);
    let with: Vec<usize> = categories.tested.iter().copied().flatten().collect();
    let of = |nucleus: &str, cell: usize| {
        let category = cell % CATEGORIES.len();
        let n_stimuli = with.iter().filter(|c| **c == category).count();
        let share = n_stimuli as f64 / with.len().max(1) as f64;
        let cells = repeats.iter().map(|repeat| &repeat.cells[cell]);
        // A category that a module cannot learn has no read-out in any repeat.
        let all: Option<Vec<&Vec<Vec<f64>>>> = cells.clone().map(|cell| cell.f1.as_ref()).collect();
        let all = all.unwrap_or_default();
        let n_sets = match cells.clone().any(|cell| cell.is_compared) {
            true => all.iter().map(|sets| sets.len()).min().unwrap_or(0),
            false => all.len().min(1),
        };
        let at = |set: usize, alpha: usize| {
            mean(
                &all.iter()
                    .map(|sets| Some(sets[set][alpha]))
                    .collect::<Vec<_>>(),
            )
        };
        let gained = |alpha: usize, random: &[Option<f64>]| GainedReadOut {
            gain: alphas[alpha],
            f1: (n_sets > 0).then(|| at(0, alpha)).flatten(),
            random: mean(random),
            random_sd: sd(random),
            p: (n_sets > 0).then(|| p_of(at(0, alpha), random)).flatten(),
        };
        let best = |set: usize| -> Option<usize> {
            (2..alphas.len()).reduce(|best, alpha| match at(set, alpha) > at(set, best) {
                true => alpha,
                false => best,
            })
        };
        let silent: Vec<Option<f64>> = (1..n_sets).map(|set| at(set, 1)).collect();
        let helped: Vec<Option<f64>> = (1..n_sets)
            .map(|set| best(set).and_then(|alpha| at(set, alpha)))
            .collect();
        let intact: Vec<Option<f64>> = all.iter().map(|sets| Some(sets[0][0])).collect();
        let n_units: usize = cells.map(|cell| cell.n_units).sum();
        CategoryReadOut {
            nucleus: nucleus.to_owned(),
            category: CATEGORIES[category].to_owned(),
            n_stimuli,
            n_units: n_units as f64 / repeats.len().max(1) as f64,
            chance: 2.0 * share / (1.0 + share),
            f1: mean(&intact),
            f1_sd: sd(&intact),
            lesioned: gained(1, &silent),
            enhanced: match n_sets {
                0 => None,
                _ => best(0).map(|alpha| gained(alpha, &helped)),
            },
        }
    };
    let nuclei = ranges(wired);
    (0..nuclei.len() * CATEGORIES.len())
        .map(|cell| of(&nuclei[cell / CATEGORIES.len()].0, cell))
        .collect()
}
