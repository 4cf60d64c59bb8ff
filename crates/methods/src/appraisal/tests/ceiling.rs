//! Reliability of targets and the test against the ceiling.

use consilience_core::RatingReliability;
use consilience_stats::normal;
use ndarray::Array2;
use proptest::prelude::*;

use super::stream;
use crate::appraisal::{TargetCeiling, p_below_ceiling, reliability_of_means, target_reliability};
use crate::behaviour::{Correlated, CorrelationKind};
use crate::reliability::ReliabilityParams;

fn correlated(r: f64, n: usize) -> Correlated {
    Correlated {
        r,
        n,
        interval: None,
        p: 1.0,
        p_permutation: None,
        p_corrected: None,
        p_permutation_corrected: None,
    }
}

fn known(correlation: f64) -> TargetCeiling {
    TargetCeiling {
        correlation,
        interval: None,
    }
}

#[test]
fn a_ceiling_is_compared_on_fishers_scale() {
    let p = |r, n, ceiling: &TargetCeiling| {
        p_below_ceiling(&correlated(r, n), CorrelationKind::Pearson, ceiling)
    };
    let expected = normal::sf((0.9_f64.atanh() - 0.5_f64.atanh()) * 10.0);
    assert!((p(0.5, 103, &known(0.9)).unwrap() - expected).abs() < 1e-15);
    assert_eq!(p(0.9, 50, &known(0.9)), Some(0.5));
    let uncertain = TargetCeiling {
        correlation: 0.9,
        interval: Some([0.85, 0.93]),
    };
    assert!(p(0.5, 103, &uncertain) > p(0.5, 103, &known(0.9)));
    // A half of the interval that ends outside the scale says nothing.
    let half = TargetCeiling {
        interval: Some([0.0, 0.93]),
        ..uncertain
    };
    assert!(p(0.5, 103, &half).is_some());
    for (r, n, ceiling) in [
        (0.5, 3, known(0.9)),
        (1.0, 20, known(0.9)),
        (0.5, 20, known(1.0)),
        (
            0.5,
            20,
            TargetCeiling {
                interval: Some([0.0, 1.0]),
                ..uncertain
            },
        ),
    ] {
        assert_eq!(p(r, n, &ceiling), None, "{r} {n} {ceiling:?}");
    }
    let ranks = p_below_ceiling(
        &correlated(0.5, 103),
        CorrelationKind::Spearman,
        &known(0.9),
    );
    assert!(ranks > p(0.5, 103, &known(0.9)));
}

/// True values of n pictures, and ratings of k raters around them.
fn rated(seed: u64, n: usize, k: usize, noise: f64) -> Array2<f64> {
    let mut stream = stream(seed);
    let truth: Vec<f64> = (0..n).map(|_| stream.normal()).collect();
    Array2::from_shape_fn((n, k), |(i, _)| truth[i] + noise * stream.normal())
}

#[test]
fn both_reliabilities_find_the_share_of_true_variance() {
    // 1 / (1 + 4/10)
    let ratings = rated(4, 2000, 10, 2.0);
    let params = ReliabilityParams {
        resamples: 100,
        ..ReliabilityParams::default()
    };
    let found = target_reliability(ratings.view(), &params).unwrap();
    assert!((found.reliability.reliability - 1.0 / 1.4).abs() < 0.03);
    assert_eq!((found.n_raters, found.n_omitted), (10, 0));
    let columns: Vec<(f64, f64)> = ratings
        .rows()
        .into_iter()
        .map(|row| (row.mean().unwrap(), row.std(1.0)))
        .collect();
    let (means, sds): (Vec<f64>, Vec<f64>) = columns.into_iter().unzip();
    let of_means = reliability_of_means(&means, &sds, &[10; 2000], 100, 1).unwrap();
    assert!((of_means.reliability - found.reliability.reliability).abs() < 0.01);
    let [low, high] = of_means.interval.unwrap();
    assert!(low < 1.0 / 1.4 && 1.0 / 1.4 < high && high - low < 0.1);
    let ceiling = TargetCeiling::of(&of_means).unwrap();
    assert_eq!(ceiling.correlation, of_means.reliability.sqrt());
    assert_eq!(ceiling.interval, Some([low.sqrt(), high.sqrt()]));
}

#[test]
fn no_reliability_means_no_ceiling() {
    let found = reliability_of_means(&[1.0, 1.1, 0.9], &[3.0; 3], &[4; 3], 0, 1).unwrap();
    assert!(found.reliability < 0.0 && found.ceiling.is_none() && found.interval.is_none());
    assert_eq!(TargetCeiling::of(&found), None);
    let zero = RatingReliability {
        reliability: 0.0,
        interval: None,
        ceiling: Some(0.0),
    };
    assert_eq!(TargetCeiling::of(&zero), None);
    for (means, sds, counts, part) in [
        (vec![1.0; 3], vec![1.0; 3], vec![4; 3], "the same mean"),
        (
            vec![1.0, 2.0, 3.0],
            vec![1.0, -1.0, 1.0],
            vec![4; 3],
            "picture 1",
        ),
        (
            vec![1.0, 2.0, 3.0],
            vec![1.0; 3],
            vec![4, 4, 0],
            "over 0 ratings",
        ),
        (
            vec![1.0, 2.0, 3.0],
            vec![1.0; 2],
            vec![4; 3],
            "expected 3, found 2",
        ),
        (vec![1.0, 2.0], vec![1.0; 2], vec![4; 2], "at least 3"),
    ] {
        let message = reliability_of_means(&means, &sds, &counts, 0, 1)
            .unwrap_err()
            .to_string();
        assert!(message.contains(part), "{message}");
    }
}

proptest! {
    /// A lower correlation, or a higher ceiling, is further below; more pictures make it surer.
    #[test]
    fn the_test_is_monotone(r in -0.9..0.9_f64, c in 0.05..0.95_f64, n in 5..200_usize) {
        let p = |r, n, c| p_below_ceiling(&correlated(r, n), CorrelationKind::Pearson, &known(c)).unwrap();
        prop_assert!(p(r - 0.05, n, c) <= p(r, n, c));
        prop_assert!(p(r, n, (c + 0.04).min(0.99)) <= p(r, n, c));
        prop_assert_eq!(p(r, n + 10, c) <= p(r, n, c), r <= c || p(r, n + 10, c) == p(r, n, c));
    }
}
