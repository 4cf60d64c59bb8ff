//! VGG as torchvision defines it, and VGG-Face.

use std::ops::RangeFrom;

use super::{Activation, Architecture, Builder, Conv, Pool, Value, square};
use crate::Preprocessing;
use crate::preprocess::Range;

const CITATION: &str = "Simonyan K, Zisserman A (2015) Very deep convolutional networks for \
     large-scale image recognition. ICLR. arXiv:1409.1556";
const FACE: &str =
    "Parkhi OM, Vedaldi A, Zisserman A (2015) Deep face recognition. BMVC, 41.1-41.12";

/// Channels of the five stages.
pub(super) const CHANNELS: [usize; 5] = [64, 128, 256, 512, 512];

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
    let stages: Vec<(usize, usize)> = stages.into_iter().zip(CHANNELS).collect();
    let mut x = convolutions(b, "features", &mut (0..), images, &stages, norm);
    b.container("features", &x);
    x = b.adaptive_avg_pool("avgpool", &x, [7, 7]);
    x = b.flatten("flatten", &x);
    b.step(&x);
    for idx in [0, 3] {
        x = hidden(b, "classifier", idx, &x, 4096);
    }
    x = b.linear("classifier.6", &x, 1000, true);
    b.container("classifier", &x);
    x
}

/// Stages of so many convolutions with so many channels, each with a pool at its end; `idx` numbers the modules of the sequence.
pub(super) fn convolutions(
    b: &mut Builder,
    sequence: &str,
    idx: &mut RangeFrom<usize>,
    x: &Value,
    stages: &[(usize, usize)],
    norm: bool,
) -> Value {
    let mut x = x.clone();
    let mut module = || format!("{sequence}.{}", idx.next().unwrap_or_default());
    for &(n_convs, channels) in stages {
        for _ in 0..n_convs {
            x = b.conv(&module(), &x, Conv::square(channels, 3).same());
            if norm {
                x = b.batch_norm(&module(), &x, 1e-5);
            }
            x = b.activation(&module(), &x, Activation::Relu);
        }
        x = b.max_pool(&module(), &x, Pool::new(2, 2));
    }
    x
}

/// A linear layer with a rectifier and dropout: modules `idx` to `idx` + 2 of the sequence.
pub(super) fn hidden(
    b: &mut Builder,
    sequence: &str,
    idx: usize,
    x: &Value,
    width: usize,
) -> Value {
    let module = |offset: usize| format!("{sequence}.{}", idx + offset);
    let x = b.linear(&module(0), x, width, true);
    let x = b.activation(&module(1), &x, Activation::Relu);
    b.identity(&module(2), &x);
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
