//! A small software rasteriser: filled outlines with shading and patterns, anti-aliased by
//! supersampling.
//!
//! Objects are drawn in their own frame, x to the right and y down, about [−1, 1] on both axes; a
//! [`Pose`] carries it onto the canvas.

use std::f64::consts::{PI, TAU};

use ndarray::Array3;

use super::{
    SIDE,
    colour::{Rgb, mix},
};

/// Samples per pixel along each axis.
const SUPERSAMPLING: usize = 4;
const SAMPLES: usize = SIDE * SUPERSAMPLING;

/// x to the right, y down.
pub(super) type Point = [f64; 2];

/// A closed outline, filled by the non-zero winding rule.
pub(super) struct Outline(Vec<Point>);

impl Outline {
    /// Straight edges between the points.
    pub fn polygon(points: &[Point]) -> Self {
        Self(points.to_vec())
    }

    /// A closed curve through the points.
    pub fn smooth(points: &[Point]) -> Self {
        let n = points.len();
        let at = |i: usize| points[i % n];
        Self(
            (0..n)
                .flat_map(|i| curve([at(i + n - 1), at(i), at(i + 1), at(i + 2)]))
                .collect(),
        )
    }

    /// An ellipse whose first radius is turned by `angle` (radians).
    pub fn ellipse(centre: Point, radii: Point, angle: f64) -> Self {
        let (sin, cos) = angle.sin_cos();
        Self(
            (0..32)
                .map(|i| {
                    let (s, c) = (TAU * f64::from(i) / 32.0).sin_cos();
                    let (x, y) = (radii[0] * c, radii[1] * s);
                    [centre[0] + cos * x - sin * y, centre[1] + sin * x + cos * y]
                })
                .collect(),
        )
    }

    /// A round brush drawn along a curve through the points, its radius going from the first
    /// value to the second.
    pub fn stroke(points: &[Point], radii: [f64; 2]) -> Self {
        let last = points.len() - 1;
        let mut line: Vec<Point> = (0..last)
            .flat_map(|i| {
                curve([
                    points[i.saturating_sub(1)],
                    points[i],
                    points[i + 1],
                    points[(i + 2).min(last)],
                ])
            })
            .collect();
        line.push(points[last]);

        let n = line.len();
        let heading = |i: usize| {
            let (a, b) = (line[i.saturating_sub(1)], line[(i + 1).min(n - 1)]);
            (b[1] - a[1]).atan2(b[0] - a[0])
        };
        let rim = |i: usize, angle: f64| {
            let radius = radii[0] + (radii[1] - radii[0]) * i as f64 / (n - 1) as f64;
            [
                line[i][0] + radius * angle.cos(),
                line[i][1] + radius * angle.sin(),
            ]
        };
        let cap = |i: usize, from: f64| (0..=8).map(move |k| (i, from + PI * f64::from(k) / 8.0));
        let there = (0..n).map(|i| (i, heading(i) - PI / 2.0));
        let back = (0..n).rev().map(|i| (i, heading(i) + PI / 2.0));
        Self(
            there
                .chain(cap(n - 1, heading(n - 1) - PI / 2.0))
                .chain(back)
                .chain(cap(0, heading(0) + PI / 2.0))
                .map(|(i, angle)| rim(i, angle))
                .collect(),
        )
    }
}

/// Points of a Catmull–Rom curve from the second of four points up to, not including, the third.
fn curve([a, b, c, d]: [Point; 4]) -> impl Iterator<Item = Point> {
    const STEPS: i32 = 6;
    (0..STEPS).map(move |step| {
        let t = f64::from(step) / f64::from(STEPS);
        std::array::from_fn(|k| {
            b[k] + 0.5
                * t
                * (c[k] - a[k]
                    + t * (2.0 * a[k] - 5.0 * b[k] + 4.0 * c[k] - d[k]
                        + t * (3.0 * (b[k] - c[k]) + d[k] - a[k])))
        })
    })
}

/// Where an object stands on the canvas.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pose {
    /// Where the object's origin lands, in fractions of the picture's side.
    pub centre: Point,
    /// Half the object's extent, in fractions of the picture's side.
    pub scale: f64,
    /// Width over height, 1 for undistorted.
    pub stretch: f64,
    /// Clockwise turn in radians.
    pub angle: f64,
    /// Whether left and right are swapped.
    pub mirrored: bool,
}

impl Pose {
    /// Object frame to canvas samples.
    fn place(&self, [x, y]: Point) -> Point {
        let (sin, cos) = self.angle.sin_cos();
        let x = if self.mirrored { -x } else { x } * self.stretch;
        [
            SAMPLES as f64 * (self.centre[0] + self.scale * (cos * x - sin * y)),
            SAMPLES as f64 * (self.centre[1] + self.scale * (sin * x + cos * y)),
        ]
    }

