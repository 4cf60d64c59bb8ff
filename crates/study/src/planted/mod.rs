//! Generated studies whose answer is known.
//!
//! All have pictures of coloured squares on grey and a network with one filter for each of 32 colours, evenly spread on a sphere around
//! grey, which answers to that colour and to no other. What the pictures show, and what follows it, is [`objects`] and [`emotion`].

mod colours;
pub mod emotion;
pub mod objects;
mod pictures;
#[cfg(test)]
mod testing;

use std::path::Path;

use consilience_io::atomic::write_atomically;

use crate::Result;

/// Name of the folder with everything that was generated.
pub const DATA: &str = "data";

/// Colours, and filters of the network.
const N_COLOURS: usize = 32;
/// Pictures of a study.
const N_PICTURES: usize = 120;
/// Width and height of a picture in pixels.
const SIDE: usize = 64;
/// Width and height of a square.
const SQUARE: usize = 8;

/// What is hidden in a study.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Planted {
    /// One category of objects counts, and the light.
    Category,
    /// All colours count alike, and one target follows nothing.
    NoCategory,
    /// Colours tell valence and arousal, and a region of the brain follows these.
    Emotion,
    /// Valence and arousal follow nothing, and no region follows them.
    NoEmotion,
}

/// Writes everything that a study file names for a seed into the folder [`DATA`] of `folder`.
///
/// # Errors
///
/// When the folder cannot be written.
pub fn write(folder: &Path, planted: Planted, seed: u64) -> Result<()> {
    let data = Data(&folder.join(DATA));
    match planted {
        Planted::Category => objects::write(&data, true, seed),
        Planted::NoCategory => objects::write(&data, false, seed),
        Planted::Emotion => emotion::write(&data, true, seed),
        Planted::NoEmotion => emotion::write(&data, false, seed),
    }
}

/// A folder that files are put into.
struct Data<'a>(&'a Path);

impl Data<'_> {
    fn put(&self, name: &str, bytes: &[u8]) -> Result<()> {
        Ok(write_atomically(self.0.join(name), |file| {
            std::io::Write::write_all(file, bytes)
        })?)
    }
}

/// File names of the pictures.
fn names() -> Vec<String> {
    (0..N_PICTURES).map(|idx| format!("{idx:03}.png")).collect()
}
