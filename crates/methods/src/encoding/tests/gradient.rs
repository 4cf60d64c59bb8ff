//! Bands of features down the gradient.

use ndarray::{Array1, Array2, Axis, array, s};
use proptest::prelude::*;
use rayon::ThreadPoolBuilder;
use serde::Deserialize;

use super::problem::Problem;
use crate::encoding::gradient::Descent;
use crate::encoding::{BandedOutcome, BandedParams, BandedSearch, Folds, banded};

fn rows(values: &[Vec<f64>]) -> Array2<f64> {
    Array2::from_shape_vec((values.len(), values[0].len()), values.concat()).unwrap()
}

fn in_bands(problem: &Problem, params: &BandedParams) -> BandedOutcome {
    let (first, second) = problem.x.view().split_at(Axis(1), 2);
    let y = problem.y.view();
    banded(&[first.into(), second.into()], y.into(), params).unwrap()
}

fn params(problem: &Problem, search: BandedSearch) -> BandedParams {
    BandedParams {
        alphas: problem.params.alphas.clone(),
        folds: problem.params.folds.clone(),
        intercept: problem.params.intercept,
        search,
        ..BandedParams::default()
    }
}

/// Half the squared error of the first target, at weights e^δ_b of the bands, by plain ridge regression on scaled features.
fn by_scaled_features(problem: &Problem, logarithms: &Array1<f64>) -> f64 {
    let mut scaled = problem.clone();
    scaled.params.nested = false;
    // Twice, because the reference compares the two best.
    scaled.params.alphas = vec![1.0, 1.0];
    for (columns, delta) in [(s![.., ..2], logarithms[0]), (s![.., 2..], logarithms[1])] {
        scaled
            .x
            .slice_mut(columns)
            .mapv_inplace(|v| v * (delta / 2.0).exp());
    }
    let residual = &scaled.reference().predictions.column(0) - &problem.y.column(0);
    0.5 * residual.dot(&residual)
}

/// Training and test rows.
type Split = (Vec<usize>, Vec<usize>);

/// Products of the rows of both bands, and the rows of each fold.
fn parts_of(problem: &Problem) -> (Vec<Array2<f64>>, Vec<Split>) {
    let (first, second) = problem.x.view().split_at(Axis(1), 2);
    let kernels = [first, second].map(|x| x.dot(&x.t())).to_vec();
    let n_rows = problem.x.nrows();
    let folds = problem.params.folds.rows(n_rows, false).unwrap();
    let without = |test: &Vec<usize>| (0..n_rows).filter(|row| !test.contains(row)).collect();
    let splits = folds.iter().map(|test| (without(test), test.clone()));
    (kernels, splits.collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(30))]

    #[test]
    fn the_gradient_is_that_of_the_definition(
        seed in 0_u64..10_000, n_features in 3_usize..20, first in -4.0..2.0_f64, second in -4.0..2.0_f64,
    ) {
        let problem = Problem::new(seed, 20, n_features, 1);
        let (kernels, splits) = parts_of(&problem);
        let splits: Vec<(&[usize], &[usize])> = splits.iter().map(|(a, b)| (&**a, &**b)).collect();
        let intercept = problem.params.intercept;
        let descent = Descent { kernels: &kernels, splits: &splits, intercept, steps: 0, tolerance: 0.01 };
        let y = problem.y.column(0).to_vec();
        let at = array![first, second];
        let point = descent.point(&y, &at).unwrap();
        let expected = by_scaled_features(&problem, &at);
        prop_assert!((point.end.loss / expected - 1.0).abs() < 1e-7, "{} {expected}", point.end.loss);
        for band in 0..2 {
            let moved = |step: f64| {
                let mut to = at.clone();
                to[band] += step;
                descent.point(&y, &to).unwrap().end.loss
            };
            let difference = (moved(1e-4) - moved(-1e-4)) / 2e-4;
            prop_assert!((point.gradient[band] - difference).abs() < 1e-5 * point.end.loss.max(1.0));
        }
    }

    #[test]
    fn the_error_never_ends_above_its_start(seed in 0_u64..10_000, n_features in 3_usize..20) {
        let problem = Problem::new(seed, 20, n_features, 3);
        let run = |steps| in_bands(&problem, &params(&problem, BandedSearch::Gradient { steps, tolerance: 1e-3 }));
        let start = in_bands(&problem, &BandedParams { n_samples: 1, ..params(&problem, BandedSearch::Random) });
        let mut before = start.r2.clone();
        for steps in [0, 1, 4, 20] {
            let found = run(steps);
            for (t, (now, before)) in found.r2.iter().zip(&before).enumerate() {
                prop_assert!(now >= &(before - 1e-9), "{steps}: {now} {before}");
                let sum = found.product_measure.column(t).sum() + found.baseline[t];
                prop_assert!((sum - now).abs() < 1e-9, "{} {}", sum, now);
                prop_assert!((found.shares.column(t).sum() - 1.0).abs() < 1e-12);
            }
            if steps == 0 {
                let off = (&found.predictions - &start.predictions).mapv(f64::abs);
                prop_assert!(off.iter().all(|v| *v < 1e-7));
            }
            before = found.r2;
        }
    }
}

