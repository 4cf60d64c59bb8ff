//! Whether items that are rated alike are represented alike, layer by layer and epoch by epoch.

use consilience_core::pairs;
use consilience_stats::correlation::unit;
use consilience_stats::gram::gram;
use consilience_stats::rank::average_ranks;
use ndarray::{Array2, Array3, ArrayView2, ArrayView4, Axis, s};
use rayon::prelude::*;

use super::{Bins, EmotionError};
use crate::behaviour::{CorrelationKind, check_finite};
use crate::error::{at_least, same_count};
use crate::names::named;
use crate::rdm::{Dissimilarity, Patterns, RdmParams, categorical_model, interval_model, rdm};
use crate::{MethodsError, Result};

/// What makes two items alike to people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EmotionModel {
    /// Euclidean distance in the plane of valence and arousal.
    Plane,
    /// Absolute difference in valence.
    Valence,
    /// Absolute difference in arousal.
    Arousal,
    /// 0 for items of one bin, 1 for items of two.
    Category,
}

impl EmotionModel {
    const NAMES: [(&'static str, Self); 4] = [
        ("plane", Self::Plane),
        ("valence", Self::Valence),
        ("arousal", Self::Arousal),
        ("category", Self::Category),
    ];

    /// Every model, in the order of the documentation.
    pub const ALL: [Self; 4] = [Self::Plane, Self::Valence, Self::Arousal, Self::Category];
}

named!(EmotionModel, "model of emotion");

/// The RDM of one model of emotion.
///
/// # Shapes
///
/// `valence` and `arousal` are `(n_items,)`, the items of `bins` are the same; the result is `(n_pairs,)`, strict upper triangle, row-major.
///
/// # Definition
///
/// √((v − v′)² + (a − a′)²), |v − v′|, |a − a′|, or whether the bins differ; items in a gap between edges share no bin with any other.
///
/// # Errors
///
/// [`MethodsError::ShapeMismatch`], [`MethodsError::TooFew`] items (2), [`MethodsError::NonFinite`].
///
/// # References
///
/// Liu et al. 2025, doi:10.1101/2025.10.20.683439.
///
/// # Peers
///
/// SciPy `pdist` 1.17.1 (`euclidean`, `cityblock`), to 1e-12.
pub fn emotion_rdm(
    model: EmotionModel,
    valence: &[f64],
    arousal: &[f64],
    bins: &Bins,
) -> Result<Vec<f64>> {
    same_count(
        "ratings of arousal, one for each item",
        valence.len(),
        arousal.len(),
    )?;
    same_count(
        "items of the bins, as many as ratings",
        valence.len(),
        bins.of_items.len(),
    )?;
    match model {
        EmotionModel::Valence => interval_model(valence),
        EmotionModel::Arousal => interval_model(arousal),
        EmotionModel::Plane => {
            let (v, a) = (interval_model(valence)?, interval_model(arousal)?);
            Ok(v.iter().zip(&a).map(|(v, a)| v.hypot(*a)).collect())
        }
        EmotionModel::Category => {
            // An item of no bin is a category of its own.
            let label = |(item, bin): (usize, &Option<usize>)| bin.ok_or(item);
            let labels: Vec<_> = bins.of_items.iter().enumerate().map(label).collect();
            categorical_model(&labels)
        }
    }
}

/// Options of [`Geometry`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GeometryParams {
    /// How two patterns are compared (default: 1 − Pearson's r).
    pub dissimilarity: Dissimilarity,
    /// How two RDMs are compared (default: Spearman).
    pub similarity: CorrelationKind,
}

impl Default for GeometryParams {
    fn default() -> Self {
        Self {
            dissimilarity: Dissimilarity::Correlation,
            similarity: CorrelationKind::Spearman,
        }
    }
}

/// Model RDMs to compare many sets of patterns with: they are ranked once.
#[derive(Debug, Clone)]
pub struct Geometry {
    /// Ranks (or values) of each model, centred, at unit length.
    models: Vec<Vec<f64>>,
    params: GeometryParams,
}

