//! Network weights as single precision.
//!
//! | file | read by |
//! |---|---|
//! | safetensors | [`Weights`] |
//! | PyTorch's `.pth`, zip form and old form, and TorchScript archives | [`Weights`]; nothing is executed |
//! | darknet's `.weights` | [`darknet`] |

pub mod darknet;
mod number;
mod pickle;
mod spec;
mod torch;

use std::collections::BTreeMap;
use std::path::Path;

use ndarray::{ArrayD, IxDyn};
use safetensors::tensor::TensorView;
use safetensors::{Dtype as StDtype, SafeTensors};

use crate::atomic::write_atomically;
use crate::error::AtPath;
use crate::source::read_file;
use crate::{Element, IoError, Limits, Named, Result};
use number::Number;

pub use spec::WeightsFile;

const FORMAT: &str = "safetensors file";

/// Tensors by name.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Weights {
    tensors: BTreeMap<String, ArrayD<f32>>,
}

impl Weights {
    /// Takes tensors by name.
    #[must_use]
    pub fn new(tensors: BTreeMap<String, ArrayD<f32>>) -> Self {
        Self { tensors }
    }

    /// Reads a safetensors or PyTorch file within the default [`Limits`]; its content says which it
    /// is.
    ///
    /// Half precision (both kinds) is widened exactly; double precision and integers are rounded to the
    /// nearest single-precision number. Of a checkpoint, the only state dict in it is taken.
    ///
    /// # Errors
    ///
    /// [`IoError`] when the file cannot be read, is damaged, or holds a type of fewer than 8 bits or
    /// complex numbers; [`IoError::PythonObject`] when it asks for more than tensors;
    /// [`IoError::Ambiguous`] when it holds several state dicts ([`read_entry`](Self::read_entry),
    /// [`WeightsFile`]).
    ///
    /// # Example
    ///
    /// ```
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let path = folder.path().join("net.safetensors");
    /// use consilience_io::weights::Weights;
    /// let bias = ndarray::array![1.0_f32, 2.0].into_dyn();
    /// Weights::new([("conv1.bias".to_owned(), bias)].into()).write(&path)?;
    /// let mut weights = Weights::read(&path)?;
    /// assert_eq!(weights.take("conv1.bias", &[2])?[[1]], 2.0);
    /// # Ok::<(), consilience_io::IoError>(())
    /// ```
    pub fn read(path: impl AsRef<Path>) -> Result<Self> {
        Self::read_entry(path, None)
    }

    /// Reads the state dict of a checkpoint that lies under the key `entry` (`teacher`; with `/`
    /// where it is nested).
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read); [`IoError::Missing`] lists the state dicts there.
    pub fn read_entry(path: impl AsRef<Path>, entry: Option<&str>) -> Result<Self> {
        let path = path.as_ref();
        let limits = Limits::default();
        let bytes = read_file(path, &limits)?;
        Self::from_bytes(&bytes, entry, &limits).at(path)
    }

    /// Takes the bytes of a file.
    ///
    /// # Errors
    ///
    /// As [`read_entry`](Self::read_entry).
    pub fn from_bytes(bytes: &[u8], entry: Option<&str>, limits: &Limits) -> Result<Self> {
        if torch::is_torch(bytes) {
            let tensors = torch::read(bytes, entry, limits)?;
            return Ok(Self { tensors });
        }
        // The header of safetensors is JSON after its length.
        if bytes.get(8) != Some(&b'{') {
            let expected = "a safetensors or PyTorch file";
            return Err(IoError::wrong_format(expected, bytes));
        }
        if let Some(entry) = entry {
            return Err(IoError::Missing {
                kind: Named::StateDict,
                name: entry.to_owned(),
                available: Vec::new(),
            });
        }
        let file = SafeTensors::deserialize(bytes)
            .map_err(|error| IoError::malformed(FORMAT, "the fault", error, "a valid header"))?;
        if file.len() > limits.max_entries {
            return Err(IoError::OverLimit {
                what: "tensors of the file",
                found: file.len() as u64,
                limit: limits.max_entries as u64,
                raise: "max_entries",
            });
        }
        let tensors = file
            .iter()
            .map(|(name, view)| Ok((name.to_owned(), array(name, &view)?)))
            .collect::<Result<_>>()?;
        Ok(Self { tensors })
    }

    /// Writes a file; the same tensors give the same bytes.
    ///
    /// # Errors
    ///
    /// [`IoError::Os`], naming `path`.
    pub fn write(&self, path: impl AsRef<Path>) -> Result<()> {
        let data: Vec<(&str, &[usize], Vec<u8>)> = self
            .tensors
            .iter()
            .map(|(name, tensor)| {
                let mut bytes = Vec::with_capacity(4 * tensor.len());
                tensor.iter().for_each(|value| value.extend_le(&mut bytes));
                (name.as_str(), tensor.shape(), bytes)
            })
            .collect();
        write_atomically(path, |file| {
            let views = data
                .iter()
                .map(|(name, shape, bytes)| {
                    Ok((name, TensorView::new(StDtype::F32, shape.to_vec(), bytes)?))
                })
                .collect::<std::result::Result<Vec<_>, safetensors::SafeTensorError>>()
                .map_err(std::io::Error::other)?;
            let bytes = safetensors::serialize(views, None).map_err(std::io::Error::other)?;
            std::io::Write::write_all(file, &bytes)
        })
    }

    /// The names, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.tensors.keys().map(String::as_str)
    }

    /// Gives the tensors away.
    #[must_use]
    pub fn into_tensors(self) -> BTreeMap<String, ArrayD<f32>> {
        self.tensors
    }

    /// The tensors by name.
    #[must_use]
    pub fn tensors(&self) -> &BTreeMap<String, ArrayD<f32>> {
        &self.tensors
    }

    /// Takes a tensor out, which must have the given shape.
    ///
    /// # Errors
    ///
    /// [`IoError::Missing`] lists the names that are left; [`IoError::WrongKind`] for another shape.
    pub fn take(&mut self, name: &str, shape: &[usize]) -> Result<ArrayD<f32>> {
        let Some(tensor) = self.tensors.get(name) else {
            return Err(IoError::Missing {
                kind: Named::Tensor,
                name: name.to_owned(),
                available: self.names().map(str::to_owned).collect(),
            });
        };
        if tensor.shape() != shape {
            return Err(IoError::WrongKind {
                what: format!("tensor {name:?}"),
                found: format!("of shape {:?} where {shape:?} is needed", tensor.shape()),
                expected: "the weights of this architecture",
            });
        }
        Ok(self.tensors.remove(name).expect("it was just found"))
    }
}

