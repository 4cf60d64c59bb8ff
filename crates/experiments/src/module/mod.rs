//! One module of nuclei on its own: trained on features, kept as files, read again, exchanged with the released program.
//!
//! - [`train()`]: a module that learns from the features of rated pictures, with a checkpoint after every epoch
//! - [`Trained`]: a module that predicts, with [`Description`] of all that prediction needs; two files in a folder
//! - [`Reader::occlude`]: where in pictures their predicted ratings come from
//! - [`import`], [`export`]: the names and the order of outputs of the released weights
//!
//! What modules are made of is in [`visual_emotion`](crate::visual_emotion), how they learn in `consilience_learn::train`.
//!
//! # References
//!
//! Liu P, Bo K, Chen Y, Keil A, Ding M, Fang R 2025, doi:10.1101/2025.10.20.683439.
//!
//! # Not here
//!
//! Networks and pictures (the callers'); folds, repeats and what they show ([`visual_emotion`](crate::visual_emotion)).

mod description;
mod error;
mod exchange;
mod occlusion;
#[cfg(test)]
mod tests;
mod trained;
mod training;

pub use description::{Description, Encoder, Learnt, RATINGS};
pub use error::ModuleError;
pub use exchange::{export, import, released_width};
pub use occlusion::{Occlusion, Reader};
pub use trained::{Prediction, Trained};
pub use training::{Examples, Lesson, train};
