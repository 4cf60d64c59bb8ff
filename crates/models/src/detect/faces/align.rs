//! Bringing faces to one position, size and tilt.

use consilience_io::image::RgbImage;

use crate::detect::DetectError;

/// Five points of a face as `[x, y]`: the eye at the left of the picture, the other eye, the tip of
/// the nose, the corner of the mouth at the left of the picture, the other corner.
pub type Landmarks = [[f64; 2]; 5];

/// Where the landmarks of an aligned face lie.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Template {
    /// Side of the aligned picture, in pixels.
    pub side: usize,
    /// The landmarks' places in it.
    pub points: Landmarks,
}

impl Template {
    /// 112 × 112 as `ArcFace` and most networks of face identity since expect it.
    ///
    /// # References
    ///
    /// Deng et al. (2019), doi:10.1109/CVPR.2019.00482.
    #[must_use]
    pub fn arc_face() -> Self {
        Self {
            side: 112,
            points: [
                [38.2946, 51.6963],
                [73.5318, 51.5014],
                [56.0252, 71.7366],
                [41.5493, 92.3655],
                [70.7299, 92.2041],
            ],
        }
    }

    /// 128 × 128 as `face-reidentification-retail-0095` expects it: the points are stated for
    /// 96 × 112 and stretched to the square.
    #[must_use]
    pub fn reidentification() -> Self {
        let stated = [
            [30.2946, 51.6963],
            [65.5318, 51.5014],
            [48.0252, 71.7366],
            [33.5493, 92.3655],
            [62.7299, 92.2041],
        ];
        Self {
            side: 128,
            points: stated.map(|[x, y]| [x / 96.0 * 128.0, y / 112.0 * 128.0]),
        }
    }

    /// The same places in a square of another side.
    #[must_use]
    pub fn scaled_to(&self, side: usize) -> Self {
        let factor = side as f64 / self.side as f64;
        Self {
            side,
            points: self.points.map(|point| point.map(|v| v * factor)),
        }
    }
}

/// Turning, scaling and moving: (x, y) ↦ (a·x − b·y + t₀, b·x + a·y + t₁).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Similarity {
    /// Scale times cosine of the angle.
    pub a: f64,
    /// Scale times sine of the angle, from the x axis towards the y axis.
    pub b: f64,
    /// Translation.
    pub t: [f64; 2],
}

impl Similarity {
    /// The similarity without reflection that brings `from` closest to `to`.
    ///
    /// # Definition
    ///
    /// The minimiser of Σ |a·p − q|² over turning, scale and translation; with p and q as complex
    /// numbers and their means taken off, a + ib = Σ p̄·q ÷ Σ |p|².
    ///
    /// # Errors
    ///
    /// [`DetectError::CoincidentLandmarks`] when the points of `from` are one point or not finite.
    ///
    /// # Example
    ///
    /// ```
    /// use consilience_models::detect::faces::Similarity;
    ///
    /// // A quarter turn, twice as large.
    /// let turn = Similarity::fit(&[[0.0, 0.0], [1.0, 0.0]], &[[5.0, 5.0], [5.0, 7.0]])?;
    /// assert_eq!(turn.apply([1.0, 1.0]), [3.0, 7.0]);
    /// # Ok::<(), consilience_models::detect::DetectError>(())
    /// ```
    ///
    /// # References
    ///
    /// Umeyama (1991), doi:10.1109/34.88573.
    ///
    /// # Peers
    ///
    /// scikit-image `SimilarityTransform.estimate`, to rounding.
    pub fn fit(from: &[[f64; 2]], to: &[[f64; 2]]) -> Result<Self, DetectError> {
        let mean = |points: &[[f64; 2]], axis: usize| {
            points.iter().map(|point| point[axis]).sum::<f64>() / points.len() as f64
        };
        let (from_mean, to_mean) = ([mean(from, 0), mean(from, 1)], [mean(to, 0), mean(to, 1)]);
        let (mut real, mut imaginary, mut spread) = (0.0, 0.0, 0.0);
        for (p, q) in from.iter().zip(to) {
            let (px, py) = (p[0] - from_mean[0], p[1] - from_mean[1]);
            let (qx, qy) = (q[0] - to_mean[0], q[1] - to_mean[1]);
            real += px * qx + py * qy;
            imaginary += px * qy - py * qx;
            spread += px * px + py * py;
        }
        let (a, b) = (real / spread, imaginary / spread);
        // A map without scale could not be undone.
        if !(a.hypot(b).is_normal() && from_mean.iter().all(|v| v.is_finite())) {
            return Err(DetectError::CoincidentLandmarks);
        }
        let [x, y] = from_mean;
        Ok(Self {
            a,
            b,
            t: [to_mean[0] - (a * x - b * y), to_mean[1] - (b * x + a * y)],
        })
    }

    /// Where a point comes to lie.
    #[must_use]
    pub fn apply(&self, [x, y]: [f64; 2]) -> [f64; 2] {
        [
            self.a * x - self.b * y + self.t[0],
            self.b * x + self.a * y + self.t[1],
        ]
    }

    /// The way back.
    #[must_use]
    pub fn inverse(&self) -> Self {
        let squared = self.a * self.a + self.b * self.b;
        let (a, b) = (self.a / squared, -self.b / squared);
        let [x, y] = self.t;
        Self {
            a,
            b,
            t: [-(a * x - b * y), -(b * x + a * y)],
        }
    }
}

