//! Networks of other exporters, from files, on both executors.

use crate::common::{collect, data, onnx_runtime, relative_difference};
use consilience_io::AnyArray;
use consilience_io::image::RgbImage;
use consilience_io::npy;
use consilience_models::preprocess::{Preprocessing, Range, Resize};
use consilience_models::{ExecutorChoice, ExtractParams, Extractor, Images, Network};
use ndarray::Axis;

#[test]
fn the_executors_agree_on_every_layer_of_other_networks() {
    let test = "the_executors_agree_on_every_layer_of_other_networks";
    let Some(data) = data(test) else { return };
    if !onnx_runtime(test) {
        return;
    }
    let pixels = (0..120 * 90 * 3).map(|i: u32| (i * 7919 % 251) as u8);
    let picture = [RgbImage {
        width: 120,
        height: 90,
        pixels: pixels.collect(),
    }];
    for file in [
        "mobilenet_tflite/mobilenet_v2.onnx",
        "face_api/face_expression.onnx",
        "face_openvino/face_reid_0095.onnx",
        "fastestdet/FastestDet.onnx",
    ] {
        let network = Network::from_onnx(&data.join(file)).unwrap();
        let layers = network.select::<&str>(&[]).unwrap();
        let run = |executor| {
            let params = ExtractParams {
                executor,
                ..ExtractParams::default()
            };
            let extractor = Extractor::prepare(&network, &layers, &params).unwrap();
            let left_out = extractor.left_out.clone();
            let rows = collect(&network, &layers, Images::Decoded(&picture), &params).unwrap();
            (left_out, rows)
        };
        let (left_out, with_rten) = run(ExecutorChoice::Rten);
        let (_, with_onnx_runtime) = run(ExecutorChoice::OnnxRuntime);
        assert!(with_rten.len() > 10, "{file}: {left_out:?}");
        assert_eq!(with_rten.len(), with_onnx_runtime.len(), "{file}");
        for ((layer, a), (_, b)) in with_rten.iter().zip(&with_onnx_runtime) {
            let difference = relative_difference(a, b);
            assert!(difference < 1e-4, "{file} {layer}: {difference}");
        }
    }
}

/// Expected values: `goldens/converted_mobilenet_v2_logits.npy` (onnxruntime 1.31, see
/// `goldens/converted_models.json`).
#[test]
fn mobilenet_v2_gives_its_logits() {
    let test = "mobilenet_v2_gives_its_logits";
    let Some(data) = data(test) else { return };
    let mut network = Network::from_onnx(&data.join("mobilenet_tflite/mobilenet_v2.onnx")).unwrap();
    network.preprocessing = Preprocessing {
        resize: Resize::Keep,
        crop: None,
        range: Range::Bytes,
        mean: [128.0; 3],
        std: [128.0; 3],
        ..Preprocessing::imagenet()
    };
    let input = npy::read(data.join("goldens/converted_in_224.npy")).unwrap();
    let AnyArray::U8(pixels) = input else {
        panic!("the images are bytes");
    };
    let images: Vec<RgbImage> = pixels
        .axis_iter(Axis(0))
        .map(|image| RgbImage {
            height: image.shape()[0],
            width: image.shape()[1],
            pixels: image.iter().copied().collect(),
        })
        .collect();
    let logits = npy::read(data.join("goldens/converted_mobilenet_v2_logits.npy")).unwrap();
    let logits = logits.into_f64();
    let output = network.graph.outputs[0].clone();
    let layers = network.select(&[output]).unwrap();
    let mut choices = vec![ExecutorChoice::Rten];
    if onnx_runtime(test) {
        choices.push(ExecutorChoice::OnnxRuntime);
    }
    for executor in choices {
        let params = ExtractParams {
            executor,
            ..ExtractParams::default()
        };
        let found = collect(&network, &layers, Images::Decoded(&images), &params).unwrap();
        assert_eq!(found[0].1.shape(), logits.shape());
        for (a, b) in found[0].1.iter().zip(&logits) {
            assert!((f64::from(*a) - b).abs() < 1e-3, "{executor}: {a} and {b}");
        }
    }
}
