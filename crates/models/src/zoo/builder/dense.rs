//! Linear maps, normalisation and activation functions.

use super::{Builder, Value};
use crate::graph::Attribute;

/// An activation function.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in super::super) enum Activation {
    Relu,
    /// min(max(x, 0), 6).
    Relu6,
    /// x · sigmoid(x).
    Silu,
    HardSwish,
    /// min(max(x / 6 + ½, 0), 1).
    HardSigmoid,
    Sigmoid,
    /// ½ · x · (1 + erf(x / √2)), exact as torch's default.
    Gelu,
    /// x · sigmoid(1.702 x), as the first CLIP networks have it.
    QuickGelu,
    /// x or, below zero, x times the slope.
    LeakyRelu(f32),
}

impl Builder {
    /// An activation function as the module `module`.
    pub fn activation(&mut self, module: &str, x: &Value, activation: Activation) -> Value {
        let shape = x.shape.clone();
        let mut plain =
            |op, attributes: &[_]| self.module(module, op, &[x], attributes, shape.clone());
        match activation {
            Activation::Relu => plain("Relu", &[]),
            Activation::Sigmoid => plain("Sigmoid", &[]),
            Activation::HardSwish => plain("HardSwish", &[]),
            Activation::HardSigmoid => plain(
                "HardSigmoid",
                &[
                    ("alpha", Attribute::Float(1.0 / 6.0)),
                    ("beta", Attribute::Float(0.5)),
                ],
            ),
            Activation::LeakyRelu(slope) => {
                plain("LeakyRelu", &[("alpha", Attribute::Float(slope))])
            }
            Activation::Relu6 => {
                let (low, high) = (self.scalar(0.0), self.scalar(6.0));
                self.module(module, "Clip", &[x, &low, &high], &[], shape)
            }
            Activation::Silu => {
                let gate = self.helper(module, "sigmoid", "Sigmoid", &[x]);
                self.module(module, "Mul", &[x, &gate], &[], shape)
            }
            Activation::QuickGelu => {
                let factor = self.scalar(1.702);
                let scaled = self.helper(module, "scaled", "Mul", &[x, &factor]);
                let gate = self.helper(module, "sigmoid", "Sigmoid", &[&scaled]);
                self.module(module, "Mul", &[x, &gate], &[], shape)
            }
            Activation::Gelu => {
                let root = self.scalar(std::f32::consts::SQRT_2);
                let (one, half) = (self.scalar(1.0), self.scalar(0.5));
                let scaled = self.helper(module, "scaled", "Div", &[x, &root]);
                let erf = self.helper(module, "erf", "Erf", &[&scaled]);
                let above = self.helper(module, "above", "Add", &[&erf, &one]);
                let whole = self.helper(module, "whole", "Mul", &[x, &above]);
                self.module(module, "Mul", &[&whole, &half], &[], shape)
            }
        }
    }

    /// `PReLU` with a slope for each channel; key `{module}.weight`.
    pub fn prelu(&mut self, module: &str, x: &Value) -> Value {
        let channels = x.shape[0];
        let slope = self.parameter(&format!("{module}.weight"), vec![channels]);
        // ONNX lines slopes up with the last axis.
        let mut aligned = vec![1; x.shape.len()];
        aligned[0] = channels;
        let extents: Vec<i64> = aligned.iter().map(|&extent| extent as i64).collect();
        let extents = self.integers(&format!("{module}/extents"), &extents);
        let name = format!("{module}/slope");
        let slope = self.op(&name, "Reshape", &[&slope, &extents], &[], aligned);
        self.module(module, "PRelu", &[x, &slope], &[], x.shape.clone())
    }

    /// `BatchNorm1d` or `BatchNorm2d` outside of training; keys `{module}.weight`, `.bias`,
    /// `.running_mean`, `.running_var`.
    pub fn batch_norm(&mut self, module: &str, x: &Value, eps: f32) -> Value {
        let keys = ["weight", "bias", "running_mean", "running_var"];
        let [scale, bias, mean, variance] =
            keys.map(|key| self.parameter(&format!("{module}.{key}"), vec![x.shape[0]]));
        self.module(
            module,
            "BatchNormalization",
            &[x, &scale, &bias, &mean, &variance],
            &[("epsilon", Attribute::Float(eps))],
            x.shape.clone(),
        )
    }

    /// `LayerNorm` over the last axis; keys `{module}.weight`, `{module}.bias`.
    pub fn layer_norm(&mut self, module: &str, x: &Value, eps: f32) -> Value {
        let output = self.normalised(module, module, x, eps);
        self.container(module, &output);
        output
    }

    /// The operation of [`Builder::layer_norm`] as the tensor `tensor`, which is no layer.
    pub fn normalised(&mut self, tensor: &str, module: &str, x: &Value, eps: f32) -> Value {
        let width = x.shape[x.shape.len() - 1];
        let [scale, bias] =
            ["weight", "bias"].map(|key| self.parameter(&format!("{module}.{key}"), vec![width]));
        let attributes = [
            ("axis", Attribute::Int(-1)),
            ("epsilon", Attribute::Float(eps)),
        ];
        self.op(
            tensor,
            "LayerNormalization",
            &[x, &scale, &bias],
            &attributes,
            x.shape.clone(),
        )
    }

    /// `Linear` on the last axis of `(features)`, `(tokens, width)` or `(h, w, c)`; keys
    /// `{module}.weight` and, with bias, `{module}.bias`.
    pub fn linear(&mut self, module: &str, x: &Value, n_out: usize, bias: bool) -> Value {
        let n_in = x.shape[x.shape.len() - 1];
        let weight = self.parameter(&format!("{module}.weight"), vec![n_out, n_in]);
        let bias = bias.then(|| self.parameter(&format!("{module}.bias"), vec![n_out]));
        let output = self.affine(module, x, &weight, bias.as_ref());
        self.container(module, &output);
        output
    }

    /// x Wᵀ + b along the last axis, for a weight `(n_out, n_in)`, as the tensor `tensor`, which is
    /// no layer.
    pub fn affine(
        &mut self,
        tensor: &str,
        x: &Value,
        weight: &Value,
        bias: Option<&Value>,
    ) -> Value {
        let [n_out, n_in] = [weight.shape[0], weight.shape[1]];
        let attributes = [("transB", Attribute::Int(1))];
        let mut shape = x.shape.clone();
        *shape.last_mut().expect("features have an axis") = n_out;
        let is_vector = x.shape.len() == 1;
        let rows = if is_vector {
            x.clone()
        } else {
            self.reshape(&format!("{tensor}/rows"), x, vec![n_in])
        };
        let mut inputs = vec![&rows, weight];
        inputs.extend(bias);
        if is_vector {
            return self.op(tensor, "Gemm", &inputs, &attributes, shape);
        }
        let name = format!("{tensor}/gemm");
        let rows = self.op(&name, "Gemm", &inputs, &attributes, vec![n_out]);
        self.reshape(tensor, &rows, shape)
    }

    /// An operation inside a module, as wide as its first input.
    fn helper(&mut self, module: &str, name: &str, op: &str, inputs: &[&Value]) -> Value {
        let shape = inputs[0].shape.clone();
        self.op(&format!("{module}/{name}"), op, inputs, &[], shape)
    }
}
