//! Centred kernels of RDMs and their Bures similarity.

use consilience_core::pairs;
use consilience_stats::dense::{Spectrum, eigenvalues, product, singular_values};
use faer::Mat;

/// The centred kernel G = −½·C·D·C of an RDM, as R·Rᵀ − N·Nᵀ.
pub(super) struct Kernel {
    /// R, from the positive eigenvalues.
    positive: Mat<f64>,
    /// N, from the negative ones; no columns when the RDM holds squared distances of points.
    negative: Mat<f64>,
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
        let spectrum = Spectrum::of(kernel.as_ref())?;
        let (values, vectors) = (&spectrum.values, &spectrum.vectors);
        // What is smaller is rounding of 0, whose root would weigh 10⁸ times as much.
        let rounding = spectrum.rounding();
        let root = |sign: f64| {
            let kept: Vec<usize> = (0..n).filter(|&j| sign * values[j] > rounding).collect();
            Mat::from_fn(n, kept.len(), |i, j| {
                vectors[(i, kept[j])] * (sign * values[kept[j]]).sqrt()
            })
        };
        Some(Self {
            positive: root(1.0),
            negative: root(-1.0),
            trace,
        })
    }

    /// tr√(√G₊·H·√G₊) / √(tr G·tr H), where G₊ is G without its negative eigenvalues and the outer root
    /// leaves negative eigenvalues out. When H has none, by the singular values of the product of the
    /// roots, which keep digits that the eigenvalues of √G₊·H·√G₊ lose.
    pub fn similarity(&self, other: &Self) -> f64 {
        let shared = product(self.positive.transpose(), other.positive.as_ref());
        let sum: f64 = if other.negative.ncols() == 0 {
            singular_values(shared.as_ref())
                .expect("the singular values of a finite matrix converge")
                .iter()
                .sum()
        } else {
            let opposed = product(self.positive.transpose(), other.negative.as_ref());
            let compared = product(shared.as_ref(), shared.transpose())
                - product(opposed.as_ref(), opposed.transpose());
            eigenvalues(compared.as_ref())
                .expect("the eigenvalues of a finite symmetric matrix converge")
                .iter()
                .map(|value| value.max(0.0).sqrt())
                .sum()
        };
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

    #[test]
    fn negative_eigenvalues_of_the_second_kernel_count() {
        // Of distances 1, 1 and 9, which break the triangle inequality even as squares: on (1, −1, 0)
        // and (1, 1, −2) the kernel is 9/2 and −5/6. Of 1, 4, 1, points on a line: 2 on (1, 0, −1).
        let bent = Kernel::new(&[9.0, 1.0, 1.0], 3).unwrap();
        let line = Kernel::new(&[1.0, 4.0, 1.0], 3).unwrap();
        let lengths = f64::sqrt((4.5 - 5.0 / 6.0) * 2.0);
        // The cosines of (1, 0, −1) with the eigenvectors, squared, are 1/4 and 3/4.
        let expected = f64::sqrt(2.0 * (4.5 / 4.0 - 3.0 / 4.0 * 5.0 / 6.0)) / lengths;
        assert!((line.similarity(&bent) - expected).abs() < 1e-12);
        let expected = f64::sqrt(2.0 * 4.5 / 4.0) / lengths;
        assert!((bent.similarity(&line) - expected).abs() < 1e-12);
    }
}
