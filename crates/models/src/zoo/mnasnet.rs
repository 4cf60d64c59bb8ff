//! MNASNet as torchvision defines it.

use super::builder::to_eights;
use super::{Activation, Architecture, Builder, Conv, Value};

const CITATION: &str = "Tan M, Chen B, Pang R, Vasudevan V, Sandler M, Howard A, Le QV (2019) \
     MnasNet: platform-aware neural architecture search for mobile. IEEE Conference on Computer \
     Vision and Pattern Recognition, 2820-2828";

/// Channels at width 1, window, first stride, expansion and blocks of each stack.
const STACKS: [(usize, usize, usize, usize, usize); 6] = [
    (24, 3, 2, 3, 3),
    (40, 5, 2, 3, 3),
    (80, 5, 2, 6, 3),
    (96, 3, 1, 6, 2),
    (192, 5, 2, 6, 4),
    (320, 3, 1, 6, 1),
];

const EPS: f32 = 1e-5;

pub(super) fn entries() -> Vec<Architecture> {
    [
        ("mnasnet0_5", 0.5, "2.2"),
        ("mnasnet0_75", 0.75, "3.2"),
        ("mnasnet1_0", 1.0, "4.4"),
        ("mnasnet1_3", 1.3, "6.3"),
    ]
    .map(|(name, width, millions)| {
        let description = format!("MNASNet of width {width} ({millions} million parameters)");
        let recipe = move |b: &mut Builder, x: &Value| build(b, x, width);
        Architecture::imagenet(name, "mnasnet", description, recipe)
            .cite(CITATION, Some("10.1109/CVPR.2019.00293"))
    })
    .into()
}

fn build(b: &mut Builder, images: &Value, width: f64) -> Value {
    let scaled = |channels: usize| to_eights(channels as f64 * width);
    let n_first = scaled(32);
    let stem = [
        Conv::square(n_first, 3).stride(2),
        Conv::square(n_first, 3).groups(n_first),
        Conv::square(scaled(16), 1),
    ];
    let mut x = norms(b, "layers", images, 0, &stem, false);
    for (idx, (channels, kernel, stride, expansion, n_blocks)) in (8..).zip(STACKS) {
        let module = format!("layers.{idx}");
        for n in 0..n_blocks {
            let stride = if n == 0 { stride } else { 1 };
            let expanded = x.shape[0] * expansion;
            let depthwise = Conv::square(expanded, kernel).groups(expanded);
            let convs = [
                Conv::square(expanded, 1),
                depthwise.stride(stride),
                Conv::square(scaled(channels), 1),
            ];
            x = residual(b, &format!("{module}.{n}"), &x, &convs, stride);
        }
        b.container(&module, &x);
    }
    x = norms(b, "layers", &x, 14, &[Conv::square(1280, 1)], true);
    b.container("layers", &x);
    x = b.mean_of_maps("mean", &x);
    b.identity("classifier.0", &x);
    x = b.linear("classifier.1", &x, 1000, true);
    b.container("classifier", &x);
    x
}

/// Convolutions with batch normalisation, ReLUs between them and, with `ends_active`, at the end;
/// modules are numbered from `first`.
fn norms(
    b: &mut Builder,
    module: &str,
    x: &Value,
    first: usize,
    convs: &[Conv],
    ends_active: bool,
) -> Value {
    let mut x = x.clone();
    for (n, conv) in convs.iter().enumerate() {
        let part = |offset: usize| format!("{module}.{}", first + 3 * n + offset);
        x = b.conv(&part(0), &x, conv.same().without_bias());
        x = b.batch_norm(&part(1), &x, EPS);
        if ends_active || n + 1 < convs.len() {
            x = b.activation(&part(2), &x, Activation::Relu);
        }
    }
    x
}

fn residual(b: &mut Builder, module: &str, x: &Value, convs: &[Conv], stride: usize) -> Value {
    let layers = format!("{module}.layers");
    let mut y = norms(b, &layers, x, 0, convs, false);
    b.container(&layers, &y);
    if stride == 1 && y.shape[0] == x.shape[0] {
        y = b.add(&format!("{module}.add"), &y, x);
        b.step(&y);
    }
    b.container(module, &y);
    y
}
