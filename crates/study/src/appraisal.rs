//! One appraisal: features → heads → ratings of the stimuli → correlations with targets.

use std::sync::atomic::{AtomicU64, Ordering};

use consilience_core::{
    AppraisalRecord, AppraisalSettings, Rater, RaterRun, RatingReliability, RatingTarget, Subset,
};
use consilience_experiments::appraise::{HeadRun, train_heads, train_heads_elsewhere};
use consilience_methods::appraisal::{
    AppraisalParams, BrainRatings, TargetCeiling, appraisal, brain_ratings, reliability_of_means,
    target_reliability,
};
use consilience_methods::reliability::ReliabilityParams;
use consilience_methods::{MethodsError, NanPolicy};
use ndarray::{Array2, Array3, ArrayView2, Axis};
use serde::{Deserialize, Serialize};

use crate::activations::{Pictures, features_key, load_features, make_features};
use crate::cache::{Cache, Key};
use crate::file::KeyPath;
use crate::plan::{PlannedAppraisal, PlannedRating};
use crate::prepare::{Prepared, RatingSource};
use crate::progress::Progress;
use crate::{Result, StudyError};

/// Resamples of stimuli behind the interval of a reliability.
const RELIABILITY_RESAMPLES: usize = 1000;

/// A cut network with its heads.
pub struct TrainedRater {
    /// Position in the plan's models.
    pub model: usize,
    /// Position in the model's layers.
    pub layer: usize,
    /// Its runs.
    pub runs: Vec<HeadRun>,
}

/// Some stimuli, by their 0-based positions.
pub struct StimulusSubset {
    /// `"all"`, or a condition.
    pub name: String,
    /// Ascending.
    pub stimuli: Vec<usize>,
}

