//! A second set of pictures on which units are tested.

use std::collections::BTreeMap;
use std::path::PathBuf;

use consilience_core::InputFile;
use consilience_io::video::Selection;
use consilience_methods::emotion::{BinParams, RatingScale, bins, shared_bins};
use consilience_models::{ClipPool, Clips};

use super::super::appraisal::Resolved;
use super::super::ratings::LoadedRating;
use super::super::{at, input, invalid};
use super::learnt::{file_name, rated};
use super::mean_ratings;
use crate::Result;
use crate::file::{KeyPath, RatedPicturesOptions};
use crate::plan::{PlannedLearnt, PlannedSecond, PlannedStimulus};

/// What the second set is compared with.
pub(super) struct First<'a> {
    /// Positions of valence and arousal.
    pub ratings: &'a [usize],
    /// Their scales.
    pub scales: &'a [RatingScale],
    /// The ratings of the study.
    pub loaded: &'a [LoadedRating],
    /// How both sets are divided.
    pub bins: &'a BinParams,
    /// Pictures that modules learn from.
    pub learnt: Option<&'a PlannedLearnt>,
}

/// Where a picture was met before.
#[derive(Clone, Copy)]
enum Met {
    Stimulus,
    Learnt,
    Second,
}

/// Reads the set; a picture whose file has the same content as a stimulus, as one that is learnt from or as one before it is left out.
pub(super) fn load_second(
    options: &RatedPicturesOptions,
    key: &KeyPath,
    first: &First<'_>,
    study: &Resolved<'_>,
    inputs: &mut Vec<InputFile>,
) -> Result<(PlannedSecond, Clips)> {
    let rated = rated(
        options,
        key,
        (first.ratings, first.scales),
        study,
        "second set",
        inputs,
    )?;
    let mut met: BTreeMap<String, Met> = BTreeMap::new();
    let learnt = first.learnt.iter().flat_map(|learnt| &learnt.pictures);
    met.extend(learnt.map(|picture| (picture.blake3.clone(), Met::Learnt)));
    let stimuli = study.planned_stimuli.iter();
    met.extend(stimuli.map(|picture| (picture.blake3.clone(), Met::Stimulus)));
    let mut second = PlannedSecond {
        name: options.title().to_owned(),
        images: options.images.clone(),
        scale: options.scale,
        pictures: Vec::new(),
        ratings: vec![Vec::new(); first.ratings.len()],
        shared: Vec::new(),
        unrated: rated.unrated,
        absent: rated.absent,
        repeated: Vec::new(),
        stimuli: Vec::new(),
        learnt: Vec::new(),
    };
    let mut paths: Vec<PathBuf> = Vec::new();
    for (path, values) in rated.pictures {
        let id = file_name(&path);
        let file = input("picture of the second set", &id, &path)?;
        match met.get(&file.blake3) {
            Some(Met::Stimulus) => second.stimuli.push(id),
            Some(Met::Learnt) => second.learnt.push(id),
            Some(Met::Second) => second.repeated.push(id),
            None => {
                met.insert(file.blake3.clone(), Met::Second);
                for (all, value) in second.ratings.iter_mut().zip(values) {
                    all.push(value);
                }
                second.pictures.push(PlannedStimulus {
                    id,
                    category: None,
                    condition: None,
                    blake3: file.blake3.clone(),
                    clip: None,
                });
                paths.push(path);
                inputs.push(file);
            }
        }
    }
    if second.pictures.is_empty() {
        let message = format!(
            "every rated picture of {} is a stimulus or learnt from; give pictures that are neither",
            second.name
        );
        return Err(invalid(&key.clone().key("images"), &message));
    }
    second.shared = shared(&second, key, first)?;
    let clips = Clips::open(&paths, Selection::default(), ClipPool::Mean);
    let clips = clips.map_err(|e| at(&key.clone().key("images"), e))?;
    Ok((second, clips))
}

/// Names of the bins with enough pictures in both sets, of which at least two are needed.
fn shared(second: &PlannedSecond, key: &KeyPath, first: &First<'_>) -> Result<Vec<String>> {
    let divided = |valence: &[f64], arousal: Option<&[f64]>| {
        bins(valence, arousal, first.bins).map_err(|e| at(key, e))
    };
    let arousal = second.ratings.get(1).map(Vec::as_slice);
    let own = divided(&second.ratings[0], arousal)?;
    let mut ratings = first.ratings.iter();
    let ratings = ratings
        .by_ref()
        .map(|&rating| mean_ratings(first.loaded, rating));
    let ratings: Vec<&[f64]> = ratings.collect();
    let of_stimuli = divided(ratings[0], ratings.get(1).copied())?;
    let found = shared_bins(&of_stimuli, &own).map_err(|e| at(key, e))?;
    if found.len() < 2 {
        let kept = |bins: &consilience_methods::emotion::Bins| {
            let names = bins.kept().into_iter().map(|bin| bins.names[bin]);
            let names: Vec<&str> = names.collect();
            match names.is_empty() {
                true => "none".to_owned(),
                false => names.join(", "),
            }
        };
        let message = format!(
            "bins with at least {} pictures are {} of the stimuli and {} of the {} pictures of {}, of which at least two have to be in both; lower `min-images`, \
             or divide by `valence-edges` and `arousal-edges` = \"tertiles\"",
            own.min_items,
            kept(&of_stimuli),
            kept(&own),
            second.pictures.len(),
            second.name
        );
        return Err(invalid(key, &message));
    }
    let names = found.into_iter().map(|bin| own.names[bin].to_owned());
    Ok(names.collect())
}
