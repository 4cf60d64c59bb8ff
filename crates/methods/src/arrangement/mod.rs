//! Dissimilarities from arrangements: items that people drag on a screen so that distances show how
//! different they find them.
//!
//! - [`fit`](fit()): trials → RDM with the evidence for each pair (inverse MDS)
//! - [`next_trial`]: which items to show next, so that the weakest evidence grows (lift the weakest)
//! - [`split_half`], [`between_subjects`]: how reliable the RDM is
//!
//! # Not supported
//!
//! Arrangements in three dimensions, drags and their times, models of lapses.

mod fit;
mod inverse;
mod next;
mod params;
mod reliability;

#[cfg(test)]
mod tests;

pub use fit::{Arrangement, fit};
pub use next::{NextParams, NextTrial, next_trial};
pub use params::{ArrangementParams, Estimator, ScreenUnit, Weighting};
pub use reliability::{BetweenSubjects, SplitHalf, between_subjects, split_half};
