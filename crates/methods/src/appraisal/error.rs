//! Why ratings cannot be predicted or compared.

/// Ratings that cannot be predicted or compared.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum AppraisalError {
    /// Ratings without any variation.
    #[error(
        "all pictures have the same rating, so there is nothing to predict; give ratings that vary"
    )]
    ConstantRatings,
    /// A subject without a voxel that varies.
    #[error(
        "no voxel of subject {subject} (counted from 0) varies over the pictures of training set {fold}; leave the subject out, or check its masks"
    )]
    ConstantVoxels {
        /// 0-based subject; 0 when voxels of subjects are side by side.
        subject: usize,
        /// 0-based fold.
        fold: usize,
    },
    /// Predictions that are the same for all pictures.
    #[error(
        "the predictions of every subject are the same for all pictures, so they have no z-scores; ask for the mean of the predictions as they are"
    )]
    NothingPredicted,
    /// Raters to compare that are not there, or one twice.
    #[error(
        "rater {rater} to be compared (counted from 0) {found}; expected different raters from 0 to {}",
        n_raters - 1
    )]
    BadRater {
        /// 0-based rater.
        rater: usize,
        /// What is wrong with it, as a verb phrase.
        found: &'static str,
        /// Raters that there are.
        n_raters: usize,
    },
    /// A ceiling that is no correlation.
    #[error(
        "the ceiling of target {target} over subset {subset} (both counted from 0) is {value}, expected a correlation above 0 and at most 1; leave it out where the reliability is not above 0"
    )]
    BadCeiling {
        /// 0-based subset.
        subset: usize,
        /// 0-based target.
        target: usize,
        /// What was given.
        value: f64,
    },
    /// Means that do not vary more than they would by chance.
    #[error(
        "the reliability of means is undefined: all pictures have the same mean; give means that vary"
    )]
    ConstantMeans,
    /// A standard deviation or number of ratings that is none.
    #[error(
        "picture {picture} (counted from 0) has the standard deviation {sd} over {n} ratings, expected a finite one of at least 0 over at least 1; leave the picture out"
    )]
    BadSpread {
        /// 0-based picture.
        picture: usize,
        /// Standard deviation.
        sd: f64,
        /// Number of ratings.
        n: usize,
    },
}
