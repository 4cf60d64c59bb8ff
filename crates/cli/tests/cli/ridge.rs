//! `consilience ridge`.

use consilience::io::npy;
use consilience::methods::encoding::{Folds, RidgeParams, ridge};
use ndarray::{Array1, Array2, array, s};
use serde_json::Value;

use crate::support::{
    Scratch, assert_close, assert_no_partial_files, assert_same_files, noise, npy_header,
    npy_values, words,
};

const RUN: &str = "ridge --x x.npy --y y.npy --alphas a.npy --folds 4 --out out";

/// Twenty rows of three features, and four targets of which the first follow them.
fn scratch() -> Scratch {
    let scratch = Scratch::new();
    let x = noise(20, 3, 1);
    let mut y = x.dot(&noise(3, 4, 2)) + noise(20, 4, 3) * array![0.0, 0.05, 0.3, 3.0];
    y.column_mut(3).assign(&noise(20, 1, 4).column(0));
    scratch.put_npy("x.npy", &x);
    scratch.put_npy("y.npy", &y);
    put_alphas(&scratch, &[1e-3, 1e-2, 0.1, 1.0, 10.0]);
    scratch
}

fn put_alphas(scratch: &Scratch, alphas: &[f64]) {
    npy::write(scratch.path("a.npy"), Array1::from(alphas.to_vec()).view()).unwrap();
}

fn summary(scratch: &Scratch) -> Value {
    let bytes = std::fs::read(scratch.path("out/summary.json")).unwrap();
    serde_json::from_slice(&bytes).unwrap()
}

fn values(scratch: &Scratch, name: &str) -> Vec<f64> {
    npy_values(&scratch.path("out").join(name))
}

/// The errors of a model that is fitted anew for every fold by the normal equations.
fn by_hand(scratch: &Scratch, alpha: f64) -> Array2<f64> {
    let load = |name: &str| {
        let array = npy::read(scratch.path(name)).unwrap().into_f64();
        array.into_dimensionality::<ndarray::Ix2>().unwrap()
    };
    let (x, y) = (load("x.npy"), load("y.npy"));
    let mut predictions = Array2::zeros(y.dim());
    for fold in 0..4 {
        let train: Vec<usize> = (0..20).filter(|row| row / 5 != fold).collect();
        let (x_train, y_train) = (
            x.select(ndarray::Axis(0), &train),
            y.select(ndarray::Axis(0), &train),
        );
        let means = [&x_train, &y_train].map(|m| m.mean_axis(ndarray::Axis(0)).unwrap());
        let (x_train, y_train) = (&x_train - &means[0], &y_train - &means[1]);
        let inverse = inverse(x_train.t().dot(&x_train) + Array2::<f64>::eye(3) * alpha);
        let weights = inverse.dot(&x_train.t()).dot(&y_train);
        let rows = s![5 * fold..5 * fold + 5, ..];
        let found = (&x.slice(rows) - &means[0]).dot(&weights) + &means[1];
        predictions.slice_mut(rows).assign(&found);
    }
    predictions
}

/// The inverse of a 3 × 3 matrix.
fn inverse(m: Array2<f64>) -> Array2<f64> {
    let cofactor = |i: usize, j: usize| {
        let (a, b, c, d) = ((i + 1) % 3, (i + 2) % 3, (j + 1) % 3, (j + 2) % 3);
        m[[a, c]] * m[[b, d]] - m[[a, d]] * m[[b, c]]
    };
    let determinant: f64 = (0..3).map(|j| m[[0, j]] * cofactor(0, j)).sum();
    Array2::from_shape_fn((3, 3), |(i, j)| cofactor(j, i) / determinant)
}

