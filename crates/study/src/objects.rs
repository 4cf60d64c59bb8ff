//! One Object2Brain analysis: boxes and maps of filters → lesions → changes of correlations.

mod found;
mod overlays;
mod scan;
mod whole;

use consilience_core::{
    CategoryImportance, CategoryMatrix, LesionEffect, ObjectCategory, ObjectTarget, ObjectsRecord,
    ObjectsSettings,
};
use consilience_experiments::object2brain::Category;
use consilience_methods::objects::{
    Averaging, BinarySimilarity, Cut, DetectedObject, OverlapParams, Pairing, co_occurrence,
    overlap,
};
use consilience_stats::correction::corrected;
use ndarray::{Array2, ArrayView2};

use crate::Result;
use crate::appraisal::{
    StimulusSubset, TrainedRater, of_analysis, raters, rating_targets, subset_records, subsets,
    values_of,
};
use crate::cache::Cache;
use crate::plan::{PlannedAnalysis, PlannedObjects};
use crate::prepare::Prepared;
use crate::progress::Progress;
use found::{FoundObjects, Looked, least_images, n_with, notes_on_boxes, objects, shown};
use overlays::draw_overlays;
use scan::{Stage, scan_model};

/// What all layers are looked at with.
struct Inputs<'a> {
    pub(super) classes: &'a [String],
    pub(super) categories: Vec<Category>,
    pub(super) found: Vec<FoundObjects>,
    /// Objects in other pictures, if sensitivity is measured on these.
    pub(super) elsewhere: Option<Vec<FoundObjects>>,
    pub(super) targets: Array2<f64>,
    pub(super) masks: Array2<bool>,
    /// Stimuli that the report shows.
    pub(super) shown: Vec<usize>,
}

impl Inputs<'_> {
    /// Objects in the pictures that sensitivity is measured on.
    fn measured(&self) -> &[FoundObjects] {
        self.elsewhere.as_deref().unwrap_or(&self.found)
    }
}

/// Carries out one analysis of the plan.
pub fn run(
    prepared: &Prepared,
    idx: usize,
    planned: &PlannedObjects,
    cache: &Cache,
    n_threads: usize,
    progress: &dyn Progress,
) -> Result<ObjectsRecord> {
    let plan = &prepared.plan;
    let PlannedAnalysis::Appraisal(appraisal) = &plan.analyses[planned.appraisal] else {
        unreachable!("the plan names an appraisal");
    };
    let trained = raters(
        prepared,
        planned.appraisal,
        appraisal,
        cache,
        n_threads,
        progress,
    )?;
    let targets = rating_targets(prepared, &planned.targets, cache)?;
    let subsets = subsets(prepared);
    let (found, elsewhere) = all_objects(prepared, idx, planned, cache, progress)?;
    let measured = elsewhere.as_deref().unwrap_or(&found);
    let n_stimuli = plan.stimuli.len();
    let categories: Vec<Category> = planned
        .categories
        .iter()
        .map(|(name, classes)| Category {
            name: name.clone(),
            classes: classes.clone(),
        })
        .filter(|category| {
            let is_common = |&class: &usize| n_with(measured, class) >= least_images(planned);
            category.classes.iter().any(is_common)
        })
        .collect();
    let inputs = Inputs {
        classes: &planned.classes,
        shown: shown(&categories, &found, planned.overlays),
        categories,
        targets: values_of(&targets, n_stimuli),
        masks: masks(&subsets, n_stimuli),
        found,
        elsewhere,
    };
    let mut notes = notes_on_boxes(planned, &inputs);
    let stage = Stage {
        prepared,
        idx,
        planned,
        inputs: &inputs,
        cache,
        n_threads,
        progress,
    };
    let mut layers = Vec::new();
    let mut effects: Vec<LesionEffect> = Vec::new();
    let mut importance: Vec<CategoryImportance> = Vec::new();
    let mut overlays = Vec::new();
    for &model in &planned.models {
        let of_model: Vec<&TrainedRater> = trained.iter().filter(|r| r.model == model).collect();
        let outcome = scan_model(&stage, model, &of_model)?;
        if overlays.is_empty() {
            overlays = draw_overlays(prepared, model, &inputs, &outcome)?;
        }
        notes.extend(outcome.notes);
        for found in outcome.layers {
            let layer = layers.len();
            effects.extend(
                found
                    .effects
                    .into_iter()
                    .map(|of| LesionEffect { layer, ..of }),
            );
            let of_layer = found.importance.into_iter();
            importance.extend(of_layer.map(|of| CategoryImportance { layer, ..of }));
            layers.push(found.described);
        }
    }
    correct(&mut effects, planned);
    let (overlap, co_occurrence) =
        matrices(&inputs, planned).map_err(|source| of_analysis(idx, source))?;
    Ok(ObjectsRecord {
        settings: settings(planned),
        categories: category_records(&inputs),
        layers,
        targets: targets
            .iter()
            .map(|target| ObjectTarget {
                name: target.name.clone(),
                kind: target.kind,
                is_simulated: target.is_simulated,
            })
            .collect(),
        subsets: subset_records(&subsets),
        effects,
        importance,
        overlap,
        co_occurrence,
        overlays,
        notes,
    })
}

