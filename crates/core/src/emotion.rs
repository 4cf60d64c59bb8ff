//! The part of a record that speaks of modules that read valence and arousal out of a frozen network: how well they predict,
//! what their units and geometry share with the ratings and with a region of the brain, and what becomes of them without some units.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Ceiling, DisplayRdm, Estimate, MdsMap};

mod second;

pub use second::{EmotionSecondSet, NucleusConsistency, UnitOverlap, UnitPreference};

/// Outcome of a visual-emotion analysis.
///
/// Every number about a stimulus comes from a module that did not learn from it: in folds, the activations of all stimuli are those of
/// the modules of all folds, which start from the same weights.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EmotionRecord {
    /// Options as used.
    pub settings: EmotionSettings,
    /// Sets of other pictures that modules learn from; none when they learn from the stimuli.
    pub training: Vec<EmotionPictureSet>,
    /// What modules learn: `"valence"`, then `"arousal"` if there is any.
    pub ratings: Vec<EmotionRating>,
    /// One module for each encoder and structure: encoders in study order, structures in theirs.
    pub modules: Vec<EmotionModule>,
    /// The module that units, geometry and gains are of, as a position in [`EmotionRecord::modules`].
    pub main: usize,
    /// Ridge regression on the same features and folds, one entry for each encoder.
    pub baselines: Vec<EmotionBaseline>,
    /// Differences between modules that were tested.
    pub comparisons: Vec<ModuleComparison>,
    /// Bins of valence and arousal.
    pub bins: Vec<EmotionBin>,
    /// Selective units of the main module, by nucleus (in its order, then `"all"`).
    pub selectivity: Vec<NucleusSelectivity>,
    /// A second set of pictures in which these units are tested, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub second: Option<EmotionSecondSet>,
    /// Geometry of the main module over epochs: nuclei in their order, then `"mean"`, each with every model.
    pub geometry: Vec<GeometryCurve>,
    /// Number of dimensions that each nucleus uses over epochs.
    pub dimensionality: Vec<DimensionCurve>,
    /// Regions of the brain.
    pub regions: Vec<EmotionRegion>,
    /// What gains and lesions of units of the main module do.
    pub gains: Vec<GainCurve>,
    /// What becomes of predictions of the main module when a connection between its nuclei carries nothing.
    pub connections: Vec<ConnectionLesion>,
    /// Categories of valence read out of nuclei of the main module: nuclei in their order, then `"all"`, each with every category.
    pub read_outs: Vec<CategoryReadOut>,
    /// RDMs of the ratings and of each nucleus of the main module after training.
    pub rdms: Vec<DisplayRdm>,
    /// Arrangements of the stimuli for the same.
    pub maps: Vec<MdsMap>,
    /// What was left out, what could not be computed, and why.
    pub notes: Vec<String>,
}

/// Options of a visual-emotion analysis as they were used, spelled as in the study file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EmotionSettings {
    /// What modules learn from, e.g. `"120 stimuli"` or `"400 other pictures"`.
    pub trained_on: String,
    /// Where predictions come from, e.g. `"5-fold cross-validation"`.
    pub validation: String,
    /// `"release2026"`, `"paper2025"` …
    pub preset: String,
    /// What was changed of it, e.g. `"batch 16"`.
    pub changes: Vec<String>,
    /// Views that pictures are learnt from in, others in every epoch, e.g. `"mirrored (p 0.5)"`; `None` for the pictures as they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub augmentation: Option<String>,
    /// Repeats, each with its own initial weights and folds.
    pub repeats: usize,
    /// Passes over the training set.
    pub epochs: usize,
    /// Dissimilarity of patterns of units, e.g. `"correlation"`.
    pub dissimilarity: String,
    /// How bins are divided, e.g. `"thirds of the scale"`.
    pub edges: String,
    /// Stimuli that a bin needs.
    pub min_images: usize,
    /// d′ above which a unit is selective.
    pub threshold: f64,
    /// Level of Welch's test of a selective unit, and at which the report calls something significant.
    pub alpha: f64,
    /// Correction of that test over units and bins, `"none"`, `"fdr"` …
    #[serde(default = "none")]
    pub unit_correction: String,
    /// Bootstrap resamples.
    pub resamples: usize,
    /// Shuffles of bins and permutations of stimuli.
    pub permutations: usize,
    /// Sets of random units that each gain is compared with.
    pub random_sets: usize,
    /// Units that gains change: `"selective"` for the stimuli, or `"consistent"`, those that are so in both sets of pictures beside those
    /// that are so for the stimuli only.
    #[serde(default = "selective")]
    pub units: String,
    /// Correction over comparisons of modules: `"bonferroni"`, `"fdr"` …
    pub correction: String,
}

