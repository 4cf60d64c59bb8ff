//! One module on its own: what is written is read, what is exported is imported, what was interrupted goes on.

use std::cell::Cell;
use std::path::{Path, PathBuf};

use consilience_io::weights::{Weights, WeightsFile};
use consilience_learn::LearnError;
use consilience_learn::train::{Progress, TrainParams};
use consilience_models::nuclei::{Nuclei, Variant};
use ndarray::{Array2, Axis};

use super::*;
use crate::error::ExperimentError;
use crate::visual_emotion::{Learning, Structure};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../fixtures/nuclei/{name}"))
}

/// The nuclei of `fixtures/nuclei/tiny.pth`.
fn tiny() -> Structure {
    let mut nuclei = Variant::AnatomicalTransformer.nuclei(4);
    for (nucleus, heads) in nuclei.nucleus.iter_mut().zip([2, 1, 1, 2]) {
        let transformer = nucleus.transformer.as_mut().unwrap();
        (transformer.heads, transformer.hidden) = (heads, 2);
        nucleus.widths.iter_mut().for_each(|width| *width = 2);
    }
    nuclei.nucleus[3].widths = vec![8];
    Structure {
        name: "tiny".to_owned(),
        nuclei,
        adapter: None,
        tokens: None,
    }
}

fn features(n: usize, width: usize) -> Array2<f32> {
    Array2::from_shape_fn((n, width), |(i, j)| {
        ((7 * i + 5 * j + i * j) % 11) as f32 / 5.5 - 1.0
    })
}

fn ratings(features: &Array2<f32>) -> Array2<f64> {
    Array2::from_shape_fn((features.nrows(), 2), |(i, k)| {
        5.0 + f64::from(features[[i, k]]) - 0.5 * f64::from(features[[i, k + 1]])
    })
}

fn learning(epochs: usize) -> Learning {
    Learning {
        params: TrainParams {
            epochs,
            batch: 8,
            learning_rate: 0.01,
            ..TrainParams::default()
        },
        standardise: true,
        last_epoch: false,
        standardise_ratings: true,
    }
}

fn trained(structure: &Structure, epochs: usize) -> (Trained, Array2<f32>) {
    let x = features(40, 6);
    let y = ratings(&x);
    let wired = structure.wired(6, 2).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let examples = Examples {
        features: x.view(),
        ratings: y.view(),
        views: None,
    };
    let lesson = train(
        &wired,
        &examples,
        &learning(epochs),
        3,
        0.2,
        folder.path(),
        |_| {},
    )
    .unwrap();
    let description = Description {
        format: 1,
        structure: structure.clone(),
        n_features: 6,
        ratings: RATINGS.map(str::to_owned).to_vec(),
        scale: [1.0, 9.0],
        scaling: lesson.scaling,
        encoder: None,
        learnt: None,
        weights_blake3: String::new(),
    };
    (Trained::new(description, lesson.weights).unwrap(), x)
}

fn linear(width: Option<usize>) -> Structure {
    Structure::variant(Variant::AnatomicalLinear, 6, width)
}

#[test]
fn what_is_written_is_read_to_the_bit() {
    let (mut module, x) = trained(&linear(Some(12)), 3);
    let folder = tempfile::tempdir().unwrap();
    module.write(folder.path()).unwrap();
    let read = Trained::read(folder.path()).unwrap();
    assert_eq!(read, module);
    let [before, after] = [&module, &read].map(|m| m.predict(x.view()).unwrap());
    assert_eq!(before, after);
    // A row is the same whoever else is there.
    let alone = read.predict(x.select(Axis(0), &[5]).view()).unwrap();
    for (a, b) in alone.ratings.row(0).iter().zip(before.ratings.row(5)) {
        assert!((a - b).abs() < 1e-5, "{a} {b}");
    }
}

#[test]
fn it_learns_what_features_say() {
    let (module, x) = trained(&linear(None), 60);
    let y = ratings(&x);
    let error = |found: &Array2<f64>| (found - &y).mapv(|e| e * e).mean().unwrap();
    let found = module.predict(x.view()).unwrap().ratings;
    let mean = y.mean_axis(Axis(0)).unwrap();
    let of_mean = error(&mean.broadcast(y.dim()).unwrap().to_owned());
    assert!(
        error(&found) < 0.2 * of_mean,
        "{} of {of_mean}",
        error(&found)
    );
}

