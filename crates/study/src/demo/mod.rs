//! What the built-in demo study is made of: pictures, a network and simulated subjects.

pub mod design;
mod dice;
mod error;
mod layout;
pub mod network;
#[cfg(test)]
mod recovery;
pub mod stimuli;
pub mod subjects;

pub use error::DemoError;
pub use layout::write;
pub use stimuli::{Category, draw};
