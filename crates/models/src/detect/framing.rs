//! How a picture is laid into a network's input, and the way back.

use consilience_io::image::RgbImage;
use ndarray::Array4;

use super::BoxXyxy;
use crate::preprocess::{Filter, resize};
use crate::{ModelError, Result};

/// How a picture becomes the input of a network of fixed size.
///
/// # Definition
///
/// The picture is resized as Pillow does it (bilinear, antialiased) and laid into `height` × `width`;
/// then for each channel value = (byte − `mean`) ÷ `std`.
#[derive(Debug, Clone, PartialEq)]
pub struct Framing {
    /// Rows of the input.
    pub height: usize,
    /// Columns of the input.
    pub width: usize,
    /// How the picture is fitted in.
    pub fit: Fit,
    /// Order of the channels.
    pub channels: Channels,
    /// Subtracted from every byte, in the order red, green, blue.
    pub mean: [f32; 3],
    /// What is left is divided by this.
    pub std: f32,
}

/// How a picture is fitted into a frame of another proportion.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Fit {
    /// Resized to the frame; the proportion may change.
    Stretch,
    /// Resized until it just fits in, the rest filled; see [`Letterbox`].
    Letterbox(Letterbox),
}

/// A picture inside a frame of one colour.
///
/// # Definition
///
/// The picture is made smaller or larger by min(frame height ÷ height, frame width ÷ width); its
/// extents are rounded down and at least 1. In the middle this is done in integers, as darknet does it;
/// in the corner with a factor of 64 bits, as YOLOX does it, which can cost the longer side a pixel.
/// The frame is grey of level `fill` (a byte value, fractions allowed).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Letterbox {
    /// Whether the picture lies in the middle (a missing pixel goes to the right and below) or in the
    /// upper left corner.
    pub centred: bool,
    /// Level of the frame, in 0 … 255.
    pub fill: f32,
}

/// Order of an input's channels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Channels {
    /// Red, green, blue.
    Rgb,
    /// Blue, green, red, as of networks that were trained with OpenCV.
    Bgr,
}

/// Where a picture lies in the input: picture coordinate = (input coordinate − `offset`) · `scale`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Placement {
    /// Where the picture begins, `[x, y]` in pixels of the input.
    pub offset: [f64; 2],
    /// Pixels of the picture for each pixel of the input, `[x, y]`.
    pub scale: [f64; 2],
}

impl Placement {
    /// A box of the input as a box of the picture.
    #[must_use]
    pub fn to_picture(&self, bounds: &BoxXyxy) -> BoxXyxy {
        let back = |value: f64, axis: usize| (value - self.offset[axis]) * self.scale[axis];
        BoxXyxy::new(
            back(bounds.x_min, 0),
            back(bounds.y_min, 1),
            back(bounds.x_max, 0),
            back(bounds.y_max, 1),
        )
    }
}

