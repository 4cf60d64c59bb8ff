//! Experiments that drive a network.
//!
//! - [`head`]: heads that turn a cut network into a rater of pictures
//!
//! # Not here
//!
//! Files and study options (the callers'), statistics on arrays (`consilience-methods`), training of anything but a head
//! (`consilience-learn`).

mod error;
pub mod head;

pub use error::{ExperimentError, Result};
