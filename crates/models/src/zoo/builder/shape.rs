//! Operations that are no modules: sums, products, joining, cutting and turning. Axes are those of
//! one image's value, so axis 0 of a map is its channels.

use super::{Builder, Value};
use crate::graph::Attribute;

impl Builder {
    /// `a` + `b`, a parameter or constant coming second and stretched to `a`.
    pub fn add(&mut self, tensor: &str, a: &Value, b: &Value) -> Value {
        self.op(tensor, "Add", &[a, b], &[], stretched(a, b))
    }

    /// `a` · `b` element by element, a parameter or constant coming second and stretched to `a`.
    pub fn mul(&mut self, tensor: &str, a: &Value, b: &Value) -> Value {
        self.op(tensor, "Mul", &[a, b], &[], stretched(a, b))
    }

    /// Joins values along an axis.
    pub fn concat(&mut self, tensor: &str, inputs: &[&Value], axis: usize) -> Value {
        let mut shape = inputs[0].shape.clone();
        shape[axis] = inputs.iter().map(|input| input.shape[axis]).sum();
        self.op(
            tensor,
            "Concat",
            inputs,
            &[("axis", behind_batch(axis))],
            shape,
        )
    }

    /// All values of an image in one axis.
    pub fn flatten(&mut self, tensor: &str, x: &Value) -> Value {
        let n_features = x.shape.iter().product();
        // One position is left by pooling over whatever was there; several are a matter of size.
        if x.shape[1..].iter().any(|&extent| extent != 1) {
            self.fix_size();
        }
        let axis = [("axis", Attribute::Int(1))];
        self.op(tensor, "Flatten", &[x], &axis, vec![n_features])
    }

    /// The values in the same order with another shape. What is over goes to the batch axis: rows of
    /// `(n_images · tokens, width)` come from `(tokens, width)` by asking for `(width)`.
    pub fn reshape(&mut self, tensor: &str, x: &Value, shape: Vec<usize>) -> Value {
        self.fix_size();
        let extents: Vec<i64> = std::iter::once(-1)
            .chain(shape.iter().map(|&extent| extent as i64))
            .collect();
        let extents = self.integers(&format!("{tensor}/shape"), &extents);
        self.op(tensor, "Reshape", &[x, &extents], &[], shape)
    }

    /// The axes in another order: axis i of the outcome is axis `order[i]` of `x`.
    pub fn transpose(&mut self, tensor: &str, x: &Value, order: &[usize]) -> Value {
        let shape = order.iter().map(|&axis| x.shape[axis]).collect();
        let order = std::iter::once(0)
            .chain(order.iter().map(|&axis| axis as i64 + 1))
            .collect();
        let attributes = [("perm", Attribute::Ints(order))];
        self.op(tensor, "Transpose", &[x], &attributes, shape)
    }

    /// Positions `from` up to, but without, `to` of an axis.
    pub fn slice(&mut self, tensor: &str, x: &Value, axis: usize, from: usize, to: usize) -> Value {
        let mut shape = x.shape.clone();
        shape[axis] = to - from;
        let [from, to, axis] = [
            ("from", from as i64),
            ("to", to as i64),
            ("axis", axis as i64 + 1),
        ]
        .map(|(name, value)| self.integers(&format!("{tensor}/{name}"), &[value]));
        self.op(tensor, "Slice", &[x, &from, &to, &axis], &[], shape)
    }

    /// Rows `from` up to, but without, `to` of a parameter.
    pub fn rows(&mut self, tensor: &str, parameter: &Value, from: usize, to: usize) -> Value {
        let mut shape = parameter.shape.clone();
        shape[0] = to - from;
        let [from, to, axis] = [("from", from), ("to", to), ("axis", 0)]
            .map(|(name, value)| self.integers(&format!("{tensor}/{name}"), &[value as i64]));
        self.op(tensor, "Slice", &[parameter, &from, &to, &axis], &[], shape)
    }
}

fn behind_batch(axis: usize) -> Attribute {
    Attribute::Int(axis as i64 + 1)
}

/// The shape of `a` with its axes of extent 1 stretched to those of `b`, lined up at the last axis.
fn stretched(a: &Value, b: &Value) -> Vec<usize> {
    let mut shape = a.shape.clone();
    for (extent, other) in shape.iter_mut().rev().zip(b.shape.iter().rev()) {
        if *extent == 1 {
            *extent = *other;
        }
    }
    shape
}
