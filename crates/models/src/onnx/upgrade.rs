//! Operators of old operator sets in the form of set 13.
//!
//! Between sets 7 and 13 many settings moved from attributes to inputs, `Upsample` became `Resize`,
//! and the meaning of `Softmax` changed. Executors differ in how much of the old forms they know
//! (one takes the axis of an old `Softmax` for that of a new one), so they are given one form.

use super::OnnxError;
use super::rewrite::{Writer, int, rewrite};
use crate::graph::{Attribute, Graph, Node, Tensor};

/// Oldest operator set that is read.
const OLDEST: i64 = 7;
/// Operator set that older ones are brought to.
const TARGET: i64 = 13;

/// Brings the operations to set 13, if they are of an older one.
///
/// # Errors
///
/// [`OnnxError::OldOperators`] for a set before 7, in which shapes were not broadcast.
pub(super) fn upgrade(graph: &mut Graph) -> Result<(), OnnxError> {
    let Some(set) = graph.opsets.iter_mut().find(|set| set.domain.is_empty()) else {
        return Ok(());
    };
    if set.version >= TARGET {
        return Ok(());
    }
    if set.version < OLDEST {
        return Err(OnnxError::OldOperators {
            found: set.version,
            expected: OLDEST,
        });
    }
    set.version = TARGET;
    rewrite(graph, rule);
    Ok(())
}

fn rule(mut node: Node, writer: &mut Writer) {
    if !node.domain.is_empty() {
        return writer.keep(node);
    }
    match node.op.as_str() {
        "Clip" => {
            for (idx, name) in [(1, "min"), (2, "max")] {
                if let Some(Attribute::Float(value)) = node.attributes.remove(name) {
                    let bound = writer.number(&node, name, value);
                    set_input(&mut node, idx, bound);
                }
            }
        }
        "Pad" => {
            integers_to_input(&mut node, "pads", 1, writer);
            if let Some(Attribute::Float(value)) = node.attributes.remove("value") {
                let value = writer.number(&node, "value", value);
                set_input(&mut node, 2, value);
            }
        }
        "Squeeze" | "Unsqueeze" | "ReduceSum" => integers_to_input(&mut node, "axes", 1, writer),
        "Split" => integers_to_input(&mut node, "split", 1, writer),
        "Slice" => {
            for (idx, name) in [(1, "starts"), (2, "ends"), (3, "axes")] {
                integers_to_input(&mut node, name, idx, writer);
            }
        }
        "TopK" => {
            if let Some(Attribute::Int(k)) = node.attributes.remove("k") {
                let k = writer.integers(&node, "k", &[k]);
                set_input(&mut node, 1, k);
            }
        }
        "BatchNormalization" if int(&node, "spatial") == Some(1) => {
            node.attributes.remove("spatial");
        }
        "Scatter" => "ScatterElements".clone_into(&mut node.op),
        "Upsample" => return old_resize(&node, writer),
        // Set 11 put a region between the image and the scales.
        "Resize" if node.inputs.len() == 2 => return old_resize(&node, writer),
        "Softmax" | "LogSoftmax" | "Hardmax" => return old_softmax(&node, writer),
        _ => {}
    }
    writer.keep(node);
}

fn set_input(node: &mut Node, idx: usize, name: String) {
    if node.inputs.len() <= idx {
        node.inputs.resize(idx + 1, String::new());
    }
    node.inputs[idx] = name;
}

fn integers_to_input(node: &mut Node, attribute: &str, idx: usize, writer: &mut Writer) {
    if let Some(Attribute::Ints(values)) = node.attributes.remove(attribute) {
        let name = writer.integers(node, attribute, &values);
        set_input(node, idx, name);
    }
}

/// `Upsample`, and `Resize` as it was in set 10: positions are scaled without an offset; the nearest
/// neighbour is the one before in an axis that grows, the one after in an axis that shrinks.
fn old_resize(node: &Node, writer: &mut Writer) {
    let input = node.inputs.first().map_or("", String::as_str);
    let mode = node.attributes.get("mode").cloned();
    let mode = mode.unwrap_or(Attribute::Text("nearest".into()));
    let attributes = |nearest: &str| {
        [
            ("mode", mode.clone()),
            ("nearest_mode", Attribute::Text(nearest.into())),
            (
                "coordinate_transformation_mode",
                Attribute::Text("asymmetric".into()),
            ),
        ]
    };
    let name = node.inputs.get(1).map_or("", String::as_str);
    let known = match node.attributes.get("scales") {
        Some(Attribute::Floats(scales)) => Some(scales.clone()),
        _ => writer.value(name).and_then(Tensor::to_f32),
    };
    let Some(scales) = known else {
        return writer.last(node, "Resize", &[input, "", name], &attributes("floor"));
    };
    if scales.iter().all(|scale| *scale >= 1.0) {
        let scales = writer.numbers(node, "scales", &scales);
        return writer.last(node, "Resize", &[input, "", &scales], &attributes("floor"));
    }
    let [grow, shrink] = [f32::max, f32::min].map(|part| {
        let scales: Vec<f32> = scales.iter().map(|&scale| part(scale, 1.0)).collect();
        writer.numbers(node, "scales", &scales)
    });
    let grown = writer.step(node, "Resize", &[input, "", &grow], &attributes("floor"));
    writer.last(node, "Resize", &[&grown, "", &shrink], &attributes("ceil"));
}

/// Before set 13 the axes from `axis` on were one: they are flattened and put back. With the last
/// axis alone, old and new are the same.
fn old_softmax(node: &Node, writer: &mut Writer) {
    let axis = int(node, "axis").unwrap_or(1);
    let input = node.inputs.first().map_or("", String::as_str);
    let flat = writer
        .maker(input)
        .is_some_and(|maker| matches!(maker.op.as_str(), "Gemm" | "Flatten"));
    let last = [("axis", Attribute::Int(-1))];
    if axis == -1 || (flat && axis == 1) {
        return writer.last(node, &node.op, &[input], &last);
    }
    let shape = writer.step(node, "Shape", &[input], &[]);
    let rows = writer.step(node, "Flatten", &[input], &[("axis", Attribute::Int(axis))]);
    let rows = writer.step(node, &node.op, &[&rows], &last);
    writer.last(node, "Reshape", &[&rows, &shape], &[]);
}
