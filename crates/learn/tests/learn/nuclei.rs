//! Training of modules of nuclei: against PyTorch, with dropout inside, from files and back.
//!
//! Expected values: `fixtures/nuclei/*`, computed by `fixtures/generate/nuclei.py` (torch 2.13), which says what the files
//! hold.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::common::{formula, weight};
use consilience_io::weights::{Weights, WeightsFile};
use consilience_learn::LearnError;
use consilience_learn::train::{
    self, Arrays, Optimizer, Schedule, Selection, TrainParams, Trained, torch_weights,
};
use consilience_models::Graph;
use consilience_models::nuclei::{Dropout, Features, Module, Nuclei};
use ndarray::{Array2, ArrayD, IxDyn, s};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../fixtures/nuclei/{name}"))
}

fn nuclei([hidden, out]: [usize; 2], heads: [usize; 3], width: usize) -> Nuclei {
    let [of_lateral, of_basal, of_central] = heads;
    let joined = width + 2 * out;
    let text = format!(
        r#"
read-out = "CE"
read-out-key = "LastFC"

[[nucleus]]
name = "LA"
reads = ["visual"]
transformer = {{ layers = 2, heads = {of_lateral}, hidden = {hidden} }}

[[nucleus]]
name = "BA"
reads = ["LA"]
transformer = {{ heads = {of_basal}, hidden = {hidden} }}
widths = [{out}]
dropout = 0.1

[[nucleus]]
name = "BL"
reads = ["LA"]
transformer = {{ heads = {of_basal}, hidden = {hidden} }}
starts-as = "BA"
widths = [{out}]
dropout = 0.1

[[nucleus]]
name = "CE"
reads = ["LA", "BA", "BL"]
transformer = {{ layers = 2, heads = {of_central}, hidden = {hidden} }}
widths = [{joined}]
dropout = 0.5
"#
    );
    Nuclei::from_toml(&text).unwrap()
}

fn small(features: Features) -> Module {
    nuclei([16, 8], [4, 1, 2], 24).build(features, 2).unwrap()
}

fn vector() -> Module {
    small(Features::Vector { width: 24 })
}

fn filled(module: &Module) -> Graph {
    let shapes = module.parameters.iter();
    let weights = shapes.map(|(key, shape)| (key.clone(), weight(key, shape)));
    module.with_weights(weights.collect()).unwrap()
}

fn array(key: &str, shape: &[usize], scale: f64, offset: f64) -> ArrayD<f32> {
    let n = shape.iter().product();
    let values = formula(key, n).map(|u| (offset + scale * u) as f32);
    ArrayD::from_shape_vec(IxDyn(shape), values.collect()).unwrap()
}

fn features(n: usize) -> ArrayD<f32> {
    array("features", &[n, 24], 2.0, 0.0)
}

fn targets(n: usize) -> Array2<f32> {
    let targets = array("targets", &[n, 2], 4.0, 5.0);
    targets.into_dimensionality().unwrap()
}

/// The numbers that the fixtures keep of a tensor.
fn kept(values: &ArrayD<f32>) -> Vec<f32> {
    let n = values.len();
    let flat: Vec<f32> = values.iter().copied().collect();
    match n {
        0..64 => flat,
        _ => (0..64).map(|k| flat[k * n / 64]).collect(),
    }
}

/// Holds numbers to 1e-5 of the largest.
fn agree(what: &str, found: &[f32], expected: &ArrayD<f32>, largest: f32) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (found, expected) in found.iter().zip(expected) {
        let error = (found - expected).abs();
        assert!(
            error <= 1e-5 * largest,
            "{what}: {found} {expected} {largest}"
        );
    }
}

fn largest(values: &ArrayD<f32>) -> f32 {
    values.iter().fold(0.0, |largest, v| largest.max(v.abs()))
}

fn descent(momentum: f64, weight_decay: f64) -> Optimizer {
    Optimizer::Sgd {
        momentum,
        weight_decay,
    }
}

