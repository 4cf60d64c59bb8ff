//! What a lesion does to correlations with targets.

use ndarray::{Array2, ArrayView2};

use crate::Result;
use crate::behaviour::{
    CorrelationKind, CorrelationParams, NoCorrelation, correlation_table, items_of,
};
use crate::error::same_count;

/// Correlations of one model before and after a lesion.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ModelEffect {
    /// Correlation of the intact model.
    pub r: f64,
    /// Correlation of the model with the lesion.
    pub r_lesioned: f64,
    /// `r_lesioned − r`: above 0 when the lesion raises the correlation.
    pub delta: f64,
}

/// Why a lesion has no effect that could be stated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoEffect {
    /// The intact model has no correlation.
    #[error("intact: {0}")]
    Intact(NoCorrelation),
    /// The model with the lesion has none.
    #[error("with the lesion: {0}")]
    Lesioned(NoCorrelation),
}

/// Mean and standard deviation over models.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spread {
    /// Mean.
    pub mean: f64,
    /// Standard deviation (denominator n − 1); `None` for one model.
    pub sd: Option<f64>,
}

/// Effect of a lesion on the correlation with one target over one subset of the pictures.
#[derive(Debug, Clone, PartialEq)]
pub struct LesionEffect {
    /// Of each model, or why there is none.
    pub models: Vec<std::result::Result<ModelEffect, NoEffect>>,
    /// Correlations of the intact models; as the others over the models that have an effect, `None` if none has.
    pub r: Option<Spread>,
    /// Correlations of the models with the lesion.
    pub r_lesioned: Option<Spread>,
    /// Effects.
    pub delta: Option<Spread>,
}

/// Compares the correlations of intact and lesioned models with targets.
///
/// # Shapes
///
/// `intact` and `lesioned` are `(n_models, n_images)`, `targets` is `(n_targets, n_images)`, `subsets` is `(n_subsets, n_images)`, true for
/// the pictures that belong to a subset (all, congruent, incongruent …); the result is `(n_subsets, n_targets)`.
///
/// # Definition
///
/// Δ = r(lesioned, target) − r(intact, target) over the pictures of the subset. A constant output has no correlation: the
/// model has no effect there (never one of 0), says so, and is left out of means and standard deviations.
///
/// # Errors
///
/// [`MethodsError::ShapeMismatch`](crate::MethodsError::ShapeMismatch), [`MethodsError::TooFew`](crate::MethodsError::TooFew) models, targets or subsets, [`MethodsError::NonFinite`](crate::MethodsError::NonFinite).
///
/// # Example
///
/// ```
/// use consilience_methods::behaviour::CorrelationKind;
/// use consilience_methods::objects::lesion_effect;
/// use ndarray::array;
///
/// let intact = array![[1.0, 2.0, 3.0, 4.0]];
/// let lesioned = array![[2.0, 1.0, 3.0, 4.0]];
/// let valence = array![[1.0, 2.0, 3.0, 4.0]];
/// let all = array![[true, true, true, true]];
/// let found = lesion_effect(
///     intact.view(), lesioned.view(), valence.view(), all.view(), CorrelationKind::Pearson,
/// )?;
/// assert!((found[[0, 0]].delta.unwrap().mean + 0.2).abs() < 1e-12);
/// # Ok::<(), consilience_methods::MethodsError>(())
/// ```
pub fn lesion_effect(
    intact: ArrayView2<'_, f64>,
    lesioned: ArrayView2<'_, f64>,
    targets: ArrayView2<'_, f64>,
    subsets: ArrayView2<'_, bool>,
    kind: CorrelationKind,
) -> Result<Array2<LesionEffect>> {
    let (n_models, n_images) = intact.dim();
    for (what, expected, found) in [
        ("models with the lesion", n_models, lesioned.nrows()),
        ("pictures with the lesion", n_images, lesioned.ncols()),
    ] {
        same_count(what, expected, found)?;
    }
    let subsets = items_of(subsets, n_images)?;
    let params = CorrelationParams {
        kind,
        ..CorrelationParams::default()
    };
    let before = correlation_table(intact, targets, &subsets, &params)?;
    let after = correlation_table(lesioned, targets, &subsets, &params)?;
    let shape = (subsets.len(), targets.nrows());
    Ok(Array2::from_shape_fn(shape, |(subset, target)| {
        let of_model = |model: usize| {
            let at = [subset, model, target];
            let r = before[at].map_err(NoEffect::Intact)?.r;
            let r_lesioned = after[at].map_err(NoEffect::Lesioned)?.r;
            Ok(ModelEffect {
                r,
                r_lesioned,
                delta: r_lesioned - r,
            })
        };
        let models: Vec<_> = (0..n_models).map(of_model).collect();
        let over = |part: fn(&ModelEffect) -> f64| {
            let values: Vec<f64> = models.iter().flatten().map(part).collect();
            Spread::of(&values)
        };
        LesionEffect {
            r: over(|m| m.r),
            r_lesioned: over(|m| m.r_lesioned),
            delta: over(|m| m.delta),
            models,
        }
    }))
}

impl Spread {
    /// Of some values; `None` without any.
    #[must_use]
    pub fn of(values: &[f64]) -> Option<Self> {
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let square: f64 = values.iter().map(|v| (v - mean) * (v - mean)).sum();
        (n > 0.0).then(|| Self {
            mean,
            sd: (n > 1.0).then(|| (square / (n - 1.0)).sqrt()),
        })
    }
}
