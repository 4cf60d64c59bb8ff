//! Boxes of a picture in the frame that a network saw.

use consilience_methods::objects::{DetectedObject, PictureBox};
use consilience_models::Preprocessing;

use super::PictureObjects;

/// What a network saw of the objects of a picture.
#[derive(Debug, Clone, PartialEq)]
pub struct SeenObjects {
    /// The frame and what it shows of the objects.
    pub picture: PictureObjects,
    /// For each of these, its position among the objects of the picture.
    pub kept: Vec<usize>,
    /// Those among them of which a part was cut off.
    pub n_clipped: usize,
}

/// Brings boxes of a picture into the frame that a network saw of it.
///
/// # Shapes
///
/// `[width, height]` of the picture in pixels; boxes in the same pixels.
///
/// # Definition
///
/// Edges go through [`Preprocessing::placement`] and are clipped to the part of the frame that the picture fills (a letterbox has a margin that it
/// does not). Objects without area or with nothing left are dropped.
///
/// # Example
///
/// ```
/// use consilience_experiments::object2brain::boxes_as_seen;
/// use consilience_methods::objects::{DetectedObject, PictureBox};
/// use consilience_models::Preprocessing;
///
/// // 1024 × 512 becomes 512 × 256, of which the middle 224 × 224 are seen.
/// let at = |left, right| DetectedObject {
///     bounds: PictureBox::new(left, 0.0, right, 512.0),
///     class: 0,
///     score: 0.9,
/// };
/// let objects = [at(0.0, 100.0), at(200.0, 512.0)];
/// let seen = boxes_as_seen(&Preprocessing::imagenet(), [1024, 512], &objects);
/// assert_eq!(seen.kept, [1]);
/// assert_eq!(seen.picture.size, [224.0, 224.0]);
/// assert_eq!(seen.picture.objects[0].bounds, PictureBox::new(0.0, 0.0, 112.0, 224.0));
/// ```
#[must_use]
pub fn boxes_as_seen(
    preprocessing: &Preprocessing,
    [width, height]: [usize; 2],
    objects: &[DetectedObject],
) -> SeenObjects {
    let placement = preprocessing.placement([height, width]);
    let [frame_height, frame_width] = preprocessing.output_size([height, width]);
    let size = [frame_width as f64, frame_height as f64];
    let moved = |left: f64, top: f64, right: f64, bottom: f64| {
        let [left, top] = placement.to_input([left, top]);
        let [right, bottom] = placement.to_input([right, bottom]);
        PictureBox::new(left, top, right, bottom)
    };
    let whole = moved(0.0, 0.0, width as f64, height as f64);
    let mut seen = SeenObjects {
        picture: PictureObjects {
            size,
            objects: Vec::new(),
        },
        kept: Vec::new(),
        n_clipped: 0,
    };
    for (idx, object) in objects.iter().enumerate() {
        let PictureBox {
            left,
            top,
            right,
            bottom,
        } = object.bounds;
        let bounds = moved(left, top, right, bottom);
        let part = PictureBox::new(
            bounds.left.max(whole.left).max(0.0),
            bounds.top.max(whole.top).max(0.0),
            bounds.right.min(whole.right).min(size[0]),
            bounds.bottom.min(whole.bottom).min(size[1]),
        );
        if part.area() > 0.0 {
            seen.n_clipped += usize::from(part != bounds);
            seen.kept.push(idx);
            seen.picture.objects.push(DetectedObject {
                bounds: part,
                ..*object
            });
        }
    }
    seen
}
