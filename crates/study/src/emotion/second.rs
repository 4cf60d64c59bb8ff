//! Units of the main module on a second set of pictures.

use consilience_core::{EmotionPictureSet, EmotionSecondSet};
use consilience_experiments::visual_emotion::{
    Consistency, Repeat, Units, bin_records, consistency, dealt, second_units,
};
use consilience_methods::emotion::{BinSelectivityParams, Bins, bins};
use ndarray::{Array2, ArrayView2};

use super::common::{Study, of_experiment};
use super::trainings::{Trainings, learning};
use crate::Result;
use crate::activations::{Pictures, load_features, make_features};
use crate::plan::PlannedSecond;

/// The second set as the main module reads it.
pub struct Second<'a> {
    planned: &'a PlannedSecond,
    features: Array2<f32>,
    bins: Bins,
}

impl<'a> Second<'a> {
    /// Features of its pictures, through the cache; `None` in a study without a second set.
    pub fn new(study: &Study<'a>, n_threads: usize) -> Result<Option<Self>> {
        let (prepared, planned) = (study.prepared, study.planned);
        let Some((second, clips)) = planned
            .second
            .as_ref()
            .zip(prepared.second[study.idx].as_ref())
        else {
            return Ok(None);
        };
        let pictures = Pictures {
            planned: &second.pictures,
            clips,
            changes: None,
        };
        let model = planned.modules[planned.main].model;
        make_features(
            prepared,
            pictures,
            model,
            study.cache,
            n_threads,
            study.progress,
        )?;
        let of_model = &prepared.plan.models[model];
        let layer = of_model.layers.last().expect("a model has layers");
        let features = load_features(prepared, pictures, of_model, layer, study.cache)?;
        let arousal = second.ratings.get(1).map(Vec::as_slice);
        let bins = bins(&second.ratings[0], arousal, &planned.bins);
        Ok(Some(Self {
            planned: second,
            features: match planned.reads_tokens() {
                true => layer.tokens.side_by_side(features.view()),
                false => features,
            },
            bins: bins.map_err(|source| study.failed(source))?,
        }))
    }

    /// Its part of the record, and which units are selective in which set; `left` are the positions of `repeats` among those of the study.
    pub fn compared(
        &self,
        study: &Study<'_>,
        trainings: &Trainings<'_>,
        (repeats, left): (&[Repeat], &[usize]),
        bins: &Bins,
        params: &BinSelectivityParams,
    ) -> Result<(EmotionSecondSet, Consistency)> {
        let learning = learning(study.planned, &trainings.wired);
        let arrays = study.arrays(trainings.encoder);
        let mut units = Vec::with_capacity(left.len());
        for &repeat in left {
            let (seed, divisions) = &study.repeats[repeat];
            let module_of = dealt(&self.planned.ratings[0], divisions.len(), *seed);
            units.push(second_units(
                &trainings.wired,
                &arrays,
                (self.features.view(), &module_of),
                (divisions, &trainings.load(repeat)?),
                &learning,
            ));
        }
        let first: Vec<ArrayView2<'_, f32>> = repeats
            .iter()
            .map(|repeat| repeat.units_after.view())
            .collect();
        let second: Vec<ArrayView2<'_, f32>> = units.iter().map(|units| units.view()).collect();
        let found = consistency(
            &trainings.wired,
            Units {
                of_repeats: &first,
                bins,
            },
            Units {
                of_repeats: &second,
                bins: &self.bins,
            },
            params,
        );
        let found = found.map_err(|source| of_experiment("the second set of pictures", source))?;
        Ok((self.record(&found), found))
    }

    fn record(&self, found: &Consistency) -> EmotionSecondSet {
        let set = self.planned;
        EmotionSecondSet {
            set: EmotionPictureSet {
                name: set.name.clone(),
                images: set.images.clone(),
                scale: set.scale,
                n_pictures: set.pictures.len(),
                n_unrated: set.unrated.len(),
                n_absent: set.absent.len(),
                n_repeated: set.repeated.len(),
                n_stimuli: set.stimuli.len(),
            },
            n_learnt: set.learnt.len(),
            bins: bin_records(&self.bins),
            shared: found.bins.clone(),
            nuclei: found.nuclei.clone(),
        }
    }

    /// What the reader must know of it.
    pub fn notes(&self, study: &Study<'_>) -> Vec<String> {
        let mut notes = self.planned.notes();
        let kept = self.bins.kept();
        let names = |bins: Vec<usize>| -> Vec<&str> {
            bins.into_iter().map(|bin| self.bins.names[bin]).collect()
        };
        let left_out = names(self.bins.left_out());
        if !left_out.is_empty() {
            notes.push(format!(
                "{}: bins with fewer than {} pictures are not compared: {}.",
                self.planned.name,
                self.bins.min_items,
                left_out.join(", ")
            ));
        }
        let own: Vec<&str> = names(kept);
        let own = own
            .into_iter()
            .filter(|bin| !self.planned.shared.iter().any(|of| of == bin));
        let own: Vec<&str> = own.collect();
        if !own.is_empty() {
            notes.push(format!(
                "{}: bins that are left out of the stimuli are not compared: {}.",
                self.planned.name,
                own.join(", ")
            ));
        }
        if study.planned.training.is_none() {
            notes.push(format!(
                "Pictures of {} are dealt to the modules of the folds as the stimuli are, so that a unit is the same mixture of modules for both.",
                self.planned.name
            ));
        }
        notes
    }
}
