//! From an argument such as `checkpoint.pth:teacher` to a weights file.

use std::fmt;
use std::path::{Path, PathBuf};

use super::Weights;
use crate::{Result, hash};

/// A weights file and, where it holds several state dicts, the one that is meant.
///
/// # Example
///
/// ```
/// use consilience_io::weights::WeightsFile;
///
/// let teacher = WeightsFile::parse_with("dino.pth:teacher", |path| path.ends_with("dino.pth"));
/// assert_eq!(teacher.path.to_str(), Some("dino.pth"));
/// assert_eq!(teacher.entry.as_deref(), Some("teacher"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WeightsFile {
    /// The file.
    pub path: PathBuf,
    /// Key of the state dict in it, with `/` where it is nested.
    pub entry: Option<String>,
}

/// Endings of files that may hold several state dicts.
const CHECKPOINTS: [&str; 6] = [".pth:", ".pt:", ".th:", ".tar:", ".ckpt:", ".bin:"];

impl WeightsFile {
    /// Splits `FILE:ENTRY`.
    ///
    /// # Definition
    ///
    /// What is the path of a file is that path, whatever colons it holds. Else the entry follows the first
    /// colon that a file's path ends before; where there is no such file, the first colon after an ending
    /// of checkpoints (`.pth`, `.pt`, `.th`, `.tar`, `.ckpt`, `.bin`), so that a message names the file
    /// that is missing. The colon of a drive (`C:\`) is none of them.
    #[must_use]
    pub fn parse(spec: impl AsRef<Path>) -> Self {
        Self::parse_with(spec, Path::is_file)
    }

    /// [`WeightsFile::parse`], where `is_file` says which files there are.
    #[must_use]
    pub fn parse_with(spec: impl AsRef<Path>, is_file: impl Fn(&Path) -> bool) -> Self {
        let spec = spec.as_ref();
        let whole = || Self {
            path: spec.to_owned(),
            entry: None,
        };
        let Some(text) = spec.to_str().filter(|_| !is_file(spec)) else {
            return whole();
        };
        let of_drive = match text.as_bytes() {
            [letter, b':', b'\\' | b'/', ..] => letter.is_ascii_alphabetic(),
            _ => false,
        };
        let mut colons = text
            .match_indices(':')
            .map(|(colon, _)| colon)
            .filter(|colon| !(of_drive && *colon == 1) && *colon + 1 < text.len());
        let of_file = colons.find(|colon| is_file(Path::new(&text[..*colon])));
        // ASCII case folding keeps byte positions.
        let folded = text.to_ascii_lowercase();
        let of_ending = || {
            CHECKPOINTS
                .iter()
                .filter_map(|ending| Some(folded.find(ending)? + ending.len() - 1))
                .filter(|colon| colon + 1 < text.len())
                .min()
        };
        match of_file.or_else(of_ending) {
            Some(colon) => Self {
                path: text[..colon].into(),
                entry: Some(text[colon + 1..].to_owned()),
            },
            None => whole(),
        }
    }

    /// Reads it within the default [`Limits`](crate::Limits).
    ///
    /// # Errors
    ///
    /// As [`Weights::read_entry`].
    pub fn read(&self) -> Result<Weights> {
        Weights::read_entry(&self.path, self.entry.as_deref())
    }

    /// What tells the weights from others: the BLAKE3 hash of the file, hexadecimal, with `:ENTRY` where
    /// an entry is meant.
    ///
    /// # Errors
    ///
    /// [`IoError`](crate::IoError) when the file cannot be read.
    pub fn blake3(&self) -> Result<String> {
        let hash = hash::blake3_file(&self.path)?;
        Ok(match &self.entry {
            Some(entry) => format!("{hash}:{entry}"),
            None => hash,
        })
    }
}

impl fmt::Display for WeightsFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.path.display())?;
        self.entry
            .iter()
            .try_for_each(|entry| write!(f, ":{entry}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_follows_the_name_of_a_file() {
        let there = [
            "dino.pth",
            "C:\\w\\dino.pth",
            "C",
            "run:3/net.weights",
            "run:3/odd:name.pth",
            "odd",
        ];
        for (spec, path, entry) in [
            ("dino.pth", "dino.pth", None),
            ("dino.pth:teacher", "dino.pth", Some("teacher")),
            (
                "dino.pth:nested/student",
                "dino.pth",
                Some("nested/student"),
            ),
            ("dino.pth:a:b", "dino.pth", Some("a:b")),
            ("dino.pth:", "dino.pth:", None),
            // A drive, even where a file is called as its letter.
            ("C:\\w\\dino.pth", "C:\\w\\dino.pth", None),
            (
                "C:\\w\\dino.pth:teacher",
                "C:\\w\\dino.pth",
                Some("teacher"),
            ),
            ("C:\\w\\none.pth", "C:\\w\\none.pth", None),
            ("C:/w/none.pth:ema", "C:/w/none.pth", Some("ema")),
            // Colons in names of files and folders.
            ("run:3/odd:name.pth", "run:3/odd:name.pth", None),
            ("run:3/odd:name.pth:ema", "run:3/odd:name.pth", Some("ema")),
            ("run:3/net.weights", "run:3/net.weights", None),
            ("run:3/none.safetensors", "run:3/none.safetensors", None),
            // What is not there keeps its name in messages.
            (
                "gone.PTH.tar:state_dict",
                "gone.PTH.tar",
                Some("state_dict"),
            ),
            ("gone.safetensors:x", "gone.safetensors:x", None),
        ] {
            let found = WeightsFile::parse_with(spec, |path| {
                there.iter().any(|file| path == Path::new(file))
            });
            assert_eq!(found.path, Path::new(path), "{spec}");
            assert_eq!(found.entry.as_deref(), entry, "{spec}");
            assert_eq!(found.to_string(), spec);
        }
    }

    #[test]
    fn an_entry_is_part_of_what_tells_weights_apart() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.pth");
        std::fs::write(&path, "x").unwrap();
        let whole = WeightsFile::parse(&path);
        let one = WeightsFile::parse(format!("{}:ema", path.display()));
        assert_eq!(one.path, path);
        let hash = whole.blake3().unwrap();
        assert_eq!((hash.len(), one.blake3().unwrap()), (64, hash + ":ema"));
    }
}
