//! What was found in pictures, drawn onto them.

use consilience_io::IoError;
use consilience_io::image::{RgbImage, encode_png};
use consilience_models::detect::faces::Face;
use consilience_models::detect::{BoxXyxy, Detection};
use consilience_report::{BoxMark, ReportError, boxes_svg};

/// A picture that could not be drawn.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OverlayError {
    /// The picture could not be encoded.
    #[error(transparent)]
    Picture(#[from] IoError),
    /// The boxes could not be drawn.
    #[error(transparent)]
    Drawing(#[from] ReportError),
}

/// The picture with a frame, the class and the score for each detection, as PNG of the same size.
///
/// # Errors
///
/// [`OverlayError`] for a picture with more than 20,000 pixels along a side, or with none.
pub fn overlay(picture: &RgbImage, found: &[Detection]) -> Result<Vec<u8>, OverlayError> {
    let marks: Vec<BoxMark> = found.iter().map(|found| mark(found, Vec::new())).collect();
    draw(picture, &marks)
}

/// The picture with a frame, the score and the five landmarks of each face, as PNG of the same size.
///
/// # Errors
///
/// As [`overlay`].
pub fn overlay_faces(picture: &RgbImage, found: &[Face]) -> Result<Vec<u8>, OverlayError> {
    let marks: Vec<BoxMark> = found
        .iter()
        .map(|face| mark(&face.detection, face.landmarks.to_vec()))
        .collect();
    draw(picture, &marks)
}

fn mark(found: &Detection, points: Vec<[f64; 2]>) -> BoxMark {
    let BoxXyxy {
        x_min,
        y_min,
        x_max,
        y_max,
    } = found.bounds;
    BoxMark {
        edges: [x_min, y_min, x_max, y_max],
        label: format!("{} {:.2}", found.class, found.score),
        group: found.class_idx,
        points,
    }
}

fn draw(picture: &RgbImage, marks: &[BoxMark]) -> Result<Vec<u8>, OverlayError> {
    let png = encode_png(picture)?;
    let svg = boxes_svg(&png, picture.width, picture.height, marks);
    Ok(consilience_report::png(&svg, 1.0)?)
}
