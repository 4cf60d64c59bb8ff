//! What must hold for any arrangements.

use consilience_core::{Trials, pairs};
use proptest::prelude::*;

use super::super::{Arrangement, ArrangementParams, Estimator, ScreenUnit, Weighting, fit};
use super::{off, pearson, simulated, trials};
use crate::{MethodsError, NanPolicy};

const WEIGHTINGS: [Weighting; 3] = [Weighting::Evidence, Weighting::SetSize, Weighting::Equal];

fn params(weighting: Weighting) -> ArrangementParams {
    ArrangementParams {
        weighting,
        unseen: NanPolicy::Omit,
        tolerance: 1e-24,
        ..ArrangementParams::default()
    }
}

fn run(trials: &Trials, params: &ArrangementParams) -> Arrangement {
    fit(trials, params).unwrap()
}

/// The definition with a full array of pairs for each trial.
fn naive(trials: &Trials, params: &ArrangementParams) -> (Vec<f64>, Vec<f64>) {
    let n_pairs = pairs::n_pairs(trials.n_items());
    let sheets: Vec<Vec<Option<f64>>> = trials
        .trials()
        .iter()
        .map(|trial| {
            pairs::iter(trials.n_items())
                .map(|(i, j)| {
                    let place = |item| {
                        let idx = trial.items.iter().position(|&other| other == item)?;
                        Some(trial.positions[idx])
                    };
                    let (a, b) = (place(i)?, place(j)?);
                    Some((a[0] - b[0]).hypot(a[1] - b[1]))
                })
                .collect()
        })
        .collect();
    let weight = |sheet: &[Option<f64>], d: f64| {
        let n = sheet.iter().flatten().count() as f64;
        let rms = (sheet.iter().flatten().map(|d| d * d).sum::<f64>() / n).sqrt();
        let unit = match params.unit {
            ScreenUnit::Length(length) => length,
            ScreenUnit::Trial => rms,
        };
        match params.weighting {
            Weighting::Evidence => (d / unit).max(params.floor).powi(2),
            Weighting::SetSize => 1.0 / n,
            Weighting::Equal => 1.0,
        }
    };
    let evidence: Vec<f64> = (0..n_pairs)
        .map(|k| {
            let of = |sheet: &Vec<Option<f64>>| sheet[k].map_or(0.0, |d| weight(sheet, d));
            sheets.iter().map(of).sum()
        })
        .collect();
    let normalised = |mut v: Vec<f64>| {
        let seen = evidence.iter().filter(|&&e| e > 0.0).count() as f64;
        let rms = (v.iter().map(|d| d * d).sum::<f64>() / seen).sqrt();
        v.iter_mut().for_each(|d| *d /= rms);
        v
    };
    let mut rdm = normalised(
        (0..n_pairs)
            .map(|k| {
                let values: Vec<f64> = sheets.iter().filter_map(|sheet| sheet[k]).collect();
                values.iter().sum::<f64>() / values.len().max(1) as f64
            })
            .collect(),
    );
    for _ in 0..params.max_iterations {
        let factors: Vec<f64> = sheets
            .iter()
            .map(|sheet| {
                let (mut own, mut whole) = (0.0, 0.0);
                for (d, rdm) in sheet.iter().zip(&rdm) {
                    if let Some(d) = d {
                        own += d * d;
                        whole += rdm * rdm;
                    }
                }
                f64::sqrt(whole / own)
            })
            .collect();
        let next = normalised(
            (0..n_pairs)
                .map(|k| {
                    let terms = sheets.iter().zip(&factors);
                    let sum: f64 = terms
                        .filter_map(|(sheet, f)| sheet[k].map(|d| weight(sheet, d) * d * f))
                        .sum();
                    if evidence[k] > 0.0 {
                        sum / evidence[k]
                    } else {
                        0.0
                    }
                })
                .collect(),
        );
        let change: f64 = next.iter().zip(&rdm).map(|(a, b)| (a - b).powi(2)).sum();
        rdm = next;
        if change / (evidence.iter().filter(|&&e| e > 0.0).count() as f64) <= params.tolerance {
            break;
        }
    }
    (rdm, evidence)
}

