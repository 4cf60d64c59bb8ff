//! Importance of categories over a corpus of pictures.

use consilience_stats::random::{Domain, Stream};
use consilience_stats::tails::student_t_isf;
use rayon::prelude::*;

use super::boxes::check_class;
use super::params::check_number;
use super::{ObjectImportance, OverBoxes};
use crate::Result;
use crate::interval::standard_error;

/// Options of [`corpus_importance`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CorpusParams {
    /// Score below which an object is left out (default 0.3, as in `EmoCAM`).
    pub min_score: f64,
    /// What a picture with several boxes of a category gives (default: the largest).
    pub over_boxes: OverBoxes,
    /// Resamples of pictures for the intervals (default 1000; 0 for none).
    pub resamples: usize,
    /// Seed of the resamples (default 1).
    pub seed: u64,
}

impl Default for CorpusParams {
    fn default() -> Self {
        Self {
            min_score: 0.3,
            over_boxes: OverBoxes::default(),
            resamples: 1000,
            seed: 1,
        }
    }
}

/// Importance of one category.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CategoryImportance {
    /// Mean over the pictures that show the category; `None` without any.
    pub mean: Option<f64>,
    /// Standard deviation over them (denominator n − 1); `None` for fewer than two.
    pub sd: Option<f64>,
    /// Standard error of the mean by bootstrap.
    pub sem: Option<f64>,
    /// 95 % interval of the mean; `None` for fewer than two pictures or without resamples.
    pub interval: Option<[f64; 2]>,
    /// Pictures that show the category.
    pub n_images: usize,
    /// Boxes of it that counted.
    pub n_boxes: usize,
    /// Boxes of it that were left out: the score is too low or the importance undefined.
    pub n_left_out: usize,
}

/// Summarises importances over pictures, category by category.
///
/// # Shapes
///
/// `images` has the objects of each picture, `importance`'s results; the result has an entry for each of `n_classes`.
///
/// # Definition
///
/// The value of a picture is the largest (or mean) importance of its boxes of the category; mean and standard deviation are
/// over the n pictures that have one. The interval is mean ± t·s, where t is Student's with n − 1 degrees of
/// freedom and s the standard deviation of the means of resamples of all pictures, times √(n/(n − 1)).
///
/// # Errors
///
/// [`ObjectsError::UnknownClass`](super::ObjectsError::UnknownClass), [`MethodsError::OptionOutOfRange`](crate::MethodsError::OptionOutOfRange).
///
/// # References
///
/// Efron & Tibshirani 1993, doi:10.1201/9780429246593.
pub fn corpus_importance(
    images: &[Vec<ObjectImportance>],
    n_classes: usize,
    params: &CorpusParams,
) -> Result<Vec<CategoryImportance>> {
    check_number("the least score", params.min_score)?;
    for (picture, objects) in images.iter().enumerate() {
        for (object, found) in objects.iter().enumerate() {
            check_class(picture, object, found.class, n_classes)?;
        }
    }
    let counts =
        |object: &ObjectImportance| object.importance.is_ok() && object.score >= params.min_score;
    let draws: Vec<Vec<u32>> = (0..params.resamples as u64)
        .into_par_iter()
        .map(|i| Stream::new(params.seed, Domain::Conditions, i).multiplicities(images.len()))
        .collect();
    let of_class = |class: usize| {
        let of_image = |objects: &Vec<ObjectImportance>| {
            let kept = objects.iter().filter(|o| o.class == class && counts(o));
            params.over_boxes.of(kept.filter_map(|o| o.importance.ok()))
        };
        let values: Vec<Option<f64>> = images.iter().map(of_image).collect();
        let boxes = images.iter().flatten().filter(|o| o.class == class);
        let (kept, left_out): (Vec<&ObjectImportance>, Vec<_>) = boxes.partition(|o| counts(o));
        summary(&values, &draws, kept.len(), left_out.len())
    };
    Ok((0..n_classes).into_par_iter().map(of_class).collect())
}

fn summary(
    values: &[Option<f64>],
    draws: &[Vec<u32>],
    n_boxes: usize,
    n_left_out: usize,
) -> CategoryImportance {
    let present: Vec<f64> = values.iter().copied().flatten().collect();
    let n = present.len();
    let mean = (n > 0).then(|| present.iter().sum::<f64>() / n as f64);
    let sd = mean.filter(|_| n > 1).map(|mean| {
        let square: f64 = present.iter().map(|v| (v - mean) * (v - mean)).sum();
        (square / (n as f64 - 1.0)).sqrt()
    });
    let resampled: Vec<f64> = draws
        .iter()
        .filter_map(|weights| weighted_mean(values, weights))
        .collect();
    let sem = standard_error(&resampled, n);
    CategoryImportance {
        mean,
        sd,
        sem,
        interval: mean.zip(sem).map(|(mean, sem)| {
            let half = student_t_isf(0.025, n as f64 - 1.0) * sem;
            [mean - half, mean + half]
        }),
        n_images: n,
        n_boxes,
        n_left_out,
    }
}

/// `None` when a resample has no picture of the category.
fn weighted_mean(values: &[Option<f64>], weights: &[u32]) -> Option<f64> {
    let (mut n, mut sum) = (0.0, 0.0);
    for (value, &weight) in values.iter().zip(weights) {
        if let Some(value) = value {
            n += f64::from(weight);
            sum += f64::from(weight) * value;
        }
    }
    (n > 0.0).then(|| sum / n)
}
