//! Low-level features of pictures, as controls: what a model or brain RDM owes to pixels, luminance, orientation and
//! spatial frequency.
//!
//! [`image_features`] turns pictures into rows of features; their [`rdm`](crate::rdm::rdm()) is the control, in partial
//! correlation or regression ([`rsa`](crate::rsa)) beside the RDM of interest.
//!
//! # Not supported
//!
//! Colour in the oriented energy and the spectrum, monitor calibration, viewing distance.

mod features;
mod gist;
mod grey;
mod params;
mod spectrum;

#[cfg(test)]
mod tests;

pub use features::image_features;
pub use params::{ImageFeature, ImageFeatureParams};
