//! Which picture a name in a table means.

use std::collections::{BTreeMap, HashMap};

use crate::{IoError, Result};

/// Endings that are no part of what a picture or film is called.
const ENDINGS: [&str; 12] = [
    "jpg", "jpeg", "png", "bmp", "gif", "tif", "tiff", "webp", "mp4", "mov", "avi", "mkv",
];

/// Names of pictures as a table has them, to be found by what others call the same pictures.
///
/// Two names mean the same picture when they are equal but for blanks around them; else when their file names are, and
/// their folders agree as far as both name them, counted from the file; else when that holds without the endings of picture
/// files. Case counts.
pub(crate) struct Pictures<'a> {
    names: Vec<Name<'a>>,
    by_stem: HashMap<&'a str, Vec<usize>>,
    /// What the names stand in, for messages.
    among: &'static str,
}

impl<'a> Pictures<'a> {
    pub(crate) fn new(names: impl IntoIterator<Item = &'a str>, among: &'static str) -> Self {
        let names: Vec<Name<'a>> = names.into_iter().map(Name::new).collect();
        let mut by_stem: HashMap<&str, Vec<usize>> = HashMap::new();
        for (idx, name) in names.iter().enumerate() {
            by_stem.entry(name.stem).or_default().push(idx);
        }
        Self {
            names,
            by_stem,
            among,
        }
    }

    /// The position of each picture asked for, `None` where the table has no such picture.
    ///
    /// # Errors
    ///
    /// [`IoError::SeveralPictures`] when several names fit, or one fits several of those asked for.
    pub(crate) fn find(&self, asked: &[&str]) -> Result<Vec<Option<usize>>> {
        let mut found = Vec::with_capacity(asked.len());
        let mut taken: BTreeMap<usize, &str> = BTreeMap::new();
        for name in asked {
            let fits = self.fitting(name);
            if fits.len() > 1 {
                return Err(IoError::SeveralPictures {
                    name: (*name).to_owned(),
                    among: self.among,
                    found: (fits.iter())
                        .map(|&idx| self.names[idx].full.to_owned())
                        .collect(),
                });
            }
            let only = fits.first().copied();
            if let Some(idx) = only
                && let Some(before) = taken.insert(idx, name)
            {
                return Err(IoError::SeveralPictures {
                    name: self.names[idx].full.to_owned(),
                    among: "the pictures asked for",
                    found: vec![before.to_owned(), (*name).to_owned()],
                });
            }
            found.push(only);
        }
        Ok(found)
    }

    /// Positions of the names that fit best.
    fn fitting(&self, name: &str) -> Vec<usize> {
        let asked = Name::new(name);
        let Some(candidates) = self.by_stem.get(asked.stem) else {
            return Vec::new();
        };
        let those = |fits: &dyn Fn(&Name<'_>) -> bool| -> Vec<usize> {
            let fitting = candidates.iter().filter(|&&idx| fits(&self.names[idx]));
            fitting.copied().collect()
        };
        let steps: [&dyn Fn(&Name<'_>) -> bool; 3] = [
            &|name| name.full == asked.full,
            &|name| name.file == asked.file && name.agrees(&asked),
            &|name| name.agrees(&asked),
        ];
        let mut fits = steps.into_iter().map(those);
        fits.find(|found| !found.is_empty()).unwrap_or_default()
    }
}

struct Name<'a> {
    full: &'a str,
    file: &'a str,
    stem: &'a str,
}

impl<'a> Name<'a> {
    fn new(name: &'a str) -> Self {
        let full = name.trim();
        let file = full.rsplit(['/', '\\']).next().unwrap_or(full);
        let stem = match file.rsplit_once('.') {
            Some((stem, ending))
                if !stem.is_empty() && ENDINGS.iter().any(|e| ending.eq_ignore_ascii_case(e)) =>
            {
                stem
            }
            _ => file,
        };
        Self {
            full,
            file,
            stem: stem.trim_end(),
        }
    }

    /// Whether the folders are the same as far as both names have some.
    fn agrees(&self, other: &Name<'_>) -> bool {
        self.folders().zip(other.folders()).all(|(a, b)| a == b)
    }

    /// The folders, from that of the file outwards.
    fn folders(&self) -> impl Iterator<Item = &str> {
        let path = &self.full[..self.full.len() - self.file.len()];
        path.split(['/', '\\'])
            .rev()
            .filter(|part| !part.is_empty() && *part != ".")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(names: &[&str], asked: &[&str]) -> Result<Vec<Option<usize>>> {
        Pictures::new(names.iter().copied(), "the table").find(asked)
    }

    #[test]
    fn names_fit_by_file_stem_and_folder() {
        let names = ["Happy/a.jpg", "Sad/a.jpg", "War 2 ", "c.v2", "d.JPG"];
        let asked = [
            "images/Happy/a.jpg",
            "Sad\\a.png",
            "War 2.jpg",
            "c.v3",
            "./d",
            "D",
        ];
        let found = find(&names, &asked).unwrap();
        assert_eq!(found, [Some(0), Some(1), Some(2), None, Some(4), None]);
        // The folder says that these are others.
        assert_eq!(find(&["Sad/a.jpg"], &["Happy/a.jpg"]).unwrap(), [None]);
        // A file of the very name goes before one of another ending.
        let found = find(&["a.png", "a.jpg"], &["x/a.jpg"]).unwrap();
        assert_eq!(found, [Some(1)]);
    }

    #[test]
    fn several_fits_are_refused_either_way() {
        let message = find(&["Happy/a.jpg", "Sad/a.jpg"], &["a.jpg"])
            .unwrap_err()
            .to_string();
        for part in ["\"a.jpg\"", "the table", "\"Happy/a.jpg\"", "\"Sad/a.jpg\""] {
            assert!(message.contains(part), "{message}");
        }
        let message = find(&["a"], &["a.jpg", "a.png"]).unwrap_err().to_string();
        assert!(
            message.contains("asked for") && message.contains("\"a.png\""),
            "{message}"
        );
    }
}