#[test]
fn damaged_and_foreign_files_are_refused() {
    let (mut module, x) = trained(&linear(None), 1);
    let folder = tempfile::tempdir().unwrap();
    module.write(folder.path()).unwrap();
    let path = folder.path().join("module.json");
    let text = std::fs::read_to_string(&path).unwrap();
    for (old, new, expected) in [
        ("\"format\": 1", "\"format\": 2", "format 2"),
        ("\"valence\"", "\"arousal\"", "ratings"),
        (
            "\"n_features\": 6",
            "\"n_features\": 7",
            "means and deviations",
        ),
        (
            "\"n_features\": 6",
            "\"n_features\": 60000000000000",
            "one number",
        ),
        ("\"weights_blake3\": \"", "\"weights_blake3\": \"0", "hash"),
        (
            "\"adapter\"",
            "\"tokens\": 2, \"adapter\"",
            "several tokens",
        ),
        ("{", "[", "does not describe"),
    ] {
        assert!(text.contains(old), "{old}");
        std::fs::write(&path, text.replacen(old, new, 1)).unwrap();
        let message = Trained::read(folder.path()).unwrap_err().to_string();
        assert!(message.contains(expected), "{message}");
    }
    let wider = features(3, 7);
    let error = module.predict(wider.view()).unwrap_err();
    assert!(matches!(
        error,
        ExperimentError::Module(ModuleError::Features {
            expected: 6,
            found: 7
        })
    ));
    let mut wrong = x.clone();
    wrong[[2, 0]] = f32::NAN;
    let error = module.predict(wrong.view()).unwrap_err();
    assert!(matches!(
        error,
        ExperimentError::Module(ModuleError::Feature {
            row: 2,
            column: 0,
            ..
        })
    ));
}

#[test]
fn a_state_dict_of_pytorch_goes_in_and_comes_out() {
    let file = WeightsFile::parse(fixture("tiny.pth"));
    let read = || file.read().unwrap();
    let imported = import(tiny(), 4, &["arousal", "valence"], [1.0, 9.0], read()).unwrap();
    assert_eq!(imported.description.output("valence"), Some(1));
    assert_eq!(export(&imported).unwrap(), read());
    // Valence first and arousal second come out in the released order.
    let swapped = import(tiny(), 4, &["valence", "arousal"], [1.0, 9.0], read()).unwrap();
    let exported = export(&swapped).unwrap();
    let [rows, given] = [exported.tensors(), read().tensors()].map(|t| t["LastFC.weight"].clone());
    assert_eq!(rows.index_axis(Axis(0), 0), given.index_axis(Axis(0), 1));
    assert_eq!(rows.index_axis(Axis(0), 1), given.index_axis(Axis(0), 0));
}

#[test]
fn keys_that_are_missing_or_too_many_are_named() {
    let mut tensors = WeightsFile::parse(fixture("tiny.pth"))
        .read()
        .unwrap()
        .into_tensors();
    let bias = tensors.remove("BA.1.bias").unwrap();
    tensors.insert("clip.bias".to_owned(), bias);
    let weights = Weights::new(tensors);
    let error = import(tiny(), 4, &["arousal", "valence"], [1.0, 9.0], weights);
    let message = error.unwrap_err().to_string();
    assert!(
        message.contains("BA.1.bias") && message.contains("clip.bias"),
        "{message}"
    );
    let weights = WeightsFile::parse(fixture("tiny.pth")).read().unwrap();
    let error = import(tiny(), 4, &["valence"], [1.0, 9.0], weights).unwrap_err();
    assert!(error.to_string().contains("2 times, expected 1"), "{error}");
}

#[test]
fn z_scored_ratings_are_undone_in_what_is_exported() {
    let x = features(40, 6);
    let y = ratings(&x);
    let structure = linear(None);
    let folder = tempfile::tempdir().unwrap();
    let examples = Examples {
        features: x.view(),
        ratings: y.view(),
        views: None,
    };
    let as_they_are = Learning {
        standardise: false,
        ..learning(5)
    };
    let wired = structure.wired(6, 2).unwrap();
    let lesson = train(
        &wired,
        &examples,
        &as_they_are,
        1,
        0.2,
        folder.path(),
        |_| {},
    )
    .unwrap();
    let (mut module, _) = trained(&structure, 1);
    assert!(
        export(&module)
            .unwrap_err()
            .to_string()
            .contains("--no-standardise")
    );
    module.description.scaling = lesson.scaling;
    let module = Trained::new(module.description, lesson.weights).unwrap();
    let weights = export(&module).unwrap();
    let again = import(structure, 6, &["arousal", "valence"], [1.0, 9.0], weights).unwrap();
    let [a, b] = [&module, &again].map(|m| m.predict(x.view()).unwrap().ratings);
    for (row, other) in a.outer_iter().zip(b.outer_iter()) {
        assert!((row[0] - other[1]).abs() < 1e-5 && (row[1] - other[0]).abs() < 1e-5);
    }
}