impl Framing {
    /// Resizes, lays in and normalises.
    ///
    /// # Shapes
    ///
    /// `(1, 3, height, width)`.
    ///
    /// # Errors
    ///
    /// [`ModelError::EmptyPicture`] for a picture without pixels.
    pub fn apply(&self, image: &RgbImage) -> Result<(Array4<f32>, Placement)> {
        if image.width == 0 || image.height == 0 {
            return Err(ModelError::EmptyPicture);
        }
        let (size, (left, top), fill) = self.layout((image.width, image.height));
        let (width, height) = size;
        let pixels = resize(
            &image.pixels,
            (image.width, image.height),
            size,
            Filter::Bilinear,
        );
        let level = |value: f32, channel: usize| (value - self.mean[channel]) / self.std;
        let source = |channel: usize| match self.channels {
            Channels::Rgb => channel,
            Channels::Bgr => 2 - channel,
        };
        let input = Array4::from_shape_fn((1, 3, self.height, self.width), |(_, c, y, x)| {
            let channel = source(c);
            let inside = (top..top + height).contains(&y) && (left..left + width).contains(&x);
            if inside {
                let at = (y - top) * width + (x - left);
                level(f32::from(pixels[at * 3 + channel]), channel)
            } else {
                level(fill, channel)
            }
        });
        let placement = Placement {
            offset: [left as f64, top as f64],
            scale: [
                image.width as f64 / width as f64,
                image.height as f64 / height as f64,
            ],
        };
        Ok((input, placement))
    }

    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "rounding down is the definition"
    )]
    /// Size of the resized picture, where it begins, and the level around it.
    fn layout(&self, (width, height): (usize, usize)) -> ((usize, usize), (usize, usize), f32) {
        let Fit::Letterbox(letterbox) = self.fit else {
            return ((self.width, self.height), (0, 0), 0.0);
        };
        let size = if letterbox.centred {
            // Cross products instead of quotients, so that no rounding decides.
            if self.width * height < self.height * width {
                (self.width, (height * self.width / width).max(1))
            } else {
                ((width * self.height / height).max(1), self.height)
            }
        } else {
            let (across, down) = (width as f64, height as f64);
            let factor = (self.width as f64 / across).min(self.height as f64 / down);
            let scaled = |extent: f64| ((extent * factor) as usize).max(1);
            (scaled(across), scaled(down))
        };
        let begin = if letterbox.centred {
            ((self.width - size.0) / 2, (self.height - size.1) / 2)
        } else {
            (0, 0)
        };
        (size, begin, letterbox.fill)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn framing(fit: Fit) -> Framing {
        Framing {
            height: 8,
            width: 8,
            fit,
            channels: Channels::Bgr,
            mean: [0.0; 3],
            std: 1.0,
        }
    }

    fn picture(width: usize, height: usize) -> RgbImage {
        RgbImage {
            width,
            height,
            pixels: [10, 20, 30].repeat(width * height),
        }
    }

    #[test]
    fn a_wide_picture_gets_its_frame_above_and_below() {
        let letterbox = Letterbox {
            centred: true,
            fill: 127.5,
        };
        let framing = framing(Fit::Letterbox(letterbox));
        let (input, placement) = framing.apply(&picture(16, 10)).unwrap();
        assert_eq!(input.dim(), (1, 3, 8, 8));
        assert_eq!(input[[0, 0, 0, 0]], 127.5);
        assert_eq!(input[[0, 0, 1, 0]], 30.0, "blue comes first");
        assert_eq!(input[[0, 2, 5, 7]], 10.0);
        assert_eq!(input[[0, 2, 6, 7]], 127.5);
        assert_eq!(placement.offset, [0.0, 1.0]);
        assert_eq!(placement.scale, [2.0, 2.0]);
        let back = placement.to_picture(&BoxXyxy::new(0.0, 1.0, 8.0, 6.0));
        assert_eq!(back, BoxXyxy::new(0.0, 0.0, 16.0, 10.0));
    }

    #[test]
    fn the_corner_and_the_stretched_form_have_no_offset() {
        let corner = Letterbox {
            centred: false,
            fill: 114.0,
        };
        let (input, placement) = framing(Fit::Letterbox(corner))
            .apply(&picture(3, 12))
            .unwrap();
        assert_eq!((input[[0, 1, 7, 1]], input[[0, 1, 7, 2]]), (20.0, 114.0));
        assert_eq!((placement.offset, placement.scale), ([0.0; 2], [1.5; 2]));
        let (_, placement) = framing(Fit::Stretch).apply(&picture(4, 16)).unwrap();
        assert_eq!((placement.offset, placement.scale), ([0.0; 2], [0.5, 2.0]));
    }

    #[test]
    fn a_thread_of_pixels_keeps_one_and_an_empty_picture_is_refused() {
        let corner = Letterbox {
            centred: true,
            fill: 0.0,
        };
        let framing = framing(Fit::Letterbox(corner));
        let (_, placement) = framing.apply(&picture(1, 1000)).unwrap();
        assert_eq!(placement.scale, [1.0, 125.0]);
        assert!(framing.apply(&picture(0, 3)).is_err());
    }
}
