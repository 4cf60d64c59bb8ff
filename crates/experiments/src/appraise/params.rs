//! How heads are trained.

use std::fmt;
use std::str::FromStr;

use consilience_learn::train::Frequencies;

use super::AppraiseError;
use crate::error::{ExperimentError, Result};
use crate::names::parse;

/// Which kind of head.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum HeadKind {
    /// The weighted sum of the features is the rating.
    #[default]
    Linear,
    /// The weighted sum goes through a sigmoid onto the declared scale.
    Sigmoid,
}

/// What is minimised.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum RatingLoss {
    /// Mean squared error.
    #[default]
    Mse,
    /// The same, with the weights of [`frequency_weights`](consilience_learn::train::frequency_weights) in the training
    /// set: rare ratings count as much as common ones. Means over raters need bins.
    WeightedMse(Frequencies),
    /// Squared up to an error of δ, linear beyond.
    Huber {
        /// δ in units of the ratings.
        delta: f64,
    },
}

/// How heads are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Solver {
    /// In closed form, as weighted ridge regression: linear heads with a (weighted) squared error, without dropout.
    Exact,
    /// Step by step down the gradient, by Adam.
    Gradient,
}

/// Which pictures a head does not learn from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Validation {
    /// Those of its fold, of so many equally large ones drawn by the run's seed: each picture is rated by the head
    /// that did not learn from it.
    Folds(usize),
    /// A share, drawn by the run's seed.
    HoldOut(f64),
}

impl Default for Validation {
    fn default() -> Self {
        Self::Folds(5)
    }
}

/// How heads are trained. What the paper leaves open is a setting.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HeadParams {
    /// Kind of head. Default linear.
    pub head: HeadKind,
    /// Ends of the rating scale, which a sigmoid head needs; no rating may lie beyond. Default `None`.
    pub scale: Option<[f64; 2]>,
    /// What is minimised. Default the mean squared error.
    pub loss: RatingLoss,
    /// How. Default `None`: exactly where there is an exact solution, else by the gradient.
    pub solver: Option<Solver>,
    /// λ: ½ λ ‖w‖² is added to the mean loss, w for features and ratings as scaled. Default `None`: the exact solver
    /// chooses it for each training set by leaving out each of its pictures once; the gradient takes 0.
    pub weight_decay: Option<f64>,
    /// Share of the features that are dropped at random in training, by the gradient only. Default 0.
    pub dropout: f64,
    /// Which pictures a head does not learn from. Default five folds.
    pub validation: Validation,
    /// Whether each fold gets ratings from all over their range, so that all training sets have nearly the same mean. Default true:
    /// else heads that find nothing rate pictures the lower, the higher these are rated, because the rest is.
    pub stratified: bool,
    /// Runs, with the seeds `seed`, `seed + 1` … Default 5.
    pub runs: usize,
    /// Most passes over the training set, by the gradient. Default 250.
    pub epochs: usize,
    /// Epochs without a smaller loss of the stopping part after which training stops; the epoch with the smallest is
    /// kept. `None`: all epochs, on the whole training set. Default 10.
    pub patience: Option<usize>,
    /// Share of the training set that is held out from it, by the seed, to tell when to stop. Default 0.2.
    pub stop_share: f64,
    /// Length of a step down the gradient. Default 1e-3.
    pub learning_rate: f64,
    /// Pictures in a step down the gradient. Default 32.
    pub batch: usize,
    /// Seed of the first run: folds, stopping parts, order of pictures, dropout. Default 1.
    pub seed: u64,
}

impl Default for HeadParams {
    fn default() -> Self {
        Self {
            head: HeadKind::default(),
            scale: None,
            loss: RatingLoss::default(),
            solver: None,
            weight_decay: None,
            dropout: 0.0,
            validation: Validation::default(),
            stratified: true,
            runs: 5,
            epochs: 250,
            patience: Some(10),
            stop_share: 0.2,
            learning_rate: 1e-3,
            batch: 32,
            seed: 1,
        }
    }
}

impl HeadParams {
    /// The solver that is used.
    #[must_use]
    pub fn solver(&self) -> Solver {
        let exact = match self.without_exact() {
            None => Solver::Exact,
            Some(_) => Solver::Gradient,
        };
        self.solver.unwrap_or(exact)
    }

