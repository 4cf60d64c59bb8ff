//! What stands in the way of heads that rate.

/// Heads that were not trained.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum AppraiseError {
    /// Too few pictures to learn from some and judge by others.
    #[error(
        "expected at least {needed} pictures to learn from some and judge by others, found {found}; {advice}"
    )]
    TooFewPictures {
        /// The fewest that would do.
        needed: usize,
        /// As many as there are.
        found: usize,
        /// What to do.
        advice: &'static str,
    },
    /// Ratings without variation.
    #[error(
        "all {n} pictures are rated {value}, so there is nothing to learn; check the column of ratings"
    )]
    ConstantRatings {
        /// Pictures.
        n: usize,
        /// Their rating.
        value: f64,
    },
    /// Features without variation.
    #[error(
        "none of the {n_features} features differs between pictures, so there is nothing to learn from; leave out the layer"
    )]
    ConstantFeatures {
        /// Features.
        n_features: usize,
    },
    /// A rating that is no number.
    #[error(
        "the rating of picture {picture} (counted from 0) is {value}, expected a finite number; leave out the picture"
    )]
    NonFiniteRating {
        /// 0-based picture.
        picture: usize,
        /// Its rating.
        value: f64,
    },
    /// A feature that is no number.
    #[error(
        "feature {feature} of picture {picture} (both counted from 0) is {value}, expected a finite number; check the weights and the preprocessing of the network"
    )]
    NonFiniteFeature {
        /// 0-based picture.
        picture: usize,
        /// 0-based feature.
        feature: usize,
        /// The value.
        value: f32,
    },
    /// A rating beyond the scale.
    #[error(
        "picture {picture} (counted from 0) is rated {value}, beyond the declared scale of {low} to {high}; correct the scale or the rating"
    )]
    OutsideScale {
        /// 0-based picture.
        picture: usize,
        /// Its rating.
        value: f64,
        /// Lower end of the scale.
        low: f64,
        /// Upper end.
        high: f64,
    },
    /// A scale that is none.
    #[error(
        "the scale of ratings goes from {low} to {high}, expected finite numbers, the lower one first"
    )]
    BadScale {
        /// Its first end.
        low: f64,
        /// Its second end.
        high: f64,
    },
    /// A head that rates within a scale that nobody declared.
    #[error("a sigmoid head rates within a scale; declare its ends")]
    NoScale,
    /// An exact solution that does not exist.
    #[error("there is no exact solution for {what}; take the gradient solver")]
    NotExact {
        /// What has none.
        what: &'static str,
    },
    /// An option out of its range.
    #[error("{option} is {value}, expected {expected}")]
    OptionOutOfRange {
        /// The option.
        option: &'static str,
        /// Its value.
        value: f64,
        /// Its range.
        expected: &'static str,
    },
    /// Stimuli of which a share is held out, so that the others would be rated by heads that learnt from them.
    #[error(
        "holding out a share leaves stimuli that are rated by a head that learnt from them; divide them into folds, or train on other pictures"
    )]
    LearntStimuli,
    /// Folds of pictures that are no stimuli.
    #[error(
        "heads that are trained on other pictures than the stimuli are judged by a share of them; hold out a share instead of dividing into folds"
    )]
    FoldsElsewhere,
    /// A decomposition that was not found.
    #[error(
        "the decomposition of the features did not converge; look for features of very different size"
    )]
    NotConverged,
}
