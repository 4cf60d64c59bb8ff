//! What will be done with ratings.

use consilience_core::TargetKind;
use consilience_experiments::appraise::HeadParams;
use consilience_experiments::object2brain::{LesionedNetwork, Object2BrainParams};
use consilience_methods::appraisal::BrainRatingsParams;
use consilience_methods::behaviour::CorrelationKind;
use consilience_methods::rsa::Correction;
use serde::{Serialize, Serializer};

use super::as_text;

/// Numbers for the stimuli: ratings, or what is read from responses.
#[derive(Debug, Clone, Serialize)]
pub struct PlannedRating {
    /// Name in the study.
    pub name: String,
    /// Brain or behaviour.
    pub kind: TargetKind,
    /// Raters or subjects; `None` for means alone.
    pub n_subjects: Option<usize>,
    /// Whether they are simulated.
    pub is_simulated: bool,
    /// Ends of the scale.
    pub scale: Option<[f64; 2]>,
    /// Hash of the numbers as they are used.
    pub blake3: String,
    /// For responses: which rating is read from them, as a position in [`Plan::ratings`](super::Plan::ratings), and how.
    #[serde(serialize_with = "as_debug")]
    pub reads: Option<(usize, BrainRatingsParams)>,
}

/// Other pictures that heads learn from.
#[derive(Debug, Clone, Serialize)]
pub struct PlannedTraining {
    /// The file pattern.
    pub images: String,
    /// The pictures.
    pub pictures: Vec<super::PlannedStimulus>,
    /// Their ratings.
    pub ratings: Vec<f64>,
}

/// One appraisal.
#[derive(Debug, Clone, Serialize)]
pub struct PlannedAppraisal {
    /// What heads learn, as a position in [`Plan::ratings`](super::Plan::ratings).
    pub learn: usize,
    /// Other pictures to learn from.
    pub training: Option<PlannedTraining>,
    /// How heads learn.
    #[serde(serialize_with = "as_debug")]
    pub heads: HeadParams,
    /// Which correlation.
    #[serde(serialize_with = "as_text")]
    pub correlation: CorrelationKind,
    /// Permutations of the stimuli.
    pub permutations: usize,
    /// Correction over all correlations.
    #[serde(serialize_with = "as_text")]
    pub correction: Correction,
    /// Level of significance.
    pub alpha: f64,
    /// Positions in [`Plan::models`](super::Plan::models).
    pub models: Vec<usize>,
    /// Positions in [`Plan::ratings`](super::Plan::ratings).
    pub targets: Vec<usize>,
}

impl PlannedAppraisal {
    /// A rough guess for one layer, from single measurements on one machine.
    pub(super) fn estimated_seconds(&self, n_stimuli: f64) -> f64 {
        let heads = self.heads.runs as f64 * 5.0;
        let of_permutations = self.permutations as f64 * n_stimuli * self.targets.len() as f64;
        heads * n_stimuli * 2e-5 + of_permutations / 200e6
    }
}

/// Where boxes come from.
#[derive(Debug, Clone, Serialize)]
pub struct PlannedBoxes {
    /// A file, or a detector with the file of its weights, as the study names them.
    pub source: String,
    /// Hash of the file, or of the weights.
    pub blake3: String,
}

/// Other pictures on which the sensitivity of filters is measured.
#[derive(Debug, Clone, Serialize)]
pub struct PlannedElsewhere {
    /// The file pattern.
    pub images: String,
    /// The pictures.
    pub pictures: Vec<super::PlannedStimulus>,
    /// Boxes in them.
    pub boxes: PlannedBoxes,
}

/// A layer inside a whole network whose filters will be switched off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedInner {
    /// Position in [`Plan::models`](super::Plan::models).
    pub model: usize,
    /// Position in the model's layers.
    pub layer: usize,
    /// Filters, height and width.
    pub shape: [usize; 3],
    /// Values of all layers of the network that come after it, for one picture.
    pub n_after: usize,
    /// Values of all layers of the network, for one picture.
    pub n_all: usize,
}

/// One Object2Brain analysis.
#[derive(Debug, Clone, Serialize)]
pub struct PlannedObjects {
    /// The appraisal whose heads are used, as a position in [`Plan::analyses`](super::Plan::analyses).
    pub appraisal: usize,
    /// Boxes.
    pub boxes: PlannedBoxes,
    /// Classes that boxes may have.
    pub classes: Vec<String>,
    /// Categories and their classes.
    pub categories: Vec<(String, Vec<usize>)>,
    /// Where sensitivity is measured, unless on the stimuli.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub elsewhere: Option<PlannedElsewhere>,
    /// Which network filters are switched off in.
    #[serde(serialize_with = "as_text")]
    pub network: LesionedNetwork,
    /// Layers inside whole networks; the last layer of a model is the end of the cut network too.
    #[serde(skip)]
    pub inner: Vec<PlannedInner>,
    /// Layers that are left out, and why.
    #[serde(skip)]
    pub left_out: Vec<String>,
    /// How filters are found and switched off.
    #[serde(serialize_with = "as_debug")]
    pub params: Object2BrainParams,
    /// Correction over all effects.
    #[serde(serialize_with = "as_text")]
    pub correction: Correction,
    /// Level of significance.
    pub alpha: f64,
    /// Stimuli that the report shows with map and boxes.
    pub overlays: usize,
    /// Positions in [`Plan::models`](super::Plan::models).
    pub models: Vec<usize>,
    /// Positions in [`Plan::ratings`](super::Plan::ratings).
    pub targets: Vec<usize>,
}

impl PlannedObjects {
    /// A rough guess for all layers, of which `n_layers` are ends of cut networks, from single measurements on one machine.
    pub(super) fn estimated_seconds(&self, n_stimuli: f64, n_layers: f64, n_runs: f64) -> f64 {
        let n_elsewhere = self.elsewhere.as_ref().map_or(0, |e| e.pictures.len()) as f64;
        let lesions = (self.params.random_sets * self.categories.len()) as f64;
        let of_layer = (n_stimuli + n_elsewhere) * 0.005
            + lesions * n_stimuli * self.targets.len() as f64 * 1e-7;
        let n_lesions = 1.0 + self.categories.len() as f64 + lesions;
        let passes = n_lesions * n_runs * n_stimuli;
        let of_inner = |inner: &PlannedInner| passes * inner.n_after as f64 / PASSED;
        let mut models: Vec<usize> = self.inner.iter().map(|inner| inner.model).collect();
        models.dedup();
        let gradients = |model: &usize| {
            let inner = self.inner.iter().find(|inner| inner.model == *model);
            let n_all = inner.map_or(0, |inner| inner.n_all) as f64;
            n_runs * (n_stimuli + n_elsewhere) * n_all / DERIVED
        };
        n_layers * of_layer
            + self.inner.iter().map(of_inner).sum::<f64>()
            + models.iter().map(gradients).sum::<f64>()
    }

    /// Bytes that the largest layer inside a whole network needs: its activations for all stimuli.
    pub(super) fn inner_bytes(&self, n_stimuli: usize) -> u64 {
        let values = self
            .inner
            .iter()
            .map(|inner| inner.shape.iter().product::<usize>());
        values.max().unwrap_or(0) as u64 * n_stimuli as u64 * 4
    }
}

/// Values of layers that a pass makes in a second.
const PASSED: f64 = 1e9;

/// Values of layers that a pass forwards and backwards makes in a second.
const DERIVED: f64 = 1e8;

/// Parameters as Rust prints them: complete, and the same for the same values.
pub(super) fn as_debug<T: std::fmt::Debug, S: Serializer>(
    value: &T,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&format_args!("{value:?}"))
}
