//! RegNet X and Y as torchvision defines them.

use super::{Activation, Architecture, Builder, Conv, Value};

const CITATION: &str = "Radosavovic I, Kosaraju RP, Girshick R, He K, Dollár P (2020) Designing \
     network design spaces. IEEE Conference on Computer Vision and Pattern Recognition, 10425-10433";

/// Size in the name, blocks and channels of each stage, channels of a group, millions of parameters.
type Row = (&'static str, [usize; 4], [usize; 4], usize, &'static str);

#[rustfmt::skip]
const X: [Row; 7] = [
    ("400mf", [1, 2,  7, 12], [ 32,  64,  160,  400],  16, "5.5"),
    ("800mf", [1, 3,  7,  5], [ 64, 128,  288,  672],  16, "7.3"),
    ("1_6gf", [2, 4, 10,  2], [ 72, 168,  408,  912],  24, "9.2"),
    ("3_2gf", [2, 6, 15,  2], [ 96, 192,  432, 1008],  48, "15"),
    ("8gf",   [2, 5, 15,  1], [ 80, 240,  720, 1920], 120, "40"),
    ("16gf",  [2, 6, 13,  1], [256, 512,  896, 2048], 128, "54"),
    ("32gf",  [2, 7, 13,  1], [336, 672, 1344, 2520], 168, "108"),
];
/// With squeeze and excitation.
#[rustfmt::skip]
const Y: [Row; 7] = [
    ("400mf", [1, 3,  6, 6], [ 48, 104,  208,  440],   8, "4.3"),
    ("800mf", [1, 3,  8, 2], [ 64, 144,  320,  784],  16, "6.4"),
    ("1_6gf", [2, 6, 17, 2], [ 48, 120,  336,  888],  24, "11"),
    ("3_2gf", [2, 5, 13, 1], [ 72, 216,  576, 1512],  24, "19"),
    ("8gf",   [2, 4, 10, 1], [224, 448,  896, 2016],  56, "39"),
    ("16gf",  [2, 4, 11, 1], [224, 448, 1232, 3024], 112, "84"),
    ("32gf",  [2, 5, 12, 1], [232, 696, 1392, 3712], 232, "145"),
];

const EPS: f32 = 1e-5;
const RELU: Option<Activation> = Some(Activation::Relu);

/// A network of the family.
#[derive(Clone, Copy)]
struct Plan {
    depths: [usize; 4],
    widths: [usize; 4],
    group_width: usize,
    squeezes: bool,
}

pub(super) fn entries() -> Vec<Architecture> {
    let all = X
        .map(|row| (false, row))
        .into_iter()
        .chain(Y.map(|row| (true, row)));
    all.map(|(squeezes, (size, depths, widths, group_width, millions))| {
        let plan = Plan {
            depths,
            widths,
            group_width,
            squeezes,
        };
        let kind = if squeezes { "y" } else { "x" };
        let flops = size.replace("mf", " million").replace("gf", " billion").replace('_', ".");
        let description = format!(
            "RegNet {} of {flops} multiplications and additions ({millions} million parameters)",
            kind.to_uppercase()
        );
        let recipe = move |b: &mut Builder, x: &Value| plan.build(b, x);
        Architecture::imagenet(format!("regnet_{kind}_{size}"), "regnet", description, recipe)
            .cite(CITATION, Some("10.1109/CVPR42600.2020.01044"))
    })
    .collect()
}

impl Plan {
    fn build(&self, b: &mut Builder, images: &Value) -> Value {
        let mut x = b.conv_norm("stem", images, Conv::square(32, 3).stride(2), EPS, RELU);
        for ((stage, depth), width) in (1..).zip(self.depths).zip(self.widths) {
            let module = format!("trunk_output.block{stage}");
            for n in 0..depth {
                let stride = if n == 0 { 2 } else { 1 };
                x = self.block(b, &format!("{module}.block{stage}-{n}"), &x, width, stride);
            }
            b.container(&module, &x);
        }
        b.container("trunk_output", &x);
        x = b.adaptive_avg_pool("avgpool", &x, [1, 1]);
        x = b.flatten("flatten", &x);
        b.step(&x);
        b.linear("fc", &x, 1000, true)
    }

    fn block(
        &self,
        b: &mut Builder,
        module: &str,
        x: &Value,
        width: usize,
        stride: usize,
    ) -> Value {
        let part = |name: &str| format!("{module}.{name}");
        let n_in = x.shape[0];
        let narrow = Conv::square(width, 1);
        let past = if n_in != width || stride != 1 {
            b.conv_norm(&part("proj"), x, narrow.stride(stride), EPS, None)
        } else {
            x.clone()
        };
        let grouped = Conv::square(width, 3).groups(width / self.group_width.min(width));
        let mut y = b.conv_norm(&part("f.a"), x, narrow, EPS, RELU);
        y = b.conv_norm(&part("f.b"), &y, grouped.stride(stride), EPS, RELU);
        if self.squeezes {
            let (inner, gate) = (Activation::Relu, Activation::Sigmoid);
            y = b.squeeze_excitation(&part("f.se"), &y, n_in / 4, inner, gate);
        }
        y = b.conv_norm(&part("f.c"), &y, narrow, EPS, None);
        b.container(&part("f"), &y);
        y = b.add(&part("add"), &past, &y);
        b.step(&y);
        y = b.activation(&part("activation"), &y, Activation::Relu);
        b.container(module, &y);
        y
    }
}
