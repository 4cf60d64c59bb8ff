//! EfficientNet and EfficientNet V2 as torchvision defines them.

use super::builder::to_eights;
use super::{Activation, Architecture, Builder, Conv, Value};

const CITATION_V1: &str = "Tan M, Le QV (2019) EfficientNet: rethinking model scaling for \
     convolutional neural networks. International Conference on Machine Learning, 6105-6114. \
     arXiv:1905.11946";
const CITATION_V2: &str = "Tan M, Le QV (2021) EfficientNetV2: smaller models and faster training. \
     International Conference on Machine Learning, 10096-10106. arXiv:2104.00298";

/// A stage of blocks that are alike but for the first one's stride.
#[derive(Clone, Copy)]
struct Stage {
    /// One convolution does both the expansion and the spatial part, without squeeze and excitation.
    fused: bool,
    expansion: usize,
    kernel: usize,
    stride: usize,
    out: usize,
    n_blocks: usize,
}

const fn stage(expansion: usize, kernel: usize, stride: usize, out: usize, n: usize) -> Stage {
    Stage {
        fused: false,
        expansion,
        kernel,
        stride,
        out,
        n_blocks: n,
    }
}

const fn fused(expansion: usize, stride: usize, out: usize, n: usize) -> Stage {
    Stage {
        fused: true,
        ..stage(expansion, 3, stride, out, n)
    }
}

/// Stages at width and depth 1.
const B0: [Stage; 7] = [
    stage(1, 3, 1, 16, 1),
    stage(6, 3, 2, 24, 2),
    stage(6, 5, 2, 40, 2),
    stage(6, 3, 2, 80, 3),
    stage(6, 5, 1, 112, 3),
    stage(6, 5, 2, 192, 4),
    stage(6, 3, 1, 320, 1),
];
const V2_S: [Stage; 6] = [
    fused(1, 1, 24, 2),
    fused(4, 2, 48, 4),
    fused(4, 2, 64, 4),
    stage(4, 3, 2, 128, 6),
    stage(6, 3, 1, 160, 9),
    stage(6, 3, 2, 256, 15),
];
const V2_M: [Stage; 7] = [
    fused(1, 1, 24, 3),
    fused(4, 2, 48, 5),
    fused(4, 2, 80, 5),
    stage(4, 3, 2, 160, 7),
    stage(6, 3, 1, 176, 14),
    stage(6, 3, 2, 304, 18),
    stage(6, 3, 1, 512, 5),
];
const V2_L: [Stage; 7] = [
    fused(1, 1, 32, 4),
    fused(4, 2, 64, 7),
    fused(4, 2, 96, 7),
    stage(4, 3, 2, 192, 10),
    stage(6, 3, 1, 224, 19),
    stage(6, 3, 2, 384, 25),
    stage(6, 3, 1, 640, 7),
];

/// Width, depth, and what batch normalisation adds to the variance.
const SCALES: [(f64, f64, f32, &str); 8] = [
    (1.0, 1.0, 1e-5, "5.3"),
    (1.0, 1.1, 1e-5, "7.8"),
    (1.1, 1.2, 1e-5, "9.1"),
    (1.2, 1.4, 1e-5, "12"),
    (1.4, 1.8, 1e-5, "19"),
    (1.6, 2.2, 1e-3, "30"),
    (1.8, 2.6, 1e-3, "43"),
    (2.0, 3.1, 1e-3, "66"),
];

/// A network of the family.
#[derive(Clone)]
struct Plan {
    n_first: usize,
    stages: Vec<Stage>,
    n_last: usize,
    eps: f32,
}

pub(super) fn entries() -> Vec<Architecture> {
    let scaled = (0..).zip(SCALES).map(|(n, (width, depth, eps, millions))| {
        let description = format!(
            "EfficientNet B{n}: {width} times the width and {depth} times the depth of B0 \
             ({millions} million parameters)"
        );
        architecture(
            format!("efficientnet_b{n}"),
            description,
            Plan::scaled(width, depth, eps),
        )
        .cite(CITATION_V1, Some("10.48550/arXiv.1905.11946"))
    });
    let second = [
        ("s", "small", &V2_S[..], "21"),
        ("m", "medium", &V2_M, "54"),
        ("l", "large", &V2_L, "119"),
    ]
    .map(|(size, word, stages, millions)| {
        let plan = Plan {
            n_first: stages[0].out,
            stages: stages.to_vec(),
            n_last: 1280,
            eps: 1e-3,
        };
        let description = format!("EfficientNet V2, {word} ({millions} million parameters)");
        architecture(format!("efficientnet_v2_{size}"), description, plan)
            .cite(CITATION_V2, Some("10.48550/arXiv.2104.00298"))
    });
    scaled.chain(second).collect()
}

