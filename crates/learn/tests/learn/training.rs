//! Training: against PyTorch, interrupted, with several threads, stopped early.
//!
//! Expected values: `fixtures/training/*.safetensors`, computed by `fixtures/generate/training.py`
//! (torch 2.13), which says what the files hold.

use std::path::Path;

use crate::common::{formula, weight};
use consilience_io::weights::Weights;
use consilience_learn::train::{
    self, Arrays, Epoch, Loss, Optimizer, Progress, Samples, Schedule, TrainParams, Trained,
};
use consilience_learn::{LearnError, Result};
use consilience_models::Graph;
use ndarray::{Array1, Array2, ArrayD};

fn array(key: &str, n: usize, width: usize, scale: f64, offset: f64) -> Array2<f32> {
    let values = formula(key, n * width).map(|u| (offset + scale * u) as f32);
    Array2::from_shape_vec((n, width), values.collect()).unwrap()
}

fn network() -> Graph {
    let mut graph = train::perceptron(&[3, 4, 2], 0);
    for (key, tensor) in &mut graph.initialisers {
        *tensor = weight(key, tensor.shape());
    }
    graph
}

/// Settings of the fixture `name`.
fn case(name: &str) -> TrainParams {
    let params = TrainParams {
        epochs: 3,
        batch: 4,
        shuffle: false,
        ..TrainParams::default()
    };
    match name {
        "sgd" => TrainParams {
            loss: Loss::MeanSquared,
            optimizer: Optimizer::Sgd {
                momentum: 0.9,
                weight_decay: 0.01,
            },
            learning_rate: 0.1,
            schedule: Schedule::Step {
                epochs: 1,
                factor: 0.5,
            },
            ..params
        },
        "adam" => TrainParams {
            loss: Loss::CrossEntropy,
            optimizer: Optimizer::Adam {
                betas: [0.9, 0.999],
                epsilon: 1e-8,
                weight_decay: 0.01,
            },
            learning_rate: 0.05,
            schedule: Schedule::Cosine { floor: 0.1 },
            ..params
        },
        "adam_w" => TrainParams {
            loss: Loss::BinaryCrossEntropy,
            optimizer: Optimizer::AdamW {
                betas: [0.9, 0.999],
                epsilon: 1e-8,
                weight_decay: 0.1,
            },
            learning_rate: 0.05,
            warm_up: 4,
            ..params
        },
        "huber" => TrainParams {
            loss: Loss::Huber { delta: 0.3 },
            optimizer: Optimizer::Sgd {
                momentum: 0.0,
                weight_decay: 0.0,
            },
            learning_rate: 0.1,
            ..params
        },
        _ => panic!("{name}"),
    }
}

#[test]
fn steps_are_those_of_torch() {
    let inputs = array("inputs", 10, 3, 2.0, 0.0);
    for name in ["sgd", "adam", "adam_w", "huber"] {
        let mut targets = array("targets", 10, 2, 1.0, 0.5);
        if name == "adam" {
            for mut row in targets.rows_mut() {
                let sum = row.sum();
                row /= sum;
            }
        }
        let samples = Arrays::new(inputs.view().into_dyn(), targets.view()).unwrap();
        let trained = train::train(&network(), &samples, None, &case(name), None, |_| {}).unwrap();
        let path = format!("../../fixtures/training/{name}.safetensors");
        let expected = Weights::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap();
        for (key, found) in &trained.weights {
            let expected = &expected.tensors()[key];
            assert_eq!(found.shape(), expected.shape());
            for (found, expected) in found.iter().zip(expected) {
                assert!(
                    (found - expected).abs() < 1e-5,
                    "{name} {key}: {found} {expected}"
                );
            }
        }
        let losses = trained.history.iter().filter_map(|epoch| epoch.training);
        for (found, expected) in losses.zip(&expected.tensors()["losses"]) {
            assert!(
                (found - f64::from(*expected)).abs() < 1e-6,
                "{name}: {found} {expected}"
            );
        }
    }
}

/// Samples that cannot be had from some epoch on, as when the power fails.
struct Failing<'a> {
    samples: Arrays<'a>,
    from_epoch: usize,
}

impl Samples for Failing<'_> {
    fn len(&self) -> usize {
        self.samples.len()
    }

    fn sample(&self, epoch: usize, idx: usize) -> Result<(ArrayD<f32>, Array1<f32>)> {
        if epoch >= self.from_epoch && idx == 7 {
            return Err(LearnError::NothingToTrain { what: "power" });
        }
        self.samples.sample(epoch, idx)
    }
}

