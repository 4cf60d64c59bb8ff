//! NumPy archives (`.npz`): a zip of `.npy` entries, stored or deflated.

use std::fs::File;
use std::io::{BufReader, Cursor, Read, Seek, Write};
use std::path::Path;

use ndarray::ArrayViewD;
use zip::result::ZipError;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipArchive, ZipWriter};

use crate::atomic::write_atomically;
use crate::error::AtPath;
use crate::{AnyArray, Element, IoError, Limits, Named, Result, npy};

const FORMAT: &str = "npz file";

/// The names of the arrays, in file order.
///
/// # Errors
///
/// [`IoError`] when the file cannot be read or is no zip archive.
pub fn keys(path: impl AsRef<Path>) -> Result<Vec<String>> {
    let path = path.as_ref();
    let archive = open(path, &Limits::default())?;
    Ok(names(&archive))
}

/// Reads the array `key`; without a key, the only one.
///
/// # Errors
///
/// [`IoError::Missing`] and [`IoError::Ambiguous`] list the names there; else as [`npy::read`].
///
/// # Example
///
/// ```
/// # let folder = tempfile::tempdir().unwrap();
/// # let path = folder.path().join("x.npz");
/// use consilience_io::npz;
/// npz::write(&path, &[("it", ndarray::array![1.0, 2.0].into_dyn().view())])?;
/// assert_eq!(npz::read(&path, Some("it"))?.shape(), [2]);
/// # Ok::<(), consilience_io::IoError>(())
/// ```
pub fn read(path: impl AsRef<Path>, key: Option<&str>) -> Result<AnyArray> {
    read_with(path, key, &Limits::default())
}

/// [`read`] with other limits.
///
/// # Errors
///
/// As [`read`].
pub fn read_with(path: impl AsRef<Path>, key: Option<&str>, limits: &Limits) -> Result<AnyArray> {
    let path = path.as_ref();
    let mut archive = open(path, limits)?;
    entry(&mut archive, key, limits).map_err(|problem| match key {
        Some(key) if !problem.is_missing_name() => problem.at(format!("{}:{key}", path.display())),
        _ => problem.at(path),
    })
}

/// Reads the array `key` from the bytes of an archive.
///
/// # Errors
///
/// As [`read`].
pub fn from_bytes(bytes: &[u8], key: Option<&str>, limits: &Limits) -> Result<AnyArray> {
    let mut archive = archive(Cursor::new(bytes), bytes, limits)?;
    entry(&mut archive, key, limits)
}

fn open(path: &Path, limits: &Limits) -> Result<ZipArchive<BufReader<File>>> {
    let mut file = File::open(path)
        .map_err(IoError::os("open the file"))
        .at(path)?;
    let mut head = Vec::new();
    Read::by_ref(&mut file)
        .take(8)
        .read_to_end(&mut head)
        .and_then(|_| file.rewind())
        .map_err(IoError::os("read the file"))
        .at(path)?;
    archive(BufReader::new(file), &head, limits).at(path)
}

fn archive<R: Read + Seek>(reader: R, head: &[u8], limits: &Limits) -> Result<ZipArchive<R>> {
    if !head.starts_with(b"PK") {
        return Err(IoError::wrong_format("an npz file", head));
    }
    let archive = ZipArchive::new(reader).map_err(zip_error)?;
    if archive.len() > limits.max_entries {
        return Err(IoError::OverLimit {
            what: "entries of the archive",
            found: archive.len() as u64,
            limit: limits.max_entries as u64,
            raise: "max_entries",
        });
    }
    Ok(archive)
}

fn zip_error(error: ZipError) -> IoError {
    match error {
        ZipError::Io(source) => IoError::os("read the archive")(source),
        other => IoError::malformed(FORMAT, "the archive", other, "a zip archive"),
    }
}

fn names<R: Read + Seek>(archive: &ZipArchive<R>) -> Vec<String> {
    (0..archive.len())
        .filter_map(|entry_idx| archive.name_for_index(entry_idx)?.ok())
        .filter_map(|name| name.strip_suffix(".npy").map(str::to_owned))
        .collect()
}

