//! Error rates and coverage on simulated data.
#![expect(
    clippy::print_stderr,
    reason = "the measured rates are what these tests are run for"
)]

use rayon::prelude::*;

use super::super::{
    Coefficient, ReliabilityParams, SnrParams, Unit, noise_ceiling_snr, rater_reliability,
};
use super::{COEFFICIENTS, bare, ratings, responses};
use crate::simulation::{chance, rate};

const N_STUDIES: u64 = 2000;
/// The intervals over raters take longest.
const N_OF_RATERS: u64 = 500;

/// Three standard errors of a rate of 0.05 over 8,000 studies are 0.007.
#[test]
#[ignore = "slow: calibration, run by the checks"]
fn the_permutation_test_keeps_its_level() {
    for coefficient in COEFFICIENTS {
        let params = ReliabilityParams {
            permutations: 199,
            ..bare(coefficient)
        };
        let found = rate(8000, |i| {
            let found = rater_reliability(ratings(i, 15, 6, 0.0).view(), &params).unwrap();
            found.p.unwrap() <= 0.05
        });
        eprintln!("false positives, {coefficient}: {found:.4}");
        assert!((found - 0.05).abs() < 0.0075, "{coefficient}: {found}");
    }
    let params = SnrParams {
        resamples: 0,
        permutations: 199,
        ..SnrParams::default()
    };
    let found = rate(8000, |i| {
        let found = noise_ceiling_snr(responses(i, (3, 20, 1), 0.0).view(), &params).unwrap();
        found[0].as_ref().unwrap().p.unwrap() <= 0.05
    });
    eprintln!("false positives, signal: {found:.4}");
    assert!((found - 0.05).abs() < 0.0075, "signal: {found}");
}

/// What the coefficient is of infinitely many items: raters of a true value of variance s² and noise of
/// variance 1.
fn truth(coefficient: Coefficient, n_raters: usize, signal: f64) -> f64 {
    let (k, s) = (n_raters as f64, signal * signal);
    match coefficient {
        Coefficient::SplitHalf | Coefficient::Alpha => s / (s + 1.0 / k),
        Coefficient::Pairwise => s / (s + 1.0),
        Coefficient::LeaveOneOut => s / ((s + 1.0) * (s + 1.0 / (k - 1.0))).sqrt(),
    }
}

#[test]
#[ignore = "slow: calibration, run by the checks"]
fn intervals_over_items_cover_the_truth() {
    for (n_items, n_raters, signal) in [(30, 6, 0.7), (100, 6, 0.7), (30, 20, 0.4)] {
        for coefficient in COEFFICIENTS {
            let params = ReliabilityParams {
                resamples: 200,
                splits: 40,
                ..bare(coefficient)
            };
            let truth = truth(coefficient, n_raters, signal);
            let found = rate(N_STUDIES, |i| {
                let x = ratings(i, n_items, n_raters, signal);
                let found = rater_reliability(x.view(), &params).unwrap();
                let [low, high] = found.interval.unwrap();
                low <= truth && truth <= high
            });
            eprintln!(
                "coverage over items, {n_items} items, {n_raters} raters, {coefficient}: {found:.4}"
            );
            assert!((found - 0.95).abs() < 0.02, "{coefficient}: {found}");
        }
    }
}

/// Raters who see their own mix of what all see and what only they see; the items stay.
#[test]
#[ignore = "slow: calibration, run by the checks"]
fn intervals_over_raters_cover_the_truth() {
    use consilience_stats::random::{Domain, Stream};
    use ndarray::Array2;
    let n_items = 60;
    let mut draw = Stream::new(43, Domain::Simulation, 0);
    let shared: Vec<f64> = (0..n_items).map(|_| draw.normal()).collect();
    // How well a rater sees differs, and is what another sample of raters would change.
    let sample = |index: u64, n_raters: usize| {
        let mut draw = Stream::new(44, Domain::Simulation, index);
        let mut x = Array2::zeros((n_items, n_raters));
        for mut rater in x.columns_mut() {
            let gain = 0.7 + 0.3 * draw.normal();
            rater
                .iter_mut()
                .zip(&shared)
                .for_each(|(v, s)| *v = gain * s + draw.normal());
        }
        x
    };
    for n_raters in [8, 20] {
        for coefficient in COEFFICIENTS {
            let params = ReliabilityParams {
                unit: Unit::Raters,
                splits: 40,
                ..bare(coefficient)
            };
            let value = |i: u64| rater_reliability(sample(i, n_raters).view(), &params).unwrap();
            // The expected value over samples of raters, from other samples than those that are tested.
            let truth = (0..2000_u64)
                .into_par_iter()
                .map(|i| value(1_000_000 + i).value)
                .collect::<Vec<f64>>()
                .iter()
                .sum::<f64>()
                / 2000.0;
            let found = rate(N_OF_RATERS, |i| {
                let [low, high] = value(i).interval.unwrap();
                low <= truth && truth <= high
            });
            eprintln!("coverage over raters, {n_raters} raters, {coefficient}: {found:.4}");
            assert!(
                (found - 0.95).abs() < 0.025 + chance(N_OF_RATERS),
                "{coefficient}: {found}"
            );
        }
    }
}

#[test]
#[ignore = "slow: calibration, run by the checks"]
fn intervals_of_explainable_variance_cover_the_truth() {
    for (n_repetitions, n_stimuli, signal) in
        [(3, 30, 0.7), (3, 100, 0.7), (2, 100, 0.4), (10, 30, 0.5)]
    {
        let truth = signal * signal / (signal * signal + 1.0 / n_repetitions as f64);
        for z_scores in [true, false] {
            let params = SnrParams {
                z_scores,
                resamples: 200,
                permutations: 0,
                ..SnrParams::default()
            };
            let found = rate(N_STUDIES, |i| {
                let x = responses(i, (n_repetitions, n_stimuli, 1), signal);
                let found = noise_ceiling_snr(x.view(), &params).unwrap();
                let [low, high] = found[0].as_ref().unwrap().interval.unwrap();
                low <= truth && truth <= high
            });
            eprintln!(
                "coverage, {n_repetitions} repetitions, {n_stimuli} stimuli, z-scores {z_scores}: {found:.4}"
            );
            assert!((found - 0.95).abs() < 0.03, "{found}");
        }
    }
}
