use ndarray::{Array2, array, concatenate};

use super::*;
use crate::head::{HeadOutput, channel_contributions};
use consilience_learn::train::Frequencies;

fn normals(n_rows: usize, n_columns: usize, index: u64) -> Array2<f32> {
    let mut stream = Stream::new(1, Domain::Simulation, index);
    Array2::from_shape_fn((n_rows, n_columns), |_| stream.normal() as f32)
}

/// Features of which the first three tell the rating, with noise of 0.3 of its standard deviation.
fn planted(n: usize, p: usize) -> (Array2<f32>, Vec<f64>) {
    let (features, noise) = (normals(n, p, 0), normals(n, 1, 1));
    let rating = |i: usize| {
        let signal = features[[i, 0]] - features[[i, 1]] + features[[i, 2]];
        4.0 + 0.5 * f64::from(signal + 0.5 * noise[[i, 0]])
    };
    let ratings = (0..n).map(rating).collect();
    (features, ratings)
}

fn quiet(_: usize, _: usize) {}

fn rated(features: &Array2<f32>, ratings: &[f64], params: &HeadParams) -> Vec<HeadRun> {
    train_heads(features.view(), ratings, params, &quiet).unwrap()
}

fn sigmoid() -> HeadParams {
    HeadParams {
        head: HeadKind::Sigmoid,
        scale: Some([0.0, 8.0]),
        runs: 2,
        epochs: 60,
        learning_rate: 0.05,
        ..HeadParams::default()
    }
}

/// Weights and intercept by Gaussian elimination of the normal equations, with the intercept as a column.
fn eliminated(x: &Array2<f64>, y: &[f64], w: &[f64], alpha: f64) -> Vec<f64> {
    let (n, p) = x.dim();
    let column = |i: usize, j: usize| if j < p { x[[i, j]] } else { 1.0 };
    let mut system = Array2::<f64>::zeros((p + 1, p + 2));
    for a in 0..=p {
        for i in 0..n {
            for b in 0..=p {
                system[[a, b]] += w[i] * column(i, a) * column(i, b);
            }
            system[[a, p + 1]] += w[i] * column(i, a) * y[i];
        }
        system[[a, a]] += if a < p { alpha } else { 0.0 };
    }
    for a in 0..=p {
        for b in (0..=p).filter(|b| *b != a) {
            let factor = system[[b, a]] / system[[a, a]];
            for c in 0..p + 2 {
                system[[b, c]] -= factor * system[[a, c]];
            }
        }
    }
    (0..=p)
        .map(|a| system[[a, p + 1]] / system[[a, a]])
        .collect()
}

#[test]
fn the_exact_solution_is_that_of_the_normal_equations() {
    for (n, p) in [(12, 3), (8, 8), (6, 15)] {
        let x = normals(n, p, 7).mapv(f64::from);
        let y: Vec<f64> = normals(n, 1, 8).iter().map(|&v| f64::from(v)).collect();
        let w: Vec<f64> = (0..n).map(|i| 0.5 + (i % 3) as f64).collect();
        for decay in [0.05, 2.0] {
            let found = exact::ridge(x.view(), &y, &w, Some(decay)).unwrap();
            let expected = eliminated(&x, &y, &w, 0.5 * n as f64 * decay);
            for (f, e) in found.weights.iter().chain([&found.bias]).zip(&expected) {
                assert!((f - e).abs() < 1e-9, "{n} × {p}: {f} {e}");
            }
            assert!((found.weight_decay - decay).abs() < 1e-12);
        }
    }
}

#[test]
fn the_penalty_is_chosen_by_leaving_out_each_picture() {
    for (n, p) in [(14, 3), (10, 16)] {
        let x = normals(n, p, 9).mapv(f64::from);
        let noise = normals(n, 1, 10);
        let y: Vec<f64> = (0..n)
            .map(|i| x[[i, 0]] + f64::from(noise[[i, 0]]))
            .collect();
        let w: Vec<f64> = (0..n).map(|i| 0.5 + (i % 4) as f64).collect();
        let total: f64 = w.iter().sum();
        let means: Vec<f64> = (0..p)
            .map(|j| (0..n).map(|i| w[i] * x[[i, j]]).sum::<f64>() / total)
            .collect();
        let trace: f64 = x
            .indexed_iter()
            .map(|((i, j), v)| w[i] * (v - means[j]).powi(2))
            .sum();
        let unit = trace / p.min(n - 1) as f64;
        let error = |alpha: f64| -> f64 {
            let of_row = |left_out: usize| {
                let rest: Vec<usize> = (0..n).filter(|&i| i != left_out).collect();
                let pick = |values: &[f64]| rest.iter().map(|&i| values[i]).collect::<Vec<f64>>();
                let x_rest = x.select(ndarray::Axis(0), &rest);
                let head = eliminated(&x_rest, &pick(&y), &pick(&w), alpha);
                let rating: f64 = (0..p).map(|j| head[j] * x[[left_out, j]]).sum();
                w[left_out] * (y[left_out] - rating - head[p]).powi(2)
            };
            (0..n).map(of_row).sum()
        };
        let alphas = (-8..=8).map(|k| unit * 10_f64.powf(0.5 * f64::from(k)));
        let best = alphas
            .min_by(|a, b| error(*a).total_cmp(&error(*b)))
            .unwrap();
        let found = exact::ridge(x.view(), &y, &w, None).unwrap();
        let alpha = 0.5 * n as f64 * found.weight_decay;
        assert!(
            (alpha / best - 1.0).abs() < 1e-9,
            "{n} × {p}: {alpha} {best}"
        );
    }
}

