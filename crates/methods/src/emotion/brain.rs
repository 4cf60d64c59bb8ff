//! The RDM of a region of the brain, and how models agree with it.

use ndarray::{Array2, ArrayView2, ArrayView3, Axis};
use rayon::prelude::*;

use super::EmotionError;
use super::partial::PartialTest;
use crate::error::{at_least, same_count};
use crate::rdm::{Dissimilarity, RdmParams, rdm};
use crate::rsa::{
    Bootstrap, Correction, InferParams, Inference, MantelParams, Similarity, infer, mantel,
};
use crate::{MethodsError, NanPolicy, Result};

/// RDMs of a region: of the mean pattern over subjects, and of each subject.
#[derive(Debug, Clone, PartialEq)]
pub struct RegionRdms {
    /// RDM of the mean of the subjects' z-scored patterns, `(n_pairs,)`.
    pub group: Vec<f64>,
    /// RDM of each subject, `(n_subjects, n_pairs)`.
    pub subjects: Array2<f64>,
    /// Mean over subjects of the z-scored patterns, `(n_images, n_voxels)`; NaN where no subject has a value.
    pub patterns: Array2<f64>,
    /// Values that are missing (NaN).
    pub n_missing: usize,
}

/// RDMs of patterns of voxels, z-scored for each subject and image.
///
/// # Shapes
///
/// `responses` is `(n_subjects, n_images, n_voxels)`; a voxel that a subject lacks is NaN.
///
/// # Definition
///
/// z = (v − μ)/σ over the voxels that subject s has for image i (σ with denominator n); the group's pattern is the mean of z over the subjects that
/// have the voxel; the RDM is 1 − Spearman's ρ of two patterns over the voxels that both have. A subject's own RDM is that of its
/// patterns, which z-scores do not change.
///
/// # Errors
///
/// [`MethodsError::TooFew`] subjects, images or voxels, [`MethodsError::NonFinite`] for an infinity, [`EmotionError::ConstantPattern`], and those of
/// [`rdm`] for images without a voxel in common.
///
/// # References
///
/// Liu et al. 2025, doi:10.1101/2025.10.20.683439 (equations 16 to 19).
///
/// # Peers
///
/// NumPy and SciPy `spearmanr` 1.17.1, to 1e-9.
pub fn region_rdms(responses: ArrayView3<'_, f64>) -> Result<RegionRdms> {
    let (n_subjects, n_images, n_voxels) = responses.dim();
    for (what, needed, found) in [
        ("subjects with responses", 1, n_subjects),
        ("images with responses", 2, n_images),
        ("voxels of the region", 2, n_voxels),
    ] {
        at_least(what, needed, found)?;
    }
    let mut sums = Array2::<f64>::zeros((n_images, n_voxels));
    let mut counts = sums.clone();
    let mut n_missing = 0;
    for (subject, patterns) in responses.outer_iter().enumerate() {
        for (image, voxels) in patterns.rows().into_iter().enumerate() {
            let present = || voxels.iter().enumerate().filter(|(_, v)| !v.is_nan());
            if let Some((column, &value)) = present().find(|(_, v)| !v.is_finite()) {
                return Err(MethodsError::NonFinite {
                    what: "the responses of a subject",
                    row: image,
                    column,
                    value,
                    cure: "give NaN for voxels without a value",
                });
            }
            let n = present().count() as f64;
            let mean = present().map(|(_, v)| v).sum::<f64>() / n;
            let square: f64 = present().map(|(_, v)| (v - mean).powi(2)).sum();
            let mut values = present().map(|(_, v)| *v);
            let first = values.next();
            if values.all(|v| Some(v) == first) {
                return Err(EmotionError::ConstantPattern { subject, image }.into());
            }
            n_missing += n_voxels - n as usize;
            let deviation = (square / n).sqrt();
            for (voxel, value) in present() {
                sums[[image, voxel]] += (value - mean) / deviation;
                counts[[image, voxel]] += 1.0;
            }
        }
    }
    // 0/0 is NaN: no subject has the voxel.
    let patterns = sums / counts;
    let params = RdmParams {
        dissimilarity: Dissimilarity::Spearman,
        nan: NanPolicy::Omit,
        ..RdmParams::default()
    };
    let of_subjects: Vec<Result<Vec<f64>>> = (0..n_subjects)
        .into_par_iter()
        .map(|s| Ok(rdm(responses.index_axis(Axis(0), s), &params)?.vector))
        .collect();
    let of_subjects = of_subjects
        .into_iter()
        .collect::<Result<Vec<_>>>()?
        .concat();
    let group = rdm(patterns.view(), &params)?.vector;
    Ok(RegionRdms {
        subjects: Array2::from_shape_vec((n_subjects, group.len()), of_subjects)
            .expect("as many pairs for each subject"),
        group,
        patterns,
        n_missing,
    })
}

