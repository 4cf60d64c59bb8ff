//! From a picture to what a network takes, exactly as torchvision does it with Pillow.

mod resample;

use std::fmt;

use consilience_io::image::RgbImage;
use ndarray::{Array3, ArrayViewMut3};
use serde::{Deserialize, Serialize};

pub use resample::Filter;

use crate::{ModelError, Result};

/// Most pixels of an image after resizing.
const MAX_PIXELS: usize = 1 << 28;

/// What is done to an image before a network sees it.
///
/// # Definition
///
/// Resize, then cut out the centre, then for each of red, green and blue
/// value = (byte ÷ 255 − mean) ÷ std in 32-bit floats, channels first.
///
/// # Peers
///
/// torchvision `Resize`, `CenterCrop`, `ToTensor`, `Normalize` on Pillow images: the same bytes after
/// resizing and cropping, the same floats after normalisation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Preprocessing {
    /// Resizing.
    pub resize: Resize,
    /// Height and width of the part that is cut out of the centre; `None` to keep everything.
    pub crop: Option<[usize; 2]>,
    /// Subtracted from red, green, blue after the division by 255.
    pub mean: [f32; 3],
    /// What red, green, blue are divided by then.
    pub std: [f32; 3],
}

/// How an image is resized.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
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
}

impl Preprocessing {
    /// torchvision's preset for ImageNet weights: short side 256 (bilinear), centre 224 × 224.
    #[must_use]
    pub fn imagenet() -> Self {
        Self::imagenet_for([224, 224])
    }

    /// The ImageNet preset for another input size `[height, width]`: the crop is that size and the
    /// short side is in the proportion 256 : 224 to its longer extent, rounded.
    ///
    /// # Example
    ///
    /// ```
    /// use consilience_models::Preprocessing;
    ///
    /// assert_eq!(
    ///     Preprocessing::imagenet_for([299, 299]).to_string(),
    ///     "short side resized to 342 (bilinear, antialiased), centre 299 × 299, RGB ÷ 255, \
    ///      minus (0.485, 0.456, 0.406), ÷ (0.229, 0.224, 0.225)"
    /// );
    /// ```
    #[must_use]
    pub fn imagenet_for([height, width]: [usize; 2]) -> Self {
        Self {
            resize: Resize::ShortSide {
                size: (height.max(width).saturating_mul(256).saturating_add(112)) / 224,
                filter: Filter::Bilinear,
            },
            crop: Some([height, width]),
            mean: [0.485, 0.456, 0.406],
            std: [0.229, 0.224, 0.225],
        }
    }

    /// Height and width that an image of `height` and `width` pixels comes out with.
    #[must_use]
    pub fn output_size(&self, [height, width]: [usize; 2]) -> [usize; 2] {
        self.crop.unwrap_or_else(|| self.resized([height, width]))
    }

    /// Height and width of every image that comes out, when they do not depend on the image.
    #[must_use]
    pub fn fixed_size(&self) -> Option<[usize; 2]> {
        self.crop.or(match self.resize {
            Resize::Exact { height, width, .. } => Some([height, width]),
            Resize::Keep | Resize::ShortSide { .. } => None,
        })
    }

    /// What the network takes for `image`.
    ///
    /// # Shapes
    ///
    /// `(3, height, width)`.
    ///
    /// # Errors
    ///
    /// [`ModelError::Elongated`] for an image so narrow that its long side would become enormous.
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
        let (_, height, width) = out.dim();
        let [resized_height, resized_width] = self.resized([image.height, image.width]);
        if resized_height.saturating_mul(resized_width) > MAX_PIXELS {
            return Err(ModelError::Elongated {
                height: image.height,
                width: image.width,
            });
        }
        let pixels = resample::resize(
            &image.pixels,
            (image.width, image.height),
            (resized_width, resized_height),
            self.filter(),
        );
        let (pixels, _) = pixels.as_chunks::<3>();
        let top = offset(resized_height, height);
        let left = offset(resized_width, width);
        for y in 0..height {
            for x in 0..width {
                let from = |at: usize, offset: isize, extent: usize| {
                    at.checked_add_signed(offset).filter(|&at| at < extent)
                };
                // Outside a picture that is smaller than the crop it is black.
                let pixel = match (from(y, top, resized_height), from(x, left, resized_width)) {
                    (Some(y), Some(x)) => pixels[y * resized_width + x],
                    _ => [0; 3],
                };
                for (channel, byte) in pixel.into_iter().enumerate() {
                    out[[channel, y, x]] =
                        (f32::from(byte) / 255.0 - self.mean[channel]) / self.std[channel];
                }
            }
        }
        Ok(())
    }

    fn resized(&self, [height, width]: [usize; 2]) -> [usize; 2] {
        match self.resize {
            Resize::Keep => [height, width],
            Resize::Exact { height, width, .. } => [height, width],
            Resize::ShortSide { size, .. } if width <= height => {
                [(size * height / width).max(1), size]
            }
            Resize::ShortSide { size, .. } => [size, (size * width / height).max(1)],
        }
    }

    fn filter(&self) -> Filter {
        match self.resize {
            Resize::Keep => Filter::Bilinear,
            Resize::ShortSide { filter, .. } | Resize::Exact { filter, .. } => filter,
        }
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
    let pixels = resample::resize(&image.pixels, old, (width, height), Filter::Lanczos);
    RgbImage {
        width,
        height,
        pixels,
    }
}

