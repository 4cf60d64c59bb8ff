//! A module that predicts, and its two files.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::path::Path;

use consilience_io::weights::Weights;
use consilience_io::{IoError, atomic, hash};
use consilience_learn::LearnError;
use consilience_models::graph::Tensor;
use consilience_models::nuclei::Features;
use ndarray::{Array2, ArrayD, ArrayView2, Axis, concatenate};
use rayon::prelude::*;

use super::{Description, ModuleError};
use crate::error::Result;
use crate::visual_emotion::{VisualEmotionError, Wired};

/// Rows that are computed together; the last bits depend on it.
const PIECE: usize = 64;

/// Longest description that is read.
const MAX_BYTES: u64 = 1 << 28;

/// A module that predicts.
#[derive(Debug, Clone, PartialEq)]
pub struct Trained {
    /// Everything about it but its numbers.
    pub description: Description,
    /// Its numbers by key.
    pub weights: BTreeMap<String, ArrayD<f32>>,
    wired: Wired,
}

/// What a module makes of pictures.
#[derive(Debug, Clone, PartialEq)]
pub struct Prediction {
    /// `(n, n_ratings)`, in the order of [`Description::ratings`], on its scale.
    pub ratings: Array2<f64>,
    /// Units of all nuclei, side by side, `(n, n_units)`.
    pub units: Array2<f32>,
}

impl Trained {
    /// Puts both together.
    ///
    /// # Errors
    ///
    /// As [`Description::wired`]; [`ModelError::StateDict`](consilience_models::ModelError::StateDict) naming each key that is
    /// missing, not expected or of another shape, [`ModelError::NonFiniteWeight`](consilience_models::ModelError::NonFiniteWeight).
    pub fn new(description: Description, weights: BTreeMap<String, ArrayD<f32>>) -> Result<Self> {
        let wired = description.wired()?;
        check(&description, &wired, &weights)?;
        Ok(Self {
            description,
            weights,
            wired,
        })
    }

    /// Reads `module.json` and `module.safetensors` of a folder.
    ///
    /// # Errors
    ///
    /// [`IoError`] for files that cannot be read, [`ModuleError::OtherWeights`], and as [`Trained::new`].
    pub fn read(folder: impl AsRef<Path>) -> Result<Self> {
        let (path, weights) = (
            folder.as_ref().join("module.json"),
            folder.as_ref().join("module.safetensors"),
        );
        let description = Description::from_json(&read_text(&path)?)?;
        let found = hash::blake3_file(&weights).map_err(LearnError::from)?;
        if found != description.weights_blake3 {
            return Err(ModuleError::OtherWeights {
                found,
                expected: description.weights_blake3,
            }
            .into());
        }
        let weights = Weights::read(weights).map_err(LearnError::from)?;
        Self::new(description, weights.into_tensors())
    }

    /// The same module with the weights of another epoch, from the file of its checkpoint.
    ///
    /// # Errors
    ///
    /// As [`Trained::new`], and [`IoError`].
    pub fn with_weights_of(self, file: &Path) -> Result<Self> {
        let weights = Weights::read(file).map_err(LearnError::from)?;
        Self::new(self.description, weights.into_tensors())
    }

    /// Writes both files; the description comes last, so a folder with one is complete.
    ///
    /// # Errors
    ///
    /// [`IoError`].
    pub fn write(&mut self, folder: &Path) -> Result<()> {
        let path = folder.join("module.json");
        if path.exists() {
            let removed = std::fs::remove_file(&path).map_err(|source| IoError::Os {
                action: "replace module.json",
                source,
            });
            removed.map_err(LearnError::from)?;
        }
        let weights = folder.join("module.safetensors");
        let written = Weights::new(self.weights.clone()).write(&weights);
        written.map_err(LearnError::from)?;
        self.description.weights_blake3 = hash::blake3_file(&weights).map_err(LearnError::from)?;
        let text = self.description.to_json();
        let written = atomic::write_atomically(path, |file| file.write_all(text.as_bytes()));
        Ok(written.map_err(LearnError::from)?)
    }

    /// The module as a network without numbers.
    #[must_use]
    pub fn wired(&self) -> &Wired {
        &self.wired
    }

    /// Ratings and units of features `(n, n_features)`.
    ///
    /// # Errors
    ///
    /// [`ModuleError::Features`] for another number of features, [`ModuleError::Feature`] and [`ModuleError::NotFinite`] for what is no number.
    pub fn predict(&self, features: ArrayView2<'_, f32>) -> Result<Prediction> {
        let description = &self.description;
        if features.ncols() != description.n_features {
            return Err(ModuleError::Features {
                expected: description.n_features,
                found: features.ncols(),
            }
            .into());
        }
        let wrong = features.indexed_iter().find(|(_, v)| !v.is_finite());
        if let Some(((row, column), &value)) = wrong {
            return Err(ModuleError::Feature { row, column, value }.into());
        }
        let pieces: Vec<ArrayView2<'_, f32>> = features.axis_chunks_iter(Axis(0), PIECE).collect();
        let found: Vec<(Array2<f32>, Array2<f64>)> = pieces
            .into_par_iter()
            .map(|piece| {
                let scaled = description.scaling.features(piece);
                let (units, outputs) = self.wired.read(&self.weights, scaled.view());
                (units, description.scaling.ratings(outputs.view()))
            })
            .collect();
        let mut ratings = Array2::zeros((0, description.ratings.len()));
        let mut units = Array2::zeros((0, self.wired.n_units()));
        if !found.is_empty() {
            let of: Vec<_> = found.iter().map(|(units, _)| units.view()).collect();
            units = concatenate(Axis(0), &of).expect("all have the units of one module");
            let of: Vec<_> = found.iter().map(|(_, ratings)| ratings.view()).collect();
            ratings = concatenate(Axis(0), &of).expect("all have the ratings of one module");
        }
        let wrong = ratings.indexed_iter().find(|(_, value)| !value.is_finite());
        if let Some(((row, _), &value)) = wrong {
            return Err(ModuleError::NotFinite { row, value }.into());
        }
        Ok(Prediction { ratings, units })
    }
}

/// A text file, if it is not longer than any description is.
fn read_text(path: &Path) -> Result<String> {
    let unreadable = |source| {
        LearnError::from(
            IoError::Os {
                action: "read the module's description",
                source,
            }
            .at(path),
        )
    };
    let file = std::fs::File::open(path).map_err(unreadable)?;
    let mut text = String::new();
    let n = file.take(MAX_BYTES).read_to_string(&mut text);
    n.map_err(unreadable)?;
    Ok(text)
}

/// Refuses weights that are not those of the module.
fn check(
    description: &Description,
    wired: &Wired,
    weights: &BTreeMap<String, ArrayD<f32>>,
) -> Result<()> {
    let width = description.structure.adapter;
    let features = Features::Vector {
        width: width.unwrap_or(description.n_features),
    };
    let nuclei = &description.structure.nuclei;
    let module = nuclei.build(features, description.ratings.len());
    let mut module = module.map_err(VisualEmotionError::from)?;
    // With the linear map before the nuclei.
    module.parameters.clone_from(&wired.parameters);
    let state = weights.iter().map(|(key, array)| {
        let values: Vec<f32> = array.iter().copied().collect();
        let tensor = Tensor::from_vec(array.shape().to_vec(), values);
        (key.clone(), tensor.expect("arrays fill their shape"))
    });
    module.with_weights(state.collect())?;
    Ok(())
}
