//! Experiments that drive a network.
//!
//! - [`head`]: heads that turn a cut network into a rater of pictures
//! - [`appraise`]: their training on the features of pictures that people rated
//! - [`object2brain`]: which objects ratings rest on, and what they agree with without the filters of a category
//!
//! # Not here
//!
//! Files and study options (the callers'), statistics on arrays (`consilience-methods`), training of anything but a head
//! (`consilience-learn`).

pub mod appraise;
mod error;
pub mod head;
mod names;
pub mod object2brain;

pub use error::{ExperimentError, Result};
