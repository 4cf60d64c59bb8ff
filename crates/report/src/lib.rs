//! Record to figures and one self-contained HTML page.
//!
//! Everything is a pure function of a [`Record`]: no file, clock, font or
//! network is asked, so an old run can be rendered again and gives the same bytes.
//!
//! ```
//! use consilience_core::{Provenance, Record, StudyInfo};
//!
//! let record = Record {
//!     schema: Record::SCHEMA,
//!     study: StudyInfo { title: "Empty".into(), description: None, source: String::new(), overrides: vec![] },
//!     answer: "Nothing was asked.".into(),
//!     stimuli: vec![],
//!     analyses: vec![],
//!     expectations: vec![],
//!     warnings: vec![],
//!     provenance: Provenance {
//!         version: "0.1.0".into(), plan_blake3: String::new(), seed: 1,
//!         inputs: vec![], models: vec![], citations: vec![],
//!     },
//! };
//! let rendered = consilience_report::render(&record)?;
//! assert!(rendered.html.contains("Nothing was asked."));
//! # Ok::<(), consilience_report::ReportError>(())
//! ```
//!
//! # Not here
//!
//! Files (the caller writes what [`render`] returns, whole or not at all), statistics (a report
//! shows what the record holds and computes no p-value), brain maps.

mod analyses;
mod csv;
mod error;
mod figures;
mod html;
mod methods;
mod palette;
mod pdf;
mod predictions;
mod raster;
mod scale;
mod section;
mod svg;
mod text;
mod view;

use consilience_core::Record;

pub use csv::Table;
pub use error::{ReportError, Result};
pub use figures::boxes::{BoxMark, boxes_svg};
pub use figures::occlusion::{OccludedPicture, RatingMap, occlusion_svg};
pub use palette::colour;
pub use pdf::pdf;
pub use predictions::{PredictedPicture, predictions_page};
pub use raster::png;

/// A figure as a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Figure {
    /// File name without ending, unique in the report, e.g. `"rsa-1-layers"`.
    pub name: String,
    /// Short title.
    pub title: String,
    /// What every mark means, in full sentences.
    pub caption: String,
    /// The picture in light colours; [`png()`] makes pixels of it.
    pub svg: String,
}

/// Everything that a report consists of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// The page: one file that loads nothing.
    pub html: String,
    /// The figures, analysis by analysis.
    pub figures: Vec<Figure>,
    /// The tables, `scores.csv` first; see [`render`].
    pub tables: Vec<Table>,
}

/// Renders a record.
///
/// # Tables
///
/// Analyses of one kind share their tables; the first column says which one a row is of.
///
/// | kind | tables |
/// |---|---|
/// | RSA | `scores.csv`, `differences.csv` |
/// | Object2Brain | `scores.csv`, `overlap.csv`, `co_occurrence.csv`, `importance.csv` |
/// | appraisal | `scores.csv`, `correlation_differences.csv`, `predictions.csv`, `raters.csv`, `targets.csv` |
/// | visual emotion | `scores.csv`, `emotion_predictions.csv`, `history.csv`, `module_comparisons.csv`, `nuclei.csv`, `bins.csv`, `selectivity.csv`, `tuning.csv`, `geometry.csv`, `regions.csv`, `region_epochs.csv`, `gains.csv` |
///
/// `scores.csv` belongs to the first kind of this list that the record has. Beside it, the scores of Object2Brain are
/// `object2brain-scores.csv`, those of the appraisal `correlations.csv`, those of
/// modules of visual emotion `emotion-scores.csv`.
///
/// # Errors
///
/// [`ReportError::UnsupportedSchema`] for a record of another layout,
/// [`ReportError::ShapeMismatch`] and [`ReportError::NoSuchEntry`] for one whose parts do not fit together.
pub fn render(record: &Record) -> Result<Rendered> {
    analyses::check(record)?;
    let plates = analyses::plates(record);
    let tables = analyses::tables(record);
    Ok(Rendered {
        html: html::page(record, &plates, &tables)?,
        figures: plates.iter().flatten().map(figures::arrange).collect(),
        tables,
    })
}
