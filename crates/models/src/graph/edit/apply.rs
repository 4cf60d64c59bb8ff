//! Edits carried out on a graph.

use std::collections::BTreeSet;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use super::{Edit, EditError, EditInputs, Fill, Head, Linear, Part};
use crate::graph::{Attribute, Graph, Layer, Layout, Node, Tensor};
use crate::suggest::nearest;
use crate::{ModelError, Result};

impl Graph {
    /// The network with the edits, applied one after the other.
    ///
    /// # Definition
    ///
    /// The tensor x of an edited layer becomes x · s + b, where s and b are constants: a lesion has
    /// s = 0 and b = the fill at the chosen values, a gain has s = 1 + α there; elsewhere s = 1 and
    /// b = 0. The result bears the name of the layer's tensor, so every reader of it, every other
    /// name of it and every tap gets the edited value. A new head takes the place of the operation
    /// that makes the layer's tensor and reads what that one read.
    ///
    /// # Errors
    ///
    /// [`ModelError::UnknownLayer`] and [`ModelError::Edit`], each naming the edit at fault.
    pub fn edited(&self, edits: &[Edit], given: &EditInputs) -> Result<Graph> {
        let mut graph = self.clone();
        for edit in edits {
            let tensor = graph.tensor_of(edit.layer())?;
            graph
                .apply(edit, &tensor, given)
                .map_err(|fault| ModelError::Edit {
                    edit: edit.to_string(),
                    fault: Box::new(fault),
                })?;
        }
        Ok(graph)
    }

    /// The tensor of the layer called exactly `layer`.
    fn tensor_of(&self, layer: &str) -> Result<String> {
        let found = self.layers.iter().find(|known| known.name == layer);
        found
            .map(|known| known.tensor.clone())
            .ok_or_else(|| ModelError::UnknownLayer {
                pattern: layer.to_owned(),
                nearest: nearest(layer, self.layers.iter().map(|l| l.name.as_str()), 3),
            })
    }

    fn apply(
        &mut self,
        edit: &Edit,
        tensor: &str,
        given: &EditInputs,
    ) -> std::result::Result<(), EditError> {
        let layer = edit.layer();
        let layout = self.layout(tensor);
        let shape = || {
            let shape = given.shapes.get(layer);
            shape.ok_or_else(|| EditError::NotAPattern {
                layer: layer.to_owned(),
            })
        };
        match edit {
            Edit::Cut { .. } => self.end_at(tensor),
            Edit::Tap { .. } => {
                if !self.outputs.iter().any(|output| output == tensor) {
                    self.outputs.push(tensor.to_owned());
                }
            }
            Edit::Lesion { part, with, .. } => {
                let chosen = Chosen::new(layer, part, shape()?, layout)?;
                let scale = chosen.tensor(|_| 0.0, 1.0);
                let offset = mean_of(layer, with, given, shape()?)?
                    .map(|means| chosen.full(|unit| means[unit], 0.0));
                self.rescale(tensor, scale, offset);
            }
            Edit::Gain { part, alpha, .. } => {
                let chosen = Chosen::new(layer, part, shape()?, layout)?;
                self.rescale(tensor, chosen.tensor(|_| 1.0 + alpha, 1.0), None);
            }
            Edit::ReplaceHead { head, .. } => {
                let linear = self.new_head(layer, tensor, head, shape()?, given)?;
                self.replace_head(tensor, linear);
            }
        }
        Ok(())
    }

    /// Ends the network at `tensor`; layers that lead to it keep their names.
    fn end_at(&mut self, tensor: &str) {
        let cut = self.cut(&[tensor]);
        let made: BTreeSet<&str> = cut
            .nodes
            .iter()
            .flat_map(|node| node.outputs.iter().map(String::as_str))
            .chain(cut.inputs.iter().map(|input| input.name.as_str()))
            .collect();
        self.layers
            .retain(|layer| made.contains(layer.tensor.as_str()));
        self.nodes.clone_from(&cut.nodes);
        self.initialisers = cut.initialisers;
        self.outputs = cut.outputs;
    }

