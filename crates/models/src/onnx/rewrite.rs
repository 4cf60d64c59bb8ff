//! Rewriting of operations, one at a time.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::graph::{Attribute, Element, Graph, Node, Tensor};

/// Replaces every operation by what `rule` writes for it.
///
/// Tensors that a rule makes on the way get names of their own; the outputs keep theirs, so that
/// layers stay what they are.
pub(super) fn rewrite(graph: &mut Graph, rule: fn(Node, &mut Writer)) {
    let mut used: HashSet<String> = graph.initialisers.keys().cloned().collect();
    used.extend(graph.inputs.iter().map(|input| input.name.clone()));
    used.extend(graph.nodes.iter().flat_map(|node| node.outputs.clone()));
    let nodes = std::mem::take(&mut graph.nodes);
    let mut writer = Writer {
        nodes: Vec::with_capacity(nodes.len()),
        initialisers: std::mem::take(&mut graph.initialisers),
        used,
        makers: HashMap::new(),
    };
    for node in nodes {
        rule(node, &mut writer);
    }
    graph.nodes = writer.nodes;
    graph.initialisers = writer.initialisers;
}

/// Where rules write to.
pub(super) struct Writer {
    nodes: Vec<Node>,
    initialisers: BTreeMap<String, Tensor>,
    used: HashSet<String>,
    /// Index of the operation that makes each tensor.
    makers: HashMap<String, usize>,
}

impl Writer {
    /// Writes an operation as it is.
    pub fn keep(&mut self, node: Node) {
        let outputs = node.outputs.iter().cloned();
        self.makers
            .extend(outputs.map(|name| (name, self.nodes.len())));
        self.nodes.push(node);
    }

    /// Writes an operation on the way to `node`'s output; gives the tensor that it makes.
    pub fn step(
        &mut self,
        node: &Node,
        op: &str,
        inputs: &[&str],
        attributes: &[(&str, Attribute)],
    ) -> String {
        let output = self.fresh(node, op);
        self.put(op, inputs, attributes, output.clone());
        output
    }

    /// Writes the operation that makes `node`'s output.
    pub fn last(
        &mut self,
        node: &Node,
        op: &str,
        inputs: &[&str],
        attributes: &[(&str, Attribute)],
    ) {
        let output = node.outputs.first().cloned().unwrap_or_default();
        self.put(op, inputs, attributes, output);
    }

    /// A constant for `node`.
    pub fn constant(&mut self, node: &Node, what: &str, tensor: Tensor) -> String {
        let name = self.fresh(node, what);
        self.initialisers.insert(name.clone(), tensor);
        name
    }

    /// A constant list of integers.
    pub fn integers(&mut self, node: &Node, what: &str, values: &[i64]) -> String {
        let bytes: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        let tensor = Tensor::from_bytes(Element::I64, vec![values.len()], bytes.into());
        self.constant(node, what, tensor.expect("a list fills its shape"))
    }

    /// A constant number.
    pub fn number(&mut self, node: &Node, what: &str, value: f32) -> String {
        let tensor = Tensor::from_f32(Vec::new(), &[value]);
        self.constant(node, what, tensor.expect("one number fills a scalar"))
    }

    /// A constant list of numbers.
    pub fn numbers(&mut self, node: &Node, what: &str, values: &[f32]) -> String {
        let tensor = Tensor::from_f32(vec![values.len()], values);
        self.constant(node, what, tensor.expect("a list fills its shape"))
    }

    /// A constant by its name.
    pub fn value(&self, name: &str) -> Option<&Tensor> {
        self.initialisers.get(name)
    }

    /// The operation that makes `tensor`, among those already written.
    pub fn maker(&self, tensor: &str) -> Option<&Node> {
        self.makers.get(tensor).map(|&idx| &self.nodes[idx])
    }

    fn put(&mut self, op: &str, inputs: &[&str], attributes: &[(&str, Attribute)], output: String) {
        self.keep(Node {
            name: output.clone(),
            op: op.to_owned(),
            domain: String::new(),
            inputs: inputs.iter().map(|&name| name.to_owned()).collect(),
            outputs: vec![output],
            attributes: attributes
                .iter()
                .map(|(name, value)| ((*name).to_owned(), value.clone()))
                .collect(),
        });
    }

    fn fresh(&mut self, node: &Node, what: &str) -> String {
        let base = format!("{}/{what}", node.outputs.first().map_or("", String::as_str));
        let mut name = base.clone();
        let mut n = 1;
        while !self.used.insert(name.clone()) {
            n += 1;
            name = format!("{base}~{n}");
        }
        name
    }
}

/// An integer attribute.
pub(super) fn int(node: &Node, name: &str) -> Option<i64> {
    match node.attributes.get(name) {
        Some(Attribute::Int(value)) => Some(*value),
        _ => None,
    }
}

/// A number attribute.
pub(super) fn float(node: &Node, name: &str) -> Option<f32> {
    match node.attributes.get(name) {
        Some(Attribute::Float(value)) => Some(*value),
        _ => None,
    }
}
