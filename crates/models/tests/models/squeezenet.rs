//! SqueezeNet 1.1 with real weights against stored outputs of another runtime.
//!
//! Expected values: `goldens/converted_models.json`, `goldens/converted_squeezenet1_1_*.npy` (torch)
//! in the data folder.

use std::path::{Path, PathBuf};

use crate::common::{collect, data, onnx_runtime, relative_difference};
use consilience_io::{AnyArray, image, image::RgbImage, npy};
use consilience_models::preprocess::Resize;
use consilience_models::{
    ExecutorChoice, ExtractParams, Extractor, Images, ModelError, Network, Pool, Preprocessing,
    onnx,
};
use ndarray::{Array2, ArrayD, Axis};

const TOLERANCE: f32 = 1e-4;

/// Both ways in, without resizing: the stored pictures have the network's size.
fn networks(data: &Path) -> [(&'static str, Network); 2] {
    let folder = data.join("squeezenet1_1");
    let built = Network::from_zoo("squeezenet1_1", &folder.join("squeezenet1_1.safetensors"));
    let read = Network::from_onnx(&folder.join("squeezenet1_1.onnx"));
    [("state dict", built), ("onnx", read)].map(|(way, network)| {
        let mut network = network.unwrap();
        network.preprocessing.resize = Resize::Keep;
        (way, network)
    })
}

fn executors(test: &str) -> Vec<ExecutorChoice> {
    let mut all = vec![ExecutorChoice::Rten];
    if onnx_runtime(test) {
        all.push(ExecutorChoice::OnnxRuntime);
    }
    all
}

/// The stored 224 × 224 pictures that the expected values were computed from.
fn inputs(data: &Path) -> Vec<RgbImage> {
    let path = data.join("goldens/converted_in_224.npy");
    let AnyArray::U8(pixels) = npy::read(path).unwrap() else {
        panic!("pictures are bytes");
    };
    pixels
        .axis_iter(Axis(0))
        .map(|picture| RgbImage {
            width: 224,
            height: 224,
            pixels: picture.iter().copied().collect(),
        })
        .collect()
}

fn golden(data: &Path, name: &str) -> Array2<f32> {
    let path = data.join(format!("goldens/converted_squeezenet1_1_{name}.npy"));
    let array: ArrayD<f64> = npy::read(path).unwrap().into_f64();
    let n = array.shape()[0];
    let values: Vec<f32> = array.iter().map(|v| *v as f32).collect();
    Array2::from_shape_vec((n, values.len() / n), values).unwrap()
}

#[test]
fn both_ways_in_and_both_executors_agree_with_torch_layer_by_layer() {
    let test = "both_ways_in_and_both_executors_agree_with_torch_layer_by_layer";
    let Some(data) = data(test) else { return };
    let pictures = inputs(&data);
    let images = Images::Decoded(&pictures);
    let relu1 = golden(&data, "features0_relu_mean");
    let fire9 = golden(&data, "features12_mean");
    let logits = golden(&data, "logits");
    let mut runs = Vec::new();
    for (way, network) in networks(&data) {
        for executor in executors(test) {
            let params = ExtractParams {
                executor,
                n_threads: 2,
                ..ExtractParams::default()
            };
            let layers = network.layers();
            let found = collect(&network, layers, images, &params).unwrap();
            let of = |name: &str| {
                let (_, rows) = found.iter().find(|(n, _)| n == name).expect(name);
                rows.clone()
            };
            let means = |name: &str| {
                let rows = of(name);
                let channels = if name == "features.1" { 64 } else { 512 };
                let n_positions = rows.ncols() / channels;
                let maps = rows
                    .into_shape_with_order((3, channels, n_positions))
                    .unwrap();
                maps.mapv(f64::from)
                    .mean_axis(Axis(2))
                    .unwrap()
                    .mapv(|v| v as f32)
            };
            for (name, found, expected) in [
                ("features.1", means("features.1"), &relu1),
                ("features.12", means("features.12"), &fire9),
                ("classifier", of("classifier"), &logits),
            ] {
                let difference = relative_difference(&found, expected);
                assert!(
                    difference < TOLERANCE,
                    "{way} {executor} {name}: {difference}"
                );
            }
            runs.push((way, executor, found));
        }
    }
    let (_, _, reference) = &runs[0];
    assert_eq!(reference.len(), 67);
    for (way, executor, found) in &runs[1..] {
        let mut n_compared = 0;
        for (name, expected) in reference {
            if let Some((_, rows)) = found.iter().find(|(n, _)| n == name) {
                let difference = relative_difference(rows, expected);
                assert!(
                    difference < TOLERANCE,
                    "{way} {executor} {name}: {difference}"
                );
                n_compared += 1;
            } else {
                // Dropout leaves no trace in a file.
                assert_eq!((*way, name.as_str()), ("onnx", "classifier.0"));
            }
        }
        assert!(n_compared >= 66);
    }
}

#[test]
fn threads_change_no_byte_of_any_layer() {
    let test = "threads_change_no_byte_of_any_layer";
    let Some(data) = data(test) else { return };
    let pictures = inputs(&data);
    let images = Images::Decoded(&pictures);
    let [(_, network), _] = networks(&data);
    for executor in executors(test) {
        let run = |n_threads| {
            let params = ExtractParams {
                executor,
                n_threads,
                batch: 1,
                ..ExtractParams::default()
            };
            collect(&network, network.layers(), images, &params).unwrap()
        };
        assert!(run(1) == run(2), "{executor}");
    }
}

#[test]
fn aliases_are_delivered_once() {
    let Some(data) = data("aliases_are_delivered_once") else {
        return;
    };
    let pictures = inputs(&data);
    let [(_, network), _] = networks(&data);
    let layers = network
        .select(&["features.12", "features", "classifier.0"])
        .unwrap();
    let params = ExtractParams {
        executor: ExecutorChoice::Rten,
        pool: Pool::Mean,
        batch: 3,
        ..ExtractParams::default()
    };
    let extractor = Extractor::prepare(&network, &layers, &params).unwrap();
    let aliases: Vec<_> = extractor
        .layers
        .iter()
        .map(|layer| layer.alias_of)
        .collect();
    assert_eq!(aliases, [None, Some(0), Some(0)]);
    assert_eq!(extractor.layers[2].shape, [512, 13, 13]);
    assert_eq!(extractor.layers[2].n_features, 512);
    let mut delivered = Vec::new();
    extractor
        .run(
            Images::Decoded(&pictures),
            |block| {
                delivered.push(block.layer_idx);
                Ok::<(), ModelError>(())
            },
            |_| {},
        )
        .unwrap();
    assert_eq!(delivered, [0]);
}

/// Photographs come out of resizing and cropping as the stored bytes, which torchvision's way made.
#[test]
fn preprocessing_gives_torchvisions_bytes() {
    let Some(data) = data("preprocessing_gives_torchvisions_bytes") else {
        return;
    };
    let expected = inputs(&data);
    let imagenet = Preprocessing::imagenet();
    for (photo, expected) in ["both.png", "chelsea.png"].into_iter().zip(&expected) {
        let path: PathBuf = data.join("sample_photos").join(photo);
        let found = imagenet.apply(&image::read(path).unwrap()).unwrap();
        let keep = Preprocessing {
            resize: Resize::Keep,
            crop: None,
            ..imagenet.clone()
        };
        assert!(found == keep.apply(expected).unwrap(), "{photo}");
    }
}

#[test]
fn damaged_files_are_errors() {
    let Some(data) = data("damaged_files_are_errors") else {
        return;
    };
    let bytes = std::fs::read(data.join("squeezenet1_1/squeezenet1_1.onnx")).unwrap();
    // Weights dominate the file; the structure sits at its ends.
    for end in (0..4096).chain((4096..bytes.len()).step_by(250_007)) {
        assert!(
            Network::from_onnx_bytes(bytes[..end].to_vec()).is_err(),
            "{end}"
        );
    }
    for at in (0..6000).step_by(3) {
        for flip in [0x01, 0x80, 0xFF] {
            let mut damaged = bytes.clone();
            damaged[at] ^= flip;
            // It may still be a network; it must not be a panic.
            let _ = onnx::read(damaged.into());
        }
    }
}
