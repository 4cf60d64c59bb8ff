//! How sure a noise ceiling is, and whether subjects agree at all.

use consilience_core::{Ceiling, pairs};
use consilience_stats::random::{Domain, Stream};
use ndarray::{Array2, ArrayView2};
use rayon::prelude::*;

use super::ceiling::{Pool, noise_ceiling};
use super::compare::defined;
use super::inputs;
use super::row::Source;
use super::sample::Sample;
use super::similarity::Similarity;
use crate::interval::{Scale, Uncertainty};
use crate::{NanPolicy, Result};

/// Options of [`tested_ceiling`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CeilingParams {
    /// How RDMs are compared (default: Spearman).
    pub similarity: Similarity,
    /// Permutations of the test against chance (default 1,000); 0 for no test.
    pub permutations: usize,
    /// Seed of the permutations (default 1).
    pub seed: u64,
    /// What to do with NaN.
    pub nan: NanPolicy,
}

impl Default for CeilingParams {
    fn default() -> Self {
        Self {
            similarity: Similarity::default(),
            permutations: 1000,
            seed: 1,
            nan: NanPolicy::default(),
        }
    }
}

/// A noise ceiling and how sure it is.
#[derive(Debug, Clone, PartialEq)]
pub struct TestedCeiling {
    /// Both bounds.
    pub ceiling: Ceiling,
    /// Standard errors of the lower and the upper bound.
    pub sem: Option<[f64; 2]>,
    /// 95 % interval of the lower bound.
    pub lower_interval: Option<[f64; 2]>,
    /// 95 % interval of the upper bound.
    pub upper_interval: Option<[f64; 2]>,
    /// One-sided p of the lower bound against subjects whose RDMs have nothing in common.
    pub p: Option<f64>,
    /// Pairs of conditions that were left out because some RDM has NaN there.
    pub n_omitted: usize,
    /// What could not be computed, why, and what to do about it.
    pub notes: Vec<String>,
}

/// The noise ceiling with intervals over subjects and a test against chance.
///
/// # Shapes
///
/// `data` is `(n_subjects, n_pairs)`.
///
/// # Definition
///
/// The bounds are those of [`noise_ceiling`]. Intervals come from the jackknife, which leaves out each subject in turn: a bootstrap
/// would have a subject predict his own copy. They are Student's with subjects − 1 degrees of freedom on the scale of Fisher's z. The
/// test permutes the conditions of each subject's RDM independently: p = (1 + #{permuted lower ≥ lower}) / (1 +
/// permutations), exact when no subject's RDM says anything of another's.
///
/// # Errors
///
/// As [`noise_ceiling`].
///
/// # Example
///
/// ```
/// use consilience_methods::rsa::{CeilingParams, tested_ceiling};
/// use ndarray::Array2;
///
/// let data = Array2::from_shape_fn((4, 45), |(s, k)| (k * k % 17) as f64 + ((3 * k + 5 * s) % 7) as f64);
/// let found = tested_ceiling(data.view(), &CeilingParams::default())?;
/// let [low, high] = found.lower_interval.unwrap();
/// assert!(low < found.ceiling.lower && found.ceiling.lower < high);
/// assert!(found.p.unwrap() < 0.01);
/// # Ok::<(), consilience_methods::MethodsError>(())
/// ```
///
/// # References
///
/// Nili et al. 2014, doi:10.1371/journal.pcbi.1003553; Quenouille 1956, doi:10.1093/biomet/43.3-4.353 (jackknife);
/// Phipson & Smyth 2010, doi:10.2202/1544-6115.1585.
pub fn tested_ceiling(data: ArrayView2<'_, f64>, params: &CeilingParams) -> Result<TestedCeiling> {
    let what = "the subjects' RDMs";
    let similarity = params.similarity;
    let ceiling = noise_ceiling(data, similarity, params.nan)?;
    let checked = inputs::check((what, data), (what, data), similarity, params.nan)?;
    let sample = Sample::whole(checked.n_conditions, &checked.present());
    let source = Source::new(data, similarity);
    let rows = defined(what, &source, &sample, similarity)?;
    let pool = Pool::new(&source, &rows, &sample, similarity);
    let mut notes = Vec::new();
    let bounds = jackknife(&pool, &ceiling, data.nrows(), &mut notes);
    let p = match checked.n_omitted {
        0 => p_of_lower(data, checked.n_conditions, ceiling.lower, params),
        n_omitted => {
            notes.push(format!(
                "there is no test against chance: {n_omitted} pairs are missing, and permuted conditions would leave ever fewer in common; leave out the conditions concerned"
            ));
            None
        }
    };
    Ok(TestedCeiling {
        ceiling,
        sem: bounds.map(|[lower, upper]| [lower.sem, upper.sem]),
        lower_interval: bounds.map(|[lower, _]| lower.interval),
        upper_interval: bounds.map(|[_, upper]| upper.interval),
        p,
        n_omitted: checked.n_omitted,
        notes,
    })
}

/// Of the lower and the upper bound.
fn jackknife(
    pool: &Pool<'_>,
    ceiling: &Ceiling,
    n_subjects: usize,
    notes: &mut Vec<String>,
) -> Option<[Uncertainty; 2]> {
    if n_subjects < 3 {
        notes.push(format!(
            "there is no interval: {n_subjects} subjects are too few to leave one out; give at least 3"
        ));
        return None;
    }
    let without = |subject: usize| {
        let takes_part = |s: usize| u32::from(s != subject);
        pool.ceiling(&(0..n_subjects).map(takes_part).collect::<Vec<_>>())
    };
    let found: Option<Vec<Ceiling>> = (0..n_subjects).map(without).collect();
    let bounds = found.and_then(|found| {
        let of = |value: f64, bound: fn(&Ceiling) -> f64| {
            let left_out: Vec<f64> = found.iter().map(bound).collect();
            Uncertainty::of_deletions(value, &left_out, Scale::Fisher)
        };
        Some([
            of(ceiling.lower, |c| c.lower)?,
            of(ceiling.upper, |c| c.upper)?,
        ])
    });
    if bounds.is_none() {
        notes.push(
            "there is no interval: without some subject the bounds are undefined, or 1 because the RDMs are the same"
                .to_owned(),
        );
    }
    bounds
}

fn p_of_lower(
    data: ArrayView2<'_, f64>,
    n_conditions: usize,
    lower: f64,
    params: &CeilingParams,
) -> Option<f64> {
    let n_permutations = params.permutations;
    if n_permutations == 0 {
        return None;
    }
    // Permutations that change nothing must count whatever their sums were rounded to.
    let least = lower - 1e-12;
    let n_as_large = (0..n_permutations as u64)
        .into_par_iter()
        .filter(|&index| {
            let mut stream = Stream::new(params.seed, Domain::Permutations, index);
            let mut permuted = Array2::zeros(data.dim());
            for (mut row, rdm) in permuted.rows_mut().into_iter().zip(data.rows()) {
                let order = stream.permutation(n_conditions);
                for ((i, j), slot) in pairs::iter(n_conditions).zip(&mut row) {
                    let (a, b) = (order[i].min(order[j]), order[i].max(order[j]));
                    *slot = rdm[pairs::pair_idx(a, b, n_conditions)];
                }
            }
            // Where nothing can be said, it counts against the subjects.
            noise_ceiling(permuted.view(), params.similarity, params.nan)
                .map_or(true, |ceiling| ceiling.lower >= least)
        })
        .count();
    Some((1 + n_as_large) as f64 / (1 + n_permutations) as f64)
}
