//! A network as a graph of named operations, and the names of its layers.

mod edit;
mod layout;
mod select;
mod suffix;
mod tensor;

use std::collections::{BTreeMap, BTreeSet, HashMap};

pub use edit::{Edit, EditError, EditInputs, Fill, Head, Indices, Linear, Part};
pub use layout::{Layout, TokenGrid};
pub use tensor::{Element, Tensor};

/// A network: operations in execution order, their constant tensors, and the layers' names.
///
/// # Shapes
///
/// Images enter as `(n, channels, height, width)`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Graph {
    /// Name of the network.
    pub name: String,
    /// Versions of the operator sets that the operations are to be read by.
    pub opsets: Vec<Opset>,
    /// What must be fed.
    pub inputs: Vec<Input>,
    /// Operations; each one's inputs are produced before it.
    pub nodes: Vec<Node>,
    /// Constant tensors by name: weights, biases, shapes.
    pub initialisers: BTreeMap<String, Tensor>,
    /// Tensors that the network is for.
    pub outputs: Vec<String>,
    /// Names of layers in execution order; several may name one tensor.
    pub layers: Vec<Layer>,
    /// Whether `layers` lists the tensors under their own names besides the modules, as for a graph
    /// read from a file.
    pub lists_tensors: bool,
    /// Layout of the tensors, by their names, that do not have their channels first; see
    /// [`Graph::layout`]. Nothing is known of the tensors of a graph read from a file.
    pub layouts: BTreeMap<String, Layout>,
}

/// Version of a set of operators; the default set has the empty domain.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Opset {
    /// Domain, empty for ONNX's own operators.
    pub domain: String,
    /// Version.
    pub version: i64,
}

/// A tensor that must be fed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Input {
    /// Name.
    pub name: String,
    /// Extent of each axis, `None` where any is accepted.
    pub shape: Vec<Option<usize>>,
}

/// One operation.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Node {
    /// Name; may be empty.
    pub name: String,
    /// Operator, e.g. `Conv`.
    pub op: String,
    /// Operator domain, empty for ONNX's own.
    pub domain: String,
    /// Tensors it reads; an empty name stands for an omitted optional input.
    pub inputs: Vec<String>,
    /// Tensors it makes; an empty name stands for an omitted optional output.
    pub outputs: Vec<String>,
    /// Settings by name.
    pub attributes: BTreeMap<String, Attribute>,
}

/// A setting of an operation.
#[derive(Debug, Clone, PartialEq)]
pub enum Attribute {
    /// One integer.
    Int(i64),
    /// One number.
    Float(f32),
    /// One string.
    Text(Vec<u8>),
    /// A constant tensor.
    Tensor(Tensor),
    /// Integers.
    Ints(Vec<i64>),
    /// Numbers.
    Floats(Vec<f32>),
    /// Strings.
    Texts(Vec<Vec<u8>>),
}

/// A name for a tensor: a module of the network as torchvision calls it, or the tensor itself.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Layer {
    /// Module path, e.g. `features.3.squeeze`, or the tensor's own name.
    pub name: String,
    /// The module's own output before whatever acts on it next.
    pub tensor: String,
}

impl Graph {
    /// The operations whose flag is set, in their order.
    fn nodes_where(&self, kept: &[bool]) -> Vec<Node> {
        let nodes = self.nodes.iter().zip(kept);
        nodes
            .filter(|(_, kept)| **kept)
            .map(|(node, _)| node.clone())
            .collect()
    }

    /// The graph that computes `outputs` and nothing else: operations and constants that do not
    /// contribute are left out, as are the layers' names.
    #[must_use]
    pub fn cut(&self, outputs: &[&str]) -> Graph {
        let mut needed: BTreeSet<&str> = outputs.iter().copied().collect();
        let mut kept = vec![false; self.nodes.len()];
        for (node, kept) in self.nodes.iter().zip(&mut kept).rev() {
            if node
                .outputs
                .iter()
                .any(|name| needed.contains(name.as_str()))
            {
                *kept = true;
                needed.extend(node.inputs.iter().map(String::as_str));
            }
        }
        Graph {
            name: self.name.clone(),
            opsets: self.opsets.clone(),
            inputs: self.inputs.clone(),
            nodes: self.nodes_where(&kept),
            initialisers: self
                .initialisers
                .iter()
                .filter(|(name, _)| needed.contains(name.as_str()))
                .map(|(name, tensor)| (name.clone(), tensor.clone()))
                .collect(),
            outputs: outputs.iter().map(|&name| name.to_owned()).collect(),
            layers: Vec::new(),
            lists_tensors: false,
            layouts: self
                .layouts
                .iter()
                .filter(|(name, _)| needed.contains(name.as_str()))
                .map(|(name, layout)| (name.clone(), *layout))
                .collect(),
        }
    }

