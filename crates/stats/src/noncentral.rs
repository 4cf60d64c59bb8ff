//! The noncentral t distribution: what t is when the effect is not zero.

use statrs::function::gamma::ln_gamma;

use crate::normal;
use crate::quadrature::integrate;

/// What is left out of an integral at either end, as a logarithm: e⁻⁴⁰ is below the last digit.
const NEGLIGIBLE: f64 = 40.0;

/// Error of the integrals, all of the order of 1.
const TOLERANCE: f64 = 1e-14;

/// Probability that noncentral t is at most `t`.
///
/// # Definition
///
/// T = (Z + δ)/S with Z standard normal, S = √(χ²_ν/ν) and δ the noncentrality, so P(T ≤ t) = E Φ(t·S − δ), an integral over ln S.
/// The absolute error is about 1e-12, however large t and δ are; a probability near zero keeps no more digits.
///
/// # Panics
///
/// When `dof` is not above zero or `t` or `noncentrality` is not finite.
///
/// # Example
///
/// ```
/// use consilience_stats::noncentral::student_t_cdf;
///
/// assert!((student_t_cdf(0.0, 7.0, 0.0) - 0.5).abs() < 1e-12);
/// ```
///
/// # References
///
/// Johnson, Kotz & Balakrishnan (1995), Continuous Univariate Distributions 2, chapter 31, ISBN 0-471-58494-0.
///
/// # Peers
///
/// `scipy.stats.nct.cdf`, to 1e-10.
#[must_use]
pub fn student_t_cdf(t: f64, dof: f64, noncentrality: f64) -> f64 {
    cdf_and_slope(t, dof, noncentrality)[0]
}

/// The noncentrality δ under which noncentral t is at most `t` with probability `p`.
///
/// The δ of 0.975 and of 0.025 are the ends of the 95 % interval of δ for an observed t, and divided by √n those of a standardised
/// effect.
///
/// # Panics
///
/// When `p` is outside (0, 1); otherwise as [`student_t_cdf`].
///
/// # References
///
/// Steiger & Fouladi (1997), in: What if there were no significance tests?, 221–257, ISBN 0-8058-2634-3; Cumming & Finch (2001),
/// doi:10.1177/0013164401614002.
#[must_use]
pub fn noncentrality(t: f64, dof: f64, p: f64) -> f64 {
    assert!(p > 0.0 && p < 1.0, "a quantile has 0 < p < 1");
    // P(T ≤ t) = P(t·S − Z ≥ δ), and t·S − Z is nearly normal.
    let spread = (1.0 + t * t / (2.0 * dof)).sqrt();
    let mut delta = t - normal::quantile(p) * spread;
    let (mut low, mut high) = (f64::NEG_INFINITY, f64::INFINITY);
    // Newton's method between bounds; it takes about five steps.
    for _ in 0..100 {
        let [probability, slope] = cdf_and_slope(t, dof, delta);
        if probability > p {
            low = delta;
        } else {
            high = delta;
        }
        let longest = 4.0 * spread;
        let step = ((probability - p) / slope.max(f64::MIN_POSITIVE)).clamp(-longest, longest);
        let newton = delta + step;
        if step.abs() <= 1e-12 * spread.max(delta.abs()) {
            return newton;
        }
        delta = if low < newton && newton < high {
            newton
        } else {
            f64::midpoint(low, high)
        };
    }
    delta
}

/// P(T ≤ t) and how fast it falls with δ.
fn cdf_and_slope(t: f64, dof: f64, delta: f64) -> [f64; 2] {
    assert!(dof > 0.0, "degrees of freedom are positive");
    assert!(
        t.is_finite() && delta.is_finite(),
        "t and the noncentrality are finite"
    );
    if t < 0.0 {
        let [mirrored, slope] = cdf_and_slope(-t, dof, -delta);
        return [1.0 - mirrored, slope];
    }
    if delta == 0.0 && t == 0.0 {
        return [0.5, normal::density(0.0)];
    }
    // Density of u = ln S over its value at 0.
    let weight = |u: f64| (dof * (u - 0.5 * (2.0 * u).exp_m1())).exp();
    let x = (NEGLIGIBLE / dof).sqrt();
    let (from, to) = (-x - x * x, 0.5 * (2.0 * x + 2.0 * x * x).ln_1p());
    let mut knots = vec![from, 0.5 * from, 0.0, 0.5 * to, to];
    if delta > 0.0 && t > 0.0 {
        // Φ rises from 0 to 1 about S = δ/t, the more steeply the larger δ is.
        let step = (delta / t).ln();
        knots.extend(
            [step - 8.0 / delta, step, step + 8.0 / delta]
                .into_iter()
                .filter(|&u| from < u && u < to),
        );
        knots.sort_by(f64::total_cmp);
    }
    let scale = dof.max(1.0).sqrt();
    let [total, below, slope] = integrate(
        |u| {
            let (weight, z) = (scale * weight(u), t * u.exp() - delta);
            [weight, weight * normal::sf(-z), weight * normal::density(z)]
        },
        &knots,
        TOLERANCE,
    );
    [below / total, slope / total]
}

