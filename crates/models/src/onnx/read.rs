//! ONNX bytes → graph.

use std::collections::{BTreeMap, HashSet};

use bytes::Bytes;
use prost::Message;

use super::{MAX_BYTES, OnnxError, modules, proto};
use crate::graph::{Attribute, Element, Graph, Input, Node, Opset, Tensor};

/// Reads a network.
///
/// # Errors
///
/// [`OnnxError`] when the bytes are not ONNX, are damaged, or describe something that we do not run:
/// control flow, local functions, sparse or external weights, several inputs, an input that is not
/// a batch of three-channel images.
///
/// # Example
///
/// ```
/// let error = consilience_models::onnx::read(vec![8, 8].into()).unwrap_err();
/// assert!(error.to_string().contains("holds no graph"));
/// ```
pub fn read(bytes: Bytes) -> Result<Graph, OnnxError> {
    if bytes.len() as u64 > MAX_BYTES {
        return Err(OnnxError::TooLarge {
            found: bytes.len() as u64,
        });
    }
    let model = proto::Model::decode(bytes).map_err(|source| OnnxError::Encoding { source })?;
    if let Some(function) = model.functions.into_iter().next() {
        return Err(OnnxError::Unsupported {
            what: "a local function",
            place: function.name,
            instead: "export the model with its functions inlined",
        });
    }
    let source = model.graph.ok_or(OnnxError::Empty { what: "graph" })?;
    if source.node.is_empty() {
        return Err(OnnxError::Empty { what: "operations" });
    }
    if !source.sparse_initializer.is_empty() {
        return Err(OnnxError::Unsupported {
            what: "a sparse weight",
            place: source.name,
            instead: "export the model with dense weights",
        });
    }

    let mut initialisers = BTreeMap::new();
    for tensor in source.initializer {
        let name = tensor.name.clone();
        if initialisers
            .insert(name.clone(), read_tensor(tensor)?)
            .is_some()
        {
            return Err(OnnxError::Duplicate { tensor: name });
        }
    }
    let mut graph = Graph {
        name: source.name,
        opsets: model
            .opset_import
            .into_iter()
            .map(|set| Opset {
                domain: set.domain,
                version: set.version,
            })
            .collect(),
        // Until IR version 4 weights were listed among the inputs as well.
        inputs: read_inputs(
            source
                .input
                .into_iter()
                .filter(|input| !initialisers.contains_key(&input.name))
                .collect(),
        )?,
        nodes: source
            .node
            .into_iter()
            .map(read_node)
            .collect::<Result<_, _>>()?,
        initialisers,
        outputs: source
            .output
            .into_iter()
            .map(|output| output.name)
            .collect(),
        layers: Vec::new(),
        lists_tensors: true,
        layouts: BTreeMap::new(),
    };
    check_names(&graph)?;
    graph.layers = modules::layers(&graph);
    Ok(graph)
}

fn read_inputs(inputs: Vec<proto::ValueInfo>) -> Result<Vec<Input>, OnnxError> {
    let describe = |inputs: &[proto::ValueInfo]| {
        let names: Vec<String> = inputs.iter().map(describe_input).collect();
        match names.len() {
            0 => "no input".to_owned(),
            n => format!("{n}: {}", names.join(", ")),
        }
    };
    let [input] = inputs.as_slice() else {
        return Err(OnnxError::NotImages {
            found: describe(&inputs),
        });
    };
    let tensor_type = input
        .value_type
        .as_ref()
        .and_then(|t| t.tensor_type.as_ref());
    let shape: Option<Vec<Option<usize>>> = tensor_type
        .filter(|t| t.elem_type == Element::F32 as i32)
        .and_then(|t| t.shape.as_ref())
        .map(|shape| shape.dim.iter().map(read_extent).collect());
    match shape {
        Some(shape)
            if shape.len() == 4 && shape[1].is_none_or(|n| n == 3) && !shape.contains(&Some(0)) =>
        {
            Ok(vec![Input {
                name: input.name.clone(),
                shape,
            }])
        }
        _ => Err(OnnxError::NotImages {
            found: describe(&inputs),
        }),
    }
}

/// `None` for an extent that is free: named, absent, or the -1 that some exporters write.
fn read_extent(dimension: &proto::Dimension) -> Option<usize> {
    match dimension.extent {
        Some(proto::Extent::Fixed(extent)) => usize::try_from(extent).ok(),
        _ => None,
    }
}

fn describe_input(input: &proto::ValueInfo) -> String {
    let Some(tensor) = input
        .value_type
        .as_ref()
        .and_then(|t| t.tensor_type.as_ref())
    else {
        return format!("{:?} (not a tensor)", input.name);
    };
    let extents: Vec<String> = tensor
        .shape
        .iter()
        .flat_map(|shape| &shape.dim)
        .map(|dimension| read_extent(dimension).map_or("?".into(), |extent| extent.to_string()))
        .collect();
    format!(
        "{:?} of shape ({}) and ONNX element type {}",
        input.name,
        extents.join(", "),
        tensor.elem_type
    )
}

fn read_node(node: proto::Node) -> Result<Node, OnnxError> {
    let mut attributes = BTreeMap::new();
    for attribute in node.attribute {
        let name = attribute.name.clone();
        attributes.insert(name, read_attribute(attribute, &node.name, &node.op_type)?);
    }
    Ok(Node {
        name: node.name,
        op: node.op_type,
        domain: node.domain,
        inputs: node.input,
        outputs: node.output,
        attributes,
    })
}

