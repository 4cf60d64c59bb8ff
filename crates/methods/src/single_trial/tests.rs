//! Tests of responses to single trials: a peer's numbers, laws, refusals.

use consilience_stats::random::{Domain, Stream};
use ndarray::{Array2, Axis, concatenate, s};
use proptest::prelude::*;

use super::{Event, SingleTrialError, Timing, drifts, least_squares_separate, regressor};
use crate::MethodsError;

#[derive(serde::Deserialize)]
struct Golden {
    runs: Vec<Run>,
}

#[derive(serde::Deserialize)]
struct Run {
    n_volumes: usize,
    repetition_time: f64,
    first: f64,
    period: f64,
    onsets: Vec<f64>,
    durations: Vec<f64>,
    trials: Vec<Vec<f64>>,
    drifts: Vec<Vec<f64>>,
    motion: Vec<Vec<f64>>,
    recording: Vec<Vec<f64>>,
    betas: Vec<Vec<f64>>,
}

fn matrix(rows: &[Vec<f64>]) -> Array2<f64> {
    let flat: Vec<f64> = rows.concat();
    Array2::from_shape_vec((rows.len(), flat.len() / rows.len()), flat).unwrap()
}

#[track_caller]
fn close(found: &Array2<f64>, expected: &Array2<f64>, tolerance: f64) {
    assert_eq!(found.dim(), expected.dim());
    for (at, (found, expected)) in found.iter().zip(expected).enumerate() {
        let error = (found - expected).abs();
        assert!(
            error <= tolerance * expected.abs().max(1.0),
            "{at}: {found} {expected}"
        );
    }
}

fn columns(events: &[Event], timing: &Timing) -> Array2<f64> {
    let mut columns = Array2::zeros((timing.n_volumes, events.len()));
    for (mut column, event) in columns.columns_mut().into_iter().zip(events) {
        column.assign(&regressor(&[*event], timing).unwrap());
    }
    columns
}

#[test]
fn designs_and_betas_are_those_of_scipy_and_numpy() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../fixtures/single_trial/single_trial.json"
    );
    let golden: Golden = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    assert!(golden.runs.len() > 2);
    for run in golden.runs {
        let timing = Timing {
            n_volumes: run.n_volumes,
            repetition_time: run.repetition_time,
            first: run.first,
        };
        let events: Vec<Event> = (run.onsets.iter().zip(&run.durations))
            .map(|(&onset, &duration)| Event { onset, duration })
            .collect();
        let trials = columns(&events, &timing);
        close(&trials, &matrix(&run.trials), 1e-9);
        let cosines = drifts(&timing, run.period).unwrap();
        close(&cosines, &matrix(&run.drifts), 1e-12);
        let nuisance = concatenate![Axis(1), matrix(&run.motion), cosines];
        let recording = matrix(&run.recording).mapv(|value| value as f32);
        let betas =
            least_squares_separate(recording.view(), trials.view(), nuisance.view()).unwrap();
        // Betas are rounded to single precision.
        close(&betas.mapv(f64::from), &matrix(&run.betas), 1e-6);
    }
}

