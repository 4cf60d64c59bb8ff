//! Centred kernels of RDMs and their Bures similarity.

use consilience_core::pairs;
use faer::diag::Diag;
use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::evd::{ComputeEigenvectors, self_adjoint_evd, self_adjoint_evd_scratch};
use faer::linalg::matmul::matmul;
use faer::linalg::svd::{ComputeSvdVectors, svd, svd_scratch};
use faer::{Accum, Mat, Par};

/// A root of the centred kernel G = −½·C·D·C of an RDM.
pub(super) struct Kernel {
    /// R with R·Rᵀ = G, its negative eigenvalues set to 0.
    root: Mat<f64>,
    /// tr G, negative eigenvalues included.
    trace: f64,
}

impl Kernel {
    /// The kernel of a complete RDM vector; `None` when its trace is not positive or its
    /// eigenvalues cannot be found.
    pub fn new(vector: &[f64], n: usize) -> Option<Self> {
        let mut kernel = Mat::<f64>::zeros(n, n);
        let mut means = vec![0.0; n];
        for ((i, j), &d) in pairs::iter(n).zip(vector) {
            kernel[(i, j)] = -0.5 * d;
            kernel[(j, i)] = -0.5 * d;
            means[i] -= 0.5 * d / n as f64;
            means[j] -= 0.5 * d / n as f64;
        }
        let grand_mean = means.iter().sum::<f64>() / n as f64;
        for j in 0..n {
            for i in 0..n {
                kernel[(i, j)] += grand_mean - means[i] - means[j];
            }
        }
        let trace: f64 = (0..n).map(|i| kernel[(i, i)]).sum();
        if !(trace > 0.0 && trace.is_finite()) {
            return None;
        }
        let mut values = Diag::<f64>::zeros(n);
        let mut root = Mat::<f64>::zeros(n, n);
        let scratch = self_adjoint_evd_scratch::<f64>(
            n,
            ComputeEigenvectors::Yes,
            Par::Seq,
            Default::default(),
        );
        self_adjoint_evd(
            kernel.as_ref(),
            values.as_mut(),
            Some(root.as_mut()),
            Par::Seq,
            MemStack::new(&mut MemBuffer::new(scratch)),
            Default::default(),
        )
        .ok()?;
        for j in 0..n {
            let scale = values.column_vector()[j].max(0.0).sqrt();
            for i in 0..n {
                root[(i, j)] *= scale;
            }
        }
        Some(Self { root, trace })
    }

    /// tr√(√G·H·√G) / √(tr G·tr H), by the singular values of the product of the roots, which keep
    /// digits that the eigenvalues of √G·H·√G lose.
    pub fn similarity(&self, other: &Self) -> f64 {
        let n = self.root.nrows();
        let mut product = Mat::<f64>::zeros(n, n);
        matmul(
            &mut product,
            Accum::Replace,
            self.root.transpose(),
            &other.root,
            1.0,
            Par::Seq,
        );
        let mut values = Diag::<f64>::zeros(n);
        let no = ComputeSvdVectors::No;
        let scratch = svd_scratch::<f64>(n, n, no, no, Par::Seq, Default::default());
        svd(
            product.as_ref(),
            values.as_mut(),
            None,
            None,
            Par::Seq,
            MemStack::new(&mut MemBuffer::new(scratch)),
            Default::default(),
        )
        .expect("the singular values of a finite matrix converge");
        let sum: f64 = values.column_vector().iter().sum();
        sum / (self.trace * other.trace).sqrt()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_rdm_of_points_is_fully_similar_to_itself_in_any_unit() {
        // Squared distances of 0, 1, 3 on a line.
        let a = Kernel::new(&[1.0, 9.0, 4.0], 3).unwrap();
        let b = Kernel::new(&[2.0, 18.0, 8.0], 3).unwrap();
        assert!((a.similarity(&b) - 1.0).abs() < 1e-12);
        assert!(Kernel::new(&[0.0; 3], 3).is_none());
    }

    #[test]
    fn orthogonal_directions_share_nothing() {
        // Four points, two by two apart, first along one axis and then along another.
        let a = Kernel::new(&[0.0, 1.0, 1.0, 1.0, 1.0, 0.0], 4).unwrap();
        let b = Kernel::new(&[1.0, 0.0, 1.0, 1.0, 0.0, 1.0], 4).unwrap();
        assert!(a.similarity(&b).abs() < 1e-7);
    }
}
