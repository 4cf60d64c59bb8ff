//! What can go wrong in an experiment.

use consilience_learn::LearnError;
use consilience_methods::MethodsError;
use consilience_methods::occlusion::OcclusionError;
use consilience_models::ModelError;

use crate::appraise::AppraiseError;
use crate::module::ModuleError;
use crate::object2brain::Object2BrainError;
use crate::visual_emotion::VisualEmotionError;

/// Result of this crate.
pub type Result<T, E = ExperimentError> = std::result::Result<T, E>;

/// An experiment that could not be done.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExperimentError {
    /// Of the network.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// Of gradients or training.
    #[error(transparent)]
    Learn(#[from] LearnError),
    /// Of the statistics.
    #[error(transparent)]
    Methods(#[from] MethodsError),
    /// Of a patch that covers windows of pictures.
    #[error(transparent)]
    Occlusion(#[from] OcclusionError),
    /// Of heads that rate.
    #[error(transparent)]
    Appraise(#[from] AppraiseError),
    /// Of objects, categories and lesions.
    #[error(transparent)]
    Object2Brain(#[from] Object2BrainError),
    /// Of modules that read valence and arousal.
    #[error(transparent)]
    VisualEmotion(#[from] VisualEmotionError),
    /// Of a module's files, or what it reads.
    #[error(transparent)]
    Module(#[from] ModuleError),
    /// Arrays that do not fit together.
    #[error("expected {expected} {what}, found {found}")]
    Count {
        /// Of what.
        what: &'static str,
        /// As many as there should be.
        expected: usize,
        /// As many as there are.
        found: usize,
    },
}
