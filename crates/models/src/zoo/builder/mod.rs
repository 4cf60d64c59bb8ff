//! Building a graph module by module.
//!
//! The builder knows the shape of everything, so that pooling to a given size or a grid of tokens
//! can be worked out. A module's tensor bears the module's name; where a module is called several
//! times, the later calls get `_1`, `_2`, … as in torchvision's feature extraction. Tensors that
//! are no layer but belong to one have a `/` in their name.

mod attention;
mod convolution;
mod dense;
mod mobile;
mod shape;

use std::collections::{BTreeMap, HashMap};

use crate::graph::{Attribute, Graph, Input, Layer, Layout, Node, Opset, Tensor};

pub(super) use convolution::{Conv, Pool};
pub(super) use dense::Activation;
pub(super) use mobile::to_eights;

/// Operator set that the built graphs are to be read by.
const OPSET: i64 = 17;

/// A tensor and the shape that it has for one image, without the batch axis: `(c, h, w)`,
/// `(tokens, width)` or `(features)`.
///
/// Parameters and constants have no batch axis; theirs is the whole shape.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Value {
    pub name: String,
    pub shape: Vec<usize>,
}

/// A graph under construction.
pub(super) struct Builder {
    graph: Graph,
    parameters: BTreeMap<String, Vec<usize>>,
    unused: BTreeMap<String, Vec<usize>>,
    /// How often a name was given, for tensors and for layers.
    tensors: HashMap<String, usize>,
    layers: HashMap<String, usize>,
    /// Layout of what the layers to come give; see [`Builder::lay_out`].
    layout: Layout,
    input: Value,
    size: [usize; 2],
    /// Whether an operation was written for this size of the input only.
    sized: bool,
    /// The first module for whose window the image is too small.
    too_small: Option<String>,
}

/// What a builder ends with.
pub(super) struct Built {
    /// Operations, layer names and constants; parameters have no numbers yet.
    pub graph: Graph,
    /// Keys of the state dict and the shapes of their tensors.
    pub parameters: BTreeMap<String, Vec<usize>>,
    /// Keys that published weights hold beside them, which nothing reads.
    pub unused: BTreeMap<String, Vec<usize>>,
    /// The first module for whose window the image is too small.
    pub too_small: Option<String>,
}

impl Builder {
    /// Starts with images `(3, h, w)` as the tensor `input`.
    pub fn new(name: &str, size: [usize; 2]) -> (Self, Value) {
        let (builder, input) = Self::on_features(name, "input", vec![3, size[0], size[1]]);
        (Self { size, ..builder }, input)
    }

    /// Starts with features of the shape `shape` as the tensor `input`.
    pub fn on_features(name: &str, input: &str, shape: Vec<usize>) -> (Self, Value) {
        let input = Value {
            name: input.to_owned(),
            shape,
        };
        let graph = Graph {
            name: name.to_owned(),
            opsets: vec![Opset {
                domain: String::new(),
                version: OPSET,
            }],
            ..Graph::default()
        };
        let builder = Self {
            graph,
            parameters: BTreeMap::new(),
            unused: BTreeMap::new(),
            tensors: HashMap::from([(input.name.clone(), 1)]),
            layers: HashMap::new(),
            layout: Layout::default(),
            input: input.clone(),
            size: [0, 0],
            sized: false,
            too_small: None,
        };
        (builder, input)
    }

    /// Ends with `output` as what the network is for.
    pub fn finish(mut self, output: &Value) -> Built {
        let extents = self.input.shape.iter().enumerate().map(|(axis, &extent)| {
            let is_free = self.input.shape.len() == 3 && axis > 0 && !self.sized;
            (!is_free).then_some(extent)
        });
        self.graph.inputs = vec![Input {
            name: self.input.name.clone(),
            shape: std::iter::once(None).chain(extents).collect(),
        }];
        self.graph.outputs = vec![output.name.clone()];
        Built {
            graph: self.graph,
            parameters: self.parameters,
            unused: self.unused,
            too_small: self.too_small,
        }
    }

    /// The tensor of the state dict called `key`, of the shape it has there.
    pub fn parameter(&mut self, key: &str, shape: Vec<usize>) -> Value {
        self.parameters.insert(key.to_owned(), shape.clone());
        Value {
            name: key.to_owned(),
            shape,
        }
    }

    /// Accepts a key that published weights hold and no operation reads.
    pub fn unused_parameter(&mut self, key: &str, shape: Vec<usize>) {
        self.unused.insert(key.to_owned(), shape);
    }

    /// Turns everything that `build` asks for into keys that are accepted and read by nothing: a
    /// part of the network that only training runs.
    pub fn training_only(&mut self, build: impl FnOnce(&mut Self)) {
        let mut aside = Self {
            graph: Graph::default(),
            parameters: BTreeMap::new(),
            unused: BTreeMap::new(),
            tensors: HashMap::new(),
            layers: HashMap::new(),
            layout: self.layout,
            input: self.input.clone(),
            size: self.size,
            sized: false,
            too_small: None,
        };
        build(&mut aside);
        self.unused.append(&mut aside.parameters);
    }

    /// A tensor whose numbers do not come from the state dict.
    pub fn constant(&mut self, tensor: &str, value: Tensor) -> Value {
        let constant = Value {
            name: fresh(&mut self.tensors, tensor),
            shape: value.shape().to_vec(),
        };
        self.graph.initialisers.insert(constant.name.clone(), value);
        constant
    }

