//! CLIP's Vision Transformer.

use crate::zoo::builder::{Activation, Builder, Conv, Value};
use crate::zoo::vit::multi_head_attention;

#[derive(Clone, Copy)]
pub(super) struct Config {
    pub patch: usize,
    pub n_layers: usize,
    /// Channels of a token; a head has 64 of them.
    pub width: usize,
}

pub(super) fn build(b: &mut Builder, images: &Value, config: &Config, n_out: usize) -> Value {
    let width = config.width;
    let patches = Conv::square(width, config.patch).stride(config.patch);
    let map = b.conv("visual.conv1", images, patches.without_bias());
    let patches = b.patches("visual/patches", &map);
    b.lay_out_tokens(&map, 1);

    let n_patches = patches.shape[0];
    let class = b.parameter("visual.class_embedding", vec![width]);
    let class = b.reshape("visual/class", &class, vec![1, width]);
    let positions = vec![1 + n_patches, width];
    let positions = b.parameter("visual.positional_embedding", positions);
    let positions = b.reshape("visual/positions", &positions, vec![1 + n_patches, width]);
    let of_class = b.slice("visual/class_position", &positions, 0, 0, 1);
    let class = b.add("visual/class_placed", &class, &of_class);
    let of_patches = b.slice("visual/patch_positions", &positions, 0, 1, 1 + n_patches);
    let x = b.embed("visual/tokens", &patches, &[&class], &of_patches);

    let x = b.layer_norm("visual.ln_pre", &x, 1e-5);
    let x = transformer(b, "visual.transformer", &x, config.n_layers);
    let x = b.token("visual/class_out", &x, 0);
    let x = b.layer_norm("visual.ln_post", &x, 1e-5);
    let projection = b.parameter("visual.proj", vec![width, n_out]);
    let x = b.op("visual", "Gemm", &[&x, &projection], &[], vec![n_out]);
    b.step(&x);
    x
}

/// Blocks of attention and perceptron on `(tokens, width)`.
pub(super) fn transformer(b: &mut Builder, module: &str, x: &Value, n_layers: usize) -> Value {
    let blocks = format!("{module}.resblocks");
    let mut x = x.clone();
    for layer in 0..n_layers {
        x = block(b, &format!("{blocks}.{layer}"), &x);
    }
    b.container(&blocks, &x);
    b.container(module, &x);
    x
}

fn block(b: &mut Builder, module: &str, x: &Value) -> Value {
    let child = |name: &str| format!("{module}.{name}");
    let width = x.shape[1];
    let y = b.layer_norm(&child("ln_1"), x, 1e-5);
    let y = multi_head_attention(b, &child("attn"), &y, width / 64);
    let x = b.add(&format!("{module}/attended"), x, &y);

    let y = b.layer_norm(&child("ln_2"), &x, 1e-5);
    let y = b.linear(&child("mlp.c_fc"), &y, 4 * width, true);
    let y = b.activation(&child("mlp.gelu"), &y, Activation::QuickGelu);
    let y = b.linear(&child("mlp.c_proj"), &y, width, true);
    b.container(&child("mlp"), &y);
    let x = b.add(module, &x, &y);
    b.container(module, &x);
    x
}
