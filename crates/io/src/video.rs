//! Films as a stream of 8-bit RGB frames with their times.
//!
//! H.264 in MP4 or MOV files is decoded by Rust code alone; every other codec and container by a `ffmpeg`
//! program, if there is one. Frames are decoded one after the other, so memory does not grow with the
//! length of the film.
//!
//! # Definition
//!
//! The time of a frame is the one at which it is shown, in seconds from the start of the film as its
//! edit list defines it. A pixel is made from its luma and the chroma sample that covers it:
//!
//! R = Y′ + ⌊a·v⌋, G = Y′ − ⌈b·u⌉ − ⌈c·v⌉, B = Y′ + ⌊d·u⌋, clipped to 0…255,
//!
//! where Y′ = ⌊(Y − 16)·255⁄219⌋ (Y itself when the film says that it uses the full range), u and v are
//! the chroma values minus 128, and a, b, c, d are those of the matrix that the film names, BT.601
//! when it names none. Rotation and pixel aspect tags are not applied.
//!
//! # Peers
//!
//! FFmpeg's default conversion to `rgb24` on x86-64 (hence PyAV's `frame.to_ndarray(format="rgb24")`): the
//! same bytes and the same times, for 8-bit 4:2:0 films of even height.
//!
//! # Not here
//!
//! Sound, subtitles, rotation tags, several edits, writing.

use std::fmt;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::AtPath;
use crate::image::RgbImage;
use crate::{IoError, Limits, Result};

mod frames;
mod h264;
mod mp4;
mod rgb;
mod system;

pub use frames::{Frame, Frames};

/// Endings of files that are taken for films, in lower case.
pub const ENDINGS: [&str; 8] = ["mp4", "m4v", "mov", "avi", "mkv", "webm", "mpg", "wmv"];

/// Most pixels of a frame: what level 6.2 of H.264 allows.
const MAX_FRAME_PIXELS: u64 = 139_264 * 256;

/// Whether a file is taken for a film, by its ending.
///
/// # Example
///
/// ```
/// use consilience_io::video;
/// assert!(video::is_video("clips/face.MP4"));
/// assert!(!video::is_video("face.png"));
/// ```
#[must_use]
pub fn is_video(path: impl AsRef<Path>) -> bool {
    path.as_ref()
        .extension()
        .and_then(|ending| ending.to_str())
        .is_some_and(|ending| {
            ENDINGS
                .iter()
                .any(|known| ending.eq_ignore_ascii_case(known))
        })
}

/// Which frames are taken.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sampling {
    /// Every frame.
    #[default]
    All,
    /// The first frame of the span and each n-th after it.
    EveryNth(usize),
    /// So many frames a second: the ones that are on the screen at start + k ⁄ rate, k = 0, 1, …; a
    /// frame that is on the screen at several of these times is taken as often.
    PerSecond(f64),
}

impl fmt::Display for Sampling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("every frame"),
            Self::EveryNth(n) => write!(f, "one frame in {n}"),
            Self::PerSecond(rate) => write!(f, "{rate} frames a second"),
        }
    }
}

/// A part of a film, written `START-END` or, to its end, `START-`.
///
/// # Example
///
/// ```
/// use consilience_io::video::Span;
///
/// let span: Span = "2.5-10".parse().unwrap();
/// assert_eq!((span.start, span.end), (2.5, Some(10.0)));
/// assert_eq!("2.5-".parse::<Span>().unwrap().to_string(), "2.5-");
/// assert!("10-2.5".parse::<Span>().is_err());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Span {
    /// Where it begins, in seconds. Default 0.
    pub start: f64,
    /// Where it ends (a frame at that time is not in it), in seconds. Default: with the film.
    pub end: Option<f64>,
}

/// A text that is no span.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected seconds with 0 ≤ START < END as START-END, or START- for all that follows, such as 2.5-10 or 2.5-, found {found:?}"
)]
pub struct UnknownSpan {
    /// What was given.
    pub found: String,
}

impl FromStr for Span {
    type Err = UnknownSpan;

