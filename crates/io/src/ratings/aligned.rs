//! Ratings of the pictures that a study asks for.

use ndarray::Array2;

use super::{Rated, RatingsTable};
use crate::pictures::Pictures;
use crate::{IoError, Result};

/// Ratings in the order of the pictures that were asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Aligned {
    /// `(n_pictures, n_raters)`; NaN where a rater did not rate a picture. Of a table of means, one column.
    pub values: Array2<f64>,
    /// Names of the raters: those of the table who rated at least one of the pictures.
    pub raters: Vec<String>,
    /// 0-based pictures without a rating, ascending; their row is NaN.
    pub missing: Vec<usize>,
    /// Pictures of the table that were not asked for, in its order.
    pub unasked: Vec<String>,
    /// Single ratings that are not there, of pictures that have some.
    pub n_missing: usize,
    /// Mean over the raters of a picture.
    pub mean: Vec<Option<f64>>,
    /// Standard deviation over them (denominator n − 1), or as a table of means says; `None` for one rater.
    pub sd: Vec<Option<f64>>,
    /// How many they are; `None` where a table of means does not say, 0 for a picture without a rating.
    pub n: Vec<Option<usize>>,
}

impl RatingsTable {
    /// The ratings of pictures, by the rule of the [module](super).
    ///
    /// # Errors
    ///
    /// [`IoError::SeveralPictures`] when several pictures of the table fit a name or one fits several names;
    /// [`IoError::OverLimit`] for a matrix of too many cells. A picture without ratings is no error.
    pub fn aligned(&self, names: &[&str]) -> Result<Aligned> {
        let found = Pictures::new(self.pictures(), "the ratings").find(names)?;
        let mut is_asked = vec![false; self.pictures.len()];
        found.iter().flatten().for_each(|&idx| is_asked[idx] = true);
        let rated: Vec<Option<&Rated>> = (found.into_iter())
            .map(|idx| idx.map(|idx| &self.pictures[idx]))
            .collect();
        let mut column_of: Vec<Option<usize>> = vec![None; self.raters.len()];
        for (rater, _) in rated.iter().flatten().flat_map(|rated| &rated.ratings) {
            column_of[*rater] = Some(0);
        }
        let mut raters = Vec::new();
        for (rater, column) in column_of.iter_mut().enumerate() {
            if let Some(column) = column {
                *column = raters.len();
                raters.push(self.raters[rater].clone());
            }
        }
        let n_cells = names.len() as u64 * raters.len() as u64;
        if n_cells > self.max_cells as u64 {
            return Err(IoError::OverLimit {
                what: "cells of the matrix of ratings",
                found: n_cells,
                limit: self.max_cells as u64,
                raise: "max_cells",
            });
        }
        let mut aligned = Aligned {
            values: Array2::from_elem((names.len(), raters.len()), f64::NAN),
            raters,
            missing: Vec::new(),
            unasked: (self.pictures().zip(&is_asked))
                .filter(|(_, is_asked)| !**is_asked)
                .map(|(name, _)| name.to_owned())
                .collect(),
            n_missing: 0,
            mean: vec![None; names.len()],
            sd: vec![None; names.len()],
            n: vec![Some(0); names.len()],
        };
        for (idx, rated) in rated.into_iter().enumerate() {
            let Some(rated) = rated else {
                aligned.missing.push(idx);
                continue;
            };
            for (rater, value) in &rated.ratings {
                if let Some(column) = column_of[*rater] {
                    aligned.values[[idx, column]] = *value;
                }
            }
            aligned.n_missing += aligned.raters.len() - rated.ratings.len();
            let n = rated.ratings.len() as f64;
            let mean = rated.ratings.iter().map(|(_, value)| value).sum::<f64>() / n;
            aligned.mean[idx] = Some(mean);
            (aligned.sd[idx], aligned.n[idx]) = rated.spread.unwrap_or_else(|| {
                let squares = rated
                    .ratings
                    .iter()
                    .map(|(_, value)| (value - mean).powi(2));
                let sd = (n > 1.0).then(|| (squares.sum::<f64>() / (n - 1.0)).sqrt());
                (sd, Some(rated.ratings.len()))
            });
        }
        Ok(aligned)
    }
}
