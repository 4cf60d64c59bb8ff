//! Layer names of a graph that came from a file.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::graph::{Graph, Layer};

/// Names every tensor that depends on the input, in execution order: first the modules whose output
/// it is, inner before outer, then the tensor itself.
///
/// # Definition
///
/// torch's exporter calls a node `/features/features.3/squeeze/Conv`: the modules it lies in from
/// outside to inside, then the operation. A part that repeats the one before it and adds to it
/// (`features`, `features.3`) replaces it, so this node lies in `features`, `features.3` and
/// `features.3.squeeze`. A module's output is the last tensor made in it that is read outside it or
/// is an output of the network.
pub(super) fn layers(graph: &Graph) -> Vec<Layer> {
    let mut live: HashSet<&str> = graph.inputs.iter().map(|i| i.name.as_str()).collect();
    let mut paths: Vec<Vec<String>> = Vec::with_capacity(graph.nodes.len());
    for node in &graph.nodes {
        let depends = node.inputs.iter().any(|name| live.contains(name.as_str()));
        if depends {
            let outputs = node.outputs.iter().map(String::as_str);
            live.extend(outputs.filter(|name| !name.is_empty()));
        }
        paths.push(if depends {
            module_paths(&node.name)
        } else {
            Vec::new()
        });
    }

    let outputs = module_outputs(graph, &paths);
    let mut modules_of: HashMap<&str, Vec<&str>> = HashMap::new();
    for (module, tensor) in &outputs {
        modules_of.entry(tensor).or_default().push(module);
    }
    let mut layers = Vec::new();
    let made = graph.nodes.iter().flat_map(|node| &node.outputs);
    for tensor in made.filter(|name| live.contains(name.as_str())) {
        let mut modules = modules_of.remove(tensor.as_str()).unwrap_or_default();
        modules.sort_by_key(|module| std::cmp::Reverse(module.len()));
        // A tensor that bears a module's very name would otherwise be listed twice.
        let names = modules.into_iter().filter(|module| module != tensor);
        layers.extend(names.chain([tensor.as_str()]).map(|name| Layer {
            name: name.to_owned(),
            tensor: tensor.clone(),
        }));
    }
    drop_ambiguous(layers)
}

/// Module paths that a node lies in, outermost first; empty for a name that is not a path.
fn module_paths(node: &str) -> Vec<String> {
    let Some(rest) = node.strip_prefix('/') else {
        return Vec::new();
    };
    let mut parts: Vec<&str> = rest.split('/').collect();
    parts.pop();
    let mut paths: Vec<String> = Vec::new();
    let mut previous = "";
    for part in parts {
        let local = part
            .strip_prefix(previous)
            .and_then(|tail| tail.strip_prefix('.'))
            .filter(|_| !previous.is_empty())
            .unwrap_or(part);
        paths.push(match paths.last() {
            Some(parent) => format!("{parent}.{local}"),
            None => local.to_owned(),
        });
        previous = part;
    }
    paths
}

/// The tensor that leaves each module.
fn module_outputs<'a>(graph: &'a Graph, paths: &'a [Vec<String>]) -> BTreeMap<&'a str, &'a str> {
    let mut readers: HashMap<&str, Vec<usize>> = HashMap::new();
    for (node_idx, node) in graph.nodes.iter().enumerate() {
        for name in &node.inputs {
            readers.entry(name).or_default().push(node_idx);
        }
    }
    let final_outputs: HashSet<&str> = graph.outputs.iter().map(String::as_str).collect();
    let mut outputs = BTreeMap::new();
    for (node, modules) in graph.nodes.iter().zip(paths) {
        for (depth, module) in modules.iter().enumerate() {
            let leaves = |tensor: &str| {
                final_outputs.contains(tensor)
                    || readers.get(tensor).is_some_and(|readers| {
                        readers.iter().any(|&r| paths[r].get(depth) != Some(module))
                    })
            };
            if let Some(tensor) = node.outputs.iter().find(|name| leaves(name)) {
                outputs.insert(module.as_str(), tensor.as_str());
            }
        }
    }
    outputs
}

/// A name must mean one tensor: of several layers with one name the first stays.
fn drop_ambiguous(mut layers: Vec<Layer>) -> Vec<Layer> {
    let mut seen = HashSet::new();
    layers.retain(|layer| seen.insert(layer.name.clone()));
    layers
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::{Input, Node};

    #[test]
    fn paths_follow_torch() {
        assert_eq!(
            module_paths("/features/features.3/squeeze/Conv"),
            ["features", "features.3", "features.3.squeeze"]
        );
        assert_eq!(
            module_paths("/layer2/layer2.0/downsample/downsample.0/Conv"),
            [
                "layer2",
                "layer2.0",
                "layer2.0.downsample",
                "layer2.0.downsample.0"
            ]
        );
        assert!(module_paths("/Flatten").is_empty());
        assert!(module_paths("Conv_0").is_empty());
    }

    #[test]
    fn a_module_is_what_leaves_it() {
        let node = |name: &str, inputs: &[&str], output: &str| Node {
            name: name.into(),
            op: "Op".into(),
            inputs: inputs.iter().map(|&i| i.into()).collect(),
            outputs: vec![output.into()],
            ..Node::default()
        };
        let graph = Graph {
            inputs: vec![Input {
                name: "x".into(),
                shape: vec![None; 4],
            }],
            nodes: vec![
                node("/block/conv/Conv", &["x", "w"], "a"),
                node("/block/Constant", &[], "k"),
                node("/block/Mul", &["a", "k"], "b"),
                // Made last in the block, but read inside only.
                node("/block/Shape", &["b"], "s"),
                node("/block/Reshape", &["b", "s"], "c"),
                node("/head/Gemm", &["c"], "out"),
            ],
            outputs: vec!["out".into()],
            ..Graph::default()
        };
        let names: Vec<(String, String)> = layers(&graph)
            .into_iter()
            .map(|l| (l.name, l.tensor))
            .collect();
        let expected = [
            ("block.conv", "a"),
            ("a", "a"),
            ("b", "b"),
            ("s", "s"),
            ("block", "c"),
            ("c", "c"),
            ("head", "out"),
            ("out", "out"),
        ];
        assert_eq!(names, expected.map(|(n, t)| (n.to_owned(), t.to_owned())));
    }
}
