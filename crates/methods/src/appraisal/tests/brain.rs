//! Ratings that voxels predict.

use ndarray::{Array2, ArrayView2, Axis};
use proptest::prelude::*;
use rayon::ThreadPoolBuilder;
use serde_json::Value;

use super::{brains, stream};
use crate::appraisal::{
    BrainModel, BrainRatings, BrainRatingsParams, FoldMeans, SubjectPooling, brain_ratings,
};
use crate::encoding::Folds;

fn views(subjects: &[Array2<f64>]) -> Vec<ArrayView2<'_, f64>> {
    subjects.iter().map(|x| x.view()).collect()
}

fn matrix(value: &Value) -> Array2<f64> {
    let rows: Vec<Vec<f64>> = serde_json::from_value(value.clone()).unwrap();
    let shape = (rows.len(), rows.first().map_or(0, Vec::len));
    Array2::from_shape_vec(shape, rows.concat()).unwrap()
}

fn vector(value: &Value) -> Vec<f64> {
    serde_json::from_value(value.clone()).unwrap()
}

fn assert_close(
    found: impl IntoIterator<Item = f64>,
    expected: impl IntoIterator<Item = f64>,
    tolerance: f64,
) {
    for (a, b) in found.into_iter().zip(expected) {
        assert!((a - b).abs() < tolerance, "{a} and {b}");
    }
}

