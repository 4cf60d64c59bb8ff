//! What a head reads from the filters of a layer: contributions, gradients and maps.

use std::borrow::Cow;

use ndarray::{Array2, Array3, ArrayView3, Axis, Zip};

use super::Pool;
use super::inputs::same;
use crate::Result;
use crate::head::RatingHead;

/// Features that a head takes: the layer's activation `(n_filters, h, w)` pooled as asked for.
pub(super) fn features(activation: ArrayView3<'_, f32>, pool: Pool) -> Cow<'_, [f32]> {
    match (pool, activation.to_slice()) {
        (Pool::Flat, Some(values)) => Cow::Borrowed(values),
        (Pool::Flat, None) => activation.iter().copied().collect(),
        (Pool::Mean, _) => activation
            .outer_iter()
            .map(|map| {
                let sum: f64 = map.iter().map(|&v| f64::from(v)).sum();
                (sum / map.len() as f64) as f32
            })
            .collect(),
    }
}

/// What each filter adds to the head's sum.
pub(super) fn contributions(head: &RatingHead, features: &[f32], n_filters: usize) -> Vec<f64> {
    let n = (features.len() / n_filters).max(1);
    let of_filter = |(weights, values): (&[f32], &[f32])| {
        let products = weights.iter().zip(values);
        products.map(|(&w, &x)| f64::from(w) * f64::from(x)).sum()
    };
    head.weights
        .chunks(n)
        .zip(features.chunks(n))
        .map(of_filter)
        .collect()
}

/// α of each filter: the mean over its positions of the gradient of the head's sum.
pub(super) fn mean_gradients(head: &RatingHead, pool: Pool, n_positions: usize) -> Vec<f64> {
    let n = n_positions.max(1);
    match pool {
        Pool::Mean => head
            .weights
            .iter()
            .map(|&w| f64::from(w) / n as f64)
            .collect(),
        Pool::Flat => head
            .weights
            .chunks(n)
            .map(|of_filter| of_filter.iter().map(|&w| f64::from(w)).sum::<f64>() / n as f64)
            .collect(),
    }
}

/// α A of each filter.
pub(super) fn filter_maps(activation: ArrayView3<'_, f32>, alphas: &[f64]) -> Array3<f32> {
    let mut maps = activation.to_owned();
    for (mut map, &alpha) in maps.outer_iter_mut().zip(alphas) {
        map.mapv_inplace(|a| (alpha * f64::from(a)) as f32);
    }
    maps
}

/// ReLU of the sum of all filters' maps.
pub(super) fn whole_map(activation: ArrayView3<'_, f32>, alphas: &[f64]) -> Array2<f32> {
    let (_, height, width) = activation.dim();
    let mut sum = Array2::<f64>::zeros((height, width));
    for (map, &alpha) in activation.outer_iter().zip(alphas) {
        Zip::from(&mut sum)
            .and(map)
            .for_each(|sum, &a| *sum += alpha * f64::from(a));
    }
    sum.mapv(|v| v.max(0.0) as f32)
}

/// The Grad-CAM map of a network that is cut at a layer: where the layer speaks for a higher rating.
///
/// # Shapes
///
/// `activation` is one picture's `(n_filters, h, w)`; the map is `(h, w)`, unscaled.
///
/// # Definition
///
/// ReLU(Σ_k α_k A_k) with α_k = w_k / (h·w) behind a mean and the mean of the weights of filter k otherwise: the gradient of the head's
/// sum. That of a sigmoid's rating is a positive multiple of it, which scaling removes.
///
/// # Errors
///
/// [`ExperimentError::Count`](crate::ExperimentError::Count) of weights.
///
/// # References
///
/// Selvaraju et al. 2017, doi:10.1109/ICCV.2017.74.
pub fn layer_map(
    activation: ArrayView3<'_, f32>,
    head: &RatingHead,
    pool: Pool,
) -> Result<Array2<f32>> {
    let n_positions = activation.len_of(Axis(1)) * activation.len_of(Axis(2));
    let n_features = match pool {
        Pool::Mean => activation.len_of(Axis(0)),
        Pool::Flat => activation.len(),
    };
    same("weights of a head", n_features, head.weights.len())?;
    Ok(whole_map(
        activation,
        &mean_gradients(head, pool, n_positions),
    ))
}