fn none() -> String {
    "none".to_owned()
}

fn selective() -> String {
    "selective".to_owned()
}

/// A set of pictures, other than the stimuli, that modules learn from or are tested on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EmotionPictureSet {
    /// Its name in the study.
    pub name: String,
    /// File pattern of its pictures.
    pub images: String,
    /// Ends of the scale of its ratings, which are brought to that of the stimuli.
    pub scale: [f64; 2],
    /// Pictures that are used, those that choose the epoch among them.
    pub n_pictures: usize,
    /// Pictures without a rating, left out.
    pub n_unrated: usize,
    /// Rated pictures without a file.
    pub n_absent: usize,
    /// Pictures with the content of one before, left out.
    pub n_repeated: usize,
    /// Pictures with the content of a stimulus, left out.
    pub n_stimuli: usize,
}

/// A rating that modules learn.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EmotionRating {
    /// `"valence"` or `"arousal"`.
    pub name: String,
    /// Ends of its scale.
    pub scale: [f64; 2],
    /// The rating of each stimulus.
    pub values: Vec<f64>,
    /// The best correlation that can be expected given how raters differ: the root of the reliability of the means; `None` without spreads.
    pub ceiling: Option<f64>,
}

/// A module on one encoder.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EmotionModule {
    /// Model name in the study.
    pub encoder: String,
    /// Layer whose activations it reads.
    pub layer: String,
    /// Length of what it reads, or of each token.
    pub n_features: usize,
    /// Tokens of each stimulus that it reads; `None` for one vector.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub n_tokens: Option<usize>,
    /// `"I"` to `"IV"`, or the name of a file with nuclei.
    pub structure: String,
    /// Trainable numbers.
    pub n_parameters: usize,
    /// Its nuclei, in the order in which they are computed.
    pub nuclei: Vec<NucleusInfo>,
    /// The nucleus that ratings are read out of.
    pub read_out: String,
    /// How its predictions do, one entry for each rating, before training (epoch 0).
    pub before: Vec<PredictionScore>,
    /// The same after training.
    pub after: Vec<PredictionScore>,
    /// Means in bins of the given ratings after training, one entry for each rating; `None` for too few bins.
    pub quantiles: Vec<Option<EmotionQuantiles>>,
    /// Disparity of the plane of both ratings before and after training; `None` with a single rating.
    pub plane: Option<[PlaneScore; 2]>,
    /// Means over repeats, epoch by epoch from 0.
    pub history: Vec<EmotionEpoch>,
    /// Predictions of each repeat.
    pub runs: Vec<EmotionRun>,
}

impl EmotionModule {
    /// Its name in figures and tables.
    #[must_use]
    pub fn label(&self) -> String {
        format!("{} {}", self.encoder, self.structure)
    }
}

/// A nucleus of a module.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct NucleusInfo {
    /// Its name, e.g. `"LA"`.
    pub name: String,
    /// Its units.
    pub width: usize,
    /// `"transformer"`, `"linear"`, `"transformer and linear"`, or `"relay"` for one that hands on what it reads.
    pub unit: String,
    /// What it reads: nuclei, or `"visual"`.
    pub reads: Vec<String>,
    /// Nuclei that inhibit it.
    pub inhibited_by: Vec<String>,
    /// Nuclei whose values of the step before it gets.
    pub feedback: Vec<String>,
    /// Entropy of its attention as a share of the largest, mean over layers, heads and stimuli; `None` without attention over several tokens.
    pub attention_entropy: Option<f64>,
}

