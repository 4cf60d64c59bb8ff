//! One appraisal: features → heads → ratings of the stimuli → correlations with targets.

mod heads;
mod targets;

use consilience_core::{AppraisalRecord, AppraisalSettings, Rater, RaterRun, RatingTarget, Subset};
use consilience_methods::MethodsError;
use consilience_methods::appraisal::{AppraisalParams, TargetCeiling, appraisal};
use ndarray::{Array2, Array3};

use crate::cache::Cache;
use crate::file::KeyPath;
use crate::plan::PlannedAppraisal;
use crate::prepare::Prepared;
use crate::progress::Progress;
use crate::{Result, StudyError};
pub use targets::reliability;

pub use heads::{TrainedRater, raters};
pub use targets::rating_targets;

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
    let targets = rating_targets(prepared, &planned.targets, cache)?;
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

/// An analysis whose statistics failed.
pub fn of_analysis(idx: usize, source: MethodsError) -> StudyError {
    StudyError::Invalid {
        key: KeyPath::root("analysis").index(idx),
        message: source.to_string(),
    }
}
