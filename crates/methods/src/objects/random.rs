//! Lesions of as many random filters, to compare a lesion with.

use consilience_stats::random::{Domain, Stream};
use ndarray::ArrayView2;

use super::ObjectsError;
use super::lesion::Spread;
use crate::correct::correct;
use crate::error::{at_least, same_count};
use crate::group::Alternative;
use crate::rsa::Correction;
use crate::{MethodsError, Result};

/// Draws sets of as many filters as are selected.
///
/// # Shapes
///
/// `selected` lists different 0-based filters out of `n_filters`; the result has `n_sets` sets of that size, each ascending.
///
/// # Definition
///
/// Each set is the first of a random permutation of all filters, or of those that are not selected if `only_others`; set i has the
/// random stream i of `seed`. Sets may repeat each other.
///
/// A test against only the others is too sure unless few filters are selected: their mean lies on the other side of the
/// mean of all. Of 5 of 24 filters without any effect it found one in 13 % of studies at 5 %.
///
/// # Errors
///
/// [`ObjectsError::BadFilter`], [`ObjectsError::NoFilter`], [`ObjectsError::AllFilters`], [`ObjectsError::TooFewOthers`].
///
/// # Example
///
/// ```
/// use consilience_methods::objects::random_filters;
///
/// let sets = random_filters(8, &[1, 5], 100, true, 1)?;
/// assert!(sets.iter().all(|set| set.len() == 2 && !set.contains(&1) && !set.contains(&5)));
/// # Ok::<(), consilience_methods::MethodsError>(())
/// ```
pub fn random_filters(
    n_filters: usize,
    selected: &[usize],
    n_sets: usize,
    only_others: bool,
    seed: u64,
) -> Result<Vec<Vec<usize>>> {
    let mut is_selected = vec![false; n_filters];
    for &filter in selected {
        let found = match is_selected.get_mut(filter) {
            None => "but not there",
            Some(true) => "twice",
            Some(place) => {
                *place = true;
                continue;
            }
        };
        return Err(ObjectsError::BadFilter {
            filter,
            found,
            n_filters,
        }
        .into());
    }
    let n_selected = selected.len();
    let pool: Vec<usize> = (0..n_filters)
        .filter(|&filter| !(only_others && is_selected[filter]))
        .collect();
    let wrong = match n_selected {
        0 => ObjectsError::NoFilter,
        n if n == n_filters => ObjectsError::AllFilters { n_filters },
        n if n > pool.len() => ObjectsError::TooFewOthers {
            n_selected,
            n_filters,
        },
        _ => {
            let draw = |i| {
                let order = Stream::new(seed, Domain::Permutations, i).permutation(pool.len());
                let mut set: Vec<usize> = order[..n_selected].iter().map(|&j| pool[j]).collect();
                set.sort_unstable();
                set
            };
            return Ok((0..n_sets as u64).map(draw).collect());
        }
    };
    Err(wrong.into())
}

/// Options of [`random_filter_tests`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RandomFilterParams {
    /// Which effects speak against the null hypothesis (default: two-sided).
    pub alternative: Alternative,
    /// Correction over all tests (default: none).
    pub correction: Correction,
}

impl Default for RandomFilterParams {
    fn default() -> Self {
        Self {
            alternative: Alternative::TwoSided,
            correction: Correction::None,
        }
    }
}

/// A lesion against lesions of random filters.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RandomFilterTest {
    /// p of the effect.
    pub p: f64,
    /// The same, corrected.
    pub p_corrected: Option<f64>,
    /// Random lesions with an effect.
    pub n_random: usize,
    /// Random lesions without one, left out.
    pub n_undefined: usize,
    /// Mean effect of random lesions.
    pub mean: f64,
    /// Standard deviation of the same (denominator n − 1); `None` for one.
    pub sd: Option<f64>,
}

/// Why a lesion could not be compared with random ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoRandomTest {
    /// The lesion has no effect that could be stated.
    #[error("the effect of the lesion is undefined")]
    UndefinedEffect,
    /// No random lesion has one.
    #[error("the effects of all {n_random} random lesions are undefined")]
    UndefinedRandom {
        /// Random lesions.
        n_random: usize,
    },
}

/// Tests effects of lesions against those of as many random filters.
///
/// # Shapes
///
/// `deltas` has an effect for each test, `random` is `(n_tests, n_sets)`: effects of lesions of the sets of
/// [`random_filters`]; `None` where an effect is undefined.
///
/// # Definition
///
/// Greater: p = (1 + #{random ≥ delta}) / (1 + n) over the n random effects that are defined; less: with ≤; two-sided: twice the
/// smaller of the two, at most 1, because random lesions need not have an effect of 0 on average. Effects that differ by less
/// than 1e-12 count as equal. Effects of several models are averaged before: give their means.
///
/// # Errors
///
/// [`MethodsError::ShapeMismatch`], [`MethodsError::TooFew`] random sets, [`MethodsError::NonFinite`].
///
/// # References
///
/// Phipson & Smyth 2010, doi:10.2202/1544-6115.1585.
pub fn random_filter_tests(
    deltas: &[Option<f64>],
    random: ArrayView2<'_, Option<f64>>,
    params: &RandomFilterParams,
) -> Result<Vec<std::result::Result<RandomFilterTest, NoRandomTest>>> {
    same_count(
        "rows of random effects, one for each effect",
        deltas.len(),
        random.nrows(),
    )?;
    at_least("sets of random filters", 1, random.ncols())?;
    let all = random
        .indexed_iter()
        .map(|(at, v)| ("the random effects", at, *v));
    let own = deltas
        .iter()
        .enumerate()
        .map(|(i, v)| ("the effects", (i, 0), *v));
    for (what, (row, column), value) in own.chain(all) {
        if let Some(value) = value.filter(|v| !v.is_finite()) {
            return Err(MethodsError::NonFinite {
                what,
                row,
                column,
                value,
                cure: "give none for an undefined effect",
            });
        }
    }
    let of_test = |(delta, random): (&Option<f64>, ndarray::ArrayView1<'_, Option<f64>>)| {
        let delta = delta.ok_or(NoRandomTest::UndefinedEffect)?;
        let defined: Vec<f64> = random.iter().copied().flatten().collect();
        let spread = Spread::of(&defined).ok_or(NoRandomTest::UndefinedRandom {
            n_random: random.len(),
        })?;
        Ok(RandomFilterTest {
            p: p_of(delta, &defined, params.alternative),
            p_corrected: None,
            n_random: defined.len(),
            n_undefined: random.len() - defined.len(),
            mean: spread.mean,
            sd: spread.sd,
        })
    };
    let mut tests: Vec<_> = deltas.iter().zip(random.rows()).map(of_test).collect();
    correct(
        tests
            .iter_mut()
            .flatten()
            .map(|t| (Some(t.p), &mut t.p_corrected)),
        params.correction,
    );
    Ok(tests)
}

fn p_of(delta: f64, random: &[f64], alternative: Alternative) -> f64 {
    let share = |is_as_large: &dyn Fn(f64) -> bool| {
        let n = random.iter().filter(|&&v| is_as_large(v)).count();
        (1 + n) as f64 / (1 + random.len()) as f64
    };
    // A random set may be the selected one, whatever its correlation was rounded to.
    let at_least = share(&|v| v >= delta - 1e-12);
    let at_most = share(&|v| v <= delta + 1e-12);
    match alternative {
        Alternative::Greater => at_least,
        Alternative::Less => at_most,
        Alternative::TwoSided => (2.0 * at_least.min(at_most)).min(1.0),
    }
}
