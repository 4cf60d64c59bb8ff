//! DINO and DINOv2, with the keys and module names of their authors' releases.
//!
//! Any image size is possible: the positions' embeddings are resized to the grid of patches as the
//! authors do it, by matrices that are part of the graph. ViT-g/14 is missing: its weights take more
//! than the 2 GiB that ONNX Runtime allows for a model in memory.

mod positions;

use super::{Activation, Architecture, Builder, Conv, Value};
use crate::Preprocessing;
use crate::preprocess::Filter;
use positions::{Grid, Resizing};

const CITATION: &str = "Caron M, Touvron H, Misra I, Jégou H, Mairal J, Bojanowski P, Joulin A \
     (2021) Emerging properties in self-supervised vision transformers. ICCV, 9630-9640";
const CITATION_2: &str = "Oquab M, Darcet T, Moutakanni T, Vo H, Szafraniec M, Khalidov V, et al. \
     (2024) DINOv2: learning robust visual features without supervision. TMLR. arXiv:2304.07193";
const CITATION_REGISTERS: &str = "Darcet T, Oquab M, Mairal J, Bojanowski P (2024) Vision \
     transformers need registers. ICLR. arXiv:2309.16588";

const EPS: f32 = 1e-6;

#[derive(Clone, Copy, PartialEq)]
enum Version {
    /// The weights of attention and a dropout are modules.
    V1,
    /// Branches are scaled; a token for masked patches is in the weights.
    V2 { n_registers: usize },
}

#[derive(Clone, Copy)]
struct Config {
    name: &'static str,
    description: &'static str,
    version: Version,
    patch: usize,
    /// Patches along a side of the images that the weights were trained with.
    side: usize,
    n_layers: usize,
    n_heads: usize,
    width: usize,
}

const V1: Config = Config {
    name: "",
    description: "",
    version: Version::V1,
    patch: 16,
    side: 14,
    n_layers: 12,
    n_heads: 6,
    width: 384,
};
const V2: Config = Config {
    version: Version::V2 { n_registers: 0 },
    patch: 14,
    side: 37,
    ..V1
};
const V2_REG: Config = Config {
    version: Version::V2 { n_registers: 4 },
    ..V2
};

#[rustfmt::skip]
const TABLE: [Config; 10] = [
    Config { name: "dino_vits16", description: "DINO ViT-S/16, 21.7 million parameters", ..V1 },
    Config {
        name: "dino_vits8", description: "DINO ViT-S/8, 21.7 million parameters",
        patch: 8, side: 28, ..V1
    },
    Config {
        name: "dino_vitb16", description: "DINO ViT-B/16, 85.8 million parameters",
        n_heads: 12, width: 768, ..V1
    },
    Config {
        name: "dino_vitb8", description: "DINO ViT-B/8, 85.8 million parameters",
        patch: 8, side: 28, n_heads: 12, width: 768, ..V1
    },
    Config { name: "dinov2_vits14", description: "DINOv2 ViT-S/14, 22.1 million parameters", ..V2 },
    Config {
        name: "dinov2_vitb14", description: "DINOv2 ViT-B/14, 86.6 million parameters",
        n_heads: 12, width: 768, ..V2
    },
    Config {
        name: "dinov2_vitl14", description: "DINOv2 ViT-L/14, 304.4 million parameters",
        n_layers: 24, n_heads: 16, width: 1024, ..V2
    },
    Config {
        name: "dinov2_vits14_reg",
        description: "DINOv2 ViT-S/14 with registers, 22.1 million parameters", ..V2_REG
    },
    Config {
        name: "dinov2_vitb14_reg",
        description: "DINOv2 ViT-B/14 with registers, 86.6 million parameters",
        n_heads: 12, width: 768, ..V2_REG
    },
    Config {
        name: "dinov2_vitl14_reg",
        description: "DINOv2 ViT-L/14 with registers, 304.4 million parameters",
        n_layers: 24, n_heads: 16, width: 1024, ..V2_REG
    },
];

pub(super) fn entries() -> Vec<Architecture> {
    TABLE
        .map(|config| {
            let recipe = move |b: &mut Builder, x: &Value| build(b, x, &config);
            let (citation, doi) = match config.version {
                Version::V1 => (CITATION, "10.1109/ICCV48922.2021.00951"),
                Version::V2 { n_registers: 0 } => (CITATION_2, "10.48550/arXiv.2304.07193"),
                Version::V2 { .. } => (CITATION_REGISTERS, "10.48550/arXiv.2309.16588"),
            };
            let mut entry = Architecture::imagenet(config.name, "dino", config.description, recipe)
                .cite(citation, Some(doi));
            entry.n_classes = config.width;
            entry.class_names = None;
            entry.preprocessing = Preprocessing::short_side(256, 224, Filter::Bicubic);
            entry
        })
        .into()
}