/// How predictions of one rating follow it: mean (and SD with denominator n − 1) over repeats.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PredictionScore {
    /// Pearson's r; `None` for constant predictions.
    pub r: Option<f64>,
    /// Its SD over repeats; `None` for a single one.
    pub r_sd: Option<f64>,
    /// r of the mean prediction over repeats, in which their chance averages out.
    #[serde(default)]
    pub r_of_mean: Option<f64>,
    /// Its 95 % interval, by bootstrap over stimuli.
    pub r_interval: Option<[f64; 2]>,
    /// Spearman's ρ.
    pub spearman: Option<f64>,
    /// Its SD over repeats.
    pub spearman_sd: Option<f64>,
    /// Spearman's ρ of the mean prediction.
    #[serde(default)]
    pub spearman_of_mean: Option<f64>,
    /// Root mean square error as predicted.
    pub rmse: f64,
    /// 1 − squared error ÷ variance, as predicted; below 0 when the mean would do better.
    pub r2: f64,
    /// Root mean square error after a line is fitted to the tested stimuli themselves, as published.
    pub rmse_refit: Option<f64>,
    /// r² after the same, which is the square of r.
    pub r2_refit: Option<f64>,
}

/// Means of given and predicted ratings in bins of about equal size of the given ones. They agree better than single stimuli do, as noise
/// averages out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EmotionQuantiles {
    /// Edges of the bins, one more than bins.
    pub edges: Vec<f64>,
    /// Stimuli in each.
    pub counts: Vec<usize>,
    /// Mean given rating of each.
    pub given: Vec<f64>,
    /// Mean predicted rating of each, mean over repeats.
    pub predicted: Vec<f64>,
    /// Its SD over repeats; `None` for a single one.
    pub predicted_sd: Vec<Option<f64>>,
    /// How the means of the bins follow each other; without an interval.
    pub score: PredictionScore,
}

/// How the plane of predicted valence and arousal follows that of the ratings; means over repeats.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PlaneScore {
    /// Procrustes disparity, 0…1.
    pub disparity: Option<f64>,
    /// Its SD over repeats.
    pub disparity_sd: Option<f64>,
    /// Energy distance of the two clouds.
    pub energy: f64,
}

/// An epoch of a module, mean over repeats.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EmotionEpoch {
    /// Which one; 0 is before training.
    pub epoch: usize,
    /// Mean training loss; `None` before training.
    pub training: Option<f64>,
    /// Mean loss of validation pictures.
    pub validation: Option<f64>,
    /// Pearson's r for each rating.
    pub r: Vec<Option<f64>>,
    /// Its SD over repeats.
    pub r_sd: Vec<Option<f64>>,
    /// Procrustes disparity.
    pub disparity: Option<f64>,
    /// Its SD over repeats.
    pub disparity_sd: Option<f64>,
}

/// Predictions of one repeat.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EmotionRun {
    /// Its seed.
    pub seed: u64,
    /// The epoch whose weights were used, one for each fold.
    pub epochs: Vec<usize>,
    /// Predictions before training, a row for each rating.
    pub before: Vec<Vec<f64>>,
    /// Predictions after training, a row for each rating.
    pub after: Vec<Vec<f64>>,
}

/// Ridge regression on an encoder's features.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EmotionBaseline {
    /// Model name in the study.
    pub encoder: String,
    /// Layer.
    pub layer: String,
    /// One entry for each rating; repeats differ in their folds.
    pub scores: Vec<PredictionScore>,
}

