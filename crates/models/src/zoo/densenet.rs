//! DenseNet as torchvision defines it.

use super::{Activation, Architecture, Builder, Conv, Pool, Value, places365};

const CITATION: &str = "Huang G, Liu Z, van der Maaten L, Weinberger KQ (2017) Densely connected \
     convolutional networks. CVPR, 2261-2269";

/// What a DenseNet is made of.
#[derive(Clone, Copy)]
struct Shape {
    n_first: usize,
    /// Channels that each layer adds.
    growth: usize,
    /// Layers of each block.
    blocks: [usize; 4],
}

pub(super) fn entries() -> Vec<Architecture> {
    let mut all = Vec::new();
    for (depth, n_first, growth, blocks, millions) in [
        (121, 64, 32, [6, 12, 24, 16], "8.0"),
        (161, 96, 48, [6, 12, 36, 24], "28.7"),
        (169, 64, 32, [6, 12, 32, 32], "14.1"),
        (201, 64, 32, [6, 12, 48, 32], "20.0"),
    ] {
        let shape = Shape {
            n_first,
            growth,
            blocks,
        };
        let recipe = |n_classes| move |b: &mut Builder, x: &Value| build(b, x, shape, n_classes);
        let architecture = Architecture {
            renamed: present_key,
            ..Architecture::imagenet(
                format!("densenet{depth}"),
                "densenet",
                format!("DenseNet of {depth} layers ({millions} million parameters)"),
                recipe(1000),
            )
        }
        .cite(CITATION, Some("10.1109/CVPR.2017.243"));
        if depth == 161 {
            let recipe = recipe(places365::N_CLASSES);
            all.push(places365::variant(architecture.clone(), recipe));
        }
        all.push(architecture);
    }
    all
}

/// `….denselayer3.norm.1.weight` of the published files is `….denselayer3.norm1.weight` today.
fn present_key(key: &str) -> Option<String> {
    let parts: Vec<&str> = key.split('.').collect();
    match parts[..] {
        [.., layer, "norm" | "conv", "1" | "2", _] if layer.starts_with("denselayer") => {
            let (kept, kind) = key.rsplit_once('.')?;
            let (kept, number) = kept.rsplit_once('.')?;
            Some(format!("{kept}{number}.{kind}"))
        }
        _ => None,
    }
}

fn build(b: &mut Builder, images: &Value, shape: Shape, n_classes: usize) -> Value {
    let first = Conv::square(shape.n_first, 7).stride(2).padding(3);
    let mut x = b.conv("features.conv0", images, first.without_bias());
    x = b.batch_norm("features.norm0", &x, 1e-5);
    x = b.activation("features.relu0", &x, Activation::Relu);
    x = b.max_pool("features.pool0", &x, Pool::new(3, 2).padding(1));
    for (block, n_layers) in (1..).zip(shape.blocks) {
        let module = format!("features.denseblock{block}");
        let mut parts = vec![x];
        for layer in 1..=n_layers {
            let module = format!("{module}.denselayer{layer}");
            parts.push(dense_layer(b, &module, &parts, shape.growth));
        }
        x = joined(b, &format!("{module}.cat"), &parts);
        b.container(&module, &x);
        if block < 4 {
            x = transition(b, &format!("features.transition{block}"), &x);
        }
    }
    x = b.batch_norm("features.norm5", &x, 1e-5);
    b.container("features", &x);
    x = b.activation("relu", &x, Activation::Relu);
    x = b.adaptive_avg_pool("adaptive_avg_pool2d", &x, [1, 1]);
    x = b.flatten("flatten", &x);
    b.step(&x);
    b.linear("classifier", &x, n_classes, true)
}

fn dense_layer(b: &mut Builder, module: &str, parts: &[Value], growth: usize) -> Value {
    let child = |name: &str| format!("{module}.{name}");
    let mut x = joined(b, &child("cat"), parts);
    x = b.batch_norm(&child("norm1"), &x, 1e-5);
    x = b.activation(&child("relu1"), &x, Activation::Relu);
    let narrow = Conv::square(4 * growth, 1).without_bias();
    x = b.conv(&child("conv1"), &x, narrow);
    x = b.batch_norm(&child("norm2"), &x, 1e-5);
    x = b.activation(&child("relu2"), &x, Activation::Relu);
    let new = Conv::square(growth, 3).same().without_bias();
    x = b.conv(&child("conv2"), &x, new);
    b.container(module, &x);
    x
}

fn transition(b: &mut Builder, module: &str, x: &Value) -> Value {
    let child = |name: &str| format!("{module}.{name}");
    let half = Conv::square(x.shape[0] / 2, 1).without_bias();
    let mut x = b.batch_norm(&child("norm"), x, 1e-5);
    x = b.activation(&child("relu"), &x, Activation::Relu);
    x = b.conv(&child("conv"), &x, half);
    x = b.avg_pool(&child("pool"), &x, Pool::new(2, 2));
    b.container(module, &x);
    x
}

fn joined(b: &mut Builder, tensor: &str, parts: &[Value]) -> Value {
    let parts: Vec<&Value> = parts.iter().collect();
    let x = b.concat(tensor, &parts, 0);
    b.step(&x);
    x
}

#[cfg(test)]
mod tests {
    use super::present_key;

    #[test]
    fn keys_of_the_published_files_are_brought_up_to_date() {
        let old = "features.denseblock1.denselayer10.norm.2.running_var";
        let new = "features.denseblock1.denselayer10.norm2.running_var";
        assert_eq!(present_key(old).as_deref(), Some(new));
        for key in [new, "features.transition1.norm.weight", "classifier.bias"] {
            assert_eq!(present_key(key), None);
        }
    }
}
