//! Tidy tables: one row for each thing that was measured, one column for each variable.

use std::fmt::Write as _;

use consilience_core::{AnalysisRecord, Estimate, Record, TargetKind};

use crate::{Result, view};

const SCORE_COLUMNS: &str = "analysis,target,kind,model,layer,layer_idx,n_features,score,sem,\
ci_low,ci_high,p,p_corrected,p_permutation,p_permutation_fwe,p_ceiling,ceiling_lower,\
ceiling_upper,n_subjects,n_conditions";

const DIFFERENCE_COLUMNS: &str =
    "analysis,target,model_a,layer_a,model_b,layer_b,difference,p_difference";

/// All scores as CSV, one row for each analysis, target, model and layer.
///
/// # Definition
///
/// Columns: `analysis`, `target`, `kind` (`brain` or `behaviour`), `model`, `layer`, `layer_idx`
/// (0-based within its model), `n_features`, `score`, `sem`, `ci_low`, `ci_high`, `p` (one-sided,
/// score > 0), `p_corrected`, `p_permutation`, `p_permutation_fwe`, `p_ceiling` (one-sided, score <
/// lower ceiling), `ceiling_lower`, `ceiling_upper`, `n_subjects`, `n_conditions`. What could not be
/// estimated is an empty field. Numbers are the shortest decimals that read back exactly. Fields
/// are quoted as in RFC 4180; lines end with a line feed.
///
/// # Errors
///
/// [`crate::ReportError::UnsupportedSchema`] and [`crate::ReportError::ShapeMismatch`] for a record
/// that is of another release or damaged.
pub fn scores_csv(record: &Record) -> Result<String> {
    view::validate(record)?;
    let mut out = format!("{SCORE_COLUMNS}\n");
    for (analysis_idx, analysis) in record.analyses.iter().enumerate() {
        let AnalysisRecord::Rsa(rsa) = analysis;
        let analysis = view::analysis_name(analysis_idx, analysis);
        for target in &rsa.targets {
            let kind = match target.kind {
                TargetKind::Brain => "brain",
                TargetKind::Behaviour => "behaviour",
            };
            let mut layer_idx = 0;
            for (idx, predictor) in rsa.predictors.iter().enumerate() {
                layer_idx = match idx.checked_sub(1).map(|before| &rsa.predictors[before]) {
                    Some(before) if before.model == predictor.model => layer_idx + 1,
                    _ => 0,
                };
                let estimate = target.scores[idx].estimate.as_ref();
                let get = |part: fn(&Estimate) -> Option<f64>| number(estimate.and_then(part));
                let end = |which: usize| {
                    number(estimate.and_then(|e| e.interval).map(|ends| ends[which]))
                };
                let fields = [
                    analysis.clone(),
                    field(&target.name),
                    kind.to_owned(),
                    field(&predictor.model),
                    field(&predictor.layer),
                    layer_idx.to_string(),
                    predictor.n_features.to_string(),
                    get(|e| Some(e.value)),
                    get(|e| e.sem),
                    end(0),
                    end(1),
                    get(|e| e.p),
                    get(|e| e.p_corrected),
                    get(|e| e.p_permutation),
                    get(|e| e.p_permutation_fwe),
                    get(|e| e.p_ceiling),
                    number(target.ceiling.map(|c| c.lower)),
                    number(target.ceiling.map(|c| c.upper)),
                    target.n_subjects.to_string(),
                    target.n_conditions.to_string(),
                ];
                let _ = writeln!(out, "{}", fields.join(","));
            }
        }
    }
    Ok(out)
}

/// All differences between two predictors as CSV, each pair once.
///
/// # Definition
///
/// Columns: `analysis`, `target`, `model_a`, `layer_a`, `model_b`, `layer_b`, `difference` (score of
/// a − score of b), `p_difference` (two-sided, after the correction). Pairs without a test have an
/// empty p. Format as [`scores_csv`].
///
/// # Errors
///
/// As [`scores_csv`].
pub fn differences_csv(record: &Record) -> Result<String> {
    view::validate(record)?;
    let mut out = format!("{DIFFERENCE_COLUMNS}\n");
    for (analysis_idx, analysis) in record.analyses.iter().enumerate() {
        let AnalysisRecord::Rsa(rsa) = analysis;
        let analysis = view::analysis_name(analysis_idx, analysis);
        let names: Vec<String> = rsa
            .predictors
            .iter()
            .map(|p| format!("{},{}", field(&p.model), field(&p.layer)))
            .collect();
        for target in &rsa.targets {
            let name = field(&target.name);
            for a in 0..names.len() {
                for b in a + 1..names.len() {
                    let values = view::estimate(target, a).zip(view::estimate(target, b));
                    let difference = number(values.map(|(a, b)| a.value - b.value));
                    let p = number(view::p_difference(target, a, b));
                    let _ = writeln!(
                        out,
                        "{analysis},{name},{},{},{difference},{p}",
                        names[a], names[b]
                    );
                }
            }
        }
    }
    Ok(out)
}

/// A text field, quoted where it must be.
fn field(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

fn number(value: Option<f64>) -> String {
    view::finite(value).map_or_else(String::new, |v| v.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_quoted_only_where_needed() {
        assert_eq!(field("human IT"), "human IT");
        assert_eq!(field("a,\"b\""), "\"a,\"\"b\"\"\"");
        assert_eq!(number(Some(f64::NAN)), "");
        assert_eq!(number(Some(0.1)), "0.1");
    }
}