impl Geometry {
    /// From model RDMs `(n_models, n_pairs)`, such as those of [`emotion_rdm`].
    ///
    /// # Errors
    ///
    /// [`MethodsError::TooFew`] models, [`MethodsError::Rdm`], [`MethodsError::NonFinite`], [`MethodsError::UndefinedRdm`] for a constant model.
    pub fn new(models: ArrayView2<'_, f64>, params: &GeometryParams) -> Result<Self> {
        at_least("model RDMs", 1, models.nrows())?;
        pairs::n_conditions(models.ncols())?;
        check_finite("the model RDMs", models)?;
        let prepared = models.rows().into_iter().enumerate().map(|(row, model)| {
            prepared(model.to_vec(), params.similarity).ok_or(MethodsError::UndefinedRdm {
                similarity: similarity_name(params.similarity),
                what: "the model RDMs",
                row,
                why: "all its dissimilarities are equal",
            })
        });
        Ok(Self {
            models: prepared.collect::<Result<_>>()?,
            params: *params,
        })
    }

    /// Similarity of the RDM of each set of patterns with each model, `(n_sets, n_models)`.
    ///
    /// Sets are worked on in parallel, each with some 60 bytes for each pair of items in the meantime; what comes out does not depend on it.
    ///
    /// # Errors
    ///
    /// Those of [`rdm`], [`MethodsError::PairsMismatch`] for another number of items, [`MethodsError::UndefinedRdm`] for patterns that
    /// are all equally far apart.
    ///
    /// # Peers
    ///
    /// SciPy `pdist` and `spearmanr` 1.17.1, to 1e-9.
    pub fn scores(&self, sets: &[Patterns<'_>]) -> Result<Array2<f64>> {
        let found: Vec<Result<Vec<f64>>> = sets
            .par_iter()
            .enumerate()
            .map(|(row, set)| self.score(row, *set))
            .collect();
        let found = found.into_iter().collect::<Result<Vec<_>>>()?.concat();
        Ok(
            Array2::from_shape_vec((sets.len(), self.models.len()), found)
                .expect("a score for each set and model"),
        )
    }

    fn score(&self, row: usize, patterns: Patterns<'_>) -> Result<Vec<f64>> {
        let params = RdmParams {
            dissimilarity: self.params.dissimilarity,
            ..RdmParams::default()
        };
        let vector = rdm(patterns, &params)?.vector;
        let n_pairs = self.models[0].len();
        if vector.len() != n_pairs {
            return Err(MethodsError::PairsMismatch {
                first: "the RDM of the patterns",
                n_first: vector.len(),
                second: "the model RDMs",
                n_second: n_pairs,
            });
        }
        let similarity = self.params.similarity;
        let own = prepared(vector, similarity).ok_or(MethodsError::UndefinedRdm {
            similarity: similarity_name(similarity),
            what: "the patterns",
            row,
            why: "all its dissimilarities are equal",
        })?;
        let score = |model: &Vec<f64>| {
            let r: f64 = own.iter().zip(model).map(|(x, y)| x * y).sum();
            r.clamp(-1.0, 1.0)
        };
        Ok(self.models.iter().map(score).collect())
    }
}

/// Centred, at unit length; `None` when all are equal.
fn prepared(vector: Vec<f64>, similarity: CorrelationKind) -> Option<Vec<f64>> {
    match similarity {
        CorrelationKind::Pearson => unit(&vector),
        CorrelationKind::Spearman => unit(&average_ranks(&vector)),
    }
}

fn similarity_name(similarity: CorrelationKind) -> &'static str {
    match similarity {
        CorrelationKind::Pearson => "pearson",
        CorrelationKind::Spearman => "spearman",
    }
}

/// Scores over epochs, averaged over repeats.
#[derive(Debug, Clone, PartialEq)]
pub struct Trajectory {
    /// Repeats.
    pub n_repeats: usize,
    /// Mean over repeats, `(n_epochs, n_layers, n_models)`.
    pub means: Array3<f64>,
    /// Standard error over repeats; `None` for a single one.
    pub sems: Option<Array3<f64>>,
    /// Mean over layers and repeats, `(n_epochs, n_models)`.
    pub across_layers: Array2<f64>,
    /// Standard error over repeats of the mean over layers; `None` for a single one.
    pub across_sems: Option<Array2<f64>>,
}

