//! Face detectors, landmarks, alignment and networks of faces against stored outputs of peers.
//!
//! Expected values: `goldens/{converted_models,detectors_faces,faces}.json` and `goldens/*.npy` in the
//! data folder; `fixtures/faces/align.npz`, computed by `fixtures/generate/faces.py`.

use std::path::Path;

use crate::common::{data, onnx_runtime};
use consilience_io::image::{self, RgbImage};
use consilience_io::{AnyArray, npy, npz};
use consilience_models::ExecutorChoice;
use consilience_models::detect::faces::{
    self, FaceDetectorKind, FaceFinder, FaceNetwork, LandmarkNetwork, Similarity, Template, align,
    cosine,
};
use consilience_models::detect::{BoxXyxy, DetectParams, Detection, Detector};
use consilience_models::preprocess::{ChannelOrder, Resize};
use ndarray::{ArrayD, ArrayViewD, Axis};
use serde_json::Value;

fn json(data: &Path, name: &str) -> Value {
    let text = std::fs::read_to_string(data.join("goldens").join(name)).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn picture(pixels: &ArrayViewD<'_, u8>) -> RgbImage {
    RgbImage {
        width: pixels.shape()[1],
        height: pixels.shape()[0],
        pixels: pixels.iter().copied().collect(),
    }
}

/// A stored picture, or several of one size.
fn stored(data: &Path, name: &str) -> Vec<RgbImage> {
    let AnyArray::U8(pixels) = npy::read(data.join("goldens").join(name)).unwrap() else {
        panic!("pictures are bytes");
    };
    match pixels.ndim() {
        3 => vec![picture(&pixels.view())],
        _ => pixels.axis_iter(Axis(0)).map(|one| picture(&one)).collect(),
    }
}

fn numbers(value: &Value) -> Vec<f64> {
    serde_json::from_value(value.clone()).unwrap()
}

fn executors(test: &str) -> Vec<ExecutorChoice> {
    let mut all = vec![ExecutorChoice::Rten];
    if onnx_runtime(test) {
        all.push(ExecutorChoice::OnnxRuntime);
    }
    all
}

fn assert_close(found: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        assert!((found - expected).abs() < tolerance, "{found} {expected}");
    }
}

/// Edges as fractions of a size.
fn fractions(bounds: &BoxXyxy, [width, height]: [f64; 2]) -> [f64; 4] {
    let BoxXyxy {
        x_min,
        y_min,
        x_max,
        y_max,
    } = *bounds;
    [x_min / width, y_min / height, x_max / width, y_max / height]
}

fn detect(
    path: &Path,
    executor: ExecutorChoice,
    resize: Option<Resize>,
    picture: &RgbImage,
) -> Vec<Detection> {
    let mut model = faces::detector(path, None).unwrap();
    if let Some(resize) = resize {
        model.preprocessing.resize = resize;
    }
    let params = DetectParams {
        executor,
        ..DetectParams::default()
    };
    Detector::prepare(&model, &params)
        .unwrap()
        .detect(picture)
        .unwrap()
}

#[test]
fn detectors_find_the_faces_that_onnxruntime_found() {
    let test = "detectors_find_the_faces_that_onnxruntime_found";
    let Some(data) = data(test) else { return };
    let golden = json(&data, "converted_models.json");
    for (name, file, tolerance) in [
        (
            "face_detection_0004",
            "face_openvino/face_detection_0004.onnx",
            0.01,
        ),
        (
            "tiny_face_detector",
            "face_api/tiny_face_detector.onnx",
            // Theirs is padded before it is resized, ours afterwards.
            0.03,
        ),
    ] {
        let expected = golden["models"][name]["detections"].as_object().unwrap();
        for (photograph, expected) in expected {
            let picture = image::read(data.join(photograph)).unwrap();
            let found = detect(&data.join(file), ExecutorChoice::Auto, None, &picture);
            let [width, height] = [picture.width as f64, picture.height as f64];
            let size = match name {
                "tiny_face_detector" => [width.max(height); 2],
                _ => [width, height],
            };
            let expected = expected.as_array().unwrap();
            assert_eq!(
                found.len(),
                expected.len(),
                "{name} {photograph}: {found:?}"
            );
            for (found, expected) in found.iter().zip(expected) {
                assert_close(
                    &[found.score],
                    &[expected["score"].as_f64().unwrap()],
                    tolerance,
                );
                let edges = fractions(&found.bounds, size);
                assert_close(&edges, &numbers(&expected["box"]), tolerance);
            }
        }
    }
}

