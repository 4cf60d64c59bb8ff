//! Runs that do not all hold every condition, and a noise precision for each run.

use ndarray::{Array2, Axis, array, s};
use proptest::prelude::*;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::problem::{Problem, assert_close};
use crate::rdm::{Dissimilarity, IncompleteRuns, RdmParams, rdm};
use crate::{MethodsError, NanPolicy};

const TREATMENTS: [IncompleteRuns; 2] = [IncompleteRuns::CommonRuns, IncompleteRuns::AllRows];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// With one repetition in each run, all treatments are the plain measure.
    #[test]
    fn complete_runs_are_treated_the_same(seed in 0..1000_u64, n in 2..6_usize, p in 2..20_usize) {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let x = Array2::from_shape_fn((3 * n, p), |_| rng.random_range(-1.0..3.0));
        let usual = RdmParams {
            dissimilarity: Dissimilarity::Crossnobis,
            conditions: Some((0..3 * n as i64).map(|row| row % n as i64).collect()),
            runs: Some((0..3 * n as i64).map(|row| row / n as i64).collect()),
            ..RdmParams::default()
        };
        let expected = rdm(x.view(), &usual).unwrap().vector;
        for incomplete_runs in TREATMENTS {
            let found = rdm(x.view(), &RdmParams { incomplete_runs, ..usual.clone() }).unwrap().vector;
            assert_close(&found, &expected, 1e-9, true);
        }
    }

    /// Unequal repetitions and missing values: over runs that hold both, it is the plain measure.
    #[test]
    fn common_runs_follow_the_definition(
        poisson in any::<bool>(), seed in 0..1000_u64, n in 2..5_usize, share in prop_oneof![Just(0.0), Just(0.1)],
    ) {
        let dissimilarity = if poisson { Dissimilarity::PoissonKlCv } else { Dissimilarity::Crossnobis };
        let problem = Problem::new(dissimilarity, seed, n, 40).with_missing(seed, share);
        let params = RdmParams {
            incomplete_runs: IncompleteRuns::CommonRuns,
            ..problem.params.clone()
        };
        let found = rdm(problem.patterns.view(), &params).unwrap().vector;
        assert_close(&found, &problem.reference(), 1e-9, true);
    }

    /// A pair is what it would be without the runs that lack one of its conditions.
    #[test]
    fn a_pair_is_compared_over_its_own_runs(seed in 0..1000_u64, shift in -9.0..9.0_f64) {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let runs = [0_i64, 0, 0, 1, 1, 1, 2, 2, 3, 3];
        let conditions = [0_i64, 1, 2, 0, 1, 2, 0, 2, 1, 2];
        let mut x = Array2::from_shape_fn((10, 6), |_| rng.random_range(-1.0..1.0));
        let params = |rows: &[usize], incomplete_runs| RdmParams {
            dissimilarity: Dissimilarity::Crossnobis,
            conditions: Some(rows.iter().map(|&row| conditions[row]).collect()),
            runs: Some(rows.iter().map(|&row| runs[row]).collect()),
            incomplete_runs,
            ..RdmParams::default()
        };
        let all: Vec<usize> = (0..10).collect();
        let common = params(&all, IncompleteRuns::CommonRuns);
        let found = rdm(x.view(), &common).unwrap().vector;
        for (k, (a, b)) in [(0, 1), (0, 2), (1, 2)].into_iter().enumerate() {
            let holds = |run: i64, c: i64| (0..10).any(|r| runs[r] == run && conditions[r] == c);
            let rows: Vec<usize> = all
                .iter()
                .copied()
                .filter(|&r| [a, b].contains(&conditions[r]) && holds(runs[r], a) && holds(runs[r], b))
                .collect();
            let alone = rdm(x.select(Axis(0), &rows).view(), &params(&rows, IncompleteRuns::Refuse)).unwrap();
            prop_assert!((found[k] - alone.vector[0]).abs() < 1e-12);
        }
        // What one run adds to all its patterns cancels.
        x.slice_mut(s![6..8, ..]).mapv_inplace(|v| v + shift);
        let moved = rdm(x.view(), &common).unwrap().vector;
        assert_close(&moved, &found, 1e-9, true);
    }

    #[test]
    fn the_same_precision_for_each_run_is_one_precision(seed in 0..1000_u64) {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let x = Array2::from_shape_fn((12, 5), |_| rng.random_range(-1.0..1.0));
        let root = Array2::from_shape_fn((5, 5), |_| rng.random_range(-1.0..1.0));
        let precision: Array2<f64> = root.t().dot(&root) + Array2::<f64>::eye(5);
        let params = RdmParams {
            dissimilarity: Dissimilarity::Crossnobis,
            conditions: Some((0..12).map(|row| row % 4).collect()),
            runs: Some((0..12).map(|row| row / 4).collect()),
            noise_precision: Some(precision.clone()),
            ..RdmParams::default()
        };
        let expected = rdm(x.view(), &params).unwrap().vector;
        let each = RdmParams {
            noise_precision: None,
            run_noise_precisions: Some(vec![precision; 3]),
            ..params
        };
        assert_close(&rdm(x.view(), &each).unwrap().vector, &expected, 1e-9, true);
    }
}

