//! Files that appear whole or not at all.

use std::fs::File;
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::error::AtPath;
use crate::{IoError, Result};

/// Beginning of the names of files under construction.
const PREFIX: &str = ".partial-";

/// A file under construction: it takes its name only at [`commit`](Self::commit).
///
/// The bytes go to a temporary file in the same folder (made if need be), which is flushed to disk and
/// renamed. Dropped without a commit, nothing is left and an older file of that name stays.
///
/// # Example
///
/// ```
/// use std::io::Write;
/// # let folder = tempfile::tempdir().unwrap();
/// # let path = folder.path().join("scores.csv");
/// let mut file = consilience_io::atomic::AtomicFile::create(&path)?;
/// file.write_all(b"layer,score\n").unwrap();
/// assert!(!path.exists());
/// file.commit()?;
/// assert!(path.exists());
/// # Ok::<(), consilience_io::IoError>(())
/// ```
#[derive(Debug)]
pub struct AtomicFile {
    file: BufWriter<NamedTempFile>,
    path: PathBuf,
}

impl AtomicFile {
    /// Starts a file that will be `path`.
    ///
    /// # Errors
    ///
    /// [`IoError::Os`] when the folder cannot be made or written to.
    pub fn create(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        std::fs::create_dir_all(folder)
            .map_err(IoError::os("make the folder"))
            .at(folder)?;
        let mut builder = tempfile::Builder::new();
        builder.prefix(PREFIX);
        // A finished result is as readable as any other new file; the default is for secrets.
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        let file = builder
            .tempfile_in(folder)
            .map_err(IoError::os("create the file"))
            .at(path)?;
        // The lock goes with the process, so it tells a living writer from a killed one. Where the
        // file system has no locks, leftovers stay.
        let _ = file.as_file().try_lock();
        Ok(Self {
            file: BufWriter::with_capacity(1 << 16, file),
            path: path.to_path_buf(),
        })
    }

    /// The name that the file will have.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Flushes to disk and gives the file its name, replacing an older one.
    ///
    /// # Errors
    ///
    /// [`IoError::Os`]; then nothing of the new file is left.
    pub fn commit(self) -> Result<()> {
        let Self { file, path } = self;
        let file = file
            .into_inner()
            .map_err(|error| IoError::os("write the file")(error.into_error()))
            .at(&path)?;
        file.as_file()
            .sync_all()
            .map_err(IoError::os("flush the file to disk"))
            .at(&path)?;
        file.persist(&path)
            .map_err(|error| IoError::os("name the finished file")(error.error))
            .at(&path)?;
        Ok(())
    }
}

impl Write for AtomicFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Seek for AtomicFile {
    fn seek(&mut self, position: SeekFrom) -> io::Result<u64> {
        self.file.seek(position)
    }
}

/// A folder that goes again when nothing came of it.
///
/// Dropped, it removes those of the folder and its parents that were not there at first and are empty.
#[derive(Debug)]
pub struct NewFolder {
    /// The innermost first.
    absent: Vec<PathBuf>,
}

impl NewFolder {
    /// Remembers what there is of `folder`; makes nothing.
    #[must_use]
    pub fn watch(folder: impl AsRef<Path>) -> Self {
        let parents = folder.as_ref().ancestors();
        let absent = parents.take_while(|f| !f.as_os_str().is_empty() && !f.exists());
        Self {
            absent: absent.map(Path::to_path_buf).collect(),
        }
    }
}

impl Drop for NewFolder {
    fn drop(&mut self) {
        for folder in &self.absent {
            // Fails for a folder that holds something, as it should.
            let _ = std::fs::remove_dir(folder);
        }
    }
}

/// Files under construction that go to their folder together, at [`commit`](Self::commit).
///
/// Dropped without a commit, nothing of them is left and what the folder had before stays.
///
/// # Example
///
/// ```
/// # let temporary = tempfile::tempdir().unwrap();
/// # let out = temporary.path().join("faces");
/// let files = consilience_io::atomic::AtomicFolder::create(&out)?;
/// std::fs::write(files.path().join("a.png"), b"picture").unwrap();
/// assert!(!out.join("a.png").exists());
/// files.commit()?;
/// assert!(out.join("a.png").exists());
/// # Ok::<(), consilience_io::IoError>(())
/// ```
#[derive(Debug)]
pub struct AtomicFolder {
    // Goes before the folder that it lies in.
    stage: tempfile::TempDir,
    folder: PathBuf,
    _new: NewFolder,
}

impl AtomicFolder {
    /// Starts files that will lie in `folder` or below.
    ///
    /// # Errors
    ///
    /// [`IoError::Os`] when the folder cannot be made or written to.
    pub fn create(folder: impl AsRef<Path>) -> Result<Self> {
        let folder = folder.as_ref();
        let new = NewFolder::watch(folder);
        std::fs::create_dir_all(folder)
            .map_err(IoError::os("make the folder"))
            .at(folder)?;
        let stage = tempfile::Builder::new()
            .prefix(PREFIX)
            .tempdir_in(folder)
            .map_err(IoError::os("make a folder in the folder"))
            .at(folder)?;
        Ok(Self {
            stage,
            folder: folder.to_path_buf(),
            _new: new,
        })
    }

