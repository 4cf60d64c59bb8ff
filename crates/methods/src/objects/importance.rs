//! Importance of the objects of one picture.

use ndarray::ArrayView2;

use super::area::{AreaTable, Extent};
use super::boxes::{DetectedObject, NoImportance, check_objects, check_picture, on_cells};
use super::{MapParams, ObjectsError};
use crate::{MethodsError, Result};

/// How much of a map an object has, or why that is undefined.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ObjectImportance {
    /// Class of the object, from 0.
    pub class: usize,
    /// Score of the detector.
    pub score: f64,
    /// What the box gets from the map.
    pub importance: std::result::Result<f64, NoImportance>,
}

/// Reads a Grad-CAM map within the boxes of detected objects (`EmoCAM`).
///
/// # Shapes
///
/// `map` is `(h, w)`, of any size, and covers the whole picture of `[width, height]` pixels; the result has an entry for
/// each object, in their order.
///
/// # Definition
///
/// The map M, after its signs were seen to and after scaling, is constant on each of its cells, of which w × h cover the
/// picture. For the part B of a box inside the picture, with fractions of cells counted as such:
///
/// - mean: ∫_B M / |B|
/// - max: the largest M of the cells that B touches
/// - share: ∫_B M / ∫ M
///
/// A box without area, beside the picture, or with a share of a map of zeros is undefined and says so.
///
/// # Errors
///
/// [`ObjectsError`] for a picture or map without size, a box without numbers and options that exclude each other;
/// [`MethodsError::NonFinite`].
///
/// # Example
///
/// ```
/// use consilience_methods::objects::{DetectedObject, MapParams, PictureBox, importance};
/// use ndarray::array;
///
/// let map = array![[0.0, 1.0], [0.0, 3.0]];
/// let right_half = DetectedObject {
///     bounds: PictureBox::new(50.0, 0.0, 100.0, 80.0),
///     class: 0,
///     score: 0.9,
/// };
/// let found = importance(map.view(), [100.0, 80.0], &[right_half], &MapParams::default())?;
/// assert!((found[0].importance.unwrap() - 2.0 / 3.0).abs() < 1e-12);
/// # Ok::<(), consilience_methods::MethodsError>(())
/// ```
///
/// # References
///
/// `EmoCAM` 2024, arXiv 2407.14314; Crow 1984, doi:10.1145/800031.808600 (summed-area table).
///
/// # Peers
///
/// Means, maxima and shares of enlarged maps in NumPy, to 1e-12. `EmoCAM` resizes the map with smooth interpolation first;
/// give the map resized to do the same.
pub fn importance(
    map: ArrayView2<'_, f32>,
    picture: [f64; 2],
    objects: &[DetectedObject],
    params: &MapParams,
) -> Result<Vec<ObjectImportance>> {
    params.validate()?;
    check_picture(picture)?;
    check_objects(0, objects, usize::MAX)?;
    check_map("the map", map)?;
    let table = AreaTable::new(map, Extent::of(map, params.sign), params);
    let read = |object: &DetectedObject| ObjectImportance {
        class: object.class,
        score: object.score,
        importance: on_cells(&object.bounds, picture, map.dim()).and_then(|bounds| {
            table
                .read(&bounds, params.summary)
                .ok_or(NoImportance::EmptyMap)
        }),
    };
    Ok(objects.iter().map(read).collect())
}

/// Refuses a map without cells or with a value that is not a number.
pub(super) fn check_map(what: &'static str, map: ArrayView2<'_, f32>) -> Result<()> {
    let (rows, columns) = map.dim();
    if map.is_empty() {
        return Err(ObjectsError::EmptyMap {
            what,
            rows,
            columns,
        }
        .into());
    }
    match map.indexed_iter().find(|(_, v)| !v.is_finite()) {
        None => Ok(()),
        Some(((row, column), &value)) => Err(MethodsError::NonFinite {
            what,
            row,
            column,
            value: f64::from(value),
            cure: "look for the picture or weights that it comes from",
        }),
    }
}
