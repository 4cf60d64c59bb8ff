//! Representational similarity analysis.

pub(super) mod check;
pub(super) mod figures;
mod methods;
mod scores;
pub(super) mod section;
pub(super) mod tables;
