//! From an activation and its gradient to a map.

use ndarray::{Array2, Array3, ArrayView3, Axis, Zip};

use super::Filters;
use crate::error::{LearnError, Result};

/// The map of a layer: where its channels speak for the class.
///
/// # Shapes
///
/// Activation and gradient `(k, h, w)`; the map `(h, w)`.
///
/// # Definition
///
/// ReLU(Σ_k α_k A^k), where A^k is the activation of channel k and α_k the mean over positions of the
/// gradient of the class's score with respect to A^k. Not scaled. Sums are taken with 64 bits.
///
/// # Errors
///
/// [`LearnError::ShapeMismatch`].
///
/// # Example
///
/// ```
/// use consilience_learn::gradcam;
/// use ndarray::array;
///
/// let activation = array![[[1.0, 2.0]], [[3.0, -1.0]]];
/// let gradient = array![[[0.5, 1.5]], [[-1.0, 0.0]]];
/// let map = gradcam::map(activation.view(), gradient.view())?;
/// assert_eq!(map, array![[0.0, 2.5]]);
/// # Ok::<(), consilience_learn::LearnError>(())
/// ```
///
/// # References
///
/// Selvaraju, Cogswell, Das, Vedantam, Parikh, Batra (2017). Grad-CAM: visual explanations from deep
/// networks via gradient-based localization. ICCV. doi:10.1109/ICCV.2017.74
///
/// # Peers
///
/// pytorch-grad-cam `GradCAM` before it scales its maps to 0…1 and resizes them: within 1e-6 of the
/// largest value with 64 bits; with 32 see
/// [`Differentiable`](crate::Differentiable).
pub fn map(activation: ArrayView3<'_, f32>, gradient: ArrayView3<'_, f32>) -> Result<Array2<f32>> {
    let importance = importance(activation, gradient)?;
    let (_, height, width) = activation.dim();
    let mut sum = Array2::<f64>::zeros((height, width));
    for (channel, alpha) in activation.outer_iter().zip(importance) {
        Zip::from(&mut sum)
            .and(channel)
            .for_each(|sum, &a| *sum += alpha * f64::from(a));
    }
    Ok(sum.mapv(|v| v.max(0.0) as f32))
}

/// The part of each channel in the map.
///
/// # Shapes
///
/// Activation, gradient and result `(k, h, w)`.
///
/// # Definition
///
/// α_k A^k as in [`map()`] for [`Filters::Signed`], its positive part for [`Filters::Positive`]. The
/// signed parts sum to what [`map()`] takes the positive part of.
///
/// # Errors
///
/// [`LearnError::ShapeMismatch`].
pub fn filter_maps(
    activation: ArrayView3<'_, f32>,
    gradient: ArrayView3<'_, f32>,
    filters: Filters,
) -> Result<Array3<f32>> {
    let importance = importance(activation, gradient)?;
    let mut maps = activation.to_owned();
    for (mut channel, alpha) in maps.outer_iter_mut().zip(importance) {
        channel.mapv_inplace(|a| {
            let part = alpha * f64::from(a);
            let kept = match filters {
                Filters::Signed => part,
                Filters::Positive => part.max(0.0),
            };
            kept as f32
        });
    }
    Ok(maps)
}

/// α_k: the mean gradient of each channel.
fn importance(activation: ArrayView3<'_, f32>, gradient: ArrayView3<'_, f32>) -> Result<Vec<f64>> {
    if activation.dim() != gradient.dim() {
        return Err(LearnError::ShapeMismatch {
            what: "the gradient",
            expected: activation.shape().to_vec(),
            found: gradient.shape().to_vec(),
        });
    }
    let n_positions = (gradient.len_of(Axis(1)) * gradient.len_of(Axis(2))).max(1) as f64;
    Ok(gradient
        .outer_iter()
        .map(|channel| channel.iter().map(|&g| f64::from(g)).sum::<f64>() / n_positions)
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn signed_parts_sum_to_the_map() {
        let activation = array![[[1.0, 2.0]], [[3.0, -1.0]]];
        let gradient = array![[[0.5, 1.5]], [[-1.0, 0.0]]];
        let signed = filter_maps(activation.view(), gradient.view(), Filters::Signed).unwrap();
        assert_eq!(signed, array![[[1.0, 2.0]], [[-1.5, 0.5]]]);
        let positive = filter_maps(activation.view(), gradient.view(), Filters::Positive).unwrap();
        assert_eq!(positive, array![[[1.0, 2.0]], [[0.0, 0.5]]]);
        let whole = map(activation.view(), gradient.view()).unwrap();
        assert_eq!(whole, signed.sum_axis(Axis(0)).mapv(|v: f32| v.max(0.0)));
    }

    #[test]
    fn a_gradient_of_another_shape_is_refused() {
        let error = map(
            Array3::zeros((2, 3, 3)).view(),
            Array3::zeros((2, 3, 2)).view(),
        );
        assert!(matches!(error, Err(LearnError::ShapeMismatch { .. })));
    }
}
