mod calibration;
mod exact;
mod refusals;

use ndarray::{Array2, array, concatenate};

use super::*;
use crate::head::{HeadOutput, channel_contributions};
use consilience_learn::train::Frequencies;
use consilience_stats::random::{Domain, Stream};

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
        // Other ratings make other strata.
        let params = HeadParams {
            stratified: false,
            ..params
        };
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
fn folds_are_even_and_strata_go_to_all_of_them() {
    let (_, mut ratings) = planted(43, 3);
    ratings[7] = ratings[30];
    for stratified in [false, true] {
        let fold_of = folds(&ratings, 5, stratified, 3);
        let sizes: Vec<usize> = (0..5)
            .map(|fold| fold_of.iter().filter(|&&f| f == fold).count())
            .collect();
        assert!(sizes.iter().all(|size| (8..=9).contains(size)), "{sizes:?}");
        assert_ne!(fold_of, folds(&ratings, 5, stratified, 4));
    }
    let fold_of = folds(&ratings, 5, true, 3);
    let mut order: Vec<usize> = (0..43).collect();
    order.sort_by(|&a, &b| ratings[a].total_cmp(&ratings[b]));
    // Equal ratings may have changed places, so only what lies apart from them is told.
    for stratum in order
        .chunks(5)
        .filter(|s| !s.contains(&7) && !s.contains(&30))
    {
        let mut folds: Vec<usize> = stratum.iter().map(|&row| fold_of[row]).collect();
        folds.sort_unstable();
        folds.dedup();
        assert_eq!(folds.len(), stratum.len());
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
fn a_training_set_without_variation_rates_by_its_mean() {
    let ratings: Vec<f64> = (0..12).map(f64::from).collect();
    for n_features in [1, 20] {
        let mut features = Array2::<f32>::zeros((12, n_features));
        features.row_mut(4).fill(1.0);
        for params in [
            HeadParams::default(),
            HeadParams {
                solver: Some(Solver::Gradient),
                ..HeadParams::default()
            },
        ] {
            let run = &rated(&features, &ratings, &HeadParams { runs: 1, ..params })[0];
            let fold = run.heads.head_of[4];
            let head = &run.heads.heads[fold];
            assert!(head.weights.iter().all(|w| *w == 0.0));
            let learnt: Vec<f64> = (0..12)
                .filter(|&row| run.heads.head_of[row] != fold)
                .map(|row| ratings[row])
                .collect();
            let mean = learnt.iter().sum::<f64>() / learnt.len() as f64;
            // The gradient stops by other pictures than it learns from, so it may end beside the mean.
            let tolerance = if params.solver() == Solver::Exact {
                1e-5
            } else {
                1.5
            };
            assert!((run.predictions[4] - mean).abs() < tolerance);
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