/// Averages scores over repeats of the training.
///
/// # Shapes
///
/// `scores` is `(n_repeats, n_epochs, n_layers, n_models)`.
///
/// # Definition
///
/// Means over repeats, with standard errors s/√R (denominator R − 1 of s²). Repeats differ in their initial weights and order of items; the
/// items are the same, so the errors say nothing of other items.
///
/// # Errors
///
/// [`MethodsError::TooFew`] repeats, epochs, layers or models, [`MethodsError::NonFinite`].
pub fn trajectory(scores: ArrayView4<'_, f64>) -> Result<Trajectory> {
    let (n_repeats, n_epochs, n_layers, n_models) = scores.dim();
    for (what, found) in [
        ("repeats of the training", n_repeats),
        ("epochs of the training", n_epochs),
        ("layers with scores", n_layers),
        ("models with scores", n_models),
    ] {
        at_least(what, 1, found)?;
    }
    for (row, repeat) in scores.outer_iter().enumerate() {
        if let Some((column, &value)) = repeat.iter().enumerate().find(|(_, v)| !v.is_finite()) {
            return Err(MethodsError::NonFinite {
                what: "the scores of the repeats",
                row,
                column,
                value,
                cure: "leave out the repeats or layers without a score",
            });
        }
    }
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let sem = |values: &[f64]| {
        let centre = mean(values);
        let squares: f64 = values.iter().map(|v| (v - centre).powi(2)).sum();
        let n = values.len() as f64;
        (squares / (n - 1.0) / n).sqrt()
    };
    let of = |f: &dyn Fn(&[f64]) -> f64| {
        Array3::from_shape_fn((n_epochs, n_layers, n_models), |(epoch, layer, model)| {
            f(&scores.slice(s![.., epoch, layer, model]).to_vec())
        })
    };
    let across = |f: &dyn Fn(&[f64]) -> f64| {
        Array2::from_shape_fn((n_epochs, n_models), |(epoch, model)| {
            let repeats = scores.slice(s![.., epoch, .., model]);
            let means: Vec<f64> = repeats
                .rows()
                .into_iter()
                .map(|r| mean(&r.to_vec()))
                .collect();
            f(&means)
        })
    };
    Ok(Trajectory {
        n_repeats,
        means: of(&mean),
        sems: (n_repeats > 1).then(|| of(&sem)),
        across_layers: across(&mean),
        across_sems: (n_repeats > 1).then(|| across(&sem)),
    })
}

/// Number of dimensions that patterns use, by their participation ratio.
///
/// # Shapes
///
/// `patterns` is `(n_items, n_units)`.
///
/// # Definition
///
/// (Σλ)²/Σλ² of the eigenvalues λ of the covariance of the units over items: 1 when all items lie on a line, the number of units when
/// all directions vary alike, and never more than n − 1 items. From traces, tr(C)²/tr(C²), without a decomposition.
///
/// # Errors
///
/// [`MethodsError::TooFew`] items (2) or units, [`MethodsError::NonFinite`], [`EmotionError::NoVariance`].
///
/// # Example
///
/// ```
/// use consilience_methods::emotion::participation_ratio;
/// use ndarray::array;
///
/// let square = array![[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]];
/// assert!((participation_ratio(square.view())? - 2.0).abs() < 1e-12);
/// # Ok::<(), consilience_methods::MethodsError>(())
/// ```
///
/// # References
///
/// Gao et al. 2017, doi:10.1101/214262.
///
/// # Peers
///
/// `numpy.linalg.eigvalsh` of `numpy.cov`, to 1e-9.
pub fn participation_ratio(patterns: ArrayView2<'_, f64>) -> Result<f64> {
    let (n_items, n_units) = patterns.dim();
    at_least("items of the patterns", 2, n_items)?;
    at_least("units of the patterns", 1, n_units)?;
    check_finite("the patterns", patterns)?;
    let mut centred = patterns.to_owned();
    for mut unit in centred.axis_iter_mut(Axis(1)) {
        let first = unit[0];
        let centre = match unit.iter().all(|v| *v == first) {
            true => first,
            false => unit.sum() / n_items as f64,
        };
        unit -= centre;
    }
    let largest = centred.iter().fold(0.0_f64, |max, v| max.max(v.abs()));
    if largest == 0.0 {
        return Err(EmotionError::NoVariance.into());
    }
    // Squares of squares of tiny or huge numbers leave the range of `f64`.
    centred /= largest;
    // Both sides have the same eigenvalues: the smaller one is made.
    let side = match n_items <= n_units {
        true => centred,
        false => centred.reversed_axes(),
    };
    let (n, p) = side.dim();
    let products = gram(n, p, &|row, first, slot: &mut [f64]| {
        let values = side.slice(s![row, first..first + slot.len()]);
        slot.iter_mut()
            .zip(values)
            .for_each(|(slot, value)| *slot = *value);
    });
    let trace: f64 = (0..n).map(|i| products.get(i, i)).sum();
    let square: f64 = (0..n)
        .map(|i| (0..n).map(|j| products.get(i, j).powi(2)).sum::<f64>())
        .sum();
    Ok(trace * trace / square)
}
