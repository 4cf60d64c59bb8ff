//! Generated studies whose answer is known: pictures, a network, boxes and ratings for Object2Brain.
//!
//! There are 32 colours, evenly spread on a sphere around grey, and a network with one filter for each, which answers to
//! that colour and to no other. A picture shows each colour with probability ½ as a square on grey, at a random place. 24 colours are classes of
//! objects, four to each of six [`CATEGORIES`], and have boxes; the other eight have none, and the first two of them are the *light*.
//!
//! | target | [`Planted::Category`] | [`Planted::Nothing`] |
//! |---|---|---|
//! | `True`, which the heads learn | 0.8 × how much of [`PLANTED`] there is + 0.4 × light | how much of all colours there is |
//! | `HLR` | how much of the planted category | nothing |
//! | `LLR` | light | how much of all colours |
//!
//! Each in standard deviations, seen by four raters or subjects with independent noise. So without the filters of the planted category the
//! correlations with `True` and `HLR` fall, that with `LLR` rises, and no other category does anything; where nothing is
//! planted, all colours count alike, so that filters of a category are filters as any others.

mod colours;
mod layout;
mod pictures;
mod ratings;
#[cfg(test)]
mod tests;

pub use layout::{DATA, write};

/// Categories of objects.
pub const CATEGORIES: [&str; 6] = ["A", "B", "C", "D", "E", "F"];

/// The category that counts where one is planted.
pub const PLANTED: &str = "C";

/// Classes of each category.
const N_CLASSES: usize = 4;
/// Classes of all categories; colours from here on are of no object.
const N_OBJECTS: usize = CATEGORIES.len() * N_CLASSES;
/// Colours that are the light.
const N_LIGHT: usize = 2;
const N_COLOURS: usize = N_OBJECTS + 8;

/// Pictures of a study.
const N_PICTURES: usize = 120;
/// Width and height of a picture in pixels.
const SIDE: usize = 64;
/// Width and height of a square.
const SQUARE: usize = 8;

/// What is hidden in a study.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Planted {
    /// One category counts, and the light.
    Category,
    /// All colours count alike, and one target follows nothing.
    Nothing,
}

/// Name of a class: `C2` is the second of category C.
fn class_name(colour: usize) -> String {
    let category = CATEGORIES[colour / N_CLASSES];
    format!("{category}{}", colour % N_CLASSES + 1)
}
