//! The order of condition pairs in an RDM vector.
//!
//! Pair k runs through the strict upper triangle row by row: (0,1), (0,2), …, (0,n−1), (1,2), ….
//! This is the order of SciPy's `pdist` and of rsatoolbox; MATLAB's column-major lower triangle
//! is the same order.

use crate::{CoreError, Result};

/// Number of pairs of `n` conditions: n·(n−1)/2.
#[must_use]
pub fn n_pairs(n: usize) -> usize {
    n * n.saturating_sub(1) / 2
}

/// Position of pair `(i, j)` with `i < j < n` in an RDM vector.
#[must_use]
pub fn pair_idx(i: usize, j: usize, n: usize) -> usize {
    debug_assert!(i < j && j < n);
    i * n - i * (i + 1) / 2 + (j - i - 1)
}

/// Number of conditions whose RDM vector has `n_pairs` values.
///
/// # Errors
///
/// [`CoreError::NotTriangular`] when no n ≥ 2 fits.
///
/// # Example
///
/// ```
/// assert_eq!(consilience_core::pairs::n_conditions(4186).unwrap(), 92);
/// assert!(consilience_core::pairs::n_conditions(4187).is_err());
/// ```
pub fn n_conditions(n_pairs: usize) -> Result<usize> {
    let n = ((1.0 + (1.0 + 8.0 * n_pairs as f64).sqrt()) / 2.0).round() as usize;
    if n >= 2 && self::n_pairs(n) == n_pairs {
        return Ok(n);
    }
    let nearest_n = n.max(2);
    Err(CoreError::NotTriangular {
        found: n_pairs,
        nearest_n,
        nearest_pairs: self::n_pairs(nearest_n),
    })
}

/// All pairs `(i, j)` of `n` conditions in the order of an RDM vector.
pub fn iter(n: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..n).flat_map(move |i| (i + 1..n).map(move |j| (i, j)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_is_row_major_upper_triangle() {
        let order: Vec<_> = iter(4).collect();
        assert_eq!(order, [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)]);
        for (k, (i, j)) in iter(17).enumerate() {
            assert_eq!(pair_idx(i, j, 17), k);
        }
    }

    #[test]
    fn counts_invert() {
        for n in 2..200 {
            assert_eq!(n_conditions(n_pairs(n)).unwrap(), n);
        }
        assert!(n_conditions(0).is_err());
        assert!(n_conditions(2).is_err());
    }
}
