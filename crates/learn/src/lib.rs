//! Gradients and training on the graph, through burn.
//!
//! [`Differentiable`] computes the same [`Graph`](consilience_models::Graph) that the executors of
//! `consilience-models` run, with operations that know their derivatives: gradients of any number
//! that the activations give, with respect to any layer and to the images.
//!
//! # Not supported
//!
//! Operators beyond those of the architectures and of the networks that we publish tests for (an
//! error names the operator); second derivatives; networks that insist on several images at once.

mod differentiable;
mod error;
pub mod gradcam;
mod interpret;
pub mod train;
mod value;
pub mod verify;

pub use differentiable::{Differentiable, Functional, Gradients, Scalar};
pub use error::{Fault, LearnError, Result};
pub use gradcam::{Filters, GradCam, GradCamParams, Target, gradcam};
pub use value::Precision;
