//! AlexNet as torchvision defines it, and EmoNet.

use super::{Activation, Architecture, Builder, Conv, Pool, Value, classes, places365, square};
use crate::Preprocessing;
use crate::graph::{Attribute, Tensor};
use crate::preprocess::Range;

const CITATION: &str = "Krizhevsky A (2014) One weird trick for parallelizing convolutional neural \
     networks. arXiv:1404.5997";
const EMONET: &str = "Kragel PA, Reddan MC, LaBar KS, Wager TD (2019) Emotion schemas are embedded \
     in the human visual system. Science Advances 5(7), eaaw4358";

pub(super) fn entries() -> Vec<Architecture> {
    let recipe = |n_classes| move |b: &mut Builder, x: &Value| build(b, x, n_classes);
    let description = "AlexNet: five convolutions and three linear layers (61 million parameters)";
    let alexnet = || {
        Architecture::imagenet("alexnet", "alexnet", description, recipe(1000))
            .cite(CITATION, Some("10.48550/arXiv.1404.5997"))
    };
    let places = Architecture {
        // The published file was trained with only `features` in parallel.
        renamed: |key| {
            let rest = key.strip_prefix("features.module.")?;
            Some(format!("features.{rest}"))
        },
        ..places365::variant(alexnet(), recipe(places365::N_CLASSES))
    };
    vec![alexnet(), places, emonet()]
}

fn build(b: &mut Builder, images: &Value, n_classes: usize) -> Value {
    let mut x = images.clone();
    let pool = Pool::new(3, 2);
    let layers = [
        (0, Conv::square(64, 11).stride(4).padding(2), Some(2)),
        (3, Conv::square(192, 5).same(), Some(5)),
        (6, Conv::square(384, 3).same(), None),
        (8, Conv::square(256, 3).same(), None),
        (10, Conv::square(256, 3).same(), Some(12)),
    ];
    for (idx, conv, pooled) in layers {
        x = b.conv(&format!("features.{idx}"), &x, conv);
        x = b.activation(&format!("features.{}", idx + 1), &x, Activation::Relu);
        if let Some(idx) = pooled {
            x = b.max_pool(&format!("features.{idx}"), &x, pool);
        }
    }
    b.container("features", &x);
    x = b.adaptive_avg_pool("avgpool", &x, [6, 6]);
    x = b.flatten("flatten", &x);
    b.step(&x);
    for (idx, n_out) in [(0, 4096), (3, 4096)] {
        b.identity(&format!("classifier.{idx}"), &x);
        x = b.linear(&format!("classifier.{}", idx + 1), &x, n_out, true);
        x = b.activation(&format!("classifier.{}", idx + 2), &x, Activation::Relu);
    }
    x = b.linear("classifier.6", &x, n_classes, true);
    b.container("classifier", &x);
    x
}

/// EmoNet with the keys of the public port to PyTorch (github.com/ecco-laboratory/emonet-pytorch):
/// `conv_0.0.weight` … `conv_6.0.bias`, `classifier.0.weight`, `classifier.0.bias`. It is the
/// AlexNet of 2012 with grouped convolutions and normalisation across channels, takes bytes as they
/// are, and ends with a softmax over 20 categories.
fn emonet() -> Architecture {
    let description = "EmoNet: AlexNet retrained for 20 emotion categories of films and pictures";
    Architecture {
        n_classes: classes::EMOTIONS.len(),
        class_names: Some(classes::EMOTIONS),
        preprocessing: Preprocessing {
            resize: square(227),
            crop: None,
            range: Range::Bytes,
            mean: [0.0; 3],
            std: [1.0; 3],
            ..Preprocessing::imagenet()
        },
        ..Architecture::imagenet("emonet", "alexnet", description, build_emonet)
    }
    .cite(EMONET, Some("10.1126/sciadv.aaw4358"))
}

fn build_emonet(b: &mut Builder, images: &Value) -> Value {
    let mut x = images.clone();
    // Convolution, and whether its outcome is normalised across channels and pooled.
    let layers = [
        (Conv::square(96, 11).stride(4), true, true),
        (Conv::square(256, 5).same().groups(2), true, true),
        (Conv::square(384, 3).same(), false, false),
        (Conv::square(384, 3).same().groups(2), false, false),
        (Conv::square(256, 3).same().groups(2), false, true),
        (Conv::square(4096, 6), false, false),
        (Conv::square(4096, 1), false, false),
    ];
    for (layer, (conv, normalised, pooled)) in layers.into_iter().enumerate() {
        let module = format!("conv_{layer}");
        let mut idx = 0..;
        let mut child = || format!("{module}.{}", idx.next().unwrap_or_default());
        x = b.conv(&child(), &x, conv);
        x = b.activation(&child(), &x, Activation::Relu);
        if normalised {
            x = local_response_norm(b, &child(), &x);
        }
        if pooled {
            x = b.max_pool(&child(), &x, Pool::new(3, 2));
        }
        b.container(&module, &x);
    }
    x = b.conv("classifier.0", &x, Conv::square(classes::EMOTIONS.len(), 1));
    x = b.flatten("classifier.1", &x);
    b.step(&x);
    let shape = x.shape.clone();
    x = b.module("classifier.2", "Softmax", &[&x], &[], shape);
    b.container("classifier", &x);
    x
}

/// `LocalResponseNorm(5, alpha=1e-4, beta=0.75, k=1)`:
/// x ÷ (1 + 1e-4 · mean of x² over two channels to each side, zeros outside)^0.75.
fn local_response_norm(b: &mut Builder, module: &str, x: &Value) -> Value {
    const REACH: usize = 2;
    let n = x.shape[0];
    let part = |name: &str| format!("{module}/{name}");
    let squares = b.mul(&part("squares"), x, x);
    // The mean over neighbouring channels is a convolution of one pixel with a band of weights.
    let mut band = vec![0.0; n * n];
    for (channel, row) in band.chunks_mut(n).enumerate() {
        row[channel.saturating_sub(REACH)..(channel + REACH + 1).min(n)]
            .fill(1e-4 / (2 * REACH + 1) as f32);
    }
    let band = Tensor::from_f32(vec![n, n, 1, 1], &band).expect("n rows of n weights");
    let band = b.constant(&part("band"), band);
    let shape = x.shape.clone();
    // rten wants them stated.
    let attributes = [
        ("dilations", Attribute::Ints(vec![1; 2])),
        ("pads", Attribute::Ints(vec![0; 4])),
        ("strides", Attribute::Ints(vec![1; 2])),
    ];
    let mean = b.op(
        &part("mean"),
        "Conv",
        &[&squares, &band],
        &attributes,
        shape.clone(),
    );
    let (one, exponent) = (b.scalar(1.0), b.scalar(0.75));
    let sum = b.add(&part("sum"), &mean, &one);
    let power = b.op(
        &part("power"),
        "Pow",
        &[&sum, &exponent],
        &[],
        shape.clone(),
    );
    b.module(module, "Div", &[x, &power], &[], shape)
}
