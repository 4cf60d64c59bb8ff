//! Weights in files beside the model.

use std::collections::HashMap;
use std::fs;
use std::path::{Component, Path, PathBuf};

use bytes::Bytes;

use super::{OnnxError, proto};

/// The files beside a model that hold its weights, each read once; tensors share their bytes.
#[derive(Default)]
pub(super) struct DataFiles {
    /// Folder of the model; `None` for a model that is not a file.
    folder: Option<PathBuf>,
    read: HashMap<String, Bytes>,
}

impl DataFiles {
    pub fn in_folder(folder: &Path) -> Self {
        Self {
            folder: Some(folder.to_owned()),
            read: HashMap::new(),
        }
    }

    /// The numbers of a tensor, `n_bytes` of them.
    ///
    /// # Errors
    ///
    /// [`OnnxError::External`].
    pub fn bytes(&mut self, tensor: &proto::Tensor, n_bytes: usize) -> Result<Bytes, OnnxError> {
        let location = location(tensor).unwrap_or_default();
        self.slice(tensor, location, n_bytes)
            .map_err(|fault| OnnxError::External {
                tensor: tensor.name.clone(),
                location: location.to_owned(),
                fault,
            })
    }

    fn slice(
        &mut self,
        tensor: &proto::Tensor,
        location: &str,
        n_bytes: usize,
    ) -> Result<Bytes, ExternalFault> {
        let number = |key: &'static str, default: usize| match entry(tensor, key) {
            Some(value) => value.parse().map_err(|_| ExternalFault::NotANumber {
                key,
                found: value.to_owned(),
            }),
            None => Ok(default),
        };
        let (offset, length) = (number("offset", 0)?, number("length", n_bytes)?);
        if length != n_bytes {
            return Err(ExternalFault::Length {
                found: length,
                expected: n_bytes,
            });
        }
        if !self.read.contains_key(location) {
            let bytes = self.read_file(location)?;
            self.read.insert(location.to_owned(), bytes);
        }
        let file = &self.read[location];
        match offset.checked_add(n_bytes) {
            Some(end) if end <= file.len() => Ok(file.slice(offset..end)),
            _ => Err(ExternalFault::Short {
                found: file.len(),
                offset,
                n_bytes,
            }),
        }
    }

    /// The whole file, if it lies in the model's folder or below it.
    fn read_file(&self, location: &str) -> Result<Bytes, ExternalFault> {
        let folder = self.folder.as_deref().ok_or(ExternalFault::NoFolder)?;
        let mut parts = Path::new(location).components();
        if location.is_empty() || !parts.all(|part| matches!(part, Component::Normal(_))) {
            return Err(ExternalFault::Outside);
        }
        // Links are followed, but not out of the folder.
        let folder = folder.canonicalize()?;
        let path = folder.join(location).canonicalize()?;
        if !path.starts_with(&folder) {
            return Err(ExternalFault::Outside);
        }
        if !fs::metadata(&path)?.is_file() {
            return Err(ExternalFault::NotAFile);
        }
        Ok(fs::read(&path)?.into())
    }
}

/// The file that a tensor lies in, as the model names it.
pub(super) fn location(tensor: &proto::Tensor) -> Option<&str> {
    entry(tensor, "location")
}

fn entry<'a>(tensor: &'a proto::Tensor, key: &str) -> Option<&'a str> {
    let mut entries = tensor.external_data.iter();
    entries.find(|e| e.key == key).map(|e| e.value.as_str())
}

/// Why a tensor's numbers could not be had from a file beside the model.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ExternalFault {
    /// The model came as bytes.
    #[error("the model was not read from a file; give the path of its .onnx file")]
    NoFolder,
    /// A path that leaves the folder of the model.
    #[error("it must lie in the folder of the .onnx file")]
    Outside,
    /// A folder, a device.
    #[error("it is not a file")]
    NotAFile,
    /// A place in the file that is no number.
    #[error("its {key} is {found:?}, expected a number of bytes")]
    NotANumber {
        /// Which number.
        key: &'static str,
        /// What is there.
        found: String,
    },
    /// A length that is not that of the tensor.
    #[error("{found} bytes are given, the tensor's shape needs {expected}")]
    Length {
        /// Length in the model.
        found: usize,
        /// Length by the tensor's shape.
        expected: usize,
    },
    /// A file that is shorter than the tensor needs.
    #[error("it has {found} bytes, expected {n_bytes} from byte {offset} on; is it cut short?")]
    Short {
        /// Size of the file.
        found: usize,
        /// First byte of the tensor.
        offset: usize,
        /// Size of the tensor.
        n_bytes: usize,
    },
    /// The system's refusal.
    #[error("{kind}; put it beside the .onnx file")]
    System {
        /// What the system said.
        kind: std::io::ErrorKind,
    },
}

impl From<std::io::Error> for ExternalFault {
    fn from(error: std::io::Error) -> Self {
        Self::System { kind: error.kind() }
    }
}
