//! The small ResNets with real weights against stored outputs of PyTorch.
//!
//! Expected values: `goldens/converted_models.json` in the data folder, whose pictures are stored in
//! `goldens/converted_in_cifar_32.npy`.

use std::path::Path;

use crate::common::{collect, data, onnx_runtime, relative_difference};
use consilience_io::{AnyArray, image::RgbImage, npy};
use consilience_models::{ExecutorChoice, ExtractParams, Images, Network};
use ndarray::{Array2, Axis, s};

const TOLERANCE: f32 = 1e-4;

fn pictures(data: &Path) -> Vec<RgbImage> {
    let AnyArray::U8(pixels) = npy::read(data.join("goldens/converted_in_cifar_32.npy")).unwrap()
    else {
        panic!("pictures are bytes");
    };
    pixels
        .axis_iter(Axis(0))
        .map(|picture| RgbImage {
            width: 32,
            height: 32,
            pixels: picture.iter().copied().collect(),
        })
        .collect()
}

fn rows(value: &serde_json::Value) -> Array2<f32> {
    let rows: Vec<Vec<f32>> = serde_json::from_value(value.clone()).unwrap();
    let (n, width) = (rows.len(), rows[0].len());
    Array2::from_shape_vec((n, width), rows.concat()).unwrap()
}

#[test]
fn both_depths_agree_with_torch() {
    let test = "both_depths_agree_with_torch";
    let Some(data) = data(test) else { return };
    let text = std::fs::read_to_string(data.join("goldens/converted_models.json")).unwrap();
    let goldens: serde_json::Value = serde_json::from_str(&text).unwrap();
    let pictures = pictures(&data);
    let mut executors = vec![ExecutorChoice::Rten];
    if onnx_runtime(test) {
        executors.push(ExecutorChoice::OnnxRuntime);
    }
    for name in ["resnet20_cifar10", "resnet56_cifar10"] {
        let weights = data
            .join("resnet_cifar10")
            .join(format!("{name}.safetensors"));
        let network = Network::from_zoo(name, &weights).unwrap();
        let golden = &goldens["models"][name];
        for &executor in &executors {
            let params = ExtractParams {
                executor,
                ..ExtractParams::default()
            };
            let layers = network.select(&["layer3", "linear"]).unwrap();
            let found = collect(&network, &layers, Images::Decoded(&pictures), &params).unwrap();
            let [(_, maps), (_, logits)] = &found[..] else {
                panic!("two layers");
            };
            let n = maps.nrows();
            let maps = maps.clone().into_shape_with_order((n, 64, 64)).unwrap();
            let means = maps.slice(s![.., ..8, ..]).mean_axis(Axis(2)).unwrap();
            for (what, found, expected) in [
                ("layer3", &means, "layer3_channel_mean_first8"),
                ("logits", logits, "logits"),
            ] {
                let difference = relative_difference(found, &rows(&golden[expected]));
                assert!(
                    difference < TOLERANCE,
                    "{name} {executor} {what}: {difference}"
                );
            }
        }
    }
}
