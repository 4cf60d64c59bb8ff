//! Which categories of items single units prefer.

use consilience_stats::correction::{Procedure, corrected};
use consilience_stats::random::{Domain, Stream};
use ndarray::{Array2, ArrayView1, ArrayView2, Axis};
use rayon::prelude::*;

use super::BehaviourError;
use super::correlations::check_finite;
use super::welch::{Contrast, Summary};
use crate::error::{at_least, same_count};
use crate::{MethodsError, Result};

/// Options of [`selectivity`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SelectivityParams {
    /// Items that a category needs to be looked at (default 10). The items of the others still count as outside.
    pub min_items: usize,
    /// d′ that a selective unit exceeds (default 0.65).
    pub threshold: f64,
    /// Level of Welch's test that a selective unit passes (default 0.05).
    pub alpha: f64,
    /// Correction of the p over all units and categories (default: none).
    pub correction: Option<Procedure>,
    /// Shuffles of the labels, to count what is selective by chance (default 0).
    pub shuffles: usize,
    /// Seed of the shuffles (default 1).
    pub seed: u64,
}

impl Default for SelectivityParams {
    fn default() -> Self {
        Self {
            min_items: 10,
            threshold: 0.65,
            alpha: 0.05,
            correction: None,
            shuffles: 0,
            seed: 1,
        }
    }
}

/// Preferences of units. Arrays are `(n_categories, n_units)`, of the categories with enough items; `None` where a unit
/// gives the same response to all items that count.
#[derive(Debug, Clone, PartialEq)]
pub struct Selectivity {
    /// Labels of the categories with enough items, ascending.
    pub categories: Vec<i64>,
    /// Labels of those that have too few.
    pub left_out: Vec<i64>,
    /// d′ of the items in a category against all others.
    pub d_prime: Array2<Option<f64>>,
    /// Two-sided p of Welch's test of the same, corrected as asked for.
    pub p: Array2<Option<f64>>,
    /// Tuning value: how far the mean response to a category is from the mean of all items, in standard deviations over items.
    pub tuning: Array2<Option<f64>>,
    /// Category of the largest tuning value, as a position in `categories`, for each unit.
    pub preferred: Vec<Option<usize>>,
    /// Selectivity index of each unit, the largest d′ between categories.
    pub index: Vec<Option<f64>>,
    /// Whether d′ and p both pass.
    pub selective: Array2<bool>,
    /// Selective units of each category.
    pub counts: Vec<usize>,
    /// Mean of the same over shuffles; empty without.
    pub shuffled_counts: Vec<f64>,
    /// One-sided p of each count over shuffles: (1 + #{shuffled ≥ observed}) / (1 + shuffles); empty without.
    pub p_counts: Vec<f64>,
}

/// Looks for units that respond more to one category of items than to others.
///
/// # Shapes
///
/// `responses` is `(n_items, n_units)`, `labels` has a category for each item.
///
/// # Definition
///
/// For category e, with variances s² of denominator n − 1:
///
/// - d′(e) = (x̄ₑ − x̄ of all other items) / √((sₑ² + s² of all other items)/2), with Welch's t-test of the same two groups
/// - selective: d′ > threshold and p < alpha
/// - tuning value S(e) = (x̄ₑ − x̄) / √(Σ(x − x̄)²/N) over all N items; the preferred category has the largest
/// - selectivity index = maxₑ (x̄ₑ − mean of the means of the other categories) / √(Σ s²/(K − 1)), the sum over all K categories. For
///   three categories this divides the sum of three variances by two, as Liu et al. 2024 print it; the mean variance would be
///   over K.
///
/// # Errors
///
/// [`MethodsError::ShapeMismatch`], [`MethodsError::TooFew`] units, [`MethodsError::NonFinite`],
/// [`MethodsError::OptionOutOfRange`], [`BehaviourError::TooFewCategories`].
///
/// # References
///
/// Aparicio, Issa & DiCarlo 2016, doi:10.1523/JNEUROSCI.0935-16.2016 (d′ > 0.65); Liu, Bo, Ding & Fang 2024,
/// doi:10.1371/journal.pcbi.1011943 (tuning value and index).
///
/// # Peers
///
/// The formulas in NumPy and SciPy `ttest_ind`, to 1e-9.
pub fn selectivity(
    responses: ArrayView2<'_, f64>,
    labels: &[i64],
    params: &SelectivityParams,
) -> Result<Selectivity> {
    let (n_items, n_units) = responses.dim();
    same_count("labels, one for each item", n_items, labels.len())?;
    at_least("units of the responses", 1, n_units)?;
    for (option, value, expected, good) in [
        (
            "the threshold of d′",
            params.threshold,
            "a finite number",
            params.threshold.is_finite(),
        ),
        (
            "the level of the test",
            params.alpha,
            "a number above 0 and at most 1",
            params.alpha > 0.0 && params.alpha <= 1.0,
        ),
    ] {
        if !good {
            return Err(MethodsError::OptionOutOfRange {
                option,
                value,
                expected,
            });
        }
    }
    check_finite("the responses", responses)?;
    let groups = Groups::new(labels, params.min_items)?;
    let n_categories = groups.kept.len();
    let units: Vec<Unit> = responses
        .axis_iter(Axis(1))
        .into_par_iter()
        .map(|unit| Unit::of(unit, &groups.members, n_categories))
        .collect();
    let shape = (n_categories, n_units);
    let at = |f: &dyn Fn(&Contrast) -> f64| {
        Array2::from_shape_fn(shape, |(e, u)| units[u].contrasts[e].as_ref().map(f))
    };
    let (p, selective) = selective(&units, n_categories, params);
    let counts = count(&selective);
    let (shuffled_counts, p_counts) = shuffled(responses, &groups, &counts, params);
    Ok(Selectivity {
        d_prime: at(&|c| c.d_average),
        p,
        tuning: Array2::from_shape_fn(shape, |(e, u)| units[u].tuning.as_ref().map(|t| t[e])),
        preferred: units
            .iter()
            .map(|unit| unit.tuning.as_deref().map(largest))
            .collect(),
        index: units.iter().map(|unit| unit.index).collect(),
        selective,
        counts,
        shuffled_counts,
        p_counts,
        categories: groups.kept,
        left_out: groups.left_out,
    })
}

