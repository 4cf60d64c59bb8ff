//! VGG as torchvision defines it, and VGG-Face.

use super::{Activation, Architecture, Builder, Conv, Pool, Value, square};
use crate::Preprocessing;
use crate::preprocess::Range;

const CITATION: &str = "Simonyan K, Zisserman A (2015) Very deep convolutional networks for \
     large-scale image recognition. ICLR. arXiv:1409.1556";
const FACE: &str =
    "Parkhi OM, Vedaldi A, Zisserman A (2015) Deep face recognition. BMVC, 41.1-41.12";

/// Channels of the five stages.
const CHANNELS: [usize; 5] = [64, 128, 256, 512, 512];

pub(super) fn entries() -> Vec<Architecture> {
    let mut all = vec![vgg_face()];
    // Layers with weights, and how many convolutions each stage has.
    for (depth, stages) in [
        (11, [1, 1, 2, 2, 2]),
        (13, [2, 2, 2, 2, 2]),
        (16, [2, 2, 3, 3, 3]),
        (19, [2, 2, 4, 4, 4]),
    ] {
        for (suffix, how, norm) in [("", "", false), ("_bn", ", batch normalisation", true)] {
            let architecture = Architecture::imagenet(
                format!("vgg{depth}{suffix}"),
                "vgg",
                format!("VGG of {depth} layers: 3 × 3 convolutions in five stages{how}"),
                move |b: &mut Builder, x: &Value| build(b, x, stages, norm),
            );
            all.push(architecture.cite(CITATION, Some("10.48550/arXiv.1409.1556")));
        }
    }
    all
}

fn build(b: &mut Builder, images: &Value, stages: [usize; 5], norm: bool) -> Value {
    let mut x = images.clone();
    let mut idx = 0..;
    let mut feature = || format!("features.{}", idx.next().unwrap_or_default());
    for (n_convs, channels) in stages.into_iter().zip(CHANNELS) {
        for _ in 0..n_convs {
            x = b.conv(&feature(), &x, Conv::square(channels, 3).same());
            if norm {
                x = b.batch_norm(&feature(), &x, 1e-5);
            }
            x = b.activation(&feature(), &x, Activation::Relu);
        }
        x = b.max_pool(&feature(), &x, Pool::new(2, 2));
    }
    b.container("features", &x);
    x = b.adaptive_avg_pool("avgpool", &x, [7, 7]);
    x = b.flatten("flatten", &x);
    b.step(&x);
    for idx in [0, 3] {
        x = b.linear(&format!("classifier.{idx}"), &x, 4096, true);
        x = b.activation(&format!("classifier.{}", idx + 1), &x, Activation::Relu);
        b.identity(&format!("classifier.{}", idx + 2), &x);
    }
    x = b.linear("classifier.6", &x, 1000, true);
    b.container("classifier", &x);
    x
}

/// VGG-Face with the keys and the colour order (RGB) of the public conversion `vgg_face_dag`:
/// `conv1_1.weight` … `conv5_3.bias`, `fc6.weight` … `fc8.bias`. Weights that
/// were made for BGR want the preprocessing's other channel order.
fn vgg_face() -> Architecture {
    let description = "VGG-Face: VGG of 16 layers for the faces of 2622 people";
    Architecture {
        n_classes: 2622,
        class_names: None,
        // Bytes minus the mean of the training pictures.
        preprocessing: Preprocessing {
            resize: square(224),
            crop: None,
            range: Range::Bytes,
            mean: [129.186_28, 104.762_38, 93.593_96],
            std: [1.0; 3],
            ..Preprocessing::imagenet()
        },
        ..Architecture::imagenet("vgg_face", "vgg", description, build_face)
    }
    .cite(FACE, Some("10.5244/C.29.41"))
}

fn build_face(b: &mut Builder, images: &Value) -> Value {
    let mut x = images.clone();
    for (stage, (n_convs, channels)) in (1..).zip([2, 2, 3, 3, 3].into_iter().zip(CHANNELS)) {
        for conv in 1..=n_convs {
            let place = format!("{stage}_{conv}");
            x = b.conv(
                &format!("conv{place}"),
                &x,
                Conv::square(channels, 3).same(),
            );
            x = b.activation(&format!("relu{place}"), &x, Activation::Relu);
        }
        x = b.max_pool(&format!("pool{stage}"), &x, Pool::new(2, 2));
    }
    x = b.flatten("view", &x);
    for idx in [6, 7] {
        x = b.linear(&format!("fc{idx}"), &x, 4096, true);
        x = b.activation(&format!("relu{idx}"), &x, Activation::Relu);
        b.identity(&format!("dropout{idx}"), &x);
    }
    b.linear("fc8", &x, 2622, true)
}
