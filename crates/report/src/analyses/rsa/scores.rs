//! What figures, tables and sentences of RSA share: which p stands for what, and names.

use consilience_core::{Estimate, RsaRecord, RsaSettings, RsaTarget};

use crate::view::{distinct, finite};

/// The estimate of predictor `idx`, if it has a value.
pub(crate) fn estimate(target: &RsaTarget, idx: usize) -> Option<&Estimate> {
    target.scores[idx]
        .estimate
        .as_ref()
        .filter(|e| e.value.is_finite())
}

/// The p-value that decides whether a score is called larger than zero: the bootstrap's after the
/// correction, else the permutation test's family-wise one, else the uncorrected ones.
pub(crate) fn p_zero(estimate: &Estimate) -> Option<f64> {
    [
        estimate.p_corrected,
        estimate.p_permutation_fwe,
        estimate.p,
        estimate.p_permutation,
    ]
    .into_iter()
    .find_map(finite)
}

/// Where the p-values of [`p_zero`] come from, in words; `None` when there are none.
pub(crate) fn p_zero_source(rsa: &RsaRecord) -> Option<&'static str> {
    let any = |p: fn(&Estimate) -> Option<f64>| {
        rsa.targets
            .iter()
            .flat_map(|t| &t.scores)
            .filter_map(|s| s.estimate.as_ref())
            .any(|e| finite(p(e)).is_some())
    };
    if any(|e| e.p_corrected) {
        Some(match rsa.settings.correction.as_str() {
            "fdr" | "fdr-any" => "FDR-corrected",
            "fwe" | "bonferroni" => "family-wise corrected",
            _ => "uncorrected",
        })
    } else if any(|e| e.p_permutation_fwe) {
        Some("permutation test, family-wise")
    } else if any(p_zero) {
        Some("uncorrected")
    } else {
        None
    }
}

/// The half-width and ends of what is drawn around a value: one standard error, else the interval.
pub(crate) fn spread(estimate: &Estimate) -> Option<(f64, f64)> {
    match (finite(estimate.sem), estimate.interval) {
        (Some(sem), _) => Some((estimate.value - sem, estimate.value + sem)),
        (None, Some([low, high])) if low.is_finite() && high.is_finite() => Some((low, high)),
        _ => None,
    }
}

/// What [`spread`] draws in this analysis, for keys and captions.
pub(crate) fn spread_name(rsa: &RsaRecord) -> Option<&'static str> {
    let estimates = || {
        rsa.targets
            .iter()
            .flat_map(|t| &t.scores)
            .filter_map(|s| s.estimate.as_ref())
    };
    if estimates().any(|e| finite(e.sem).is_some()) {
        Some("± standard error")
    } else if estimates().any(|e| spread(e).is_some()) {
        Some("95 % interval")
    } else {
        None
    }
}

/// p of the difference between two predictors.
pub(crate) fn p_difference(target: &RsaTarget, a: usize, b: usize) -> Option<f64> {
    finite(target.p_difference.get(a).and_then(|row| row[b]))
}

/// Model names in study order.
pub(crate) fn models(rsa: &RsaRecord) -> Vec<&str> {
    distinct(rsa.predictors.iter().map(|p| p.model.as_str()))
}

/// A layer with its model's name where there is more than one model.
pub(crate) fn predictor_name(rsa: &RsaRecord, idx: usize) -> String {
    let predictor = &rsa.predictors[idx];
    if rsa.predictors.iter().all(|p| p.model == predictor.model) {
        predictor.layer.clone()
    } else {
        format!("{} {}", predictor.model, predictor.layer)
    }
}

/// The similarity as an axis is labelled.
pub(crate) fn similarity_label(settings: &RsaSettings) -> String {
    match settings.similarity.as_str() {
        "pearson" => "Pearson r".into(),
        "spearman" => "Spearman ρ".into(),
        "kendall-tau-a" => "Kendall τ-a".into(),
        "kendall-tau-b" => "Kendall τ-b".into(),
        "rho-a" => "ρ-a".into(),
        "cosine" => "cosine similarity".into(),
        "whitened-pearson" => "whitened Pearson r".into(),
        "whitened-cosine" => "whitened cosine similarity".into(),
        other => other.to_owned(),
    }
}
