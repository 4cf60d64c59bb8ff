//! From patterns to an RDM vector.

use consilience_stats::Real;
use ndarray::{Array2, ArrayView2, Axis};

use super::bilinear::{self, Form, NothingInCommon};
use super::crossnobis::Folds;
use super::geometric::{Geometry, Undefined};
use super::patterns::{self, Conditions};
use super::{Dissimilarity, IncompleteRuns, Patterns, RdmParams, incomplete, noise, vector};
use crate::error::{at_least, same_count};
use crate::{MethodsError, Result};

/// An RDM and what it was made of.
#[derive(Debug, Clone, PartialEq)]
pub struct RdmOutcome {
    /// Dissimilarities, `(n_pairs,)`, upper triangle row by row.
    pub vector: Vec<f64>,
    /// Condition labels in the order of the RDM, ascending; row numbers when none were given.
    pub conditions: Vec<i64>,
    /// Missing values (NaN) in the patterns that were left out.
    pub n_omitted: usize,
}

/// Compares every pair of conditions.
///
/// # Shapes
///
/// `patterns` is `(n_rows, n_channels)`; the vector of the outcome has n·(n−1)/2 values for n
/// conditions.
///
/// # Definition
///
/// The measures are those of [`Dissimilarity`]. Rows with the same condition label are averaged
/// first, in `f64`, and conditions come out in ascending order of their labels. Cross-validated
/// measures average within each run and, for each run, over the repetitions in all other runs; with a
/// noise precision for each run, `crossnobis` is the mean over pairs of runs instead. Runs that lack
/// conditions are treated as [`IncompleteRuns`] says.
///
/// Patterns stored as `f32` without condition labels are centred and scaled in `f64`, multiplied
/// in `f32` in blocks of 128 channels, and the blocks are added in `f64`; pairs so close that
/// digits would cancel are computed in `f64` from their differences. Everything else is computed
/// in `f64`. The bytes of the result do not depend on the number of threads.
///
/// Memory beyond input and result: 4·n² bytes and a few tens of MiB; a copy of the patterns when
/// their rows are not contiguous (and for `spearman`, of their ranks); for `mahalanobis`,
/// `crossnobis` and `poisson-kl` three to four n × `n_channels` matrices of `f64`.
///
/// # Errors
///
/// - [`MethodsError::TooFew`] conditions, channels or runs.
/// - [`MethodsError::ShapeMismatch`] when labels or precision do not fit the patterns.
/// - [`MethodsError::MissingOption`], [`MethodsError::UnusedOption`] for options that the measure
///   needs or cannot use.
/// - [`MethodsError::NonFinite`] for an infinity, or a NaN unless it is to be omitted.
/// - [`MethodsError::UndefinedPattern`] for a constant pattern (correlation, Spearman), a pattern of
///   zeros (cosine); [`MethodsError::NegativeRate`] (poisson-kl);
///   [`MethodsError::UndefinedPair`] for the same between two incomplete patterns.
/// - [`MethodsError::ConditionMissingInRun`], or [`MethodsError::NoCommonRuns`] when incomplete runs are
///   allowed (crossnobis, poisson-kl-cv).
/// - [`MethodsError::SingularCovariance`] for the precision of a run that has no inverse.
/// - [`MethodsError::OutOfRange`] when a value is too large for `f64`.
///
/// # Example
///
/// ```
/// use consilience_methods::rdm::{Dissimilarity, RdmParams, rdm};
/// use ndarray::array;
///
/// let patterns = array![[0.0, 0.0], [3.0, 4.0], [3.0, 0.0]];
/// let params = RdmParams {
///     dissimilarity: Dissimilarity::Euclidean,
///     ..RdmParams::default()
/// };
/// let outcome = rdm(patterns.view(), &params)?;
/// assert_eq!(outcome.vector, [5.0, 3.0, 4.0]);
/// # Ok::<(), consilience_methods::MethodsError>(())
/// ```
///
/// # References
///
/// Kriegeskorte, Mur & Bandettini 2008, doi:10.3389/neuro.06.004.2008; Walther et al. 2016,
/// doi:10.1016/j.neuroimage.2015.12.012.
///
/// # Peers
///
/// To 1e-9 (f64) and 1e-5 (f32): SciPy `pdist` (correlation, cosine, euclidean, sqeuclidean);
/// rsatoolbox `calc_rdm` (correlation, mahalanobis, crossnobis also with a precision for each run,
/// poisson) and `calc_rdm_unbalanced` (crossnobis, as `AllRows` here). rsatoolbox's `euclidean` is
/// `sqeuclidean` per channel here; its `poisson_cv` is the last fold of ours, not their mean.
pub fn rdm<'a>(patterns: impl Into<Patterns<'a>>, params: &RdmParams) -> Result<RdmOutcome> {
    match patterns.into() {
        Patterns::F32(x) => outcome(x, params),
        Patterns::F64(x) => outcome(x, params),
    }
}

