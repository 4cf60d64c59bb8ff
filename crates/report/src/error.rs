//! What can keep a record from becoming a report.

/// Shorthand for results of this crate.
pub type Result<T> = std::result::Result<T, ReportError>;

/// A record or a figure that cannot be shown.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReportError {
    /// A record of another layout than this release reads.
    #[error(
        "the record has layout {found}, this release reads layout {expected}; render it with the release that wrote it, or run the study again"
    )]
    UnsupportedSchema {
        /// Layout that this release reads.
        expected: u32,
        /// Layout of the record.
        found: u32,
    },
    /// Two parts of a record that must agree in size do not.
    #[error(
        "the record is damaged: {what}: expected {expected}, found {found}; run the study again"
    )]
    ShapeMismatch {
        /// What was counted.
        what: String,
        /// The count that was needed.
        expected: usize,
        /// The count that was found.
        found: usize,
    },
    /// A part of a record refers to another one that is not there.
    #[error(
        "the record is damaged: {what}: position {position} of {n}, counted from 0; run the study again"
    )]
    NoSuchEntry {
        /// What was referred to, and by what.
        what: String,
        /// Its position.
        position: usize,
        /// How many there are.
        n: usize,
    },
    /// A part of a record refers to another one by a name that is not there.
    #[error("the record is damaged: {what}: there is no {name:?}; run the study again")]
    NoSuchName {
        /// What was referred to, and by what.
        what: String,
        /// The name.
        name: String,
    },
    /// The page template failed.
    #[error("the report template failed: {source}")]
    Template {
        /// What the template engine says.
        #[from]
        source: minijinja::Error,
    },
    /// A figure that is not readable as SVG.
    #[error("the figure is not readable as SVG: {source}")]
    Svg {
        /// What the parser says.
        #[from]
        source: resvg::usvg::Error,
    },
    /// A figure too large to be drawn, or without any area.
    #[error(
        "a figure of {width} × {height} pixels cannot be drawn; choose a scale that gives 1 to {limit} pixels a side"
    )]
    Canvas {
        /// Width asked for, in pixels.
        width: u32,
        /// Height asked for, in pixels.
        height: u32,
        /// Largest side.
        limit: u32,
    },
    /// Pixels that could not be written as PNG.
    #[error("the figure could not be written as PNG: {source}")]
    Png {
        /// What the encoder says.
        #[from]
        source: png::EncodingError,
    },
    /// A figure that could not be written as PDF.
    #[error("the figure could not be written as PDF: {what}")]
    Pdf {
        /// What stood in the way.
        what: String,
    },
}
