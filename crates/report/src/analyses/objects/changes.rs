//! What figures, tables and sentences of Object2Brain share: which number stands for what, and names.

use consilience_core::{LesionEffect, ObjectsRecord};

use crate::view::{corrected, distinct, finite, simulated_sentence};

/// The effect of one lesion on one correlation.
pub(super) fn effect(
    objects: &ObjectsRecord,
    layer: usize,
    category: usize,
    subset: usize,
    target: usize,
) -> &LesionEffect {
    let row = layer * objects.categories.len() + category;
    let row = row * objects.subsets.len() + subset;
    &objects.effects[row * objects.targets.len() + target]
}

/// The p-value that decides whether a change is called larger than that of random filters: the corrected one, else the
/// test's own.
pub(super) fn p(effect: &LesionEffect) -> Option<f64> {
    finite(effect.p_corrected).or(finite(effect.p_random))
}

/// Where the p-values of [`p`] come from, in words; `None` when there are none.
pub(super) fn p_source(objects: &ObjectsRecord) -> Option<&'static str> {
    let any = |p: fn(&LesionEffect) -> Option<f64>| objects.effects.iter().any(|e| p(e).is_some());
    if any(|e| finite(e.p_corrected)) {
        Some(corrected(&objects.settings.correction))
    } else if any(p) {
        Some("uncorrected")
    } else {
        None
    }
}

/// Whether random filters do less, and a target that has nothing to do with the stimuli would not show the same. The
/// first alone is not enough where filters of a category go together.
pub(super) fn is_significant(objects: &ObjectsRecord, effect: &LesionEffect) -> bool {
    let is_small = |p: f64| p < objects.settings.alpha;
    p(effect).is_some_and(is_small) && finite(effect.p_permutation).is_none_or(is_small)
}

/// Model names in study order.
pub(super) fn models(objects: &ObjectsRecord) -> Vec<&str> {
    distinct(objects.layers.iter().map(|l| l.model.as_str()))
}

/// Positions of the layers of a model.
pub(super) fn layers_of(objects: &ObjectsRecord, model: &str) -> Vec<usize> {
    let layers = objects.layers.iter().enumerate();
    layers
        .filter(|(_, l)| l.model == model)
        .map(|(idx, _)| idx)
        .collect()
}

/// Positions of the last layer of each model.
pub(super) fn last_layers(objects: &ObjectsRecord) -> Vec<usize> {
    let layers = objects.layers.iter().enumerate();
    layers
        .filter(|(_, l)| l.is_last)
        .map(|(idx, _)| idx)
        .collect()
}

/// A mean number of filters: whole numbers without decimals.
pub(super) fn n_filters(n: f64) -> String {
    if n.fract() == 0.0 {
        format!("{n:.0}")
    } else {
        format!("{n:.1}")
    }
}

/// Which targets are simulated, in one sentence.
pub(super) fn simulated(objects: &ObjectsRecord) -> Option<String> {
    let names = objects.targets.iter().filter(|t| t.is_simulated);
    simulated_sentence(&names.map(|t| t.name.as_str()).collect::<Vec<_>>())
}