#[test]
fn a_training_that_was_stopped_goes_on_with_the_same_bytes() {
    let x = features(30, 6);
    let y = ratings(&x);
    let wired = linear(None).wired(6, 2).unwrap();
    // Other views of the pictures in every epoch.
    let fresh = |epoch: usize, rows: &[usize]| -> Result<Array2<f32>, LearnError> {
        Ok(x.select(Axis(0), rows) * (1.0 + 0.1 * epoch as f32))
    };
    let examples = |views| Examples {
        features: x.view(),
        ratings: y.view(),
        views,
    };
    let (one, two, plain) = (
        tempfile::tempdir().unwrap(),
        tempfile::tempdir().unwrap(),
        tempfile::tempdir().unwrap(),
    );
    let whole = train(
        &wired,
        &examples(Some(&fresh)),
        &learning(4),
        1,
        0.2,
        one.path(),
        |_| {},
    )
    .unwrap();
    // The second epoch cannot be had the first time.
    let failing = Cell::new(true);
    let stopped = std::sync::Mutex::new(true);
    let interrupted = |epoch: usize, rows: &[usize]| {
        if epoch == 2 && *stopped.lock().unwrap() {
            return Err(LearnError::NothingToTrain { what: "sample" });
        }
        fresh(epoch, rows)
    };
    while failing.get() {
        let found = train(
            &wired,
            &examples(Some(&interrupted)),
            &learning(4),
            1,
            0.2,
            two.path(),
            |_| {},
        );
        match found {
            Err(_) => *stopped.lock().unwrap() = false,
            Ok(found) => {
                failing.set(false);
                assert_eq!(found, whole);
            }
        }
    }
    let mut first_step = None;
    let again = train(
        &wired,
        &examples(None),
        &learning(4),
        1,
        0.2,
        plain.path(),
        |progress| {
            if let Progress::Step { step, .. } = progress {
                first_step.get_or_insert(step);
            }
        },
    );
    assert_ne!(again.unwrap().weights, whole.weights);
    assert_eq!(first_step, Some(0));
}

#[test]
fn a_training_that_diverges_says_where_and_keeps_the_epochs_before() {
    let x = features(40, 6);
    let y = ratings(&x);
    let wired = linear(None).wired(6, 2).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let examples = Examples {
        features: x.view(),
        ratings: y.view(),
        views: None,
    };
    let mut wild = learning(30);
    wild.params.learning_rate = 1e20;
    wild.params.optimizer = consilience_learn::train::Optimizer::Sgd {
        momentum: 0.9,
        weight_decay: 0.0,
    };
    let error = train(&wired, &examples, &wild, 1, 0.2, folder.path(), |_| {}).unwrap_err();
    let ExperimentError::Learn(LearnError::Diverged {
        epoch,
        learning_rate,
    }) = error
    else {
        panic!("{error}");
    };
    assert!(epoch >= 1 && learning_rate == 1e20);
    let kept = folder
        .path()
        .join(format!("epoch-{:04}.safetensors", epoch - 1));
    let kept = Weights::read(kept).unwrap();
    assert!(
        kept.tensors()
            .values()
            .flatten()
            .all(|value| value.is_finite())
    );
}

#[test]
fn a_released_module_is_known_by_its_read_out() {
    let nuclei: Nuclei = Variant::AnatomicalTransformer.nuclei(16);
    assert_eq!(nuclei.read_out_key, "LastFC");
    let with = |shape: [usize; 2]| {
        let array = ndarray::ArrayD::zeros(shape.to_vec());
        Weights::new([("LastFC.weight".to_owned(), array)].into())
    };
    assert_eq!(released_width(&with([2, 1280])), Some((768, 2)));
    assert_eq!(released_width(&with([2, 512])), None);
    assert_eq!(released_width(&Weights::new(Default::default())), None);
}
