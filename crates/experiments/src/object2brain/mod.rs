//! `EmoCAM`, `EmoCAM++` and Object2Brain: which objects a network's ratings rest on, through which filters, and what the
//! ratings agree with when these filters are switched off.
//!
//! By default the network ends at a layer and a [`RatingHead`](crate::head::RatingHead) turns the layer's activation into one number. What a filter
//! adds to the head's sum is then known, and so is its gradient, without a backward pass.
//!
//! - [`CutScan`]: takes the activations of one layer picture by picture and gives a [`LayerOutcome`]
//! - [`WholeScan`], [`HeadedNetwork`]: the same for an inner layer of a whole network, with a pass through the rest of it for each lesion
//! - [`boxes_as_seen`]: brings boxes of a picture into the frame that the network saw
//! - [`layer_map`]: the Grad-CAM map of a cut network
//! - [`categories`]: which classes of a detector make a category
//!
//! # Not supported
//!
//! Layers without positions, heads that learn again after a lesion.

pub mod categories;
mod correlate;
mod effects;
mod error;
mod gather;
mod inputs;
mod network;
mod outcome;
mod params;
mod random;
mod read_out;
mod record;
mod scan;
mod seen;
mod whole;

#[cfg(test)]
mod tests;

pub use error::Object2BrainError;
pub use inputs::{Category, CutLayer, ObjectInputs, PictureObjects};
pub use network::{HeadedNetwork, LayerGradients, Rest};
pub use outcome::{CategoryEffect, CategoryOutcome, LayerOutcome, NoLesion, NoTest};
pub use params::{LesionWith, LesionedNetwork, Object2BrainParams, Pool};
pub use read_out::layer_map;
pub use scan::CutScan;
pub use seen::{SeenObjects, boxes_as_seen};
pub use whole::{Passes, WholeScan};
