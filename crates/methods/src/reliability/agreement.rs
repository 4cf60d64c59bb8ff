//! Agreement of raters, and of repetitions channel by channel.

use consilience_stats::random::{Domain, Stream};
use consilience_stats::rank::average_ranks;
use ndarray::{Array2, ArrayView2, ArrayView3, Axis};
use rayon::prelude::*;

use super::ReliabilityError;
use super::coefficient;
use super::covariance::{Centred, Covariance};
use super::params::{Coefficient, RatingScale, ReliabilityParams, Unit};
use super::splits::Splits;
use crate::error::at_least;
use crate::interval::{Scale, Uncertainty};
use crate::{MethodsError, NanPolicy, Result};

/// A coefficient of reliability and how sure it is.
///
/// No value is NaN: what could not be had is `None`, and [`notes`](Self::notes) says why.
#[derive(Debug, Clone, PartialEq)]
pub struct Reliability {
    /// What was computed.
    pub coefficient: Coefficient,
    /// Its value.
    pub value: f64,
    /// What a model that knows the true values would correlate with the mean over all raters (split-half,
    /// alpha) or with one rater (pairwise, leave-one-out), as [`Coefficient`] defines it.
    pub ceiling: Option<f64>,
    /// Standard error.
    pub sem: Option<f64>,
    /// 95 % interval.
    pub interval: Option<[f64; 2]>,
    /// One-sided p against raters who have nothing in common.
    pub p: Option<f64>,
    /// What standard error and interval generalise to.
    pub unit: Unit,
    /// Splits into halves that have a correlation; 0 for other coefficients.
    pub n_splits: usize,
    /// Resamples, or raters left out in turn, that the interval rests on.
    pub n_resamples: usize,
    /// Permutations that the p rests on.
    pub n_permutations: usize,
    /// Items that were left out because some rater did not rate them.
    pub n_omitted: usize,
    /// What could not be computed, why, and what to do about it.
    pub notes: Vec<String>,
}

/// How well raters agree on items.
///
/// # Shapes
///
/// `ratings` is `(n_items, n_raters)`.
///
/// # Definition
///
/// The coefficients are those of [`Coefficient`]; covariances are over items. A bootstrap over items draws items with
/// replacement, a jackknife leaves out each rater in turn; either way the interval is Student's (items − 1
/// or raters − 1 degrees of freedom) on the scale of Fisher's z for correlations and −ln(1 − x) for
/// split-half and alpha. The test permutes each rater's values over items independently: p = (1 + #{permuted
/// ≥ observed}) / (1 + permutations), exact when raters have nothing in common. It is one-sided.
///
/// RDMs of subjects may be given as ratings of pairs; then the values hold, and the jackknife over raters, but pairs share their
/// conditions: the bootstrap over items and the test are too sure. [`tested_ceiling`](crate::rsa::tested_ceiling) is made for them.
///
/// # Errors
///
/// [`ReliabilityError::NoAgreement`] for one rater, [`MethodsError::TooFew`] items (3),
/// [`MethodsError::NonFinite`], [`ReliabilityError::ConstantRater`] (pairwise, leave-one-out),
/// [`ReliabilityError::ConstantMean`].
///
/// # Example
///
/// ```
/// use consilience_methods::reliability::{Coefficient, ReliabilityParams, rater_reliability};
/// use ndarray::array;
///
/// let ratings = array![[1.0, 2.0, 1.0], [3.0, 3.0, 4.0], [5.0, 4.0, 5.0], [2.0, 2.0, 3.0]];
/// let params = ReliabilityParams {
///     coefficient: Coefficient::Alpha,
///     ..ReliabilityParams::default()
/// };
/// let found = rater_reliability(ratings.view(), &params)?;
/// assert!((found.value - 0.945205).abs() < 1e-6);
/// assert!((found.ceiling.unwrap() - found.value.sqrt()).abs() < 1e-12);
/// # Ok::<(), consilience_methods::MethodsError>(())
/// ```
///
/// # References
///
/// As [`Coefficient`]; Phipson & Smyth 2010, doi:10.2202/1544-6115.1585; Bonett 2002,
/// doi:10.3102/10769986027004335 (the scale of alpha).
///
/// # Peers
///
/// pingouin 0.7.0 `cronbach_alpha` (alpha) and NumPy by definition, to 1e-9.
pub fn rater_reliability(
    ratings: ArrayView2<'_, f64>,
    params: &ReliabilityParams,
) -> Result<Reliability> {
    params.validate()?;
    let n_raters = ratings.ncols();
    if n_raters < 2 {
        return Err(ReliabilityError::NoAgreement { n_raters }.into());
    }
    let rated = rated_by_all(ratings, params.nan)?;
    let n_omitted = ratings.nrows() - rated.len();
    at_least("items that all raters rated", 3, rated.len())?;
    let complete;
    let ratings = match n_omitted {
        0 => ratings,
        _ => {
            complete = ratings.select(Axis(0), &rated);
            complete.view()
        }
    };
    let ranked;
    let ratings = match params.scale {
        RatingScale::Ranks => {
            ranked = ranks(ratings);
            ranked.view()
        }
        RatingScale::Raw | RatingScale::ZScores => ratings,
    };
    let centred = Centred::new(ratings);
    let problem = Problem {
        splits: (params.coefficient == Coefficient::SplitHalf)
            .then(|| Splits::new(n_raters, params.splits, params.seed)),
        params,
    };
    if let Some(rater) = centred.constant_rater() {
        let needs_all = matches!(
            params.coefficient,
            Coefficient::Pairwise | Coefficient::LeaveOneOut
        );
        if needs_all || params.scale == RatingScale::ZScores {
            return Err(ReliabilityError::ConstantRater {
                coefficient: params.coefficient.name(),
                rater,
            }
            .into());
        }
    }
    let covariance = centred.covariance();
    let value = problem
        .value(&covariance, problem.splits.as_ref())
        .ok_or_else(|| constant_mean(params.coefficient))?;
    Ok(Reliability {
        n_omitted,
        ..problem.reliability(&centred, &covariance, value)
    })
}