/// The face with its landmarks brought to the template.
///
/// # Definition
///
/// Each pixel of the result is looked up in the picture through the inverse of the
/// [`Similarity::fit`] of the landmarks, between the four pixels around (bilinear, whose middles have
/// whole coordinates), black outside; the level is rounded, halves up. There is no antialiasing.
///
/// # Errors
///
/// [`DetectError::CoincidentLandmarks`].
///
/// # Peers
///
/// scikit-image 0.26 `warp` (order 1) and OpenCV 5 `warpAffine`: within 1 level.
pub fn align(
    picture: &RgbImage,
    landmarks: &Landmarks,
    template: &Template,
) -> Result<RgbImage, DetectError> {
    let back = Similarity::fit(landmarks, &template.points)?.inverse();
    let side = template.side;
    let mut pixels = Vec::with_capacity(side * side * 3);
    for (y, x) in (0..side).flat_map(|y| (0..side).map(move |x| (y, x))) {
        pixels.extend(between(picture, back.apply([x as f64, y as f64])));
    }
    Ok(RgbImage {
        width: side,
        height: side,
        pixels,
    })
}

/// The colour at a point between four pixels.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "levels are in 0 … 255, and positions outside saturate"
)]
fn between(picture: &RgbImage, [x, y]: [f64; 2]) -> [u8; 3] {
    let (left, top) = (x.floor(), y.floor());
    let (right_share, lower_share) = (x - left, y - top);
    let mut sum = [0.0; 3];
    for (dx, dy, share) in [
        (0.0, 0.0, (1.0 - right_share) * (1.0 - lower_share)),
        (1.0, 0.0, right_share * (1.0 - lower_share)),
        (0.0, 1.0, (1.0 - right_share) * lower_share),
        (1.0, 1.0, right_share * lower_share),
    ] {
        let (x, y) = (left + dx, top + dy);
        let inside = x >= 0.0 && y >= 0.0 && x < picture.width as f64 && y < picture.height as f64;
        if inside {
            let at = (y as usize * picture.width + x as usize) * 3;
            for (sum, level) in sum.iter_mut().zip(&picture.pixels[at..at + 3]) {
                *sum += share * f64::from(*level);
            }
        }
    }
    sum.map(|level: f64| (level + 0.5) as u8)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn landmarks_at_their_places_leave_a_picture_as_it_is() {
        let template = Template::arc_face().scaled_to(8);
        let picture = RgbImage {
            width: 8,
            height: 8,
            pixels: (0..192).map(|v| v as u8).collect(),
        };
        assert_eq!(
            align(&picture, &template.points, &template).unwrap(),
            picture
        );
        let moved = template.points.map(|[x, y]| [x + 1.0, y]);
        let aligned = align(&picture, &moved, &template).unwrap();
        assert_eq!(aligned.pixels[..21], picture.pixels[3..24]);
        assert_eq!(aligned.pixels[21..24], [0; 3], "black outside");
    }

    #[test]
    fn one_point_and_no_number_determine_nothing() {
        let template = Template::reidentification();
        for points in [
            [[3.0, 4.0]; 5],
            [[f64::NAN, 1.0]; 5],
            [[f64::INFINITY, 1.0]; 5],
        ] {
            let fit = Similarity::fit(&points, &template.points);
            assert!(matches!(fit, Err(DetectError::CoincidentLandmarks)));
        }
    }

    proptest! {
        #[test]
        fn a_similarity_is_found_again_and_nothing_near_fits_better(
            angle in -3.0..3.0_f64, scale in 0.1..9.0_f64, t in prop::array::uniform2(-50.0..50.0_f64),
            noise in prop::array::uniform10(-0.5..0.5_f64), step in prop::array::uniform4(-0.01..0.01_f64),
        ) {
            let truth = Similarity { a: scale * angle.cos(), b: scale * angle.sin(), t };
            let from = Template::arc_face().points;
            let exact = from.map(|point| truth.apply(point));
            let fit = Similarity::fit(&from, &exact).unwrap();
            for point in from {
                let (there, back) = (fit.apply(point), fit.inverse().apply(truth.apply(point)));
                for axis in 0..2 {
                    prop_assert!((there[axis] - truth.apply(point)[axis]).abs() < 1e-9);
                    prop_assert!((back[axis] - point[axis]).abs() < 1e-9);
                }
            }
            let mut noisy = exact;
            for (at, point) in noisy.iter_mut().enumerate() {
                point[0] += noise[2 * at];
                point[1] += noise[2 * at + 1];
            }
            let fit = Similarity::fit(&from, &noisy).unwrap();
            let other = Similarity {
                a: fit.a + step[0],
                b: fit.b + step[1],
                t: [fit.t[0] + step[2], fit.t[1] + step[3]],
            };
            let loss = |s: &Similarity| -> f64 {
                let distance = |(p, q): (&[f64; 2], &[f64; 2])| {
                    let [x, y] = s.apply(*p);
                    (x - q[0]).powi(2) + (y - q[1]).powi(2)
                };
                from.iter().zip(&noisy).map(distance).sum()
            };
            prop_assert!(loss(&fit) <= loss(&other) + 1e-9);
        }
    }
}
