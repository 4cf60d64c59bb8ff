//! How a network is trained.

use consilience_models::nuclei::Dropout;
use serde::Serialize;

use super::{Loss, Optimizer, Schedule, Selection};
use crate::error::{LearnError, Result};

/// How a network is trained.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TrainParams {
    /// What is minimised. Default [`Loss::MeanSquared`].
    pub loss: Loss,
    /// How weights follow their gradients. Default [`Optimizer::adam`].
    pub optimizer: Optimizer,
    /// Length of a step. Default 1e-3.
    pub learning_rate: f64,
    /// How the length changes. Default [`Schedule::Constant`].
    pub schedule: Schedule,
    /// Steps in which the learning rate rises linearly to its value. Default 0.
    pub warm_up: usize,
    /// Passes over the samples. Default 10.
    pub epochs: usize,
    /// Samples in a step; the last one of an epoch may have fewer. Default 32.
    pub batch: usize,
    /// Whether samples come in another order in every epoch. Default true.
    pub shuffle: bool,
    /// Seed of the order. Default 0.
    pub seed: u64,
    /// Share of the values of each input that are dropped at random in training; the others are multiplied
    /// with 1 ÷ (1 − share), and validation and what comes later take all. Default 0.
    pub dropout: f64,
    /// Tensors inside the network of which a share of the values, or of neighbouring groups of values, is dropped in
    /// training, with the others enlarged as for [`TrainParams::dropout`]; a module of nuclei names
    /// [its own](consilience_models::nuclei::Module::dropped). Default none.
    pub dropped: Vec<Dropout>,
    /// Samples that go through the network together; a result's last bits depend on it. Each piece of a step holds a
    /// gradient of its own, so large networks need large pieces. Default 8.
    pub piece: usize,
    /// Keys of the weights that are trained; one that ends in `*` stands for all that begin so.
    /// Default `["*"]`: all, statistics of batch normalisation excepted.
    pub trained: Vec<String>,
    /// Which epoch's weights are taken. Default [`Selection::SmallestLoss`].
    pub selection: Selection,
    /// Epochs without a better one, by [`TrainParams::selection`], after which training stops. Default `None`: never.
    pub patience: Option<usize>,
}

impl Default for TrainParams {
    fn default() -> Self {
        Self {
            loss: Loss::MeanSquared,
            optimizer: Optimizer::adam(),
            learning_rate: 1e-3,
            schedule: Schedule::Constant,
            warm_up: 0,
            epochs: 10,
            batch: 32,
            shuffle: true,
            seed: 0,
            dropout: 0.0,
            dropped: Vec::new(),
            piece: 8,
            trained: vec!["*".to_owned()],
            selection: Selection::SmallestLoss,
            patience: None,
        }
    }
}

impl TrainParams {
    pub(super) fn validate(&self) -> Result<()> {
        for (what, count) in [
            ("the number of samples in a step", self.batch),
            ("the number of samples in a piece", self.piece),
        ] {
            if count == 0 {
                return Err(LearnError::Parameter {
                    what,
                    expected: "at least 1",
                    found: 0.0,
                });
            }
        }
        if !(self.learning_rate.is_finite() && self.learning_rate > 0.0) {
            return Err(LearnError::Parameter {
                what: "the learning rate",
                expected: "positive",
                found: self.learning_rate,
            });
        }
        let inside = self.dropped.iter().map(|dropped| dropped.share);
        for share in inside.chain([self.dropout]) {
            if !(0.0..1.0).contains(&share) {
                return Err(LearnError::Parameter {
                    what: "the share of values that are dropped",
                    expected: "at least 0 and below 1",
                    found: share,
                });
            }
        }
        if let Loss::PerOutput(outputs) = &self.loss {
            for output in outputs {
                output.validate()?;
            }
        }
        Ok(())
    }

    /// Whether the weights `key` are trained.
    pub(super) fn trains(&self, key: &str) -> bool {
        self.trained
            .iter()
            .any(|pattern| match pattern.strip_suffix('*') {
                Some(start) => key.starts_with(start),
                None => key == pattern,
            })
    }

    /// Share of the epochs that is over in epoch `epoch`, from 0.
    pub(super) fn progress(&self, epoch: usize) -> f64 {
        epoch as f64 / self.epochs.max(1) as f64
    }

    /// Learning rate of step `step`, from 0.
    pub(super) fn rate(&self, step: usize, steps_per_epoch: usize) -> f64 {
        let warm = ((step + 1) as f64 / self.warm_up.max(1) as f64).min(1.0);
        let factor = self.schedule.factor(step, steps_per_epoch, self.epochs);
        self.learning_rate * factor * warm
    }
}
