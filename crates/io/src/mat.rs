//! MATLAB files, format 5 to 7.2 (what `save` writes without `-v7.3`).
//!
//! Reads numeric and logical arrays of any number of axes, text, cells and structs, compressed or not,
//! either byte order. Axes are those of MATLAB, indices count from 0: `X(2, 1)` is `x[[1, 0]]`.
//! Sparse and complex arrays, objects and function handles are refused when they are asked for, so
//! that the other variables of their file can be read.
//!
//! # Selectors
//!
//! A selector names one value: a variable, then any number of `.field` and `[index]` steps.
//!
//! | selector | gives |
//! |---|---|
//! | `RDMs` | the variable |
//! | `RDMs[3]` | element 3, counted from 0 along the first axis first (MATLAB's `RDMs(4)`) |
//! | `RDMs.RDM` | the field of every element, as a cell with the axes of the struct array |
//! | `RDMs[3].RDM` | the field of one element |
//!
//! # Peers
//!
//! `scipy.io.loadmat` 1.17: same values and axes, on the files of the Kriegeskorte et al. (2008) data
//! and on generated ones. SciPy gives structs as record arrays and text as NumPy strings.
//!
//! # References
//!
//! MathWorks, *MAT-File Format* (version 5 chapter).

use std::path::Path;

use crate::error::AtPath;
use crate::{IoError, Limits, Named, Result};

mod bytes;
mod element;
mod numbers;
mod selector;
mod value;

pub use value::{MatCell, MatStruct, MatText, MatValue};

use bytes::{Bytes, Endian};
use element::{Budget, Entry};
use selector::Step;

pub(crate) const FORMAT: &str = "mat file";
const N_HEADER: usize = 128;

/// An open MATLAB file: its bytes and where each variable lies. A variable is decoded when it is
/// asked for.
#[derive(Debug)]
pub struct MatFile {
    bytes: Vec<u8>,
    endian: Endian,
    entries: Vec<Entry>,
    limits: Limits,
}

impl MatFile {
    /// Opens a file within the default [`Limits`].
    ///
    /// # Errors
    ///
    /// [`IoError`] when the file cannot be read, is damaged, or is of MATLAB 4 or 7.3.
    pub fn read(path: impl AsRef<Path>) -> Result<Self> {
        Self::read_with(path, &Limits::default())
    }

    /// [`read`](Self::read) with other limits.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read).
    pub fn read_with(path: impl AsRef<Path>, limits: &Limits) -> Result<Self> {
        let path = path.as_ref();
        let bytes = crate::source::read_file(path, limits)?;
        Self::from_bytes(bytes, limits).at(path)
    }

    /// Takes the bytes of a file.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read).
    pub fn from_bytes(bytes: Vec<u8>, limits: &Limits) -> Result<Self> {
        let endian = check_header(&bytes)?;
        let entries = element::index(Bytes::new(&bytes[N_HEADER..], endian), limits)?;
        Ok(Self {
            bytes,
            endian,
            entries,
            limits: *limits,
        })
    }

    /// The names of the variables, in file order.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.entries.iter().map(|e| e.name.clone()).collect()
    }

    /// Decodes one variable.
    ///
    /// # Errors
    ///
    /// [`IoError::Missing`] lists the variables there; [`IoError`] when it is damaged or over the
    /// limits.
    pub fn variable(&self, name: &str) -> Result<MatValue> {
        let entry = self
            .entries
            .iter()
            .find(|entry| entry.name == name)
            .ok_or_else(|| IoError::Missing {
                kind: Named::Variable,
                name: name.to_owned(),
                available: self.names(),
            })?;
        let bytes = Bytes::new(&self.bytes[N_HEADER..], self.endian);
        element::decode(bytes, entry, &mut Budget::new(&self.limits))
    }

    /// The value that a selector names (see the [module](self)).
    ///
    /// # Errors
    ///
    /// [`IoError::Selector`] when it cannot be read; [`IoError::Missing`] and
    /// [`IoError::OutOfRange`] when it names nothing; else as [`variable`](Self::variable).
    pub fn select(&self, selector: &str) -> Result<MatValue> {
        let (variable, steps) = selector::parse(selector)?;
        let mut value = self.variable(&variable)?;
        for step in steps {
            value = match step {
                Step::Field(field) => value.into_field(&field)?,
                Step::Index(index) => value.into_element(index)?,
            };
        }
        Ok(value)
    }

    /// The value that `selector` names, or the only variable when there is none.
    ///
    /// # Errors
    ///
    /// [`IoError::Ambiguous`] lists the variables when there are several; else as
    /// [`select`](Self::select).
    pub fn select_or_only(&self, selector: Option<&str>) -> Result<MatValue> {
        match (selector, self.entries.as_slice()) {
            (Some(selector), _) => self.select(selector),
            (None, [only]) => self.variable(&only.name),
            (None, _) => Err(IoError::Ambiguous {
                kind: Named::Variable,
                available: self.names(),
            }),
        }
    }
}

/// Tells the versions apart and gives the byte order.
fn check_header(bytes: &[u8]) -> Result<Endian> {
    const HDF5: &[u8] = b"\x89HDF\r\n\x1a\n";
    let is_hdf5 = |at: usize| bytes.get(at..).is_some_and(|rest| rest.starts_with(HDF5));
    if bytes.starts_with(b"MATLAB 7.3") || is_hdf5(0) || is_hdf5(512) {
        return Err(IoError::Unsupported {
            what: "a MATLAB 7.3 file (HDF5)".into(),
            cure: "save it again in MATLAB with save(..., '-v7')",
        });
    }
    if looks_like_version_4(bytes) {
        return Err(IoError::Unsupported {
            what: "a file that looks like MATLAB 4".into(),
            cure: "save it again in MATLAB with save(..., '-v7')",
        });
    }
    let Some(header) = bytes.get(..N_HEADER) else {
        return Err(if bytes.starts_with(b"MATLAB") {
            IoError::Truncated {
                what: "the header",
                expected: N_HEADER as u64,
                found: bytes.len() as u64,
            }
        } else {
            IoError::wrong_format("a MATLAB file", bytes)
        });
    };
    let endian = match &header[126..128] {
        b"IM" => Endian::Little,
        b"MI" => Endian::Big,
        _ => return Err(IoError::wrong_format("a MATLAB file", bytes)),
    };
    let version = endian.u16([header[124], header[125]]);
    if version != 0x0100 {
        return Err(IoError::malformed(
            FORMAT,
            "the version",
            format!("{version:#06x}"),
            "0x0100",
        ));
    }
    Ok(endian)
}

/// Version 4 has no magic: it starts with five small integers (type, rows, columns, imaginary part,
/// length of the name).
fn looks_like_version_4(bytes: &[u8]) -> bool {
    [Endian::Little, Endian::Big].into_iter().any(|endian| {
        let words: Vec<u32> = bytes
            .chunks_exact(4)
            .take(5)
            .map(|b| endian.u32([b[0], b[1], b[2], b[3]]))
            .collect();
        matches!(*words, [0..5000, _, _, 0 | 1, 1..=256])
    })
}

#[cfg(test)]
mod tests;
