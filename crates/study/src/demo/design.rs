//! The design of the demo study: which pictures, which layers, and which answers are planted.

use ndarray::Array3;

use super::{
    stimuli::{Category, draw},
    subjects::{RaterParams, SubjectParams},
};

/// Pictures of each category.
pub const N_EXEMPLARS: u64 = 8;

/// Layers that the study compares.
pub const LAYERS: [&str; 5] = ["pool1", "pool2", "pool3", "relu4", "fc"];

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
        seed: 11,
        ..SubjectParams::default()
    }
}

/// How the late region is simulated.
#[must_use]
pub fn late_region() -> SubjectParams {
    SubjectParams {
        seed: 12,
        ..SubjectParams::default()
    }
}

/// How the judgements are simulated.
#[must_use]
pub fn raters() -> RaterParams {
    RaterParams {
        seed: 13,
        ..RaterParams::default()
    }
}

/// One picture of the study.
#[derive(Debug, Clone, PartialEq)]
pub struct DemoStimulus {
    /// Name without an ending, such as `face-03`; sorts by category only within a category.
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