fn read_attribute(
    attribute: proto::Attribute,
    node: &str,
    op: &str,
) -> Result<Attribute, OnnxError> {
    use proto::kind;
    let unsupported = |what, instead| OnnxError::Unsupported {
        what,
        place: format!("{op} {node}"),
        instead,
    };
    // Files from before IR version 2 leave the kind out; the filled field tells.
    let kind = match attribute.kind {
        kind::UNDEFINED if attribute.f.is_some() => kind::FLOAT,
        kind::UNDEFINED if attribute.i.is_some() => kind::INT,
        kind::UNDEFINED if attribute.s.is_some() => kind::STRING,
        kind::UNDEFINED if attribute.t.is_some() => kind::TENSOR,
        kind::UNDEFINED if !attribute.floats.is_empty() => kind::FLOATS,
        kind::UNDEFINED if !attribute.ints.is_empty() => kind::INTS,
        kind::UNDEFINED if !attribute.strings.is_empty() => kind::STRINGS,
        kind::UNDEFINED if attribute.g.is_some() => kind::GRAPH,
        kind::UNDEFINED if !attribute.graphs.is_empty() => kind::GRAPHS,
        kind => kind,
    };
    match kind {
        kind::FLOAT => Ok(Attribute::Float(attribute.f.unwrap_or_default())),
        kind::INT => Ok(Attribute::Int(attribute.i.unwrap_or_default())),
        kind::STRING => Ok(Attribute::Text(attribute.s.unwrap_or_default())),
        kind::TENSOR => Ok(Attribute::Tensor(read_tensor(
            attribute.t.unwrap_or_default(),
        )?)),
        kind::FLOATS => Ok(Attribute::Floats(attribute.floats)),
        kind::INTS => Ok(Attribute::Ints(attribute.ints)),
        kind::STRINGS => Ok(Attribute::Texts(attribute.strings)),
        kind::GRAPH | kind::GRAPHS => Err(unsupported(
            "control flow",
            "export the model without conditions and loops",
        )),
        _ => Err(unsupported(
            "an attribute of an unknown kind",
            "export the model with a current exporter",
        )),
    }
}

fn read_tensor(tensor: proto::Tensor) -> Result<Tensor, OnnxError> {
    if tensor.data_location == proto::EXTERNAL {
        return Err(OnnxError::Unsupported {
            what: "a weight in a separate file",
            place: tensor.name,
            instead: "export the model with its weights inside the .onnx file",
        });
    }
    let Some(element) = Element::from_code(tensor.data_type) else {
        return Err(OnnxError::Unsupported {
            what: "a tensor of strings, complex or sub-byte numbers",
            place: tensor.name,
            instead: "export the model with ordinary numbers",
        });
    };
    let bytes = match tensor.raw_data {
        Some(raw) => raw,
        None => typed_numbers(&tensor, element).into(),
    };
    let found = bytes.len();
    let shape: Option<Vec<usize>> = tensor
        .dims
        .iter()
        .map(|&d| usize::try_from(d).ok())
        .collect();
    shape
        .and_then(|shape| Tensor::from_bytes(element, shape, bytes))
        .ok_or(OnnxError::TensorSize {
            tensor: tensor.name,
            shape: tensor.dims,
            found,
        })
}

/// Numbers from the field that ONNX prescribes for their kind, as little-endian bytes; small kinds
/// travel widened to 32 bits.
#[allow(
    clippy::cast_possible_truncation,
    reason = "narrowing undoes the widening"
)]
fn typed_numbers(tensor: &proto::Tensor, element: Element) -> Vec<u8> {
    match element {
        Element::F32 => tensor
            .float_data
            .iter()
            .flat_map(|v| v.to_le_bytes())
            .collect(),
        Element::F64 => tensor
            .double_data
            .iter()
            .flat_map(|v| v.to_le_bytes())
            .collect(),
        Element::I64 => tensor
            .int64_data
            .iter()
            .flat_map(|v| v.to_le_bytes())
            .collect(),
        Element::U64 => tensor
            .uint64_data
            .iter()
            .flat_map(|v| v.to_le_bytes())
            .collect(),
        Element::U32 => tensor
            .uint64_data
            .iter()
            .flat_map(|v| (*v as u32).to_le_bytes())
            .collect(),
        Element::U8
        | Element::I8
        | Element::Bool
        | Element::U16
        | Element::I16
        | Element::F16
        | Element::Bf16
        | Element::I32 => {
            let n_bytes = element.n_bytes();
            tensor
                .int32_data
                .iter()
                .flat_map(|v| v.to_le_bytes().into_iter().take(n_bytes))
                .collect()
        }
    }
}

/// Every tensor is made once, and before it is read.
fn check_names(graph: &Graph) -> Result<(), OnnxError> {
    let mut made: HashSet<&str> = graph.initialisers.keys().map(String::as_str).collect();
    made.extend(graph.inputs.iter().map(|input| input.name.as_str()));
    for node in &graph.nodes {
        if let Some(tensor) = node
            .inputs
            .iter()
            .find(|name| !name.is_empty() && !made.contains(name.as_str()))
        {
            return Err(OnnxError::Dangling {
                node: node.name.clone(),
                tensor: tensor.clone(),
            });
        }
        for tensor in node.outputs.iter().filter(|name| !name.is_empty()) {
            if !made.insert(tensor) {
                return Err(OnnxError::Duplicate {
                    tensor: tensor.clone(),
                });
            }
        }
    }
    match graph
        .outputs
        .iter()
        .find(|name| !made.contains(name.as_str()))
    {
        Some(tensor) => Err(OnnxError::UnknownOutput {
            tensor: tensor.clone(),
        }),
        None => Ok(()),
    }
}