/// The derivative by each tensor of the mean loss of all samples.
fn derivatives(
    graph: &Graph,
    samples: &Arrays<'_>,
    params: &TrainParams,
) -> BTreeMap<String, ArrayD<f32>> {
    // So long a step that rounding of the weights does not matter.
    let rate = 1024.0;
    let params = TrainParams {
        optimizer: descent(0.0, 0.0),
        learning_rate: f64::from(rate),
        schedule: Schedule::Constant,
        epochs: 1,
        batch: 64,
        shuffle: false,
        selection: Selection::SmallestLoss,
        ..params.clone()
    };
    let trained = train::train(graph, samples, None, &params, None, |_| {}).unwrap();
    let derivative = |(key, after): (&String, &ArrayD<f32>)| {
        let before = graph.initialisers[key].to_f32()?;
        let before = ArrayD::from_shape_vec(after.raw_dim(), before).unwrap();
        Some((key.clone(), (before - after) / rate))
    };
    trained.weights.iter().filter_map(derivative).collect()
}

#[test]
fn outputs_and_derivatives_are_those_of_torch() {
    let tokens = Features::Tokens { n: 3, width: 24 };
    for (name, module, shape) in [
        ("vector", vector(), vec![10, 24]),
        ("tokens", small(tokens), vec![10, 3, 24]),
    ] {
        let expected = Weights::read(fixture(&format!("{name}.safetensors"))).unwrap();
        let expected = expected.tensors();
        let graph = filled(&module);
        let (features, targets) = (array("features", &shape, 2.0, 0.0), targets(10));
        let outputs = train::outputs(&graph, features.view()).unwrap().into_dyn();
        let found: Vec<f32> = outputs.iter().copied().collect();
        agree(
            name,
            &found,
            &expected["outputs"],
            largest(&expected["outputs"]),
        );

        let samples = Arrays::new(features.view(), targets.view()).unwrap();
        for piece in [3, 10] {
            let params = TrainParams {
                piece,
                ..TrainParams::release2026()
            };
            let found = derivatives(&graph, &samples, &params);
            for key in module.parameters.keys() {
                let largest = expected[&format!("largest.{key}")][0];
                let expected = &expected[&format!("gradient.{key}")];
                agree(
                    &format!("{name} {key}"),
                    &kept(&found[key]),
                    expected,
                    largest,
                );
            }
        }
        let params = TrainParams {
            epochs: 1,
            ..TrainParams::release2026()
        };
        let trained = train::train(&graph, &samples, None, &params, None, |_| {}).unwrap();
        let loss = trained.history[1].training.unwrap();
        let error = (loss - f64::from(expected["loss"][0])).abs();
        assert!(error < 1e-5 * loss, "{loss}");
    }
}

#[test]
fn queries_and_keys_of_one_token_learn_nothing() {
    let (features, targets) = (features(10), targets(10));
    let samples = Arrays::new(features.view(), targets.view()).unwrap();
    let found = derivatives(&filled(&vector()), &samples, &TrainParams::release2026());
    let mut n_seen = 0;
    for (key, derivative) in found.iter().filter(|(key, _)| key.contains("in_proj")) {
        let n = derivative.shape()[0];
        let of_queries_and_keys = derivative.slice_axis(ndarray::Axis(0), (..2 * n / 3).into());
        assert!(of_queries_and_keys.iter().all(|&d| d == 0.0), "{key}");
        assert!(largest(derivative) > 0.0, "{key}");
        n_seen += 1;
    }
    assert_eq!(n_seen, 12);
}

