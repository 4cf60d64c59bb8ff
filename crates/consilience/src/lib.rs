//! How well do vision models agree with behaviour and with the brain?
//!
//! This crate re-exports the layers under their short names; it is the one stable Rust surface.
pub use consilience_core as core;
pub use consilience_io as io;
pub use consilience_methods as methods;
pub use consilience_models as models;
pub use consilience_report as report;
pub use consilience_stats as stats;
pub use consilience_study as study;
