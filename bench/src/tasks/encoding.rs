//! Encoding models, each with five folds.

use anyhow::Result;
use consilience_methods::encoding::{
    BandedParams, PartitionBy, RidgeParams, banded, partition, ridge,
};
use consilience_methods::rdm::Patterns;
use ndarray::Array2;

use super::{Work, matrix, numbers, single};

pub(super) fn prepare(task: &str, inputs: &[&str]) -> Result<Option<Work>> {
    Ok(Some(match (task, inputs) {
        ("ridge", &[x, y, alphas]) => ridge_of(x, y, alphas)?,
        ("banded", &[y, alphas, shares, ref bands @ ..]) => banded_of(y, alphas, shares, bands)?,
        ("partition", &[y, alphas, ref sets @ ..]) => partition_of(y, alphas, sets)?,
        _ => return Ok(None),
    }))
}

/// Single precision; the numbers are R² of each target.
fn ridge_of(x: &str, y: &str, alphas: &str) -> Result<Work> {
    let (x, y) = (single(x)?, single(y)?);
    let params = RidgeParams {
        alphas: numbers(alphas)?,
        ..RidgeParams::default()
    };
    Ok(Box::new(move || {
        Ok(ridge(x.view().into(), y.view().into(), &params)?.r2)
    }))
}

/// Single precision and given shares; the numbers are R² of each target.
fn banded_of(y: &str, alphas: &str, shares: &str, bands: &[&str]) -> Result<Work> {
    let y = single(y)?;
    let bands: Vec<Array2<f32>> = bands
        .iter()
        .map(|band| single(band))
        .collect::<Result<_>>()?;
    let params = BandedParams {
        alphas: numbers(alphas)?,
        shares: Some(matrix(shares)?),
        ..BandedParams::default()
    };
    Ok(Box::new(move || {
        let bands: Vec<Patterns<'_>> = bands.iter().map(|band| band.view().into()).collect();
        Ok(banded(&bands, y.view().into(), &params)?.r2)
    }))
}

/// Double precision; the numbers are R² of every subset of the sets, a row a subset.
fn partition_of(y: &str, alphas: &str, sets: &[&str]) -> Result<Work> {
    let y = matrix(y)?;
    let sets: Vec<Array2<f64>> = sets.iter().map(|set| matrix(set)).collect::<Result<_>>()?;
    let by = PartitionBy::CrossValidated(RidgeParams {
        alphas: numbers(alphas)?,
        ..RidgeParams::default()
    });
    Ok(Box::new(move || {
        let sets: Vec<_> = sets.iter().map(|set| set.view()).collect();
        Ok(partition(&sets, y.view(), &by)?.r2.into_iter().collect())
    }))
}
