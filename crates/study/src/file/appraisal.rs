//! `[[analysis]]` of kinds `appraisal` and `object2brain`.

use schemars::JsonSchema;
use serde::Deserialize;

/// `[[analysis]]` with `kind = "appraisal"`: each network, cut at each of its layers, gets heads that learn to rate pictures; their
/// ratings of the stimuli are correlated with every rating target. The last layer of a model stands for the whole network.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct AppraisalOptions {
    /// Name of the `[[behaviour]]` whose ratings heads learn. Default: the first with ratings.
    pub learn: Option<String>,
    /// Other pictures to learn from, as a file pattern; then every stimulus is rated by heads that never saw it. Default: the stimuli
    /// themselves, in folds.
    pub training_images: Option<String>,
    /// Table with the ratings of these pictures.
    pub training_ratings: Option<String>,
    /// Its column that names the picture. Default: as in the `[[behaviour]]`.
    pub training_picture_column: Option<String>,
    /// Its columns with ratings; several are averaged. Default: as in the `[[behaviour]]`.
    pub training_columns: Option<Vec<String>>,
    /// Its column that says whose a rating is, for tables with a row for each.
    pub training_rater_column: Option<String>,
    /// Its column that says which rows were rejected, for such tables.
    pub training_reject_column: Option<String>,
    /// `linear`, or `sigmoid` onto the declared scale.
    pub head: String,
    /// What is minimised: `mse`, `weighted-mse` (rare ratings count as much as common ones), `huber`.
    pub loss: String,
    /// Bins of the ratings by which `weighted-mse` counts. Default: each value is one.
    pub bins: Option<usize>,
    /// Where `huber` becomes linear, in units of the ratings.
    pub delta: f64,
    /// `exact` or `gradient`. Default: exact where there is an exact solution.
    pub solver: Option<String>,
    /// Pull of the weights towards 0. Default: the exact solver chooses it in each training set; the gradient takes 0.
    pub weight_decay: Option<f64>,
    /// Share of features dropped at random in training, by the gradient only.
    pub dropout: f64,
    /// Folds of the stimuli.
    pub folds: usize,
    /// Share of other pictures that is held out to judge by.
    pub hold_out: f64,
    /// Runs, each with its own seed.
    pub runs: usize,
    /// Most passes over the training set, by the gradient.
    pub epochs: usize,
    /// Passes without improvement after which training stops, by the gradient.
    pub patience: usize,
    /// Length of a step down the gradient.
    pub learning_rate: f64,
    /// `pearson` or `spearman`.
    pub correlation: String,
    /// Permutations of the stimuli; 0 for none.
    pub permutations: usize,
    /// Correction over all correlations, and over the differences of each kind: `fdr`, `fdr-any`, `fwe`, `bonferroni`, `none`.
    pub correction: String,
    /// Level at which the report calls something significant.
    pub alpha: f64,
    /// Names of the rating targets to use; default: all.
    pub targets: Option<Vec<String>>,
    /// Names of the models to use; default: all.
    pub models: Option<Vec<String>>,
}

impl Default for AppraisalOptions {
    fn default() -> Self {
        Self {
            learn: None,
            training_images: None,
            training_ratings: None,
            training_picture_column: None,
            training_columns: None,
            training_rater_column: None,
            training_reject_column: None,
            head: "linear".to_owned(),
            loss: "mse".to_owned(),
            bins: None,
            delta: 1.0,
            solver: None,
            weight_decay: None,
            dropout: 0.0,
            folds: 5,
            hold_out: 0.2,
            runs: 5,
            epochs: 250,
            patience: 10,
            learning_rate: 1e-3,
            correlation: "pearson".to_owned(),
            permutations: 10_000,
            correction: "fdr".to_owned(),
            alpha: 0.05,
            targets: None,
            models: None,
        }
    }
}

