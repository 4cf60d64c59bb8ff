//! GoogLeNet and Inception v3 as torchvision defines them.
//!
//! As when torchvision loads its weights, the input's normalisation is first changed into that of
//! the original networks, and the auxiliary heads, which only training runs, may have weights.

use super::{Activation, Architecture, Builder, Conv, Pool, Value};
use crate::Preprocessing;
use crate::graph::Tensor;

const GOOGLENET: &str = "Szegedy C, Liu W, Jia Y, Sermanet P, Reed S, Anguelov D, Erhan D, \
     Vanhoucke V, Rabinovich A (2015) Going deeper with convolutions. CVPR, 1-9";
const INCEPTION: &str = "Szegedy C, Vanhoucke V, Ioffe S, Shlens J, Wojna Z (2016) Rethinking the \
     Inception architecture for computer vision. CVPR, 2818-2826";

const N_CLASSES: usize = 1000;

pub(super) fn entries() -> Vec<Architecture> {
    vec![
        Architecture::imagenet(
            "googlenet",
            "inception",
            "GoogLeNet (Inception v1): parallel convolutions (6.6 million parameters)",
            googlenet,
        )
        .cite(GOOGLENET, Some("10.1109/CVPR.2015.7298594")),
        Architecture::imagenet(
            "inception_v3",
            "inception",
            "Inception v3: parallel and factorised convolutions (23.8 million parameters)",
            inception_v3,
        )
        .cite(INCEPTION, Some("10.1109/CVPR.2016.308")),
    ]
}

