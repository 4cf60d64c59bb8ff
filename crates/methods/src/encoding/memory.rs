//! How much memory a model takes, before it is made.

use consilience_stats::Real;
use consilience_stats::ridge::{Form, Side};

use super::ridge::{CHUNK, Ridge, direct_fits, splits};
use super::{BandedParams, BandedSearch, ComponentsParams, PartitionBy, RidgeParams};
use crate::Result;

impl<T: Real> Ridge<T> {
    /// About how many bytes [`prepare`](Self::prepare) and then [`predict`](Self::predict) take on `n_threads` threads,
    /// beside the features, the targets and the predictions themselves.
    ///
    /// # Errors
    ///
    /// As [`prepare`](Self::prepare) for penalties and folds.
    pub fn memory(
        n_rows: usize,
        n_features: usize,
        params: &RidgeParams,
        n_threads: usize,
    ) -> Result<f64> {
        params.validate()?;
        let folds = params.folds.rows(n_rows, params.nested)?;
        let splits = splits(&folds, n_rows, params.nested);
        let n_alphas = params.alphas.len();
        let fewest = splits.iter().map(|s| s.train.len()).min().unwrap_or(0);
        let most = splits.iter().map(|s| s.train.len()).max().unwrap_or(0);
        let (n, p, wide, narrow) = (n_rows as f64, n_features as f64, 8.0, size_of::<T>() as f64);
        let t = most as f64;
        // The design, and what one factorisation works with: the training set or its products, the vectors of both
        // sides, and about as much again inside the decomposition.
        let (design, factorisation) = match Side::of(fewest, n_features) {
            Side::Primal => (n * p, 4.0 * t * p + 4.0 * p * p),
            Side::Dual => (1.5 * n * n, 5.0 * t * t),
        };
        let direct = direct_fits::<T>(&folds, &splits, n_alphas);
        let (mut kept, mut chunk) = (0.0, 0.0);
        for split in &splits {
            let (n_train, rank) = (split.train.len(), split.train.len().min(n_features));
            for &fold in &split.left_out {
                let n_test = folds[fold].len();
                let form = match direct {
                    true => Form::of(n_train, n_test, rank, n_alphas),
                    false => Form::Factored,
                };
                kept += narrow * form.n_values(n_train, n_test, rank, n_alphas) as f64;
                // Predictions of all penalties, or the projected targets; those of pairs do not stay.
                let fitted = match form {
                    Form::Direct => n_alphas * n_test,
                    Form::Factored => rank,
                };
                if split.left_out.len() == 1 {
                    chunk += narrow * (CHUNK * fitted) as f64;
                }
            }
        }
        chunk += CHUNK as f64 * n * (2.0 * narrow + 2.0 * wide);
        let n_threads = n_threads as f64;
        let at_work =
            (wide * factorisation * n_threads.min(splits.len() as f64)).max(chunk * n_threads);
        Ok(wide * design + kept + at_work)
    }
}

/// How large a problem is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EncodingSize {
    /// Stimuli or time points.
    pub n_rows: usize,
    /// Columns of all features together.
    pub n_features: usize,
    /// Columns of the targets.
    pub n_targets: usize,
}

/// About how many bytes [`banded`](super::banded()) takes on `n_threads` threads, beside the features and the targets.
///
/// # Errors
///
/// As [`banded`](super::banded()) for penalties and folds.
pub fn banded_memory(
    size: EncodingSize,
    n_bands: usize,
    params: &BandedParams,
    n_threads: usize,
) -> Result<f64> {
    let (n, v) = (size.n_rows as f64, size.n_targets as f64);
    let square = 8.0 * n * n;
    // Products of rows by band, and once more as designs or for the threads that go down the gradient.
    let products = match params.search {
        BandedSearch::Random => 2.0 * n_bands as f64 * square,
        BandedSearch::Gradient { .. } => (n_bands as f64 + 4.0 * n_threads as f64) * square,
    };
    // A model whose features are as many as its rows knows them by their products.
    let one = Ridge::<f64>::memory(size.n_rows, size.n_rows, &params.ridge(), n_threads)?;
    // Targets in their units, predictions, and what they are put together from.
    Ok(products + one + 8.0 * n * v * (3.0 + n_bands as f64))
}

/// About how many bytes [`components`](super::components()) takes on `n_threads` threads, beside the features and the
/// targets.
///
/// # Errors
///
/// As [`components`](super::components()) for folds and numbers of components.
pub fn components_memory(
    size: EncodingSize,
    params: &ComponentsParams,
    n_threads: usize,
) -> Result<f64> {
    params.validate()?;
    let n_folds = params.folds.rows(size.n_rows, false)?.len();
    let (n, p, v) = (
        size.n_rows as f64,
        size.n_features as f64,
        size.n_targets as f64,
    );
    let rank = n.min(p);
    let most = params.counts.iter().copied().max().unwrap_or(0) as f64;
    // Of each training set: features, twice more within the decomposition, vectors of both sides, targets.
    let training = 3.0 * n * p + (n + p) * rank + n * v;
    // Products with the targets, whose square is taken where targets are fewer.
    let covariances = rank * v + rank.min(v).powi(2);
    let at_work = (training + covariances) * (n_threads.min(n_folds) as f64);
    let kept = n * rank + n_folds as f64 * most * v;
    Ok(8.0 * (at_work + kept + 4.0 * n * v))
}

/// About how many bytes [`partition`](super::partition()) takes on `n_threads` threads, beside the features and the
/// targets.
///
/// # Errors
///
/// As [`partition`](super::partition()) for penalties and folds.
pub fn partition_memory(size: EncodingSize, by: &PartitionBy, n_threads: usize) -> Result<f64> {
    let (n, p, v) = (
        size.n_rows as f64,
        size.n_features as f64,
        size.n_targets as f64,
    );
    // The largest model, of all features side by side.
    let model = match by {
        PartitionBy::Adjusted => 8.0 * (5.0 * n * p + 4.0 * p * p + n * v),
        PartitionBy::CrossValidated(params) => {
            Ridge::<f64>::memory(size.n_rows, size.n_features, params, n_threads)? + 8.0 * n * v
        }
    };
    Ok(8.0 * n * p + model)
}