/// A run with trials every few seconds, its columns of no interest, and noise as a recording.
fn noise(seed: u64, n_trials: usize) -> (Timing, Array2<f64>, Array2<f64>, Array2<f32>) {
    let mut draw = Stream::new(71, Domain::Simulation, seed);
    let timing = Timing {
        n_volumes: 10 * n_trials + 30,
        repetition_time: 0.5 + draw.uniform(),
        first: draw.uniform(),
    };
    let events: Vec<Event> = (0..n_trials)
        .map(|trial| Event {
            onset: timing.repetition_time * 10.0 * (trial as f64 + draw.uniform()),
            // A recording in single precision says little of responses to instants.
            duration: 0.5 + 3.0 * draw.uniform(),
        })
        .collect();
    let trials = columns(&events, &timing);
    let motion = Array2::from_shape_fn((timing.n_volumes, 3), |_| draw.normal());
    let nuisance = concatenate![Axis(1), motion, drifts(&timing, 40.0).unwrap()];
    let recording = Array2::from_shape_fn((timing.n_volumes, 5), |_| draw.normal() as f32);
    (timing, trials, nuisance, recording)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn equal_responses_are_found_again_whatever_is_of_no_interest(seed in 0u64..1000, n in 1usize..8) {
        let (_, trials, nuisance, noise) = noise(seed, n);
        let all: Array2<f64> = trials.sum_axis(Axis(1)).insert_axis(Axis(1)) * 2.5;
        let weights = noise.slice(s![..nuisance.ncols(), ..1]).mapv(f64::from);
        let recording = (all + nuisance.dot(&weights) + 100.0).mapv(|value| value as f32);
        let betas = least_squares_separate(recording.view(), trials.view(), nuisance.view()).unwrap();
        for beta in betas {
            prop_assert!((beta - 2.5).abs() < 2e-3, "{}", beta);
        }
    }

    #[test]
    fn columns_that_others_explain_change_nothing(seed in 0u64..1000, n in 1usize..8) {
        let (_, trials, nuisance, recording) = noise(seed, n);
        let sums = nuisance.sum_axis(Axis(1)).insert_axis(Axis(1)) + 3.0;
        let more = concatenate![Axis(1), nuisance, sums];
        let few = least_squares_separate(recording.view(), trials.view(), nuisance.view()).unwrap();
        let many = least_squares_separate(recording.view(), trials.view(), more.view()).unwrap();
        for (few, many) in few.iter().zip(&many) {
            prop_assert!((few - many).abs() <= 1e-5 * few.abs().max(1.0));
        }
    }

    #[test]
    fn an_event_is_the_sum_of_its_parts(onset in 0.0f64..30.0, first in 0.1f64..5.0, second in 0.1f64..5.0) {
        let timing = Timing { n_volumes: 60, repetition_time: 1.1, first: 0.0 };
        let part = |onset, duration| Event { onset, duration };
        let whole = regressor(&[part(onset, first + second)], &timing).unwrap();
        let parts = regressor(&[part(onset, first), part(onset + first, second)], &timing).unwrap();
        for (whole, parts) in whole.iter().zip(&parts) {
            prop_assert!((whole - parts).abs() < 1e-12);
        }
    }

    #[test]
    fn drifts_are_orthonormal_and_without_a_mean(n in 2usize..90, period in 3.0f64..200.0) {
        let timing = Timing { n_volumes: n, repetition_time: 2.0, first: 0.0 };
        let drifts = drifts(&timing, period).unwrap();
        prop_assert!(drifts.ncols() < n);
        let gram = drifts.t().dot(&drifts);
        for ((i, j), value) in gram.indexed_iter() {
            prop_assert!((value - f64::from(u8::from(i == j))).abs() < 1e-10);
        }
        for mean in drifts.sum_axis(Axis(0)) {
            prop_assert!(mean.abs() < 1e-10);
        }
    }
}

#[test]
fn a_long_event_reaches_one_and_nothing_happens_before_it() {
    let timing = Timing {
        n_volumes: 80,
        repetition_time: 1.0,
        first: 0.0,
    };
    let expected = regressor(
        &[Event {
            onset: 10.0,
            duration: 60.0,
        }],
        &timing,
    )
    .unwrap();
    assert!(expected.iter().take(11).all(|&value| value == 0.0));
    assert!((expected[69] - 1.0).abs() < 1e-6, "{}", expected[69]);
}

#[test]
fn a_voxel_with_a_gap_has_no_betas_and_leaves_others_alone() {
    let (_, trials, nuisance, mut recording) = noise(1, 4);
    let whole = least_squares_separate(recording.view(), trials.view(), nuisance.view()).unwrap();
    recording[[3, 2]] = f32::NAN;
    let found = least_squares_separate(recording.view(), trials.view(), nuisance.view()).unwrap();
    for (voxel, (found, whole)) in found.columns().into_iter().zip(whole.columns()).enumerate() {
        match voxel {
            2 => assert!(found.iter().all(|beta| beta.is_nan())),
            _ => assert_eq!(found, whole),
        }
    }
}

#[test]
fn what_cannot_be_told_apart_is_refused() {
    let (timing, trials, nuisance, recording) = noise(2, 4);
    let refused = |trials: &Array2<f64>, nuisance: &Array2<f64>| {
        least_squares_separate(recording.view(), trials.view(), nuisance.view()).unwrap_err()
    };
    let mut late = trials.clone();
    late.column_mut(1).fill(0.0);
    let expected = |trial, why| SingleTrialError::Undetermined { trial, why }.into();
    assert_eq!(
        refused(&late, &nuisance),
        expected(1, "is 0 in this run, or what other columns hold already")
    );
    let twice = trials.select(Axis(1), &[0, 0]);
    assert_eq!(
        refused(&twice, &nuisance),
        expected(0, "is the same as that to all other trials together")
    );
    let full = Array2::from_diag(&trials.column(0).mapv(|_| 1.0));
    assert!(matches!(
        refused(&trials, &full),
        MethodsError::SingleTrial(SingleTrialError::NothingLeft { n_columns, .. }) if n_columns == timing.n_volumes
    ));
    let mut gap = nuisance.clone();
    gap[[2, 1]] = f64::NAN;
    assert!(matches!(
        refused(&trials, &gap),
        MethodsError::NonFinite {
            row: 2,
            column: 1,
            ..
        }
    ));
    for (onset, duration) in [(f64::NAN, 1.0), (1.0, -1.0), (1.0, f64::INFINITY)] {
        assert!(regressor(&[Event { onset, duration }], &timing).is_err());
    }
    assert!(drifts(&timing, 0.0).is_err());
    let still = Timing {
        repetition_time: 0.0,
        ..timing
    };
    assert!(regressor(&[], &still).is_err());
}
