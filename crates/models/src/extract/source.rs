//! Where the images of a run come from.

use std::borrow::Cow;
use std::ops::Range;

use consilience_io::image::{self, Orientation, RgbImage};

use super::{ClipFrames, Covered, Images};
use crate::Result;

/// Images to run through a network, one after the other.
#[derive(Debug, Clone, Copy)]
pub enum Source<'a> {
    /// Pictures.
    Images(Images<'a>),
    /// Frames of clips.
    Frames(ClipFrames<'a>),
    /// Pictures of which one window after the other is covered.
    Covered(Covered<'a>),
}

impl<'a> From<Images<'a>> for Source<'a> {
    fn from(images: Images<'a>) -> Self {
        Self::Images(images)
    }
}

impl<'a> From<ClipFrames<'a>> for Source<'a> {
    fn from(frames: ClipFrames<'a>) -> Self {
        Self::Frames(frames)
    }
}

impl<'a> From<Covered<'a>> for Source<'a> {
    fn from(covered: Covered<'a>) -> Self {
        Self::Covered(covered)
    }
}

impl<'a> Source<'a> {
    /// Number of images.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Images(images) => images.len(),
            Self::Frames(frames) => frames.len(),
            Self::Covered(covered) => covered.len(),
        }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Position of the first image among all that it is one of, such as the frames of all clips.
    pub(super) fn first(&self) -> usize {
        match self {
            Self::Images(_) | Self::Covered(_) => 0,
            Self::Frames(frames) => frames.first,
        }
    }

    /// How messages name image `image_idx`.
    pub(super) fn name(&self, image_idx: usize) -> String {
        match self {
            Self::Images(images) => images.name(image_idx),
            Self::Frames(frames) => frames.name(image_idx),
            Self::Covered(covered) => covered.name(image_idx),
        }
    }

    /// Of the images of a range those that come from films; to be asked for in ascending order.
    pub(super) fn frames(&self, range: Range<usize>) -> Result<Vec<Option<RgbImage>>> {
        range
            .map(|image_idx| match self {
                Self::Images(_) | Self::Covered(_) => Ok(None),
                Self::Frames(frames) => frames.film_frame(image_idx),
            })
            .collect()
    }

    /// An image that comes from no film.
    pub(super) fn picture(
        &self,
        image_idx: usize,
        orientation: Orientation,
    ) -> Result<Cow<'a, RgbImage>> {
        let path = match self {
            Self::Images(Images::Decoded(pictures)) => {
                return Ok(Cow::Borrowed(&pictures[image_idx]));
            }
            Self::Images(Images::Files(paths)) => paths[image_idx].as_path(),
            Self::Frames(frames) => frames.path(image_idx),
            Self::Covered(covered) => return Ok(Cow::Borrowed(covered.picture(image_idx))),
        };
        Ok(Cow::Owned(image::read_oriented(path, orientation)?))
    }
}
