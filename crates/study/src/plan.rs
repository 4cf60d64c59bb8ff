//! What will be done, with nothing left open.

use std::borrow::Cow;

use consilience_core::{InputFile, TargetKind};
use consilience_experiments::object2brain::LesionedNetwork;
use consilience_io::video::Selection;
use consilience_methods::rdm::Dissimilarity;
use consilience_methods::rsa::{Bootstrap, Correction, Similarity};
use consilience_models::{Edit, Layer, Pool, Preprocessing, Tokens};
use serde::{Serialize, Serializer};

use crate::reduce::Reduction;

mod appraisal;
mod emotion;

pub use emotion::{
    PlannedControl, PlannedEmotion, PlannedLearnt, PlannedModule, PlannedRegion, PlannedSecond,
    PlannedSet, PlannedUnits,
};

pub use appraisal::{
    PlannedAppraisal, PlannedBoxes, PlannedElsewhere, PlannedInner, PlannedObjects, PlannedRating,
    PlannedTraining,
};

/// A resolved study: every file found and hashed, every layer named, every default filled in.
///
/// Its [`hash`](Plan::hash) names the run: the same hash means the same record. What only changes
/// how the outcome is shown is left out of it.
#[derive(Debug, Clone, Serialize)]
pub struct Plan {
    /// Title of the study.
    #[serde(skip)]
    pub title: String,
    /// Its description.
    #[serde(skip)]
    pub description: Option<String>,
    /// Longer side of the report's thumbnails, 0 for none.
    #[serde(skip)]
    pub thumbnails: u32,
    /// Whether the picture of each stimulus is shown as a few blocks.
    #[serde(skip)]
    pub blurred: Vec<bool>,
    /// Seed of every random draw.
    pub seed: u64,
    /// Stimuli in the order of every RDM.
    pub stimuli: Vec<PlannedStimulus>,
    /// Networks and their layers.
    pub models: Vec<PlannedModel>,
    /// Brain and behaviour RDMs.
    pub targets: Vec<PlannedTarget>,
    /// Numbers for each stimulus that ratings are compared with.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ratings: Vec<PlannedRating>,
    /// Analyses in study order.
    pub analyses: Vec<PlannedAnalysis>,
    /// Claims to check.
    pub expectations: Vec<PlannedExpectation>,
    /// Every file that is read.
    #[serde(skip)]
    pub inputs: Vec<InputFile>,
}

/// One picture or film.
#[derive(Debug, Clone, Serialize)]
pub struct PlannedStimulus {
    /// Identifier.
    pub id: String,
    /// Category.
    pub category: Option<String>,
    /// Condition.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub condition: Option<String>,
    /// Hash of the file.
    pub blake3: String,
    /// What is averaged of a film; `None` for a picture.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clip: Option<PlannedClip>,
}

impl PlannedStimulus {
    /// What its activations depend on, besides the network.
    pub(crate) fn key(&self) -> Cow<'_, str> {
        match &self.clip {
            None => Cow::Borrowed(&self.blake3),
            Some(clip) => Cow::Owned(clip.key(&self.blake3)),
        }
    }
}

/// The frames of a film over which activations are averaged.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PlannedClip {
    /// Which.
    pub selection: Selection,
    /// How many.
    pub n_frames: usize,
    /// How many the film has.
    pub of: usize,
}

impl PlannedClip {
    /// What the mean over the clip depends on, besides the network.
    pub(crate) fn key(&self, blake3: &str) -> String {
        format!(
            "{blake3}, mean of {} frames: {}",
            self.n_frames, self.selection
        )
    }
}

