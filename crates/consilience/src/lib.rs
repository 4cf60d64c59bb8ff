//! How well do vision models agree with behaviour and with the brain, how sure is that, and what
//! does it rest on?
//!
//! This crate re-exports the layers under their short names; it is the one stable Rust surface,
//! and the command line and the Python package are made from it.
//!
//! ```no_run
//! use consilience::study::{self, Cache, Places, Silent, file::StudyText};
//!
//! let text = StudyText::new("study.toml", std::fs::read_to_string("study.toml")?);
//! let places = Places::new(".", &[]);
//! let prepared = study::prepare(&text.parse(&[])?, &places, Default::default(), 2)?;
//! let record = study::run(&prepared, &text, &[], &Cache::new("cache"), 2, &Silent)?;
//! println!("{}", record.answer);
//! consilience::results::write(&record, "results".as_ref())?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub use consilience_core as core;
pub use consilience_experiments as experiments;
pub use consilience_io as io;
pub use consilience_learn as learn;
pub use consilience_methods as methods;
pub use consilience_models as models;
pub use consilience_report as report;
pub use consilience_stats as stats;
pub use consilience_study as study;

pub mod detection;
pub mod results;
pub mod topics;
