//! Linear heads in closed form: weighted ridge regression.

use consilience_stats::dense::{Spectrum, product};
use faer::Mat;
use ndarray::ArrayView2;

use super::AppraiseError;

/// Penalties that are tried: the mean positive eigenvalue times 10^(k/2), k from 8 to −8. The largest goes first, so that
/// of equals it is taken.
const HALF_DECADES: std::ops::RangeInclusive<i32> = -8..=8;

/// A head on scaled features.
pub(super) struct Ridge {
    pub weights: Vec<f64>,
    pub bias: f64,
    /// λ.
    pub weight_decay: f64,
}

/// Minimises (1/n) Σ wᵢ (yᵢ − b − xᵢ·β)² + ½ λ ‖β‖² over the n rows of `x`.
///
/// With α = n λ/2 this is ridge regression of rows times √wᵢ, centred at their weighted means. From the eigenvectors of the
/// smaller of X·Xᵀ and Xᵀ·X come the rows' coordinates Z along the principal directions, with which β = Vc for
/// cₖ = (Zᵀy)ₖ ÷ (sₖ² + α). Without λ, α is the one with the least Σ wᵢ (eᵢ ÷ (1 − hᵢ))², the error of each row by the head
/// without it, where hᵢ = wᵢ ÷ Σw + Σₖ zᵢₖ² ÷ (sₖ² + α).
///
/// Allen (1974), doi:10.1080/00401706.1974.10489157.
pub(super) fn ridge(
    x: ArrayView2<'_, f64>,
    y: &[f64],
    row_weights: &[f64],
    weight_decay: Option<f64>,
) -> Result<Ridge, AppraiseError> {
    let (n, p) = x.dim();
    let total: f64 = row_weights.iter().sum();
    let shares: Vec<f64> = row_weights.iter().map(|w| w / total).collect();
    let mut x_means = vec![0.0; p];
    for (row, share) in x.rows().into_iter().zip(&shares) {
        x_means
            .iter_mut()
            .zip(row)
            .for_each(|(m, x)| *m += share * x);
    }
    let y_mean: f64 = y.iter().zip(&shares).map(|(y, share)| share * y).sum();
    let roots: Vec<f64> = row_weights.iter().map(|w| w.sqrt()).collect();
    let rows = Mat::from_fn(n, p, |i, j| roots[i] * (x[[i, j]] - x_means[j]));
    let targets = Mat::from_fn(n, 1, |i, _| roots[i] * (y[i] - y_mean));

    let Directions {
        squares,
        scores,
        vectors,
    } = directions(&rows)?;
    let along = product(scores.transpose(), targets.as_ref());
    let coefficients = |alpha: f64| {
        Mat::from_fn(squares.len(), 1, |k, _| {
            along[(k, 0)] / (squares[k] + alpha)
        })
    };
    let left_out = |alpha: f64| -> f64 {
        let fitted = product(scores.as_ref(), coefficients(alpha).as_ref());
        let error = |i: usize| {
            let taken = (0..squares.len()).map(|k| scores[(i, k)].powi(2) / (squares[k] + alpha));
            let kept = 1.0 - shares[i] - taken.sum::<f64>();
            ((targets[(i, 0)] - fitted[(i, 0)]) / kept).powi(2)
        };
        (0..n).map(error).sum()
    };
    let alpha = match weight_decay {
        Some(decay) => 0.5 * n as f64 * decay,
        None => {
            let mean = squares.iter().sum::<f64>() / squares.len().max(1) as f64;
            let alphas = HALF_DECADES
                .rev()
                .map(|k| mean * 10_f64.powf(0.5 * f64::from(k)));
            let tried = alphas.map(|alpha| (alpha, left_out(alpha)));
            let best = tried.reduce(|best, next| if next.1 < best.1 { next } else { best });
            best.map_or(0.0, |(alpha, _)| alpha)
        }
    };
    let mut found = coefficients(alpha);
    let weights = match vectors {
        Some(vectors) => product(vectors.as_ref(), found.as_ref()),
        None => {
            (0..squares.len()).for_each(|k| found[(k, 0)] /= squares[k]);
            let of_rows = product(scores.as_ref(), found.as_ref());
            product(rows.transpose(), of_rows.as_ref())
        }
    };
    let weights: Vec<f64> = (0..p).map(|j| weights[(j, 0)]).collect();
    let of_means: f64 = weights.iter().zip(&x_means).map(|(w, mean)| w * mean).sum();
    Ok(Ridge {
        weights,
        bias: y_mean - of_means,
        weight_decay: 2.0 * alpha / n as f64,
    })
}

/// The principal directions of rows.
struct Directions {
    /// s²: positive eigenvalues.
    squares: Vec<f64>,
    /// Z, a column a direction.
    scores: Mat<f64>,
    /// V, where features are no more than rows; else it is Xᵀ·Z ÷ s².
    vectors: Option<Mat<f64>>,
}

fn directions(rows: &Mat<f64>) -> Result<Directions, AppraiseError> {
    let (n, p) = rows.shape();
    let products = match p <= n {
        true => product(rows.transpose(), rows.as_ref()),
        false => product(rows.as_ref(), rows.transpose()),
    };
    let spectrum = Spectrum::of(products.as_ref()).ok_or(AppraiseError::NotConverged)?;
    let rounding = spectrum.rounding();
    let size = spectrum.values.len();
    let rank = spectrum
        .values
        .iter()
        .rev()
        .take_while(|&&v| v > rounding)
        .count();
    let squares = spectrum.values[size - rank..].to_vec();
    let vectors = spectrum.vectors.subcols(size - rank, rank);
    Ok(match p <= n {
        true => Directions {
            squares,
            scores: product(rows.as_ref(), vectors),
            vectors: Some(vectors.to_owned()),
        },
        false => Directions {
            scores: Mat::from_fn(n, rank, |i, k| vectors[(i, k)] * squares[k].sqrt()),
            squares,
            vectors: None,
        },
    })
}
