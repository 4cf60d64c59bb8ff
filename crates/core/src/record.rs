//! The saved outcome of a study: everything the report shows, and nothing that changes between
//! two runs of the same plan (no clock, no host, no thread count).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{AppraisalRecord, Ceiling, EmotionRecord, Estimate, ObjectsRecord, Provenance};

/// A finished study.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Record {
    /// Version of this layout; see [`Record::SCHEMA`].
    pub schema: u32,
    /// What was asked.
    pub study: StudyInfo,
    /// The answer in one sentence.
    pub answer: String,
    /// Stimuli in the order of every RDM.
    pub stimuli: Vec<StimulusRecord>,
    /// One entry for each `[[analysis]]` of the study.
    pub analyses: Vec<AnalysisRecord>,
    /// The study's own expectations and whether they were met.
    pub expectations: Vec<Expectation>,
    /// What the reader must know before believing the numbers.
    pub warnings: Vec<Warning>,
    /// How the record came about.
    pub provenance: Provenance,
}

impl Record {
    /// The layout version that this release writes.
    pub const SCHEMA: u32 = 1;
}

/// Title and source of a study.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StudyInfo {
    /// Title from the study file.
    pub title: String,
    /// Free text from the study file.
    pub description: Option<String>,
    /// The study file as it was read.
    pub source: String,
    /// What replaced values of the file, each as `KEY=VALUE`, in order.
    #[serde(default)]
    pub overrides: Vec<String>,
}

/// One stimulus as the report shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StimulusRecord {
    /// Identifier.
    pub id: String,
    /// Category, if the study declares one.
    pub category: Option<String>,
    /// What was averaged, when it is a film.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clip: Option<ClipRecord>,
    /// Small PNG as a `data:` address; `None` when thumbnails are off.
    pub thumbnail: Option<String>,
}

/// The frames of a film over which its activations were averaged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ClipRecord {
    /// How many.
    pub n_frames: usize,
    /// Which, e.g. `"2 frames a second from 0 s to 5 s"`.
    pub frames: String,
}

/// Something that went less than well, told once and kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Warning {
    /// What it concerns, e.g. `"human IT"` or `"squeezenet1_1 features.0"`.
    pub about: String,
    /// What was found and what it means for the reader.
    pub message: String,
}

/// A claim of the study file about its own outcome (a planted or published answer).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Expectation {
    /// Target it speaks of.
    pub target: String,
    /// Layer that should agree best, as `model layer`.
    pub expected: String,
    /// Layer that did.
    pub found: String,
    /// Whether they are the same.
    pub met: bool,
}

/// The outcome of one analysis, by kind.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum AnalysisRecord {
    /// Representational similarity analysis.
    Rsa(Box<RsaRecord>),
    /// Networks as raters.
    Appraisal(Box<AppraisalRecord>),
    /// Object2Brain.
    Objects(Box<ObjectsRecord>),
    /// Valence and arousal read out of frozen networks.
    VisualEmotion(Box<EmotionRecord>),
}

impl AnalysisRecord {
    /// How many notes limit its numbers.
    #[must_use]
    pub fn n_notes(&self) -> usize {
        match self {
            Self::Rsa(rsa) => rsa.targets.iter().map(|target| target.notes.len()).sum(),
            Self::Appraisal(appraisal) => {
                let of_targets: usize = appraisal.targets.iter().map(|t| t.notes.len()).sum();
                appraisal.notes.len() + of_targets
            }
            Self::Objects(objects) => objects.notes.len(),
            Self::VisualEmotion(emotion) => emotion.notes.len(),
        }
    }
}

/// Outcome of a representational similarity analysis.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RsaRecord {
    /// Options as used.
    pub settings: RsaSettings,
    /// Model RDMs that were compared, in network order: models in study order, layers from input
    /// to output.
    pub predictors: Vec<Predictor>,
    /// One entry for each brain or behaviour target.
    pub targets: Vec<RsaTarget>,
    /// RDMs to show: one for each target (mean over subjects) and for its best predictor.
    pub rdms: Vec<DisplayRdm>,
    /// Two-dimensional arrangements of the stimuli, for the same RDMs.
    pub maps: Vec<MdsMap>,
}

/// Options of a representational similarity analysis as they were used, spelled as in the study file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RsaSettings {
    /// Dissimilarity of activation patterns, e.g. `"correlation"`.
    pub dissimilarity: String,
    /// Similarity of RDMs, e.g. `"spearman"`.
    pub similarity: String,
    /// What the bootstrap resampled: `"none"`, `"subjects"`, `"conditions"`, `"both"`.
    pub bootstrap: String,
    /// Bootstrap resamples.
    pub resamples: usize,
    /// Condition-label permutations; 0 for none.
    pub permutations: usize,
    /// Correction of the p-values over all predictors of a target: `"none"`, `"fdr"`, `"fwe"`.
    pub correction: String,
    /// Level at which the report calls something significant.
    pub alpha: f64,
}

/// One model RDM.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Predictor {
    /// Model name in the study.
    pub model: String,
    /// Layer name.
    pub layer: String,
    /// Number of features the RDM was computed from.
    pub n_features: usize,
}

/// What was measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum TargetKind {
    /// A brain region.
    Brain,
    /// A behavioural measure.
    Behaviour,
}

/// All predictors against one target.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RsaTarget {
    /// Name in the study.
    pub name: String,
    /// Brain or behaviour.
    pub kind: TargetKind,
    /// Number of subject RDMs.
    pub n_subjects: usize,
    /// Number of conditions.
    pub n_conditions: usize,
    /// Noise ceiling; `None` with a note when it is undefined.
    pub ceiling: Option<Ceiling>,
    /// One score for each predictor, in the order of [`RsaRecord::predictors`].
    pub scores: Vec<RsaScore>,
    /// Two-sided p of each difference between two predictors after the correction, row-major
    /// `n_predictors × n_predictors`, `None` on the diagonal and where no test was possible.
    pub p_difference: Vec<Vec<Option<f64>>>,
    /// Index of the predictor with the highest score.
    pub best: Option<usize>,
    /// What was left out, what could not be computed, and why.
    pub notes: Vec<String>,
}

/// Agreement of one predictor with one target.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RsaScore {
    /// Mean over subjects with its uncertainty; `None` when undefined (the notes say why).
    pub estimate: Option<Estimate>,
    /// Score of each subject; `None` where undefined.
    pub per_subject: Vec<Option<f64>>,
}

/// An RDM for display.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DisplayRdm {
    /// Title, e.g. `"human IT (mean of 4 subjects)"` or `"squeezenet1_1 features.12"`.
    pub title: String,
    /// Number of rows and columns (less than the number of stimuli only when averaged down).
    pub n: usize,
    /// Upper triangle, row-major, as percentile ranks 0…1.
    pub ranks: Vec<f32>,
}

/// A two-dimensional arrangement of the stimuli.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MdsMap {
    /// Title of the RDM it shows.
    pub title: String,
    /// One point for each stimulus, coordinates within −1…1.
    pub points: Vec<[f32; 2]>,
    /// Share of the RDM's variance that the map keeps (squared correlation of distances), 0…1.
    pub fit: f64,
}
