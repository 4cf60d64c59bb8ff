//! Operators that not every executor has, in terms of those that each has.

use super::rewrite::{Writer, float, int, rewrite};
use crate::graph::{Attribute, Element, Graph, Node, Tensor};

/// Writes out the operators of the table; needs operator set 13 or later.
///
/// # Definition
///
/// | operator | written as |
/// |---|---|
/// | `LRN` | x / (bias + α · mean of x² over `size` neighbouring channels)^β |
/// | `GroupNormalization` | `InstanceNormalization` of the groups, scaled and shifted by channel |
/// | `SpaceToDepth` | every b-th pixel from each of b² starts, joined along the channels |
/// | `Mish` | x · tanh(ln(1 + eˣ)) |
/// | `Selu` | γ · Elu(x) |
/// | `Celu` | α · Elu(x / α) |
/// | `ThresholdedRelu` | x where x > α, else 0 |
/// | `Dropout` | x: without effect when a network is used |
/// | `Pad` of some axes | `Pad` of all axes, by 0 the others |
/// | `Resize` of some axes | `Resize` of all axes, the others to their own size |
/// | `Pow` by the integer 2 or 3 | x · x, x · x · x |
/// | `Conv`, `ConvTranspose` | the same with strides, dilations and padding that were left out |
pub(super) fn lower(graph: &mut Graph) {
    let set = graph.opsets.iter().find(|set| set.domain.is_empty());
    if set.is_some_and(|set| set.version >= 21) {
        rewrite(graph, rule);
    } else {
        rewrite(graph, rule_before_21);
    }
}

/// Until set 21 the scale and the shift of a group normalisation had a value for each group.
fn rule_before_21(node: Node, writer: &mut Writer) {
    match (
        node.domain.as_str(),
        node.op.as_str(),
        node.inputs.as_slice(),
    ) {
        ("", "GroupNormalization", [x, scale, bias]) => {
            let shape = writer.step(&node, "Shape", &[x], &[]);
            let maps = normalised_groups(&node, [x, scale, bias], writer);
            writer.last(&node, "Reshape", &[&maps, &shape], &[]);
        }
        _ => rule(node, writer),
    }
}

fn rule(node: Node, writer: &mut Writer) {
    let x = node.inputs.first().cloned().unwrap_or_default();
    match (node.domain.as_str(), node.op.as_str()) {
        ("", "LRN") => local_response(&node, &x, writer),
        ("", "GroupNormalization") => group_normalization(&node, writer),
        ("", "SpaceToDepth") => space_to_depth(&node, &x, writer),
        ("", "Mish") => {
            let softplus = writer.step(&node, "Softplus", &[&x], &[]);
            let tanh = writer.step(&node, "Tanh", &[&softplus], &[]);
            writer.last(&node, "Mul", &[&x, &tanh], &[]);
        }
        ("", "Selu") => {
            let alpha = float(&node, "alpha").unwrap_or(1.673_263_2);
            let gamma = writer.number(&node, "gamma", float(&node, "gamma").unwrap_or(1.050_701));
            let elu = writer.step(&node, "Elu", &[&x], &[("alpha", Attribute::Float(alpha))]);
            writer.last(&node, "Mul", &[&elu, &gamma], &[]);
        }
        ("", "Celu") => {
            let alpha = writer.number(&node, "alpha", float(&node, "alpha").unwrap_or(1.0));
            let scaled = writer.step(&node, "Div", &[&x, &alpha], &[]);
            let elu = writer.step(&node, "Elu", &[&scaled], &[]);
            writer.last(&node, "Mul", &[&elu, &alpha], &[]);
        }
        ("", "ThresholdedRelu") => {
            let alpha = writer.number(&node, "alpha", float(&node, "alpha").unwrap_or(1.0));
            let zero = writer.number(&node, "zero", 0.0);
            let above = writer.step(&node, "Greater", &[&x, &alpha], &[]);
            writer.last(&node, "Where", &[&above, &x, &zero], &[]);
        }
        ("", "Dropout") if node.outputs.len() == 1 => writer.last(&node, "Identity", &[&x], &[]),
        ("", "Pad") if node.inputs.get(3).is_some_and(|axes| !axes.is_empty()) => {
            pad_of_axes(&node, writer);
        }
        ("", "Resize") if node.attributes.contains_key("axes") => resize_of_axes(node, writer),
        ("", "Pow") => power(node, &x, writer),
        ("", "Conv" | "ConvTranspose") => convolution(node, writer),
        _ => writer.keep(node),
    }
}