    fn from_str(text: &str) -> std::result::Result<Self, UnknownSpan> {
        let seconds = |text: &str| text.trim().parse().ok().filter(|s: &f64| s.is_finite());
        let span = text.split_once('-').and_then(|(start, end)| {
            let end = match end.trim() {
                "" => None,
                end => Some(seconds(end)?),
            };
            let start = seconds(start)?;
            Some(Self { start, end })
        });
        span.filter(|span| span.start >= 0.0 && span.end.is_none_or(|end| end > span.start))
            .ok_or_else(|| UnknownSpan {
                found: text.to_owned(),
            })
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.end {
            Some(end) => write!(f, "{}-{end}", self.start),
            None => write!(f, "{}-", self.start),
        }
    }
}

/// A part of a film and the frames of it.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Selection {
    /// Which frames of the span. Default all.
    pub sampling: Sampling,
    /// The part of the film. Default all of it.
    pub span: Span,
}

impl fmt::Display for Selection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} from {} s", self.sampling, self.span.start)?;
        match self.span.end {
            Some(end) => write!(f, " to {end} s"),
            None => f.write_str(" to the end"),
        }
    }
}

/// Room for the rounding of times, in seconds.
const TIME_TOLERANCE: f64 = 1e-6;

impl Selection {
    /// Positions of the chosen frames in the film, in order; a position can stand there repeatedly.
    ///
    /// `times` are those of all frames in ascending order, `duration` is the end of the last one.
    ///
    /// # Errors
    ///
    /// [`IoError::Span`] when start, end, rate or step make no sense or no frame lies in the span;
    /// [`IoError::OverLimit`] when there would be more than `max_frames`.
    pub fn positions(&self, times: &[f64], duration: f64, max_frames: usize) -> Result<Vec<usize>> {
        let Span { start, end: given } = self.span;
        let end = given.unwrap_or(duration).min(duration);
        let bad = |problem| IoError::Span {
            problem,
            start,
            end: given.unwrap_or(duration),
            duration,
        };
        // Negated, so that a NaN is refused.
        if !(start >= 0.0 && start.is_finite() && given.is_none_or(|end| end > start)) {
            return Err(bad("start and end must be seconds with 0 ≤ start < end"));
        }
        let within = |time: f64| time >= start - TIME_TOLERANCE && time < end - TIME_TOLERANCE;
        let in_span = || (0..times.len()).filter(|&idx| within(times[idx]));
        let positions: Vec<usize> = match self.sampling {
            Sampling::All => in_span().collect(),
            Sampling::EveryNth(0) => return Err(bad("the step must be at least 1 frame")),
            Sampling::EveryNth(n) => in_span().step_by(n).collect(),
            Sampling::PerSecond(rate) if rate > 0.0 && rate.is_finite() => {
                let n_wanted = ((end - start - TIME_TOLERANCE) * rate).ceil().max(0.0);
                check_frames(n_wanted, max_frames)?;
                let on_screen = |k: usize| {
                    let time = start + k as f64 / rate + TIME_TOLERANCE;
                    times.partition_point(|&shown| shown <= time).max(1) - 1
                };
                let n_wanted = if times.is_empty() {
                    0
                } else {
                    n_wanted as usize
                };
                (0..n_wanted).map(on_screen).collect()
            }
            Sampling::PerSecond(_) => return Err(bad("frames a second must be a number above 0")),
        };
        if positions.is_empty() {
            return Err(bad("no frame is shown in the span"));
        }
        check_frames(positions.len() as f64, max_frames)?;
        Ok(positions)
    }
}

fn check_frames(n_frames: f64, max_frames: usize) -> Result<()> {
    if n_frames > max_frames as f64 {
        return Err(IoError::OverLimit {
            what: "frames of the film",
            found: n_frames as u64,
            limit: max_frames as u64,
            raise: "max_frames",
        });
    }
    Ok(())
}

/// A film whose header was read. It keeps no file open.
#[derive(Debug, Clone)]
pub struct Video {
    /// Pixels in a row of a frame.
    pub width: usize,
    /// Rows of a frame.
    pub height: usize,
    /// Name of the codec, such as `h264`.
    pub codec: String,
    /// When each frame is shown, in seconds, ascending.
    pub times: Vec<f64>,
    /// When the last frame ends, in seconds.
    pub duration: f64,
    path: PathBuf,
    source: Source,
    limits: Limits,
}

/// What gives the frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    H264,
    Ffmpeg,
}

