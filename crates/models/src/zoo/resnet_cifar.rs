//! The small ResNets for CIFAR-10, with the keys of github.com/akamaster/pytorch_resnet_cifar10.

use super::{Activation, Architecture, Builder, Conv, Value, classes, square};
use crate::Preprocessing;
use crate::graph::Attribute;

const CITATION: &str = "He K, Zhang X, Ren S, Sun J (2016) Deep residual learning for image \
     recognition. CVPR, 770-778";

pub(super) fn entries() -> Vec<Architecture> {
    [20, 32, 44, 56, 110]
        .map(|depth: usize| {
            // A first convolution, three stages of blocks of two, and the linear layer.
            let n_blocks = (depth - 2) / 6;
            Architecture {
                n_classes: 10,
                class_names: Some(classes::CIFAR10),
                preprocessing: Preprocessing {
                    resize: square(32),
                    crop: None,
                    ..Preprocessing::imagenet()
                },
                ..Architecture::imagenet(
                    format!("resnet{depth}_cifar10"),
                    "resnet_cifar",
                    format!("small ResNet of {depth} layers for 32 × 32 images of ten kinds"),
                    move |b: &mut Builder, x: &Value| build(b, x, n_blocks),
                )
            }
            .cite(CITATION, Some("10.1109/CVPR.2016.90"))
        })
        .into()
}

fn build(b: &mut Builder, images: &Value, n_blocks: usize) -> Value {
    let mut x = b.conv("conv1", images, Conv::square(16, 3).same().without_bias());
    x = b.batch_norm("bn1", &x, 1e-5);
    x = b.activation("relu", &x, Activation::Relu);
    for stage in 0..3 {
        let layer = format!("layer{}", stage + 1);
        for block in 0..n_blocks {
            let stride = if stage > 0 && block == 0 { 2 } else { 1 };
            x = residual(b, &format!("{layer}.{block}"), &x, 16 << stage, stride);
        }
        b.container(&layer, &x);
    }
    x = b.adaptive_avg_pool("avg_pool2d", &x, [1, 1]);
    x = b.flatten("view", &x);
    b.linear("linear", &x, 10, true)
}

fn residual(b: &mut Builder, module: &str, x: &Value, planes: usize, stride: usize) -> Value {
    let child = |name: &str| format!("{module}.{name}");
    let conv = Conv::square(planes, 3).same().without_bias();
    let mut y = b.conv(&child("conv1"), x, conv.stride(stride));
    y = b.batch_norm(&child("bn1"), &y, 1e-5);
    y = b.activation(&child("relu"), &y, Activation::Relu);
    y = b.conv(&child("conv2"), &y, conv);
    y = b.batch_norm(&child("bn2"), &y, 1e-5);
    let shortcut = if stride == 1 {
        b.identity(&child("shortcut"), x);
        x.clone()
    } else {
        subsampled(b, &child("shortcut"), x, planes)
    };
    y = b.add(&child("add"), &y, &shortcut);
    b.step(&y);
    y = b.activation(&child("relu"), &y, Activation::Relu);
    b.container(module, &y);
    y
}

/// The shortcut without weights ("option A"): every second pixel, and new channels of zeros, half
/// of them before the old ones and half behind.
fn subsampled(b: &mut Builder, module: &str, x: &Value, planes: usize) -> Value {
    let part = |name: &str| format!("{module}/{name}");
    let [channels, height, width] = [x.shape[0], x.shape[1], x.shape[2]];
    let shape = vec![channels, height.div_ceil(2), width.div_ceil(2)];
    let start = b.integers(&part("start"), &[0, 0]);
    let end = b.integers(&part("end"), &[i64::from(i32::MAX); 2]);
    let axes = b.integers(&part("axes"), &[2, 3]);
    let steps = b.integers(&part("steps"), &[2, 2]);
    let inputs = [x, &start, &end, &axes, &steps];
    let fewer = b.op(&part("pixels"), "Slice", &inputs, &[], shape.clone());
    let new = (planes - channels) as i64 / 2;
    let pads = b.integers(&part("pads"), &[0, new, 0, 0, 0, new, 0, 0]);
    let mode = [("mode", Attribute::Text(b"constant".to_vec()))];
    let shape = vec![planes, shape[1], shape[2]];
    b.module(module, "Pad", &[&fewer, &pads], &mode, shape)
}
