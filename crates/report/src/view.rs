//! What figures, tables and sentences share: which p stands for what, names and number formats.

use consilience_core::{
    AnalysisRecord, Estimate, Record, RsaRecord, RsaSettings, RsaTarget, StimulusRecord, pairs,
};

use crate::{ReportError, Result, scale::signed};

/// Refuses a record whose parts do not fit together, so that nothing after this has to ask.
pub(crate) fn validate(record: &Record) -> Result<()> {
    if record.schema != Record::SCHEMA {
        return Err(ReportError::UnsupportedSchema {
            expected: Record::SCHEMA,
            found: record.schema,
        });
    }
    let same = |what: String, expected: usize, found: usize| {
        if expected == found {
            Ok(())
        } else {
            Err(ReportError::ShapeMismatch {
                what,
                expected,
                found,
            })
        }
    };
    for analysis in &record.analyses {
        let AnalysisRecord::Rsa(rsa) = analysis;
        let n = rsa.predictors.len();
        for target in &rsa.targets {
            let name = &target.name;
            same(format!("scores of {name:?}"), n, target.scores.len())?;
            let rows = &target.p_difference;
            if !rows.is_empty() {
                same(format!("rows of differences of {name:?}"), n, rows.len())?;
                for row in rows {
                    same(format!("columns of differences of {name:?}"), n, row.len())?;
                }
            }
            if let Some(best) = target.best.filter(|&best| best >= n) {
                same(
                    format!("predictors up to the best of {name:?}"),
                    best + 1,
                    n,
                )?;
            }
        }
        for rdm in &rsa.rdms {
            let what = format!("pairs of RDM {:?}", rdm.title);
            same(what, pairs::n_pairs(rdm.n), rdm.ranks.len())?;
        }
        for map in &rsa.maps {
            let what = format!("points of map {:?}", map.title);
            same(what, record.stimuli.len(), map.points.len())?;
        }
    }
    Ok(())
}

/// Short name of analysis number `idx`, used in file names and tables.
pub(crate) fn analysis_name(idx: usize, analysis: &AnalysisRecord) -> String {
    let AnalysisRecord::Rsa(_) = analysis;
    format!("rsa-{}", idx + 1)
}

/// Whether a value exists and is a number.
pub(crate) fn finite(value: Option<f64>) -> Option<f64> {
    value.filter(|v| v.is_finite())
}

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

/// Categories in the order of their first stimulus.
pub(crate) fn categories(stimuli: &[StimulusRecord]) -> Vec<&str> {
    distinct(stimuli.iter().filter_map(|s| s.category.as_deref()))
}

fn distinct<'a>(names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut seen = Vec::new();
    for name in names {
        if !seen.contains(&name) {
            seen.push(name);
        }
    }
    seen
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

/// A score with two decimals (three below 0.1 would suggest a precision that scores do not have).
pub(crate) fn score(value: f64) -> String {
    signed(&format!("{value:.2}"))
}

/// A score for tables.
pub(crate) fn score3(value: f64) -> String {
    signed(&format!("{value:.3}"))
}

/// A p-value as journals print it.
pub(crate) fn p_value(p: f64) -> String {
    if p < 0.001 {
        "< 0.001".to_owned()
    } else {
        format!("{p:.3}")
    }
}

/// A p-value as part of a sentence.
pub(crate) fn p_clause(p: f64) -> String {
    if p < 0.001 {
        "p < 0.001".to_owned()
    } else {
        format!("p = {p:.3}")
    }
}

/// A count with thin spaces between thousands.
pub(crate) fn count(n: usize) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (idx, c) in digits.chars().enumerate() {
        if idx > 0 && (digits.len() - idx).is_multiple_of(3) && digits.len() > 4 {
            out.push('\u{202f}');
        }
        out.push(c);
    }
    out
}

/// `"a"`, `"a and b"`, `"a, b and c"`.
pub(crate) fn listed<S: AsRef<str>>(items: &[S]) -> String {
    match items {
        [] => String::new(),
        [one] => one.as_ref().to_owned(),
        [head @ .., last] => {
            let head: Vec<_> = head.iter().map(AsRef::as_ref).collect();
            format!("{} and {}", head.join(", "), last.as_ref())
        }
    }
}

/// `"1 layer"`, `"2 layers"`.
pub(crate) fn plural(n: usize, noun: &str) -> String {
    format!("{} {noun}{}", count(n), if n == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats() {
        assert_eq!(score(-0.004), "0.00");
        assert_eq!(score3(-0.1234), "−0.123");
        assert_eq!(count(1000), "1000");
        assert_eq!(count(10_000), "10\u{202f}000");
        assert_eq!(listed(&["a", "b", "c"]), "a, b and c");
        assert_eq!(plural(1, "layer"), "1 layer");
        assert_eq!(p_value(0.0004), "< 0.001");
    }
}
