//! How predictions follow ratings, over repeats.

use consilience_core::{EmotionEpoch, PlaneScore, PredictionScore};
use consilience_methods::behaviour::ProcrustesParams;
use consilience_methods::emotion::{
    PredictionParams, energy_distance, plane_agreement, prediction,
};
use consilience_stats::correlation::{pearson, spearman};
use ndarray::{Array1, Array2, ArrayView2, Axis};

use super::Repeat;
use crate::error::Result;

/// Mean over repeats of the values that there are; `None` without any.
pub(super) fn mean(values: &[Option<f64>]) -> Option<f64> {
    let found: Vec<f64> = values.iter().copied().flatten().collect();
    (!found.is_empty()).then(|| found.iter().sum::<f64>() / found.len() as f64)
}

/// Their standard deviation with denominator n − 1; `None` of fewer than two.
pub(super) fn sd(values: &[Option<f64>]) -> Option<f64> {
    let found: Vec<f64> = values.iter().copied().flatten().collect();
    let centre = mean(values)?;
    let squares: f64 = found.iter().map(|v| (v - centre).powi(2)).sum();
    (found.len() > 1).then(|| (squares / (found.len() - 1) as f64).sqrt())
}

/// Standard error of their mean.
pub(super) fn sem(values: &[Option<f64>]) -> Option<f64> {
    let n = values.iter().flatten().count();
    sd(values).map(|sd| sd / (n as f64).sqrt())
}

/// Scores of each rating, from the predictions `(n_stimuli, n_ratings)` of each repeat.
///
/// # Errors
///
/// Those of [`prediction`].
pub fn scores(
    ratings: ArrayView2<'_, f64>,
    repeats: &[ArrayView2<'_, f64>],
    resamples: usize,
    seed: u64,
) -> Result<Vec<PredictionScore>> {
    let of_rating = |column: usize| {
        let actual = ratings.column(column);
        let without = PredictionParams { resamples: 0, seed };
        let found = repeats
            .iter()
            .map(|repeat| prediction(actual, repeat.column(column), &without))
            .collect::<Result<Vec<_>, _>>()?;
        let mut together = Array1::zeros(actual.len());
        for repeat in repeats {
            together += &repeat.column(column);
        }
        together /= repeats.len().max(1) as f64;
        let of_mean = prediction(
            actual,
            together.view(),
            &PredictionParams { resamples, seed },
        )?;
        let given = actual.to_vec();
        let rho: Vec<Option<f64>> = repeats
            .iter()
            .map(|repeat| spearman(&given, &repeat.column(column).to_vec()))
            .collect();
        let r: Vec<Option<f64>> = found.iter().map(|p| p.values.r).collect();
        let n = found.len().max(1) as f64;
        Ok(PredictionScore {
            r: mean(&r),
            r_sd: sd(&r),
            r_of_mean: of_mean.values.r,
            r_interval: of_mean.intervals.and_then(|found| found.r),
            spearman: mean(&rho),
            spearman_sd: sd(&rho),
            spearman_of_mean: spearman(&given, &together.to_vec()),
            rmse: found.iter().map(|p| p.values.rmse).sum::<f64>() / n,
            r2: found.iter().map(|p| p.values.r2).sum::<f64>() / n,
            rmse_refit: mean(&refits(&found, |line| line.rmse)),
            r2_refit: mean(&refits(&found, |line| line.r2)),
        })
    };
    (0..ratings.ncols()).map(of_rating).collect()
}

fn refits(
    found: &[consilience_methods::emotion::Prediction],
    value: impl Fn(consilience_methods::emotion::Refit) -> f64,
) -> Vec<Option<f64>> {
    found.iter().map(|p| p.values.refit.map(&value)).collect()
}

/// Disparity of the plane of both ratings for each repeat; `None` where predictions are constant.
#[must_use]
pub fn disparities(
    ratings: ArrayView2<'_, f64>,
    repeats: &[ArrayView2<'_, f64>],
) -> Vec<Option<f64>> {
    let params = ProcrustesParams::default();
    repeats
        .iter()
        .map(|repeat| {
            let found = plane_agreement(ratings, *repeat, &params);
            found.ok().map(|found| found.disparity)
        })
        .collect()
}

/// How the plane of both ratings is met; `None` with a single rating.
///
/// # Errors
///
/// Those of [`energy_distance`].
pub fn plane(
    ratings: ArrayView2<'_, f64>,
    repeats: &[ArrayView2<'_, f64>],
) -> Result<Option<PlaneScore>> {
    if ratings.ncols() != 2 {
        return Ok(None);
    }
    let found = disparities(ratings, repeats);
    let energies = repeats
        .iter()
        .map(|repeat| energy_distance(ratings, *repeat))
        .collect::<Result<Vec<f64>, _>>()?;
    Ok(Some(PlaneScore {
        disparity: mean(&found),
        disparity_sd: sd(&found),
        energy: energies.iter().sum::<f64>() / energies.len().max(1) as f64,
    }))
}

/// Epoch by epoch, means over repeats.
#[must_use]
pub fn history(ratings: ArrayView2<'_, f64>, repeats: &[Repeat]) -> Vec<EmotionEpoch> {
    let n_epochs = repeats.first().map_or(0, |repeat| repeat.ratings.dim().0);
    let given: Vec<Vec<f64>> = ratings.columns().into_iter().map(|c| c.to_vec()).collect();
    let of_epoch = |epoch: usize| {
        let at: Vec<ArrayView2<'_, f64>> = (repeats.iter())
            .map(|repeat| repeat.ratings.index_axis(Axis(0), epoch))
            .collect();
        let r = |rating: usize| -> Vec<Option<f64>> {
            let of = |found: &ArrayView2<'_, f64>| {
                pearson(&given[rating], &found.column(rating).to_vec())
            };
            at.iter().map(of).collect()
        };
        let all: Vec<Vec<Option<f64>>> = (0..given.len()).map(r).collect();
        let loss = |which: usize| {
            let found: Vec<Option<f64>> = repeats.iter().map(|r| r.losses[epoch][which]).collect();
            mean(&found)
        };
        let in_plane = match given.len() {
            2 => disparities(ratings, &at),
            _ => Vec::new(),
        };
        EmotionEpoch {
            epoch,
            training: loss(0),
            validation: loss(1),
            r: all.iter().map(|r| mean(r)).collect(),
            r_sd: all.iter().map(|r| sd(r)).collect(),
            disparity: mean(&in_plane),
            disparity_sd: sd(&in_plane),
        }
    };
    (0..n_epochs).map(of_epoch).collect()
}

/// r of each rating for each repeat, `(n_repeats)` each, and disparities, by what comparisons call them.
#[must_use]
pub fn measures(
    ratings: ArrayView2<'_, f64>,
    names: &[String],
    repeats: &[Array2<f64>],
) -> Vec<(String, Vec<Option<f64>>)> {
    let views: Vec<ArrayView2<'_, f64>> = repeats.iter().map(|repeat| repeat.view()).collect();
    let mut all: Vec<(String, Vec<Option<f64>>)> = names
        .iter()
        .enumerate()
        .map(|(column, name)| {
            let given = ratings.column(column).to_vec();
            let r = views
                .iter()
                .map(|v| pearson(&given, &v.column(column).to_vec()));
            (format!("r of {name}"), r.collect())
        })
        .collect();
    if names.len() == 2 {
        all.push(("disparity".to_owned(), disparities(ratings, &views)));
    }
    all
}
