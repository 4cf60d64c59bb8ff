//! Numbers for each stimulus that ratings are compared with.

use consilience_core::{InputFile, Stimuli, TargetKind};
use consilience_io::betas::{Betas, TrialTable};
use consilience_io::nifti::Mask;
use consilience_io::ratings::{Aligned, RatingsForm, RatingsParams, RatingsTable};
use consilience_io::source::Source;
use consilience_methods::appraisal::BrainRatingsParams;
use consilience_methods::encoding::Folds;
use consilience_stats::random::{Domain, Stream};
use ndarray::Array2;

use super::{at, input, invalid};
use crate::Result;
use crate::file::{KeyPath, TargetOptions};
use crate::places::Places;
use crate::plan::PlannedRating;

/// What a rating target is made of.
#[derive(Debug, Clone, PartialEq)]
pub enum RatingSource {
    /// Ratings.
    Given(GivenRatings),
    /// Responses of each subject, `(n_stimuli, n_voxels)`, from which ratings are read.
    Responses(Vec<Array2<f64>>),
}

/// Ratings of the stimuli.
#[derive(Debug, Clone, PartialEq)]
pub struct GivenRatings {
    /// Mean of each stimulus.
    pub mean: Vec<f64>,
    /// `(n_stimuli, n_raters)`, NaN where a rater did not rate.
    pub raters: Array2<f64>,
    /// Standard deviation and number of the ratings behind each mean, where a table says them.
    pub spread: Option<(Vec<f64>, Vec<usize>)>,
}

/// A rating target as it will be used, with what was left out on the way.
#[derive(Debug)]
pub struct LoadedRating {
    /// The numbers.
    pub source: RatingSource,
    /// What the reader must know about them.
    pub notes: Vec<String>,
}

/// Columns of a table of ratings.
pub(super) struct Columns<'a> {
    pub picture: &'a str,
    pub ratings: &'a [String],
    pub rater: Option<&'a str>,
    pub reject: Option<&'a str>,
    pub spread: Option<&'a [String; 2]>,
    pub scale: Option<[f64; 2]>,
}

impl Columns<'_> {
    pub fn params(&self, key: &KeyPath) -> Result<RatingsParams> {
        let only = || match self.ratings {
            [only] => Ok(only.clone()),
            several => Err(invalid(
                key,
                &format!(
                    "{} columns of ratings, expected one: a table with a row for each rating, or of means, has one column of them",
                    several.len()
                ),
            )),
        };
        let form = match (self.rater, self.spread) {
            (Some(rater), _) => RatingsForm::Long {
                rating: only()?,
                rater: rater.to_owned(),
                reject: self.reject.map(str::to_owned),
            },
            (None, Some([sd, n])) => RatingsForm::Means {
                mean: only()?,
                sd: Some(sd.clone()),
                n: Some(n.clone()),
            },
            (None, None) => RatingsForm::Wide {
                ratings: self.ratings.to_vec(),
            },
        };
        Ok(RatingsParams {
            form,
            scale: self.scale,
            ..RatingsParams::wide(self.picture, &[])
        })
    }
}

/// Ratings of named pictures, all of which must be rated.
pub(super) fn read_ratings(
    file: &str,
    columns: &Columns<'_>,
    names: &[&str],
    key: &KeyPath,
    places: &Places,
    role: &str,
    inputs: &mut Vec<InputFile>,
) -> Result<(Aligned, usize)> {
    let path = places.file(key, file)?;
    inputs.push(input(role, file, &path)?);
    let table = RatingsTable::read(&path, &columns.params(key)?).map_err(|e| at(key, e))?;
    let found = table.aligned(names).map_err(|e| at(key, e))?;
    if let Some(&first) = found.missing.first() {
        return Err(invalid(
            key,
            &format!(
                "{} of {} pictures have no rating, the first is {:?}; add them to the table or leave the pictures out: {file}",
                found.missing.len(),
                names.len(),
                names[first]
            ),
        ));
    }
    Ok((found, table.n_rejected()))
}

