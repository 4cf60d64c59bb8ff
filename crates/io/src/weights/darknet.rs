//! Darknet's `.weights`: a header and numbers without names.

use std::path::Path;

use crate::error::AtPath;
use crate::source::read_file;
use crate::{IoError, Limits, Result};

const FORMAT: &str = "darknet weights file";

/// From this version on the header counts images in 64 bits.
const WIDE_COUNT: (u32, u32) = (0, 2);
/// Versions as large as this mark matrices that are stored transposed.
const TRANSPOSED: u32 = 1000;

/// The numbers of a darknet network, in the order of its `.cfg`.
///
/// # Definition
///
/// For each layer with weights: the biases; with batch normalisation also its scales, running means
/// and running variances; then the kernel `(n_out, n_in / groups, height, width)` row-major.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct DarknetWeights {
    /// Major version of the format.
    pub major: u32,
    /// Minor version of the format.
    pub minor: u32,
    /// Revision of the format.
    pub revision: u32,
    /// Images that the network was trained on.
    pub seen: u64,
    /// All numbers, as the layers follow one another.
    pub values: Vec<f32>,
}

/// Reads a `.weights` file within the default [`Limits`].
///
/// # Errors
///
/// [`IoError`] when the file cannot be read, is cut short or is of another kind.
///
/// # Example
///
/// ```
/// # let folder = tempfile::tempdir().unwrap();
/// # let path = folder.path().join("tiny.weights");
/// use consilience_io::weights::darknet;
/// // Version 0.2.5, 64 images, two numbers.
/// let mut bytes: Vec<u8> = [0_u32, 2, 5, 64, 0].map(u32::to_le_bytes).concat();
/// bytes.extend([1.5_f32, -2.0].map(f32::to_le_bytes).concat());
/// std::fs::write(&path, bytes).unwrap();
/// let weights = darknet::read(&path)?;
/// assert_eq!((weights.seen, weights.values), (64, vec![1.5, -2.0]));
/// # Ok::<(), consilience_io::IoError>(())
/// ```
pub fn read(path: impl AsRef<Path>) -> Result<DarknetWeights> {
    let path = path.as_ref();
    let bytes = read_file(path, &Limits::default())?;
    from_bytes(&bytes).at(path)
}

/// Takes the bytes of a `.weights` file.
///
/// # Errors
///
/// As [`read()`].
pub fn from_bytes(bytes: &[u8]) -> Result<DarknetWeights> {
    let (version, rest) = words::<3>(bytes)?;
    let [major, minor, revision] = version;
    if major >= TRANSPOSED || minor >= TRANSPOSED {
        return Err(IoError::malformed(
            FORMAT,
            "the version",
            format!("{major}.{minor}"),
            "one below 1000 (this is another kind of file, or its matrices are transposed)",
        ));
    }
    let (seen, rest) = if (major, minor) >= WIDE_COUNT {
        let ([low, high], rest) = words::<2>(rest)?;
        (u64::from(high) << 32 | u64::from(low), rest)
    } else {
        let ([seen], rest) = words::<1>(rest)?;
        (seen.into(), rest)
    };
    let (values, left) = rest.as_chunks::<4>();
    if !left.is_empty() {
        return Err(IoError::Truncated {
            what: "the last number",
            expected: 4,
            found: left.len() as u64,
        });
    }
    Ok(DarknetWeights {
        major,
        minor,
        revision,
        seen,
        values: values.iter().map(|b| f32::from_le_bytes(*b)).collect(),
    })
}

/// The next `N` words of the header and what follows.
fn words<const N: usize>(bytes: &[u8]) -> Result<([u32; N], &[u8])> {
    let (words, _) = bytes.as_chunks::<4>();
    let Some(words) = words.first_chunk::<N>() else {
        return Err(IoError::Truncated {
            what: "the header of the darknet weights file",
            expected: 4 * N as u64,
            found: bytes.len() as u64,
        });
    };
    Ok((words.map(u32::from_le_bytes), &bytes[4 * N..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(header: &[u32], values: &[f32]) -> Vec<u8> {
        let header = header.iter().flat_map(|word| word.to_le_bytes());
        header
            .chain(values.iter().flat_map(|value| value.to_le_bytes()))
            .collect()
    }

    #[test]
    fn the_count_of_images_has_32_bits_before_version_0_2() {
        for (header, seen) in [
            (&[0, 1, 0, 7][..], 7),
            (&[0, 2, 5, 7, 1], (1 << 32) + 7),
            (&[1, 0, 0, 7, 0], 7),
        ] {
            let weights = from_bytes(&file(header, &[0.5, 2.0])).unwrap();
            assert_eq!(weights.seen, seen, "{header:?}");
            assert_eq!(weights.values, [0.5, 2.0]);
        }
    }

    #[test]
    fn a_file_that_is_cut_short_or_another_is_refused() {
        let whole = file(&[0, 2, 5, 0, 0], &[1.0]);
        for n in (0..whole.len()).filter(|n| *n < 20 || n % 4 != 0) {
            let message = from_bytes(&whole[..n]).unwrap_err().to_string();
            assert!(message.contains("cut short"), "{n}: {message}");
        }
        let message = from_bytes(b"PK\x03\x04 is a zip archive")
            .unwrap_err()
            .to_string();
        assert!(message.contains("another kind of file"), "{message}");
    }
}