#[test]
fn every_target_has_the_penalty_of_least_error() {
    let scratch = scratch();
    assert_eq!(scratch.ok(&words(RUN)), "out/summary.json\n");
    let y = npy_values(&scratch.path("y.npy"));
    let alphas = [1e-3, 1e-2, 0.1, 1.0, 10.0];
    let candidates: Vec<Vec<f64>> = alphas
        .iter()
        .map(|&alpha| by_hand(&scratch, alpha).into_raw_vec_and_offset().0)
        .collect();
    let chosen = values(&scratch, "alpha.npy");
    let predictions = values(&scratch, "predictions.npy");
    for (target, alpha) in chosen.iter().enumerate() {
        let own = |all: &[f64]| {
            all.iter()
                .skip(target)
                .step_by(4)
                .copied()
                .collect::<Vec<_>>()
        };
        let error = |predicted: &[f64]| -> f64 {
            let pairs = own(predicted).into_iter().zip(own(&y));
            pairs.map(|(p, y)| (p - y).powi(2)).sum()
        };
        let errors: Vec<f64> = candidates.iter().map(|c| error(c)).collect();
        let best = (0..5)
            .min_by(|&a, &b| errors[a].total_cmp(&errors[b]))
            .unwrap();
        assert_eq!(*alpha, alphas[best], "target {target}");
        assert_close(&own(&predictions), &own(&candidates[best]), 1e-12);
        let y = own(&y);
        let mean = y.iter().sum::<f64>() / 20.0;
        let r2 = 1.0 - errors[best] / y.iter().map(|v| (v - mean).powi(2)).sum::<f64>();
        assert_close(&values(&scratch, "r2.npy")[target..=target], &[r2], 1e-12);
    }
    for name in ["alpha.npy", "r.npy", "r2.npy"] {
        let header = npy_header(&scratch.path("out").join(name));
        assert_eq!(
            header,
            "{'descr': '<f8', 'fortran_order': False, 'shape': (4,), }"
        );
    }
    let header = npy_header(&scratch.path("out/predictions.npy"));
    assert_eq!(
        header,
        "{'descr': '<f8', 'fortran_order': False, 'shape': (20, 4), }"
    );
    let summary = summary(&scratch);
    assert_eq!(summary["n_rows"], 20);
    assert_eq!(summary["n_targets"], 4);
    assert_eq!(summary["n_folds"], 4);
    assert_eq!(summary["solver"], "primal");
    assert_eq!(summary["products"], "float64");
}

#[test]
fn a_grid_that_is_too_short_is_a_warning() {
    let scratch = scratch();
    let all = scratch.run(&words(RUN));
    assert_eq!(all.code, Some(0), "{}", all.stderr);
    put_alphas(&scratch, &[1e-3, 1e-2]);
    let short = scratch.run(&words(RUN));
    assert_eq!(short.code, Some(0), "{}", short.stderr);
    assert!(
        short.stderr.contains("extend the grid upwards"),
        "{}",
        short.stderr
    );
    let summary = summary(&scratch);
    let n = summary["n_at_largest_alpha"].as_u64().unwrap();
    assert!(n >= 1);
    let warnings = summary["warnings"].as_array().unwrap();
    let expected = format!("{n} of 4 targets chose the largest alpha, 1e-2");
    assert!(
        warnings[0].as_str().unwrap().starts_with(&expected),
        "{warnings:?}"
    );
    assert!(short.stderr.contains(&expected));

    put_alphas(&scratch, &[1.0, 1e9]);
    let high = scratch.run(&words(RUN));
    assert!(
        high.stderr.contains("extend the grid downwards"),
        "{}",
        high.stderr
    );
}

#[test]
fn folds_may_come_from_a_file() {
    let scratch = scratch();
    scratch.ok(&words(RUN));
    let expected = values(&scratch, "predictions.npy");
    let folds: Array1<i64> = (0..20).map(|row| 9 - row / 5).collect();
    npy::write(scratch.path("f.npy"), folds.view()).unwrap();
    scratch.ok(&words(&RUN.replace("--folds 4", "--folds f.npy")));
    assert_close(&values(&scratch, "predictions.npy"), &expected, 1e-14);
    scratch.ok(&words(&format!("{RUN} --nested")));
    let header = npy_header(&scratch.path("out/alpha_folds.npy"));
    assert_eq!(
        header,
        "{'descr': '<f8', 'fortran_order': False, 'shape': (4, 4), }"
    );
    scratch.ok(&words(&format!("{RUN} --no-intercept")));
    assert_ne!(values(&scratch, "predictions.npy"), expected);
    assert!(
        !scratch.path("out/alpha_folds.npy").exists(),
        "of another run"
    );
}

#[test]
fn one_target_may_be_a_vector() {
    let scratch = scratch();
    scratch.ok(&words(RUN));
    let expected = values(&scratch, "r.npy")[1];
    let y: Array1<f64> = npy_values(&scratch.path("y.npy"))
        .into_iter()
        .skip(1)
        .step_by(4)
        .collect();
    npy::write(scratch.path("y.npy"), y.view()).unwrap();
    scratch.ok(&words(RUN));
    assert_close(&values(&scratch, "r.npy"), &[expected], 1e-12);
    let header = npy_header(&scratch.path("out/predictions.npy"));
    assert!(header.contains("(20, 1)"), "{header}");
}

