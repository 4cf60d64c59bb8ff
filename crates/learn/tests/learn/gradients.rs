//! Gradients and Grad-CAM against PyTorch and pytorch-grad-cam, with weights from a formula.
//!
//! Expected values: `fixtures/gradients/*.safetensors`, computed by `fixtures/generate/gradients.py`
//! (torch 2.13, torchvision 0.28, grad-cam 1.5), which says what the files hold.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::common::{image, network, scaled_network};
use consilience_io::weights::Weights;
use consilience_learn::{Differentiable, Gradients, LearnError, Precision, Scalar, gradcam};
use consilience_models::executor::{self, ExecutorChoice};
use consilience_models::{Layer, Network, zoo};
use ndarray::{Array3, Array4, ArrayD, Axis, concatenate};
use serde::Deserialize;

const N_SAMPLES: usize = 64;

/// Of the largest value, with 64 bits: what the rounding of weights and results to 32 bits leaves.
const DOUBLE: f64 = 1e-6;
/// Of the largest value, with 32 bits.
const SINGLE: f64 = 1e-4;
/// Of the largest value, with 32 bits, where the rounding opens or closes rectifiers: torch's own
/// gradient with respect to the image differs by 1e-2 between 32 and 64 bits in ResNet-18.
const FLIPPED: f64 = 2e-2;
const WITH_FLIPS: [&str; 2] = ["densenet121", "resnet18"];

macro_rules! networks {
    ($($name:ident)*) => {
        const NETWORKS: &[&str] = &[$(stringify!($name)),*];
        $(
            #[test]
            fn $name() {
                compare(stringify!($name));
            }
        )*
    };
}

networks! { densenet121 mobilenet_v3_small resnet18 squeezenet1_1 vit_b_32 }

#[derive(Deserialize)]
struct Expected {
    size: [usize; 2],
    layers: Vec<(String, Vec<usize>)>,
    class: usize,
    logit: f64,
}

fn folder() -> PathBuf {
    concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/gradients").into()
}

fn read(name: &str) -> (Expected, BTreeMap<String, ArrayD<f32>>) {
    let path = folder().join(format!("{name}.safetensors"));
    let described = header(&path, "gradients");
    let tensors = Weights::read(&path).unwrap().tensors().clone();
    (serde_json::from_value(described).unwrap(), tensors)
}

/// What the generator wrote into the metadata of a fixture.
fn header(path: &Path, entry: &str) -> serde_json::Value {
    let bytes = std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let header_size = u64::from_le_bytes(bytes[..8].try_into().unwrap());
    let header = &bytes[8..8 + usize::try_from(header_size).unwrap()];
    let header: serde_json::Value = serde_json::from_slice(header).unwrap();
    serde_json::from_str(header["__metadata__"][entry].as_str().unwrap()).unwrap()
}

#[test]
fn every_fixture_is_tested() {
    for entry in std::fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap();
        assert!(NETWORKS.contains(&name), "{name}");
    }
}

fn layers(
    network: &Network,
    differentiable: &Differentiable,
    names: &[(String, Vec<usize>)],
) -> Vec<Layer> {
    names
        .iter()
        .map(|(name, _)| match name.as_str() {
            "input" => differentiable.images(),
            name => network.select(&[name]).unwrap().remove(0),
        })
        .collect()
}

fn compare(name: &str) {
    let (expected, tensors) = read(name);
    let network = network(name, expected.size);
    let single = if WITH_FLIPS.contains(&name) {
        FLIPPED
    } else {
        SINGLE
    };
    for (precision, tolerance) in [(Precision::Double, DOUBLE), (Precision::Single, single)] {
        let differentiable = Differentiable::with_precision(&network, precision);
        let layers = layers(&network, &differentiable, &expected.layers);
        let images = image(expected.size);
        let found = differentiable
            .gradients(images.view(), &layers, &Scalar::MaxClass)
            .unwrap();
        assert_eq!(found.classes, [expected.class]);
        let off = (found.values[0] - expected.logit).abs();
        assert!(
            off <= tolerance * expected.logit.abs(),
            "{name}: logit off by {off}"
        );
        let rows = tensors["gradients"].axis_iter(Axis(0));
        for (((layer, shape), row), gradient) in
            expected.layers.iter().zip(rows).zip(&found.gradients)
        {
            let place = format!("{name} {precision:?} {layer}");
            assert_eq!(gradient.shape()[1..], shape[..], "{place}");
            let row: Vec<f64> = row.iter().map(|&v| f64::from(v)).collect();
            close(&place, &describe(gradient), &row, tolerance);
        }
        for (key, map) in &tensors {
            let Some(layer) = key.strip_prefix("cam|") else {
                continue;
            };
            let layer_idx = expected
                .layers
                .iter()
                .position(|(name, _)| name == layer)
                .unwrap();
            let layout = network.graph.layout(&layers[layer_idx].tensor);
            let of_image = |values: &ArrayD<f32>| -> Array3<f32> {
                let first = values.index_axis(Axis(0), 0).to_owned();
                gradcam::positions(first, layout).unwrap()
            };
            let found = gradcam::map(
                of_image(&found.activations[layer_idx]).view(),
                of_image(&found.gradients[layer_idx]).view(),
            )
            .unwrap();
            let values = |array: &mut dyn Iterator<Item = &f32>| -> Vec<f64> {
                array.map(|&v| f64::from(v)).collect()
            };
            assert_eq!(found.shape(), map.shape(), "{name} {layer}");
            let place = format!("{name} {precision:?} map at {layer}");
            close(
                &place,
                &values(&mut found.iter()),
                &values(&mut map.iter()),
                tolerance,
            );
        }
    }
}