/// Options of [`region_rsa`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RegionRsaParams {
    /// Permutations of the images, at least 1 (default 10,000).
    pub permutations: usize,
    /// Bootstrap resamples, at least 2 (default 1,000).
    pub resamples: usize,
    /// What they resample (default: subjects and images).
    pub bootstrap: Bootstrap,
    /// Correction over models of the tests over subjects (default: false discovery rate).
    pub correction: Correction,
    /// Seed of all draws (default 1).
    pub seed: u64,
}

impl Default for RegionRsaParams {
    fn default() -> Self {
        Self {
            permutations: 10_000,
            resamples: 1000,
            bootstrap: Bootstrap::default(),
            correction: Correction::default(),
            seed: 1,
        }
    }
}

/// How one model agrees with the group's RDM.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RegionScore {
    /// Spearman's ρ with the group's RDM.
    pub score: f64,
    /// One-sided p by permutation of images.
    pub p: f64,
    /// Partial rank correlation with the group's RDM given the controls; `None` without controls.
    pub partial: Option<f64>,
    /// One-sided p of it by permutation of the group's images; `None` without controls.
    pub partial_p: Option<f64>,
}

/// How models agree with a region of the brain.
#[derive(Debug, Clone, PartialEq)]
pub struct RegionRsa {
    /// Agreement of each model with the group's RDM.
    pub models: Vec<RegionScore>,
    /// Agreement with the subjects' RDMs: standard errors and intervals over subjects and images, and the noise ceiling.
    pub subjects: Inference,
}

/// Compares model RDMs with a region: with the RDM of the group and with those of the subjects.
///
/// # Shapes
///
/// `models` is `(n_models, n_pairs)`, `controls` is `(n_controls, n_pairs)` and may have no rows: such as the RDMs of the visual
/// encoder and of low-level features, which the amygdala's geometry may share with any network that sees the pictures.
///
/// # Definition
///
/// The score is Spearman's ρ with the group's RDM, its p by [`mantel`]. The partial score is the correlation of the ranks of model and
/// group without what the ranks of all controls explain of either; its p permutes the images of the group and partials anew (Legendre 2000).
/// [`infer`] says how sure the scores of subjects are.
///
/// # Errors
///
/// Those of [`mantel`] and [`infer`]; [`MethodsError::Collinear`] for a model or control that is a weighted sum of the other controls.
///
/// # References
///
/// Mantel 1967, Cancer Research 27:209–220; Legendre 2000, doi:10.1080/00949650008812035; Nili et al. 2014, doi:10.1371/journal.pcbi.1003553.
pub fn region_rsa(
    models: ArrayView2<'_, f64>,
    controls: ArrayView2<'_, f64>,
    region: &RegionRdms,
    params: &RegionRsaParams,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Result<RegionRsa> {
    let group = ndarray::ArrayView1::from(&region.group);
    let test = match controls.nrows() {
        0 => None,
        _ => {
            same_count("pairs of the controls", group.len(), controls.ncols())?;
            Some(PartialTest::new(&region.group, controls)?)
        }
    };
    let scores = models.rows().into_iter().enumerate().map(|(row, model)| {
        let found = mantel(
            model,
            group,
            &MantelParams {
                similarity: Similarity::Spearman,
                permutations: params.permutations,
                seed: params.seed,
                ..MantelParams::default()
            },
        )?;
        let partial = match &test {
            Some(test) => Some(test.of(row, model, params.permutations, params.seed)?),
            None => None,
        };
        Ok(RegionScore {
            score: found.score,
            p: found.p,
            partial: partial.map(|(score, _)| score),
            partial_p: partial.map(|(_, p)| p),
        })
    });
    let scores = scores.collect::<Result<Vec<_>>>()?;
    let subjects = infer(
        models,
        region.subjects.view(),
        &InferParams {
            similarity: Similarity::Spearman,
            bootstrap: params.bootstrap,
            resamples: params.resamples,
            permutations: params.permutations,
            seed: params.seed,
            correction: params.correction,
            ..InferParams::default()
        },
        progress,
    )?;
    Ok(RegionRsa {
        models: scores,
        subjects,
    })
}
