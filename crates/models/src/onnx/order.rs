//! Names and order of operations.

use std::collections::{HashMap, HashSet};

use super::OnnxError;
use crate::graph::Graph;

/// Checks that every tensor is made once and that every operation's inputs are made; gives the
/// operations' indices in an order in which they are made first, the given order where it is one.
///
/// # Errors
///
/// [`OnnxError::Duplicate`], [`OnnxError::Dangling`], [`OnnxError::Cycle`],
/// [`OnnxError::UnknownOutput`].
pub(super) fn order(graph: &Graph) -> Result<Vec<usize>, OnnxError> {
    let mut made: HashSet<&str> = graph.initialisers.keys().map(String::as_str).collect();
    made.extend(graph.inputs.iter().map(|input| input.name.as_str()));
    let mut maker: HashMap<&str, usize> = HashMap::new();
    for (node_idx, node) in graph.nodes.iter().enumerate() {
        for tensor in node.outputs.iter().filter(|name| !name.is_empty()) {
            if made.contains(tensor.as_str()) || maker.insert(tensor, node_idx).is_some() {
                return Err(OnnxError::Duplicate {
                    tensor: tensor.clone(),
                });
            }
        }
    }
    if let Some(tensor) = graph
        .outputs
        .iter()
        .find(|name| !made.contains(name.as_str()) && !maker.contains_key(name.as_str()))
    {
        return Err(OnnxError::UnknownOutput {
            tensor: tensor.clone(),
        });
    }

    let mut order = Vec::with_capacity(graph.nodes.len());
    let mut state = vec![State::Waiting; graph.nodes.len()];
    // Operations that are wanted, each with the first of its inputs that was not looked at.
    let mut stack: Vec<(usize, usize)> = Vec::new();
    for start in 0..graph.nodes.len() {
        stack.push((start, 0));
        while let Some((node_idx, input_idx)) = stack.pop() {
            if state[node_idx] == State::Placed {
                continue;
            }
            state[node_idx] = State::Wanted;
            let node = &graph.nodes[node_idx];
            let Some(tensor) = node.inputs.get(input_idx) else {
                state[node_idx] = State::Placed;
                order.push(node_idx);
                continue;
            };
            stack.push((node_idx, input_idx + 1));
            if tensor.is_empty() || made.contains(tensor.as_str()) {
                continue;
            }
            let fault = || (node.name.clone(), tensor.clone());
            match maker.get(tensor.as_str()) {
                None => {
                    let (node, tensor) = fault();
                    return Err(OnnxError::Dangling { node, tensor });
                }
                Some(&source) if state[source] == State::Wanted => {
                    let (node, tensor) = fault();
                    return Err(OnnxError::Cycle { node, tensor });
                }
                Some(&source) if state[source] == State::Waiting => stack.push((source, 0)),
                Some(_) => {}
            }
        }
    }
    Ok(order)
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    Waiting,
    Wanted,
    Placed,
}