    /// A number as a constant; the same number is the same tensor.
    pub fn scalar(&mut self, value: f32) -> Value {
        let name = format!("constant/{value}");
        let number = Tensor::from_f32(Vec::new(), &[value]).expect("one number fills no axes");
        self.graph.initialisers.insert(name.clone(), number);
        Value {
            name,
            shape: Vec::new(),
        }
    }

    /// Integers as a constant of one axis, for operators that take sizes as tensors.
    pub fn integers(&mut self, tensor: &str, values: &[i64]) -> Value {
        let bytes: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        let element = crate::graph::Element::I64;
        let numbers = Tensor::from_bytes(element, vec![values.len()], bytes.into());
        self.constant(tensor, numbers.expect("eight bytes for each integer"))
    }

    /// An operation that is no module; `shape` is what it gives for one image.
    pub fn op(
        &mut self,
        tensor: &str,
        op: &str,
        inputs: &[&Value],
        attributes: &[(&str, Attribute)],
        shape: Vec<usize>,
    ) -> Value {
        let name = fresh(&mut self.tensors, tensor);
        self.graph.nodes.push(Node {
            name: name.clone(),
            op: op.to_owned(),
            domain: String::new(),
            inputs: inputs.iter().map(|input| input.name.clone()).collect(),
            outputs: vec![name.clone()],
            attributes: attributes
                .iter()
                .map(|(key, value)| ((*key).to_owned(), value.clone()))
                .collect(),
        });
        Value { name, shape }
    }

    /// An operation that is the module `module`.
    pub fn module(
        &mut self,
        module: &str,
        op: &str,
        inputs: &[&Value],
        attributes: &[(&str, Attribute)],
        shape: Vec<usize>,
    ) -> Value {
        let output = self.op(module, op, inputs, attributes, shape);
        self.container(module, &output);
        output
    }

    /// Names the output of a module that is made of others.
    pub fn container(&mut self, module: &str, output: &Value) {
        let has_layout = match self.layout {
            Layout::ChannelsFirst => false,
            Layout::ChannelsLast => output.shape.len() == 3,
            Layout::Tokens(grid) => {
                matches!(output.shape[..], [n_tokens, _] if n_tokens == grid.n_tokens())
            }
        };
        if has_layout {
            let tensor = output.name.clone();
            self.graph.layouts.insert(tensor, self.layout);
        }
        let name = fresh(&mut self.layers, module);
        self.graph.layers.push(Layer {
            name,
            tensor: output.name.clone(),
        });
    }

    /// Names a module that does nothing outside of training.
    pub fn identity(&mut self, module: &str, x: &Value) {
        self.container(module, x);
    }

    /// Lists a tensor that no module makes as a layer under its own name.
    pub fn step(&mut self, output: &Value) {
        self.container(&output.name, output);
    }

    /// States how the layers that are named from now on lay out their values: maps of three axes for
    /// [`Layout::ChannelsLast`], `(tokens, width)` for [`Layout::Tokens`]. Others are not meant.
    pub fn lay_out(&mut self, layout: Layout) {
        self.layout = layout;
    }

    /// States that the graph is good for this image size only.
    pub fn fix_size(&mut self) {
        self.sized = true;
    }

    /// States that the images are too small for `module`.
    pub fn too_small(&mut self, module: &str) {
        self.too_small.get_or_insert_with(|| module.to_owned());
    }
}

/// `name` the first time, then `name_1`, `name_2`, ….
fn fresh(given: &mut HashMap<String, usize>, name: &str) -> String {
    let n_before = given.entry(name.to_owned()).or_default();
    *n_before += 1;
    match *n_before - 1 {
        0 => name.to_owned(),
        n => format!("{name}_{n}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn later_calls_of_a_module_are_counted() {
        let (mut b, x) = Builder::new("test", [8, 8]);
        let y = b.activation("relu", &x, Activation::Relu);
        let z = b.activation("relu", &y, Activation::Relu);
        let sum = b.add("add", &y, &z);
        b.step(&sum);
        b.container("block", &sum);
        let built = b.finish(&sum);
        let layers: Vec<(&str, &str)> = built
            .graph
            .layers
            .iter()
            .map(|layer| (layer.name.as_str(), layer.tensor.as_str()))
            .collect();
        assert_eq!(
            layers,
            [
                ("relu", "relu"),
                ("relu_1", "relu_1"),
                ("add", "add"),
                ("block", "add")
            ]
        );
        assert_eq!(built.graph.inputs[0].shape, [None, Some(3), None, None]);
    }

    #[test]
    fn an_operation_for_one_size_states_it() {
        let (mut b, x) = Builder::new("test", [8, 4]);
        let flat = b.flatten("flatten", &x);
        assert_eq!(flat.shape, [96]);
        let built = b.finish(&flat);
        assert_eq!(
            built.graph.inputs[0].shape,
            [None, Some(3), Some(8), Some(4)]
        );
    }

    #[test]
    fn an_image_smaller_than_a_window_is_noticed() {
        let (mut b, x) = Builder::new("test", [4, 4]);
        let y = b.conv("first", &x, Conv::square(2, 3));
        let y = b.conv("second", &y, Conv::square(2, 3));
        let built = b.finish(&y);
        assert_eq!(built.too_small.as_deref(), Some("second"));
    }
}
