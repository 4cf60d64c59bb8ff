//! How an image is fitted into the size that a network takes.

use serde::{Deserialize, Serialize};

use super::Filter;

/// How an image is resized.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Resize {
    /// Not at all.
    Keep,
    /// The shorter side gets `size` pixels, the longer one keeps the proportion, rounded down.
    ShortSide {
        /// Pixels of the shorter side.
        size: usize,
        /// Weights of the pixels.
        filter: Filter,
    },
    /// Both sides are given; the proportion may change.
    Exact {
        /// New height.
        height: usize,
        /// New width.
        width: usize,
        /// Weights of the pixels.
        filter: Filter,
    },
    /// Made to just fit into a frame in its own proportion; the rest of the frame is grey.
    ///
    /// # Definition
    ///
    /// Both sides change by min(frame height ÷ height, frame width ÷ width), are rounded down and at
    /// least 1: in integers when the image lies in the middle, as darknet (YOLOv3) does it; by a factor
    /// of 64 bits when it lies in the corner, as YOLOX does it, which can cost the longer side a pixel.
    Letterbox {
        /// Height of the frame.
        height: usize,
        /// Width of the frame.
        width: usize,
        /// Weights of the pixels.
        filter: Filter,
        /// Where the image lies in the frame.
        align: Align,
        /// Level of the rest, 0 … 255 (fractions allowed).
        fill: f32,
    },
}

/// Where an image lies in a larger frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Align {
    /// In the middle; an odd pixel is left to the right and below.
    #[default]
    Centre,
    /// In the upper left corner.
    Corner,
}

impl Resize {
    /// Height and width that the image itself gets.
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "rounding down is the definition"
    )]
    pub(super) fn resized(self, [height, width]: [usize; 2]) -> [usize; 2] {
        if height == 0 || width == 0 {
            return [0, 0];
        }
        let scaled =
            |other: usize, to: usize, from: usize| (other.saturating_mul(to) / from).max(1);
        match self {
            Self::Keep => [height, width],
            Self::Exact { height, width, .. } => [height, width],
            Self::ShortSide { size, .. } if width <= height => [scaled(height, size, width), size],
            Self::ShortSide { size, .. } => [size, scaled(width, size, height)],
            Self::Letterbox {
                height: frame_height,
                width: frame_width,
                align: Align::Centre,
                ..
            } => {
                // Cross products instead of quotients, so that no rounding decides.
                if frame_width.saturating_mul(height) < frame_height.saturating_mul(width) {
                    [scaled(height, frame_width, width), frame_width]
                } else {
                    [frame_height, scaled(width, frame_height, height)]
                }
            }
            Self::Letterbox {
                height: frame_height,
                width: frame_width,
                align: Align::Corner,
                ..
            } => {
                let (down, across) = (height as f64, width as f64);
                let factor = (frame_height as f64 / down).min(frame_width as f64 / across);
                [down, across].map(|extent| ((extent * factor) as usize).max(1))
            }
        }
    }

    /// Height and width of the frame around the image.
    pub(super) fn frame(self, size: [usize; 2]) -> [usize; 2] {
        match self {
            Self::Letterbox { height, width, .. } => [height, width],
            _ => self.resized(size),
        }
    }

    /// Row and column of the frame at which the image begins.
    pub(super) fn origin(self, size: [usize; 2]) -> [usize; 2] {
        match self {
            Self::Letterbox {
                height,
                width,
                align: Align::Centre,
                ..
            } => {
                let [used_height, used_width] = self.resized(size);
                [(height - used_height) / 2, (width - used_width) / 2]
            }
            _ => [0, 0],
        }
    }

    /// Level of what lies outside of the image: black when a crop is larger than it.
    pub(super) fn fill(self) -> f32 {
        match self {
            Self::Letterbox { fill, .. } => fill,
            _ => 0.0,
        }
    }

    /// The same with other weights of the pixels.
    #[must_use]
    pub fn with_filter(mut self, new: Filter) -> Self {
        match &mut self {
            Self::Keep => {}
            Self::ShortSide { filter, .. }
            | Self::Exact { filter, .. }
            | Self::Letterbox { filter, .. } => *filter = new,
        }
        self
    }

    /// Weights of the pixels; bilinear when nothing is resized.
    #[must_use]
    pub fn filter(self) -> Filter {
        match self {
            Self::Keep => Filter::Bilinear,
            Self::ShortSide { filter, .. }
            | Self::Exact { filter, .. }
            | Self::Letterbox { filter, .. } => filter,
        }
    }
}

/// Where a crop of `crop` begins along an axis of `extent`; negative when padding comes first.
///
/// torchvision halves with Python's `round` when it cuts (ties to even) and rounds down when it
/// pads.
pub(super) fn crop_offset(extent: usize, crop: usize) -> isize {
    if crop > extent {
        return -((crop - extent) / 2).cast_signed();
    }
    let surplus = extent - crop;
    let half = surplus / 2;
    let up = surplus % 2 == 1 && half % 2 == 1;
    (half + usize::from(up)).cast_signed()
}

/// Where an image lies in what a network takes, both in pixels from the upper left corner, x before y.
///
/// # Definition
///
/// image = (input − `offset`) · `scale`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Placement {
    /// Where the image begins in the input, `[x, y]`; negative where it is cut.
    pub offset: [f64; 2],
    /// Pixels of the image for each pixel of the input, `[x, y]`.
    pub scale: [f64; 2],
}

impl Placement {
    /// A point of the input as a point of the image; it can lie outside.
    #[must_use]
    pub fn to_image(&self, point: [f64; 2]) -> [f64; 2] {
        std::array::from_fn(|axis| (point[axis] - self.offset[axis]) * self.scale[axis])
    }

    /// A point of the image as a point of the input; it can lie outside.
    #[must_use]
    pub fn to_input(&self, point: [f64; 2]) -> [f64; 2] {
        std::array::from_fn(|axis| point[axis] / self.scale[axis] + self.offset[axis])
    }
}
