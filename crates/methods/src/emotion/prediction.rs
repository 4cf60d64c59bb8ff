//! How well predicted ratings follow the given ones.

use consilience_stats::correlation::pearson;
use consilience_stats::normal;
use consilience_stats::random::{Domain, Stream};
use ndarray::{ArrayView1, Axis};
use rayon::prelude::*;

use super::EmotionError;
use crate::Result;
use crate::behaviour::{check_finite, quantile};
use crate::error::{at_least, same_count};

/// Options of [`prediction`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PredictionParams {
    /// Bootstrap resamples of items for the intervals (default 1,000; 0 for none).
    pub resamples: usize,
    /// Seed of the resamples (default 1).
    pub seed: u64,
}

impl Default for PredictionParams {
    fn default() -> Self {
        Self {
            resamples: 1000,
            seed: 1,
        }
    }
}

/// How well the predictions of one rating follow it.
#[derive(Debug, Clone, PartialEq)]
pub struct Prediction {
    /// Items.
    pub n: usize,
    /// The values of all items.
    pub values: PredictionMetrics,
    /// 95 % interval of r by Fisher's z; `None` without r, for fewer than 4 items or |r| = 1.
    pub r_interval: Option<[f64; 2]>,
    /// 95 % intervals by bootstrap over items, the quantiles 0.025 and 0.975 of the resamples; `None` without resamples.
    pub intervals: Option<PredictionIntervals>,
}

/// Agreement of predictions with ratings, of the predictions as they are and after a line was fitted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PredictionMetrics {
    /// Pearson's r; `None` when all predictions are equal.
    pub r: Option<f64>,
    /// R² of the predictions as they are: 1 − Σ(y − ŷ)²/Σ(y − ȳ)². Below 0 where the mean rating predicts better.
    pub r2: f64,
    /// Root of the mean squared error of the predictions as they are.
    pub rmse: f64,
    /// Mean absolute error of the predictions as they are.
    pub mae: f64,
    /// The same after the line y ≈ a·ŷ + b was fitted to these very items, which says less: its R² is r² by definition.
    /// `None` when all predictions are equal.
    pub refit: Option<Refit>,
}

/// A line through the items, from predictions to ratings.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Refit {
    /// a of y ≈ a·ŷ + b.
    pub slope: f64,
    /// b of y ≈ a·ŷ + b.
    pub intercept: f64,
    /// R² of the line, r².
    pub r2: f64,
    /// Root of the mean squared error of the line, √(1 − r²) times the standard deviation of the ratings (denominator n).
    pub rmse: f64,
}

/// Intervals by bootstrap over items.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PredictionIntervals {
    /// Of r; `None` when it has no value.
    pub r: Option<[f64; 2]>,
    /// Of R² of the predictions as they are.
    pub r2: [f64; 2],
    /// Of their root mean squared error.
    pub rmse: [f64; 2],
    /// Of their mean absolute error.
    pub mae: [f64; 2],
    /// Of R² after a refit, r².
    pub refit_r2: Option<[f64; 2]>,
    /// Of the root mean squared error after a refit.
    pub refit_rmse: Option<[f64; 2]>,
    /// Resamples that took part: those whose ratings vary, and for r and refits also the predictions.
    pub n_resamples: [usize; 2],
}

