//! Checks that every entry point of RSA makes on its arrays.

use consilience_core::pairs;
use ndarray::{ArrayView1, ArrayView2};
use rayon::prelude::*;

use super::similarity::Similarity;
use crate::error::at_least;
use crate::{MethodsError, NanPolicy, Result};

/// Most conditions: ranks and weights of their pairs, copies counted, are 32-bit integers.
pub(super) const MOST_CONDITIONS: usize = 1 << 16;

/// Two sets of RDMs over the same conditions, checked.
pub(super) struct Checked {
    pub n_conditions: usize,
    /// Pairs that no RDM of the first set lacks.
    pub present_a: Vec<bool>,
    /// Pairs that no RDM of the second set lacks.
    pub present_b: Vec<bool>,
    /// Pairs that are missing in either set.
    pub n_omitted: usize,
}

impl Checked {
    /// Pairs that no RDM lacks.
    pub fn present(&self) -> Vec<bool> {
        self.present_a
            .iter()
            .zip(&self.present_b)
            .map(|(a, b)| *a && *b)
            .collect()
    }
}

/// Checks two named sets of RDM vectors.
pub(super) fn check(
    (what_a, a): (&'static str, ArrayView2<'_, f64>),
    (what_b, b): (&'static str, ArrayView2<'_, f64>),
    similarity: Similarity,
    nan: NanPolicy,
) -> Result<Checked> {
    if b.ncols() != a.ncols() {
        return Err(MethodsError::PairsMismatch {
            first: what_a,
            n_first: a.ncols(),
            second: what_b,
            n_second: b.ncols(),
        });
    }
    let n_conditions = pairs::n_conditions(a.ncols())?;
    if n_conditions > MOST_CONDITIONS {
        return Err(MethodsError::TooManyConditions {
            found: n_conditions,
            limit: MOST_CONDITIONS,
        });
    }
    for (what, rdms) in [(what_a, a), (what_b, b)] {
        at_least(what, 1, rdms.nrows())?;
    }
    let present_a = present(what_a, a, nan)?;
    let present_b = present(what_b, b, nan)?;
    let n_omitted = present_a
        .iter()
        .zip(&present_b)
        .filter(|(a, b)| !(**a && **b))
        .count();
    if n_omitted > 0 && similarity == Similarity::Bures {
        return Err(MethodsError::IncompleteRdms {
            similarity: similarity.name(),
            n_omitted,
        });
    }
    if n_omitted == a.ncols() {
        return Err(MethodsError::NoCommonPairs { n_pairs: n_omitted });
    }
    Ok(Checked {
        n_conditions,
        present_a,
        present_b,
        n_omitted,
    })
}

/// Which pairs every RDM of a set has.
fn present(what: &'static str, rdms: ArrayView2<'_, f64>, nan: NanPolicy) -> Result<Vec<bool>> {
    let mut present = vec![true; rdms.ncols()];
    // The usual case, in a form that vectorises.
    let is_complete =
        |row: ArrayView1<'_, f64>| row.iter().fold(true, |all, v| all & v.is_finite());
    if rdms.outer_iter().into_par_iter().all(is_complete) {
        return Ok(present);
    }
    for ((row, column), &value) in rdms.indexed_iter() {
        if value.is_nan() && nan == NanPolicy::Omit {
            present[column] = false;
        } else if !value.is_finite() {
            let cure = if value.is_nan() {
                "correct it, or choose to omit the pairs with NaN"
            } else {
                "correct it: an infinity is never left out"
            };
            return Err(MethodsError::NonFinite {
                what,
                row,
                column,
                value,
                cure,
            });
        }
    }
    Ok(present)
}
