//! Layer names of a graph that came from a file.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::proto;
use crate::graph::{Graph, Layer, Node};

/// Names every tensor that depends on the numbers of the input, not only on its shape, in execution
/// order: first the modules whose output it is, inner before outer, then the tensor itself. `paths`
/// are the modules that each operation lies in, as [`path`] gives them.
///
/// # Definition
///
/// A module's output is the last tensor made in it that is read outside it or is an output of the
/// network. A module without inner ones that is called again gets `_1`, `_2`, … for its further
/// calls, as torchvision's feature extraction counts them; a call ends where an operation of another
/// module begins.
pub(super) fn layers(graph: &Graph, paths: &[Vec<String>]) -> Vec<Layer> {
    let live = reached(graph, |_| true);
    // Sizes of maps and what is worked out from them say nothing of a picture. Executors that know
    // them beforehand refuse to give several that are equal.
    let values = reached(graph, |node| !matches!(node.op.as_str(), "Shape" | "Size"));
    let depends = |node: &Node| node.inputs.iter().any(|name| live.contains(name.as_str()));
    let live_paths = graph.nodes.iter().zip(paths).map(|(node, path)| {
        if depends(node) {
            path.clone()
        } else {
            Vec::new()
        }
    });
    let paths = with_calls(live_paths.collect());

    let outputs = module_outputs(graph, &paths, &values);
    let mut modules_of: HashMap<&str, Vec<&str>> = HashMap::new();
    for (module, tensor) in &outputs {
        modules_of.entry(tensor).or_default().push(module);
    }
    let mut layers = Vec::new();
    let made = graph.nodes.iter().flat_map(|node| &node.outputs);
    for tensor in made.filter(|name| values.contains(name.as_str())) {
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

/// The tensors that the input reaches through the operations that `passes` lets through.
fn reached(graph: &Graph, passes: impl Fn(&Node) -> bool) -> HashSet<&str> {
    let mut reached: HashSet<&str> = graph.inputs.iter().map(|i| i.name.as_str()).collect();
    for node in &graph.nodes {
        let mut inputs = node.inputs.iter();
        if passes(node) && inputs.any(|name| reached.contains(name.as_str())) {
            let outputs = node.outputs.iter().map(String::as_str);
            reached.extend(outputs.filter(|name| !name.is_empty()));
        }
    }
    reached
}

/// Modules that an operation lies in, outermost first; empty where the file does not say.
///
/// # Definition
///
/// torch's exporter of today writes them down: `['', 'layer1', 'layer1.0', 'layer1.0.conv1',
/// 'conv2d_1']`, the network itself first and the operation last. Its older one calls an operation
/// `/features/features.3/squeeze/Conv`; there a part that repeats the one before it and adds to it
/// (`features`, `features.3`) replaces it, so that this one lies in `features`, `features.3` and
/// `features.3.squeeze`.
///
/// The older exporter folds a batch normalisation into the convolution before it and calls the
/// result by the convolution's name, though it is not the convolution's output. Such an operation
/// has a weight that is no parameter of the module (`onnx::Conv_12`), and lies in the module around
/// the convolution only.
pub(super) fn path(node: &proto::Node) -> Vec<String> {
    let written = node.metadata_props.iter().find(|entry| entry.key == SCOPES);
    if let Some(scopes) = written {
        let mut scopes: Vec<String> = scopes
            .value
            .split('\'')
            .skip(1)
            .step_by(2)
            .map(str::to_owned)
            .collect();
        scopes.pop();
        scopes.retain(|scope| !scope.is_empty() && scope != UNPLACED);
        return scopes;
    }
    let mut path = module_paths(&node.name);
    let weight = node.input.get(1).map_or("", String::as_str);
    if node.op_type.starts_with("Conv") && weight.starts_with("onnx::Conv") {
        path.pop();
    }
    path
}

/// Where torch's exporter writes the modules.
const SCOPES: &str = "pkg.torch.onnx.name_scopes";
/// What it writes for an operation of its own that lies nowhere.
const UNPLACED: &str = "_empty_nn_module_stack_from_metadata_hook";

/// Module paths in the name of a node; empty for a name that is not a path.
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

/// Numbers the calls of modules without inner ones.
fn with_calls(mut paths: Vec<Vec<String>>) -> Vec<Vec<String>> {
    let outer: HashSet<String> = paths
        .iter()
        .flat_map(|path| path.iter().rev().skip(1).cloned())
        .collect();
    let mut n_calls: HashMap<String, usize> = HashMap::new();
    let mut running = String::new();
    for module in paths.iter_mut().filter_map(|path| path.last_mut()) {
        let n_calls = n_calls.entry(module.clone()).or_default();
        if *module != running {
            running.clone_from(module);
            *n_calls += 1;
        }
        if *n_calls > 1 && !outer.contains(module) {
            *module = format!("{module}_{}", *n_calls - 1);
        }
    }
    paths
}

/// The tensor of `values` that leaves each module.
fn module_outputs<'a>(
    graph: &'a Graph,
    paths: &'a [Vec<String>],
    values: &HashSet<&str>,
) -> BTreeMap<&'a str, &'a str> {
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
                let read_outside = readers.get(tensor).is_some_and(|readers| {
                    readers.iter().any(|&r| paths[r].get(depth) != Some(module))
                });
                values.contains(tensor) && (read_outside || final_outputs.contains(tensor))
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
    use crate::graph::Input;

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

    fn written(scopes: &str) -> proto::Node {
        proto::Node {
            name: "node_conv2d_1".into(),
            metadata_props: vec![proto::Entry {
                key: SCOPES.into(),
                value: scopes.into(),
            }],
            ..proto::Node::default()
        }
    }

    #[test]
    fn modules_that_the_exporter_wrote_down_are_read() {
        assert_eq!(
            path(&written(
                "['', 'layer1', 'layer1.0', 'layer1.0.conv1', 'conv2d_1']"
            )),
            ["layer1", "layer1.0", "layer1.0.conv1"]
        );
        assert!(path(&written("['', 'flatten']")).is_empty());
        assert!(path(&written(&format!("['{UNPLACED}', 'sym_size']"))).is_empty());
        for odd in ["", "'", "[]", "']['"] {
            assert!(path(&written(odd)).is_empty(), "{odd}");
        }
    }

    /// Its output is the batch normalisation's.
    #[test]
    fn a_folded_convolution_is_not_called_by_its_module() {
        let conv = |weight: &str| proto::Node {
            name: "/layer1/layer1.0/conv1/Conv".into(),
            op_type: "Conv".into(),
            input: vec!["x".into(), weight.into()],
            ..proto::Node::default()
        };
        assert_eq!(path(&conv("layer1.0.conv1.weight")).len(), 3);
        assert_eq!(path(&conv("onnx::Conv_12")), ["layer1", "layer1.0"]);
    }

    #[test]
    fn calls_of_a_module_are_numbered() {
        let paths = [
            vec!["block", "block.conv"],
            vec!["block", "block.relu"],
            vec!["block", "block.norm"],
            vec!["block", "block.norm"],
            vec!["block"],
            vec!["block", "block.relu"],
        ];
        let paths = paths.map(|path| path.iter().map(|&p| p.to_owned()).collect());
        let last: Vec<String> = with_calls(paths.to_vec())
            .into_iter()
            .filter_map(|mut path| path.pop())
            .collect();
        let expected = [
            "block.conv",
            "block.relu",
            "block.norm",
            "block.norm",
            "block",
            "block.relu_1",
        ];
        assert_eq!(last, expected);
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
        let shape = |name: &str, input: &str, output: &str| Node {
            op: "Shape".into(),
            ..node(name, &[input], output)
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
                // Read inside only.
                node("/block/Abs", &["b"], "c"),
                node("/block/Relu", &["c"], "d"),
                // Made last in the block and read outside, but a size.
                shape("/block/Shape", "d", "s"),
                node("/block/Gather", &["s", "k"], "n"),
                node("/head/Reshape", &["d", "n"], "out"),
            ],
            outputs: vec!["out".into()],
            ..Graph::default()
        };
        let paths: Vec<Vec<String>> = graph.nodes.iter().map(|n| module_paths(&n.name)).collect();
        let names: Vec<(String, String)> = layers(&graph, &paths)
            .into_iter()
            .map(|l| (l.name, l.tensor))
            .collect();
        let expected = [
            ("block.conv", "a"),
            ("a", "a"),
            ("b", "b"),
            ("c", "c"),
            ("block", "d"),
            ("d", "d"),
            ("head", "out"),
            ("out", "out"),
        ];
        assert_eq!(names, expected.map(|(n, t)| (n.to_owned(), t.to_owned())));
    }
}
