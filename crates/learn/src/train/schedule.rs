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
    /// Straight lines from `start` before training to 1 after `rise` epochs and to `floor` after `fall` epochs, where it
    /// stays; every step has its own factor.
    CyclicPlateau {
        /// Where it begins.
        start: f64,
        /// Epochs until it is 1.
        rise: f64,
        /// Epochs until it is `floor`; at least `rise`.
        fall: f64,
        /// Where it ends.
        floor: f64,
    },
}

impl Schedule {
    /// The factor for step `step` (from 0) of a training of `epochs` epochs of `steps_per_epoch` steps.
    #[must_use]
    pub fn factor(&self, step: usize, steps_per_epoch: usize, epochs: usize) -> f64 {
        let per_epoch = steps_per_epoch.max(1);
        match *self {
            Self::Constant => 1.0,
            Self::Step { epochs, factor } => factor.powf((step / per_epoch / epochs.max(1)) as f64),
            Self::Cosine { floor } => {
                let done = step as f64 / (per_epoch * epochs).max(1) as f64;
                floor + (1.0 - floor) * 0.5 * (1.0 + (PI * done).cos())
            }
            Self::CyclicPlateau {
                start,
                rise,
                fall,
                floor,
            } => {
                let epochs = step as f64 / per_epoch as f64;
                if epochs < rise {
                    start + (1.0 - start) * (epochs / rise)
                } else if epochs < fall {
                    1.0 + (floor - 1.0) * ((epochs - rise) / (fall - rise))
                } else {
                    floor
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn factors_follow_their_definitions() {
        assert_eq!(Schedule::Constant.factor(70, 10, 10), 1.0);
        let step = Schedule::Step {
            epochs: 3,
            factor: 0.5,
        };
        assert_eq!(
            [0, 5, 6, 12].map(|at| step.factor(at, 2, 10)),
            [1.0, 1.0, 0.5, 0.25]
        );
        let cosine = Schedule::Cosine { floor: 0.2 };
        assert_eq!(cosine.factor(0, 5, 2), 1.0);
        assert!((cosine.factor(5, 5, 2) - 0.6).abs() < 1e-12);
        assert!((cosine.factor(10, 5, 2) - 0.2).abs() < 1e-12);
    }

    #[test]
    fn a_plateau_is_reached_by_straight_lines() {
        let plateau = Schedule::CyclicPlateau {
            start: 1e-4,
            rise: 5.0,
            fall: 30.0,
            floor: 0.01,
        };
        // Ten steps an epoch.
        let at = |epochs: f64| plateau.factor((epochs * 10.0) as usize, 10, 50);
        for (epochs, expected) in [
            (0.0, 1e-4),
            (0.1, 1e-4 + 0.02 * 0.9999),
            (2.5, 0.50005),
            (5.0, 1.0),
            (17.5, 0.505),
            (29.9, 0.01 + 0.99 * 0.004),
            (30.0, 0.01),
            (49.9, 0.01),
        ] {
            assert!((at(epochs) - expected).abs() < 1e-12, "{epochs}");
        }
        let immediate = Schedule::CyclicPlateau {
            start: 0.5,
            rise: 0.0,
            fall: 0.0,
            floor: 0.25,
        };
        assert_eq!(immediate.factor(0, 10, 50), 0.25);
    }
}