    /// Puts `· scale + offset` between what makes `tensor` and everything that reads it.
    fn rescale(&mut self, tensor: &str, scale: Tensor, offset: Option<Tensor>) {
        let whole = self.fresh(&format!("{tensor}.whole"));
        let at = match self.maker(tensor) {
            Some((node_idx, output_idx)) => {
                self.nodes[node_idx].outputs[output_idx].clone_from(&whole);
                node_idx + 1
            }
            None => {
                // The images themselves: their input takes the new name.
                for input in self.inputs.iter_mut().filter(|input| input.name == tensor) {
                    input.name.clone_from(&whole);
                }
                0
            }
        };
        let scale = self.constant(&format!("{tensor}.scale"), scale);
        let mut added = Vec::new();
        match offset {
            None => added.push(operation("Mul", [whole, scale], tensor)),
            Some(offset) => {
                let offset = self.constant(&format!("{tensor}.offset"), offset);
                let scaled = self.fresh(&format!("{tensor}.scaled"));
                added.push(operation("Mul", [whole, scale], &scaled));
                added.push(operation("Add", [scaled, offset], tensor));
            }
        }
        self.nodes.splice(at..at, added);
    }

    /// Position of the operation and of its output that is `tensor`.
    fn maker(&self, tensor: &str) -> Option<(usize, usize)> {
        self.nodes.iter().enumerate().find_map(|(node_idx, node)| {
            let output_idx = node.outputs.iter().position(|name| name == tensor)?;
            Some((node_idx, output_idx))
        })
    }

    /// Stores a constant under a name that begins with `wish`.
    fn constant(&mut self, wish: &str, tensor: Tensor) -> String {
        let name = self.fresh(wish);
        self.initialisers.insert(name.clone(), tensor);
        name
    }

    /// `wish`, or `wish` with a number when a tensor has that name.
    fn fresh(&self, wish: &str) -> String {
        let taken = |name: &str| {
            self.initialisers.contains_key(name)
                || self.inputs.iter().any(|input| input.name == name)
                || self.maker(name).is_some()
        };
        let numbered = (2..).map(|k| format!("{wish}.{k}"));
        std::iter::once(wish.to_owned())
            .chain(numbered)
            .find(|name| !taken(name))
            .expect("there is no end of numbers")
    }

    fn new_head(
        &self,
        layer: &str,
        tensor: &str,
        head: &Head,
        shape: &[usize],
        given: &EditInputs,
    ) -> std::result::Result<NewHead, EditError> {
        let not_a_head = |found: String| EditError::NotAHead {
            layer: layer.to_owned(),
            found,
        };
        if shape.len() != 1 {
            return Err(not_a_head(format!("its value has the shape {shape:?}")));
        }
        let (reads, n_inputs) = self.linear(tensor).map_err(not_a_head)?;
        let linear = match head {
            Head::Seeded { n_outputs, seed } => Linear::seeded(*n_outputs, n_inputs, *seed),
            Head::Weights(file) => {
                given
                    .heads
                    .get(file)
                    .cloned()
                    .ok_or_else(|| EditError::NoHead {
                        layer: layer.to_owned(),
                    })?
            }
        };
        let fits = match (linear.weight.shape(), linear.bias.shape()) {
            ([n_outputs, inputs], [n_biases]) => *inputs == n_inputs && n_outputs == n_biases,
            _ => false,
        };
        if !fits || linear.weight.to_f32().is_none() || linear.bias.to_f32().is_none() {
            return Err(EditError::HeadSize {
                layer: layer.to_owned(),
                n_inputs,
                weight: linear.weight.shape().to_vec(),
                bias: linear.bias.shape().to_vec(),
            });
        }
        Ok(NewHead { reads, linear })
    }

    /// What the linear layer that makes `tensor` reads, and how many features that has; otherwise what
    /// makes it.
    fn linear(&self, tensor: &str) -> std::result::Result<(String, usize), String> {
        let node = match self.maker(tensor) {
            Some((node_idx, _)) => &self.nodes[node_idx],
            None => return Err("nothing makes it".to_owned()),
        };
        let made_by = || format!("the operation {} makes it", node.op);
        let extent = |weight: &str, axis: usize| {
            let shape = self.initialisers.get(weight)?.shape();
            (shape.len() == 2).then(|| shape[axis])
        };
        let is_set = |name: &str| node.attributes.get(name) == Some(&Attribute::Int(1));
        let found = match (node.op.as_str(), node.inputs.as_slice()) {
            ("Gemm", [x, weight, ..]) if !is_set("transA") => {
                extent(weight, usize::from(is_set("transB"))).map(|n| (x.clone(), n))
            }
            ("MatMul", [x, weight]) => extent(weight, 0).map(|n| (x.clone(), n)),
            ("Add", [a, b]) => {
                // torch's exporter writes a linear layer as a product and a sum.
                let product = match self.initialisers.contains_key(a) {
                    true => b,
                    false => a,
                };
                let is_product =
                    |(node_idx, _): (usize, usize)| self.nodes[node_idx].op == "MatMul";
                return match self.maker(product).is_some_and(is_product) {
                    true => self.linear(product).map_err(|_| made_by()),
                    false => Err(made_by()),
                };
            }
            _ => None,
        };
        found.ok_or_else(made_by)
    }