/// Targets of which each follows another mixture of bands, at a signal that the noise nearly drowns.
#[test]
fn planted_bands_are_found_as_well_as_at_random() {
    for seed in 0..4 {
        let mut problem = Problem::new(10 * seed, 80, 22, 3);
        let noise = problem.y.clone();
        let (first, second) = problem.x.view().split_at(Axis(1), 2);
        let signals = [first.column(0).to_owned(), second.sum_axis(Axis(1)) / 3.0];
        for (t, mix) in [(1.0, 0.0), (0.0, 1.0), (1.0, 0.7)].into_iter().enumerate() {
            let planted = &signals[0] * mix.0 + &signals[1] * mix.1;
            let other = noise.column((t + 1) % 3).mapv(|v| 0.02 * v);
            problem.y.column_mut(t).assign(&(planted + other));
        }
        let base = BandedParams {
            folds: Folds::Contiguous(5),
            ..BandedParams::default()
        };
        let random = in_bands(&problem, &base);
        let gradient = in_bands(
            &problem,
            &BandedParams {
                search: BandedSearch::GRADIENT,
                ..base
            },
        );
        for (a, b) in gradient.r2.iter().zip(&random.r2) {
            assert!(*a >= b - 0.01, "{:?} {:?}", gradient.r2, random.r2);
        }
        assert!(gradient.shares[[0, 0]] > 0.8, "{}", gradient.shares);
    }
}

#[derive(Deserialize)]
struct Peer {
    bands: Vec<Vec<Vec<f64>>>,
    y: Vec<Vec<f64>>,
    logarithms: Vec<Vec<f64>>,
    loss: Vec<f64>,
    gradient: Vec<Vec<f64>>,
    end_loss: Vec<f64>,
    end_r2: Vec<f64>,
}

#[test]
fn agrees_with_himalaya() {
    let text = include_str!("../../../../../fixtures/encoding/banded_gradient.json");
    let peer: Peer = serde_json::from_str(text).unwrap();
    let bands: Vec<Array2<f64>> = peer.bands.iter().map(|band| rows(band)).collect();
    let (y, logarithms, gradient) = (rows(&peer.y), rows(&peer.logarithms), rows(&peer.gradient));
    let kernels: Vec<Array2<f64>> = bands.iter().map(|x| x.dot(&x.t())).collect();
    let folds = Folds::Contiguous(5).rows(y.nrows(), false).unwrap();
    let train: Vec<Vec<usize>> = folds
        .iter()
        .map(|test| (0..y.nrows()).filter(|row| !test.contains(row)).collect())
        .collect();
    let splits: Vec<(&[usize], &[usize])> = train
        .iter()
        .zip(&folds)
        .map(|(train, test)| (&**train, &**test))
        .collect();
    let descent = Descent {
        kernels: &kernels,
        splits: &splits,
        intercept: false,
        steps: 100,
        tolerance: 1e-4,
    };
    for t in 0..3 {
        let target = y.column(t).to_vec();
        let point = descent
            .point(&target, &logarithms.column(t).to_owned())
            .unwrap();
        assert!((point.end.loss / peer.loss[t] - 1.0).abs() < 1e-9);
        for (found, expected) in point.gradient.iter().zip(gradient.column(t)) {
            assert!(
                (found - expected).abs() < 1e-8 * expected.abs().max(1.0),
                "{found} {expected}"
            );
        }
    }
    let found = banded(
        &bands
            .iter()
            .map(|band| band.view().into())
            .collect::<Vec<_>>(),
        y.view().into(),
        &BandedParams {
            search: BandedSearch::GRADIENT,
            intercept: false,
            ..BandedParams::default()
        },
    )
    .unwrap();
    for t in 0..3 {
        let residual = &found.predictions.column(t) - &y.column(t);
        let loss = 0.5 * residual.dot(&residual);
        assert!(
            loss < peer.end_loss[t] * 1.005,
            "{loss} {}",
            peer.end_loss[t]
        );
        assert!(
            (found.r2[t] - peer.end_r2[t]).abs() < 0.01,
            "{} {}",
            found.r2[t],
            peer.end_r2[t]
        );
    }
}

#[test]
fn threads_constant_targets_and_bad_options() {
    let mut problem = Problem::new(5, 20, 9, 12);
    problem.y.column_mut(7).fill(3.0);
    let base = BandedParams {
        intercept: true,
        ..params(&problem, BandedSearch::GRADIENT)
    };
    let run = |n_threads| {
        let pool = ThreadPoolBuilder::new().num_threads(n_threads);
        pool.build().unwrap().install(|| in_bands(&problem, &base))
    };
    let one = run(1);
    assert_eq!(one, run(2));
    assert_eq!(one.constant, [7]);
    assert_eq!((one.r2[7], one.baseline[7]), (0.0, 0.0));
    let all = one.shares.iter().chain(&one.alpha).chain(&one.r);
    assert!(all.into_iter().all(|v| v.is_finite()));
    // A band without a share keeps none.
    let alone = BandedParams {
        shares: Some(array![[0.0, 1.0]]),
        ..base.clone()
    };
    assert!(
        in_bands(&problem, &alone)
            .shares
            .row(0)
            .iter()
            .all(|v| *v == 0.0)
    );
    for tolerance in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let wrong = BandedParams {
            search: BandedSearch::Gradient {
                steps: 3,
                tolerance,
            },
            ..base.clone()
        };
        let (x, y) = (problem.x.view(), problem.y.view());
        let message = banded(&[x.into()], y.into(), &wrong)
            .unwrap_err()
            .to_string();
        assert!(message.contains("tolerance"), "{message}");
    }
}
