//! Whether stimuli that are rated alike are represented alike, nucleus by nucleus and epoch by epoch.

use consilience_core::{DimensionCurve, GeometryCurve};
use consilience_methods::MethodsError;
use consilience_methods::emotion::{
    Bins, EmotionModel, Geometry, GeometryParams, emotion_rdm, participation_ratio,
};
use consilience_methods::rdm::{Dissimilarity, Patterns, RdmParams, rdm};
use ndarray::{Array1, Array2, ArrayView2, Axis, s};

use super::score::{mean, sem};
use super::workers::side_by_side;
use super::{Repeat, Wired};

/// Models of emotion with their RDMs.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelRdms {
    /// Names as records tell them.
    pub names: Vec<String>,
    /// `(n_models, n_pairs)`.
    pub rdms: Array2<f64>,
}

impl ModelRdms {
    /// Those of the ratings: plane, valence, arousal and categories, or without arousal the second and last; a model without two different
    /// dissimilarities is left out.
    ///
    /// # Errors
    ///
    /// Those of [`emotion_rdm`].
    pub fn of(valence: &[f64], arousal: Option<&[f64]>, bins: &Bins) -> Result<Self, MethodsError> {
        let all = [
            (EmotionModel::Plane, "valence and arousal"),
            (EmotionModel::Valence, "valence"),
            (EmotionModel::Arousal, "arousal"),
            (EmotionModel::Category, "categories"),
        ];
        let (mut names, mut rows) = (Vec::new(), Vec::new());
        for (model, name) in all {
            let needs_arousal = matches!(model, EmotionModel::Plane | EmotionModel::Arousal);
            if needs_arousal && arousal.is_none() {
                continue;
            }
            let rdm = emotion_rdm(model, valence, arousal.unwrap_or(valence), bins)?;
            if rdm.iter().any(|d| *d != rdm[0]) {
                names.push(name.to_owned());
                rows.push(rdm);
            }
        }
        let n_pairs = rows.first().map_or(0, Vec::len);
        let rdms = Array2::from_shape_vec((rows.len(), n_pairs), rows.concat());
        Ok(Self {
            names,
            rdms: rdms.expect("RDMs of the same stimuli have one length"),
        })
    }
}

/// Geometry of one repeat, epoch by epoch; `None` where it is undefined.
#[derive(Debug, Clone, PartialEq)]
pub struct RepeatGeometry {
    /// Agreement of each nucleus with each model, epochs × nuclei × models.
    pub scores: Vec<Vec<Vec<Option<f64>>>>,
    /// Participation ratio, epochs × nuclei.
    pub dimensions: Vec<Vec<Option<f64>>>,
    /// Agreement of all nuclei together with each further RDM, such as that of a region: epochs × RDMs.
    pub together: Vec<Vec<Option<f64>>>,
    /// RDM of each nucleus after training, then of all together; `None` for a pattern without one.
    pub after: Vec<Option<Vec<f64>>>,
}

/// Measures the geometry of a repeat at every epoch.
///
/// `further` are RDMs, `(n, n_pairs)`, that all nuclei together are compared with.
///
/// # Errors
///
/// Those of [`Geometry::new`].
pub fn geometry_of(
    wired: &Wired,
    repeat: &Repeat,
    models: &ModelRdms,
    further: ArrayView2<'_, f64>,
    dissimilarity: Dissimilarity,
) -> Result<RepeatGeometry, MethodsError> {
    let params = GeometryParams {
        dissimilarity,
        ..GeometryParams::default()
    };
    let geometry = match models.names.is_empty() {
        true => None,
        false => Some(Geometry::new(models.rdms.view(), &params)?),
    };
    let others = match further.nrows() {
        0 => None,
        _ => Some(Geometry::new(further, &params)?),
    };
    let ranges = wired.ranges();
    let at_epochs = side_by_side(repeat.units.dim().0, |epoch| {
        let units = repeat.units.index_axis(Axis(0), epoch);
        let of = |range: &std::ops::Range<usize>| units.slice(s![.., range.clone()]);
        let scores = ranges.iter().map(|range| match &geometry {
            None => Vec::new(),
            Some(geometry) => scores(geometry, of(range), models.names.len()),
        });
        let dimensions = ranges
            .iter()
            .map(|range| participation_ratio(of(range).mapv(f64::from).view()).ok());
        let together = match &others {
            None => Vec::new(),
            Some(others) => scores_of_all(others, units, further.nrows()),
        };
        Ok::<_, MethodsError>((scores.collect(), dimensions.collect(), together))
    })?;
    let mut found = RepeatGeometry {
        scores: Vec::new(),
        dimensions: Vec::new(),
        together: Vec::new(),
        after: after(&ranges, repeat.units_after.view(), dissimilarity),
    };
    for (scores, dimensions, together) in at_epochs {
        found.scores.push(scores);
        found.dimensions.push(dimensions);
        found.together.push(together);
    }
    Ok(found)
}

fn scores(geometry: &Geometry, units: ArrayView2<'_, f32>, n: usize) -> Vec<Option<f64>> {
    // Nuclei that give the same for all stimuli have no geometry.
    match geometry.scores(&[Patterns::F32(units)]) {
        Ok(found) => found.row(0).iter().map(|&score| Some(score)).collect(),
        Err(_) => vec![None; n],
    }
}

