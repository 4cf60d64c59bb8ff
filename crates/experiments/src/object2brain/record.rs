//! The outcome of a layer as a record keeps it.

use consilience_core::{CategoryImportance, LesionEffect};

use super::LayerOutcome;

impl LayerOutcome {
    /// Effects for a record: an entry for each category, subset and target, in that order (targets run fastest).
    ///
    /// `layer` is the position of the layer in the record. Corrected p are those over this layer; correct over all layers where there
    /// are several.
    #[must_use]
    pub fn record_effects(&self, layer: usize) -> Vec<LesionEffect> {
        let categories = self.categories.iter().enumerate();
        let of_category = |(category, outcome): (usize, &super::CategoryOutcome)| {
            let n_filters = outcome.mean_n_filters();
            let effects = outcome.effects.indexed_iter();
            let of_effect =
                |((subset, target), effect): ((usize, usize), &super::CategoryEffect)| {
                    let test = effect.test.ok();
                    LesionEffect {
                        layer,
                        category,
                        subset,
                        target,
                        n_filters,
                        n_runs: effect.runs.iter().flatten().count(),
                        r: effect.r.map(|r| r.mean),
                        r_lesioned: effect.r_lesioned.map(|r| r.mean),
                        delta: effect.delta.map(|delta| delta.mean),
                        delta_sd: effect.delta.and_then(|delta| delta.sd),
                        p_random: test.map(|test| test.p),
                        p_corrected: test.and_then(|test| test.p_corrected),
                        p_permutation: effect.p_target,
                        random_mean: test.map(|test| test.mean),
                        random_sd: test.and_then(|test| test.sd),
                        note: effect.note(),
                    }
                };
            effects.map(of_effect).collect::<Vec<_>>()
        };
        categories.flat_map(of_category).collect()
    }

    /// Importance of each category for a record.
    #[must_use]
    pub fn record_importance(&self, layer: usize) -> Vec<CategoryImportance> {
        let categories = self.categories.iter().enumerate();
        categories
            .map(|(category, outcome)| CategoryImportance {
                layer,
                category,
                mean: outcome.importance.mean,
                sd: outcome.importance.sd,
                n_stimuli: outcome.importance.n_images,
            })
            .collect()
    }
}