/// One network.
#[derive(Debug, Clone, Serialize)]
pub struct PlannedModel {
    /// Name in the study.
    pub name: String,
    /// Architecture, or `"onnx"`.
    pub architecture: String,
    /// Hash of the weights or ONNX file; `HASH:ENTRY` for one of several state dicts in it.
    pub weights_blake3: String,
    /// What is done to an image.
    pub preprocessing: Preprocessing,
    /// What is done to feature maps.
    #[serde(serialize_with = "as_text")]
    pub pool: Pool,
    /// How features are reduced.
    #[serde(serialize_with = "as_text")]
    pub reduce: Reduction,
    /// Hashes of the pictures that principal components are fitted on; for films also the frames.
    pub reduce_fit: Vec<String>,
    /// Executor and its version.
    pub executor: String,
    /// Changes of the network, in their order.
    pub edits: Vec<PlannedEdit>,
    /// Layers from input to output; a tensor with several names is listed once.
    pub layers: Vec<PlannedLayer>,
    /// A rough guess of the products that a picture takes, for the time of the run.
    #[serde(skip)]
    pub n_products: f64,
}

impl PlannedModel {
    /// The layers as an extractor takes them.
    pub(crate) fn taps(&self) -> Vec<Layer> {
        let layers = self.layers.iter();
        layers
            .map(|layer| Layer {
                name: layer.name.clone(),
                tensor: layer.tensor.clone(),
            })
            .collect()
    }
}

/// One change of a network.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PlannedEdit {
    /// What is done, with files as the study names them.
    pub edit: Edit,
    /// Hash of the file that it reads, if it reads one.
    pub file_blake3: Option<String>,
}

/// One layer.
#[derive(Debug, Clone, Serialize)]
pub struct PlannedLayer {
    /// Name.
    pub name: String,
    /// The tensor of the graph.
    pub tensor: String,
    /// Other selected names of the same tensor.
    pub aliases: Vec<String>,
    /// Features after pooling and reduction.
    pub n_features: usize,
    /// Where its tokens lie before pooling and reduction.
    #[serde(skip)]
    pub tokens: Tokens,
}

/// One brain or behaviour target.
#[derive(Debug, Clone, Serialize)]
pub struct PlannedTarget {
    /// Name in the study.
    pub name: String,
    /// Brain or behaviour.
    pub kind: TargetKind,
    /// Number of subject RDMs.
    pub n_subjects: usize,
    /// Hash of the subject RDMs as they are used.
    pub blake3: String,
}

/// One analysis, by its kind.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum PlannedAnalysis {
    /// Representational similarity analysis.
    Rsa(PlannedRsa),
    /// Networks as raters.
    Appraisal(PlannedAppraisal),
    /// Object2Brain.
    Objects(PlannedObjects),
    /// Modules that read valence and arousal.
    #[serde(rename = "visual-emotion")]
    Emotion(Box<PlannedEmotion>),
}

/// One representational similarity analysis.
#[derive(Debug, Clone, Serialize)]
pub struct PlannedRsa {
    /// Dissimilarity of activation patterns.
    #[serde(serialize_with = "as_text")]
    pub dissimilarity: Dissimilarity,
    /// Similarity of RDMs.
    #[serde(serialize_with = "as_text")]
    pub similarity: Similarity,
    /// What is resampled.
    #[serde(serialize_with = "as_text")]
    pub bootstrap: Bootstrap,
    /// Bootstrap resamples.
    pub resamples: usize,
    /// Condition-label permutations.
    pub permutations: usize,
    /// Correction over the layers of a target.
    #[serde(serialize_with = "as_text")]
    pub correction: Correction,
    /// Level of significance.
    pub alpha: f64,
    /// Positions in [`Plan::models`].
    pub models: Vec<usize>,
    /// Positions in [`Plan::targets`].
    pub targets: Vec<usize>,
}

/// One claim: this layer agrees best with this target.
#[derive(Debug, Clone, Serialize)]
pub struct PlannedExpectation {
    /// Position in [`Plan::targets`].
    pub target: usize,
    /// Position in [`Plan::models`].
    pub model: usize,
    /// Position in the model's layers.
    pub layer: usize,
}

impl Plan {
    /// Hash of everything that the numbers depend on, hexadecimal.
    #[must_use]
    pub fn hash(&self) -> String {
        let bytes = serde_json::to_vec(self).expect("a plan is plain data");
        blake3::hash(&bytes).to_hex().to_string()
    }