#[test]
fn steps_are_those_of_torch() {
    let expected = Weights::read(fixture("vector.safetensors")).unwrap();
    let expected = expected.tensors();
    let module = vector();
    let (features, targets) = (features(10), targets(10));
    let samples = Arrays::new(features.view(), targets.view()).unwrap();
    let params = TrainParams {
        learning_rate: 0.01,
        schedule: Schedule::CyclicPlateau {
            start: 1e-4,
            rise: 1.0,
            fall: 3.0,
            floor: 0.01,
        },
        epochs: 4,
        batch: 4,
        shuffle: false,
        ..TrainParams::release2026()
    };
    let trained = train::train(&filled(&module), &samples, None, &params, None, |_| {}).unwrap();
    for key in module.parameters.keys() {
        let found = &trained.weights[key];
        let expected = &expected[&format!("trained.{key}")];
        agree(key, &kept(found), expected, largest(found));
    }
    let losses = trained.history.iter().filter_map(|epoch| epoch.training);
    for (found, expected) in losses.zip(&expected["losses"]) {
        let error = (found - f64::from(*expected)).abs();
        assert!(error < 1e-5 * found, "{found} {expected}");
    }
}

#[test]
fn weights_begin_as_those_of_torch() {
    let expected = Weights::read(fixture("start.safetensors")).unwrap();
    let module = vector();
    let mut reach: BTreeMap<String, f32> = BTreeMap::new();
    for seed in 0..200 {
        let weights = torch_weights(&module.parameters, &module.copies, seed);
        for (key, tensor) in weights {
            let values = tensor.to_f32().unwrap();
            let largest = values.iter().fold(0.0_f32, |m, v| m.max(v.abs()));
            let reach = reach.entry(key).or_default();
            *reach = reach.max(largest);
        }
    }
    for (key, found) in &reach {
        let expected = expected.tensors()[&format!("reach.{key}")][0];
        // The largest of 1,600 and more draws is within a hundredth of their limit, but for one case in millions.
        assert!(
            (found - expected).abs() <= 0.01 * expected,
            "{key} {found} {expected}"
        );
    }
    let bytes = std::fs::read(fixture("start.safetensors")).unwrap();
    let header = String::from_utf8_lossy(&bytes).into_owned();
    let pairs: Vec<(&String, &String)> = module.copies.iter().collect();
    assert!(!pairs.is_empty());
    let weights = torch_weights(&module.parameters, &module.copies, 3);
    for (key, original) in pairs {
        assert_eq!(weights[key], weights[original], "{key}");
        // torch's equal tensors are the same; those that do not vary were left out.
        let varies = reach[key] > 0.0 && !key.contains("norm");
        let named = header.contains(&format!(r#"\"{key}\": \"{original}\""#));
        assert_eq!(named, varies, "{key} {original}");
    }
    let n_named = header.matches(r#"\": \""#).count();
    let varying = module
        .copies
        .keys()
        .filter(|key| reach[*key] > 0.0 && !key.contains("norm"));
    assert_eq!(n_named, varying.count());
    assert_ne!(
        weights,
        torch_weights(&module.parameters, &module.copies, 4)
    );
    assert_ne!(weights["BA.1.weight"], weights["BL.1.weight"]);
    // Uniform: the variance is a third of the limit's square.
    let values = weights["CE.0.layers.0.self_attn.in_proj_weight"]
        .to_f32()
        .unwrap();
    let limit = (6.0_f64 / 160.0).sqrt();
    let square = values.iter().map(|&v| f64::from(v).powi(2)).sum::<f64>() / values.len() as f64;
    assert!(
        (3.0 * square / (limit * limit) - 1.0).abs() < 0.06,
        "{square}"
    );
}

fn with_threads<T: Send>(n: usize, run: impl FnOnce() -> T + Send) -> T {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(n).build();
    pool.unwrap().install(run)
}

#[test]
fn what_is_dropped_depends_on_neither_threads_nor_pieces_nor_interruptions() {
    let module = vector();
    let (features, targets) = (features(20), targets(20));
    let samples = Arrays::new(features.view(), targets.view()).unwrap();
    let params = TrainParams {
        dropped: module.dropped.clone(),
        epochs: 3,
        batch: 12,
        piece: 5,
        learning_rate: 0.01,
        selection: Selection::SmallestLoss,
        ..TrainParams::release2026()
    };
    let graph = filled(&module);
    let run = |params: &TrainParams, folder: Option<&Path>| {
        train::train(&graph, &samples, Some(&samples), params, folder, |_| {})
    };
    let trained = with_threads(1, || run(&params, None).unwrap());
    assert!(trained.epoch > 0);
    // Not `assert_eq`, which would print all weights.
    assert!(trained == with_threads(3, || run(&params, None).unwrap()));
    let pieces = TrainParams {
        piece: 2,
        ..params.clone()
    };
    let found = run(&pieces, None).unwrap();
    for (key, values) in &found.weights {
        agree(
            key,
            &kept(values),
            &ndarray::Array1::from(kept(&trained.weights[key])).into_dyn(),
            1.0,
        );
    }
    // Half of a training and then the rest.
    let folder = tempfile::tempdir().unwrap();
    let mut n_epochs = 0;
    let stopped = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        train::train(
            &graph,
            &samples,
            Some(&samples),
            &params,
            Some(folder.path()),
            |progress| {
                if let train::Progress::Epoch(_) = progress {
                    n_epochs += 1;
                    assert!(n_epochs < 3, "the power fails");
                }
            },
        )
    }));
    assert!(stopped.is_err());
    assert!(run(&params, Some(folder.path())).unwrap() == trained);
    // Another share is another training.
    let mut other = params.clone();
    other.dropped[0].share = 0.2;
    let refused = run(&other, Some(folder.path()));
    assert!(matches!(refused, Err(LearnError::Checkpoint { .. })));
    let without = TrainParams {
        dropped: Vec::new(),
        ..params
    };
    let without = run(&without, None).unwrap();
    assert!(without.history[1] != trained.history[1]);
    // What is dropped in training is there in validation.
    assert_eq!(without.history[0], trained.history[0]);
}