    fn replace_head(&mut self, tensor: &str, new: NewHead) {
        let weight = self.constant(&format!("{tensor}.weight"), new.linear.weight);
        let bias = self.constant(&format!("{tensor}.bias"), new.linear.bias);
        if let Some((node_idx, _)) = self.maker(tensor) {
            self.nodes[node_idx] = Node {
                attributes: [("transB".to_owned(), Attribute::Int(1))].into(),
                ..operation("Gemm", [new.reads, weight, bias], tensor)
            };
        }
        self.forget_unread();
    }

    /// Leaves out the product that an old head was the sum of, and constants that nothing reads.
    fn forget_unread(&mut self) {
        let read: BTreeSet<&str> = self
            .nodes
            .iter()
            .flat_map(|node| node.inputs.iter().map(String::as_str))
            .chain(self.outputs.iter().map(String::as_str))
            .collect();
        let unread_product: Vec<String> = self
            .nodes
            .iter()
            .filter(|node| node.op == "MatMul")
            .flat_map(|node| &node.outputs)
            .filter(|output| !read.contains(output.as_str()))
            .cloned()
            .collect();
        self.nodes.retain(|node| {
            !node
                .outputs
                .iter()
                .any(|name| unread_product.contains(name))
        });
        self.layers
            .retain(|layer: &Layer| !unread_product.contains(&layer.tensor));
        let read: BTreeSet<String> = self
            .nodes
            .iter()
            .flat_map(|node| node.inputs.iter().cloned())
            .chain(self.outputs.iter().cloned())
            .collect();
        self.initialisers.retain(|name, _| read.contains(name));
    }
}

/// A head that fits.
struct NewHead {
    reads: String,
    linear: Linear,
}

impl Linear {
    /// Weights and biases uniform between −1/√n and 1/√n for n inputs, weights first, from ChaCha8.
    #[must_use]
    pub fn seeded(n_outputs: usize, n_inputs: usize, seed: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let bound = 1.0 / (n_inputs.max(1) as f64).sqrt();
        let mut draw = |n: usize| -> Vec<f32> {
            (0..n)
                .map(|_| {
                    let unit = (rng.next_u64() >> 11) as f64 * (-53.0_f64).exp2();
                    #[allow(clippy::cast_possible_truncation, reason = "a weight is an f32")]
                    let value = (bound * (2.0 * unit - 1.0)) as f32;
                    value
                })
                .collect()
        };
        let (weight, bias) = (draw(n_outputs * n_inputs), draw(n_outputs));
        let fills = "as many values were drawn as the shape holds";
        Self {
            weight: Tensor::from_f32(vec![n_outputs, n_inputs], &weight).expect(fills),
            bias: Tensor::from_f32(vec![n_outputs], &bias).expect(fills),
        }
    }
}

/// An operation without a name: names must differ from all others.
fn operation<const N: usize>(op: &str, inputs: [String; N], output: &str) -> Node {
    Node {
        op: op.to_owned(),
        inputs: inputs.into(),
        outputs: vec![output.to_owned()],
        ..Node::default()
    }
}

/// The mean that fills a lesion, or nothing for zeros.
fn mean_of<'a>(
    layer: &str,
    with: &Fill,
    given: &'a EditInputs,
    shape: &[usize],
) -> std::result::Result<Option<&'a [f32]>, EditError> {
    let (found, file) = match with {
        Fill::Zero => return Ok(None),
        Fill::Mean => (given.means.get(layer), None),
        Fill::MeanIn(file) => (given.mean_files.get(file), Some(file)),
    };
    let means = found.ok_or_else(|| EditError::NoMean {
        layer: layer.to_owned(),
    })?;
    let expected: usize = shape.iter().product();
    if means.len() != expected {
        return Err(EditError::MeanSize {
            layer: layer.to_owned(),
            expected,
            found: means.len(),
            file: file.cloned(),
        });
    }
    Ok(Some(means))
}

/// The chosen values of a layer, as positions along one axis of its value.
struct Chosen {
    /// Shape of one image's value.
    shape: Vec<usize>,
    /// Axis that the positions count; none when units of the whole value are counted.
    axis: Option<usize>,
    /// For each position along the axis (or each unit), whether it is chosen.
    is_chosen: Vec<bool>,
}

