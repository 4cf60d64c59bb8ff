//! SqueezeNet as torchvision defines it.

use super::{Activation, Architecture, Builder, Conv, Pool, Value};

const CITATION: &str = "Iandola FN, Han S, Moskewicz MW, Ashraf K, Dally WJ, Keutzer K (2016) \
     SqueezeNet: AlexNet-level accuracy with 50x fewer parameters and <0.5MB model size. \
     arXiv:1602.07360";

/// A stage of the feature part after the first ReLU.
#[derive(Clone, Copy)]
enum Stage {
    /// `MaxPool2d(3, 2, ceil_mode=True)`.
    Pool,
    /// Fire module: channels squeezed to, and expanded to by each of the two branches.
    Fire(usize, usize),
}

use Stage::Fire;

#[rustfmt::skip]
const V1_0: [Stage; 11] = [
    Stage::Pool, Fire(16, 64), Fire(16, 64), Fire(32, 128),
    Stage::Pool, Fire(32, 128), Fire(48, 192), Fire(48, 192), Fire(64, 256),
    Stage::Pool, Fire(64, 256),
];
#[rustfmt::skip]
const V1_1: [Stage; 11] = [
    Stage::Pool, Fire(16, 64), Fire(16, 64),
    Stage::Pool, Fire(32, 128), Fire(32, 128),
    Stage::Pool, Fire(48, 192), Fire(48, 192), Fire(64, 256), Fire(64, 256),
];

pub(super) fn entries() -> Vec<Architecture> {
    [
        (
            "squeezenet1_0",
            "SqueezeNet 1.0: AlexNet's accuracy with 50 times fewer parameters (1.25 million)",
            Conv::square(96, 7),
            V1_0,
        ),
        (
            "squeezenet1_1",
            "SqueezeNet 1.1: as 1.0 with 2.4 times less computation (1.24 million parameters)",
            Conv::square(64, 3),
            V1_1,
        ),
    ]
    .map(|(name, description, first, stages)| {
        let recipe = move |b: &mut Builder, x: &Value| build(b, x, first.stride(2), &stages);
        Architecture::imagenet(name, "squeezenet", description, recipe)
            .cite(CITATION, Some("10.48550/arXiv.1602.07360"))
    })
    .into()
}

fn build(b: &mut Builder, images: &Value, first: Conv, stages: &[Stage]) -> Value {
    let mut x = b.conv("features.0", images, first);
    x = b.activation("features.1", &x, Activation::Relu);
    for (idx, stage) in (2..).zip(stages) {
        let module = format!("features.{idx}");
        x = match *stage {
            Stage::Pool => b.max_pool(&module, &x, Pool::new(3, 2).ceil()),
            Fire(n_squeeze, n_expand) => fire(b, &module, &x, n_squeeze, n_expand),
        };
    }
    b.container("features", &x);
    b.identity("classifier.0", &x);
    x = b.conv("classifier.1", &x, Conv::square(1000, 1));
    x = b.activation("classifier.2", &x, Activation::Relu);
    x = b.adaptive_avg_pool("classifier.3", &x, [1, 1]);
    b.container("classifier", &x);
    b.flatten("logits", &x)
}

fn fire(b: &mut Builder, module: &str, x: &Value, n_squeeze: usize, n_expand: usize) -> Value {
    let mut convolve = |name: &str, x: &Value, conv: Conv| {
        let y = b.conv(&format!("{module}.{name}"), x, conv.same());
        b.activation(&format!("{module}.{name}_activation"), &y, Activation::Relu)
    };
    let x = convolve("squeeze", x, Conv::square(n_squeeze, 1));
    let branches = [
        convolve("expand1x1", &x, Conv::square(n_expand, 1)),
        convolve("expand3x3", &x, Conv::square(n_expand, 3)),
    ];
    let x = b.concat(module, &branches.each_ref(), 0);
    b.container(module, &x);
    x
}
