//! Darknet networks against PyTorch.
//!
//! Expected values: `fixtures/darknet/`, computed by `fixtures/generate/darknet.py` (torch 2.13).

use std::path::Path;

use crate::common::{data, onnx_runtime};
use consilience_io::{npz, weights::darknet as darknet_weights};
use consilience_models::darknet::{self, CfgError, Darknet};
use consilience_models::detect::{
    BoxXyxy, DetectParams, DetectionModel, Detector, DetectorName, classes,
};
use consilience_models::{ExecutorChoice, Images, ModelError, executor};
use ndarray::{ArrayD, Ix4};
use proptest::prelude::*;

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/darknet");

fn executors(test: &str) -> Vec<ExecutorChoice> {
    let mut all = vec![ExecutorChoice::Rten];
    if onnx_runtime(test) {
        all.push(ExecutorChoice::OnnxRuntime);
    }
    all
}

#[test]
fn every_kind_of_layer_computes_what_torch_computes() {
    let test = "every_kind_of_layer_computes_what_torch_computes";
    let folder = Path::new(FIXTURES);
    let network = Darknet::read(&folder.join("layers.cfg")).unwrap();
    let weights = darknet_weights::read(folder.join("layers.weights")).unwrap();
    let mut graph = network.with_weights(&weights).unwrap();
    let expected = folder.join("layers.npz");
    let array = |name: &str| -> ArrayD<f32> {
        let values = npz::read(&expected, Some(name)).unwrap().into_f64();
        values.mapv(|value| value as f32)
    };
    let layers = graph.select(&["?", "??"]).unwrap();
    assert_eq!(layers.len(), 16, "each layer has its number");
    // A layer that does nothing has the tensor of another.
    let mut tensors: Vec<&str> = layers.iter().map(|layer| layer.tensor.as_str()).collect();
    tensors.sort_unstable();
    tensors.dedup();
    graph = graph.cut(&tensors);
    let input = array("input").into_dimensionality::<Ix4>().unwrap();
    for choice in executors(test) {
        let (_, mut executors) = executor::load(choice, &graph, 1).unwrap();
        let found = executors[0].run(input.view()).unwrap();
        for layer in &layers {
            let at = tensors.binary_search(&layer.tensor.as_str()).unwrap();
            let (found, expected) = (found[at].as_ref().expect("floats"), array(&layer.name));
            assert_eq!(found.shape(), expected.shape(), "layer {}", layer.name);
            let largest = expected.iter().fold(0.0_f32, |m, v| m.max(v.abs()));
            for (found, expected) in found.iter().zip(expected.iter()) {
                let difference = (found - expected).abs();
                assert!(
                    difference <= 1e-5 * largest,
                    "layer {} {choice}: {found} {expected}",
                    layer.name
                );
            }
        }
    }
    let [head] = &network.heads()[..] else {
        panic!("one [yolo] layer");
    };
    assert_eq!(head.anchors, [[8.0, 9.0], [16.0, 12.0]]);
    assert_eq!((head.n_classes, head.scale_x_y), (2, 1.05));
}

#[test]
fn yolo_fastest_finds_in_photographs_what_torch_finds() {
    let test = "yolo_fastest_finds_in_photographs_what_torch_finds";
    let Some(data) = data(test) else { return };
    let folder = data.join("yolo_fastest");
    let golden = std::fs::read_to_string(Path::new(FIXTURES).join("yolo_fastest.json")).unwrap();
    let golden: serde_json::Value = serde_json::from_str(&golden).unwrap();
    let photographs = ["dog", "eagle", "giraffe", "horses", "person"];
    let paths = photographs.map(|name| folder.join(format!("photos/{name}.jpg")));
    for name in ["yolo-fastest-1.1", "yolo-fastest-1.1-xl"] {
        let network = Darknet::read(&folder.join(format!("{name}.cfg"))).unwrap();
        let weights = folder.join(format!("{name}.weights"));
        let model = DetectionModel::darknet(&network, &weights, classes::coco()).unwrap();
        let params = DetectParams {
            score: Some(golden["threshold"].as_f64().unwrap()),
            iou: Some(golden["iou"].as_f64().unwrap()),
            n_threads: 2,
            ..DetectParams::default()
        };
        Detector::prepare(&model, &params)
            .unwrap()
            .run(Images::Files(&paths), |image_idx, _, found| {
                let expected = golden[name][photographs[image_idx]].as_array().unwrap();
                // Decoding JPEG differs by up to 3 levels, so what scores near the threshold or near
                // another thing may come or go, or change places.
                for expected in expected
                    .iter()
                    .filter(|one| one["score"].as_f64() > Some(0.35))
                {
                    let edges: Vec<f64> = serde_json::from_value(expected["box"].clone()).unwrap();
                    let there = BoxXyxy::new(edges[0], edges[1], edges[2], edges[3]);
                    let same = found.iter().any(|one| {
                        one.class_idx as u64 == expected["class_idx"]
                            && (one.score - expected["score"].as_f64().unwrap()).abs() < 0.01
                            && one.bounds.iou(&there) > 0.97
                    });
                    assert!(
                        same,
                        "{name} {}: {expected} among {found:?}",
                        photographs[image_idx]
                    );
                }
                let n_sure = found.iter().filter(|one| one.score > 0.35).count();
                assert!(n_sure <= expected.len(), "{found:?}");
                Ok::<(), ModelError>(())
            })
            .unwrap();
    }
}

