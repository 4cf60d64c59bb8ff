//! Error rates and coverage on simulated data.
#![expect(
    clippy::print_stderr,
    reason = "the measured rates are what these tests are run for"
)]

use consilience_stats::random::{Domain, Stream};
use ndarray::Array2;

use super::super::{
    CorrelationDifference, CorrelationKind, CorrelationParams, DependentTest, DifferenceParams,
    ErrorConsistencyParams, ProcrustesParams, RateCorrection, SignalCounts, correlation_table,
    d_prime, dependent_difference, error_consistency, independent_difference, procrustes, welch,
};
use super::normals;
use crate::simulation::{chance, rate, rates};

/// Three standard errors of a rate of 0.05 are 0.01.
const N_STUDIES: u64 = 4000;

#[track_caller]
fn assert_near(name: &str, found: f64, expected: f64, tolerance: f64) {
    eprintln!("{name}: {found:.4}");
    assert!((found - expected).abs() < tolerance, "{name}: {found}");
}

#[test]
#[ignore = "slow: calibration, run by the checks"]
fn correlations_keep_their_level_and_coverage() {
    for kind in [CorrelationKind::Pearson, CorrelationKind::Spearman] {
        for n in [10, 40] {
            let params = CorrelationParams {
                kind,
                permutations: 199,
                ..CorrelationParams::default()
            };
            let study = |i: u64, r: f64| {
                let both = normals(i, 2, n);
                let y = &both.row(0) * r + &both.row(1) * (1.0 - r * r).sqrt();
                let y = y.insert_axis(ndarray::Axis(0));
                let x = both.slice(ndarray::s![0..1, ..]);
                correlation_table(x, y.view(), &[], &params).unwrap()[[0, 0, 0]].unwrap()
            };
            let t = rate(N_STUDIES, |i| study(i, 0.0).p <= 0.05);
            assert_near(
                &format!("false positives, {kind}, n {n}, t"),
                t,
                0.05,
                0.011,
            );
            let permuted = rate(N_STUDIES, |i| study(i, 0.0).p_permutation.unwrap() <= 0.05);
            assert_near(
                &format!("false positives, {kind}, n {n}, permutation"),
                permuted,
                0.05,
                0.011,
            );
            // What Spearman's is of a bivariate normal distribution.
            let truth = match kind {
                CorrelationKind::Pearson => 0.5,
                CorrelationKind::Spearman => 6.0 / std::f64::consts::PI * (0.25_f64).asin(),
            };
            let covered = rate(N_STUDIES, |i| {
                let [low, high] = study(i, 0.5).interval.unwrap();
                low <= truth && truth <= high
            });
            assert_near(&format!("coverage, {kind}, n {n}"), covered, 0.95, 0.02);
        }
    }
}

#[test]
#[ignore = "slow: calibration, run by the checks"]
fn welch_keeps_its_level_and_coverage() {
    for (n, m) in [(5, 20), (20, 20)] {
        let study = |i: u64| {
            let (a, b) = (normals(2 * i, 1, n) * 3.0, normals(2 * i + 1, 1, m));
            welch(a.row(0), b.row(0)).unwrap()
        };
        let found = rate(N_STUDIES, |i| study(i).p <= 0.05);
        assert_near(
            &format!("false positives, Welch {n} and {m}"),
            found,
            0.05,
            0.012,
        );
        let covered = rate(N_STUDIES, |i| {
            study(i).interval[0] <= 0.0 && study(i).interval[1] >= 0.0
        });
        assert_near(
            &format!("coverage, Welch {n} and {m}"),
            covered,
            0.95,
            0.012,
        );
    }
}

#[test]
#[ignore = "slow: calibration, run by the checks"]
fn the_permutation_test_of_procrustes_keeps_its_level() {
    let params = ProcrustesParams {
        permutations: 199,
        ..ProcrustesParams::default()
    };
    let found = rate(N_STUDIES, |i| {
        let (a, b) = (normals(2 * i, 12, 2), normals(2 * i + 1, 12, 2));
        procrustes(a.view(), b.view(), &params).unwrap().p.unwrap() <= 0.05
    });
    assert_near("false positives, Procrustes", found, 0.05, 0.011);
}

#[test]
#[ignore = "slow: calibration, run by the checks"]
fn sensitivity_keeps_its_level_and_coverage() {
    for (n, d) in [(50, 0.0), (50, 1.0), (200, 1.0)] {
        let study = |i: u64| {
            let mut draw = Stream::new(52, Domain::Simulation, i);
            let mut yes =
                |shift: f64| (0..n).filter(|_| draw.normal() + shift > 0.0).count() as u64;
            let (hits, false_alarms) = (yes(d / 2.0), yes(-d / 2.0));
            let counts = SignalCounts {
                hits,
                misses: n as u64 - hits,
                false_alarms,
                correct_rejections: n as u64 - false_alarms,
            };
            d_prime(counts, RateCorrection::LogLinear).unwrap()
        };
        let covered = rate(N_STUDIES, |i| {
            study(i).interval[0] <= d && d <= study(i).interval[1]
        });
        assert_near(
            &format!("coverage, d′ {d}, {n} trials of each"),
            covered,
            0.95,
            0.02,
        );
        if d == 0.0 {
            // Counts are discrete.
            assert_near(
                "false positives, d′",
                rate(N_STUDIES, |i| study(i).p <= 0.05),
                0.05,
                0.015,
            );
        }
    }
}

