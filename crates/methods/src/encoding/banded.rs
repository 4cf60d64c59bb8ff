//! Banded ridge regression: a penalty for each band of features, by random search or down the gradient.

use consilience_stats::Real;
use consilience_stats::gram::gram;
use consilience_stats::random::{Domain, Stream};
use consilience_stats::ridge::{Design, Targets};
use ndarray::{Array2, ArrayView2, Axis, s};
use rayon::prelude::*;

use super::gradient::{Descent, Start};
use super::parts::Parts;
use super::ridge::{CHUNK, Ridge, check_finite, check_targets, splits};
use super::scores::constant;
use super::{BandedOutcome, BandedParams, BandedSearch, EncodingError};
use crate::error::{at_least, same_count};
use crate::rdm::Patterns;
use crate::{MethodsError, Result};

/// Ridge regression on several bands of features, each with a penalty of its own for every target.
///
/// # Shapes
///
/// `bands` (n_rows, n_features of the band) each, `y` (n_rows, n_targets).
///
/// # Definition
///
/// The weights of a target minimise ‖y − Σ_b X_b·w_b‖² + α·Σ_b ‖w_b‖²/γ_b over a training set, where the γ_b are
/// shares that add up to 1: the products of rows are those of the bands, weighted by γ. Several γ are tried, the
/// first with equal shares, the others drawn from symmetric Dirichlet distributions. γ and α of a target
/// minimise the squared error of [`ridge`](super::ridge()), summed over all rows, of equals the first γ and
/// the largest α. The score is computed on the rows that chose them: compare with a held-out set where many
/// γ are tried.
///
/// With [`BandedSearch::Gradient`] the first γ alone (or those given) and the best α of a target are where a search starts that goes
/// down the gradient of the same error by δ_b = ln(γ_b/α), with Gauss–Newton steps that are damped until the error falls: it never ends
/// above its start, and α is bound to no grid. It may end in a minimum that is not the lowest.
///
/// The predictions are sums of parts of the bands, ŷ = ȳ_train + Σ_b ŷ_b. With z = y − ȳ_train, the product measure
/// of a band is Σ ŷ_b·(2z − Σ_c ŷ_c) / Σ(y − ȳ)²; those of all bands and the baseline 1 − Σz²/Σ(y − ȳ)² (what the
/// mean of the training set explains of other rows, a little below 0) add up to R².
///
/// Time grows with the cube of the rows, for each γ of a random search and for each step of each target of a search by gradient; memory
/// with their square for each band.
///
/// # Errors
///
/// As [`ridge`](super::ridge()); [`EncodingError`] for shares and concentrations that cannot be used, and for an α
/// of 0.
///
/// # References
///
/// Nunez-Elizalde, Huth, Gallant 2019, doi:10.1016/j.neuroimage.2019.04.012; Dupré la Tour et al. 2022,
/// doi:10.1016/j.neuroimage.2022.119728.
///
/// # Peers
///
/// himalaya `solve_multiple_kernel_ridge_random_search` (the same choice from the same γ) and `r2_score_split`: 1e-9 in
/// f64. By gradient, himalaya `solve_multiple_kernel_ridge_hyper_gradient`: the gradient to 1e-8; its steps are others, and end
/// where the R² of predictions agree to 0.01.
pub fn banded(
    bands: &[Patterns<'_>],
    y: Patterns<'_>,
    params: &BandedParams,
) -> Result<BandedOutcome> {
    let single = bands.iter().all(|band| matches!(band, Patterns::F32(_)));
    match y {
        Patterns::F32(y) if single => solve::<f32, f32>(bands, y, params),
        Patterns::F32(y) => solve::<f64, f32>(bands, y, params),
        Patterns::F64(y) => solve::<f64, f64>(bands, y, params),
    }
}

/// The best found so far for each target of a chunk.
struct Best {
    error: Vec<f64>,
    sample: Vec<usize>,
    alpha: Vec<f64>,
}

fn solve<T: Real, Y: Real>(
    bands: &[Patterns<'_>],
    y: ArrayView2<'_, Y>,
    params: &BandedParams,
) -> Result<BandedOutcome> {
    let n_rows = y.nrows();
    let ridge_params = params.ridge();
    ridge_params.validate()?;
    if let Some(idx) = params.alphas.iter().position(|&alpha| alpha == 0.0) {
        return Err(EncodingError::UnpenalisedBands { idx }.into());
    }
    let kernels = kernels(bands, n_rows, params.intercept)?;
    let mut shares = params.shares(bands.len())?;
    if let BandedSearch::Gradient { tolerance, .. } = params.search {
        if !(tolerance > 0.0 && tolerance.is_finite()) {
            return Err(EncodingError::InvalidTolerance { value: tolerance }.into());
        }
        if params.shares.is_none() {
            shares.slice_collapse(s![..1, ..]);
        }
    }
    let folds = params.folds.rows(n_rows, false)?;
    check_targets(y, n_rows)?;
    let splits = splits(&folds, n_rows, false);
    let combined = |sample: usize| -> Result<Design> {
        let mut sum = Array2::zeros((n_rows, n_rows));
        for (kernel, &share) in kernels.iter().zip(shares.row(sample)) {
            sum.scaled_add(share, kernel);
        }
        // Penalties are positive, so how many columns there are does not matter.
        Ok(
            Design::from_products(sum.view(), usize::MAX, params.intercept)
                .map_err(EncodingError::from)?,
        )
    };

    let chunks: Vec<Targets<T>> = y
        .axis_chunks_iter(Axis(1), CHUNK)
        .into_par_iter()
        .map(|y| Targets::new(y, params.intercept))
        .collect();
    let mut best: Vec<Best> = chunks
        .iter()
        .map(|targets| Best {
            error: vec![f64::INFINITY; targets.n_targets()],
            sample: vec![0; targets.n_targets()],
            alpha: vec![0.0; targets.n_targets()],
        })
        .collect();
    for sample in 0..shares.nrows() {
        let model = Ridge::<T>::from_design(&combined(sample)?, &folds, &splits, &ridge_params)?;
        best.par_iter_mut()
            .zip(&chunks)
            .for_each(|(best, targets)| {
                let (choices, errors) = model.best(targets);
                for (t, (choice, error)) in choices.into_iter().zip(errors).enumerate() {
                    if error < best.error[t] {
                        best.error[t] = error;
                        best.sample[t] = sample;
                        best.alpha[t] = params.alphas[choice];
                    }
                }
            });
    }

    let sample: Vec<usize> = best.iter().flat_map(|b| b.sample.iter().copied()).collect();
    let alpha: Vec<f64> = best.iter().flat_map(|b| b.alpha.iter().copied()).collect();
    let n_targets = y.ncols();
    if let BandedSearch::Gradient { steps, tolerance } = params.search {
        let starts: Vec<Start> = sample
            .iter()
            .zip(&alpha)
            .map(|(&sample, alpha)| shares.row(sample).mapv(|share| (share / alpha).ln()))
            .collect();
        let splits: Vec<(&[usize], &[usize])> = splits
            .iter()
            .zip(&folds)
            .map(|(split, test)| (&*split.train, &**test))
            .collect();
        let descent = Descent {
            kernels: &kernels,
            splits: &splits,
            intercept: params.intercept,
            steps,
            tolerance,
        };
        return by_gradient(&descent, y, &starts);
    }
    let designs: Vec<Design> = kernels
        .iter()
        .map(|k| Design::from_products(k.view(), usize::MAX, params.intercept))
        .collect::<std::result::Result<_, _>>()
        .map_err(EncodingError::from)?;
    let mut parts = Parts::new(bands.len(), y);
    for idx in 0..shares.nrows() {
        let members: Vec<usize> = (0..n_targets).filter(|&t| sample[t] == idx).collect();
        if members.is_empty() {
            continue;
        }
        let design = combined(idx)?;
        let own_alphas: Vec<f64> = members.iter().map(|&t| alpha[t]).collect();
        let targets = Targets::<f64>::new(y.select(Axis(1), &members).view(), params.intercept);
        let found: Vec<Vec<Vec<f64>>> = splits
            .par_iter()
            .zip(&folds)
            .map(|(split, test)| {
                let factor = design.factor(&split.train)?;
                let weights = factor.row_weights(&targets, params.intercept, &own_alphas);
                let contributions = designs.iter().map(|band| weights.contribution(band, test));
                Ok(std::iter::once(weights.means().to_vec())
                    .chain(contributions)
                    .collect())
            })
            .collect::<std::result::Result<_, _>>()
            .map_err(|e: consilience_stats::ridge::RidgeError| EncodingError::from(e))?;
        parts.add_totals(&targets, &members);
        let shares = shares.row(idx).to_vec();
        for (test, found) in folds.iter().zip(&found) {
            parts.add(&targets, &members, &shares, test, found);
        }
    }
    Ok(parts.outcome(y, &shares, &sample, alpha))
}

fn by_gradient<Y: Real>(
    descent: &Descent<'_>,
    y: ArrayView2<'_, Y>,
    starts: &[Start],
) -> Result<BandedOutcome> {
    let n_targets = y.ncols();
    let of_target = |t: usize| Targets::<f64>::new(y.slice(s![.., t..=t]), descent.intercept);
    let ends = (0..n_targets)
        .into_par_iter()
        .map(|t| {
            let targets = of_target(t);
            let y: Vec<f64> = (0..y.nrows()).map(|row| targets.row(row)[0]).collect();
            descent.run(&y, &starts[t])
        })
        .collect::<std::result::Result<Vec<_>, _>>()?;
    let mut shares = Array2::zeros((n_targets, descent.kernels.len()));
    let mut alpha = Vec::with_capacity(n_targets);
    let mut parts = Parts::new(descent.kernels.len(), y);
    for (t, end) in ends.into_iter().enumerate() {
        let weights = end.logarithms.mapv(f64::exp);
        let penalty = 1.0 / weights.sum();
        shares.row_mut(t).assign(&(&weights * penalty));
        alpha.push(penalty);
        let targets = of_target(t);
        parts.add_totals(&targets, &[t]);
        for ((_, test), found) in descent.splits.iter().zip(&end.parts) {
            parts.add(&targets, &[t], &vec![1.0; weights.len()], test, found);
        }
    }
    let own: Vec<usize> = (0..n_targets).collect();
    Ok(parts.outcome(y, &shares, &own, alpha))
}

/// Products of rows of each band.
fn kernels(bands: &[Patterns<'_>], n_rows: usize, centre: bool) -> Result<Vec<Array2<f64>>> {
    at_least("bands of features", 1, bands.len())?;
    bands
        .iter()
        .map(|band| match band {
            Patterns::F32(x) => kernel(*x, n_rows, centre),
            Patterns::F64(x) => kernel(*x, n_rows, centre),
        })
        .collect()
}

fn kernel<X: Real>(x: ArrayView2<'_, X>, n_rows: usize, centre: bool) -> Result<Array2<f64>> {
    same_count(
        "rows of a band of features, one for each row of the targets",
        n_rows,
        x.nrows(),
    )?;
    check_finite(
        x,
        "a band of features",
        "fill missing values or leave out the row",
    )?;
    if centre && constant(x).iter().all(|&c| c) {
        return Err(EncodingError::ConstantFeatures.into());
    }
    let mut means = vec![0.0; x.ncols()];
    if centre {
        for row in x.rows() {
            for (mean, value) in means.iter_mut().zip(row) {
                *mean += value.to_f64() / n_rows as f64;
            }
        }
    }
    let products = gram::<f64>(n_rows, x.ncols(), &|row, first, slot| {
        let values = x.slice(s![row, first..first + slot.len()]);
        for ((slot, value), mean) in slot.iter_mut().zip(values).zip(&means[first..]) {
            *slot = value.to_f64() - mean;
        }
    });
    Ok(Array2::from_shape_fn((n_rows, n_rows), |(i, j)| {
        products.get(i, j)
    }))
}

impl BandedParams {
    /// The shares to try, `(n_samples, n_bands)`.
    ///
    /// # Errors
    ///
    /// [`EncodingError::InvalidShares`], [`EncodingError::InvalidConcentration`], [`MethodsError::TooFew`].
    pub fn shares(&self, n_bands: usize) -> Result<Array2<f64>> {
        if let Some(given) = &self.shares {
            let is_share = |v: &f64| v.is_finite() && *v >= 0.0;
            let usable = |row: ndarray::ArrayView1<'_, f64>| {
                row.iter().all(is_share) && row.sum() > 0.0 && row.len() == n_bands
            };
            return match given.rows().into_iter().position(|row| !usable(row)) {
                Some(sample) => Err(EncodingError::InvalidShares { sample, n_bands }.into()),
                None if given.is_empty() => Err(MethodsError::TooFew {
                    what: "rows of shares",
                    needed: 1,
                    found: 0,
                }),
                None => Ok(given.clone()),
            };
        }
        at_least("samples of shares", 1, self.n_samples)?;
        let usable = |c: &f64| c.is_finite() && *c > 0.0;
        if self.concentrations.is_empty() || !self.concentrations.iter().all(usable) {
            return Err(EncodingError::InvalidConcentration.into());
        }
        let mut shares = Array2::from_elem((self.n_samples, n_bands), 1.0 / n_bands as f64);
        for (idx, mut row) in shares.rows_mut().into_iter().enumerate().skip(1) {
            let concentration = self.concentrations[idx % self.concentrations.len()];
            let drawn =
                Stream::new(self.seed, Domain::Bands, idx as u64).dirichlet(n_bands, concentration);
            row.iter_mut()
                .zip(drawn)
                .for_each(|(slot, share)| *slot = share);
        }
        Ok(shares)
    }
}
