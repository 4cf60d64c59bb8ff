//! How far the boxes of categories overlap.

use crate::names::named;

use ndarray::Array2;

use super::boxes::check_objects;
use super::params::check_number;
use super::{DetectedObject, PictureBox};
use crate::Result;

/// What is held against each other in a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Pairing {
    /// Each box of one category and each of the other; on the diagonal, two different boxes.
    #[default]
    Boxes,
    /// All boxes of one category together and all of the other; 1 on the diagonal.
    Unions,
}

impl Pairing {
    const NAMES: [(&'static str, Self); 2] = [("boxes", Self::Boxes), ("unions", Self::Unions)];
}

named!(Pairing, "pairing");

/// How pairs of boxes are averaged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Averaging {
    /// All pairs of all pictures alike.
    #[default]
    Pooled,
    /// Within each picture, then over pictures.
    Images,
}

impl Averaging {
    const NAMES: [(&'static str, Self); 2] = [("pooled", Self::Pooled), ("images", Self::Images)];
}

named!(Averaging, "averaging");

/// Options of [`overlap`].
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct OverlapParams {
    /// What is held against each other (default: boxes).
    pub pairing: Pairing,
    /// How pairs are averaged (default: pooled). Unions are one pair a picture.
    pub averaging: Averaging,
    /// Score below which an object is left out (default 0).
    pub min_score: f64,
}

/// Overlap of the boxes of categories; arrays are `(n_categories, n_categories)`.
#[derive(Debug, Clone, PartialEq)]
pub struct Overlap {
    /// Mean share of a box of the row's category that lies in one of the column's; `None` where they never meet.
    pub share: Array2<Option<f64>>,
    /// Pictures that hold a pair.
    pub n_images: Array2<usize>,
    /// Pairs that were averaged.
    pub n_pairs: Array2<usize>,
}

/// The asymmetric overlap matrix of categories.
///
/// # Shapes
///
/// `images` has the objects of each picture.
///
/// # Definition
///
/// Entry (a, b) is the mean of |A ∩ B| / |A| over pictures that hold both, where A and B are a box of a and one of b, or the union of all
/// boxes of a and that of b. Boxes without area are left out.
///
/// # Errors
///
/// [`ObjectsError`](super::ObjectsError) for a class or box that is none, [`MethodsError::OptionOutOfRange`](crate::MethodsError::OptionOutOfRange).
///
/// # Peers
///
/// Shapely 2.2.0 (`union_all`, `intersection`), to 1e-12.
pub fn overlap(
    images: &[Vec<DetectedObject>],
    n_classes: usize,
    params: &OverlapParams,
) -> Result<Overlap> {
    check_number("the least score", params.min_score)?;
    let shape = (n_classes, n_classes);
    let mut sums = Array2::<f64>::zeros(shape);
    let mut weights = Array2::<f64>::zeros(shape);
    let mut n_images = Array2::zeros(shape);
    let mut n_pairs = Array2::zeros(shape);
    for (picture, objects) in images.iter().enumerate() {
        check_objects(picture, objects, n_classes)?;
        let mut by_class = vec![Vec::new(); n_classes];
        for object in objects {
            if object.score >= params.min_score && object.bounds.area() > 0.0 {
                by_class[object.class].push(object.bounds);
            }
        }
        let there: Vec<usize> = (0..n_classes)
            .filter(|&c| !by_class[c].is_empty())
            .collect();
        for &a in &there {
            for &b in &there {
                let (sum, n) = match params.pairing {
                    Pairing::Boxes => box_pairs(&by_class[a], &by_class[b], a == b),
                    Pairing::Unions => (union_share(&by_class[a], &by_class[b]), 1),
                };
                if n == 0 {
                    continue;
                }
                let weight = match params.averaging {
                    Averaging::Pooled => n as f64,
                    Averaging::Images => 1.0,
                };
                sums[[a, b]] += sum / n as f64 * weight;
                weights[[a, b]] += weight;
                n_images[[a, b]] += 1;
                n_pairs[[a, b]] += n;
            }
        }
    }
    let share = Array2::from_shape_fn(shape, |at| {
        (weights[at] > 0.0).then(|| sums[at] / weights[at])
    });
    Ok(Overlap {
        share,
        n_images,
        n_pairs,
    })
}

/// Sum and number of shares of one box in another.
fn box_pairs(a: &[PictureBox], b: &[PictureBox], same: bool) -> (f64, usize) {
    let (mut sum, mut n) = (0.0, 0);
    for (i, first) in a.iter().enumerate() {
        for (j, second) in b.iter().enumerate() {
            if !(same && i == j) {
                sum += first.shared(second).area() / first.area();
                n += 1;
            }
        }
    }
    (sum, n)
}

/// Share of the union of `a` that lies in the union of `b`.
///
/// Between neighbouring edges of all boxes nothing changes, so the tiles of that grid are inside or outside as a whole.
fn union_share(a: &[PictureBox], b: &[PictureBox]) -> f64 {
    let sorted = |edges: &dyn Fn(&PictureBox) -> [f64; 2]| {
        let mut all: Vec<f64> = a.iter().chain(b).flat_map(edges).collect();
        all.sort_by(f64::total_cmp);
        all
    };
    let (xs, ys) = (
        sorted(&|r| [r.left, r.right]),
        sorted(&|r| [r.top, r.bottom]),
    );
    let (mut of_a, mut of_both) = (0.0, 0.0);
    for y in ys.windows(2) {
        for x in xs.windows(2) {
            let covers = |r: &PictureBox| {
                r.left <= x[0] && x[1] <= r.right && r.top <= y[0] && y[1] <= r.bottom
            };
            let area = (x[1] - x[0]) * (y[1] - y[0]);
            if area > 0.0 && a.iter().any(covers) {
                of_a += area;
                of_both += area * f64::from(u8::from(b.iter().any(covers)));
            }
        }
    }
    of_both / of_a
}