fn array(name: &str, view: &TensorView<'_>) -> Result<ArrayD<f32>> {
    let number = match view.dtype() {
        StDtype::BOOL => Number::Bool,
        StDtype::U8 => Number::U8,
        StDtype::I8 => Number::I8,
        StDtype::U16 => Number::U16,
        StDtype::I16 => Number::I16,
        StDtype::U32 => Number::U32,
        StDtype::I32 => Number::I32,
        StDtype::U64 => Number::U64,
        StDtype::I64 => Number::I64,
        StDtype::F16 => Number::F16,
        StDtype::BF16 => Number::Bf16,
        StDtype::F32 => Number::F32,
        StDtype::F64 => Number::F64,
        other => {
            return Err(IoError::Unsupported {
                what: format!("tensor {name:?} of type {other:?}"),
                cure: "save the weights as float32, float16 or bfloat16",
            });
        }
    };
    let values = number.to_f32(view.data());
    ArrayD::from_shape_vec(IxDyn(view.shape()), values).map_err(|_| {
        IoError::malformed(
            FORMAT,
            "the shape of a tensor",
            format!("{:?}", view.shape()),
            "one that its data fill",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;
    use proptest::prelude::*;

    fn sample() -> Vec<u8> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        let tensors = [
            ("b".to_owned(), array![1.5_f32].into_dyn()),
            (
                "a".to_owned(),
                array![[1.0_f32, 2.0], [3.0, 4.0]].into_dyn(),
            ),
        ];
        Weights::new(tensors.into()).write(&path).unwrap();
        std::fs::read(path).unwrap()
    }

    fn parse(bytes: &[u8]) -> Result<Weights> {
        Weights::from_bytes(bytes, None, &Limits::default())
    }

    #[test]
    fn tensors_round_trip_to_the_same_bytes() {
        let bytes = sample();
        assert_eq!(bytes, sample());
        let mut weights = parse(&bytes).unwrap();
        assert_eq!(weights.names().collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(weights.take("a", &[2, 2]).unwrap()[[1, 0]], 3.0);
        let message = weights.take("a", &[2, 2]).unwrap_err().to_string();
        assert!(message.contains("no tensor \"a\""), "{message}");
        let message = weights.take("b", &[3]).unwrap_err().to_string();
        assert!(message.contains("[1] where [3]"), "{message}");
    }

    #[test]
    fn other_precisions_become_single() {
        for (dtype, data, expected) in [
            (StDtype::F16, vec![0x00, 0xc1], -2.5),
            (StDtype::BF16, vec![0x20, 0xc0], -2.5),
            (StDtype::F64, 0.1_f64.to_le_bytes().to_vec(), 0.1_f32),
            (StDtype::I64, 7_i64.to_le_bytes().to_vec(), 7.0),
        ] {
            let view = TensorView::new(dtype, vec![1], &data).unwrap();
            let bytes = safetensors::serialize([("x", view)], None).unwrap();
            let mut weights = parse(&bytes).unwrap();
            assert_eq!(weights.take("x", &[1]).unwrap()[[0]], expected, "{dtype:?}");
        }
    }

    #[test]
    fn every_truncation_is_an_error() {
        let whole = sample();
        for n in 0..whole.len() {
            assert!(parse(&whole[..n]).is_err(), "{n} bytes");
        }
        let message = parse(b"").unwrap_err().to_string();
        assert!(
            message.contains("not a safetensors or PyTorch file"),
            "{message}"
        );
        let mut huge = u64::MAX.to_le_bytes().to_vec();
        huge.extend(&whole);
        assert!(parse(&huge).is_err());
    }

    proptest! {
        #[test]
        fn damaged_bytes_never_panic(
            flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        ) {
            let mut bytes = sample();
            for (position, value) in flips {
                let position = position.index(bytes.len());
                bytes[position] = value;
            }
            let _ = parse(&bytes);
        }
    }
}