#[test]
fn a_head_of_one_token_is_dropped_whole() {
    let module = vector();
    let of_attention = |d: &&Dropout| d.tensor.contains("LA.layers.0") && d.group > 1;
    let attention = module.dropped.iter().find(of_attention).unwrap();
    assert_eq!(attention.group, 6);
    let (features, targets) = (features(1), targets(1));
    let samples = Arrays::new(features.view(), targets.view()).unwrap();
    let mut n_dropped = 0;
    for seed in 0..20 {
        let params = TrainParams {
            dropped: vec![Dropout {
                share: 0.5,
                ..attention.clone()
            }],
            seed,
            ..TrainParams::release2026()
        };
        let found = derivatives(&filled(&module), &samples, &params);
        let found = &found["LA.layers.0.self_attn.out_proj.weight"];
        // What a head does not give has no part in the derivative by its weights.
        for head in 0..4 {
            let of_head = found.slice(s![.., 6 * head..6 * (head + 1)]);
            let n_zero = of_head.iter().filter(|&&d| d == 0.0).count();
            assert!(n_zero == 0 || n_zero == of_head.len(), "{n_zero}");
            n_dropped += usize::from(n_zero > 0);
        }
    }
    // 40 of 80 with a standard deviation of 4.5.
    assert!((20..60).contains(&n_dropped), "{n_dropped}");
}

#[test]
fn a_training_that_diverges_keeps_what_was_good() {
    let (features, targets) = (features(12), targets(12));
    let samples = Arrays::new(features.view(), targets.view()).unwrap();
    let graph = filled(&vector());
    let params = TrainParams {
        optimizer: descent(0.0, 0.0),
        learning_rate: 1e-3,
        // Fine for an epoch, and then a thousand million times as fast.
        schedule: Schedule::Step {
            epochs: 1,
            factor: 1e30,
        },
        epochs: 6,
        batch: 4,
        ..TrainParams::paper2025()
    };
    let folder = tempfile::tempdir().unwrap();
    let error = train::train(
        &graph,
        &samples,
        Some(&samples),
        &params,
        Some(folder.path()),
        |_| {},
    );
    let error = error.unwrap_err();
    let LearnError::Diverged {
        epoch,
        learning_rate,
    } = error
    else {
        panic!("{error}");
    };
    assert_eq!((epoch, learning_rate), (2, 1e-3 * 1e30));
    let message = error.to_string();
    assert!(
        message.contains("epoch 2 at a learning rate of 1"),
        "{message}"
    );
    let good = Weights::read(folder.path().join("epoch-0001.safetensors")).unwrap();
    assert!(
        good.tensors()
            .values()
            .all(|t| t.iter().all(|v| v.is_finite()))
    );
    assert!(!folder.path().join("epoch-0002.safetensors").exists());
}

