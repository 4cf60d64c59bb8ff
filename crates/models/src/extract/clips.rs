//! Pictures and films, and the rows that they give.

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::{Mutex, PoisonError};

use consilience_io::IoError;
use consilience_io::image::{self, Orientation, RgbImage};
use consilience_io::video::{self, Frames, Selection, Video};
use ndarray::{Array2, ArrayView2};

use super::{Block, Extractor};
use crate::{ModelError, Result};

/// What becomes of the frames of a clip.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum ClipPool {
    /// A row for each.
    #[default]
    None,
    /// One row: their mean.
    Mean,
}

impl FromStr for ClipPool {
    type Err = ModelError;

    fn from_str(word: &str) -> Result<Self> {
        match word {
            "none" => Ok(Self::None),
            "mean" => Ok(Self::Mean),
            _ => Err(ModelError::UnknownChoice {
                what: "pooling over a clip",
                found: word.to_owned(),
                expected: "none, mean",
            }),
        }
    }
}

impl fmt::Display for ClipPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "none",
            Self::Mean => "mean",
        })
    }
}

/// The chosen frames of a film.
#[derive(Debug, Clone)]
pub struct Film {
    /// The film.
    pub video: Video,
    /// Positions of the chosen frames in it, in order; at least one.
    pub positions: Vec<usize>,
}

/// A picture, or the chosen frames of a film.
#[derive(Debug, Clone)]
pub struct Clip {
    /// The file.
    pub path: PathBuf,
    /// What is taken of it when it is a film; a picture is a clip of one frame.
    pub film: Option<Film>,
}

impl Clip {
    /// Number of frames.
    #[must_use]
    pub fn n_frames(&self) -> usize {
        self.film.as_ref().map_or(1, |film| film.positions.len())
    }
}

/// Pictures and films in their order, which a network sees frame by frame.
///
/// # Definition
///
/// The frames of all clips, one clip after the other, are the images of a run. Rows are either the
/// frames' own or, with [`ClipPool::Mean`], one for each clip: the mean of its frames' rows after pooling,
/// summed in 64 bits in the order of the frames. A film is decoded from its beginning to its end, a frame
/// when its turn comes; none is held as a whole, and one is open at a time.
///
/// # Example
///
/// ```no_run
/// use consilience_io::video::Selection;
/// use consilience_models::{ClipPool, Clips, ExtractParams, Extractor, ModelError, Network};
///
/// let network = Network::from_zoo("squeezenet1_1", "squeezenet1_1.safetensors".as_ref())?;
/// let layers = network.select(&["features.*"])?;
/// let extractor = Extractor::prepare(&network, &layers, &ExtractParams::default())?;
/// let clips = Clips::open(&["face.mp4".into()], Selection::default(), ClipPool::Mean)?;
/// extractor.run_clips(&clips, 0..clips.n_rows(), |_block| Ok::<(), ModelError>(()), |_done| {})?;
/// # Ok::<(), ModelError>(())
/// ```
#[derive(Debug)]
pub struct Clips {
    clips: Vec<Clip>,
    /// The first frame of each clip among those of all, and their number.
    firsts: Vec<usize>,
    selection: Selection,
    pool: ClipPool,
    /// The film that is being decoded.
    reader: Mutex<Option<Reader>>,
}

#[derive(Debug)]
struct Reader {
    /// The frame that it gives next, among those of all clips.
    next: usize,
    frames: Frames,
}

impl Clips {
    /// Looks at the headers of all films and chooses their frames. Files whose endings are not those of
    /// films ([`video::is_video`]) are taken for pictures, which are not opened yet.
    ///
    /// # Errors
    ///
    /// [`ModelError::File`] for a film that cannot be read or has no frame in the span.
    pub fn open(paths: &[PathBuf], selection: Selection, pool: ClipPool) -> Result<Self> {
        let clips = paths
            .iter()
            .map(|path| {
                let film = match video::is_video(path) {
                    true => {
                        let video = video::open(path)?;
                        let positions = video.positions(&selection)?;
                        Some(Film { video, positions })
                    }
                    false => None,
                };
                let path = path.clone();
                Ok(Clip { path, film })
            })
            .collect::<Result<Vec<Clip>>>()?;
        let mut firsts = vec![0];
        firsts.extend(clips.iter().scan(0, |n_frames, clip| {
            *n_frames += clip.n_frames();
            Some(*n_frames)
        }));
        Ok(Self {
            clips,
            firsts,
            selection,
            pool,
            reader: Mutex::new(None),
        })
    }

    /// The clips.
    #[must_use]
    pub fn clips(&self) -> &[Clip] {
        &self.clips
    }

    /// Whether one of them is a film.
    #[must_use]
    pub fn has_films(&self) -> bool {
        self.clips.iter().any(|clip| clip.film.is_some())
    }

    /// What is taken of each film.
    #[must_use]
    pub fn selection(&self) -> &Selection {
        &self.selection
    }

