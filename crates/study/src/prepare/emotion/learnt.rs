//! Other pictures to learn from: sets of pictures, each with a table of ratings on a scale of its own.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use consilience_core::InputFile;
use consilience_io::Limits;
use consilience_io::ratings::{Aligned, RatingsTable, with_names};
use consilience_io::table::Table;
use consilience_io::video::Selection;
use consilience_methods::emotion::RatingScale;
use consilience_models::{ClipPool, Clips};

use super::super::appraisal::Resolved;
use super::super::ratings::{Columns, PICTURE_COLUMN, means};
use super::super::{at, input, invalid};
use crate::Result;
use crate::file::{EmotionOptions, KeyPath, RatedPicturesOptions, TargetOptions};
use crate::plan::{PlannedLearnt, PlannedSet, PlannedStimulus};

/// Names of what is learnt, which are also the columns of tables without a header.
const LEARNT: [&str; 2] = ["valence", "arousal"];

/// Reads all sets; `ratings` are the positions of valence and arousal, on `scales`.
///
/// A picture whose file has the same content as a stimulus is left out, as it would be tested on what was learnt, and so is one
/// that was met before, in its own set or in an earlier one.
pub(super) fn load_learnt(
    options: &EmotionOptions,
    key: &KeyPath,
    ratings: &[usize],
    scales: &[RatingScale],
    study: &Resolved<'_>,
    inputs: &mut Vec<InputFile>,
) -> Result<Option<(PlannedLearnt, Clips)>> {
    if options.training.is_empty() {
        return Ok(None);
    }
    let key = key.clone().key("training");
    // By the hash of its content, whether a picture that was met is a stimulus.
    let stimuli = study.planned_stimuli.iter();
    let mut met: BTreeMap<String, bool> = stimuli.map(|s| (s.blake3.clone(), true)).collect();
    let mut paths = Vec::new();
    let mut learnt = PlannedLearnt {
        sets: Vec::new(),
        pictures: Vec::new(),
        ratings: vec![Vec::new(); ratings.len()],
    };
    for (idx, set) in options.training.iter().enumerate() {
        let key = key.clone().index(idx);
        let name = set.title().to_owned();
        if learnt.sets.iter().any(|before| before.name == name) {
            let message =
                format!("two sets of pictures are called {name:?}; give each a `name` of its own");
            return Err(invalid(&key.key("name"), &message));
        }
        let rated = rated(set, &key, (ratings, scales), study, "training", inputs)?;
        let mut planned = PlannedSet {
            name,
            images: set.images.clone(),
            scale: set.scale,
            n_pictures: 0,
            unrated: rated.unrated,
            absent: rated.absent,
            repeated: Vec::new(),
            stimuli: Vec::new(),
        };
        for (path, values) in rated.pictures {
            let id = file_name(&path);
            let file = input("training picture", &id, &path)?;
            match met.get(&file.blake3) {
                Some(true) => planned.stimuli.push(id),
                Some(false) => planned.repeated.push(id),
                None => {
                    met.insert(file.blake3.clone(), false);
                    for (all, value) in learnt.ratings.iter_mut().zip(values) {
                        all.push(value);
                    }
                    learnt.pictures.push(PlannedStimulus {
                        id,
                        category: None,
                        condition: None,
                        blake3: file.blake3.clone(),
                        clip: None,
                    });
                    planned.n_pictures += 1;
                    paths.push(path);
                    inputs.push(file);
                }
            }
        }
        learnt.sets.push(planned);
    }
    for (name, values) in LEARNT.iter().zip(&learnt.ratings) {
        if values.iter().all(|v| Some(v) == values.first()) {
            let message = format!(
                "the {name} of all {} pictures is the same, so there is nothing to learn; give pictures whose ratings vary",
                values.len()
            );
            return Err(invalid(&key, &message));
        }
    }
    let clips = Clips::open(&paths, Selection::default(), ClipPool::Mean);
    Ok(Some((learnt, clips.map_err(|e| at(&key, e))?)))
}

/// What a set has.
pub(super) struct RatedPictures {
    /// Pictures with valence and arousal on the scale of the stimuli.
    pub pictures: Vec<(PathBuf, Vec<f64>)>,
    /// Pictures that lack one.
    pub unrated: Vec<String>,
    /// What the table rates that is no picture of the set.
    pub absent: Vec<String>,
}