/// A random session: its trials always hold one of all items.
fn session() -> impl Strategy<Value = Trials> {
    (
        4..9_usize,
        prop::collection::vec(2..9_usize, 1..6),
        0..1000_u64,
    )
        .prop_map(|(n_items, sizes, seed)| {
            let mut all: Vec<usize> = sizes.into_iter().map(|size| size.min(n_items)).collect();
            all.insert(0, n_items);
            simulated(n_items, &all, 0.05, seed).0
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_naive_version_gives_the_same(trials in session(), unit in prop::sample::select(vec![
        ScreenUnit::Length(1.0), ScreenUnit::Length(0.3), ScreenUnit::Trial,
    ])) {
        for weighting in WEIGHTINGS {
            let params = ArrangementParams { unit, ..params(weighting) };
            let found = run(&trials, &params);
            let (rdm, evidence) = naive(&trials, &params);
            for (found, expected) in found.vector.iter().zip(&rdm) {
                prop_assert!((found - expected).abs() < 1e-9, "{found} {expected}");
            }
            for (found, expected) in found.evidence.iter().zip(&evidence) {
                prop_assert!((found - expected).abs() < 1e-9 * expected);
            }
            let square = found.vector.iter().map(|d| d * d).sum::<f64>();
            prop_assert!((square / rdm.len() as f64 - 1.0).abs() < 1e-12);
        }
    }

    /// Renaming items permutes the RDM; the order of trials means nothing.
    #[test]
    fn items_and_trials_may_be_permuted(trials in session(), seed in 0..100_u64) {
        let n = trials.n_items();
        let order = consilience_stats::random::Stream::new(
            seed, consilience_stats::random::Domain::Permutations, 0,
        ).permutation(n);
        let mut moved: Vec<_> = trials
            .trials()
            .iter()
            .map(|trial| {
                let items: Vec<usize> = trial.items.iter().map(|&i| order[i]).collect();
                (items, trial.positions.clone())
            })
            .collect();
        moved.reverse();
        let moved = super::trials(n, &moved);
        for weighting in WEIGHTINGS {
            let plain = run(&trials, &params(weighting));
            let renamed = run(&moved, &params(weighting));
            for (k, (i, j)) in pairs::iter(n).enumerate() {
                let (a, b) = (order[i].min(order[j]), order[i].max(order[j]));
                let there = pairs::pair_idx(a, b, n);
                prop_assert!((plain.vector[k] - renamed.vector[there]).abs() < 1e-8);
                prop_assert!((plain.evidence[k] - renamed.evidence[there]).abs() < 1e-9);
            }
        }
    }

    /// Turning, mirroring, shifting a trial changes nothing; neither does its scale, where it has no say.
    #[test]
    fn the_pose_of_a_trial_means_nothing(
        trials in session(), angle in 0.0..6.0_f64, factor in 0.01..100.0_f64, shift in -5.0..5.0_f64,
    ) {
        let n = trials.n_items();
        let posed = |factor: f64| {
            let placed: Vec<_> = trials
                .trials()
                .iter()
                .enumerate()
                .map(|(t, trial)| {
                    let factor = if t == 0 { factor } else { 1.0 };
                    let (sin, cos) = angle.sin_cos();
                    let positions = trial
                        .positions
                        .iter()
                        .map(|[x, y]| [
                            factor * (cos * x + sin * y) + shift,
                            factor * (sin * x - cos * y) - shift,
                        ])
                        .collect();
                    (trial.items.clone(), positions)
                })
                .collect();
            super::trials(n, &placed)
        };
        for weighting in WEIGHTINGS {
            let plain = run(&trials, &params(weighting));
            prop_assert!(off(&plain.vector, &run(&posed(1.0), &params(weighting)).vector) < 1e-7);
            let unit = if weighting == Weighting::Evidence { ScreenUnit::Trial } else { ScreenUnit::default() };
            let params = ArrangementParams { unit, ..params(weighting) };
            let plain = run(&trials, &params);
            let scaled = run(&posed(factor), &params);
            prop_assert!(off(&plain.vector, &scaled.vector) < 1e-6);
            prop_assert!((scaled.scales[0] * factor / plain.scales[0] - 1.0).abs() < 1e-6);
        }
    }

    /// Another unit of length, given as such, changes nothing at all but the scales.
    #[test]
    fn the_unit_of_length_means_nothing(trials in session(), factor in 1e-3..1e3_f64) {
        let placed: Vec<_> = trials.trials().iter().map(|trial| {
            let positions = trial.positions.iter().map(|p| p.map(|v| v * factor)).collect();
            (trial.items.clone(), positions)
        }).collect();
        let scaled = super::trials(trials.n_items(), &placed);
        let plain = run(&trials, &params(Weighting::Evidence));
        let unit = ScreenUnit::Length(factor);
        let other = run(&scaled, &ArrangementParams { unit, ..params(Weighting::Evidence) });
        prop_assert!(off(&plain.vector, &other.vector) < 1e-9);
        prop_assert!((plain.largest_distance / other.largest_distance - 1.0).abs() < 1e-12);
    }

    /// Arrangements without noise give the planted distances.
    #[test]
    fn a_planted_plane_is_recovered(n_items in 4..12_usize, sizes in prop::collection::vec(3..12_usize, 1..6), seed in 0..1000_u64) {
        let mut all: Vec<usize> = sizes.into_iter().map(|size| size.min(n_items)).collect();
        all.push(n_items);
        let (trials, truth) = simulated(n_items, &all, 0.0, seed);
        for weighting in WEIGHTINGS {
            for estimator in [Estimator::Average, Estimator::InverseMds] {
                let found = run(&trials, &ArrangementParams { estimator, ..params(weighting) });
                let tolerance = if estimator == Estimator::Average { 1e-8 } else { 1e-3 };
                prop_assert!(off(&found.vector, &truth) < tolerance);
                prop_assert!(found.misfits.iter().all(|&m| m < tolerance));
            }
        }
    }
}

#[test]
fn one_trial_of_all_items_is_its_distances() {
    let (trials, _) = simulated(7, &[7], 0.1, 3);
    let distances: Vec<f64> = trials.trials()[0].distances().collect();
    for weighting in WEIGHTINGS {
        let found = run(
            &trials,
            &ArrangementParams {
                weighting,
                ..ArrangementParams::default()
            },
        );
        assert!(off(&found.vector, &distances) < 1e-14);
        assert_eq!(
            (found.n_iterations, found.converged, found.n_groups),
            (1, true, 1)
        );
        assert!(found.misfits[0] < 1e-14);
        assert!((found.scales[0] * distances[0] - found.vector[0]).abs() < 1e-14);
    }
    let evidence = run(&trials, &ArrangementParams::default()).evidence;
    for (e, d) in evidence.iter().zip(&distances) {
        assert!((e - d.max(0.2).powi(2)).abs() < 1e-12);
    }
}

#[test]
fn more_trials_bring_the_estimate_closer() {
    let (trials, truth) = simulated(10, &[10, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6], 0.04, 5);
    let first = trials.select(&[0]).unwrap();
    let of = |trials| pearson(&run(trials, &ArrangementParams::default()).vector, &truth);
    assert!(of(&trials) > of(&first), "{} {}", of(&trials), of(&first));
}

/// Corners of a tetrahedron, all pairs equally far. In the plane all four cannot be; three can.
#[test]
fn inverse_mds_mends_what_the_plane_cannot_show() {
    let square = vec![[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]];
    let height = 0.75_f64.sqrt();
    let triangle = vec![[0.0, 0.0], [1.0, 0.0], [0.5, height]];
    let trials = trials(
        4,
        &[
            (vec![0, 1, 2, 3], square),
            (vec![0, 1, 2], triangle.clone()),
            (vec![0, 2, 3], triangle.clone()),
            (vec![0, 1, 3], triangle.clone()),
            (vec![1, 2, 3], triangle),
        ],
    );
    let spread = |estimator| {
        let found = run(
            &trials,
            &ArrangementParams {
                estimator,
                ..ArrangementParams::default()
            },
        );
        assert!(found.converged);
        let largest = found.vector.iter().copied().fold(0.0, f64::max);
        largest / found.vector.iter().copied().fold(f64::INFINITY, f64::min)
    };
    let (average, inverse) = (spread(Estimator::Average), spread(Estimator::InverseMds));
    assert!(
        average > 1.05 && inverse - 1.0 < 0.5 * (average - 1.0),
        "{average} {inverse}"
    );
}

#[test]
fn pairs_never_seen_are_refused_or_left_out() {
    let line = |n: usize| (0..n).map(|i| [i as f64 / 2.0, 0.0]).collect::<Vec<_>>();
    let trials = trials(4, &[(vec![0, 1, 2], line(3)), (vec![1, 2, 3], line(3))]);
    let error = fit(&trials, &ArrangementParams::default()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "1 of 6 pairs of items are in no trial together: \"i000\" with \"i003\"; arrange them, leave \
         out their items, or ask for missing pairs to be omitted"
    );
    let found = run(&trials, &params(Weighting::Evidence));
    assert_eq!((found.n_unseen, found.n_groups), (1, 1));
    assert!(found.vector[2].is_nan() && found.evidence[2] == 0.0);
    let square = found
        .vector
        .iter()
        .filter(|d| !d.is_nan())
        .map(|d| d * d)
        .sum::<f64>();
    assert!((square / 5.0 - 1.0).abs() < 1e-12);
}

/// Three pairs in three trials: nothing but the screen tells their scale.
#[test]
fn groups_without_a_common_pair_are_counted() {
    let pair = |length: f64| vec![[0.0, 0.0], [length, 0.0]];
    let trials = trials(
        3,
        &[
            (vec![0, 1], pair(0.5)),
            (vec![0, 2], pair(1.0)),
            (vec![1, 2], pair(0.75)),
        ],
    );
    let found = run(&trials, &ArrangementParams::default());
    assert_eq!((found.n_groups, found.converged), (3, true));
    assert!(off(&found.vector, &[0.5, 1.0, 0.75]) < 1e-12);
}

#[test]
fn what_does_not_come_to_rest_says_so() {
    let (trials, _) = simulated(8, &[8, 4, 4, 5], 0.1, 1);
    let found = run(
        &trials,
        &ArrangementParams {
            max_iterations: 2,
            tolerance: 0.0,
            ..ArrangementParams::default()
        },
    );
    assert!(!found.converged && found.change > 0.0);
    assert_eq!(found.n_iterations, 2);
}

#[test]
fn sizes_at_the_ends_of_the_range_make_no_difference() {
    let (trials, _) = simulated(6, &[6, 4, 5], 0.05, 2);
    let plain = run(&trials, &params(Weighting::Equal)).vector;
    for factor in [1e-60, 1e55] {
        let placed: Vec<_> = trials
            .trials()
            .iter()
            .map(|trial| {
                let positions = trial
                    .positions
                    .iter()
                    .map(|p| p.map(|v| v * factor))
                    .collect();
                (trial.items.clone(), positions)
            })
            .collect();
        let trials = super::trials(6, &placed);
        for weighting in WEIGHTINGS {
            let found = run(&trials, &params(weighting));
            assert!(
                found.vector.iter().all(|d| d.is_finite()),
                "{factor} {weighting}"
            );
            if weighting == Weighting::Equal {
                assert!(off(&found.vector, &plain) < 1e-9, "{factor}");
            }
        }
    }
}

#[test]
fn options_out_of_range_are_refused() {
    let (trials, _) = simulated(5, &[5], 0.0, 1);
    let usual = ArrangementParams::default();
    for params in [
        ArrangementParams {
            floor: 0.0,
            ..usual
        },
        ArrangementParams {
            floor: f64::NAN,
            ..usual
        },
        ArrangementParams {
            tolerance: -1.0,
            ..usual
        },
        ArrangementParams {
            unit: ScreenUnit::Length(0.0),
            ..usual
        },
    ] {
        let error = fit(&trials, &params).unwrap_err();
        assert!(
            matches!(error, MethodsError::OptionOutOfRange { .. }),
            "{error}"
        );
    }
    let params = ArrangementParams {
        max_pairs: 19,
        ..usual
    };
    let error = fit(&trials, &params).unwrap_err();
    assert_eq!(
        error,
        MethodsError::TooManyPairs {
            found: 20,
            limit: 19
        }
    );
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let (trials, _) = simulated(12, &[12, 6, 7, 5], 0.1, 9);
    let bits = |n_threads| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(n_threads)
            .build()
            .unwrap();
        let params = ArrangementParams {
            estimator: Estimator::InverseMds,
            ..ArrangementParams::default()
        };
        let vector = pool.install(|| run(&trials, &params)).vector;
        vector.into_iter().map(f64::to_bits).collect::<Vec<_>>()
    };
    assert_eq!(bits(1), bits(2));
}
