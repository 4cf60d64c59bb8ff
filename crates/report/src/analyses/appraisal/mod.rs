//! Networks as raters: heads on cut networks, correlated with ratings and brain targets.

pub(super) mod check;
pub(super) mod figures;
mod methods;
mod scores;
pub(super) mod section;
pub(super) mod tables;
