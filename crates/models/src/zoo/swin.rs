//! Swin Transformer, versions 1 and 2, as torchvision defines them.
//!
//! Everything but the head works on maps with the channels last. Padding, shifting and masking of
//! windows are worked out for the image size when the graph is built.

mod windows;

use super::{Architecture, Builder, Conv, Value, vit};
use crate::graph::{Attribute, Layout, Tensor};
use windows::Windows;

const CITATION: &str = "Liu Z, Lin Y, Cao Y, Hu H, Wei Y, Zhang Z, Lin S, Guo B (2021) Swin \
     Transformer: hierarchical vision transformer using shifted windows. ICCV, 9992-10002";
const CITATION_2: &str = "Liu Z, Hu H, Lin Y, Yao Z, Xie Z, Wei Y, Ning J, Cao Y, Zhang Z, Dong L, \
     Wei F, Guo B (2022) Swin Transformer V2: scaling up capacity and resolution. CVPR, 11999-12009";

#[derive(Clone, Copy, PartialEq)]
enum Version {
    /// Normalisation before, scaled dot products, a table of biases.
    V1,
    /// Normalisation after, cosines with a learnt scale, biases from coordinates.
    V2,
}

#[derive(Clone, Copy)]
struct Config {
    name: &'static str,
    description: &'static str,
    version: Version,
    width: usize,
    /// Blocks and heads of the four stages.
    stages: [(usize, usize); 4],
    window: usize,
}

const TINY: [(usize, usize); 4] = [(2, 3), (2, 6), (6, 12), (2, 24)];
const SMALL: [(usize, usize); 4] = [(2, 3), (2, 6), (18, 12), (2, 24)];
const BASE: [(usize, usize); 4] = [(2, 4), (2, 8), (18, 16), (2, 32)];

#[rustfmt::skip]
const TABLE: [Config; 6] = [
    Config {
        name: "swin_t", description: "Swin-T, 28.3 million parameters",
        version: Version::V1, width: 96, stages: TINY, window: 7,
    },
    Config {
        name: "swin_s", description: "Swin-S, 49.6 million parameters",
        version: Version::V1, width: 96, stages: SMALL, window: 7,
    },
    Config {
        name: "swin_b", description: "Swin-B, 87.8 million parameters",
        version: Version::V1, width: 128, stages: BASE, window: 7,
    },
    Config {
        name: "swin_v2_t", description: "Swin V2-T, 28.4 million parameters",
        version: Version::V2, width: 96, stages: TINY, window: 8,
    },
    Config {
        name: "swin_v2_s", description: "Swin V2-S, 49.7 million parameters",
        version: Version::V2, width: 96, stages: SMALL, window: 8,
    },
    Config {
        name: "swin_v2_b", description: "Swin V2-B, 87.9 million parameters",
        version: Version::V2, width: 128, stages: BASE, window: 8,
    },
];

pub(super) fn entries() -> Vec<Architecture> {
    TABLE
        .map(|config| {
            let recipe = move |b: &mut Builder, x: &Value| build(b, x, &config);
            let (citation, doi) = match config.version {
                Version::V1 => (CITATION, "10.1109/ICCV48922.2021.00986"),
                Version::V2 => (CITATION_2, "10.1109/CVPR52688.2022.01170"),
            };
            Architecture::imagenet(config.name, "swin", config.description, recipe)
                .cite(citation, Some(doi))
        })
        .into()
}

fn build(b: &mut Builder, images: &Value, config: &Config) -> Value {
    let patches = Conv::square(config.width, 4).stride(4);
    let mut x = b.conv("features.0.0", images, patches);
    b.lay_out(Layout::ChannelsLast);
    x = b.transpose("features.0.1", &x, &[1, 2, 0]);
    b.container("features.0.1", &x);
    x = b.layer_norm("features.0.2", &x, 1e-5);
    b.container("features.0", &x);
    for (stage, (n_blocks, n_heads)) in config.stages.into_iter().enumerate() {
        if stage > 0 {
            x = merge(b, &format!("features.{}", 2 * stage), &x, config.version);
        }
        let module = format!("features.{}", 2 * stage + 1);
        for idx in 0..n_blocks {
            let shift = if idx % 2 == 0 { 0 } else { config.window / 2 };
            let windows = Windows::new(&x, config.window, shift);
            x = block(b, &format!("{module}.{idx}"), &x, &windows, n_heads, config);
        }
        b.container(&module, &x);
    }
    b.container("features", &x);
    x = b.layer_norm("norm", &x, 1e-5);
    b.lay_out(Layout::ChannelsFirst);
    x = b.transpose("permute", &x, &[2, 0, 1]);
    b.container("permute", &x);
    x = b.adaptive_avg_pool("avgpool", &x, [1, 1]);
    x = b.flatten("flatten", &x);
    b.step(&x);
    b.linear("head", &x, 1000, true)
}