fn contents(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<(String, Vec<u8>)> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().unwrap();
            (name, std::fs::read(entry.path()).unwrap())
        })
        .collect();
    files.sort();
    files
}

#[test]
fn an_interrupted_training_ends_with_the_same_bytes() {
    let inputs = array("inputs", 24, 3, 2.0, 0.0);
    let targets = array("targets", 24, 2, 1.0, 0.5);
    let samples = Arrays::new(inputs.view().into_dyn(), targets.view()).unwrap();
    let params = TrainParams {
        epochs: 4,
        batch: 20,
        schedule: Schedule::Cosine { floor: 0.0 },
        seed: 3,
        dropout: 0.3,
        ..TrainParams::default()
    };
    let run = |samples: &dyn Samples, folder: &Path| {
        train::train(
            &network(),
            samples,
            Some(samples),
            &params,
            Some(folder),
            |_| {},
        )
    };
    let [whole, parts] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let uninterrupted = run(&samples, whole.path()).unwrap();
    let failing = Failing {
        samples: samples.clone(),
        from_epoch: 2,
    };
    assert!(run(&failing, parts.path()).is_err());
    assert!(parts.path().join("epoch-0002.safetensors").exists());
    // What a crash between two files would leave.
    std::fs::write(parts.path().join("epoch-0003.safetensors"), b"half").unwrap();
    let resumed = run(&samples, parts.path()).unwrap();
    assert_eq!(resumed, uninterrupted);
    assert_eq!(contents(parts.path()), contents(whole.path()));
    let names: Vec<String> = contents(whole.path())
        .into_iter()
        .map(|(name, _)| name)
        .collect();
    assert_eq!(
        names,
        [
            "epoch-0000.safetensors",
            "epoch-0001.safetensors",
            "epoch-0002.safetensors",
            "epoch-0003.safetensors",
            "epoch-0004.safetensors",
            "history.json",
            "moments-0004.safetensors"
        ]
    );
    // A finished training has nothing to do, and another one does not go on from it.
    assert_eq!(run(&samples, whole.path()).unwrap(), uninterrupted);
    let other = TrainParams {
        seed: 4,
        ..params.clone()
    };
    let error = train::train(
        &network(),
        &samples,
        None,
        &other,
        Some(whole.path()),
        |_| {},
    );
    assert!(matches!(error, Err(LearnError::Checkpoint { .. })));
}

#[test]
fn any_number_of_threads_gives_the_same_weights() {
    let inputs = array("inputs", 40, 3, 2.0, 0.0);
    let targets = array("targets", 40, 2, 1.0, 0.5);
    let samples = Arrays::new(inputs.view().into_dyn(), targets.view()).unwrap();
    let with_threads = |n: usize| -> Trained {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(n)
            .build()
            .unwrap();
        let params = TrainParams {
            dropout: 0.3,
            ..TrainParams::default()
        };
        let run = || train::train(&network(), &samples, None, &params, None, |_| {});
        pool.install(run).unwrap()
    };
    assert_eq!(with_threads(1), with_threads(3));
}

/// One plain step along the gradient of the mean loss of all samples.
fn step(samples: &dyn Samples, learning_rate: f64) -> Trained {
    let params = TrainParams {
        optimizer: Optimizer::Sgd {
            momentum: 0.0,
            weight_decay: 0.0,
        },
        learning_rate,
        epochs: 1,
        batch: samples.len(),
        shuffle: false,
        ..TrainParams::default()
    };
    train::train(&network(), samples, Some(samples), &params, None, |_| {}).unwrap()
}

#[test]
fn a_sample_that_weighs_k_is_as_good_as_k_of_them() {
    let inputs = array("inputs", 5, 3, 2.0, 0.0);
    let targets = array("targets", 5, 2, 1.0, 0.5);
    let counts = [1, 0, 3, 2, 1];
    let weights = Array1::from_iter(counts.map(|count| count as f32));
    let weighted = Arrays::new(inputs.view().into_dyn(), targets.view()).unwrap();
    let weighted = weighted.weighted(weights.view()).unwrap();
    let repeated: Vec<usize> = (0..5)
        .flat_map(|idx| std::iter::repeat_n(idx, counts[idx]))
        .collect();
    let [x, y] = [&inputs, &targets].map(|all| all.select(ndarray::Axis(0), &repeated));
    let alike = Arrays::new(x.view().into_dyn(), y.view()).unwrap();
    // Both are means, over five and over seven samples.
    let ratio = repeated.len() as f64 / 5.0;
    let (found, expected) = (step(&weighted, 0.1), step(&alike, 0.1 * ratio));
    for (key, values) in &found.weights {
        for (found, expected) in values.iter().zip(&expected.weights[key]) {
            assert!((found - expected).abs() < 1e-6, "{key}");
        }
    }
    for (found, expected) in found.history.iter().zip(&expected.history) {
        let expected = expected.validation.unwrap() * ratio;
        assert!((found.validation.unwrap() - expected).abs() < 1e-6);
    }
}

