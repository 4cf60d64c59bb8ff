//! Which categories occur in the same pictures.

use crate::error::at_least;
use crate::names::named;

use ndarray::{Array2, ArrayView2};

use super::ObjectImportance;
use super::boxes::check_class;
use super::params::check_number;
use crate::Result;

/// Similarity of two columns of a table of yes and no.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BinarySimilarity {
    /// 2a / (2a + b + c).
    #[default]
    Dice,
    /// a / (a + b + c).
    Jaccard,
    /// 1 − 2bc / (ad + bc), which is (ad − bc) / (ad + bc).
    Yule,
}

impl BinarySimilarity {
    const NAMES: [(&'static str, Self); 3] = [
        ("dice", Self::Dice),
        ("jaccard", Self::Jaccard),
        ("yule", Self::Yule),
    ];
}

named!(BinarySimilarity, "similarity of occurrences");

/// Which categories occur together.
#[derive(Debug, Clone, PartialEq)]
pub struct CoOccurrence {
    /// Pictures with both, `(n_categories, n_categories)`; the diagonal counts the pictures with one.
    pub counts: Array2<usize>,
    /// Similarity of the same; `None` where it is undefined, e.g. when neither category occurs.
    pub similarity: Array2<Option<f64>>,
}

/// Which categories count as present in each picture, as `EmoCAM` decides it.
///
/// # Shapes
///
/// `images` has the objects of each picture; the result is `(n_images, n_classes)`.
///
/// # Definition
///
/// Present is a category with an object whose score exceeds `min_score` and whose importance exceeds `min_importance`. `EmoCAM`
/// takes 0.1 and 0.3.
///
/// # Errors
///
/// [`ObjectsError::UnknownClass`](super::ObjectsError::UnknownClass), [`MethodsError::OptionOutOfRange`](crate::MethodsError::OptionOutOfRange).
pub fn occurrences(
    images: &[Vec<ObjectImportance>],
    n_classes: usize,
    min_score: f64,
    min_importance: f64,
) -> Result<Array2<bool>> {
    check_number("the least score", min_score)?;
    check_number("the least importance", min_importance)?;
    let mut present = Array2::from_elem((images.len(), n_classes), false);
    for (picture, objects) in images.iter().enumerate() {
        for (object, found) in objects.iter().enumerate() {
            check_class(picture, object, found.class, n_classes)?;
            let counts = found.importance.is_ok_and(|value| value > min_importance);
            present[[picture, found.class]] |= counts && found.score > min_score;
        }
    }
    Ok(present)
}

/// Counts and similarities of occurrences.
///
/// # Shapes
///
/// `present` is `(n_images, n_categories)`, of objects, emotions or whatever else occurs in a picture.
///
/// # Definition
///
/// With a pictures that have both, b and c that have one of them and d that have neither, see [`BinarySimilarity`].
///
/// # Errors
///
/// [`MethodsError::TooFew`](crate::MethodsError::TooFew) pictures.
///
/// # Peers
///
/// 1 − `scipy.spatial.distance.pdist` (dice, jaccard, yule), to 1e-12, where it is defined: of two categories that never occur
/// SciPy's Jaccard similarity is 1, and Yule's is 1 when bc = 0 even if ad is 0 too. Here both are undefined.
pub fn co_occurrence(
    present: ArrayView2<'_, bool>,
    similarity: BinarySimilarity,
) -> Result<CoOccurrence> {
    let (n_images, n_categories) = present.dim();
    at_least("pictures", 1, n_images)?;
    let mut counts = Array2::zeros((n_categories, n_categories));
    for picture in present.rows() {
        let there: Vec<usize> = (0..n_categories).filter(|&c| picture[c]).collect();
        for &i in &there {
            for &j in &there {
                counts[[i, j]] += 1;
            }
        }
    }
    let of_pair = |(i, j): (usize, usize)| {
        let both = counts[[i, j]];
        let (first, second) = (counts[[i, i]] - both, counts[[j, j]] - both);
        let neither = n_images - both - first - second;
        let [a, b, c, d] = [both, first, second, neither].map(|n| n as f64);
        let (numerator, denominator) = match similarity {
            BinarySimilarity::Dice => (2.0 * a, 2.0 * a + b + c),
            BinarySimilarity::Jaccard => (a, a + b + c),
            BinarySimilarity::Yule => (a * d - b * c, a * d + b * c),
        };
        (denominator > 0.0).then(|| numerator / denominator)
    };
    Ok(CoOccurrence {
        similarity: Array2::from_shape_fn((n_categories, n_categories), of_pair),
        counts,
    })
}
