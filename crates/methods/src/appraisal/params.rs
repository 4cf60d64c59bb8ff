//! Options of brain ratings and of appraisal.

use crate::Result;
use crate::behaviour::{CorrelationKind, DependentTest};
use crate::encoding::{ComponentsParams, Folds, RidgeParams};
use crate::error::at_least;
use crate::names::named;
use crate::rsa::Correction;

/// Which linear model reads ratings from voxels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BrainModel {
    /// Ridge regression.
    #[default]
    Ridge,
    /// Ordinary least squares, for fewer voxels than pictures.
    LeastSquares,
    /// Least squares on principal components.
    Components,
}

impl BrainModel {
    const NAMES: [(&'static str, Self); 3] = [
        ("ridge", Self::Ridge),
        ("least-squares", Self::LeastSquares),
        ("components", Self::Components),
    ];
}

named!(BrainModel, "model of brain ratings");

/// How subjects become one rating for each picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SubjectPooling {
    /// A model for each subject; the mean of their predictions. A subject whose voxels say little is shrunk more and counts less.
    #[default]
    Mean,
    /// A model for each subject; the mean of their predictions at mean 0 and standard deviation 1, so that all count alike,
    /// those without a signal too: what these correlate negatively, because penalties differ between folds, then adds up.
    ZScoredMean,
    /// One model of all subjects' voxels side by side.
    Pooled,
}

impl SubjectPooling {
    const NAMES: [(&'static str, Self); 3] = [
        ("mean", Self::Mean),
        ("z-scored-mean", Self::ZScoredMean),
        ("pooled", Self::Pooled),
    ];
}

named!(SubjectPooling, "pooling of subjects");

/// To which mean predicted deviations are added.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FoldMeans {
    /// That of all pictures, the same for every fold.
    #[default]
    Common,
    /// That of the training set, as regression software does. It is the lower the higher the ratings that were left out, so
    /// voxels without a signal give a negative correlation.
    Training,
}

impl FoldMeans {
    const NAMES: [(&'static str, Self); 2] =
        [("common", Self::Common), ("training", Self::Training)];
}

named!(FoldMeans, "mean of folds");

/// Options of [`brain_ratings`](super::brain_ratings).
#[derive(Debug, Clone, PartialEq)]
pub struct BrainRatingsParams {
    /// Which model (default: ridge).
    pub model: BrainModel,
    /// Penalties of ridge regression to choose from, each for one voxel: α is this times the number of voxels. Default: nine
    /// powers of ten from 10⁻⁴ to 10⁴.
    pub penalties: Vec<f64>,
    /// Numbers of components to choose from; default 1, 2, 5, 10 and 20.
    pub counts: Vec<usize>,
    /// How pictures are divided; by default each is left out on its own.
    pub folds: Option<Folds>,
    /// Most folds inside a training set (default 5), made of whole folds of the pictures, which are dealt out in turn.
    pub inner: usize,
    /// How subjects become one (default: the mean of their predictions).
    pub subjects: SubjectPooling,
    /// To which mean predicted deviations are added (default: that of all pictures).
    pub means: FoldMeans,
}

impl Default for BrainRatingsParams {
    fn default() -> Self {
        Self {
            model: BrainModel::default(),
            penalties: (-4..=4).map(|exponent| 10_f64.powi(exponent)).collect(),
            counts: vec![1, 2, 5, 10, 20],
            folds: None,
            inner: 5,
            subjects: SubjectPooling::default(),
            means: FoldMeans::default(),
        }
    }
}

impl BrainRatingsParams {
    /// Checks what can be checked without data.
    ///
    /// # Errors
    ///
    /// [`MethodsError::TooFew`](crate::MethodsError::TooFew) without something to choose from, or of inner folds;
    /// [`EncodingError::InvalidAlpha`](crate::encoding::EncodingError::InvalidAlpha).
    pub fn validate(&self) -> Result<()> {
        match self.model {
            BrainModel::Ridge => RidgeParams {
                alphas: self.penalties.clone(),
                ..RidgeParams::default()
            }
            .validate()?,
            BrainModel::LeastSquares => {}
            BrainModel::Components => ComponentsParams {
                counts: self.counts.clone(),
                ..ComponentsParams::default()
            }
            .validate()?,
        }
        at_least("folds inside a training set", 2, self.inner)
    }

    /// What is chosen from inside a training set, as it is reported.
    pub(super) fn choices(&self) -> Vec<f64> {
        match self.model {
            BrainModel::Ridge => self.penalties.clone(),
            BrainModel::LeastSquares => vec![0.0],
            BrainModel::Components => {
                let mut counts = self.counts.clone();
                counts.sort_unstable();
                counts.into_iter().map(|k| k as f64).collect()
            }
        }
    }
}

/// Options of [`appraisal`](super::appraisal()).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppraisalParams {
    /// Which correlation (default: Pearson).
    pub correlation: CorrelationKind,
    /// Permutations of the pictures (default 10,000); 0 for none.
    pub permutations: usize,
    /// Seed of the permutations (default 1).
    pub seed: u64,
    /// Correction over all correlations, and over the differences of each kind (default: false discovery rate).
    pub correction: Correction,
    /// Test of two raters over the same pictures (default: Williams).
    pub test: DependentTest,
    /// 0-based raters that are compared with each other, such as the whole networks; default: none.
    pub compared: Vec<usize>,
}

impl Default for AppraisalParams {
    fn default() -> Self {
        Self {
            correlation: CorrelationKind::default(),
            permutations: 10_000,
            seed: 1,
            correction: Correction::default(),
            test: DependentTest::default(),
            compared: Vec::new(),
        }
    }
}
