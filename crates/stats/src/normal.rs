//! The standard normal distribution.

use std::f64::consts::{FRAC_1_SQRT_2, SQRT_2, TAU};

use statrs::function::erf::{erfc, erfc_inv};

/// Density at `z`.
#[must_use]
pub fn density(z: f64) -> f64 {
    (-0.5 * z * z).exp() / TAU.sqrt()
}

/// Probability of more than `z`.
///
/// # Peers
///
/// `scipy.stats.norm.sf`, to 1e-13 of the value.
#[must_use]
pub fn sf(z: f64) -> f64 {
    0.5 * erfc(z * FRAC_1_SQRT_2)
}

/// The z below which a share `p` lies, for 0 < p < 1.
///
/// # Panics
///
/// When `p` is outside (0, 1).
///
/// # Peers
///
/// `scipy.stats.norm.ppf`, to 1e-12.
#[must_use]
pub fn quantile(p: f64) -> f64 {
    assert!(p > 0.0 && p < 1.0, "a quantile has 0 < p < 1");
    let z = -SQRT_2 * erfc_inv(2.0 * p);
    // One step of Newton's method brings the last digits.
    z + (p - sf(-z)) / density(z)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_quantiles() {
        for (p, z) in [
            (0.5, 0.0),
            (0.975, 1.959_963_984_540_054),
            (0.01, -2.326_347_874_040_841),
            (1e-10, -6.361_340_902_404_056),
        ] {
            assert!((quantile(p) - z).abs() < 1e-12, "{p}");
            assert!((sf(-z) / p - 1.0).abs() < 1e-12, "{p}");
        }
    }
}