/// A difference between two modules over repeats.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ModuleComparison {
    /// Position in [`EmotionRecord::modules`].
    pub a: usize,
    /// Position in [`EmotionRecord::modules`].
    pub b: usize,
    /// `"encoder"` or `"structure"`: what they differ in.
    pub differ_in: String,
    /// What is compared: `"r of valence"`, `"r of arousal"`, `"disparity"`.
    pub measure: String,
    /// Mean of a minus mean of b.
    pub difference: f64,
    /// Welch's t over repeats; `None` when neither varies.
    pub t: Option<f64>,
    /// Two-sided p.
    pub p: Option<f64>,
    /// The same, corrected.
    pub p_corrected: Option<f64>,
    /// Cohen's d.
    pub d: Option<f64>,
}

/// A bin of valence and arousal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EmotionBin {
    /// Short name, e.g. `"HN"`: high arousal, negative.
    pub name: String,
    /// Stimuli in it.
    pub n: usize,
    /// Whether these are enough.
    pub is_kept: bool,
}

/// Selective units of a nucleus; means over repeats.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct NucleusSelectivity {
    /// Nucleus, or `"all"`.
    pub nucleus: String,
    /// Its units.
    pub n_units: usize,
    /// One entry for each kept bin, then one for any of them.
    pub counts: Vec<SelectiveCount>,
    /// Mean tuning value in each kept bin of the units that are selective for a bin after training: a row for each such bin; `None` without any such unit.
    pub tuning: Vec<Option<Vec<f64>>>,
}

/// How many units are selective for a bin.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SelectiveCount {
    /// Bin, or `"any"`.
    pub bin: String,
    /// Before training.
    pub before: f64,
    /// Its standard error by bootstrap over stimuli.
    pub before_sem: Option<f64>,
    /// After training.
    pub after: f64,
    /// Its standard error by bootstrap over stimuli.
    pub after_sem: Option<f64>,
    /// After training, with the stimuli's bins shuffled.
    pub shuffled: Option<f64>,
    /// One-sided p over shuffles that the count after training is chance.
    pub p_shuffled: Option<f64>,
    /// Two-sided p by bootstrap over stimuli that training changed nothing.
    pub p_change: Option<f64>,
}

/// Agreement of a nucleus's geometry with a model of emotion over epochs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GeometryCurve {
    /// Nucleus, or `"mean"` over nuclei.
    pub nucleus: String,
    /// `"valence and arousal"`, `"valence"`, `"arousal"`, `"categories"`.
    pub model: String,
    /// Epochs.
    pub epochs: Vec<usize>,
    /// Mean over repeats of Spearman's ρ of the RDMs, for each epoch.
    pub means: Vec<Option<f64>>,
    /// Its standard error over repeats; `None` for a single one.
    pub sems: Vec<Option<f64>>,
}

/// Dimensions that a nucleus uses over epochs (participation ratio), mean over repeats.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DimensionCurve {
    /// Nucleus.
    pub nucleus: String,
    /// Epochs.
    pub epochs: Vec<usize>,
    /// Participation ratio; `None` where no unit varies.
    pub means: Vec<Option<f64>>,
}

/// A region of the brain with what is compared to it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EmotionRegion {
    /// Name in the study.
    pub name: String,
    /// Whether it is simulated, which every figure has to say.
    pub is_simulated: bool,
    /// Subjects.
    pub n_subjects: usize,
    /// Noise ceiling of subjects' RDMs; `None` when it is undefined.
    pub ceiling: Option<Ceiling>,
    /// Names of the RDMs that partial scores control for.
    pub controls: Vec<String>,
    /// Scores: nuclei in their order, `"all nuclei"`, the encoder and the models of emotion.
    pub scores: Vec<RegionAgreement>,
    /// Agreement of all nuclei together over epochs.
    pub curve: GeometryCurve,
}