/// How well repetitions agree on stimuli, channel by channel.
///
/// # Shapes
///
/// `responses` is `(n_repetitions, n_stimuli, n_channels)`; the result has an entry a channel. Subjects can stand
/// for repetitions: then it is the inter-subject reliability of each channel.
///
/// # Definition
///
/// [`rater_reliability`] with stimuli as items and repetitions as raters. Splits, resamples and permutations
/// are the same for all channels. A channel without a reliability is an error in its place, not of the whole.
///
/// # Errors
///
/// As [`rater_reliability`], for what concerns all channels: too few stimuli or repetitions, bad options,
/// no channel.
pub fn response_reliability(
    responses: ArrayView3<'_, f64>,
    params: &ReliabilityParams,
) -> Result<Vec<Result<Reliability>>> {
    params.validate()?;
    let (n_raters, n_stimuli, n_channels) = responses.dim();
    if n_raters < 2 {
        return Err(ReliabilityError::NoAgreement { n_raters }.into());
    }
    for (what, needed, found) in [
        ("stimuli of the responses", 3, n_stimuli),
        ("channels of the responses", 1, n_channels),
    ] {
        at_least(what, needed, found)?;
    }
    let channels: Vec<_> = responses.axis_iter(Axis(2)).collect();
    Ok(channels
        .into_par_iter()
        .map(|channel| rater_reliability(channel.t(), params))
        .collect())
}

/// Items without a missing value.
fn rated_by_all(ratings: ArrayView2<'_, f64>, nan: NanPolicy) -> Result<Vec<usize>> {
    let omit = nan == NanPolicy::Omit;
    let wrong = |v: f64| !(v.is_finite() || omit && v.is_nan());
    if let Some(((row, column), &value)) = ratings.indexed_iter().find(|(_, v)| wrong(**v)) {
        return Err(MethodsError::NonFinite {
            what: "the ratings",
            row,
            column,
            value,
            cure: "leave out the item or the rater, or ask for items with missing ratings to be omitted",
        });
    }
    let complete = |item: &usize| ratings.row(*item).iter().all(|v| v.is_finite());
    Ok((0..ratings.nrows()).filter(complete).collect())
}

