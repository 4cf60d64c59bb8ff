//! Boxes of detected objects, and where they lie on the cells of a map.

use super::ObjectsError;
use crate::Result;

/// A box by its edges, in pixels from the upper left corner of the picture.
///
/// Pixel (0, 0) covers 0 … 1 along both axes, so the whole picture is (0, 0, width, height).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PictureBox {
    /// Left edge.
    pub left: f64,
    /// Upper edge.
    pub top: f64,
    /// Right edge.
    pub right: f64,
    /// Lower edge.
    pub bottom: f64,
}

impl PictureBox {
    /// The box with these edges: left, upper, right, lower.
    #[must_use]
    pub fn new(left: f64, top: f64, right: f64, bottom: f64) -> Self {
        Self {
            left,
            top,
            right,
            bottom,
        }
    }

    /// Area; 0 when edges coincide or are the wrong way round.
    #[must_use]
    pub fn area(&self) -> f64 {
        (self.right - self.left).max(0.0) * (self.bottom - self.top).max(0.0)
    }

    /// What two boxes share.
    pub(super) fn shared(&self, other: &Self) -> Self {
        Self::new(
            self.left.max(other.left),
            self.top.max(other.top),
            self.right.min(other.right),
            self.bottom.min(other.bottom),
        )
    }

    fn edges(&self) -> [f64; 4] {
        [self.left, self.top, self.right, self.bottom]
    }
}

/// An object that a detector found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DetectedObject {
    /// Where it is.
    pub bounds: PictureBox,
    /// Its class or category, whichever the caller counts by, from 0.
    pub class: usize,
    /// Score of the detector.
    pub score: f64,
}

/// Why a box has no importance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoImportance {
    /// Edges that coincide or are the wrong way round.
    #[error("the box has no area")]
    NoArea,
    /// A box beside the picture.
    #[error("the box lies outside the picture")]
    Outside,
    /// A share of a map that is 0 everywhere.
    #[error("the map is 0 everywhere, so no share of it is defined")]
    EmptyMap,
}

/// Checks objects of one picture.
pub(super) fn check_objects(
    picture: usize,
    objects: &[DetectedObject],
    n_classes: usize,
) -> Result<()> {
    for (object, found) in objects.iter().enumerate() {
        let edges = found.bounds.edges();
        if !(edges.iter().all(|e| e.is_finite()) && found.score.is_finite()) {
            return Err(ObjectsError::BadObject {
                picture,
                object,
                edges,
                score: found.score,
            }
            .into());
        }
        check_class(picture, object, found.class, n_classes)?;
    }
    Ok(())
}

pub(super) fn check_class(
    picture: usize,
    object: usize,
    class: usize,
    n_classes: usize,
) -> Result<()> {
    if class < n_classes {
        return Ok(());
    }
    Err(ObjectsError::UnknownClass {
        picture,
        object,
        class,
        n_classes,
    }
    .into())
}

pub(super) fn check_picture([width, height]: [f64; 2]) -> Result<()> {
    let good = |side: f64| side.is_finite() && side > 0.0;
    if good(width) && good(height) {
        return Ok(());
    }
    Err(ObjectsError::BadPicture { width, height }.into())
}

/// The part of a box inside the picture, with a cell of the map as the unit of length.
pub(super) fn on_cells(
    bounds: &PictureBox,
    [width, height]: [f64; 2],
    (n_rows, n_columns): (usize, usize),
) -> std::result::Result<PictureBox, NoImportance> {
    if bounds.area() <= 0.0 {
        return Err(NoImportance::NoArea);
    }
    let beside = bounds.right <= 0.0 || bounds.left >= width;
    if beside || bounds.bottom <= 0.0 || bounds.top >= height {
        return Err(NoImportance::Outside);
    }
    let x = |edge: f64| snapped(edge / width * n_columns as f64).clamp(0.0, n_columns as f64);
    let y = |edge: f64| snapped(edge / height * n_rows as f64).clamp(0.0, n_rows as f64);
    let inside = PictureBox::new(
        x(bounds.left),
        y(bounds.top),
        x(bounds.right),
        y(bounds.bottom),
    );
    if inside.area() > 0.0 {
        Ok(inside)
    } else {
        Err(NoImportance::NoArea)
    }
}

/// An edge that division moved off the edge of a cell is put back, so that the box does not touch one more.
fn snapped(edge: f64) -> f64 {
    let nearest = edge.round();
    if (edge - nearest).abs() < 1e-9 {
        nearest
    } else {
        edge
    }
}