fn outcome<T: Real>(x: ArrayView2<'_, T>, params: &RdmParams) -> Result<RdmOutcome> {
    let (n_rows, n_channels) = x.dim();
    params.validate(n_rows, n_channels)?;
    let conditions = Conditions::new(n_rows, params.conditions.as_deref());
    at_least("conditions to compare", 2, conditions.len())?;
    at_least("channels of the patterns", 1, n_channels)?;
    let n_omitted = patterns::count_missing(x, params.nan)?;

    let vector = if n_omitted == 0 {
        dissimilarities(x, &conditions, params)?
    } else {
        // Channels without any value (outside a mask, say) say nothing about any pair.
        let present = patterns::present_channels(x);
        at_least("channels with a value in some row", 1, present.len())?;
        let of_present = |p: &Array2<f64>| p.select(Axis(0), &present).select(Axis(1), &present);
        let params = RdmParams {
            noise_precision: params.noise_precision.as_ref().map(of_present),
            ..params.clone()
        };
        dissimilarities(x.select(Axis(1), &present).view(), &conditions, &params)?
    };
    check_range(&vector, &conditions, params.dissimilarity)?;
    Ok(RdmOutcome {
        vector,
        conditions: conditions.labels,
        n_omitted,
    })
}

/// Dissimilarities of patterns in which NaN stands for a missing value.
fn dissimilarities<T: Real>(
    x: ArrayView2<'_, T>,
    conditions: &Conditions,
    params: &RdmParams,
) -> Result<Vec<f64>> {
    let geometry = Geometry::of(params.dissimilarity, params.per_channel);
    match (geometry, conditions.labelled) {
        (Some(geometry), false) => geometric(geometry, x, conditions, params),
        (Some(geometry), true) => {
            let means = patterns::means(x, &conditions.rows);
            geometric(geometry, means.view(), conditions, params)
        }
        (None, _) => bilinear(x, conditions, params),
    }
}

fn geometric<T: Real>(
    geometry: Geometry,
    x: ArrayView2<'_, T>,
    conditions: &Conditions,
    params: &RdmParams,
) -> Result<Vec<f64>> {
    let dissimilarity = params.dissimilarity.name();
    if !has_missing(x) {
        return geometry.rdm(x).map_err(|(idx, why)| {
            let (why, cure) = explain(why);
            MethodsError::UndefinedPattern {
                dissimilarity,
                pattern: conditions.pattern_id(idx),
                why,
                cure,
            }
        });
    }
    vector::try_from_pairs(x.nrows(), |i, j| {
        let (a, b): (Vec<f64>, Vec<f64>) = x
            .row(i)
            .iter()
            .zip(x.row(j))
            .map(|(a, b)| (a.to_f64(), b.to_f64()))
            .filter(|(a, b)| !a.is_nan() && !b.is_nan())
            .unzip();
        geometry
            .of_pair(&a, &b)
            .map_err(|why| MethodsError::UndefinedPair {
                dissimilarity,
                first: conditions.pattern_id(i),
                second: conditions.pattern_id(j),
                n_common: a.len(),
                why: explain(why).0,
            })
    })
}

