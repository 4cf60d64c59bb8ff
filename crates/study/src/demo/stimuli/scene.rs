//! What all categories share: background, light, pose, surfaces and the finished picture.

use std::f64::consts::{PI, TAU};

use ndarray::Array3;

use super::{
    super::dice::Dice,
    canvas::{Canvas, Outline, Paint, Pattern, Point, Pose},
    colour::{self, Rgb, mix, shade},
};

/// A picture in the making.
pub(super) struct Scene {
    /// Where all chance comes from.
    pub dice: Dice,
    /// Where the object stands.
    pub pose: Pose,
    canvas: Canvas,
    light: Point,
    backdrop: Rgb,
}

impl Scene {
    /// A background, a light and a pose; still without an object.
    pub fn new(seed: u64, stream: u64) -> Self {
        let mut dice = Dice::new(seed, stream);
        let canvas = background(&mut dice);
        let scale = dice.uniform(0.3, 0.41);
        let room = 0.46 - scale;
        let pose = Pose {
            centre: [
                0.5 + dice.uniform(-room, room),
                0.5 + dice.uniform(-room, room),
            ],
            scale,
            stretch: dice.uniform(0.88, 1.14),
            angle: dice.uniform(-0.14, 0.14),
            mirrored: dice.chance(0.5),
        };
        let light_angle = -PI / 2.0 + dice.uniform(-1.1, 1.1);
        Self {
            backdrop: canvas.mean(),
            light: [light_angle.cos(), light_angle.sin()],
            dice,
            pose,
            canvas,
        }
    }

    /// Paints an outline that is given in the object's frame.
    pub fn fill(&mut self, outline: &Outline, paint: Paint) {
        self.canvas.fill(outline, &self.pose, &paint, self.light);
    }

    /// A surface colour that stands out from the background.
    pub fn coat(&mut self) -> Rgb {
        colour::contrasting(&mut self.dice, self.backdrop)
    }

    /// A surface colour that stands out from another surface.
    pub fn accent(&mut self, beside: Rgb) -> Rgb {
        colour::contrasting(&mut self.dice, beside)
    }

    /// Nothing, stripes or spots over a base colour, as likely for animals as for things.
    pub fn pattern(&mut self, base: Rgb) -> Pattern {
        let colour = if self.dice.chance(0.5) {
            self.accent(base)
        } else {
            shade(base, 0.68)
        };
        match self.dice.below(5) {
            0 => Pattern::Stripes {
                colour,
                angle: self.dice.uniform(0.0, PI),
                period: self.dice.uniform(0.22, 0.45),
            },
            1 => Pattern::Spots {
                colour,
                period: self.dice.uniform(0.24, 0.42),
                radius: self.dice.uniform(0.24, 0.36),
            },
            _ => Pattern::Plain,
        }
    }

    /// A soft shadow on the ground, `half_width` to either side of the object's origin.
    pub fn ground_shadow(&mut self, y: f64, half_width: f64) {
        for step in 0..4 {
            let grow = 1.0 + 0.12 * f64::from(step);
            let shadow = Outline::ellipse([0.0, y], [half_width * grow, 0.09 * grow], 0.0);
            self.fill(&shadow, Paint::flat([0.05, 0.05, 0.08]).faint(0.13));
        }
    }

    /// A round eye with a glint.
    pub fn eye(&mut self, centre: Point, radius: f64) {
        let disc = |x: f64, y: f64, r: f64| Outline::ellipse([x, y], [r, r], 0.0);
        let [x, y] = centre;
        self.fill(&disc(x, y, radius), Paint::flat([0.97, 0.97, 0.95]));
        self.fill(&disc(x, y, 0.68 * radius), Paint::flat([0.08, 0.07, 0.09]));
        let glint = disc(x + 0.2 * radius, y - 0.25 * radius, 0.24 * radius);
        self.fill(&glint, Paint::flat([1.0; 3]));
    }

    /// The picture, under a random exposure and with a little sensor noise.
    pub fn finish(mut self) -> Array3<u8> {
        let gain = self.dice.uniform(0.86, 1.06);
        let offset = self.dice.uniform(-0.04, 0.05);
        let grain = self.dice.uniform(0.0, 0.012);
        let dice = &mut self.dice;
        self.canvas
            .finish(|pixel| pixel.map(|c| 0.5 + gain * (c - 0.5) + offset + grain * dice.normal()))
    }
}

fn background(dice: &mut Dice) -> Canvas {
    let (a, b) = (colour::backdrop(dice), colour::backdrop(dice));
    match dice.below(5) {
        0 => gradient(dice, a, b),
        1 => horizon(dice, a, b),
        2 => clouds(dice, a, b),
        3 => discs(dice, a, b),
        _ => bands(dice, a, b),
    }
}