#[test]
fn planted_ratings_are_found() {
    let (features, ratings) = planted(80, 40);
    for run in rated(&features, &ratings, &HeadParams::default()) {
        assert!(run.r.unwrap() > 0.9, "{run:?}");
        // Metrics from the predictions, naively.
        let mean = ratings.iter().sum::<f64>() / 80.0;
        let pairs = || ratings.iter().zip(&run.predictions);
        let mae = pairs().map(|(y, p)| (y - p).abs()).sum::<f64>() / 80.0;
        let errors: f64 = pairs().map(|(y, p)| (y - p).powi(2)).sum();
        let variation: f64 = ratings.iter().map(|y| (y - mean).powi(2)).sum();
        assert!((run.mae - mae).abs() < 1e-12);
        assert!((run.r2.unwrap() - (1.0 - errors / variation)).abs() < 1e-12);
        assert!(run.epochs.is_empty() && run.weight_decay.len() == 5);
    }
}

#[test]
fn sigmoid_heads_rate_within_their_scale() {
    let (features, ratings) = planted(60, 6);
    for run in rated(&features, &ratings, &sigmoid()) {
        assert!(run.r.unwrap() > 0.9, "{:?}", run.r);
        assert!(run.predictions.iter().all(|p| (0.0..=8.0).contains(p)));
        assert!(run.epochs.len() == 5 && run.epochs.iter().all(|epoch| *epoch > 0));
    }
}

#[test]
fn exact_and_gradient_agree() {
    let (features, ratings) = planted(24, 4);
    let params = HeadParams {
        validation: Validation::Folds(2),
        weight_decay: Some(0.2),
        runs: 1,
        epochs: 600,
        patience: None,
        learning_rate: 0.02,
        ..HeadParams::default()
    };
    assert_eq!(params.solver(), Solver::Exact);
    let exact = rated(&features, &ratings, &params);
    let solver = Some(Solver::Gradient);
    let gradient = rated(&features, &ratings, &HeadParams { solver, ..params });
    assert_eq!(gradient[0].epochs, [600, 600]);
    for (e, g) in exact[0].predictions.iter().zip(&gradient[0].predictions) {
        assert!((e - g).abs() < 2e-3, "{e} {g}");
    }
    // A wide δ makes Huber's loss half the squared one.
    let loss = RatingLoss::Huber { delta: 1e3 };
    let weight_decay = Some(0.1);
    let huber = rated(
        &features,
        &ratings,
        &HeadParams {
            loss,
            weight_decay,
            ..params
        },
    );
    for (e, h) in exact[0].predictions.iter().zip(&huber[0].predictions) {
        assert!((e - h).abs() < 2e-3, "{e} {h}");
    }
}

#[test]
fn a_head_does_not_know_the_pictures_it_rates() {
    let (features, ratings) = planted(30, 10);
    let mut outlying = ratings.clone();
    outlying[11] = 7.9;
    // Without a part to stop by, which may make no difference.
    let throughout = HeadParams {
        patience: None,
        ..sigmoid()
    };
    for params in [HeadParams::default(), throughout] {
        let (before, after) = (
            rated(&features, &ratings, &params),
            rated(&features, &outlying, &params),
        );
        for (before, after) in before.iter().zip(&after) {
            assert_eq!(before.heads.head_of, after.heads.head_of);
            let fold = before.heads.head_of[11];
            for row in 0..30 {
                let same = before.predictions[row] == after.predictions[row];
                assert_eq!(same, before.heads.head_of[row] == fold, "{row}");
            }
        }
    }
}