/// What an observed standardised mean is multiplied by to be unbiased, for dof > 1.
///
/// # Definition
///
/// J(ν) = Γ(ν/2) / (√(ν/2)·Γ((ν − 1)/2)) = 1 / E S⁻¹; with one degree of freedom the standardised mean has no expectation.
///
/// # Panics
///
/// When `dof` is not above 1.
///
/// # References
///
/// Hedges (1981), doi:10.3102/10769986006002107.
#[must_use]
pub fn unbiasing_factor(dof: f64) -> f64 {
    assert!(
        dof > 1.0,
        "the factor needs more than one degree of freedom"
    );
    (ln_gamma(dof / 2.0) - ln_gamma((dof - 1.0) / 2.0)).exp() / (dof / 2.0).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tails;
    use proptest::prelude::*;

    fn cases(name: &str) -> Vec<Vec<f64>> {
        let text = include_str!("../../../fixtures/group/noncentral.json");
        let document: serde_json::Value = serde_json::from_str(text).unwrap();
        serde_json::from_value(document[name].clone()).unwrap()
    }

    /// Written by `fixtures/generate/group.py` with `scipy.stats.nct`: t, dof, noncentrality, probability.
    #[test]
    fn agrees_with_scipy() {
        let cases = cases("cdf");
        assert!(cases.len() > 200);
        for case in cases {
            let found = student_t_cdf(case[0], case[1], case[2]);
            assert!(
                (found - case[3]).abs() < 1e-10,
                "{found}, expected {case:?}"
            );
        }
    }

    /// t, dof, probability, noncentrality.
    #[test]
    fn bounds_agree_with_scipy() {
        for case in cases("noncentrality") {
            let found = noncentrality(case[0], case[1], case[2]);
            let off = (found - case[3]).abs();
            assert!(
                off < 1e-8 * (1.0 + case[3].abs()),
                "{found}, expected {case:?}"
            );
        }
    }

    #[test]
    fn factors_agree_with_scipy() {
        for case in cases("unbiasing_factor") {
            let found = unbiasing_factor(case[0]);
            assert!((found / case[1] - 1.0).abs() < 1e-12, "{found} {case:?}");
        }
    }

    /// Without noncentrality it is Student's, and extremes of t and δ stay probabilities.
    #[test]
    fn limits() {
        for dof in [1.0, 2.0, 3.0, 10.0, 100.0, 1e4] {
            for t in [-40.0, -2.0, -0.1, 0.0, 0.5, 3.0, 1e3] {
                let expected = tails::student_t_sf(-t, dof);
                let found = student_t_cdf(t, dof, 0.0);
                assert!(
                    (found - expected).abs() < 1e-12,
                    "{t} {dof}: {found} {expected}"
                );
            }
            for t in [1e4, 1e8, 1e15] {
                // All that varies is S, whose median is close to 1.
                let found = student_t_cdf(t, dof, t);
                assert!((0.3..0.6).contains(&found), "{t} {dof}: {found}");
                assert!(student_t_cdf(t, dof, 20.0 * t) < 1e-12);
                assert!(student_t_cdf(t, dof, -20.0) > 1.0 - 1e-12);
            }
            for delta in [1e3, 1e12] {
                assert_eq!(student_t_cdf(0.0, dof, delta), 0.0);
                assert!(student_t_cdf(-1.0, dof, delta) < 1e-12);
            }
        }
    }

    /// For large t only S varies, and with two degrees of freedom S² is exponential.
    #[test]
    fn a_large_t_has_a_closed_form() {
        for t in [1e6, 1e9, 1e14] {
            for share in [1e-3_f64, 0.1, 0.7, 1.0, 1.9, 4.0] {
                let (found, expected) = (student_t_cdf(t, 2.0, share * t), (-share * share).exp());
                assert!(
                    (found - expected).abs() < 1e-11,
                    "{t} {share}: {found} {expected}"
                );
            }
            let bounds = [0.975, 0.025].map(|p| noncentrality(t, 2.0, p) / t);
            for (bound, p) in bounds.iter().zip([0.975_f64, 0.025]) {
                let expected = (-p.ln()).sqrt();
                assert!(
                    (bound / expected - 1.0).abs() < 1e-9,
                    "{t}: {bound} {expected}"
                );
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(100))]

        #[test]
        fn quantiles_go_back(t in -60.0..60.0_f64, dof in 1.0..300.0_f64, p in 0.01..0.99_f64) {
            let delta = noncentrality(t, dof, p);
            prop_assert!((student_t_cdf(t, dof, delta) - p).abs() < 1e-11);
            prop_assert!((noncentrality(-t, dof, 1.0 - p) + delta).abs() < 1e-9 * (1.0 + delta.abs()));
        }

        #[test]
        fn probabilities_rise_with_t_and_fall_with_the_noncentrality(
            t in -30.0..30.0_f64, dof in 1.0..80.0_f64, delta in -30.0..30.0_f64, step in 0.0..5.0_f64,
        ) {
            let p = student_t_cdf(t, dof, delta);
            prop_assert!((-1e-13..=1.0 + 1e-13).contains(&p));
            prop_assert!(student_t_cdf(t + step, dof, delta) >= p - 1e-12);
            prop_assert!(student_t_cdf(t, dof, delta + step) <= p + 1e-12);
            prop_assert!((student_t_cdf(-t, dof, -delta) + p - 1.0).abs() < 1e-12);
        }
    }
}
