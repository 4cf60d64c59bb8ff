//! Whether a record of an appraisal fits together.

use consilience_core::{AppraisalRecord, DifferenceOf};

use crate::{
    Result,
    analyses::check::{same, within},
};

pub(crate) fn check(appraisal: &AppraisalRecord, n_stimuli: usize) -> Result<()> {
    let n_raters = appraisal.raters.len();
    let n_targets = appraisal.targets.len();
    let n_subsets = appraisal.subsets.len();
    for rater in &appraisal.raters {
        let name = format!("{} {}", rater.model, rater.layer);
        for run in &rater.runs {
            let what = format!("predictions of {name:?}, seed {}", run.seed);
            same(what, n_stimuli, run.predictions.len())?;
        }
    }
    for target in &appraisal.targets {
        let what = format!("values of {:?}", target.name);
        same(what, n_stimuli, target.values.len())?;
    }
    let n_correlations = n_subsets * n_raters * n_targets;
    same("correlations", n_correlations, appraisal.correlations.len())?;
    for (idx, correlation) in appraisal.correlations.iter().enumerate() {
        let about = |part: &str| format!("{part} of correlation {}", idx + 1);
        // Their order is fixed, so that figures find an entry without searching for it.
        let place = [
            ("subset", idx / (n_raters * n_targets), correlation.subset),
            ("rater", idx / n_targets % n_raters, correlation.rater),
            ("target", idx % n_targets, correlation.target),
        ];
        for (part, expected, found) in place {
            same(about(part), expected, found)?;
        }
        let runs = &appraisal.raters[correlation.rater].runs;
        same(about("runs"), runs.len(), correlation.runs.len())?;
    }
    for (idx, difference) in appraisal.differences.iter().enumerate() {
        let about = |part: &str| format!("{part} of difference {}", idx + 1);
        let (of, within_of) = match difference.of {
            DifferenceOf::Subsets => (n_subsets, n_raters),
            DifferenceOf::Raters => (n_raters, n_subsets),
        };
        within(about("first part"), difference.first, of)?;
        within(about("second part"), difference.second, of)?;
        within(about("place"), difference.within, within_of)?;
        within(about("target"), difference.target, n_targets)?;
    }
    Ok(())
}
