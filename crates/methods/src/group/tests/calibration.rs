//! Error rates and coverage on simulated data.
#![expect(
    clippy::print_stderr,
    reason = "the measured rates are what these tests are run for"
)]

use consilience_core::pairs;
use consilience_stats::random::{Domain, Stream};
use ndarray::Array2;

use super::super::differences::Differences;
use super::super::sign_flip::Flips;
use super::super::signed_rank::signed_rank_test;
use super::super::student::student_test;
use super::super::{Alternative, GroupParams};
use super::normals;
use crate::simulation::{chance, rate};

/// Three standard errors of a rate of 0.05 are 0.02.
const N_STUDIES: u64 = 400;

#[track_caller]
fn assert_near(name: &str, found: f64, expected: f64, tolerance: f64) {
    eprintln!("{name}: {found:.4}");
    assert!((found - expected).abs() < tolerance, "{name}: {found}");
}

/// Of mean 0: symmetric, or with a long tail on the right.
fn scores(index: u64, n: usize, skewed: bool) -> Array2<f64> {
    let mut draw = Stream::new(62, Domain::Simulation, index);
    Array2::from_shape_simple_fn((1, n), || {
        if skewed {
            -(1.0 - draw.uniform()).ln() - 1.0
        } else {
            draw.normal()
        }
    })
}

#[test]
#[ignore = "slow: calibration, run by the checks"]
fn tests_keep_their_level() {
    let params = GroupParams {
        flips: 999,
        ..GroupParams::default()
    };
    for (kind, skewed, sign) in [
        ("normal", false, 1.0),
        ("tail above", true, 1.0),
        ("tail below", true, -1.0),
    ] {
        for n in [5, 8, 16, 30] {
            let flips = Flips::new(n, &params);
            for alternative in [Alternative::Greater, Alternative::TwoSided] {
                let of = |i: u64| {
                    let scores = scores(i, n, skewed) * sign;
                    Differences::from_chance(scores.row(0), 0.0)
                };
                let rates = [
                    rate(N_STUDIES, |i| {
                        student_test(&of(i), alternative, 1.0).unwrap().p <= 0.05
                    }),
                    rate(N_STUDIES, |i| {
                        signed_rank_test(&of(i), alternative).unwrap().p <= 0.05
                    }),
                    rate(N_STUDIES, |i| {
                        flips.tests(&[of(i)], alternative)[0].unwrap().p <= 0.05
                    }),
                ];
                eprintln!(
                    "false positives, {kind}, n {n}, {alternative}: t, Wilcoxon, flips {rates:.4?}"
                );
                if !skewed {
                    assert!((rates[0] - 0.05).abs() < chance(N_STUDIES), "{rates:?}");
                    // Few subjects have few different p, the largest below 0.05 being less.
                    assert!(
                        rates.iter().all(|&found| found < 0.05 + chance(N_STUDIES)),
                        "{rates:?}"
                    );
                }
            }
        }
    }
}

#[test]
#[ignore = "slow: calibration, run by the checks"]
fn intervals_cover_the_mean_and_the_effect() {
    for n in [5, 8, 16, 30] {
        let of = |i: u64, skewed: bool, effect: f64| {
            let scores = scores(i, n, skewed) + effect;
            let differences = Differences::from_chance(scores.row(0), 0.0);
            student_test(&differences, Alternative::Greater, 1.0).unwrap()
        };
        let covers = |[low, high]: [f64; 2], truth: f64| low <= truth && truth <= high;
        for skewed in [false, true] {
            let covered = rate(N_STUDIES, |i| covers(of(i, skewed, 0.0).interval, 0.0));
            let name = format!("coverage of the mean, skewed {skewed}, n {n}");
            // Skewed scores have no promise; the rate is for the page.
            assert_near(
                &name,
                covered,
                0.95,
                if skewed { 0.13 } else { chance(N_STUDIES) },
            );
        }
        for effect in [0.5, 1.5] {
            let covered = rate(N_STUDIES, |i| {
                covers(of(i, false, effect).d_interval, effect)
            });
            assert_near(
                &format!("coverage of d {effect}, n {n}"),
                covered,
                0.95,
                chance(N_STUDIES),
            );
            let mean = (0..N_STUDIES)
                .map(|i| of(i, false, effect).hedges_g.unwrap())
                .sum::<f64>()
                / N_STUDIES as f64;
            assert_near(&format!("mean g of {effect}, n {n}"), mean, effect, 0.15);
        }
    }
}

/// Eight models that share much of what subjects do, none of them above chance.
#[test]
#[ignore = "slow: calibration, run by the checks"]
fn the_largest_statistic_keeps_the_family_wise_level() {
    let params = GroupParams {
        flips: 999,
        ..GroupParams::default()
    };
    for n in [8, 16] {
        let flips = Flips::new(n, &params);
        let scores = |i: u64| normals(2 * i + 1, 8, n) + normals(2 * i, 1, n).row(0);
        let any = |family: &[Differences], alternative| {
            let tests = flips.tests(family, alternative);
            tests.iter().any(|test| test.unwrap().p_fwe <= 0.05)
        };
        let models = rate(N_STUDIES, |i| {
            let scores = scores(i);
            let rows = scores.rows().into_iter();
            let family: Vec<_> = rows.map(|row| Differences::from_chance(row, 0.0)).collect();
            any(&family, Alternative::Greater)
        });
        assert_near(
            &format!("family-wise, 8 models, n {n}"),
            models,
            0.05,
            chance(N_STUDIES),
        );
        let of_pairs = rate(N_STUDIES, |i| {
            let scores = scores(i);
            let family: Vec<_> = pairs::iter(8)
                .map(|(a, b)| Differences::between(scores.row(a), scores.row(b)))
                .collect();
            any(&family, Alternative::TwoSided)
        });
        assert_near(
            &format!("family-wise, 28 pairs, n {n}"),
            of_pairs,
            0.05,
            chance(N_STUDIES),
        );
    }
}
