//! Student's test of one sample, its effect size and its Bayes factor.

use consilience_stats::noncentral::{noncentrality, unbiasing_factor};
use consilience_stats::tails::{student_t_isf, student_t_sf};

use super::bayes::ln_bayes_factor;
use super::differences::Differences;
use super::params::Alternative;
use super::result::StudentTest;

/// `None` for fewer than two subjects, or where nothing varies or f64 is left.
pub(super) fn student_test(
    differences: &Differences,
    alternative: Alternative,
    prior_scale: f64,
) -> Option<StudentTest> {
    let n = differences.n();
    if n < 2 {
        return None;
    }
    let [mean, sd] = differences.mean_and_sd();
    if !(sd > 0.0 && sd.is_finite()) {
        return None;
    }
    let (root_n, dof) = ((n as f64).sqrt(), n as f64 - 1.0);
    let cohens_d = mean / sd;
    let t = cohens_d * root_n;
    let half = student_t_isf(0.025, dof) * sd / root_n;
    let centre = differences.origin + mean;
    let ln_bayes_factor = ln_bayes_factor(t, n, prior_scale, alternative);
    Some(StudentTest {
        sd,
        interval: [centre - half, centre + half],
        t,
        dof,
        p: alternative.p([student_t_sf(-t, dof), student_t_sf(t, dof)]),
        p_corrected: None,
        cohens_d,
        d_interval: [0.975, 0.025].map(|p| noncentrality(t, dof, p) / root_n),
        hedges_g: (n > 2).then(|| unbiasing_factor(dof) * cohens_d),
        ln_bayes_factor,
        bayes_factor: Some(ln_bayes_factor.exp()).filter(|factor| factor.is_finite()),
    })
}
