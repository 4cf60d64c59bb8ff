//! Correlation of two vectors.

use crate::rank::average_ranks;

/// Pearson correlation; `None` for fewer than two values or a vector whose values are all equal.
///
/// # Definition
///
/// Σ(x − x̄)(y − ȳ) / √(Σ(x − x̄)²·Σ(y − ȳ)²), in two passes, kept within −1…1.
///
/// # Panics
///
/// When the vectors differ in length.
///
/// # Example
///
/// ```
/// use consilience_stats::correlation::pearson;
///
/// assert!((pearson(&[1.0, 2.0, 3.0], &[5.0, 7.0, 9.0]).unwrap() - 1.0).abs() < 1e-15);
/// assert_eq!(pearson(&[1.0, 2.0, 3.0], &[4.0, 4.0, 4.0]), None);
/// ```
///
/// # Peers
///
/// `scipy.stats.pearsonr`, to 1e-14.
#[must_use]
pub fn pearson(x: &[f64], y: &[f64]) -> Option<f64> {
    assert_eq!(x.len(), y.len(), "correlated vectors are equally long");
    let (x, y) = (unit(x)?, unit(y)?);
    let r: f64 = x.iter().zip(&y).map(|(x, y)| x * y).sum();
    Some(r.clamp(-1.0, 1.0))
}

/// Spearman correlation: that of Pearson between average ranks; `None` as there.
///
/// # Panics
///
/// When the vectors differ in length.
///
/// # Peers
///
/// `scipy.stats.spearmanr`, to 1e-14.
#[must_use]
pub fn spearman(x: &[f64], y: &[f64]) -> Option<f64> {
    pearson(&average_ranks(x), &average_ranks(y))
}

/// The values without their mean, at unit length; `None` for fewer than two or when all are equal.
#[must_use]
pub fn unit(x: &[f64]) -> Option<Vec<f64>> {
    if x.len() < 2 || x.iter().all(|v| *v == x[0]) {
        return None;
    }
    let mean = x.iter().sum::<f64>() / x.len() as f64;
    let mut centred: Vec<f64> = x.iter().map(|v| v - mean).collect();
    // Squares of tiny or huge numbers leave the range of `f64`.
    let largest = centred.iter().fold(0.0_f64, |max, v| max.max(v.abs()));
    if largest == 0.0 {
        return None;
    }
    centred.iter_mut().for_each(|v| *v /= largest);
    let length = centred.iter().map(|v| v * v).sum::<f64>().sqrt();
    centred.iter_mut().for_each(|v| *v /= length);
    Some(centred)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn scale_and_order_change_nothing(
            pairs in prop::collection::vec((-5.0..5.0_f64, -5.0..5.0_f64), 3..40),
            scale in 0.1..1e5_f64,
        ) {
            let (x, y): (Vec<f64>, Vec<f64>) = pairs.iter().copied().unzip();
            let r = pearson(&x, &y).unwrap();
            let moved: Vec<f64> = y.iter().map(|v| 3.0 - scale * v).collect();
            prop_assert!((r + pearson(&x, &moved).unwrap()).abs() < 1e-9);
            prop_assert!((r - pearson(&y, &x).unwrap()).abs() < 1e-14);
            let bent: Vec<f64> = y.iter().map(|v| v.exp()).collect();
            prop_assert!((spearman(&x, &y).unwrap() - spearman(&x, &bent).unwrap()).abs() < 1e-12);
        }
    }

    #[test]
    fn extremes() {
        assert_eq!(pearson(&[1.0], &[2.0]), None);
        let far = pearson(&[1e200, 2e200, 3e200], &[3e-200, 2e-200, 1e-200]);
        assert!((far.unwrap() + 1.0).abs() < 1e-14);
        // The mean of equal values may be rounded.
        assert_eq!(pearson(&[0.1, 0.1, 0.1], &[1.0, 2.0, 4.0]), None);
        let ranked = spearman(&[1.0, 10.0, 100.0], &[-3.0, 0.0, 0.1]);
        assert!((ranked.unwrap() - 1.0).abs() < 1e-14);
    }
}
