//! What was chosen, in words.

use super::model::Model;
use super::params::Bootstrap;
use super::result::Inference;

/// How models were cross-validated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CrossValidation {
    /// Folds of the subjects; 1 where all were used for fitting and judging.
    pub subject_folds: usize,
    /// Folds of the conditions; 1 where all were used for fitting and judging.
    pub condition_folds: usize,
    /// Random divisions of every resample into these folds.
    pub divisions: usize,
}

/// Fewer degrees of freedom make intervals wide and tests weak.
const FEW_DOF: usize = 7;

/// What was done, why, and what the result does not say.
pub(super) fn explanation(
    inference: &Inference,
    models: &[Model<'_>],
    n_subjects: usize,
    cross_validation: Option<CrossValidation>,
) -> Vec<String> {
    let mut said = vec![match (inference.bootstrap, inference.dof) {
        (_, None) => "no variance could be had, so scores come without intervals and tests".to_owned(),
        (Bootstrap::None, _) => "the spread over subjects gives the variance: the result holds for new \
             subjects who see the same conditions"
            .to_owned(),
        (Bootstrap::Subjects, _) => "subjects are resampled: the result holds for new subjects who see the \
             same conditions, and says nothing about other conditions"
            .to_owned(),
        (Bootstrap::Conditions, _) => "conditions are resampled: the result holds for new conditions of the \
             same kind shown to these subjects, and says nothing about other subjects"
            .to_owned(),
        (Bootstrap::Both, _) => "subjects and conditions are resampled together and each alone (dual bootstrap), \
             which corrects the variance that both share: the result holds for new subjects and new conditions"
            .to_owned(),
    }];
    if let Some(plan) = cross_validation {
        let n_flexible = models.iter().filter(|m| m.kind.is_flexible()).count();
        said.push(format!(
            "{n_flexible} of {} models have parameters, so all models are judged by data that they were not \
             fitted to: {}",
            models.len(),
            held_back(plan)
        ));
        if inference.n_resamples > 0 {
            said.push(if plan.divisions > 1 {
                format!(
                    "each resample is divided {} times, and the variance that the divisions add is taken off",
                    plan.divisions
                )
            } else {
                "each resample is divided once, so standard errors also hold the chance of the division: \
                 ask for 2 divisions or more"
                    .to_owned()
            });
        }
    } else {
        said.push(
            "no model has parameters, so nothing is fitted and nothing needs to be held back"
                .to_owned(),
        );
    }
    if let Some(dof) = inference.dof {
        said.push(format!(
            "tests are t-tests with {dof} degrees of freedom{}",
            if dof < FEW_DOF {
                ": so few make intervals wide, and only large differences can be found"
            } else {
                ""
            }
        ));
    }
    if cross_validation.is_none()
        && inference.bootstrap == Bootstrap::Both
        && inference.dof.is_some()
    {
        said.push(
            "the dual bootstrap errs on the safe side: where nothing is to be found it says so more often than \
             the level promises"
                .to_owned(),
        );
    }
    if n_subjects < 2 {
        said.push(
            "one subject has no noise ceiling: a low score can be the model's fault or the data's"
                .to_owned(),
        );
    }
    said
}

fn held_back(plan: CrossValidation) -> String {
    let part = |folds: usize, what: &str| {
        (folds > 1).then(|| format!("{} of {folds} parts of the {what}", folds - 1))
    };
    let parts: Vec<String> = [
        part(plan.subject_folds, "subjects"),
        part(plan.condition_folds, "conditions"),
    ]
    .into_iter()
    .flatten()
    .collect();
    if parts.is_empty() {
        return "but nothing could be held back".to_owned();
    }
    format!("fitted to {}, judged by the rest", parts.join(" and "))
}
