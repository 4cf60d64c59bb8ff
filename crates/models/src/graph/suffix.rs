//! What a network does after one of its tensors.

use std::collections::BTreeSet;

use super::{Graph, Input};
use crate::suggest::nearest;
use crate::{ModelError, Result};

impl Graph {
    /// The part of the network after `tensor`, which becomes its input: the counterpart of [`Graph::cut`].
    ///
    /// # Shapes
    ///
    /// `shape` is that of one image's value of the tensor, `(channels, height, width)` for a map; the input takes `(n, …)`.
    ///
    /// # Definition
    ///
    /// Kept are the operations on which the outputs depend and which depend on `tensor` or on constants only, and the layers' names among
    /// their tensors. The outputs of the rest, fed with the value of `tensor`, are those of the whole.
    ///
    /// # Errors
    ///
    /// [`ModelError::UnknownLayer`] for a tensor that is not there. [`ModelError::Bypassed`] when the outputs need other tensors before it too, as inside
    /// a residual block, whose input is added to its output; take the output of the block or group.
    pub fn suffix(&self, tensor: &str, shape: &[usize]) -> Result<Graph> {
        let inputs = || self.inputs.iter().map(|input| input.name.as_str());
        let made: Vec<&str> = self
            .nodes
            .iter()
            .flat_map(|node| node.outputs.iter().map(String::as_str))
            .chain(inputs())
            .collect();
        if !made.contains(&tensor) {
            return Err(ModelError::UnknownLayer {
                pattern: tensor.to_owned(),
                nearest: nearest(tensor, made, 3),
            });
        }
        let of_images = self.after(inputs());
        let of_tensor = self.after(std::iter::once(tensor));
        let mut needed: BTreeSet<&str> = self.outputs.iter().map(String::as_str).collect();
        let mut kept = vec![false; self.nodes.len()];
        let mut bypassing = Vec::new();
        for (node, kept) in self.nodes.iter().zip(&mut kept).rev() {
            let outputs = || node.outputs.iter().map(String::as_str);
            // What is made from the images alone is not computed, but has to be given.
            let before = |name: &str| of_images.contains(name) && !of_tensor.contains(name);
            bypassing.extend(outputs().filter(|name| needed.contains(name) && before(name)));
            let is_needed = |name: &str| name != tensor && needed.contains(name) && !before(name);
            if outputs().any(is_needed) {
                *kept = true;
                needed.extend(node.inputs.iter().map(String::as_str));
            }
        }
        bypassing.extend(inputs().filter(|name| *name != tensor && needed.contains(name)));
        if !bypassing.is_empty() {
            bypassing.reverse();
            return Err(ModelError::Bypassed {
                layer: self.name_of(tensor),
                by: bypassing
                    .into_iter()
                    .map(|name| self.name_of(name))
                    .collect(),
            });
        }
        let mut suffix = Graph {
            inputs: vec![Input {
                name: tensor.to_owned(),
                shape: std::iter::once(None)
                    .chain(shape.iter().copied().map(Some))
                    .collect(),
            }],
            nodes: self.nodes_where(&kept),
            ..self.clone()
        };
        suffix
            .initialisers
            .retain(|name, _| needed.contains(name.as_str()));
        suffix
            .layers
            .retain(|layer| of_tensor.contains(layer.tensor.as_str()));
        suffix
            .layouts
            .retain(|name, _| of_tensor.contains(name.as_str()));
        Ok(suffix)
    }

    /// Tensors that depend on any of those given, and these.
    fn after<'a>(&'a self, given: impl Iterator<Item = &'a str>) -> BTreeSet<&'a str> {
        let mut found: BTreeSet<&str> = given.collect();
        for node in &self.nodes {
            if node.inputs.iter().any(|name| found.contains(name.as_str())) {
                let outputs = node.outputs.iter().filter(|name| !name.is_empty());
                found.extend(outputs.map(String::as_str));
            }
        }
        found
    }

    /// The first name of a tensor among the layers, or its own.
    fn name_of(&self, tensor: &str) -> String {
        let layer = self.layers.iter().find(|layer| layer.tensor == tensor);
        layer.map_or_else(|| tensor.to_owned(), |layer| layer.name.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::{Layer, Node, Tensor};

    /// x → a → b, and c = a + b + w, d = c.
    fn residual() -> Graph {
        let node = |op: &str, inputs: &[&str], output: &str| Node {
            op: op.into(),
            inputs: inputs.iter().map(|&name| name.to_owned()).collect(),
            outputs: vec![output.into()],
            ..Node::default()
        };
        let tensor = Tensor::from_f32(vec![1], &[0.5]).unwrap();
        Graph {
            inputs: vec![Input {
                name: "x".into(),
                ..Input::default()
            }],
            nodes: vec![
                node("Relu", &["x"], "a"),
                node("Sigmoid", &["a"], "b"),
                node("Neg", &["w"], "minus_w"),
                node("Sum", &["a", "b", "minus_w"], "c"),
                node("Tanh", &["c"], "d"),
            ],
            initialisers: [("w".to_owned(), tensor)].into(),
            outputs: vec!["d".into()],
            layers: [("block.relu", "a"), ("block", "c"), ("end", "d")]
                .map(|(name, tensor)| Layer {
                    name: name.into(),
                    tensor: tensor.into(),
                })
                .to_vec(),
            ..Graph::default()
        }
    }

    fn ops(graph: &Graph) -> Vec<&str> {
        graph.nodes.iter().map(|node| node.op.as_str()).collect()
    }

    #[test]
    fn a_suffix_keeps_what_follows_and_its_constants() {
        let after_a = residual().suffix("a", &[4, 2, 2]).unwrap();
        assert_eq!(ops(&after_a), ["Sigmoid", "Neg", "Sum", "Tanh"]);
        assert_eq!(after_a.inputs[0].name, "a");
        assert_eq!(after_a.inputs[0].shape, [None, Some(4), Some(2), Some(2)]);
        assert_eq!(after_a.initialisers.len(), 1);
        let after_c = residual().suffix("c", &[4]).unwrap();
        assert_eq!(ops(&after_c), ["Tanh"]);
        assert!(after_c.initialisers.is_empty());
        let names: Vec<&str> = after_c
            .layers
            .iter()
            .map(|layer| layer.name.as_str())
            .collect();
        assert_eq!(names, ["block", "end"]);
        assert_eq!(ops(&residual().suffix("x", &[4]).unwrap()).len(), 5);
    }

    #[test]
    fn what_bypasses_a_tensor_is_named() {
        let message = residual().suffix("b", &[4]).unwrap_err().to_string();
        assert!(
            message.contains("\"b\"") && message.contains("\"block.relu\""),
            "{message}"
        );
        let mut taps = residual();
        taps.outputs = vec!["d".into(), "a".into()];
        assert!(matches!(
            taps.suffix("c", &[4]),
            Err(ModelError::Bypassed { .. })
        ));
        let message = residual().suffix("e", &[4]).unwrap_err().to_string();
        assert!(message.contains("\"e\""), "{message}");
    }
}