/// Two blocks of targets, in single precision, from a file that is read by columns and from one that is not.
#[test]
fn blocks_and_threads_change_nothing() {
    let n = 33_000;
    let scratch = Scratch::new();
    let x = noise(n, 2, 1).mapv(|v| v as f32);
    let y = Array2::from_shape_fn((n, 258), |(row, target)| {
        x[[row, target % 2]] + ((row * 31 + target * 17) % 101) as f32 / 50.0
    });
    npy::write(scratch.path("x.npy"), x.view()).unwrap();
    npy::write(scratch.path("y.npy"), y.view()).unwrap();
    put_alphas(&scratch, &[0.1, 1e3]);
    let run = |threads, out| {
        let line = format!(
            "ridge --x x.npy --y y.npy --alphas a.npy --folds 2 --threads {threads} --out {out}"
        );
        scratch.ok(&words(&line));
    };
    run("1", "out");
    run("2", "two");
    assert_same_files(&scratch.path("out"), &scratch.path("two"));
    assert_eq!(summary(&scratch)["products"], "float32");
    let params = RidgeParams {
        alphas: vec![0.1, 1e3],
        folds: Folds::Contiguous(2),
        ..RidgeParams::default()
    };
    let whole = ridge(x.view().into(), y.view().into(), &params).unwrap();
    assert_eq!(values(&scratch, "r2.npy"), whole.r2);
    let predictions = whole.predictions.into_raw_vec_and_offset().0;
    assert_eq!(values(&scratch, "predictions.npy"), predictions);
}

#[test]
fn constant_targets_are_named_and_score_nothing() {
    let scratch = scratch();
    let mut y = noise(20, 4, 3);
    y.column_mut(2).fill(1.0);
    scratch.put_npy("y.npy", &y);
    let answer = scratch.run(&words(RUN));
    assert!(answer.stderr.contains("column 2"), "{}", answer.stderr);
    assert_eq!(values(&scratch, "r2.npy")[2], 0.0);
    assert_eq!(
        summary(&scratch)["constant_targets"],
        serde_json::json!([2])
    );
}

#[test]
fn bad_input_is_refused_with_cause_and_cure() {
    let scratch = scratch();
    let refused = |line: &str, phrases: &[&str]| {
        scratch.refused(&words(line), phrases);
    };
    refused(&RUN.replace("x.npy", "none.npy"), &["none.npy"]);
    refused(
        &RUN.replace("--folds 4", "--folds 21"),
        &["x.npy", "21 folds of 20 rows"],
    );
    refused(
        &RUN.replace("--folds 4", "--folds 1"),
        &["expected 2 to 20"],
    );
    refused(
        &format!("{} --nested", RUN.replace("--folds 4", "--folds 2")),
        &["--nested", "expected 3"],
    );
    refused(
        &RUN.replace("--folds 4", "--folds a.npy"),
        &["--folds", "a.npy"],
    );

    scratch.put_npy("y.npy", &noise(19, 4, 2));
    refused(RUN, &["x.npy", "y.npy", "expected 20, found 19"]);
    let mut y = noise(20, 4, 2);
    y[[7, 3]] = f64::NAN;
    scratch.put_npy("y.npy", &y);
    refused(RUN, &["y.npy", "row 7, column 3", "leave out the target"]);
    assert_no_partial_files(&scratch.path("out"));
    assert!(!scratch.path("out/summary.json").exists());

    scratch.put_npy("y.npy", &noise(20, 4, 2));
    put_alphas(&scratch, &[1.0, -1.0]);
    refused(RUN, &["a.npy", "alpha 1", "-1"]);
    put_alphas(&scratch, &[0.0, 1.0]);
    scratch.ok(&words(RUN));
    std::fs::remove_dir_all(scratch.path("out")).unwrap();
    scratch.put_npy("x.npy", &noise(20, 30, 2));
    refused(RUN, &["x.npy", "rank 14 in 30 columns", "leave out 0"]);
    scratch.put_npy("x.npy", &Array2::ones((20, 3)));
    refused(RUN, &["x.npy", "no column of the features varies"]);
}
