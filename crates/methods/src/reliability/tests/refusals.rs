//! What degenerate ratings are answered with.

use ndarray::{Array2, Array3, array};

use super::super::{
    Coefficient, RatingScale, ReliabilityError, ReliabilityParams, SnrParams, Unit,
    noise_ceiling_snr, rater_reliability, response_reliability,
};
use super::{COEFFICIENTS, bare, ratings, responses};
use crate::{MethodsError, NanPolicy};

fn refusal(x: &Array2<f64>, params: &ReliabilityParams) -> MethodsError {
    rater_reliability(x.view(), params).unwrap_err()
}

#[test]
fn what_has_no_reliability_is_refused() {
    let usual = ReliabilityParams::default();
    let error = refusal(&ratings(1, 9, 1, 1.0), &usual);
    assert!(matches!(
        error,
        MethodsError::Reliability(ReliabilityError::NoAgreement { n_raters: 1 })
    ));
    assert!(error.to_string().contains("give at least 2"), "{error}");
    assert!(matches!(
        refusal(&ratings(1, 2, 4, 1.0), &usual),
        MethodsError::TooFew {
            needed: 3,
            found: 2,
            ..
        }
    ));
    let mut gap = ratings(1, 9, 3, 1.0);
    gap[[4, 2]] = f64::NAN;
    assert!(matches!(
        refusal(&gap, &usual),
        MethodsError::NonFinite {
            row: 4,
            column: 2,
            ..
        }
    ));
    let none = ReliabilityParams { splits: 0, ..usual };
    assert!(matches!(
        refusal(&ratings(1, 9, 3, 1.0), &none),
        MethodsError::TooFew { .. }
    ));
}

#[test]
fn items_with_missing_ratings_are_left_out_on_demand() {
    let mut gaps = ratings(1, 12, 3, 1.0);
    gaps[[4, 2]] = f64::NAN;
    gaps[[7, 0]] = f64::NAN;
    let kept: Vec<usize> = (0..12).filter(|i| ![4, 7].contains(i)).collect();
    let complete = gaps.select(ndarray::Axis(0), &kept);
    for coefficient in COEFFICIENTS {
        let omit = ReliabilityParams {
            nan: NanPolicy::Omit,
            ..bare(coefficient)
        };
        let found = rater_reliability(gaps.view(), &omit).unwrap();
        let expected = rater_reliability(complete.view(), &omit).unwrap();
        assert_eq!((found.value, found.n_omitted), (expected.value, 2));
    }
    let omit = ReliabilityParams {
        nan: NanPolicy::Omit,
        ..ReliabilityParams::default()
    };
    gaps[[0, 0]] = f64::INFINITY;
    assert!(matches!(
        refusal(&gaps, &omit),
        MethodsError::NonFinite { row: 0, .. }
    ));
    let few = gaps.slice(ndarray::s![1..6;2, ..]).to_owned();
    gaps.row_mut(1).fill(f64::NAN);
    assert!(rater_reliability(few.view(), &omit).is_ok());
    let fewer = gaps.slice(ndarray::s![1..5, ..]).to_owned();
    assert!(matches!(
        refusal(&fewer, &omit),
        MethodsError::TooFew { found: 2, .. }
    ));
}

#[test]
fn a_reliability_lies_between_0_and_1() {
    use super::super::correlation_ceiling;
    assert_eq!(correlation_ceiling(1.0, 1.0), Ok(1.0));
    for bad in [0.0, -0.1, 1.1, f64::NAN] {
        assert!(correlation_ceiling(bad, 0.5).is_err() && correlation_ceiling(0.5, bad).is_err());
    }
}

#[test]
fn a_constant_rater_counts_only_where_it_can() {
    let mut x = ratings(2, 9, 4, 1.0);
    x.column_mut(1).fill(0.1);
    for coefficient in COEFFICIENTS {
        let found = rater_reliability(x.view(), &bare(coefficient));
        let fits = matches!(coefficient, Coefficient::SplitHalf | Coefficient::Alpha);
        assert_eq!(found.is_ok(), fits, "{coefficient}");
        let z = ReliabilityParams {
            scale: RatingScale::ZScores,
            ..bare(coefficient)
        };
        assert!(matches!(
            refusal(&x, &z),
            MethodsError::Reliability(ReliabilityError::ConstantRater { rater: 1, .. })
        ));
    }
    // With two raters, one half is the constant one.
    let two = array![[1.0, 5.0], [2.0, 5.0], [4.0, 5.0], [3.0, 5.0]];
    assert!(matches!(
        refusal(&two, &bare(Coefficient::SplitHalf)),
        MethodsError::Reliability(ReliabilityError::ConstantMean { .. })
    ));
    let against = array![[1.0, 4.0], [2.0, 3.0], [4.0, 1.0], [3.0, 2.0]];
    for coefficient in [Coefficient::Alpha, Coefficient::SplitHalf] {
        assert!(matches!(
            refusal(&against, &bare(coefficient)),
            MethodsError::Reliability(ReliabilityError::ConstantMean { .. })
        ));
    }
}

