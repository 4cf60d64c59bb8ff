//! ResNet, ResNeXt and Wide ResNet as torchvision defines them.

use super::{Activation, Architecture, Builder, Conv, Pool, Value, places365};

const RESNET: &str = "He K, Zhang X, Ren S, Sun J (2016) Deep residual learning for image \
     recognition. CVPR, 770-778";
const RESNEXT: &str = "Xie S, Girshick R, Dollár P, Tu Z, He K (2017) Aggregated residual \
     transformations for deep neural networks. CVPR, 5987-5995";
const WIDE: &str = "Zagoruyko S, Komodakis N (2016) Wide residual networks. BMVC, 87.1-87.12";

/// What a ResNet is made of.
#[derive(Clone, Copy)]
struct Shape {
    /// Blocks of each stage.
    blocks: [usize; 4],
    inner: Inner,
}

/// The inside of a residual block.
#[derive(Clone, Copy)]
enum Inner {
    /// Two convolutions of 3 × 3.
    Basic,
    /// 1 × 1, 3 × 3 in groups, and 1 × 1 to four times the channels; the width of a group is given
    /// for 64 channels.
    Bottleneck { groups: usize, width: usize },
}

const PLAIN: Inner = Inner::Bottleneck {
    groups: 1,
    width: 64,
};

const TABLE: [(&str, Shape); 10] = [
    ("resnet18", shape([2, 2, 2, 2], Inner::Basic)),
    ("resnet34", shape([3, 4, 6, 3], Inner::Basic)),
    ("resnet50", shape([3, 4, 6, 3], PLAIN)),
    ("resnet101", shape([3, 4, 23, 3], PLAIN)),
    ("resnet152", shape([3, 8, 36, 3], PLAIN)),
    ("resnext50_32x4d", shape([3, 4, 6, 3], grouped(32, 4))),
    ("resnext101_32x8d", shape([3, 4, 23, 3], grouped(32, 8))),
    ("resnext101_64x4d", shape([3, 4, 23, 3], grouped(64, 4))),
    ("wide_resnet50_2", shape([3, 4, 6, 3], grouped(1, 128))),
    ("wide_resnet101_2", shape([3, 4, 23, 3], grouped(1, 128))),
];

const fn shape(blocks: [usize; 4], inner: Inner) -> Shape {
    Shape { blocks, inner }
}

const fn grouped(groups: usize, width: usize) -> Inner {
    Inner::Bottleneck { groups, width }
}

pub(super) fn entries() -> Vec<Architecture> {
    let mut all = Vec::new();
    for (name, shape) in TABLE {
        let recipe = |n_classes| move |b: &mut Builder, x: &Value| build(b, x, shape, n_classes);
        let architecture = Architecture::imagenet(name, "resnet", description(name), recipe(1000));
        let architecture = if name.starts_with("resnext") {
            architecture.cite(RESNEXT, Some("10.1109/CVPR.2017.634"))
        } else if name.starts_with("wide") {
            architecture.cite(WIDE, Some("10.5244/C.30.87"))
        } else {
            architecture.cite(RESNET, Some("10.1109/CVPR.2016.90"))
        };
        if ["resnet18", "resnet50"].contains(&name) {
            let recipe = recipe(places365::N_CLASSES);
            all.push(places365::variant(architecture.clone(), recipe));
        }
        all.push(architecture);
    }
    all
}

fn description(name: &str) -> &'static str {
    match name {
        "resnet18" => "ResNet of 18 layers (11.7 million parameters)",
        "resnet34" => "ResNet of 34 layers (21.8 million parameters)",
        "resnet50" => "ResNet of 50 layers (25.6 million parameters)",
        "resnet101" => "ResNet of 101 layers (44.5 million parameters)",
        "resnet152" => "ResNet of 152 layers (60.2 million parameters)",
        "resnext50_32x4d" => "ResNeXt of 50 layers, 32 groups (25.0 million parameters)",
        "resnext101_32x8d" => "ResNeXt of 101 layers, 32 wide groups (88.8 million parameters)",
        "resnext101_64x4d" => "ResNeXt of 101 layers, 64 groups (83.5 million parameters)",
        "wide_resnet50_2" => "ResNet of 50 layers, twice as wide inside (68.9 million parameters)",
        _ => "ResNet of 101 layers, twice as wide inside (126.9 million parameters)",
    }
}

fn build(b: &mut Builder, images: &Value, shape: Shape, n_classes: usize) -> Value {
    let first = Conv::square(64, 7).stride(2).padding(3).without_bias();
    let mut x = b.conv("conv1", images, first);
    x = b.batch_norm("bn1", &x, 1e-5);
    x = b.activation("relu", &x, Activation::Relu);
    x = b.max_pool("maxpool", &x, Pool::new(3, 2).padding(1));
    for (stage, n_blocks) in shape.blocks.into_iter().enumerate() {
        let layer = format!("layer{}", stage + 1);
        for block in 0..n_blocks {
            let stride = if stage > 0 && block == 0 { 2 } else { 1 };
            let module = format!("{layer}.{block}");
            x = residual(b, &module, &x, shape.inner, 64 << stage, stride);
        }
        b.container(&layer, &x);
    }
    x = b.adaptive_avg_pool("avgpool", &x, [1, 1]);
    x = b.flatten("flatten", &x);
    b.step(&x);
    b.linear("fc", &x, n_classes, true)
}

fn residual(
    b: &mut Builder,
    module: &str,
    x: &Value,
    inner: Inner,
    planes: usize,
    stride: usize,
) -> Value {
    let convs = match inner {
        Inner::Basic => vec![
            Conv::square(planes, 3).same().stride(stride),
            Conv::square(planes, 3).same(),
        ],
        Inner::Bottleneck { groups, width } => {
            let width = planes * width / 64 * groups;
            vec![
                Conv::square(width, 1),
                Conv::square(width, 3).same().stride(stride).groups(groups),
                Conv::square(4 * planes, 1),
            ]
        }
    };
    let n_out = convs[convs.len() - 1].out;
    let mut y = x.clone();
    for (idx, conv) in (1..).zip(convs) {
        if idx > 1 {
            y = b.activation(&format!("{module}.relu"), &y, Activation::Relu);
        }
        y = b.conv(&format!("{module}.conv{idx}"), &y, conv.without_bias());
        y = b.batch_norm(&format!("{module}.bn{idx}"), &y, 1e-5);
    }
    let mut shortcut = x.clone();
    if stride != 1 || x.shape[0] != n_out {
        let conv = Conv::square(n_out, 1).stride(stride).without_bias();
        shortcut = b.conv(&format!("{module}.downsample.0"), x, conv);
        shortcut = b.batch_norm(&format!("{module}.downsample.1"), &shortcut, 1e-5);
        b.container(&format!("{module}.downsample"), &shortcut);
    }
    y = b.add(&format!("{module}.add"), &y, &shortcut);
    b.step(&y);
    y = b.activation(&format!("{module}.relu"), &y, Activation::Relu);
    b.container(module, &y);
    y
}