fn build(b: &mut Builder, images: &Value, config: &Config) -> Value {
    let mut x = tokens(b, images, config);
    if config.version == Version::V1 {
        b.identity("pos_drop", &x);
    }
    for layer in 0..config.n_layers {
        x = block(b, &format!("blocks.{layer}"), &x, config);
    }
    x = b.layer_norm("norm", &x, EPS);
    x = b.token("class", &x, 0);
    b.identity("head", &x);
    x
}

/// Class token, registers, patches.
fn tokens(b: &mut Builder, images: &Value, config: &Config) -> Value {
    let (width, side) = (config.width, config.side);
    let patches = Conv::square(width, config.patch).stride(config.patch);
    let map = b.conv("patch_embed.proj", images, patches);
    let n_registers = match config.version {
        Version::V1 => 0,
        Version::V2 { n_registers } => n_registers,
    };
    b.lay_out_tokens(&map, 1 + n_registers);
    let patches = b.patches("patch_embed", &map);
    if config.version != Version::V1 {
        b.identity("patch_embed.norm", &patches);
        b.unused_parameter("mask_token", vec![1, width]);
    }
    b.container("patch_embed", &patches);

    let class = b.shared("cls_token", 1, width);
    let positions = b.shared("pos_embed", 1 + side * side, width);
    let of_class = b.slice("class/position", &positions, 0, 0, 1);
    let class = b.add("class/placed", &class, &of_class);
    let of_patches = b.slice("patches/positions", &positions, 0, 1, 1 + side * side);
    let grid = Grid {
        side,
        size: [map.shape[1], map.shape[2]],
    };
    // Only square images of the right number of patches are taken as they are.
    let as_trained = images.shape[1] == images.shape[2] && grid.size == [side; 2];
    let of_patches = if as_trained {
        of_patches
    } else if n_registers == 0 {
        grid.resize(b, &of_patches, Resizing::Scaled { offset: 0.1 })
    } else {
        grid.resize(b, &of_patches, Resizing::Antialiased)
    };
    if n_registers == 0 {
        return b.embed("tokens", &patches, &[&class], &of_patches);
    }
    let registers = b.shared("register_tokens", n_registers, width);
    b.embed("tokens", &patches, &[&class, &registers], &of_patches)
}

fn block(b: &mut Builder, module: &str, x: &Value, config: &Config) -> Value {
    let child = |name: &str| format!("{module}.{name}");
    let y = b.layer_norm(&child("norm1"), x, EPS);
    let y = attention(b, &child("attn"), &y, config);
    let y = branch(b, module, 1, &y, config.version);
    let x = b.add(&format!("{module}/attended"), x, &y);

    let y = b.layer_norm(&child("norm2"), &x, EPS);
    let y = perceptron(b, &child("mlp"), &y);
    let y = branch(b, module, 2, &y, config.version);
    let x = b.add(module, &x, &y);
    b.container(module, &x);
    x
}

fn attention(b: &mut Builder, module: &str, x: &Value, config: &Config) -> Value {
    let child = |name: &str| format!("{module}.{name}");
    let width = config.width;
    let qkv = b.linear(&child("qkv"), x, 3 * width, true);
    let names = ["q", "k", "v"].map(|part| format!("{module}/{part}"));
    let [q, k, v] = b.parts(names.each_ref().map(String::as_str), &qkv);
    let scores = b.scaled_scores(module, &q, &k, config.n_heads);
    let weights = b.attention_weights(module, &scores);
    if config.version == Version::V1 {
        b.identity(&child("attn_drop"), &weights);
    }
    let y = b.attended(module, &weights, &v);
    let y = b.linear(&child("proj"), &y, width, true);
    b.identity(&child("proj_drop"), &y);
    b.container(module, &y);
    y
}

/// What stands between a branch and the sum.
fn branch(b: &mut Builder, module: &str, idx: usize, y: &Value, version: Version) -> Value {
    if version == Version::V1 {
        b.identity(&format!("{module}.drop_path"), y);
        return y.clone();
    }
    let scale = format!("{module}.ls{idx}");
    let gamma = b.parameter(&format!("{scale}.gamma"), vec![y.shape[1]]);
    let y = b.mul(&scale, y, &gamma);
    b.container(&scale, &y);
    y
}

fn perceptron(b: &mut Builder, module: &str, x: &Value) -> Value {
    let child = |name: &str| format!("{module}.{name}");
    let width = x.shape[1];
    let y = b.linear(&child("fc1"), x, 4 * width, true);
    let y = b.activation(&child("act"), &y, Activation::Gelu);
    b.identity(&child("drop"), &y);
    let y = b.linear(&child("fc2"), &y, width, true);
    b.identity(&child("drop"), &y);
    b.container(module, &y);
    y
}
