//! Intervals and the test of noise ceilings.
#![expect(
    clippy::print_stderr,
    reason = "the measured rates are what the slow tests are run for"
)]

use consilience_core::pairs;
use consilience_stats::random::{Domain, Stream};
use ndarray::{Array2, Axis};
use rayon::prelude::*;

use super::super::{CeilingParams, Similarity, noise_ceiling, tested_ceiling};
use super::simulated;
use crate::simulation::{rate, rates};
use crate::{MethodsError, NanPolicy};

const N_STUDIES: u64 = 2000;

/// The jackknife by its definition, from ceilings of fewer subjects.
#[test]
fn standard_errors_follow_from_leaving_subjects_out() {
    for similarity in Similarity::ALL {
        let data = simulated(90, 1, 6, 8, 1.0);
        let params = CeilingParams {
            similarity,
            permutations: 19,
            ..CeilingParams::default()
        };
        let found = tested_ceiling(data.view(), &params).unwrap();
        let whole = noise_ceiling(data.view(), similarity, NanPolicy::Refuse).unwrap();
        assert_eq!(found.ceiling, whole);
        let lower: Vec<f64> = (0..6)
            .map(|subject| {
                let kept: Vec<usize> = (0..6).filter(|&s| s != subject).collect();
                let rest = data.select(Axis(0), &kept);
                noise_ceiling(rest.view(), similarity, NanPolicy::Refuse)
                    .unwrap()
                    .lower
            })
            .collect();
        let mean = lower.iter().sum::<f64>() / 6.0;
        let square: f64 = lower.iter().map(|v| (v - mean) * (v - mean)).sum();
        let sem = found.sem.unwrap()[0];
        assert!(
            (sem - (square * 5.0 / 6.0).sqrt()).abs() < 1e-9,
            "{similarity}"
        );
        assert!(found.p.is_some() && found.notes.is_empty());
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(1)
            .build()
            .unwrap();
        assert_eq!(
            found,
            pool.install(|| tested_ceiling(data.view(), &params).unwrap())
        );
    }
}

#[test]
fn what_cannot_be_had_is_told() {
    let data = simulated(91, 1, 2, 8, 1.0);
    let found = tested_ceiling(data.view(), &CeilingParams::default()).unwrap();
    assert!(found.lower_interval.is_none() && found.notes[0].contains("at least 3"));
    let one = simulated(91, 1, 1, 8, 1.0);
    assert!(matches!(
        tested_ceiling(one.view(), &CeilingParams::default()),
        Err(MethodsError::NoCeiling { n_subjects: 1 })
    ));
    let same = Array2::from_shape_fn((4, 28), |(_, k)| (k * k % 11) as f64);
    let found = tested_ceiling(same.view(), &CeilingParams::default()).unwrap();
    assert!(found.p.unwrap() < 0.01);
    let mut gap = simulated(91, 1, 4, 8, 1.0);
    gap[[2, 3]] = f64::NAN;
    let omit = CeilingParams {
        nan: NanPolicy::Omit,
        ..CeilingParams::default()
    };
    let found = tested_ceiling(gap.view(), &omit).unwrap();
    assert_eq!((found.p, found.n_omitted), (None, 1));
    assert!(found.lower_interval.is_some() && found.notes[0].contains("no test"));
}

#[test]
#[ignore = "slow: calibration, run by the checks"]
fn the_test_of_a_ceiling_keeps_its_level() {
    for similarity in [Similarity::Spearman, Similarity::Cosine] {
        let params = CeilingParams {
            similarity,
            permutations: 199,
            ..CeilingParams::default()
        };
        let found = rate(N_STUDIES, |i| {
            let data = simulated(92, i, 5, 8, 0.0);
            tested_ceiling(data.view(), &params).unwrap().p.unwrap() <= 0.05
        });
        eprintln!("false positives of the ceiling, {similarity}: {found:.4}");
        assert!((found - 0.05).abs() < 0.015, "{similarity}: {found}");
    }
}

/// Subjects whose RDMs are a fixed one plus noise; the truth is the mean over other samples of as many.
#[test]
#[ignore = "slow: calibration, run by the checks"]
fn intervals_of_a_ceiling_cover_its_expectation() {
    let model = simulated(93, 0, 1, 12, 1.0);
    let subjects = |index: u64, n: usize| {
        let mut draw = Stream::new(94, Domain::Simulation, index);
        let mut data = Array2::zeros((n, pairs::n_pairs(12)));
        for mut row in data.rows_mut() {
            let noise = 8.0 + 4.0 * draw.uniform();
            row.iter_mut()
                .zip(&model)
                .for_each(|(v, m)| *v = m + noise * draw.normal());
        }
        data
    };
    for n in [6, 12, 24] {
        for similarity in [Similarity::Pearson, Similarity::Spearman] {
            let params = CeilingParams {
                similarity,
                permutations: 0,
                ..CeilingParams::default()
            };
            let study = |i: u64| tested_ceiling(subjects(i, n).view(), &params).unwrap();
            let others: Vec<_> = (0..4000)
                .into_par_iter()
                .map(|i| study(1_000_000 + i).ceiling)
                .collect();
            let mean = |bound: fn(&consilience_core::Ceiling) -> f64| {
                others.iter().map(bound).sum::<f64>() / others.len() as f64
            };
            let (lower, upper) = (mean(|c| c.lower), mean(|c| c.upper));
            let within = |interval: Option<[f64; 2]>, truth: f64| {
                interval.is_some_and(|[low, high]| low <= truth && truth <= high)
            };
            let [of_lower, of_upper] = rates(N_STUDIES, |i| {
                let found = study(i);
                [
                    within(found.lower_interval, lower),
                    within(found.upper_interval, upper),
                ]
            });
            eprintln!(
                "coverage of a ceiling, {n} subjects, {similarity}: lower {of_lower:.4}, upper {of_upper:.4}"
            );
            assert!((of_lower - 0.95).abs() < 0.05, "{of_lower}");
        }
    }
}
