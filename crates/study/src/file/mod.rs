//! The study file: what a user writes, as it is written.
//!
//! One struct per table, keys in kebab-case, unknown keys refused with a suggestion. The doc
//! comments here are the reference of study options (`docs/reference/study.md`).

mod appraisal;
mod emotion;
mod options;
mod parse;
mod preprocessing;
mod rated;
mod targets;

pub use appraisal::{AppraisalOptions, ObjectsOptions};
pub use emotion::EmotionOptions;
pub use options::{
    Analysis, EditOptions, ExpectOptions, ModelOptions, Pool, ReportOptions, RsaOptions,
    StimuliOptions, Study, StudyOptions,
};
pub use parse::{KeyPath, Location, Override, StudyText};
pub use preprocessing::{Extent, PreprocessingChoice, PreprocessingOptions};
pub use rated::RatedPicturesOptions;
pub use targets::TargetOptions;
