//! The chosen frames, one after the other.

use super::{Source, Video, h264, read_native, system};
use crate::image::RgbImage;
use crate::{IoError, Result};

/// A frame of a film.
#[derive(Debug, Clone, PartialEq)]
pub struct Frame {
    /// Its pixels.
    pub image: RgbImage,
    /// Position in the whole film, from 0.
    pub index: usize,
    /// When it is shown, in seconds from the start of the film.
    pub seconds: f64,
}

/// The chosen frames of a film, decoded when their turn comes.
#[derive(Debug)]
pub struct Frames {
    path: std::path::PathBuf,
    times: Vec<f64>,
    positions: std::vec::IntoIter<usize>,
    reader: Reader,
    last: Option<Frame>,
    failed: bool,
}

#[derive(Debug)]
enum Reader {
    H264(Box<h264::Reader>),
    Ffmpeg(system::Reader),
}

impl Frames {
    pub(super) fn new(video: &Video, positions: Vec<usize>) -> Result<Self> {
        let first = positions.first().copied().unwrap_or(0);
        let reader = match video.source {
            Source::H264 => {
                let (file, film) = read_native(&video.path, &video.limits)?;
                if film.times() != video.times {
                    return Err(IoError::malformed(
                        "film",
                        "the times of its frames",
                        "others than when it was opened",
                        "a file that stays as it is",
                    ));
                }
                Reader::H264(Box::new(h264::Reader::new(file, film, first)?))
            }
            Source::Ffmpeg => Reader::Ffmpeg(system::Reader::start(
                &video.path,
                (video.width, video.height),
            )?),
        };
        Ok(Self {
            path: video.path.clone(),
            times: video.times.clone(),
            positions: positions.into_iter(),
            reader,
            last: None,
            failed: false,
        })
    }

    fn at(&mut self, index: usize) -> Result<Frame> {
        if let Some(last) = self.last.as_ref().filter(|last| last.index == index) {
            return Ok(last.clone());
        }
        let image = match &mut self.reader {
            Reader::H264(reader) => reader.frame(index),
            Reader::Ffmpeg(reader) => reader.frame(index),
        }?;
        Ok(Frame {
            image,
            index,
            seconds: self.times[index],
        })
    }
}

impl Iterator for Frames {
    type Item = Result<Frame>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        let index = self.positions.next()?;
        let frame = self
            .at(index)
            .map_err(|problem: IoError| problem.at(&self.path));
        match &frame {
            // Only a frame that comes again is worth a copy.
            Ok(frame) if self.positions.as_slice().first() == Some(&index) => {
                self.last = Some(frame.clone());
            }
            Ok(_) => self.last = None,
            Err(_) => self.failed = true,
        }
        Some(frame)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let n_left = if self.failed { 0 } else { self.positions.len() };
        (if n_left > 0 { 1 } else { 0 }, Some(n_left))
    }
}
