//! Vision Transformer as torchvision defines it.
//!
//! Another image size than that of the weights needs another `encoder.pos_embedding`, as in
//! torchvision; the SWAG weights of ViT-B/16 and ViT-L/16 are those for 384 × 384 and 512 × 512.

use super::{Activation, Architecture, Builder, Conv, Value};

const CITATION: &str = "Dosovitskiy A, Beyer L, Kolesnikov A, Weissenborn D, Zhai X, Unterthiner T, \
     Dehghani M, Minderer M, Heigold G, Gelly S, Uszkoreit J, Houlsby N (2021) An image is worth \
     16x16 words: transformers for image recognition at scale. ICLR. arXiv:2010.11929";

#[derive(Clone, Copy)]
struct Config {
    name: &'static str,
    description: &'static str,
    patch: usize,
    n_layers: usize,
    n_heads: usize,
    width: usize,
}

#[rustfmt::skip]
const TABLE: [Config; 4] = [
    Config {
        name: "vit_b_16", description: "ViT-B/16, 86.6 million parameters",
        patch: 16, n_layers: 12, n_heads: 12, width: 768,
    },
    Config {
        name: "vit_b_32", description: "ViT-B/32, 88.2 million parameters",
        patch: 32, n_layers: 12, n_heads: 12, width: 768,
    },
    Config {
        name: "vit_l_16", description: "ViT-L/16, 304.3 million parameters",
        patch: 16, n_layers: 24, n_heads: 16, width: 1024,
    },
    Config {
        name: "vit_l_32", description: "ViT-L/32, 306.5 million parameters",
        patch: 32, n_layers: 24, n_heads: 16, width: 1024,
    },
];

pub(super) fn entries() -> Vec<Architecture> {
    TABLE
        .map(|config| {
            let recipe = move |b: &mut Builder, x: &Value| build(b, x, &config);
            let entry = Architecture::imagenet(config.name, "vit", config.description, recipe);
            Architecture {
                renamed,
                ..entry.cite(CITATION, Some("10.48550/arXiv.2010.11929"))
            }
        })
        .into()
}

/// Older files, torchvision's own among them, call the linear maps of a perceptron by other names.
fn renamed(key: &str) -> Option<String> {
    [(".mlp.linear_1.", ".mlp.0."), (".mlp.linear_2.", ".mlp.3.")]
        .into_iter()
        .find(|(old, _)| key.contains(old))
        .map(|(old, present)| key.replace(old, present))
}

fn build(b: &mut Builder, images: &Value, config: &Config) -> Value {
    let patches = Conv::square(config.width, config.patch).stride(config.patch);
    let map = b.conv("conv_proj", images, patches);
    let patches = b.patches("patches", &map);
    b.lay_out_tokens(&map, 1);

    let n_patches = patches.shape[0];
    let class = b.shared("class_token", 1, config.width);
    let positions = b.shared("encoder.pos_embedding", 1 + n_patches, config.width);
    let of_class = b.slice("class/position", &positions, 0, 0, 1);
    let class = b.add("class", &class, &of_class);
    let positions = b.slice("patches/positions", &positions, 0, 1, 1 + n_patches);
    let mut x = b.embed("encoder.add", &patches, &[&class], &positions);
    b.step(&x);
    b.identity("encoder.dropout", &x);

    for layer in 0..config.n_layers {
        x = block(
            b,
            &format!("encoder.layers.encoder_layer_{layer}"),
            &x,
            config,
        );
    }
    b.container("encoder.layers", &x);
    x = b.layer_norm("encoder.ln", &x, 1e-6);
    b.container("encoder", &x);
    x = b.token("getitem_5", &x, 0);
    b.step(&x);
    x = b.linear("heads.head", &x, 1000, true);
    b.container("heads", &x);
    x
}

fn block(b: &mut Builder, module: &str, x: &Value, config: &Config) -> Value {
    let child = |name: &str| format!("{module}.{name}");
    let y = b.layer_norm(&child("ln_1"), x, 1e-6);
    let y = multi_head_attention(b, &child("self_attention"), &y, config.n_heads);
    b.identity(&child("dropout"), &y);
    let x = b.add(&child("add"), &y, x);
    b.step(&x);

    let y = b.layer_norm(&child("ln_2"), &x, 1e-6);
    let y = mlp(b, &child("mlp"), &y, 4 * config.width);
    let x = b.add(&child("add"), &x, &y);
    b.step(&x);
    b.container(module, &x);
    x
}

/// torch's `MultiheadAttention` of tokens to each other; keys `in_proj_weight`, `in_proj_bias`,
/// `out_proj.weight`, `out_proj.bias`.
pub(super) fn multi_head_attention(
    b: &mut Builder,
    module: &str,
    x: &Value,
    n_heads: usize,
) -> Value {
    let width = x.shape[1];
    let weight = b.parameter(&format!("{module}.in_proj_weight"), vec![3 * width, width]);
    let bias = b.parameter(&format!("{module}.in_proj_bias"), vec![3 * width]);
    let qkv = b.affine(&format!("{module}/qkv"), x, &weight, Some(&bias));
    let y = b.self_attention(module, &qkv, n_heads);
    let weight = b.parameter(&format!("{module}.out_proj.weight"), vec![width, width]);
    let bias = b.parameter(&format!("{module}.out_proj.bias"), vec![width]);
    let y = b.affine(module, &y, &weight, Some(&bias));
    b.container(module, &y);
    y
}

/// torchvision's `MLP` of two layers: linear, GELU, dropout, linear, dropout.
pub(super) fn mlp(b: &mut Builder, module: &str, x: &Value, n_hidden: usize) -> Value {
    let width = x.shape[x.shape.len() - 1];
    let y = b.linear(&format!("{module}.0"), x, n_hidden, true);
    let y = b.activation(&format!("{module}.1"), &y, Activation::Gelu);
    b.identity(&format!("{module}.2"), &y);
    let y = b.linear(&format!("{module}.3"), &y, width, true);
    b.identity(&format!("{module}.4"), &y);
    b.container(module, &y);
    y
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_older_files_are_known() {
        let layer = "encoder.layers.encoder_layer_3";
        for (old, present) in [("linear_1.weight", "0.weight"), ("linear_2.bias", "3.bias")] {
            let found = renamed(&format!("{layer}.mlp.{old}"));
            assert_eq!(found, Some(format!("{layer}.mlp.{present}")));
        }
        assert_eq!(renamed("encoder.layers.encoder_layer_3.mlp.0.weight"), None);
    }
}