impl Chosen {
    fn new(
        layer: &str,
        part: &Part,
        shape: &[usize],
        layout: Layout,
    ) -> std::result::Result<Self, EditError> {
        let no_such = |part| EditError::NoSuchPart {
            layer: layer.to_owned(),
            part,
            shape: shape.to_vec(),
        };
        let out_of = |part, found, n| EditError::OutOfRange {
            layer: layer.to_owned(),
            part,
            found,
            n,
        };
        let n_units: usize = shape.iter().product();
        let (axis, n, list, run, what) = match part {
            Part::All => {
                return Ok(Self {
                    shape: shape.to_vec(),
                    axis: None,
                    is_chosen: vec![true; n_units],
                });
            }
            Part::Units(list) => (None, n_units, list, 1, "units"),
            Part::Channels(list) => {
                let axis = layout
                    .channel_axis(shape.len())
                    .ok_or_else(|| no_such("channels"))?;
                (Some(axis), shape[axis], list, 1, "channels")
            }
            Part::Tokens(list) => {
                let axis = layout
                    .token_axis(shape.len())
                    .ok_or_else(|| no_such("tokens"))?;
                (Some(axis), shape[axis], list, 1, "tokens")
            }
            Part::Heads { heads, of } => {
                let axis = layout
                    .channel_axis(shape.len())
                    .ok_or_else(|| no_such("heads"))?;
                let n_channels = shape[axis];
                if n_channels == 0 || !n_channels.is_multiple_of((*of).max(1)) {
                    return Err(EditError::UnevenHeads {
                        layer: layer.to_owned(),
                        n_channels,
                        of: *of,
                    });
                }
                let of = (*of).max(1);
                (Some(axis), of, heads, n_channels / of, "heads")
            }
        };
        if list.highest() >= n {
            return Err(out_of(what, list.highest(), n));
        }
        let mut is_chosen = vec![false; n * run];
        for position in list.iter() {
            is_chosen[position * run..(position + 1) * run].fill(true);
        }
        Ok(Self {
            shape: shape.to_vec(),
            axis,
            is_chosen,
        })
    }

    /// A constant that is `chosen(position)` at the chosen positions and `other` elsewhere, as small as
    /// broadcasting allows.
    fn tensor(&self, chosen: impl Fn(usize) -> f32, other: f32) -> Tensor {
        let value = |(position, is_chosen): (usize, &bool)| match is_chosen {
            true => chosen(position),
            false => other,
        };
        let values: Vec<f32> = self.is_chosen.iter().enumerate().map(value).collect();
        let shape = match self.axis {
            None => [&[1], self.shape.as_slice()].concat(),
            Some(axis) => {
                let extent = |at: usize| if at == axis { self.shape[at] } else { 1 };
                let extents = (0..self.shape.len()).map(extent);
                std::iter::once(1).chain(extents).collect()
            }
        };
        Tensor::from_f32(shape, &values).expect("a value for each position")
    }

