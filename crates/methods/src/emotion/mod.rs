//! Valence and arousal: predicted, binned, and in the units and geometry of a network and of the brain.
//!
//! - [`prediction`](prediction()), [`plane_agreement`], [`energy_distance`]: how well predicted ratings follow the given ones; the best they can is in
//!   [`reliability_of_means`](crate::appraisal::reliability_of_means), means in quantiles in [`quantile_table`](crate::behaviour::quantile_table)
//! - [`RatingScale`], [`bins`](bins()): scales, and items in nine bins of valence and arousal
//! - [`bin_selectivity`], [`count_changes`]: units that are selective for a bin, by layer, by chance, before and after training
//! - [`tuning_curves`], [`overlap`](overlap()), [`overlap_in_layers`], [`same_bin`], [`same_preference`], [`consistent_units`]: what units respond
//!   to, in one data set and in another
//! - [`emotion_rdm`], [`Geometry`], [`trajectory`], [`participation_ratio`]: geometry of layers over epochs
//! - [`region_rdms`], [`region_rsa`]: the geometry of a region such as the amygdala, and how models agree with it
//! - [`attention_entropy`]: how widely attention is spread
//!
//! # Not supported
//!
//! Missing ratings, rotated axes of the circumplex, more than three steps of an axis.

mod attention;
mod bins;
mod brain;
mod error;
mod geometry;
mod overlap;
mod partial;
mod plane;
mod prediction;
mod preference;
mod scale;
mod strata;
mod tally;
mod tuning;
mod units;

#[cfg(test)]
mod tests;

pub use attention::{AttentionEntropy, attention_entropy};
pub use bins::{BinParams, Bins, Edges, bins};
pub use brain::{RegionRdms, RegionRsa, RegionRsaParams, RegionScore, region_rdms, region_rsa};
pub use error::EmotionError;
pub use geometry::{
    EmotionModel, Geometry, GeometryParams, Trajectory, emotion_rdm, participation_ratio,
    trajectory,
};
pub use overlap::{ConsistentUnits, Overlap, consistent_units, overlap};
pub use plane::{PlaneAgreement, energy_distance, plane_agreement};
pub use prediction::{
    Prediction, PredictionIntervals, PredictionMetrics, PredictionParams, Refit, prediction,
};
pub use preference::{SamePreference, same_preference, shared_bins};
pub use scale::RatingScale;
pub use strata::{overlap_in_layers, same_bin};
pub use tuning::{TuningCurves, tuning_curves};
pub use units::{
    BinSelectivity, BinSelectivityParams, CountChange, LayerChanges, LayerCounts, UnitCount,
    UnitRange, bin_selectivity, count_changes,
};