#[test]
fn steps_of_weighted_samples_are_those_of_finite_differences() {
    let inputs = array("inputs", 6, 3, 2.0, 0.0);
    let targets = array("targets", 6, 2, 1.0, 0.5);
    let weights = Array1::from_iter([0.5, 2.0, 1.0, 0.25, 3.0, 1.0]);
    let samples = Arrays::new(inputs.view().into_dyn(), targets.view()).unwrap();
    let samples = samples.weighted(weights.view()).unwrap();
    let loss = |graph: &Graph| -> f64 {
        let outputs = train::outputs(graph, inputs.view().into_dyn()).unwrap();
        let squares = (outputs - &targets).mapv(|d| f64::from(d * d));
        let rows = squares.rows().into_iter().zip(&weights);
        rows.map(|(row, &weight)| f64::from(weight) * row.sum() / 2.0)
            .sum::<f64>()
            / 6.0
    };
    // The best epoch is the one after the step.
    let trained = step(&samples, 0.01);
    assert_eq!(trained.epoch, 1);
    for key in ["0.weight", "2.bias"] {
        let before = network().initialisers[key].to_f32().unwrap();
        let moved = |at: usize, by: f32| {
            let mut graph = network();
            let mut values = before.clone();
            values[at] += by;
            let shape = graph.initialisers[key].shape().to_vec();
            let tensor = consilience_models::graph::Tensor::from_f32(shape, &values);
            graph.initialisers.insert(key.into(), tensor.unwrap());
            loss(&graph)
        };
        for (at, after) in trained.weights[key].iter().enumerate() {
            let difference = (moved(at, 0.01) - moved(at, -0.01)) / 0.02;
            let found = f64::from(before[at] - after) / 0.01;
            assert!(
                (found - difference).abs() < 1e-3,
                "{key} {found} {difference}"
            );
        }
    }
}

#[test]
fn weights_that_do_not_fit_are_refused() {
    let inputs = array("inputs", 3, 3, 2.0, 0.0);
    let targets = array("targets", 3, 2, 1.0, 0.5);
    for weights in [
        vec![1.0, 2.0],
        vec![1.0, -1.0, 1.0],
        vec![1.0, f32::NAN, 1.0],
    ] {
        let weights = Array1::from(weights);
        let samples = Arrays::new(inputs.view().into_dyn(), targets.view()).unwrap();
        assert!(samples.weighted(weights.view()).is_err());
    }
}

/// The tape and the derivative written out lead to the same weights.
#[test]
fn a_linear_head_learns_as_any_network_does() {
    let inputs = array("inputs", 21, 5, 2.0, 0.3);
    let targets = array("targets", 21, 2, 1.0, 0.5);
    let weights = Array1::from_iter((0..21).map(|idx| 0.5 + (idx % 3) as f32));
    let samples = Arrays::new(inputs.view().into_dyn(), targets.view()).unwrap();
    let samples = samples.weighted(weights.view()).unwrap();
    let params = TrainParams {
        epochs: 20,
        batch: 10,
        learning_rate: 0.02,
        dropout: 0.2,
        ..TrainParams::default()
    };
    let node = |op: &str, name: &str, input: &str| consilience_models::graph::Node {
        name: name.into(),
        op: op.into(),
        inputs: vec![input.into()],
        outputs: vec![name.into()],
        ..Default::default()
    };
    let linear = train::perceptron(&[5, 2], 3);
    let mut sigmoid = linear.clone();
    sigmoid.nodes.push(node("Sigmoid", "rated", "0"));
    sigmoid.outputs = vec!["rated".into()];
    for graph in [linear, sigmoid] {
        let mut on_tape = graph.clone();
        let output = graph.outputs[0].as_str();
        on_tape.nodes.push(node("Identity", "same", output));
        on_tape.outputs = vec!["same".into()];
        let run = |graph: &Graph| {
            train::train(graph, &samples, Some(&samples), &params, None, |_| {}).unwrap()
        };
        let (found, expected) = (run(&graph), run(&on_tape));
        for (key, values) in &found.weights {
            for (found, expected) in values.iter().zip(&expected.weights[key]) {
                assert!((found - expected).abs() < 1e-5, "{key}: {found} {expected}");
            }
        }
        for (found, expected) in found.history.iter().zip(&expected.history) {
            assert!((found.validation.unwrap() - expected.validation.unwrap()).abs() < 1e-6);
        }
    }
    let narrow = inputs.slice(ndarray::s![.., ..4]);
    let samples = Arrays::new(narrow.into_dyn(), targets.view()).unwrap();
    let error = train::train(
        &train::perceptron(&[5, 2], 3),
        &samples,
        None,
        &params,
        None,
        |_| {},
    );
    assert!(matches!(error, Err(LearnError::ShapeMismatch { .. })));
}

