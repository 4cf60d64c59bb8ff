//! The small network that this project trains itself.

use super::{Activation, Architecture, Builder, Conv, Pool, Value, classes};
use crate::Preprocessing;
use crate::preprocess::{Filter, Resize};

const N_CLASSES: usize = 8;

pub(super) fn entries() -> Vec<Architecture> {
    let description =
        "four convolutions on 64 × 64 images, trained by this project on drawn shapes";
    vec![Architecture {
        n_classes: N_CLASSES,
        class_names: Some(classes::DEMO),
        preprocessing: Preprocessing {
            resize: Resize::ShortSide {
                size: 64,
                filter: Filter::Bilinear,
            },
            crop: Some([64, 64]),
            mean: [0.5; 3],
            std: [0.5; 3],
            ..Preprocessing::imagenet()
        },
        ..Architecture::imagenet("consilience_demo", "demo", description, build)
    }]
}

/// Four convolutions of 3 × 3, then a linear read-out.
fn build(b: &mut Builder, images: &Value) -> Value {
    let mut x = images.clone();
    for (block, channels) in (1..).zip([16, 32, 64, 64]) {
        x = b.conv(
            &format!("conv{block}"),
            &x,
            Conv::square(channels, 3).same(),
        );
        x = b.activation(&format!("relu{block}"), &x, Activation::Relu);
        if block < 4 {
            x = b.max_pool(&format!("pool{block}"), &x, Pool::new(2, 2));
        }
    }
    x = b.adaptive_avg_pool("avgpool", &x, [1, 1]);
    x = b.flatten("flat", &x);
    b.linear("fc", &x, N_CLASSES, true)
}
