//! Numbers for each stimulus that ratings are compared with.

use consilience_core::{InputFile, Stimuli, TargetKind};
use consilience_io::ratings::{Aligned, RatingsForm, RatingsParams, RatingsTable};
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

/// The `[[behaviour]]` with ratings of that name, or the first.
pub(super) fn given_rating(
    name: Option<&str>,
    key: &KeyPath,
    ratings: &[PlannedRating],
) -> Result<usize> {
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
pub(super) fn hash_of<'a>(values: impl Iterator<Item = &'a f64>) -> String {
    let mut hasher = blake3::Hasher::new();
    for value in values {
        hasher.update(&value.to_le_bytes());
    }
    hasher.finalize().to_hex().to_string()
}
