//! The tables of a study file.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{AppraisalOptions, EmotionOptions, ObjectsOptions, PreprocessingChoice, TargetOptions};

/// A whole study file.
#[derive(Debug, Clone, PartialEq)]
pub struct Study {
    /// `[study]`
    pub study: StudyOptions,
    /// `[stimuli]`
    pub stimuli: StimuliOptions,
    /// `[[model]]`
    pub models: Vec<ModelOptions>,
    /// `[[brain]]`
    pub brains: Vec<TargetOptions>,
    /// `[[behaviour]]`
    pub behaviours: Vec<TargetOptions>,
    /// `[[analysis]]`
    pub analyses: Vec<Analysis>,
    /// `[[expect]]`
    pub expectations: Vec<ExpectOptions>,
    /// `[report]`
    pub report: ReportOptions,
}

/// `[study]`: what the study is called and the seed of its random draws.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct StudyOptions {
    /// Title, shown on the report.
    pub title: String,
    /// A paragraph for the report.
    #[serde(default)]
    pub description: Option<String>,
    /// Seed of every bootstrap and permutation. The same seed gives the same bytes.
    #[serde(default = "default_seed")]
    pub seed: u64,
}

fn default_seed() -> u64 {
    1
}

/// `[stimuli]`: the pictures or films, in the order of every RDM.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct StimuliOptions {
    /// Pictures or films as a file pattern (`"stimuli/*.png"`), taken in natural order (`stim2` before
    /// `stim10`), unless `table` gives an order. PNG, JPEG and BMP are read, and the films of
    /// `consilience explain films`; a film is one stimulus, its activations the mean over its frames.
    pub images: String,
    /// Frames of a film that are averaged, so many a second. Default: every frame.
    #[serde(default)]
    pub frames_per_second: Option<f64>,
    /// The part of each film that is taken, in seconds: `"START-END"`, or `"START-"` to the end.
    /// Default: the whole film.
    #[serde(default)]
    pub span: Option<String>,
    /// Table (CSV or TSV) with a row for each picture; its row order becomes the order of the RDMs.
    #[serde(default)]
    pub table: Option<String>,
    /// Column of `table` that names the picture's file, with or without its ending.
    #[serde(default = "default_file_column")]
    pub file_column: String,
    /// Lets `table` have rows of other pictures too, which are left out.
    #[serde(default)]
    pub subset_of_table: bool,
    /// Column of `table` with the category, for the order and the colours of the figures.
    #[serde(default)]
    pub category_column: Option<String>,
    /// Column of `table` with the condition (congruent, incongruent …): what correlates ratings does so over
    /// all stimuli and over those of each condition.
    #[serde(default)]
    pub condition_column: Option<String>,
}

fn default_file_column() -> String {
    "file".to_owned()
}

/// `[[model]]`: a network and the layers to take.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ModelOptions {
    /// Name in the report; also the architecture when `architecture` and `onnx` are absent.
    pub name: String,
    /// Architecture from `consilience models list`.
    #[serde(default)]
    pub architecture: Option<String>,
    /// Weights of the architecture: a `.safetensors` or PyTorch `.pth` file with torchvision's keys; one
    /// of several state dicts as `FILE.pth:ENTRY`.
    #[serde(default)]
    pub weights: Option<String>,
    /// An `.onnx` file instead of `architecture` and `weights`.
    #[serde(default)]
    pub onnx: Option<String>,
    /// Layers, as names or patterns in which `*` stands for anything.
    #[serde(default = "default_layers")]
    pub layers: Vec<String>,
    /// What is done to a picture first, where it is not what the weights are used with: a name
    /// (`"imagenet"`, `"clip"`, `"resnet50.IMAGENET1K_V2"`, an architecture) or a table, see below.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub preprocessing: Option<PreprocessingChoice>,
    /// What is done with feature maps: `"none"` keeps every unit, `"mean"` and `"max"` pool over
    /// positions, `"cls"` keeps the class token of a transformer.
    #[serde(default)]
    pub pool: Pool,
    /// Fewer features a layer: `"none"`; `"sparse=500"` (random projection to 500 features),
    /// `"sparse=0.2"` (to as many as keep squared distances within 20 %), `"sparse"` (within 10 %);
    /// `"pca=50"` (principal components, fitted on `reduce-fit`). The study's seed draws projections.
    #[serde(default = "default_reduce")]
    pub reduce: String,
    /// Pictures or films that principal components are fitted on, as a file pattern; of films the same
    /// frames are averaged as of the stimuli.
    #[serde(default)]
    pub reduce_fit: Option<String>,
    /// Changes of the network, applied in their order, e.g.
    /// `edits = [{ kind = "lesion", layer = "features.8", channels = "3,5-9" }]`.
    #[serde(default)]
    pub edits: Vec<EditOptions>,
}

