//! The rest of a network after a layer, run by every executor.

use crate::common::{demo, executors, noise};
use consilience_models::executor;
use consilience_models::zoo::{self, StateDict};
use consilience_models::{ExecutorChoice, Graph, ModelError, Network, graph::Tensor};
use ndarray::{Array4, ArrayD, ArrayView4, Ix4};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

fn run(graph: &Graph, choice: ExecutorChoice, images: ArrayView4<'_, f32>) -> ArrayD<f32> {
    let (_, mut executors) = executor::load(choice, graph, 1).unwrap();
    executors[0].run(images).unwrap().remove(0).unwrap()
}

/// A residual network with random weights; what it divides by is above 0.
fn residual() -> Network {
    let architecture = zoo::find("resnet20_cifar10").unwrap();
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let mut of_key = |(key, shape): (String, Vec<usize>)| {
        let n: usize = shape.iter().product();
        let values: Vec<f32> = (0..n).map(|_| rng.random_range(0.05..0.2)).collect();
        let tensor = Tensor::from_f32(shape, &values).unwrap();
        (key, tensor)
    };
    let weights: StateDict = architecture
        .parameters()
        .unwrap()
        .into_iter()
        .map(&mut of_key)
        .collect();
    Network::with_state_dict(&architecture, weights).unwrap()
}

#[test]
fn what_precedes_and_what_follows_a_layer_are_the_whole() {
    let test = "what_precedes_and_what_follows_a_layer_are_the_whole";
    let cases = [
        (demo(3), 64, vec!["conv1", "conv2", "conv3"]),
        (
            residual(),
            32,
            vec!["layer1", "layer2.0", "layer2", "layer3"],
        ),
    ];
    for (network, side, layers) in cases {
        let pictures = noise(2);
        let mut images = Array4::<f32>::zeros((2, 3, side, side));
        for ((at, value), byte) in images.indexed_iter_mut().zip(0..) {
            let (picture, channel, y, x) = at;
            let pixel = pictures[picture].pixels[(y * 64 + x) * 3 + channel];
            *value = f32::from(pixel) / 255.0 + (byte % 3) as f32 * 0.01;
        }
        for choice in executors(test) {
            let whole = run(&network.graph, choice, images.view());
            for layer in &layers {
                let tensor = network.select(&[layer]).unwrap()[0].tensor.clone();
                let prefix = run(&network.graph.cut(&[&tensor]), choice, images.view());
                let map = prefix.into_dimensionality::<Ix4>().unwrap();
                let suffix = network.graph.suffix(&tensor, &map.shape()[1..]).unwrap();
                assert!(suffix.nodes.len() < network.graph.nodes.len());
                let found = run(&suffix, choice, map.view());
                let largest = whole.iter().fold(0.0_f32, |m, v| m.max(v.abs()));
                let off = found.iter().zip(&whole).map(|(a, b)| (a - b).abs());
                let off = off.fold(0.0_f32, f32::max);
                assert!(off <= 1e-6 * largest, "{layer}: {off} of {largest}");
            }
        }
    }
}

#[test]
fn a_layer_within_a_block_is_bypassed() {
    let network = residual();
    let layers = network.select(&["layer2.1.conv1"]).unwrap();
    let error = network.graph.suffix(&layers[0].tensor, &[32, 16, 16]);
    let Err(ModelError::Bypassed { layer, by }) = error else {
        panic!("{error:?}");
    };
    assert_eq!(layer, "layer2.1.conv1");
    assert!(by.iter().any(|name| name.starts_with("layer2.0")), "{by:?}");
}
