//! From a picture to what a network takes, exactly as torchvision does it with Pillow.

mod change;
mod display;
mod layout;
mod presets;
mod resample;

use consilience_io::image::{Orientation, RgbImage};
use ndarray::{Array3, ArrayViewMut3, Axis};
use serde::{Deserialize, Serialize};

pub use change::{Augmentation, Change, Changes};
pub use layout::{Align, Placement, Resize};
pub use resample::Filter;
pub(crate) use resample::resize;

use crate::{ModelError, Result};

/// Most pixels of an image after resizing.
const MAX_PIXELS: usize = 1 << 28;

/// What is done to an image before a network sees it.
///
/// # Definition
///
/// Resize, then cut out the centre, then for each of red, green and blue
/// value = (byte ÷ 255 − mean) ÷ std in 32-bit floats, without the division by 255 when the range is
/// [`Range::Bytes`]; channels first, in the given order.
///
/// # Peers
///
/// torchvision `Resize`, `CenterCrop`, `ToTensor`, `Normalize` on Pillow images: the same bytes after
/// resizing and cropping, the same floats after normalisation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Preprocessing {
    /// What becomes of an orientation tag of a picture file. Default: nothing, as in torchvision.
    pub orientation: Orientation,
    /// Resizing.
    pub resize: Resize,
    /// Height and width of the part that is cut out of the centre; `None` to keep everything.
    pub crop: Option<[usize; 2]>,
    /// Range of the values that mean and std refer to.
    pub range: Range,
    /// Subtracted from red, green, blue, whatever their order in the input.
    pub mean: [f32; 3],
    /// What red, green, blue are divided by then.
    pub std: [f32; 3],
    /// Order of the channels in the input.
    pub order: ChannelOrder,
}

/// Range of the values before normalisation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Range {
    /// Bytes are divided by 255.
    #[default]
    #[serde(rename = "0..1")]
    Unit,
    /// Bytes are taken as they are.
    #[serde(rename = "0..255")]
    Bytes,
}

/// Order of the channels in a network's input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChannelOrder {
    /// Red, green, blue.
    #[default]
    Rgb,
    /// Blue, green, red, as of networks that were trained with OpenCV or Caffe.
    Bgr,
}

impl Default for Preprocessing {
    /// [`Preprocessing::imagenet`].
    fn default() -> Self {
        Self::imagenet()
    }
}

impl Preprocessing {
    /// Height and width that an image of `height` and `width` pixels comes out with.
    #[must_use]
    pub fn output_size(&self, size: [usize; 2]) -> [usize; 2] {
        self.crop.unwrap_or_else(|| self.resize.frame(size))
    }

    /// Height and width of every image that comes out, when they do not depend on the image.
    #[must_use]
    pub fn fixed_size(&self) -> Option<[usize; 2]> {
        self.crop.or(match self.resize {
            Resize::Exact { height, width, .. } | Resize::Letterbox { height, width, .. } => {
                Some([height, width])
            }
            Resize::Keep | Resize::ShortSide { .. } => None,
        })
    }

    /// Where an image of `height` and `width` pixels lies in what comes out, to carry boxes and maps
    /// back.
    ///
    /// # Example
    ///
    /// ```
    /// use consilience_models::Preprocessing;
    ///
    /// let placement = Preprocessing::imagenet().placement([512, 1024]);
    /// // 1024 × 512 becomes 512 × 256, of which the left 144 and the upper 16 columns and rows are cut.
    /// assert_eq!(placement.to_image([0.0, 0.0]), [288.0, 32.0]);
    /// assert_eq!(placement.to_input([288.0, 32.0]), [0.0, 0.0]);
    /// ```
    #[must_use]
    pub fn placement(&self, size: [usize; 2]) -> Placement {
        let resized = self.resize.resized(size);
        let [top, left] = self.origin(size, self.output_size(size));
        let scale = |axis: usize| size[axis] as f64 / resized[axis].max(1) as f64;
        Placement {
            offset: [left as f64, top as f64],
            scale: [scale(1), scale(0)],
        }
    }

    /// What the network takes for `image`.
    ///
    /// # Shapes
    ///
    /// `(3, height, width)`.
    ///
    /// # Errors
    ///
    /// [`ModelError::EmptyPicture`] for an image without pixels, [`ModelError::Elongated`] for one so
    /// narrow that its long side would become enormous.
    pub fn apply(&self, image: &RgbImage) -> Result<Array3<f32>> {
        let [height, width] = self.output_size([image.height, image.width]);
        let mut out = Array3::zeros((3, height, width));
        self.apply_into(image, out.view_mut())?;
        Ok(out)
    }

