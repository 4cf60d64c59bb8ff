//! ShuffleNet V2 as torchvision defines it.

use super::{Activation, Architecture, Builder, Conv, Pool, Value};

const CITATION: &str = "Ma N, Zhang X, Zheng HT, Sun J (2018) ShuffleNet V2: practical guidelines for \
     efficient CNN architecture design. European Conference on Computer Vision, 122-138";

const EPS: f32 = 1e-5;

pub(super) fn entries() -> Vec<Architecture> {
    [
        ("shufflenet_v2_x0_5", "half", "1.4", [48, 96, 192, 1024]),
        ("shufflenet_v2_x1_0", "full", "2.3", [116, 232, 464, 1024]),
        (
            "shufflenet_v2_x1_5",
            "1.5-fold",
            "3.5",
            [176, 352, 704, 1024],
        ),
        ("shufflenet_v2_x2_0", "double", "7.4", [244, 488, 976, 2048]),
    ]
    .map(|(name, width, millions, channels)| {
        let description = format!("ShuffleNet V2 of {width} width ({millions} million parameters)");
        let recipe = move |b: &mut Builder, x: &Value| build(b, x, channels);
        Architecture::imagenet(name, "shufflenet", description, recipe)
            .cite(CITATION, Some("10.1007/978-3-030-01264-9_8"))
    })
    .into()
}

fn build(b: &mut Builder, images: &Value, channels: [usize; 4]) -> Value {
    let [stages @ .., n_last] = channels;
    let mut x = sequence(b, "conv1", images, &[(Conv::square(24, 3).stride(2), true)]);
    x = b.max_pool("maxpool", &x, Pool::new(3, 2).padding(1));
    for ((stage, out), n_blocks) in (2..).zip(stages).zip([4, 8, 4]) {
        let module = format!("stage{stage}");
        x = shrinking(b, &format!("{module}.0"), &x, out);
        for n in 1..n_blocks {
            x = keeping(b, &format!("{module}.{n}"), &x);
        }
        b.container(&module, &x);
    }
    x = sequence(b, "conv5", &x, &[(Conv::square(n_last, 1), true)]);
    x = b.mean_of_maps("mean", &x);
    b.linear("fc", &x, 1000, true)
}

/// Two branches of the whole input, each to half of the channels and of the size.
fn shrinking(b: &mut Builder, module: &str, x: &Value, out: usize) -> Value {
    let (n_in, half) = (x.shape[0], out / 2);
    let narrow = Conv::square(half, 1);
    let depthwise = |channels| Conv::square(channels, 3).stride(2).groups(channels);
    let first = [(depthwise(n_in), false), (narrow, true)];
    let first = sequence(b, &format!("{module}.branch1"), x, &first);
    let second = [(narrow, true), (depthwise(half), false), (narrow, true)];
    let second = sequence(b, &format!("{module}.branch2"), x, &second);
    shuffled(b, module, &first, &second)
}

/// One half of the channels as they are, the other through a branch.
fn keeping(b: &mut Builder, module: &str, x: &Value) -> Value {
    let (n_in, half) = (x.shape[0], x.shape[0] / 2);
    let kept = b.slice(&format!("{module}/kept"), x, 0, 0, half);
    let other = b.slice(&format!("{module}/other"), x, 0, half, n_in);
    let narrow = Conv::square(half, 1);
    let depthwise = Conv::square(half, 3).groups(half);
    let branch = [(narrow, true), (depthwise, false), (narrow, true)];
    let other = sequence(b, &format!("{module}.branch2"), &other, &branch);
    shuffled(b, module, &kept, &other)
}

fn shuffled(b: &mut Builder, module: &str, first: &Value, second: &Value) -> Value {
    let joined = b.concat(&format!("{module}.cat"), &[first, second], 0);
    b.step(&joined);
    let x = b.shuffle_channels(module, &joined, 2);
    b.container(module, &x);
    x
}

/// Convolutions with batch normalisation and, where stated, a ReLU, numbered without gaps.
fn sequence(b: &mut Builder, module: &str, x: &Value, convs: &[(Conv, bool)]) -> Value {
    let mut idx = 0;
    let mut part = || {
        idx += 1;
        format!("{module}.{}", idx - 1)
    };
    let mut x = x.clone();
    for (conv, active) in convs {
        x = b.conv(&part(), &x, conv.same().without_bias());
        x = b.batch_norm(&part(), &x, EPS);
        if *active {
            x = b.activation(&part(), &x, Activation::Relu);
        }
    }
    b.container(module, &x);
    x
}
