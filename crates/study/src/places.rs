//! Finding the files that a study names.

use std::path::{Path, PathBuf};

use consilience_io::video;

use crate::file::KeyPath;
use crate::{Result, StudyError};

/// Folders in which a study's relative paths are looked up, in order.
#[derive(Debug, Clone)]
pub struct Places {
    folders: Vec<PathBuf>,
}

impl Places {
    /// The study's own folder first, then the data folders.
    #[must_use]
    pub fn new(study_folder: impl Into<PathBuf>, data_folders: &[PathBuf]) -> Self {
        let mut folders = vec![study_folder.into()];
        folders.extend(data_folders.iter().cloned());
        Self { folders }
    }

    /// The first existing file called `name`.
    pub fn file(&self, key: &KeyPath, name: &str) -> Result<PathBuf> {
        self.candidates(name).find(|path| path.is_file()).ok_or_else(|| StudyError::Invalid {
            key: key.clone(),
            message: format!(
                "no file {name:?}; looked in {}; put it there, or give its path (data sets come with `consilience data get NAME`)",
                self.listing()
            ),
        })
    }

    /// The files that match `pattern` in the first folder where any does, in natural order; a `*` stands
    /// for no leading dot.
    pub fn matching(&self, key: &KeyPath, pattern: &str) -> Result<Vec<PathBuf>> {
        let invalid = |message| StudyError::Invalid {
            key: key.clone(),
            message,
        };
        for candidate in self.candidates(pattern) {
            let text = candidate.to_string_lossy();
            let options = glob::MatchOptions {
                require_literal_leading_dot: true,
                ..glob::MatchOptions::new()
            };
            let paths = glob::glob_with(&text, options)
                .map_err(|e| invalid(format!("{pattern:?} is not a file pattern: {e}")))?;
            let mut files: Vec<PathBuf> = paths.flatten().filter(|path| path.is_file()).collect();
            if !files.is_empty() {
                files.sort_by_cached_key(|path| natural_key(path));
                return Ok(files);
            }
        }
        Err(invalid(format!(
            "no file matches {pattern:?}; looked in {}; check the pattern and the folder",
            self.listing()
        )))
    }

    fn candidates(&self, name: &str) -> impl Iterator<Item = PathBuf> {
        let name = Path::new(name).to_owned();
        self.folders.iter().map(move |folder| folder.join(&name))
    }

    fn listing(&self) -> String {
        let folders: Vec<String> = self
            .folders
            .iter()
            .map(|f| {
                if f.as_os_str().is_empty() {
                    ".".into()
                } else {
                    f.display().to_string()
                }
            })
            .collect();
        folders.join(", ")
    }
}

/// The PNG, JPEG and BMP files of a folder, in natural order; hidden ones, which systems leave beside
/// pictures (`._face.png`), are none.
///
/// # Errors
///
/// What the system says when the folder cannot be listed.
pub fn pictures_in(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    files_in(folder, is_picture)
}

/// The pictures of a folder as [`pictures_in`] finds them and its films ([`video::is_video`]), in natural
/// order of all their names.
///
/// # Errors
///
/// What the system says when the folder cannot be listed.
pub fn pictures_and_films_in(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    files_in(folder, |path| is_picture(path) || video::is_video(path))
}

fn is_picture(path: &Path) -> bool {
    let ending = path.extension().unwrap_or_default().to_string_lossy();
    ["png", "jpg", "jpeg", "bmp"].contains(&ending.to_lowercase().as_str())
}

/// Files that are not hidden and pass a test, in natural order.
fn files_in(folder: &Path, wanted: impl Fn(&Path) -> bool) -> std::io::Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let is_hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
        let path = entry.path();
        if !is_hidden && wanted(&path) {
            paths.push(path);
        }
    }
    paths.sort_by_cached_key(|path| natural_key(path));
    Ok(paths)
}

/// Sorts `stim2.png` before `stim10.png`: runs of digits compare as numbers.
fn natural_key(path: &Path) -> Vec<(u64, String)> {
    let name = path.to_string_lossy();
    let mut key = Vec::new();
    let mut rest = name.as_ref();
    while !rest.is_empty() {
        let n_text = rest
            .find(|c: char| c.is_ascii_digit())
            .unwrap_or(rest.len());
        let (text, after) = rest.split_at(n_text);
        let n_digits = after
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(after.len());
        let (digits, after) = after.split_at(n_digits);
        key.push((0, text.to_owned()));
        // Numbers beyond u64 only fall back to the order of their text.
        key.push((digits.parse().unwrap_or(u64::MAX), digits.to_owned()));
        rest = after;
    }
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_is_natural() {
        let mut names = ["s10.png", "s9.png", "a2b10", "a2b9", "s009.png"];
        names.sort_by_cached_key(|name| natural_key(Path::new(name)));
        assert_eq!(names, ["a2b9", "a2b10", "s009.png", "s9.png", "s10.png"]);
    }

    #[test]
    fn pictures_of_a_folder_are_neither_hidden_nor_other_files() {
        let folder = tempfile::tempdir().unwrap();
        for name in [
            "b10.PNG",
            "b9.jpeg",
            "a.jpg",
            "._a.jpg",
            ".b.png",
            "b9.MP4",
            ".b.mov",
            "notes.txt",
        ] {
            std::fs::write(folder.path().join(name), b"").unwrap();
        }
        let names = |found: &[PathBuf]| -> Vec<String> {
            let names = found.iter().filter_map(|path| path.file_name()?.to_str());
            names.map(str::to_owned).collect()
        };
        let found = pictures_in(folder.path()).unwrap();
        assert_eq!(names(&found), ["a.jpg", "b9.jpeg", "b10.PNG"]);
        let found = pictures_and_films_in(folder.path()).unwrap();
        assert_eq!(names(&found), ["a.jpg", "b9.MP4", "b9.jpeg", "b10.PNG"]);
    }

    #[test]
    fn own_folder_comes_first_and_absence_names_the_folders() {
        let own = tempfile::tempdir().unwrap();
        let data = tempfile::tempdir().unwrap();
        let places = Places::new(own.path(), &[data.path().to_owned()]);
        let key = KeyPath::root("stimuli").key("images");
        std::fs::write(data.path().join("x1.png"), b"").unwrap();
        assert_eq!(
            places.file(&key, "x1.png").unwrap(),
            data.path().join("x1.png")
        );
        std::fs::write(own.path().join("x1.png"), b"").unwrap();
        assert_eq!(
            places.file(&key, "x1.png").unwrap(),
            own.path().join("x1.png")
        );
        std::fs::write(own.path().join("._x1.png"), b"").unwrap();
        assert_eq!(places.matching(&key, "*.png").unwrap().len(), 1);
        let error = places.file(&key, "y.png").unwrap_err().to_string();
        assert!(
            error.contains(&data.path().display().to_string()),
            "{error}"
        );
        assert!(places.matching(&key, "*.jpg").is_err());
    }
}
