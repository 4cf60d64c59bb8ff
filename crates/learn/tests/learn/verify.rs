//! The layers that gradients are computed from, against inference.

use crate::common::network;
use consilience_io::image::RgbImage;
use consilience_learn::{LearnError, verify};
use consilience_models::ExecutorChoice;
use consilience_models::graph::Node;
use consilience_models::verify::{Activations, TOLERANCE, compare};

#[test]
fn what_stands_in_the_way_of_some_layers_leaves_the_others() {
    let size = [64, 64];
    let mut network = network("squeezenet1_1", size);
    let picture = RgbImage {
        width: 64,
        height: 64,
        pixels: (0..64 * 64 * 3).map(|i| (i % 251) as u8).collect(),
    };
    let inference = Activations::of(&network, &picture, ExecutorChoice::Rten).unwrap();
    let whole = verify::forward(&network, &picture).unwrap();
    assert!(whole.obstacles.is_empty());
    let compared = compare(&inference, &whole.activations, TOLERANCE);
    assert_eq!(compared.len(), inference.layers.len());
    for layer in compared {
        assert!(layer.agrees, "{layer:?}");
    }

    let of = |name: &str| network.select(&[name]).unwrap().swap_remove(0).tensor;
    let tensor = of("features.11.expand1x1_activation");
    let makes = |node: &&mut Node| node.outputs.contains(&tensor);
    network.graph.nodes.iter_mut().find(makes).unwrap().op = "Sign".into();
    let part = verify::forward(&network, &picture).unwrap();
    assert_eq!(part.obstacles.len(), 1);
    assert!(matches!(
        &part.obstacles[0],
        LearnError::UnknownOperator { op, .. } if op == "Sign"
    ));
    let found = |name: &str| {
        part.activations
            .layers
            .iter()
            .find(|(layer, _)| layer == name)
    };
    for (name, is_there) in [
        ("features.11.expand1x1", true),
        ("features.11.expand1x1_activation", false),
        ("features.11.expand3x3_activation", true),
        ("features.11", false),
        ("classifier", false),
    ] {
        assert_eq!(found(name).is_some(), is_there, "{name}");
    }
    let small = RgbImage {
        width: 0,
        height: 0,
        pixels: Vec::new(),
    };
    assert!(verify::forward(&network, &small).is_err());
}
