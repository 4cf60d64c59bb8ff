//! Responses of brain regions, from which ratings are read.

use consilience_core::{InputFile, Stimuli, TargetKind};
use consilience_io::betas::{Betas, TrialTable};
use consilience_io::nifti::Mask;
use consilience_io::source::Source;
use consilience_methods::appraisal::BrainRatingsParams;
use consilience_methods::encoding::Folds;

use super::ratings::{LoadedRating, PICTURE_COLUMN, RatingSource, given_rating, hash_of, names};
use super::{at, input, invalid};
use crate::Result;
use crate::file::{KeyPath, TargetOptions};
use crate::places::Places;
use crate::plan::PlannedRating;

/// A target with `responses`; what is read from them is found among `ratings`, with their names.
pub(super) fn load_responses(
    options: &TargetOptions,
    kind: TargetKind,
    table: &KeyPath,
    places: &Places,
    stimuli: &Stimuli,
    ratings: &[PlannedRating],
    inputs: &mut Vec<InputFile>,
) -> Result<(PlannedRating, LoadedRating)> {
    let key = |name: &str| table.clone().key(name);
    let files = options.responses.as_deref().unwrap_or_default();
    let n_subjects = files.len();
    if n_subjects == 0 {
        return Err(invalid(
            &key("responses"),
            "no file; give one for each subject",
        ));
    }
    let shared_masks = read_masks(options.masks.as_deref(), &key("masks"), places, inputs)?;
    let of_subjects = |name: &str, n: usize| match n == n_subjects {
        true => Ok(()),
        false => Err(invalid(
            &key(name),
            &format!("{n} entries for {n_subjects} files of responses; give one for each subject"),
        )),
    };
    if let Some(lists) = &options.subject_masks {
        of_subjects("subject-masks", lists.len())?;
    }
    if let Some(tables) = options.trials.as_ref().filter(|tables| tables.len() != 1) {
        of_subjects("trials", tables.len())?;
    }
    let names = names(stimuli);
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut subjects = Vec::with_capacity(n_subjects);
    let mut notes = Vec::new();
    for (subject, file) in files.iter().enumerate() {
        let named = Source::parse(file);
        let path = places.file(&key("responses"), &named.path.to_string_lossy())?;
        inputs.push(input(&options.name, file, &path)?);
        let source = Source { path, ..named };
        let own_masks = match &options.subject_masks {
            None => Vec::new(),
            Some(lists) => {
                let list = Some(lists[subject].as_slice());
                read_masks(list, &key("subject-masks").index(subject), places, inputs)?
            }
        };
        let masks = if own_masks.is_empty() {
            &shared_masks
        } else {
            &own_masks
        };
        let trials = match options.trials.as_deref() {
            None => None,
            Some(tables) => {
                let file = &tables[subject.min(tables.len() - 1)];
                let trials = key("trials");
                let path = places.file(&trials, file)?;
                inputs.push(input("trials", file, &path)?);
                let picture = options.picture_column.as_deref().unwrap_or(PICTURE_COLUMN);
                let volume = options.volume_column.as_deref();
                Some(TrialTable::read(&path, picture, volume).map_err(|e| at(&trials, e))?)
            }
        };
        let found = Betas::read(&source, masks, trials.as_ref(), &names)
            .map_err(|e| at(&key("responses"), e))?;
        if let Some(&first) = found.missing.first() {
            return Err(invalid(
                &key("trials"),
                &format!(
                    "{} of {} stimuli were never shown, the first is {:?}; leave them out of the study: {file}",
                    found.missing.len(),
                    names.len(),
                    names[first]
                ),
            ));
        }
        let left_out = [
            (found.n_without_picture, "volumes without a picture"),
            (found.n_other, "volumes with other pictures"),
            (found.n_constant, "constant voxels"),
            (found.n_not_finite, "voxels with NaN or an infinity"),
        ];
        let left_out: Vec<String> = left_out
            .iter()
            .filter(|(n, _)| *n > 0)
            .map(|(n, what)| format!("{n} {what}"))
            .collect();
        if !left_out.is_empty() {
            notes.push(format!("{file}: left out {}", left_out.join(", ")));
        }
        subjects.push(found.patterns);
    }
    let params = reader(options, table)?;
    let planned = PlannedRating {
        name: options.name.clone(),
        kind,
        n_subjects: Some(n_subjects),
        is_simulated: options.simulated,
        scale: None,
        blake3: hash_of(subjects.iter().flatten()),
        reads: Some((read_from(options, table, ratings)?, params)),
    };
    let source = RatingSource::Responses(subjects);
    Ok((planned, LoadedRating { source, notes }))
}

fn read_masks(
    files: Option<&[String]>,
    key: &KeyPath,
    places: &Places,
    inputs: &mut Vec<InputFile>,
) -> Result<Vec<Mask>> {
    let read = |file: &String| {
        let path = places.file(key, file)?;
        inputs.push(input("mask", file, &path)?);
        Mask::read(&path).map_err(|e| at(key, e))
    };
    files.unwrap_or_default().iter().map(read).collect()
}

/// How ratings are read from responses.
fn reader(options: &TargetOptions, table: &KeyPath) -> Result<BrainRatingsParams> {
    let mut params = BrainRatingsParams::default();
    if let Some(name) = &options.reader {
        params.model = name
            .parse()
            .map_err(|e| at(&table.clone().key("reader"), e))?;
    }
    if let Some(name) = &options.subjects {
        params.subjects = name
            .parse()
            .map_err(|e| at(&table.clone().key("subjects"), e))?;
    }
    params.folds = options.folds.map(Folds::Contiguous);
    Ok(params)
}

/// Which rating is read.
fn read_from(options: &TargetOptions, table: &KeyPath, ratings: &[PlannedRating]) -> Result<usize> {
    let key = table.clone().key("reads");
    given_rating(options.reads.as_deref(), &key, ratings)
}
