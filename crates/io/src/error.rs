//! What can be wrong with a file.

use std::fmt;
use std::path::{Path, PathBuf};

use consilience_core::CoreError;

use crate::nifti::Grid;

/// Shorthand for results of this crate.
pub type Result<T, E = IoError> = std::result::Result<T, E>;

/// A file that could not be read, written or fetched.
///
/// Readers of bytes know no path; whoever opened the file adds it once ([`IoError::At`]), so that it
/// stands last in the message.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IoError {
    /// A problem together with the file that has it.
    #[error("{problem}: {}", path.display())]
    At {
        /// What is wrong.
        problem: Box<IoError>,
        /// The file, or `file:entry`.
        path: PathBuf,
    },
    /// The operating system refused.
    #[error("cannot {action}: {source}")]
    Os {
        /// What was attempted, as a verb phrase.
        action: &'static str,
        /// The operating system's answer.
        source: std::io::Error,
    },
    /// The data end before they should.
    #[error(
        "{what} should have {expected} bytes, but {found} are left; the file is cut short: copy or make it again"
    )]
    Truncated {
        /// What was being read.
        what: &'static str,
        /// Bytes that the file announces.
        expected: u64,
        /// Bytes that are there (or can be, for compressed data).
        found: u64,
    },
    /// More than [`Limits`](crate::Limits) allows.
    #[error(
        "{what}: {found} is over the limit of {limit}; raise `{raise}` if the file is to be trusted"
    )]
    OverLimit {
        /// What was counted, with its unit.
        what: &'static str,
        /// What the file claims.
        found: u64,
        /// What is allowed.
        limit: u64,
        /// Field of [`Limits`](crate::Limits) that holds the limit.
        raise: &'static str,
    },
    /// Another kind of file than expected.
    #[error("not {expected}: the file starts with {found}")]
    WrongFormat {
        /// The kind that was expected, with its article.
        expected: &'static str,
        /// The first bytes, printable.
        found: String,
    },
    /// A file that breaks the rules of its format.
    #[error(
        "damaged {format}: {what} is {found}, expected {expected}; copy or make the file again"
    )]
    Malformed {
        /// The format.
        format: &'static str,
        /// The part that is wrong.
        what: &'static str,
        /// What stands there.
        found: String,
        /// What should.
        expected: &'static str,
    },
    /// A legal file that holds something this program does not read.
    #[error("{what} cannot be read; {cure}")]
    Unsupported {
        /// What was found.
        what: String,
        /// What to do about it.
        cure: &'static str,
    },
    /// A film without a picture.
    #[error("the film has no frames; check that it has a video track and was copied as a whole")]
    NoFrames,
    /// A span or rate that takes no frames of a film.
    #[error("{problem}: asked for {start} s to {end} s of a film of {duration:.3} s")]
    Span {
        /// What is wrong.
        problem: &'static str,
        /// Where the span begins, in seconds.
        start: f64,
        /// Where it ends, in seconds.
        end: f64,
        /// Length of the film in seconds.
        duration: f64,
    },
    /// A program that was called and failed.
    #[error("{program} failed: {message}")]
    Program {
        /// Name of the program.
        program: &'static str,
        /// What it said.
        message: String,
    },
    /// A pickle that asks for a Python object which is no part of a state dict.
    #[error(
        "the file asks for the Python object {name:?}, which weights do not need; nothing was executed: load it where it comes from and save its state_dict"
    )]
    PythonObject {
        /// Module and name of the object.
        name: String,
    },
    /// A name that is not in the file.
    #[error(
        "no {kind} {name:?}{}; there {}",
        suggestion(name, available),
        listing(available)
    )]
    Missing {
        /// What was looked for.
        kind: Named,
        /// The name that was asked for.
        name: String,
        /// The names there, in file order.
        available: Vec<String>,
    },
    /// A file with several things where one had to be named.
    #[error(
        "{} {kind}s and none was named; write FILE:NAME with one of {}",
        available.len(),
        names(available)
    )]
    Ambiguous {
        /// What has to be named.
        kind: Named,
        /// The names there, in file order.
        available: Vec<String>,
    },
    /// A position outside what is there.
    #[error("{what} [{index}] does not exist: there are {len}, counted from 0")]
    OutOfRange {
        /// What was indexed.
        what: String,
        /// The 0-based position.
        index: usize,
        /// Number of elements.
        len: usize,
    },
    /// A selector that cannot be read.
    #[error("selector {selector:?}: {found} at character {position}, expected {expected}")]
    Selector {
        /// The selector as typed.
        selector: String,
        /// 0-based character.
        position: usize,
        /// What stands there.
        found: String,
        /// What should.
        expected: &'static str,
    },
    /// Data of another kind than the caller needs.
    #[error("{what} is {found}, expected {expected}")]
    WrongKind {
        /// What was looked at.
        what: String,
        /// What it is.
        found: String,
        /// What it has to be.
        expected: &'static str,
    },
    /// A cell of a table that is not what its column has to be.
    #[error("row {row}, column {column}: found {found:?}, expected {expected}")]
    Cell {
        /// 1-based row, the header counted.
        row: u64,
        /// Name or 1-based number of the column.
        column: String,
        /// The text of the cell.
        found: String,
        /// What it has to be.
        expected: &'static str,
    },
    /// Several values of a long table where one was expected.
    #[error(
        "row {row} is the second one of {of}, expected one for each of them; ask for the mean of repeats, or leave rows out"
    )]
    Repeated {
        /// 1-based row, the header counted.
        row: u64,
        /// What it is the second one of.
        of: String,
    },
    /// A picture that several names of a table fit, or several names that mean one.
    #[error(
        "{name:?} fits {} of {among}: {}; expected one: tell them apart by their folders, or leave out the doubles",
        found.len(),
        names(found)
    )]
    SeveralPictures {
        /// The name.
        name: String,
        /// What the others stand in.
        among: &'static str,
        /// The names that fit.
        found: Vec<String>,
    },
    /// A rating that the declared scale does not have.
    #[error(
        "row {row}, column {column}: {value} is outside the scale from {} to {}; correct the table, or declare the scale that it is on",
        scale[0], scale[1]
    )]
    OutsideScale {
        /// 1-based row, the header counted.
        row: u64,
        /// Name of the column.
        column: String,
        /// The rating.
        value: f64,
        /// Both ends of the scale.
        scale: [f64; 2],
    },
    /// Another number of volumes than of what they belong to.
    #[error("{found} volumes of betas, expected {expected}, as many as {of}; {cure}")]
    VolumeCount {
        /// Volumes, or rows of a matrix.
        found: usize,
        /// How many there should be.
        expected: usize,
        /// What they are counted against.
        of: &'static str,
        /// What to do about it.
        cure: &'static str,
    },
    /// Betas of which nothing can be used.
    #[error(
        "none of the {n_voxels} voxels is left: {n_constant} are the same in all trials, {n_not_finite} are no finite numbers in some; check that masks, betas and trials belong together"
    )]
    NoVoxels {
        /// Voxels of the masks.
        n_voxels: usize,
        /// Those that do not vary.
        n_constant: usize,
        /// Those with NaN or infinities.
        n_not_finite: usize,
    },
    /// Numbers that are not RDMs.
    #[error("{problem}")]
    NotRdms {
        /// The rule that is broken.
        problem: CoreError,
    },
    /// Places that are no arrangements.
    #[error("{problem}")]
    NotTrials {
        /// The rule that is broken.
        problem: CoreError,
    },
    /// A mask on another grid than the image.
    #[error(
        "the grids differ: the mask has {found}, the image {expected}; bring the mask to the grid of the image (nearest neighbours)"
    )]
    GridMismatch {
        /// Grid of the mask.
        found: Box<Grid>,
        /// Grid of the image.
        expected: Box<Grid>,
    },
    /// A writer that was given another number of values than its shape says.
    #[error("{found} values were written to an array of shape {shape:?}, expected {expected}")]
    WrongCount {
        /// The announced shape.
        shape: Vec<usize>,
        /// Values of that shape.
        expected: u64,
        /// Values given.
        found: u64,
    },
    /// Content that is not the pinned one.
    #[error(
        "sha256 is {found}, expected {expected} ({n_bytes} bytes); the copy is not the published file: fetch it again, and if it happens twice the source has changed"
    )]
    WrongContent {
        /// Hash of what is there.
        found: String,
        /// Pinned hash.
        expected: String,
        /// Bytes of what is there.
        n_bytes: u64,
    },
    /// An address that is not fetched from.
    #[error("address refused: only https is fetched (http on this machine alone): {address}")]
    InsecureAddress {
        /// The address.
        address: String,
    },
    /// A server that could not be reached or broke off.
    #[error("download failed: {source}; run the same command again to resume: {address}")]
    Network {
        /// What the transport says.
        source: Box<dyn std::error::Error + Send + Sync>,
        /// The address.
        address: String,
    },
    /// A server that answered with something else than the file.
    #[error("the server answered with status {status}, expected 200 or 206: {address}")]
    Status {
        /// HTTP status.
        status: u16,
        /// The address.
        address: String,
    },
    /// A data set whose terms have to be accepted first.
    #[error(
        "{name} is under restricted terms ({licence}); read them and give --accept-terms to fetch it"
    )]
    TermsNotAccepted {
        /// Name in the catalogue.
        name: String,
        /// Licence in words.
        licence: String,
    },
}

