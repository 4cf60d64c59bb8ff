//! How reliable a target is, and whether a correlation stays below what that allows.

use consilience_core::RatingReliability;
use consilience_stats::normal;
use consilience_stats::random::{Domain, Stream};
use ndarray::ArrayView2;
use rayon::prelude::*;

use super::AppraisalError;
use crate::Result;
use crate::behaviour::{Correlated, CorrelationKind};
use crate::error::{at_least, same_count};
use crate::interval::{Scale, Uncertainty};
use crate::reliability::{Coefficient, ReliabilityParams, rater_reliability};

/// The best correlation with a target that can be expected, by its reliability.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TargetCeiling {
    /// Root of the reliability, above 0 and at most 1.
    pub correlation: f64,
    /// 95 % interval of it; without, it is treated as known.
    pub interval: Option<[f64; 2]>,
}

impl TargetCeiling {
    /// The ceiling of a reliability; `None` where the reliability is not above 0.
    #[must_use]
    pub fn of(reliability: &RatingReliability) -> Option<Self> {
        Some(Self {
            correlation: reliability.ceiling.filter(|ceiling| *ceiling > 0.0)?,
            interval: (reliability.interval).map(|limits| limits.map(|v| v.max(0.0).sqrt())),
        })
    }

    /// Standard error on the scale of Fisher's z, from the halves of the interval that end inside it.
    fn error(&self) -> f64 {
        let Some([low, high]) = self.interval else {
            return 0.0;
        };
        let centre = self.correlation.atanh();
        let halves: Vec<f64> = [(low, centre - low.atanh()), (high, high.atanh() - centre)]
            .into_iter()
            .filter(|(limit, half)| *limit > 0.0 && half.is_finite())
            .map(|(_, half)| half.max(0.0))
            .collect();
        let mean = halves.iter().sum::<f64>() / halves.len() as f64;
        mean / normal::quantile(0.975)
    }
}

/// One-sided p for a correlation below a ceiling; `None` where either has no Fisher's z or its error is unknown.
///
/// # Definition
///
/// p = Φ((artanh r − artanh c) / √(s² + e²)), where c is the ceiling, s² = 1/(n − 3) for Pearson and (1 + r²/2)/(n − 3) for
/// Spearman, and e half of the ceiling's 95 % interval on the same scale over 1.96, 0 for one that is known. Both
/// errors are taken as independent; where reliability and correlation come from the same pictures they go together, which makes
/// the test conservative.
///
/// # References
///
/// Fisher 1921, Metron 1:3–32; Spearman 1904, doi:10.2307/1412159 (the root of the reliability as the limit of a correlation).
#[must_use]
pub fn p_below_ceiling(
    found: &Correlated,
    kind: CorrelationKind,
    ceiling: &TargetCeiling,
) -> Option<f64> {
    if found.n < 4 {
        return None;
    }
    let share = match kind {
        CorrelationKind::Pearson => 1.0,
        CorrelationKind::Spearman => 1.0 + found.r * found.r / 2.0,
    };
    let variance = share / (found.n as f64 - 3.0) + ceiling.error().powi(2);
    let z = (found.r.atanh() - ceiling.correlation.atanh()) / variance.sqrt();
    z.is_finite().then(|| normal::sf(-z))
}

/// How reliable the mean over raters or subjects is.
#[derive(Debug, Clone, PartialEq)]
pub struct TargetReliability {
    /// Cronbach's alpha, its interval and the ceiling.
    pub reliability: RatingReliability,
    /// Raters or subjects.
    pub n_raters: usize,
    /// Pictures left out because some rater did not rate them.
    pub n_omitted: usize,
    /// What could not be computed and why.
    pub notes: Vec<String>,
}

/// Reliability of a target with several raters or subjects: [`rater_reliability`] by Cronbach's alpha, without its test.
///
/// # Shapes
///
/// `ratings` is `(n_pictures, n_raters)`.
///
/// # Errors
///
/// As [`rater_reliability`].
pub fn target_reliability(
    ratings: ArrayView2<'_, f64>,
    params: &ReliabilityParams,
) -> Result<TargetReliability> {
    let params = ReliabilityParams {
        coefficient: Coefficient::Alpha,
        permutations: 0,
        ..*params
    };
    let found = rater_reliability(ratings, &params)?;
    Ok(TargetReliability {
        reliability: RatingReliability {
            reliability: found.value,
            interval: found.interval,
            ceiling: found.ceiling,
        },
        n_raters: ratings.ncols(),
        n_omitted: found.n_omitted,
        notes: found.notes,
    })
}

/// Reliability of published means, from the standard deviation and number of ratings behind each.
///
/// # Shapes
///
/// All have a value for each picture.
///
/// # Definition
///
/// 1 − (1/N)·Σᵢ sᵢ²/nᵢ / V, where V is the variance of the N means (denominator N − 1): the share of the variance of
/// means that is not the sampling error of each. The interval is by bootstrap over pictures (`resamples`, 0 for none), Student's on the scale of −ln(1 − x).
///
/// # Errors
///
/// [`MethodsError::ShapeMismatch`](crate::MethodsError::ShapeMismatch), [`MethodsError::TooFew`](crate::MethodsError::TooFew) pictures (3),
/// [`AppraisalError::BadSpread`], [`AppraisalError::ConstantMeans`].
///
/// # References
///
/// Lord & Novick 1968, Statistical theories of mental test scores.
pub fn reliability_of_means(
    means: &[f64],
    sds: &[f64],
    counts: &[usize],
    resamples: usize,
    seed: u64,
) -> Result<RatingReliability> {
    at_least("pictures with a mean", 3, means.len())?;
    let what = "standard deviations (and numbers of ratings), one for each picture";
    same_count(what, means.len(), sds.len())?;
    same_count(what, means.len(), counts.len())?;
    for (picture, (&sd, &n)) in sds.iter().zip(counts).enumerate() {
        if !(means[picture].is_finite() && sd.is_finite() && sd >= 0.0 && n > 0) {
            return Err(AppraisalError::BadSpread { picture, sd, n }.into());
        }
    }
    let errors = sds.iter().zip(counts).map(|(sd, &n)| sd * sd / n as f64);
    let errors: Vec<f64> = errors.collect();
    let value = |times: &[u32]| {
        let n: f64 = times.iter().map(|&t| f64::from(t)).sum();
        let mean_of = |values: &dyn Fn(usize) -> f64| {
            let terms = times.iter().enumerate();
            terms.map(|(i, &t)| f64::from(t) * values(i)).sum::<f64>() / n
        };
        let mean = mean_of(&|i| means[i]);
        let variance = mean_of(&|i| (means[i] - mean).powi(2)) * n / (n - 1.0);
        (variance > 0.0).then(|| 1.0 - mean_of(&|i| errors[i]) / variance)
    };
    let reliability = match means.iter().all(|m| *m == means[0]) {
        true => None,
        false => value(&vec![1; means.len()]),
    }
    .ok_or(AppraisalError::ConstantMeans)?;
    let values: Vec<Option<f64>> = (0..resamples as u64)
        .into_par_iter()
        .map(|i| value(&Stream::new(seed, Domain::Conditions, i).multiplicities(means.len())))
        .collect();
    let values: Vec<f64> = values.into_iter().flatten().collect();
    let sure = Uncertainty::of_resamples(reliability, &values, means.len(), Scale::LogComplement);
    Ok(RatingReliability {
        reliability,
        interval: sure.map(|sure| sure.interval),
        ceiling: (reliability >= 0.0).then(|| reliability.sqrt()),
    })
}
