//! Boxes.

use serde::{Deserialize, Serialize};

/// A box by its corners, in pixels from the upper left corner of the picture.
///
/// Pixel `(0, 0)` covers 0 … 1 along both axes, so a box around the whole picture is
/// `(0, 0, width, height)`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct BoxXyxy {
    /// Left edge.
    pub x_min: f64,
    /// Upper edge.
    pub y_min: f64,
    /// Right edge.
    pub x_max: f64,
    /// Lower edge.
    pub y_max: f64,
}

impl BoxXyxy {
    /// The box with these edges: left, upper, right, lower.
    #[must_use]
    pub fn new(x_min: f64, y_min: f64, x_max: f64, y_max: f64) -> Self {
        Self {
            x_min,
            y_min,
            x_max,
            y_max,
        }
    }

    /// The box of that size around a point.
    #[must_use]
    pub fn around([x, y]: [f64; 2], [width, height]: [f64; 2]) -> Self {
        Self::new(
            x - width / 2.0,
            y - height / 2.0,
            x + width / 2.0,
            y + height / 2.0,
        )
    }

    /// Horizontal extent; negative when the edges are the wrong way round.
    #[must_use]
    pub fn width(&self) -> f64 {
        self.x_max - self.x_min
    }

    /// Vertical extent; negative when the edges are the wrong way round.
    #[must_use]
    pub fn height(&self) -> f64 {
        self.y_max - self.y_min
    }

    /// Middle, `[x, y]`.
    #[must_use]
    pub fn centre(&self) -> [f64; 2] {
        [
            f64::midpoint(self.x_min, self.x_max),
            f64::midpoint(self.y_min, self.y_max),
        ]
    }

    /// Area; 0 when there is none.
    #[must_use]
    pub fn area(&self) -> f64 {
        self.width().max(0.0) * self.height().max(0.0)
    }

    /// Intersection over union, in 0 … 1; 0 when neither box has an area.
    ///
    /// # Definition
    ///
    /// |A ∩ B| ÷ |A ∪ B|, where |·| is the area.
    ///
    /// # Example
    ///
    /// ```
    /// use consilience_models::detect::BoxXyxy;
    ///
    /// let a = BoxXyxy::new(0.0, 0.0, 2.0, 2.0);
    /// let b = BoxXyxy::new(1.0, 0.0, 3.0, 2.0);
    /// assert!((a.iou(&b) - 1.0 / 3.0).abs() < 1e-15);
    /// ```
    #[must_use]
    pub fn iou(&self, other: &Self) -> f64 {
        let shared = Self::new(
            self.x_min.max(other.x_min),
            self.y_min.max(other.y_min),
            self.x_max.min(other.x_max),
            self.y_max.min(other.y_max),
        )
        .area();
        let union = self.area() + other.area() - shared;
        if union > 0.0 { shared / union } else { 0.0 }
    }

    /// The part inside a picture of `width` × `height` pixels.
    #[must_use]
    pub fn clipped(&self, width: usize, height: usize) -> Self {
        let (width, height) = (width as f64, height as f64);
        Self::new(
            self.x_min.clamp(0.0, width),
            self.y_min.clamp(0.0, height),
            self.x_max.clamp(0.0, width),
            self.y_max.clamp(0.0, height),
        )
    }

    /// The box with its size multiplied by `factor`, around the same middle.
    #[must_use]
    pub fn scaled(&self, factor: f64) -> Self {
        Self::around(
            self.centre(),
            [self.width() * factor, self.height() * factor],
        )
    }
}

#[cfg(test)]
mod tests {
    use super::BoxXyxy;
    use proptest::prelude::*;

    #[test]
    fn boxes_without_overlap_or_area_share_nothing() {
        let unit = BoxXyxy::new(0.0, 0.0, 1.0, 1.0);
        assert_eq!(unit.iou(&unit), 1.0);
        assert_eq!(unit.iou(&BoxXyxy::new(1.0, 0.0, 2.0, 1.0)), 0.0);
        let point = BoxXyxy::new(0.5, 0.5, 0.5, 0.5);
        assert_eq!(point.iou(&point), 0.0);
        assert_eq!(BoxXyxy::new(2.0, 2.0, 1.0, 1.0).area(), 0.0);
    }

    #[test]
    fn a_box_keeps_its_middle_when_it_grows() {
        let grown = BoxXyxy::new(2.0, 4.0, 4.0, 8.0).scaled(1.5);
        assert_eq!(grown, BoxXyxy::new(1.5, 3.0, 4.5, 9.0));
        assert_eq!(grown.clipped(4, 8), BoxXyxy::new(1.5, 3.0, 4.0, 8.0));
    }

    fn boxes() -> impl Strategy<Value = BoxXyxy> {
        (0..20_u8, 0..20_u8, 0..9_u8, 0..9_u8).prop_map(|(x, y, w, h)| {
            let [x, y, w, h] = [x, y, w, h].map(f64::from);
            BoxXyxy::new(x, y, x + w, y + h)
        })
    }

    proptest! {
        #[test]
        fn iou_counts_unit_squares(a in boxes(), b in boxes()) {
            let inside = |r: &BoxXyxy, x: f64, y: f64| {
                x > r.x_min && x < r.x_max && y > r.y_min && y < r.y_max
            };
            let (mut both, mut any) = (0.0, 0.0);
            for (x, y) in (0..30).flat_map(|x| (0..30).map(move |y| (x, y))) {
                let (x, y) = (f64::from(x) + 0.5, f64::from(y) + 0.5);
                both += f64::from(inside(&a, x, y) && inside(&b, x, y));
                any += f64::from(inside(&a, x, y) || inside(&b, x, y));
            }
            let expected = if any > 0.0 { both / any } else { 0.0 };
            prop_assert!((a.iou(&b) - expected).abs() < 1e-12);
            prop_assert_eq!(a.iou(&b), b.iou(&a));
        }
    }
}
