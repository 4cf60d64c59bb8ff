//! Selective units of the main module, and what their gains do.

use consilience_core::{GainCurve, NucleusSelectivity};
use consilience_experiments::ExperimentError;
use consilience_experiments::visual_emotion::{
    GainParams, Repeat, TrainedRepeat, gains, selective_units,
};
use consilience_methods::MethodsError;
use consilience_methods::emotion::{BinSelectivityParams, Bins, EmotionError};
use ndarray::Array2;

use super::common::{Study, of_experiment};
use super::trainings::{Diverged, Trainings, learning};
use crate::Result;
use crate::cache::Key;

/// Selective units of the main module, and what their gains do.
pub fn units(
    study: &Study<'_>,
    trainings: &Trainings<'_>,
    diverged: &[Diverged],
    repeats: &[Repeat],
    bins: &Bins,
    notes: &mut Vec<String>,
) -> Result<(Vec<NucleusSelectivity>, Vec<GainCurve>)> {
    let planned = study.planned;
    let seed = study.prepared.plan.seed;
    let params = BinSelectivityParams {
        threshold: planned.threshold,
        alpha: planned.alpha,
        correction: None,
        shuffles: planned.permutations,
        resamples: planned.resamples,
        seed,
    };
    let about = "selective units";
    let found = match selective_units(&trainings.wired, repeats, bins, &params) {
        Ok(found) => found,
        Err(ExperimentError::Methods(MethodsError::Emotion(
            error @ EmotionError::TooFewBins { .. },
        ))) => {
            notes.push(format!(
                "No units were looked at, and none changed: {error}."
            ));
            return Ok((Vec::new(), Vec::new()));
        }
        Err(source) => return Err(of_experiment(about, source)),
    };
    let encoder = trainings.encoder;
    let learning = learning(planned, &trainings.wired);
    let mut trained = Vec::new();
    let left =
        (0..study.repeats.len()).filter(|repeat| diverged.iter().all(|d| d.repeat != *repeat));
    for (repeat, selective) in left.zip(&found.selective) {
        trained.push(TrainedRepeat::of(
            &trainings.wired,
            &study.arrays(encoder),
            &study.repeats[repeat].1,
            &trainings.load(repeat)?,
            &learning,
            selective.view(),
        ));
    }
    let params = GainParams {
        gains: planned.gains.clone(),
        random_sets: planned.random_sets,
        seed,
    };
    let key = Key::new(
        "emotion-gains",
        &(
            trainings.keys(),
            format!("{params:?}"),
            selective_key(&found.selective),
        ),
    );
    if let Some(curves) = study.cache.json("emotion", &key) {
        return Ok((found.nuclei, curves));
    }
    study.progress.begin("gains and lesions", 1000);
    let curves = gains(
        &trainings.wired,
        &trained,
        study.ratings.view(),
        &study.names,
        &params,
        &|done, of| study.progress.advance_to((1000 * done / of.max(1)) as u64),
    );
    study.progress.end();
    study.cache.put_json("emotion", &key, &curves)?;
    Ok((found.nuclei, curves))
}

fn selective_key(selective: &[Array2<bool>]) -> Vec<Vec<bool>> {
    selective
        .iter()
        .map(|of| of.iter().copied().collect())
        .collect()
}
