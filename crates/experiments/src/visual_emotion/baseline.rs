//! Ridge regression on the same features and divisions: what a module has to beat.

use ndarray::{Array2, Axis};
use rayon::prelude::*;

use super::{Division, Pictures, token_means};
use crate::appraise;
use crate::error::Result;

/// Predictions of the stimuli by ridge regression, `(n_stimuli, n_ratings)`.
///
/// # Definition
///
/// Of several tokens their mean is read. Features are z-scored with the pictures that are learnt from. These are all outside of the fold: those that a module learns from and
/// those that choose its epoch. The penalty is the one whose predictions of each of these pictures by the others have the least
/// squared error (leave one out).
///
/// # Errors
///
/// [`AppraiseError::NotConverged`](crate::appraise::AppraiseError::NotConverged).
pub fn ridge(pictures: &Pictures<'_>, divisions: &[Division]) -> Result<Array2<f64>> {
    let n_ratings = pictures.ratings.ncols();
    let features = token_means(pictures.features, pictures.tokens);
    let stimuli = token_means(pictures.stimuli, pictures.tokens);
    let found = divisions
        .par_iter()
        .map(|division| {
            let mut rows = [division.training.as_slice(), &division.validation].concat();
            rows.sort_unstable();
            let tested = stimuli.select(Axis(0), &division.tested);
            let of_rating = |rating: usize| {
                let ratings = pictures.ratings.column(rating).to_vec();
                appraise::ridge_of(features.view(), &ratings, &rows)?.rate(tested.view())
            };
            (0..n_ratings).map(of_rating).collect::<Result<Vec<_>>>()
        })
        .collect::<Result<Vec<_>>>()?;
    let mut all = Array2::zeros((pictures.stimuli.nrows(), n_ratings));
    for (division, found) in divisions.iter().zip(found) {
        for (rating, values) in found.iter().enumerate() {
            for (&stimulus, &value) in division.tested.iter().zip(values) {
                all[[stimulus, rating]] = value;
            }
        }
    }
    Ok(all)
}
