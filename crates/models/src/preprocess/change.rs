//! Changes of pictures as a network sees them: to see how robust it is, and to learn from other views.

mod augment;
mod colour;
mod draws;
mod geometry;
#[cfg(test)]
mod tests;

use std::fmt;
use std::str::FromStr;

use consilience_io::image::RgbImage;
use ndarray::{Array3, ArrayViewMut3, Axis};

use super::{ChannelOrder, Preprocessing, Range};
use crate::{ModelError, Result};

pub use augment::Augmentation;
use draws::Draws;

/// One change of a picture, after it was resized and cut and before its channels are normalised.
///
/// # Peers
///
/// torchvision 0.28 on Pillow images (`functional.rgb_to_grayscale`, `adjust_hue`, `adjust_brightness`, `rotate`, `hflip`): the same
/// bytes. `gaussian_blur`: within one level. The noise has other random numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Change {
    /// All channels become the lightness (299 R + 587 G + 114 B) ÷ 1000.
    Gray,
    /// Independent normal noise of this variance on values in 0…1, which are cut at 0 and 1 and not rounded.
    Noise {
        /// Of the noise.
        variance: f64,
    },
    /// The hue is turned by this share of the circle.
    Hue {
        /// −0.5 to 0.5.
        shift: f64,
    },
    /// Every byte is multiplied, cut at 255 and rounded down.
    Lighting {
        /// At least 0; 1 changes nothing.
        factor: f64,
    },
    /// Turned about its middle; the nearest pixel, black outside.
    Rotation {
        /// Counter-clockwise.
        degrees: f64,
    },
    /// Left and right are swapped.
    Flip,
    /// Gaussian blur with 5 × 5 weights; the picture goes on mirrored at its edges.
    Blur {
        /// Of the Gaussian, in pixels; above 0.
        sigma: f64,
    },
}

const WORDS: &str = "gray, noise=VARIANCE, hue=SHIFT (−0.5 to 0.5), lighting=FACTOR, rotation=DEGREES, flip, blur=SIGMA";

impl FromStr for Change {
    type Err = ModelError;

    fn from_str(text: &str) -> Result<Self> {
        let unknown = || ModelError::UnknownChoice {
            what: "change of a picture",
            found: text.to_owned(),
            expected: WORDS,
        };
        let (word, value) = match text.split_once('=') {
            None => (text, None),
            Some((word, value)) => (word, Some(value.parse::<f64>().map_err(|_| unknown())?)),
        };
        let change = match (word, value) {
            ("gray", None) => Self::Gray,
            ("flip", None) => Self::Flip,
            ("noise", Some(variance)) => Self::Noise { variance },
            ("hue", Some(shift)) => Self::Hue { shift },
            ("lighting", Some(factor)) => Self::Lighting { factor },
            ("rotation", Some(degrees)) => Self::Rotation { degrees },
            ("blur", Some(sigma)) => Self::Blur { sigma },
            _ => return Err(unknown()),
        };
        match change.is_possible() {
            true => Ok(change),
            false => Err(unknown()),
        }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gray => f.write_str("gray"),
            Self::Flip => f.write_str("flip"),
            Self::Noise { variance } => write!(f, "noise={variance}"),
            Self::Hue { shift } => write!(f, "hue={shift}"),
            Self::Lighting { factor } => write!(f, "lighting={factor}"),
            Self::Rotation { degrees } => write!(f, "rotation={degrees}"),
            Self::Blur { sigma } => write!(f, "blur={sigma}"),
        }
    }
}

impl Change {
    fn is_possible(self) -> bool {
        match self {
            Self::Gray | Self::Flip => true,
            Self::Noise { variance } => variance.is_finite() && variance >= 0.0,
            Self::Hue { shift } => (-0.5..=0.5).contains(&shift),
            Self::Lighting { factor } => factor.is_finite() && factor >= 0.0,
            Self::Rotation { degrees } => degrees.is_finite(),
            Self::Blur { sigma } => sigma.is_finite() && sigma > 0.0,
        }
    }

    /// The bytes of a picture after the change; noise comes later, as it is no matter of bytes.
    fn apply(self, image: RgbImage) -> RgbImage {
        match self {
            Self::Noise { .. } => image,
            Self::Gray => colour::gray(image),
            Self::Hue { shift } => colour::hue(image, shift),
            Self::Lighting { factor } => colour::lighting(image, factor),
            Self::Rotation { degrees } => geometry::rotated(&image, degrees),
            Self::Flip => geometry::flipped(image),
            Self::Blur { sigma } => geometry::blurred(&image, sigma),
        }
    }
}

/// What is done to the pictures of a run, each by its own random numbers.
///
/// These depend on the seed, the epoch and the picture's position alone.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Changes {
    /// Done to every picture, in this order; noise is added last.
    pub fixed: Vec<Change>,
    /// Done before at random.
    pub augmentation: Option<Augmentation>,
    /// Of all that is random.
    pub seed: u64,
    /// Of the training; other epochs see other views.
    pub epoch: u64,
}

impl Changes {
    /// Whether pictures stay as they are.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.fixed.is_empty() && self.augmentation.is_none()
    }

    /// What the network takes for picture `image_idx`.
    pub(crate) fn apply_into(
        &self,
        preprocessing: &Preprocessing,
        image: &RgbImage,
        image_idx: u64,
        mut out: ArrayViewMut3<'_, f32>,
    ) -> Result<()> {
        let mut draws = Draws::new(self.seed, self.epoch, image_idx);
        let drawn = self.augmentation.as_ref().map(|a| a.draw(&mut draws));
        let changes = drawn
            .into_iter()
            .flatten()
            .chain(self.fixed.iter().copied());
        let mut seen = preprocessing.seen(image)?;
        let mut variance = 0.0;
        for change in changes {
            if let Change::Noise { variance: added } = change {
                variance += added;
            }
            seen = change.apply(seen);
        }
        let deviation = variance.sqrt();
        let mut values = Array3::zeros((3, seen.height, seen.width));
        for (channel, mut plane) in values.axis_iter_mut(Axis(0)).enumerate() {
            let bytes = seen.pixels.iter().skip(channel).step_by(3);
            for (value, &byte) in plane.iter_mut().zip(bytes) {
                let mut level = f32::from(byte);
                if deviation > 0.0 {
                    let noisy = f64::from(byte) / 255.0 + deviation * draws.normal();
                    level = (noisy.clamp(0.0, 1.0) * 255.0) as f32;
                }
                *value = preprocessing.value(level, channel);
            }
        }
        for (channel, mut plane) in out.axis_iter_mut(Axis(0)).enumerate() {
            let channel = match preprocessing.order {
                ChannelOrder::Rgb => channel,
                ChannelOrder::Bgr => 2 - channel,
            };
            plane.assign(&values.index_axis(Axis(0), channel));
        }
        Ok(())
    }
}

impl Preprocessing {
    /// The picture resized and cut as bytes, before channels are normalised.
    fn seen(&self, image: &RgbImage) -> Result<RgbImage> {
        let plain = Self {
            range: Range::Bytes,
            mean: [0.0; 3],
            std: [1.0; 3],
            order: ChannelOrder::Rgb,
            ..self.clone()
        };
        let levels = plain.apply(image)?;
        let (_, height, width) = levels.dim();
        let levels = levels.permuted_axes([1, 2, 0]);
        Ok(RgbImage {
            width,
            height,
            // Bytes, but for the level around a letterbox.
            pixels: levels
                .iter()
                .map(|level| level.round().clamp(0.0, 255.0) as u8)
                .collect(),
        })
    }
}
