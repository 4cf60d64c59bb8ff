//! Graph → ONNX bytes.

use prost::Message;

use super::proto::{self, kind};
use crate::graph::{Attribute, Element, Graph, Input, Node, Tensor};

/// Version of the container that is written; any runtime since 2021 reads it.
const IR_VERSION: i64 = 8;

/// Writes a network, with [`Graph::outputs`] as the outputs.
///
/// Operator set versions, operations and numbers are those of the graph; layer names are not part
/// of ONNX and stay behind.
#[must_use]
pub fn write(graph: &Graph) -> Vec<u8> {
    proto::Model {
        ir_version: IR_VERSION,
        producer_name: "consilience".into(),
        graph: Some(proto::Graph {
            node: graph.nodes.iter().map(write_node).collect(),
            // ONNX wants a graph to have a name.
            name: match graph.name.as_str() {
                "" => "network".into(),
                name => name.into(),
            },
            initializer: graph
                .initialisers
                .iter()
                .map(|(name, tensor)| write_tensor(name, tensor))
                .collect(),
            input: graph.inputs.iter().map(write_input).collect(),
            // Runtimes work out the types of outputs.
            output: graph
                .outputs
                .iter()
                .map(|name| proto::ValueInfo {
                    name: name.clone(),
                    value_type: None,
                })
                .collect(),
            ..proto::Graph::default()
        }),
        opset_import: graph
            .opsets
            .iter()
            .map(|set| proto::OperatorSet {
                domain: set.domain.clone(),
                version: set.version,
            })
            .collect(),
        functions: Vec::new(),
    }
    .encode_to_vec()
}

fn write_input(input: &Input) -> proto::ValueInfo {
    let dim = input
        .shape
        .iter()
        .enumerate()
        .map(|(axis, extent)| proto::Dimension {
            extent: Some(match extent {
                Some(extent) => proto::Extent::Fixed(*extent as i64),
                None => proto::Extent::Named(format!("axis{axis}")),
            }),
        })
        .collect();
    proto::ValueInfo {
        name: input.name.clone(),
        value_type: Some(proto::Type {
            tensor_type: Some(proto::TensorType {
                elem_type: Element::F32 as i32,
                shape: Some(proto::Shape { dim }),
            }),
        }),
    }
}

fn write_node(node: &Node) -> proto::Node {
    proto::Node {
        input: node.inputs.clone(),
        output: node.outputs.clone(),
        name: node.name.clone(),
        op_type: node.op.clone(),
        attribute: node
            .attributes
            .iter()
            .map(|(name, value)| write_attribute(name, value))
            .collect(),
        domain: node.domain.clone(),
        ..proto::Node::default()
    }
}

fn write_attribute(name: &str, value: &Attribute) -> proto::Attribute {
    let mut attribute = proto::Attribute {
        name: name.to_owned(),
        ..proto::Attribute::default()
    };
    attribute.kind = match value {
        Attribute::Float(v) => {
            attribute.f = Some(*v);
            kind::FLOAT
        }
        Attribute::Int(v) => {
            attribute.i = Some(*v);
            kind::INT
        }
        Attribute::Text(v) => {
            attribute.s = Some(v.clone());
            kind::STRING
        }
        Attribute::Tensor(v) => {
            attribute.t = Some(write_tensor("", v));
            kind::TENSOR
        }
        Attribute::Floats(v) => {
            attribute.floats.clone_from(v);
            kind::FLOATS
        }
        Attribute::Ints(v) => {
            attribute.ints.clone_from(v);
            kind::INTS
        }
        Attribute::Texts(v) => {
            attribute.strings.clone_from(v);
            kind::STRINGS
        }
    };
    attribute
}

fn write_tensor(name: &str, tensor: &Tensor) -> proto::Tensor {
    proto::Tensor {
        dims: tensor.shape().iter().map(|&extent| extent as i64).collect(),
        data_type: tensor.element() as i32,
        name: name.to_owned(),
        raw_data: Some(tensor.bytes().clone()),
        ..proto::Tensor::default()
    }
}
