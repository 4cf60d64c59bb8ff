//! Building a graph module by module.

use std::collections::BTreeMap;

use crate::graph::{Attribute, Graph, Input, Layer, Node, Opset};

/// Operator set that the built graphs are to be read by.
const OPSET: i64 = 17;

/// A graph under construction; a module's tensor bears the module's name.
pub(super) struct Builder {
    graph: Graph,
    parameters: BTreeMap<String, Vec<usize>>,
}

/// A square sliding window.
#[derive(Clone, Copy)]
pub(super) struct Window {
    pub size: usize,
    pub stride: usize,
    pub padding: usize,
}

impl Builder {
    /// Starts with the images as the tensor `input`.
    pub fn new(name: &str) -> Self {
        Self {
            graph: Graph {
                name: name.to_owned(),
                opsets: vec![Opset {
                    domain: String::new(),
                    version: OPSET,
                }],
                inputs: vec![Input {
                    name: "input".into(),
                    shape: vec![None, Some(3), None, None],
                }],
                ..Graph::default()
            },
            parameters: BTreeMap::new(),
        }
    }

    /// Names `tensor` as the output of module `name`.
    pub fn layer(&mut self, name: &str, tensor: &str) {
        self.graph.layers.push(Layer {
            name: name.to_owned(),
            tensor: tensor.to_owned(),
        });
    }

    /// `Conv2d` from `n_in` to `n_out` channels, with bias.
    pub fn conv(&mut self, name: &str, input: &str, channels: (usize, usize), window: Window) {
        let (n_in, n_out) = channels;
        let weight = self.parameter(name, "weight", vec![n_out, n_in, window.size, window.size]);
        let bias = self.parameter(name, "bias", vec![n_out]);
        self.module(name, "Conv", &[input, &weight, &bias], window.attributes());
    }

    /// `ReLU`.
    pub fn relu(&mut self, name: &str, input: &str) {
        self.module(name, "Relu", &[input], BTreeMap::new());
    }

    /// `MaxPool2d`; with `ceil`, windows that begin inside the map but end outside count.
    pub fn max_pool(&mut self, name: &str, input: &str, window: Window, ceil: bool) {
        let mut attributes = window.attributes();
        attributes.insert("ceil_mode".into(), Attribute::Int(ceil.into()));
        self.module(name, "MaxPool", &[input], attributes);
    }

    /// `AdaptiveAvgPool2d` to one position.
    pub fn global_average(&mut self, name: &str, input: &str) {
        self.module(name, "GlobalAveragePool", &[input], BTreeMap::new());
    }

    /// Joins maps along the channels, as the output of module `name`.
    pub fn concat(&mut self, name: &str, inputs: &[&str]) {
        let axis = BTreeMap::from([("axis".into(), Attribute::Int(1))]);
        self.module(name, "Concat", inputs, axis);
    }

    /// Flattens all axes but the first into the tensor `name`, which is no module.
    pub fn flatten(&mut self, name: &str, input: &str) {
        let axis = BTreeMap::from([("axis".into(), Attribute::Int(1))]);
        self.node(name, "Flatten", &[input], axis);
    }

    /// `Linear` from `n_in` to `n_out` features, with bias.
    pub fn linear(&mut self, name: &str, input: &str, n_in: usize, n_out: usize) {
        let weight = self.parameter(name, "weight", vec![n_out, n_in]);
        let bias = self.parameter(name, "bias", vec![n_out]);
        let transposed = BTreeMap::from([("transB".into(), Attribute::Int(1))]);
        self.module(name, "Gemm", &[input, &weight, &bias], transposed);
    }

    /// Ends with `output` as what the network is for.
    pub fn finish(mut self, output: &str) -> (Graph, BTreeMap<String, Vec<usize>>) {
        self.graph.outputs = vec![output.to_owned()];
        (self.graph, self.parameters)
    }

    fn parameter(&mut self, module: &str, kind: &str, shape: Vec<usize>) -> String {
        let key = format!("{module}.{kind}");
        self.parameters.insert(key.clone(), shape);
        key
    }

    fn module(
        &mut self,
        name: &str,
        op: &str,
        inputs: &[&str],
        attributes: BTreeMap<String, Attribute>,
    ) {
        self.node(name, op, inputs, attributes);
        self.layer(name, name);
    }

    fn node(
        &mut self,
        output: &str,
        op: &str,
        inputs: &[&str],
        attributes: BTreeMap<String, Attribute>,
    ) {
        self.graph.nodes.push(Node {
            name: output.to_owned(),
            op: op.to_owned(),
            domain: String::new(),
            inputs: inputs.iter().map(|&input| input.to_owned()).collect(),
            outputs: vec![output.to_owned()],
            attributes,
        });
    }
}

impl Window {
    fn attributes(self) -> BTreeMap<String, Attribute> {
        let both = |extent: usize| Attribute::Ints(vec![extent as i64; 2]);
        BTreeMap::from([
            ("kernel_shape".into(), both(self.size)),
            ("strides".into(), both(self.stride)),
            ("pads".into(), Attribute::Ints(vec![self.padding as i64; 4])),
        ])
    }
}