/// Joins the channels of 2 × 2 positions and halves them; a missing last row or column is zero.
fn merge(b: &mut Builder, module: &str, x: &Value, version: Version) -> Value {
    let [height, width, channels] = [x.shape[0], x.shape[1], x.shape[2]];
    let odd = [height % 2, width % 2, 0];
    let x = if odd == [0; 3] {
        x.clone()
    } else {
        b.pad(&format!("{module}/even"), x, &[0; 3], &odd)
    };
    let [height, width] = [height.div_ceil(2), width.div_ceil(2)];
    let split = vec![height, 2, width, 2, channels];
    let x = b.reshape(&format!("{module}/split"), &x, split);
    // The four positions come column by column.
    let x = b.transpose(&format!("{module}/neighbours"), &x, &[0, 2, 3, 1, 4]);
    let joined = vec![height, width, 4 * channels];
    let mut x = b.reshape(&format!("{module}/joined"), &x, joined);
    let [norm, reduction] = ["norm", "reduction"].map(|child| format!("{module}.{child}"));
    if version == Version::V1 {
        x = b.layer_norm(&norm, &x, 1e-5);
    }
    x = b.linear(&reduction, &x, 2 * channels, false);
    if version == Version::V2 {
        x = b.layer_norm(&norm, &x, 1e-5);
    }
    b.container(module, &x);
    x
}

fn block(
    b: &mut Builder,
    module: &str,
    x: &Value,
    windows: &Windows,
    n_heads: usize,
    config: &Config,
) -> Value {
    let child = |name: &str| format!("{module}.{name}");
    let width = x.shape[2];
    let attend = |b: &mut Builder, y: &Value| {
        let module = child("attn");
        let y = attention(b, &module, y, windows, n_heads, config.version);
        b.container(&module, &y);
        y
    };
    let before = config.version == Version::V1;
    let mut residual = |norm: &str, x: &Value, branch: &dyn Fn(&mut Builder, &Value) -> Value| {
        let y = if before {
            let y = b.layer_norm(&child(norm), x, 1e-5);
            branch(b, &y)
        } else {
            let y = branch(b, x);
            b.layer_norm(&child(norm), &y, 1e-5)
        };
        b.identity(&child("stochastic_depth"), &y);
        let y = b.add(&child("add"), x, &y);
        b.step(&y);
        y
    };
    let x = residual("norm1", x, &attend);
    let x = residual("norm2", &x, &|b, y| {
        vit::mlp(b, &child("mlp"), y, 4 * width)
    });
    b.container(module, &x);
    x
}

/// Attention of the positions of each window to each other.
fn attention(
    b: &mut Builder,
    module: &str,
    x: &Value,
    windows: &Windows,
    n_heads: usize,
    version: Version,
) -> Value {
    let width = x.shape[2];
    let child = |name: &str| format!("{module}.{name}");
    let part = |name: &str| format!("{module}/{name}");
    let x = windows.partition(b, module, x);

    let weight = b.parameter(&child("qkv.weight"), vec![3 * width, width]);
    let mut bias = b.parameter(&child("qkv.bias"), vec![3 * width]);
    if version == Version::V2 {
        // Keys have no bias, whatever the weights say.
        let mut kept = vec![1.0; 3 * width];
        kept[width..2 * width].fill(0.0);
        let kept = b.constant(&part("kept"), tensor(&[3 * width], &kept));
        bias = b.mul(&part("bias"), &bias, &kept);
    }
    let qkv = b.affine(&part("qkv"), &x, &weight, Some(&bias));
    let names = ["q", "k", "v"].map(part);
    let [q, k, v] = b.parts(names.each_ref().map(String::as_str), &qkv);
    let scores = match version {
        Version::V1 => b.scaled_scores(module, &q, &k, n_heads),
        Version::V2 => cosines(b, module, &q, &k, n_heads),
    };

    let bias = match version {
        Version::V1 => {
            let shape = vec![windows.n_offsets(), n_heads];
            b.parameter(&child("relative_position_bias_table"), shape)
        }
        Version::V2 => biases_of_offsets(b, module, windows, n_heads),
    };
    let bias = windows.biases(b, module, &bias);
    let bias = match version {
        Version::V1 => bias,
        Version::V2 => {
            let (sixteen, shape) = (b.scalar(16.0), bias.shape.clone());
            let bias = b.op(&part("bias_sigmoid"), "Sigmoid", &[&bias], &[], shape);
            b.mul(&part("bias_scaled"), &bias, &sixteen)
        }
    };
    let mut scores = b.add(&part("scores_biased"), &scores, &bias);
    if let Some(mask) = windows.mask() {
        let mask = b.constant(&part("mask"), mask);
        scores = b.add(&part("scores_masked"), &scores, &mask);
    }

    let weights = b.attention_weights(module, &scores);
    let y = b.attended(module, &weights, &v);
    let weight = b.parameter(&child("proj.weight"), vec![width, width]);
    let bias = b.parameter(&child("proj.bias"), vec![width]);
    let y = b.affine(&part("projected"), &y, &weight, Some(&bias));
    windows.join(b, module, &y)
}