#[test]
fn detectors_agree_exactly_on_stored_inputs() {
    let test = "detectors_agree_exactly_on_stored_inputs";
    let Some(data) = data(test) else { return };
    let ssd = &json(&data, "converted_models.json")["models"]["face_detection_0004"]["detections"]
        ["sample_photos/astronaut.png"][0];
    let ultra = &json(&data, "detectors_faces.json")["ultraface_astronaut"];
    for executor in executors(test) {
        let file = data.join("face_openvino/face_detection_0004.onnx");
        let input = &stored(&data, "converted_in_astronaut_300.npy")[0];
        let found = detect(&file, executor, Some(Resize::Keep), input);
        assert_close(&[found[0].score], &[ssd["score"].as_f64().unwrap()], 1e-4);
        let edges = fractions(&found[0].bounds, [300.0; 2]);
        assert_close(&edges, &numbers(&ssd["box"]), 1e-4);

        let file = data.join("ultraface/version-RFB-320.onnx");
        let input = &stored(&data, "ultraface_in_astronaut.npy")[0];
        let found = detect(&file, executor, Some(Resize::Keep), input);
        assert_close(
            &[found[0].score],
            &[ultra["best_score"].as_f64().unwrap()],
            1e-4,
        );
        let edges = fractions(&found[0].bounds, [320.0, 240.0]);
        assert_close(&edges, &numbers(&ultra["best_box_normalised"]), 1e-4);
    }
}

#[test]
fn networks_of_faces_give_the_stored_numbers() {
    let test = "networks_of_faces_give_the_stored_numbers";
    let Some(data) = data(test) else { return };
    let golden = &json(&data, "converted_models.json")["models"];
    let folder = data.join("face_openvino");
    for executor in executors(test) {
        let mut landmarks =
            LandmarkNetwork::prepare(&folder.join("landmarks_0009.onnx"), executor).unwrap();
        let expected = golden["landmarks_0009"]["landmarks"].as_array().unwrap();
        for (face, expected) in stored(&data, "converted_in_face_48.npy")
            .iter()
            .zip(expected)
        {
            let found = landmarks.find_in(face).unwrap();
            assert_close(found.as_flattened(), &numbers(expected), 1e-4);
        }

        let mut identity = FaceNetwork::prepare(
            &folder.join("face_reid_0095.onnx"),
            ChannelOrder::Bgr,
            executor,
        )
        .unwrap();
        let path = data.join("goldens/converted_face_reid_0095_embedding.npy");
        let expected: ArrayD<f64> = npy::read(path).unwrap().into_f64();
        let mut embeddings = Vec::new();
        let inputs = stored(&data, "converted_in_face_128.npy");
        for (face, expected) in inputs.iter().zip(expected.outer_iter()) {
            let embedding = identity.run(face).unwrap().swap_remove(0);
            assert_close(
                &embedding,
                &expected.iter().copied().collect::<Vec<_>>(),
                1e-3,
            );
            embeddings.push(embedding);
        }
        let cosines = [(0, 1), (0, 2), (1, 2)].map(|(a, b)| cosine(&embeddings[a], &embeddings[b]));
        assert_close(
            &cosines,
            &numbers(&golden["face_reid_0095"]["cosine_12_13_23"]),
            1e-4,
        );

        let mut expression = FaceNetwork::prepare(
            &data.join("face_api/face_expression.onnx"),
            ChannelOrder::Rgb,
            executor,
        )
        .unwrap();
        let golden = &golden["face_expression"];
        for (idx, face) in stored(&data, "converted_in_face_112.npy")
            .iter()
            .enumerate()
        {
            let outputs = expression.run(face).unwrap();
            assert_close(&outputs[0], &numbers(&golden["probabilities"][idx]), 1e-4);
            assert_close(&outputs[1], &numbers(&golden["logits"][idx]), 1e-3);
        }
    }
}

