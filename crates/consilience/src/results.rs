//! The files of a finished study.

use std::io::Write;
use std::path::{Path, PathBuf};

use consilience_core::Record;
use consilience_io::{IoError, atomic};
use consilience_report::ReportError;

/// A folder of results that could not be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ResultsError {
    /// A file that could not be read or written.
    #[error(transparent)]
    File(#[from] IoError),
    /// A file that could not be opened.
    #[error("cannot read: {source} ({})", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// An older record that could not be removed.
    #[error("cannot replace: {source} ({})", path.display())]
    Irreplaceable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file that is not a record.
    #[error("not a record of consilience: {source}; give the record.json of a run ({})", path.display())]
    NotARecord {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// A record of another layout.
    #[error(
        "the record has layout version {found}, this release reads {expected}; use the release that wrote it ({})",
        path.display()
    )]
    OtherSchema {
        /// The file.
        path: PathBuf,
        /// Version in the file.
        found: u64,
        /// Version that is read.
        expected: u32,
    },
    /// A report that could not be drawn.
    #[error(transparent)]
    Report(#[from] ReportError),
}

/// Pixels of a PNG for each unit of its SVG: sharp at the size of a printed column.
const PNG_SCALE: f32 = 2.0;

/// Name of the record in a results folder.
pub const RECORD: &str = "record.json";

/// Writes a record with its tables, figures and page into `folder`:
/// `record.json`, `scores.csv` and the other tables of [`consilience_report::render`], `figures/*.svg`, `.png` and `.pdf`,
/// `report.html`.
///
/// The record comes last, and one of other content goes first: a folder with a record is complete.
///
/// # Errors
///
/// [`ResultsError::File`] and [`ResultsError::Irreplaceable`] when the disk refuses, [`ResultsError::Report`] when a figure cannot be
/// drawn.
pub fn write(record: &Record, folder: &Path) -> Result<Vec<PathBuf>, ResultsError> {
    let rendered = consilience_report::render(record)?;
    for folder in [folder, &folder.join("figures")] {
        atomic::clear_leftovers(folder);
    }
    let json = to_json(record);
    let path = folder.join(RECORD);
    if std::fs::read(&path).is_ok_and(|older| older != json) {
        std::fs::remove_file(&path)
            .map_err(|source| ResultsError::Irreplaceable { path, source })?;
    }
    let mut written = Vec::new();
    let mut put = |name: &str, bytes: &[u8]| -> Result<(), ResultsError> {
        let path = folder.join(name);
        atomic::write_atomically(&path, |file| file.write_all(bytes))?;
        written.push(path);
        Ok(())
    };
    for table in &rendered.tables {
        put(&table.name, table.csv.as_bytes())?;
    }
    for figure in &rendered.figures {
        put(
            &format!("figures/{}.svg", figure.name),
            figure.svg.as_bytes(),
        )?;
        put(
            &format!("figures/{}.png", figure.name),
            &consilience_report::png(&figure.svg, PNG_SCALE)?,
        )?;
        put(
            &format!("figures/{}.pdf", figure.name),
            &consilience_report::pdf(&figure.svg)?,
        )?;
    }
    put("report.html", rendered.html.as_bytes())?;
    put(RECORD, &json)?;
    Ok(written)
}

/// A record as the bytes of its file.
#[must_use]
pub fn to_json(record: &Record) -> Vec<u8> {
    let mut bytes = serde_json::to_vec_pretty(record).expect("a record is plain data");
    bytes.push(b'\n');
    bytes
}

/// Reads a record.
///
/// # Errors
///
/// [`ResultsError::Unreadable`], [`ResultsError::NotARecord`], [`ResultsError::OtherSchema`].
pub fn read_record(path: &Path) -> Result<Record, ResultsError> {
    let bytes = std::fs::read(path).map_err(|source| ResultsError::Unreadable {
        path: path.to_owned(),
        source,
    })?;
    let not_a_record = |source| ResultsError::NotARecord {
        path: path.to_owned(),
        source,
    };
    let value: serde_json::Value = serde_json::from_slice(&bytes).map_err(not_a_record)?;
    match value.get("schema").and_then(serde_json::Value::as_u64) {
        Some(found) if found != u64::from(Record::SCHEMA) => Err(ResultsError::OtherSchema {
            path: path.to_owned(),
            found,
            expected: Record::SCHEMA,
        }),
        _ => serde_json::from_value(value).map_err(not_a_record),
    }
}
