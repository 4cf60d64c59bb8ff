//! Tail probabilities and quantiles.

use statrs::function::beta::{beta_reg, ln_beta};

/// Probability that Student's t exceeds `t`.
///
/// # Definition
///
/// P(T > t) = ½ · I(ν / (ν + t²); ν/2, ½) for t ≥ 0, where I is the regularised incomplete beta
/// function and ν the degrees of freedom; 1 minus that for t < 0. A small p keeps its relative
/// accuracy.
///
/// # Panics
///
/// When `dof` is not above zero or `t` is NaN.
///
/// # Example
///
/// ```
/// use consilience_stats::tails::student_t_sf;
///
/// assert_eq!(student_t_sf(0.0, 5.0), 0.5);
/// assert!((student_t_sf(1.0, 1.0) - 0.25).abs() < 1e-15);
/// ```
///
/// # Peers
///
/// `scipy.stats.t.sf`, to 1e-12 of the value for 1 to 500 degrees of freedom and p down to 1e-290.
#[must_use]
pub fn student_t_sf(t: f64, dof: f64) -> f64 {
    assert!(dof > 0.0, "degrees of freedom are positive");
    assert!(!t.is_nan(), "a t value is a number");
    if t.is_infinite() {
        return if t > 0.0 { 0.0 } else { 1.0 };
    }
    let square = t * t;
    // Near the centre ν / (ν + t²) rounds to almost 1, and its complement keeps the digits; further
    // out it is the tail that would lose them, as a difference from ½.
    let tail = if square < 1.0 {
        0.5 - 0.5 * beta_reg(0.5, dof / 2.0, square / (dof + square))
    } else {
        0.5 * beta_reg(dof / 2.0, 0.5, dof / (dof + square))
    };
    if t < 0.0 { 1.0 - tail } else { tail }
}

/// Natural logarithm of [`student_t_sf`], also where that is below the smallest number.
///
/// # Panics
///
/// As [`student_t_sf`].
#[must_use]
pub fn student_t_ln_sf(t: f64, dof: f64) -> f64 {
    let tail = student_t_sf(t, dof);
    if tail > 1e-280 || t.is_infinite() {
        return tail.ln();
    }
    ln_far_tail(t, dof)
}

/// By the series I(x; a, ½) = x^a·√(1 − x) / (a·B(a, ½)) · Σₖ (a + ½)ₖ/(a + 1)ₖ·x^k, for t > 0.
fn ln_far_tail(t: f64, dof: f64) -> f64 {
    let (a, square) = (dof / 2.0, t * t);
    let x = dof / (dof + square);
    let (mut term, mut sum, mut k) = (1.0, 0.0, 0.0);
    while sum + term > sum {
        sum += term;
        term *= x * (a + 0.5 + k) / (a + 1.0 + k);
        k += 1.0;
    }
    let ln_power = -a * (square / dof).ln_1p();
    ln_power + 0.5 * (-x).ln_1p() + sum.ln() - (2.0 * a).ln() - ln_beta(a, 0.5)
}

/// Two-sided p of a t value: the probability that |T| exceeds |t|.
///
/// # Panics
///
/// As [`student_t_sf`].
#[must_use]
pub fn student_t_two_sided(t: f64, dof: f64) -> f64 {
    (2.0 * student_t_sf(t.abs(), dof)).min(1.0)
}

/// The t value that Student's t exceeds with probability `p`, for 0 < p ≤ ½.
///
/// # Panics
///
/// When `p` is outside (0, ½] or `dof` is not above zero.
///
/// # Peers
///
/// `scipy.stats.t.isf`, to 1e-12 of the value.
#[must_use]
pub fn student_t_isf(p: f64, dof: f64) -> f64 {
    assert!(p > 0.0 && p <= 0.5, "an upper quantile has 0 < p ≤ ½");
    let (mut low, mut high) = (0.0, 1.0);
    while student_t_sf(high, dof) > p {
        (low, high) = (high, 2.0 * high);
    }
    // Bisection to the last bit: called a few times per analysis, so simplicity wins.
    loop {
        let middle = f64::midpoint(low, high);
        if middle <= low || middle >= high {
            return middle;
        }
        if student_t_sf(middle, dof) > p {
            low = middle;
        } else {
            high = middle;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assert_close(found: f64, expected: f64) {
        let off = (found / expected - 1.0).abs();
        assert!(
            off < 1e-12,
            "found {found:e}, expected {expected:e}, off by {off:e}"
        );
    }

    /// With one and two degrees of freedom the tail has a closed form.
    #[test]
    fn closed_forms() {
        for t in [1e-3, 0.1, 1.0, 3.0, 50.0, 1e4, 1e8] {
            assert_close(
                student_t_sf(t, 1.0),
                (1.0 / t).atan() / std::f64::consts::PI,
            );
            let root = (2.0 + t * t).sqrt();
            assert_close(student_t_sf(t, 2.0), 1.0 / (root * (root + t)));
        }
    }

    /// Written by `fixtures/generate/rsa.py` with `scipy.stats.t`: (t, dof, sf).
    #[test]
    fn agrees_with_scipy_far_into_the_tail() {
        let cases: Vec<[f64; 3]> =
            serde_json::from_str(include_str!("../../../fixtures/rsa/student_t.json"))
                .expect("the fixture is valid");
        assert!(cases.len() > 50);
        for [t, dof, expected] in cases {
            assert_close(student_t_sf(t, dof), expected);
            if expected <= 0.4 && t < 1e3 {
                let back = student_t_isf(expected, dof);
                assert!(
                    (back / t - 1.0).abs() < 1e-11,
                    "{back} instead of {t} at {dof}"
                );
            }
        }
    }

    /// The series where the tail itself can be had, and a closed form for two degrees of freedom where it cannot.
    #[test]
    fn logarithms_go_on_below_the_smallest_number() {
        for dof in [2.0, 5.0, 20.0, 100.0, 999.0, 1e4] {
            for t in [1.0, 2.0, 5.0, 12.0, 30.0, 1e3] {
                let tail = student_t_sf(t, dof);
                if tail > 1e-290 {
                    let found = ln_far_tail(t, dof);
                    let off = (found / tail.ln() - 1.0).abs();
                    assert!(off < 1e-11, "{t} {dof}: {found} {}", tail.ln());
                } else {
                    assert!(student_t_ln_sf(t, dof) < -640.0);
                }
            }
        }
        let t: f64 = 1e145;
        let found = student_t_ln_sf(t, 2.0);
        let expected = -(2.0 * t.ln() + 2.0_f64.ln());
        assert!((found / expected - 1.0).abs() < 1e-12, "{found} {expected}");
        assert_eq!(student_t_ln_sf(0.0, 3.0), 0.5_f64.ln());
        assert!((student_t_ln_sf(-1.0, 1.0) - 0.75_f64.ln()).abs() < 1e-15);
    }

    #[test]
    fn both_tails_make_one() {
        assert_close(student_t_sf(-1.5, 7.0) + student_t_sf(1.5, 7.0), 1.0);
        assert_eq!(student_t_two_sided(0.0, 3.0), 1.0);
    }
}
