//! Every architecture against PyTorch, module by module, with weights from a formula.
//!
//! Expected values: `fixtures/networks/*.safetensors`, computed by `fixtures/generate/networks.py`
//! (torch 2.13, torchvision 0.28), which says what the files hold. Networks of more than 30 million
//! parameters take minutes and gigabytes: their keys and names are compared always, their numbers
//! with `--ignored`.

use std::collections::{BTreeMap, HashSet};
use std::path::PathBuf;

use crate::common::onnx_runtime;
use consilience_io::weights::Weights;
use consilience_models::graph::Tensor;
use consilience_models::zoo::{self, Architecture, StateDict};
use consilience_models::{ExecutorChoice, Graph, executor};
use ndarray::{Array4, ArrayD, Axis};
use serde::Deserialize;

const N_SAMPLES: usize = 64;
const TOLERANCE: f64 = 1e-4;
const LARGE: usize = 30_000_000;

/// A test for each family, so that they run side by side.
macro_rules! families {
    ($($family:ident)*) => {
        const FAMILIES: &[&str] = &[$(stringify!($family)),*];
        $(
            #[test]
            fn $family() {
                for architecture in of_family(stringify!($family)) {
                    let fixture = Fixture::read(&architecture.name);
                    let graph = fixture.check_names(&architecture);
                    if fixture.n_parameters() <= LARGE {
                        fixture.check_numbers(&architecture, graph);
                    }
                }
            }
        )*
    };
}

families! {
    alexnet
    clip
    convnext
    cornet
    darknet
    densenet
    dino
    efficientnet
    face
    inception
    mnasnet
    mobilenet
    regnet
    resnet
    resnet_cifar
    shufflenet
    squeezenet
    swin
    two_roads
    vgg
    vit
}

/// The numbers of the large networks, a test for each family that has some.
mod large {
    use super::{Fixture, LARGE, of_family};

    macro_rules! families {
        ($($family:ident)*) => {
            pub const FAMILIES: &[&str] = &[$(stringify!($family)),*];
            $(
                #[test]
                #[ignore = "slow: large networks, run by the checks"]
                fn $family() {
                    for architecture in of_family(stringify!($family)) {
                        let fixture = Fixture::read(&architecture.name);
                        if fixture.n_parameters() > LARGE {
                            let graph = fixture.check_names(&architecture);
                            fixture.check_numbers(&architecture, graph);
                        }
                    }
                }
            )*
        };
    }

    families! {
        alexnet
        clip
        convnext
        cornet
        darknet
        dino
        efficientnet
        face
        regnet
        resnet
        swin
        two_roads
        vgg
        vit
    }
}

#[test]
fn every_family_is_tested() {
    for architecture in zoo::list() {
        // The demo network is this project's own; its numbers are tested in `execution`.
        if architecture.family == "demo" {
            continue;
        }
        let family = &architecture.family;
        assert!(FAMILIES.contains(family), "{family}");
        let large = Fixture::read(&architecture.name).n_parameters() > LARGE;
        assert!(!large || large::FAMILIES.contains(family), "{family}");
    }
}

fn of_family(family: &str) -> Vec<Architecture> {
    let mut all = zoo::list();
    all.retain(|architecture| architecture.family == family);
    assert!(!all.is_empty(), "{family}");
    all
}

/// What the generator wrote about a network.
#[derive(Deserialize)]
struct Fixture {
    size: [usize; 2],
    layers: Vec<(String, Vec<usize>)>,
    steps: Option<HashSet<String>>,
    state: BTreeMap<String, Vec<usize>>,
    gain: BTreeMap<String, f64>,
    #[serde(skip)]
    name: String,
    #[serde(skip)]
    values: Vec<Vec<f32>>,
}

impl Fixture {
    fn read(name: &str) -> Self {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/networks");
        let path = PathBuf::from(folder).join(format!("{name}.safetensors"));
        let bytes = std::fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let header_size = u64::from_le_bytes(bytes[..8].try_into().unwrap());
        let header = &bytes[8..8 + usize::try_from(header_size).unwrap()];
        let header: serde_json::Value = serde_json::from_slice(header).unwrap();
        let network = header["__metadata__"]["network"].as_str().unwrap();
        let values = Weights::read(&path).unwrap();
        let rows = values.tensors()["values"].axis_iter(Axis(0));
        let fixture = Self {
            name: name.to_owned(),
            values: rows.map(|row| row.iter().copied().collect()).collect(),
            ..serde_json::from_str(network).unwrap()
        };
        assert_eq!(fixture.values.len(), fixture.layers.len());
        fixture
    }

    fn n_parameters(&self) -> usize {
        self.state.values().map(|shape| n_values(shape)).sum()
    }

    /// Same keys of the state dict, same modules; gives the graph for the fixture's image.
    fn check_names(&self, architecture: &Architecture) -> Graph {
        let name = &self.name;
        let mut architecture = architecture.clone();
        architecture.preprocessing.crop = Some(self.size);
        let mut keys = architecture.parameters().unwrap();
        keys.extend(architecture.training_parameters().unwrap());
        for (key, shape) in &self.state {
            assert_eq!(keys.get(key), Some(shape), "{name}: {key}");
        }
        assert_eq!(keys.len(), self.state.len(), "{name}: keys");

        let graph = architecture.skeleton().unwrap();
        let found: HashSet<&str> = graph.layers.iter().map(|l| l.name.as_str()).collect();
        let mut expected = HashSet::new();
        for (layer, _) in &self.layers {
            assert!(found.contains(layer.as_str()), "{name}: {layer} is missing");
            expected.insert(layer.as_str());
        }
        if let Some(steps) = &self.steps {
            for layer in found {
                let known = expected.contains(layer)
                    || steps.contains(layer)
                    || layer.ends_with(".attention_weights");
                assert!(known, "{name}: torchvision has no {layer}");
            }
        }
        graph
    }

