//! How much memory a ridge model takes, before it is made.

use consilience_stats::Real;
use consilience_stats::ridge::{Form, Side};

use super::RidgeParams;
use super::ridge::{CHUNK, Ridge, direct_fits, splits};
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