/// Carries out one analysis of the plan.
pub fn run(
    prepared: &Prepared,
    idx: usize,
    planned: &PlannedAppraisal,
    cache: &Cache,
    n_threads: usize,
    progress: &dyn Progress,
) -> Result<AppraisalRecord> {
    let plan = &prepared.plan;
    let trained = raters(prepared, idx, planned, cache, n_threads, progress)?;
    let targets = planned
        .targets
        .iter()
        .map(|&target| rating_target(prepared, target, cache))
        .collect::<Result<Vec<_>>>()?;
    let subsets = subsets(prepared);

    let n_stimuli = plan.stimuli.len();
    let shape = (planned.heads.runs, trained.len(), n_stimuli);
    let predictions = Array3::from_shape_fn(shape, |(run, rater, stimulus)| {
        trained[rater].runs[run].predictions[stimulus]
    });
    let values = values_of(&targets, n_stimuli);
    let mut notes = Vec::new();
    let mut ceilings = Array2::from_elem((subsets.len(), targets.len()), None);
    for ((subset, target), ceiling) in ceilings.indexed_iter_mut() {
        let stimuli = &subsets[subset].stimuli;
        match reliability(prepared, planned.targets[target], stimuli, cache) {
            Ok(reliability) => *ceiling = reliability.as_ref().and_then(TargetCeiling::of),
            Err(why) => notes.push(format!(
                "{} has no ceiling over {}: {why}",
                targets[target].name, subsets[subset].name
            )),
        }
    }
    let wholes: Vec<usize> = (0..trained.len())
        .filter(|&rater| is_whole(prepared, &trained[rater]))
        .collect();
    let params = AppraisalParams {
        correlation: planned.correlation,
        permutations: planned.permutations,
        seed: plan.seed,
        correction: planned.correction,
        compared: if wholes.len() > 1 { wholes } else { Vec::new() },
        ..AppraisalParams::default()
    };
    let lists: Vec<Vec<usize>> = subsets.iter().map(|s| s.stimuli.clone()).collect();
    let found = appraisal(
        predictions.view(),
        values.view(),
        &lists,
        ceilings.view(),
        &params,
    )
    .map_err(|source| of_analysis(idx, source))?;
    notes.extend(found.notes);
    let learnt = &plan.ratings[planned.learn].name;
    Ok(AppraisalRecord {
        settings: AppraisalSettings {
            trained_on: match &planned.training {
                None => format!("{learnt} of the {n_stimuli} stimuli"),
                Some(training) => format!(
                    "{learnt} of {} other pictures ({})",
                    training.pictures.len(),
                    training.images
                ),
            },
            head: planned.heads.head.to_string(),
            loss: planned.heads.loss.to_string(),
            pool: pools(prepared, planned),
            scale: planned.heads.scale,
            validation: planned.heads.validation.to_string(),
            runs: planned.heads.runs,
            correlation: planned.correlation.to_string(),
            permutations: planned.permutations,
            correction: planned.correction.to_string(),
            alpha: planned.alpha,
        },
        raters: trained
            .iter()
            .map(|rater| rater_record(prepared, rater))
            .collect(),
        targets,
        subsets: subset_records(&subsets),
        correlations: found.correlations,
        differences: found.differences,
        notes,
    })
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
        consilience_experiments::appraise::Validation::Folds(n) => n as u64,
        consilience_experiments::appraise::Validation::HoldOut(_) => 1,
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

/// Whether the layer stands for the whole network: the last one of its model.
fn is_whole(prepared: &Prepared, rater: &TrainedRater) -> bool {
    rater.layer + 1 == prepared.plan.models[rater.model].layers.len()
}

fn rater_record(prepared: &Prepared, rater: &TrainedRater) -> Rater {
    let model = &prepared.plan.models[rater.model];
    let layer = &model.layers[rater.layer];
    let runs = rater.runs.iter().map(|run| RaterRun {
        seed: run.seed,
        mae: run.mae,
        r: run.r,
        r2: run.r2,
        predictions: run.predictions.clone(),
    });
    Rater {
        model: model.name.clone(),
        layer: layer.name.clone(),
        is_whole: is_whole(prepared, rater),
        n_features: layer.n_features,
        runs: runs.collect(),
    }
}

/// What was done with feature maps, each way once.
fn pools(prepared: &Prepared, planned: &PlannedAppraisal) -> String {
    let mut names: Vec<String> = Vec::new();
    for &model in &planned.models {
        let name = prepared.plan.models[model].pool.to_string();
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names.join(", ")
}

/// All stimuli, then those of each condition in the order in which they first occur.
pub fn subsets(prepared: &Prepared) -> Vec<StimulusSubset> {
    let stimuli = &prepared.plan.stimuli;
    let mut subsets = vec![StimulusSubset {
        name: "all".to_owned(),
        stimuli: (0..stimuli.len()).collect(),
    }];
    for (idx, stimulus) in stimuli.iter().enumerate() {
        let Some(condition) = &stimulus.condition else {
            continue;
        };
        match subsets[1..].iter_mut().find(|s| s.name == *condition) {
            Some(subset) => subset.stimuli.push(idx),
            None => subsets.push(StimulusSubset {
                name: condition.clone(),
                stimuli: vec![idx],
            }),
        }
    }
    subsets
}

/// Subsets as a record tells them.
pub fn subset_records(subsets: &[StimulusSubset]) -> Vec<Subset> {
    let record = |subset: &StimulusSubset| Subset {
        name: subset.name.clone(),
        n_stimuli: subset.stimuli.len(),
    };
    subsets.iter().map(record).collect()
}

/// `(n_targets, n_stimuli)`.
pub fn values_of(targets: &[RatingTarget], n_stimuli: usize) -> Array2<f64> {
    Array2::from_shape_fn((targets.len(), n_stimuli), |(t, i)| targets[t].values[i])
}

/// What was read from responses, as the cache keeps it.
#[derive(Serialize, Deserialize)]
struct ReadRatings {
    mean: Vec<f64>,
    /// A list for each subject (or one of all).
    subjects: Vec<Vec<f64>>,
    r: Option<f64>,
    notes: Vec<String>,
}

/// A target with its numbers.
pub fn rating_target(prepared: &Prepared, idx: usize, cache: &Cache) -> Result<RatingTarget> {
    let planned = &prepared.plan.ratings[idx];
    let loaded = &prepared.ratings[idx];
    let mut notes = loaded.notes.clone();
    let values = match &loaded.source {
        RatingSource::Given(given) => given.mean.clone(),
        RatingSource::Responses(_) => {
            let read = read_ratings(prepared, idx, cache)?;
            notes.push(match read.r {
                Some(r) => {
                    format!("read from responses; correlation with what they were read for: {r:.2}")
                }
                None => "read from responses, without a correlation with what they were read for"
                    .to_owned(),
            });
            notes.extend(read.notes);
            notes.push(
                "without a signal, such predictions correlate a little below 0 with the ratings and with what follows them"
                    .to_owned(),
            );
            read.mean
        }
    };
    let all: Vec<usize> = (0..values.len()).collect();
    let reliability = match reliability(prepared, idx, &all, cache) {
        Ok(found) => found,
        Err(why) => {
            notes.push(format!("no reliability: {why}"));
            None
        }
    };
    Ok(RatingTarget {
        name: planned.name.clone(),
        kind: planned.kind,
        n_subjects: planned.n_subjects,
        is_simulated: planned.is_simulated,
        values,
        reliability,
        notes,
    })
}

fn read_ratings(prepared: &Prepared, idx: usize, cache: &Cache) -> Result<ReadRatings> {
    let planned = &prepared.plan.ratings[idx];
    let (Some((reads, params)), RatingSource::Responses(subjects)) =
        (&planned.reads, &prepared.ratings[idx].source)
    else {
        unreachable!("only responses are read from");
    };
    let read: &PlannedRating = &prepared.plan.ratings[*reads];
    let key = Key::new(
        "brain-ratings",
        &(&planned.blake3, &read.blake3, format!("{params:?}")),
    );
    if let Some(done) = cache.json("ratings", &key) {
        return Ok(done);
    }
    let RatingSource::Given(given) = &prepared.ratings[*reads].source else {
        unreachable!("what is read is given");
    };
    let views: Vec<ArrayView2<'_, f64>> = subjects.iter().map(|s| s.view()).collect();
    let found: BrainRatings =
        brain_ratings(&views, &given.mean, params).map_err(|source| StudyError::Target {
            target: planned.name.clone(),
            source: Box::new(source),
        })?;
    let done = ReadRatings {
        subjects: found
            .predictions
            .rows()
            .into_iter()
            .map(|row| row.to_vec())
            .collect(),
        mean: found.mean,
        r: found.r,
        notes: found.notes,
    };
    cache.put_json("ratings", &key, &done)?;
    Ok(done)
}

/// Reliability of a target over some stimuli; `None` where there are no several raters, or why there is none.
fn reliability(
    prepared: &Prepared,
    idx: usize,
    stimuli: &[usize],
    cache: &Cache,
) -> std::result::Result<Option<RatingReliability>, String> {
    let seed = prepared.plan.seed;
    let params = ReliabilityParams {
        resamples: RELIABILITY_RESAMPLES,
        seed,
        nan: NanPolicy::Omit,
        ..ReliabilityParams::default()
    };
    let of_columns = |ratings: Array2<f64>| {
        let found = target_reliability(ratings.select(Axis(0), stimuli).view(), &params);
        found.map(|found| Some(found.reliability))
    };
    let found = match &prepared.ratings[idx].source {
        RatingSource::Given(given) => match &given.spread {
            Some((sds, counts)) => {
                let of = |all: &[f64]| stimuli.iter().map(|&i| all[i]).collect::<Vec<f64>>();
                let counts: Vec<usize> = stimuli.iter().map(|&i| counts[i]).collect();
                let (means, sds) = (of(&given.mean), of(sds));
                reliability_of_means(&means, &sds, &counts, RELIABILITY_RESAMPLES, seed).map(Some)
            }
            None if given.raters.ncols() > 1 => of_columns(given.raters.clone()),
            None => Ok(None),
        },
        RatingSource::Responses(_) => {
            let read = read_ratings(prepared, idx, cache).map_err(|e| e.to_string())?;
            match read.subjects.len() {
                0 | 1 => Ok(None),
                n => of_columns(Array2::from_shape_fn((read.mean.len(), n), |(i, s)| {
                    read.subjects[s][i]
                })),
            }
        }
    };
    found.map_err(|e| e.to_string())
}

/// An analysis whose statistics failed.
pub fn of_analysis(idx: usize, source: MethodsError) -> StudyError {
    StudyError::Invalid {
        key: KeyPath::root("analysis").index(idx),
        message: source.to_string(),
    }
}
