//! Features of cut networks → trained heads, through the cache.

use std::sync::atomic::{AtomicU64, Ordering};

use consilience_experiments::appraise::{HeadRun, Validation, train_heads, train_heads_elsewhere};

use crate::activations::{Pictures, features_key, load_features, make_features};
use crate::cache::{Cache, Key};
use crate::plan::PlannedAppraisal;
use crate::prepare::{Prepared, RatingSource};
use crate::progress::Progress;
use crate::{Result, StudyError};

/// A cut network with its heads.
pub struct TrainedRater {
    /// Position in the plan's models.
    pub model: usize,
    /// Position in the model's layers.
    pub layer: usize,
    /// Its runs.
    pub runs: Vec<HeadRun>,
}

/// The trained heads of every layer of the chosen models, from the cache as far as they are there.
pub fn raters(
    prepared: &Prepared,
    idx: usize,
    planned: &PlannedAppraisal,
    cache: &Cache,
    n_threads: usize,
    progress: &dyn Progress,
) -> Result<Vec<TrainedRater>> {
    let plan = &prepared.plan;
    let elsewhere = planned
        .training
        .as_ref()
        .zip(prepared.training[idx].as_ref());
    let elsewhere = elsewhere.map(|(training, clips)| {
        let pictures = Pictures {
            planned: &training.pictures,
            clips,
            changes: None,
        };
        (pictures, training.ratings.as_slice())
    });
    let ratings = match &prepared.ratings[planned.learn].source {
        RatingSource::Given(given) => given.mean.as_slice(),
        RatingSource::Responses(_) => &[],
    };
    let mut all = Vec::new();
    for &model in &planned.models {
        let n_layers = plan.models[model].layers.len();
        let keys: Vec<Key> = (0..n_layers)
            .map(|layer| heads_key(prepared, planned, elsewhere, ratings, (model, layer)))
            .collect();
        let mut found: Vec<Option<Vec<HeadRun>>> =
            keys.iter().map(|key| cache.json("heads", key)).collect();
        if found.iter().any(Option::is_none) {
            let others = elsewhere.map(|(pictures, _)| pictures);
            for pictures in others.into_iter().chain([prepared.pictures()]) {
                make_features(prepared, pictures, model, cache, n_threads, progress)?;
            }
            let n_heads = planned.heads.runs as u64 * n_folds(planned);
            let name = format!("heads of {}", plan.models[model].name);
            progress.begin(&name, n_layers as u64 * n_heads);
            for (layer, slot) in found.iter_mut().enumerate() {
                if slot.is_none() {
                    let before = layer as u64 * n_heads;
                    let runs = train(
                        prepared,
                        planned,
                        elsewhere,
                        ratings,
                        (model, layer),
                        cache,
                        &|done| progress.advance_to(before + done),
                    )?;
                    cache.put_json("heads", &keys[layer], &runs)?;
                    *slot = Some(runs);
                }
            }
            progress.end();
        }
        all.extend(
            found
                .into_iter()
                .enumerate()
                .map(|(layer, runs)| TrainedRater {
                    model,
                    layer,
                    runs: runs.expect("every missing layer was trained above"),
                }),
        );
    }
    Ok(all)
}

fn n_folds(planned: &PlannedAppraisal) -> u64 {
    match planned.heads.validation {
        Validation::Folds(n) => n as u64,
        Validation::HoldOut(_) => 1,
    }
}

fn heads_key(
    prepared: &Prepared,
    planned: &PlannedAppraisal,
    elsewhere: Option<(Pictures<'_>, &[f64])>,
    ratings: &[f64],
    (model, layer): (usize, usize),
) -> Key {
    let of = |pictures| features_key(prepared, pictures, model, layer);
    Key::new(
        "heads",
        &(
            of(prepared.pictures()),
            elsewhere.map(|(pictures, ratings)| (of(pictures), ratings)),
            ratings,
            format!("{:?}", planned.heads),
        ),
    )
}

fn train(
    prepared: &Prepared,
    planned: &PlannedAppraisal,
    elsewhere: Option<(Pictures<'_>, &[f64])>,
    ratings: &[f64],
    (model, layer): (usize, usize),
    cache: &Cache,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<Vec<HeadRun>> {
    let planned_model = &prepared.plan.models[model];
    let planned_layer = &planned_model.layers[layer];
    let load = |pictures| load_features(prepared, pictures, planned_model, planned_layer, cache);
    let features = load(prepared.pictures())?;
    // Heads end in any order; a bar must not go back.
    let most = AtomicU64::new(0);
    let told = |done: usize, _: usize| {
        let done = done as u64;
        progress(most.fetch_max(done, Ordering::Relaxed).max(done));
    };
    let runs = match elsewhere {
        None => train_heads(features.view(), ratings, &planned.heads, &told),
        Some((pictures, ratings)) => {
            let learnt = load(pictures)?;
            let params = &planned.heads;
            train_heads_elsewhere(learnt.view(), ratings, features.view(), params, &told)
        }
    };
    runs.map_err(|source| StudyError::Experiment {
        about: format!("{}, layer {}", planned_model.name, planned_layer.name),
        source: Box::new(source),
    })
}