/// Which items belong to which category.
struct Groups {
    kept: Vec<i64>,
    left_out: Vec<i64>,
    /// Position among `kept` of the category of each item; `None` for categories that are left out.
    members: Vec<Option<usize>>,
}

impl Groups {
    fn new(labels: &[i64], min_items: usize) -> Result<Self> {
        let mut all = labels.to_vec();
        all.sort_unstable();
        // A variance needs two items, whatever was asked for.
        let needed = min_items.max(2);
        let (mut kept, mut left_out) = (Vec::new(), Vec::new());
        for same in all.chunk_by(|a, b| a == b) {
            // A category of all items has none outside.
            let enough = same.len() >= needed && all.len() - same.len() >= 2;
            if enough { &mut kept } else { &mut left_out }.push(same[0]);
        }
        if kept.len() < 2 {
            return Err(BehaviourError::TooFewCategories {
                n_kept: kept.len(),
                n_categories: kept.len() + left_out.len(),
                min_items: needed,
            }
            .into());
        }
        let members = labels
            .iter()
            .map(|label| kept.binary_search(label).ok())
            .collect();
        Ok(Self {
            kept,
            left_out,
            members,
        })
    }
}

/// A sum of squares this far below that of all items is the rounding of none.
const ROUNDING: f64 = 1e-13;

/// Sums of some responses without the mean of all.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Sums {
    /// How many they are.
    pub n: f64,
    /// Their sum.
    pub sum: f64,
    /// Sum of their squares.
    pub square: f64,
}

impl Sums {
    fn add(&mut self, value: f64) {
        self.n += 1.0;
        self.sum += value;
        self.square += value * value;
    }

    pub fn with(&self, others: &Self) -> Self {
        Self {
            n: self.n + others.n,
            sum: self.sum + others.sum,
            square: self.square + others.square,
        }
    }

    fn without(&self, part: &Self) -> Self {
        Self {
            n: self.n - part.n,
            sum: self.sum - part.sum,
            square: self.square - part.square,
        }
    }

    /// These against the others of `all`; `None` with fewer than two of either, or when neither varies.
    pub fn contrast(&self, all: &Self) -> Option<Contrast> {
        let others = all.without(self);
        let least = ROUNDING * all.square;
        let both = || [self, &others].map(|sums| sums.summary(least));
        (self.n >= 2.0 && others.n >= 2.0)
            .then(both)
            .and_then(|groups| Contrast::of(&groups))
    }

    /// A sum of squared deviations of no more than `least` counts as 0.
    fn summary(&self, least: f64) -> Summary {
        let mean = self.sum / self.n;
        let square = self.square - self.n * mean * mean;
        Summary {
            n: self.n,
            mean,
            variance: if square > least {
                square / (self.n - 1.0)
            } else {
                0.0
            },
        }
    }
}

/// What is found of one unit.
struct Unit {
    contrasts: Vec<Option<Contrast>>,
    tuning: Option<Vec<f64>>,
    index: Option<f64>,
}

