//! The Visual-Valence Model, predecessor of the module of nuclei that reads CLIP: valence from two roads to the amygdala.
//!
//! The high road is VGG16 without its last layer; the middle road leaves it after two stages, by way of pools and a gate for
//! each channel. The names of layers are those by which the authors' programs speak of them (`VCA_Highroad.features`,
//! `VCA_Highroad.classifier`, `ECA_Module`, `VCA_Middleroad`, `VCA_FC`; github.com/lab-smile/FearConditioningAI). The
//! middle road's last layer is their LA, the whole of `VCA_FC` their CE.
//!
//! The released weights were never at hand. That a file of them has the convolutions under three names, as PyTorch writes modules that are
//! parts of several, is deduced from the definition: `vgg.…` and `VGG_Middleroad.…` are accepted and `VCA_Highroad.…`, which
//! PyTorch loads last, is read.

use super::vgg::{CHANNELS, convolutions, hidden};
use super::{Activation, Architecture, Builder, Pool, Value, square};
use crate::Preprocessing;
use crate::graph::Attribute;

const CITATION: &str =
    "Leem S, Keil A, Ding M, Fang R (in press) Neural Computation. arXiv:2607.19327";

/// Convolutions of the five stages.
const STAGES: [usize; 5] = [2, 2, 3, 3, 3];

/// Stages that both roads share.
const SHARED: usize = 2;

/// Width of the classifier's layers.
const WIDE: usize = 4096;

pub(super) fn entries() -> Vec<Architecture> {
    let description = "Visual-Valence Model: VGG16 and a middle road with channel attention, read out as valence from 1 to 9";
    let architecture = Architecture {
        n_classes: 1,
        class_names: None,
        preprocessing: Preprocessing {
            resize: square(224),
            crop: None,
            ..Preprocessing::imagenet()
        },
        ..Architecture::imagenet("visual_valence_model", "two_roads", description, build)
    };
    vec![architecture.cite(CITATION, Some("10.48550/arXiv.2607.19327"))]
}

fn build(b: &mut Builder, images: &Value) -> Value {
    let stages: Vec<(usize, usize)> = STAGES.into_iter().zip(CHANNELS).collect();
    let (shared, rest) = stages.split_at(SHARED);
    let features = "VCA_Highroad.features";
    let mut idx = 0..;
    let early = convolutions(b, features, &mut idx, images, shared, false);
    b.container("VGG_Middleroad", &early);
    let late = convolutions(b, features, &mut idx, &early, rest, false);
    b.container(features, &late);
    let high = high_road(b, &late);
    let middle = middle_road(b, &early);
    let both = b.concat("roads", &[&high, &middle], 0);
    b.step(&both);
    let x = hidden(b, "VCA_FC", 0, &both, 1024);
    let x = hidden(b, "VCA_FC", 3, &x, 1024);
    let x = b.linear("VCA_FC.6", &x, 1, true);
    let share = b.activation("VCA_FC.7", &x, Activation::Sigmoid);
    b.container("VCA_FC", &share);
    copies(b, &stages);
    // What the released programs make of the network's answer: 1 + 8 σ.
    let (eight, one) = (b.scalar(8.0), b.scalar(1.0));
    let above = b.mul("valence/above", &share, &eight);
    let valence = b.add("valence", &above, &one);
    b.step(&valence);
    valence
}

fn high_road(b: &mut Builder, late: &Value) -> Value {
    let x = b.adaptive_avg_pool("VCA_Highroad.avgpool", late, [7, 7]);
    let x = b.flatten("VCA_Highroad.flatten", &x);
    b.step(&x);
    let x = hidden(b, "VCA_Highroad.classifier", 0, &x, WIDE);
    let x = hidden(b, "VCA_Highroad.classifier", 3, &x, WIDE);
    b.container("VCA_Highroad.classifier", &x);
    b.container("VCA_Highroad", &x);
    x
}