/// Strides and dilations are 1 and padding is 0 unless said otherwise.
fn convolution(mut node: Node, writer: &mut Writer) {
    let extents = |name: &str| match node.attributes.get(name) {
        Some(Attribute::Ints(values)) => Some(values.len()),
        _ => None,
    };
    let automatic = match node.attributes.get("auto_pad") {
        Some(Attribute::Text(mode)) => mode.starts_with(b"SAME"),
        _ => false,
    };
    let weight = node.inputs.get(1).and_then(|name| writer.value(name));
    let n_axes = extents("kernel_shape")
        .or(extents("strides"))
        .or(extents("dilations"))
        .or_else(|| weight?.shape().len().checked_sub(2))
        .unwrap_or(2);
    let mut fill = |name: &str, value: i64, n: usize| {
        let values = || Attribute::Ints(vec![value; n]);
        node.attributes.entry(name.into()).or_insert_with(values);
    };
    fill("strides", 1, n_axes);
    fill("dilations", 1, n_axes);
    if !automatic {
        fill("pads", 0, 2 * n_axes);
        node.attributes.remove("auto_pad");
    }
    writer.keep(node);
}

/// The amounts for all axes: zeros, with those of the named axes put in, at the front for the
/// beginnings and then for the ends.
fn pad_of_axes(node: &Node, writer: &mut Writer) {
    let [x, amounts, value, axes] = node.inputs.as_slice() else {
        return writer.keep(node.clone());
    };
    let first = || ("axis", Attribute::Int(0));
    let shape = writer.step(node, "Shape", &[x], &[]);
    let n_axes = writer.step(node, "Shape", &[&shape], &[]);
    let two = writer.integers(node, "two", &[2]);
    let n_amounts = writer.step(node, "Mul", &[&n_axes, &two], &[]);
    let zero = Tensor::from_bytes(Element::I64, vec![1], vec![0; 8].into());
    let zero = Attribute::Tensor(zero.expect("one number of eight bytes"));
    let zeros = writer.step(node, "ConstantOfShape", &[&n_amounts], &[("value", zero)]);
    // Axes may be counted from the end.
    let begins = writer.step(node, "Mod", &[axes, &n_axes], &[]);
    let ends = writer.step(node, "Add", &[&begins, &n_axes], &[]);
    let places = writer.step(node, "Concat", &[&begins, &ends], &[first()]);
    let all = [zeros.as_str(), &places, amounts];
    let all = writer.step(node, "ScatterElements", &all, &[first()]);
    let mode = node.attributes.get("mode").cloned();
    let mode = mode.unwrap_or(Attribute::Text("constant".into()));
    writer.last(node, "Pad", &[x, &all, value], &[("mode", mode)]);
}

/// Sizes or scales for all axes: the image's own or 1, with those of the named axes put in.
fn resize_of_axes(mut node: Node, writer: &mut Writer) {
    let Some(Attribute::Ints(axes)) = node.attributes.remove("axes") else {
        return writer.keep(node);
    };
    let first = || ("axis", Attribute::Int(0));
    let x = node.inputs.first().cloned().unwrap_or_default();
    let axes = writer.integers(&node, "axes", &axes);
    let shape = writer.step(&node, "Shape", &[&x], &[]);
    let n_axes = writer.step(&node, "Shape", &[&shape], &[]);
    let places = writer.step(&node, "Mod", &[&axes, &n_axes], &[]);
    let given = |idx: usize| {
        node.inputs
            .get(idx)
            .filter(|name| !name.is_empty())
            .cloned()
    };
    if let Some(sizes) = given(3) {
        let all = [shape.as_str(), &places, &sizes];
        node.inputs[3] = writer.step(&node, "ScatterElements", &all, &[first()]);
    } else if let Some(scales) = given(2) {
        let one = Attribute::Tensor(Tensor::from_f32(vec![1], &[1.0]).expect("one number"));
        let ones = writer.step(&node, "ConstantOfShape", &[&n_axes], &[("value", one)]);
        let all = [ones.as_str(), &places, &scales];
        node.inputs[2] = writer.step(&node, "ScatterElements", &all, &[first()]);
    }
    writer.keep(node);
}

/// torch's exporter writes `x ** 2` with an integer beside the floats.
fn power(node: Node, x: &str, writer: &mut Writer) {
    let exponent = node.inputs.get(1).and_then(|name| writer.value(name));
    let number = |tensor: &Tensor| match (tensor.element(), tensor.bytes().as_ref()) {
        (Element::I64, [low, rest @ ..]) if rest.len() == 7 && rest.iter().all(|b| *b == 0) => {
            Some(*low)
        }
        _ => None,
    };
    match exponent.and_then(number) {
        Some(2) => writer.last(&node, "Mul", &[x, x], &[]),
        Some(3) => {
            let square = writer.step(&node, "Mul", &[x, x], &[]);
            writer.last(&node, "Mul", &[&square, x], &[]);
        }
        _ => writer.keep(node),
    }
}

