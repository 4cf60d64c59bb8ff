//! ONNX bytes → graph.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use bytes::Bytes;
use prost::Message;

use super::external::DataFiles;
use super::{
    MAX_BYTES, OnnxError, external, functions, lower, modules, order, proto, upgrade, widen,
};
use crate::graph::{Attribute, Element, Graph, Input, Node, Opset, Tensor};

/// Most numbers that a batch of images of the size that a network prescribes may take.
const MAX_INPUT: usize = 1 << 28;

/// Reads a network whose weights are all in `bytes`.
///
/// # Definition
///
/// Layers are named by the file as it is; then it is brought to a form that all executors read
/// alike: local functions are written out where they are called, `Constant` operations become
/// constants, 16-bit floats become 32-bit floats, operators of sets before 13 take the form of set
/// 13, and `LRN`, `GroupNormalization`, `SpaceToDepth`, `Mish`, `Selu`, `Celu` and
/// `ThresholdedRelu` are written out in simpler ones. Operations that are out of order are put in
/// order.
///
/// # Errors
///
/// [`OnnxError`] when the bytes are not ONNX, are damaged, or describe something that we do not run:
/// control flow, sparse weights, weights in other files (see [`read_in`]), several inputs, an input
/// that is not a batch of three-channel images.
///
/// # Example
///
/// ```
/// let error = consilience_models::onnx::read(vec![8, 8].into()).unwrap_err();
/// assert!(error.to_string().contains("holds no graph"));
/// ```
pub fn read(bytes: Bytes) -> Result<Graph, OnnxError> {
    read_with(bytes, DataFiles::default())
}

/// Reads a network as [`read`], with weights in files in `folder`, where the `.onnx` file lies.
///
/// # Errors
///
/// As [`read`]; [`OnnxError::External`] when such a file lies elsewhere, is missing or too short.
pub fn read_in(folder: &Path, bytes: Bytes) -> Result<Graph, OnnxError> {
    read_with(bytes, DataFiles::in_folder(folder))
}

/// The files that weights lie in, as a model names them: relative to its own folder.
///
/// # Errors
///
/// [`OnnxError`] when the bytes are not ONNX.
pub fn data_files(bytes: Bytes) -> Result<BTreeSet<String>, OnnxError> {
    let model = decode(bytes)?;
    let inner = model.functions.iter().flat_map(|function| &function.node);
    let (initialisers, nodes) = match &model.graph {
        Some(graph) => (graph.initializer.as_slice(), graph.node.as_slice()),
        None => (&[][..], &[][..]),
    };
    let attributes = nodes.iter().chain(inner).flat_map(|node| &node.attribute);
    let constants = attributes.filter_map(|attribute| attribute.t.as_ref());
    Ok(initialisers
        .iter()
        .chain(constants)
        .filter(|tensor| tensor.data_location == proto::EXTERNAL)
        .filter_map(|tensor| external::location(tensor))
        .map(str::to_owned)
        .collect())
}

fn decode(bytes: Bytes) -> Result<proto::Model, OnnxError> {
    let found = bytes.len() as u64;
    if found > MAX_BYTES {
        return Err(OnnxError::TooLarge { found });
    }
    proto::Model::decode(bytes).map_err(|source| OnnxError::Encoding { source })
}

fn read_with(bytes: Bytes, mut files: DataFiles) -> Result<Graph, OnnxError> {
    let mut model = decode(bytes)?;
    for set in &mut model.opset_import {
        own_domain(&mut set.domain);
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
            .insert(name.clone(), read_tensor(tensor, &mut files)?)
            .is_some()
        {
            return Err(OnnxError::Duplicate { tensor: name });
        }
    }
    // Until IR version 4 weights were listed among the inputs as well.
    let inputs = source
        .input
        .into_iter()
        .filter(|input| !initialisers.contains_key(&input.name))
        .collect();
    let mut graph = Graph {
        name: source.name,
        inputs: read_inputs(inputs)?,
        initialisers,
        outputs: source
            .output
            .into_iter()
            .map(|output| output.name)
            .collect(),
        lists_tensors: true,
        ..Graph::default()
    };
    let mut scopes = Vec::new();
    for node in functions::inline(source.node, &model.functions, &model.opset_import)? {
        let path = modules::path(&node);
        let node = read_node(node, &mut files)?;
        match constant(&node) {
            Some((name, tensor)) => {
                if graph.initialisers.insert(name.clone(), tensor).is_some() {
                    return Err(OnnxError::Duplicate { tensor: name });
                }
            }
            None => {
                graph.nodes.push(node);
                scopes.push(path);
            }
        }
    }
    graph.opsets = model
        .opset_import
        .into_iter()
        .map(|set| Opset {
            domain: set.domain,
            version: set.version,
        })
        .collect();

    let order = order::order(&graph)?;
    let mut nodes: Vec<Option<Node>> = graph.nodes.drain(..).map(Some).collect();
    graph.nodes = order.iter().filter_map(|&idx| nodes[idx].take()).collect();
    let scopes: Vec<Vec<String>> = order
        .iter()
        .map(|&idx| std::mem::take(&mut scopes[idx]))
        .collect();
    graph.layers = modules::layers(&graph, &scopes);
    widen::widen(&mut graph);
    upgrade::upgrade(&mut graph)?;
    lower::lower(&mut graph);
    Ok(graph)
}

