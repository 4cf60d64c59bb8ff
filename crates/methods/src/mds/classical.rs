//! Torgerson's classical scaling: the start of the iteration.

use consilience_core::pairs;
use consilience_stats::dense::Spectrum;
use faer::Mat;

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
    let Some(spectrum) = Spectrum::of(products.as_ref()) else {
        return vec![[0.0; 2]; n];
    };
    let axis = |rank: usize| -> Vec<f64> {
        let Some(idx) = n.checked_sub(1 + rank) else {
            return vec![0.0; n];
        };
        let length = spectrum.values[idx].max(0.0).sqrt();
        let vector = spectrum.vectors.col(idx);
        vector.iter().map(|v| v * length).collect()
    };
    axis(0)
        .into_iter()
        .zip(axis(1))
        .map(|(x, y)| [x, y])
        .collect()
}
