//! ConvNeXt as torchvision defines it.

use super::{Activation, Architecture, Builder, Conv, Value};
use crate::graph::Layout;

const CITATION: &str = "Liu Z, Mao H, Wu CY, Feichtenhofer C, Darrell T, Xie S (2022) A ConvNet for \
     the 2020s. CVPR, 11966-11976";

#[derive(Clone, Copy)]
struct Config {
    name: &'static str,
    description: &'static str,
    /// Channels and blocks of the four stages.
    stages: [(usize, usize); 4],
}

#[rustfmt::skip]
const TABLE: [Config; 4] = [
    Config {
        name: "convnext_tiny", description: "ConvNeXt-T, 28.6 million parameters",
        stages: [(96, 3), (192, 3), (384, 9), (768, 3)],
    },
    Config {
        name: "convnext_small", description: "ConvNeXt-S, 50.2 million parameters",
        stages: [(96, 3), (192, 3), (384, 27), (768, 3)],
    },
    Config {
        name: "convnext_base", description: "ConvNeXt-B, 88.6 million parameters",
        stages: [(128, 3), (256, 3), (512, 27), (1024, 3)],
    },
    Config {
        name: "convnext_large", description: "ConvNeXt-L, 197.8 million parameters",
        stages: [(192, 3), (384, 3), (768, 27), (1536, 3)],
    },
];

pub(super) fn entries() -> Vec<Architecture> {
    TABLE
        .map(|config| {
            let recipe = move |b: &mut Builder, x: &Value| build(b, x, &config);
            Architecture::imagenet(config.name, "convnext", config.description, recipe)
                .cite(CITATION, Some("10.1109/CVPR52688.2022.01167"))
        })
        .into()
}

fn build(b: &mut Builder, images: &Value, config: &Config) -> Value {
    let [(n_first, _), ..] = config.stages;
    let mut x = b.conv("features.0.0", images, Conv::square(n_first, 4).stride(4));
    x = norm(b, "features.0.1", &x);
    b.container("features.0", &x);
    for (stage, (n_channels, n_blocks)) in config.stages.into_iter().enumerate() {
        if stage > 0 {
            let module = format!("features.{}", 2 * stage);
            x = norm(b, &format!("{module}.0"), &x);
            let halve = Conv::square(n_channels, 2).stride(2);
            x = b.conv(&format!("{module}.1"), &x, halve);
            b.container(&module, &x);
        }
        let module = format!("features.{}", 2 * stage + 1);
        for idx in 0..n_blocks {
            x = block(b, &format!("{module}.{idx}"), &x);
        }
        b.container(&module, &x);
    }
    b.container("features", &x);
    x = b.adaptive_avg_pool("avgpool", &x, [1, 1]);
    x = norm(b, "classifier.0", &x);
    x = b.flatten("classifier.1", &x);
    b.container("classifier.1", &x);
    x = b.linear("classifier.2", &x, 1000, true);
    b.container("classifier", &x);
    x
}

fn block(b: &mut Builder, module: &str, x: &Value) -> Value {
    let n_channels = x.shape[0];
    let step = |idx: usize| format!("{module}.block.{idx}");
    let depthwise = Conv::square(n_channels, 7).same().groups(n_channels);
    let y = b.conv(&step(0), x, depthwise);
    b.lay_out(Layout::ChannelsLast);
    let y = b.transpose(&step(1), &y, &[1, 2, 0]);
    b.container(&step(1), &y);
    let y = b.layer_norm(&step(2), &y, 1e-6);
    let y = b.linear(&step(3), &y, 4 * n_channels, true);
    let y = b.activation(&step(4), &y, Activation::Gelu);
    let y = b.linear(&step(5), &y, n_channels, true);
    b.lay_out(Layout::ChannelsFirst);
    let y = b.transpose(&step(6), &y, &[2, 0, 1]);
    b.container(&step(6), &y);
    b.container(&format!("{module}.block"), &y);

    let scale = b.parameter(&format!("{module}.layer_scale"), vec![n_channels, 1, 1]);
    let y = b.mul(&format!("{module}.mul"), &y, &scale);
    b.step(&y);
    b.identity(&format!("{module}.stochastic_depth"), &y);
    let y = b.add(&format!("{module}.add"), &y, x);
    b.step(&y);
    b.container(module, &y);
    y
}

/// `LayerNorm` over the channels of a map.
fn norm(b: &mut Builder, module: &str, x: &Value) -> Value {
    let inner = format!("{module}/channels_last");
    let y = b.transpose(&inner, x, &[1, 2, 0]);
    let y = b.normalised(&format!("{module}/normalised"), module, &y, 1e-6);
    let y = b.transpose(module, &y, &[2, 0, 1]);
    b.container(module, &y);
    y
}
