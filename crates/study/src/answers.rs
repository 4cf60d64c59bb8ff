//! What analyses of ratings found, in a sentence each.

use consilience_core::{
    AppraisalRecord, EmotionRecord, LesionEffect, ObjectsRecord, RatingCorrelation,
};

use crate::run::listed;

/// How well whole networks follow each target over all stimuli.
pub fn of_appraisal(record: &AppraisalRecord) -> String {
    let parts: Vec<String> = (0..record.targets.len())
        .map(|target| {
            let best = record
                .correlations
                .iter()
                .filter(|c| c.subset == 0 && c.target == target)
                .filter(|c| record.raters[c.rater].is_whole)
                .filter_map(|c| Some((c.mean?, c)))
                .max_by(|a, b| a.0.total_cmp(&b.0));
            let target = &record.targets[target];
            let name = match target.is_simulated {
                true => format!("{} (simulated)", target.name),
                false => target.name.clone(),
            };
            match best {
                None => format!("{name} by none (see the notes)"),
                Some((mean, cell)) => format!(
                    "{name} by {} (r = {mean:.2}{})",
                    record.raters[cell.rater].model,
                    p_of(cell)
                ),
            }
        })
        .collect();
    format!(
        "Of whole networks that learnt {}, the ratings follow best: {}.",
        record.settings.trained_on,
        listed(&parts)
    )
}

fn p_of(cell: &RatingCorrelation) -> String {
    p_clause(cell.p_corrected.or(cell.p_permutation).or(cell.p))
}

fn p_clause(p: Option<f64>) -> String {
    match p {
        Some(p) if p < 0.001 => ", p < 0.001".to_owned(),
        Some(p) => format!(", p = {p:.3}"),
        None => String::new(),
    }
}

/// The effect of a category that stands out most from random filters in the last layers.
pub fn of_objects(record: &ObjectsRecord) -> String {
    let in_last = |effect: &&LesionEffect| record.layers[effect.layer].is_last;
    // Filters that go together do more than random ones to any target; then permuted targets tell.
    let alpha = record.settings.alpha;
    let would_others_do = |effect: &&LesionEffect| effect.p_permutation.is_some_and(|p| p >= alpha);
    let tested = record.effects.iter().filter(in_last);
    let tested = tested.filter(|effect| !would_others_do(effect));
    let least = tested
        .filter_map(|effect| Some((effect.p_corrected?, effect.delta?, effect)))
        .min_by(|a, b| a.0.total_cmp(&b.0).then(b.1.abs().total_cmp(&a.1.abs())));
    match least {
        Some((p, delta, effect)) if p < alpha => format!(
            "Without the filters for {}, the correlation of {} with {} over {} stimuli {} by {:.2} ({:.0} filters of {}{}).",
            record.categories[effect.category].name,
            record.layers[effect.layer].model,
            record.targets[effect.target].name,
            record.subsets[effect.subset].name,
            if delta < 0.0 { "falls" } else { "rises" },
            delta.abs(),
            effect.n_filters,
            record.layers[effect.layer].n_filters,
            p_clause(Some(p)),
        ),
        _ => "No category's filters change a correlation more than random filters and permuted targets explain."
            .to_owned(),
    }
}

/// How well the main module predicts, beside ridge regression on the same features.
pub fn of_emotion(record: &EmotionRecord) -> String {
    let Some(main) = record.modules.get(record.main) else {
        return String::new();
    };
    let baseline = record.baselines.iter().find(|b| b.encoder == main.encoder);
    let number = |r: Option<f64>| r.map_or_else(|| "no number".to_owned(), |r| format!("{r:.2}"));
    let parts: Vec<String> = record
        .ratings
        .iter()
        .enumerate()
        .map(|(rating, of)| {
            let ridge = baseline.and_then(|b| b.scores.get(rating));
            let ridge = match ridge {
                Some(scores) => format!(" (ridge on the same features {})", number(scores.r)),
                None => String::new(),
            };
            let r = main.after.get(rating).and_then(|scores| scores.r);
            format!("{} with r = {}{ridge}", of.name, number(r))
        })
        .collect();
    format!(
        "{} predicts {} of stimuli that it did not learn from.",
        main.label(),
        listed(&parts)
    )
}