/// Under the null, the mean of many simulated data sets is 0 however incomplete the runs are.
#[test]
fn incomplete_crossnobis_is_unbiased() {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let conditions = vec![0_i64, 1, 2, 0, 1, 1, 2, 0, 2, 0, 1, 2];
    let runs = vec![0_i64, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3];
    for incomplete_runs in TREATMENTS {
        let params = RdmParams {
            dissimilarity: Dissimilarity::Crossnobis,
            conditions: Some(conditions.clone()),
            runs: Some(runs.clone()),
            incomplete_runs,
            ..RdmParams::default()
        };
        let mut sums = [0.0; 3];
        let n_sets = 4000;
        for _ in 0..n_sets {
            let x = Array2::from_shape_fn((12, 10), |_| rng.random_range(-1.0..1.0));
            for (sum, d) in sums.iter_mut().zip(rdm(x.view(), &params).unwrap().vector) {
                *sum += d;
            }
        }
        for sum in sums {
            assert!(
                (sum / f64::from(n_sets)).abs() < 0.01,
                "{incomplete_runs}: {sums:?}"
            );
        }
    }
}

#[test]
fn what_cannot_be_crossed_is_refused() {
    let x = array![[1.0, 2.0], [2.0, 1.0], [0.0, 5.0], [3.0, 3.5], [1.0, 0.0]];
    let params = |incomplete_runs| RdmParams {
        dissimilarity: Dissimilarity::Crossnobis,
        conditions: Some(vec![0, 1, 0, 1, 4]),
        runs: Some(vec![0, 0, 1, 1, 1]),
        incomplete_runs,
        ..RdmParams::default()
    };
    let refused = |params: &RdmParams| rdm(x.view(), params).unwrap_err();
    assert!(matches!(
        refused(&params(IncompleteRuns::Refuse)),
        MethodsError::ConditionMissingInRun {
            condition: 4,
            run: 0
        }
    ));
    assert_eq!(
        refused(&params(IncompleteRuns::CommonRuns)).to_string(),
        "conditions 0 and 4 have one run in common; cross-validation needs at least 2 runs for each \
         pair: leave out one of them"
    );
    assert!(matches!(
        refused(&params(IncompleteRuns::AllRows)),
        MethodsError::NoCommonRuns {
            first: 4,
            second: 4,
            ..
        }
    ));
    let poisson = RdmParams {
        dissimilarity: Dissimilarity::PoissonKlCv,
        ..params(IncompleteRuns::AllRows)
    };
    assert!(matches!(
        refused(&poisson),
        MethodsError::UnusedOption { .. }
    ));
    let plain = RdmParams {
        incomplete_runs: IncompleteRuns::CommonRuns,
        ..RdmParams::default()
    };
    assert!(matches!(refused(&plain), MethodsError::UnusedOption { .. }));

    let each = |precisions| RdmParams {
        conditions: Some(vec![0, 1, 0, 1, 1]),
        run_noise_precisions: Some(precisions),
        ..params(IncompleteRuns::Refuse)
    };
    assert!(rdm(x.view(), &each(vec![Array2::eye(2); 2])).is_ok());
    assert!(matches!(
        refused(&each(vec![Array2::eye(2); 3])),
        MethodsError::ShapeMismatch {
            expected: 2,
            found: 3,
            ..
        }
    ));
    assert!(matches!(
        refused(&each(vec![Array2::eye(2), Array2::zeros((2, 2))])),
        MethodsError::SingularCovariance {
            n_channels: 2,
            rank: 0
        }
    ));
    let with_runs = RdmParams {
        incomplete_runs: IncompleteRuns::CommonRuns,
        ..each(vec![Array2::eye(2); 2])
    };
    assert!(matches!(
        refused(&with_runs),
        MethodsError::UnusedOption { .. }
    ));

    let mut gaps = x.clone();
    gaps[[0, 0]] = f64::NAN;
    for params in [
        RdmParams {
            nan: NanPolicy::Omit,
            ..each(vec![Array2::eye(2); 2])
        },
        RdmParams {
            nan: NanPolicy::Omit,
            conditions: Some(vec![0, 1, 0, 1, 1]),
            ..params(IncompleteRuns::AllRows)
        },
    ] {
        let error = rdm(gaps.view(), &params).unwrap_err();
        assert!(
            matches!(error, MethodsError::UnusedOption { .. }),
            "{error}"
        );
    }
    let negative = array![[1.0], [2.0], [0.0], [-0.2]];
    let poisson = RdmParams {
        dissimilarity: Dissimilarity::PoissonKlCv,
        conditions: Some(vec![0, 1, 0, 1]),
        runs: Some(vec![0, 0, 1, 1]),
        ..RdmParams::default()
    };
    for incomplete_runs in [IncompleteRuns::Refuse, IncompleteRuns::CommonRuns] {
        let error = rdm(
            negative.view(),
            &RdmParams {
                incomplete_runs,
                ..poisson.clone()
            },
        )
        .unwrap_err();
        assert!(
            matches!(error, MethodsError::NegativeRate { .. }),
            "{error}"
        );
    }
}