fn gradient(dice: &mut Dice, a: Rgb, b: Rgb) -> Canvas {
    let (sin, cos) = dice.uniform(0.0, TAU).sin_cos();
    Canvas::new(|[x, y]| mix(a, b, 0.5 + 0.7 * ((x - 0.5) * cos + (y - 0.5) * sin)))
}

fn horizon(dice: &mut Dice, sky: Rgb, ground: Rgb) -> Canvas {
    let height = dice.uniform(0.5, 0.8);
    let tilt = dice.uniform(-0.12, 0.12);
    Canvas::new(|[x, y]| {
        let below = y - height - tilt * (x - 0.5);
        if below < 0.0 {
            mix(sky, [1.0; 3], 0.35 * (1.0 + below / height))
        } else {
            shade(ground, 1.0 - 0.5 * below)
        }
    })
}

fn clouds(dice: &mut Dice, a: Rgb, b: Rgb) -> Canvas {
    let coarse = Noise::new(dice, 4);
    let fine = Noise::new(dice, 10);
    Canvas::new(|place| mix(a, b, 0.68 * coarse.at(place) + 0.32 * fine.at(place)))
}

fn discs(dice: &mut Dice, a: Rgb, b: Rgb) -> Canvas {
    let mut canvas = gradient(dice, a, shade(a, 0.75));
    let whole = Pose {
        centre: [0.0, 0.0],
        scale: 1.0,
        stretch: 1.0,
        angle: 0.0,
        mirrored: false,
    };
    for _ in 0..6 + dice.below(8) {
        let radius = dice.uniform(0.04, 0.17);
        let disc = Outline::ellipse([dice.unit(), dice.unit()], [radius; 2], 0.0);
        let paint = Paint::flat(mix(b, [1.0; 3], dice.uniform(0.0, 0.4)));
        canvas.fill(
            &disc,
            &whole,
            &paint.faint(dice.uniform(0.15, 0.45)),
            [0.0; 2],
        );
    }
    canvas
}

fn bands(dice: &mut Dice, a: Rgb, b: Rgb) -> Canvas {
    let b = mix(a, b, 0.5);
    let (sin, cos) = dice.uniform(0.0, TAU).sin_cos();
    let per_side = dice.uniform(3.0, 8.0);
    Canvas::new(|[x, y]| {
        let wave = (TAU * per_side * (x * cos + y * sin)).sin();
        mix(a, b, 0.5 + 0.5 * (3.0 * wave).clamp(-1.0, 1.0))
    })
}

/// Smooth random values in [0, 1]: a square lattice of uniform draws, interpolated with a cubic
/// ease.
struct Noise {
    lattice: Vec<f64>,
    cells: usize,
}

impl Noise {
    fn new(dice: &mut Dice, cells: usize) -> Self {
        let lattice = (0..(cells + 1) * (cells + 1))
            .map(|_| dice.unit())
            .collect();
        Self { lattice, cells }
    }

    fn at(&self, [x, y]: Point) -> f64 {
        let split = |v: f64| {
            let scaled = v * self.cells as f64;
            let cell = (scaled as usize).min(self.cells - 1);
            let t = scaled - cell as f64;
            (cell, t * t * (3.0 - 2.0 * t))
        };
        let ((column, tx), (row, ty)) = (split(x), split(y));
        let knot = |r: usize, c: usize| self.lattice[(row + r) * (self.cells + 1) + column + c];
        let along = |r: usize| knot(r, 0) + tx * (knot(r, 1) - knot(r, 0));
        along(0) + ty * (along(1) - along(0))
    }
}

#[cfg(test)]
mod tests {
    use super::{super::SIDE, *};

    #[test]
    fn noise_stays_in_range_and_varies() {
        let noise = Noise::new(&mut Dice::new(5, 0), 4);
        let values: Vec<f64> = (0..400)
            .map(|i| noise.at([f64::from(i % 20) / 19.0, f64::from(i / 20) / 19.0]))
            .collect();
        assert!(values.iter().all(|v| (0.0..=1.0).contains(v)));
        let (low, high) = values
            .iter()
            .fold((1.0_f64, 0.0_f64), |(l, h), &v| (l.min(v), h.max(v)));
        assert!(high - low > 0.5);
    }

    #[test]
    fn all_backgrounds_occur_and_fill_the_picture() {
        for seed in 0..20 {
            let scene = Scene::new(seed, 0);
            assert_eq!(scene.canvas.finish(|c| c).dim(), (SIDE, SIDE, 3));
            assert!(scene.backdrop.iter().all(|c| (0.1..=1.0).contains(c)));
        }
    }
}