    /// What there is no exact solution for.
    fn without_exact(&self) -> Option<&'static str> {
        match (self.head, self.loss) {
            (HeadKind::Sigmoid, _) => Some("a sigmoid head"),
            (_, RatingLoss::Huber { .. }) => Some("Huber's loss"),
            _ if self.dropout > 0.0 => Some("dropout"),
            _ => None,
        }
    }

    /// Checks what can be checked without data.
    ///
    /// # Errors
    ///
    /// [`AppraiseError::BadScale`], [`AppraiseError::NoScale`], [`AppraiseError::NotExact`],
    /// [`AppraiseError::OptionOutOfRange`].
    pub fn validate(&self) -> Result<(), AppraiseError> {
        if let Some([low, high]) = self.scale
            && !(low.is_finite() && high.is_finite() && low < high)
        {
            return Err(AppraiseError::BadScale { low, high });
        }
        if self.head == HeadKind::Sigmoid && self.scale.is_none() {
            return Err(AppraiseError::NoScale);
        }
        if let (Some(Solver::Exact), Some(what)) = (self.solver, self.without_exact()) {
            return Err(AppraiseError::NotExact { what });
        }
        let positive = |value: f64| value.is_finite() && value > 0.0;
        let inner = |value: f64| value > 0.0 && value < 1.0;
        let (delta, bins) = match self.loss {
            RatingLoss::Huber { delta } => (delta, 1),
            RatingLoss::WeightedMse(Frequencies::Bins(bins)) => (1.0, bins),
            _ => (1.0, 1),
        };
        let (folds, share) = match self.validation {
            Validation::Folds(folds) => (folds, 0.5),
            Validation::HoldOut(share) => (2, share),
        };
        let decay = self.weight_decay.unwrap_or(0.0);
        let count = "at least 1";
        let options = [
            ("Huber's δ", delta, positive(delta), "a positive number"),
            (
                "the number of bins of ratings",
                bins as f64,
                bins > 0,
                count,
            ),
            ("the number of folds", folds as f64, folds > 1, "at least 2"),
            (
                "the share of pictures that are held out",
                share,
                inner(share),
                "a number between 0 and 1",
            ),
            (
                "the share of the training set that tells when to stop",
                self.stop_share,
                inner(self.stop_share),
                "a number between 0 and 1",
            ),
            (
                "the weight decay",
                decay,
                decay.is_finite() && decay >= 0.0,
                "a finite number of at least 0",
            ),
            (
                "dropout",
                self.dropout,
                (0.0..1.0).contains(&self.dropout),
                "a share of at least 0 and below 1",
            ),
            (
                "the learning rate",
                self.learning_rate,
                positive(self.learning_rate),
                "a positive number",
            ),
            ("the number of runs", self.runs as f64, self.runs > 0, count),
            (
                "the number of epochs",
                self.epochs as f64,
                self.epochs > 0,
                count,
            ),
            ("the batch", self.batch as f64, self.batch > 0, count),
        ];
        match options.into_iter().find(|(_, _, is_valid, _)| !is_valid) {
            None => Ok(()),
            Some((option, value, _, expected)) => Err(AppraiseError::OptionOutOfRange {
                option,
                value,
                expected,
            }),
        }
    }
}

impl fmt::Display for HeadKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Linear => "linear",
            Self::Sigmoid => "sigmoid",
        })
    }
}

impl FromStr for HeadKind {
    type Err = ExperimentError;

    fn from_str(name: &str) -> Result<Self> {
        let known = [("linear", Self::Linear), ("sigmoid", Self::Sigmoid)];
        parse("head", name, &known)
    }
}

/// The name alone; bins and δ are options of their own.
impl fmt::Display for RatingLoss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Mse => "mse",
            Self::WeightedMse(_) => "weighted-mse",
            Self::Huber { .. } => "huber",
        })
    }
}

/// With values that are equal for `weighted-mse`, and δ = 1 for `huber`.
impl FromStr for RatingLoss {
    type Err = ExperimentError;

    fn from_str(name: &str) -> Result<Self> {
        let known = [
            ("mse", Self::Mse),
            ("weighted-mse", Self::WeightedMse(Frequencies::Values)),
            ("huber", Self::Huber { delta: 1.0 }),
        ];
        parse("loss", name, &known)
    }
}

impl fmt::Display for Solver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Exact => "exact",
            Self::Gradient => "gradient",
        })
    }
}

impl FromStr for Solver {
    type Err = ExperimentError;

    fn from_str(name: &str) -> Result<Self> {
        let known = [("exact", Self::Exact), ("gradient", Self::Gradient)];
        parse("solver", name, &known)
    }
}

/// As a record says it.
impl fmt::Display for Validation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folds(folds) => write!(f, "{folds}-fold cross-validation"),
            Self::HoldOut(share) => write!(f, "{} % held out", 100.0 * share),
        }
    }
}
