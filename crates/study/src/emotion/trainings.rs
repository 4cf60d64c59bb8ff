//! The trainings of a module, through the cache.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use consilience_experiments::ExperimentError;
use consilience_experiments::visual_emotion::{
    FoldRun, Learning, Pictures, Wired, side_by_side, train_fold,
};
use consilience_io::npy;
use consilience_io::weights::Weights;
use consilience_learn::train::{Epoch, TrainParams};
use ndarray::{Array3, Ix3};
use serde::{Deserialize, Serialize};

use super::common::{Encoder, Study, diverged_in, of_experiment};
use super::views::Views;
use crate::Result;
use crate::cache::Key;
use crate::plan::{PlannedEmotion, PlannedModule};

const KIND: &str = "emotion";

/// A repeat with a training whose loss was no number.
pub struct Diverged {
    /// Position of the repeat.
    pub repeat: usize,
    /// The epoch.
    pub epoch: usize,
    /// Learning rate of its last step.
    pub learning_rate: f64,
}

/// All trainings of one module.
pub struct Trainings<'a> {
    study: &'a Study<'a>,
    module: &'a PlannedModule,
    /// What the module reads.
    pub encoder: &'a Encoder,
    /// The module as a network.
    pub wired: Wired,
    learning: Learning,
    /// What the module learns from, if it is not the pictures as they are.
    views: Option<Views<'a>>,
    /// Whether units of all epochs are kept.
    with_units: bool,
    /// Of each repeat and fold.
    keys: Vec<Vec<Key>>,
}

/// What of a training is no array.
#[derive(Serialize, Deserialize)]
struct Summary {
    epoch: usize,
    history: Vec<Epoch>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    attention: Vec<Option<f64>>,
}

/// How a module learns in this study.
pub fn learning(planned: &PlannedEmotion, wired: &Wired) -> Learning {
    Learning {
        params: TrainParams {
            dropped: match planned.dropout {
                true => wired.dropped.clone(),
                false => Vec::new(),
            },
            ..planned.learning.params.clone()
        },
        ..planned.learning.clone()
    }
}

impl<'a> Trainings<'a> {
    pub fn new(
        study: &'a Study<'a>,
        module: &'a PlannedModule,
        encoder: &'a Encoder,
        with_units: bool,
    ) -> Result<Self> {
        let wired = module
            .structure
            .wired(
                encoder.stimuli.ncols() / encoder.tokens.unwrap_or(1),
                study.names.len(),
            )
            .map_err(|source| of_experiment(&study.label(module), source))?;
        let learning = learning(study.planned, &wired);
        let ratings: Vec<f64> = study.learnt.iter().copied().collect();
        let views = Views::new(study, module.model);
        let key_of_views = views.as_ref().map(Views::key);
        let keys = study.repeats.iter().map(|(seed, divisions)| {
            let of = |division| {
                let training = (
                    &encoder.key,
                    &ratings,
                    &module.structure,
                    format!("{learning:?}"),
                    format!("{division:?}"),
                    (seed, with_units),
                );
                match &key_of_views {
                    None => Key::new("emotion-training", &training),
                    Some(views) => Key::new("emotion-training-on-views", &(training, views)),
                }
            };
            divisions.iter().map(of).collect()
        });
        Ok(Self {
            keys: keys.collect(),
            study,
            module,
            encoder,
            wired,
            learning,
            views,
            with_units,
        })
    }

    /// Names of all trainings.
    pub fn keys(&self) -> &[Vec<Key>] {
        &self.keys
    }

    /// Puts all trainings into the cache, as far as they are not there; says which diverged.
    pub fn make(&self) -> Result<Vec<Diverged>> {
        let missing: Vec<(usize, usize)> = (self.keys.iter().enumerate())
            .flat_map(|(repeat, keys)| (0..keys.len()).map(move |fold| (repeat, fold)))
            .filter(|&(repeat, fold)| !self.is_there(&self.keys[repeat][fold]))
            .collect();
        if missing.is_empty() {
            return Ok(Vec::new());
        }
        if let Some(views) = &self.views {
            views.make()?;
        }
        let progress = self.study.progress;
        let label = self.study.label(self.module);
        progress.begin(&format!("trainings of {label}"), missing.len() as u64);
        let n_done = AtomicU64::new(0);
        let found = side_by_side(missing.len(), |task| {
            let (repeat, fold) = missing[task];
            let found = self.train(repeat, fold);
            let done = 1 + n_done.fetch_add(1, Ordering::Relaxed);
            progress.advance_to(done);
            match found {
                Ok(run) => {
                    self.put(&self.keys[repeat][fold], &run)?;
                    let _ = std::fs::remove_dir_all(self.folder(repeat, fold));
                    Ok(None)
                }
                Err(error) => match diverged_in(&error) {
                    Some((epoch, learning_rate)) => Ok(Some(Diverged {
                        repeat,
                        epoch,
                        learning_rate,
                    })),
                    None => Err(of_experiment(&label, error)),
                },
            }
        })?;
        progress.end();
        let mut diverged: Vec<Diverged> = Vec::new();
        for found in found {
            if let Some(found) = found
                && diverged.iter().all(|d| d.repeat != found.repeat)
            {
                diverged.push(found);
            }
        }
        Ok(diverged)
    }

