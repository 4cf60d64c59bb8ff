//! Ridge regression with a penalty for each target, chosen by cross-validation.

use consilience_stats::Real;
use consilience_stats::ridge::{Design, Fitted, Form, Predictor, Side, Targets};
use ndarray::{Array2, ArrayView2, ArrayViewMut2, Axis};
use rayon::prelude::*;

use super::scores::{constant, scores};
use super::{EncodingError, RidgeOutcome, RidgeParams};
use crate::error::{at_least, same_count};
use crate::rdm::Patterns;
use crate::{MethodsError, Result};

/// Targets that are worked on together. Fixed, because the last bits of a product may depend on it.
pub(super) const CHUNK: usize = 256;
/// Most bytes that all direct predictors may take; beyond, the factors are kept instead.
const DIRECT_BYTES: usize = 1 << 29;

/// Ridge regression of every target on all features, with a penalty for each target.
///
/// # Shapes
///
/// `x` (n_rows, n_features), `y` (n_rows, n_targets): a row is a stimulus or a time point.
///
/// # Definition
///
/// The weights of a target minimise ‖y − X·w‖² + α·‖w‖² over a training set; with an intercept, X and y are
/// centred at the means of that training set. A row is predicted from all folds but its own. The α of a
/// target minimises the squared error summed over all rows, of equals the largest α; with
/// [`nested`](RidgeParams::nested), the α that predicts a fold is chosen in the same way from the
/// other folds alone. r and R² compare the predictions of all rows with the target
/// ([`scores`](super::scores())). An α of 0 is ordinary least squares.
///
/// Products are in single precision when both `x` and `y` are, sums of errors and results in double.
///
/// # Errors
///
/// [`MethodsError::ShapeMismatch`], [`MethodsError::NonFinite`], [`MethodsError::TooFew`];
/// [`EncodingError`] for penalties, folds and features that cannot be used.
///
/// # Example
///
/// ```
/// use consilience_methods::encoding::{Folds, RidgeParams, ridge};
/// use ndarray::{Array2, array};
///
/// let x = Array2::from_shape_fn((12, 2), |(i, j)| ((i * 5 + j * 3) % 7) as f64);
/// let y = x.dot(&array![[2.0], [-1.0]]) + 3.0;
/// let params = RidgeParams {
///     alphas: vec![1e-8, 1.0],
///     folds: Folds::Contiguous(3),
///     ..RidgeParams::default()
/// };
/// let outcome = ridge(x.view().into(), y.view().into(), &params)?;
/// assert_eq!(outcome.alpha, [1e-8]);
/// assert!(outcome.r2[0] > 0.999_999);
/// # Ok::<(), consilience_methods::MethodsError>(())
/// ```
///
/// # References
///
/// Hoerl, Kennard 1970, doi:10.1080/00401706.1970.10488634; Dupré la Tour et al. 2022,
/// doi:10.1016/j.neuroimage.2022.119728.
///
/// # Peers
///
/// `scipy.linalg.solve` in a loop over folds, penalties and targets; scikit-learn `Ridge`; himalaya `RidgeCV` and
/// `KernelRidgeCV` with `cv=KFold(…)` (which score the mean over folds, so they may choose otherwise when
/// folds differ in size): predictions to 1e-9 in f64, 1e-5 in f32.
pub fn ridge(x: Patterns<'_>, y: Patterns<'_>, params: &RidgeParams) -> Result<RidgeOutcome> {
    match (x, y) {
        (Patterns::F32(_), Patterns::F32(y)) => Ridge::<f32>::prepare(x, params)?.predict(y),
        (_, Patterns::F32(y)) => Ridge::<f64>::prepare(x, params)?.predict(y),
        (_, Patterns::F64(y)) => Ridge::<f64>::prepare(x, params)?.predict(y),
    }
}

