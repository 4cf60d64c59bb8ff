//! One Object2Brain analysis: boxes and maps of filters → lesions → changes of correlations.

use base64::prelude::{BASE64_STANDARD, Engine};
use consilience_core::{
    CategoryImportance, CategoryMatrix, LesionEffect, LesionedLayer, ObjectCategory, ObjectOverlay,
    ObjectTarget, ObjectsRecord, ObjectsSettings, OverlayBox,
};
use consilience_experiments::ExperimentError;
use consilience_experiments::head::RunHeads;
use consilience_experiments::object2brain::{
    Category, CutLayer, CutScan, LayerOutcome, ObjectInputs, PictureObjects, Pool, SeenObjects,
    boxes_as_seen, layer_map,
};
use consilience_io::image::{self, RgbImage};
use consilience_learn::gradcam;
use consilience_methods::objects::{
    Averaging, BinarySimilarity, Cut, DetectedObject, OverlapParams, Pairing, PictureBox,
    co_occurrence, overlap,
};
use consilience_models::detect::Detector;
use consilience_models::{ExtractParams, Extractor, Images, Layer};
use consilience_stats::correction::corrected;
use ndarray::{Array2, ArrayD, ArrayView2, IxDyn};
use serde::{Deserialize, Serialize};

use crate::appraisal::{
    StimulusSubset, TrainedRater, of_analysis, raters, rating_target, subset_records, subsets,
    values_of,
};
use crate::cache::{Cache, Key};
use crate::plan::{PlannedAnalysis, PlannedObjects};
use crate::prepare::{ObjectSource, Prepared};
use crate::progress::Progress;
use crate::{Result, StudyError};

/// An object in a stimulus, in pixels of its file.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Found {
    class: usize,
    score: f64,
    edges: [f64; 4],
}

/// A stimulus and what is in it.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct FoundObjects {
    /// Width and height of the file.
    size: [usize; 2],
    objects: Vec<Found>,
}

impl FoundObjects {
    fn detected(&self) -> Vec<DetectedObject> {
        let detected = self.objects.iter().map(|found| {
            let [left, top, right, bottom] = found.edges;
            DetectedObject {
                bounds: PictureBox::new(left, top, right, bottom),
                class: found.class,
                score: found.score,
            }
        });
        detected.collect()
    }
}

/// What all layers are looked at with.
struct Inputs<'a> {
    classes: &'a [String],
    categories: Vec<Category>,
    found: Vec<FoundObjects>,
    targets: Array2<f64>,
    masks: Array2<bool>,
    /// Stimuli that the report shows.
    shown: Vec<usize>,
}

