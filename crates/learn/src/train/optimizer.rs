//! How weights follow their gradients.

use serde::Serialize;

/// A rule that turns a gradient into a step.
///
/// # Peers
///
/// PyTorch `optim.SGD`, `optim.Adam` and `optim.AdamW` with the same settings.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Optimizer {
    /// v ← μ v + g + λ w; w ← w − η v.
    Sgd {
        /// μ.
        momentum: f64,
        /// λ.
        weight_decay: f64,
    },
    /// Adaptive moments; the decay is part of the gradient.
    Adam {
        /// Decay of the mean and of the mean square.
        betas: [f64; 2],
        /// Added to the root of the mean square.
        epsilon: f64,
        /// λ.
        weight_decay: f64,
    },
    /// Adaptive moments; the decay w ← w − η λ w is a step of its own.
    AdamW {
        /// Decay of the mean and of the mean square.
        betas: [f64; 2],
        /// Added to the root of the mean square.
        epsilon: f64,
        /// λ.
        weight_decay: f64,
    },
}

impl Optimizer {
    /// Stochastic gradient descent with momentum 0.9.
    #[must_use]
    pub fn sgd() -> Self {
        Self::Sgd {
            momentum: 0.9,
            weight_decay: 0.0,
        }
    }

    /// Adam with PyTorch's defaults.
    #[must_use]
    pub fn adam() -> Self {
        Self::Adam {
            betas: [0.9, 0.999],
            epsilon: 1e-8,
            weight_decay: 0.0,
        }
    }

    /// AdamW with PyTorch's defaults.
    #[must_use]
    pub fn adam_w() -> Self {
        Self::AdamW {
            betas: [0.9, 0.999],
            epsilon: 1e-8,
            weight_decay: 0.01,
        }
    }

    /// One step, the `step`-th from 1; both moments begin as zeros.
    pub(super) fn update(
        &self,
        weights: &mut [f32],
        gradient: &[f32],
        moments: &mut [Vec<f32>; 2],
        step: u64,
        rate: f64,
    ) {
        let [first, second] = moments;
        let values = weights.iter_mut().zip(gradient).zip(first).zip(second);
        for (((w, &g), m), v) in values {
            let (weight, mut g) = (f64::from(*w), f64::from(g));
            *w = match *self {
                Self::Sgd {
                    momentum,
                    weight_decay,
                } => {
                    *m = (momentum * f64::from(*m) + g + weight_decay * weight) as f32;
                    weight - rate * f64::from(*m)
                }
                Self::Adam {
                    betas,
                    epsilon,
                    weight_decay,
                } => {
                    g += weight_decay * weight;
                    weight - rate * adaptive(g, m, v, betas, epsilon, step)
                }
                Self::AdamW {
                    betas,
                    epsilon,
                    weight_decay,
                } => {
                    let decayed = weight - rate * weight_decay * weight;
                    decayed - rate * adaptive(g, m, v, betas, epsilon, step)
                }
            } as f32;
        }
    }
}

/// The mean gradient over the root of its mean square, both freed of their start at zero.
fn adaptive(g: f64, m: &mut f32, v: &mut f32, betas: [f64; 2], epsilon: f64, step: u64) -> f64 {
    let [beta1, beta2] = betas;
    *m = (beta1 * f64::from(*m) + (1.0 - beta1) * g) as f32;
    *v = (beta2 * f64::from(*v) + (1.0 - beta2) * g * g) as f32;
    let steps = step as f64;
    let mean = f64::from(*m) / (1.0 - beta1.powf(steps));
    let square = f64::from(*v) / (1.0 - beta2.powf(steps));
    mean / (square.sqrt() + epsilon)
}
