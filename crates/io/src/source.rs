//! From an argument such as `file.npz:key` to an array.

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::error::AtPath;
use crate::mat::MatFile;
use crate::{AnyArray, IoError, Limits, Result, npy, npz, table};

/// A file and, where it holds several things, the name of one.
///
/// # Example
///
/// ```
/// use consilience_io::source::Source;
/// let source: Source = "brain.mat:RDMs[3].RDM".parse().unwrap();
/// assert_eq!(source.path.to_str(), Some("brain.mat"));
/// assert_eq!(source.selector.as_deref(), Some("RDMs[3].RDM"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The file.
    pub path: PathBuf,
    /// Key of an `.npz` archive or selector of a `.mat` file.
    pub selector: Option<String>,
}

/// Endings after which a colon starts a selector.
const WITH_SELECTOR: [&str; 2] = [".npz:", ".mat:"];

impl Source {
    /// Splits `FILE.npz:KEY` and `FILE.mat:SELECTOR`; every other text is a path as it stands, so that
    /// a drive letter or a colon in a name is no selector.
    #[must_use]
    pub fn parse(spec: &str) -> Self {
        // ASCII case folding keeps byte positions.
        let folded = spec.to_ascii_lowercase();
        let colon = WITH_SELECTOR
            .iter()
            .filter_map(|ending| Some(folded.find(ending)? + ending.len() - 1))
            .min();
        match colon {
            Some(colon) => Self {
                path: spec[..colon].into(),
                selector: Some(spec[colon + 1..].to_owned()),
            },
            None => Self {
                path: spec.into(),
                selector: None,
            },
        }
    }

    /// The kind of file, by its ending.
    ///
    /// # Errors
    ///
    /// [`IoError::Unsupported`] for an ending that holds no arrays.
    pub fn format(&self) -> Result<Format> {
        let ending = self
            .path
            .extension()
            .and_then(|ending| ending.to_str())
            .unwrap_or_default()
            .to_ascii_lowercase();
        match ending.as_str() {
            "npy" => Ok(Format::Npy),
            "npz" => Ok(Format::Npz),
            "mat" => Ok(Format::Mat),
            "csv" | "tsv" => Ok(Format::Table),
            _ => Err(IoError::Unsupported {
                what: format!("a file ending in {ending:?} as an array"),
                cure: "give a .npy, .npz:KEY, .mat:VARIABLE, .csv or .tsv file",
            }
            .at(&self.path)),
        }
    }
}

impl FromStr for Source {
    type Err = std::convert::Infallible;

    fn from_str(spec: &str) -> std::result::Result<Self, Self::Err> {
        Ok(Self::parse(spec))
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.path.display())?;
        self.selector
            .iter()
            .try_for_each(|selector| write!(f, ":{selector}"))
    }
}

/// Kinds of files that hold arrays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// NumPy array.
    Npy,
    /// NumPy archive.
    Npz,
    /// MATLAB file.
    Mat,
    /// CSV or TSV.
    Table,
}

/// Reads the array that an argument names, within the default [`Limits`].
///
/// # Shapes
///
/// Those of the file: a `.csv` or `.tsv` is two-dimensional (a header row and a column of names are
/// left out), a `.mat` variable has at least two axes, a cell array or field of a struct array one
/// more ([`MatValue::into_array`](crate::mat::MatValue::into_array)).
///
/// # Errors
///
/// [`IoError`]; when several arrays are in the file and none is named, their names are listed.
///
/// # Example
///
/// ```
/// # let folder = tempfile::tempdir().unwrap();
/// # let path = folder.path().join("x.csv");
/// # std::fs::write(&path, "a,b\n1,2\n3,4\n").unwrap();
/// let array = consilience_io::source::load_array(path.to_str().unwrap())?;
/// assert_eq!(array.shape(), [2, 2]);
/// # Ok::<(), consilience_io::IoError>(())
/// ```
pub fn load_array(spec: &str) -> Result<AnyArray> {
    read_array(&Source::parse(spec), &Limits::default())
}

/// [`load_array`] for a parsed argument and other limits.
///
/// # Errors
///
/// As [`load_array`].
pub fn read_array(source: &Source, limits: &Limits) -> Result<AnyArray> {
    let path = &source.path;
    match source.format()? {
        Format::Npy => npy::read_with(path, limits),
        Format::Npz => npz::read_with(path, source.selector.as_deref(), limits),
        Format::Mat => MatFile::read_with(path, limits)?
            .select_or_only(source.selector.as_deref())
            .and_then(|value| value.into_array())
            .at(source.to_string()),
        Format::Table => {
            let matrix = table::read_matrix_with(path, limits)?;
            Ok(AnyArray::F64(matrix.values.into_dyn()))
        }
    }
}

/// Reads a whole file, refusing one over the limit before memory is reserved.
pub(crate) fn read_file(path: &Path, limits: &Limits) -> Result<Vec<u8>> {
    let read = || -> Result<Vec<u8>> {
        let file = File::open(path).map_err(IoError::os("open the file"))?;
        let metadata = file.metadata().map_err(IoError::os("inspect the file"))?;
        let limit = limits.max_file_bytes;
        let over = |found| IoError::OverLimit {
            what: "bytes of the file",
            found,
            limit,
            raise: "max_file_bytes",
        };
        if metadata.len() > limit {
            return Err(over(metadata.len()));
        }
        let mut bytes = Vec::with_capacity(metadata.len() as usize);
        // A device or a growing file has more than its size says.
        let n_read = file
            .take(limit.saturating_add(1))
            .read_to_end(&mut bytes)
            .map_err(IoError::os("read the file"))?;
        if n_read as u64 > limit {
            return Err(over(n_read as u64));
        }
        Ok(bytes)
    };
    read().at(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_selector_follows_an_ending_that_takes_one() {
        for (spec, path, selector) in [
            ("a/b.npy", "a/b.npy", None),
            ("b.npz", "b.npz", None),
            ("b.npz:key", "b.npz", Some("key")),
            ("b.NPZ:Key", "b.NPZ", Some("Key")),
            ("b.npz:odd:key", "b.npz", Some("odd:key")),
            (
                "C:\\data\\b.mat:RDMs[0].RDM",
                "C:\\data\\b.mat",
                Some("RDMs[0].RDM"),
            ),
            ("C:\\data\\b.npy", "C:\\data\\b.npy", None),
            ("12:30/b.csv", "12:30/b.csv", None),
        ] {
            let source = Source::parse(spec);
            assert_eq!(source.path, Path::new(path), "{spec}");
            assert_eq!(source.selector.as_deref(), selector, "{spec}");
            assert_eq!(source.to_string(), spec);
        }
    }

    #[test]
    fn an_unknown_ending_says_which_are_known() {
        let message = load_array("x.xlsx").unwrap_err().to_string();
        assert!(
            message.contains("\"xlsx\"") && message.contains(".npy"),
            "{message}"
        );
        assert!(load_array("none.npy").unwrap_err().is_not_found());
    }

    #[test]
    fn a_file_over_the_limit_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("big.csv");
        std::fs::write(&path, "1,2\n3,4\n").unwrap();
        let limits = Limits {
            max_file_bytes: 4,
            ..Limits::default()
        };
        let source = Source::parse(path.to_str().unwrap());
        let message = read_array(&source, &limits).unwrap_err().to_string();
        assert!(message.contains("max_file_bytes"), "{message}");
    }
}
