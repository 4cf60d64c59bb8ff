//! How the learning rate changes.

use std::f64::consts::PI;

use serde::Serialize;

/// Factor on the learning rate.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Default)]
#[serde(rename_all = "kebab-case")]
pub enum Schedule {
    /// 1 throughout.
    #[default]
    Constant,
    /// Multiplied by `factor` after every `epochs` epochs.
    Step {
        /// How often, in epochs.
        epochs: usize,
        /// By how much.
        factor: f64,
    },
    /// floor + (1 − floor) · ½ (1 + cos(π · step ÷ steps)): half a cosine over the whole training.
    Cosine {
        /// Where it ends.
        floor: f64,
    },
}

impl Schedule {
    /// The factor for step `step` of `n_steps` (from 0), which is in epoch `epoch` (from 0).
    #[must_use]
    pub fn factor(&self, epoch: usize, step: usize, n_steps: usize) -> f64 {
        match *self {
            Self::Constant => 1.0,
            Self::Step { epochs, factor } => factor.powf((epoch / epochs.max(1)) as f64),
            Self::Cosine { floor } => {
                let done = step as f64 / n_steps.max(1) as f64;
                floor + (1.0 - floor) * 0.5 * (1.0 + (PI * done).cos())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn factors_follow_their_definitions() {
        assert_eq!(Schedule::Constant.factor(7, 70, 100), 1.0);
        let step = Schedule::Step {
            epochs: 3,
            factor: 0.5,
        };
        assert_eq!(
            [0, 2, 3, 6].map(|epoch| step.factor(epoch, 0, 1)),
            [1.0, 1.0, 0.5, 0.25]
        );
        let cosine = Schedule::Cosine { floor: 0.2 };
        assert_eq!(cosine.factor(0, 0, 10), 1.0);
        assert!((cosine.factor(0, 5, 10) - 0.6).abs() < 1e-12);
        assert!((cosine.factor(0, 10, 10) - 0.2).abs() < 1e-12);
    }
}
