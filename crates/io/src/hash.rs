//! Names for the content of files.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::error::AtPath;
use crate::{IoError, Result};

/// BLAKE3 of a file, hexadecimal. Used for the cache and for provenance.
///
/// # Errors
///
/// [`IoError::Os`], naming `path`.
pub fn blake3_file(path: impl AsRef<Path>) -> Result<String> {
    let mut hasher = blake3::Hasher::new();
    read_chunks(path.as_ref(), |chunk| {
        hasher.update(chunk);
    })?;
    Ok(hasher.finalize().to_hex().to_string())
}

/// BLAKE3 of what several files hold together, hexadecimal: that of the file when it is one, else
/// that of their BLAKE3 in hexadecimal, one after the other.
///
/// # Errors
///
/// [`IoError::Os`], naming the file.
pub fn blake3_files<P: AsRef<Path>>(paths: &[P]) -> Result<String> {
    let hashes = paths.iter().map(blake3_file).collect::<Result<Vec<_>>>()?;
    Ok(match hashes.as_slice() {
        [only] => only.clone(),
        several => blake3(several.concat().as_bytes()),
    })
}

/// BLAKE3 of bytes, hexadecimal.
#[must_use]
pub fn blake3(bytes: &[u8]) -> String {
    blake3::hash(bytes).to_hex().to_string()
}

/// SHA-256 of a file, hexadecimal. Used where others publish it.
///
/// # Errors
///
/// [`IoError::Os`], naming `path`.
pub fn sha256_file(path: impl AsRef<Path>) -> Result<String> {
    let mut hasher = Sha256::new();
    read_chunks(path.as_ref(), |chunk| hasher.update(chunk))?;
    Ok(hex(&hasher.finalize()))
}

/// SHA-256 of bytes, hexadecimal.
///
/// # Example
///
/// ```
/// let hash = consilience_io::hash::sha256(b"abc");
/// assert!(hash.starts_with("ba7816bf"));
/// ```
#[must_use]
pub fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn read_chunks(path: &Path, mut update: impl FnMut(&[u8])) -> Result<()> {
    let mut read = || -> Result<()> {
        let mut file = File::open(path).map_err(IoError::os("open the file"))?;
        let mut buffer = vec![0; 1 << 16];
        loop {
            match file.read(&mut buffer) {
                Ok(0) => return Ok(()),
                Ok(n) => update(&buffer[..n]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(IoError::os("read the file")(error)),
            }
        }
    };
    read().at(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_answers() {
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(sha256(b""), empty);
        // From the reference implementation's documentation.
        let empty = "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262";
        assert_eq!(blake3(b""), empty);
    }

    #[test]
    fn a_file_hashes_like_its_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        let bytes: Vec<u8> = (0..200_000_u32).map(|i| (i % 251) as u8).collect();
        std::fs::write(&path, &bytes).unwrap();
        assert_eq!(sha256_file(&path).unwrap(), sha256(&bytes));
        assert_eq!(blake3_file(&path).unwrap(), blake3(&bytes));
        assert_eq!(blake3_files(&[&path]).unwrap(), blake3(&bytes));
        let twice = blake3_files(&[&path, &path]).unwrap();
        assert_eq!(twice, blake3(blake3(&bytes).repeat(2).as_bytes()));
        assert!(
            sha256_file(folder.path().join("y"))
                .unwrap_err()
                .is_not_found()
        );
    }
}
