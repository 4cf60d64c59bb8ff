//! Experiments that drive a network.
//!
//! - [`head`]: heads that turn a cut network into a rater of pictures
//! - [`appraise`]: their training on the features of pictures that people rated
//! - [`object2brain`]: which objects ratings rest on, and what they agree with without the filters of a category
//! - [`module`]: one module of nuclei as files: trained on features, read again, exchanged with the released program
//! - [`visual_emotion`]: modules that read valence and arousal out of a frozen network, their units, geometry and lesions
//!
//! # Not here
//!
//! Files and study options (the callers'), statistics on arrays (`consilience-methods`), training itself
//! (`consilience-learn`).

pub mod appraise;
mod error;
pub mod head;
pub mod module;
mod names;
pub mod object2brain;
pub mod visual_emotion;

pub use error::{ExperimentError, Result};