/// The layers of one model.
struct ModelOutcome {
    layers: Vec<(LesionedLayer, LayerOutcome)>,
    /// For each of the shown stimuli the map of the last layer, by the first run.
    maps: Vec<Option<Array2<f32>>>,
    seen: Vec<SeenObjects>,
    notes: Vec<String>,
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
    let targets = planned
        .targets
        .iter()
        .map(|&target| rating_target(prepared, target, cache))
        .collect::<Result<Vec<_>>>()?;
    let subsets = subsets(prepared);
    let found = objects(prepared, idx, planned, cache, progress)?;
    let n_stimuli = plan.stimuli.len();
    let categories: Vec<Category> = planned
        .categories
        .iter()
        .map(|(name, classes)| Category {
            name: name.clone(),
            classes: classes.clone(),
        })
        .filter(|category| {
            let is_common = |&class: &usize| n_with(&found, class) >= least_images(planned);
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
    };
    let mut notes = notes_on_boxes(prepared, planned, &inputs);
    let mut layers = Vec::new();
    let mut effects: Vec<LesionEffect> = Vec::new();
    let mut importance: Vec<CategoryImportance> = Vec::new();
    let mut overlays = Vec::new();
    for &model in &planned.models {
        let of_model: Vec<&TrainedRater> = trained.iter().filter(|r| r.model == model).collect();
        let outcome = scan_model(
            prepared, idx, planned, model, &of_model, &inputs, n_threads, progress,
        )?;
        if overlays.is_empty() {
            overlays = draw_overlays(prepared, model, &inputs, &outcome)?;
        }
        notes.extend(outcome.notes);
        for (layer, found) in outcome.layers {
            effects.extend(found.record_effects(layers.len()));
            importance.extend(found.record_importance(layers.len()));
            layers.push(layer);
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

/// The objects of each stimulus: those of the file, or what the detector finds.
fn objects(
    prepared: &Prepared,
    idx: usize,
    planned: &PlannedObjects,
    cache: &Cache,
    progress: &dyn Progress,
) -> Result<Vec<FoundObjects>> {
    let min_score = planned.params.sensitivity.min_score;
    let of_picture =
        |(size, detections): ([usize; 2], &[consilience_models::detect::Detection])| {
            let objects = detections.iter().map(|d| Found {
                class: d.class_idx,
                score: d.score,
                edges: [
                    d.bounds.x_min,
                    d.bounds.y_min,
                    d.bounds.x_max,
                    d.bounds.y_max,
                ],
            });
            FoundObjects {
                size,
                objects: objects.collect(),
            }
        };
    let all = match prepared.objects[idx].as_ref() {
        None => unreachable!("the plan names its objects"),
        Some(ObjectSource::Boxes(pictures)) => pictures
            .iter()
            .map(|(picture, found)| of_picture(([picture.width, picture.height], found)))
            .collect(),
        Some(ObjectSource::Detector(model, params)) => {
            let pictures: Vec<&str> = prepared
                .plan
                .stimuli
                .iter()
                .map(|s| s.blake3.as_str())
                .collect();
            let mut detector = Detector::prepare(model, params)?;
            let executor = detector.executor().to_string();
            let key = Key::new("objects", &(&planned.boxes, executor, pictures));
            match cache.json::<Vec<FoundObjects>>("objects", &key) {
                Some(done) => done,
                None => {
                    let paths: Vec<_> = prepared.stimuli.iter().map(|s| s.path.clone()).collect();
                    let mut all = Vec::with_capacity(paths.len());
                    progress.begin("objects in the stimuli", paths.len() as u64);
                    detector.run(Images::Files(&paths), |idx, picture, found| -> Result<()> {
                        all.push(of_picture(([picture.width, picture.height], &found)));
                        progress.advance_to(idx as u64 + 1);
                        Ok(())
                    })?;
                    progress.end();
                    cache.put_json("objects", &key, &all)?;
                    all
                }
            }
        }
    };
    let certain = |mut found: FoundObjects| {
        found.objects.retain(|object| object.score >= min_score);
        found
    };
    Ok(all.into_iter().map(certain).collect())
}

/// Stimuli that show a class.
fn n_with(found: &[FoundObjects], class: usize) -> usize {
    let shows = |found: &&FoundObjects| found.objects.iter().any(|object| object.class == class);
    found.iter().filter(shows).count()
}

fn least_images(planned: &PlannedObjects) -> usize {
    planned.params.select.min_images.max(1)
}

fn notes_on_boxes(
    prepared: &Prepared,
    planned: &PlannedObjects,
    inputs: &Inputs<'_>,
) -> Vec<String> {
    let mut notes = Vec::new();
    let without = inputs.found.iter().filter(|found| found.objects.is_empty());
    let n_without = without.count();
    if n_without > 0 {
        notes.push(format!(
            "{n_without} of {} stimuli show no object with a score of at least {}; they take part in correlations only",
            prepared.plan.stimuli.len(),
            planned.params.sensitivity.min_score
        ));
    }
    let unused: Vec<&str> = planned
        .categories
        .iter()
        .map(|(name, _)| name.as_str())
        .filter(|name| inputs.categories.iter().all(|c| c.name != *name))
        .collect();
    if !unused.is_empty() {
        notes.push(format!(
            "left out, because none of their classes is in {} stimuli: {}",
            least_images(planned),
            unused.join(", ")
        ));
    }
    let mut others: Vec<&str> = inputs
        .found
        .iter()
        .flat_map(|found| &found.objects)
        .map(|object| object.class)
        .filter(|class| planned.categories.iter().all(|(_, of)| !of.contains(class)))
        .map(|class| planned.classes[class].as_str())
        .collect();
    others.sort_unstable();
    others.dedup();
    if !others.is_empty() {
        notes.push(format!("classes of no category: {}", others.join(", ")));
    }
    notes
}

/// The stimuli that show most categories, the first of equal ones first.
fn shown(categories: &[Category], found: &[FoundObjects], n: usize) -> Vec<usize> {
    let n_categories = |idx: usize| {
        let shows = |category: &&Category| {
            (found[idx].objects.iter()).any(|object| category.classes.contains(&object.class))
        };
        categories.iter().filter(shows).count()
    };
    let mut order: Vec<usize> = (0..found.len()).filter(|&i| n_categories(i) > 0).collect();
    order.sort_by_key(|&idx| std::cmp::Reverse(n_categories(idx)));
    order.truncate(n);
    order.sort_unstable();
    order
}

fn masks(subsets: &[StimulusSubset], n_stimuli: usize) -> Array2<bool> {
    Array2::from_shape_fn((subsets.len(), n_stimuli), |(subset, stimulus)| {
        subsets[subset].stimuli.binary_search(&stimulus).is_ok()
    })
}

/// Looks at the filters of all layers of a model in one pass over the stimuli.
#[allow(
    clippy::too_many_arguments,
    reason = "one stage of the analysis, called once"
)]
fn scan_model(
    prepared: &Prepared,
    idx: usize,
    planned: &PlannedObjects,
    model: usize,
    raters: &[&TrainedRater],
    inputs: &Inputs<'_>,
    n_threads: usize,
    progress: &dyn Progress,
) -> Result<ModelOutcome> {
    let planned_model = &prepared.plan.models[model];
    let network_edits = &prepared.edits[model];
    let params = ExtractParams {
        executor: prepared.executor,
        n_threads,
        ..ExtractParams::default()
    };
    let network =
        prepared.networks[model].edited(network_edits, prepared.clips.frames(), &params)?;
    let wanted: Vec<Layer> = planned_model
        .layers
        .iter()
        .map(|layer| Layer {
            name: layer.name.clone(),
            tensor: layer.tensor.clone(),
        })
        .collect();
    let extractor = Extractor::prepare(&network, &wanted, &params)?;
    let pool = match planned_model.pool {
        consilience_models::Pool::Mean => Pool::Mean,
        _ => Pool::Flat,
    };
    let preprocessing = &planned_model.preprocessing;
    let seen: Vec<SeenObjects> = inputs
        .found
        .iter()
        .map(|found| boxes_as_seen(preprocessing, found.size, &found.detected()))
        .collect();
    let pictures: Vec<PictureObjects> = seen.iter().map(|seen| seen.picture.clone()).collect();
    let mut notes = Vec::new();
    let n_objects: usize = inputs.found.iter().map(|found| found.objects.len()).sum();
    let n_seen: usize = seen.iter().map(|seen| seen.kept.len()).sum();
    if n_seen < n_objects {
        notes.push(format!(
            "{} of {n_objects} boxes lie beside what {} sees of the stimuli",
            n_objects - n_seen,
            planned_model.name
        ));
    }
    let object_inputs = ObjectInputs {
        classes: inputs.classes,
        categories: &inputs.categories,
        pictures: &pictures,
        targets: inputs.targets.view(),
        subsets: inputs.masks.view(),
    };
    let heads: Vec<Vec<RunHeads>> = raters
        .iter()
        .map(|rater| rater.runs.iter().map(|run| run.heads.clone()).collect())
        .collect();
    let of_layer = |layer: usize, source: ExperimentError| StudyError::Experiment {
        about: format!(
            "{}, layer {}",
            planned_model.name, planned_model.layers[layer].name
        ),
        source: Box::new(source),
    };
    // What the extractor gives, by the layers of the plan; those without positions have no filters.
    let mut scans: Vec<Option<(usize, CutScan<'_>)>> = Vec::new();
    let shapes: Vec<Vec<usize>> = extractor.layers.iter().map(|l| l.shape.clone()).collect();
    let mut layouts = Vec::new();
    for extracted in &extractor.layers {
        let layer = (planned_model.layers.iter())
            .position(|planned| planned.name == extracted.name)
            .unwrap_or_default();
        let layout = network.graph.layout(&planned_model.layers[layer].tensor);
        layouts.push(layout);
        let zeros = ArrayD::<f32>::zeros(IxDyn(&extracted.shape));
        let scan = match gradcam::positions(zeros, layout) {
            None => {
                notes.push(format!(
                    "{} {} has no positions, so its filters were not looked at",
                    planned_model.name, extracted.name
                ));
                None
            }
            Some(map) => {
                let (n_filters, height, width) = map.dim();
                let cut = CutLayer {
                    runs: &heads[layer],
                    pool,
                };
                let shape = [n_filters, height, width];
                let scan = CutScan::new(cut, shape, object_inputs, planned.params)
                    .map_err(|e| of_layer(layer, e))?;
                Some((layer, scan))
            }
        };
        scans.push(scan);
    }
    let last = scans.iter().rposition(Option::is_some);
    let mut maps: Vec<Option<Array2<f32>>> = vec![None; inputs.shown.len()];
    let n_stimuli = inputs.found.len() as u64;
    progress.begin(&format!("filters of {}", planned_model.name), n_stimuli);
    extractor.run_clips(
        &prepared.clips,
        0..inputs.found.len(),
        |block| -> Result<()> {
            let Some((layer, scan)) = &mut scans[block.layer_idx] else {
                return Ok(());
            };
            for (row, values) in block.rows.rows().into_iter().enumerate() {
                let stimulus = block.first_row + row;
                let shape = IxDyn(&shapes[block.layer_idx]);
                let activation = ArrayD::from_shape_vec(shape, values.to_vec())
                    .ok()
                    .and_then(|values| gradcam::positions(values, layouts[block.layer_idx]));
                let Some(activation) = activation else {
                    unreachable!("a layer has one shape");
                };
                scan.add(activation.view())
                    .map_err(|e| of_layer(*layer, e))?;
                let place = inputs.shown.iter().position(|&shown| shown == stimulus);
                if let Some(place) = place.filter(|_| last == Some(block.layer_idx)) {
                    let head = heads[*layer][0].of(stimulus);
                    let map = layer_map(activation.view(), head, pool);
                    maps[place] = Some(map.map_err(|e| of_layer(*layer, e))?);
                }
            }
            Ok(())
        },
        |done| progress.advance_to(done as u64),
    )?;
    progress.end();
    let n_scans = scans.iter().flatten().count() as u64;
    progress.begin(&format!("lesions of {}", planned_model.name), n_scans);
    let mut layers = Vec::new();
    for (layer, scan) in scans.into_iter().flatten() {
        let outcome = scan.finish().map_err(|e| match e {
            ExperimentError::Methods(source) => of_analysis(idx, source),
            other => of_layer(layer, other),
        })?;
        layers.push((
            LesionedLayer {
                model: planned_model.name.clone(),
                layer: planned_model.layers[layer].name.clone(),
                is_last: false,
                n_filters: outcome.n_filters,
                n_runs: heads[layer].len(),
            },
            outcome,
        ));
        progress.advance_to(layers.len() as u64);
    }
    progress.end();
    if let Some((layer, _)) = layers.last_mut() {
        layer.is_last = true;
    }
    Ok(ModelOutcome {
        layers,
        maps,
        seen,
        notes,
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
    inputs.found.iter().map(of_picture).collect()
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
        let occurs = |&class: &usize| n_with(&inputs.found, class) > 0;
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

/// Pictures as the model saw them, with the map of its last layer and the boxes.
fn draw_overlays(
    prepared: &Prepared,
    model: usize,
    inputs: &Inputs<'_>,
    outcome: &ModelOutcome,
) -> Result<Vec<ObjectOverlay>> {
    let planned = &prepared.plan.models[model];
    let Some((layer, found)) = outcome.layers.last() else {
        return Ok(Vec::new());
    };
    let mut overlays = Vec::new();
    for (&stimulus, map) in inputs.shown.iter().zip(&outcome.maps) {
        let Some(map) = map else { continue };
        let picture = prepared
            .clips
            .still(stimulus, planned.preprocessing.orientation)?;
        let picture = gradcam::seen(&planned.preprocessing, &picture).map_err(|source| {
            StudyError::Experiment {
                about: prepared.plan.stimuli[stimulus].id.clone(),
                source: Box::new(source.into()),
            }
        })?;
        let shown: RgbImage = gradcam::overlay(&picture, map.view(), heat);
        let png = BASE64_STANDARD.encode(image::encode_png(&shown)?);
        let importance = &found.boxes[0][stimulus];
        let boxes = outcome.seen[stimulus]
            .picture
            .objects
            .iter()
            .zip(importance);
        overlays.push(ObjectOverlay {
            stimulus: prepared.plan.stimuli[stimulus].id.clone(),
            map: format!("{} {}", layer.model, layer.layer),
            picture: format!("data:image/png;base64,{png}"),
            size: [shown.width as u32, shown.height as u32],
            boxes: boxes
                .map(|(object, importance)| OverlayBox {
                    edges: [
                        object.bounds.left,
                        object.bounds.top,
                        object.bounds.right,
                        object.bounds.bottom,
                    ],
                    class: inputs.classes[object.class].clone(),
                    category: (inputs.categories.iter())
                        .position(|category| category.classes.contains(&object.class)),
                    importance: importance.importance.ok(),
                })
                .collect(),
        });
    }
    Ok(overlays)
}

/// From black over red to yellow: reads in grey too, because it only gets lighter.
fn heat(value: f64) -> [u8; 3] {
    let part = |low: f64, high: f64| (255.0 * ((value - low) / (high - low)).clamp(0.0, 1.0)) as u8;
    [part(0.0, 0.5), part(0.35, 1.0), part(0.9, 1.3)]
}

fn settings(planned: &PlannedObjects) -> ObjectsSettings {
    let params = &planned.params;
    let map = &params.sensitivity.map;
    ObjectsSettings {
        boxes: planned.boxes.source.clone(),
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
        network: "cut".to_owned(),
        correlation: params.correlation.to_string(),
        random_sets: params.random_sets,
        permutations: params.permutations,
        correction: planned.correction.to_string(),
        alpha: planned.alpha,
    }
}
