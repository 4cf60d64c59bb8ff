//! Image towers of CLIP, with the keys and module names of OpenAI's release.
//!
//! A whole checkpoint fits: what it holds for texts is passed over. Outcomes are embeddings before
//! they are brought to unit length.

mod resnet;
mod vit;

use super::{Architecture, Builder, Value};
use crate::Preprocessing;
use crate::preprocess::{Filter, Resize};

const CITATION: &str = "Radford A, Kim JW, Hallacy C, Ramesh A, Goh G, Agarwal S, Sastry G, Askell A, \
     Mishkin P, Clark J, Krueger G, Sutskever I (2021) Learning transferable visual models from \
     natural language supervision. ICML. arXiv:2103.00020";

#[derive(Clone, Copy)]
enum Tower {
    Vit(vit::Config),
    ResNet(resnet::Config),
}

#[derive(Clone, Copy)]
struct Config {
    name: &'static str,
    description: &'static str,
    tower: Tower,
    /// Pixels of a side of the images.
    size: usize,
    /// Features of the embedding.
    n_out: usize,
    /// Width of the transformer for texts, whose keys are passed over.
    text_width: usize,
}

const fn vit(patch: usize, n_layers: usize, width: usize) -> Tower {
    Tower::Vit(vit::Config {
        patch,
        n_layers,
        width,
    })
}

const fn resnet(n_blocks: [usize; 4], width: usize) -> Tower {
    Tower::ResNet(resnet::Config { n_blocks, width })
}

#[rustfmt::skip]
const TABLE: [Config; 9] = [
    Config {
        name: "clip_vit_b_32", description: "CLIP ViT-B/32, 87.8 million parameters",
        tower: vit(32, 12, 768), size: 224, n_out: 512, text_width: 512,
    },
    Config {
        name: "clip_vit_b_16", description: "CLIP ViT-B/16, 86.2 million parameters",
        tower: vit(16, 12, 768), size: 224, n_out: 512, text_width: 512,
    },
    Config {
        name: "clip_vit_l_14", description: "CLIP ViT-L/14, 304.0 million parameters",
        tower: vit(14, 24, 1024), size: 224, n_out: 768, text_width: 768,
    },
    Config {
        name: "clip_vit_l_14_336",
        description: "CLIP ViT-L/14 for 336 × 336 pixels, 304.3 million parameters",
        tower: vit(14, 24, 1024), size: 336, n_out: 768, text_width: 768,
    },
    Config {
        name: "clip_resnet50", description: "CLIP ResNet-50, 38.3 million parameters",
        tower: resnet([3, 4, 6, 3], 64), size: 224, n_out: 1024, text_width: 512,
    },
    Config {
        name: "clip_resnet101", description: "CLIP ResNet-101, 56.3 million parameters",
        tower: resnet([3, 4, 23, 3], 64), size: 224, n_out: 512, text_width: 512,
    },
    Config {
        name: "clip_resnet50x4", description: "CLIP ResNet-50x4, 87.1 million parameters",
        tower: resnet([4, 6, 10, 6], 80), size: 288, n_out: 640, text_width: 640,
    },
    Config {
        name: "clip_resnet50x16", description: "CLIP ResNet-50x16, 167.3 million parameters",
        tower: resnet([6, 8, 18, 8], 96), size: 384, n_out: 768, text_width: 768,
    },
    Config {
        name: "clip_resnet50x64", description: "CLIP ResNet-50x64, 420.4 million parameters",
        tower: resnet([3, 15, 36, 10], 128), size: 448, n_out: 1024, text_width: 1024,
    },
];

pub(super) fn entries() -> Vec<Architecture> {
    TABLE
        .map(|config| {
            let recipe = move |b: &mut Builder, x: &Value| {
                texts(b, &config);
                match &config.tower {
                    Tower::Vit(tower) => vit::build(b, x, tower, config.n_out),
                    Tower::ResNet(tower) => resnet::build(b, x, tower, config.n_out),
                }
            };
            let mut entry = Architecture::imagenet(config.name, "clip", config.description, recipe)
                .cite(CITATION, Some("10.48550/arXiv.2103.00020"));
            entry.n_classes = config.n_out;
            entry.class_names = None;
            entry.preprocessing = Preprocessing {
                resize: Resize::ShortSide {
                    size: config.size,
                    filter: Filter::Bicubic,
                },
                crop: Some([config.size; 2]),
                ..Preprocessing::clip()
            };
            entry
        })
        .into()
}

/// Keys of a whole checkpoint that no image passes.
fn texts(b: &mut Builder, config: &Config) {
    let width = config.text_width;
    let (n_words, n_tokens, n_layers) = (49_408, 77, 12);
    b.unused_parameter("positional_embedding", vec![n_tokens, width]);
    b.unused_parameter("text_projection", vec![width, config.n_out]);
    b.unused_parameter("token_embedding.weight", vec![n_words, width]);
    for key in [
        "logit_scale",
        "input_resolution",
        "context_length",
        "vocab_size",
    ] {
        b.unused_parameter(key, Vec::new());
    }
    b.training_only(|b| {
        let x = Value {
            name: "texts".into(),
            shape: vec![n_tokens, width],
        };
        vit::transformer(b, "transformer", &x, n_layers);
        b.layer_norm("ln_final", &x, 1e-5);
    });
}