#[test]
fn agrees_with_scikit_learn() {
    let document = include_str!("../../../../../fixtures/appraisal/brain_ratings.json");
    let document: Value = serde_json::from_str(document).unwrap();
    let cases = document["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 7);
    for case in cases {
        let model: BrainModel = case["model"].as_str().unwrap().parse().unwrap();
        let choices = vector(&case["choices"]);
        let pooled = case["pooled"].as_bool().unwrap();
        let mut params = BrainRatingsParams {
            model,
            folds: match &case["folds"] {
                Value::Null => None,
                Value::Number(k) => Some(Folds::Contiguous(k.as_u64().unwrap() as usize)),
                given => Some(Folds::Given(serde_json::from_value(given.clone()).unwrap())),
            },
            inner: case["inner"].as_u64().unwrap() as usize,
            subjects: if pooled {
                SubjectPooling::Pooled
            } else {
                SubjectPooling::Mean
            },
            ..BrainRatingsParams::default()
        };
        match model {
            BrainModel::Components => params.counts = choices.iter().map(|&k| k as usize).collect(),
            _ => params.penalties = choices,
        }
        let subjects: Vec<Array2<f64>> = case["subjects"]
            .as_array()
            .unwrap()
            .iter()
            .map(matrix)
            .collect();
        let ratings = vector(&case["ratings"]);
        let solve = |params: &BrainRatingsParams| {
            brain_ratings(&views(&subjects), &ratings, params).unwrap()
        };
        let found = solve(&params);
        assert_close(
            found.predictions.iter().copied(),
            matrix(&case["common"]),
            1e-8,
        );
        for (subject, chosen) in found
            .subjects
            .iter()
            .zip(case["chosen"].as_array().unwrap())
        {
            assert_eq!(subject.chosen, vector(chosen), "{}", case["name"]);
        }
        let r = found.subjects.iter().map(|s| s.r.unwrap());
        assert_close(r, vector(&case["r"]), 1e-8);
        assert_close(found.r, case["r_mean"].as_f64(), 1e-8);
        params.means = FoldMeans::Training;
        assert_close(solve(&params).predictions, matrix(&case["training"]), 1e-8);
        if !pooled {
            params.means = FoldMeans::Common;
            params.subjects = SubjectPooling::ZScoredMean;
            assert_close(solve(&params).mean, vector(&case["z_scored_mean"]), 1e-8);
        }
    }
}

/// Ridge regression by solving its normal equations with Gauss and Jordan.
fn naive_ridge(x: &Array2<f64>, y: &[f64], test: ndarray::ArrayView1<'_, f64>, alpha: f64) -> f64 {
    let mean = y.iter().sum::<f64>() / y.len() as f64;
    let centre = x.mean_axis(Axis(0)).unwrap();
    let x = x - &centre;
    let v = x.ncols();
    let mut a = x.t().dot(&x);
    a.diag_mut().mapv_inplace(|value| value + alpha);
    let mut b: Vec<f64> = (0..v)
        .map(|j| x.column(j).iter().zip(y).map(|(x, y)| x * (y - mean)).sum())
        .collect();
    for k in 0..v {
        let pivot = a[[k, k]];
        for i in (0..v).filter(|&i| i != k) {
            let share = a[[i, k]] / pivot;
            for j in 0..v {
                a[[i, j]] -= share * a[[k, j]];
            }
            b[i] -= share * b[k];
        }
    }
    let weights = (0..v).map(|k| b[k] / a[[k, k]]);
    mean + weights
        .zip(&test - &centre)
        .map(|(w, x)| w * x)
        .sum::<f64>()
}

#[test]
fn one_penalty_agrees_with_plain_loops() {
    let (subjects, ratings) = brains(3, 12, &[4], 0.5);
    let params = BrainRatingsParams {
        penalties: vec![0.7],
        means: FoldMeans::Training,
        ..BrainRatingsParams::default()
    };
    let found = brain_ratings(&views(&subjects), &ratings, &params).unwrap();
    for left_out in 0..12 {
        let rows: Vec<usize> = (0..12).filter(|&i| i != left_out).collect();
        let mut x = subjects[0].clone();
        for mut voxel in x.columns_mut() {
            let train: Vec<f64> = rows.iter().map(|&i| voxel[i]).collect();
            let mean = train.iter().sum::<f64>() / 11.0;
            let sd = (train.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / 11.0).sqrt();
            voxel.mapv_inplace(|v| (v - mean) / sd);
        }
        let y: Vec<f64> = rows.iter().map(|&i| ratings[i]).collect();
        let expected = naive_ridge(&x.select(Axis(0), &rows), &y, x.row(left_out), 0.7 * 4.0);
        assert_close([found.predictions[[0, left_out]]], [expected], 1e-9);
    }
}

#[test]
fn training_means_alone_correlate_negatively() {
    let mut stream = stream(8);
    let noise = Array2::from_shape_fn((30, 20), |_| stream.normal());
    let ratings: Vec<f64> = (0..30).map(|_| stream.normal()).collect();
    let r = |means| {
        let params = BrainRatingsParams {
            penalties: vec![1e9],
            means,
            ..BrainRatingsParams::default()
        };
        brain_ratings(&[noise.view()], &ratings, &params)
            .unwrap()
            .r
            .unwrap()
    };
    assert!(r(FoldMeans::Training) < -0.999);
    assert!(r(FoldMeans::Common).abs() < 0.6);
}

#[test]
fn the_held_out_picture_is_not_seen() {
    let (subjects, mut ratings) = brains(5, 16, &[30, 12], 0.4);
    let params = BrainRatingsParams {
        means: FoldMeans::Training,
        ..BrainRatingsParams::default()
    };
    let before = brain_ratings(&views(&subjects), &ratings, &params).unwrap();
    ratings[6] += 100.0;
    let after = brain_ratings(&views(&subjects), &ratings, &params).unwrap();
    // But for the rounding of numbers that are centred at another mean.
    assert_close(
        before.predictions.column(6).to_vec(),
        after.predictions.column(6).to_vec(),
        1e-10,
    );
    assert!(before.predictions.column(5) != after.predictions.column(5));
}

#[test]
fn ends_of_the_grid_and_constant_voxels_are_noted() {
    let (mut subjects, ratings) = brains(2, 20, &[15, 6], 3.0);
    subjects[1].column_mut(2).fill(4.0);
    // Varies in one picture only, so not without it.
    subjects[1].column_mut(3).fill(4.0);
    subjects[1][[7, 3]] = 5.0;
    let params = BrainRatingsParams {
        penalties: vec![1e3, 1e5, 1e6],
        ..BrainRatingsParams::default()
    };
    let found = brain_ratings(&views(&subjects), &ratings, &params).unwrap();
    assert_eq!(
        (found.subjects[1].n_constant, found.subjects[1].n_voxels),
        (2, 6)
    );
    assert_eq!(found.subjects[0].n_smallest, 20);
    for part in [
        "subject 0: 20 of 20 folds chose the smallest",
        "2 of 6 voxels do not vary",
    ] {
        assert!(
            found.notes.iter().any(|note| note.contains(part)),
            "{:?}",
            found.notes
        );
    }
}

#[test]
fn what_cannot_be_predicted_is_named() {
    let (subjects, ratings) = brains(1, 9, &[4, 5], 1.0);
    let default = BrainRatingsParams::default;
    let message = |subjects: &[Array2<f64>], ratings: &[f64], params: BrainRatingsParams| {
        brain_ratings(&views(subjects), ratings, &params)
            .unwrap_err()
            .to_string()
    };
    let least_squares = BrainRatingsParams {
        model: BrainModel::LeastSquares,
        subjects: SubjectPooling::Pooled,
        ..default()
    };
    let components = BrainRatingsParams {
        model: BrainModel::Components,
        ..default()
    };
    let folds = BrainRatingsParams {
        folds: Some(Folds::Contiguous(2)),
        ..default()
    };
    let mut with_nan = subjects.clone();
    with_nan[0][[3, 2]] = f64::NAN;
    let flat = [Array2::from_elem((9, 3), 2.0)];
    for (found, part) in [
        (message(&[], &ratings, default()), "subjects: found 0"),
        (
            message(&subjects, &ratings[1..], default()),
            "expected 8, found 9",
        ),
        (message(&subjects, &[3.0; 9], default()), "the same rating"),
        (message(&with_nan, &ratings, default()), "row 3, column 2"),
        (message(&flat, &ratings, default()), "subject 0"),
        (
            message(&subjects, &ratings, folds),
            "2 folds of 9 rows, expected 3",
        ),
        (
            message(&subjects, &ratings, least_squares),
            "ordinary least squares",
        ),
        (message(&subjects, &ratings, components), "ask for at most"),
        (
            message(
                &subjects,
                &ratings,
                BrainRatingsParams {
                    penalties: vec![],
                    ..default()
                },
            ),
            "penalties",
        ),
        (
            message(
                &subjects,
                &ratings,
                BrainRatingsParams {
                    penalties: vec![-1.0],
                    ..default()
                },
            ),
            "-1",
        ),
        (
            message(
                &subjects,
                &ratings,
                BrainRatingsParams {
                    inner: 1,
                    ..default()
                },
            ),
            "at least 2",
        ),
    ] {
        assert!(found.contains(part), "{found}");
    }
}

#[test]
fn names_round_trip() {
    for name in ["ridge", "least-squares", "components"] {
        assert_eq!(name.parse::<BrainModel>().unwrap().to_string(), name);
    }
    for name in ["mean", "z-scored-mean", "pooled"] {
        assert_eq!(name.parse::<SubjectPooling>().unwrap().to_string(), name);
    }
    for name in ["common", "training"] {
        assert_eq!(name.parse::<FoldMeans>().unwrap().to_string(), name);
    }
    assert!("lasso".parse::<BrainModel>().is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// Units of voxels, their order and the number of threads change nothing.
    #[test]
    fn voxels_have_no_units_and_no_order(seed in 0_u64..1000, model in 0..2_usize) {
        let (subjects, ratings) = brains(seed, 15, &[9, 22], 0.6);
        let params = BrainRatingsParams {
            model: [BrainModel::Ridge, BrainModel::Components][model],
            counts: vec![1, 3],
            ..BrainRatingsParams::default()
        };
        let solve = |subjects: &[Array2<f64>]| -> BrainRatings {
            brain_ratings(&views(subjects), &ratings, &params).unwrap()
        };
        let found = solve(&subjects);
        let moved: Vec<Array2<f64>> = subjects
            .iter()
            .map(|x| Array2::from_shape_fn(x.dim(), |(i, j)| {
                let other = x.ncols() - 1 - j;
                (x[[i, other]] - 3.0) * (1.0 + other as f64)
            }))
            .collect();
        let other = solve(&moved);
        prop_assume!(found.subjects.iter().zip(&other.subjects).all(|(a, b)| a.chosen == b.chosen));
        for (a, b) in found.predictions.iter().zip(&other.predictions) {
            prop_assert!((a - b).abs() < 1e-8);
        }
        let alone = ThreadPoolBuilder::new().num_threads(1).build().unwrap().install(|| solve(&subjects));
        prop_assert_eq!(found, alone);
    }
}
