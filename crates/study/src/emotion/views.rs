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

#[cfg(test)]
mod tests {
    use consilience_models::preprocess::Augmentation;
    use consilience_models::{ExecutorChoice, ExtractParams, Extractor, ModelError};
    use ndarray::{Axis, s};

    use super::*;
    use crate::file::{Override, StudyText};
    use crate::plan::PlannedAnalysis;
    use crate::planted::{Planted, write};
    use crate::{Cache, Places, Prepared, Silent, TEMPLATES, prepare};

    fn prepared(folder: &std::path::Path) -> Prepared {
        write(folder, Planted::Emotion, 3).unwrap();
        let template = TEMPLATES
            .iter()
            .find(|t| t.data == Some(Planted::Emotion))
            .unwrap();
        let text = StudyText::new("study.toml", template.files[0].1);
        let sets = ["analysis.augment=true", "analysis.epochs=3"];
        let sets: Vec<Override> = sets.iter().map(|set| set.parse().unwrap()).collect();
        let study = text.parse(&sets).unwrap();
        prepare(&study, &Places::new(folder, &[]), ExecutorChoice::Rten, 2).unwrap()
    }

    /// Features of all pictures in the views of an epoch, from the network itself.
    fn by_hand(prepared: &Prepared, epoch: u64) -> Array2<f32> {
        let model = &prepared.plan.models[0];
        let params = ExtractParams {
            pool: model.pool,
            executor: prepared.executor,
            ..ExtractParams::default()
        };
        let extractor = Extractor::prepare(&prepared.networks[0], &model.taps(), &params).unwrap();
        let extractor = extractor.changed(Changes {
            augmentation: Some(Augmentation::default()),
            seed: prepared.plan.seed,
            epoch,
            ..Changes::default()
        });
        let last = extractor.layers.len() - 1;
        let n_features = extractor.layers[last].n_features;
        let mut found = Array2::zeros((prepared.clips.n_rows(), n_features));
        let sink = |block: consilience_models::Block<'_>| -> std::result::Result<(), ModelError> {
            if block.layer_idx == last {
                let rows = block.first_row..block.first_row + block.rows.nrows();
                found.slice_mut(s![rows, ..]).assign(&block.rows);
            }
            Ok(())
        };
        extractor
            .run(prepared.clips.frames(), sink, |_| {})
            .unwrap();
        found
    }

    #[test]
    fn views_are_those_of_the_seed_the_epoch_and_the_picture() {
        let folder = tempfile::tempdir().unwrap();
        let prepared = prepared(folder.path());
        let PlannedAnalysis::Emotion(planned) = &prepared.plan.analyses[0] else {
            panic!("an analysis of valence and arousal");
        };
        let mut all = Vec::new();
        for n_threads in [1, 2] {
            let cache = Cache::new(folder.path().join(format!("cache-{n_threads}")));
            let study = Study::new(&prepared, 0, planned, &cache, n_threads, &Silent).unwrap();
            let views = Views::new(&study, 0).unwrap();
            assert!(views.rows(0, &[0]).is_err(), "nothing was made");
            views.make().unwrap();
            let rows = [7, 119, 0, 31];
            for epoch in 0..3 {
                let expected = by_hand(&prepared, epoch as u64);
                let found = views.rows(epoch, &rows).unwrap();
                assert_eq!(found, expected.select(Axis(0), &rows));
                all.push(expected);
            }
            // The pictures themselves stay: in about a fifth of the views nothing is changed.
            let plain = study.encoder(0).unwrap().stimuli;
            let same = (plain.outer_iter().zip(all[0].outer_iter())).filter(|(a, b)| a == b);
            let n_same = same.count();
            assert!((5..60).contains(&n_same), "{n_same} of 120");
            // Damage is told with its cure, and made good.
            let entry = walk(&cache.root().join("views"));
            std::fs::write(&entry, b"\x93NUMPY").unwrap();
            let errors = (0..3).filter_map(|epoch| views.rows(epoch, &rows).err());
            assert_eq!(errors.count(), 1);
            views.make().unwrap();
            assert_eq!(views.rows(1, &rows).unwrap(), all[1].select(Axis(0), &rows));
        }
        assert_ne!(all[0], all[1]);
        assert_eq!(all[..3], all[3..]);
    }

    /// The first file below a folder.
    fn walk(folder: &std::path::Path) -> std::path::PathBuf {
        let mut entries = std::fs::read_dir(folder).unwrap();
        let path = entries.next().unwrap().unwrap().path();
        match path.is_dir() {
            true => walk(&path),
            false => path,
        }
    }
}