#[test]
fn heads_from_elsewhere_do_not_know_what_judges_them() {
    let (features, ratings) = planted(60, 8);
    let stimuli = normals(9, 8, 5);
    let params = HeadParams {
        validation: Validation::HoldOut(0.25),
        ..HeadParams::default()
    };
    let train = |ratings: &[f64]| {
        train_heads_elsewhere(features.view(), ratings, stimuli.view(), &params, &quiet).unwrap()
    };
    let runs = train(&ratings);
    let all: Vec<usize> = (0..60).collect();
    let (_, held_out) = parted(&all, 0.25, 1..=58, 1, 0);
    assert_eq!(held_out.len(), 15);
    let mut other = ratings.clone();
    held_out.iter().for_each(|&row| other[row] += 1.0);
    let again = train(&other);
    assert_eq!(runs[0].predictions, again[0].predictions);
    assert!((runs[0].r.unwrap() - again[0].r.unwrap()).abs() < 1e-12);
    assert_ne!(runs[0].mae, again[0].mae);
    assert_ne!(runs[1].predictions, again[1].predictions);
    for run in &runs {
        assert_eq!((run.predictions.len(), run.heads.head_of.len()), (9, 9));
        assert_eq!(
            run.predictions[3],
            run.heads.of(3).rating(stimuli.row(3)).unwrap()
        );
        assert!(run.r.unwrap() > 0.8);
    }
}

#[test]
fn seeds_number_the_runs() {
    let (features, ratings) = planted(25, 5);
    let runs = |seed: u64, runs: usize| {
        rated(
            &features,
            &ratings,
            &HeadParams {
                seed,
                runs,
                ..HeadParams::default()
            },
        )
    };
    assert_eq!(runs(3, 4), runs(3, 4));
    assert_eq!(runs(3, 2)[1], runs(4, 1)[0]);
    assert_ne!(runs(3, 1)[0].predictions, runs(4, 1)[0].predictions);
    assert_eq!(runs(u64::MAX, 2)[1].seed, 0);
}

#[test]
fn threads_change_nothing_and_progress_is_told() {
    let (features, ratings) = planted(24, 30);
    let dropping = HeadParams {
        dropout: 0.2,
        loss: RatingLoss::WeightedMse(Frequencies::Bins(3)),
        ..sigmoid()
    };
    for params in [HeadParams::default(), dropping] {
        let with_threads = |n: usize| {
            let pool = rayon::ThreadPoolBuilder::new()
                .num_threads(n)
                .build()
                .unwrap();
            let told = AtomicUsize::new(0);
            let progress = |_: usize, n_heads: usize| {
                assert_eq!(n_heads, 5 * params.runs);
                told.fetch_add(1, Ordering::Relaxed);
            };
            let runs = pool
                .install(|| train_heads(features.view(), &ratings, &params, &progress).unwrap());
            assert_eq!(told.into_inner(), 5 * params.runs);
            runs
        };
        assert_eq!(with_threads(1), with_threads(2));
    }
}

#[test]
fn scales_of_features_and_ratings_do_not_matter() {
    let (features, ratings) = planted(30, 6);
    let moved = Array2::from_shape_fn((30, 6), |(i, j)| {
        8.0 * features[[i, j]] * (j + 1) as f32 + 4.0
    });
    let larger: Vec<f64> = ratings.iter().map(|y| 10.0 * y - 30.0).collect();
    let (found, expected) = (
        rated(&moved, &larger, &HeadParams::default()),
        rated(&features, &ratings, &HeadParams::default()),
    );
    for (found, expected) in found.iter().zip(&expected) {
        for (f, e) in found.predictions.iter().zip(&expected.predictions) {
            assert!((f - (10.0 * e - 30.0)).abs() < 1e-4, "{f} {e}");
        }
    }
}

#[test]
fn features_that_do_not_vary_weigh_nothing() {
    let (features, ratings) = planted(30, 6);
    let constant = Array2::from_elem((30, 2), 0.1_f32);
    let wider = concatenate![ndarray::Axis(1), features, constant];
    for params in [HeadParams::default(), sigmoid()] {
        for run in rated(&wider, &ratings, &params) {
            for head in &run.heads.heads {
                assert_eq!(head.weights[6..], [0.0, 0.0]);
                assert!(head.weights[..6].iter().all(|w| *w != 0.0));
            }
        }
    }
}