#[test]
fn yolov3_has_as_many_weights_as_its_published_file() {
    // yolov3.weights has 248,007,048 bytes, 20 of them header.
    assert_eq!(darknet::yolov3(80).n_weights(), (248_007_048 - 20) / 4);
    let heads = darknet::yolov3(601).heads();
    assert_eq!(heads[0].anchors[0], [116.0, 90.0]);
    assert_eq!(heads[2].anchors[0], [10.0, 13.0]);
    assert!(heads.iter().all(|head| head.n_classes == 601));
}

#[test]
fn weights_of_another_network_are_refused() {
    let weights = Path::new(FIXTURES).join("layers.weights");
    let error = DetectionModel::by_name(DetectorName::Yolov3Coco, &weights).unwrap_err();
    let message = error.to_string();
    assert!(message.contains("the network has 62001757"), "{message}");
    assert!(message.contains("layers.weights"), "{message}");
    let network = Darknet::read(&Path::new(FIXTURES).join("layers.cfg")).unwrap();
    let error = DetectionModel::darknet(&network, &weights, classes::coco()).unwrap_err();
    assert!(error.to_string().contains("80 class names"), "{error}");
    let plain =
        Darknet::parse("[net]\nwidth=8\nheight=8\n[convolutional]\nactivation=linear").unwrap();
    let error = DetectionModel::darknet(&plain, &weights, Vec::new()).unwrap_err();
    assert!(error.to_string().contains("[yolo]"), "{error}");
}

#[test]
fn a_cfg_that_cannot_be_used_names_the_line() {
    let net = "[net]\nwidth=32\nheight=32\n";
    for (layers, expected) in [
        ("", "[net] alone"),
        ("[connected]\noutput=3", "line 4: a [connected] layer"),
        ("[convolutional]\nfilters=0", "line 5: filters"),
        (
            "[convolutional]\nfilters=99999999999999999999999",
            "line 5: filters",
        ),
        ("[convolutional]\nfilters=4\ngroups=3", "groups"),
        ("[convolutional]\nsize=33", "its window"),
        ("[convolutional]\nactivation=elu", "one of linear"),
        ("[convolutional]\nxnor=1", "nothing else is supported"),
        ("[convolutional]\nstride_x=2", "both axes"),
        ("[shortcut]\nfrom=-1", "earlier layers"),
        ("[dropout]\n[route]\nlayers=1", "earlier layers"),
        (
            "[dropout]\n[route]\nlayers=-9223372036854775808",
            "earlier layers",
        ),
        ("[dropout]\n[route]\nlayers=", "earlier layers"),
        ("[dropout]\n[route]\nlayers=0\ngroups=2", "a multiple of 2"),
        (
            "[dropout]\n[maxpool]\nsize=2\nstride=2\n[route]\nlayers=0,1",
            "height and width",
        ),
        (
            "[dropout]\n[maxpool]\nsize=2\nstride=2\n[shortcut]\nfrom=0",
            "to be added",
        ),
        (
            "[yolo]\nanchors=1,2\nnum=1\nclasses=9",
            "channels before it is 3, expected 14",
        ),
        ("[yolo]\nanchors=1,nan\nnum=1\nclasses=9", "width, height"),
        (
            "[yolo]\nanchors=1,2\nnum=1\nmask=1",
            "numbers of anchors below 1",
        ),
        (
            "[yolo]\nanchors=1,2\nnum=1\nnew_coords=1",
            "nothing else is supported",
        ),
        ("[upsample]\nstride=64\n[upsample]\nstride=64", "268435456"),
        (
            "[convolutional]\nfilters=65536\nsize=1\n[upsample]\nstride=8",
            "268435456",
        ),
    ] {
        let error = Darknet::parse(&format!("{net}{layers}")).unwrap_err();
        assert!(error.to_string().contains(expected), "{layers:?}: {error}");
    }
    assert!(matches!(
        Darknet::parse(""),
        Err(CfgError::Line { line: 1, .. })
    ));
    assert!(Darknet::parse("[net]\nchannels=4\nwidth=8\nheight=8\n[dropout]").is_err());
}

proptest! {
    #[test]
    fn a_damaged_cfg_is_read_or_refused(at in 0..900_usize, text in "[\\[\\]=,a-z0-9 .\n-]{0,9}") {
        let whole = std::fs::read_to_string(Path::new(FIXTURES).join("layers.cfg")).unwrap();
        let at = at.min(whole.len());
        let damaged = format!("{}{text}{}", &whole[..at], &whole[(at + text.len()).min(whole.len())..]);
        if let Ok(network) = Darknet::parse(&damaged) {
            prop_assert!(network.width > 0);
        }
    }
}
