//! Regions of the brain: their RDMs, and what agrees with them.

use consilience_core::EmotionRegion;
use consilience_experiments::visual_emotion::{
    Candidate, ModelRdms, Named, RepeatGeometry, curve_of_all, mean_rdms, region, token_means,
};
use consilience_io::image::RgbImage;
use consilience_methods::emotion::{RegionRdms, RegionRsaParams, region_rdms};
use consilience_methods::lowlevel::{ImageFeature, ImageFeatureParams, image_features};
use consilience_methods::rdm::{Dissimilarity, Patterns, RdmParams, rdm};
use ndarray::{Array2, Array3, ArrayView1, Axis, concatenate};

use super::common::{Encoder, Study, of_experiment};
use super::trainings::Trainings;
use crate::cache::Key;
use crate::file::KeyPath;
use crate::plan::{PlannedControl, PlannedRegion};
use crate::prepare::RatingSource;
use crate::{Result, StudyError};

/// RDMs of all regions.
pub struct Regions {
    found: Vec<(String, bool, RegionRdms)>,
    /// RDM of each group, `(n_regions, n_pairs)`.
    pub groups: Array2<f64>,
}

impl Regions {
    pub fn new(study: &Study<'_>, notes: &mut Vec<String>) -> Result<Self> {
        let plan = &study.prepared.plan;
        let mut found = Vec::new();
        for planned in &study.planned.regions {
            found.push(match *planned {
                PlannedRegion::Rdms(target) => {
                    let vectors = study.prepared.targets[target].vectors();
                    let rdms = RegionRdms {
                        group: (vectors.mean_axis(Axis(0)))
                            .expect("a target has at least one RDM")
                            .to_vec(),
                        subjects: vectors.to_owned(),
                        patterns: Array2::zeros((0, 0)),
                        n_missing: 0,
                    };
                    (plan.targets[target].name.clone(), false, rdms)
                }
                PlannedRegion::Responses(rating) => {
                    let planned = &plan.ratings[rating];
                    let rdms = of_responses(study, rating)?;
                    if rdms.n_missing > 0 {
                        notes.push(format!(
                            "{}: {} values of voxels are missing",
                            planned.name, rdms.n_missing
                        ));
                    }
                    (planned.name.clone(), planned.is_simulated, rdms)
                }
            });
        }
        let n = study.ratings.nrows();
        let mut groups = Array2::zeros((found.len(), n * (n - 1) / 2));
        for (mut row, (_, _, rdms)) in groups.rows_mut().into_iter().zip(&found) {
            row.assign(&ArrayView1::from(&rdms.group));
        }
        Ok(Self { found, groups })
    }

    /// Nuclei, all nuclei, encoder, low-level features and models of emotion against each region.
    pub fn compared(
        self,
        study: &Study<'_>,
        trainings: &Trainings<'_>,
        encoders: &[Encoder],
        models: &ModelRdms,
        geometry: &[RepeatGeometry],
        notes: &mut Vec<String>,
    ) -> Result<Vec<EmotionRegion>> {
        if self.found.is_empty() {
            return Ok(Vec::new());
        }
        let planned = study.planned;
        let candidates = candidates(study, trainings, encoders, models, geometry, notes)?;
        let params = RegionRsaParams {
            permutations: planned.permutations,
            resamples: planned.resamples,
            correction: planned.correction,
            seed: study.prepared.plan.seed,
            ..RegionRsaParams::default()
        };
        let mut regions = Vec::new();
        for (which, (name, is_simulated, rdms)) in self.found.iter().enumerate() {
            let named = Named {
                name,
                is_simulated: *is_simulated,
            };
            let key = Key::new(
                "emotion-region",
                &(
                    trainings.keys(),
                    (&rdms.group, rdms.subjects.iter().collect::<Vec<_>>()),
                    format!("{candidates:?}"),
                    (format!("{params:?}"), name, is_simulated),
                ),
            );
            let done: Option<(EmotionRegion, Vec<String>)> = study.cache.json("emotion", &key);
            let (found, said) = match done {
                Some(done) => done,
                None => {
                    let total = (planned.resamples + planned.permutations) as u64;
                    study
                        .progress
                        .begin(&format!("agreement with {name}"), total);
                    let curve = curve_of_all(geometry, which, name);
                    let found = region(&named, rdms, &candidates, curve, &params, &|done, _| {
                        study.progress.advance_to(done as u64);
                    });
                    study.progress.end();
                    let found = found.map_err(|source| of_experiment(name, source))?;
                    study.cache.put_json("emotion", &key, &found)?;
                    found
                }
            };
            regions.push(found);
            notes.extend(said);
        }
        Ok(regions)
    }
}

