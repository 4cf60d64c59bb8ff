//! Losses of which each output has its own.

use serde::{Deserialize, Serialize};

use crate::error::{LearnError, Result};

/// How far an output is from its target.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Distance {
    /// d².
    Squared,
    /// ½ d² ÷ β where |d| < β, else |d| − ½ β.
    SmoothL1 {
        /// Where the square ends; positive.
        beta: f64,
    },
}

/// A weight and the progress until which it counts.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Phase {
    /// Share of the epochs that are over, below which the weight counts.
    pub until: f64,
    /// The weight.
    pub weight: f64,
}

/// The loss of one output.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct OutputLoss {
    /// How far it is from its target.
    pub distance: Distance,
    /// What the distance is multiplied with in the end.
    pub weight: f64,
    /// Other weights before, in the order in which they end.
    pub before: Vec<Phase>,
}

impl OutputLoss {
    /// The weight in an epoch before which the share `progress` of all epochs is over.
    ///
    /// # Definition
    ///
    /// That of the first phase with progress < until, else the last one. Epoch e of n, from 0, has progress e ÷ n.
    ///
    /// # Example
    ///
    /// Liu et al. 2025 weigh arousal so:
    ///
    /// ```
    /// use consilience_learn::train::{Loss, TrainParams};
    ///
    /// let Loss::PerOutput(outputs) = TrainParams::release2026().loss else {
    ///     unreachable!("the release weighs arousal and valence")
    /// };
    /// let weights = [0.0, 15.0, 35.0].map(|epoch| outputs[0].weight_at(epoch / 50.0));
    /// assert_eq!(weights, [0.7, 0.6, 0.5]);
    /// ```
    #[must_use]
    pub fn weight_at(&self, progress: f64) -> f64 {
        let phase = self.before.iter().find(|phase| progress < phase.until);
        phase.map_or(self.weight, |phase| phase.weight)
    }

    pub(super) fn validate(&self) -> Result<()> {
        if let Distance::SmoothL1 { beta } = self.distance
            && !(beta.is_finite() && beta > 0.0)
        {
            return Err(LearnError::Parameter {
                what: "where the square of a smooth L1 loss ends",
                expected: "positive",
                found: beta,
            });
        }
        let weights = self.before.iter().map(|phase| phase.weight);
        for weight in weights.chain([self.weight]) {
            if !(weight.is_finite() && weight >= 0.0) {
                return Err(LearnError::Parameter {
                    what: "the weight of an output's loss",
                    expected: "a finite number of at least 0",
                    found: weight,
                });
            }
        }
        Ok(())
    }
}

impl Distance {
    /// The distance and its derivative.
    fn of(self, d: f64) -> (f64, f64) {
        match self {
            Self::Squared => (d * d, 2.0 * d),
            Self::SmoothL1 { beta } if d.abs() < beta => (0.5 * d * d / beta, d / beta),
            Self::SmoothL1 { beta } => (d.abs() - 0.5 * beta, d.signum()),
        }
    }
}

/// Loss and derivative of each of the `pairs` of output and target.
pub(super) fn per_output<'a>(
    outputs: &'a [OutputLoss],
    progress: f64,
    pairs: impl Iterator<Item = (f64, f64)> + 'a,
) -> impl Iterator<Item = (f64, f64)> + 'a {
    pairs.zip(outputs).map(move |((o, t), output)| {
        let (value, derivative) = output.distance.of(o - t);
        let weight = output.weight_at(progress);
        (weight * value, weight * derivative)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::Loss;
    use ndarray::array;

    #[test]
    fn distances_are_their_definitions() {
        let smooth = Distance::SmoothL1 { beta: 0.5 };
        assert_eq!(smooth.of(0.25), (0.0625, 0.5));
        assert_eq!(smooth.of(-0.5), (0.25, -1.0));
        assert_eq!(smooth.of(2.0), (1.75, 1.0));
        assert_eq!(Distance::Squared.of(-3.0), (9.0, -6.0));
    }

    #[test]
    fn weights_end_when_their_phase_does() {
        let output = OutputLoss {
            distance: Distance::Squared,
            weight: 3.0,
            before: vec![
                Phase {
                    until: 0.25,
                    weight: 1.0,
                },
                Phase {
                    until: 0.5,
                    weight: 2.0,
                },
            ],
        };
        let weights = [0.0, 0.2, 0.25, 0.4, 0.5, 0.99].map(|p| output.weight_at(p));
        assert_eq!(weights, [1.0, 1.0, 2.0, 2.0, 3.0, 3.0]);
        let loss = Loss::PerOutput(vec![output.clone(), output]);
        let (output, target) = (array![1.0, 0.0], array![0.0, 2.0]);
        let at = |progress| {
            loss.evaluate_at(progress, output.view(), target.view())
                .unwrap()
        };
        assert_eq!(at(0.0), (5.0, array![2.0, -4.0]));
        assert_eq!(at(0.3), (10.0, array![4.0, -8.0]));
        assert!(
            loss.evaluate(array![1.0].view(), array![1.0].view())
                .is_err()
        );
    }
}