/// [`ridge()`] on features that are prepared once, for targets that come piece by piece; products are made in
/// the width of `T`.
///
/// # Example
///
/// ```
/// use consilience_methods::encoding::{Ridge, RidgeParams};
/// use ndarray::{Array2, s};
///
/// let x = Array2::from_shape_fn((20, 3), |(i, j)| ((i * i + 7 * j) % 11) as f64);
/// let y = Array2::from_shape_fn((20, 600), |(i, t)| ((i * 3 + t) % 5) as f64);
/// let model = Ridge::<f64>::prepare(x.view().into(), &RidgeParams::default())?;
/// let all = model.predict(y.view())?;
/// // Pieces that begin at a multiple of the chunk are the same to the last bit.
/// let piece = model.predict(y.slice(s![.., Ridge::<f64>::CHUNK..]))?;
/// assert_eq!(piece.r2, all.r2[Ridge::<f64>::CHUNK..]);
/// # Ok::<(), consilience_methods::MethodsError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Ridge<T> {
    n_rows: usize,
    alphas: Vec<f64>,
    intercept: bool,
    side: Side,
    /// One for each fold.
    outer: Vec<Predictor<T>>,
    /// When nested, for each fold those that choose its penalty.
    inner: Vec<Vec<Predictor<T>>>,
}

/// A training set and the folds that are predicted from it.
pub(super) struct Split {
    pub(super) left_out: Vec<usize>,
    pub(super) train: Vec<usize>,
}

impl<T: Real> Ridge<T> {
    /// Targets that are worked on together.
    pub const CHUNK: usize = CHUNK;

    /// Factorises the features of every training set.
    ///
    /// # Errors
    ///
    /// As [`ridge()`].
    pub fn prepare(x: Patterns<'_>, params: &RidgeParams) -> Result<Self> {
        match x {
            Patterns::F32(x) => Self::from_features(x, params, None),
            Patterns::F64(x) => Self::from_features(x, params, None),
        }
    }

    pub(super) fn from_features<X: Real>(
        x: ArrayView2<'_, X>,
        params: &RidgeParams,
        side: Option<Side>,
    ) -> Result<Self> {
        params.validate()?;
        let folds = params.folds.rows(x.nrows(), params.nested)?;
        check_features(x, params.intercept)?;
        let splits = splits(&folds, x.nrows(), params.nested);
        let fewest = splits.iter().map(|s| s.train.len()).min().unwrap_or(0);
        let side = side.unwrap_or_else(|| Side::of(fewest, x.ncols()));
        let design = Design::new(x, params.intercept, side).map_err(EncodingError::from)?;
        Self::from_design(&design, &folds, &splits, params)
    }

    pub(super) fn from_design(
        design: &Design,
        folds: &[Vec<usize>],
        splits: &[Split],
        params: &RidgeParams,
    ) -> Result<Self> {
        let n_alphas = params.alphas.len();
        let direct_fits = direct_fits::<T>(folds, splits, n_alphas);
        let predictors: Vec<Vec<Predictor<T>>> = splits
            .par_iter()
            .map(|split| {
                let factor = design.factor(&split.train)?;
                let predictor = |&fold: &usize| {
                    let test = &folds[fold];
                    let form = match direct_fits {
                        true => Form::of(split.train.len(), test.len(), factor.rank(), n_alphas),
                        false => Form::Factored,
                    };
                    Predictor::new(design, &factor, test, &params.alphas, form)
                };
                split.left_out.iter().map(predictor).collect()
            })
            .collect::<std::result::Result<_, _>>()
            .map_err(EncodingError::from)?;
        let mut outer = Vec::new();
        let mut inner: Vec<Vec<Predictor<T>>> = Vec::new();
        inner.resize_with(if params.nested { folds.len() } else { 0 }, Vec::new);
        for (split, predictors) in splits.iter().zip(predictors) {
            let mut predictors = predictors.into_iter();
            match *split.left_out {
                // What predicts one fold of a pair helps to choose for the other.
                [first, second] => {
                    inner[second].extend(predictors.next());
                    inner[first].extend(predictors.next());
                }
                _ => outer.extend(predictors.next()),
            }
        }
        Ok(Self {
            n_rows: folds.iter().map(Vec::len).sum(),
            alphas: params.alphas.clone(),
            intercept: params.intercept,
            side: design.side(),
            outer,
            inner,
        })
    }

    /// From which products the training sets were factorised.
    #[must_use]
    pub fn side(&self) -> Side {
        self.side
    }

