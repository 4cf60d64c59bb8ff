//! Object2Brain: objects that ratings rest on, and what becomes of their agreement without the filters for them.

mod changes;
pub(super) mod check;
pub(super) mod figures;
mod methods;
pub(super) mod section;
pub(super) mod tables;