    /// [`Preprocessing::apply`] into an array of the right size.
    pub(crate) fn apply_into(
        &self,
        image: &RgbImage,
        mut out: ArrayViewMut3<'_, f32>,
    ) -> Result<()> {
        let size = [image.height, image.width];
        if size.contains(&0) {
            return Err(ModelError::EmptyPicture);
        }
        let [resized_height, resized_width] = self.resize.resized(size);
        if resized_height.saturating_mul(resized_width) > MAX_PIXELS {
            return Err(ModelError::Elongated {
                height: image.height,
                width: image.width,
            });
        }
        let (_, height, width) = out.dim();
        let [top, left] = self.origin(size, [height, width]);
        // Of the resized image only what lies in the output is computed.
        let (rows, columns) = (
            overlap(top, resized_height, height),
            overlap(left, resized_width, width),
        );
        let pixels = resample::resize_part(
            &image.pixels,
            (image.width, image.height),
            (resized_width, resized_height),
            (columns.in_image.clone(), rows.in_image.clone()),
            self.resize.filter(),
        );
        let fill = self.resize.fill();
        let partial = rows.in_image.len() < height || columns.in_image.len() < width;
        for (channel, mut plane) in out.axis_iter_mut(Axis(0)).enumerate() {
            let channel = match self.order {
                ChannelOrder::Rgb => channel,
                ChannelOrder::Bgr => 2 - channel,
            };
            if partial {
                plane.fill(self.value(fill, channel));
            }
            if columns.in_image.is_empty() {
                continue;
            }
            #[allow(clippy::cast_possible_truncation, reason = "bytes")]
            let values: [f32; 256] =
                std::array::from_fn(|byte| self.value(f32::from(byte as u8), channel));
            let picture = pixels.chunks_exact(columns.in_image.len() * 3);
            for (row, picture) in picture.enumerate() {
                let mut row = plane.row_mut(rows.first + row);
                let row = row.iter_mut().skip(columns.first);
                let (picture, _) = picture.as_chunks::<3>();
                for (value, pixel) in row.zip(picture) {
                    *value = values[usize::from(pixel[channel])];
                }
            }
        }
        Ok(())
    }

    fn value(&self, byte: f32, channel: usize) -> f32 {
        let value = match self.range {
            Range::Unit => byte / 255.0,
            Range::Bytes => byte,
        };
        (value - self.mean[channel]) / self.std[channel]
    }

    /// Row and column of the output at which the resized image begins; negative where it is cut.
    fn origin(&self, size: [usize; 2], output: [usize; 2]) -> [isize; 2] {
        let (resized, frame) = (self.resize.resized(size), self.resize.frame(size));
        let inside = self.resize.origin(size);
        std::array::from_fn(|axis| {
            debug_assert!(inside[axis] + resized[axis] <= frame[axis]);
            inside[axis].cast_signed() - layout::crop_offset(frame[axis], output[axis])
        })
    }
}

/// The part of an axis of the resized image that lies in the output.
struct Overlap {
    in_image: std::ops::Range<usize>,
    /// Where it begins in the output.
    first: usize,
}

fn overlap(origin: isize, n_image: usize, n_output: usize) -> Overlap {
    let begin = origin.min(0).unsigned_abs().min(n_image);
    let first = origin.max(0).unsigned_abs().min(n_output);
    let n = (n_image - begin).min(n_output - first);
    Overlap {
        in_image: begin..begin + n,
        first,
    }
}

/// A picture made to fit into a square of `side` pixels, for showing it; a smaller one stays as it is.
#[must_use]
pub fn thumbnail(image: &RgbImage, side: usize) -> RgbImage {
    let longer = image.width.max(image.height);
    if longer <= side || side == 0 {
        return image.clone();
    }
    let scaled = |extent: usize| (extent * side / longer).max(1);
    let (width, height) = (scaled(image.width), scaled(image.height));
    let old = (image.width, image.height);
    let pixels = resize(&image.pixels, old, (width, height), Filter::Lanczos);
    RgbImage {
        width,
        height,
        pixels,
    }
}

/// The picture as at most 5 × 5 blocks of one colour each, its size as before, for showing what nobody should have to see.
#[must_use]
pub fn blocks(image: &RgbImage) -> RgbImage {
    let size = (image.width, image.height);
    let few = (image.width.min(BLOCKS), image.height.min(BLOCKS));
    let means = resize(&image.pixels, size, few, Filter::Box);
    RgbImage {
        width: image.width,
        height: image.height,
        pixels: resize(&means, few, size, Filter::Nearest),
    }
}

/// Blocks along a side: enough to tell a landscape from a face by its colours, too few to recognise either.
const BLOCKS: usize = 5;

#[cfg(test)]
mod tests;
