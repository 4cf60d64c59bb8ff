use ndarray::Array2;

use super::*;

#[test]
fn what_cannot_be_learnt_from_is_refused() {
    let (features, ratings) = planted(12, 4);
    let params = HeadParams::default();
    let refused = |features: &Array2<f32>, ratings: &[f64], params: &HeadParams| match train_heads(
        features.view(),
        ratings,
        params,
        &quiet,
    ) {
        Err(ExperimentError::Appraise(error)) => error,
        other => panic!("{other:?}"),
    };
    let few = |n: usize| features.slice(ndarray::s![..n, ..]).to_owned();
    for (n, needed) in [(0, 3), (1, 3), (4, 5)] {
        let error = refused(&few(n), &ratings[..n], &params);
        assert!(
            matches!(error, AppraiseError::TooFewPictures { needed: at_least, found, .. } if at_least == needed && found == n),
            "{error}"
        );
    }
    let with = |at: usize, value: f64| {
        let mut ratings = ratings.clone();
        ratings[at] = value;
        ratings
    };
    let scale = Some([0.0, 8.0]);
    let error = refused(&features, &with(7, 8.5), &HeadParams { scale, ..params });
    assert!(
        matches!(error, AppraiseError::OutsideScale { picture: 7, .. }),
        "{error}"
    );
    let error = refused(&features, &with(2, f64::NAN), &params);
    assert!(
        matches!(error, AppraiseError::NonFiniteRating { picture: 2, .. }),
        "{error}"
    );
    let error = refused(&features, &[4.0; 12], &params);
    assert!(
        matches!(error, AppraiseError::ConstantRatings { .. }),
        "{error}"
    );
    let error = refused(&Array2::zeros((12, 4)), &ratings, &params);
    assert!(
        matches!(error, AppraiseError::ConstantFeatures { n_features: 4 }),
        "{error}"
    );
    let mut wrong = features.clone();
    wrong[[3, 1]] = f32::INFINITY;
    let error = refused(&wrong, &ratings, &params);
    assert!(
        matches!(
            error,
            AppraiseError::NonFiniteFeature {
                picture: 3,
                feature: 1,
                ..
            }
        ),
        "{error}"
    );
    let validation = Validation::HoldOut(0.2);
    let error = refused(
        &features,
        &ratings,
        &HeadParams {
            validation,
            ..params
        },
    );
    assert_eq!(error, AppraiseError::LearntStimuli);

    let elsewhere = |stimuli: &Array2<f32>, params: &HeadParams| {
        train_heads_elsewhere(features.view(), &ratings, stimuli.view(), params, &quiet)
            .unwrap_err()
    };
    let error = elsewhere(&features, &params);
    assert!(matches!(
        error,
        ExperimentError::Appraise(AppraiseError::FoldsElsewhere)
    ));
    let error = elsewhere(
        &normals(3, 5, 0),
        &HeadParams {
            validation,
            ..params
        },
    );
    assert!(matches!(
        error,
        ExperimentError::Count {
            expected: 4,
            found: 5,
            ..
        }
    ));
    let error = train_heads(features.view(), &ratings[1..], &params, &quiet).unwrap_err();
    assert!(matches!(
        error,
        ExperimentError::Count {
            expected: 12,
            found: 11,
            ..
        }
    ));
}

#[test]
fn options_that_cannot_be_are_refused() {
    let params = HeadParams::default();
    let wrong = [
        HeadParams {
            scale: Some([2.0, 2.0]),
            ..params
        },
        HeadParams {
            head: HeadKind::Sigmoid,
            ..params
        },
        HeadParams {
            solver: Some(Solver::Exact),
            ..sigmoid()
        },
        HeadParams {
            solver: Some(Solver::Exact),
            dropout: 0.5,
            ..params
        },
        HeadParams {
            dropout: 1.0,
            ..params
        },
        HeadParams {
            loss: RatingLoss::Huber { delta: 0.0 },
            ..params
        },
        HeadParams {
            loss: RatingLoss::WeightedMse(Frequencies::Bins(0)),
            ..params
        },
        HeadParams {
            validation: Validation::Folds(1),
            ..params
        },
        HeadParams {
            validation: Validation::HoldOut(1.0),
            ..params
        },
        HeadParams {
            weight_decay: Some(-1.0),
            ..params
        },
        HeadParams {
            learning_rate: f64::NAN,
            ..params
        },
        HeadParams {
            stop_share: 0.0,
            ..params
        },
        HeadParams { runs: 0, ..params },
        HeadParams {
            epochs: 0,
            ..params
        },
        HeadParams { batch: 0, ..params },
    ];
    for params in wrong {
        assert!(params.validate().is_err(), "{params:?}");
    }
    assert!(params.validate().is_ok() && sigmoid().validate().is_ok());
}

#[test]
fn names_are_parsed_and_shown() {
    for name in ["linear", "sigmoid"] {
        assert_eq!(name.parse::<HeadKind>().unwrap().to_string(), name);
    }
    for name in ["mse", "weighted-mse", "huber"] {
        assert_eq!(name.parse::<RatingLoss>().unwrap().to_string(), name);
    }
    for name in ["exact", "gradient"] {
        assert_eq!(name.parse::<Solver>().unwrap().to_string(), name);
    }
    let message = "ridge".parse::<Solver>().unwrap_err().to_string();
    assert!(message.contains("exact, gradient"), "{message}");
    let validations = [Validation::Folds(5), Validation::HoldOut(0.2)];
    let names = validations.map(|validation| validation.to_string());
    assert_eq!(names, ["5-fold cross-validation", "20 % held out"]);
}