/// `[[analysis]]` with `kind = "object2brain"`: filters that are sensitive to categories of objects are switched off in the networks
/// of the `appraisal` before it, and the change of their correlations is compared with that of random filters.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct ObjectsOptions {
    /// Boxes of objects in the stimuli, as `consilience detect` writes them (`.csv`) or as COCO annotations (`.json`).
    pub boxes: Option<String>,
    /// Detector that finds them instead: `yolox_nano`, `fastestdet`, `yolov3_coco`, `yolov3_openimages`.
    pub detector: Option<String>,
    /// Its weights.
    pub detector_weights: Option<String>,
    /// Names of the boxes' classes, one a line. Default: those in the file; of a detector its own.
    pub classes: Option<String>,
    /// Other pictures on which the sensitivity of filters is measured, as a file pattern; overlap and co-occurrence are theirs too.
    /// Default: the stimuli.
    pub sensitivity_images: Option<String>,
    /// Boxes of objects in these pictures, with the same classes. Default: what the detector finds.
    pub sensitivity_boxes: Option<String>,
    /// Least score of a box.
    pub min_score: f64,
    /// Table with the columns `class` and `category`. Default: that of the program for the classes of COCO or Open Images.
    pub categories: Option<String>,
    /// Names of the categories to use; default: all that boxes are of.
    #[serde(rename = "use")]
    pub only: Option<Vec<String>>,
    /// What becomes of signs in maps of filters: `positive`, `absolute`, `signed`.
    pub sign: String,
    /// How maps are scaled: `min-max`, `max`, `none`.
    pub scaling: String,
    /// Over what: each `filter` or the whole `layer`.
    pub scale_over: String,
    /// What a box gets from a map: `mean`, `max`, `share`.
    pub summary: String,
    /// What a class with several boxes gets: `max`, `mean`.
    pub over_boxes: String,
    /// How classes make a category: `any`, `mean`.
    pub class_rule: String,
    /// Sensitivity above which a filter belongs to a category. Default: 0.3, unless `top` or `top-share` is given.
    pub above: Option<f64>,
    /// Instead, how many of the most sensitive filters do.
    pub top: Option<usize>,
    /// Instead, which share of the filters does.
    pub top_share: Option<f64>,
    /// Pictures that a class needs to be looked at.
    pub min_images: usize,
    /// What a lesion leaves of a filter: `zero`, `mean`.
    pub lesion: String,
    /// Where filters are looked at and switched off: in networks that are `cut` at the layer, each with heads of its own, or in the `whole`
    /// network, which ends in the heads of its last layer.
    pub network: String,
    /// Sets of random filters that each lesion is compared with; 0 for none. Default: 1000, and 100 in whole networks, where each costs a
    /// pass through the rest of the network for each run.
    pub random_sets: Option<usize>,
    /// Draw them only from filters that are not sensitive. A test against these is too sure; see `consilience explain objects`.
    pub only_others: bool,
    /// Permutations of each target's stimuli, against which effects are tested too; 0 for none.
    pub permutations: usize,
    /// Correction over all effects: `fdr`, `fdr-any`, `fwe`, `bonferroni`, `none`.
    pub correction: String,
    /// Level at which the report calls something significant.
    pub alpha: f64,
    /// Stimuli that the report shows with map and boxes.
    pub overlays: usize,
    /// Names of the rating targets to use; default: those of the `appraisal`.
    pub targets: Option<Vec<String>>,
    /// Names of the models to use; default: those of the `appraisal`.
    pub models: Option<Vec<String>>,
}

impl Default for ObjectsOptions {
    fn default() -> Self {
        Self {
            boxes: None,
            detector: None,
            detector_weights: None,
            classes: None,
            sensitivity_images: None,
            sensitivity_boxes: None,
            min_score: 0.3,
            categories: None,
            only: None,
            sign: "positive".to_owned(),
            scaling: "min-max".to_owned(),
            scale_over: "filter".to_owned(),
            summary: "mean".to_owned(),
            over_boxes: "max".to_owned(),
            class_rule: "any".to_owned(),
            above: None,
            top: None,
            top_share: None,
            min_images: 5,
            lesion: "zero".to_owned(),
            network: "cut".to_owned(),
            random_sets: None,
            only_others: false,
            permutations: 1000,
            correction: "fdr".to_owned(),
            alpha: 0.05,
            overlays: 6,
            targets: None,
            models: None,
        }
    }
}
