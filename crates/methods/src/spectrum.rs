//! Matrix products and decompositions on one thread, so that bytes do not depend on how many there are.

use faer::diag::Diag;
use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::evd::{ComputeEigenvectors, self_adjoint_evd, self_adjoint_evd_scratch};
use faer::linalg::matmul::matmul;
use faer::linalg::svd::{ComputeSvdVectors, svd, svd_scratch};
use faer::{Accum, Mat, MatRef, Par};

/// Eigenvalues, ascending, and eigenvectors of a symmetric matrix.
pub(crate) struct Spectrum {
    pub(crate) values: Vec<f64>,
    pub(crate) vectors: Mat<f64>,
}

impl Spectrum {
    /// `None` when they cannot be found, as for a matrix that is not finite.
    pub(crate) fn of(matrix: MatRef<'_, f64>) -> Option<Self> {
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
    pub(crate) fn rounding(&self) -> f64 {
        let largest = self.values.iter().fold(0.0_f64, |max, v| max.max(v.abs()));
        largest * self.values.len() as f64 * f64::EPSILON
    }

    /// The matrix with the same eigenvectors and other eigenvalues.
    pub(crate) fn with_values(&self, value: impl Fn(f64) -> f64) -> Mat<f64> {
        let n = self.values.len();
        let scaled = Mat::from_fn(n, n, |i, j| self.vectors[(i, j)] * value(self.values[j]));
        product(scaled.as_ref(), self.vectors.transpose())
    }
}

/// A·B.
pub(crate) fn product(a: MatRef<'_, f64>, b: MatRef<'_, f64>) -> Mat<f64> {
    let mut out = Mat::zeros(a.nrows(), b.ncols());
    matmul(&mut out, Accum::Replace, a, b, 1.0, Par::Seq);
    out
}

/// Singular values, descending; `None` when they cannot be found.
pub(crate) fn singular_values(matrix: MatRef<'_, f64>) -> Option<Vec<f64>> {
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
