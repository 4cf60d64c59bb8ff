//! CLIP's ResNet: a stem of three convolutions, averages before what would be strided, and attention
//! instead of the last average.

use crate::zoo::builder::{Activation, Builder, Conv, Pool, Value};

#[derive(Clone, Copy)]
pub(super) struct Config {
    pub n_blocks: [usize; 4],
    /// Channels after the stem.
    pub width: usize,
}

pub(super) fn build(b: &mut Builder, images: &Value, config: &Config, n_out: usize) -> Value {
    let width = config.width;
    let mut x = images.clone();
    for (idx, conv) in [
        Conv::square(width / 2, 3).stride(2),
        Conv::square(width / 2, 3),
        Conv::square(width, 3),
    ]
    .into_iter()
    .enumerate()
    {
        x = conv_norm(b, "visual", idx + 1, &x, conv.same());
        x = b.activation("visual.relu", &x, Activation::Relu);
    }
    x = b.avg_pool("visual.avgpool", &x, Pool::new(2, 2));
    for (stage, n_blocks) in config.n_blocks.into_iter().enumerate() {
        let module = format!("visual.layer{}", stage + 1);
        for idx in 0..n_blocks {
            let stride = if stage > 0 && idx == 0 { 2 } else { 1 };
            x = bottleneck(b, &format!("{module}.{idx}"), &x, width << stage, stride);
        }
        b.container(&module, &x);
    }
    let x = attention_pool(b, "visual.attnpool", &x, n_out);
    b.container("visual", &x);
    x
}

fn bottleneck(b: &mut Builder, module: &str, x: &Value, width: usize, stride: usize) -> Value {
    let child = |name: &str| format!("{module}.{name}");
    let mut y = conv_norm(b, module, 1, x, Conv::square(width, 1));
    y = b.activation(&child("relu1"), &y, Activation::Relu);
    y = conv_norm(b, module, 2, &y, Conv::square(width, 3).same());
    y = b.activation(&child("relu2"), &y, Activation::Relu);
    if stride > 1 {
        y = b.avg_pool(&child("avgpool"), &y, Pool::new(stride, stride));
    } else {
        b.identity(&child("avgpool"), &y);
    }
    y = conv_norm(b, module, 3, &y, Conv::square(4 * width, 1));

    let mut around = x.clone();
    if stride > 1 || x.shape[0] != 4 * width {
        around = b.avg_pool(&child("downsample.-1"), x, Pool::new(stride, stride));
        let widen = Conv::square(4 * width, 1).without_bias();
        around = b.conv(&child("downsample.0"), &around, widen);
        around = b.batch_norm(&child("downsample.1"), &around, 1e-5);
        b.container(&child("downsample"), &around);
    }
    y = b.add(&format!("{module}/sum"), &y, &around);
    y = b.activation(&child("relu3"), &y, Activation::Relu);
    b.container(module, &y);
    y
}

/// `{module}.conv{idx}` without bias, then `{module}.bn{idx}`.
fn conv_norm(b: &mut Builder, module: &str, idx: usize, x: &Value, conv: Conv) -> Value {
    let x = b.conv(&format!("{module}.conv{idx}"), x, conv.without_bias());
    b.batch_norm(&format!("{module}.bn{idx}"), &x, 1e-5)
}

/// The mean of all positions attends to itself and to them; a head has 64 channels.
fn attention_pool(b: &mut Builder, module: &str, map: &Value, n_out: usize) -> Value {
    let child = |name: &str| format!("{module}.{name}");
    let part = |name: &str| format!("{module}/{name}");
    let patches = b.patches(&part("patches"), map);
    let [n_patches, width] = [patches.shape[0], patches.shape[1]];
    let over_positions = [("axes", crate::graph::Attribute::Ints(vec![1]))];
    let mean = b.op(
        &part("mean"),
        "ReduceMean",
        &[&patches],
        &over_positions,
        vec![1, width],
    );
    let x = b.concat(&part("joined"), &[&mean, &patches], 0);
    let positions = vec![1 + n_patches, width];
    let positions = b.parameter(&child("positional_embedding"), positions);
    let x = b.add(&part("tokens"), &x, &positions);

    let mean = b.slice(&part("query"), &x, 0, 0, 1);
    let [q, k, v] = [("q", &mean), ("k", &x), ("v", &x)].map(|(name, x)| {
        let weight = b.parameter(&child(&format!("{name}_proj.weight")), vec![width, width]);
        let bias = b.parameter(&child(&format!("{name}_proj.bias")), vec![width]);
        b.affine(&part(name), x, &weight, Some(&bias))
    });
    let scores = b.scaled_scores(module, &q, &k, width / 64);
    let weights = b.attention_weights(module, &scores);
    let y = b.attended(module, &weights, &v);
    let y = b.flatten(&part("pooled"), &y);
    let weight = b.parameter(&child("c_proj.weight"), vec![n_out, width]);
    let bias = b.parameter(&child("c_proj.bias"), vec![n_out]);
    let y = b.affine(module, &y, &weight, Some(&bias));
    b.container(module, &y);
    y
}
