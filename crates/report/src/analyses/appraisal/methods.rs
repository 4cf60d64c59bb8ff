//! The methods of an appraisal: full sentences that can stand in a paper.

use consilience_core::{AppraisalRecord, DifferenceOf, Record};

use super::scores;
use crate::{
    methods,
    view::{coefficient, corrected, count, listed, plural, score},
};

/// One paragraph for each step of the analysis.
pub(super) fn paragraphs(record: &Record, appraisal: &AppraisalRecord) -> Vec<String> {
    vec![
        ratings(record, appraisal),
        targets(appraisal),
        inference(appraisal),
        methods::software(&record.provenance),
    ]
}

fn ratings(record: &Record, appraisal: &AppraisalRecord) -> String {
    let settings = &appraisal.settings;
    let names = scores::models(appraisal);
    let cuts: Vec<String> = names
        .iter()
        .map(|model| {
            let of = appraisal.raters.iter().filter(|r| r.model == *model);
            let layers: Vec<&str> = of.map(|r| r.layer.as_str()).collect();
            format!("{model} at {}", listed(&layers))
        })
        .collect();
    let mut out = format!(
        "Heads with one output on frozen, cut networks rated the stimuli; networks were cut at {}: {}.",
        plural(appraisal.raters.len(), "layer"),
        cuts.join("; ")
    );
    out.push_str(&methods::activations(record, &names));
    let inputs = match settings.pool.as_str() {
        "mean" => "the mean of each feature map",
        "none" => "all activations of the layer",
        other => other,
    };
    let head = match settings.head.as_str() {
        "linear" => "a linear unit",
        "sigmoid" => "a linear unit with a sigmoid that ends at the ends of the rating scale",
        other => other,
    };
    let loss = match settings.loss.as_str() {
        "mse" => "the mean squared error",
        "weighted-mse" => {
            "the squared error, weighted so that rare ratings count as much as common ones"
        }
        "huber" => "the Huber loss",
        other => other,
    };
    out.push_str(&format!(
        " Each head, {head} on {inputs}, learnt {} with {loss} as its loss.",
        settings.trained_on
    ));
    if let Some([low, high]) = settings.scale {
        out.push_str(&format!(
            " The rating scale goes from {} to {}.",
            end(low),
            end(high)
        ));
    }
    out.push_str(&format!(
        " Ratings are predictions by {}, in {} with seeds of their own.",
        settings.validation,
        plural(settings.runs, "run")
    ));
    out
}

/// An end of a scale without needless decimals.
fn end(value: f64) -> String {
    crate::scale::signed(&value.to_string())
}

fn targets(appraisal: &AppraisalRecord) -> String {
    let of: Vec<String> = appraisal
        .targets
        .iter()
        .map(|t| {
            let who = t.n_subjects.map(|n| plural(n, "subject"));
            let simulated = if t.is_simulated {
                Some("simulated".to_owned())
            } else {
                None
            };
            let details: Vec<String> = who.into_iter().chain(simulated).collect();
            match details.is_empty() {
                true => t.name.clone(),
                false => format!("{} ({})", t.name, details.join(", ")),
            }
        })
        .collect();
    let subsets: Vec<String> = appraisal
        .subsets
        .iter()
        .map(|s| format!("{} ({})", s.name, count(s.n_stimuli)))
        .collect();
    let mut out = format!(
        "Ratings were correlated ({}) with {}, over these stimuli: {}.",
        coefficient(&appraisal.settings.correlation),
        listed(&of),
        listed(&subsets)
    );
    let ceilings: Vec<String> = appraisal
        .targets
        .iter()
        .filter_map(|t| Some((t, t.reliability?)))
        .map(|(t, r)| match r.ceiling {
            Some(ceiling) => format!("{} {} ({})", t.name, score(r.reliability), score(ceiling)),
            None => format!("{} {} (none)", t.name, score(r.reliability)),
        })
        .collect();
    if !ceilings.is_empty() {
        out.push_str(&format!(
            " The reliability of a target is Cronbach’s α of the mean over its raters or subjects; its root is the \
             ceiling, the best correlation that a perfect model can be expected to reach: {}.",
            listed(&ceilings)
        ));
    }
    out
}

fn inference(appraisal: &AppraisalRecord) -> String {
    let settings = &appraisal.settings;
    let mut out = "A correlation is stated as mean and standard deviation over runs; interval and p belong to the \
                   correlation of the mean rating over runs and hold for other stimuli, not for other raters."
        .to_owned();
    out.push_str(" p-values are two-sided, by Student’s t");
    if settings.permutations > 0 {
        out.push_str(&format!(
            " and by {} random permutations of the stimuli",
            count(settings.permutations)
        ));
    }
    out.push('.');
    let between = |of| scores::differences(appraisal, of).next().is_some();
    let compared: Vec<&str> = [
        between(DifferenceOf::Subsets).then_some("subsets"),
        between(DifferenceOf::Raters).then_some("raters"),
    ]
    .into_iter()
    .flatten()
    .collect();
    if !compared.is_empty() {
        out.push_str(&format!(
            " Correlations were compared between {} (two-sided, with 95 % intervals of the difference).",
            listed(&compared)
        ));
    }
    let how = match corrected(&settings.correction) {
        "FDR-corrected" => "corrected, controlling the false discovery rate",
        "family-wise corrected" => "corrected, controlling the family-wise error rate",
        _ => "not corrected for their number",
    };
    out.push_str(&format!(
        " The p-values were {how}; results with p < {} are called significant.",
        settings.alpha
    ));
    out
}
