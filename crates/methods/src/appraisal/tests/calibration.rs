//! How often the test against the ceiling errs, and what brain ratings are without a signal.

use ndarray::{Array2, Axis};
use rayon::prelude::*;

use super::{brains, stream};
use crate::appraisal::{
    BrainRatingsParams, FoldMeans, SubjectPooling, TargetCeiling, brain_ratings, p_below_ceiling,
    target_reliability,
};
use crate::behaviour::{CorrelationKind, CorrelationParams, correlation_table};
use crate::reliability::ReliabilityParams;
use crate::simulation::{chance, rates};

/// p against a known ceiling, one that is estimated, and that with its interval: of a model whose ratings hold the true
/// values and so much noise, with 60 pictures and 12 raters whose mean has the reliability 0.75.
fn p_values(seed: u64, noise: f64) -> [f64; 3] {
    let (n, k) = (60, 12);
    let mut stream = stream(seed + 1);
    let truth: Vec<f64> = (0..n).map(|_| stream.normal()).collect();
    let ratings = Array2::from_shape_fn((n, k), |(i, _)| truth[i] + 2.0 * stream.normal());
    let target = ratings.mean_axis(Axis(1)).unwrap().insert_axis(Axis(0));
    let model = Array2::from_shape_fn((1, n), |(_, i)| truth[i] + noise * stream.normal());
    let params = CorrelationParams::default();
    let table = correlation_table(model.view(), target.view(), &[], &params).unwrap();
    let found = table[[0, 0, 0]].unwrap();
    let reliability = ReliabilityParams {
        resamples: 200,
        ..ReliabilityParams::default()
    };
    let estimated = target_reliability(ratings.view(), &reliability).unwrap();
    let estimated = TargetCeiling::of(&estimated.reliability).unwrap();
    let ceilings = [
        TargetCeiling {
            correlation: 0.75_f64.sqrt(),
            interval: None,
        },
        TargetCeiling {
            interval: None,
            ..estimated
        },
        estimated,
    ];
    ceilings.map(|c| p_below_ceiling(&found, CorrelationKind::Pearson, &c).unwrap())
}

#[test]
#[ignore = "slow: calibration, run by the checks"]
fn the_ceiling_is_missed_by_chance_as_often_as_it_should() {
    let n_studies = 400;
    let [known, estimated, uncertain] =
        rates(n_studies, |seed| p_values(seed, 0.0).map(|p| p < 0.05));
    let power = rates(n_studies, |seed| p_values(seed, 1.0).map(|p| p < 0.05));
    let report = format!("{known} {estimated} {uncertain}; power {power:?}");
    assert!(known < 0.05 + chance(n_studies), "{report}");
    assert!(estimated < 0.05 + chance(n_studies), "{report}");
    assert!(uncertain <= estimated, "{report}");
    assert!(power[2] > 0.5, "{report}");
    #[expect(clippy::print_stderr, reason = "the rates are for the documentation")]
    {
        eprintln!("{report}");
    }
}

#[test]
#[ignore = "slow: calibration, run by the checks"]
fn without_a_signal_brain_ratings_follow_nothing() {
    let n_studies = 16_u64;
    let n_subjects = 6;
    // Mean r of single subjects and of their mean.
    let of = |params: &BrainRatingsParams| -> [f64; 2] {
        let r: Vec<[f64; 2]> = (0..n_studies)
            .into_par_iter()
            .map(|seed| {
                let (subjects, ratings) = brains(seed, 30, &[40; 6], 0.0);
                let subjects: Vec<_> = subjects.iter().map(|x| x.view()).collect();
                let found = brain_ratings(&subjects, &ratings, params).unwrap();
                let single = found.subjects.iter().map(|s| s.r.unwrap()).sum::<f64>();
                [single / n_subjects as f64, found.r.unwrap()]
            })
            .collect();
        [0, 1].map(|k| r.iter().map(|r| r[k]).sum::<f64>() / n_studies as f64)
    };
    let default = BrainRatingsParams::default;
    let fold = of(&default());
    let training = of(&BrainRatingsParams {
        means: FoldMeans::Training,
        ..default()
    });
    let z_scored = of(&BrainRatingsParams {
        subjects: SubjectPooling::ZScoredMean,
        ..default()
    });
    let fixed = of(&BrainRatingsParams {
        penalties: vec![1.0],
        ..default()
    });
    let report = format!(
        "r of a subject and of the mean: default {fold:?}, training means {training:?}, \
         z-scored {z_scored:?}, one penalty {fixed:?}"
    );
    // Three standard errors of a mean of r over 30 pictures.
    let chance = 3.0 / (29.0 * n_studies as f64).sqrt();
    assert!(fixed.iter().all(|r| r.abs() < chance), "{report}");
    assert!(fold[1] < chance, "{report}");
    assert!(training[1] < fold[1] && z_scored[1] < fold[1], "{report}");
    assert!(fold[0] < 0.0 && training[0] < fold[0], "{report}");
    #[expect(clippy::print_stderr, reason = "the means are for the documentation")]
    {
        eprintln!("{report}");
    }
}