#[test]
fn weights_of_the_loss_are_those_of_the_training_set() {
    let (features, ratings) = planted(40, 5);
    let of = |loss| {
        rated(
            &features,
            &ratings,
            &HeadParams {
                loss,
                ..HeadParams::default()
            },
        )
    };
    assert_eq!(
        of(RatingLoss::WeightedMse(Frequencies::Bins(1))),
        of(RatingLoss::Mse)
    );
    // All ratings are distinct.
    assert_eq!(
        of(RatingLoss::WeightedMse(Frequencies::Values)),
        of(RatingLoss::Mse)
    );
    assert_ne!(
        of(RatingLoss::WeightedMse(Frequencies::Bins(4))),
        of(RatingLoss::Mse)
    );
}

#[test]
fn channels_add_up_and_a_lesion_is_what_they_leave() {
    let features = normals(1, 12, 3);
    let row = features.row(0);
    let weights = normals(1, 12, 4).iter().copied().collect();
    let output = HeadOutput::Sigmoid {
        low: -3.0,
        high: 3.0,
    };
    let head = RatingHead {
        weights,
        bias: 0.25,
        output,
    };
    for n_channels in [1, 3, 4, 12] {
        let parts = channel_contributions(&head, row, n_channels).unwrap();
        let sum = head.sum(row).unwrap();
        assert_eq!(parts.len(), n_channels);
        assert!((parts.iter().sum::<f64>() - (sum - 0.25)).abs() < 1e-12);
        let mut without = head.clone();
        let n_each = 12 / n_channels;
        let last = n_channels - 1;
        without.weights[last * n_each..].fill(0.0);
        let lesioned = output.of(sum - parts[last]);
        assert!((without.rating(row).unwrap() - lesioned).abs() < 1e-12);
    }
    for n_channels in [0, 5, 13] {
        assert!(matches!(
            channel_contributions(&head, row, n_channels),
            Err(ExperimentError::Count { .. })
        ));
    }
    assert!(channel_contributions(&head, array![1.0].view(), 1).is_err());
}

#[test]
fn what_cannot_be_learnt_from_is_refused() {
    let (features, ratings) = planted(12, 4);
    let params = HeadParams::default();
    let refused = |features: &Array2<f32>, ratings: &[f64], params: &HeadParams| match train_heads(
        features.view(),
        ratings,
        params,
        &quiet,
    ) {
        Err(ExperimentError::Appraise(error)) => error,
        other => panic!("{other:?}"),
    };
    let few = |n: usize| features.slice(ndarray::s![..n, ..]).to_owned();
    for (n, needed) in [(0, 3), (1, 3), (4, 5)] {
        let error = refused(&few(n), &ratings[..n], &params);
        assert!(
            matches!(error, AppraiseError::TooFewPictures { needed: at_least, found, .. } if at_least == needed && found == n),
            "{error}"
        );
    }
    let with = |at: usize, value: f64| {
        let mut ratings = ratings.clone();
        ratings[at] = value;
        ratings
    };
    let scale = Some([0.0, 8.0]);
    let error = refused(&features, &with(7, 8.5), &HeadParams { scale, ..params });
    assert!(
        matches!(error, AppraiseError::OutsideScale { picture: 7, .. }),
        "{error}"
    );
    let error = refused(&features, &with(2, f64::NAN), &params);
    assert!(
        matches!(error, AppraiseError::NonFiniteRating { picture: 2, .. }),
        "{error}"
    );
    let error = refused(&features, &[4.0; 12], &params);
    assert!(
        matches!(error, AppraiseError::ConstantRatings { .. }),
        "{error}"
    );
    let error = refused(&Array2::zeros((12, 4)), &ratings, &params);
    assert!(
        matches!(error, AppraiseError::ConstantFeatures { n_features: 4 }),
        "{error}"
    );
    let mut wrong = features.clone();
    wrong[[3, 1]] = f32::INFINITY;
    let error = refused(&wrong, &ratings, &params);
    assert!(
        matches!(
            error,
            AppraiseError::NonFiniteFeature {
                picture: 3,
                feature: 1,
                ..
            }
        ),
        "{error}"
    );
    let validation = Validation::HoldOut(0.2);
    let error = refused(
        &features,
        &ratings,
        &HeadParams {
            validation,
            ..params
        },
    );
    assert_eq!(error, AppraiseError::LearntStimuli);

    let elsewhere = |stimuli: &Array2<f32>, params: &HeadParams| {
        train_heads_elsewhere(features.view(), &ratings, stimuli.view(), params, &quiet)
            .unwrap_err()
    };
    let error = elsewhere(&features, &params);
    assert!(matches!(
        error,
        ExperimentError::Appraise(AppraiseError::FoldsElsewhere)
    ));
    let error = elsewhere(
        &normals(3, 5, 0),
        &HeadParams {
            validation,
            ..params
        },
    );
    assert!(matches!(
        error,
        ExperimentError::Count {
            expected: 4,
            found: 5,
            ..
        }
    ));
    let error = train_heads(features.view(), &ratings[1..], &params, &quiet).unwrap_err();
    assert!(matches!(
        error,
        ExperimentError::Count {
            expected: 12,
            found: 11,
            ..
        }
    ));
}

