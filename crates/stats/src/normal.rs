//! The standard normal distribution.

use std::f64::consts::{SQRT_2, TAU};

use statrs::function::erf::erfc_inv;

/// Density at `z`.
#[must_use]
pub fn density(z: f64) -> f64 {
    (-0.5 * z * z).exp() / TAU.sqrt()
}

/// Probability of more than `z`.
///
/// # Definition
///
/// ½ − φ(z)·(z + z³/3 + z⁵/(3·5) + …) up to 3 and φ(z)/(z + 1/(z + 2/(z + 3/(z + …)))) beyond, where the difference would lose
/// digits; 1 minus that of −z below 0.
///
/// # Peers
///
/// `scipy.stats.norm.sf`, to 1e-12 of the value.
#[must_use]
pub fn sf(z: f64) -> f64 {
    if z < 0.0 {
        return 1.0 - sf(-z);
    }
    if z < 3.0 {
        let (mut term, mut sum, mut k) = (z, 0.0, 1.0);
        while sum + term > sum {
            sum += term;
            k += 2.0;
            term *= z * z / k;
        }
        return 0.5 - density(z) * sum;
    }
    // At 3, where it converges slowest, 100 levels leave nothing to the last digit.
    let fraction = (1..=100).rev().fold(z, |rest, k| z + f64::from(k) / rest);
    density(z) / fraction
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
    // A step of Newton's method brings the last digits.
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
            let (found, back) = (quantile(p), sf(-z));
            assert!((found - z).abs() < 1e-12, "{p}: {found}, expected {z}");
            assert!((back / p - 1.0).abs() < 1e-12, "{z}: {back}, expected {p}");
        }
    }

    /// Written by `fixtures/generate/behaviour.py`: (z, sf).
    #[test]
    fn agrees_with_scipy() {
        let text = include_str!("../../../fixtures/behaviour/tails.json");
        let document: serde_json::Value = serde_json::from_str(text).unwrap();
        let cases: Vec<[f64; 2]> = serde_json::from_value(document["normal"].clone()).unwrap();
        for [z, expected] in cases {
            assert!(
                (sf(z) / expected - 1.0).abs() < 1e-12,
                "{z}: {}, {expected}",
                sf(z)
            );
        }
    }
}
