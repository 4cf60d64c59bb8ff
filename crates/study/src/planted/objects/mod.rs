//! Writes what the study file names.

use std::fmt::Write;
use std::path::Path;

use consilience_io::atomic::write_atomically;
use consilience_io::image::encode_png;

use super::pictures::Scene;
use super::{CATEGORIES, N_CLASSES, N_OBJECTS, N_PICTURES, Planted, SQUARE};
use super::{class_name, colours, ratings};
use crate::Result;

/// Name of the folder with everything that was generated.
pub const DATA: &str = "data";

/// Writes the pictures, network, boxes, categories and ratings of a seed into the folder [`DATA`] of `folder`.
///
/// # Errors
///
/// When the folder cannot be written.
pub fn write(folder: &Path, planted: Planted, seed: u64) -> Result<()> {
    let folder = folder.join(DATA);
    let put = |name: &str, bytes: &[u8]| {
        write_atomically(folder.join(name), |file| {
            std::io::Write::write_all(file, bytes)
        })
    };
    let scenes: Vec<Scene> = (0..N_PICTURES).map(|idx| Scene::new(seed, idx)).collect();
    let names: Vec<String> = (0..N_PICTURES).map(|idx| format!("{idx:03}.png")).collect();
    let mut boxes = "image,class,score,x_min,y_min,x_max,y_max\n".to_owned();
    for (scene, name) in scenes.iter().zip(&names) {
        put(&format!("pictures/{name}"), &encode_png(&scene.picture)?)?;
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
    put("boxes.csv", boxes.as_bytes())?;
    put("categories.csv", categories.as_bytes())?;
    let table = ratings::table(&scenes, &names, planted, seed);
    put("ratings.csv", table.as_bytes())?;
    put("colours.onnx", &colours::network())?;
    Ok(())
}