#[test]
fn options_that_cannot_be_are_refused() {
    let params = HeadParams::default();
    let wrong = [
        HeadParams {
            scale: Some([2.0, 2.0]),
            ..params
        },
        HeadParams {
            head: HeadKind::Sigmoid,
            ..params
        },
        HeadParams {
            solver: Some(Solver::Exact),
            ..sigmoid()
        },
        HeadParams {
            solver: Some(Solver::Exact),
            dropout: 0.5,
            ..params
        },
        HeadParams {
            dropout: 1.0,
            ..params
        },
        HeadParams {
            loss: RatingLoss::Huber { delta: 0.0 },
            ..params
        },
        HeadParams {
            loss: RatingLoss::WeightedMse(Frequencies::Bins(0)),
            ..params
        },
        HeadParams {
            validation: Validation::Folds(1),
            ..params
        },
        HeadParams {
            validation: Validation::HoldOut(1.0),
            ..params
        },
        HeadParams {
            weight_decay: Some(-1.0),
            ..params
        },
        HeadParams {
            learning_rate: f64::NAN,
            ..params
        },
        HeadParams {
            stop_share: 0.0,
            ..params
        },
        HeadParams { runs: 0, ..params },
        HeadParams {
            epochs: 0,
            ..params
        },
        HeadParams { batch: 0, ..params },
    ];
    for params in wrong {
        assert!(params.validate().is_err(), "{params:?}");
    }
    assert!(params.validate().is_ok() && sigmoid().validate().is_ok());
}

#[test]
fn names_are_parsed_and_shown() {
    for name in ["linear", "sigmoid"] {
        assert_eq!(name.parse::<HeadKind>().unwrap().to_string(), name);
    }
    for name in ["mse", "weighted-mse", "huber"] {
        assert_eq!(name.parse::<RatingLoss>().unwrap().to_string(), name);
    }
    for name in ["exact", "gradient"] {
        assert_eq!(name.parse::<Solver>().unwrap().to_string(), name);
    }
    let message = "ridge".parse::<Solver>().unwrap_err().to_string();
    assert!(message.contains("exact, gradient"), "{message}");
    let validations = [Validation::Folds(5), Validation::HoldOut(0.2)];
    let names = validations.map(|validation| validation.to_string());
    assert_eq!(names, ["5-fold cross-validation", "20 % held out"]);
}

/// `cargo test --release -p consilience-experiments a_study -- --ignored --nocapture`
#[test]
#[ignore = "measures"]
fn a_study_takes_its_time() {
    for p in [64, 512, 1000] {
        let (features, ratings) = planted(120, p);
        for params in [
            HeadParams::default(),
            HeadParams {
                epochs: 100,
                patience: None,
                ..sigmoid()
            },
        ] {
            let begin = std::time::Instant::now();
            let run = &rated(&features, &ratings, &HeadParams { runs: 1, ..params })[0];
            eprintln!(
                "120 × {p}, {}: {:?} for 5 heads, r {:?}",
                params.solver(),
                begin.elapsed(),
                run.r
            );
        }
    }
}

/// r of heads on features without any signal: `… chance -- --ignored --nocapture`
#[test]
#[ignore = "calibration"]
fn r_at_chance_is_below_zero() {
    for (n, p) in [(120, 64), (120, 512), (40, 64)] {
        let r: Vec<f64> = (0..100)
            .filter_map(|study| {
                let (features, ratings) = (
                    normals(n, p, 100 + 2 * study),
                    normals(n, 1, 101 + 2 * study),
                );
                let ratings: Vec<f64> = ratings.iter().map(|&v| f64::from(v)).collect();
                rated(
                    &features,
                    &ratings,
                    &HeadParams {
                        runs: 1,
                        ..HeadParams::default()
                    },
                )[0]
                .r
            })
            .collect();
        let mean = r.iter().sum::<f64>() / r.len() as f64;
        let sd = (r.iter().map(|r| (r - mean).powi(2)).sum::<f64>() / (r.len() - 1) as f64).sqrt();
        eprintln!(
            "{n} × {p}: mean r {mean:.3}, SD {sd:.3} over {} studies",
            r.len()
        );
        assert!(mean < 0.0);
    }
}
