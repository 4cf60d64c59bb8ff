//! The Bayes factor of a t-test.

use std::f64::consts::TAU;

use consilience_stats::tails::student_t_ln_sf;

use super::params::Alternative;

/// Step of the sum over ln g.
const STEP: f64 = 0.125;

/// Natural logarithm of the Bayes factor of an effect over none, for the t of `n` values (JZS).
///
/// # Definition
///
/// The standardised effect has a Cauchy prior of scale r = `prior_scale`, which is a normal one of variance g where g is inverse
/// gamma (½, r²/2), and the variance of the values Jeffreys' prior. With ν = n − 1,
///
/// BF₁₀ = ∫ (1 + n·g)^(−½) · [(1 + t²/ν) / (1 + t²/(ν(1 + n·g)))]^((ν+1)/2) · p(g) dg.
///
/// `greater` takes the half of the prior above 0, `less` that below: BF = 2·P(effect on that side | data)·BF₁₀, the posterior
/// mass being, for each g, the central t probability P(T₍ᵥ₊₁₎ ≤ t·√(w(ν + 1)/(ν + t²(1 − w)))) with w = n·g/(1 + n·g).
///
/// The integral is a sum over equal steps of ln g, which converges exponentially because the integrand is smooth and
/// falls off at both ends (Trefethen and Weideman 2014, doi:10.1137/130932132). It is summed in logarithms, so that no t overflows: t =
/// 10⁸ of 10⁴ values has a logarithm like any other.
///
/// # Panics
///
/// When `n` is below 2, `t` is not finite or `prior_scale` is not a positive finite number.
///
/// # Example
///
/// ```
/// use consilience_methods::group::{Alternative, ln_bayes_factor};
///
/// // Student's sleep data, as BayesFactor's `ttestBF` prints it.
/// let factor = |alternative| ln_bayes_factor(-4.062128, 10, 0.5_f64.sqrt(), alternative).exp();
/// assert!((factor(Alternative::TwoSided) - 17.25888).abs() < 1e-4);
/// assert!((factor(Alternative::Less) - 34.41694).abs() < 1e-4);
/// assert!((factor(Alternative::Greater) - 0.1008246).abs() < 1e-6);
/// ```
///
/// # References
///
/// Rouder, Speckman, Sun, Morey & Iverson (2009), doi:10.3758/PBR.16.2.225; Morey & Rouder (2011), doi:10.1037/a0024377 (one side).
///
/// # Peers
///
/// pingouin 0.7.0 `bayesfactor_ttest`, to 1e-8; the R package BayesFactor as printed; the definition with
/// SciPy's noncentral t for one side, to 1e-7.
#[must_use]
pub fn ln_bayes_factor(t: f64, n: usize, prior_scale: f64, alternative: Alternative) -> f64 {
    assert!(n >= 2, "a t has at least two values");
    assert!(t.is_finite(), "a t value is finite");
    assert!(
        prior_scale > 0.0 && prior_scale.is_finite(),
        "a scale is positive"
    );
    let (n, dof, square) = (n as f64, n as f64 - 1.0, t * t);
    let ln_at = |u: f64| {
        let ng = n * u.exp();
        // The data's share in where the effect is expected, and the prior's.
        let rest = 1.0 / (1.0 + ng);
        let share = ng * rest;
        let ln_prior =
            prior_scale.ln() - 0.5 * (TAU.ln() + u) - 0.5 * prior_scale * prior_scale * (-u).exp();
        let ln_likelihood = -0.5 * ng.ln_1p()
            + 0.5 * (dof + 1.0) * ((square / dof).ln_1p() - (square * rest / dof).ln_1p());
        let ln_side = |t: f64| {
            let quantile = t * (share * (dof + 1.0) / (dof + square * rest)).sqrt();
            std::f64::consts::LN_2 + student_t_ln_sf(-quantile, dof + 1.0)
        };
        ln_prior
            + ln_likelihood
            + match alternative {
                Alternative::TwoSided => 0.0,
                Alternative::Greater => ln_side(t),
                Alternative::Less => ln_side(-t),
            }
    };
    // Below the prior falls like exp(−r²/2g), to e⁻¹²²; above all falls like 1/g, from where the data expect g.
    let from = 2.0 * prior_scale.ln() - 5.5;
    let to = (2.0 * prior_scale.ln()).max((1.0 + square / n).ln()) + 45.0;
    let n_steps = ((to - from) / STEP).ceil() as usize;
    let logs: Vec<f64> = (0..=n_steps)
        .map(|i| ln_at(from + i as f64 * STEP))
        .collect();
    let largest = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let sum: f64 = logs.iter().map(|log| (log - largest).exp()).sum();
    largest + (sum * STEP).ln()
}
