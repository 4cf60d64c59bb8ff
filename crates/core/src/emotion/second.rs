//! Whether units that are selective for stimuli are so for a second set of pictures.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{EmotionBin, EmotionPictureSet};

/// A second set of pictures, from which no module learnt, and how the units of the main module do on it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EmotionSecondSet {
    /// Its pictures.
    #[serde(flatten)]
    pub set: EmotionPictureSet,
    /// Pictures with the content of one that modules learn from, left out.
    pub n_learnt: usize,
    /// Its pictures in bins of valence and arousal.
    pub bins: Vec<EmotionBin>,
    /// Names of the bins that are kept in both sets.
    pub shared: Vec<String>,
    /// Units of the main module, by nucleus (in its order, then `"all"`).
    pub nuclei: Vec<NucleusConsistency>,
}

/// How units of a nucleus do in two sets of pictures.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct NucleusConsistency {
    /// Nucleus, or `"all"`.
    pub nucleus: String,
    /// Its units.
    pub n_units: usize,
    /// Selective units: one entry for each shared bin, then one for any of them.
    pub overlaps: Vec<UnitOverlap>,
    /// What all units prefer.
    pub preference: UnitPreference,
}

/// How many units are selective for a bin in two sets of pictures; means over repeats.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct UnitOverlap {
    /// Bin, or `"any"`.
    pub bin: String,
    /// Units that are selective for it in the stimuli.
    pub first: f64,
    /// Units that are so in the second set.
    pub second: f64,
    /// Units that are so in both, for `"any"` for the same bin.
    pub both: f64,
    /// SD of this number over repeats; `None` for a single one.
    pub both_sd: Option<f64>,
    /// Units that would be so in both if the sets of each nucleus had nothing to do with each other.
    pub expected: f64,
    /// Share of the first that is in both; `None` without any.
    pub kept: Option<f64>,
    /// Share of both in either; `None` without any.
    pub jaccard: Option<f64>,
    /// One-sided p of so many, units being independent; merged over repeats.
    pub p: f64,
}

/// How many units prefer the same bin in two sets of pictures; means over repeats.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct UnitPreference {
    /// Share of the units whose preferred bin is the same, of those that have one; `None` when none has.
    pub same: Option<f64>,
    /// The same with the bins of the second set shuffled.
    pub shuffled: Option<f64>,
    /// Standard deviation over these shuffles.
    pub shuffled_sd: Option<f64>,
    /// One-sided p over these shuffles.
    pub p: Option<f64>,
    /// Units that are not among the fifth with the lowest selectivity index in either set and prefer the same in both (Liu et al. 2024).
    pub genuine: f64,
    /// As many as are expected when preferences have nothing to do with each other.
    pub genuine_expected: f64,
}