    /// Number of folds.
    #[must_use]
    pub fn n_folds(&self) -> usize {
        self.outer.len()
    }

    /// Predicts targets, `(n_rows, n_targets)`.
    ///
    /// # Errors
    ///
    /// [`MethodsError::ShapeMismatch`] when rows differ in number, [`MethodsError::NonFinite`].
    pub fn predict<Y: Real>(&self, y: ArrayView2<'_, Y>) -> Result<RidgeOutcome> {
        check_targets(y, self.n_rows)?;
        let mut predictions = Array2::zeros(y.dim());
        let chunks: Vec<Chunk> = y
            .axis_chunks_iter(Axis(1), CHUNK)
            .into_par_iter()
            .zip(
                predictions
                    .axis_chunks_iter_mut(Axis(1), CHUNK)
                    .into_par_iter(),
            )
            .map(|(y, predictions)| self.chunk(y, predictions))
            .collect();
        let n_targets = y.ncols();
        let mut outcome = RidgeOutcome {
            alpha: Vec::with_capacity(n_targets),
            fold_alphas: None,
            r: Vec::with_capacity(n_targets),
            r2: Vec::with_capacity(n_targets),
            predictions,
            constant: Vec::new(),
        };
        let mut fold_alphas = Array2::zeros((self.inner.len(), n_targets));
        for chunk in chunks {
            let first = outcome.alpha.len();
            for (fold, choices) in chunk.fold_choices.iter().enumerate() {
                for (at, &choice) in choices.iter().enumerate() {
                    fold_alphas[[fold, first + at]] = self.alphas[choice];
                }
            }
            outcome
                .alpha
                .extend(chunk.choices.iter().map(|&c| self.alphas[c]));
            outcome.r.extend(chunk.r);
            outcome.r2.extend(chunk.r2);
            let constant = chunk.constant.iter().enumerate().filter(|(_, c)| **c);
            outcome.constant.extend(constant.map(|(at, _)| first + at));
        }
        outcome.fold_alphas = (!self.inner.is_empty()).then_some(fold_alphas);
        Ok(outcome)
    }

    /// For each target the position of the best penalty, and its error in the squared units of `targets`.
    pub(super) fn best(&self, targets: &Targets<T>) -> (Vec<usize>, Vec<f64>) {
        let width = targets.n_targets();
        let mut sums = vec![0.0; self.alphas.len() * width];
        for predictor in &self.outer {
            predictor.add_errors(targets, &predictor.fit(targets), &mut sums);
        }
        let choices = choose(&sums, &self.alphas, width);
        let errors = choices
            .iter()
            .enumerate()
            .map(|(t, c)| sums[c * width + t])
            .collect();
        (choices, errors)
    }

    fn chunk<Y: Real>(
        &self,
        y: ArrayView2<'_, Y>,
        mut predictions: ArrayViewMut2<'_, f64>,
    ) -> Chunk {
        let targets = Targets::<T>::new(y, self.intercept);
        let width = targets.n_targets();
        let zeros = || vec![0.0; self.alphas.len() * width];
        let mut sums = zeros();
        let fitted: Vec<Fitted<T>> = self
            .outer
            .iter()
            .map(|predictor| {
                let fitted = predictor.fit(&targets);
                predictor.add_errors(&targets, &fitted, &mut sums);
                fitted
            })
            .collect();
        let choices = choose(&sums, &self.alphas, width);
        let fold_choices: Vec<Vec<usize>> = self
            .inner
            .iter()
            .map(|predictors| {
                let mut sums = zeros();
                for predictor in predictors {
                    predictor.add_errors(&targets, &predictor.fit(&targets), &mut sums);
                }
                choose(&sums, &self.alphas, width)
            })
            .collect();
        for (fold, (predictor, fitted)) in self.outer.iter().zip(&fitted).enumerate() {
            let choices = fold_choices.get(fold).unwrap_or(&choices);
            let found = predictor.predict(&targets, fitted, choices);
            for (&row, found) in predictor.test().iter().zip(found.chunks_exact(width)) {
                for (slot, value) in predictions.row_mut(row).iter_mut().zip(found) {
                    *slot = *value;
                }
            }
        }
        let scores = scores(y, predictions.view());
        Chunk {
            choices,
            fold_choices,
            r: scores.r,
            r2: scores.r2,
            constant: targets.varies().iter().map(|varies| !varies).collect(),
        }
    }
}

