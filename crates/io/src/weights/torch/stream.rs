//! The old form: pickles one after the other, then the storages.

use super::{FORMAT, Storages};
use crate::weights::pickle::{self, Item, Pickle, Value};
use crate::{IoError, Limits, Result};

/// 0x1950a86a20f9469cfc6c, little-endian.
const MAGIC: [u8; 10] = [0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19];
const PROTOCOL: i64 = 1001;
/// Where a tar archive says what it is.
const TAR: (usize, &[u8]) = (257, b"ustar");

/// Whether it is an old file, a still older one, or another pickle.
pub(super) fn is_stream(bytes: &[u8]) -> bool {
    is_tar(bytes) || matches!(bytes, [0x80, 2..=5, ..])
}

fn is_tar(bytes: &[u8]) -> bool {
    bytes
        .get(TAR.0..)
        .is_some_and(|rest| rest.starts_with(TAR.1))
}

/// The pickle of the object, and the storages.
pub(super) fn read<'a>(bytes: &'a [u8], limits: &Limits) -> Result<(Pickle, Storages<'a>)> {
    if is_tar(bytes) {
        return Err(IoError::Unsupported {
            what: "a tar archive of PyTorch before 0.2".into(),
            cure: "load it with torch and write it again with torch.save",
        });
    }
    let mut rest = bytes;
    let mut next = || -> Result<Pickle> {
        let pickle = pickle::load(rest, limits)?;
        rest = &rest[pickle.n_bytes..];
        Ok(pickle)
    };
    let magic = next()?;
    if !matches!(magic.item(magic.root), Some(Item::Long(number)) if number[..] == MAGIC) {
        return Err(IoError::Unsupported {
            what: "a pickle that torch.save did not write".into(),
            cure: "load it in Python and write its tensors with safetensors",
        });
    }
    let protocol = next()?.root;
    if protocol != Value::Int(PROTOCOL) {
        return Err(IoError::malformed(
            FORMAT,
            "the protocol",
            format!("{protocol:?}"),
            "1001",
        ));
    }
    // The machine that wrote it: numbers are little-endian unless it was a rare one, which says so.
    next()?;
    let object = next()?;
    let keys = next()?;
    let Some(Item::List(listed)) = keys.item(keys.root) else {
        return Err(IoError::malformed(
            FORMAT,
            "the list of storages",
            "something else",
            "a list",
        ));
    };
    let mut storages = Storages::new();
    let widths = widths(&object);
    for key in listed {
        let Some(key) = keys.text(*key) else {
            return Err(IoError::malformed(
                FORMAT,
                "the key of a storage",
                "something else",
                "text",
            ));
        };
        let (n_values, after) = rest.split_first_chunk::<8>().ok_or(IoError::Truncated {
            what: "the length of a storage",
            expected: 8,
            found: rest.len() as u64,
        })?;
        let n_values = u64::from_le_bytes(*n_values);
        let width = widths.get(key).copied().unwrap_or(1);
        let n_bytes = n_values.saturating_mul(width as u64);
        let data = usize::try_from(n_bytes)
            .ok()
            .and_then(|n_bytes| after.get(..n_bytes))
            .ok_or(IoError::Truncated {
                what: "a storage",
                expected: n_bytes,
                found: after.len() as u64,
            })?;
        storages.insert(key.to_owned(), data);
        rest = &after[data.len()..];
    }
    Ok((object, storages))
}

/// Bytes of a value for each storage that the object names.
fn widths(object: &Pickle) -> std::collections::HashMap<&str, usize> {
    object
        .items
        .iter()
        .filter_map(|item| match item {
            Item::Storage(storage) => Some((
                object.text(Value::Item(storage.key))?,
                storage.number.n_bytes(),
            )),
            _ => None,
        })
        .collect()
}
