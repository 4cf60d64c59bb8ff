//! Valence and arousal: pictures with feelings, ratings, and a simulated amygdala.
//!
//! The first 16 colours stand for [`FEELINGS`], four for each: `HP` for what is positive and arousing, `LN` for what is negative and calm … A picture is
//! of one feeling or of none, 24 pictures of each. It shows colours of its own feeling with probability 0.85, those of others with 0.15,
//! and colours of none with ½. Its rating is 7.5 for positive or arousing, 2.5 for negative or calm, and 5 without a feeling; twenty raters each err by
//! 1.2 on a scale from 1 to 9. So five bins of valence and arousal have 24 pictures each, and filters of the 16 colours are
//! selective for four of these, four filters for each.
//!
//! The module is wired as the amygdala, with a nucleus `VC` before it that hands on what it reads: its units *are* the filters of the network.
//!
//! | region, 20 subjects | planted | nothing planted |
//! |---|---|---|
//! | amygdala | half the geometry of the plane of ratings, half that of the filters | noise alone |
//! | visual cortex | the geometry of the filters | the same |
//!
//! Where nothing is planted, ratings are dealt to pictures at random.
//!
//! A second set has as many other pictures, made and rated in the same way, from which no module learns: the same filters are selective in it.

mod ratings;
mod region;
#[cfg(test)]
mod tests;

use consilience_io::image::encode_png;
use consilience_io::npy;

use super::pictures::Scene;
use super::{Data, N_COLOURS, N_PICTURES, colours, names};
use crate::Result;
use ratings::Ratings;
use region::{N_SUBJECTS, Region};

/// Bins that have colours of their own: high or low arousal, negative or positive.
pub const FEELINGS: [&str; 4] = ["HN", "HP", "LN", "LP"];
/// Valence and arousal of each feeling; pictures without a feeling are at 0.
const PLACES: [[f64; 2]; 4] = [[-1.0, 1.0], [1.0, 1.0], [-1.0, -1.0], [1.0, -1.0]];
/// Colours of each feeling.
const N_OWN: usize = 4;
/// Colours of all feelings; those from here on are of none.
const N_FELT: usize = FEELINGS.len() * N_OWN;

/// Probability that a picture shows a colour of its feeling.
const OWN: f64 = 0.85;
/// Probability that it shows a colour of another feeling.
const OTHER: f64 = 0.15;

/// Nuclei of the module.
const NUCLEI: &str = include_str!("nuclei.toml");

/// Pictures, network, nuclei, ratings and responses.
pub(super) fn write(data: &Data<'_>, is_planted: bool, seed: u64) -> Result<()> {
    let (scenes, names) = (scenes(seed, Set::Stimuli), names());
    for (scene, name) in scenes.iter().zip(&names) {
        data.put(&format!("pictures/{name}"), &encode_png(&scene.picture)?)?;
    }
    for (scene, name) in self::scenes(seed, Set::Second).iter().zip(&names) {
        data.put(&format!("second/{name}"), &encode_png(&scene.picture)?)?;
    }
    let second = Ratings::draw(is_planted, seed, Set::Second);
    data.put("second.csv", second.table(&names).as_bytes())?;
    data.put("colours.onnx", &colours::network())?;
    data.put("nuclei.toml", NUCLEI.as_bytes())?;
    let ratings = Ratings::draw(is_planted, seed, Set::Stimuli);
    data.put("ratings.csv", ratings.table(&names).as_bytes())?;
    let filters: Vec<_> = (scenes.iter())
        .map(|scene| colours::answers(&scene.picture))
        .collect();
    for region in Region::all(is_planted) {
        for subject in 0..N_SUBJECTS {
            let responses = region.responses(&filters, &ratings, seed, subject);
            let name = format!("{}_{:02}.npy", region.name, subject + 1);
            data.put(&name, &npy::to_bytes(responses.view()))?;
        }
    }
    Ok(())
}

/// The feeling of a picture, as a position among [`FEELINGS`].
fn feeling(picture: usize) -> Option<usize> {
    Some(picture % (FEELINGS.len() + 1)).filter(|&feeling| feeling < FEELINGS.len())
}

/// Which pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Set {
    /// Those of the study.
    Stimuli,
    /// As many others, of the same feelings.
    Second,
}

fn scenes(seed: u64, set: Set) -> Vec<Scene> {
    let first = match set {
        Set::Stimuli => 0,
        Set::Second => N_PICTURES,
    };
    let scene = |idx: usize| {
        let share = |colour: usize| match colour < N_FELT {
            true if Some(colour / N_OWN) == feeling(idx) => OWN,
            true => OTHER,
            false => 0.5,
        };
        Scene::new(seed, first + idx, &std::array::from_fn(share))
    };
    (0..N_PICTURES).map(scene).collect()
}
