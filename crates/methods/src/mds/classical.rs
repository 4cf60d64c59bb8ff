//! Torgerson's classical scaling: the start of the iteration.

use consilience_core::pairs;
use faer::diag::Diag;
use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::evd::{ComputeEigenvectors, self_adjoint_evd, self_adjoint_evd_scratch};
use faer::{Mat, Par};

/// Points on the two principal axes of the doubly centred squared dissimilarities; an axis whose
/// eigenvalue is not positive is zero.
pub(super) fn points(rdm: &[f64], n: usize) -> Vec<[f64; 2]> {
    let mut products = Mat::<f64>::zeros(n, n);
    for ((i, j), &d) in pairs::iter(n).zip(rdm) {
        products[(i, j)] = -0.5 * d * d;
        products[(j, i)] = products[(i, j)];
    }
    let means: Vec<f64> = (0..n)
        .map(|j| products.col(j).iter().sum::<f64>() / n as f64)
        .collect();
    let mean = means.iter().sum::<f64>() / n as f64;
    for j in 0..n {
        for i in 0..n {
            products[(i, j)] += mean - means[i] - means[j];
        }
    }
    principal_axes(&products)
}

/// Rows of the two leading eigenvectors, each times the root of its eigenvalue; zeros should the
/// decomposition not converge.
fn principal_axes(products: &Mat<f64>) -> Vec<[f64; 2]> {
    let n = products.nrows();
    let mut values = Diag::<f64>::zeros(n);
    let mut vectors = Mat::<f64>::zeros(n, n);
    // One thread: the bytes must not depend on how many there are.
    let par = Par::Seq;
    let scratch =
        self_adjoint_evd_scratch::<f64>(n, ComputeEigenvectors::Yes, par, Default::default());
    let solved = self_adjoint_evd(
        products.as_ref(),
        values.as_mut(),
        Some(vectors.as_mut()),
        par,
        MemStack::new(&mut MemBuffer::new(scratch)),
        Default::default(),
    );
    let values = values.column_vector();
    let axis = |rank: usize| -> Vec<f64> {
        let Some(idx) = n.checked_sub(1 + rank).filter(|_| solved.is_ok()) else {
            return vec![0.0; n];
        };
        let length = values[idx].max(0.0).sqrt();
        vectors.col(idx).iter().map(|v| v * length).collect()
    };
    axis(0)
        .into_iter()
        .zip(axis(1))
        .map(|(x, y)| [x, y])
        .collect()
}