/// Cosines between queries and keys, times exp(min(`logit_scale`, ln 100)).
fn cosines(b: &mut Builder, module: &str, q: &Value, k: &Value, n_heads: usize) -> Value {
    let part = |name: &str| format!("{module}/{name}");
    let q = b.heads(&part("q_heads"), q, n_heads);
    let q = unit_length(b, &part("q_unit"), &q);
    let k = b.heads(&part("k_heads"), k, n_heads);
    let k = unit_length(b, &part("k_unit"), &k);
    let last = k.shape.len() - 1;
    let mut order: Vec<usize> = (0..=last).collect();
    order.swap(last - 1, last);
    let k = b.transpose(&part("k_turned"), &k, &order);
    let scores = b.matmul(&part("scores"), &q, &k);

    let scale = b.parameter(&format!("{module}.logit_scale"), vec![n_heads, 1, 1]);
    let (shape, largest) = (scale.shape.clone(), b.scalar(100.0_f32.ln()));
    let scale = b.op(&part("scale_log"), "Min", &[&scale, &largest], &[], shape);
    let shape = scale.shape.clone();
    let scale = b.op(&part("scale"), "Exp", &[&scale], &[], shape);
    b.mul(&part("scores_scaled"), &scores, &scale)
}

/// Vectors of the last axis, divided by their length or 10⁻¹² if that is more.
fn unit_length(b: &mut Builder, tensor: &str, x: &Value) -> Value {
    let mut shape = x.shape.clone();
    if let Some(last) = shape.last_mut() {
        *last = 1;
    }
    let last_axis = [("axes", Attribute::Ints(vec![-1]))];
    let length = format!("{tensor}/length");
    let length = b.op(&length, "ReduceL2", &[x], &last_axis, shape.clone());
    let least = b.scalar(1e-12);
    let divisor = format!("{tensor}/divisor");
    let divisor = b.op(&divisor, "Max", &[&length, &least], &[], shape);
    b.op(tensor, "Div", &[x, &divisor], &[], x.shape.clone())
}

/// Biases `(n_offsets, heads)` that a small network makes of the offsets between positions.
fn biases_of_offsets(b: &mut Builder, module: &str, windows: &Windows, n_heads: usize) -> Value {
    let child = |name: &str| format!("{module}.cpb_mlp.{name}");
    let side = windows.n_offsets_a_side();
    b.unused_parameter(
        &format!("{module}.relative_coords_table"),
        vec![1, side, side, 2],
    );
    let offsets = b.constant(&format!("{module}/offsets"), windows.log_offsets());
    let transposed = [("transB", Attribute::Int(1))];
    let weight = b.parameter(&child("0.weight"), vec![512, 2]);
    let bias = b.parameter(&child("0.bias"), vec![512]);
    let shape = vec![windows.n_offsets(), 512];
    let inputs = [&offsets, &weight, &bias];
    let hidden = format!("{module}/offsets_hidden");
    let hidden = b.op(&hidden, "Gemm", &inputs, &transposed, shape.clone());
    let relu = format!("{module}/offsets_relu");
    let hidden = b.op(&relu, "Relu", &[&hidden], &[], shape);
    let weight = b.parameter(&child("2.weight"), vec![n_heads, 512]);
    b.op(
        &format!("{module}/offsets_bias"),
        "Gemm",
        &[&hidden, &weight],
        &transposed,
        vec![windows.n_offsets(), n_heads],
    )
}

fn tensor(shape: &[usize], values: &[f32]) -> Tensor {
    Tensor::from_f32(shape.to_vec(), values).expect("as many values as the shape has")
}