#[test]
fn a_face_and_its_mirror_image_are_the_same_person() {
    let test = "a_face_and_its_mirror_image_are_the_same_person";
    let Some(data) = data(test) else { return };
    let folder = data.join("face_openvino");
    let model = faces::detector(&folder.join("face_detection_0004.onnx"), None).unwrap();
    let mut finder = FaceFinder {
        detector: Detector::prepare(&model, &DetectParams::default()).unwrap(),
        landmarks: LandmarkNetwork::prepare(
            &folder.join("landmarks_0009.onnx"),
            ExecutorChoice::Auto,
        )
        .unwrap(),
        template: Template::reidentification(),
    };
    let mut identity = FaceNetwork::prepare(
        &folder.join("face_reid_0095.onnx"),
        ChannelOrder::Bgr,
        ExecutorChoice::Auto,
    )
    .unwrap();
    let mut embeddings = Vec::new();
    for name in ["1.jpg", "2.jpg", "3.jpg"] {
        let face = image::read(data.join("omi_faces/images").join(name)).unwrap();
        let rows = face.pixels.chunks_exact(face.width * 3);
        let mirrored = RgbImage {
            pixels: rows
                .flat_map(|row| row.rchunks_exact(3).flatten().copied())
                .collect(),
            ..face.clone()
        };
        embeddings.push([face, mirrored].map(|picture| {
            let found = finder.find(&picture).unwrap();
            let [one] = &found[..] else {
                panic!("{name}: {} faces", found.len());
            };
            // The eyes lie above the mouth, the left one at the left, all within the picture.
            let [left, right, nose, mouth, _] = one.landmarks;
            assert!(left[0] < right[0] && left[1] < nose[1] && nose[1] < mouth[1]);
            assert_eq!((one.aligned.width, one.aligned.height), (128, 128));
            identity.run(&one.aligned).unwrap().swap_remove(0)
        }));
    }
    for (idx, [face, mirrored]) in embeddings.iter().enumerate() {
        assert!(cosine(face, mirrored) > 0.8, "{}", cosine(face, mirrored));
        let [other, _] = &embeddings[(idx + 1) % 3];
        assert!(cosine(face, other) < 0.4, "{}", cosine(face, other));
    }
}

#[test]
fn faces_are_aligned_as_scikit_image_and_opencv_align_them() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../fixtures/faces/align.npz"
    );
    let bytes = |name: &str| match npz::read(path, Some(name)).unwrap() {
        AnyArray::U8(values) => values,
        other => panic!("{other:?}"),
    };
    let floats = |name: &str| npz::read(path, Some(name)).unwrap().into_f64();
    let original = picture(&bytes("picture").view());
    let (skimage, opencv) = (bytes("skimage"), bytes("opencv"));
    let template = Template::arc_face();
    for (case, points) in floats("landmarks").outer_iter().enumerate() {
        let points: Vec<f64> = points.iter().copied().collect();
        let landmarks: faces::Landmarks = points.as_chunks::<2>().0.try_into().unwrap();
        let fit = Similarity::fit(&landmarks, &template.points).unwrap();
        let matrix = [fit.a, -fit.b, fit.t[0], fit.b, fit.a, fit.t[1]];
        let expected: Vec<f64> = floats("matrix")
            .index_axis(Axis(0), case)
            .iter()
            .copied()
            .collect();
        assert_close(&matrix, &expected, 1e-9);

        let aligned = align(&original, &landmarks, &template).unwrap();
        let difference = |peer: &ArrayD<u8>| -> Vec<u8> {
            let peer = peer.index_axis(Axis(0), case);
            let pairs = aligned.pixels.iter().zip(peer.iter());
            pairs.map(|(a, b)| a.abs_diff(*b)).collect()
        };
        assert!(
            difference(&skimage).into_iter().all(|levels| levels <= 1),
            "case {case}"
        );
        assert!(
            difference(&opencv).into_iter().all(|levels| levels <= 1),
            "case {case}"
        );
    }
}

#[test]
fn other_networks_are_no_face_detectors() {
    let test = "other_networks_are_no_face_detectors";
    let Some(data) = data(test) else { return };
    let message = |file: &str, kind| {
        faces::detector(&data.join(file), kind)
            .unwrap_err()
            .to_string()
    };
    let reid = "face_openvino/face_reid_0095.onnx";
    assert!(message(reid, None).contains("128 × 128"));
    assert!(message(reid, Some(FaceDetectorKind::Ssd)).contains("embedding"));
    let mut reid = LandmarkNetwork::prepare(&data.join(reid), ExecutorChoice::Rten).unwrap();
    let face = &stored(&data, "converted_in_face_48.npy")[0];
    let error = reid.find_in(face).unwrap_err().to_string();
    assert!(error.contains("256, expected 10"), "{error}");
}