/// The name and value of a constant that is written as an operation.
fn constant(node: &Node) -> Option<(String, Tensor)> {
    if node.op != "Constant" || !node.domain.is_empty() {
        return None;
    }
    let bytes = |values: &[i64]| {
        values
            .iter()
            .flat_map(|v| v.to_le_bytes())
            .collect::<Vec<u8>>()
    };
    let (_, value) = node.attributes.first_key_value()?;
    let tensor = match value {
        Attribute::Tensor(tensor) => Some(tensor.clone()),
        Attribute::Int(value) => Tensor::from_bytes(Element::I64, vec![], bytes(&[*value]).into()),
        Attribute::Ints(values) => {
            Tensor::from_bytes(Element::I64, vec![values.len()], bytes(values).into())
        }
        Attribute::Float(value) => Tensor::from_f32(vec![], &[*value]),
        Attribute::Floats(values) => Tensor::from_f32(vec![values.len()], values),
        Attribute::Text(_) | Attribute::Texts(_) => None,
    };
    Some((node.outputs.first()?.clone(), tensor?))
}

/// ONNX's own domain has two names.
fn own_domain(domain: &mut String) {
    if domain == "ai.onnx" {
        domain.clear();
    }
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
        .filter(|t| {
            let element = Element::from_code(t.elem_type);
            matches!(element, Some(Element::F32 | Element::F16 | Element::Bf16))
        })
        .and_then(|t| t.shape.as_ref())
        .map(|shape| shape.dim.iter().map(read_extent).collect());
    match shape {
        Some(shape)
            if shape.len() == 4 && shape[1].is_none_or(|n| n == 3) && !shape.contains(&Some(0)) =>
        {
            let found: Vec<usize> = shape.iter().flatten().copied().collect();
            let n_numbers = found
                .iter()
                .try_fold(1, |n: usize, &extent| n.checked_mul(extent));
            if n_numbers.is_none_or(|n| n > MAX_INPUT) {
                return Err(OnnxError::Enormous {
                    found,
                    limit: MAX_INPUT,
                });
            }
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

fn read_node(mut node: proto::Node, files: &mut DataFiles) -> Result<Node, OnnxError> {
    own_domain(&mut node.domain);
    let mut attributes = BTreeMap::new();
    for attribute in node.attribute {
        let name = attribute.name.clone();
        let value = read_attribute(attribute, &node.name, &node.op_type, files)?;
        attributes.insert(name, value);
    }
    // A name to call it by in messages.
    if let (true, Some(output)) = (node.name.is_empty(), node.output.first()) {
        node.name.clone_from(output);
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
    files: &mut DataFiles,
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
            files,
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

fn read_tensor(tensor: proto::Tensor, files: &mut DataFiles) -> Result<Tensor, OnnxError> {
    let Some(element) = Element::from_code(tensor.data_type) else {
        return Err(OnnxError::Unsupported {
            what: "a tensor of strings, complex or sub-byte numbers",
            place: tensor.name,
            instead: "export the model with ordinary numbers",
        });
    };
    let misfit = |found| OnnxError::TensorSize {
        tensor: tensor.name.clone(),
        shape: tensor.dims.clone(),
        found,
    };
    let extents = tensor.dims.iter().map(|&extent| usize::try_from(extent));
    let shape: Vec<usize> = extents.collect::<Result<_, _>>().map_err(|_| misfit(0))?;
    let bytes = if tensor.data_location == proto::EXTERNAL {
        let n_bytes = shape
            .iter()
            .try_fold(element.n_bytes(), |n, &extent| n.checked_mul(extent))
            .ok_or_else(|| misfit(0))?;
        files.bytes(&tensor, n_bytes)?
    } else if let Some(raw) = &tensor.raw_data {
        raw.clone()
    } else {
        typed_numbers(&tensor, element).into()
    };
    let found = bytes.len();
    Tensor::from_bytes(element, shape, bytes).ok_or_else(|| misfit(found))
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
