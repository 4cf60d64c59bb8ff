//! Analyses of ratings: what networks learn, and how.

use std::path::PathBuf;

use consilience_core::{InputFile, Stimuli, TargetKind};
use consilience_experiments::appraise::{HeadParams, RatingLoss, Validation};
use consilience_io::video::Selection;
use consilience_learn::train::Frequencies;
use consilience_models::{ClipPool, Clips, ExecutorChoice, Network};

use super::analyses::{check_alpha, chosen, parse, position};
use super::ratings::{Columns, PICTURE_COLUMN, means, read_ratings};
use super::{at, input, invalid};
use crate::Result;
use crate::file::{AppraisalOptions, KeyPath, TargetOptions};
use crate::places::Places;
use crate::plan::{
    PlannedAppraisal, PlannedModel, PlannedRating, PlannedStimulus, PlannedTraining,
};

/// What of the study is resolved before its analyses.
pub(super) struct Resolved<'a> {
    pub stimuli: &'a Stimuli,
    pub planned_stimuli: &'a [PlannedStimulus],
    pub clips: &'a Clips,
    pub models: &'a [PlannedModel],
    pub networks: &'a [Network],
    pub ratings: &'a [PlannedRating],
    pub behaviours: &'a [TargetOptions],
    pub seed: u64,
    pub executor: ExecutorChoice,
    pub n_threads: usize,
    pub places: &'a Places,
}

pub(super) fn resolve_appraisal(
    options: &AppraisalOptions,
    key: &KeyPath,
    study: &Resolved<'_>,
    inputs: &mut Vec<InputFile>,
) -> Result<(PlannedAppraisal, Option<Clips>)> {
    let (models, ratings) = (study.models, study.ratings);
    let of = |name: &str| key.clone().key(name);
    check_alpha(options.alpha, key)?;
    let can_be_learnt =
        |rating: &PlannedRating| rating.kind == TargetKind::Behaviour && rating.reads.is_none();
    let learn = match &options.learn {
        Some(name) => position(&of("learn"), name, ratings, |r| &r.name)?,
        None => ratings.iter().position(can_be_learnt).ok_or_else(|| {
            invalid(
                key,
                "nothing to learn: the study has no [[behaviour]] with `ratings`; add one",
            )
        })?,
    };
    if !can_be_learnt(&ratings[learn]) {
        return Err(invalid(
            &of("learn"),
            &format!("{} is no [[behaviour]] with `ratings`", ratings[learn].name),
        ));
    }
    let behaviour = study
        .behaviours
        .iter()
        .find(|b| b.name == ratings[learn].name);
    let training = load_training(options, key, behaviour, study.places, inputs)?;
    let loss = match (parse(&of("loss"), &options.loss)?, options.bins) {
        (RatingLoss::WeightedMse(_), Some(bins)) => {
            RatingLoss::WeightedMse(Frequencies::Bins(bins))
        }
        (RatingLoss::Huber { .. }, None) => RatingLoss::Huber {
            delta: options.delta,
        },
        (loss, None) => loss,
        (_, Some(_)) => {
            return Err(invalid(
                &of("bins"),
                "bins belong to `loss = \"weighted-mse\"`; leave them out",
            ));
        }
    };
    let solver = &options.solver;
    let heads = HeadParams {
        head: parse(&of("head"), &options.head)?,
        scale: ratings[learn].scale,
        loss,
        solver: solver
            .as_deref()
            .map(|name| parse(&of("solver"), name))
            .transpose()?,
        weight_decay: options.weight_decay,
        dropout: options.dropout,
        validation: match training {
            None => Validation::Folds(options.folds),
            Some(_) => Validation::HoldOut(options.hold_out),
        },
        runs: options.runs,
        epochs: options.epochs,
        patience: Some(options.patience),
        learning_rate: options.learning_rate,
        seed: study.seed,
        ..HeadParams::default()
    };
    heads.validate().map_err(|e| at(key, e))?;
    let (training, clips) = training.unzip();
    let planned = PlannedAppraisal {
        learn,
        training,
        heads,
        correlation: parse(&of("correlation"), &options.correlation)?,
        permutations: options.permutations,
        correction: parse(&of("correction"), &options.correction)?,
        alpha: options.alpha,
        models: chosen(&of("models"), options.models.as_deref(), models, |m| {
            &m.name
        })?,
        targets: chosen(&of("targets"), options.targets.as_deref(), ratings, |r| {
            &r.name
        })?,
    };
    Ok((planned, clips))
}