fn of_responses(study: &Study<'_>, rating: usize) -> Result<RegionRdms> {
    let name = &study.prepared.plan.ratings[rating].name;
    let RatingSource::Responses(subjects) = &study.prepared.ratings[rating].source else {
        unreachable!("the plan names responses");
    };
    let failed = |message: String| StudyError::Invalid {
        key: KeyPath::root("analysis").index(study.idx).key("regions"),
        message,
    };
    let widths: Vec<usize> = subjects.iter().map(Array2::ncols).collect();
    if widths.iter().any(|width| *width != widths[0]) {
        return Err(failed(format!(
            "subjects of {name} have {widths:?} voxels; the mean pattern over subjects needs the same voxels of all, so use one mask for all of them"
        )));
    }
    let mut all = Array3::zeros((subjects.len(), subjects[0].nrows(), widths[0]));
    for (mut to, patterns) in all.outer_iter_mut().zip(subjects) {
        to.assign(patterns);
    }
    region_rdms(all.view()).map_err(|source| StudyError::Target {
        target: name.clone(),
        source: Box::new(source),
    })
}

fn candidates(
    study: &Study<'_>,
    trainings: &Trainings<'_>,
    encoders: &[Encoder],
    models: &ModelRdms,
    geometry: &[RepeatGeometry],
    notes: &mut Vec<String>,
) -> Result<Vec<Candidate>> {
    let planned = study.planned;
    let candidate = |name: String, of, rdm, is_control| Candidate {
        name,
        of,
        rdm,
        is_control,
    };
    let mut all = Vec::new();
    let nuclei = trainings.wired.nuclei.iter().map(|(name, _)| name.clone());
    let names = nuclei.chain(["all nuclei".to_owned()]);
    for (name, rdm) in names.zip(mean_rdms(geometry)) {
        match rdm {
            Some(rdm) if varies(&rdm) => all.push(candidate(name, "nucleus", rdm, false)),
            _ => notes.push(format!(
                "{name} has no RDM in some repeat, as its units do not vary enough, and is not compared with regions"
            )),
        }
    }
    let main = &planned.modules[planned.main];
    let model = &study.prepared.plan.models[main.model];
    let layer = model.layers.last().expect("a model has layers");
    let encoder = &encoders[study.encoder_of(main)];
    let features = token_means(encoder.stimuli.view(), encoder.tokens);
    let params = RdmParams {
        dissimilarity: planned.dissimilarity,
        ..RdmParams::default()
    };
    let of_encoder = rdm(Patterns::F32(features.view()), &params);
    let of_encoder = of_encoder.map_err(|source| study.failed(source))?.vector;
    let is_control = planned.controls.contains(&PlannedControl::Encoder);
    let name = format!("{} {}", model.name, layer.name);
    all.push(candidate(name, "encoder", of_encoder, is_control));
    for control in &planned.controls {
        if let PlannedControl::Pictures(feature) = *control {
            let rdm = of_pictures(study, feature)?;
            match varies(&rdm) {
                true => all.push(candidate(feature.to_string(), "encoder", rdm, true)),
                false => notes.push(format!(
                    "{feature} is the same for all pictures and is not controlled for"
                )),
            }
        }
    }
    for (name, rdm) in models.names.iter().zip(models.rdms.rows()) {
        all.push(candidate(name.clone(), "model", rdm.to_vec(), false));
    }
    Ok(all)
}

fn varies(rdm: &[f64]) -> bool {
    rdm.iter().any(|d| *d != rdm[0])
}

/// The RDM of a low-level feature of the pictures, by Euclidean distances.
fn of_pictures(study: &Study<'_>, feature: ImageFeature) -> Result<Vec<f64>> {
    let prepared = study.prepared;
    let keys: Vec<_> = prepared.plan.stimuli.iter().map(|s| s.key()).collect();
    let key = Key::new("low-level", &(keys, feature.to_string()));
    let n = prepared.plan.stimuli.len();
    if let Some(found) = study.cache.array("rdms", &key, &[n * (n - 1) / 2]) {
        return Ok(found);
    }
    let params = ImageFeatureParams {
        feature,
        ..ImageFeatureParams::default()
    };
    let rows = (0..n)
        .map(|stimulus| {
            let picture = prepared.clips.still(stimulus, Default::default())?;
            image_features(&[values(&picture).view()], &params)
                .map_err(|source| study.failed(source))
        })
        .collect::<Result<Vec<_>>>()?;
    let views: Vec<_> = rows.iter().map(|row| row.view()).collect();
    let features = concatenate(Axis(0), &views).expect("features of pictures are equally long");
    let params = RdmParams {
        dissimilarity: Dissimilarity::Euclidean,
        ..RdmParams::default()
    };
    let found = rdm(Patterns::F64(features.view()), &params);
    let found = found.map_err(|source| study.failed(source))?.vector;
    study
        .cache
        .put_array("rdms", &key, ArrayView1::from(&found))?;
    Ok(found)
}

/// A picture as values 0…1, `(height, width, 3)`.
fn values(picture: &RgbImage) -> Array3<f64> {
    let (height, width) = (picture.height, picture.width);
    Array3::from_shape_fn((height, width, 3), |(y, x, channel)| {
        f64::from(picture.pixels[3 * (y * width + x) + channel]) / 255.0
    })
}