    /// Where the files are put meanwhile; its folders are those of the result.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.stage.path()
    }

    /// Brings all files to their places, replacing older ones.
    ///
    /// # Errors
    ///
    /// [`IoError::Os`], naming the place.
    pub fn commit(self) -> Result<()> {
        move_files(self.stage.path(), &self.folder)
    }
}

fn move_files(from: &Path, to: &Path) -> Result<()> {
    std::fs::create_dir_all(to)
        .map_err(IoError::os("make the folder"))
        .at(to)?;
    let entries = std::fs::read_dir(from)
        .map_err(IoError::os("list the folder"))
        .at(from)?;
    for entry in entries {
        let entry = entry.map_err(IoError::os("list the folder")).at(from)?;
        let (source, place) = (entry.path(), to.join(entry.file_name()));
        if source.is_dir() {
            move_files(&source, &place)?;
        } else {
            std::fs::rename(&source, &place)
                .map_err(IoError::os("name the finished file"))
                .at(&place)?;
        }
    }
    Ok(())
}

/// Removes what writers that were killed left directly in `folder`; files that are being written
/// stay.
///
/// Nothing depends on it, so what cannot be removed stays without a word.
pub fn clear_leftovers(folder: impl AsRef<Path>) {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        let is_partial = entry.file_name().to_string_lossy().starts_with(PREFIX);
        let is_abandoned = || File::open(entry.path()).is_ok_and(|file| file.try_lock().is_ok());
        if is_partial && is_abandoned() {
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

/// Writes a whole file by `write` and commits it when that succeeds.
///
/// # Errors
///
/// [`IoError::Os`], naming `path`.
pub fn write_atomically<T>(
    path: impl AsRef<Path>,
    write: impl FnOnce(&mut AtomicFile) -> io::Result<T>,
) -> Result<T> {
    let path = path.as_ref();
    let mut file = AtomicFile::create(path)?;
    let value = write(&mut file)
        .map_err(IoError::os("write the file"))
        .at(path)?;
    file.commit()?;
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_failed_write_leaves_the_old_file_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/er/out.txt");
        write_atomically(&path, |w| w.write_all(b"first")).unwrap();
        let error = write_atomically(&path, |w| {
            w.write_all(&[0; 1 << 20])?;
            Err::<(), _>(io::Error::other("full"))
        })
        .unwrap_err();
        assert!(error.to_string().ends_with("out.txt"), "{error}");
        assert_eq!(std::fs::read(&path).unwrap(), b"first");
        assert_eq!(names(path.parent().unwrap()), ["out.txt"]);
    }

    #[test]
    fn dropping_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let mut file = AtomicFile::create(folder.path().join("out")).unwrap();
        file.write_all(b"half").unwrap();
        drop(file);
        assert!(names(folder.path()).is_empty());
    }

    #[test]
    fn a_new_folder_stays_only_with_something_in_it() {
        let folder = tempfile::tempdir().unwrap();
        let [there, kept, lost] = ["there", "kept", "lost/deep"].map(|n| folder.path().join(n));
        std::fs::create_dir(&there).unwrap();
        for path in [&there, &kept, &lost] {
            let _new = NewFolder::watch(path);
            std::fs::create_dir_all(path).unwrap();
            if path == &kept {
                std::fs::write(path.join("result"), b"").unwrap();
            }
        }
        assert_eq!(names(folder.path()), ["kept", "there"]);
    }

    #[test]
    fn files_of_a_folder_appear_together_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("new/out");
        let start = || {
            let files = AtomicFolder::create(&out).unwrap();
            write_atomically(files.path().join("a"), |w| w.write_all(b"1")).unwrap();
            write_atomically(files.path().join("b/c"), |w| w.write_all(b"2")).unwrap();
            files
        };
        drop(start());
        assert!(names(folder.path()).is_empty());
        start().commit().unwrap();
        std::fs::write(out.join("b/old"), b"stays").unwrap();
        std::fs::write(out.join("a"), b"old").unwrap();
        start().commit().unwrap();
        assert_eq!(names(&out), ["a", "b"]);
        assert_eq!(names(&out.join("b")), ["c", "old"]);
        assert_eq!(std::fs::read(out.join("a")).unwrap(), b"1");
    }

    #[test]
    fn leftovers_go_and_living_files_stay() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(".partial-killed"), b"half").unwrap();
        std::fs::write(folder.path().join("finished"), b"whole").unwrap();
        let mut living = AtomicFile::create(folder.path().join("out")).unwrap();
        clear_leftovers(folder.path());
        assert_eq!(names(folder.path()).len(), 2);
        living.write_all(b"whole").unwrap();
        living.commit().unwrap();
        clear_leftovers(folder.path());
        assert_eq!(names(folder.path()), ["finished", "out"]);
        clear_leftovers(folder.path().join("nowhere"));
    }

    #[test]
    fn the_path_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let blocked = folder.path().join("file");
        std::fs::write(&blocked, b"").unwrap();
        let error = AtomicFile::create(blocked.join("out")).unwrap_err();
        assert!(error.to_string().contains("file"), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn the_result_is_readable_like_any_new_file() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let [ours, plain] = ["ours", "plain"].map(|name| folder.path().join(name));
        write_atomically(&ours, |w| w.write_all(b"")).unwrap();
        std::fs::write(&plain, b"").unwrap();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode(&ours), mode(&plain));
    }
}
