//! The science on arrays, one module a question.
//!
//! A method is a pure function from arrays and a parameter struct to a result; nothing here reads
//! a file, a clock or an ambient random number.
//!
//! # Not here
//!
//! Files (`consilience-io`), networks (`consilience-models`), figures (`consilience-report`).

pub mod appraisal;
pub mod arrangement;
pub mod behaviour;
mod compat;
mod correct;
pub mod emotion;
pub mod encoding;
mod error;
pub mod group;
mod interval;
pub mod lowlevel;
pub mod mds;
mod names;
mod nan;
pub mod objects;
pub mod occlusion;
pub mod rdm;
pub mod reliability;
pub mod rsa;
#[cfg(test)]
mod simulation;
pub mod single_trial;

pub use compat::Compat;
pub use error::{MethodsError, PatternId, Result};
pub use nan::NanPolicy;