fn architecture(name: String, description: String, plan: Plan) -> Architecture {
    let recipe = move |b: &mut Builder, x: &Value| plan.build(b, x);
    Architecture::imagenet(name, "efficientnet", description, recipe)
}

impl Plan {
    /// B0 with its channels times `width`, in eights, and its blocks times `depth`, rounded up.
    fn scaled(width: f64, depth: f64, eps: f32) -> Self {
        let channels = |n: usize| to_eights(n as f64 * width);
        let stages: Vec<Stage> = B0
            .iter()
            .map(|stage| Stage {
                out: channels(stage.out),
                n_blocks: (stage.n_blocks as f64 * depth).ceil() as usize,
                ..*stage
            })
            .collect();
        Self {
            n_first: channels(32),
            n_last: 4 * channels(320),
            stages,
            eps,
        }
    }

    fn build(&self, b: &mut Builder, images: &Value) -> Value {
        let silu = Some(Activation::Silu);
        let first = Conv::square(self.n_first, 3).stride(2);
        let mut x = b.conv_norm("features.0", images, first, self.eps, silu);
        for (idx, stage) in (1..).zip(&self.stages) {
            let module = format!("features.{idx}");
            for n in 0..stage.n_blocks {
                let stride = if n == 0 { stage.stride } else { 1 };
                x = self.block(b, &format!("{module}.{n}"), &x, stage, stride);
            }
            b.container(&module, &x);
        }
        let module = format!("features.{}", self.stages.len() + 1);
        x = b.conv_norm(&module, &x, Conv::square(self.n_last, 1), self.eps, silu);
        b.container("features", &x);
        x = b.adaptive_avg_pool("avgpool", &x, [1, 1]);
        x = b.flatten("flatten", &x);
        b.step(&x);
        b.identity("classifier.0", &x);
        x = b.linear("classifier.1", &x, 1000, true);
        b.container("classifier", &x);
        x
    }

    fn block(
        &self,
        b: &mut Builder,
        module: &str,
        x: &Value,
        stage: &Stage,
        stride: usize,
    ) -> Value {
        let (silu, n_in) = (Some(Activation::Silu), x.shape[0]);
        let expanded = n_in * stage.expansion;
        let mut idx = 0;
        let mut part = || {
            idx += 1;
            format!("{module}.block.{}", idx - 1)
        };
        let narrow = Conv::square(stage.out, 1);
        let mut y = x.clone();
        if stage.fused {
            let wide = if stage.expansion == 1 {
                stage.out
            } else {
                expanded
            };
            let spatial = Conv::square(wide, stage.kernel).stride(stride);
            y = b.conv_norm(&part(), &y, spatial, self.eps, silu);
            if stage.expansion != 1 {
                y = b.conv_norm(&part(), &y, narrow, self.eps, None);
            }
        } else {
            if stage.expansion != 1 {
                y = b.conv_norm(&part(), &y, Conv::square(expanded, 1), self.eps, silu);
            }
            let depthwise = Conv::square(expanded, stage.kernel).groups(expanded);
            y = b.conv_norm(&part(), &y, depthwise.stride(stride), self.eps, silu);
            let n_squeeze = (n_in / 4).max(1);
            let (inner, gate) = (Activation::Silu, Activation::Sigmoid);
            y = b.squeeze_excitation(&part(), &y, n_squeeze, inner, gate);
            y = b.conv_norm(&part(), &y, narrow, self.eps, None);
        }
        b.container(&format!("{module}.block"), &y);
        if stride == 1 && n_in == stage.out {
            b.identity(&format!("{module}.stochastic_depth"), &y);
            y = b.add(&format!("{module}.add"), &y, x);
            b.step(&y);
        }
        b.container(module, &y);
        y
    }
}
