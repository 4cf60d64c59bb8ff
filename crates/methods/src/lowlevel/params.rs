//! Options of low-level features.

use crate::names::named;
use crate::{MethodsError, Result};

/// A low-level description of a picture.
///
/// # Definition
///
/// Pictures have values 0…1 as in their files (sRGB), one channel or three. They are brought to a square of `size` by area: each of its
/// cells is the mean of what it covers, aspect not kept. Grey is 0.299 R + 0.587 G + 0.114 B.
///
/// | name | features |
/// |---|---|
/// | `pixels` | the values of the square, channel by channel, row by row |
/// | `luminance` | mean and standard deviation (over n) of the relative luminance of all original pixels, 0.2126 R + 0.7152 G + 0.0722 B after undoing the sRGB curve |
/// | `gist` | oriented energy in the cells of a grid: mean of the absolute response of log-Gabor filters; scale by scale, orientation by orientation, row by row |
/// | `spectrum` | root mean power of the grey square in octaves of spatial frequency and sectors of orientation; from the finest octave on |
///
/// **gist.** The grey square of side s, continued by its mirror images to a period of 2s, is filtered by exp(−ln(f/fₖ)²/(2·ln(0.65)²) −
/// δ²/(2(π/(2·orientations))²)) for the frequency (fy, fx) of length f cycles a pixel, 0 at f = 0, with fₖ = 2⁻ᵏ/4 for scale k = 0, 1 …
/// and δ the angle from the direction of orientation o, (cos(πo/orientations), sin(πo/orientations)) in (x, y), −π…π. The filters are one-sided, so the
/// responses are complex and their absolute values an envelope. Orientation 0 sees vertical edges.
///
/// **spectrum.** The grey square without its mean, times a Hann window 0.5 − 0.5·cos(2π(i + ½)/s) along both sides; |F|²/s⁴ of its Fourier
/// transform is averaged over frequencies (in cycles a picture) in (s/2ᵏ⁺², s/2ᵏ⁺¹], k = 0, 1 … log₂(s) − 2, whose direction modulo π
/// is nearest to πo/orientations (rounded up half-way); the root of it is the feature.
///
/// # References
///
/// Oliva & Torralba 2001, doi:10.1023/A:1011139631724 (after which `gist` is made; it is not their program); Field 1987,
/// doi:10.1364/JOSAA.4.002379 (log-Gabor); Torralba & Oliva 2003, doi:10.1088/0954-898X/14/3/302 (spectra).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ImageFeature {
    /// Values of a small picture.
    #[default]
    Pixels,
    /// Mean luminance and contrast.
    Luminance,
    /// Oriented energy by place.
    Gist,
    /// Power by spatial frequency and orientation.
    Spectrum,
}

impl ImageFeature {
    const NAMES: [(&'static str, Self); 4] = [
        ("pixels", Self::Pixels),
        ("luminance", Self::Luminance),
        ("gist", Self::Gist),
        ("spectrum", Self::Spectrum),
    ];

    /// Side of the square when none is given: 32 for pixels, 64 for gist, 128 for the spectrum.
    #[must_use]
    pub fn usual_size(self) -> usize {
        match self {
            Self::Pixels | Self::Luminance => 32,
            Self::Gist => 64,
            Self::Spectrum => 128,
        }
    }
}

named!(ImageFeature, "image feature");

/// Options of [`image_features`](super::image_features).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImageFeatureParams {
    /// What is computed (default: pixels).
    pub feature: ImageFeature,
    /// Side of the square that pictures are brought to; default [`ImageFeature::usual_size`]. A power of two for gist and
    /// spectrum.
    pub size: Option<usize>,
    /// Orientations of gist (default 8) and of the spectrum (default 4).
    pub orientations: Option<usize>,
    /// Scales of gist (default 4).
    pub scales: usize,
    /// Cells along a side of the grid of gist (default 4).
    pub grid: usize,
}

impl Default for ImageFeatureParams {
    fn default() -> Self {
        Self {
            feature: ImageFeature::default(),
            size: None,
            orientations: None,
            scales: 4,
            grid: 4,
        }
    }
}

impl ImageFeatureParams {
    /// Side of the square.
    #[must_use]
    pub fn side(&self) -> usize {
        self.size.unwrap_or(self.feature.usual_size())
    }

    /// Orientations.
    #[must_use]
    pub fn n_orientations(&self) -> usize {
        let usual = match self.feature {
            ImageFeature::Gist => 8,
            ImageFeature::Pixels | ImageFeature::Luminance | ImageFeature::Spectrum => 4,
        };
        self.orientations.unwrap_or(usual)
    }

    /// Checks the options.
    ///
    /// # Errors
    ///
    /// [`MethodsError::OptionOutOfRange`].
    pub fn validate(&self) -> Result<()> {
        let (side, feature) = (self.side(), self.feature);
        let filtered = matches!(feature, ImageFeature::Gist | ImageFeature::Spectrum);
        let gist = feature == ImageFeature::Gist;
        // The coarsest scale still fits the square, and every sector holds a frequency of the coarsest octave.
        let most_scales = side.checked_ilog2().map_or(0, |log| log.saturating_sub(2)) as usize;
        for (option, value, expected, good) in [
            (
                "the side of the square",
                side,
                "at least 1",
                filtered || side > 0,
            ),
            (
                "the side of the square",
                side,
                "a power of two from 8 to 1024",
                !filtered || (side.is_power_of_two() && (8..=1024).contains(&side)),
            ),
            (
                "the number of orientations",
                self.n_orientations(),
                "from 1 to 16 (gist)",
                !gist || (1..=16).contains(&self.n_orientations()),
            ),
            (
                "the number of orientations",
                self.n_orientations(),
                "from 1 to 4 (spectrum): the coarsest octave has no more directions",
                feature != ImageFeature::Spectrum || (1..=4).contains(&self.n_orientations()),
            ),
            (
                "the number of scales",
                self.scales,
                "from 1 to log₂ of the side less 2",
                !gist || (1..=most_scales).contains(&self.scales),
            ),
            (
                "the cells along a side of the grid",
                self.grid,
                "a number that divides the side",
                !gist || (self.grid > 0 && side.is_multiple_of(self.grid)),
            ),
        ] {
            if !good {
                return Err(MethodsError::OptionOutOfRange {
                    option,
                    value: value as f64,
                    expected,
                });
            }
        }
        Ok(())
    }
}
