//! Views of the pictures that modules learn from: their features for each epoch, in the cache.

use consilience_io::IoError;
use consilience_learn::LearnError;
use consilience_models::preprocess::Changes;
use ndarray::Array2;

use super::common::Study;
use crate::activations::{Pictures, features_key, load_rows, make_views};
use crate::cache::Key;
use crate::{Result, StudyError};

/// The views that a network is shown: one of each picture in every epoch, the same in all folds, structures and repeats.
///
/// What is drawn for a view depends on the seed of the study, the epoch and the position of the picture among those that are learnt from.
pub struct Views<'a> {
    study: &'a Study<'a>,
    model: usize,
    /// Of each epoch.
    changes: Vec<Changes>,
}

impl<'a> Views<'a> {
    /// Of a network; `None` where pictures are learnt from as they are.
    pub fn new(study: &'a Study<'a>, model: usize) -> Option<Self> {
        let augmentation = study.planned.augmentation?;
        let of_epoch = |epoch: usize| Changes {
            augmentation: Some(augmentation),
            seed: study.prepared.plan.seed,
            epoch: epoch as u64,
            ..Changes::default()
        };
        let n_epochs = study.planned.learning.params.epochs;
        Some(Self {
            study,
            model,
            changes: (0..n_epochs).map(of_epoch).collect(),
        })
    }

    fn of<'b>(&'b self, changes: &'b Changes) -> Pictures<'b> {
        Pictures {
            changes: Some(changes),
            ..self.study.learnt_pictures()
        }
    }

    /// What all that is learnt from them depends on.
    pub fn key(&self) -> Key {
        let last = self.study.prepared.plan.models[self.model].layers.len() - 1;
        let of = |changes| features_key(self.study.prepared, self.of(changes), self.model, last);
        Key::new("views", &self.changes.iter().map(of).collect::<Vec<_>>())
    }

    /// Puts the features of all epochs into the cache, as far as they are not there.
    pub fn make(&self) -> Result<()> {
        let study = self.study;
        let sets: Vec<Pictures<'_>> = self.changes.iter().map(|c| self.of(c)).collect();
        make_views(
            study.prepared,
            &sets,
            self.model,
            study.cache,
            study.n_threads,
            study.progress,
        )
    }

    /// Features of the views of some pictures in an epoch, `(n_rows, n_features)`, with tokens side by side.
    pub fn rows(
        &self,
        epoch: usize,
        rows: &[usize],
    ) -> std::result::Result<Array2<f32>, LearnError> {
        let study = self.study;
        let model = &study.prepared.plan.models[self.model];
        let layer = model.layers.last().expect("a model has layers");
        let pictures = self.of(&self.changes[epoch]);
        let features = load_rows(study.prepared, pictures, model, layer, study.cache, rows);
        match features {
            Ok(features) => Ok(match study.planned.reads_tokens() {
                true => layer.tokens.side_by_side(features.view()),
                false => features,
            }),
            Err(StudyError::File(problem)) => Err(problem.into()),
            Err(other) => Err(IoError::Unsupported {
                what: format!("the features of a view ({other})"),
                cure: "delete the cache folder and run again",
            }
            .into()),
        }
    }
}