    /// Same numbers, with each executor of this machine.
    fn check_numbers(&self, architecture: &Architecture, mut graph: Graph) {
        let weights: StateDict = architecture
            .parameters()
            .unwrap()
            .keys()
            .map(|key| (key.clone(), self.weight(key)))
            .collect();
        graph.initialisers.extend(weights);
        let tensor_of: BTreeMap<&str, &str> = graph
            .layers
            .iter()
            .map(|layer| (layer.name.as_str(), layer.tensor.as_str()))
            .collect();
        // Several modules may name one tensor.
        let mut outputs: Vec<&str> = Vec::new();
        let output_idx: Vec<usize> = self
            .layers
            .iter()
            .map(|(layer, _)| {
                let tensor = tensor_of[layer.as_str()];
                outputs
                    .iter()
                    .position(|&t| t == tensor)
                    .unwrap_or_else(|| {
                        outputs.push(tensor);
                        outputs.len() - 1
                    })
            })
            .collect();
        let graph = graph.cut(&outputs);
        let image = self.image();
        let mut choices = vec![ExecutorChoice::Rten];
        if onnx_runtime(&self.name) {
            choices.push(ExecutorChoice::OnnxRuntime);
        }
        for choice in choices {
            let (_, mut executors) = executor::load(choice, &graph, 1).unwrap();
            let found = executors[0].run(image.view()).unwrap();
            for (((layer, shape), row), &idx) in
                self.layers.iter().zip(&self.values).zip(&output_idx)
            {
                let found = found[idx].as_ref().expect("floats");
                let place = format!("{} {choice} {layer}", self.name);
                assert_eq!(found.shape()[1..], shape[..], "{place}");
                compare(&place, found, row);
            }
        }
    }

    fn weight(&self, key: &str) -> Tensor {
        let shape = &self.state[key];
        let n = n_values(shape);
        let mut gain: f64 = self
            .gain
            .iter()
            .filter(|(suffix, _)| key.ends_with(suffix.as_str()))
            .map(|(_, factor)| factor)
            .product();
        let mut offset = 0.0;
        if shape.len() >= 2 {
            let fan_in: usize = shape[1..].iter().product();
            gain *= (12.0 * 2.0 / fan_in as f64).sqrt();
        } else if key.ends_with("running_var") {
            offset = gain;
        } else if key.ends_with("running_mean") {
            gain *= 0.2;
        } else if key.ends_with("weight") || key.ends_with("gamma") {
            offset = gain;
            gain *= 0.4;
        } else {
            gain *= 0.2;
        }
        let values: Vec<f32> = formula(key, n)
            .map(|u| (offset + gain * u) as f32)
            .collect();
        Tensor::from_f32(shape.clone(), &values).unwrap()
    }

    fn image(&self) -> Array4<f32> {
        let [height, width] = self.size;
        let values = formula("input", 3 * height * width).map(|u| (3.4 * u) as f32);
        Array4::from_shape_vec((1, 3, height, width), values.collect()).unwrap()
    }
}

fn n_values(shape: &[usize]) -> usize {
    shape.iter().product()
}

/// `n` numbers in (−½, ½), from FNV-1a of the key and the flat index.
fn formula(key: &str, n: usize) -> impl Iterator<Item = f64> + use<> {
    let start = key.bytes().fold(0x811C_9DC5_u32, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    });
    (0..n).map(move |idx| {
        let mut x = start ^ (idx as u32).wrapping_mul(0x9E37_79B1);
        x ^= x >> 16;
        x = x.wrapping_mul(0x7FEB_352D);
        x ^= x >> 15;
        x = x.wrapping_mul(0x846C_A68B);
        x ^= x >> 16;
        (f64::from(x) + 0.5) / 4_294_967_296.0 - 0.5
    })
}

/// Mean, population standard deviation and samples, relative to the largest of them.
fn compare(place: &str, found: &ArrayD<f32>, expected: &[f32]) {
    let values = found.as_slice().expect("outputs are in standard layout");
    let n = values.len();
    let mean = values.iter().map(|&v| f64::from(v)).sum::<f64>() / n as f64;
    let variance = values
        .iter()
        .map(|&v| (f64::from(v) - mean).powi(2))
        .sum::<f64>()
        / n as f64;
    let sampled: Vec<f64> = if n < N_SAMPLES {
        values.iter().map(|&v| f64::from(v)).collect()
    } else {
        let at = |k: usize| f64::from(values[k * n / N_SAMPLES]);
        (0..N_SAMPLES).map(at).collect()
    };
    let expected: Vec<f64> = expected.iter().map(|&v| f64::from(v)).collect();
    let expected = &expected[..2 + sampled.len()];
    let scale = expected[1..].iter().fold(0.0_f64, |m, v| m.max(v.abs()));
    for (idx, (found, expected)) in [mean, variance.sqrt()]
        .into_iter()
        .chain(sampled)
        .zip(expected)
        .enumerate()
    {
        let what = match idx {
            0 => "mean".to_owned(),
            1 => "standard deviation".to_owned(),
            _ => format!("sample {}", idx - 2),
        };
        let difference = (found - expected).abs();
        // A NaN must not pass.
        assert!(
            difference <= TOLERANCE * scale,
            "{place}: {what} is {found}, torch has {expected}"
        );
    }
}
