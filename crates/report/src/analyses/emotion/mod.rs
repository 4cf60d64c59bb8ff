//! Modules that read valence and arousal out of a network, and what they share with a region of the brain.

pub(super) mod check;
pub(super) mod figures;
mod methods;
mod scores;
mod second;
pub(super) mod section;
mod statements;
pub(super) mod tables;
