//! The tidy tables of RSA.

use consilience_core::{Estimate, RsaRecord};

use super::scores;
use crate::{
    Table,
    analyses::Named,
    csv::{self, Rows, field, number},
};

pub(crate) const SCORES: &str = "scores.csv";

const SCORE_COLUMNS: &str = "analysis,target,kind,model,layer,layer_idx,n_features,score,sem,\
ci_low,ci_high,p,p_corrected,p_permutation,p_permutation_fwe,p_ceiling,ceiling_lower,\
ceiling_upper,n_subjects,n_conditions";

const DIFFERENCE_COLUMNS: &str =
    "analysis,target,model_a,layer_a,model_b,layer_b,difference,p_difference";

pub(crate) fn tables(analyses: &[Named<'_, RsaRecord>]) -> [Table; 2] {
    let mut all = Rows::new(SCORES, SCORE_COLUMNS);
    let mut pairs = Rows::new("differences.csv", DIFFERENCE_COLUMNS);
    for Named { name, record } in analyses {
        scores(&mut all, name, record);
        differences(&mut pairs, name, record);
    }
    [all.finish(), pairs.finish()]
}

fn scores(rows: &mut Rows, analysis: &str, rsa: &RsaRecord) {
    for target in &rsa.targets {
        let mut layer_idx = 0;
        for (idx, predictor) in rsa.predictors.iter().enumerate() {
            layer_idx = match idx.checked_sub(1).map(|before| &rsa.predictors[before]) {
                Some(before) if before.model == predictor.model => layer_idx + 1,
                _ => 0,
            };
            let estimate = target.scores[idx].estimate.as_ref();
            let get = |part: fn(&Estimate) -> Option<f64>| number(estimate.and_then(part));
            let end =
                |which: usize| number(estimate.and_then(|e| e.interval).map(|ends| ends[which]));
            rows.push(&[
                analysis.to_owned(),
                field(&target.name),
                csv::kind(target.kind),
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
            ]);
        }
    }
}

fn differences(rows: &mut Rows, analysis: &str, rsa: &RsaRecord) {
    let predictors = &rsa.predictors;
    for target in &rsa.targets {
        for (a, first) in predictors.iter().enumerate() {
            for (b, second) in predictors.iter().enumerate().skip(a + 1) {
                let values = scores::estimate(target, a).zip(scores::estimate(target, b));
                rows.push(&[
                    analysis.to_owned(),
                    field(&target.name),
                    field(&first.model),
                    field(&first.layer),
                    field(&second.model),
                    field(&second.layer),
                    number(values.map(|(a, b)| a.value - b.value)),
                    number(scores::p_difference(target, a, b)),
                ]);
            }
        }
    }
}