#[test]
fn training_stops_when_validation_gets_no_better() {
    let inputs = array("inputs", 16, 3, 2.0, 0.0);
    let targets = array("targets", 16, 2, 1.0, 0.5);
    let opposite = targets.mapv(|t| -5.0 * t);
    let samples = Arrays::new(inputs.view().into_dyn(), targets.view()).unwrap();
    let validation = Arrays::new(inputs.view().into_dyn(), opposite.view()).unwrap();
    let params = TrainParams {
        optimizer: Optimizer::sgd(),
        learning_rate: 0.05,
        epochs: 50,
        patience: Some(2),
        ..TrainParams::default()
    };
    let mut seen: Vec<Epoch> = Vec::new();
    let trained = train::train(
        &network(),
        &samples,
        Some(&validation),
        &params,
        None,
        |progress| {
            if let Progress::Epoch(epoch) = progress {
                seen.push(epoch);
            }
        },
    )
    .unwrap();
    assert_eq!(trained.history, seen);
    assert_eq!(trained.history.len(), trained.epoch + 3);
    let best = trained.history[trained.epoch].validation.unwrap();
    assert!(
        trained
            .history
            .iter()
            .all(|epoch| epoch.validation.unwrap() >= best)
    );
}

#[test]
fn only_the_named_weights_are_trained() {
    let inputs = array("inputs", 16, 3, 2.0, 0.0);
    let targets = array("targets", 16, 2, 1.0, 0.5);
    let samples = Arrays::new(inputs.view().into_dyn(), targets.view()).unwrap();
    let params = TrainParams {
        trained: vec!["2.*".into()],
        epochs: 1,
        ..TrainParams::default()
    };
    let graph = network();
    let trained = train::train(&graph, &samples, None, &params, None, |_| {}).unwrap();
    for (key, values) in &trained.weights {
        let before = graph.initialisers[key].to_f32().unwrap();
        let same = values.iter().eq(&before);
        assert_eq!(same, key.starts_with("0."), "{key}");
    }
    let nothing = TrainParams {
        trained: vec!["3.weight".into()],
        ..params
    };
    let error = train::train(&graph, &samples, None, &nothing, None, |_| {});
    assert!(matches!(
        error,
        Err(LearnError::NothingToTrain { what: "weight" })
    ));
}

#[test]
fn a_small_network_learns_from_scratch() {
    // Which half of the picture is bright, end to end through convolutions and pooling.
    let mut architecture = consilience_models::zoo::find("consilience_demo").unwrap();
    architecture.preprocessing.crop = Some([16, 16]);
    let weights = train::initial_weights(&architecture.parameters().unwrap(), 5);
    let network = consilience_models::Network::with_state_dict(&architecture, weights).unwrap();
    let n = 32;
    let mut pictures = ndarray::Array4::<f32>::zeros((n, 3, 16, 16));
    for ((idx, _, y, x), value) in pictures.indexed_iter_mut() {
        let at = if idx % 2 == 0 { y } else { x };
        let wave = ((at * 4 + idx) as f32 * 0.8).sin();
        *value = wave;
    }
    let classes: Vec<usize> = (0..n).map(|idx| idx % 2).collect();
    let targets = train::one_hot(&classes, 8).unwrap();
    let samples = Arrays::new(pictures.view().into_dyn(), targets.view()).unwrap();
    let params = TrainParams {
        loss: Loss::CrossEntropy,
        learning_rate: 3e-3,
        epochs: 12,
        batch: 8,
        ..TrainParams::default()
    };
    let trained = train::train(&network.graph, &samples, None, &params, None, |_| {}).unwrap();
    let last = trained.history.last().unwrap().training.unwrap();
    assert!(last < 0.1, "{last}");
}
