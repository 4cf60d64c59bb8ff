//! What the reader of an analysis must know.

use consilience_experiments::visual_emotion::{Repeat, VisualEmotionError};
use consilience_methods::emotion::Bins;

use super::common::Study;
use super::trainings::Diverged;
use crate::StudyError;
use crate::file::KeyPath;
use crate::plan::{PlannedModule, PlannedSet};

/// Of what modules learn from, and how they are put together.
pub fn on_modules(study: &Study<'_>) -> Vec<String> {
    let sets = study.planned.training.iter().flat_map(|t| &t.sets);
    let mut notes: Vec<String> = sets.flat_map(PlannedSet::notes).collect();
    if study.planned.training.is_none() {
        notes.push("Activations of all stimuli are those of the modules of all folds, which begin with the same weights: unit i of one is taken for unit i of the others.".to_owned());
    }
    if study.planned.reads_tokens() {
        for &model in &study.planned.models {
            let model = &study.prepared.plan.models[model];
            let Some(layer) = model.layers.last() else {
                continue;
            };
            notes.push(format!(
                "Modules on {} read {} tokens of {} channels each; units and ratings of a stimulus are means over tokens. Ridge regression and the RDM of {} read the mean over tokens.",
                model.name, layer.tokens.n(), layer.tokens.n_channels, model.name
            ));
        }
    }
    notes
}

/// Of how their numbers are to be read.
pub fn on_numbers(study: &Study<'_>, n_modules: usize, n_repeats: usize) -> Vec<String> {
    let mut notes = Vec::new();
    if n_modules > 1 && n_repeats > 1 {
        notes.push("Comparisons of modules are over repeats, which share the stimuli: their p says whether other initial weights and folds would give the same, and nothing of other stimuli.".to_owned());
    }
    if study.planned.training.is_none() {
        notes.push("Predictions of different folds come from different modules; what these differ in on average lowers correlations over all stimuli.".to_owned());
    }
    notes
}

/// Of bins without enough stimuli, and stimuli without a bin.
pub fn on_bins(bins: &Bins) -> Vec<String> {
    let mut notes = Vec::new();
    let left_out: Vec<String> = (bins.left_out().into_iter())
        .map(|bin| format!("{} ({})", bins.names[bin], bins.counts[bin]))
        .collect();
    if !left_out.is_empty() {
        notes.push(format!(
            "Bins with fewer than {} stimuli were left out: {}.",
            bins.min_items,
            left_out.join(", ")
        ));
    }
    if bins.n_between() > 0 {
        notes.push(format!(
            "{} stimuli lie in a gap between edges and belong to no bin.",
            bins.n_between()
        ));
    }
    notes
}

/// Of trainings that are judged best before they began.
pub fn on_untrained(
    study: &Study<'_>,
    module: &PlannedModule,
    repeats: &[Repeat],
) -> Option<String> {
    let epochs: Vec<usize> = repeats.iter().flat_map(|r| r.epochs.clone()).collect();
    let learning = &study.planned.learning;
    let found = learning.untrained(&epochs, "`epoch = \"last\"`")?;
    Some(format!("{}: {found}.", study.label(module)))
}

/// Of a repeat that is left out.
pub fn on_diverged(study: &Study<'_>, module: &PlannedModule, diverged: &Diverged) -> String {
    format!(
        "{}: repeat {} (seed {}) diverged in epoch {} at a learning rate of {} and was left out",
        study.label(module),
        diverged.repeat + 1,
        study.repeats[diverged.repeat].0,
        diverged.epoch,
        diverged.learning_rate,
    )
}

/// Why nothing is left of a module.
pub fn all_diverged(
    study: &Study<'_>,
    module: &PlannedModule,
    diverged: &[Diverged],
) -> StudyError {
    let source = VisualEmotionError::AllDiverged {
        module: study.label(module),
        epoch: diverged.first().map_or(0, |d| d.epoch),
        learning_rate: diverged.first().map_or(0.0, |d| d.learning_rate),
    };
    StudyError::Invalid {
        key: KeyPath::root("analysis")
            .index(study.idx)
            .key("learning-rate"),
        message: source.to_string(),
    }
}