/// Two observers who share some of their errors.
fn observers(i: u64, n: usize, shared: f64) -> Array2<bool> {
    let mut draw = Stream::new(53, Domain::Simulation, i);
    let mut x = Array2::from_elem((2, n), false);
    for trial in 0..n {
        let both = draw.normal();
        for observer in 0..2 {
            let own = shared.sqrt() * both + (1.0 - shared).sqrt() * draw.normal();
            x[[observer, trial]] = own > -0.5;
        }
    }
    x
}

#[test]
#[ignore = "slow: calibration, run by the checks"]
fn error_consistency_keeps_its_level_and_coverage() {
    let kappa = |x: &Array2<bool>, resamples| {
        let params = ErrorConsistencyParams {
            resamples,
            ..ErrorConsistencyParams::default()
        };
        error_consistency(x.view(), &params).unwrap().remove(0)
    };
    for n in [40, 160] {
        let found = rate(N_STUDIES, |i| {
            kappa(&observers(i, n, 0.0), 0).is_ok_and(|k| k.p <= 0.05)
        });
        eprintln!("false positives, error consistency, {n} trials: {found:.4}");
        // Fisher's test is conservative for few trials.
        assert!(found < 0.055, "{found}");
        for shared in [0.0, 0.6] {
            let truth = kappa(&observers(u64::MAX, 2_000_000, shared), 0)
                .unwrap()
                .kappa;
            let covered = rate(N_STUDIES, |i| {
                kappa(&observers(i, n, shared), 200)
                    .ok()
                    .and_then(|k| k.interval)
                    .is_some_and(|[low, high]| low <= truth && truth <= high)
            });
            assert_near(
                &format!("coverage, κ {truth:.2}, {n} trials"),
                covered,
                0.95,
                0.03,
            );
        }
    }
}

/// Tests of differences are slower than those above.
const N_DIFFERENCES: u64 = 1000;

/// Two predictions that correlate alike with a target and with each other.
fn dependent(i: u64, n: usize, rho: f64, between: f64) -> [Vec<f64>; 3] {
    let z = normals(i, 3, n);
    // y = z₀; xⱼ = ρ·y + rest, rests correlating so that the predictions do by `between`.
    let rest = (between - rho * rho) / (1.0 - rho * rho);
    let own = (1.0 - rho * rho).sqrt();
    let y = z.row(0).to_vec();
    let x1 = (0..n).map(|k| rho * y[k] + own * z[[1, k]]).collect();
    let mixed = |k: usize| rest * z[[1, k]] + (1.0 - rest * rest).sqrt() * z[[2, k]];
    let x2 = (0..n).map(|k| rho * y[k] + own * mixed(k)).collect();
    [x1, x2, y]
}

/// False positives, by bootstrap as well, and coverage of 0.
fn assert_level(name: &str, [found, covered, bootstrap]: [f64; 3]) {
    let chance = chance(N_DIFFERENCES);
    assert_near(name, found, 0.05, chance + 0.012);
    assert_near(&format!("coverage, {name}"), covered, 0.95, chance + 0.012);
    assert_near(
        &format!("bootstrap, {name}"),
        bootstrap,
        0.05,
        chance + 0.03,
    );
}

fn hits(found: &CorrelationDifference) -> [bool; 3] {
    let [low, high] = found.interval;
    [
        found.p <= 0.05,
        low <= 0.0 && 0.0 <= high,
        found.bootstrap.is_some_and(|b| b.p <= 0.05),
    ]
}

#[test]
#[ignore = "slow: calibration, run by the checks"]
fn differences_of_dependent_correlations_keep_their_level() {
    for kind in [CorrelationKind::Pearson, CorrelationKind::Spearman] {
        for (n, rho, between) in [(20, 0.0, 0.0), (20, 0.5, 0.6), (80, 0.5, 0.6)] {
            let study = |i: u64, test, resamples| {
                let [a, b, y] = dependent(i, n, rho, between);
                let params = DifferenceParams {
                    kind,
                    test,
                    resamples,
                    ..DifferenceParams::default()
                };
                dependent_difference(&a, &b, &y, &params).unwrap().unwrap()
            };
            let name = format!("{kind}, n {n}, ρ {rho}, between {between}");
            let found = rates(N_DIFFERENCES, |i| {
                hits(&study(i, DependentTest::Williams, 200))
            });
            assert_level(&format!("Williams, {name}"), found);
            let steiger = rate(N_DIFFERENCES, |i| {
                study(i, DependentTest::Steiger, 0).p <= 0.05
            });
            assert_near(
                &format!("Steiger, {name}"),
                steiger,
                0.05,
                chance(N_DIFFERENCES) + 0.012,
            );
        }
    }
}

#[test]
#[ignore = "slow: calibration, run by the checks"]
fn differences_of_independent_correlations_keep_their_level() {
    for kind in [CorrelationKind::Pearson, CorrelationKind::Spearman] {
        for (n, m, rho) in [(15, 25, 0.0), (15, 25, 0.6), (60, 60, 0.6)] {
            let params = DifferenceParams {
                kind,
                resamples: 200,
                ..DifferenceParams::default()
            };
            let found = rates(N_DIFFERENCES, |i| {
                let [a, _, y] = dependent(2 * i, n, rho, rho * rho);
                let [b, _, z] = dependent(2 * i + 1, m, rho, rho * rho);
                let found = independent_difference([&a, &y], [&b, &z], &params);
                hits(&found.unwrap().unwrap())
            });
            assert_level(&format!("Fisher, {kind}, n {n} and {m}, ρ {rho}"), found);
        }
    }
}
