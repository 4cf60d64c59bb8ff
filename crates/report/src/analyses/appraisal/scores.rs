//! What figures, tables and sentences of an appraisal share: which number stands for what, and names.

use consilience_core::{AppraisalRecord, DifferenceOf, Rater, RatingCorrelation, RatingDifference};

use crate::view::{corrected, distinct, finite, simulated_sentence};

/// The correlation of a rater with a target over a subset.
pub(super) fn correlation(
    appraisal: &AppraisalRecord,
    subset: usize,
    rater: usize,
    target: usize,
) -> &RatingCorrelation {
    let row = subset * appraisal.raters.len() + rater;
    &appraisal.correlations[row * appraisal.targets.len() + target]
}

/// The p-value that decides whether a correlation is called different from zero: the corrected one, else that of
/// the permutations, else Student's.
pub(super) fn p(correlation: &RatingCorrelation) -> Option<f64> {
    [
        correlation.p_corrected,
        correlation.p_permutation,
        correlation.p,
    ]
    .into_iter()
    .find_map(finite)
}

/// Where the p-values of [`p`] come from, in words; `None` when there are none.
pub(super) fn p_source(appraisal: &AppraisalRecord) -> Option<String> {
    let any = |p: fn(&RatingCorrelation) -> Option<f64>| {
        appraisal
            .correlations
            .iter()
            .any(|c| finite(p(c)).is_some())
    };
    let test = if any(|c| c.p_permutation) {
        "permutation test"
    } else {
        "Student’s t"
    };
    if any(|c| c.p_corrected) {
        Some(format!(
            "{test}, {}",
            corrected(&appraisal.settings.correction)
        ))
    } else if any(p) {
        Some(format!("{test}, uncorrected"))
    } else {
        None
    }
}

/// The p-value that decides whether two correlations are called different.
pub(super) fn p_difference(difference: &RatingDifference) -> Option<f64> {
    finite(difference.p_corrected).or(finite(difference.p))
}

/// Differences of a kind that could be stated or say why not.
pub(super) fn differences(
    appraisal: &AppraisalRecord,
    of: DifferenceOf,
) -> impl Iterator<Item = &RatingDifference> {
    appraisal.differences.iter().filter(move |d| d.of == of)
}

/// Model names in study order.
pub(super) fn models(appraisal: &AppraisalRecord) -> Vec<&str> {
    distinct(appraisal.raters.iter().map(|r| r.model.as_str()))
}

/// Positions of whole networks; all raters where the study has only cut ones.
pub(super) fn whole(appraisal: &AppraisalRecord) -> Vec<usize> {
    let positions = |keep: fn(&Rater) -> bool| -> Vec<usize> {
        let raters = appraisal.raters.iter().enumerate();
        raters.filter(|(_, r)| keep(r)).map(|(i, _)| i).collect()
    };
    let whole = positions(|r| r.is_whole);
    if whole.is_empty() {
        positions(|_| true)
    } else {
        whole
    }
}

/// Name of a rater.
pub(super) fn rater_name(rater: &Rater) -> String {
    if rater.is_whole {
        rater.model.clone()
    } else {
        format!("{} {}", rater.model, rater.layer)
    }
}

/// Which targets are simulated, in one sentence.
pub(super) fn simulated(appraisal: &AppraisalRecord) -> Option<String> {
    let names = appraisal.targets.iter().filter(|t| t.is_simulated);
    simulated_sentence(&names.map(|t| t.name.as_str()).collect::<Vec<_>>())
}
