//! Occlusion: what a prediction owes to each place of a picture.
//!
//! A patch slides over the picture and covers one window after the other. [`Windows`] says which, and puts together what the
//! predictions of the covered pictures say of each pixel.

mod error;
#[cfg(test)]
mod tests;
mod windows;

pub use error::OcclusionError;
pub use windows::Windows;
