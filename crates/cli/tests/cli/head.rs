//! `consilience head`.

use consilience::io::npy;
use consilience::io::weights::Weights;
use ndarray::{Array1, Array2};
use serde_json::Value;

use crate::support::{
    N_PICTURES, Scratch, assert_close, assert_no_partial_files, noise, npy_values, words,
};

const RUN: &str =
    "head --x x.npy --y y.npy --epochs 400 --learning-rate 0.02 --hold-out 0.2 --seed 3";

/// Forty samples of three features with two ratings that follow them exactly.
fn scratch() -> Scratch {
    let scratch = Scratch::new();
    let x = noise(40, 3, 1) * 2.0 - 1.0;
    let y = x.dot(&noise(3, 2, 2)) + 0.5;
    scratch.put_npy("x.npy", &x);
    scratch.put_npy("y.npy", &y);
    scratch
}

fn summary(scratch: &Scratch, folder: &str) -> Value {
    let bytes = std::fs::read(scratch.path(folder).join("summary.json")).unwrap();
    serde_json::from_slice(&bytes).unwrap()
}

#[test]
fn a_linear_head_finds_what_ratings_follow() {
    let scratch = scratch();
    let answer = scratch.ok(&words(&format!("{RUN} --out out")));
    assert_eq!(answer, "out/summary.json\n");
    let weights = Weights::read(scratch.path("out/head.safetensors")).unwrap();
    let tensors = weights.tensors();
    assert_eq!(tensors.keys().collect::<Vec<_>>(), ["bias", "weight"]);
    assert_eq!(tensors["weight"].shape(), [2, 3]);
    let planted = noise(3, 2, 2);
    let found: Vec<f64> = tensors["weight"].iter().map(|&w| f64::from(w)).collect();
    assert_close(
        &found,
        planted.t().iter().copied().collect::<Vec<_>>().as_slice(),
        0.02,
    );
    let predictions = npy_values(&scratch.path("out/predictions.npy"));
    assert_close(&predictions, &npy_values(&scratch.path("y.npy")), 0.05);

    let summary = summary(&scratch, "out");
    assert_eq!(summary["held_out_rows"].as_array().unwrap().len(), 8);
    let history = std::fs::read_to_string(scratch.path("out/history.csv")).unwrap();
    assert_eq!(
        history.lines().count(),
        2 + 400,
        "a header, epoch 0 and all others"
    );
    let first = scratch.path(summary["checkpoints"].as_str().unwrap());
    assert!(first.join("epoch-0000.safetensors").exists());
}

#[test]
fn the_number_of_threads_changes_no_byte_and_neither_does_going_on() {
    let scratch = scratch();
    let bytes = |folder: &str| {
        ["head.safetensors", "predictions.npy", "history.csv"]
            .map(|name| std::fs::read(scratch.path(folder).join(name)).unwrap())
    };
    let run = "head --x x.npy --y y.npy --hidden 5 --epochs 12 --optimizer sgd --schedule cosine";
    scratch.ok(&words(&format!("{run} --out one --threads 1")));
    scratch.ok(&words(&format!("{run} --out two --threads 2")));
    assert_eq!(bytes("one"), bytes("two"));
    let weights = Weights::read(scratch.path("one/head.safetensors")).unwrap();
    assert_eq!(
        weights.names().collect::<Vec<_>>(),
        ["0.bias", "0.weight", "2.bias", "2.weight"]
    );
    // A run that ended takes its checkpoints up again.
    scratch.ok(&words(&format!("{run} --out one")));
    assert_eq!(bytes("one"), bytes("two"));
    // Other data do not.
    scratch.put_npy("y.npy", &noise(40, 2, 9));
    scratch.ok(&words(&format!("{run} --out one")));
    assert_ne!(bytes("one"), bytes("two"));
}

#[test]
fn classes_are_learnt_from_their_numbers() {
    let scratch = Scratch::new();
    let x = noise(60, 2, 5);
    let classes: Array1<f64> = x
        .rows()
        .into_iter()
        .map(|row| f64::from(row[0] > row[1]))
        .collect();
    scratch.put_npy("x.npy", &x);
    scratch.put_npy("y.npy", &classes.clone().insert_axis(ndarray::Axis(1)));
    scratch.ok(&words(
        "head --x x.npy --y y.npy --loss cross-entropy --epochs 200 --learning-rate 0.05 --out out",
    ));
    assert_eq!(
        npy::header(scratch.path("out/predictions.npy"))
            .unwrap()
            .shape,
        [60, 2]
    );
    let scores = npy_values(&scratch.path("out/predictions.npy"));
    let right = scores
        .chunks(2)
        .zip(&classes)
        .filter(|(row, class)| (row[1] > row[0]) == (**class > 0.5))
        .count();
    assert!(right >= 56, "{right} of 60");
}

#[test]
fn a_head_takes_the_place_of_a_networks_own() {
    let scratch = Scratch::small_study();
    let network =
        "extract --model consilience_demo --weights consilience_demo.safetensors --images pictures";
    scratch.ok(&words(&format!(
        "{network} --layers avgpool --out features"
    )));
    let features = scratch.path("features/avgpool.npy");
    let n_features = npy::header(&features).unwrap().shape[1];
    let values = npy_values(&features);
    let x = Array2::from_shape_vec((N_PICTURES, n_features), values).unwrap();
    scratch.put_npy("y.npy", &x.dot(&noise(n_features, 1, 4)));
    scratch.ok(&words(
        "head --x features/avgpool.npy --y y.npy --epochs 20 --hold-out 0 --out head",
    ));
    let edit = "replace-head layer=fc weights=head/head.safetensors";
    let mut command = words(network);
    command.extend(["--layers", "fc", "--out", "rated", "--edit", edit]);
    scratch.ok(&command);
    assert_close(
        &npy_values(&scratch.path("rated/fc.npy")),
        &npy_values(&scratch.path("head/predictions.npy")),
        1e-4,
    );
}

#[test]
fn what_cannot_be_learnt_from_is_refused() {
    let scratch = scratch();
    let mut nan = noise(40, 3, 1);
    nan[[4, 2]] = f64::NAN;
    scratch.put_npy("nan.npy", &nan);
    scratch.put_npy("short.npy", &noise(30, 1, 1));
    for (arguments, phrases) in [
        (
            "--x nan.npy --y y.npy",
            &["NaN", "row 4, column 2", "nan.npy"][..],
        ),
        ("--x x.npy --y short.npy", &["40 rows", "30", "short.npy"]),
        (
            "--x x.npy --y y.npy --loss cross-entropy",
            &["--y", "y.npy"],
        ),
        ("--x x.npy --y y.npy --hold-out 1", &["held out", "below 1"]),
        (
            "--x x.npy --y y.npy --batch 0",
            &["samples in a step", "at least 1"],
        ),
        ("--x x.npy --y y.npy --hidden 0", &["width 0"]),
        ("--x missing.npy --y y.npy", &["missing.npy"]),
        (
            "--x x.npy --y y.npy --optimizer sgd --learning-rate 1e30",
            &["not finite", "smaller learning rate"],
        ),
    ] {
        let mut command = vec!["head"];
        command.extend(words(arguments));
        command.extend(["--out", "out"]);
        let answer = scratch.run(&command);
        assert_eq!(answer.code, Some(2), "{arguments}: {answer:?}");
        for phrase in phrases {
            assert!(
                answer.stderr.contains(phrase),
                "{arguments}: {}",
                answer.stderr
            );
        }
        assert!(!scratch.path("out/summary.json").exists(), "{arguments}");
    }
    assert_no_partial_files(&scratch.path("."));
}