    /// Canvas samples to object frame: the inverse of [`Pose::place`].
    fn unplace(&self, [x, y]: Point) -> Point {
        let (sin, cos) = self.angle.sin_cos();
        let dx = (x / SAMPLES as f64 - self.centre[0]) / self.scale;
        let dy = (y / SAMPLES as f64 - self.centre[1]) / self.scale;
        let along = (cos * dx + sin * dy) / self.stretch;
        [
            if self.mirrored { -along } else { along },
            cos * dy - sin * dx,
        ]
    }
}

/// What covers a surface besides its base colour, laid out in the object's frame.
#[derive(Debug, Clone, Copy)]
pub(super) enum Pattern {
    /// Nothing.
    Plain,
    /// Parallel bands of half the period.
    Stripes {
        /// Colour of every other band.
        colour: Rgb,
        /// Direction across the bands in radians.
        angle: f64,
        /// Distance after which the bands repeat.
        period: f64,
    },
    /// Staggered round spots.
    Spots {
        /// Colour of the spots.
        colour: Rgb,
        /// Distance between the centres of neighbours in a row.
        period: f64,
        /// Radius over period.
        radius: f64,
    },
}

impl Pattern {
    fn over(&self, base: Rgb, [x, y]: Point) -> Rgb {
        match *self {
            Self::Plain => base,
            Self::Stripes {
                colour,
                angle,
                period,
            } => {
                let across = (x * angle.cos() + y * angle.sin()) / period;
                if across.rem_euclid(1.0) < 0.5 {
                    colour
                } else {
                    base
                }
            }
            Self::Spots {
                colour,
                period,
                radius,
            } => {
                let row = (y / period).floor();
                let dx = (x / period + 0.5 * row).rem_euclid(1.0) - 0.5;
                let dy = (y / period - row) - 0.5;
                if dx.hypot(dy) < radius { colour } else { base }
            }
        }
    }
}

/// How a surface looks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Paint {
    /// Base colour.
    pub colour: Rgb,
    /// Opacity in [0, 1].
    pub opacity: f64,
    /// How much brighter the side towards the light is; 0 is flat.
    pub relief: f64,
    /// Stripes or spots.
    pub pattern: Pattern,
}

impl Paint {
    /// One colour everywhere.
    pub fn flat(colour: Rgb) -> Self {
        Self {
            colour,
            opacity: 1.0,
            relief: 0.0,
            pattern: Pattern::Plain,
        }
    }

    /// A rounded surface.
    pub fn round(colour: Rgb) -> Self {
        Self {
            relief: 0.28,
            ..Self::flat(colour)
        }
    }

    /// The same with a pattern.
    pub fn with(self, pattern: Pattern) -> Self {
        Self { pattern, ..self }
    }

    /// The same, seen through.
    pub fn faint(self, opacity: f64) -> Self {
        Self { opacity, ..self }
    }
}

/// A square picture at the resolution of the samples.
pub(super) struct Canvas(Vec<Rgb>);

impl Canvas {
    /// A canvas whose colour is given for each place, both coordinates in [0, 1].
    pub fn new(colour_at: impl Fn(Point) -> Rgb) -> Self {
        let centre = |i: usize| (i as f64 + 0.5) / SAMPLES as f64;
        Self(
            (0..SAMPLES * SAMPLES)
                .map(|i| colour_at([centre(i % SAMPLES), centre(i / SAMPLES)]))
                .collect(),
        )
    }

    /// Mean colour.
    pub fn mean(&self) -> Rgb {
        std::array::from_fn(|c| self.0.iter().map(|p| p[c]).sum::<f64>() / self.0.len() as f64)
    }

