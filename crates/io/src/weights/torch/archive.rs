//! The zip form.

use std::io::Cursor;

use zip::result::ZipError;
use zip::{CompressionMethod, ZipArchive};

use super::{FORMAT, Storages};
use crate::weights::pickle::{self, Pickle};
use crate::{IoError, Limits, Result};

pub(super) fn is_archive(bytes: &[u8]) -> bool {
    bytes.starts_with(b"PK\x03\x04")
}

/// The pickle and the storages of `NAME/data.pkl` and `NAME/data/KEY`.
///
/// # Errors
///
/// [`IoError`]; entries that are compressed are refused, as `torch.save` makes none.
pub(super) fn read<'a>(bytes: &'a [u8], limits: &Limits) -> Result<(Pickle, Storages<'a>)> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(fault)?;
    if archive.len() > limits.max_entries {
        return Err(IoError::OverLimit {
            what: "entries of the archive",
            found: archive.len() as u64,
            limit: limits.max_entries as u64,
            raise: "max_entries",
        });
    }
    let mut program = None;
    let mut storages = Storages::new();
    for entry_idx in 0..archive.len() {
        let Some(Ok(name)) = archive.name_for_index(entry_idx) else {
            continue;
        };
        let Some((_, name)) = name.split_once('/') else {
            continue;
        };
        if name == "data.pkl" {
            program = Some(content(&mut archive, entry_idx, bytes)?);
        } else if let Some(key) = name.strip_prefix("data/") {
            let key = key.to_owned();
            storages.insert(key, content(&mut archive, entry_idx, bytes)?);
        } else if name == "byteorder" && content(&mut archive, entry_idx, bytes)? != b"little" {
            return Err(IoError::Unsupported {
                what: "a PyTorch file of a big-endian machine".into(),
                cure: "load it there and save its state_dict with safetensors.torch.save_file",
            });
        }
    }
    let program = program.ok_or_else(|| IoError::Unsupported {
        what: "a zip archive without NAME/data.pkl".into(),
        cure: "give a file that torch.save wrote, or a .safetensors file",
    })?;
    Ok((pickle::load(program, limits)?, storages))
}

/// The bytes of an entry, where they lie in the file.
///
/// Checksums are not compared: `torch.save` may leave them out, and the state dict is checked as a
/// whole by whoever pinned its hash.
fn content<'a>(
    archive: &mut ZipArchive<Cursor<&'a [u8]>>,
    entry_idx: usize,
    bytes: &'a [u8],
) -> Result<&'a [u8]> {
    let entry = archive.by_index_raw(entry_idx).map_err(fault)?;
    if entry.compression() != CompressionMethod::Stored || entry.encrypted() {
        return Err(IoError::Unsupported {
            what: "a PyTorch file with compressed entries".into(),
            cure: "load it with torch and write it again with torch.save",
        });
    }
    let within = || {
        let start = usize::try_from(entry.data_start()?).ok()?;
        let end = start.checked_add(usize::try_from(entry.compressed_size()).ok()?)?;
        bytes.get(start..end)
    };
    within().ok_or(IoError::Truncated {
        what: "an entry of the archive",
        expected: entry.compressed_size(),
        found: bytes.len() as u64,
    })
}

fn fault(error: ZipError) -> IoError {
    IoError::malformed(FORMAT, "the archive", error, "a whole zip archive")
}