    /// What becomes of the frames of a clip.
    #[must_use]
    pub fn pool(&self) -> ClipPool {
        self.pool
    }

    /// Number of frames of all clips.
    #[must_use]
    pub fn n_frames(&self) -> usize {
        self.firsts.last().copied().unwrap_or(0)
    }

    /// Number of rows that come out.
    #[must_use]
    pub fn n_rows(&self) -> usize {
        match self.pool {
            ClipPool::None => self.n_frames(),
            ClipPool::Mean => self.clips.len(),
        }
    }

    /// The frames, among those of all clips, that the rows are made from.
    ///
    /// # Panics
    ///
    /// When there are no such rows.
    #[must_use]
    pub fn frames_of(&self, rows: Range<usize>) -> Range<usize> {
        assert!(
            rows.end <= self.n_rows(),
            "rows {rows:?} of {}",
            self.n_rows()
        );
        match self.pool {
            ClipPool::None => rows,
            ClipPool::Mean => self.firsts[rows.start]..self.firsts[rows.end],
        }
    }

    /// All frames, as the images of a run.
    #[must_use]
    pub fn frames(&self) -> ClipFrames<'_> {
        ClipFrames {
            clips: self,
            first: 0,
            n_frames: self.n_frames(),
        }
    }

    /// The clip that a frame belongs to, and which of the clip's frames it is.
    ///
    /// # Panics
    ///
    /// When there is no such frame.
    #[must_use]
    pub fn locate(&self, frame_idx: usize) -> (usize, usize) {
        assert!(
            frame_idx < self.n_frames(),
            "frame {frame_idx} of {}",
            self.n_frames()
        );
        let clip_idx = self.firsts.partition_point(|&first| first <= frame_idx) - 1;
        (clip_idx, frame_idx - self.firsts[clip_idx])
    }

    /// The picture that stands for a clip: itself, turned or not as its orientation tag says, or the
    /// middle one of the chosen frames.
    ///
    /// # Errors
    ///
    /// [`ModelError::File`] when it cannot be read.
    pub fn still(&self, clip_idx: usize, orientation: Orientation) -> Result<RgbImage> {
        let clip = &self.clips[clip_idx];
        let Some(film) = &clip.film else {
            return Ok(image::read_oriented(&clip.path, orientation)?);
        };
        let mut frames = film
            .video
            .frames_from(&self.selection, film.positions.len() / 2)?;
        Ok(frames.next().ok_or(IoError::NoFrames)??.image)
    }

    /// A frame of a film, decoded; `None` for a picture. Cheap in ascending order, otherwise the film is
    /// opened again.
    fn film_frame(&self, frame_idx: usize) -> Result<Option<RgbImage>> {
        let (clip_idx, n_before) = self.locate(frame_idx);
        let Some(film) = &self.clips[clip_idx].film else {
            return Ok(None);
        };
        let mut slot = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        let mut reader = match slot.take() {
            Some(reader) if reader.next == frame_idx => reader,
            _ => Reader {
                next: frame_idx,
                frames: film.video.frames_from(&self.selection, n_before)?,
            },
        };
        let frame = reader.frames.next().ok_or(IoError::NoFrames)??;
        reader.next += 1;
        // A film whose last frame was taken is closed.
        if reader.next < self.firsts[clip_idx + 1] {
            *slot = Some(reader);
        }
        Ok(Some(frame.image))
    }
}

/// Consecutive frames of clips.
#[derive(Debug, Clone, Copy)]
pub struct ClipFrames<'a> {
    clips: &'a Clips,
    pub(super) first: usize,
    n_frames: usize,
}

impl<'a> ClipFrames<'a> {
    /// Number of frames.
    #[must_use]
    pub fn len(&self) -> usize {
        self.n_frames
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.n_frames == 0
    }

    pub(super) fn film_frame(&self, idx: usize) -> Result<Option<RgbImage>> {
        self.clips.film_frame(self.first + idx)
    }

    pub(super) fn path(&self, idx: usize) -> &'a Path {
        &self.clips.clips[self.clips.locate(self.first + idx).0].path
    }

    /// How messages name a frame.
    pub(super) fn name(&self, idx: usize) -> String {
        let (clip_idx, nth) = self.clips.locate(self.first + idx);
        let clip = &self.clips.clips[clip_idx];
        match &clip.film {
            Some(film) => format!("frame {} of {}", film.positions[nth], clip.path.display()),
            None => clip.path.display().to_string(),
        }
    }
}

