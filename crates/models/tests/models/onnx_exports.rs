//! Tiny networks as torch's exporters write them: the modules by torch's names, with torch's numbers.
//!
//! Expected values: `fixtures/onnx_exports/*.safetensors`, computed by
//! `fixtures/generate/onnx_exports.py` (torch 2.13) from the networks that it exports.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use crate::common::onnx_runtime;
use consilience_io::weights::Weights;
use consilience_models::executor::{self, Operations};
use consilience_models::{ExecutorChoice, Network};
use ndarray::{Array4, ArrayD, Ix4};

/// Networks, and the modules whose output is not in a file because the exporter folded it into
/// another operation or left it out, for the older and the present exporter.
const NETWORKS: [(&str, &[&str], &[&str]); 3] = [
    (
        "convolutional",
        &["layer1.0.bn1", "layer1.0.conv1", "layer1.1.bn1"],
        &["layer1.0.conv1", "layer1.1.bn1"],
    ),
    ("transformer", &[], &[]),
    ("gated", &["expand.0", "expand.1"], &["expand.0"]),
];
const EXPORTERS: [&str; 4] = ["legacy11", "legacy17", "dynamo18", "dynamo20"];

fn file(name: &str) -> PathBuf {
    PathBuf::from(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../fixtures/onnx_exports"
    ))
    .join(name)
}

#[test]
fn modules_have_torchs_names_and_numbers() {
    let mut choices = vec![ExecutorChoice::Rten];
    if onnx_runtime("modules_have_torchs_names_and_numbers") {
        choices.push(ExecutorChoice::OnnxRuntime);
    }
    for (name, folded, folded_now) in NETWORKS {
        let tensors = Weights::read(file(&format!("{name}.safetensors"))).unwrap();
        let mut expected: BTreeMap<&str, ArrayD<f32>> = tensors
            .tensors()
            .iter()
            .map(|(name, array)| (name.as_str(), array.to_owned()))
            .collect();
        let x = expected.remove("x").unwrap();
        let x = x.into_dimensionality::<Ix4>().unwrap();
        for exporter in EXPORTERS {
            let file = file(&format!("{name}.{exporter}.onnx"));
            let graph = Network::from_onnx(&file).unwrap().graph;
            let tensor_of: BTreeMap<&str, &str> = graph
                .layers
                .iter()
                .map(|layer| (layer.name.as_str(), layer.tensor.as_str()))
                .collect();
            let missing: Vec<&str> = expected
                .keys()
                .copied()
                .filter(|module| !tensor_of.contains_key(module))
                .collect();
            let allowed = if exporter.starts_with("legacy") {
                folded
            } else {
                folded_now
            };
            assert_eq!(missing, allowed, "{name} {exporter}");

            let modules: Vec<&str> = expected
                .keys()
                .copied()
                .filter(|module| tensor_of.contains_key(module))
                .collect();
            for &choice in &choices {
                for module in &modules {
                    let cut = graph.cut(&[tensor_of[module]]);
                    let (_, mut executors) = executor::load(choice, &cut, 1).unwrap();
                    let found = executors[0].run(x.view()).unwrap().remove(0).unwrap();
                    let place = format!("{name} {exporter} {choice} {module}");
                    let expected = &expected[module];
                    assert_eq!(found.shape(), expected.shape(), "{place}");
                    let scale = expected.iter().fold(0.0_f32, |m, v| m.max(v.abs()));
                    for (a, b) in found.iter().zip(expected) {
                        assert!((a - b).abs() <= 1e-5 * scale, "{place}: {a} and {b}");
                    }
                }
            }
        }
    }
}

/// Sizes that rten knows beforehand were among the layers, and it refuses equal ones.
#[test]
fn all_layers_can_be_asked_for_at_once() {
    for (name, _, _) in NETWORKS {
        for exporter in EXPORTERS {
            let file = file(&format!("{name}.{exporter}.onnx"));
            let graph = Network::from_onnx(&file).unwrap().graph;
            let layers = graph.default_layers();
            let tensors: BTreeSet<&str> = layers.iter().map(|l| l.tensor.as_str()).collect();
            let cut = graph.cut(&tensors.into_iter().collect::<Vec<_>>());
            for operations in [Operations::Fused, Operations::AsStated] {
                let loaded = executor::load_with(ExecutorChoice::Rten, operations, &cut, 1);
                let (_, mut executors) =
                    loaded.unwrap_or_else(|error| panic!("{name} {exporter}: {error}"));
                let found = executors[0].run(Array4::zeros((1, 3, 12, 12)).view());
                let found = found.unwrap_or_else(|error| panic!("{name} {exporter}: {error}"));
                assert!(found.iter().all(Option::is_some), "{name} {exporter}");
            }
        }
    }
}