    /// The same of the whole value's size, where `chosen` gets the number of the unit.
    fn full(&self, chosen: impl Fn(usize) -> f32, other: f32) -> Tensor {
        let (n, after) = match self.axis {
            None => (self.is_chosen.len(), 1),
            Some(axis) => (self.shape[axis], self.shape[axis + 1..].iter().product()),
        };
        let n_units: usize = self.shape.iter().product();
        let values: Vec<f32> = (0..n_units)
            .map(|unit| match self.is_chosen[unit / after % n] {
                true => chosen(unit),
                false => other,
            })
            .collect();
        let shape = [&[1], self.shape.as_slice()].concat();
        Tensor::from_f32(shape, &values).expect("a value for each unit")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(part: &str, shape: &[usize]) -> std::result::Result<Vec<f32>, EditError> {
        let edit: Edit = format!("gain layer=l {part} alpha=1").parse().unwrap();
        let Edit::Gain { part, .. } = edit else {
            panic!("a gain is a gain");
        };
        let chosen = Chosen::new("l", &part, shape, Layout::ChannelsFirst)?;
        let small = chosen.tensor(|_| 1.0, 0.0);
        let full = chosen.full(|_| 1.0, 0.0);
        // Broadcasting the small constant gives the full one.
        let extents = &small.shape()[1..];
        let values = small.to_f32().unwrap();
        let n_units: usize = shape.iter().product();
        let broadcast: Vec<f32> = (0..n_units)
            .map(|unit| {
                let (mut at, mut rest, mut stride) = (0, unit, 1);
                for (extent, own) in shape.iter().zip(extents).rev() {
                    at += if *own == 1 { 0 } else { rest % extent * stride };
                    stride *= own;
                    rest /= extent;
                }
                values[at]
            })
            .collect();
        assert_eq!(full.to_f32().unwrap(), broadcast);
        Ok(broadcast)
    }

    fn ones(part: &str, shape: &[usize]) -> Vec<usize> {
        let values = chosen(part, shape).unwrap();
        (0..values.len())
            .filter(|&unit| values[unit] == 1.0)
            .collect()
    }

    #[test]
    fn parts_are_the_values_that_their_names_say() {
        assert_eq!(ones("", &[2, 2]), [0, 1, 2, 3]);
        assert_eq!(ones("units=1,3", &[2, 1, 2]), [1, 3]);
        assert_eq!(ones("channels=1", &[2, 1, 2]), [2, 3]);
        assert_eq!(ones("channels=1", &[3]), [1]);
        // Two tokens of four features, in two heads.
        assert_eq!(ones("channels=0,3", &[2, 4]), [0, 3, 4, 7]);
        assert_eq!(ones("tokens=1", &[2, 4]), [4, 5, 6, 7]);
        assert_eq!(ones("heads=1 of=2", &[2, 4]), [2, 3, 6, 7]);
    }

    #[test]
    fn parts_that_are_not_there_are_refused() {
        for (part, shape, expected) in [
            ("channels=2", &[2, 5, 5][..], "has 2 channels"),
            ("units=8", &[2, 4], "has 8 units"),
            ("tokens=0", &[2, 5, 5], "has no tokens"),
            ("channels=0", &[], "has no channels"),
            ("heads=2 of=2", &[2, 4], "has 2 heads"),
            ("heads=0 of=3", &[2, 4], "not 3 heads"),
        ] {
            let message = chosen(part, shape).unwrap_err().to_string();
            assert!(message.contains(expected), "{part}: {message}");
        }
    }

    /// x → MatMul → Add → Softmax, as torch's exporter writes a linear layer with its bias apart.
    fn exported() -> Graph {
        let zeros = |shape: Vec<usize>| {
            let n = shape.iter().product();
            Tensor::from_f32(shape, &vec![0.0; n]).unwrap()
        };
        let layer = |name: &str| Layer {
            name: name.into(),
            tensor: name.into(),
        };
        let owned = <[&str; 2]>::map;
        Graph {
            nodes: vec![
                operation("MatMul", owned(["x", "w"], str::to_owned), "product"),
                operation("Add", owned(["b", "product"], str::to_owned), "fc"),
                operation("Softmax", ["fc".to_owned()], "p"),
            ],
            initialisers: [("w", vec![3, 2]), ("b", vec![2])]
                .map(|(name, shape)| (name.to_owned(), zeros(shape)))
                .into(),
            outputs: vec!["p".into()],
            layers: ["product", "fc", "p"].map(layer).into(),
            ..Graph::default()
        }
    }

    #[test]
    fn a_head_of_product_and_sum_is_replaced_as_one() {
        let given = EditInputs {
            shapes: [("fc".to_owned(), vec![2]), ("p".to_owned(), vec![2])].into(),
            ..EditInputs::default()
        };
        let edit = |text: &str| vec![text.parse::<Edit>().unwrap()];
        let replaced = exported()
            .edited(&edit("replace-head layer=fc outputs=4 seed=1"), &given)
            .unwrap();
        let ops: Vec<&str> = replaced.nodes.iter().map(|node| node.op.as_str()).collect();
        assert_eq!(ops, ["Gemm", "Softmax"]);
        let shapes: Vec<&[usize]> = replaced.initialisers.values().map(Tensor::shape).collect();
        assert_eq!(shapes, [&[4][..], &[4, 3]]);
        assert_eq!(replaced.layers.len(), 2);

        let message = exported()
            .edited(&edit("replace-head layer=p outputs=4"), &given)
            .unwrap_err()
            .to_string();
        assert!(
            message.contains("the operation Softmax makes it"),
            "{message}"
        );
    }

    #[test]
    fn random_heads_depend_on_the_seed_only_and_keep_the_bound() {
        let head = Linear::seeded(50, 4, 3);
        assert_eq!(head, Linear::seeded(50, 4, 3));
        assert_ne!(head, Linear::seeded(50, 4, 4));
        let weights = head.weight.to_f32().unwrap();
        assert!(weights.iter().all(|w| w.abs() <= 0.5));
        assert!(weights.iter().any(|w| *w > 0.4) && weights.iter().any(|w| *w < -0.4));
    }
}
