//! Objects: boxes and ratings for Object2Brain.
//!
//! A picture shows each colour with probability ½ at a random place. 24 colours are classes of objects, four to each of six [`CATEGORIES`],
//! and have boxes; the other eight have none, and the first two of them are the *light*.
//!
//! | target | with a planted category | with nothing planted |
//! |---|---|---|
//! | `True`, which the heads learn | 0.8 × how much of [`PLANTED`] there is + 0.4 × light | how much of all colours there is |
//! | `HLR` | how much of the planted category | nothing |
//! | `LLR` | light | how much of all colours |
//!
//! Each in standard deviations, seen by four raters or subjects with independent noise. So without the filters of the planted category the
//! correlations with `True` and `HLR` fall, that with `LLR` rises, and no other category does anything; where nothing is
//! planted, all colours count alike, so that filters of a category are filters as any others.

mod ratings;
#[cfg(test)]
mod tests;

use std::fmt::Write;

use consilience_io::image::encode_png;

use super::pictures::Scene;
use super::{Data, N_COLOURS, N_PICTURES, SQUARE, colours, names};
use crate::Result;

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

/// Pictures, network, boxes, categories and ratings.
pub(super) fn write(data: &Data<'_>, is_planted: bool, seed: u64) -> Result<()> {
    let scenes: Vec<Scene> = (0..N_PICTURES).map(|idx| scene(seed, idx)).collect();
    let names = names();
    let mut boxes = "image,class,score,x_min,y_min,x_max,y_max\n".to_owned();
    for (scene, name) in scenes.iter().zip(&names) {
        data.put(&format!("pictures/{name}"), &encode_png(&scene.picture)?)?;
        for (colour, square) in scene.squares[..N_OBJECTS].iter().enumerate() {
            if let Some([left, top]) = square {
                let (class, right, bottom) = (class_name(colour), left + SQUARE, top + SQUARE);
                let _ = writeln!(boxes, "{name},{class},1,{left},{top},{right},{bottom}");
            }
        }
    }
    let mut categories = "class,category\n".to_owned();
    for colour in 0..N_OBJECTS {
        let category = CATEGORIES[colour / N_CLASSES];
        let _ = writeln!(categories, "{},{category}", class_name(colour));
    }
    data.put("boxes.csv", boxes.as_bytes())?;
    data.put("categories.csv", categories.as_bytes())?;
    let table = ratings::table(&scenes, &names, is_planted, seed);
    data.put("ratings.csv", table.as_bytes())?;
    data.put("colours.onnx", &colours::network())
}

/// The picture of an index.
fn scene(seed: u64, idx: usize) -> Scene {
    Scene::new(seed, idx, &[0.5; N_COLOURS])
}

/// Name of a class: `C2` is the second of category C.
fn class_name(colour: usize) -> String {
    let category = CATEGORIES[colour / N_CLASSES];
    format!("{category}{}", colour % N_CLASSES + 1)
}