/// Mean, population standard deviation and samples.
fn describe(array: &ArrayD<f32>) -> Vec<f64> {
    let values: Vec<f64> = array.iter().map(|&v| f64::from(v)).collect();
    let n = values.len();
    let mean = values.iter().sum::<f64>() / n as f64;
    let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n as f64;
    let samples: Vec<f64> = if n < N_SAMPLES {
        values
    } else {
        (0..N_SAMPLES).map(|k| values[k * n / N_SAMPLES]).collect()
    };
    [mean, variance.sqrt()].into_iter().chain(samples).collect()
}

fn close(place: &str, found: &[f64], expected: &[f64], tolerance: f64) {
    let scale = expected.iter().fold(0.0_f64, |m, v| m.max(v.abs()));
    for (idx, (found, expected)) in found.iter().zip(expected).enumerate() {
        let difference = (found - expected).abs();
        // A NaN must not pass.
        assert!(
            difference <= tolerance * scale,
            "{place}: value {idx} is {found}, expected {expected} (largest {scale})"
        );
    }
}

#[test]
fn forward_agrees_with_inference() {
    same_activations("squeezenet1_1", [64, 64], &BTreeMap::new());
}

#[test]
#[ignore = "slow: every architecture, run by the checks"]
fn every_architecture_agrees_with_inference() {
    architectures_agree_with_inference(0);
}

/// The other half, so that both run side by side.
#[test]
#[ignore = "slow: every architecture, run by the checks"]
fn every_other_architecture_agrees_with_inference() {
    architectures_agree_with_inference(1);
}

/// Every second architecture whose activations have a fixture, at the size of the fixture.
fn architectures_agree_with_inference(first: usize) {
    let fixtures = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/networks");
    let own = |architecture: &zoo::Architecture| architecture.family == "demo";
    let architectures = zoo::list().into_iter().filter(|a| !own(a));
    for architecture in architectures.skip(first).step_by(2) {
        let path = PathBuf::from(fixtures).join(format!("{}.safetensors", architecture.name));
        let header = header(&path, "network");
        let n_parameters: usize = header["state"]
            .as_object()
            .unwrap()
            .values()
            .map(|shape| -> usize {
                let extents: Vec<usize> = serde_json::from_value(shape.clone()).unwrap();
                extents.iter().product()
            })
            .sum();
        if n_parameters <= LARGEST {
            let size = serde_json::from_value(header["size"].clone()).unwrap();
            let scales = serde_json::from_value(header["gain"].clone()).unwrap();
            same_activations(&architecture.name, size, &scales);
        }
    }
}

/// Parameters of the largest network that is compared with inference.
const LARGEST: usize = 100_000_000;

const TOLERANCE: f64 = 1e-4;

fn same_activations(name: &str, size: [usize; 2], scales: &BTreeMap<String, f64>) {
    let network = scaled_network(name, size, scales);
    let layers = network.graph.default_layers();
    let differentiable = Differentiable::new(&network);
    let found = differentiable.forward(image(size).view(), &layers);
    let found = found.unwrap_or_else(|error| panic!("{name}: {error}"));
    let outputs: Vec<&str> = layers.iter().map(|layer| layer.tensor.as_str()).collect();
    let mut unique = outputs.clone();
    unique.sort_unstable();
    unique.dedup();
    let graph = network.graph.cut(&unique);
    let (_, mut executors) = executor::load(ExecutorChoice::Rten, &graph, 1).unwrap();
    let expected = executors[0].run(image(size).view()).unwrap();
    for ((layer, tensor), found) in layers.iter().zip(&outputs).zip(&found) {
        let idx = unique.iter().position(|name| name == tensor).unwrap();
        let expected = expected[idx].as_ref().unwrap();
        let place = format!("{name} {}", layer.name);
        assert_eq!(found.shape(), expected.shape(), "{place}");
        let values =
            |array: &ArrayD<f32>| -> Vec<f64> { array.iter().map(|&v| f64::from(v)).collect() };
        close(&place, &values(found), &values(expected), TOLERANCE);
    }
}

