//! Data that cannot be learnt from.

use ndarray::ArrayView2;

use super::{AppraiseError, HeadParams, MIN_PICTURES};
use crate::error::{ExperimentError, Result};

pub(super) fn enough(found: usize, needed: usize, advice: &'static str) -> Result<()> {
    match found >= needed {
        true => Ok(()),
        false => Err(AppraiseError::TooFewPictures {
            needed,
            found,
            advice,
        }
        .into()),
    }
}

pub(super) fn check(
    features: ArrayView2<'_, f32>,
    ratings: &[f64],
    params: &HeadParams,
) -> Result<()> {
    let n = features.nrows();
    if ratings.len() != n {
        return Err(ExperimentError::Count {
            what: "ratings, one for each picture",
            expected: n,
            found: ratings.len(),
        });
    }
    enough(n, MIN_PICTURES, "take more pictures")?;
    check_finite(features)?;
    for (picture, &value) in ratings.iter().enumerate() {
        if !value.is_finite() {
            return Err(AppraiseError::NonFiniteRating { picture, value }.into());
        }
        if let Some([low, high]) = params.scale
            && !(low..=high).contains(&value)
        {
            return Err(AppraiseError::OutsideScale {
                picture,
                value,
                low,
                high,
            }
            .into());
        }
    }
    if ratings.iter().all(|rating| *rating == ratings[0]) {
        return Err(AppraiseError::ConstantRatings {
            n,
            value: ratings[0],
        }
        .into());
    }
    if features
        .columns()
        .into_iter()
        .all(|feature| feature.iter().all(|x| *x == feature[0]))
    {
        return Err(AppraiseError::ConstantFeatures {
            n_features: features.ncols(),
        }
        .into());
    }
    Ok(())
}

pub(super) fn check_finite(features: ArrayView2<'_, f32>) -> Result<()> {
    match features.indexed_iter().find(|(_, x)| !x.is_finite()) {
        None => Ok(()),
        Some(((picture, feature), &value)) => Err(AppraiseError::NonFiniteFeature {
            picture,
            feature,
            value,
        }
        .into()),
    }
}
