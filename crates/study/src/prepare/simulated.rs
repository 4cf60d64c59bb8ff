//! Simulated targets.

use consilience_core::TargetKind;
use consilience_stats::random::{Domain, Stream};
use ndarray::Array2;

use super::invalid;
use super::ratings::{GivenRatings, LoadedRating, RatingSource, given_rating, hash_of};
use crate::Result;
use crate::file::{KeyPath, TargetOptions};
use crate::plan::PlannedRating;

/// A target with `simulate-from`.
pub(super) fn simulate(
    options: &TargetOptions,
    kind: TargetKind,
    table: &KeyPath,
    ratings: &[PlannedRating],
    loaded: &[LoadedRating],
    seed: u64,
) -> Result<(PlannedRating, LoadedRating)> {
    let key = |name: &str| table.clone().key(name);
    let from = options.simulate_from.as_deref();
    let from = given_rating(from, &key("simulate-from"), ratings)?;
    let noise = options.simulate_noise.unwrap_or(1.0);
    if !(noise.is_finite() && noise >= 0.0) {
        return Err(invalid(
            &key("simulate-noise"),
            &format!("the noise is {noise}, expected a number of at least 0"),
        ));
    }
    let n_subjects = options.simulate_subjects.unwrap_or(10);
    if n_subjects == 0 {
        return Err(invalid(
            &key("simulate-subjects"),
            "0 subjects, expected at least 1",
        ));
    }
    let RatingSource::Given(given) = &loaded[from].source else {
        unreachable!("only given ratings are simulated from");
    };
    let n = given.mean.len() as f64;
    let mean = given.mean.iter().sum::<f64>() / n;
    let variance = given.mean.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n;
    if variance <= 0.0 {
        return Err(invalid(
            &key("simulate-from"),
            &format!(
                "all ratings of {} are the same; nothing to simulate",
                ratings[from].name
            ),
        ));
    }
    let common = given.mean.iter().map(|v| (v - mean) / variance.sqrt());
    // A target's stream follows from its name, so that adding another changes nothing here.
    let name = blake3::hash(options.name.as_bytes());
    let of_name = name.as_bytes().first_chunk().copied().unwrap_or_default();
    let mut stream = Stream::new(seed, Domain::Simulation, u64::from_le_bytes(of_name));
    let mut raters = Array2::zeros((given.mean.len(), n_subjects));
    for (mut row, common) in raters.rows_mut().into_iter().zip(common) {
        row.mapv_inplace(|_| common + noise * stream.normal());
    }
    let mean: Vec<f64> = raters
        .rows()
        .into_iter()
        .map(|row| row.sum() / n_subjects as f64)
        .collect();
    let planned = PlannedRating {
        name: options.name.clone(),
        kind,
        n_subjects: Some(n_subjects),
        is_simulated: true,
        scale: None,
        blake3: hash_of(mean.iter().chain(&raters)),
        reads: None,
    };
    let source = RatingSource::Given(GivenRatings {
        mean,
        raters,
        spread: None,
    });
    let notes = vec![format!(
        "simulated: {n_subjects} subjects, each the z-scored {} with noise of {noise} standard deviations",
        ratings[from].name
    )];
    Ok((planned, LoadedRating { source, notes }))
}
