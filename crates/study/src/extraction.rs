//! Activations to files, so that what was killed can go on.

use std::ops::Range;
use std::path::{Path, PathBuf};

use consilience_io::{AnyArray, Dtype, IoError, atomic, npy};
use consilience_models::preprocess::Changes;
use consilience_models::{Clips, ExtractParams, Extractor, Layer, Network};

use crate::progress::Progress;
use crate::reduce::Reducer;
use crate::{Result, StudyError};

/// Pictures or frames after which a block is closed: about what an interruption costs.
const BLOCK: usize = 256;

/// The rows of each block: it ends with the row that brings it to [`BLOCK`] pictures or frames.
pub(crate) fn blocks(clips: &Clips) -> Vec<Range<usize>> {
    let mut blocks = Vec::new();
    let mut first = 0;
    for end in 1..=clips.n_rows() {
        if end == clips.n_rows() || clips.frames_of(first..end).len() >= BLOCK {
            blocks.push(first..end);
            first = end;
        }
    }
    blocks
}

/// An extraction whose finished blocks lie in a folder until all are there.
///
/// A block is the rows of 256 pictures or frames (of the clips that reach 256 frames, where a row is the
/// mean of a clip) at one layer, in an `.npy` file that appears whole or not at all. Memory stays at a few
/// batches while blocks are made, and at one block while they are joined.
#[derive(Debug, Clone, Copy)]
pub struct Extraction<'a> {
    /// The network, edits included.
    pub network: &'a Network,
    /// The layers, as [`Extractor::prepare`] takes them.
    pub layers: &'a [Layer],
    /// How they are extracted.
    pub params: &'a ExtractParams,
    /// What makes fewer features of each layer, in the order of [`Extractor::layers`].
    pub reducers: &'a [Reducer],
    /// The pictures and films.
    pub clips: &'a Clips,
    /// What is done to pictures before the network sees them.
    pub changes: &'a Changes,
    /// Folder of the blocks, which no other extraction uses.
    pub folder: &'a Path,
}

impl Extraction<'_> {
    /// Makes the blocks that are not there yet; gives the number of pictures and frames that needed no work.
    ///
    /// `n_features` has the features that come out of each layer, 0 for one that needs no file because it
    /// is the same tensor as an earlier one.
    ///
    /// # Errors
    ///
    /// What extraction can end with, a full disk.
    pub fn run(&self, n_features: &[usize], progress: &dyn Progress) -> Result<usize> {
        atomic::clear_leftovers(self.folder);
        let mut n_there = 0;
        progress.begin("activations", self.clips.n_frames() as u64);
        for (block_idx, rows) in blocks(self.clips).into_iter().enumerate() {
            let n_rows = rows.len();
            let frames = self.clips.frames_of(rows.clone());
            let is_there = |(layer_idx, &n): (usize, &usize)| {
                n == 0 || is_whole(&self.block(block_idx, layer_idx), &[n_rows, n])
            };
            if n_features.iter().enumerate().all(is_there) {
                n_there += frames.len();
                continue;
            }
            let extractor = Extractor::prepare(self.network, self.layers, self.params)?;
            let extractor = extractor.changed(self.changes.clone());
            let mut writers = n_features
                .iter()
                .enumerate()
                .map(|(layer_idx, &n)| match n {
                    0 => Ok(None),
                    n => {
                        let path = self.block(block_idx, layer_idx);
                        npy::Writer::<f32>::create(path, &[n_rows, n]).map(Some)
                    }
                })
                .collect::<std::result::Result<Vec<_>, _>>()?;
            extractor.run_clips(
                self.clips,
                rows,
                |rows| -> Result<()> {
                    if let Some(writer) = &mut writers[rows.layer_idx] {
                        writer.append(&self.reducers[rows.layer_idx].apply(rows.rows))?;
                    }
                    Ok(())
                },
                |done| progress.advance_to((frames.start + done) as u64),
            )?;
            for writer in writers.into_iter().flatten() {
                writer.finish()?;
            }
        }
        progress.end();
        Ok(n_there)
    }

    /// Joins the blocks of a layer to the file `path` of `n_features` columns.
    ///
    /// # Errors
    ///
    /// A block that is missing or damaged, a full disk.
    pub fn join(&self, layer_idx: usize, n_features: usize, path: &Path) -> Result<()> {
        let mut writer = npy::Writer::<f32>::create(path, &[self.clips.n_rows(), n_features])?;
        for block_idx in 0..blocks(self.clips).len() {
            let block = self.block(block_idx, layer_idx);
            match npy::read(&block)? {
                AnyArray::F32(array) if array.is_standard_layout() => {
                    writer.append(array.as_slice().unwrap_or_default())?;
                }
                _ => return Err(StudyError::DamagedCache { path: block }),
            }
        }
        Ok(writer.finish()?)
    }

    fn block(&self, block_idx: usize, layer_idx: usize) -> PathBuf {
        self.folder.join(format!("{block_idx:06}-{layer_idx}.npy"))
    }
}

/// Whether the file is an f32 array of that shape with all its bytes.
pub(crate) fn is_whole(path: &Path, shape: &[usize]) -> bool {
    let Ok(header) = npy::header(path) else {
        return false;
    };
    let n_values: usize = shape.iter().product();
    let n_bytes = header.data_offset + (n_values * size_of::<f32>()) as u64;
    header.dtype == Dtype::F32
        && header.shape == shape
        && std::fs::metadata(path).is_ok_and(|metadata| metadata.len() == n_bytes)
}

/// Removes folders of unfinished extractions in `folder`, that of `but` excepted.
///
/// # Errors
///
/// [`StudyError::File`] for one that cannot be removed.
pub fn remove_unfinished(folder: &Path, but: Option<&Path>) -> Result<()> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Ok(());
    };
    for entry in entries.flatten() {
        let is_ours = entry.file_name().to_string_lossy().starts_with(UNFINISHED);
        if is_ours && Some(entry.path().as_path()) != but {
            std::fs::remove_dir_all(entry.path()).map_err(|source| IoError::Os {
                action: "remove an unfinished extraction",
                source,
            })?;
        }
    }
    Ok(())
}

/// Beginning of the names of folders of unfinished extractions.
const UNFINISHED: &str = ".unfinished-";

/// The folder in `folder` of the unfinished extraction of which `manifest` tells everything.
#[must_use]
pub fn unfinished(folder: &Path, manifest: &str) -> PathBuf {
    let hash = blake3::hash(manifest.as_bytes()).to_hex();
    folder.join(format!("{UNFINISHED}{}", &hash[..16]))
}

#[cfg(test)]
mod tests {
    use consilience_io::video::Selection;
    use consilience_models::ClipPool;

    use super::*;

    #[test]
    fn blocks_are_closed_by_pictures_and_frames() {
        let film: PathBuf = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../fixtures/video/plain.mp4"
        )
        .into();
        let open =
            |paths: &[PathBuf], pool| Clips::open(paths, Selection::default(), pool).unwrap();
        let pictures = vec![PathBuf::from("not-opened.png"); 600];
        for pool in [ClipPool::None, ClipPool::Mean] {
            assert_eq!(blocks(&open(&pictures, pool)), [0..256, 256..512, 512..600]);
            assert!(blocks(&open(&[], pool)).is_empty());
        }
        // 12 frames each: 22 films are the first that reach 256.
        let films = vec![film; 50];
        assert_eq!(
            blocks(&open(&films, ClipPool::Mean)),
            [0..22, 22..44, 44..50]
        );
        let frames = open(&films, ClipPool::None);
        assert_eq!(blocks(&frames), [0..256, 256..512, 512..600]);
    }
}