    /// How the values of `tensor` are laid out.
    #[must_use]
    pub fn layout(&self, tensor: &str) -> Layout {
        self.layouts.get(tensor).copied().unwrap_or_default()
    }

    /// Size of all constant tensors in bytes.
    #[must_use]
    pub fn n_weight_bytes(&self) -> usize {
        self.initialisers.values().map(|t| t.bytes().len()).sum()
    }

    /// The layers that stand for the whole network: every module, and every tensor that no module
    /// names.
    #[must_use]
    pub fn default_layers(&self) -> Vec<Layer> {
        if !self.lists_tensors {
            return self.layers.clone();
        }
        let named_by_module: BTreeSet<&str> = self
            .layers
            .iter()
            .filter(|layer| layer.name != layer.tensor)
            .map(|layer| layer.tensor.as_str())
            .collect();
        self.layers
            .iter()
            .filter(|layer| {
                layer.name != layer.tensor || !named_by_module.contains(layer.tensor.as_str())
            })
            .cloned()
            .collect()
    }

    /// A file name (without ending) for each layer, in the order of [`Graph::layers`].
    ///
    /// # Definition
    ///
    /// Letters, digits, `.`, `-` and `_` stay, everything else becomes `_`; a leading dot gets a `_`
    /// before it; at most 120 characters are kept. Names that would then be the same (also on file
    /// systems that ignore case) get `~2`, `~3`, … in layer order. Module paths of torchvision stay
    /// as they are.
    #[must_use]
    pub fn file_stems(&self) -> Vec<String> {
        let mut taken: HashMap<String, usize> = HashMap::new();
        let mut stems = Vec::with_capacity(self.layers.len());
        for layer in &self.layers {
            let mut stem: String = layer
                .name
                .chars()
                .map(|c| match c {
                    'a'..='z' | 'A'..='Z' | '0'..='9' | '.' | '-' | '_' => c,
                    _ => '_',
                })
                .take(120)
                .collect();
            if stem.is_empty() || stem.starts_with('.') {
                stem.insert(0, '_');
            }
            // `~` never comes out of the mapping above, so a numbered stem is new.
            let n_same = taken.entry(stem.to_ascii_lowercase()).or_default();
            *n_same += 1;
            if *n_same > 1 {
                stem = format!("{stem}~{n_same}");
            }
            stems.push(stem);
        }
        stems
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layers(names: &[&str]) -> Graph {
        Graph {
            layers: names
                .iter()
                .map(|name| Layer {
                    name: (*name).into(),
                    tensor: (*name).into(),
                })
                .collect(),
            ..Graph::default()
        }
    }

    #[test]
    fn file_stems_are_safe_and_unique() {
        let graph = layers(&["features.0", "/a/b", "_a_b", "/A/b", "..", "", "é"]);
        assert_eq!(
            graph.file_stems(),
            ["features.0", "_a_b", "_a_b~2", "_A_b~3", "_..", "_", "_~2"]
        );
    }

    #[test]
    fn a_cut_keeps_only_what_contributes() {
        let node = |op: &str, input: &str, output: &str| Node {
            op: op.into(),
            inputs: vec![input.into()],
            outputs: vec![output.into()],
            ..Node::default()
        };
        let graph = Graph {
            nodes: vec![
                node("Relu", "x", "a"),
                node("Sigmoid", "a", "b"),
                node("Tanh", "a", "c"),
            ],
            outputs: vec!["c".into()],
            layouts: [("a", Layout::ChannelsLast), ("c", Layout::ChannelsLast)]
                .map(|(name, layout)| (name.to_owned(), layout))
                .into(),
            ..Graph::default()
        };
        let ops =
            |graph: &Graph| -> Vec<String> { graph.nodes.iter().map(|n| n.op.clone()).collect() };
        assert_eq!(ops(&graph.cut(&["b"])), ["Relu", "Sigmoid"]);
        assert_eq!(ops(&graph.cut(&["a"])), ["Relu"]);
        let cut = graph.cut(&["b", "a"]);
        assert_eq!(cut.outputs, ["b", "a"]);
        assert_eq!(cut.layout("a"), Layout::ChannelsLast);
        assert_eq!(cut.layout("c"), Layout::ChannelsFirst);
    }
}
