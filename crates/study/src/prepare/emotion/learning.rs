//! Presets of training, and what a study changes of them.

use consilience_experiments::visual_emotion::Learning;
use consilience_learn::train::{Loss, Optimizer, Schedule, TrainParams};
use consilience_models::preprocess::Augmentation;

use super::super::invalid;
use crate::Result;
use crate::file::{EmotionOptions, KeyPath};

/// Momentum of `sgd`.
const MOMENTUM: f64 = 0.9;

/// How a module that rates `n_ratings` times (valence, arousal) learns by these options, and what they change of their preset, in words.
///
/// # Errors
///
/// [`StudyError::Invalid`](crate::StudyError::Invalid) for the first option that cannot be.
pub fn module_learning(
    options: &EmotionOptions,
    n_ratings: usize,
) -> Result<(Vec<String>, Learning)> {
    learning(options, &KeyPath::root("module"), n_ratings)
}

/// What was changed of the preset, in words, and what comes of it.
pub(super) fn learning(
    options: &EmotionOptions,
    key: &KeyPath,
    n_ratings: usize,
) -> Result<(Vec<String>, Learning)> {
    let of = |name: &str| key.clone().key(name);
    let mut params = preset(&options.preset, n_ratings).ok_or_else(|| {
        invalid(
            &of("preset"),
            &format!(
                "no preset is called {:?}; there is: release2026, paper2025",
                options.preset
            ),
        )
    })?;
    let mut changes = Vec::new();
    if let Some(epochs) = options.epochs {
        params.epochs = at_least_one(epochs, &of("epochs"))?;
        changes.push(format!("{epochs} epochs"));
    }
    if let Some(batch) = options.batch {
        params.batch = at_least_one(batch, &of("batch"))?;
        changes.push(format!("batch {batch}"));
    }
    if let Some(rate) = options.learning_rate {
        if !(rate.is_finite() && rate > 0.0) {
            return Err(invalid(
                &of("learning-rate"),
                &format!("the learning rate is {rate}, expected a number above 0"),
            ));
        }
        params.learning_rate = rate;
        changes.push(format!("learning rate {rate}"));
    }
    if let Some(schedule) = &options.schedule {
        params.schedule = match schedule.as_str() {
            "constant" => Schedule::Constant,
            "cosine" => Schedule::Cosine { floor: 0.0 },
            other => {
                return Err(invalid(
                    &of("schedule"),
                    &format!("no schedule is called {other:?}; there is: constant, cosine"),
                ));
            }
        };
        changes.push(format!("{schedule} schedule"));
    }
    if let Some(decay) = options.weight_decay
        && !(decay.is_finite() && decay >= 0.0)
    {
        return Err(invalid(
            &of("weight-decay"),
            &format!("the weight decay is {decay}, expected a number of at least 0"),
        ));
    }
    if let Some(name) = &options.optimiser {
        params.optimizer = optimiser(name, decay_of(&params.optimizer)).ok_or_else(|| {
            invalid(
                &of("optimiser"),
                &format!("no optimiser is called {name:?}; there is: sgd, adam, adam-w"),
            )
        })?;
        changes.push(name.clone());
    }
    if let Some(decay) = options.weight_decay {
        let (Optimizer::Sgd { weight_decay, .. }
        | Optimizer::Adam { weight_decay, .. }
        | Optimizer::AdamW { weight_decay, .. }) = &mut params.optimizer;
        *weight_decay = decay;
        changes.push(format!("weight decay {decay}"));
    }
    if let Some(loss) = &options.loss {
        params.loss = match loss.as_str() {
            "mse" => Loss::MeanSquared,
            "huber" => Loss::Huber { delta: 1.0 },
            other => {
                return Err(invalid(
                    &of("loss"),
                    &format!("no loss is called {other:?}; there is: mse, huber"),
                ));
            }
        };
        changes.push(format!("{loss} loss"));
    }
    if let Some(patience) = options.patience {
        params.patience = Some(patience);
        changes.push(format!("stops after {patience} epochs without improvement"));
    }
    if !options.dropout {
        changes.push("no dropout".to_owned());
    }
    let last_epoch = match options.epoch.as_str() {
        "best" => false,
        "last" => true,
        other => {
            return Err(invalid(
                &of("epoch"),
                &format!("the epoch is {other:?}, expected best or last"),
            ));
        }
    };
    if last_epoch {
        changes.push("weights of the last epoch".to_owned());
    }
    if options.standardise {
        changes.push("z-scored features".to_owned());
    }
    if options.standardise_ratings {
        changes.push("z-scored ratings".to_owned());
    }
    let learning = Learning {
        params,
        standardise: options.standardise,
        last_epoch,
        standardise_ratings: options.standardise_ratings,
    };
    Ok((changes, learning))
}

/// Views that a published training is seen in: those of the text of 2025, or of the program of 2026.
#[must_use]
pub fn module_augmentation(preset: &str) -> Augmentation {
    match preset {
        "paper2025" => Augmentation::paper2025(),
        _ => Augmentation::default(),
    }
}

fn at_least_one(found: usize, key: &KeyPath) -> Result<usize> {
    match found {
        0 => Err(invalid(key, "0, expected at least 1")),
        found => Ok(found),
    }
}

/// A published training of valence and, if there are two ratings, arousal.
fn preset(name: &str, n_ratings: usize) -> Option<TrainParams> {
    let mut params = match name {
        "paper2025" => TrainParams::paper2025(),
        "release2026" => TrainParams::release2026(),
        _ => return None,
    };
    // The release has arousal first; valence is what a single rating is.
    if let Loss::PerOutput(outputs) = &mut params.loss {
        outputs.reverse();
        outputs.truncate(n_ratings);
    }
    Some(params)
}

fn decay_of(optimizer: &Optimizer) -> f64 {
    let (Optimizer::Sgd { weight_decay, .. }
    | Optimizer::Adam { weight_decay, .. }
    | Optimizer::AdamW { weight_decay, .. }) = *optimizer;
    weight_decay
}

fn optimiser(name: &str, weight_decay: f64) -> Option<Optimizer> {
    let (betas, epsilon) = ([0.9, 0.999], 1e-8);
    match name {
        "sgd" => Some(Optimizer::Sgd {
            momentum: MOMENTUM,
            weight_decay,
        }),
        "adam" => Some(Optimizer::Adam {
            betas,
            epsilon,
            weight_decay,
        }),
        "adam-w" => Some(Optimizer::AdamW {
            betas,
            epsilon,
            weight_decay,
        }),
        _ => None,
    }
}
