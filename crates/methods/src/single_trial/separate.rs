//! Least squares, separate (LSS).

use ndarray::{Array1, Array2, ArrayView1, ArrayView2, ArrayViewMut2, Axis};
use rayon::prelude::*;

use super::SingleTrialError;
use crate::{MethodsError, Result};

/// Voxels that are fitted together: their sums stay in the nearest cache.
const N_BLOCK: usize = 256;
/// Part of a column's length below which what is left of it is rounding.
const ROUNDING: f64 = 1e-8;

/// The response of each voxel to each trial, fitted beside the sum of all other trials.
///
/// For trial t the model is y = βₜ xₜ + βₒ Σ_{u≠t} xᵤ + N γ + ε with a constant among N; what is returned is βₜ. Compared with a fit of
/// all trials at once, trials that follow each other soon do not share their variance out, so betas vary less.
///
/// All fits share one solution: with x and y freed from N, βₜ follows from the two remaining columns, xₜ and the others' sum, so that all betas
/// are one matrix (trials × volumes) times the recording.
///
/// # Shapes
///
/// `recording`: (volumes, voxels); `trials`: (volumes, trials), the expected response to each; `nuisance`: (volumes, columns), such as motion,
/// drifts and other events; columns that others explain are dropped. Returns (trials, voxels), in units of the recording. A voxel with a NaN has only NaN.
///
/// # Errors
///
/// [`MethodsError::ShapeMismatch`] for different numbers of volumes, [`MethodsError::TooFew`] without a trial,
/// [`MethodsError::NonFinite`] for a design with a NaN, [`SingleTrialError::Undetermined`] for a trial outside the run or under the same columns as
/// all others, [`SingleTrialError::NothingLeft`].
///
/// # References
///
/// Mumford et al. 2012, doi:10.1016/j.neuroimage.2011.08.076.
///
/// # Peers
///
/// NumPy's `lstsq` on each trial's design (1e-9); nilearn's recipe of a `FirstLevelModel` a trial, without its noise model.
pub fn least_squares_separate(
    recording: ArrayView2<'_, f32>,
    trials: ArrayView2<'_, f64>,
    nuisance: ArrayView2<'_, f64>,
) -> Result<Array2<f32>> {
    let n_volumes = recording.nrows();
    for (what, found) in [
        ("volumes of the trials' responses", trials.nrows()),
        ("volumes of the columns of no interest", nuisance.nrows()),
    ] {
        if found != n_volumes {
            return Err(MethodsError::ShapeMismatch {
                what,
                expected: n_volumes,
                found,
            });
        }
    }
    if trials.ncols() == 0 {
        return Err(MethodsError::TooFew {
            what: "trials",
            needed: 1,
            found: 0,
        });
    }
    check_finite("the trials' responses", trials)?;
    check_finite("the columns of no interest", nuisance)?;
    let weights = weights(trials, nuisance)?;
    let mut betas = Array2::zeros((trials.ncols(), recording.ncols()));
    betas
        .axis_chunks_iter_mut(Axis(1), N_BLOCK)
        .into_par_iter()
        .zip(recording.axis_chunks_iter(Axis(1), N_BLOCK))
        .for_each(|(betas, recording)| fit(weights.view(), recording, betas));
    Ok(betas)
}

fn check_finite(what: &'static str, columns: ArrayView2<'_, f64>) -> Result<()> {
    match columns.indexed_iter().find(|(_, value)| !value.is_finite()) {
        None => Ok(()),
        Some(((row, column), &value)) => Err(MethodsError::NonFinite {
            what,
            row,
            column,
            value,
            cure: "fill it or leave the column out",
        }),
    }
}

/// What each volume counts for each trial's beta, (trials, volumes).
fn weights(trials: ArrayView2<'_, f64>, nuisance: ArrayView2<'_, f64>) -> Result<Array2<f64>> {
    let n_volumes = trials.nrows();
    let constant = Array1::ones(n_volumes);
    let mut basis: Vec<Array1<f64>> = Vec::new();
    for column in [constant.view()].into_iter().chain(nuisance.columns()) {
        let rest = freed(column, &basis);
        let length = rest.dot(&rest).sqrt();
        if length > ROUNDING * column.dot(&column).sqrt() {
            basis.push(rest / length);
        }
    }
    // One column for the trial, one for the others, and at least one for the error.
    if basis.len() + 3 > n_volumes {
        return Err(SingleTrialError::NothingLeft {
            n_volumes,
            n_columns: basis.len(),
        }
        .into());
    }
    let mut rest = Array2::zeros((trials.ncols(), n_volumes));
    for (mut row, column) in rest.rows_mut().into_iter().zip(trials.columns()) {
        row.assign(&freed(column, &basis));
    }
    let sum = rest.sum_axis(Axis(0));
    let mut weights = Array2::zeros(rest.raw_dim());
    for (trial, mut row) in weights.rows_mut().into_iter().enumerate() {
        let undetermined = |why| SingleTrialError::Undetermined { trial, why };
        let own = rest.row(trial);
        let whole = trials.column(trial);
        let length = own.dot(&own);
        if length.sqrt() <= ROUNDING * whole.dot(&whole).sqrt() {
            return Err(
                undetermined("is 0 in this run, or what other columns hold already").into(),
            );
        }
        let others = &sum - &own;
        // The others' sum beyond the trial: what is fitted to it is not the trial's.
        let of_others = others.dot(&own) / length;
        let beyond = &others - &(&own * of_others);
        let left = beyond.dot(&beyond);
        let shared = if trials.ncols() == 1 {
            0.0
        } else if left.sqrt() <= ROUNDING * others.dot(&others).sqrt() {
            return Err(undetermined("is the same as that to all other trials together").into());
        } else {
            of_others / left
        };
        row.assign(&(&own / length - &beyond * shared));
    }
    Ok(weights)
}

/// What is left of a column without an orthonormal basis; twice, because once leaves the rounding of what was taken away.
fn freed(column: ArrayView1<'_, f64>, basis: &[Array1<f64>]) -> Array1<f64> {
    let mut rest = column.to_owned();
    for direction in basis.iter().chain(basis) {
        let share = rest.dot(direction);
        rest.scaled_add(-share, direction);
    }
    rest
}

/// Weighted sums of a few voxels, volume by volume, so that they depend on nothing else.
fn fit(
    weights: ArrayView2<'_, f64>,
    recording: ArrayView2<'_, f32>,
    mut betas: ArrayViewMut2<'_, f32>,
) {
    let recording = recording.mapv(f64::from);
    let mut sums = Array1::<f64>::zeros(recording.ncols());
    for (weights, mut betas) in weights.rows().into_iter().zip(betas.rows_mut()) {
        sums.fill(0.0);
        for (&weight, volume) in weights.iter().zip(recording.rows()) {
            sums.scaled_add(weight, &volume);
        }
        betas.zip_mut_with(&sums, |beta, &sum| *beta = sum as f32);
    }
}