fn ranks(ratings: ArrayView2<'_, f64>) -> Array2<f64> {
    let mut out = ratings.to_owned();
    for mut rater in out.columns_mut() {
        let ranks = average_ranks(&rater.to_vec());
        rater.iter_mut().zip(ranks).for_each(|(v, rank)| *v = rank);
    }
    out
}

/// The largest correlation that two noisy measures can be expected to have: √(r₁·r₂) of their reliabilities.
///
/// An observed correlation over it is the one without noise (disattenuated), which sampling may bring above 1. For a model without noise
/// take 1 for its reliability.
///
/// # Errors
///
/// [`MethodsError::OptionOutOfRange`] for a reliability that is not above 0 and at most 1.
///
/// # Example
///
/// ```
/// use consilience_methods::reliability::correlation_ceiling;
///
/// assert_eq!(correlation_ceiling(0.81, 0.25)?, 0.45);
/// # Ok::<(), consilience_methods::MethodsError>(())
/// ```
///
/// # References
///
/// Spearman 1904, doi:10.2307/1412159.
pub fn correlation_ceiling(first: f64, second: f64) -> Result<f64> {
    for value in [first, second] {
        if !(value > 0.0 && value <= 1.0) {
            return Err(MethodsError::OptionOutOfRange {
                option: "a reliability",
                value,
                expected: "a number above 0 and at most 1: a measure without reliability correlates with nothing",
            });
        }
    }
    Ok((first * second).sqrt())
}

fn constant_mean(coefficient: Coefficient) -> ReliabilityError {
    let (what, cure) = match coefficient {
        Coefficient::SplitHalf => (
            "half of the raters, or over all of them,",
            "give more items or raters",
        ),
        Coefficient::LeaveOneOut => ("all raters but one", "give more items or raters"),
        Coefficient::Alpha | Coefficient::Pairwise => (
            "all raters",
            "check that they do not rate against each other",
        ),
    };
    ReliabilityError::ConstantMean {
        coefficient: coefficient.name(),
        what,
        cure,
    }
}

struct Problem<'a> {
    splits: Option<Splits>,
    params: &'a ReliabilityParams,
}