fn bilinear<T: Real>(
    x: ArrayView2<'_, T>,
    conditions: &Conditions,
    params: &RdmParams,
) -> Result<Vec<f64>> {
    let precision = params.noise_precision.as_ref();
    let missing = has_missing(x);
    let nothing_in_common = |outcome: std::result::Result<Vec<f64>, NothingInCommon>| {
        outcome.map_err(|NothingInCommon(i, j)| MethodsError::UndefinedPair {
            dissimilarity: params.dissimilarity.name(),
            first: conditions.pattern_id(i),
            second: conditions.pattern_id(j),
            n_common: 0,
            why: explain(Undefined::Empty).0,
        })
    };
    let evaluate = |n_forms, form: &(dyn Fn(usize) -> Form + Sync)| {
        if missing {
            nothing_in_common(bilinear::distances_of_incomplete(n_forms, form, precision))
        } else {
            let precision = precision.map(|p| p.view());
            Ok(bilinear::distances(
                conditions.len(),
                n_forms,
                form,
                &|_| precision,
            ))
        }
    };
    if let Some(runs) = &params.runs {
        return crossvalidated(x, conditions, runs, params, &evaluate);
    }
    let means = patterns::means(x, &conditions.rows);
    if params.dissimilarity == Dissimilarity::PoissonKl {
        let rates = poisson_rates(means, conditions)?;
        evaluate(1, &|_| {
            Form::of_two(rates.clone(), rates.mapv(f64::ln), 1.0)
        })
    } else {
        evaluate(1, &|_| Form::of_one(means.clone(), 1.0))
    }
}

/// The weighted sum over so many forms.
type Sum<'a> = dyn Fn(usize, &(dyn Fn(usize) -> Form + Sync)) -> Result<Vec<f64>> + 'a;

/// Cross-validated measures; `evaluate` adds the forms of folds.
fn crossvalidated<T: Real>(
    x: ArrayView2<'_, T>,
    conditions: &Conditions,
    runs: &[i64],
    params: &RdmParams,
    evaluate: &Sum<'_>,
) -> Result<Vec<f64>> {
    let poisson = params.dissimilarity == Dissimilarity::PoissonKlCv;
    match params.incomplete_runs {
        IncompleteRuns::Refuse => {}
        // A precision for each run speaks of the means of whole runs.
        _ if params.run_noise_precisions.is_some() => {
            return Err(MethodsError::UnusedOption {
                dissimilarity: params.dissimilarity.name(),
                option: "a treatment of incomplete runs beside a noise precision for each run",
                instead: "one noise precision for all runs",
            });
        }
        IncompleteRuns::CommonRuns => {
            return incomplete::common_runs(x, conditions, runs, params);
        }
        IncompleteRuns::AllRows => {
            return incomplete::all_rows(x, conditions, runs, params);
        }
    }
    let folds = Folds::new(conditions, runs)?;
    if let Some(precisions) = &params.run_noise_precisions {
        return with_run_noise(x, &folds, precisions, params);
    }
    let weight = 1.0 / folds.len() as f64;
    if !poisson {
        if folds.are_balanced() && !has_missing(x) {
            // With t of a run and s of all, the others are (n·s − t) / (n − 1): instead of two sides
            // for each run, the squares of each run and of all.
            let n_runs = folds.len() as f64;
            return evaluate(folds.len() + 1, &|m| {
                if m < folds.len() {
                    Form::of_one(folds.inside(x, m), -weight / (n_runs - 1.0))
                } else {
                    let all = patterns::means(x, &conditions.rows);
                    Form::of_one(all, n_runs / (n_runs - 1.0))
                }
            });
        }
        return evaluate(folds.len(), &|m| {
            let [left, right] = folds.sides(x, m);
            Form::of_two(left, right, weight)
        });
    }
    // Rates below 0 are found before the forms are made.
    for m in 0..folds.len() {
        for side in folds.sides(x, m) {
            poisson_rates(side, conditions)?;
        }
    }
    evaluate(folds.len(), &|m| {
        let [left, right] = folds
            .sides(x, m)
            .map(|side| poisson_rates(side, conditions).expect("checked before"));
        Form::of_two(left, right.mapv(f64::ln), weight)
    })
}