impl Unit {
    fn of(responses: ArrayView1<'_, f64>, members: &[Option<usize>], n_categories: usize) -> Self {
        // One pass for all categories: what is outside of one is the whole less what is inside.
        let first = responses[0];
        // Equal responses leave exactly nothing, not the rounding of their mean.
        let centre = match responses.iter().all(|v| *v == first) {
            true => first,
            false => responses.sum() / responses.len() as f64,
        };
        let (mut all, mut inside) = (Sums::default(), vec![Sums::default(); n_categories]);
        for (value, member) in responses.iter().zip(members) {
            all.add(value - centre);
            if let Some(category) = *member {
                inside[category].add(value - centre);
            }
        }
        let least = ROUNDING * all.square;
        let contrasts = inside.iter().map(|e| e.contrast(&all)).collect();
        let inside: Vec<Summary> = inside.iter().map(|e| e.summary(least)).collect();
        let all = all.summary(0.0);
        let deviation = (all.variance * (all.n - 1.0) / all.n).sqrt();
        let tuning = (deviation > 0.0).then(|| {
            inside
                .iter()
                .map(|e| (e.mean - all.mean) / deviation)
                .collect()
        });
        let others = n_categories as f64 - 1.0;
        let sum: f64 = inside.iter().map(|e| e.mean).sum();
        let variance: f64 = inside.iter().map(|e| e.variance).sum();
        let index = (variance > 0.0).then(|| {
            let contrast = |e: &Summary| e.mean - (sum - e.mean) / others;
            let best = inside
                .iter()
                .map(contrast)
                .fold(f64::NEG_INFINITY, f64::max);
            best / (variance / others).sqrt()
        });
        Self {
            contrasts,
            tuning,
            index,
        }
    }
}

/// Corrected p, and where both criteria are met.
fn selective(
    units: &[Unit],
    n_categories: usize,
    params: &SelectivityParams,
) -> (Array2<Option<f64>>, Array2<bool>) {
    let shape = (n_categories, units.len());
    let mut p = Array2::from_shape_fn(shape, |(e, u)| {
        units[u].contrasts[e].as_ref().map(Contrast::p)
    });
    if let Some(procedure) = params.correction {
        let family: Vec<f64> = p.iter().flatten().copied().collect();
        let mut found = corrected(&family, procedure).into_iter();
        p.iter_mut().flatten().for_each(|p| {
            if let Some(corrected) = found.next() {
                *p = corrected;
            }
        });
    }
    let selective = Array2::from_shape_fn(shape, |(e, u)| {
        let d_prime = units[u].contrasts[e].as_ref().map(|c| c.d_average);
        d_prime.is_some_and(|d| d > params.threshold) && p[[e, u]].is_some_and(|p| p < params.alpha)
    });
    (p, selective)
}

/// The same without a family of tests: p is found only where d′ passes, which is rare.
fn count_uncorrected(
    units: &[Unit],
    n_categories: usize,
    params: &SelectivityParams,
) -> Vec<usize> {
    let passes = |c: &Contrast| c.d_average > params.threshold && c.p() < params.alpha;
    (0..n_categories)
        .map(|e| {
            let of_unit = |unit: &&Unit| unit.contrasts[e].as_ref().is_some_and(passes);
            units.iter().filter(of_unit).count()
        })
        .collect()
}

fn count(selective: &Array2<bool>) -> Vec<usize> {
    let of_category = |row: ArrayView1<'_, bool>| row.iter().filter(|&&s| s).count();
    selective.rows().into_iter().map(of_category).collect()
}

/// Mean counts with shuffled labels, and how often they reach the observed ones.
fn shuffled(
    responses: ArrayView2<'_, f64>,
    groups: &Groups,
    observed: &[usize],
    params: &SelectivityParams,
) -> (Vec<f64>, Vec<f64>) {
    if params.shuffles == 0 {
        return (Vec::new(), Vec::new());
    }
    let counts: Vec<Vec<usize>> = (0..params.shuffles as u64)
        .into_par_iter()
        .map(|index| {
            let order = Stream::new(params.seed, Domain::Permutations, index)
                .permutation(groups.members.len());
            let members: Vec<Option<usize>> = order.iter().map(|&i| groups.members[i]).collect();
            let units: Vec<Unit> = responses
                .axis_iter(Axis(1))
                .map(|unit| Unit::of(unit, &members, observed.len()))
                .collect();
            match params.correction {
                Some(_) => count(&selective(&units, observed.len(), params).1),
                None => count_uncorrected(&units, observed.len(), params),
            }
        })
        .collect();
    let n = counts.len() as f64;
    (0..observed.len())
        .map(|e| {
            let mean = counts.iter().map(|c| c[e] as f64).sum::<f64>() / n;
            let n_as_large = counts.iter().filter(|c| c[e] >= observed[e]).count();
            (mean, (1 + n_as_large) as f64 / (n + 1.0))
        })
        .unzip()
}

/// Position of the largest value, the first of equals.
fn largest(values: &[f64]) -> usize {
    (0..values.len()).fold(0, |best, i| if values[i] > values[best] { i } else { best })
}
