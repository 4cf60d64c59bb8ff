//! Other pictures to learn from, with their ratings.

use consilience_core::InputFile;
use consilience_methods::emotion::RatingScale;
use consilience_models::Clips;

use super::super::appraisal::{Resolved, other_pictures, training_files};
use super::super::at;
use super::super::ratings::{Columns, PICTURE_COLUMN, means, read_ratings};
use crate::Result;
use crate::file::{EmotionOptions, KeyPath};
use crate::plan::PlannedLearnt;

/// Reads them; `ratings` are the positions of valence and arousal, on `scales`.
pub(super) fn load_learnt(
    options: &EmotionOptions,
    key: &KeyPath,
    ratings: &[usize],
    scales: &[RatingScale],
    study: &Resolved<'_>,
    inputs: &mut Vec<InputFile>,
) -> Result<Option<(PlannedLearnt, Clips)>> {
    let of = |name: &str| key.clone().key(name);
    let files = training_files(
        options.training_images.as_deref(),
        options.training_ratings.as_deref(),
        key,
        study.places,
    )?;
    let Some(files) = files else {
        return Ok(None);
    };
    let columns = [
        &options.training_valence_column,
        &options.training_arousal_column,
    ];
    let table_key = of("training-ratings");
    let mut all = Vec::new();
    for ((&rating, column), scale) in ratings.iter().zip(columns).zip(scales) {
        let behaviour = (study.behaviours.iter()).find(|b| b.name == study.ratings[rating].name);
        let default = behaviour.map(|b| b.columns.clone().unwrap_or(vec![b.name.clone()]));
        let column = column.clone().map(|column| vec![column]).or(default);
        let picture = options
            .training_picture_column
            .as_deref()
            .or(behaviour.and_then(|b| b.picture_column.as_deref()));
        let own_scale = options
            .training_scale
            .unwrap_or([scale.low(), scale.high()]);
        let columns = Columns {
            picture: picture.unwrap_or(PICTURE_COLUMN),
            ratings: &column.unwrap_or_default(),
            rater: None,
            reject: None,
            spread: None,
            scale: Some(own_scale),
        };
        let (found, _) = read_ratings(
            files.table,
            &columns,
            &files.names(),
            &table_key,
            study.places,
            "training",
            inputs,
        )?;
        let [low, high] = own_scale;
        let own_scale = RatingScale::new(low, high).map_err(|e| at(&of("training-scale"), e))?;
        let mapped = own_scale.mapped(&means(&found), scale);
        all.push(mapped.map_err(|e| at(&table_key, e))?);
    }
    let role = "training picture";
    let (pictures, clips) = other_pictures(&files.paths, role, &of("training-images"), inputs)?;
    let planned = PlannedLearnt {
        images: files.images.to_owned(),
        pictures,
        ratings: all,
    };
    Ok(Some((planned, clips)))
}