/// Of the three splits, one sets raters together who rate against each other.
#[test]
fn a_split_without_correlation_is_left_out() {
    let x = array![
        [1.0, 4.0, 2.0, 1.0],
        [2.0, 3.0, 1.0, 2.0],
        [3.0, 2.0, 4.0, 3.0],
        [4.0, 1.0, 3.0, 5.0]
    ];
    let found = rater_reliability(x.view(), &bare(Coefficient::SplitHalf)).unwrap();
    assert_eq!(found.n_splits, 2);
    assert!(
        found.notes.iter().any(|n| n.contains("1 of 3 splits")),
        "{:?}",
        found.notes
    );
}

#[test]
fn negative_agreement_has_a_value_and_no_ceiling() {
    let x = array![[1.0, 3.0], [2.0, 3.5], [4.0, 1.0], [3.0, 2.0]];
    for coefficient in [
        Coefficient::SplitHalf,
        Coefficient::Alpha,
        Coefficient::Pairwise,
    ] {
        let found = rater_reliability(x.view(), &bare(coefficient)).unwrap();
        assert!(found.value < 0.0 && found.ceiling.is_none());
        assert!(
            found.notes.iter().any(|n| n.contains("covary negatively")),
            "{:?}",
            found.notes
        );
    }
}

#[test]
fn what_has_no_interval_says_so() {
    let same = Array2::from_shape_fn((6, 3), |(i, _)| i as f64);
    let found = rater_reliability(same.view(), &ReliabilityParams::default()).unwrap();
    assert!((found.value - 1.0).abs() < 1e-12);
    assert!(found.interval.is_none() || found.interval.unwrap()[0] > 0.999);
    let two = ReliabilityParams {
        unit: Unit::Raters,
        ..ReliabilityParams::default()
    };
    let found = rater_reliability(ratings(3, 9, 2, 1.0).view(), &two).unwrap();
    assert!(found.interval.is_none() && found.notes.iter().any(|n| n.contains("at least 3")));
    let off = ReliabilityParams {
        resamples: 0,
        permutations: 0,
        ..ReliabilityParams::default()
    };
    let found = rater_reliability(ratings(3, 9, 4, 1.0).view(), &off).unwrap();
    assert_eq!(
        (found.interval, found.p, found.notes.len()),
        (None, None, 0)
    );
}

#[test]
fn a_bad_channel_does_not_spoil_the_others() {
    let mut x = responses(4, (3, 10, 5), 1.0);
    x.index_axis_mut(ndarray::Axis(2), 1).fill(2.0);
    x[[1, 4, 2]] = f64::INFINITY;
    for r in 0..3 {
        for stimulus in 0..10 {
            x[[r, stimulus, 3]] = stimulus as f64;
        }
    }
    for stimulus in 0..10 {
        x[[2, stimulus, 4]] = 0.3;
    }
    let found = noise_ceiling_snr(x.view(), &SnrParams::default()).unwrap();
    assert!(found[0].is_ok());
    assert_eq!(found[1], Err(ReliabilityError::ConstantChannel.into()));
    assert!(matches!(
        found[2],
        Err(MethodsError::NonFinite {
            row: 1,
            column: 4,
            ..
        })
    ));
    assert_eq!(found[3], Err(ReliabilityError::NoNoise.into()));
    assert_eq!(
        found[4],
        Err(ReliabilityError::ConstantRepetition { repetition: 2 }.into())
    );
    let found = response_reliability(x.view(), &bare(Coefficient::Pairwise)).unwrap();
    assert!(found[0].is_ok() && found[1].is_err() && found[2].is_err() && found[3].is_ok());

    let one = Array3::zeros((1, 10, 2));
    for error in [
        noise_ceiling_snr(one.view(), &SnrParams::default()).unwrap_err(),
        response_reliability(one.view(), &ReliabilityParams::default()).unwrap_err(),
    ] {
        assert_eq!(error, ReliabilityError::NoAgreement { n_raters: 1 }.into());
    }
    assert!(noise_ceiling_snr(Array3::zeros((2, 2, 1)).view(), &SnrParams::default()).is_err());
    let nothing = SnrParams {
        averaged: Some(0),
        ..SnrParams::default()
    };
    assert!(matches!(
        noise_ceiling_snr(x.view(), &nothing),
        Err(MethodsError::OptionOutOfRange { .. })
    ));
}

#[test]
fn less_signal_than_by_chance_counts_as_none() {
    let x = (0..100)
        .map(|index| responses(index, (2, 8, 1), 0.0))
        .find_map(|x| {
            let found = noise_ceiling_snr(x.view(), &SnrParams::default())
                .unwrap()
                .remove(0)
                .unwrap();
            (found.signal_variance < 0.0).then_some(found)
        })
        .unwrap();
    assert_eq!((x.ncsnr, x.explainable_variance), (0.0, 0.0));
    assert!(x.notes[0].contains("below 0"));
    assert_eq!(x.interval.unwrap()[0], 0.0);
}