/// An entry of `edits`: a change of the network.
#[derive(Debug, Clone, PartialEq, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct EditOptions {
    /// `"cut"` (the network ends at the layer), `"tap"` (the layer is one more output), `"lesion"`,
    /// `"gain"`, or `"replace-head"` (another linear layer).
    pub kind: String,
    /// Name of the layer.
    pub layer: String,
    /// Channels to lesion or to change, counted from 0, ranges with both ends: `"3,5-9"`. Without
    /// channels, units, heads or tokens the whole layer is meant.
    #[serde(default)]
    pub channels: Option<String>,
    /// Units, as the columns of the flattened layer.
    #[serde(default)]
    pub units: Option<String>,
    /// Heads of attention; needs `of`.
    #[serde(default)]
    pub heads: Option<String>,
    /// How many heads there are.
    #[serde(default)]
    pub of: Option<usize>,
    /// Tokens.
    #[serde(default)]
    pub tokens: Option<String>,
    /// What a lesion leaves: `"zero"`, or `"mean"` for each unit's mean over the study's pictures in
    /// the network without edits. Default: `"zero"`.
    #[serde(default)]
    pub with: Option<String>,
    /// File (`.npy`) with the means instead, as many values as the flattened layer has units.
    #[serde(default)]
    pub means: Option<String>,
    /// A gain multiplies by 1 + alpha.
    #[serde(default)]
    pub alpha: Option<f32>,
    /// Weights of a new head: a `.safetensors` or `.pth` file with `weight` and `bias`; one of several
    /// state dicts as `FILE.pth:ENTRY`.
    #[serde(default)]
    pub weights: Option<String>,
    /// Outputs of a new head with random weights.
    #[serde(default)]
    pub outputs: Option<usize>,
    /// Seed of those weights. Default: 0.
    #[serde(default)]
    pub seed: Option<u64>,
}

impl EditOptions {
    /// The options that are given, by their names, `kind` excepted.
    #[must_use]
    pub fn given(&self) -> Vec<(&'static str, String)> {
        let text = |name, value: &Option<String>| Some((name, value.clone()?));
        let number = |name, value: Option<String>| Some((name, value?));
        [
            Some(("layer", self.layer.clone())),
            text("channels", &self.channels),
            text("units", &self.units),
            text("heads", &self.heads),
            number("of", self.of.map(|n| n.to_string())),
            text("tokens", &self.tokens),
            text("with", &self.with),
            text("means", &self.means),
            number("alpha", self.alpha.map(|alpha| alpha.to_string())),
            text("weights", &self.weights),
            number("outputs", self.outputs.map(|n| n.to_string())),
            number("seed", self.seed.map(|seed| seed.to_string())),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

fn default_layers() -> Vec<String> {
    vec!["*".to_owned()]
}

fn default_reduce() -> String {
    "none".to_owned()
}

/// How feature maps become feature vectors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Pool {
    /// Every unit is a feature (channel-major).
    #[default]
    None,
    /// Mean over positions: one feature a channel.
    Mean,
    /// Maximum over positions: one feature a channel.
    Max,
    /// The class token.
    Cls,
}

/// `[[analysis]]`, by its `kind`.
#[derive(Debug, Clone, PartialEq)]
pub enum Analysis {
    /// `kind = "rsa"`
    Rsa(RsaOptions),
    /// `kind = "appraisal"`
    Appraisal(AppraisalOptions),
    /// `kind = "object2brain"`
    Objects(ObjectsOptions),
    /// `kind = "visual-emotion"`
    Emotion(Box<EmotionOptions>),
}

impl Analysis {
    /// The kinds there are, as written in a study file.
    pub const KINDS: [&'static str; 4] = ["rsa", "appraisal", "object2brain", "visual-emotion"];
}

/// `[[analysis]]` with `kind = "rsa"`: representational similarity analysis of every layer with
/// every target.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct RsaOptions {
    /// Dissimilarity of activation patterns: `correlation`, `spearman`, `cosine`, `euclidean`,
    /// `sqeuclidean`.
    pub dissimilarity: String,
    /// Similarity of RDMs: `spearman`, `pearson`, `kendall-tau-a`, `kendall-tau-b`, `rho-a`,
    /// `cosine`, `whitened-pearson`, `whitened-cosine`, `bures`.
    pub similarity: String,
    /// What is resampled for standard errors, intervals and tests, i.e. what the result is to
    /// generalise to: `both` (new subjects and new stimuli), `subjects`, `conditions`, `none`.
    pub bootstrap: String,
    /// Bootstrap resamples.
    pub resamples: usize,
    /// Condition-label permutations; 0 for none.
    pub permutations: usize,
    /// Correction of p-values over the layers of a target: `fdr` (Benjamini–Hochberg),
    /// `fdr-any` (Benjamini–Yekutieli), `fwe` (Holm; the largest statistic for permutations),
    /// `bonferroni`, `none`.
    pub correction: String,
    /// Level at which the report calls something significant.
    pub alpha: f64,
    /// Names of the targets to use; default: all.
    pub targets: Option<Vec<String>>,
    /// Names of the models to use; default: all.
    pub models: Option<Vec<String>>,
}

impl Default for RsaOptions {
    fn default() -> Self {
        Self {
            dissimilarity: "correlation".to_owned(),
            similarity: "spearman".to_owned(),
            bootstrap: "both".to_owned(),
            resamples: 1000,
            permutations: 10_000,
            correction: "fdr".to_owned(),
            alpha: 0.05,
            targets: None,
            models: None,
        }
    }
}

/// `[[expect]]`: a claim about the outcome (a planted or a published answer) that the report
/// checks and tells.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ExpectOptions {
    /// Name of the target.
    pub target: String,
    /// Layer that should agree best with it.
    pub layer: String,
    /// Model of that layer; may be left out when there is one model.
    #[serde(default)]
    pub model: Option<String>,
}

/// `[report]`: how the outcome is shown. Nothing here changes a number.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct ReportOptions {
    /// Longer side of the thumbnails in pixels; 0 leaves the pictures out of the report, for
    /// stimuli that must not be passed on.
    pub thumbnails: u32,
    /// Stimuli, by name or category, whose pictures every figure shows as a few coarse blocks, because they are upsetting or explicit; `*`
    /// stands for any letters.
    pub blur: Vec<String>,
}

impl Default for ReportOptions {
    fn default() -> Self {
        Self {
            thumbnails: 48,
            blur: Vec::new(),
        }
    }
}