/// Objects in the stimuli, and in other pictures if sensitivity is measured on these.
fn all_objects(
    prepared: &Prepared,
    idx: usize,
    planned: &PlannedObjects,
    cache: &Cache,
    progress: &dyn Progress,
) -> Result<(Vec<FoundObjects>, Option<Vec<FoundObjects>>)> {
    let Some(sources) = &prepared.objects[idx] else {
        unreachable!("the plan names its objects");
    };
    let min_score = planned.params.sensitivity.min_score;
    let stimuli = Looked {
        name: "the stimuli",
        pictures: &prepared.plan.stimuli,
        paths: prepared.stimuli.iter().map(|s| s.path.clone()).collect(),
        boxes: &planned.boxes,
        source: &sources.stimuli,
    };
    let found = objects(&stimuli, min_score, cache, progress)?;
    let elsewhere = planned.elsewhere.as_ref().zip(sources.elsewhere.as_ref());
    let elsewhere = elsewhere.map(|(planned, other)| {
        let looked = Looked {
            name: "the other pictures",
            pictures: &planned.pictures,
            paths: other.paths.clone(),
            boxes: &planned.boxes,
            source: other.boxes.as_ref().unwrap_or(&sources.stimuli),
        };
        objects(&looked, min_score, cache, progress)
    });
    Ok((found, elsewhere.transpose()?))
}

fn masks(subsets: &[StimulusSubset], n_stimuli: usize) -> Array2<bool> {
    Array2::from_shape_fn((subsets.len(), n_stimuli), |(subset, stimulus)| {
        subsets[subset].stimuli.binary_search(&stimulus).is_ok()
    })
}

/// Corrects p over all effects.
fn correct(effects: &mut [LesionEffect], planned: &PlannedObjects) {
    let p: Vec<f64> = effects
        .iter()
        .filter_map(|effect| effect.p_random)
        .collect();
    let all = match planned.correction.procedure() {
        Some(procedure) => corrected(&p, procedure),
        None => p,
    };
    let tested = effects
        .iter_mut()
        .filter(|effect| effect.p_random.is_some());
    for (effect, p) in tested.zip(all) {
        effect.p_corrected = Some(p);
    }
}

/// Objects by category instead of class, those of none left out.
fn by_category(inputs: &Inputs<'_>) -> Vec<Vec<DetectedObject>> {
    let category_of = |class: usize| {
        (inputs.categories.iter()).position(|category| category.classes.contains(&class))
    };
    let of_picture = |found: &FoundObjects| {
        let detected = found.detected().into_iter();
        detected
            .filter_map(|object| {
                let class = category_of(object.class)?;
                Some(DetectedObject { class, ..object })
            })
            .collect()
    };
    inputs.measured().iter().map(of_picture).collect()
}

/// Overlap and co-occurrence of categories.
fn matrices(
    inputs: &Inputs<'_>,
    planned: &PlannedObjects,
) -> consilience_methods::Result<(CategoryMatrix, CategoryMatrix)> {
    let n = inputs.categories.len();
    let objects = by_category(inputs);
    let params = OverlapParams {
        pairing: Pairing::default(),
        averaging: Averaging::default(),
        min_score: planned.params.sensitivity.min_score,
    };
    let found = overlap(&objects, n, &params)?;
    let present = Array2::from_shape_fn((objects.len(), n), |(picture, category)| {
        objects[picture]
            .iter()
            .any(|object| object.class == category)
    });
    let together = co_occurrence(present.view(), BinarySimilarity::Dice)?;
    Ok((
        matrix(found.share.view(), found.n_images.view()),
        matrix(together.similarity.view(), together.counts.view()),
    ))
}

fn matrix(values: ArrayView2<'_, Option<f64>>, counts: ArrayView2<'_, usize>) -> CategoryMatrix {
    CategoryMatrix {
        values: values.rows().into_iter().map(|row| row.to_vec()).collect(),
        n_stimuli: counts.rows().into_iter().map(|row| row.to_vec()).collect(),
    }
}

fn category_records(inputs: &Inputs<'_>) -> Vec<ObjectCategory> {
    let objects = by_category(inputs);
    let record = |(idx, category): (usize, &Category)| {
        let of_category = |picture: &Vec<DetectedObject>| {
            picture.iter().filter(|object| object.class == idx).count()
        };
        let occurs = |&class: &usize| n_with(inputs.measured(), class) > 0;
        ObjectCategory {
            name: category.name.clone(),
            classes: (category.classes.iter().copied())
                .filter(occurs)
                .map(|class| inputs.classes[class].clone())
                .collect(),
            n_stimuli: objects
                .iter()
                .filter(|picture| of_category(picture) > 0)
                .count(),
            n_boxes: objects.iter().map(of_category).sum(),
        }
    };
    inputs.categories.iter().enumerate().map(record).collect()
}

fn settings(planned: &PlannedObjects) -> ObjectsSettings {
    let params = &planned.params;
    let map = &params.sensitivity.map;
    ObjectsSettings {
        boxes: planned.boxes.source.clone(),
        elsewhere: planned.elsewhere.as_ref().map(|elsewhere| {
            let n = elsewhere.pictures.len();
            format!(
                "{n} other pictures ({}), boxes of {}",
                elsewhere.images, elsewhere.boxes.source
            )
        }),
        min_score: params.sensitivity.min_score,
        sign: map.sign.to_string(),
        scaling: map.scaling.to_string(),
        scale_over: map.scale_over.to_string(),
        summary: map.summary.to_string(),
        over_boxes: params.sensitivity.over_boxes.to_string(),
        classes: params.select.rule.to_string(),
        cut: match params.select.cut {
            Cut::Above(threshold) => format!("above {threshold}"),
            Cut::Top(n) => format!("the {n} most sensitive"),
            Cut::TopShare(share) => format!("the most sensitive {} %", 100.0 * share),
        },
        min_images: params.select.min_images,
        lesion: params.lesion.to_string(),
        network: planned.network.to_string(),
        correlation: params.correlation.to_string(),
        random_sets: params.random_sets,
        permutations: params.permutations,
        correction: planned.correction.to_string(),
        alpha: planned.alpha,
    }
}
