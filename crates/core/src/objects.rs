//! The part of a record that speaks of objects in the stimuli: which of them a network's rating rests on, and what
//! becomes of its agreement with a target without the filters that answer to them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Subset, TargetKind};

/// Outcome of an Object2Brain analysis.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ObjectsRecord {
    /// Options as used.
    pub settings: ObjectsSettings,
    /// Categories of objects, in study order.
    pub categories: Vec<ObjectCategory>,
    /// Layers whose filters were looked at: models in study order, layers from input to output.
    pub layers: Vec<LesionedLayer>,
    /// What correlations are taken with.
    pub targets: Vec<ObjectTarget>,
    /// Subsets of the stimuli; the first is all of them.
    pub subsets: Vec<Subset>,
    /// One entry for each layer, category, subset and target, in that order (targets run fastest).
    pub effects: Vec<LesionEffect>,
    /// Importance of each category in each layer's maps (`EmoCAM`), layers before categories.
    pub importance: Vec<CategoryImportance>,
    /// How far boxes of categories cover each other.
    pub overlap: CategoryMatrix,
    /// How often categories occur in the same stimuli.
    pub co_occurrence: CategoryMatrix,
    /// Stimuli with a map and boxes on them.
    pub overlays: Vec<ObjectOverlay>,
    /// What was left out, what could not be computed, and why.
    pub notes: Vec<String>,
}

/// Options of an Object2Brain analysis as they were used, spelled as in the study file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ObjectsSettings {
    /// Where boxes come from: a detector or a file.
    pub boxes: String,
    /// Other pictures on which sensitivity, overlap and co-occurrence were measured, and the source of their boxes; `None` for the stimuli.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub elsewhere: Option<String>,
    /// Least score of a box.
    pub min_score: f64,
    /// What becomes of signs in maps: `"positive"`, `"absolute"`, `"signed"`.
    pub sign: String,
    /// How maps are scaled: `"none"`, `"max"`, `"min-max"`.
    pub scaling: String,
    /// Over what: `"filter"`, `"layer"`.
    pub scale_over: String,
    /// What a box gets from a map: `"mean"`, `"max"`, `"share"`.
    pub summary: String,
    /// What a class with several boxes gets: `"max"`, `"mean"`.
    pub over_boxes: String,
    /// How classes make a category: `"any"`, `"mean"`.
    pub classes: String,
    /// Which filters are sensitive, e.g. `"above 0.3"`.
    pub cut: String,
    /// Least stimuli that a class needs.
    pub min_images: usize,
    /// What a lesion leaves: `"zero"`, `"mean"`.
    pub lesion: String,
    /// Whether filters are switched off in the `"cut"` networks or in the `"whole"` one.
    pub network: String,
    /// `"pearson"` or `"spearman"`.
    pub correlation: String,
    /// Sets of random filters that each lesion is compared with.
    pub random_sets: usize,
    /// Permutations of each target's stimuli.
    pub permutations: usize,
    /// Correction over all effects: `"none"`, `"fdr"` …
    pub correction: String,
    /// Level at which the report calls something significant.
    pub alpha: f64,
}

/// A category of objects.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ObjectCategory {
    /// Name, e.g. `"Body Parts"`.
    pub name: String,
    /// Its classes that boxes have.
    pub classes: Vec<String>,
    /// Stimuli with a box of it; of other pictures, where sensitivity was measured on these.
    pub n_stimuli: usize,
    /// Boxes.
    pub n_boxes: usize,
}

/// A layer whose filters were switched off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LesionedLayer {
    /// Model name in the study.
    pub model: String,
    /// Layer.
    pub layer: String,
    /// Whether it is the last one of its model.
    pub is_last: bool,
    /// Filters.
    pub n_filters: usize,
    /// Runs, i.e. heads.
    pub n_runs: usize,
}

/// What correlations are taken with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ObjectTarget {
    /// Name in the study.
    pub name: String,
    /// Brain or behaviour.
    pub kind: TargetKind,
    /// Whether it is simulated, which every figure has to say.
    pub is_simulated: bool,
}

/// What the lesion of a category's filters does to one correlation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LesionEffect {
    /// Position in [`ObjectsRecord::layers`].
    pub layer: usize,
    /// Position in [`ObjectsRecord::categories`].
    pub category: usize,
    /// Position in [`ObjectsRecord::subsets`].
    pub subset: usize,
    /// Position in [`ObjectsRecord::targets`].
    pub target: usize,
    /// Mean number of filters over the runs.
    pub n_filters: f64,
    /// Runs with an effect that could be stated.
    pub n_runs: usize,
    /// Mean correlation of the intact networks.
    pub r: Option<f64>,
    /// Mean correlation without the filters.
    pub r_lesioned: Option<f64>,
    /// Mean change; `None` when it is undefined.
    pub delta: Option<f64>,
    /// Standard deviation over runs (denominator n − 1).
    pub delta_sd: Option<f64>,
    /// Two-sided p against equally many random filters.
    pub p_random: Option<f64>,
    /// The same, corrected.
    pub p_corrected: Option<f64>,
    /// Two-sided p by permutation of the target's stimuli: whether a target that has nothing to do with the stimuli would do.
    pub p_permutation: Option<f64>,
    /// Mean change by random filters.
    pub random_mean: Option<f64>,
    /// Standard deviation of the same.
    pub random_sd: Option<f64>,
    /// Why something is undefined.
    pub note: Option<String>,
}

/// How much of a layer's maps lies in boxes of a category.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CategoryImportance {
    /// Position in [`ObjectsRecord::layers`].
    pub layer: usize,
    /// Position in [`ObjectsRecord::categories`].
    pub category: usize,
    /// Mean over the stimuli that show it; `None` without any.
    pub mean: Option<f64>,
    /// Standard deviation of the same.
    pub sd: Option<f64>,
    /// Those stimuli.
    pub n_stimuli: usize,
}

/// A number for each ordered pair of categories.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CategoryMatrix {
    /// Rows in the order of [`ObjectsRecord::categories`]; `None` where there is nothing to tell.
    pub values: Vec<Vec<Option<f64>>>,
    /// Stimuli behind each number.
    pub n_stimuli: Vec<Vec<usize>>,
}

/// A stimulus with a map and boxes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ObjectOverlay {
    /// Identifier of the stimulus.
    pub stimulus: String,
    /// What the map is of, e.g. `"squeezenet1_1 features.12"`.
    pub map: String,
    /// Picture with the map on it, a PNG as a `data:` address.
    pub picture: String,
    /// Its width and height in pixels.
    pub size: [u32; 2],
    /// Boxes in pixels of that picture.
    pub boxes: Vec<OverlayBox>,
}

/// A box on a picture.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OverlayBox {
    /// Left, upper, right and lower edge.
    pub edges: [f64; 4],
    /// Class of the object.
    pub class: String,
    /// Position in [`ObjectsRecord::categories`]; `None` for a class of none.
    pub category: Option<usize>,
    /// What the box gets from the map.
    pub importance: Option<f64>,
}