    /// Paints over the inside of an outline. `light` points to the light on the canvas.
    pub fn fill(&mut self, outline: &Outline, pose: &Pose, paint: &Paint, light: Point) {
        let points: Vec<Point> = outline.0.iter().map(|&p| pose.place(p)).collect();
        let extent = |k: usize| {
            points
                .iter()
                .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), p| {
                    (low.min(p[k]), high.max(p[k]))
                })
        };
        let ((left, right), (top, bottom)) = (extent(0), extent(1));
        let from_middle = |v: f64, low: f64, high: f64| (2.0 * v - low - high) / (high - low);

        let mut crossings: Vec<(f64, i32)> = Vec::new();
        for row in sample_range(top, bottom) {
            let y = row as f64 + 0.5;
            crossings.clear();
            for (i, &a) in points.iter().enumerate() {
                let b = points[(i + 1) % points.len()];
                if (a[1] <= y) != (b[1] <= y) {
                    let x = a[0] + (y - a[1]) / (b[1] - a[1]) * (b[0] - a[0]);
                    crossings.push((x, if a[1] < b[1] { 1 } else { -1 }));
                }
            }
            crossings.sort_by(|a, b| a.0.total_cmp(&b.0));

            let mut winding = 0;
            for pair in crossings.windows(2) {
                winding += pair[0].1;
                if winding == 0 {
                    continue;
                }
                for column in sample_range(pair[0].0, pair[1].0) {
                    let x = column as f64 + 0.5;
                    let colour = match paint.pattern {
                        Pattern::Plain => paint.colour,
                        pattern => pattern.over(paint.colour, pose.unplace([x, y])),
                    };
                    let towards_light = light[0] * from_middle(x, left, right)
                        + light[1] * from_middle(y, top, bottom);
                    let lit = colour.map(|c| c * (1.0 + paint.relief * towards_light));
                    let sample = &mut self.0[row * SAMPLES + column];
                    *sample = mix(*sample, lit, paint.opacity);
                }
            }
        }
    }

    /// The picture as bytes, `(SIDE, SIDE, 3)`, after `develop` has had its say on every pixel.
    pub fn finish(&self, mut develop: impl FnMut(Rgb) -> Rgb) -> Array3<u8> {
        let mut picture = Array3::zeros((SIDE, SIDE, 3));
        for (i, mut pixel) in picture.rows_mut().into_iter().enumerate() {
            let (row, column) = (i / SIDE * SUPERSAMPLING, i % SIDE * SUPERSAMPLING);
            let mut sum = [0.0; 3];
            for y in row..row + SUPERSAMPLING {
                for sample in &self.0[y * SAMPLES + column..][..SUPERSAMPLING] {
                    for (total, value) in sum.iter_mut().zip(sample) {
                        *total += value.clamp(0.0, 1.0);
                    }
                }
            }
            let mean = sum.map(|total| total / (SUPERSAMPLING * SUPERSAMPLING) as f64);
            for (byte, value) in pixel.iter_mut().zip(develop(mean)) {
                *byte = (255.0 * value.clamp(0.0, 1.0)).round() as u8;
            }
        }
        picture
    }
}

/// The samples on the canvas whose centres lie in [low, high).
fn sample_range(low: f64, high: f64) -> std::ops::Range<usize> {
    let first = |v: f64| (v - 0.5).ceil().clamp(0.0, SAMPLES as f64) as usize;
    first(low)..first(high)
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: Pose = Pose {
        centre: [0.5, 0.5],
        scale: 0.5,
        stretch: 1.0,
        angle: 0.0,
        mirrored: false,
    };
    const UP: Point = [0.0, -1.0];

    fn drawn(outline: &Outline, pose: &Pose, paint: &Paint) -> Array3<u8> {
        let mut canvas = Canvas::new(|_| [0.0; 3]);
        canvas.fill(outline, pose, paint, UP);
        canvas.finish(|c| c)
    }

    fn coverage(picture: &Array3<u8>) -> f64 {
        picture.iter().map(|&b| f64::from(b)).sum::<f64>() / (255.0 * picture.len() as f64)
    }

    #[test]
    fn areas_are_right() {
        let white = Paint::flat([1.0; 3]);
        let square = Outline::polygon(&[[-0.5, -0.5], [0.5, -0.5], [0.5, 0.5], [-0.5, 0.5]]);
        assert!((coverage(&drawn(&square, &WHOLE, &white)) - 0.25).abs() < 1e-9);
        let disc = Outline::ellipse([0.0; 2], [0.8, 0.8], 0.3);
        assert!((coverage(&drawn(&disc, &WHOLE, &white)) - PI * 0.16).abs() < 0.005);
        let stroke = Outline::stroke(&[[-0.5, 0.0], [0.5, 0.0]], [0.2, 0.2]);
        let area = (0.4 + PI * 0.04) / 4.0;
        assert!((coverage(&drawn(&stroke, &WHOLE, &white)) - area).abs() < 0.005);
    }

    #[test]
    fn overlap_of_a_stroke_with_itself_is_filled() {
        let knot = Outline::polygon(&[
            [-0.8, -0.8],
            [0.8, -0.8],
            [0.8, 0.8],
            [-0.8, 0.8],
            [-0.8, -0.8],
            [0.8, -0.8],
            [0.8, 0.8],
            [-0.8, 0.8],
        ]);
        let area = coverage(&drawn(&knot, &WHOLE, &Paint::flat([1.0; 3])));
        assert!((area - 0.64).abs() < 0.01, "{area}");
    }

    #[test]
    fn light_comes_from_its_side() {
        let disc = Outline::ellipse([0.0; 2], [0.9, 0.9], 0.0);
        let picture = drawn(&disc, &WHOLE, &Paint::round([0.5; 3]));
        assert!(picture[[6, 32, 0]] > picture[[58, 32, 0]] + 40);
    }

    #[test]
    fn poses_invert_and_leave_the_canvas_gracefully() {
        let pose = Pose {
            centre: [0.9, 0.2],
            scale: 0.4,
            stretch: 1.3,
            angle: 0.4,
            mirrored: true,
        };
        let there = pose.place([0.3, -0.7]);
        let back = pose.unplace(there);
        assert!((back[0] - 0.3).abs() < 1e-12 && (back[1] + 0.7).abs() < 1e-12);
        let disc = Outline::ellipse([0.0; 2], [3.0, 3.0], 0.0);
        assert!(coverage(&drawn(&disc, &pose, &Paint::flat([1.0; 3]))) > 0.99);
    }
}
