//! Error rates and coverage on simulated data.
#![expect(
    clippy::print_stderr,
    reason = "the measured rates are what these tests are run for"
)]

use ndarray::Array2;

use super::super::mixed_model;
use super::{OMIT, scores, with_gaps};
use crate::simulation::{chance, rate, rates};

const N_STUDIES: u64 = 300;

/// Four models, whose scores have an intraclass correlation of 0, 0.2 or 0.8.
const KINDS: [(&str, f64); 3] = [("icc 0", 0.0), ("icc 0.2", 0.5), ("icc 0.8", 2.0)];
const N_MODELS: usize = 4;

fn report(name: &str, found: f64, expected: f64, tolerance: f64) {
    eprintln!("{name}: {found:.4}");
    assert!((found - expected).abs() < tolerance, "{name}: {found}");
}

/// Rates of p ≤ 0.05 of a mean at chance and of a difference, of any corrected difference; and coverage of both intervals.
fn keeps_its_level(name: &str, tolerance: f64, table: impl Fn(u64) -> Array2<f64> + Sync) {
    let covers = |[low, high]: [f64; 2]| low <= 0.0 && 0.0 <= high;
    let [mean, difference, any, of_mean, of_difference] = rates(N_STUDIES, |i| {
        let found = mixed_model(table(i).view(), &[], &OMIT).unwrap();
        let (mean, pair) = (&found.models[0], &found.pairs[0].test);
        [
            mean.p <= 0.05,
            pair.p <= 0.05,
            found.pairs.iter().any(|p| p.test.p_corrected <= 0.05),
            covers(mean.interval),
            covers(pair.interval),
        ]
    });
    report(&format!("{name}, mean"), mean, 0.05, tolerance);
    report(&format!("{name}, difference"), difference, 0.05, tolerance);
    eprintln!("{name}, any of 6 differences: {any:.4}");
    assert!(any < 0.05 + tolerance, "{any}");
    let name = format!("{name}, coverage");
    report(&format!("{name} of the mean"), of_mean, 0.95, tolerance);
    let name = format!("{name} of the difference");
    report(&name, of_difference, 0.95, tolerance);
}

#[test]
#[ignore = "slow: calibration, run by the checks"]
fn complete_tables_keep_their_level() {
    for (kind, sd) in KINDS {
        for n in [5, 10, 20] {
            let tolerance = 0.005 + chance(N_STUDIES);
            keeps_its_level(&format!("complete, {kind}, n {n}"), tolerance, |i| {
                scores(i, N_MODELS, n, sd, 0.0)
            });
        }
    }
}

#[test]
#[ignore = "slow: calibration, run by the checks"]
fn tables_with_gaps_keep_their_level() {
    for (kind, sd) in KINDS {
        for n in [5, 10, 20] {
            // Five subjects with gaps find a little too much.
            let bias = if n == 5 { 0.025 } else { 0.005 };
            let tolerance = bias + chance(N_STUDIES);
            keeps_its_level(
                &format!("a quarter missing, {kind}, n {n}"),
                tolerance,
                |i| with_gaps(scores(i, N_MODELS, n, sd, 0.0), i, 0.25),
            );
        }
    }
}

/// The level is not kept where models differ in the variance within subjects: up to 8 % are found.
#[test]
#[ignore = "slow: calibration, run by the checks"]
fn unequal_variances_are_measured() {
    for n in [5, 10, 20] {
        let table = |i: u64| {
            let mut table = scores(i, N_MODELS, n, 1.0, 0.0);
            let level = scores(i + 1_000_000, 1, n, 1.0, 0.0);
            for model in 0..2 {
                table.row_mut(model).scaled_add(2.0, &level.row(0));
                let own = scores(i + (2 + model as u64) * 1_000_000, 1, n, 1.0, 0.0);
                table.row_mut(model).scaled_add(2.0, &own.row(0));
            }
            table
        };
        for (pair, name) in [(0, "both of large variance"), (5, "both of small variance")] {
            let found = rate(N_STUDIES, |i| {
                let found = mixed_model(table(i).view(), &[], &OMIT).unwrap();
                found.pairs[pair].test.p <= 0.05
            });
            eprintln!("unequal variances, n {n}, {name}: {found:.4}");
            assert!(found < 0.09 + chance(N_STUDIES), "{found}");
        }
    }
}
