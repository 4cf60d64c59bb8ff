//! Products and decompositions of dense matrices, on one thread, unlike the methods of `faer::Mat`: the last
//! bits must not depend on how many there are.

use faer::diag::Diag;
use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::cholesky::llt;
use faer::linalg::evd::{ComputeEigenvectors, self_adjoint_evd, self_adjoint_evd_scratch};
use faer::linalg::matmul::matmul;
use faer::linalg::svd::{ComputeSvdVectors, svd, svd_scratch};
use faer::{Accum, Mat, MatRef, Par};

/// Eigenvalues, ascending, and eigenvectors of a symmetric matrix.
#[derive(Debug, Clone)]
pub struct Spectrum {
    /// Eigenvalues, ascending.
    pub values: Vec<f64>,
    /// Eigenvectors of unit length, one a column, in the order of the values.
    pub vectors: Mat<f64>,
}

impl Spectrum {
    /// `None` when they cannot be found, as for a matrix that is not finite.
    #[must_use]
    pub fn of(matrix: MatRef<'_, f64>) -> Option<Self> {
        let n = matrix.nrows();
        let mut values = Diag::<f64>::zeros(n);
        let mut vectors = Mat::<f64>::zeros(n, n);
        let yes = ComputeEigenvectors::Yes;
        let scratch = self_adjoint_evd_scratch::<f64>(n, yes, Par::Seq, Default::default());
        self_adjoint_evd(
            matrix,
            values.as_mut(),
            Some(vectors.as_mut()),
            Par::Seq,
            MemStack::new(&mut MemBuffer::new(scratch)),
            Default::default(),
        )
        .ok()?;
        let values: Vec<f64> = values.column_vector().iter().copied().collect();
        values
            .iter()
            .all(|v| v.is_finite())
            .then_some(Self { values, vectors })
    }

    /// What an eigenvalue of 0 may come out as.
    #[must_use]
    pub fn rounding(&self) -> f64 {
        let largest = self.values.iter().fold(0.0_f64, |max, v| max.max(v.abs()));
        largest * self.values.len() as f64 * f64::EPSILON
    }

    /// The matrix with the same eigenvectors and other eigenvalues.
    #[must_use]
    pub fn with_values(&self, value: impl Fn(f64) -> f64) -> Mat<f64> {
        let n = self.values.len();
        let scaled = Mat::from_fn(n, n, |i, j| self.vectors[(i, j)] * value(self.values[j]));
        product(scaled.as_ref(), self.vectors.transpose())
    }
}

/// A·B.
#[must_use]
pub fn product(a: MatRef<'_, f64>, b: MatRef<'_, f64>) -> Mat<f64> {
    let mut out = Mat::zeros(a.nrows(), b.ncols());
    matmul(&mut out, Accum::Replace, a, b, 1.0, Par::Seq);
    out
}

/// Eigenvalues of a symmetric matrix, ascending; `None` when they cannot be found.
#[must_use]
pub fn eigenvalues(matrix: MatRef<'_, f64>) -> Option<Vec<f64>> {
    let n = matrix.nrows();
    let mut values = Diag::<f64>::zeros(n);
    let no = ComputeEigenvectors::No;
    let scratch = self_adjoint_evd_scratch::<f64>(n, no, Par::Seq, Default::default());
    self_adjoint_evd(
        matrix,
        values.as_mut(),
        None,
        Par::Seq,
        MemStack::new(&mut MemBuffer::new(scratch)),
        Default::default(),
    )
    .ok()?;
    let values: Vec<f64> = values.column_vector().iter().copied().collect();
    values.iter().all(|v| v.is_finite()).then_some(values)
}

/// Singular values, descending; `None` when they cannot be found.
#[must_use]
pub fn singular_values(matrix: MatRef<'_, f64>) -> Option<Vec<f64>> {
    let (n_rows, n_columns) = matrix.shape();
    let mut values = Diag::<f64>::zeros(n_rows.min(n_columns));
    let no = ComputeSvdVectors::No;
    let scratch = svd_scratch::<f64>(n_rows, n_columns, no, no, Par::Seq, Default::default());
    svd(
        matrix,
        values.as_mut(),
        None,
        None,
        Par::Seq,
        MemStack::new(&mut MemBuffer::new(scratch)),
        Default::default(),
    )
    .ok()?;
    let values: Vec<f64> = values.column_vector().iter().copied().collect();
    values.iter().all(|v| v.is_finite()).then_some(values)
}

