//! SqueezeNet as torchvision defines it.

use consilience_core::Citation;

use super::builder::Window;
use super::{Architecture, Builder};
use crate::Preprocessing;

/// A stage of the feature part after the first ReLU.
enum Stage {
    /// `MaxPool2d(3, 2, ceil_mode=True)`.
    Pool,
    /// Fire module: channels in, squeezed, and expanded by each of the two branches.
    Fire(usize, usize, usize),
}

use Stage::{Fire, Pool};

pub(super) fn squeezenet1_0() -> Architecture {
    architecture(
        "squeezenet1_0",
        "SqueezeNet 1.0: AlexNet's accuracy with 50 times fewer parameters (1.25 million)",
        (96, 7),
        &[
            Pool,
            Fire(96, 16, 64),
            Fire(128, 16, 64),
            Fire(128, 32, 128),
            Pool,
            Fire(256, 32, 128),
            Fire(256, 48, 192),
            Fire(384, 48, 192),
            Fire(384, 64, 256),
            Pool,
            Fire(512, 64, 256),
        ],
    )
}

pub(super) fn squeezenet1_1() -> Architecture {
    architecture(
        "squeezenet1_1",
        "SqueezeNet 1.1: as 1.0 with 2.4 times less computation (1.24 million parameters)",
        (64, 3),
        &[
            Pool,
            Fire(64, 16, 64),
            Fire(128, 16, 64),
            Pool,
            Fire(128, 32, 128),
            Fire(256, 32, 128),
            Pool,
            Fire(256, 48, 192),
            Fire(384, 48, 192),
            Fire(384, 64, 256),
            Fire(512, 64, 256),
        ],
    )
}

fn architecture(
    name: &'static str,
    description: &'static str,
    (n_first, first_size): (usize, usize),
    stages: &[Stage],
) -> Architecture {
    let n_classes = 1000;
    let mut builder = Builder::new(name);
    let first = Window {
        size: first_size,
        stride: 2,
        padding: 0,
    };
    builder.conv("features.0", "input", (3, n_first), first);
    builder.relu("features.1", "features.0");
    let mut last = "features.1".to_owned();
    for (module_idx, stage) in (2..).zip(stages) {
        let module = format!("features.{module_idx}");
        match *stage {
            Pool => {
                let window = Window {
                    size: 3,
                    stride: 2,
                    padding: 0,
                };
                builder.max_pool(&module, &last, window, true);
            }
            Fire(n_in, n_squeeze, n_expand) => {
                fire(&mut builder, &module, &last, n_in, n_squeeze, n_expand);
            }
        }
        last = module;
    }
    builder.layer("features", &last);
    // Dropout does nothing outside training.
    builder.layer("classifier.0", &last);
    builder.conv("classifier.1", &last, (512, n_classes), POINT);
    builder.relu("classifier.2", "classifier.1");
    builder.global_average("classifier.3", "classifier.2");
    builder.layer("classifier", "classifier.3");
    builder.flatten("logits", "classifier.3");
    let (graph, parameters) = builder.finish("logits");
    Architecture {
        name,
        description,
        citation: Some(Citation {
            text:
                "Iandola FN, Han S, Moskewicz MW, Ashraf K, Dally WJ, Keutzer K (2016) SqueezeNet: \
                   AlexNet-level accuracy with 50x fewer parameters and <0.5MB model size. \
                   arXiv:1602.07360"
                    .into(),
            doi: Some("10.48550/arXiv.1602.07360".into()),
            used_for: format!("network {name}"),
        }),
        n_classes,
        preprocessing: Preprocessing::imagenet(),
        graph,
        parameters,
    }
}

const POINT: Window = Window {
    size: 1,
    stride: 1,
    padding: 0,
};

fn fire(
    builder: &mut Builder,
    module: &str,
    input: &str,
    n_in: usize,
    n_squeeze: usize,
    n_expand: usize,
) {
    let child = |name: &str| format!("{module}.{name}");
    let squeezed = child("squeeze_activation");
    builder.conv(&child("squeeze"), input, (n_in, n_squeeze), POINT);
    builder.relu(&squeezed, &child("squeeze"));
    let around = Window {
        size: 3,
        stride: 1,
        padding: 1,
    };
    for (branch, window) in [("expand1x1", POINT), ("expand3x3", around)] {
        let branch = child(branch);
        builder.conv(&branch, &squeezed, (n_squeeze, n_expand), window);
        builder.relu(&format!("{branch}_activation"), &branch);
    }
    builder.concat(
        module,
        &[
            &child("expand1x1_activation"),
            &child("expand3x3_activation"),
        ],
    );
}
