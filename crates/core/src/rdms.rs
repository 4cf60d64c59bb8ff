//! Representational dissimilarity matrices.

use ndarray::{Array2, ArrayView2};

use crate::{CoreError, Result, pairs};

/// One or more RDMs over the same conditions, as vectors.
///
/// # Shapes
///
/// `(n_rdms, n_pairs)`; a row is one RDM (one subject, session, layer …).
#[derive(Debug, Clone, PartialEq)]
pub struct Rdms {
    vectors: Array2<f64>,
    n_conditions: usize,
}

impl Rdms {
    /// Takes RDM vectors, one a row.
    ///
    /// # Errors
    ///
    /// [`CoreError::NotTriangular`] when the row length fits no number of conditions.
    pub fn from_vectors(vectors: Array2<f64>) -> Result<Self> {
        let n_conditions = pairs::n_conditions(vectors.ncols())?;
        Ok(Self {
            vectors,
            n_conditions,
        })
    }

    /// Takes the upper triangle of square matrices that are symmetric with a zero diagonal.
    ///
    /// # Definition
    ///
    /// Symmetry is checked to 1e-6 of the largest entry (files hold rounded values); the upper
    /// triangle is what is kept. A NaN is carried over: what to do with it is the caller's policy.
    ///
    /// # Errors
    ///
    /// [`CoreError::ShapeMismatch`] for a matrix that is not square or of another size than the
    /// first, [`CoreError::NotAnRdm`] for one that is not symmetric or has a non-zero diagonal.
    pub fn from_squares(squares: &[ArrayView2<'_, f64>]) -> Result<Self> {
        let n = squares.first().map_or(0, |m| m.nrows());
        let mut vectors = Array2::zeros((squares.len(), pairs::n_pairs(n)));
        for (mut row, square) in vectors.rows_mut().into_iter().zip(squares) {
            for (what, found) in [
                ("rows of an RDM", square.nrows()),
                ("columns of an RDM", square.ncols()),
            ] {
                if found != n {
                    return Err(CoreError::ShapeMismatch {
                        what: what.into(),
                        expected: n,
                        found,
                    });
                }
            }
            let largest = square
                .iter()
                .filter(|v| v.is_finite())
                .fold(0.0_f64, |m, v| m.max(v.abs()));
            let tolerance = 1e-6 * largest;
            for i in 0..n {
                let found = square[[i, i]];
                if found.abs() > tolerance {
                    return Err(CoreError::NotAnRdm {
                        why: "the diagonal is not zero",
                        row: i,
                        column: i,
                        found,
                    });
                }
            }
            for ((i, j), slot) in pairs::iter(n).zip(row.iter_mut()) {
                let (upper, lower) = (square[[i, j]], square[[j, i]]);
                if (upper - lower).abs() > tolerance {
                    return Err(CoreError::NotAnRdm {
                        why: "the matrix is not symmetric",
                        row: i,
                        column: j,
                        found: upper,
                    });
                }
                *slot = upper;
            }
        }
        Self::from_vectors(vectors)
    }

    /// The vectors, `(n_rdms, n_pairs)`.
    #[must_use]
    pub fn vectors(&self) -> ArrayView2<'_, f64> {
        self.vectors.view()
    }

    /// Number of RDMs.
    #[must_use]
    pub fn n_rdms(&self) -> usize {
        self.vectors.nrows()
    }

    /// Number of conditions.
    #[must_use]
    pub fn n_conditions(&self) -> usize {
        self.n_conditions
    }

    /// RDM `rdm_idx` as a square matrix with a zero diagonal.
    #[must_use]
    pub fn square(&self, rdm_idx: usize) -> Array2<f64> {
        let n = self.n_conditions;
        let mut square = Array2::zeros((n, n));
        for ((i, j), &value) in pairs::iter(n).zip(self.vectors.row(rdm_idx)) {
            square[[i, j]] = value;
            square[[j, i]] = value;
        }
        square
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn squares_round_trip() {
        let square = array![[0.0, 1.0, 2.0], [1.0, 0.0, 3.0], [2.0, 3.0, 0.0]];
        let rdms = Rdms::from_squares(&[square.view()]).unwrap();
        assert_eq!(rdms.vectors().row(0).to_vec(), [1.0, 2.0, 3.0]);
        assert_eq!(rdms.square(0), square);
    }

    #[test]
    fn what_is_not_an_rdm_is_refused() {
        let skew = array![[0.0, 1.0], [2.0, 0.0]];
        assert!(matches!(
            Rdms::from_squares(&[skew.view()]),
            Err(CoreError::NotAnRdm { .. })
        ));
        let similarity = array![[1.0, 0.5], [0.5, 1.0]];
        assert!(matches!(
            Rdms::from_squares(&[similarity.view()]),
            Err(CoreError::NotAnRdm { .. })
        ));
        assert!(matches!(
            Rdms::from_vectors(Array2::zeros((1, 5))),
            Err(CoreError::NotTriangular { .. })
        ));
    }
}