/// Kinds of things that are looked up by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Named {
    /// An array of an `.npz` archive.
    Array,
    /// A variable of a `.mat` file.
    Variable,
    /// A field of a struct.
    Field,
    /// A column of a table.
    Column,
    /// A value of a column.
    Value,
    /// A tensor of a weights file.
    Tensor,
    /// A state dict of a checkpoint.
    StateDict,
    /// A region of an atlas.
    Label,
    /// A data set of the catalogue.
    DataSet,
}

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Array => "array",
            Self::Variable => "variable",
            Self::Field => "field",
            Self::Column => "column",
            Self::Value => "value",
            Self::Tensor => "tensor",
            Self::StateDict => "state dict",
            Self::Label => "label",
            Self::DataSet => "data set",
        })
    }
}

impl IoError {
    /// Whether the file does not exist.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        match self {
            Self::At { problem, .. } => problem.is_not_found(),
            Self::Os { source, .. } => source.kind() == std::io::ErrorKind::NotFound,
            _ => false,
        }
    }

    /// Whether a name inside a file does not exist.
    #[must_use]
    pub fn is_missing_name(&self) -> bool {
        match self {
            Self::At { problem, .. } => problem.is_missing_name(),
            Self::Missing { .. } => true,
            _ => false,
        }
    }

    /// Whether trying the same again may help (a connection that broke).
    #[must_use]
    pub fn is_network(&self) -> bool {
        match self {
            Self::At { problem, .. } => problem.is_network(),
            Self::Network { .. } => true,
            Self::Status { status, .. } => *status >= 500,
            _ => false,
        }
    }

    /// The same problem with the file that has it; the innermost file is kept.
    #[must_use]
    pub fn at(self, path: impl AsRef<Path>) -> Self {
        match self {
            Self::At { .. } => self,
            problem => Self::At {
                problem: Box::new(problem),
                path: path.as_ref().to_path_buf(),
            },
        }
    }

    pub(crate) fn os(action: &'static str) -> impl Fn(std::io::Error) -> Self {
        move |source| Self::Os { action, source }
    }

    pub(crate) fn malformed(
        format: &'static str,
        what: &'static str,
        found: impl fmt::Display,
        expected: &'static str,
    ) -> Self {
        Self::Malformed {
            format,
            what,
            found: found.to_string(),
            expected,
        }
    }

    /// The first bytes of a file that is of another kind, printable.
    pub(crate) fn wrong_format(expected: &'static str, bytes: &[u8]) -> Self {
        let head = &bytes[..bytes.len().min(8)];
        Self::WrongFormat {
            expected,
            found: if head.is_empty() {
                "nothing (it is empty)".into()
            } else {
                format!("\"{}\"", head.escape_ascii())
            },
        }
    }
}