/// Other pictures to learn from, with their ratings.
fn load_training(
    options: &AppraisalOptions,
    key: &KeyPath,
    behaviour: Option<&TargetOptions>,
    places: &Places,
    inputs: &mut Vec<InputFile>,
) -> Result<Option<(PlannedTraining, Clips)>> {
    let of = |name: &str| key.clone().key(name);
    let files = training_files(
        options.training_images.as_deref(),
        options.training_ratings.as_deref(),
        key,
        places,
    )?;
    let Some(files) = files else {
        return Ok(None);
    };
    let default_columns = behaviour.map(|b| b.columns.clone().unwrap_or(vec![b.name.clone()]));
    let ratings = options.training_columns.clone().or(default_columns);
    let picture = options
        .training_picture_column
        .as_deref()
        .or(behaviour.and_then(|b| b.picture_column.as_deref()));
    let columns = Columns {
        picture: picture.unwrap_or(PICTURE_COLUMN),
        ratings: &ratings.unwrap_or_default(),
        rater: options.training_rater_column.as_deref(),
        reject: options.training_reject_column.as_deref(),
        spread: None,
        scale: behaviour.and_then(|b| b.scale),
    };
    let table_key = of("training-ratings");
    let (found, _) = read_ratings(
        files.table,
        &columns,
        &files.names(),
        &table_key,
        places,
        "training",
        inputs,
    )?;
    let (pictures, clips) = other_pictures(
        &files.paths,
        "training picture",
        &of("training-images"),
        inputs,
    )?;
    let planned = PlannedTraining {
        images: files.images.to_owned(),
        pictures,
        ratings: means(&found),
    };
    Ok(Some((planned, clips)))
}

/// Other pictures to learn from, and the table with their ratings.
pub(super) struct TrainingFiles<'a> {
    /// The file pattern.
    pub images: &'a str,
    pub table: &'a str,
    pub paths: Vec<PathBuf>,
    /// Names of the files.
    files: Vec<String>,
}

impl TrainingFiles<'_> {
    pub fn names(&self) -> Vec<&str> {
        self.files.iter().map(String::as_str).collect()
    }
}

/// Finds them; neither may come without the other.
pub(super) fn training_files<'a>(
    images: Option<&'a str>,
    table: Option<&'a str>,
    key: &KeyPath,
    places: &Places,
) -> Result<Option<TrainingFiles<'a>>> {
    let of = |name: &str| key.clone().key(name);
    let (images, table) = match (images, table) {
        (Some(images), Some(table)) => (images, table),
        (None, None) => return Ok(None),
        (Some(_), None) => {
            return Err(invalid(
                &of("training-images"),
                "these pictures need ratings; add `training-ratings = \"ratings.csv\"`",
            ));
        }
        (None, Some(_)) => {
            return Err(invalid(
                &of("training-ratings"),
                "these ratings need pictures; add `training-images = \"training/*.jpg\"`",
            ));
        }
    };
    let paths = places.matching(&of("training-images"), images)?;
    let name = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default();
        name.to_string_lossy().into_owned()
    };
    Ok(Some(TrainingFiles {
        images,
        table,
        files: paths.iter().map(name).collect(),
        paths,
    }))
}

/// Pictures that are no stimuli.
pub(super) fn other_pictures(
    paths: &[PathBuf],
    role: &str,
    key: &KeyPath,
    inputs: &mut Vec<InputFile>,
) -> Result<(Vec<PlannedStimulus>, Clips)> {
    let clips = Clips::open(paths, Selection::default(), ClipPool::Mean).map_err(|e| at(key, e))?;
    let mut pictures = Vec::with_capacity(paths.len());
    for path in paths {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let file = input(role, &name, path)?;
        pictures.push(PlannedStimulus {
            id: name.into_owned(),
            category: None,
            condition: None,
            blake3: file.blake3.clone(),
            clip: None,
        });
        inputs.push(file);
    }
    Ok((pictures, clips))
}
