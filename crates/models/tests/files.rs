//! Networks of other exporters, from files, on both executors.

mod common;

use common::{collect, data, onnx_runtime, relative_difference};
use consilience_io::image::RgbImage;
use consilience_models::{ExecutorChoice, ExtractParams, Extractor, Images, Network};

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