/// A matrix as U·S·Vᵀ with as many columns in U and V as its smaller side.
#[derive(Debug, Clone)]
pub struct Svd {
    /// Left singular vectors, one a column.
    pub left: Mat<f64>,
    /// Singular values, descending.
    pub values: Vec<f64>,
    /// Right singular vectors, one a column.
    pub right: Mat<f64>,
}

impl Svd {
    /// `None` when it cannot be found, as for a matrix that is not finite.
    #[must_use]
    pub fn of(matrix: MatRef<'_, f64>) -> Option<Self> {
        let (n_rows, n_columns) = matrix.shape();
        let n_values = n_rows.min(n_columns);
        let mut values = Diag::<f64>::zeros(n_values);
        let mut left = Mat::<f64>::zeros(n_rows, n_values);
        let mut right = Mat::<f64>::zeros(n_columns, n_values);
        let thin = ComputeSvdVectors::Thin;
        let scratch =
            svd_scratch::<f64>(n_rows, n_columns, thin, thin, Par::Seq, Default::default());
        svd(
            matrix,
            values.as_mut(),
            Some(left.as_mut()),
            Some(right.as_mut()),
            Par::Seq,
            MemStack::new(&mut MemBuffer::new(scratch)),
            Default::default(),
        )
        .ok()?;
        let values: Vec<f64> = values.column_vector().iter().copied().collect();
        values.iter().all(|v| v.is_finite()).then_some(Self {
            left,
            values,
            right,
        })
    }
}

/// The factor L of a symmetric, positive definite matrix L·Lᵀ.
#[derive(Debug, Clone)]
pub struct Cholesky(Mat<f64>);

impl Cholesky {
    /// `None` for a matrix that is not positive definite. Only its lower triangle is read.
    #[must_use]
    pub fn of(mut matrix: Mat<f64>) -> Option<Self> {
        let scratch = llt::factor::cholesky_in_place_scratch::<f64>(
            matrix.nrows(),
            Par::Seq,
            Default::default(),
        );
        llt::factor::cholesky_in_place(
            matrix.as_mut(),
            Default::default(),
            Par::Seq,
            MemStack::new(&mut MemBuffer::new(scratch)),
            Default::default(),
        )
        .ok()?;
        Some(Self(matrix))
    }

    /// Replaces the columns of `right` by the solutions for them.
    pub fn solve(&self, right: &mut Mat<f64>) {
        let scratch =
            llt::solve::solve_in_place_scratch::<f64>(self.0.nrows(), right.ncols(), Par::Seq);
        llt::solve::solve_in_place(
            self.0.as_ref(),
            right.as_mut(),
            Par::Seq,
            MemStack::new(&mut MemBuffer::new(scratch)),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cholesky_factor_solves_its_matrix() {
        for n in [1, 2, 7, 40] {
            let half = Mat::from_fn(n, n + 1, |i, j| ((5 * i + 3 * j * j + 2) % 13) as f64 - 6.0);
            let mut matrix = product(half.as_ref(), half.transpose());
            (0..n).for_each(|i| matrix[(i, i)] += 1.0);
            let expected = Mat::from_fn(n, 2, |i, j| (i as f64 - 2.0) * (j as f64 + 0.5));
            let mut found = product(matrix.as_ref(), expected.as_ref());
            Cholesky::of(matrix).unwrap().solve(&mut found);
            for i in 0..n {
                for j in 0..2 {
                    assert!((found[(i, j)] - expected[(i, j)]).abs() < 1e-8, "{n}");
                }
            }
        }
        assert!(Cholesky::of(Mat::from_fn(2, 2, |i, j| if i == j { 1.0 } else { 2.0 })).is_none());
    }

    #[test]
    fn a_singular_value_decomposition_multiplies_to_its_matrix() {
        for (n, p) in [(5, 3), (3, 5), (4, 1)] {
            let matrix = Mat::from_fn(n, p, |i, j| ((7 * i + 3 * j * j + 1) % 11) as f64 - 4.0);
            let svd = Svd::of(matrix.as_ref()).unwrap();
            let k = n.min(p);
            let scaled = Mat::from_fn(n, k, |i, j| svd.left[(i, j)] * svd.values[j]);
            let back = product(scaled.as_ref(), svd.right.transpose());
            let own = product(svd.left.transpose(), svd.left.as_ref());
            for i in 0..n {
                for j in 0..p {
                    assert!((back[(i, j)] - matrix[(i, j)]).abs() < 1e-12);
                }
            }
            for i in 0..k {
                for j in 0..k {
                    assert!((own[(i, j)] - f64::from(u8::from(i == j))).abs() < 1e-12);
                }
            }
        }
        assert!(Svd::of(Mat::from_fn(2, 2, |_, _| f64::NAN).as_ref()).is_none());
    }
}