#[test]
fn the_epoch_that_explains_most_is_taken() {
    let (features, targets) = (features(24), targets(24));
    let samples = Arrays::new(features.view(), targets.view()).unwrap();
    let graph = filled(&vector());
    let params = TrainParams {
        learning_rate: 0.01,
        epochs: 8,
        batch: 8,
        ..TrainParams::release2026()
    };
    let run =
        |params: &TrainParams| train::train(&graph, &samples, Some(&samples), params, None, |_| {});
    let trained: Trained = run(&params).unwrap();
    let explained: Vec<f64> = trained
        .history
        .iter()
        .map(|e| e.explained.unwrap())
        .collect();
    let best = explained.iter().copied().fold(0.0, f64::max);
    assert_eq!(explained[trained.epoch], best);
    // As its outputs have it.
    let outputs = train::outputs(&trained.network(&graph), features.view()).unwrap();
    let r = |column: usize| {
        let (o, t) = (outputs.column(column), targets.column(column));
        let (o, t) = (o.mapv(f64::from), t.mapv(f64::from));
        let (o, t) = (&o - o.mean().unwrap(), &t - t.mean().unwrap());
        o.dot(&t) / (o.dot(&o) * t.dot(&t)).sqrt()
    };
    let expected = (r(0).powi(2) + r(1).powi(2)) / 2.0;
    assert!((best - expected).abs() < 1e-6, "{best} {expected}");
    let smallest = TrainParams {
        selection: Selection::SmallestLoss,
        ..params
    };
    assert!(
        run(&smallest)
            .unwrap()
            .history
            .iter()
            .all(|e| e.explained.is_none())
    );
}

#[test]
fn a_state_dict_of_torch_is_read_trained_and_written() {
    let module = nuclei([2, 2], [2, 1, 2], 4);
    let module = module.build(Features::Vector { width: 4 }, 2).unwrap();
    let file = |path: PathBuf| WeightsFile { path, entry: None };
    let graph = module.read_weights(&file(fixture("tiny.pth"))).unwrap();
    assert_eq!(graph.initialisers, filled(&module).initialisers);

    let features = array("features", &[6, 4], 2.0, 0.0);
    let targets = targets(6);
    let samples = Arrays::new(features.view(), targets.view()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let params = TrainParams {
        epochs: 1,
        ..TrainParams::paper2025()
    };
    let trained =
        train::train(&graph, &samples, None, &params, Some(folder.path()), |_| {}).unwrap();
    let epoch = file(folder.path().join("epoch-0001.safetensors"));
    assert_eq!(
        module.read_weights(&epoch).unwrap(),
        trained.network(&graph)
    );
    let written: Vec<String> = Weights::read(&epoch.path)
        .unwrap()
        .into_tensors()
        .into_keys()
        .collect();
    let released: Vec<String> = module.parameters.keys().cloned().collect();
    assert_eq!(written, released);

    // Every key counts.
    let mut tensors = Weights::read(fixture("tiny.pth")).unwrap().into_tensors();
    let bias = tensors.remove("LastFC.bias").unwrap();
    tensors.insert("LastFC.scale".into(), bias);
    let wrong = folder.path().join("wrong.safetensors");
    Weights::new(tensors).write(&wrong).unwrap();
    let message = module.read_weights(&file(wrong)).unwrap_err();
    let message = format!("{message} {:?}", std::error::Error::source(&message));
    assert!(
        message.contains("LastFC.bias") && message.contains("LastFC.scale"),
        "{message}"
    );
}
