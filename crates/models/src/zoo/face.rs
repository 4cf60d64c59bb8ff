//! Networks that tell faces apart: ArcFace's IResNet and FaceNet's Inception-ResNet.
//!
//! Both take aligned crops of faces, not photographs.

use super::{Activation, Architecture, Builder, Conv, Pool, Value, square};
use crate::Preprocessing;
use crate::graph::Attribute;

const ARCFACE: &str = "Deng J, Guo J, Xue N, Zafeiriou S (2019) ArcFace: additive angular margin \
     loss for deep face recognition. CVPR, 4685-4694";
const FACENET: &str = "Schroff F, Kalenichenko D, Philbin J (2015) FaceNet: a unified embedding for \
     face recognition and clustering. CVPR, 815-823";

/// Numbers of a face's description.
const N_FEATURES: usize = 512;

pub(super) fn entries() -> Vec<Architecture> {
    let mut all = Vec::new();
    for (depth, blocks) in [(50, [3, 4, 14, 3]), (100, [3, 13, 30, 3])] {
        let architecture = Architecture {
            n_classes: N_FEATURES,
            class_names: None,
            preprocessing: crop_of_a_face(112, [0.5; 3]),
            ..Architecture::imagenet(
                format!("iresnet{depth}_arcface"),
                "face",
                format!("ArcFace: IResNet of {depth} layers, 512 features of a face"),
                move |b: &mut Builder, x: &Value| iresnet(b, x, blocks),
            )
        };
        all.push(architecture.cite(ARCFACE, Some("10.1109/CVPR.2019.00482")));
    }
    for (data, title, n_people) in [
        ("vggface2", "VGGFace2", 8631),
        ("casia_webface", "CASIA-WebFace", 10575),
    ] {
        let architecture = Architecture {
            n_classes: N_FEATURES,
            class_names: None,
            // (byte − 127.5) ÷ 128
            preprocessing: crop_of_a_face(160, [128.0 / 255.0; 3]),
            ..Architecture::imagenet(
                format!("inception_resnet_v1_{data}"),
                "face",
                format!("FaceNet: Inception-ResNet v1 for {title}, 512 features of a face"),
                move |b: &mut Builder, x: &Value| inception_resnet(b, x, n_people),
            )
        };
        all.push(architecture.cite(FACENET, Some("10.1109/CVPR.2015.7298682")));
    }
    all
}

fn crop_of_a_face(side: usize, std: [f32; 3]) -> Preprocessing {
    Preprocessing {
        resize: square(side),
        crop: None,
        mean: [0.5; 3],
        std,
        ..Preprocessing::imagenet()
    }
}

/// IResNet with the keys of InsightFace's `arcface_torch`.
fn iresnet(b: &mut Builder, images: &Value, blocks: [usize; 4]) -> Value {
    let mut x = b.conv("conv1", images, around(64));
    x = b.batch_norm("bn1", &x, 1e-5);
    x = b.prelu("prelu", &x);
    for (stage, n_blocks) in blocks.into_iter().enumerate() {
        let layer = format!("layer{}", stage + 1);
        for block in 0..n_blocks {
            let stride = if block == 0 { 2 } else { 1 };
            x = iresnet_block(b, &format!("{layer}.{block}"), &x, 64 << stage, stride);
        }
        b.container(&layer, &x);
    }
    x = b.batch_norm("bn2", &x, 1e-5);
    x = b.flatten("flatten", &x);
    b.step(&x);
    b.identity("dropout", &x);
    x = b.linear("fc", &x, N_FEATURES, true);
    b.batch_norm("features", &x, 1e-5)
}

fn around(channels: usize) -> Conv {
    Conv::square(channels, 3).same().without_bias()
}

fn iresnet_block(b: &mut Builder, module: &str, x: &Value, planes: usize, stride: usize) -> Value {
    let child = |name: &str| format!("{module}.{name}");
    let mut y = b.batch_norm(&child("bn1"), x, 1e-5);
    y = b.conv(&child("conv1"), &y, around(planes));
    y = b.batch_norm(&child("bn2"), &y, 1e-5);
    y = b.prelu(&child("prelu"), &y);
    y = b.conv(&child("conv2"), &y, around(planes).stride(stride));
    y = b.batch_norm(&child("bn3"), &y, 1e-5);
    let mut shortcut = x.clone();
    if stride != 1 {
        let point = Conv::square(planes, 1).stride(stride).without_bias();
        shortcut = b.conv(&child("downsample.0"), x, point);
        shortcut = b.batch_norm(&child("downsample.1"), &shortcut, 1e-5);
        b.container(&child("downsample"), &shortcut);
    }
    y = b.add(&child("add"), &y, &shortcut);
    b.step(&y);
    b.container(module, &y);
    y
}

