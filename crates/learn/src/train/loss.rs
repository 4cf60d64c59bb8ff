//! What is minimised.

use ndarray::{Array1, ArrayView1};
use serde::Serialize;

use super::outputs::{OutputLoss, per_output};
use crate::error::{LearnError, Result};

/// How far an output is from its target; the mean over samples is minimised.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Loss {
    /// Mean over outputs of (o − t)².
    MeanSquared,
    /// Σ w (o − t)² ÷ Σ w, with a weight for each output.
    WeightedMeanSquared(Vec<f64>),
    /// Mean over outputs of ½ d² where d = |o − t| ≤ δ, else of δ (d − ½ δ).
    Huber {
        /// Where the square ends.
        delta: f64,
    },
    /// −Σ t ln softmax(o), where the target is a distribution over classes.
    CrossEntropy,
    /// Mean over outputs of −t ln σ(o) − (1 − t) ln(1 − σ(o)), with targets in 0…1.
    BinaryCrossEntropy,
    /// Σ w d(o − t) over outputs, each with a distance d of its own and a weight w that may change as training goes on.
    PerOutput(Vec<OutputLoss>),
}

impl Loss {
    /// The loss of one sample and its derivative with respect to the output, as at the beginning of training.
    ///
    /// # Errors
    ///
    /// [`LearnError::ShapeMismatch`] when the target, or the weights, are not as many as the outputs.
    ///
    /// # Example
    ///
    /// ```
    /// use consilience_learn::train::Loss;
    /// use ndarray::array;
    ///
    /// let (loss, derivative) =
    ///     Loss::MeanSquared.evaluate(array![1.0, 3.0].view(), array![0.0, 1.0].view())?;
    /// assert_eq!((loss, derivative), (2.5, array![1.0, 2.0]));
    /// # Ok::<(), consilience_learn::LearnError>(())
    /// ```
    ///
    /// # Peers
    ///
    /// PyTorch `MSELoss`, `HuberLoss`, `SmoothL1Loss`, `CrossEntropyLoss` and `BCEWithLogitsLoss` with their default
    /// means, to 1e-6.
    pub fn evaluate(
        &self,
        output: ArrayView1<'_, f32>,
        target: ArrayView1<'_, f32>,
    ) -> Result<(f64, Array1<f32>)> {
        self.evaluate_at(0.0, output, target)
    }

    /// [`Loss::evaluate`] when a share `progress` of the epochs is over, from 0 to below 1.
    ///
    /// # Errors
    ///
    /// As [`Loss::evaluate`].
    pub fn evaluate_at(
        &self,
        progress: f64,
        output: ArrayView1<'_, f32>,
        target: ArrayView1<'_, f32>,
    ) -> Result<(f64, Array1<f32>)> {
        let n = output.len();
        let mismatch = |what, found| LearnError::ShapeMismatch {
            what,
            expected: vec![n],
            found: vec![found],
        };
        if target.len() != n {
            return Err(mismatch("the target of a sample", target.len()));
        }
        let pairs = output
            .iter()
            .zip(&target)
            .map(|(&o, &t)| (f64::from(o), f64::from(t)));
        let mean = 1.0 / n.max(1) as f64;
        let parts: Vec<(f64, f64)> = match self {
            Self::MeanSquared => pairs.map(|(o, t)| squared(o - t, mean)).collect(),
            Self::WeightedMeanSquared(weights) => {
                if weights.len() != n {
                    return Err(mismatch("the weights of the loss", weights.len()));
                }
                let sum: f64 = weights.iter().sum();
                pairs
                    .zip(weights)
                    .map(|((o, t), w)| squared(o - t, w / sum))
                    .collect()
            }
            Self::Huber { delta } => pairs.map(|(o, t)| huber(o - t, *delta, mean)).collect(),
            Self::CrossEntropy => cross_entropy(output, target),
            Self::BinaryCrossEntropy => pairs
                .map(|(o, t)| {
                    // ln(1 + eᵒ) without overflow.
                    let softplus = o.max(0.0) + (-o.abs()).exp().ln_1p();
                    (
                        (softplus - t * o) * mean,
                        (1.0 / (1.0 + (-o).exp()) - t) * mean,
                    )
                })
                .collect(),
            Self::PerOutput(outputs) => {
                if outputs.len() != n {
                    return Err(mismatch("the losses of outputs", outputs.len()));
                }
                per_output(outputs, progress, pairs).collect()
            }
        };
        let loss = parts.iter().map(|(loss, _)| loss).sum();
        Ok((
            loss,
            parts
                .iter()
                .map(|&(_, derivative)| derivative as f32)
                .collect(),
        ))
    }
}

fn squared(d: f64, weight: f64) -> (f64, f64) {
    (weight * d * d, 2.0 * weight * d)
}

fn huber(d: f64, delta: f64, weight: f64) -> (f64, f64) {
    if d.abs() <= delta {
        (weight * 0.5 * d * d, weight * d)
    } else {
        (
            weight * delta * (d.abs() - 0.5 * delta),
            weight * delta * d.signum(),
        )
    }
}

fn cross_entropy(output: ArrayView1<'_, f32>, target: ArrayView1<'_, f32>) -> Vec<(f64, f64)> {
    let largest = output
        .iter()
        .fold(f64::NEG_INFINITY, |m, &o| m.max(f64::from(o)));
    let sum: f64 = output.iter().map(|&o| (f64::from(o) - largest).exp()).sum();
    let mass: f64 = target.iter().map(|&t| f64::from(t)).sum();
    output
        .iter()
        .zip(target)
        .map(|(&o, &t)| {
            let log = f64::from(o) - largest - sum.ln();
            (-f64::from(t) * log, mass * log.exp() - f64::from(t))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn derivatives_are_those_of_finite_differences() {
        let output = array![0.5_f32, -1.25, 2.0];
        let target = array![0.25_f32, 0.5, 0.25];
        let losses = [
            Loss::MeanSquared,
            Loss::WeightedMeanSquared(vec![1.0, 2.0, 0.5]),
            Loss::Huber { delta: 0.5 },
            Loss::CrossEntropy,
            Loss::BinaryCrossEntropy,
        ];
        for loss in losses {
            let (_, derivative) = loss.evaluate(output.view(), target.view()).unwrap();
            for k in 0..3 {
                let moved = |by: f32| {
                    let mut output = output.clone();
                    output[k] += by;
                    loss.evaluate(output.view(), target.view()).unwrap().0
                };
                let step = 1.0 / 1024.0;
                let difference = (moved(step) - moved(-step)) / f64::from(2.0 * step);
                assert!(
                    (difference - f64::from(derivative[k])).abs() < 1e-6,
                    "{loss:?} {k}"
                );
            }
        }
    }

    #[test]
    fn large_outputs_do_not_overflow() {
        let output = array![500.0_f32, -500.0];
        for loss in [Loss::CrossEntropy, Loss::BinaryCrossEntropy] {
            let (value, derivative) = loss
                .evaluate(output.view(), array![0.0, 1.0].view())
                .unwrap();
            assert!(
                value.is_finite() && derivative.iter().all(|d| d.is_finite()),
                "{loss:?}"
            );
        }
    }

    #[test]
    fn another_number_of_targets_is_refused() {
        let error = Loss::MeanSquared.evaluate(array![1.0].view(), array![1.0, 2.0].view());
        assert!(matches!(error, Err(LearnError::ShapeMismatch { .. })));
    }
}
