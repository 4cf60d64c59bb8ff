//! The methods of Object2Brain: full sentences that can stand in a paper.

use consilience_core::{ObjectsRecord, Record};

use super::changes;
use crate::{
    methods,
    view::{coefficient, count, listed, plural},
};

/// One paragraph for each step of the analysis.
pub(super) fn paragraphs(record: &Record, objects: &ObjectsRecord) -> Vec<String> {
    vec![
        sensitivity(record, objects),
        lesions(objects),
        inference(objects),
        methods::software(&record.provenance),
    ]
}

fn sensitivity(record: &Record, objects: &ObjectsRecord) -> String {
    let settings = &objects.settings;
    let categories: Vec<String> = objects
        .categories
        .iter()
        .map(|c| format!("{} ({})", c.name, plural_classes(c.classes.len())))
        .collect();
    let mut out = format!(
        "Objects in the stimuli were taken from {} (score at least {}) and grouped into the categories {}.",
        settings.boxes,
        settings.min_score,
        listed(&categories)
    );
    out.push_str(&methods::activations(record, &changes::models(objects)));
    let sign = match settings.sign.as_str() {
        "positive" => "its positive part",
        "absolute" => "its absolute value",
        "signed" => "with its sign",
        other => other,
    };
    let scaling = match settings.scaling.as_str() {
        "none" => "not scaled".to_owned(),
        "max" => format!(
            "divided by the largest value of each {}",
            settings.scale_over
        ),
        "min-max" => format!("scaled to 0…1 over each {}", settings.scale_over),
        other => format!("scaled by {other} over each {}", settings.scale_over),
    };
    let summary = match settings.summary.as_str() {
        "mean" => "the mean of the map inside it",
        "max" => "the maximum of the map inside it",
        "share" => "the share of the map’s sum that lies inside it",
        other => other,
    };
    out.push_str(&format!(
        " The map of a filter is its Grad-CAM map for the rating ({sign}), {scaling}. A box is as important to the \
         filter as {summary}; of several boxes of a class the {} counts. The sensitivity of a filter to a class is the \
         mean over the {} that show it, for classes with at least {}.",
        match settings.over_boxes.as_str() {
            "max" => "largest value",
            "mean" => "mean",
            other => other,
        },
        match &settings.elsewhere {
            None => "stimuli".to_owned(),
            Some(elsewhere) => format!("pictures of another set ({elsewhere})"),
        },
        match &settings.elsewhere {
            None => methods::n_stimuli(settings.min_images),
            Some(_) => plural(settings.min_images, "picture"),
        }
    ));
    out.push_str(&format!(
        " A filter belongs to a category when its sensitivity is {} {}.",
        settings.cut,
        match settings.classes.as_str() {
            "any" => "for any of its classes",
            "mean" => "on average over its classes",
            other => other,
        }
    ));
    out
}

/// `"1 class"`, `"12 classes"`.
fn plural_classes(n: usize) -> String {
    if n == 1 {
        "1 class".to_owned()
    } else {
        format!("{} classes", count(n))
    }
}

fn lesions(objects: &ObjectsRecord) -> String {
    let settings = &objects.settings;
    let left = match settings.lesion.as_str() {
        "zero" => "set to zero",
        "mean" => "set to their mean over the stimuli",
        other => other,
    };
    let network = match settings.network.as_str() {
        "cut" => "the networks that end at the layer",
        "whole" => "the whole networks, which end in the heads of their last layer,",
        other => other,
    };
    let subsets: Vec<String> = objects
        .subsets
        .iter()
        .map(|s| format!("{} ({})", s.name, count(s.n_stimuli)))
        .collect();
    format!(
        "The outputs of a category’s filters were {left} in {network}, whose heads stayed as they were, and the change of \
         the correlation ({}) of their ratings with {} was taken, for each run and then on average, over these stimuli: {}.",
        coefficient(&settings.correlation),
        listed(
            &objects
                .targets
                .iter()
                .map(|t| t.name.as_str())
                .collect::<Vec<_>>()
        ),
        listed(&subsets)
    )
}

fn inference(objects: &ObjectsRecord) -> String {
    let settings = &objects.settings;
    if settings.random_sets == 0 {
        return "Changes were not compared with those of random filters.".to_owned();
    }
    let how = match changes::p_source(objects) {
        Some("FDR-corrected") => "corrected over all changes, controlling the false discovery rate",
        Some("family-wise corrected") => {
            "corrected over all changes, controlling the family-wise error rate"
        }
        _ => "not corrected for their number",
    };
    format!(
        "Each change was compared with those of {} of equally many filters, drawn from all filters of the layer \
         (two-sided). The p-values were {how}; results with p < {} are called significant.{}",
        plural(settings.random_sets, "random set"),
        settings.alpha,
        match settings.permutations {
            0 => String::new(),
            n => format!(
                " Whether a target that has nothing to do with the stimuli would show the same was tested by {} of its values \
                 (p_permutation in the table).",
                plural(n, "permutation")
            ),
        }
    )
}
