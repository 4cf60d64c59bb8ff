//! The design of the demo study: which pictures, which layers, and which answers are planted.
//!
//! The constants were chosen so that the planted layer is the best one whatever the seed (24 seeds
//! are tested) while the noise ceiling stays where real data have it:
//!
//! | target | follows | its score | next best | noise ceiling |
//! |---|---|---|---|---|
//! | early region | `pool1` | 0.56 | `conv1` 0.51 | 0.49–0.63 |
//! | late region | `relu4` | 0.62 | `pool3` 0.54 | 0.56–0.68 |
//! | judgements | `fc` | 0.64 | `avgpool` 0.49 | 0.59–0.68 |
//!
//! Scores are means over 24 seeds of the mean Spearman correlation between a layer's correlation
//! RDM and eight subjects (ten raters); the smallest lead over the next layer was 0.046. A ReLU
//! and the pooling after it change an RDM little (ρ up to 0.98 between them), so that no study of
//! this size can tell them apart; the study compares one layer of each such group.

use ndarray::Array3;

use super::{
    stimuli::{Category, draw},
    subjects::{RaterParams, SubjectParams},
};

/// Pictures of each category; with eight categories, 64 pictures and 2016 pairs.
pub const N_EXEMPLARS: u64 = 8;

/// Layers that the study compares.
pub const LAYERS: [&str; 7] = ["conv1", "pool1", "pool2", "pool3", "relu4", "avgpool", "fc"];

/// The layer that the simulated early region follows.
pub const EARLY_LAYER: &str = "pool1";

/// The layer that the simulated late region follows.
pub const LATE_LAYER: &str = "relu4";

/// The layer that the simulated judgements follow.
pub const BEHAVIOUR_LAYER: &str = "fc";

/// How the early region is simulated.
#[must_use]
pub fn early_region() -> SubjectParams {
    SubjectParams {
        noise_sd: 1.4,
        seed: 11,
        ..SubjectParams::default()
    }
}

/// How the late region is simulated: more noise than early, because its RDM survives
/// more.
#[must_use]
pub fn late_region() -> SubjectParams {
    SubjectParams {
        noise_sd: 1.8,
        seed: 12,
        ..SubjectParams::default()
    }
}

/// How the judgements are simulated.
#[must_use]
pub fn raters() -> RaterParams {
    RaterParams {
        noise_sd: 1.2,
        seed: 13,
        ..RaterParams::default()
    }
}

/// One picture of the study.
#[derive(Debug, Clone, PartialEq)]
pub struct DemoStimulus {
    /// Name without an ending, such as `face-03`; sorted by it, categories are in another order
    /// than here.
    pub id: String,
    /// What it shows.
    pub category: Category,
    /// `(64, 64, 3)` as [`draw`] makes it.
    pub picture: Array3<u8>,
}

/// The pictures of the study, category by category.
pub fn stimuli() -> impl Iterator<Item = DemoStimulus> {
    Category::ALL.into_iter().flat_map(|category| {
        (0..N_EXEMPLARS).map(move |exemplar| DemoStimulus {
            id: format!("{category}-{exemplar:02}"),
            category,
            picture: draw(category, exemplar),
        })
    })
}
