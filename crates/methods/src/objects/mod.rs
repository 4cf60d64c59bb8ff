//! Which objects in pictures a network's output rests on, and through which filters: `EmoCAM` and Object2Brain.
//!
//! - [`importance`], [`corpus_importance`]: Grad-CAM within detected boxes, of a picture and over a corpus
//! - [`co_occurrence`], [`overlap`]: which categories occur together, and how far their boxes overlap
//! - [`FilterSensitivity`], [`sensitive_filters`]: filters whose maps light up within boxes of a category
//! - [`lesion_effect`]: what switching filters off does to correlations with targets
//! - [`random_filters`], [`random_filter_tests`]: the same of equally many random filters
//!
//! Whether two correlations differ is a matter of [`behaviour`](crate::behaviour).
//!
//! The text of the paper (arXiv 2509.21384) was not at hand, so whatever is not stated in its captions is an option.
//!
//! # Not supported
//!
//! Files, networks and detectors (the callers'), masks instead of boxes, mean-ablation (a matter of the lesion).

mod area;
mod boxes;
mod cooccurrence;
mod corpus;
mod error;
mod importance;
mod lesion;
mod overlap;
mod params;
mod random;
mod select;
mod sensitivity;

#[cfg(test)]
mod tests;

pub use boxes::{DetectedObject, NoImportance, PictureBox};
pub use cooccurrence::{BinarySimilarity, CoOccurrence, co_occurrence, occurrences};
pub use corpus::{CategoryImportance, CorpusParams, corpus_importance};
pub use error::ObjectsError;
pub use importance::{ObjectImportance, importance};
pub use lesion::{LesionEffect, ModelEffect, NoEffect, Spread, lesion_effect};
pub use overlap::{Averaging, Overlap, OverlapParams, Pairing, overlap};
pub use params::{BoxSummary, MapParams, OverBoxes, ScaleOver, Scaling, Sign};
pub use random::{
    NoRandomTest, RandomFilterParams, RandomFilterTest, random_filter_tests, random_filters,
};
pub use select::{ClassRule, Cut, SelectParams, SelectedFilters, sensitive_filters};
pub use sensitivity::{FilterSensitivity, SensitivityParams};