fn batch(size: [usize; 2], n: usize) -> Array4<f32> {
    let images: Vec<Array4<f32>> = (0..n)
        .map(|k| image(size).mapv(|v| v * (1.0 - 0.2 * k as f32)))
        .collect();
    let views: Vec<_> = images.iter().map(|image| image.view()).collect();
    concatenate(Axis(0), &views).unwrap()
}

#[test]
fn any_number_of_threads_gives_the_same_bits() {
    let size = [64, 64];
    let network = network("squeezenet1_1", size);
    let differentiable = Differentiable::new(&network);
    let layers = network.select(&["features.3*", "features.12"]).unwrap();
    let images = batch(size, 3);
    let with_threads = |n: usize| -> Gradients {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(n)
            .build()
            .unwrap();
        let gradients = || differentiable.gradients(images.view(), &layers, &Scalar::MaxClass);
        pool.install(gradients).unwrap()
    };
    let one = with_threads(1);
    assert_eq!(one, with_threads(3));
    // An image's numbers do not depend on the other images.
    let alone = images.slice(ndarray::s![1..2, .., .., ..]);
    let alone = differentiable
        .gradients(alone, &layers, &Scalar::MaxClass)
        .unwrap();
    assert_eq!(
        alone.gradients[0].index_axis(Axis(0), 0),
        one.gradients[0].index_axis(Axis(0), 1)
    );
}

#[test]
fn a_function_of_a_layer_is_differentiated() {
    let size = [64, 64];
    let network = network("squeezenet1_1", size);
    let differentiable = Differentiable::new(&network);
    let wanted = network.select(&["features.6", "features.12"]).unwrap();
    let of = &wanted[1];
    // Half the sum of squares: its derivative is the activation.
    let energy = Scalar::Function {
        layer: of,
        function: &|activation| {
            let sum: f64 = activation.iter().map(|&v| f64::from(v).powi(2)).sum();
            (sum / 2.0, activation.to_owned())
        },
    };
    let images = image(size);
    let found = differentiable
        .gradients(images.view(), &wanted, &energy)
        .unwrap();
    assert_eq!(found.gradients[1], found.activations[1]);
    assert!(found.classes.is_empty());
    let weights = found.activations[1].index_axis(Axis(0), 0).to_owned();
    let linear = Scalar::Linear {
        layer: of,
        weights: weights.view(),
    };
    let same = differentiable
        .gradients(images.view(), &wanted, &linear)
        .unwrap();
    assert_eq!(same.gradients, found.gradients);
    assert!((same.values[0] - 2.0 * found.values[0]).abs() < 1e-9 * same.values[0]);

    // The scalar of an early layer does not depend on a later one.
    let early = Scalar::Function {
        layer: &wanted[0],
        function: &|activation| (0.0, ArrayD::ones(activation.raw_dim())),
    };
    let found = differentiable
        .gradients(images.view(), &wanted, &early)
        .unwrap();
    assert!(found.gradients[1].iter().all(|&v| v == 0.0));
    assert!(found.gradients[0].iter().all(|&v| v == 1.0));
}

#[test]
fn what_does_not_fit_is_refused() {
    let size = [64, 64];
    let network = network("squeezenet1_1", size);
    let differentiable = Differentiable::new(&network);
    let layers = network.select(&["features.12"]).unwrap();
    let images = image(size);
    let fails = |images: Array4<f32>, scalar: Scalar<'_>| {
        differentiable
            .gradients(images.view(), &layers, &scalar)
            .unwrap_err()
    };
    let message = fails(images.clone(), Scalar::Class(1000)).to_string();
    assert!(
        message.contains("1000 classes (0 to 999), found target 1000"),
        "{message}"
    );
    let narrow = Array4::zeros((1, 1, 64, 64));
    assert!(matches!(
        fails(narrow, Scalar::MaxClass),
        LearnError::InputShape { .. }
    ));
    let tiny = Array4::zeros((1, 3, 2, 2));
    assert!(matches!(
        fails(tiny, Scalar::MaxClass),
        LearnError::Operation { .. }
    ));
    let weights = ArrayD::zeros(vec![3]);
    let wrong = Scalar::Linear {
        layer: &layers[0],
        weights: weights.view(),
    };
    assert!(matches!(
        fails(images.clone(), wrong),
        LearnError::ShapeMismatch { .. }
    ));
    let broken = images.mapv(|_| f32::NAN);
    assert!(matches!(
        fails(broken, Scalar::MaxClass),
        LearnError::NonFinite { .. }
    ));
}
