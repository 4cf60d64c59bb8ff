//! Networks as raters: what their ratings of pictures are compared with, and how well they follow it.
//!
//! - [`brain_ratings`]: ratings of pictures read from patterns of the brain, each by models that did not see the picture
//! - [`appraisal`]: correlations of networks' ratings with targets over subsets of the pictures, and their differences
//! - [`target_reliability`], [`reliability_of_means`]: how reliable a target is, which limits what any network can reach
//!
//! # Not supported
//!
//! Pictures that a target lacks (leave them out before), repeated measures other than runs, mixed-effects models.

mod brain;
mod ceiling;
mod error;
mod params;
mod table;

#[cfg(test)]
mod tests;

pub use brain::{BrainRatings, SubjectRatings, brain_ratings};
pub use ceiling::{
    TargetCeiling, TargetReliability, p_below_ceiling, reliability_of_means, target_reliability,
};
pub use error::AppraisalError;
pub use params::{AppraisalParams, BrainModel, BrainRatingsParams, FoldMeans, SubjectPooling};
pub use table::{AppraisalOutcome, appraisal};