/// From 128 maps to 512 numbers: largest values of large windows, and means over quarters that are gated.
fn middle_road(b: &mut Builder, early: &Value) -> Value {
    let large = b.max_pool("Middleroad_MaxPool", early, Pool::new(29, 14));
    let mut quarters = vec![b.adaptive_max_pool_of_quarters("Global_MaxPool", early)];
    for (name, size, stride) in [("MaxPool1", 5, 3), ("MaxPool2", 9, 5), ("MaxPool3", 13, 7)] {
        let pooled = b.max_pool(name, early, Pool::new(size, stride));
        quarters.push(b.adaptive_avg_pool("Global_AdaptivePool2", &pooled, [2, 2]));
    }
    let quarters: Vec<&Value> = quarters.iter().collect();
    let quarters = b.concat("cat", &quarters, 0);
    b.step(&quarters);
    let gated = channel_attention(b, &quarters);
    let means = b.adaptive_avg_pool("Global_AdaptivePool1", &gated, [1, 1]);
    let large = b.flatten("Middleroad_MaxPool.flatten", &large);
    let means = b.flatten("Global_AdaptivePool1.flatten", &means);
    let x = b.concat("cat_1", &[&large, &means], 0);
    b.step(&x);
    let x = hidden(b, "VCA_Middleroad", 0, &x, 1024);
    let x = hidden(b, "VCA_Middleroad", 3, &x, 512);
    b.container("VCA_Middleroad", &x);
    x
}

/// Efficient channel attention (Wang et al. 2020, arXiv:1910.03151): each map times the sigmoid of three neighbouring maps' weighted means.
fn channel_attention(b: &mut Builder, x: &Value) -> Value {
    let n = x.shape[0];
    let part = |name: &str| format!("ECA_Module.{name}");
    let means = b.adaptive_avg_pool(&part("avg_pool"), x, [1, 1]);
    // Channels become the positions of a map of one row, for a convolution of two axes.
    let row = b.reshape(&part("conv/row"), &means, vec![1, 1, n]);
    let weight = b.parameter(&part("conv.weight"), vec![1, 1, 3]);
    let extents = b.integers(&part("conv/extents"), &[1, 1, 1, 3]);
    let kernel = vec![1, 1, 1, 3];
    let weight = b.op(
        &part("conv/weight"),
        "Reshape",
        &[&weight, &extents],
        &[],
        kernel,
    );
    let attributes = [
        ("dilations", Attribute::Ints(vec![1; 2])),
        ("kernel_shape", Attribute::Ints(vec![1, 3])),
        ("pads", Attribute::Ints(vec![0, 1, 0, 1])),
        ("strides", Attribute::Ints(vec![1; 2])),
    ];
    let name = part("conv/map");
    let mixed = b.op(&name, "Conv", &[&row, &weight], &attributes, vec![1, 1, n]);
    let mixed = b.reshape(&part("conv"), &mixed, vec![1, n]);
    b.step(&mixed);
    let gate = b.reshape(&part("sigmoid/maps"), &mixed, vec![n, 1, 1]);
    let gate = b.activation(&part("sigmoid"), &gate, Activation::Sigmoid);
    let gated = b.mul("ECA_Module", x, &gate);
    b.container("ECA_Module", &gated);
    gated
}

/// The names under which a file has weights of the high road again.
fn copies(b: &mut Builder, stages: &[(usize, usize)]) {
    let mut idx = 0;
    let mut n_in = 3;
    for (stage, &(n_convs, channels)) in stages.iter().enumerate() {
        for _ in 0..n_convs {
            let shapes = [
                ("weight", vec![channels, n_in, 3, 3]),
                ("bias", vec![channels]),
            ];
            for (part, shape) in shapes {
                b.unused_parameter(&format!("vgg.features.{idx}.{part}"), shape.clone());
                if stage < SHARED {
                    b.unused_parameter(&format!("VGG_Middleroad.{idx}.{part}"), shape);
                }
            }
            n_in = channels;
            idx += 2;
        }
        idx += 1;
    }
    for (idx, n_in) in [(0, n_in * 7 * 7), (3, WIDE)] {
        let key = |part: &str| format!("vgg.classifier.{idx}.{part}");
        b.unused_parameter(&key("weight"), vec![WIDE, n_in]);
        b.unused_parameter(&key("bias"), vec![WIDE]);
    }
}

#[cfg(test)]
mod tests {
    use crate::zoo::find;

    #[test]
    fn each_copy_of_a_weight_has_the_shape_of_the_one_that_is_read() {
        let architecture = find("visual_valence_model").unwrap();
        let read = architecture.parameters().unwrap();
        let copies = architecture.training_parameters().unwrap();
        for (key, shape) in &copies {
            let rest = key.strip_prefix("vgg.").map(str::to_owned);
            let early = key.strip_prefix("VGG_Middleroad.");
            let rest = rest.or(early.map(|rest| format!("features.{rest}")));
            let original = format!("VCA_Highroad.{}", rest.unwrap());
            assert_eq!(read.get(&original), Some(shape), "{key}");
        }
        // The whole high road once, and four convolutions of two stages once more.
        let high = read.keys().filter(|key| key.starts_with("VCA_Highroad."));
        assert_eq!(copies.len(), high.count() + 2 * 4);
    }
}
