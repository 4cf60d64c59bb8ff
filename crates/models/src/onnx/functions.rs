//! Local functions are written out where they are called.

use std::collections::{BTreeMap, HashMap};

use super::{OnnxError, proto};

/// Most operations that a network may have once its functions are written out.
const MAX_NODES: usize = 200_000;
/// Most functions that may call one another in a row.
const MAX_DEPTH: usize = 100;

/// Functions by domain and name.
type Functions<'a> = HashMap<(&'a str, &'a str), &'a proto::Function>;

/// The operations of a model without calls of its local functions.
///
/// # Definition
///
/// A tensor `t` inside a call becomes `out/t`, where `out` is the call's first output; the call's
/// inputs and outputs keep their names. Attributes that refer to the call's take its value, else the
/// function's default.
///
/// # Errors
///
/// [`OnnxError::Function`] for functions that call themselves, that grow without measure, that are
/// read by other operator sets than the model, or that are called with too many tensors.
pub(super) fn inline(
    nodes: Vec<proto::Node>,
    functions: &[proto::Function],
    opsets: &[proto::OperatorSet],
) -> Result<Vec<proto::Node>, OnnxError> {
    if functions.is_empty() {
        return Ok(nodes);
    }
    let versions: BTreeMap<&str, i64> = opsets
        .iter()
        .map(|set| (set.domain.as_str(), set.version))
        .collect();
    for function in functions {
        let other = function.opset_import.iter().find(|set| {
            versions
                .get(set.domain.as_str())
                .is_some_and(|version| *version != set.version)
        });
        if other.is_some() {
            return Err(fault(function, "is read by another operator set version"));
        }
    }
    let functions: Functions<'_> = functions
        .iter()
        .map(|function| ((function.domain.as_str(), function.name.as_str()), function))
        .collect();
    let mut written = Vec::with_capacity(nodes.len());
    for node in nodes {
        write_out(node, &functions, 0, &mut written)?;
    }
    Ok(written)
}

fn fault(function: &proto::Function, what: &'static str) -> OnnxError {
    OnnxError::Function {
        function: function.name.clone(),
        what,
    }
}

fn write_out(
    node: proto::Node,
    functions: &Functions<'_>,
    depth: usize,
    written: &mut Vec<proto::Node>,
) -> Result<(), OnnxError> {
    let Some(function) = functions.get(&(node.domain.as_str(), node.op_type.as_str())) else {
        written.push(node);
        return Ok(());
    };
    if depth == MAX_DEPTH {
        return Err(fault(function, "calls itself or nests too deep"));
    }
    if node.input.len() > function.input.len() || node.output.len() > function.output.len() {
        return Err(fault(function, "is called with more tensors than it has"));
    }
    let prefix = node.output.first().map_or("", String::as_str);
    let mut names: HashMap<&str, String> = HashMap::new();
    for (idx, inner) in function.input.iter().enumerate() {
        let outer = node.input.get(idx).cloned().unwrap_or_default();
        names.insert(inner, outer);
    }
    for (inner, outer) in function.output.iter().zip(&node.output) {
        if outer.is_empty() {
            continue;
        }
        match names.get(inner.as_str()) {
            // An input, or an earlier output, handed on.
            Some(source) => written.push(proto::Node {
                input: vec![source.clone()],
                output: vec![outer.clone()],
                op_type: "Identity".into(),
                ..proto::Node::default()
            }),
            None => {
                names.insert(inner, outer.clone());
            }
        }
    }
    let rename = |inner: &String| match names.get(inner.as_str()) {
        Some(outer) => outer.clone(),
        None if inner.is_empty() => String::new(),
        None => format!("{prefix}/{inner}"),
    };
    for inner in &function.node {
        if written.len() >= MAX_NODES {
            return Err(fault(function, "writes out to too many operations"));
        }
        let call = proto::Node {
            input: inner.input.iter().map(rename).collect(),
            output: inner.output.iter().map(rename).collect(),
            name: String::new(),
            attribute: inner
                .attribute
                .iter()
                .filter_map(|attribute| resolve(attribute, &node, function))
                .collect(),
            metadata_props: node.metadata_props.clone(),
            ..inner.clone()
        };
        write_out(call, functions, depth + 1, written)?;
    }
    Ok(())
}

/// The attribute itself, or what it refers to: the call's attribute, the function's default, nothing.
fn resolve(
    attribute: &proto::Attribute,
    call: &proto::Node,
    function: &proto::Function,
) -> Option<proto::Attribute> {
    if attribute.ref_attr_name.is_empty() {
        return Some(attribute.clone());
    }
    let named = |a: &&proto::Attribute| a.name == attribute.ref_attr_name;
    let value = call
        .attribute
        .iter()
        .find(named)
        .or_else(|| function.attribute_proto.iter().find(named))?;
    Some(proto::Attribute {
        name: attribute.name.clone(),
        ..value.clone()
    })
}