impl Extractor {
    /// Runs the clips and delivers `rows` of them, which count from 0 in the blocks; `progress` gets the
    /// number of frames that are done. Otherwise as [`Extractor::run`].
    ///
    /// # Errors
    ///
    /// As [`Extractor::run`].
    ///
    /// # Panics
    ///
    /// When there are no such rows.
    pub fn run_clips<E: From<ModelError>>(
        self,
        clips: &Clips,
        rows: Range<usize>,
        mut sink: impl FnMut(Block<'_>) -> std::result::Result<(), E>,
        progress: impl FnMut(usize),
    ) -> std::result::Result<(), E> {
        let range = clips.frames_of(rows.clone());
        let frames = ClipFrames {
            clips,
            first: range.start,
            n_frames: range.len(),
        };
        if clips.pool == ClipPool::None {
            return self.run(frames, sink, progress);
        }
        let mut means = vec![Means::default(); self.layers.len()];
        let clips = &clips.clips[rows];
        self.run(
            frames,
            |block| {
                let mean = &mut means[block.layer_idx];
                let first_row = mean.n_done;
                let rows = mean.add(block.rows, clips);
                match rows.is_empty() {
                    true => Ok(()),
                    false => sink(Block {
                        layer_idx: block.layer_idx,
                        first_row,
                        rows: rows.view(),
                    }),
                }
            },
            progress,
        )
    }
}

/// Means over clips whose frames come in order.
#[derive(Debug, Clone, Default)]
struct Means {
    /// Sums over the frames of the clip that has begun.
    sums: Vec<f64>,
    n_frames: usize,
    n_done: usize,
}

impl Means {
    /// Takes the rows of the next frames; gives those of the clips that are whole now.
    #[allow(
        clippy::cast_possible_truncation,
        reason = "the mean of f32 is within their range"
    )]
    fn add(&mut self, rows: ArrayView2<'_, f32>, clips: &[Clip]) -> Array2<f32> {
        let mut values = Vec::new();
        let n_before = self.n_done;
        for row in rows.outer_iter() {
            match self.n_frames {
                // Begun with a value rather than with 0, so that the mean of one is itself.
                0 => self.sums = row.iter().copied().map(f64::from).collect(),
                _ => {
                    for (sum, value) in self.sums.iter_mut().zip(row) {
                        *sum += f64::from(*value);
                    }
                }
            }
            self.n_frames += 1;
            if self.n_frames == clips[self.n_done].n_frames() {
                let n_frames = self.n_frames as f64;
                values.extend(self.sums.iter().map(|sum| (sum / n_frames) as f32));
                self.n_frames = 0;
                self.n_done += 1;
            }
        }
        Array2::from_shape_vec((self.n_done - n_before, rows.ncols()), values)
            .expect("a value for each clip and column")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_film_is_decoded_once_in_order_and_closed_at_its_end() {
        let film: PathBuf = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../fixtures/video/plain.mp4"
        )
        .into();
        let paths = [film.clone(), PathBuf::from("picture.png"), film];
        let clips = Clips::open(&paths, Selection::default(), ClipPool::None).unwrap();
        let next = || {
            let reader = clips.reader.lock().unwrap();
            reader
                .as_ref()
                .map(|reader| (reader.next, reader.frames.size_hint().1))
        };
        let mut seen = Vec::new();
        for frame_idx in 0..25 {
            let (clip_idx, nth) = clips.locate(frame_idx);
            let frame = clips.film_frame(frame_idx).unwrap();
            assert_eq!(frame.is_none(), clip_idx == 1);
            // The reader that gave the frame stays, and has so many left.
            let is_open = clip_idx != 1 && nth < 11;
            assert_eq!(next(), is_open.then(|| (frame_idx + 1, Some(11 - nth))));
            seen.extend(frame);
        }
        assert_eq!(seen[..12], seen[12..]);
        // Out of order it is opened again.
        for frame_idx in [5, 6, 3, 20] {
            let frame = clips.film_frame(frame_idx).unwrap().unwrap();
            assert_eq!(frame, seen[frame_idx - usize::from(frame_idx > 12)]);
        }
    }

    #[test]
    fn means_begin_with_a_value() {
        let clip = |n: usize| Clip {
            path: PathBuf::new(),
            film: (n > 1).then(|| {
                let path = concat!(
                    env!("CARGO_MANIFEST_DIR"),
                    "/../../fixtures/video/plain.mp4"
                );
                Film {
                    video: video::open(path).unwrap(),
                    positions: (0..n).collect(),
                }
            }),
        };
        let clips = [clip(1), clip(3), clip(2)];
        let mut means = Means::default();
        let rows = ndarray::array![[-0.0_f32, 1.0], [1.0, 2.0], [2.0, 4.0]];
        let first = means.add(rows.view(), &clips);
        assert_eq!(first, ndarray::array![[0.0, 1.0]]);
        assert!(first[[0, 0]].is_sign_negative());
        let rows = ndarray::array![[6.0_f32, 6.0], [1e30, -3e38], [3e30, -3e38]];
        let rest = means.add(rows.view(), &clips);
        assert_eq!(rest, ndarray::array![[3.0, 4.0], [2e30, -3e38]]);
    }
}
