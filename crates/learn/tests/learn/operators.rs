//! Every operator by itself: its result against rten, its derivative against finite differences.

use std::collections::BTreeMap;

use crate::common::formula;
use consilience_learn::{Differentiable, LearnError, Precision, Scalar};
use consilience_models::executor::{self, ExecutorChoice};
use consilience_models::graph::{Attribute, Element, Graph, Input, Node, Opset, Tensor};
use consilience_models::{Layer, Network, Preprocessing};
use ndarray::{Array4, ArrayD};

/// A graph of an operator on images (1, 3, 6, 5), with more inputs and attributes as it needs them.
struct Case {
    op: &'static str,
    opset: i64,
    /// Operations before it on the image `x`, whose last result is `y`.
    before: Vec<Node>,
    more: Vec<(&'static str, Tensor)>,
    attributes: Vec<(&'static str, Attribute)>,
    n_outputs: usize,
    /// Added to the image, for operators that are defined for positive numbers only.
    offset: f32,
    /// rten does not have it or means something else by it.
    only_derivative: bool,
}

fn case(op: &'static str) -> Case {
    Case {
        op,
        opset: 17,
        before: Vec::new(),
        more: Vec::new(),
        attributes: Vec::new(),
        n_outputs: 1,
        offset: 0.0,
        only_derivative: false,
    }
}

impl Case {
    fn opset(mut self, version: i64) -> Self {
        self.opset = version;
        self
    }
    fn reals(mut self, name: &'static str, shape: &[usize]) -> Self {
        let values: Vec<f32> = formula(name, shape.iter().product())
            .map(|u| 2.0 * u as f32)
            .collect();
        self.more
            .push((name, Tensor::from_f32(shape.to_vec(), &values).unwrap()));
        self
    }
    fn positive(mut self, name: &'static str, shape: &[usize]) -> Self {
        let values: Vec<f32> = formula(name, shape.iter().product())
            .map(|u| 1.0 + u as f32)
            .collect();
        self.more
            .push((name, Tensor::from_f32(shape.to_vec(), &values).unwrap()));
        self
    }
    fn number(mut self, name: &'static str, value: f32) -> Self {
        self.more
            .push((name, Tensor::from_f32(vec![], &[value]).unwrap()));
        self
    }
    fn whole(mut self, name: &'static str, values: &[i64]) -> Self {
        let bytes: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        let tensor = Tensor::from_bytes(Element::I64, vec![values.len()], bytes.into());
        self.more.push((name, tensor.unwrap()));
        self
    }
    fn absent(mut self) -> Self {
        self.more
            .push(("", Tensor::from_f32(vec![0], &[]).unwrap()));
        self
    }
    fn int(mut self, name: &'static str, value: i64) -> Self {
        self.attributes.push((name, Attribute::Int(value)));
        self
    }
    fn ints(mut self, name: &'static str, values: &[i64]) -> Self {
        self.attributes
            .push((name, Attribute::Ints(values.to_vec())));
        self
    }
    fn float(mut self, name: &'static str, value: f32) -> Self {
        self.attributes.push((name, Attribute::Float(value)));
        self
    }
    fn text(mut self, name: &'static str, value: &str) -> Self {
        self.attributes
            .push((name, Attribute::Text(value.as_bytes().to_vec())));
        self
    }
    fn outputs(mut self, n: usize) -> Self {
        self.n_outputs = n;
        self
    }
    fn offset(mut self, offset: f32) -> Self {
        self.offset = offset;
        self
    }
    fn only_derivative(mut self) -> Self {
        self.only_derivative = true;
        self
    }
    /// Flattens the image to one row first.
    fn on_row(mut self) -> Self {
        self.before = vec![node("Flatten", &["x"], &["y"], vec![])];
        self
    }
    /// Takes the image as three tokens of width 30 first.
    fn on_tokens(mut self) -> Self {
        let constant = node(
            "Constant",
            &[],
            &["tokens"],
            vec![("value_ints", Attribute::Ints(vec![1, 3, 30]))],
        );
        self.before = vec![constant, node("Reshape", &["x", "tokens"], &["y"], vec![])];
        self
    }

    /// Puts `node`, which makes `y` of `x`, first.
    fn after(mut self, node: Node) -> Self {
        self.before = vec![node];
        self
    }

    fn network(mut self) -> Network {
        if self.op == "Conv" {
            // rten wants what ONNX has a default for.
            for (name, values) in [
                ("strides", vec![1; 2]),
                ("dilations", vec![1; 2]),
                ("pads", vec![0; 4]),
            ] {
                let given = |known: &str| known == name || (name == "pads" && known == "auto_pad");
                if !self.attributes.iter().any(|(known, _)| given(known)) {
                    self.attributes.push((name, Attribute::Ints(values)));
                }
            }
        }
        let input = if self.before.is_empty() { "x" } else { "y" };
        let mut inputs = vec![input];
        inputs.extend(self.more.iter().map(|(name, _)| *name));
        let outputs: Vec<String> = (0..self.n_outputs).map(|k| format!("out{k}")).collect();
        let names: Vec<&str> = outputs.iter().map(String::as_str).collect();
        let mut nodes = self.before;
        nodes.push(node(self.op, &inputs, &names, self.attributes));
        let more = self.more.into_iter().filter(|(name, _)| !name.is_empty());
        Network {
            architecture: "onnx".into(),
            graph: Graph {
                opsets: vec![Opset {
                    domain: String::new(),
                    version: self.opset,
                }],
                inputs: vec![Input {
                    name: "x".into(),
                    shape: vec![Some(1), Some(3), Some(6), Some(5)],
                }],
                nodes,
                initialisers: more
                    .map(|(name, tensor)| (name.to_owned(), tensor))
                    .collect(),
                layers: outputs
                    .iter()
                    .map(|name| Layer {
                        name: name.clone(),
                        tensor: name.clone(),
                    })
                    .collect(),
                outputs,
                ..Graph::default()
            },
            preprocessing: Preprocessing::imagenet_for([6, 5]),
        }
    }
}

fn node(op: &str, inputs: &[&str], outputs: &[&str], attributes: Vec<(&str, Attribute)>) -> Node {
    Node {
        name: format!("the {op}"),
        op: op.into(),
        inputs: inputs.iter().map(|&name| name.into()).collect(),
        outputs: outputs.iter().map(|&name| name.into()).collect(),
        attributes: attributes
            .into_iter()
            .map(|(name, value)| (name.into(), value))
            .collect(),
        ..Node::default()
    }
}

/// An operation of opset 12 on one axis of `x`, which makes `y`.
fn axes(op: &str, axis: i64) -> Node {
    node(
        op,
        &["x"],
        &["y"],
        vec![("axes", Attribute::Ints(vec![axis]))],
    )
}

fn cases() -> Vec<Case> {
    let conv = || case("Conv").reals("w", &[4, 3, 3, 3]);
    let pool = |op| {
        case(op)
            .ints("kernel_shape", &[3, 2])
            .ints("strides", &[2, 2])
    };
    let resize = |mode: &str, coordinates: &str| {
        case("Resize")
            .absent()
            .absent()
            .whole("sizes", &[1, 3, 9, 4])
            .text("mode", mode)
            .text("coordinate_transformation_mode", coordinates)
    };
    let pad = |mode: &str| {
        case("Pad")
            .whole("pads", &[0, 0, 2, 1, 0, 0, 1, 3])
            .text("mode", mode)
    };
    vec![
        conv().reals("b", &[4]),
        case("Conv")
            .reals("w", &[4, 3, 3, 3])
            .ints("pads", &[1, 1, 1, 1])
            .ints("strides", &[2, 1]),
        case("Conv")
            .reals("w", &[4, 3, 3, 3])
            .ints("pads", &[0, 2, 1, 0])
            .ints("strides", &[2, 2]),
        conv()
            .ints("dilations", &[2, 2])
            .ints("pads", &[2, 2, 2, 2]),
        case("Conv")
            .reals("w", &[6, 1, 3, 3])
            .reals("b", &[6])
            .int("group", 3)
            .ints("pads", &[1, 1, 1, 1]),
        case("Conv")
            .reals("w", &[6, 1, 2, 2])
            .int("group", 3)
            .text("auto_pad", "SAME_UPPER"),
        case("Conv").reals("w", &[5, 3, 1, 1]).reals("b", &[5]),
        pool("MaxPool"),
        pool("MaxPool").int("ceil_mode", 1),
        pool("MaxPool").ints("pads", &[1, 0, 1, 0]),
        pool("MaxPool").ints("pads", &[0, 0, 1, 1]),
        pool("AveragePool"),
        pool("AveragePool")
            .ints("pads", &[1, 1, 1, 1])
            .int("count_include_pad", 1),
        pool("AveragePool").ints("pads", &[1, 1, 1, 1]),
        pool("AveragePool").ints("pads", &[0, 0, 1, 1]),
        pool("AveragePool").int("ceil_mode", 1),
        case("GlobalAveragePool"),
        case("GlobalMaxPool"),
        case("BatchNormalization")
            .reals("g", &[3])
            .reals("b", &[3])
            .reals("m", &[3])
            .positive("v", &[3]),
        case("LayerNormalization")
            .on_tokens()
            .reals("g", &[30])
            .reals("b", &[30]),
        case("LpNormalization")
            .on_row()
            .int("axis", 1)
            .only_derivative(),
        case("Relu"),
        case("Sigmoid"),
        case("HardSigmoid").float("alpha", 0.3),
        case("HardSwish"),
        case("Tanh"),
        case("Erf"),
        case("Exp"),
        case("Sqrt").offset(3.0),
        case("Log").offset(3.0),
        case("Abs"),
        case("Neg"),
        case("Reciprocal").offset(3.0),
        case("Sin"),
        case("Cos"),
        case("Floor"),
        case("Ceil"),
        case("Softplus"),
        case("LeakyRelu").float("alpha", 0.1),
        case("PRelu").reals("slope", &[3, 1, 1]),
        case("Elu").float("alpha", 0.7),
        case("Gelu").opset(20),
        case("Gelu").opset(20).text("approximate", "tanh"),
        case("Clip").number("min", -0.4).number("max", 0.6),
        case("Clip").float("min", -0.4).opset(6).only_derivative(),
        case("Add").reals("other", &[3, 1, 1]),
        case("Sub").reals("other", &[5]),
        case("Mul").reals("other", &[1, 3, 6, 1]),
        case("Div").positive("other", &[6, 5]),
        case("Max").reals("other", &[6, 5]),
        case("Min").reals("other", &[6, 5]),
        case("Pow").number("two", 2.0),
        case("Pow").number("root", 0.5).offset(3.0),
        case("Pow").number("cube", 3.0),
        case("Softmax").int("axis", 1),
        case("Softmax").int("axis", 1).opset(11).only_derivative(),
        case("LogSoftmax").int("axis", 3),
        case("ReduceMean").ints("axes", &[2, 3]),
        case("ReduceMean").ints("axes", &[-1]).int("keepdims", 0),
        case("ReduceSum").whole("axes", &[1]),
        case("ReduceMax").ints("axes", &[3]),
        case("ReduceL2").ints("axes", &[1]).int("keepdims", 0),
        case("Gemm")
            .on_row()
            .reals("w", &[7, 90])
            .reals("b", &[7])
            .int("transB", 1),
        case("Gemm")
            .on_row()
            .reals("w", &[90, 7])
            .reals("b", &[7])
            .float("alpha", 0.5)
            .float("beta", 2.0),
        case("MatMul").on_tokens().reals("w", &[30, 4]),
        case("MatMul").reals("w", &[1, 3, 5, 2]),
        case("Concat").reals("other", &[1, 2, 6, 5]).int("axis", 1),
        case("Flatten").int("axis", 1),
        case("Reshape").whole("shape", &[0, -1, 10]),
        case("Transpose").ints("perm", &[0, 2, 3, 1]),
        case("Squeeze")
            .after(axes("Unsqueeze", 1))
            .ints("axes", &[1])
            .opset(12),
        case("Unsqueeze").whole("axes", &[1, -1]),
        case("Slice")
            .whole("starts", &[1, -4])
            .whole("ends", &[5, i64::MAX])
            .whole("axes", &[2, 3]),
        case("Slice")
            .whole("starts", &[0])
            .whole("ends", &[6])
            .whole("axes", &[2])
            .whole("steps", &[2]),
        case("Slice")
            .whole("starts", &[-1])
            .whole("ends", &[i64::MIN])
            .whole("axes", &[3])
            .whole("steps", &[-2]),
        case("Gather").whole("rows", &[4, 0, 4, -1]).int("axis", 2),
        case("Split")
            .whole("parts", &[1, 2])
            .int("axis", 1)
            .outputs(2),
        case("Split")
            .int("axis", 3)
            .ints("split", &[2, 3])
            .opset(11)
            .outputs(2)
            .only_derivative(),
        case("Expand")
            .opset(12)
            .after(axes("ReduceMean", 2))
            .whole("shape", &[3, 4, 5]),
        case("Tile").whole("times", &[1, 1, 2, 1]),
        pad("constant").number("value", 0.5),
        pad("edge").only_derivative(),
        pad("reflect"),
        resize("nearest", "asymmetric").text("nearest_mode", "floor"),
        resize("nearest", "half_pixel").text("nearest_mode", "round_prefer_floor"),
        resize("linear", "half_pixel"),
        resize("linear", "align_corners"),
        resize("linear", "pytorch_half_pixel"),
        resize("cubic", "half_pixel").only_derivative(),
        case("Identity"),
        case("Dropout").only_derivative(),
        case("Cast").int("to", 1),
    ]
}

fn image(offset: f32) -> Array4<f32> {
    let values = formula("image", 90).map(|u| offset + 4.0 * u as f32);
    Array4::from_shape_vec((1, 3, 6, 5), values.collect()).unwrap()
}

#[test]
fn results_are_those_of_rten() {
    let wrong: Vec<String> = cases()
        .into_iter()
        .filter(|case| !case.only_derivative)
        .filter_map(|case| against_rten(case).err())
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn against_rten(case: Case) -> Result<(), String> {
    let op = case.op;
    let images = image(case.offset);
    let network = case.network();
    let layers = network.graph.layers.clone();
    let found = Differentiable::new(&network).forward(images.view(), &layers);
    let found = found.map_err(|error| format!("{op}: {error}"))?;
    let expected = executor::load(ExecutorChoice::Rten, &network.graph, 1)
        .and_then(|(_, mut executors)| executors[0].run(images.view()))
        .map_err(|error| format!("{op}: {error}"))?;
    for (found, expected) in found.iter().zip(&expected) {
        let expected = expected.as_ref().ok_or(format!("{op}: no floats"))?;
        if found.shape() != expected.shape() {
            return Err(format!(
                "{op}: {:?}, rten {:?}",
                found.shape(),
                expected.shape()
            ));
        }
        let scale = expected.iter().fold(0.0_f32, |m, v| m.max(v.abs()));
        let close = |(a, b): (&f32, &f32)| (a - b).abs() <= 1e-5 * scale;
        if !found.iter().zip(expected).all(close) {
            return Err(format!("{op}: {found} rten {expected}"));
        }
    }
    Ok(())
}

#[test]
fn derivatives_are_those_of_finite_differences() {
    let wrong: Vec<String> = cases()
        .into_iter()
        .filter_map(|case| against_differences(case).err())
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn against_differences(case: Case) -> Result<(), String> {
    // Exact in 32 bits, so that the images hold it.
    let step = 1.0 / 1024.0_f32;
    let op = case.op;
    let images = image(case.offset).mapv(|v| (v * 4096.0).round() / 4096.0);
    let network = case.network();
    let differentiable = Differentiable::with_precision(&network, Precision::Double);
    let told = |error: LearnError| format!("{op}: {error}");
    for layer in network.graph.layers.clone() {
        let values = differentiable
            .forward(images.view(), std::slice::from_ref(&layer))
            .map_err(told)?;
        // Uneven weights that are the same every time.
        let extents = values[0].shape()[1..].to_vec();
        let weights = formula(&layer.name, extents.iter().product()).map(|u| u as f32);
        let weights = ArrayD::from_shape_vec(extents, weights.collect()).unwrap();
        let scalar = Scalar::Linear {
            layer: &layer,
            weights: weights.view(),
        };
        let input = [differentiable.images()];
        let found = differentiable
            .gradients(images.view(), &input, &scalar)
            .map_err(told)?;
        let gradient = &found.gradients[0];
        let scale = gradient.iter().fold(0.0_f32, |m, v| m.max(v.abs()));
        for (k, &derivative) in gradient.iter().enumerate() {
            let moved = |by: f32| -> f64 {
                let mut images = images.clone();
                *images.iter_mut().nth(k).unwrap() += by;
                differentiable
                    .gradients(images.view(), &[], &scalar)
                    .unwrap()
                    .values[0]
            };
            let difference = (moved(step) - moved(-step)) / f64::from(2.0 * step);
            let off = (f64::from(derivative) - difference).abs();
            if off.is_nan() || off > 1e-4 * f64::from(scale).max(1e-6) {
                return Err(format!(
                    "{op}, pixel {k}: {derivative}, difference {difference}"
                ));
            }
        }
    }
    Ok(())
}

#[test]
fn an_operator_that_is_not_here_is_named_with_its_node() {
    let network = case("Einsum").text("equation", "ij->ji").network();
    let layers = network.graph.layers.clone();
    let error = Differentiable::new(&network)
        .forward(image(0.0).view(), &layers)
        .unwrap_err();
    assert!(
        matches!(&error, LearnError::UnknownOperator { op, node } if op == "Einsum" && node == "the Einsum")
    );
    assert!(error.to_string().contains("Einsum"), "{error}");
}

#[test]
fn faults_are_errors() {
    let faulty = [
        case("Conv").reals("w", &[4, 2, 3, 3]),
        case("Conv"),
        case("MatMul").reals("w", &[4, 2]),
        case("Add").reals("other", &[4]),
        case("Reshape").whole("shape", &[7, -1]),
        case("Reshape").whole("shape", &[-1, 0, 0, 0, 0]),
        case("Transpose").ints("perm", &[0, 0, 1, 2]),
        case("Gather").whole("rows", &[6]).int("axis", 2),
        case("Concat").reals("other", &[1, 3, 6, 4]).int("axis", 1),
        case("Softmax").int("axis", 4),
        case("Slice")
            .whole("starts", &[0])
            .whole("ends", &[6])
            .whole("axes", &[2])
            .whole("steps", &[0]),
        case("Split")
            .whole("parts", &[1, 1])
            .int("axis", 1)
            .outputs(2),
        case("MaxPool").ints("kernel_shape", &[9, 9]),
        case("BatchNormalization")
            .reals("g", &[2])
            .reals("b", &[2])
            .reals("m", &[2])
            .positive("v", &[2]),
        case("Resize")
            .absent()
            .absent()
            .whole("sizes", &[1, 3, 1 << 40, 4]),
        case("Expand").whole("shape", &[1 << 40, 1, 1, 1, 1]),
        case("Pad")
            .whole("pads", &[0, 0, 9, 0, 0, 0, 0, 0])
            .text("mode", "reflect"),
    ];
    let accepted: Vec<&str> = faulty
        .into_iter()
        .filter_map(|case| {
            let op = case.op;
            let network = case.network();
            let layers = network.graph.layers.clone();
            let outcome = Differentiable::new(&network).forward(image(0.0).view(), &layers);
            (!matches!(outcome, Err(LearnError::Operation { .. }))).then_some(op)
        })
        .collect();
    assert!(accepted.is_empty(), "{accepted:?}");
}

#[test]
fn shapes_are_computed_on_integers() {
    // The image's own shape, its middle taken out and multiplied, as exporters write it.
    let ints = |name: &'static str, values: &[i64]| {
        node(
            "Constant",
            &[],
            &[name],
            vec![("value_ints", Attribute::Ints(values.to_vec()))],
        )
    };
    let nodes = vec![
        node("Shape", &["x"], &["shape"], vec![]),
        ints("one", &[1]),
        node(
            "Gather",
            &["shape", "one"],
            &["channels"],
            vec![("axis", Attribute::Int(0))],
        ),
        ints("two", &[2]),
        node("Slice", &["shape", "two", "four"], &["map"], vec![]),
        node("ReduceProd", &["map"], &["n_positions"], vec![]),
        node("Mul", &["channels", "n_positions"], &["n"], vec![]),
        node(
            "Concat",
            &["one", "n"],
            &["target"],
            vec![("axis", Attribute::Int(0))],
        ),
        node("Reshape", &["x", "target"], &["out"], vec![]),
    ];
    let mut network = case("Identity").network();
    let four: Vec<u8> = 4_i64.to_le_bytes().to_vec();
    let four = Tensor::from_bytes(Element::I64, vec![1], four.into()).unwrap();
    network.graph.initialisers = BTreeMap::from([("four".to_owned(), four)]);
    network.graph.nodes = nodes;
    let out = Layer {
        name: "out".into(),
        tensor: "out".into(),
    };
    let found = Differentiable::new(&network)
        .forward(image(0.0).view(), &[out])
        .unwrap();
    assert_eq!(found[0].shape(), [1, 90]);
}
