//! Inference as another toolbox reports it.

use consilience_core::Ceiling;

use super::bootstrap::Evaluation;
use super::estimates::Scored;
use super::params::Bootstrap;
use crate::{Compat, MethodsError, Result};

/// That inference can be reported as by this toolbox.
pub(super) fn check(compat: Option<Compat>) -> Result<()> {
    match compat {
        None | Some(Compat::Rsatoolbox) => Ok(()),
        Some(other) => Err(MethodsError::NoInferenceInPeer { peer: other.name() }),
    }
}

/// Puts rsatoolbox's conventions in the place of ours, from the evaluations of the resamples that took part.
pub(super) fn follow_rsatoolbox(scored: &mut Scored, evaluations: &[Vec<Evaluation>]) {
    let n_models = scored.means.len();
    if let Some(means) = means(evaluations) {
        scored.means = means[..n_models].to_vec();
        if scored.ceiling.is_some() {
            scored.ceiling = Some(Ceiling {
                lower: means[n_models],
                upper: means[n_models + 1],
            });
        }
        let of_what = match scored.bootstrap {
            Some(Bootstrap::Both) => " (of both, of subjects and of conditions alike)",
            _ => "",
        };
        scored.notes.push(format!(
            "as rsatoolbox: scores and noise ceiling are their means over {} resamples{of_what}, not those of the data",
            evaluations.len()
        ));
    }
    if let Some(spread) = &mut scored.spread {
        spread.ceiling_two_sided = true;
        spread.ceiling_known |= scored.bootstrap == Some(Bootstrap::Subjects);
        let known = if spread.ceiling_known {
            " and takes the ceiling as known"
        } else {
            ""
        };
        scored.notes.push(format!(
            "as rsatoolbox: the test against the lower noise ceiling is two-sided{known}; what is corrected over models or permuted is still ours"
        ));
    }
}

/// Mean of scores and ceilings over resamples, and over the kinds of each; `None` without any.
fn means(evaluations: &[Vec<Evaluation>]) -> Option<Evaluation> {
    let all: Vec<&Evaluation> = evaluations.iter().flatten().collect();
    let mut sums = vec![0.0; all.first()?.len()];
    for evaluation in &all {
        sums.iter_mut()
            .zip(*evaluation)
            .for_each(|(sum, value)| *sum += value / all.len() as f64);
    }
    Some(sums)
}