/// Where a crop of `crop` begins along an axis of `extent`; negative when padding comes first.
///
/// torchvision halves with Python's `round` when it cuts (ties to even) and rounds down when it
/// pads.
#[allow(
    clippy::cast_possible_wrap,
    reason = "extents of images are far below the limit"
)]
fn offset(extent: usize, crop: usize) -> isize {
    if crop > extent {
        return -(((crop - extent) / 2) as isize);
    }
    let surplus = (extent - crop) as isize;
    let half = surplus / 2;
    if surplus % 2 == 1 && half % 2 == 1 {
        half + 1
    } else {
        half
    }
}

impl fmt::Display for Preprocessing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let antialiased = |filter: Filter| match filter {
            Filter::Box => "box",
            Filter::Bilinear => "bilinear, antialiased",
            Filter::Bicubic => "bicubic, antialiased",
            Filter::Lanczos => "Lanczos, antialiased",
        };
        match self.resize {
            Resize::Keep => write!(f, "not resized")?,
            Resize::ShortSide { size, filter } => {
                write!(f, "short side resized to {size} ({})", antialiased(filter))?;
            }
            Resize::Exact {
                height,
                width,
                filter,
            } => write!(f, "resized to {height} × {width} ({})", antialiased(filter))?,
        }
        if let Some([height, width]) = self.crop {
            write!(f, ", centre {height} × {width}")?;
        }
        let triple = |[r, g, b]: [f32; 3]| format!("({r}, {g}, {b})");
        let (mean, std) = (triple(self.mean), triple(self.std));
        write!(f, ", RGB ÷ 255, minus {mean}, ÷ {std}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crops_begin_where_torchvision_begins() {
        // int(round((extent - crop) / 2)) in Python for surpluses 0…6.
        let offsets: Vec<isize> = (0..7).map(|surplus| offset(10 + surplus, 10)).collect();
        assert_eq!(offsets, [0, 0, 1, 2, 2, 2, 3]);
        // Padding puts the odd pixel after the image.
        let paddings: Vec<isize> = (0..4).map(|short| offset(10 - short, 10)).collect();
        assert_eq!(paddings, [0, 0, -1, -1]);
    }

    #[test]
    fn a_thread_of_pixels_is_refused() {
        let image = RgbImage {
            width: 1,
            height: 60_000,
            pixels: vec![0; 180_000],
        };
        let error = Preprocessing::imagenet().apply(&image).unwrap_err();
        assert!(matches!(error, ModelError::Elongated { width: 1, .. }));
    }

    #[test]
    fn the_long_side_is_rounded_down() {
        let preprocessing = Preprocessing::imagenet();
        assert_eq!(preprocessing.resized([175, 175]), [256, 256]);
        assert_eq!(preprocessing.resized([333, 500]), [256, 384]);
        assert_eq!(preprocessing.resized([500, 333]), [384, 256]);
        assert_eq!(preprocessing.output_size([9, 9]), [224, 224]);
    }

    #[test]
    fn a_small_image_is_padded_with_black_and_normalised() {
        let image = RgbImage {
            width: 1,
            height: 1,
            pixels: vec![255, 51, 0],
        };
        let preprocessing = Preprocessing {
            resize: Resize::Keep,
            crop: Some([2, 3]),
            mean: [0.5, 0.0, 0.0],
            std: [0.5, 1.0, 1.0],
        };
        let out = preprocessing.apply(&image).unwrap();
        assert_eq!(out.dim(), (3, 2, 3));
        let red: Vec<f32> = out
            .index_axis(ndarray::Axis(0), 0)
            .iter()
            .copied()
            .collect();
        assert_eq!(red, [-1.0, 1.0, -1.0, -1.0, -1.0, -1.0]);
        assert!((out[[1, 0, 1]] - 0.2).abs() < 1e-7);
    }
}
