//! Whether units found in one data set are found in another.

use consilience_stats::counts::hypergeometric_at_least;

use super::EmotionError;
use crate::behaviour::Selectivity;
use crate::error::{at_least, same_count};
use crate::{MethodsError, Result};

/// Two sets of the same units.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Overlap {
    /// Units in all.
    pub n_units: usize,
    /// Units of the first and of the second set.
    pub n: [usize; 2],
    /// Units of both.
    pub n_both: usize,
    /// Units of either.
    pub n_either: usize,
    /// How many of both are expected of unrelated sets of these sizes: n₁·n₂/N.
    pub expected: f64,
    /// One-sided hypergeometric p of at least so many (Fisher's exact test).
    pub p: f64,
    /// Share of both in either; `None` for two empty sets.
    pub jaccard: Option<f64>,
}

/// Compares two sets of the same units.
///
/// # Shapes
///
/// Both are `(n_units,)`, true for the units of the set.
///
/// # Errors
///
/// [`MethodsError::TooFew`] units, [`MethodsError::ShapeMismatch`].
///
/// # Example
///
/// ```
/// use consilience_methods::emotion::overlap;
///
/// let found = overlap(&[true, true, false, false, false], &[true, true, false, false, false])?;
/// assert_eq!((found.n_both, found.expected, found.jaccard), (2, 0.8, Some(1.0)));
/// assert!((found.p - 0.1).abs() < 1e-12);
/// # Ok::<(), consilience_methods::MethodsError>(())
/// ```
///
/// # Peers
///
/// `scipy.stats.hypergeom.sf(k - 1, N, n₁, n₂)`, to 1e-9.
pub fn overlap(first: &[bool], second: &[bool]) -> Result<Overlap> {
    let n_units = first.len();
    at_least("units of the sets", 1, n_units)?;
    same_count("units of the second set", n_units, second.len())?;
    let n = [first, second].map(|set| set.iter().filter(|&&in_set| in_set).count());
    let n_both = first.iter().zip(second).filter(|&(a, b)| *a && *b).count();
    let n_either = n[0] + n[1] - n_both;
    let [all, a, b, both] = [n_units, n[0], n[1], n_both].map(|count| count as u64);
    Ok(Overlap {
        n_units,
        n,
        n_both,
        n_either,
        expected: n[0] as f64 * n[1] as f64 / n_units as f64,
        p: hypergeometric_at_least(both, all, a, b),
        jaccard: (n_either > 0).then(|| n_both as f64 / n_either as f64),
    })
}

/// Units that prefer the same category in two data sets.
#[derive(Debug, Clone, PartialEq)]
pub struct ConsistentUnits {
    /// Labels of the categories.
    pub categories: Vec<i64>,
    /// Category of each unit that passes in both data sets and prefers the same in both, as a position in `categories`.
    pub genuine: Vec<Option<usize>>,
    /// Genuine units of each category.
    pub counts: Vec<usize>,
    /// Units of either data set that are left after the lowest indices were dropped.
    pub n_kept: [usize; 2],
    /// For each category, the units that prefer it and were kept in the first set against those in the second.
    pub overlaps: Vec<Overlap>,
}

/// The rule of Liu et al. 2024: units whose preference is the same in two data sets.
///
/// # Shapes
///
/// Both are of the same units over the same categories, one data set each, as [`selectivity`](crate::behaviour::selectivity) gives them. Call it for
/// a layer at a time.
///
/// # Definition
///
/// In each data set the ⌊`drop`·N⌋ units of N with the lowest selectivity index are dropped (of equal ones the earlier), units without an
/// index first. A unit that is left in both and has the same preferred category (largest tuning value) in both is genuine.
///
/// # Errors
///
/// [`MethodsError::ShapeMismatch`], [`MethodsError::OptionOutOfRange`] for a share outside 0…1, [`EmotionError::OtherCategories`].
///
/// # References
///
/// Liu, Bo, Ding & Fang 2024, doi:10.1371/journal.pcbi.1011943 (`drop` is 0.2 there).
pub fn consistent_units(
    first: &Selectivity,
    second: &Selectivity,
    drop: f64,
) -> Result<ConsistentUnits> {
    if !(0.0..=1.0).contains(&drop) {
        return Err(MethodsError::OptionOutOfRange {
            option: "the share of units with the lowest index to drop",
            value: drop,
            expected: "a number from 0 to 1",
        });
    }
    if first.categories != second.categories {
        return Err(EmotionError::OtherCategories {
            first: first.categories.clone(),
            second: second.categories.clone(),
        }
        .into());
    }
    let n_units = first.index.len();
    same_count("units of the second data set", n_units, second.index.len())?;
    let kept = [first, second].map(|set| preferred_of_kept(set, drop));
    let [a, b] = &kept;
    let genuine: Vec<Option<usize>> = (a.iter().zip(b))
        .map(|(a, b)| a.filter(|_| a == b))
        .collect();
    let of_category = |units: &[Option<usize>], category: usize| -> Vec<bool> {
        units.iter().map(|unit| *unit == Some(category)).collect()
    };
    let n_categories = first.categories.len();
    let overlaps = (0..n_categories)
        .map(|e| overlap(&of_category(a, e), &of_category(b, e)))
        .collect::<Result<Vec<Overlap>>>()?;
    Ok(ConsistentUnits {
        categories: first.categories.clone(),
        counts: overlaps.iter().map(|found| found.n_both).collect(),
        n_kept: [a, b].map(|set| set.iter().flatten().count()),
        genuine,
        overlaps,
    })
}

/// The preferred category of each unit that is not among the lowest.
fn preferred_of_kept(set: &Selectivity, drop: f64) -> Vec<Option<usize>> {
    let mut order: Vec<usize> = (0..set.index.len()).collect();
    let index = |unit: usize| set.index[unit].unwrap_or(f64::NEG_INFINITY);
    order.sort_by(|&a, &b| index(a).total_cmp(&index(b)));
    // Products such as 0.29 · 100 fall just short of a whole number.
    let n_dropped = (drop * order.len() as f64 + 1e-9) as usize;
    let mut preferred = set.preferred.clone();
    for &unit in &order[..n_dropped] {
        preferred[unit] = None;
    }
    preferred
}
