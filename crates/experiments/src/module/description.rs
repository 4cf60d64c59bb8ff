//! All that a module needs to be used, apart from its weights.

use consilience_learn::train::Epoch;
use consilience_models::Preprocessing;
use consilience_models::nuclei::NucleiError;
use serde::{Deserialize, Serialize};

use super::ModuleError;
use crate::error::Result;
use crate::visual_emotion::{Scaling, Structure, VisualEmotionError, Wired};

/// What a module can rate, in the order in which it is told and trained.
pub const RATINGS: [&str; 2] = ["valence", "arousal"];

/// Layout of `module.json`.
pub(super) const FORMAT: u32 = 1;

/// `module.json`: all that prediction needs, apart from the weights.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Description {
    /// Layout of the file, 1.
    pub format: u32,
    /// Nuclei, and the linear map before them if there is one.
    pub structure: Structure,
    /// Width of the features.
    pub n_features: usize,
    /// What the outputs rate, in their order: of [`RATINGS`], each at most once.
    pub ratings: Vec<String>,
    /// Ends of the scale that predictions are on.
    pub scale: [f64; 2],
    /// Means and deviations that features and ratings are scaled with.
    pub scaling: Scaling,
    /// The network that the features are of, when it is known.
    pub encoder: Option<Encoder>,
    /// How the module was trained, when it was trained here.
    pub learnt: Option<Learnt>,
    /// BLAKE3 of `module.safetensors`.
    pub weights_blake3: String,
}

/// The frozen network that a module reads.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Encoder {
    /// Architecture, or `onnx`.
    pub model: String,
    /// File of its weights, or the `.onnx` file.
    pub weights: String,
    /// What tells these from others.
    pub weights_blake3: String,
    /// Layer.
    pub layer: String,
    /// What was done with maps and tokens.
    pub pool: String,
    /// What was done to pictures first.
    pub preprocessing: Preprocessing,
}

/// How a module was trained.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Learnt {
    /// Published training that it follows.
    pub preset: String,
    /// What is different from it, in words.
    pub changes: Vec<String>,
    /// Seed of weights, order, dropout and division.
    pub seed: u64,
    /// Pictures learnt from.
    pub n_training: usize,
    /// Rows of the features that were not learnt from but chose the epoch.
    pub held_out_rows: Vec<usize>,
    /// BLAKE3 of the file of features, or of the pictures.
    pub features_blake3: String,
    /// BLAKE3 of the file of ratings.
    pub ratings_blake3: String,
    /// Folder of the weights of all epochs, from that of the module.
    pub checkpoints: String,
    /// The epoch whose weights are used.
    pub epoch: usize,
    /// Losses from epoch 0.
    pub history: Vec<Epoch>,
}

impl Description {
    /// Reads `module.json`.
    ///
    /// # Errors
    ///
    /// [`ModuleError::Description`] for text that describes no module, [`ModuleError::Format`].
    pub fn from_json(text: &str) -> Result<Self> {
        let wrong = |reason: String| ModuleError::Description { reason };
        let json: serde_json::Value =
            serde_json::from_str(text).map_err(|error| wrong(error.to_string()))?;
        let format = json.get("format").and_then(serde_json::Value::as_u64);
        let format = format.ok_or_else(|| wrong("it names no format".to_owned()))?;
        let found = u32::try_from(format).unwrap_or(u32::MAX);
        if found != FORMAT {
            return Err(ModuleError::Format {
                found,
                expected: FORMAT,
            }
            .into());
        }
        let found: Self = serde_json::from_value(json).map_err(|error| wrong(error.to_string()))?;
        found.wired()?;
        Ok(found)
    }

    /// As the text of `module.json`.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("numbers and names are JSON") + "\n"
    }

    /// The module as a network.
    ///
    /// # Errors
    ///
    /// [`ModuleError::Description`] for ratings, a scale or a scaling that cannot be, and
    /// [`NucleiError`](consilience_models::nuclei::NucleiError) for such nuclei.
    pub fn wired(&self) -> Result<Wired> {
        let wrong = |reason: &str| {
            Err(ModuleError::Description {
                reason: reason.to_owned(),
            }
            .into())
        };
        let is_known = |rating: &String| RATINGS.contains(&rating.as_str());
        let repeats = self.ratings.len() == 2 && self.ratings[0] == self.ratings[1];
        if !(1..=2).contains(&self.ratings.len()) || !self.ratings.iter().all(is_known) || repeats {
            return wrong("its ratings are not valence, arousal or both");
        }
        let [low, high] = self.scale;
        if !(low < high && low.is_finite() && high.is_finite()) {
            return wrong("its scale is not two numbers, the lower one first");
        }
        if !self.scaling.fits(self.n_features, self.ratings.len()) {
            return wrong(
                "its means and deviations are not one number for each feature and rating",
            );
        }
        if self.structure.tokens.is_some() {
            return wrong("its nuclei read several tokens, which is for studies (`tokens = true`)");
        }
        if self.structure.adapter == Some(0) || self.n_features == 0 {
            return Err(VisualEmotionError::from(NucleiError::NoFeatures).into());
        }
        self.structure.wired(self.n_features, self.ratings.len())
    }

    /// Position of the output that rates `rating`.
    #[must_use]
    pub fn output(&self, rating: &str) -> Option<usize> {
        self.ratings.iter().position(|name| name == rating)
    }
}