/// Compares the predictions of one rating with the rating.
///
/// # Shapes
///
/// `actual` and `predicted` are `(n_items,)`, in the same order.
///
/// # Definition
///
/// Of ratings y and predictions ŷ over n items: RMSE = √(Σ(y − ŷ)²/n), MAE = Σ|y − ŷ|/n, R² = 1 − Σ(y − ŷ)²/Σ(y − ȳ)². The
/// refit is the least-squares line y ≈ a·ŷ + b on the same items; its R² ≡ r² and its RMSE = √(1 − r²)·SD(y), whatever the scale
/// of the predictions: both are reported, so that neither passes for the other. A resample draws n items with
/// replacement and refits the line. The interval of r is tanh(artanh r ± 1.96/√(n − 3)).
///
/// # Errors
///
/// [`MethodsError::ShapeMismatch`](crate::MethodsError::ShapeMismatch), [`MethodsError::TooFew`](crate::MethodsError::TooFew) items (3),
/// [`MethodsError::NonFinite`](crate::MethodsError::NonFinite), [`EmotionError::ConstantRatings`].
///
/// # Example
///
/// ```
/// use consilience_methods::emotion::{PredictionParams, prediction};
/// use ndarray::array;
///
/// let (actual, predicted) = (array![1.0, 2.0, 3.0, 4.0], array![2.0, 4.0, 6.0, 8.0]);
/// let found = prediction(actual.view(), predicted.view(), &PredictionParams::default())?.values;
/// assert!((found.r.unwrap() - 1.0).abs() < 1e-12 && found.refit.unwrap().rmse < 1e-7);
/// assert!((found.r2 + 5.0).abs() < 1e-12 && (found.mae - 2.5).abs() < 1e-12);
/// # Ok::<(), consilience_methods::MethodsError>(())
/// ```
///
/// # References
///
/// Fisher 1921, Metron 1:3–32; Efron 1979, doi:10.1214/aos/1176344552.
///
/// # Peers
///
/// SciPy 1.17.1 `pearsonr` with its interval and `linregress`, the definitions in NumPy, to 1e-9.
pub fn prediction(
    actual: ArrayView1<'_, f64>,
    predicted: ArrayView1<'_, f64>,
    params: &PredictionParams,
) -> Result<Prediction> {
    let n = actual.len();
    same_count("predictions, one for each rating", n, predicted.len())?;
    at_least("items with a rating and a prediction", 3, n)?;
    check_finite("the ratings", actual.insert_axis(Axis(0)))?;
    check_finite("the predictions", predicted.insert_axis(Axis(0)))?;
    let (actual, predicted) = (actual.to_vec(), predicted.to_vec());
    let values = metrics(&actual, &predicted).ok_or(EmotionError::ConstantRatings)?;
    let r_interval = values.r.filter(|r| n > 3 && r.abs() < 1.0).map(|r| {
        let half = normal::quantile(0.975) / (n as f64 - 3.0).sqrt();
        [(r.atanh() - half).tanh(), (r.atanh() + half).tanh()]
    });
    let resampled: Vec<PredictionMetrics> = (0..params.resamples as u64)
        .into_par_iter()
        .filter_map(|index| {
            let mut draw = Stream::new(params.seed, Domain::Conditions, index);
            let items = draw.multiplicities(n).into_iter().zip(0..n);
            let items: Vec<usize> = items
                .flat_map(|(times, item)| std::iter::repeat_n(item, times as usize))
                .collect();
            let of = |values: &[f64]| -> Vec<f64> { items.iter().map(|&i| values[i]).collect() };
            metrics(&of(&actual), &of(&predicted))
        })
        .collect();
    Ok(Prediction {
        n,
        values,
        r_interval,
        intervals: intervals(&resampled),
    })
}

/// `None` when all ratings are equal.
fn metrics(actual: &[f64], predicted: &[f64]) -> Option<PredictionMetrics> {
    if actual.iter().all(|y| *y == actual[0]) {
        return None;
    }
    let n = actual.len() as f64;
    let mean = |values: &mut dyn Iterator<Item = f64>| values.sum::<f64>() / n;
    let errors = || actual.iter().zip(predicted).map(|(y, p)| y - p);
    let centre = mean(&mut actual.iter().copied());
    let variance = mean(&mut actual.iter().map(|y| (y - centre).powi(2)));
    let mse = mean(&mut errors().map(|e| e * e));
    let r = pearson(actual, predicted);
    let refit = r.map(|r| {
        let middle = mean(&mut predicted.iter().copied());
        let spread = mean(&mut predicted.iter().map(|p| (p - middle).powi(2)));
        let slope = r * (variance / spread).sqrt();
        Refit {
            slope,
            intercept: centre - slope * middle,
            r2: r * r,
            rmse: ((1.0 - r * r) * variance).sqrt(),
        }
    });
    Some(PredictionMetrics {
        r,
        r2: 1.0 - mse / variance,
        rmse: mse.sqrt(),
        mae: mean(&mut errors().map(f64::abs)),
        refit,
    })
}

/// `None` without resamples.
fn intervals(resampled: &[PredictionMetrics]) -> Option<PredictionIntervals> {
    let refits: Vec<(f64, Refit)> = resampled.iter().filter_map(|m| m.r.zip(m.refit)).collect();
    let of_all = |value: &dyn Fn(&PredictionMetrics) -> f64| limits(resampled.iter().map(value));
    let of_refits = |value: &dyn Fn(&(f64, Refit)) -> f64| limits(refits.iter().map(value));
    Some(PredictionIntervals {
        r: of_refits(&|(r, _)| *r),
        r2: of_all(&|m| m.r2)?,
        rmse: of_all(&|m| m.rmse)?,
        mae: of_all(&|m| m.mae)?,
        refit_r2: of_refits(&|(_, line)| line.r2),
        refit_rmse: of_refits(&|(_, line)| line.rmse),
        n_resamples: [resampled.len(), refits.len()],
    })
}

/// The quantiles 0.025 and 0.975; `None` of nothing.
fn limits(values: impl Iterator<Item = f64>) -> Option<[f64; 2]> {
    let mut sorted: Vec<f64> = values.collect();
    sorted.sort_by(f64::total_cmp);
    (!sorted.is_empty()).then(|| [0.025, 0.975].map(|share| quantile(&sorted, share)))
}
