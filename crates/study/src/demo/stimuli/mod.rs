//! Procedural pictures of eight everyday categories, half of them animate.
//!
//! A picture is a function of its category and seed alone. Colour, pattern, size, position, tilt,
//! light and background are drawn in the same way for every category, so that what the pictures
//! share at the level of pixels says little about what they show.

mod animate;
mod canvas;
mod colour;
mod inanimate;
mod scene;

use std::{fmt, ops::Range, str::FromStr};

use ndarray::Array3;

use super::DemoError;

/// Width and height of a picture in pixels.
pub const SIDE: usize = 64;

/// Seeds of the pictures that the demo network is trained on.
pub const TRAINING_SEEDS: Range<u64> = 1_000_000..2_000_000;

/// Seeds of the pictures that its accuracy is measured on.
pub const HELD_OUT_SEEDS: Range<u64> = 2_000_000..3_000_000;

/// What a picture shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Category {
    /// A human face with its shoulders, seen from the front.
    Face,
    /// A four-legged animal, seen from the side.
    Quadruped,
    /// A bird, perched or flying.
    Bird,
    /// A fish, seen from the side.
    Fish,
    /// A house.
    House,
    /// A tree: round, conifer or palm.
    Tree,
    /// A cup or mug.
    Cup,
    /// A car, seen from the side.
    Car,
}

impl Category {
    /// Every category, the animate ones first; the order of the network's outputs.
    pub const ALL: [Self; 8] = [
        Self::Face,
        Self::Quadruped,
        Self::Bird,
        Self::Fish,
        Self::House,
        Self::Tree,
        Self::Cup,
        Self::Car,
    ];

    /// Whether it moves by itself; a tree lives but is not animate in this sense.
    #[must_use]
    pub fn is_animate(self) -> bool {
        matches!(self, Self::Face | Self::Quadruped | Self::Bird | Self::Fish)
    }

    /// The word for it, as in file names.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Face => "face",
            Self::Quadruped => "quadruped",
            Self::Bird => "bird",
            Self::Fish => "fish",
            Self::House => "house",
            Self::Tree => "tree",
            Self::Cup => "cup",
            Self::Car => "car",
        }
    }
}

impl fmt::Display for Category {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Category {
    type Err = DemoError;

    fn from_str(name: &str) -> Result<Self, DemoError> {
        Self::ALL
            .into_iter()
            .find(|category| category.name() == name)
            .ok_or_else(|| DemoError::UnknownCategory { name: name.into() })
    }
}

/// Draws one exemplar of a category.
///
/// # Shapes
///
/// ([`SIDE`], [`SIDE`], 3): rows from the top, columns from the left, then red, green, blue
/// (sRGB, 8 bits); in memory order the bytes are those of an RGB image file.
///
/// # Definition
///
/// A background (gradient, horizon, clouds, discs or bands) is painted first, then the object in a
/// random pose and in colours that stand out from the background's mean, lit from a random side
/// above; at last brightness and contrast vary and every pixel gets a little Gaussian noise. All
/// draws come from ChaCha8, seeded with `exemplar_seed`, one stream a category.
///
/// # Example
///
/// ```
/// use consilience_study::demo::{Category, draw};
///
/// let cup = draw(Category::Cup, 7);
/// assert_eq!(cup.dim(), (64, 64, 3));
/// assert_eq!(cup, draw(Category::Cup, 7));
/// assert_ne!(cup, draw(Category::Cup, 8));
/// ```
#[must_use]
pub fn draw(category: Category, exemplar_seed: u64) -> Array3<u8> {
    let mut scene = scene::Scene::new(exemplar_seed, category as u64);
    match category {
        Category::Face => animate::face(&mut scene),
        Category::Quadruped => animate::quadruped(&mut scene),
        Category::Bird => animate::bird(&mut scene),
        Category::Fish => animate::fish(&mut scene),
        Category::House => inanimate::house(&mut scene),
        Category::Tree => inanimate::tree(&mut scene),
        Category::Cup => inanimate::cup(&mut scene),
        Category::Car => inanimate::car(&mut scene),
    }
    scene.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exemplars(seeds: Range<u64>) -> impl Iterator<Item = (Category, Array3<u8>)> {
        seeds.flat_map(|seed| Category::ALL.map(|category| (category, draw(category, seed))))
    }

    fn mean_colour(picture: &Array3<u8>) -> [f64; 3] {
        std::array::from_fn(|c| {
            let channel = picture.index_axis(ndarray::Axis(2), c);
            channel.iter().map(|&b| f64::from(b)).sum::<f64>() / channel.len() as f64
        })
    }

    #[test]
    fn names_round_trip_and_half_are_animate() {
        for category in Category::ALL {
            assert_eq!(category.to_string().parse(), Ok(category));
        }
        assert_eq!(Category::ALL.iter().filter(|c| c.is_animate()).count(), 4);
        let network = consilience_models::zoo::find(super::super::network::NAME).unwrap();
        let names: Vec<&str> = network.class_names.unwrap().iter().collect();
        assert_eq!(names, Category::ALL.map(Category::name));
        let error = "dragon".parse::<Category>().unwrap_err().to_string();
        assert!(
            Category::ALL.iter().all(|c| error.contains(c.name())),
            "{error}"
        );
    }

    #[test]
    fn a_picture_is_a_function_of_category_and_seed() {
        for ((category, picture), (_, again)) in exemplars(0..2).zip(exemplars(0..2)) {
            assert_eq!(picture, again, "{category}");
            assert_ne!(picture, draw(category, 99), "{category}");
        }
        assert_ne!(draw(Category::Cup, 0), draw(Category::Car, 0));
    }

    #[test]
    fn exposure_and_contrast_are_usable() {
        for (category, picture) in exemplars(0..12) {
            let values = picture.mapv(f64::from);
            let (mean, sd) = (values.mean().unwrap_or_default(), values.std(0.0));
            assert!((35.0..225.0).contains(&mean), "{category} mean {mean}");
            assert!((14.0..100.0).contains(&sd), "{category} sd {sd}");
            let clipped = picture.iter().filter(|&&b| b == 0 || b == 255).count();
            assert!(
                clipped < picture.len() / 4,
                "{category} clips {clipped} values"
            );
        }
    }

    #[test]
    fn mean_colour_does_not_give_the_category_away() {
        let mut centres = [[0.0; 3]; 8];
        let n_train = 24;
        for (category, picture) in exemplars(0..n_train) {
            for (sum, value) in centres[category as usize]
                .iter_mut()
                .zip(mean_colour(&picture))
            {
                *sum += value / n_train as f64;
            }
        }
        let distance = |a: &[f64; 3], b: &[f64; 3]| -> f64 {
            a.iter().zip(b).map(|(x, y)| (x - y).powi(2)).sum()
        };
        let n_correct = exemplars(100..124)
            .filter(|(category, picture)| {
                let colour = mean_colour(picture);
                let nearest = (0..8).min_by(|&a, &b| {
                    distance(&colour, &centres[a]).total_cmp(&distance(&colour, &centres[b]))
                });
                nearest == Some(*category as usize)
            })
            .count();
        // Chance is 24 of 192; 3.5 standard deviations above it is 40.
        assert!(n_correct < 44, "{n_correct} of 192 by mean colour alone");
    }
}