/// Opens a film within the default [`Limits`].
///
/// # Errors
///
/// [`IoError`] when the file cannot be read, is no film, is cut short, has no frames, has too many or
/// too large ones, or needs `ffmpeg` and there is none.
///
/// # Example
///
/// ```no_run
/// use consilience_io::video::{self, Sampling, Selection};
///
/// let film = video::open("face.mp4")?;
/// let selection = Selection { sampling: Sampling::PerSecond(2.0), ..Selection::default() };
/// for frame in film.frames(&selection)? {
///     let frame = frame?;
///     println!("{:.3} s: {} × {}", frame.seconds, frame.image.width, frame.image.height);
/// }
/// # Ok::<(), consilience_io::IoError>(())
/// ```
pub fn open(path: impl AsRef<Path>) -> Result<Video> {
    open_within(path, &Limits::default())
}

/// [`open`] within other limits.
///
/// # Errors
///
/// As [`open`].
pub fn open_within(path: impl AsRef<Path>, limits: &Limits) -> Result<Video> {
    let path = path.as_ref();
    let film = match open_native(path, limits) {
        // What is not read here may still be read by FFmpeg, which is asked second.
        Err(IoError::Unsupported { what, .. }) => system::open(path, &what, limits),
        other => other,
    };
    let film = film.at(path)?;
    if film.times.is_empty() {
        return Err(IoError::NoFrames.at(path));
    }
    Ok(film)
}

fn read_native(path: &Path, limits: &Limits) -> Result<(File, Box<h264::Film>)> {
    let mut file = File::open(path).map_err(IoError::os("open the film"))?;
    let track = mp4::read(&mut file, limits)?;
    Ok((file, Box::new(h264::Film::new(track, limits)?)))
}

fn open_native(path: &Path, limits: &Limits) -> Result<Video> {
    let (_, film) = read_native(path, limits)?;
    let (width, height) = film.size;
    Ok(Video {
        width,
        height,
        codec: "h264".to_owned(),
        times: film.times(),
        duration: film.track.duration(),
        path: path.to_owned(),
        source: Source::H264,
        limits: *limits,
    })
}

impl Video {
    /// The chosen frames, decoded one after the other.
    ///
    /// # Errors
    ///
    /// As [`Video::positions`]; [`IoError::Program`] when `ffmpeg` cannot be started;
    /// [`IoError::Malformed`] when the file is not the one any more that was opened. A frame that cannot
    /// be decoded is an error of the iterator, which ends with it.
    pub fn frames(&self, selection: &Selection) -> Result<Frames> {
        self.frames_from(selection, 0)
    }

    /// The chosen frames without the first `n_skipped` of them. H.264 is decoded from the last key frame
    /// before, other films from their beginning.
    ///
    /// # Errors
    ///
    /// As [`Video::frames`].
    pub fn frames_from(&self, selection: &Selection, n_skipped: usize) -> Result<Frames> {
        let mut positions = self.positions(selection)?;
        positions.drain(..n_skipped.min(positions.len()));
        Frames::new(self, positions).at(&self.path)
    }

    /// Positions in the film of the frames that `selection` takes.
    ///
    /// # Errors
    ///
    /// As [`Selection::positions`].
    pub fn positions(&self, selection: &Selection) -> Result<Vec<usize>> {
        selection
            .positions(&self.times, self.duration, self.limits.max_frames)
            .at(&self.path)
    }
}

fn check_frame_size((width, height): (u64, u64), limits: &Limits) -> Result<()> {
    if width == 0 || height == 0 {
        return Err(IoError::malformed(
            "film",
            "the size of a frame",
            format!("{width}×{height}"),
            "at least one pixel",
        ));
    }
    let (n_pixels, limit) = (
        width.saturating_mul(height),
        limits.max_pixels.min(MAX_FRAME_PIXELS),
    );
    if n_pixels > limit {
        return Err(IoError::OverLimit {
            what: "pixels of a frame",
            found: n_pixels,
            limit,
            raise: "max_pixels",
        });
    }
    Ok(())
}

/// A picture of `width · height` pixels from its bytes.
fn picture((width, height): (usize, usize), pixels: Vec<u8>) -> RgbImage {
    debug_assert_eq!(pixels.len(), width * height * 3);
    RgbImage {
        width,
        height,
        pixels,
    }
}

#[cfg(test)]
mod tests;