/// Reads a set, whose table is an input of such a role.
pub(super) fn rated(
    set: &RatedPicturesOptions,
    key: &KeyPath,
    (ratings, scales): (&[usize], &[RatingScale]),
    study: &Resolved<'_>,
    role: &str,
    inputs: &mut Vec<InputFile>,
) -> Result<RatedPictures> {
    let of = |name: &str| key.clone().key(name);
    let paths = study.places.matching(&of("images"), &set.images)?;
    let files: Vec<String> = paths.iter().map(|path| file_name(path)).collect();
    let names: Vec<&str> = files.iter().map(String::as_str).collect();
    let table_key = of("ratings");
    let table_path = study.places.file(&table_key, &set.ratings)?;
    inputs.push(input(role, &set.ratings, &table_path)?);
    let [low, high] = set.scale;
    let own_scale = RatingScale::new(low, high).map_err(|e| at(&of("scale"), e))?;
    let behaviour = |rating: usize| {
        let name = &study.ratings[rating].name;
        study.behaviours.iter().find(|b| b.name == *name)
    };
    let picture = set
        .picture_column
        .as_deref()
        .or(behaviour(ratings[0]).and_then(|b| b.picture_column.as_deref()))
        .unwrap_or(PICTURE_COLUMN);
    let table = Table::read(&table_path).and_then(|table| with_names(table, picture));
    let table = table.map_err(|e| at(&table_key, e))?;
    let columns = [&set.valence_column, &set.arousal_column];
    let mut found: Vec<(Aligned, Vec<f64>)> = Vec::new();
    for (learnt, (&rating, column)) in ratings.iter().zip(columns).enumerate() {
        let columns = Columns {
            picture,
            ratings: &of_table(column.as_ref(), behaviour(rating), LEARNT[learnt], &table),
            rater: None,
            reject: None,
            spread: None,
            scale: Some(set.scale),
        };
        let params = columns.params(&table_key)?;
        let aligned = RatingsTable::from_table(&table, &params, &Limits::default())
            .and_then(|ratings| ratings.aligned(&names));
        let aligned = aligned.map_err(|e| {
            let message = format!("{e}: {}", set.ratings);
            invalid(&table_key, &message)
        })?;
        let values = means(&aligned);
        found.push((aligned, values));
    }
    let is_rated = |idx: usize| {
        let mut all = found.iter();
        all.all(|(aligned, _)| aligned.mean[idx].is_some())
    };
    let (with, without): (Vec<usize>, Vec<usize>) =
        (0..paths.len()).partition(|&idx| is_rated(idx));
    if with.is_empty() {
        let message = format!(
            "none of the {} pictures is rated by {}, the first is {:?}; check `picture-column`, and that names agree",
            paths.len(),
            set.ratings,
            files[0]
        );
        return Err(invalid(&table_key, &message));
    }
    let mut pictures: Vec<(PathBuf, Vec<f64>)> = with
        .iter()
        .map(|&idx| (paths[idx].clone(), Vec::new()))
        .collect();
    for ((_, values), scale) in found.iter().zip(scales) {
        let values: Vec<f64> = with.iter().map(|&idx| values[idx]).collect();
        let mapped = own_scale.mapped(&values, scale);
        let mapped = mapped.map_err(|e| at(&table_key, e))?;
        for ((_, all), value) in pictures.iter_mut().zip(mapped) {
            all.push(value);
        }
    }
    Ok(RatedPictures {
        pictures,
        unrated: without.iter().map(|&idx| files[idx].clone()).collect(),
        absent: found.swap_remove(0).0.unasked,
    })
}

/// Columns of a rating: the one that is named, else those of the stimuli's ratings where the table has them, else `valence` or `arousal`.
fn of_table(
    named: Option<&String>,
    behaviour: Option<&TargetOptions>,
    learnt: &str,
    table: &Table,
) -> Vec<String> {
    let default = behaviour.map(|b| b.columns.clone().unwrap_or(vec![b.name.clone()]));
    let is_there = |columns: &Vec<String>| columns.iter().all(|c| table.columns().contains(c));
    match named {
        Some(column) => vec![column.clone()],
        None => default.filter(is_there).unwrap_or(vec![learnt.to_owned()]),
    }
}

pub(super) fn file_name(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}
