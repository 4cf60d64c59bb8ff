//! Heads without hidden layers, whose derivative is written out: a tape would cost them many times what they compute.

use burn_backend::{Shape, TensorData};
use burn_flex::FlexTensor;
use consilience_models::Graph;
use consilience_models::graph::{Attribute, Node};
use ndarray::{Array2, ArrayD, ArrayView2, Ix2};

use super::optimizer::{Gradients, Parameters};
use crate::error::{LearnError, Result};

/// A graph that is x·Wᵀ + b, perhaps through a sigmoid, of which W and b are trained.
pub(super) struct Linear {
    weight: String,
    bias: String,
    n_features: usize,
    is_sigmoid: bool,
}

impl Linear {
    /// `None` for any other graph.
    pub fn of(graph: &Graph, trained: &Parameters) -> Option<Self> {
        let (gemm, rest) = graph.nodes.split_first()?;
        let [input, weight, bias] = gemm.inputs.as_slice() else {
            return None;
        };
        let is_transposed = gemm.attributes.len() == 1
            && matches!(gemm.attributes.get("transB"), Some(Attribute::Int(1)));
        if gemm.op != "Gemm" || !is_transposed || *input != graph.inputs.first()?.name {
            return None;
        }
        let follows = |node: &Node| node.op == "Sigmoid" && node.inputs == gemm.outputs;
        let (last, is_sigmoid) = match rest {
            [] => (gemm, false),
            [node] if follows(node) => (node, true),
            _ => return None,
        };
        let [_, n_features] = *trained.get(weight)?.shape().as_slice() else {
            return None;
        };
        let n_outputs = trained.get(weight)?.shape()[0];
        let fits = trained.get(bias)?.shape() == [n_outputs]
            && graph.outputs.first() == last.outputs.first();
        fits.then(|| Self {
            weight: weight.clone(),
            bias: bias.clone(),
            n_features,
            is_sigmoid,
        })
    }

    /// A row of features for each sample.
    pub fn features(&self, inputs: ArrayD<f32>) -> Result<Array2<f32>> {
        let found = inputs.shape().to_vec();
        let features = inputs.into_dimensionality::<Ix2>().ok();
        let features = features.filter(|features| features.ncols() == self.n_features);
        features.ok_or_else(|| LearnError::ShapeMismatch {
            what: "the features of samples",
            expected: vec![found.first().copied().unwrap_or(0), self.n_features],
            found,
        })
    }

    /// Outputs, summed with 64 bits.
    pub fn outputs(&self, features: ArrayView2<'_, f32>, parameters: &Parameters) -> Array2<f32> {
        let (weights, biases) = (
            parameters[&self.weight].values(),
            parameters[&self.bias].values(),
        );
        let mut outputs = Array2::zeros((features.nrows(), biases.len()));
        for (x, mut row) in features.rows().into_iter().zip(outputs.rows_mut()) {
            let of_outputs = weights.chunks_exact(self.n_features.max(1)).zip(biases);
            for (output, (w, &b)) in row.iter_mut().zip(of_outputs) {
                let products = x.iter().zip(w).map(|(&x, &w)| f64::from(x) * f64::from(w));
                let sum = f64::from(b) + products.sum::<f64>();
                *output = match self.is_sigmoid {
                    true => (1.0 / (1.0 + (-sum).exp())) as f32,
                    false => sum as f32,
                };
            }
        }
        outputs
    }

    /// Derivatives by the weights, from those by the outputs.
    pub fn gradients(
        &self,
        features: ArrayView2<'_, f32>,
        outputs: &Array2<f32>,
        slopes: &Array2<f32>,
    ) -> Gradients {
        let n_outputs = outputs.ncols();
        let mut of_weights = vec![0.0; n_outputs * self.n_features];
        let mut of_biases = vec![0.0; n_outputs];
        for ((x, output), slope) in features
            .rows()
            .into_iter()
            .zip(outputs.rows())
            .zip(slopes.rows())
        {
            for k in 0..n_outputs {
                let inner = match self.is_sigmoid {
                    true => output[k] * (1.0 - output[k]),
                    false => 1.0,
                };
                let slope = slope[k] * inner;
                of_biases[k] += slope;
                let of_output = &mut of_weights[k * self.n_features..(k + 1) * self.n_features];
                of_output
                    .iter_mut()
                    .zip(&x)
                    .for_each(|(sum, x)| *sum += slope * x);
            }
        }
        let tensor = |values: Vec<f32>, shape: Vec<usize>| {
            FlexTensor::from_data(TensorData::new(values, Shape::from(shape)))
        };
        let of_weights = tensor(of_weights, vec![n_outputs, self.n_features]);
        Gradients::from([
            (self.weight.clone(), of_weights),
            (self.bias.clone(), tensor(of_biases, vec![n_outputs])),
        ])
    }
}
