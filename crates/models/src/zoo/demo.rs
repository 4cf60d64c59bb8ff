//! The small network that this project trains itself.

use super::builder::Window;
use super::{Architecture, Builder};
use crate::Preprocessing;
use crate::preprocess::{Filter, Resize};

/// Four convolutions of 3 × 3 on images of 64 × 64, then a linear read-out of eight classes.
pub(super) fn consilience_demo() -> Architecture {
    let n_classes = 8;
    let around = Window {
        size: 3,
        stride: 1,
        padding: 1,
    };
    let half = Window {
        size: 2,
        stride: 2,
        padding: 0,
    };
    let mut builder = Builder::new("consilience_demo");
    let mut last = "input".to_owned();
    for (block, channels) in (1..).zip([(3, 16), (16, 32), (32, 64), (64, 64)]) {
        let [conv, relu, pool] = ["conv", "relu", "pool"].map(|kind| format!("{kind}{block}"));
        builder.conv(&conv, &last, channels, around);
        builder.relu(&relu, &conv);
        last = relu;
        if block < 4 {
            builder.max_pool(&pool, &last, half, false);
            last = pool;
        }
    }
    builder.global_average("avgpool", &last);
    builder.flatten("flat", "avgpool");
    builder.linear("fc", "flat", 64, n_classes);
    let (graph, parameters) = builder.finish("fc");
    Architecture {
        name: "consilience_demo",
        description: "four convolutions on 64 × 64 images, trained by this project on drawn shapes",
        citation: None,
        n_classes,
        preprocessing: Preprocessing {
            resize: Resize::ShortSide {
                size: 64,
                filter: Filter::Bilinear,
            },
            crop: Some([64, 64]),
            mean: [0.5; 3],
            std: [0.5; 3],
        },
        graph,
        parameters,
    }
}
