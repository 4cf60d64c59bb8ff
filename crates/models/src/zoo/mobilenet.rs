//! MobileNet V2 and V3 as torchvision defines them.

use super::builder::to_eights;
use super::{Activation, Architecture, Builder, Conv, Value};

const CITATION_V2: &str = "Sandler M, Howard A, Zhu M, Zhmoginov A, Chen LC (2018) MobileNetV2: \
     inverted residuals and linear bottlenecks. IEEE Conference on Computer Vision and Pattern \
     Recognition, 4510-4520";
const CITATION_V3: &str = "Howard A, Sandler M, Chen B, Wang W, Chen LC, Tan M, Chu G, Vasudevan V, \
     Zhu Y, Pang R, Adam H, Le Q (2019) Searching for MobileNetV3. IEEE International Conference on \
     Computer Vision, 1314-1324";

/// Expansion, channels, blocks and first stride of each stage of V2.
const V2: [(usize, usize, usize, usize); 7] = [
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
];

/// A block of V3.
#[derive(Clone, Copy)]
struct Block {
    kernel: usize,
    expanded: usize,
    out: usize,
    squeezes: bool,
    activation: Activation,
    stride: usize,
}

const fn block(
    kernel: usize,
    expanded: usize,
    out: usize,
    squeezes: bool,
    activation: Activation,
    stride: usize,
) -> Block {
    Block {
        kernel,
        expanded,
        out,
        squeezes,
        activation,
        stride,
    }
}

use Activation::{HardSwish, Relu};

const LARGE: [Block; 15] = [
    block(3, 16, 16, false, Relu, 1),
    block(3, 64, 24, false, Relu, 2),
    block(3, 72, 24, false, Relu, 1),
    block(5, 72, 40, true, Relu, 2),
    block(5, 120, 40, true, Relu, 1),
    block(5, 120, 40, true, Relu, 1),
    block(3, 240, 80, false, HardSwish, 2),
    block(3, 200, 80, false, HardSwish, 1),
    block(3, 184, 80, false, HardSwish, 1),
    block(3, 184, 80, false, HardSwish, 1),
    block(3, 480, 112, true, HardSwish, 1),
    block(3, 672, 112, true, HardSwish, 1),
    block(5, 672, 160, true, HardSwish, 2),
    block(5, 960, 160, true, HardSwish, 1),
    block(5, 960, 160, true, HardSwish, 1),
];
const SMALL: [Block; 11] = [
    block(3, 16, 16, true, Relu, 2),
    block(3, 72, 24, false, Relu, 2),
    block(3, 88, 24, false, Relu, 1),
    block(5, 96, 40, true, HardSwish, 2),
    block(5, 240, 40, true, HardSwish, 1),
    block(5, 240, 40, true, HardSwish, 1),
    block(5, 120, 48, true, HardSwish, 1),
    block(5, 144, 48, true, HardSwish, 1),
    block(5, 288, 96, true, HardSwish, 2),
    block(5, 576, 96, true, HardSwish, 1),
    block(5, 576, 96, true, HardSwish, 1),
];

const EPS_V2: f32 = 1e-5;
const EPS_V3: f32 = 1e-3;

pub(super) fn entries() -> Vec<Architecture> {
    let v3 = |name, description, blocks: &'static [Block], n_last| {
        let recipe = move |b: &mut Builder, x: &Value| v3(b, x, blocks, n_last);
        Architecture::imagenet(name, "mobilenet", description, recipe)
            .cite(CITATION_V3, Some("10.1109/ICCV.2019.00140"))
    };
    vec![
        Architecture::imagenet(
            "mobilenet_v2",
            "mobilenet",
            "MobileNet V2: inverted residuals (3.5 million parameters)",
            v2,
        )
        .cite(CITATION_V2, Some("10.1109/CVPR.2018.00474")),
        v3(
            "mobilenet_v3_large",
            "MobileNet V3 large: searched inverted residuals (5.5 million parameters)",
            &LARGE,
            1280,
        ),
        v3(
            "mobilenet_v3_small",
            "MobileNet V3 small: searched inverted residuals (2.5 million parameters)",
            &SMALL,
            1024,
        ),
    ]
}