impl Problem<'_> {
    fn value(&self, covariance: &Covariance, splits: Option<&Splits>) -> Option<f64> {
        let coefficient = self.params.coefficient;
        match self.params.scale {
            RatingScale::ZScores => {
                coefficient::value(coefficient, &covariance.standardised(), splits)
            }
            RatingScale::Raw | RatingScale::Ranks => {
                coefficient::value(coefficient, covariance, splits)
            }
        }
    }

    fn reliability(&self, centred: &Centred, covariance: &Covariance, value: f64) -> Reliability {
        let mut notes = Vec::new();
        let n_splits = self.n_splits(covariance, &mut notes);
        let ceiling = self.ceiling(covariance, value, &mut notes);
        let (uncertainty, n_resamples) = match self.params.unit {
            Unit::Items => self.bootstrap(centred, value, &mut notes),
            Unit::Raters => self.jackknife(covariance, value, &mut notes),
        };
        Reliability {
            coefficient: self.params.coefficient,
            value,
            ceiling,
            sem: uncertainty.map(|u| u.sem),
            interval: uncertainty.map(|u| u.interval),
            p: self.p(centred, value),
            unit: self.params.unit,
            n_splits,
            n_resamples,
            n_permutations: self.params.permutations,
            n_omitted: 0,
            notes,
        }
    }

    /// Splits whose halves correlate.
    fn n_splits(&self, covariance: &Covariance, notes: &mut Vec<String>) -> usize {
        let Some(splits) = &self.splits else { return 0 };
        let halves = match self.params.scale {
            RatingScale::ZScores => coefficient::halves(&covariance.standardised(), splits),
            RatingScale::Raw | RatingScale::Ranks => coefficient::halves(covariance, splits),
        };
        let n_without = halves.iter().filter(|half| half.is_none()).count();
        if n_without > 0 {
            notes.push(format!(
                "{n_without} of {} splits were left out: the mean over half of the raters is the same for all items",
                halves.len()
            ));
        }
        halves.len() - n_without
    }

    fn ceiling(&self, covariance: &Covariance, value: f64, notes: &mut Vec<String>) -> Option<f64> {
        if self.params.coefficient == Coefficient::LeaveOneOut {
            return match self.params.scale {
                RatingScale::ZScores => coefficient::with_all(&covariance.standardised()),
                RatingScale::Raw | RatingScale::Ranks => coefficient::with_all(covariance),
            };
        }
        if value < 0.0 {
            notes.push(format!(
                "there is no ceiling: raters covary negatively on average ({} {value:.3}), so the share of true variance would be below 0",
                self.params.coefficient
            ));
            return None;
        }
        Some(value.sqrt())
    }

    fn scale(&self, n_raters: usize) -> Scale {
        match self.params.coefficient {
            Coefficient::SplitHalf | Coefficient::Alpha => Scale::LogComplement,
            Coefficient::Pairwise => Scale::Intraclass(n_raters as f64),
            Coefficient::LeaveOneOut => Scale::Fisher,
        }
    }

    fn bootstrap(
        &self,
        centred: &Centred,
        value: f64,
        notes: &mut Vec<String>,
    ) -> (Option<Uncertainty>, usize) {
        let asked = self.params.resamples;
        if asked == 0 {
            return (None, 0);
        }
        let n_items = centred.n_items();
        let resample = |index| {
            let counts =
                Stream::new(self.params.seed, Domain::Conditions, index).multiplicities(n_items);
            self.value(&centred.resampled(&counts), self.splits.as_ref())
        };
        let values: Vec<Option<f64>> = (0..asked as u64).into_par_iter().map(resample).collect();
        let values: Vec<f64> = values.into_iter().flatten().collect();
        if values.len() < asked {
            notes.push(format!(
                "{} of {asked} resamples were left out: {} is undefined for the items they hold",
                asked - values.len(),
                self.params.coefficient
            ));
        }
        let found =
            Uncertainty::of_resamples(value, &values, n_items, self.scale(centred.n_raters()));
        if found.is_none() {
            notes.push(format!(
                "there is no interval: the {} of the items or of a resample of them is 1, or too few resamples have one; give more items",
                self.params.coefficient
            ));
        }
        (found, values.len())
    }

    fn jackknife(
        &self,
        covariance: &Covariance,
        value: f64,
        notes: &mut Vec<String>,
    ) -> (Option<Uncertainty>, usize) {
        let k = covariance.n_raters();
        if k < 3 {
            notes.push(format!(
                "there is no interval over raters: {k} are too few to leave one out; give at least 3"
            ));
            return (None, 0);
        }
        let left_out: Vec<Option<f64>> = (0..k)
            .map(|rater| {
                let splits = self.splits.as_ref().map(|splits| match splits.exhaustive {
                    // There are no more splits of fewer raters.
                    true => Splits::new(k - 1, self.params.splits, self.params.seed),
                    false => splits.without(rater),
                });
                self.value(&covariance.without(rater), splits.as_ref())
            })
            .collect();
        let values: Vec<f64> = left_out.iter().copied().flatten().collect();
        let found = (values.len() == k)
            .then(|| Uncertainty::of_deletions(value, &values, self.scale(k)))
            .flatten();
        if found.is_none() {
            notes.push(format!(
                "there is no interval over raters: {} is undefined or 1 without some of them",
                self.params.coefficient
            ));
        }
        (found, values.len())
    }

    fn p(&self, centred: &Centred, value: f64) -> Option<f64> {
        let n_permutations = self.params.permutations;
        if n_permutations == 0 {
            return None;
        }
        // Permutations that change nothing must count whatever their sums were rounded to.
        let least = value - 1e-12 * value.abs().max(1.0);
        let n_as_large = (0..n_permutations as u64)
            .into_par_iter()
            .filter(|&index| {
                let mut stream = Stream::new(self.params.seed, Domain::Permutations, index);
                let orders: Vec<Vec<usize>> = (0..centred.n_raters())
                    .map(|_| stream.permutation(centred.n_items()))
                    .collect();
                // Where nothing can be said, it counts against the raters.
                self.value(&centred.permuted(&orders), self.splits.as_ref())
                    .is_none_or(|permuted| permuted >= least)
            })
            .count();
        Some((1 + n_as_large) as f64 / (1 + n_permutations) as f64)
    }
}
