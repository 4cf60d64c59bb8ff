//! `Study` → `Plan` with the sources it speaks of, everything checked before any work is done.

mod analyses;
mod appraisal;
mod emotion;
mod models;
mod objects;
mod ratings;
mod responses;
mod simulated;
mod stimuli;
mod targets;

use std::path::Path;

use consilience_core::{InputFile, Rdms, Stimuli, TargetKind};
use consilience_io::hash;
use consilience_models::{Clips, Edit, ExecutorChoice, Network};

use crate::file::{Analysis, KeyPath, Study, TargetOptions};
use crate::places::Places;
use crate::plan::{Plan, PlannedAnalysis, PlannedModel, PlannedRating, PlannedTarget};
use crate::{Result, StudyError};
use analyses::{resolve_expectation, resolve_rsa};
use appraisal::{Resolved, resolve_appraisal};
use emotion::resolve_emotion;
pub use emotion::{module_augmentation, module_learning};
use models::{load_model, warn_of_aliases};
use objects::resolve_objects;
use ratings::load_ratings;
use responses::load_responses;
use simulated::simulate;
use stimuli::load_stimuli;
use targets::{hash_of, load_target};

pub use objects::{ObjectSource, ObjectSources, OtherObjects};
pub use ratings::{GivenRatings, LoadedRating, RatingSource};

/// A plan and what it is carried out on.
#[derive(Debug)]
pub struct Prepared {
    /// What will be done.
    pub plan: Plan,
    /// The stimuli.
    pub stimuli: Stimuli,
    /// Their pictures and films, a row each.
    pub clips: Clips,
    /// The networks without their edits, in the order of [`Plan::models`].
    pub networks: Vec<Network>,
    /// The edits of each network, with the files where they were found.
    pub edits: Vec<Vec<Edit>>,
    /// Pictures and films that each network's principal components are fitted on.
    pub reduce_fit: Vec<Clips>,
    /// The subject RDMs, in the order of [`Plan::targets`].
    pub targets: Vec<Rdms>,
    /// Numbers for each stimulus, in the order of [`Plan::ratings`].
    pub ratings: Vec<LoadedRating>,
    /// For each analysis the pictures that heads learn from, if these are not the stimuli.
    pub training: Vec<Option<Clips>>,
    /// For each analysis the second set of pictures on which units are tested.
    pub second: Vec<Option<Clips>>,
    /// For each analysis the objects in the stimuli, if it looks for them.
    pub objects: Vec<Option<ObjectSources>>,
    /// What runs the networks.
    pub executor: ExecutorChoice,
    /// What the reader of the record must know.
    pub warnings: Vec<consilience_core::Warning>,
}

