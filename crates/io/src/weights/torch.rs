//! PyTorch's `.pth`: both forms that `torch.save` has had, and TorchScript archives.
//!
//! | form | what it is |
//! |---|---|
//! | zip (PyTorch 1.6 and later) | `NAME/data.pkl`, and `NAME/data/KEY` for each storage |
//! | old | pickles of a magic number, the protocol, the machine, the object and the storages' keys, then the storages |
//! | TorchScript | the zip form, with modules as objects that have attributes |

mod archive;
mod state;
mod stream;

use std::collections::{BTreeMap, HashMap};

use ndarray::{ArrayD, IxDyn};

use super::pickle::{Item, Storage, Tensor};
use crate::{IoError, Limits, Result};

const FORMAT: &str = "PyTorch file";

/// Views that repeat numbers may come to this many times the size of the file, and
/// [`REPEATS_FLOOR`] in any case.
const MAX_REPEATS: u64 = 8;
const REPEATS_FLOOR: u64 = 64 << 20;

/// Whether the bytes may be a file of `torch.save`.
pub(super) fn is_torch(bytes: &[u8]) -> bool {
    archive::is_archive(bytes) || stream::is_stream(bytes)
}

/// The numbers of storages by key.
type Storages<'a> = HashMap<String, &'a [u8]>;

/// The tensors of the state dict that lies under `entry`, or of the only one.
///
/// # Errors
///
/// [`IoError`]; [`IoError::Ambiguous`] when there are several state dicts and none is named.
pub(super) fn read(
    bytes: &[u8],
    entry: Option<&str>,
    limits: &Limits,
) -> Result<BTreeMap<String, ArrayD<f32>>> {
    let (pickle, storages) = if archive::is_archive(bytes) {
        archive::read(bytes, limits)?
    } else {
        stream::read(bytes, limits)?
    };
    let mut budget = MAX_REPEATS
        .saturating_mul(bytes.len() as u64)
        .max(REPEATS_FLOOR)
        .min(limits.max_array_bytes);
    state::dict(&pickle, entry, limits)?
        .into_iter()
        .map(|(name, tensor)| {
            let Item::Storage(storage) = &pickle.items[tensor.storage] else {
                unreachable!("the machine makes tensors of storages only");
            };
            let Item::Text(key) = &pickle.items[storage.key] else {
                unreachable!("the machine makes storages with a text as key only");
            };
            let data = storages.get(key).ok_or_else(|| {
                IoError::malformed(FORMAT, "a storage", "missing", "one for each tensor")
            })?;
            let n_bytes = n_bytes(&tensor.shape).ok_or_else(overlarge)?;
            budget = budget.checked_sub(n_bytes).ok_or_else(overlarge)?;
            Ok((name, array(tensor, storage, data)?))
        })
        .collect()
}

fn overlarge() -> IoError {
    IoError::malformed(
        FORMAT,
        "the size of the tensors",
        "many times that of the file",
        "about as much",
    )
}

/// Bytes in single precision, if they can be counted.
fn n_bytes(shape: &[usize]) -> Option<u64> {
    shape
        .iter()
        .try_fold(4_u64, |product, extent| product.checked_mul(*extent as u64))
}

/// The values of a view in row-major order; everything is checked against the storage first.
fn array(tensor: &Tensor, storage: &Storage, data: &[u8]) -> Result<ArrayD<f32>> {
    let Tensor { shape, strides, .. } = tensor;
    let width = storage.number.n_bytes();
    let outside = || {
        IoError::malformed(
            FORMAT,
            "a tensor",
            format!(
                "of shape {shape:?} and strides {strides:?} from {} of {} values",
                tensor.offset, storage.n_values
            ),
            "one inside its storage",
        )
    };
    let is_empty = shape.contains(&0);
    let last = shape
        .iter()
        .zip(strides)
        .try_fold(tensor.offset, |last, (extent, stride)| {
            let steps = extent.saturating_sub(1) as u64;
            last.checked_add(steps.checked_mul(*stride as u64)?)
        })
        .ok_or_else(outside)?;
    let (first_of_view, n_in_view) = storage.view.unwrap_or((0, storage.n_values));
    let fits = first_of_view
        .checked_add(n_in_view)
        .is_some_and(|end| end <= storage.n_values)
        && storage.n_values <= (data.len() / width) as u64
        && (is_empty || last < n_in_view);
    if !fits {
        return Err(outside());
    }
    let values = if is_empty {
        Vec::new()
    } else {
        // All of it was found to be less than the storage's length.
        let start = (first_of_view + tensor.offset) as usize * width;
        let n = shape.iter().product::<usize>();
        if is_row_major(shape, strides) {
            storage.number.to_f32(&data[start..start + n * width])
        } else {
            storage
                .number
                .to_f32(&gathered(shape, strides, &data[start..], width))
        }
    };
    Ok(ArrayD::from_shape_vec(IxDyn(shape), values).expect("as many values as the shape has"))
}

fn is_row_major(shape: &[usize], strides: &[usize]) -> bool {
    let mut step = 1;
    shape.iter().zip(strides).rev().all(|(extent, stride)| {
        let follows = *extent == 1 || *stride == step;
        step *= extent;
        follows
    })
}

/// The bytes of a view, one value after the other in row-major order.
fn gathered(shape: &[usize], strides: &[usize], data: &[u8], width: usize) -> Vec<u8> {
    let n = shape.iter().product::<usize>();
    let mut bytes = Vec::with_capacity(n * width);
    let mut index = vec![0; shape.len()];
    let mut position = 0;
    for _ in 0..n {
        bytes.extend_from_slice(&data[position * width..(position + 1) * width]);
        for axis in (0..shape.len()).rev() {
            index[axis] += 1;
            position += strides[axis];
            if index[axis] < shape[axis] {
                break;
            }
            position -= shape[axis] * strides[axis];
            index[axis] = 0;
        }
    }
    bytes
}