/// Agreement of one RDM with a region.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RegionAgreement {
    /// What the RDM is of, e.g. `"CE"`, `"all nuclei"`, `"squeezenet1_1 features.12"`, `"valence"`.
    pub name: String,
    /// `"nucleus"`, `"encoder"` or `"model"`.
    pub of: String,
    /// Spearman's ρ with the group's RDM; `None` when it is undefined.
    pub rho: Option<f64>,
    /// One-sided p by permutation of stimuli.
    pub p: Option<f64>,
    /// Partial correlation of ranks given the controls.
    pub partial: Option<f64>,
    /// One-sided p of it by permutation of stimuli.
    pub partial_p: Option<f64>,
    /// Agreement with the subjects' RDMs.
    pub estimate: Option<Estimate>,
}

/// What gains of units do to predictions: the units' values times 1 + α, so −1 is a lesion and 0 changes nothing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GainCurve {
    /// Nucleus, or `"all"`.
    pub nucleus: String,
    /// Which of its units: a bin (those selective for it), `"any"` (those selective for any), or `"whole"` nucleus.
    pub units: String,
    /// In which pictures they are selective, where there are two sets: `"both sets"` or `"stimuli only"`; `None` for all that are so for the
    /// stimuli, and for whole nuclei.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selective_in: Option<String>,
    /// Mean number of units over repeats.
    pub n_units: f64,
    /// Rating, as in [`EmotionRating::name`].
    pub rating: String,
    /// α.
    pub gains: Vec<f64>,
    /// Pearson's r at each, mean over repeats; `None` for constant predictions.
    pub r: Vec<Option<f64>>,
    /// Mean over sets of equally many random units of the same nucleus.
    pub random: Vec<Option<f64>>,
    /// Standard deviation over these sets.
    pub random_sd: Vec<Option<f64>>,
    /// Two-sided p against these sets.
    pub p: Vec<Option<f64>>,
}

/// What becomes of predictions when a nucleus gets nothing from another, without training again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ConnectionLesion {
    /// Nucleus whose values no longer arrive.
    pub from: String,
    /// Nucleus that no longer gets them.
    pub to: String,
    /// `"reads"`, `"inhibition"` or `"feedback"`.
    pub kind: String,
    /// Rating, as in [`EmotionRating::name`].
    pub rating: String,
    /// Pearson's r without the connection, mean over repeats; `None` for constant predictions.
    pub r: Option<f64>,
    /// Its SD over repeats.
    pub r_sd: Option<f64>,
    /// r without minus r with the connection, mean over repeats.
    pub change: Option<f64>,
    /// Its SD over repeats.
    pub change_sd: Option<f64>,
}

/// How stimuli of a category of valence are told from others by the units of a nucleus: by a logistic regression that learns from the
/// pictures that a module learnt from, and is tested on its stimuli; with the units changed that are selective for a bin of the category.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CategoryReadOut {
    /// Nucleus, or `"all"`.
    pub nucleus: String,
    /// `"negative"`, `"middle"` or `"positive"`.
    pub category: String,
    /// Stimuli of it.
    pub n_stimuli: usize,
    /// Mean number over repeats of the units that are changed.
    pub n_units: f64,
    /// F1 of calling every stimulus so.
    pub chance: f64,
    /// F1, mean over repeats; `None` where there is no stimulus of it, or none to learn from.
    pub f1: Option<f64>,
    /// Its SD over repeats.
    pub f1_sd: Option<f64>,
    /// Without these units.
    pub lesioned: GainedReadOut,
    /// With the gain above 0 that helps most; `None` without such gains.
    pub enhanced: Option<GainedReadOut>,
}

/// A read-out while units are changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GainedReadOut {
    /// α; the units' values times 1 + α.
    pub gain: f64,
    /// F1, mean over repeats.
    pub f1: Option<f64>,
    /// Mean over sets of equally many random units of the same nuclei, each with the gain that helps it most where that is chosen.
    pub random: Option<f64>,
    /// Standard deviation over these sets.
    pub random_sd: Option<f64>,
    /// Two-sided p against these sets.
    pub p: Option<f64>,
}
