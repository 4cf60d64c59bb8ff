//! How sets of features share the variance that they explain.

use consilience_stats::ridge::{Design, Side};
use ndarray::{Array2, ArrayView2, Axis, concatenate};

use super::ridge::{Ridge, check_finite, check_targets};
use super::scores::constant;
use super::{EncodingError, RidgeParams};
use crate::error::{at_least, same_count};
use crate::{MethodsError, Result};

/// Most sets: the models grow as their power of two.
const MAX_SETS: usize = 10;

/// What R² of a model is.
#[derive(Debug, Clone, PartialEq)]
pub enum PartitionBy {
    /// Ordinary least squares on all rows, adjusted for the number of features.
    Adjusted,
    /// Predictions of rows that a ridge model has not seen.
    CrossValidated(RidgeParams),
}

/// Variance of targets by sets of features.
///
/// Subsets are bits: set `i` belongs to subset `m` when bit `i` of `m` is 1, and row `m − 1` of a table is subset `m`.
#[derive(Debug, Clone, PartialEq)]
pub struct Partition {
    /// R² of the model of each subset, `(2^n_sets − 1, n_targets)`.
    pub r2: Array2<f64>,
    /// What is explained by every set of a subset and by no other set, `(2^n_sets − 1, n_targets)`; subsets of one are
    /// unique parts. The sum is R² of all sets. Parts may be negative (suppression, or noise).
    pub parts: Array2<f64>,
    /// Shapley value of each set, `(n_sets, n_targets)`: the parts, divided evenly among their sets. The sum is R² of
    /// all sets.
    pub shapley: Array2<f64>,
    /// 0-based targets with the same value in all rows; all of theirs is 0.
    pub constant: Vec<usize>,
}

/// Partitions the variance of targets among sets of features.
///
/// # Shapes
///
/// `sets` (n_rows, n_features of the set) each, `y` (n_rows, n_targets).
///
/// # Definition
///
/// R²(U) is that of the model of all features in the sets U, R²(∅) = 0. Of n sets S, the part common to exactly
/// the sets T is Σ over U ⊆ T of (−1)^(|U|+1)·R²((S ∖ T) ∪ U). Adjusted R² is 1 − (1 − R²)·(n − 1)/(n − p − 1) for p features and an
/// intercept.
///
/// # Errors
///
/// [`MethodsError::TooFew`] for fewer than two sets or no more rows than features and two when adjusted,
/// [`EncodingError::TooManySets`], [`MethodsError::ShapeMismatch`], [`MethodsError::NonFinite`], [`EncodingError`] as
/// for [`ridge`](super::ridge()); dependent features when adjusted.
///
/// # References
///
/// Mood 1971, doi:10.3102/00028312008002191; Nimon et al. 2008, doi:10.3758/BRM.40.2.457; Lescroart, Stansbury, Gallant
/// 2015, doi:10.3389/fncom.2015.00135; Shapley values: Lipovetsky, Conklin 2001, doi:10.1002/asmb.446.
///
/// # Peers
///
/// scikit-learn `LinearRegression` and `r2_score` on every subset: 1e-9.
pub fn partition(
    sets: &[ArrayView2<'_, f64>],
    y: ArrayView2<'_, f64>,
    by: &PartitionBy,
) -> Result<Partition> {
    at_least("sets of features", 2, sets.len())?;
    if sets.len() > MAX_SETS {
        return Err(EncodingError::TooManySets {
            found: sets.len(),
            limit: MAX_SETS,
        }
        .into());
    }
    for set in sets {
        same_count(
            "rows of a set of features, one for each row of the targets",
            y.nrows(),
            set.nrows(),
        )?;
        check_finite(
            *set,
            "a set of features",
            "fill missing values or leave out the row",
        )?;
    }
    check_targets(y, y.nrows())?;
    let n_subsets = (1 << sets.len()) - 1;
    let mut r2 = Array2::zeros((n_subsets, y.ncols()));
    for (row, mut slot) in r2.rows_mut().into_iter().enumerate() {
        let members: Vec<_> = (0..sets.len())
            .filter(|set| (row + 1) >> set & 1 == 1)
            .map(|set| sets[set])
            .collect();
        let x = concatenate(Axis(1), &members).expect("all sets have the same rows");
        let found = match by {
            PartitionBy::Adjusted => adjusted(x.view(), y)?,
            PartitionBy::CrossValidated(params) => {
                Ridge::<f64>::prepare(x.view().into(), params)?
                    .predict(y)?
                    .r2
            }
        };
        slot.iter_mut().zip(found).for_each(|(slot, r2)| *slot = r2);
    }
    let (parts, shapley) = commonality(r2.view());
    let constant = constant(y);
    Ok(Partition {
        r2,
        parts,
        shapley,
        constant: (0..y.ncols()).filter(|&t| constant[t]).collect(),
    })
}

/// Parts and Shapley values from R² of all subsets; see [`Partition`] for their order.
///
/// # Panics
///
/// When the number of rows is not one less than a power of two.
#[must_use]
pub fn commonality(r2: ArrayView2<'_, f64>) -> (Array2<f64>, Array2<f64>) {
    let n_subsets = r2.nrows();
    assert!((n_subsets + 1).is_power_of_two(), "a row for each subset");
    let n_sets = (n_subsets + 1).trailing_zeros() as usize;
    let mut parts = Array2::zeros(r2.dim());
    let mut shapley = Array2::zeros((n_sets, r2.ncols()));
    for whole in 1..=n_subsets {
        let others = n_subsets & !whole;
        // Every subset of `whole`, the empty one last.
        let mut subset = whole;
        loop {
            let model = others | subset;
            if model > 0 {
                let sign = if subset.count_ones() % 2 == 1 {
                    1.0
                } else {
                    -1.0
                };
                parts
                    .row_mut(whole - 1)
                    .scaled_add(sign, &r2.row(model - 1));
            }
            if subset == 0 {
                break;
            }
            subset = (subset - 1) & whole;
        }
        let share = 1.0 / f64::from(whole.count_ones());
        for set in (0..n_sets).filter(|set| whole >> set & 1 == 1) {
            shapley
                .row_mut(set)
                .scaled_add(share, &parts.row(whole - 1));
        }
    }
    (parts, shapley)
}

/// Adjusted R² of ordinary least squares with an intercept; 0 for a constant target.
fn adjusted(x: ArrayView2<'_, f64>, y: ArrayView2<'_, f64>) -> Result<Vec<f64>> {
    let (n, p) = x.dim();
    if n < p + 2 {
        return Err(MethodsError::TooFew {
            what: "rows for an adjusted R² (features and two)",
            needed: p + 2,
            found: n,
        });
    }
    let design = Design::new(x, true, Side::Primal).map_err(EncodingError::from)?;
    let rows: Vec<usize> = (0..n).collect();
    let factor = design.factor(&rows).map_err(EncodingError::from)?;
    let explained = factor.explained(&design, y).map_err(EncodingError::from)?;
    let adjust = |r2: f64| 1.0 - (1.0 - r2) * (n - 1) as f64 / (n - p - 1) as f64;
    let constant = constant(y).into_iter();
    Ok(explained
        .into_iter()
        .zip(constant)
        .map(|(r2, constant)| if constant { 0.0 } else { adjust(r2) })
        .collect())
}