fn scores_of_all(geometry: &Geometry, units: ArrayView2<'_, f32>, n: usize) -> Vec<Option<f64>> {
    match geometry.scores(&[Patterns::F64(standardised(units).view())]) {
        Ok(found) => found.row(0).iter().map(|&score| Some(score)).collect(),
        Err(_) => vec![None; n],
    }
}

/// Units of all nuclei, each z-scored over stimuli; those that do not vary are left out.
fn standardised(units: ArrayView2<'_, f32>) -> Array2<f64> {
    let n = units.nrows().max(1) as f64;
    let mut columns = Vec::new();
    for unit in units.columns() {
        if unit.iter().all(|value| *value == unit[0]) {
            continue;
        }
        let values = unit.mapv(f64::from);
        let centred: Array1<f64> = &values - values.sum() / n;
        let deviation = (centred.mapv(|v| v * v).sum() / n).sqrt();
        columns.push(centred / deviation);
    }
    let mut all = Array2::zeros((units.nrows(), columns.len()));
    for (mut to, column) in all.columns_mut().into_iter().zip(&columns) {
        to.assign(column);
    }
    all
}

fn after(
    ranges: &[std::ops::Range<usize>],
    units: ArrayView2<'_, f32>,
    dissimilarity: Dissimilarity,
) -> Vec<Option<Vec<f64>>> {
    let params = RdmParams {
        dissimilarity,
        ..RdmParams::default()
    };
    let of = |patterns: Patterns<'_>| rdm(patterns, &params).ok().map(|found| found.vector);
    let nuclei = ranges.iter().map(|range| {
        let units = units.slice(s![.., range.clone()]);
        of(Patterns::F32(units))
    });
    let all = standardised(units);
    nuclei.chain([of(Patterns::F64(all.view()))]).collect()
}

/// Mean over repeats of the RDMs of each nucleus after training, then of all together.
#[must_use]
pub fn mean_rdms(repeats: &[RepeatGeometry]) -> Vec<Option<Vec<f64>>> {
    let n = repeats.first().map_or(0, |repeat| repeat.after.len());
    let of = |which: usize| {
        let found: Option<Vec<&Vec<f64>>> = (repeats.iter())
            .map(|repeat| repeat.after[which].as_ref())
            .collect();
        let found = found.filter(|found| !found.is_empty())?;
        let mut sum = vec![0.0; found[0].len()];
        for rdm in &found {
            sum.iter_mut().zip(*rdm).for_each(|(sum, d)| *sum += d);
        }
        sum.iter_mut().for_each(|sum| *sum /= found.len() as f64);
        Some(sum)
    };
    (0..n).map(of).collect()
}

/// Curves over epochs: each nucleus and their mean with each model; means and standard errors over repeats.
#[must_use]
pub fn curves(wired: &Wired, models: &ModelRdms, repeats: &[RepeatGeometry]) -> Vec<GeometryCurve> {
    let n_nuclei = wired.nuclei.len();
    let mut all = Vec::new();
    for nucleus in 0..=n_nuclei {
        let name = match wired.nuclei.get(nucleus) {
            Some((name, _)) => name.clone(),
            None => "mean".to_owned(),
        };
        for (model, of_model) in models.names.iter().enumerate() {
            all.push(curve(repeats, &name, of_model, |repeat, epoch| {
                let scores = &repeat.scores[epoch];
                match scores.get(nucleus) {
                    Some(scores) => scores[model],
                    None => {
                        let scores: Vec<_> = scores.iter().map(|scores| scores[model]).collect();
                        mean(&scores)
                    }
                }
            }));
        }
    }
    all
}

/// Agreement of all nuclei with further RDM `which` over epochs.
#[must_use]
pub fn curve_of_all(repeats: &[RepeatGeometry], which: usize, name: &str) -> GeometryCurve {
    curve(repeats, "all nuclei", name, |repeat, epoch| {
        repeat.together[epoch][which]
    })
}

fn curve(
    repeats: &[RepeatGeometry],
    nucleus: &str,
    model: &str,
    score: impl Fn(&RepeatGeometry, usize) -> Option<f64>,
) -> GeometryCurve {
    let n_epochs = repeats.first().map_or(0, |repeat| repeat.scores.len());
    let at = |epoch: usize| -> Vec<Option<f64>> {
        repeats.iter().map(|repeat| score(repeat, epoch)).collect()
    };
    GeometryCurve {
        nucleus: nucleus.to_owned(),
        model: model.to_owned(),
        epochs: (0..n_epochs).collect(),
        means: (0..n_epochs).map(|epoch| mean(&at(epoch))).collect(),
        sems: (0..n_epochs).map(|epoch| sem(&at(epoch))).collect(),
    }
}

/// Dimensions of each nucleus over epochs.
#[must_use]
pub fn dimension_curves(wired: &Wired, repeats: &[RepeatGeometry]) -> Vec<DimensionCurve> {
    let n_epochs = repeats.first().map_or(0, |repeat| repeat.dimensions.len());
    let of = |(nucleus, (name, _)): (usize, &(String, usize))| DimensionCurve {
        nucleus: name.clone(),
        epochs: (0..n_epochs).collect(),
        means: (0..n_epochs)
            .map(|epoch| {
                let found = repeats
                    .iter()
                    .map(|repeat| repeat.dimensions[epoch][nucleus]);
                mean(&found.collect::<Vec<_>>())
            })
            .collect(),
    };
    wired.nuclei.iter().enumerate().map(of).collect()
}