/// The mean over channels is an average pooling of maps `(1, channels, positions)`.
fn local_response(node: &Node, x: &str, writer: &mut Writer) {
    let size = int(node, "size").unwrap_or(1).max(1);
    let number = |name, default| float(node, name).unwrap_or(default);
    let alpha = writer.number(node, "alpha", number("alpha", 1e-4));
    let beta = writer.number(node, "beta", number("beta", 0.75));
    let bias = writer.number(node, "bias", number("bias", 1.0));
    let rows = writer.integers(node, "rows", &[0, 0, -1]);
    let one = writer.integers(node, "one", &[1]);
    let before = (size - 1) / 2;
    let window = [
        ("kernel_shape", Attribute::Ints(vec![size, 1])),
        ("strides", Attribute::Ints(vec![1, 1])),
        (
            "pads",
            Attribute::Ints(vec![before, 0, size - 1 - before, 0]),
        ),
        ("count_include_pad", Attribute::Int(1)),
    ];
    let shape = writer.step(node, "Shape", &[x], &[]);
    let squares = writer.step(node, "Mul", &[x, x], &[]);
    let squares = writer.step(node, "Reshape", &[&squares, &rows], &[]);
    let squares = writer.step(node, "Unsqueeze", &[&squares, &one], &[]);
    let mean = writer.step(node, "AveragePool", &[&squares], &window);
    let mean = writer.step(node, "Reshape", &[&mean, &shape], &[]);
    let scaled = writer.step(node, "Mul", &[&mean, &alpha], &[]);
    let shifted = writer.step(node, "Add", &[&scaled, &bias], &[]);
    let divisor = writer.step(node, "Pow", &[&shifted, &beta], &[]);
    writer.last(node, "Div", &[x, &divisor], &[]);
}

/// Each group as one channel of an `InstanceNormalization`.
fn normalised_groups(node: &Node, [x, scale, bias]: [&str; 3], writer: &mut Writer) -> String {
    let n_groups = int(node, "num_groups").unwrap_or(1);
    let epsilon = Attribute::Float(float(node, "epsilon").unwrap_or(1e-5));
    let by_group = writer.integers(node, "groups", &[0, n_groups, -1]);
    let maps = writer.step(node, "Reshape", &[x, &by_group], &[]);
    let inputs = [maps.as_str(), scale, bias];
    writer.step(
        node,
        "InstanceNormalization",
        &inputs,
        &[("epsilon", epsilon)],
    )
}

fn group_normalization(node: &Node, writer: &mut Writer) {
    let ([x, scale, bias], Some(n_groups)) = (node.inputs.as_slice(), n_groups(node)) else {
        return writer.keep(node.clone());
    };
    let ones = writer.numbers(node, "ones", &vec![1.0; n_groups]);
    let zeros = writer.numbers(node, "zeros", &vec![0.0; n_groups]);
    let [zero, one, two, rest] = [("zero", 0), ("one", 1), ("two", 2), ("rest", -1)]
        .map(|(name, value)| writer.integers(node, name, &[value]));
    let shape = writer.step(node, "Shape", &[x], &[]);
    let maps = normalised_groups(node, [x, &ones, &zeros], writer);
    // (n, channels, positions), whatever the number of axes.
    let first = writer.step(node, "Slice", &[&shape, &zero, &two], &[]);
    let by_channel = writer.step(
        node,
        "Concat",
        &[&first, &rest],
        &[("axis", Attribute::Int(0))],
    );
    let maps = writer.step(node, "Reshape", &[&maps, &by_channel], &[]);
    let scale = writer.step(node, "Unsqueeze", &[scale, &one], &[]);
    let bias = writer.step(node, "Unsqueeze", &[bias, &one], &[]);
    let maps = writer.step(node, "Mul", &[&maps, &scale], &[]);
    let maps = writer.step(node, "Add", &[&maps, &bias], &[]);
    writer.last(node, "Reshape", &[&maps, &shape], &[]);
}

/// Groups of a normalisation; `None` for a number that no network has.
fn n_groups(node: &Node) -> Option<usize> {
    let n = usize::try_from(int(node, "num_groups")?).ok()?;
    (1..=1 << 16).contains(&n).then_some(n)
}

fn space_to_depth(node: &Node, x: &str, writer: &mut Writer) {
    let block = int(node, "blocksize").unwrap_or(1);
    if !(1..=16).contains(&block) {
        return writer.keep(node.clone());
    }
    let ends = writer.integers(node, "ends", &[i64::from(i32::MAX); 2]);
    let axes = writer.integers(node, "axes", &[2, 3]);
    let steps = writer.integers(node, "steps", &[block, block]);
    let starts = (0..block).flat_map(|row| (0..block).map(move |column| [row, column]));
    let parts: Vec<String> = starts
        .map(|start| {
            let start = writer.integers(node, "start", &start);
            writer.step(node, "Slice", &[x, &start, &ends, &axes, &steps], &[])
        })
        .collect();
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    writer.last(node, "Concat", &parts, &[("axis", Attribute::Int(1))]);
}