/// Finds, reads and checks everything that a study names. Changes nothing.
///
/// # Errors
///
/// [`StudyError::Invalid`] with the key at fault: a missing file, an unknown layer, RDMs of another
/// number of conditions than there are stimuli, labels in another order, NaN, an unknown name.
pub fn prepare(
    study: &Study,
    places: &Places,
    executor: ExecutorChoice,
    n_threads: usize,
) -> Result<Prepared> {
    let mut inputs = Vec::new();
    let mut warnings = Vec::new();
    let loaded = load_stimuli(study, places, &mut inputs, &mut warnings)?;
    let (stimuli, planned_stimuli, clips) = (loaded.stimuli, loaded.planned, loaded.clips);
    let mut networks = Vec::new();
    let mut edits = Vec::new();
    let mut reduce_fit = Vec::new();
    let mut models: Vec<PlannedModel> = Vec::new();
    for (idx, options) in study.models.iter().enumerate() {
        let key = KeyPath::root("model").index(idx);
        unique(&key, &options.name, models.iter().map(|m| m.name.as_str()))?;
        let loaded = load_model(
            options,
            &key,
            places,
            executor,
            n_threads,
            &clips,
            &mut inputs,
        )?;
        networks.push(loaded.network);
        edits.push(loaded.edits);
        reduce_fit.push(loaded.reduce_fit);
        models.push(loaded.planned);
    }
    let mut targets = Vec::new();
    let mut planned_targets: Vec<PlannedTarget> = Vec::new();
    let mut ratings = Vec::new();
    let mut planned_ratings: Vec<PlannedRating> = Vec::new();
    // What is read from responses or simulated is a rating, so these come after all ratings.
    let (made_of_ratings, others): (Vec<_>, Vec<_>) = named_targets(study)
        .partition(|(_, o, _)| o.responses.is_some() || o.simulate_from.is_some());
    for (key, options, kind) in others.into_iter().chain(made_of_ratings) {
        if options.name.is_empty() {
            return Err(invalid(&key, "`name` is missing; every target has one"));
        }
        let before = planned_targets.iter().map(|t| t.name.as_str());
        let before = before.chain(planned_ratings.iter().map(|r| r.name.as_str()));
        unique(&key, &options.name, before)?;
        let given = [&options.rdms, &options.ratings, &options.simulate_from];
        let n_given = given.iter().filter(|source| source.is_some()).count()
            + usize::from(options.responses.is_some());
        if n_given != 1 {
            return Err(invalid(
                &key,
                &format!(
                    "{n_given} of `rdms`, `ratings`, `responses` and `simulate-from` are given; give one"
                ),
            ));
        }
        if options.rdms.is_some() {
            let rdms = load_target(options, &key, places, &stimuli, &mut inputs)?;
            planned_targets.push(PlannedTarget {
                name: options.name.clone(),
                kind,
                n_subjects: rdms.n_rdms(),
                blake3: hash_of(&rdms),
            });
            targets.push(rdms);
            continue;
        }
        let (planned, loaded) = match (&options.ratings, &options.simulate_from) {
            (Some(_), _) => load_ratings(options, kind, &key, places, &stimuli, &mut inputs)?,
            (None, Some(_)) => {
                let seed = study.study.seed;
                simulate(options, kind, &key, &planned_ratings, &ratings, seed)?
            }
            (None, None) => load_responses(
                options,
                kind,
                &key,
                places,
                &stimuli,
                &planned_ratings,
                &mut inputs,
            )?,
        };
        planned_ratings.push(planned);
        ratings.push(loaded);
    }
    let resolved = Resolved {
        stimuli: &stimuli,
        planned_stimuli: &planned_stimuli,
        clips: &clips,
        models: &models,
        networks: &networks,
        ratings: &planned_ratings,
        behaviours: &study.behaviours,
        seed: study.study.seed,
        executor,
        n_threads,
        places,
    };
    let mut analyses: Vec<PlannedAnalysis> = Vec::new();
    let (mut training, mut second, mut objects) = (Vec::new(), Vec::new(), Vec::new());
    for (idx, analysis) in study.analyses.iter().enumerate() {
        let key = KeyPath::root("analysis").index(idx);
        let (mut clips, mut of_second, mut source) = (None, None, None);
        let planned = match analysis {
            Analysis::Rsa(options) => {
                PlannedAnalysis::Rsa(resolve_rsa(options, &key, &models, &planned_targets)?)
            }
            Analysis::Appraisal(options) => {
                let (planned, elsewhere) =
                    resolve_appraisal(options, &key, &resolved, &mut inputs)?;
                clips = elsewhere;
                PlannedAnalysis::Appraisal(planned)
            }
            Analysis::Emotion(options) => {
                let (planned, elsewhere) = resolve_emotion(
                    options,
                    &key,
                    &resolved,
                    &planned_targets,
                    &ratings,
                    &mut inputs,
                )?;
                [clips, of_second] = elsewhere;
                PlannedAnalysis::Emotion(Box::new(planned))
            }
            Analysis::Objects(options) => {
                let (planned, found) =
                    resolve_objects(options, &key, &analyses, &resolved, &mut inputs)?;
                source = Some(found);
                PlannedAnalysis::Objects(planned)
            }
        };
        analyses.push(planned);
        training.push(clips);
        second.push(of_second);
        objects.push(source);
    }
    let expectations = study
        .expectations
        .iter()
        .enumerate()
        .map(|(idx, options)| {
            resolve_expectation(
                options,
                &KeyPath::root("expect").index(idx),
                &models,
                &planned_targets,
            )
        })
        .collect::<Result<Vec<_>>>()?;
    for (table, is_empty) in [
        ("model", models.is_empty()),
        ("analysis", analyses.is_empty()),
        (
            "brain",
            planned_targets.is_empty() && planned_ratings.is_empty(),
        ),
    ] {
        if is_empty {
            return Err(StudyError::Invalid {
                key: KeyPath::root(table),
                message: format!(
                    "the study has no [[{table}]]{}; add one (`consilience init rsa` writes an example)",
                    if table == "brain" {
                        " and no [[behaviour]]"
                    } else {
                        ""
                    }
                ),
            });
        }
    }
    warn_of_aliases(&models, &mut warnings);
    let plan = Plan {
        title: study.study.title.clone(),
        description: study.study.description.clone(),
        thumbnails: study.report.thumbnails,
        blurred: stimuli::blurred(&study.report.blur, &planned_stimuli)?,
        seed: study.study.seed,
        stimuli: planned_stimuli,
        models,
        targets: planned_targets,
        ratings: planned_ratings,
        analyses,
        expectations,
        inputs,
    };
    Ok(Prepared {
        plan,
        stimuli,
        clips,
        networks,
        edits,
        reduce_fit,
        targets,
        ratings,
        training,
        second,
        objects,
        executor,
        warnings,
    })
}

/// All targets with their keys, brain first.
fn named_targets(study: &Study) -> impl Iterator<Item = (KeyPath, &TargetOptions, TargetKind)> {
    let of = |table: &'static str, kind| {
        move |(idx, options)| (KeyPath::root(table).index(idx), options, kind)
    };
    let brains = study.brains.iter().enumerate();
    let behaviours = study.behaviours.iter().enumerate();
    brains
        .map(of("brain", TargetKind::Brain))
        .chain(behaviours.map(of("behaviour", TargetKind::Behaviour)))
}

fn unique<'a>(key: &KeyPath, name: &str, mut before: impl Iterator<Item = &'a str>) -> Result<()> {
    match before.any(|other| other == name) {
        true => Err(invalid(
            &key.clone().key("name"),
            &format!("the name {name:?} is used twice; names must be unique"),
        )),
        false => Ok(()),
    }
}

fn input(role: &str, name: &str, path: &Path) -> Result<InputFile> {
    Ok(InputFile {
        role: role.to_owned(),
        path: name.to_owned(),
        n_bytes: std::fs::metadata(path).map(|m| m.len()).unwrap_or(0),
        blake3: hash::blake3_file(path)?,
    })
}

fn invalid(key: &KeyPath, message: &str) -> StudyError {
    StudyError::Invalid {
        key: key.clone(),
        message: message.to_owned(),
    }
}

fn at(key: &KeyPath, error: impl std::error::Error) -> StudyError {
    invalid(key, &error.to_string())
}