/// Mean over pairs of runs, each under the inverse of the mean of its two covariances.
fn with_run_noise<T: Real>(
    x: ArrayView2<'_, T>,
    folds: &Folds,
    precisions: &[Array2<f64>],
    params: &RdmParams,
) -> Result<Vec<f64>> {
    let n_runs = folds.len();
    same_count(
        "noise precisions, one for each run",
        n_runs,
        precisions.len(),
    )?;
    if has_missing(x) {
        return Err(MethodsError::UnusedOption {
            dissimilarity: params.dissimilarity.name(),
            option: "a noise precision for each run with missing values",
            instead: "one noise precision for all runs",
        });
    }
    let covariances = precisions
        .iter()
        .map(noise::inverse_of)
        .collect::<Result<Vec<_>>>()?;
    let pairs: Vec<(usize, usize)> = consilience_core::pairs::iter(n_runs).collect();
    let shared = pairs
        .iter()
        .map(|&(m, n)| noise::inverse_of(&((&covariances[m] + &covariances[n]) * 0.5)))
        .collect::<Result<Vec<_>>>()?;
    let weight = 1.0 / pairs.len() as f64;
    let form = |k: usize| {
        let (m, n) = pairs[k];
        Form::of_two(folds.inside(x, m), folds.inside(x, n), weight)
    };
    Ok(bilinear::distances(
        folds.n_conditions(),
        pairs.len(),
        form,
        &|k| Some(shared[k].view()),
    ))
}

/// Rates under the prior, all positive.
pub(super) fn poisson_rates(
    mut means: Array2<f64>,
    conditions: &Conditions,
) -> Result<Array2<f64>> {
    const PRIOR_RATE: f64 = 1.0;
    const PRIOR_WEIGHT: f64 = 0.1;
    for ((idx, column), rate) in means.indexed_iter_mut() {
        let value = *rate;
        *rate = (value + PRIOR_RATE * PRIOR_WEIGHT) / (1.0 + PRIOR_WEIGHT);
        if *rate <= 0.0 {
            return Err(MethodsError::NegativeRate {
                pattern: conditions.pattern_id(idx),
                column,
                value,
            });
        }
    }
    Ok(means)
}

fn has_missing<T: Real>(x: ArrayView2<'_, T>) -> bool {
    x.iter().any(|v| v.to_f64().is_nan())
}

fn explain(why: Undefined) -> (&'static str, &'static str) {
    match why {
        Undefined::Constant => (
            "all its values are the same",
            "leave the pattern out or use euclidean",
        ),
        Undefined::Zero => (
            "all its values are zero",
            "leave the pattern out or use euclidean",
        ),
        Undefined::OutOfRange => (
            "its values are too large or too small to be squared",
            "give the patterns in another unit",
        ),
        Undefined::Empty => (
            "they have no channel in common",
            "leave one of the patterns out",
        ),
    }
}

fn check_range(
    vector: &[f64],
    conditions: &Conditions,
    dissimilarity: Dissimilarity,
) -> Result<()> {
    let pairs = consilience_core::pairs::iter(conditions.len());
    match pairs.zip(vector).find(|(_, value)| !value.is_finite()) {
        None => Ok(()),
        Some(((i, j), _)) => Err(MethodsError::OutOfRange {
            dissimilarity: dissimilarity.name(),
            first: conditions.pattern_id(i),
            second: conditions.pattern_id(j),
        }),
    }
}