    /// Bytes of activations that the cache will hold when nothing is there yet.
    #[must_use]
    pub fn activation_bytes(&self) -> u64 {
        let features: u64 = self
            .models
            .iter()
            .flat_map(|m| &m.layers)
            .map(|l| l.n_features as u64)
            .sum();
        let n_stimuli = self.stimuli.len();
        let views = self.analyses.iter().map(|analysis| match analysis {
            PlannedAnalysis::Emotion(emotion) => emotion.view_bytes(n_stimuli, &self.models),
            _ => 0,
        });
        features * n_stimuli as u64 * 4 + views.sum::<u64>()
    }

    /// Bytes of memory that the largest step needs beside the program itself: one layer of all
    /// images, read and centred, or with all positions where lesions go through the rest of a network.
    #[must_use]
    pub fn peak_bytes(&self) -> u64 {
        let largest = self
            .models
            .iter()
            .flat_map(|m| &m.layers)
            .map(|l| l.n_features as u64)
            .max();
        let inner = self.analyses.iter().map(|analysis| match analysis {
            PlannedAnalysis::Objects(objects) => objects.inner_bytes(self.stimuli.len()),
            PlannedAnalysis::Emotion(emotion) => emotion.bytes(self.stimuli.len(), &self.models),
            PlannedAnalysis::Rsa(_) | PlannedAnalysis::Appraisal(_) => 0,
        });
        let features = largest.unwrap_or(0) * self.stimuli.len() as u64 * 4;
        features.max(inner.max().unwrap_or(0)) + (300 << 20)
    }
}

impl Plan {
    /// Pictures and frames that each network sees.
    #[must_use]
    pub fn n_frames(&self) -> usize {
        let n_frames = |s: &PlannedStimulus| s.clip.as_ref().map_or(1, |clip| clip.n_frames);
        self.stimuli.iter().map(n_frames).sum()
    }

    /// A rough guess of the run's duration on two cores with an empty cache, in seconds.
    ///
    /// From single measurements on one machine: 250 MB of activations before any mean over clips, 40 billion products of the
    /// RDMs and 500 million resampled pairs a second.
    #[must_use]
    pub fn estimated_seconds(&self) -> f64 {
        let n = self.stimuli.len() as f64;
        let n_features: f64 = self
            .models
            .iter()
            .flat_map(|m| &m.layers)
            .map(|l| l.n_features as f64)
            .sum();
        let extraction = n_features * self.n_frames() as f64 * 4.0 / 250e6;
        let n_layers = |models: &[usize]| -> f64 {
            let n = models.iter().map(|&m| self.models[m].layers.len());
            n.sum::<usize>() as f64
        };
        let of_analyses: f64 = self
            .analyses
            .iter()
            .map(|analysis| match analysis {
                PlannedAnalysis::Rsa(rsa) => {
                    let draws = 3.0 * rsa.resamples as f64 * n_layers(&rsa.models)
                        + rsa.permutations as f64;
                    let pairs = n * n / 2.0 * rsa.targets.len() as f64;
                    n * n * n_features / 40e9 + draws * pairs / 500e6
                }
                PlannedAnalysis::Appraisal(appraisal) => {
                    n_layers(&appraisal.models) * appraisal.estimated_seconds(n)
                }
                PlannedAnalysis::Emotion(emotion) => emotion.estimated_seconds(n, &self.models),
                PlannedAnalysis::Objects(objects) => {
                    let n_runs = match &self.analyses[objects.appraisal] {
                        PlannedAnalysis::Appraisal(heads) => heads.heads.runs as f64,
                        _ => 0.0,
                    };
                    let n_cut = match objects.network {
                        LesionedNetwork::Cut => n_layers(&objects.models),
                        LesionedNetwork::Whole => objects.models.len() as f64,
                    };
                    objects.estimated_seconds(n, n_cut, n_runs)
                }
            })
            .sum();
        extraction + of_analyses
    }
}

fn as_text<T: std::fmt::Display, S: Serializer>(
    value: &T,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}