/// What is found for the targets of one chunk.
struct Chunk {
    choices: Vec<usize>,
    fold_choices: Vec<Vec<usize>>,
    r: Vec<f64>,
    r2: Vec<f64>,
    constant: Vec<bool>,
}

/// Whether direct predictors of all splits stay within their share of memory.
pub(super) fn direct_fits<T>(folds: &[Vec<usize>], splits: &[Split], n_alphas: usize) -> bool {
    let n_values: usize = (splits.iter())
        .map(|split| {
            let n_test: usize = split.left_out.iter().map(|&fold| folds[fold].len()).sum();
            Form::Direct.n_values(split.train.len(), n_test, 0, n_alphas)
        })
        .sum();
    n_values.saturating_mul(size_of::<T>()) <= DIRECT_BYTES
}

/// Each fold left out, and when nested each pair.
pub(super) fn splits(folds: &[Vec<usize>], n_rows: usize, nested: bool) -> Vec<Split> {
    let mut fold_of = vec![0; n_rows];
    for (fold, rows) in folds.iter().enumerate() {
        rows.iter().for_each(|&row| fold_of[row] = fold);
    }
    let without = |left_out: Vec<usize>| Split {
        train: (0..n_rows)
            .filter(|&row| !left_out.contains(&fold_of[row]))
            .collect(),
        left_out,
    };
    let single = (0..folds.len()).map(|fold| vec![fold]);
    let pairs = (0..folds.len()).flat_map(|i| (i + 1..folds.len()).map(move |j| vec![i, j]));
    let n_pairs = if nested { usize::MAX } else { 0 };
    single.chain(pairs.take(n_pairs)).map(without).collect()
}

/// The position of the penalty with the least error for each target; of equals the largest penalty.
pub(super) fn choose(sums: &[f64], alphas: &[f64], width: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..alphas.len()).collect();
    order.sort_by(|&a, &b| alphas[b].total_cmp(&alphas[a]));
    let mut choices = vec![order[0]; width];
    for &alpha_idx in &order[1..] {
        let sums_of = |idx: usize, at: usize| sums[idx * width + at];
        for (at, choice) in choices.iter_mut().enumerate() {
            if sums_of(alpha_idx, at) < sums_of(*choice, at) {
                *choice = alpha_idx;
            }
        }
    }
    choices
}

/// What features have to be.
pub(super) fn check_features<X: Real>(x: ArrayView2<'_, X>, intercept: bool) -> Result<()> {
    at_least("features (columns)", 1, x.ncols())?;
    check_finite(
        x,
        "the features",
        "fill missing values or leave out the row",
    )?;
    if intercept && constant(x).iter().all(|&c| c) {
        return Err(EncodingError::ConstantFeatures.into());
    }
    Ok(())
}

/// What every target has to be.
pub(super) fn check_targets<Y: Real>(y: ArrayView2<'_, Y>, n_rows: usize) -> Result<()> {
    same_count(
        "rows of the targets, one for each row of the features",
        n_rows,
        y.nrows(),
    )?;
    at_least("targets (columns)", 1, y.ncols())?;
    check_finite(
        y,
        "the targets",
        "fill missing values or leave out the target",
    )
}

pub(super) fn check_finite<V: Real>(
    values: ArrayView2<'_, V>,
    what: &'static str,
    cure: &'static str,
) -> Result<()> {
    let found = values
        .axis_iter(Axis(0))
        .into_par_iter()
        .enumerate()
        .find_map_first(|(row, values)| {
            // The common case in a form that vectorises.
            if values
                .iter()
                .fold(true, |all, v| all & v.to_f64().is_finite())
            {
                return None;
            }
            let column = values.iter().position(|v| !v.to_f64().is_finite())?;
            Some((row, column, values[column].to_f64()))
        });
    match found {
        None => Ok(()),
        Some((row, column, value)) => Err(MethodsError::NonFinite {
            what,
            row,
            column,
            value,
            cure,
        }),
    }
}