/// Adds the path to the error of a reader of bytes.
pub(crate) trait AtPath<T> {
    fn at(self, path: impl AsRef<Path>) -> Result<T>;
}

impl<T> AtPath<T> for Result<T> {
    fn at(self, path: impl AsRef<Path>) -> Result<T> {
        self.map_err(|problem| problem.at(path))
    }
}

/// The first names of a list, quoted, and how many more there are.
fn names(available: &[String]) -> String {
    const SHOWN: usize = 12;
    let mut text = available
        .iter()
        .take(SHOWN)
        .map(|name| format!("{name:?}"))
        .collect::<Vec<_>>()
        .join(", ");
    if available.len() > SHOWN {
        text += &format!(" and {} more", available.len() - SHOWN);
    }
    text
}

fn listing(available: &[String]) -> String {
    match available.len() {
        0 => "is none".into(),
        1 => format!("is {}", names(available)),
        _ => format!("are {}", names(available)),
    }
}

fn suggestion(name: &str, available: &[String]) -> String {
    nearest(name, available).map_or_else(String::new, |near| format!(" (did you mean {near:?}?)"))
}

/// The available name with the fewest edits, if that is less than half of the name.
fn nearest<'a>(name: &str, available: &'a [String]) -> Option<&'a str> {
    // Long lists and names come from hostile files only.
    available
        .iter()
        .take(1000)
        .filter(|candidate| candidate.len() <= 200 && name.len() <= 200)
        .map(|candidate| {
            let distance = edit_distance(&name.to_lowercase(), &candidate.to_lowercase());
            (distance, candidate)
        })
        .min_by_key(|(distance, _)| *distance)
        .filter(|(distance, _)| 2 * distance < name.chars().count().max(2))
        .map(|(_, candidate)| candidate.as_str())
}

/// Levenshtein distance in characters.
fn edit_distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let substituted = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_levenshtein() {
        for (a, b, distance) in [
            ("", "abc", 3),
            ("kitten", "sitting", 3),
            ("same", "same", 0),
        ] {
            assert_eq!(edit_distance(a, b), distance);
        }
    }

    #[test]
    fn the_message_names_what_is_there_and_ends_with_the_path() {
        let error = IoError::Missing {
            kind: Named::Variable,
            name: "RDM".into(),
            available: vec!["RDMs".into(), "stimuli".into()],
        }
        .at("brain.mat")
        .at("ignored");
        assert_eq!(
            error.to_string(),
            "no variable \"RDM\" (did you mean \"RDMs\"?); there are \"RDMs\", \"stimuli\": brain.mat"
        );
        assert!(error.is_missing_name() && !error.is_not_found());
    }

    #[test]
    fn errors_cross_threads() {
        fn assert_send_sync<T: Send + Sync>() {}
        assert_send_sync::<IoError>();
    }
}
