//! From pictures to rows of features.

use ndarray::{Array2, ArrayView3, Axis};
use rayon::prelude::*;

use super::gist::Gist;
use super::grey::{grey, luminance, square};
use super::params::{ImageFeature, ImageFeatureParams};
use super::spectrum::Spectrum;
use crate::error::at_least;
use crate::{MethodsError, Result};

/// Low-level features of pictures.
///
/// # Shapes
///
/// Each picture is `(height, width, channels)` with 1 (grey) or 3 (RGB) channels and values 0…1; sizes may differ. The result
/// is `(n_images, n_features)`.
///
/// # Definition
///
/// See [`ImageFeature`]. A grey picture stands for one whose channels are equal; for `pixels` all pictures must have the same
/// number of channels.
///
/// # Errors
///
/// [`MethodsError::OptionOutOfRange`] for options and for values outside 0…1, [`MethodsError::TooFew`] pictures or
/// pixels, [`MethodsError::ShapeMismatch`] of channels.
///
/// # Example
///
/// ```
/// use consilience_methods::lowlevel::{ImageFeature, ImageFeatureParams, image_features};
/// use ndarray::Array3;
///
/// let stripes = Array3::from_shape_fn((64, 64, 1), |(_, x, _)| f64::from(u8::from(x % 8 < 4)));
/// let params = ImageFeatureParams {
///     feature: ImageFeature::Luminance,
///     ..ImageFeatureParams::default()
/// };
/// let features = image_features(&[stripes.view()], &params)?;
/// assert!((features[[0, 0]] - 0.5).abs() < 1e-12 && (features[[0, 1]] - 0.5).abs() < 1e-12);
/// # Ok::<(), consilience_methods::MethodsError>(())
/// ```
///
/// # Peers
///
/// The definitions in NumPy, to 1e-9.
pub fn image_features(
    images: &[ArrayView3<'_, f64>],
    params: &ImageFeatureParams,
) -> Result<Array2<f64>> {
    params.validate()?;
    check(images, params.feature)?;
    let side = params.side();
    let rows: Vec<Vec<f64>> = match params.feature {
        ImageFeature::Pixels => rows(images, |image| {
            let channels = image.axis_iter(Axis(2));
            channels.flat_map(|channel| square(channel, side)).collect()
        }),
        ImageFeature::Luminance => rows(images, |image| {
            let values = luminance(image);
            let mean = values.sum() / values.len() as f64;
            vec![mean, values.std(0.0)]
        }),
        ImageFeature::Gist => {
            let gist = Gist::new(side, params.scales, params.n_orientations(), params.grid);
            rows(images, |image| {
                gist.features(&square(grey(image).view(), side))
            })
        }
        ImageFeature::Spectrum => {
            let spectrum = Spectrum::new(side, params.n_orientations());
            rows(images, |image| {
                spectrum.features(&square(grey(image).view(), side))
            })
        }
    };
    let n_features = rows[0].len();
    Ok(
        Array2::from_shape_vec((rows.len(), n_features), rows.concat())
            .expect("every picture has the same features"),
    )
}

fn rows(
    images: &[ArrayView3<'_, f64>],
    features: impl Fn(ArrayView3<'_, f64>) -> Vec<f64> + Sync,
) -> Vec<Vec<f64>> {
    images
        .par_iter()
        .map(|image| features(image.view()))
        .collect()
}

fn check(images: &[ArrayView3<'_, f64>], feature: ImageFeature) -> Result<()> {
    at_least("pictures", 1, images.len())?;
    let first = images[0].dim().2;
    for image in images {
        let (height, width, channels) = image.dim();
        if height == 0 || width == 0 {
            return Err(MethodsError::TooFew {
                what: "pixels along a side of a picture",
                needed: 1,
                found: 0,
            });
        }
        if channels != 1 && channels != 3 {
            return Err(MethodsError::ShapeMismatch {
                what: "channels of a picture (3, or 1 for grey)",
                expected: 3,
                found: channels,
            });
        }
        if feature == ImageFeature::Pixels && channels != first {
            return Err(MethodsError::ShapeMismatch {
                what: "channels of a picture, as many as of the first",
                expected: first,
                found: channels,
            });
        }
        if let Some(&value) = image.iter().find(|v| !(0.0..=1.0).contains(*v)) {
            return Err(MethodsError::OptionOutOfRange {
                option: "a value of a picture",
                value,
                expected: "a number from 0 to 1 (divide bytes by 255)",
            });
        }
    }
    Ok(())
}
