//! From a study file to a record: order of work, cache, seeds, progress and warnings.
//!
//! `Study` mirrors the file, [`Plan`] has everything resolved, [`run()`] turns it into a
//! [`Record`](consilience_core::Record).
//!
//! ```text
//! text ─parse→ Study ─prepare→ Plan + sources ─run→ Record
//! ```

mod activations;
mod answers;
mod appraisal;
mod cache;
mod citations;
pub mod demo;
mod emotion;
mod error;
pub mod extraction;
pub mod file;
mod objects;
mod places;
mod plan;
pub mod planted;
mod prepare;
mod progress;
pub mod reduce;
mod rsa;
mod run;
mod templates;

pub use cache::Cache;
pub use error::{Failure, Result, StudyError};
pub use places::{Places, pictures_and_films_in, pictures_in};
pub use plan::{
    Plan, PlannedAnalysis, PlannedAppraisal, PlannedBoxes, PlannedClip, PlannedControl,
    PlannedEdit, PlannedElsewhere, PlannedEmotion, PlannedExpectation, PlannedInner, PlannedLayer,
    PlannedLearnt, PlannedModel, PlannedModule, PlannedObjects, PlannedRating, PlannedRegion,
    PlannedRsa, PlannedSet, PlannedStimulus, PlannedTarget, PlannedTraining,
};
pub use prepare::{
    GivenRatings, LoadedRating, ObjectSource, ObjectSources, OtherObjects, Prepared, RatingSource,
    module_augmentation, module_learning, prepare,
};
pub use progress::{Progress, Silent};
pub use run::run;
pub use templates::{TEMPLATES, Template};

/// The entry of `known` that is closest to `name`, when one is close enough to be a misspelling.
pub fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    known
        .map(|candidate| (strsim::damerau_levenshtein(name, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= 1 + candidate.len().max(name.len()) / 3)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}
