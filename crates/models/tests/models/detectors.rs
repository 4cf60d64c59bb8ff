//! Detectors with real weights against stored detections of another runtime.
//!
//! Expected values: `goldens/detectors_faces.json` in the data folder.

use std::path::Path;

use crate::common::{data, onnx_runtime};
use consilience_io::image::{self, RgbImage};
use consilience_io::{AnyArray, npy};
use consilience_models::detect::{BoxXyxy, DetectParams, Detection, DetectionModel, Detector};
use consilience_models::preprocess::Resize;
use consilience_models::{ExecutorChoice, Images, ModelError};
use serde_json::Value;

fn goldens(data: &Path) -> Value {
    let text = std::fs::read_to_string(data.join("goldens/detectors_faces.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn stored_picture(data: &Path, name: &str) -> RgbImage {
    let AnyArray::U8(pixels) = npy::read(data.join("goldens").join(name)).unwrap() else {
        panic!("pictures are bytes");
    };
    RgbImage {
        width: pixels.shape()[1],
        height: pixels.shape()[0],
        pixels: pixels.iter().copied().collect(),
    }
}

fn params(executor: ExecutorChoice) -> DetectParams {
    DetectParams {
        executor,
        n_threads: 2,
        ..DetectParams::default()
    }
}

fn executors(test: &str) -> Vec<ExecutorChoice> {
    let mut all = vec![ExecutorChoice::Rten];
    if onnx_runtime(test) {
        all.push(ExecutorChoice::OnnxRuntime);
    }
    all
}

/// The picture is the network's input already.
fn unframed(mut model: DetectionModel) -> DetectionModel {
    model.preprocessing.resize = Resize::Keep;
    model
}

fn edges(bounds: &BoxXyxy) -> [f64; 4] {
    [bounds.x_min, bounds.y_min, bounds.x_max, bounds.y_max]
}

/// Same things in the same order, scores and edges within the tolerances; edges outside of the
/// picture are clipped by us.
fn assert_same(found: &[Detection], expected: &Value, score: f64, pixels: f64, scale: f64) {
    let expected = expected.as_array().unwrap();
    assert_eq!(found.len(), expected.len(), "{found:?}");
    for (found, expected) in found.iter().zip(expected) {
        assert_eq!(found.class, expected["class"].as_str().unwrap());
        let difference = found.score - expected["score"].as_f64().unwrap();
        assert!(difference.abs() < score, "{found:?} {expected}");
        for (found, expected) in edges(&found.bounds)
            .into_iter()
            .zip(expected["box"].as_array().unwrap())
        {
            let difference = found * scale - expected.as_f64().unwrap();
            assert!(difference.abs() < pixels, "{found} {expected}");
        }
    }
}

#[test]
fn yolox_finds_in_the_stored_input_what_openvino_found() {
    let test = "yolox_finds_in_the_stored_input_what_openvino_found";
    let Some(data) = data(test) else { return };
    let model = unframed(DetectionModel::yolox(&data.join("yolox_nano/yolox_nano.onnx")).unwrap());
    let picture = stored_picture(&data, "yolox_in_dog.npy");
    for executor in executors(test) {
        let mut detector = Detector::prepare(&model, &params(executor)).unwrap();
        let found = detector.detect(&picture).unwrap();
        // The photograph has 768 × 576 pixels; boxes are stated with one decimal.
        assert_same(
            &found,
            &goldens(&data)["yolox_nano"]["dog"],
            2e-5,
            0.11,
            768.0 / 416.0,
        );
    }
}

#[test]
fn yolox_finds_in_photographs_what_openvino_found() {
    let test = "yolox_finds_in_photographs_what_openvino_found";
    let Some(data) = data(test) else { return };
    let names = ["dog", "person", "horses", "giraffe", "eagle"];
    let paths = names.map(|name| data.join(format!("yolo_fastest/photos/{name}.jpg")));
    let model = DetectionModel::yolox(&data.join("yolox_nano/yolox_nano.onnx")).unwrap();
    let mut detector = Detector::prepare(&model, &params(ExecutorChoice::Auto)).unwrap();
    let mut seen = Vec::new();
    detector
        .run(Images::Files(&paths), |image_idx, picture, found| {
            seen.push(image_idx);
            let expected = &goldens(&data)["yolox_nano"][names[image_idx]];
            assert_same(&found, expected, 1e-2, 3.0, 1.0);
            for found in &found {
                assert_eq!(
                    found.bounds.clipped(picture.width, picture.height),
                    found.bounds
                );
            }
            Ok::<(), ModelError>(())
        })
        .unwrap();
    assert_eq!(seen, [0, 1, 2, 3, 4]);
}

#[test]
fn fastestdet_finds_dog_bicycle_and_car() {
    let test = "fastestdet_finds_dog_bicycle_and_car";
    let Some(data) = data(test) else { return };
    let model = DetectionModel::fastest_det(&data.join("fastestdet/FastestDet.onnx")).unwrap();
    let stored = unframed(model.clone());
    let picture = stored_picture(&data, "fastestdet_in_dog.npy");
    let golden = &goldens(&data)["fastestdet_dog"];
    let (row, column) = (4.0, 17.0);
    assert_eq!(
        golden["argmax_cell_row_col"],
        serde_json::json!([row as i32, column as i32])
    );
    for executor in executors(test) {
        let mut detector = Detector::prepare(&stored, &params(executor)).unwrap();
        let best = detector.detect(&picture).unwrap().remove(0);
        // The likeliest cell of 16 pixels holds the car; its box is centred within a cell of it.
        assert_eq!(best.class, golden["class_at_argmax"].as_str().unwrap());
        let [x, y] = best.bounds.centre();
        assert!(
            (x / 16.0 - column).abs() < 1.5 && (y / 16.0 - row).abs() < 1.5,
            "{best:?}"
        );
    }
    let dog = image::read(data.join("yolo_fastest/photos/dog.jpg")).unwrap();
    let lenient = DetectParams {
        score: Some(0.4),
        ..params(ExecutorChoice::Auto)
    };
    let found = Detector::prepare(&model, &lenient)
        .unwrap()
        .detect(&dog)
        .unwrap();
    for (class, expected) in [
        ("dog", BoxXyxy::new(133.1, 207.0, 324.6, 542.3)),
        ("car", BoxXyxy::new(466.7, 78.2, 691.5, 171.5)),
        ("bicycle", BoxXyxy::new(45.6, 131.9, 571.7, 430.6)),
    ] {
        let best = found.iter().find(|one| one.class == class).expect(class);
        assert!(best.bounds.iou(&expected) > 0.6, "{best:?}");
    }
}

#[test]
fn a_network_that_is_another_detector_is_refused() {
    let test = "a_network_that_is_another_detector_is_refused";
    let Some(data) = data(test) else { return };
    let yolox = data.join("yolox_nano/yolox_nano.onnx");
    let wrong = DetectionModel::fastest_det(&yolox).unwrap();
    let picture = stored_picture(&data, "yolox_in_dog.npy");
    let mut detector = Detector::prepare(&wrong, &DetectParams::default()).unwrap();
    let message = detector.detect(&picture).unwrap_err().to_string();
    assert!(message.contains("no FastestDet"), "{message}");
    assert!(message.contains("[1, 3549, 85]"), "{message}");

    let model = DetectionModel::yolox(&yolox).unwrap();
    for (score, iou) in [
        (0.0, 0.5),
        (1.5, 0.5),
        (f64::NAN, 0.5),
        (0.5, -0.1),
        (0.5, f64::NAN),
    ] {
        let params = DetectParams {
            score: Some(score),
            iou: Some(iou),
            ..DetectParams::default()
        };
        assert!(Detector::prepare(&model, &params).is_err());
    }
}
