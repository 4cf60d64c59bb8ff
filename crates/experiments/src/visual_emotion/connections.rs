//! What becomes of predictions when a nucleus gets nothing from another.

use consilience_core::ConnectionLesion;
use consilience_stats::correlation::pearson;
use ndarray::{Array2, ArrayView2};
use rayon::prelude::*;

use super::score::{mean, sd};
use super::{TrainedRepeat, Wired};

/// Silences each connection between nuclei of trained modules, one at a time.
///
/// # Definition
///
/// The nucleus at its end reads zeros in the place of the other's values; inhibition and feedback along it are left out. Nothing is trained
/// again. r is that of the ratings of all stimuli, and the change that to the intact module of the same repeat; means and standard deviations
/// (denominator n − 1) over repeats.
#[must_use]
pub fn connection_lesions(
    wired: &Wired,
    repeats: &[TrainedRepeat],
    ratings: ArrayView2<'_, f64>,
    names: &[String],
) -> Vec<ConnectionLesion> {
    let given: Vec<Vec<f64>> = ratings.columns().into_iter().map(|c| c.to_vec()).collect();
    let r = |found: &Array2<f64>| -> Vec<Option<f64>> {
        let columns = given.iter().zip(found.columns());
        columns
            .map(|(given, found)| pearson(given, &found.to_vec()))
            .collect()
    };
    let intact: Vec<Vec<Option<f64>>> = repeats
        .par_iter()
        .map(|repeat| r(&repeat.ratings(wired, &[], 0.0)))
        .collect();
    let connections = wired.connections();
    let cut: Vec<Vec<Vec<Option<f64>>>> = connections
        .par_iter()
        .map(|connection| {
            let repeats = repeats.iter();
            repeats
                .map(|repeat| r(&repeat.without(wired, connection)))
                .collect()
        })
        .collect();
    let lesion = |at: usize, rating: usize| {
        let of_repeats: Vec<Option<f64>> = cut[at].iter().map(|r| r[rating]).collect();
        let changes = of_repeats.iter().zip(&intact);
        let changes: Vec<Option<f64>> = changes
            .map(|(r, intact)| Some((*r)? - intact[rating]?))
            .collect();
        ConnectionLesion {
            from: connections[at].from.clone(),
            to: connections[at].to.clone(),
            kind: connections[at].kind.name().to_owned(),
            rating: names[rating].clone(),
            r: mean(&of_repeats),
            r_sd: sd(&of_repeats),
            change: mean(&changes),
            change_sd: sd(&changes),
        }
    };
    (0..connections.len())
        .flat_map(|at| (0..names.len()).map(move |rating| (at, rating)))
        .map(|(at, rating)| lesion(at, rating))
        .collect()
}
