//! Weights to begin with, and small modules to train.

use std::collections::BTreeMap;

use consilience_models::graph::{Attribute, Graph, Input, Layer, Node, Opset, Tensor};
use consilience_models::zoo::StateDict;
use consilience_stats::random::{Domain, Stream};

/// Weights for training from scratch.
///
/// # Definition
///
/// Tensors of two and more axes are normal with variance 2 ÷ fan-in, where the fan-in is the product of
/// all extents but the first; a `weight` of one axis and a `running_var` are 1, everything else 0.
///
/// # References
///
/// He, Zhang, Ren, Sun (2015). Delving deep into rectifiers. ICCV. doi:10.1109/ICCV.2015.123
#[must_use]
pub fn initial_weights(parameters: &BTreeMap<String, Vec<usize>>, seed: u64) -> StateDict {
    (0..)
        .zip(parameters)
        .map(|(index, (key, shape))| {
            let n = shape.iter().product();
            let values: Vec<f32> = if shape.len() >= 2 {
                let fan_in: usize = shape[1..].iter().product();
                let deviation = (2.0 / fan_in.max(1) as f64).sqrt();
                let mut stream = Stream::new(seed, Domain::Training, index);
                (0..n)
                    .map(|_| (deviation * stream.normal()) as f32)
                    .collect()
            } else if key.ends_with("weight") || key.ends_with("running_var") {
                vec![1.0; n]
            } else {
                vec![0.0; n]
            };
            let tensor = Tensor::from_f32(shape.clone(), &values);
            (
                key.clone(),
                tensor.expect("as many values as the shape has"),
            )
        })
        .collect()
}

/// Weights for training from scratch, as PyTorch's layers draw them.
///
/// `copies` names keys that begin as copies of others: see [`Module::copies`](consilience_models::nuclei::Module::copies).
///
/// # Definition
///
/// A tensor of two and more axes is uniform between ±1 ÷ √fan-in, the product of all extents but the first, and a `bias`
/// beside such a `weight` too (`kaiming_uniform_` with a = √5, as `Linear` and convolutions have it); an `in_proj_weight` of
/// attention is uniform between ±√(6 ÷ (extents' sum)) (`xavier_uniform_`), its `in_proj_bias` and the `bias` of its
/// `out_proj` are 0. A `weight` of one axis and a `running_var` are 1, everything else 0.
///
/// The numbers are drawn from streams of our own: their distribution is PyTorch's, not their values.
#[must_use]
pub fn torch_weights(
    parameters: &BTreeMap<String, Vec<usize>>,
    copies: &BTreeMap<String, String>,
    seed: u64,
) -> StateDict {
    let mut weights = StateDict::new();
    for (index, (key, shape)) in (0..).zip(parameters) {
        if copies.contains_key(key) {
            continue;
        }
        let n = shape.iter().product();
        let values = match limit(parameters, key, shape) {
            Some(limit) => {
                // Apart from the orders of samples, whose streams are below 2³².
                let mut stream = Stream::new(seed, Domain::Training, 1 << 62 | index);
                let uniform = (0..n).map(|_| (limit * (2.0 * stream.uniform() - 1.0)) as f32);
                uniform.collect()
            }
            None if key.ends_with("weight") || key.ends_with("running_var") => vec![1.0; n],
            None => vec![0.0; n],
        };
        let tensor = Tensor::from_vec(shape.clone(), values);
        weights.insert(
            key.clone(),
            tensor.expect("as many values as the shape has"),
        );
    }
    for (key, original) in copies {
        if let Some(tensor) = weights.get(original).cloned() {
            weights.insert(key.clone(), tensor);
        }
    }
    weights
}

/// How far from 0 the numbers of a tensor may begin; `None` where they are not drawn.
fn limit(parameters: &BTreeMap<String, Vec<usize>>, key: &str, shape: &[usize]) -> Option<f64> {
    let of_fan_in = |shape: &[usize]| {
        let fan_in: usize = shape[1..].iter().product();
        1.0 / (fan_in.max(1) as f64).sqrt()
    };
    if shape.len() >= 2 {
        return Some(match key.ends_with("in_proj_weight") {
            true => (6.0 / (shape[0] + shape[1]) as f64).sqrt(),
            false => of_fan_in(shape),
        });
    }
    let module = key.strip_suffix(".bias")?;
    let beside = parameters.get(&format!("{module}.weight"))?;
    (beside.len() >= 2 && !module.ends_with("out_proj")).then(|| of_fan_in(beside))
}

/// A perceptron on features: linear layers with rectifiers between them, with the names of a
/// `torch.nn.Sequential` (`0`, `1`, `2` …) and weights to begin with.
///
/// # Shapes
///
/// Features `(n, widths[0])` to outputs `(n, widths[last])`; two widths make a linear head.
#[must_use]
pub fn perceptron(widths: &[usize], seed: u64) -> Graph {
    let mut graph = Graph {
        name: "perceptron".to_owned(),
        opsets: vec![Opset {
            domain: String::new(),
            version: 17,
        }],
        inputs: vec![Input {
            name: "input".to_owned(),
            shape: vec![None, widths.first().copied()],
        }],
        ..Graph::default()
    };
    let mut parameters = BTreeMap::new();
    let mut last = "input".to_owned();
    let add = |graph: &mut Graph, name: String, op: &str, inputs: Vec<String>| {
        let transposed = (op == "Gemm").then(|| ("transB".to_owned(), Attribute::Int(1)));
        graph.nodes.push(Node {
            name: name.clone(),
            op: op.to_owned(),
            inputs,
            outputs: vec![name.clone()],
            attributes: transposed.into_iter().collect(),
            ..Node::default()
        });
        graph.layers.push(Layer {
            name: name.clone(),
            tensor: name.clone(),
        });
        name
    };
    for (idx, pair) in widths.windows(2).enumerate() {
        if idx > 0 {
            last = add(&mut graph, (2 * idx - 1).to_string(), "Relu", vec![last]);
        }
        let name = (2 * idx).to_string();
        let (weight, bias) = (format!("{name}.weight"), format!("{name}.bias"));
        parameters.insert(weight.clone(), vec![pair[1], pair[0]]);
        parameters.insert(bias.clone(), vec![pair[1]]);
        last = add(&mut graph, name, "Gemm", vec![last, weight, bias]);
    }
    graph.initialisers = initial_weights(&parameters, seed);
    graph.outputs = vec![last];
    graph
}
