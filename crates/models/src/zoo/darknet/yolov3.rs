//! YOLOv3 layer by layer, so that its users need the weights only.

use super::layers::{Activation, Convolutional, Layer, Section};
use super::{Darknet, graph};
use crate::Preprocessing;
use crate::preprocess::{Align, Filter, Resize};
use crate::zoo::{Architecture, Builder, Value, classes};

/// Side of the published networks' input.
const SIDE: usize = 608;

/// Widths and heights in pixels, smallest first.
#[rustfmt::skip]
const ANCHORS: [[f64; 2]; 9] = [
    [10.0, 13.0], [16.0, 30.0], [33.0, 23.0],
    [30.0, 61.0], [62.0, 45.0], [59.0, 119.0],
    [116.0, 90.0], [156.0, 198.0], [373.0, 326.0],
];

/// Residual blocks in each stage of the backbone (Darknet-53).
const BLOCKS: [usize; 5] = [1, 2, 8, 8, 4];

const CITATION: &str =
    "Redmon J, Farhadi A (2018) YOLOv3: an incremental improvement. arXiv:1804.02767";

/// Name, number of classes, description.
#[rustfmt::skip]
pub(super) const NAMED: [(&str, usize, &str); 2] = [
    ("yolov3_coco", 80, "YOLOv3 for the 80 classes of COCO"),
    ("yolov3_openimages", 601, "YOLOv3 for the 601 classes of Open Images"),
];

pub(super) fn entries() -> Vec<Architecture> {
    NAMED
        .map(|(name, n_classes, description)| {
            let sections = network(n_classes).sections;
            let recipe = move |b: &mut Builder, x: &Value| {
                // Layers that are brought to one size again meet at multiples of 32 only.
                b.fix_size();
                match graph::emit(b, x, &sections) {
                    Ok((_, last)) => last,
                    Err(_) => {
                        b.too_small("86.route");
                        x.clone()
                    }
                }
            };
            let mut architecture = Architecture::imagenet(name, "darknet", description, recipe)
                .cite(CITATION, Some("10.48550/arXiv.1804.02767"));
            architecture.n_classes = n_classes;
            architecture.class_names = Some(match n_classes {
                80 => classes::COCO,
                _ => classes::OPEN_IMAGES,
            });
            architecture.preprocessing = Preprocessing {
                resize: Resize::Letterbox {
                    height: SIDE,
                    width: SIDE,
                    filter: Filter::Bilinear,
                    align: Align::Centre,
                    fill: 127.5,
                },
                crop: None,
                mean: [0.0; 3],
                std: [1.0; 3],
                ..Preprocessing::default()
            };
            architecture
        })
        .into()
}

/// The layers of the published `.cfg`.
pub(super) fn network(n_classes: usize) -> Darknet {
    let mut layers = Layers(Vec::new());
    layers.convolve(32, 3, 1);
    // Last layers of the stages whose maps are used again, 8 and 16 times smaller than the input.
    let mut kept = Vec::new();
    for (stage, n_blocks) in BLOCKS.into_iter().enumerate() {
        let width = 64 << stage;
        layers.convolve(width, 3, 2);
        for _ in 0..n_blocks {
            layers.convolve(width / 2, 1, 1);
            layers.convolve(width, 3, 1);
            let from = vec![layers.0.len() - 3];
            layers.push(Layer::Shortcut {
                from,
                activation: Activation::Linear,
            });
        }
        kept.push(layers.0.len() - 1);
    }
    for (scale, width) in [512, 256, 128].into_iter().enumerate() {
        if scale > 0 {
            let narrow = layers.0.len() - 4;
            layers.route(vec![narrow]);
            layers.convolve(width, 1, 1);
            layers.push(Layer::Upsample { stride: 2 });
            let upsampled = layers.0.len() - 1;
            layers.route(vec![upsampled, kept[4 - scale]]);
        }
        for _ in 0..3 {
            layers.convolve(width, 1, 1);
            layers.convolve(2 * width, 3, 1);
        }
        layers.push(Layer::Convolutional(Convolutional {
            filters: 3 * (5 + n_classes),
            size: 1,
            stride: 1,
            padding: 0,
            dilation: 1,
            groups: 1,
            batch_normalize: false,
            activation: Activation::Linear,
        }));
        let first = 3 * (2 - scale);
        layers.push(Layer::Yolo {
            anchors: ANCHORS[first..first + 3].to_vec(),
            n_classes,
            scale_x_y: 1.0,
        });
    }
    Darknet {
        height: SIDE,
        width: SIDE,
        sections: layers.0,
    }
}

struct Layers(Vec<Section>);

impl Layers {
    fn push(&mut self, layer: Layer) {
        self.0.push(Section { line: 0, layer });
    }

    fn route(&mut self, from: Vec<usize>) {
        self.push(Layer::Route {
            from,
            groups: 1,
            group: 0,
        });
    }

    fn convolve(&mut self, filters: usize, size: usize, stride: usize) {
        self.push(Layer::Convolutional(Convolutional {
            filters,
            size,
            stride,
            padding: size / 2,
            dilation: 1,
            groups: 1,
            batch_normalize: true,
            activation: Activation::Leaky,
        }));
    }
}
