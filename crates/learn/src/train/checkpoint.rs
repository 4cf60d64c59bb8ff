//! The state after each epoch, from which training goes on.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use consilience_io::atomic;
use consilience_io::weights::Weights;
use ndarray::{ArrayD, IxDyn};
use serde::{Deserialize, Serialize};

use super::Epoch;
use super::optimizer::Parameters;
use crate::error::{LearnError, Result};

/// A folder with `epoch-0000.safetensors`, `epoch-0001.safetensors` … (the weights by key, as any
/// other weights file), the optimiser's moments after the last epoch, and `history.json`.
///
/// The history is written last: what it does not name is written again, with the same bytes.
pub(super) struct Checkpoints<'a> {
    folder: &'a Path,
    /// What the training depends on, in words.
    settings: serde_json::Value,
}

#[derive(Serialize, Deserialize)]
struct History {
    settings: serde_json::Value,
    step: u64,
    epochs: Vec<Epoch>,
}

/// What training goes on from.
pub(super) struct Resumed {
    pub step: u64,
    pub epochs: Vec<Epoch>,
}

impl<'a> Checkpoints<'a> {
    pub fn new(folder: &'a Path, settings: serde_json::Value) -> Self {
        Self { folder, settings }
    }

    fn history(&self) -> PathBuf {
        self.folder.join("history.json")
    }

    fn weights(&self, epoch: usize) -> PathBuf {
        self.folder.join(format!("epoch-{epoch:04}.safetensors"))
    }

    fn moments(&self, epoch: usize) -> PathBuf {
        self.folder.join(format!("moments-{epoch:04}.safetensors"))
    }

    /// Brings `parameters` to the last epoch of the folder; `None` when there is none.
    pub fn resume(&self, parameters: &mut Parameters) -> Result<Option<Resumed>> {
        let path = self.history();
        if !path.exists() {
            return Ok(None);
        }
        let damaged = || LearnError::Checkpoint {
            path: path.clone(),
            fault: "it is damaged",
        };
        let text = std::fs::read_to_string(&path).map_err(|_| damaged())?;
        let history: History = serde_json::from_str(&text).map_err(|_| damaged())?;
        if history.settings != self.settings {
            return Err(LearnError::Checkpoint {
                path,
                fault: "it belongs to a training with other settings",
            });
        }
        let last = history.epochs.len().checked_sub(1).ok_or_else(damaged)?;
        self.read_weights(last, parameters)?;
        let mut moments = Weights::read(self.moments(last))?;
        for (key, parameter) in parameters.iter_mut() {
            let shape = parameter.shape();
            for (order, values) in ["first", "second"].into_iter().zip(&mut parameter.moments) {
                let stored = moments.take(&format!("{order}.{key}"), &shape)?;
                *values = stored.into_iter().collect();
            }
        }
        Ok(Some(Resumed {
            step: history.step,
            epochs: history.epochs,
        }))
    }

    /// Brings the weights alone to those of an epoch.
    pub fn read_weights(&self, epoch: usize, parameters: &mut Parameters) -> Result<()> {
        let mut weights = Weights::read(self.weights(epoch))?;
        for (key, parameter) in parameters.iter_mut() {
            let stored = weights.take(key, &parameter.shape())?;
            let values = parameter.values_mut().iter_mut().zip(stored);
            values.for_each(|(value, stored)| *value = stored);
        }
        Ok(())
    }

    /// Writes the state after the last of `epochs`; `fixed` are the weights that are not trained.
    pub fn write(
        &self,
        parameters: &Parameters,
        fixed: &BTreeMap<String, ArrayD<f32>>,
        step: u64,
        epochs: &[Epoch],
    ) -> Result<()> {
        let Some(last) = epochs.len().checked_sub(1) else {
            return Ok(());
        };
        // One set at a time: large modules fill memory.
        let mut weights = fixed.clone();
        for (key, parameter) in parameters {
            weights.insert(key.clone(), parameter.to_array());
        }
        Weights::new(weights).write(self.weights(last))?;
        let mut moments = BTreeMap::new();
        for (key, parameter) in parameters {
            for (order, values) in ["first", "second"].into_iter().zip(&parameter.moments) {
                let array = ArrayD::from_shape_vec(IxDyn(&parameter.shape()), values.clone());
                let array = array.expect("moments are as many as the values");
                moments.insert(format!("{order}.{key}"), array);
            }
        }
        Weights::new(moments).write(self.moments(last))?;
        let history = History {
            settings: self.settings.clone(),
            step,
            epochs: epochs.to_vec(),
        };
        let text =
            serde_json::to_string_pretty(&history).expect("numbers and names are JSON") + "\n";
        atomic::write_atomically(self.history(), |file| file.write_all(text.as_bytes()))?;
        if let Some(before) = last.checked_sub(1) {
            // Only the last epoch's moments are needed; an old file left behind does no harm.
            let _ = std::fs::remove_file(self.moments(before));
        }
        Ok(())
    }
}
