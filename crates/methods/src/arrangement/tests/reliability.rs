//! Reliability of RDMs from arrangements.

use ndarray::{Array2, array};

use super::super::{ArrangementParams, between_subjects, fit, split_half};
use super::{pearson, simulated};
use crate::MethodsError;

#[test]
fn noise_lowers_the_split_half_reliability() {
    let of = |noise| {
        let (trials, _) = simulated(8, &[8; 8], noise, 6);
        split_half(&trials, &ArrangementParams::default(), 20, 1).unwrap()
    };
    let (clean, noisy) = (of(0.0), of(0.1));
    assert!(clean.correlation.unwrap() > 1.0 - 1e-9);
    let r = noisy.correlation.unwrap();
    assert!(r < 0.999 && r > 0.3, "{r}");
    assert!((noisy.spearman_brown.unwrap() - 2.0 * r / (1.0 + r)).abs() < 1e-12);
    assert_eq!((noisy.n_splits, noisy.n_without), (20, 0));
    assert!((noisy.mean_common_pairs - 28.0).abs() < 1e-12);
    assert_eq!(noisy, of(0.1), "the same seed gives the same splits");
}

#[test]
fn halves_without_common_pairs_have_no_reliability() {
    let line = vec![[0.0, 0.0], [1.0, 0.0], [3.0, 0.0]];
    let trials = super::trials(5, &[(vec![0, 1, 2], line.clone()), (vec![2, 3, 4], line)]);
    let found = split_half(&trials, &ArrangementParams::default(), 3, 1).unwrap();
    assert_eq!(
        (found.correlation, found.n_splits, found.n_without),
        (None, 0, 3)
    );
    let one = trials.select(&[0]).unwrap();
    let error = split_half(&one, &ArrangementParams::default(), 3, 1).unwrap_err();
    assert!(matches!(error, MethodsError::TooFew { found: 1, .. }));
    assert!(split_half(&trials, &ArrangementParams::default(), 0, 1).is_err());
}

#[test]
fn subjects_are_compared_over_what_both_have() {
    let rdms: Vec<f64> = (1..=4_u64)
        .flat_map(|seed| {
            // The same items, so the same seed of the points; noise differs by the number of trials.
            let (trials, _) = simulated(6, &vec![6; seed as usize], 0.05, 7);
            fit(&trials, &ArrangementParams::default()).unwrap().vector
        })
        .collect();
    let rdms = Array2::from_shape_vec((4, 15), rdms).unwrap();
    let found = between_subjects(rdms.view()).unwrap();
    let row = |s: usize| rdms.row(s).to_vec();
    let mut sum = 0.0;
    for i in 0..4 {
        for j in 0..i {
            sum += pearson(&row(i), &row(j));
        }
    }
    assert!((found.pairwise.unwrap() - sum / 6.0).abs() < 1e-12);
    let others: Vec<f64> = (0..15)
        .map(|k| (1..4).map(|s| rdms[[s, k]]).sum::<f64>())
        .collect();
    assert!((found.leave_one_out[0].unwrap() - pearson(&row(0), &others)).abs() < 1e-12);

    let nan = f64::NAN;
    let gaps = array![
        [1.0, 2.0, 4.0, nan],
        [1.0, 2.0, 4.0, 9.0],
        [nan, nan, 1.0, 2.0]
    ];
    let found = between_subjects(gaps.view()).unwrap();
    assert!((found.pairwise.unwrap() - 1.0).abs() < 1e-12);
    assert_eq!(found.leave_one_out[2], None);
    assert!(between_subjects(gaps.slice(ndarray::s![..1, ..])).is_err());
}
