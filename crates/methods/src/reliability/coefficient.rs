//! Coefficients of reliability from the covariances of raters.

use consilience_stats::dense::product;

use super::covariance::Covariance;
use super::params::Coefficient;
use super::splits::Splits;

/// The variance of a mean this far below those of the raters is the rounding of none.
const ROUNDING: f64 = 1e-12;

/// A coefficient; `None` where it is undefined.
pub(super) fn value(
    coefficient: Coefficient,
    covariance: &Covariance,
    splits: Option<&Splits>,
) -> Option<f64> {
    match coefficient {
        Coefficient::SplitHalf => split_half(covariance, splits?),
        Coefficient::Alpha => alpha(covariance),
        Coefficient::Pairwise => pairwise(covariance),
        Coefficient::LeaveOneOut => leave_one_out(covariance),
    }
}

fn split_half(covariance: &Covariance, splits: &Splits) -> Option<f64> {
    let found: Vec<(f64, f64)> = halves(covariance, splits).into_iter().flatten().collect();
    let n = found.len() as f64;
    let (r, pq) = found.iter().fold((0.0, 0.0), |(r, pq), half| {
        (r + half.0 / n, pq + half.1 / n)
    });
    if found.is_empty() {
        None
    } else {
        step_up(r, pq)
    }
}

/// Of each split the correlation of the halves and the product of their shares of the raters; `None` where the mean over
/// a half is the same for all items.
pub(super) fn halves(covariance: &Covariance, splits: &Splits) -> Vec<Option<(f64, f64)>> {
    let k = covariance.n_raters();
    let total: f64 = covariance.sums().iter().sum();
    let least = ROUNDING * covariance.trace();
    // Covariance of each rater with the sum of the first half of each split.
    let with_first = product(covariance.matrix.as_ref(), splits.first.as_ref());
    (0..splits.first.ncols())
        .map(|split| {
            let (mut first, mut both, mut share) = (0.0, 0.0, 0.0);
            for rater in 0..k {
                let inside = splits.first[(rater, split)];
                first += inside * with_first[(rater, split)];
                both += (1.0 - inside) * with_first[(rater, split)];
                share += inside / k as f64;
            }
            let second = total - first - 2.0 * both;
            let varies = first > least && second > least;
            varies.then(|| {
                let r = (both / (first.sqrt() * second.sqrt())).clamp(-1.0, 1.0);
                (r, share * (1.0 - share))
            })
        })
        .collect()
}

/// Reliability of all raters from the correlation of two parts with shares p and q of them, `pq` = p·q
/// (Horst 1951, written so that it loses no digits near 1).
pub(super) fn step_up(r: f64, pq: f64) -> Option<f64> {
    (r > -1.0).then(|| 2.0 * r / ((r * r + 4.0 * pq * (1.0 - r * r)).sqrt() + r))
}

fn alpha(covariance: &Covariance) -> Option<f64> {
    let k = covariance.n_raters() as f64;
    let (trace, total) = (covariance.trace(), covariance.sums().iter().sum::<f64>());
    (total > ROUNDING * trace).then(|| k / (k - 1.0) * (1.0 - trace / total))
}

fn pairwise(covariance: &Covariance) -> Option<f64> {
    let k = covariance.n_raters();
    let mut sum = 0.0;
    for i in 0..k {
        for j in 0..i {
            let square = covariance.variance(i) * covariance.variance(j);
            if square <= 0.0 {
                return None;
            }
            sum += (covariance.matrix[(i, j)] / square.sqrt()).clamp(-1.0, 1.0);
        }
    }
    Some(2.0 * sum / (k * (k - 1)) as f64)
}

fn leave_one_out(covariance: &Covariance) -> Option<f64> {
    let sums = covariance.sums();
    let total: f64 = sums.iter().sum();
    let least = ROUNDING * covariance.trace();
    let mut mean = 0.0;
    for (rater, sum) in sums.iter().enumerate() {
        let own = covariance.variance(rater);
        let others = total - 2.0 * sum + own;
        if own <= 0.0 || others <= least {
            return None;
        }
        let r = (sum - own) / (own.sqrt() * others.sqrt());
        mean += r.clamp(-1.0, 1.0) / sums.len() as f64;
    }
    Some(mean)
}

/// Mean correlation of a rater with the mean of all.
pub(super) fn with_all(covariance: &Covariance) -> Option<f64> {
    let sums = covariance.sums();
    let total: f64 = sums.iter().sum();
    let mut mean = 0.0;
    for (rater, sum) in sums.iter().enumerate() {
        let own = covariance.variance(rater);
        if own <= 0.0 || total <= ROUNDING * covariance.trace() {
            return None;
        }
        let r = sum / (own.sqrt() * total.sqrt());
        mean += r.clamp(-1.0, 1.0) / sums.len() as f64;
    }
    Some(mean)
}
