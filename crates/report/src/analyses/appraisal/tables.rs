//! The tidy tables of an appraisal.

use consilience_core::{AppraisalRecord, DifferenceOf, StimulusRecord};

use crate::{
    Table,
    analyses::Named,
    csv::{self, Rows, field, number},
};

const CORRELATIONS: &str = "analysis,model,layer,layer_idx,is_whole,target,kind,simulated,subset,n_stimuli,n_runs,\
r_mean,r_sd,r,ci_low,ci_high,p,p_permutation,p_corrected,p_ceiling,reliability,ceiling,note";

const DIFFERENCES: &str = "analysis,of,target,model_a,layer_a,subset_a,model_b,layer_b,subset_b,difference,ci_low,\
ci_high,p,p_corrected,note";

pub(crate) fn tables(
    analyses: &[Named<'_, AppraisalRecord>],
    stimuli: &[StimulusRecord],
    main: &str,
) -> [Table; 5] {
    let mut all = Rows::new(main, CORRELATIONS);
    let mut pairs = Rows::new("correlation_differences.csv", DIFFERENCES);
    let mut ratings = Rows::new(
        "predictions.csv",
        "analysis,model,layer,run,seed,stimulus,prediction",
    );
    let mut raters = Rows::new(
        "raters.csv",
        "analysis,model,layer,layer_idx,is_whole,n_features,run,seed,mae,r,r2",
    );
    let mut targets = Rows::new(
        "targets.csv",
        "analysis,stimulus,target,kind,simulated,value",
    );
    for Named { name, record } in analyses {
        correlations(&mut all, name, record);
        differences(&mut pairs, name, record);
        predictions(&mut ratings, name, record, stimuli);
        runs(&mut raters, name, record);
        values(&mut targets, name, record, stimuli);
    }
    [all, pairs, ratings, raters, targets].map(Rows::finish)
}

/// 0-based place of a rater within its model.
fn layer_idx(appraisal: &AppraisalRecord, rater: usize) -> usize {
    let model = &appraisal.raters[rater].model;
    let before = appraisal.raters[..rater].iter();
    before.filter(|r| r.model == *model).count()
}

fn correlations(rows: &mut Rows, analysis: &str, appraisal: &AppraisalRecord) {
    for c in &appraisal.correlations {
        let rater = &appraisal.raters[c.rater];
        let target = &appraisal.targets[c.target];
        rows.push(&[
            analysis.to_owned(),
            field(&rater.model),
            field(&rater.layer),
            layer_idx(appraisal, c.rater).to_string(),
            rater.is_whole.to_string(),
            field(&target.name),
            csv::kind(target.kind),
            target.is_simulated.to_string(),
            field(&appraisal.subsets[c.subset].name),
            c.n.to_string(),
            c.runs.len().to_string(),
            number(c.mean),
            number(c.sd),
            number(c.of_mean),
            number(c.interval.map(|ends| ends[0])),
            number(c.interval.map(|ends| ends[1])),
            number(c.p),
            number(c.p_permutation),
            number(c.p_corrected),
            number(c.p_ceiling),
            number(target.reliability.map(|r| r.reliability)),
            number(target.reliability.and_then(|r| r.ceiling)),
            field(c.note.as_deref().unwrap_or("")),
        ]);
    }
}

fn differences(rows: &mut Rows, analysis: &str, appraisal: &AppraisalRecord) {
    for d in &appraisal.differences {
        let (of, [first, second]) = match d.of {
            DifferenceOf::Subsets => ("subsets", [(d.within, d.first), (d.within, d.second)]),
            DifferenceOf::Raters => ("raters", [(d.first, d.within), (d.second, d.within)]),
        };
        let side = |(rater, subset): (usize, usize)| {
            let rater = &appraisal.raters[rater];
            let subset = &appraisal.subsets[subset].name;
            [&rater.model, &rater.layer, subset].map(|name| field(name))
        };
        let mut fields = vec![
            analysis.to_owned(),
            of.to_owned(),
            field(&appraisal.targets[d.target].name),
        ];
        fields.extend(side(first));
        fields.extend(side(second));
        fields.extend([
            number(d.difference),
            number(d.interval.map(|ends| ends[0])),
            number(d.interval.map(|ends| ends[1])),
            number(d.p),
            number(d.p_corrected),
            field(d.note.as_deref().unwrap_or("")),
        ]);
        rows.push(&fields);
    }
}

fn predictions(
    rows: &mut Rows,
    analysis: &str,
    appraisal: &AppraisalRecord,
    stimuli: &[StimulusRecord],
) {
    for rater in &appraisal.raters {
        for (run, of) in rater.runs.iter().enumerate() {
            for (stimulus, rating) in stimuli.iter().zip(&of.predictions) {
                rows.push(&[
                    analysis.to_owned(),
                    field(&rater.model),
                    field(&rater.layer),
                    (run + 1).to_string(),
                    of.seed.to_string(),
                    field(&stimulus.id),
                    number(Some(*rating)),
                ]);
            }
        }
    }
}

fn runs(rows: &mut Rows, analysis: &str, appraisal: &AppraisalRecord) {
    for (idx, rater) in appraisal.raters.iter().enumerate() {
        for (run, of) in rater.runs.iter().enumerate() {
            rows.push(&[
                analysis.to_owned(),
                field(&rater.model),
                field(&rater.layer),
                layer_idx(appraisal, idx).to_string(),
                rater.is_whole.to_string(),
                rater.n_features.to_string(),
                (run + 1).to_string(),
                of.seed.to_string(),
                number(Some(of.mae)),
                number(of.r),
                number(of.r2),
            ]);
        }
    }
}

fn values(
    rows: &mut Rows,
    analysis: &str,
    appraisal: &AppraisalRecord,
    stimuli: &[StimulusRecord],
) {
    for target in &appraisal.targets {
        for (stimulus, value) in stimuli.iter().zip(&target.values) {
            rows.push(&[
                analysis.to_owned(),
                field(&stimulus.id),
                field(&target.name),
                csv::kind(target.kind),
                target.is_simulated.to_string(),
                number(Some(*value)),
            ]);
        }
    }
}