    /// The trainings of a repeat.
    pub fn load(&self, repeat: usize) -> Result<Vec<FoldRun>> {
        self.keys[repeat]
            .iter()
            .enumerate()
            .map(|(fold, key)| match self.cached(key) {
                Some(run) => Ok(run),
                // What was there a moment ago was deleted or damaged.
                None => {
                    if let Some(views) = &self.views {
                        views.make()?;
                    }
                    self.train(repeat, fold)
                        .map_err(|source| of_experiment(&self.study.label(self.module), source))
                }
            })
            .collect()
    }

    fn train(&self, repeat: usize, fold: usize) -> std::result::Result<FoldRun, ExperimentError> {
        let (seed, divisions) = &self.study.repeats[repeat];
        let folder = self.folder(repeat, fold);
        let views = self.views.as_ref();
        let views = views.map(|views| |epoch: usize, rows: &[usize]| views.rows(epoch, rows));
        let pictures = Pictures {
            views: views.as_ref().map(|views| views as _),
            ..self.study.arrays(self.encoder)
        };
        let train = || {
            train_fold(
                &self.wired,
                &pictures,
                &divisions[fold],
                &self.learning,
                *seed,
                self.with_units,
                &folder,
            )
        };
        match train() {
            // Checkpoints of a killed run that cannot be gone on from are no reason to stop.
            Err(ExperimentError::Learn(consilience_learn::LearnError::Checkpoint { .. })) => {
                let _ = std::fs::remove_dir_all(&folder);
                train()
            }
            found => found,
        }
    }

    /// Where checkpoints lie while a training runs.
    fn folder(&self, repeat: usize, fold: usize) -> PathBuf {
        let key = &self.keys[repeat][fold];
        self.study
            .cache
            .path("emotion-checkpoints", key, "training")
    }

    fn is_there(&self, key: &Key) -> bool {
        self.study.cache.json::<Summary>(KIND, key).is_some()
    }

    fn put(&self, key: &Key, run: &FoldRun) -> Result<()> {
        let cache = self.study.cache;
        if self.with_units {
            npy::write(cache.path("emotion-units", key, "npy"), run.units.view())?;
            let weights = Weights::new(run.weights.clone());
            weights.write(cache.path("emotion-weights", key, "safetensors"))?;
        }
        cache.put_array("emotion-ratings", key, run.ratings.view())?;
        // The last, so that it stands for all.
        let summary = Summary {
            epoch: run.epoch,
            history: run.history.clone(),
            attention: run.attention.clone(),
        };
        cache.put_json(KIND, key, &summary)
    }

    fn cached(&self, key: &Key) -> Option<FoldRun> {
        let cache = self.study.cache;
        let summary: Summary = cache.json(KIND, key)?;
        let ratings = npy::read(cache.path("emotion-ratings", key, "npy")).ok()?;
        let ratings = ratings.into_f64().into_dimensionality::<Ix3>().ok()?;
        let (units, weights) = match self.with_units {
            false => (Array3::zeros((0, ratings.dim().1, 0)), Default::default()),
            true => {
                let units = match npy::read(cache.path("emotion-units", key, "npy")).ok()? {
                    consilience_io::AnyArray::F32(units) => units.into_dimensionality::<Ix3>(),
                    _ => return None,
                };
                let weights = Weights::read(cache.path("emotion-weights", key, "safetensors"));
                (units.ok()?, weights.ok()?.into_tensors())
            }
        };
        Some(FoldRun {
            epoch: summary.epoch,
            history: summary.history,
            ratings,
            units,
            weights,
            attention: summary.attention,
        })
    }
}