/// Inception-ResNet v1 with the keys of `facenet-pytorch`; the classification of the people it was
/// trained with may have weights. The features have length 1.
fn inception_resnet(b: &mut Builder, images: &Value, n_people: usize) -> Value {
    let mut x = basic(b, "conv2d_1a", images, halving(32));
    x = basic(b, "conv2d_2a", &x, Conv::square(32, 3));
    x = basic(b, "conv2d_2b", &x, Conv::square(64, 3).same());
    x = b.max_pool("maxpool_3a", &x, Pool::new(3, 2));
    x = basic(b, "conv2d_3b", &x, Conv::square(80, 1));
    x = basic(b, "conv2d_4a", &x, Conv::square(192, 3));
    x = basic(b, "conv2d_4b", &x, halving(256));

    let point = |channels| Conv::square(channels, 1);
    let three = |channels| Conv::square(channels, 3).same();
    let line = |size| Conv::sized(128, size).same();
    let short_line = |size| Conv::sized(192, size).same();
    let block35: &[&[Conv]] = &[
        &[point(32)],
        &[point(32), three(32)],
        &[point(32), three(32), three(32)],
    ];
    let block17: &[&[Conv]] = &[&[point(128)], &[point(128), line([1, 7]), line([7, 1])]];
    let block8: &[&[Conv]] = &[
        &[point(192)],
        &[point(192), short_line([1, 3]), short_line([3, 1])],
    ];
    x = repeated(b, "repeat_1", &x, 5, block35, 0.17);
    let mixed: &[&[Conv]] = &[&[halving(384)], &[point(192), three(192), halving(256)]];
    x = reduction(b, "mixed_6a", &x, mixed);
    x = repeated(b, "repeat_2", &x, 10, block17, 0.10);
    let mixed: &[&[Conv]] = &[
        &[point(256), halving(384)],
        &[point(256), halving(256)],
        &[point(256), three(256), halving(256)],
    ];
    x = reduction(b, "mixed_7a", &x, mixed);
    x = repeated(b, "repeat_3", &x, 5, block8, 0.20);
    x = scaled_residual(b, "block8", &x, block8, 1.0);
    b.container("block8", &x);

    x = b.adaptive_avg_pool("avgpool_1a", &x, [1, 1]);
    b.identity("dropout", &x);
    x = b.flatten("view", &x);
    x = b.linear("last_linear", &x, N_FEATURES, false);
    x = b.batch_norm("last_bn", &x, 1e-3);
    b.training_only(|b| {
        b.linear("logits", &x, n_people, true);
    });
    normalised(b, &x)
}

fn halving(channels: usize) -> Conv {
    Conv::square(channels, 3).stride(2)
}

/// Convolution without bias, batch normalisation and ReLU.
fn basic(b: &mut Builder, module: &str, x: &Value, conv: Conv) -> Value {
    let child = |name: &str| format!("{module}.{name}");
    let mut x = b.conv(&child("conv"), x, conv.without_bias());
    x = b.batch_norm(&child("bn"), &x, 1e-3);
    x = b.activation(&child("relu"), &x, Activation::Relu);
    b.container(module, &x);
    x
}

/// The branches of a module; one of a single convolution is that convolution.
fn branches(b: &mut Builder, module: &str, x: &Value, all: &[&[Conv]]) -> Vec<Value> {
    let mut outputs = Vec::new();
    for (idx, convs) in all.iter().enumerate() {
        let branch = format!("{module}.branch{idx}");
        let mut y = x.clone();
        if let [conv] = convs {
            y = basic(b, &branch, &y, *conv);
        } else {
            for (idx, conv) in convs.iter().enumerate() {
                y = basic(b, &format!("{branch}.{idx}"), &y, *conv);
            }
            b.container(&branch, &y);
        }
        outputs.push(y);
    }
    outputs
}

fn joined(b: &mut Builder, module: &str, parts: &[Value]) -> Value {
    let parts: Vec<&Value> = parts.iter().collect();
    let y = b.concat(&format!("{module}.cat"), &parts, 0);
    b.step(&y);
    y
}

/// Branches that halve the map, and the pooled map.
fn reduction(b: &mut Builder, module: &str, x: &Value, all: &[&[Conv]]) -> Value {
    let mut parts = branches(b, module, x, all);
    let pool = format!("{module}.branch{}", all.len());
    parts.push(b.max_pool(&pool, x, Pool::new(3, 2)));
    let y = joined(b, module, &parts);
    b.container(module, &y);
    y
}

/// Residual modules one after the other, each with a ReLU at its end.
fn repeated(
    b: &mut Builder,
    container: &str,
    x: &Value,
    n: usize,
    all: &[&[Conv]],
    scale: f32,
) -> Value {
    let mut x = x.clone();
    for idx in 0..n {
        let module = format!("{container}.{idx}");
        x = scaled_residual(b, &module, &x, all, scale);
        x = b.activation(&format!("{module}.relu"), &x, Activation::Relu);
        b.container(&module, &x);
    }
    b.container(container, &x);
    x
}

/// x + scale · what the branches make of it.
fn scaled_residual(b: &mut Builder, module: &str, x: &Value, all: &[&[Conv]], scale: f32) -> Value {
    let parts = branches(b, module, x, all);
    let mut y = joined(b, module, &parts);
    y = b.conv(&format!("{module}.conv2d"), &y, Conv::square(x.shape[0], 1));
    let scale = b.scalar(scale);
    y = b.mul(&format!("{module}.mul"), &y, &scale);
    y = b.add(&format!("{module}.add"), &y, x);
    b.step(&y);
    y
}

/// x ÷ max(‖x‖, 1e-12), as torch's `normalize`.
fn normalised(b: &mut Builder, x: &Value) -> Value {
    let axes = [
        ("axes", Attribute::Ints(vec![1])),
        ("keepdims", Attribute::Int(1)),
    ];
    let length = b.op("normalize/length", "ReduceL2", &[x], &axes, vec![1]);
    let least = b.scalar(1e-12);
    let length = b.op(
        "normalize/positive",
        "Max",
        &[&length, &least],
        &[],
        vec![1],
    );
    let y = b.op("normalize", "Div", &[x, &length], &[], x.shape.clone());
    b.step(&y);
    y
}
