//! Finding faces, their landmarks, and bringing them to one position.
//!
//! [`detector`] makes a [`DetectionModel`] of a face detector, [`LandmarkNetwork`] finds five points in
//! a box, [`align`] brings them to a [`Template`], [`FaceNetwork`] runs a network on the aligned face;
//! [`FaceFinder`] is the first three in one.

mod align;
mod networks;

use consilience_io::image::RgbImage;

use super::{BoxXyxy, Detection, Detector};
use crate::{Images, ModelError, Result};

pub use align::{Landmarks, Similarity, Template, align};
pub use networks::{EXPRESSIONS, FaceDetectorKind, FaceNetwork, LandmarkNetwork, cosine, detector};

#[cfg(doc)]
use super::DetectionModel;

/// A face in a picture.
#[derive(Debug, Clone, PartialEq)]
pub struct Face {
    /// Its box and score.
    pub detection: Detection,
    /// Five points of it, in pixels of the picture.
    pub landmarks: Landmarks,
    /// The face brought to the template.
    pub aligned: RgbImage,
}

/// Detector, landmarks and alignment in one.
pub struct FaceFinder {
    /// Finds the boxes.
    pub detector: Detector,
    /// Finds the points in a box.
    pub landmarks: LandmarkNetwork,
    /// Where the points are brought to.
    pub template: Template,
}

impl FaceFinder {
    /// The faces of a picture, likeliest first.
    ///
    /// # Errors
    ///
    /// As [`Detector::detect`], [`LandmarkNetwork::find`] and [`align`].
    pub fn find(&mut self, picture: &RgbImage) -> Result<Vec<Face>> {
        let found = self.detector.detect(picture)?;
        align_all(&mut self.landmarks, &self.template, picture, found)
    }

    /// Looks for faces in all pictures; `sink` gets position, picture and its faces, in the order of the
    /// pictures.
    ///
    /// # Errors
    ///
    /// The sink's own, a picture that cannot be read, and as [`FaceFinder::find`].
    pub fn run<E: From<ModelError>>(
        &mut self,
        images: Images<'_>,
        mut sink: impl FnMut(usize, &RgbImage, Vec<Face>) -> std::result::Result<(), E>,
    ) -> std::result::Result<(), E> {
        let (landmarks, template) = (&mut self.landmarks, &self.template);
        self.detector.run(images, |image_idx, picture, found| {
            let faces = align_all(landmarks, template, picture, found)?;
            sink(image_idx, picture, faces)
        })
    }
}

/// Landmarks and alignment of faces whose boxes are known.
fn align_all(
    landmarks: &mut LandmarkNetwork,
    template: &Template,
    picture: &RgbImage,
    found: Vec<Detection>,
) -> Result<Vec<Face>> {
    found
        .into_iter()
        .map(|detection| {
            let points = landmarks.find(picture, &detection.bounds)?;
            Ok(Face {
                aligned: align(picture, &points, template)?,
                detection,
                landmarks: points,
            })
        })
        .collect()
}

/// The part of a picture inside a box, whose edges are rounded to whole pixels; at least one pixel.
///
/// # Example
///
/// ```
/// use consilience_io::image::RgbImage;
/// use consilience_models::detect::{BoxXyxy, faces::crop};
///
/// let picture = RgbImage { width: 2, height: 1, pixels: vec![1, 2, 3, 4, 5, 6] };
/// let right = crop(&picture, &BoxXyxy::new(0.8, 0.0, 9.0, 1.0));
/// assert_eq!((right.width, right.pixels), (1, vec![4, 5, 6]));
/// ```
#[must_use]
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "edges are clipped to the picture"
)]
pub fn crop(picture: &RgbImage, bounds: &BoxXyxy) -> RgbImage {
    let clipped = bounds.clipped(picture.width, picture.height);
    let span = |low: f64, high: f64, extent: usize| {
        let first = (low.round() as usize).min(extent.saturating_sub(1));
        let end = (high.round() as usize).clamp(first + 1, extent.max(first + 1));
        (first, end.min(extent))
    };
    let (left, right) = span(clipped.x_min, clipped.x_max, picture.width);
    let (top, bottom) = span(clipped.y_min, clipped.y_max, picture.height);
    let rows = (top..bottom).flat_map(|y| {
        let row = y * picture.width;
        &picture.pixels[(row + left) * 3..(row + right) * 3]
    });
    RgbImage {
        width: right - left,
        height: bottom - top,
        pixels: rows.copied().collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crop_is_never_empty_and_never_outside() {
        let picture = RgbImage {
            width: 4,
            height: 3,
            pixels: (0..36).collect(),
        };
        for (bounds, size) in [
            (BoxXyxy::new(1.2, 0.9, 2.6, 3.0), (2, 2)),
            (BoxXyxy::new(-9.0, -9.0, 99.0, 99.0), (4, 3)),
            (BoxXyxy::new(4.0, 3.0, 4.0, 3.0), (1, 1)),
            (BoxXyxy::new(2.1, 1.0, 2.2, 1.1), (1, 1)),
        ] {
            let part = crop(&picture, &bounds);
            assert_eq!((part.width, part.height), size, "{bounds:?}");
            assert_eq!(part.pixels.len(), size.0 * size.1 * 3);
        }
    }
}
