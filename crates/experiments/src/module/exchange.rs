//! Weights from and for the released program.

use consilience_io::weights::Weights;
use ndarray::{ArrayD, Axis};

use super::description::FORMAT;
use super::{Description, ModuleError, RATINGS, Trained};
use crate::error::Result;
use crate::visual_emotion::{Scaling, Structure};

/// Width of CE beyond that of the features in the four modules of Liu et al. 2025.
const BEYOND: usize = 512;

/// Width of the features and number of ratings that released weights have, by the shape of their read-out.
#[must_use]
pub fn released_width(weights: &Weights) -> Option<(usize, usize)> {
    match weights.tensors().get("LastFC.weight")?.shape() {
        [n_ratings, joined] if *joined > BEYOND => Some((joined - BEYOND, *n_ratings)),
        _ => None,
    }
}

/// A module with weights that were trained elsewhere.
///
/// `ratings` names the outputs in their order, which in the released weights is arousal, valence. Features and ratings are taken as they
/// are, on `scale`.
///
/// # Errors
///
/// [`ModelError::StateDict`](consilience_models::ModelError::StateDict) naming each key that is missing, not expected or of another shape, [`ModuleError::Outputs`], and as
/// [`Trained::new`].
pub fn import(
    structure: Structure,
    n_features: usize,
    ratings: &[&str],
    scale: [f64; 2],
    weights: Weights,
) -> Result<Trained> {
    let key = format!("{}.weight", structure.nuclei.read_out_key);
    let read_out = weights.tensors().get(&key).map(ArrayD::shape);
    if let Some([found, _]) = read_out
        && *found != ratings.len()
    {
        return Err(ModuleError::Outputs {
            expected: ratings.len(),
            found: *found,
        }
        .into());
    }
    let description = Description {
        format: FORMAT,
        structure,
        n_features,
        ratings: ratings.iter().map(|&name| name.to_owned()).collect(),
        scale,
        scaling: Scaling::default(),
        encoder: None,
        learnt: None,
        weights_blake3: String::new(),
    };
    Trained::new(description, weights.into_tensors())
}

/// The weights with the names and the order of outputs of the released program: arousal before valence.
///
/// Z-scored ratings are undone in the read-out: W′ = σ W, b′ = σ b + μ.
///
/// # Errors
///
/// [`ModuleError::NotReleased`] for a module that z-scores its features or has a linear map before its nuclei, which the released
/// program knows nothing of.
pub fn export(module: &Trained) -> Result<Weights> {
    let description = &module.description;
    let refused = |why| Err(ModuleError::NotReleased { why }.into());
    if description.structure.adapter.is_some() {
        return refused(
            "a linear map brings features to another width first; train without --width (module.safetensors has all weights as they are)",
        );
    }
    if description.scaling.of_features() {
        return refused(
            "it reads z-scored features; train with --no-standardise (module.safetensors has all weights as they are)",
        );
    }
    let mut tensors = module.weights.clone();
    let key = &description.structure.nuclei.read_out_key;
    let order: Vec<usize> = RATINGS
        .iter()
        .rev()
        .filter_map(|name| description.output(name))
        .collect();
    for part in ["weight", "bias"] {
        let read_out = tensors.get_mut(&format!("{key}.{part}"));
        let read_out = read_out.expect("a module has a read-out");
        if let Some((means, deviations)) = description.scaling.of_ratings() {
            for (idx, mut row) in read_out.axis_iter_mut(Axis(0)).enumerate() {
                let shift = if part == "bias" { means[idx] } else { 0.0 };
                row.mapv_inplace(|v| (shift + deviations[idx] * f64::from(v)) as f32);
            }
        }
        *read_out = read_out.select(Axis(0), &order);
    }
    Ok(Weights::new(tensors))
}
