//! How weights follow their gradients.

use std::collections::BTreeMap;

use burn_backend::{Shape, TensorData, TensorMetadata};
use burn_flex::FlexTensor;
use ndarray::{ArrayD, IxDyn};
use rayon::prelude::*;
use serde::Serialize;

use crate::value::array;

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

    /// Moments of a gradient that are kept.
    pub(super) fn n_moments(&self) -> usize {
        match self {
            Self::Sgd { .. } => 1,
            Self::Adam { .. } | Self::AdamW { .. } => 2,
        }
    }

    /// One step, the `step`-th from 1, along the sum of the gradients of `pieces`; moments begin as zeros.
    ///
    /// Each number is moved by itself, so the parts that threads take do not matter.
    pub(super) fn step(
        &self,
        parameters: &mut Parameters,
        pieces: &[Gradients],
        step: u64,
        rate: f64,
    ) {
        let mut parts = Vec::new();
        for (key, parameter) in parameters.iter_mut() {
            let of_pieces: Vec<&[f32]> = pieces
                .iter()
                .filter_map(|piece| piece.get(key))
                .map(|gradient| gradient.as_slice().expect("gradients are contiguous"))
                .collect();
            if of_pieces.is_empty() {
                continue;
            }
            let mut moments: Vec<_> = parameter
                .moments
                .iter_mut()
                .map(|moment| moment.chunks_mut(PART))
                .collect();
            let values = parameter.values.storage_mut::<f32>().chunks_mut(PART);
            for (idx, values) in values.enumerate() {
                let range = idx * PART..idx * PART + values.len();
                let gradients = of_pieces.iter().map(|of_piece| &of_piece[range.clone()]);
                parts.push(Part {
                    values,
                    moments: moments.iter_mut().filter_map(Iterator::next).collect(),
                    gradients: gradients.collect(),
                });
            }
        }
        match parts.len() {
            0..=MANY => parts
                .iter_mut()
                .for_each(|part| self.update(part, step, rate)),
            _ => parts
                .par_iter_mut()
                .for_each(|part| self.update(part, step, rate)),
        }
    }

    fn update(&self, part: &mut Part<'_>, step: u64, rate: f64) {
        let Part {
            values,
            moments,
            gradients,
        } = part;
        let mut sum = Vec::new();
        let gradient: &[f32] = match gradients.as_slice() {
            [only] => only,
            [first, rest @ ..] => {
                sum.extend_from_slice(first);
                for piece in rest {
                    sum.iter_mut().zip(*piece).for_each(|(s, g)| *s += g);
                }
                &sum
            }
            [] => return,
        };
        let values = values.iter_mut().zip(gradient);
        match (*self, moments.as_mut_slice()) {
            (
                Self::Sgd {
                    momentum,
                    weight_decay,
                },
                [first],
            ) => {
                for ((w, &g), m) in values.zip(first.iter_mut()) {
                    let weight = f64::from(*w);
                    *m = (momentum * f64::from(*m) + f64::from(g) + weight_decay * weight) as f32;
                    *w = (weight - rate * f64::from(*m)) as f32;
                }
            }
            (
                Self::Adam {
                    betas,
                    epsilon,
                    weight_decay,
                },
                [first, second],
            ) => {
                for (((w, &g), m), v) in values.zip(first.iter_mut()).zip(second.iter_mut()) {
                    let weight = f64::from(*w);
                    let g = f64::from(g) + weight_decay * weight;
                    *w = (weight - rate * adaptive(g, m, v, betas, epsilon, step)) as f32;
                }
            }
            (
                Self::AdamW {
                    betas,
                    epsilon,
                    weight_decay,
                },
                [first, second],
            ) => {
                for (((w, &g), m), v) in values.zip(first.iter_mut()).zip(second.iter_mut()) {
                    let weight = f64::from(*w);
                    let decayed = weight - rate * weight_decay * weight;
                    let g = f64::from(g);
                    *w = (decayed - rate * adaptive(g, m, v, betas, epsilon, step)) as f32;
                }
            }
            _ => unreachable!("a parameter has the moments of its optimiser"),
        }
    }
}

/// Numbers that one thread moves at a time.
const PART: usize = 1 << 14;
/// Parts for which other threads need not be woken.
const MANY: usize = 4;

/// Gradients by key, contiguous.
pub(super) type Gradients = BTreeMap<String, FlexTensor>;

/// Neighbouring numbers of a tensor with what moves them.
struct Part<'a> {
    values: &'a mut [f32],
    moments: Vec<&'a mut [f32]>,
    gradients: Vec<&'a [f32]>,
}

/// A trained tensor and the state of the optimiser.
#[derive(Clone)]
pub(super) struct Parameter {
    /// Contiguous; copies share the numbers until one is changed.
    values: FlexTensor,
    pub moments: Vec<Vec<f32>>,
}

/// Trained tensors by key.
pub(super) type Parameters = BTreeMap<String, Parameter>;

impl Parameter {
    pub fn new(shape: &[usize], values: Vec<f32>, n_moments: usize) -> Self {
        let moments = vec![vec![0.0; values.len()]; n_moments];
        let data = TensorData::new(values, Shape::from(shape.to_vec()));
        Self {
            values: FlexTensor::from_data(data),
            moments,
        }
    }

    pub fn shape(&self) -> Vec<usize> {
        self.values.shape().to_vec()
    }

    pub fn values(&self) -> &[f32] {
        self.values.storage()
    }

    pub fn values_mut(&mut self) -> &mut [f32] {
        self.values.storage_mut()
    }

    /// The numbers, shared.
    pub fn tensor(&self) -> FlexTensor {
        self.values.clone()
    }

    pub fn to_array(&self) -> ArrayD<f32> {
        ArrayD::from_shape_vec(IxDyn(&self.shape()), self.values().to_vec())
            .expect("values fill their shape")
    }

    pub fn into_array(self) -> ArrayD<f32> {
        array(self.values)
    }
}

/// The weights alone, which share their numbers until training goes on.
pub(super) fn without_moments(parameters: &Parameters) -> Parameters {
    let bare = |parameter: &Parameter| Parameter {
        values: parameter.values.clone(),
        moments: Vec::new(),
    };
    parameters
        .iter()
        .map(|(key, parameter)| (key.clone(), bare(parameter)))
        .collect()
}

pub(super) fn are_finite(parameters: &Parameters) -> bool {
    let mut all = parameters.values();
    all.all(|parameter| parameter.values().iter().all(|value| value.is_finite()))
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