/// From ImageNet's means and deviations to ½ for all.
fn transform_input(b: &mut Builder, images: &Value) -> Value {
    let imagenet = Preprocessing::imagenet();
    let [scale, shift] = [
        imagenet.std.map(|std| std / 0.5),
        imagenet.mean.map(|mean| (mean - 0.5) / 0.5),
    ]
    .map(|numbers| Tensor::from_f32(vec![3, 1, 1], &numbers).expect("three numbers"));
    let scale = b.constant("transform_input/scale", scale);
    let shift = b.constant("transform_input/shift", shift);
    let scaled = b.mul("transform_input/scaled", images, &scale);
    b.add("transform_input", &scaled, &shift)
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

fn joined(b: &mut Builder, tensor: &str, parts: &[&Value]) -> Value {
    let x = b.concat(tensor, parts, 0);
    b.step(&x);
    x
}

/// Channels of GoogLeNet's four branches; the second and third are narrowed first.
#[derive(Clone, Copy)]
struct Branches(usize, [usize; 2], [usize; 2], usize);

/// A pooling, or a module of branches, of GoogLeNet.
#[derive(Clone, Copy)]
enum Step {
    Pool(&'static str, usize),
    Mixed(&'static str, Branches),
}

fn googlenet(b: &mut Builder, images: &Value) -> Value {
    use Step::{Mixed, Pool as Pooled};
    let mut x = transform_input(b, images);
    x = basic(b, "conv1", &x, Conv::square(64, 7).same().stride(2));
    x = b.max_pool("maxpool1", &x, Pool::new(3, 2).ceil());
    x = basic(b, "conv2", &x, Conv::square(64, 1));
    x = basic(b, "conv3", &x, Conv::square(192, 3).same());
    for step in [
        Pooled("maxpool2", 3),
        Mixed("inception3a", Branches(64, [96, 128], [16, 32], 32)),
        Mixed("inception3b", Branches(128, [128, 192], [32, 96], 64)),
        Pooled("maxpool3", 3),
        Mixed("inception4a", Branches(192, [96, 208], [16, 48], 64)),
        Mixed("inception4b", Branches(160, [112, 224], [24, 64], 64)),
        Mixed("inception4c", Branches(128, [128, 256], [24, 64], 64)),
        Mixed("inception4d", Branches(112, [144, 288], [32, 64], 64)),
        Mixed("inception4e", Branches(256, [160, 320], [32, 128], 128)),
        Pooled("maxpool4", 2),
        Mixed("inception5a", Branches(256, [160, 320], [32, 128], 128)),
        Mixed("inception5b", Branches(384, [192, 384], [48, 128], 128)),
    ] {
        x = match step {
            Pooled(module, size) => b.max_pool(module, &x, Pool::new(size, 2).ceil()),
            Mixed(module, branches) => mixed(b, module, &x, branches),
        };
        match step {
            Mixed("inception4a", _) => googlenet_aux(b, "aux1", &x),
            Mixed("inception4d", _) => googlenet_aux(b, "aux2", &x),
            _ => {}
        }
    }
    x = b.adaptive_avg_pool("avgpool", &x, [1, 1]);
    x = b.flatten("flatten", &x);
    b.step(&x);
    b.identity("dropout", &x);
    b.linear("fc", &x, N_CLASSES, true)
}

fn mixed(b: &mut Builder, module: &str, x: &Value, branches: Branches) -> Value {
    let Branches(first, [narrow2, second], [narrow3, third], fourth) = branches;
    let child = |name: &str| format!("{module}.{name}");
    let y1 = basic(b, &child("branch1"), x, Conv::square(first, 1));
    // torchvision's third branch is 3 × 3 too, where the paper has 5 × 5.
    let mut narrowed = |branch: &str, narrow: usize, wide: usize| {
        let part = |idx: usize| format!("{module}.{branch}.{idx}");
        let y = basic(b, &part(0), x, Conv::square(narrow, 1));
        let y = basic(b, &part(1), &y, Conv::square(wide, 3).same());
        b.container(&format!("{module}.{branch}"), &y);
        y
    };
    let y2 = narrowed("branch2", narrow2, second);
    let y3 = narrowed("branch3", narrow3, third);
    let pool = Pool::new(3, 1).padding(1).ceil();
    let y4 = b.max_pool(&child("branch4.0"), x, pool);
    let y4 = basic(b, &child("branch4.1"), &y4, Conv::square(fourth, 1));
    b.container(&child("branch4"), &y4);
    let y = joined(b, &child("cat"), &[&y1, &y2, &y3, &y4]);
    b.container(module, &y);
    y
}

fn googlenet_aux(b: &mut Builder, module: &str, x: &Value) {
    b.training_only(|b| {
        let child = |name: &str| format!("{module}.{name}");
        let y = b.adaptive_avg_pool(&child("pool"), x, [4, 4]);
        let y = basic(b, &child("conv"), &y, Conv::square(128, 1));
        let y = b.flatten(&child("flatten"), &y);
        let y = b.linear(&child("fc1"), &y, 1024, true);
        b.linear(&child("fc2"), &y, N_CLASSES, true);
    });
}

fn inception_v3(b: &mut Builder, images: &Value) -> Value {
    let mut x = transform_input(b, images);
    x = basic(b, "Conv2d_1a_3x3", &x, Conv::square(32, 3).stride(2));
    x = basic(b, "Conv2d_2a_3x3", &x, Conv::square(32, 3));
    x = basic(b, "Conv2d_2b_3x3", &x, Conv::square(64, 3).same());
    x = b.max_pool("maxpool1", &x, Pool::new(3, 2));
    x = basic(b, "Conv2d_3b_1x1", &x, Conv::square(80, 1));
    x = basic(b, "Conv2d_4a_3x3", &x, Conv::square(192, 3));
    x = b.max_pool("maxpool2", &x, Pool::new(3, 2));
    for (module, pooled) in [("Mixed_5b", 32), ("Mixed_5c", 64), ("Mixed_5d", 64)] {
        x = Mixed::new(b, module, &x).a(pooled);
    }
    x = Mixed::new(b, "Mixed_6a", &x).b();
    for (module, width) in [
        ("Mixed_6b", 128),
        ("Mixed_6c", 160),
        ("Mixed_6d", 160),
        ("Mixed_6e", 192),
    ] {
        x = Mixed::new(b, module, &x).c(width);
    }
    b.training_only(|b| {
        // Only keys and shapes of weights count here.
        let y = basic(b, "AuxLogits.conv0", &x, Conv::square(128, 1));
        let y = basic(b, "AuxLogits.conv1", &y, Conv::square(768, 5).same());
        let y = b.adaptive_avg_pool("AuxLogits.pool", &y, [1, 1]);
        let y = b.flatten("AuxLogits.flatten", &y);
        b.linear("AuxLogits.fc", &y, N_CLASSES, true);
    });
    x = Mixed::new(b, "Mixed_7a", &x).d();
    for module in ["Mixed_7b", "Mixed_7c"] {
        x = Mixed::new(b, module, &x).e();
    }
    x = b.adaptive_avg_pool("avgpool", &x, [1, 1]);
    b.identity("dropout", &x);
    x = b.flatten("flatten", &x);
    b.step(&x);
    b.linear("fc", &x, N_CLASSES, true)
}

/// A module of parallel branches of Inception v3.
struct Mixed<'a> {
    b: &'a mut Builder,
    module: &'a str,
    x: &'a Value,
}

/// A convolution of `size` (height, width) that keeps the map's size.
fn keeping(out: usize, size: [usize; 2]) -> Conv {
    Conv::sized(out, size).same()
}

/// A 3 × 3 convolution that halves the map.
fn halving(out: usize) -> Conv {
    Conv::square(out, 3).stride(2)
}

impl<'a> Mixed<'a> {
    fn new(b: &'a mut Builder, module: &'a str, x: &'a Value) -> Self {
        Self { b, module, x }
    }

    /// Convolutions one after the other, from the module's input.
    fn chain<const N: usize>(&mut self, convs: [(&str, Conv); N]) -> Value {
        let mut y = self.x.clone();
        for (name, conv) in convs {
            y = self.conv(name, &y, conv);
        }
        y
    }

    fn conv(&mut self, name: &str, x: &Value, conv: Conv) -> Value {
        basic(self.b, &format!("{}.{name}", self.module), x, conv)
    }

    fn averaged(&mut self, out: usize) -> Value {
        let tensor = format!("{}.avg_pool2d", self.module);
        let pooled = self.b.avg_pool(&tensor, self.x, Pool::new(3, 1).padding(1));
        self.conv("branch_pool", &pooled, Conv::square(out, 1))
    }

    fn maximum(&mut self) -> Value {
        let tensor = format!("{}.max_pool2d", self.module);
        self.b.max_pool(&tensor, self.x, Pool::new(3, 2))
    }

    fn cat(&mut self, parts: &[&Value]) -> Value {
        joined(self.b, &format!("{}.cat", self.module), parts)
    }

    fn end(mut self, parts: &[&Value]) -> Value {
        let y = self.cat(parts);
        self.b.container(self.module, &y);
        y
    }

    fn a(mut self, n_pooled: usize) -> Value {
        let y1 = self.chain([("branch1x1", Conv::square(64, 1))]);
        let y2 = self.chain([
            ("branch5x5_1", Conv::square(48, 1)),
            ("branch5x5_2", Conv::square(64, 5).same()),
        ]);
        let y3 = self.chain([
            ("branch3x3dbl_1", Conv::square(64, 1)),
            ("branch3x3dbl_2", Conv::square(96, 3).same()),
            ("branch3x3dbl_3", Conv::square(96, 3).same()),
        ]);
        let y4 = self.averaged(n_pooled);
        self.end(&[&y1, &y2, &y3, &y4])
    }

    fn b(mut self) -> Value {
        let y1 = self.chain([("branch3x3", halving(384))]);
        let y2 = self.chain([
            ("branch3x3dbl_1", Conv::square(64, 1)),
            ("branch3x3dbl_2", Conv::square(96, 3).same()),
            ("branch3x3dbl_3", halving(96)),
        ]);
        let y3 = self.maximum();
        self.end(&[&y1, &y2, &y3])
    }

    fn c(mut self, width: usize) -> Value {
        let y1 = self.chain([("branch1x1", Conv::square(192, 1))]);
        let y2 = self.chain([
            ("branch7x7_1", Conv::square(width, 1)),
            ("branch7x7_2", keeping(width, [1, 7])),
            ("branch7x7_3", keeping(192, [7, 1])),
        ]);
        let y3 = self.chain([
            ("branch7x7dbl_1", Conv::square(width, 1)),
            ("branch7x7dbl_2", keeping(width, [7, 1])),
            ("branch7x7dbl_3", keeping(width, [1, 7])),
            ("branch7x7dbl_4", keeping(width, [7, 1])),
            ("branch7x7dbl_5", keeping(192, [1, 7])),
        ]);
        let y4 = self.averaged(192);
        self.end(&[&y1, &y2, &y3, &y4])
    }

    fn d(mut self) -> Value {
        let y1 = self.chain([
            ("branch3x3_1", Conv::square(192, 1)),
            ("branch3x3_2", halving(320)),
        ]);
        let y2 = self.chain([
            ("branch7x7x3_1", Conv::square(192, 1)),
            ("branch7x7x3_2", keeping(192, [1, 7])),
            ("branch7x7x3_3", keeping(192, [7, 1])),
            ("branch7x7x3_4", halving(192)),
        ]);
        let y3 = self.maximum();
        self.end(&[&y1, &y2, &y3])
    }

    fn e(mut self) -> Value {
        let y1 = self.chain([("branch1x1", Conv::square(320, 1))]);
        let y2 = self.chain([("branch3x3_1", Conv::square(384, 1))]);
        let y2 = self.fork(&y2, ["branch3x3_2a", "branch3x3_2b"]);
        let y3 = self.chain([
            ("branch3x3dbl_1", Conv::square(448, 1)),
            ("branch3x3dbl_2", Conv::square(384, 3).same()),
        ]);
        let y3 = self.fork(&y3, ["branch3x3dbl_3a", "branch3x3dbl_3b"]);
        let y4 = self.averaged(192);
        self.end(&[&y1, &y2, &y3, &y4])
    }

    /// A row and a column side by side.
    fn fork(&mut self, x: &Value, [row, column]: [&str; 2]) -> Value {
        let row = self.conv(row, x, keeping(384, [1, 3]));
        let column = self.conv(column, x, keeping(384, [3, 1]));
        self.cat(&[&row, &column])
    }
}