/// The mean over raters of each picture; [`read_ratings`] saw to it that each has one.
pub(super) fn means(found: &Aligned) -> Vec<f64> {
    found.mean.iter().map(|mean| mean.unwrap_or(0.0)).collect()
}

/// File names of the stimuli, by which tables find them.
pub(super) fn names(stimuli: &Stimuli) -> Vec<String> {
    let name = |stimulus: &consilience_core::Stimulus| {
        let name = stimulus.path.file_name().unwrap_or_default();
        name.to_string_lossy().into_owned()
    };
    stimuli.iter().map(name).collect()
}

pub(super) const PICTURE_COLUMN: &str = "file";

/// A target with `ratings`.
pub(super) fn load_ratings(
    options: &TargetOptions,
    kind: TargetKind,
    table: &KeyPath,
    places: &Places,
    stimuli: &Stimuli,
    inputs: &mut Vec<InputFile>,
) -> Result<(PlannedRating, LoadedRating)> {
    let key = table.clone().key("ratings");
    let file = options.ratings.as_deref().unwrap_or_default();
    let by_name = [options.name.clone()];
    let columns = Columns {
        picture: options.picture_column.as_deref().unwrap_or(PICTURE_COLUMN),
        ratings: options.columns.as_deref().unwrap_or(&by_name),
        rater: options.rater_column.as_deref(),
        reject: options.reject_column.as_deref(),
        spread: options.spread_columns.as_ref(),
        scale: options.scale,
    };
    let names = names(stimuli);
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let (found, n_rejected) =
        read_ratings(file, &columns, &names, &key, places, &options.name, inputs)?;
    let mut notes = Vec::new();
    if n_rejected > 0 {
        notes.push(format!("{n_rejected} rejected rows were left out"));
    }
    if found.n_missing > 0 {
        notes.push(format!(
            "{} single ratings are missing; means are over the raters that there are",
            found.n_missing
        ));
    }
    let spread = options.spread_columns.as_ref().and_then(|_| {
        let sds: Option<Vec<f64>> = found.sd.iter().copied().collect();
        let counts: Option<Vec<usize>> = found.n.iter().copied().collect();
        Some((sds?, counts?))
    });
    if options.spread_columns.is_some() && spread.is_none() {
        notes.push("the spread of some means is missing, so there is no reliability".to_owned());
    }
    let given = GivenRatings {
        mean: means(&found),
        raters: found.values,
        spread,
    };
    let n_subjects = (given.raters.ncols() > 1).then_some(given.raters.ncols());
    let planned = PlannedRating {
        name: options.name.clone(),
        kind,
        n_subjects,
        is_simulated: options.simulated,
        scale: options.scale,
        blake3: hash_of(given.mean.iter().chain(&given.raters)),
        reads: None,
    };
    let source = RatingSource::Given(given);
    Ok((planned, LoadedRating { source, notes }))
}

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

/// The `[[behaviour]]` with ratings of that name, or the first.
fn given_rating(name: Option<&str>, key: &KeyPath, ratings: &[PlannedRating]) -> Result<usize> {
    let is_given =
        |rating: &PlannedRating| rating.kind == TargetKind::Behaviour && rating.reads.is_none();
    let found = match name {
        None => ratings.iter().position(is_given),
        Some(name) => ratings.iter().position(|r| is_given(r) && r.name == name),
    };
    found.ok_or_else(|| {
        let given: Vec<&str> = ratings
            .iter()
            .filter(|r| is_given(r))
            .map(|r| r.name.as_str())
            .collect();
        invalid(
            key,
            &match given.is_empty() {
                true => "nothing to read or simulate: the study has no [[behaviour]] with `ratings`; add one".to_owned(),
                false => format!("no such [[behaviour]] with `ratings`; there is: {}", given.join(", ")),
            },
        )
    })
}

/// Hash of numbers.
fn hash_of<'a>(values: impl Iterator<Item = &'a f64>) -> String {
    let mut hasher = blake3::Hasher::new();
    for value in values {
        hasher.update(&value.to_le_bytes());
    }
    hasher.finalize().to_hex().to_string()
}