fn v2(b: &mut Builder, images: &Value) -> Value {
    let relu6 = Some(Activation::Relu6);
    let first = Conv::square(32, 3).stride(2);
    let mut x = b.conv_norm("features.0", images, first, EPS_V2, relu6);
    let mut idx = 1;
    for (expansion, out, n_blocks, stride) in V2 {
        for n in 0..n_blocks {
            let stride = if n == 0 { stride } else { 1 };
            x = v2_block(b, &format!("features.{idx}"), &x, expansion, out, stride);
            idx += 1;
        }
    }
    let last = Conv::square(1280, 1);
    x = b.conv_norm(&format!("features.{idx}"), &x, last, EPS_V2, relu6);
    b.container("features", &x);
    x = b.adaptive_avg_pool("adaptive_avg_pool2d", &x, [1, 1]);
    x = b.flatten("flatten", &x);
    b.step(&x);
    b.identity("classifier.0", &x);
    x = b.linear("classifier.1", &x, 1000, true);
    b.container("classifier", &x);
    x
}

fn v2_block(
    b: &mut Builder,
    module: &str,
    x: &Value,
    expansion: usize,
    out: usize,
    stride: usize,
) -> Value {
    let n_in = x.shape[0];
    let expanded = n_in * expansion;
    let relu6 = Some(Activation::Relu6);
    let mut idx = 0;
    let mut part = || {
        idx += 1;
        format!("{module}.conv.{}", idx - 1)
    };
    let mut y = x.clone();
    if expansion != 1 {
        y = b.conv_norm(&part(), &y, Conv::square(expanded, 1), EPS_V2, relu6);
    }
    let depthwise = Conv::square(expanded, 3).stride(stride).groups(expanded);
    y = b.conv_norm(&part(), &y, depthwise, EPS_V2, relu6);
    y = b.conv(&part(), &y, Conv::square(out, 1).without_bias());
    y = b.batch_norm(&part(), &y, EPS_V2);
    b.container(&format!("{module}.conv"), &y);
    if stride == 1 && n_in == out {
        y = b.add(&format!("{module}.add"), x, &y);
        b.step(&y);
    }
    b.container(module, &y);
    y
}

fn v3(b: &mut Builder, images: &Value, blocks: &[Block], n_last: usize) -> Value {
    let first = Conv::square(16, 3).stride(2);
    let mut x = b.conv_norm("features.0", images, first, EPS_V3, Some(HardSwish));
    for (idx, block) in (1..).zip(blocks) {
        x = v3_block(b, &format!("features.{idx}"), &x, block);
    }
    let last = Conv::square(6 * x.shape[0], 1);
    let module = format!("features.{}", blocks.len() + 1);
    x = b.conv_norm(&module, &x, last, EPS_V3, Some(HardSwish));
    b.container("features", &x);
    x = b.adaptive_avg_pool("avgpool", &x, [1, 1]);
    x = b.flatten("flatten", &x);
    b.step(&x);
    x = b.linear("classifier.0", &x, n_last, true);
    x = b.activation("classifier.1", &x, HardSwish);
    b.identity("classifier.2", &x);
    x = b.linear("classifier.3", &x, 1000, true);
    b.container("classifier", &x);
    x
}

fn v3_block(b: &mut Builder, module: &str, x: &Value, block: &Block) -> Value {
    let Block { expanded, out, .. } = *block;
    let activation = Some(block.activation);
    let mut idx = 0;
    let mut part = || {
        idx += 1;
        format!("{module}.block.{}", idx - 1)
    };
    let mut y = x.clone();
    if expanded != x.shape[0] {
        y = b.conv_norm(&part(), &y, Conv::square(expanded, 1), EPS_V3, activation);
    }
    let depthwise = Conv::square(expanded, block.kernel)
        .stride(block.stride)
        .groups(expanded);
    y = b.conv_norm(&part(), &y, depthwise, EPS_V3, activation);
    if block.squeezes {
        let n_squeeze = to_eights((expanded / 4) as f64);
        y = b.squeeze_excitation(&part(), &y, n_squeeze, Relu, Activation::HardSigmoid);
    }
    y = b.conv_norm(&part(), &y, Conv::square(out, 1), EPS_V3, None);
    b.container(&format!("{module}.block"), &y);
    if block.stride == 1 && x.shape[0] == out {
        y = b.add(&format!("{module}.add"), &y, x);
        b.step(&y);
    }
    b.container(module, &y);
    y
}