fn entry<R: Read + Seek>(
    archive: &mut ZipArchive<R>,
    key: Option<&str>,
    limits: &Limits,
) -> Result<AnyArray> {
    let available = names(archive);
    let key = match (key, available.as_slice()) {
        (Some(key), _) => key.strip_suffix(".npy").unwrap_or(key),
        (None, [only]) => only,
        (None, _) => {
            return Err(IoError::Ambiguous {
                kind: Named::Array,
                available,
            });
        }
    };
    let mut entry = match archive.by_name(&format!("{key}.npy")) {
        Ok(entry) => entry,
        Err(ZipError::FileNotFound) => {
            return Err(IoError::Missing {
                kind: Named::Array,
                name: key.to_owned(),
                available,
            });
        }
        Err(error) => return Err(zip_error(error)),
    };
    // The directory's word for the size counts only as far as the compressed bytes can bear it out.
    let at_most = limits.inflated(entry.compressed_size()).min(entry.size());
    let mut reader = BufReader::new(&mut entry);
    let array = npy::read_stream(&mut reader, at_most, limits)?;
    // Reading to the end makes the archive's checksum count.
    let n_after = std::io::copy(&mut reader.take(1), &mut std::io::sink())
        .map_err(|error| IoError::malformed(FORMAT, "the entry", error, "its checksum"))?;
    if n_after > 0 {
        return Err(IoError::malformed(
            FORMAT,
            "the entry",
            "longer than its header says",
            "as many bytes as the shape needs",
        ));
    }
    Ok(array)
}

/// Writes named arrays, deflated; the same arrays give the same bytes.
///
/// # Errors
///
/// [`IoError::Os`], naming `path`.
pub fn write<T: Element>(
    path: impl AsRef<Path>,
    arrays: &[(&str, ArrayViewD<'_, T>)],
) -> Result<()> {
    // A fixed date: the clock is no part of a result.
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .last_modified_time(DateTime::default());
    write_atomically(path, |file| {
        let mut archive = ZipWriter::new(file);
        for (name, array) in arrays {
            archive.start_file(format!("{name}.npy"), options)?;
            archive.write_all(&npy::to_bytes(array.view()))?;
        }
        archive.finish()?;
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{ArrayD, array};
    use proptest::prelude::*;

    fn sample() -> Vec<u8> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.npz");
        let (a, b) = (array![[1.0, 2.0, 3.0]].into_dyn(), array![4.0].into_dyn());
        write(&path, &[("a", a.view()), ("b", b.view())]).unwrap();
        std::fs::read(path).unwrap()
    }

    fn parse(bytes: &[u8], key: Option<&str>) -> Result<AnyArray> {
        from_bytes(bytes, key, &Limits::default())
    }

    #[test]
    fn named_arrays_round_trip_to_the_same_bytes() {
        let bytes = sample();
        assert_eq!(bytes, sample());
        let a = AnyArray::F64(array![[1.0, 2.0, 3.0]].into_dyn());
        assert_eq!(parse(&bytes, Some("a")).unwrap(), a);
        assert_eq!(parse(&bytes, Some("a.npy")).unwrap(), a);
    }

    #[test]
    fn the_names_are_listed_when_one_is_needed() {
        let bytes = sample();
        for key in [None, Some("c")] {
            let message = parse(&bytes, key).unwrap_err().to_string();
            assert!(message.contains("\"a\", \"b\""), "{message}");
        }
    }

    #[test]
    fn zeros_compress_well_and_are_still_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("zeros.npz");
        let zeros = ArrayD::<f64>::zeros(vec![1000, 100]);
        write(&path, &[("z", zeros.view())]).unwrap();
        assert_eq!(read(&path, None).unwrap(), AnyArray::F64(zeros));
        let small = Limits {
            max_array_bytes: 1000,
            ..Limits::default()
        };
        let message = read_with(&path, None, &small).unwrap_err().to_string();
        assert!(message.contains("limit"), "{message}");
    }

    #[test]
    fn every_truncation_is_an_error() {
        let whole = sample();
        for n in 0..whole.len() {
            assert!(parse(&whole[..n], Some("a")).is_err(), "{n} bytes");
        }
    }

    #[test]
    fn a_wrong_checksum_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.npz");
        let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
        let npy = npy::to_bytes(array![1.0, 2.0].view());
        write_atomically(&path, |file| {
            let mut archive = ZipWriter::new(file);
            archive.start_file("a.npy", options)?;
            archive.write_all(&npy)?;
            archive.finish()?;
            Ok(())
        })
        .unwrap();
        let mut bytes = std::fs::read(&path).unwrap();
        let start = bytes.windows(6).position(|w| w == b"\x93NUMPY").unwrap();
        bytes[start + npy.len() - 1] ^= 1;
        assert!(parse(&bytes, Some("a")).is_err());
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
            let _ = parse(&bytes, Some("a"));
            let _ = parse(&bytes, None);
        }
    }
}
