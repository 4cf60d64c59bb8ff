//! The part of a record that speaks of networks as raters: their ratings of the stimuli, and how these follow
//! those of people and what was read from their brains.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::TargetKind;

/// Outcome of an appraisal analysis: heads on cut networks, correlated with ratings and brain targets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AppraisalRecord {
    /// Options as used.
    pub settings: AppraisalSettings,
    /// Cut networks with their heads: models in study order, layers from input to output.
    pub raters: Vec<Rater>,
    /// What their ratings are compared with.
    pub targets: Vec<RatingTarget>,
    /// Subsets of the stimuli; the first is all of them.
    pub subsets: Vec<Subset>,
    /// One entry for each subset, rater and target, in that order (targets run fastest).
    pub correlations: Vec<RatingCorrelation>,
    /// Differences of correlations that were tested.
    pub differences: Vec<RatingDifference>,
    /// What was left out, what could not be computed, and why.
    pub notes: Vec<String>,
}

/// Options of an appraisal analysis as they were used, spelled as in the study file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AppraisalSettings {
    /// What heads learnt, e.g. `"valence of 120 stimuli"`.
    pub trained_on: String,
    /// `"linear"` or `"sigmoid"`.
    pub head: String,
    /// `"mse"`, `"weighted-mse"` or `"huber"`.
    pub loss: String,
    /// What was done with feature maps before the head: `"mean"` or `"none"`.
    pub pool: String,
    /// Ends of the rating scale, if it is declared.
    pub scale: Option<[f64; 2]>,
    /// Where predictions come from, e.g. `"5-fold cross-validation"` or `"20 % held out"`.
    pub validation: String,
    /// Runs, each with its own seed.
    pub runs: usize,
    /// `"pearson"` or `"spearman"`.
    pub correlation: String,
    /// Permutations of the stimuli; 0 for none.
    pub permutations: usize,
    /// Correction over all correlations: `"none"`, `"fdr"` …
    pub correction: String,
    /// Level at which the report calls something significant.
    pub alpha: f64,
}

/// A network that ends at a layer, with a head that gives one number for each picture.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Rater {
    /// Model name in the study.
    pub model: String,
    /// Layer at which the network is cut.
    pub layer: String,
    /// Whether that is the last layer before the network's own head, i.e. the whole network.
    pub is_whole: bool,
    /// Inputs of the head.
    pub n_features: usize,
    /// Runs in the order of their seeds.
    pub runs: Vec<RaterRun>,
}

/// One run of training.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RaterRun {
    /// Its seed.
    pub seed: u64,
    /// Mean absolute error of held-out pictures, in units of the scale.
    pub mae: f64,
    /// Pearson's r of held-out pictures; `None` for constant ratings.
    pub r: Option<f64>,
    /// 1 − squared error ÷ variance of held-out pictures; `None` when their ratings are constant.
    pub r2: Option<f64>,
    /// Rating of each stimulus, by a head that did not learn from it.
    pub predictions: Vec<f64>,
}

/// Numbers for the stimuli that ratings are compared with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RatingTarget {
    /// Name in the study, e.g. `"True"` or `"LLR"`.
    pub name: String,
    /// Brain or behaviour.
    pub kind: TargetKind,
    /// Raters or subjects behind it; `None` when the study gives only their mean.
    pub n_subjects: Option<usize>,
    /// Whether it is simulated, which every figure has to say.
    pub is_simulated: bool,
    /// The number for each stimulus.
    pub values: Vec<f64>,
    /// How reliable it is, where there are several raters or subjects.
    pub reliability: Option<RatingReliability>,
    /// How it came about, what was left out and why.
    pub notes: Vec<String>,
}

/// Reliability of the mean over raters or subjects.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RatingReliability {
    /// Reliability of the mean (Cronbach's α).
    pub reliability: f64,
    /// 95 % interval of it.
    pub interval: Option<[f64; 2]>,
    /// The best correlation that a perfect model can be expected to reach: the root of the reliability; `None` below 0.
    pub ceiling: Option<f64>,
}

/// Some of the stimuli.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Subset {
    /// `"all"`, or a value of the condition column.
    pub name: String,
    /// How many stimuli.
    pub n_stimuli: usize,
}

/// How the ratings of one rater follow one target over one subset.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RatingCorrelation {
    /// Position in [`AppraisalRecord::subsets`].
    pub subset: usize,
    /// Position in [`AppraisalRecord::raters`].
    pub rater: usize,
    /// Position in [`AppraisalRecord::targets`].
    pub target: usize,
    /// Stimuli.
    pub n: usize,
    /// Correlation of each run; `None` where undefined.
    pub runs: Vec<Option<f64>>,
    /// Mean over the runs.
    pub mean: Option<f64>,
    /// Standard deviation over the runs (denominator n − 1); `None` for one.
    pub sd: Option<f64>,
    /// Correlation of the mean rating over runs, to which interval and p belong; `None` when undefined.
    pub of_mean: Option<f64>,
    /// 95 % interval.
    pub interval: Option<[f64; 2]>,
    /// Two-sided p by Student's t.
    pub p: Option<f64>,
    /// Two-sided p by permutation of stimuli.
    pub p_permutation: Option<f64>,
    /// The permutation test's p, else the other one, corrected over the table as the settings say.
    pub p_corrected: Option<f64>,
    /// One-sided p for a correlation below the target's ceiling.
    pub p_ceiling: Option<f64>,
    /// Why it is undefined.
    pub note: Option<String>,
}

/// What two correlations that were compared differ in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum DifferenceOf {
    /// The subset of the stimuli.
    Subsets,
    /// The rater.
    Raters,
}

/// The difference of two correlations with one target.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RatingDifference {
    /// What the two differ in.
    pub of: DifferenceOf,
    /// Position of the first in subsets or raters.
    pub first: usize,
    /// Position of the second, which is subtracted.
    pub second: usize,
    /// Rater of both subsets, or subset of both raters.
    pub within: usize,
    /// Position in [`AppraisalRecord::targets`].
    pub target: usize,
    /// First minus second; `None` when undefined.
    pub difference: Option<f64>,
    /// 95 % interval.
    pub interval: Option<[f64; 2]>,
    /// Two-sided p.
    pub p: Option<f64>,
    /// The same, corrected over all differences of the kind.
    pub p_corrected: Option<f64>,
    /// Why it is undefined.
    pub note: Option<String>,
}
