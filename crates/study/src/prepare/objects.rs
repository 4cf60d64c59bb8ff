//! Analyses of objects: where boxes come from, how filters are found and switched off.

use std::path::Path;

use consilience_core::{InputFile, Stimuli};
use consilience_experiments::object2brain::{Category, Object2BrainParams, categories};
use consilience_io::image::Orientation;
use consilience_methods::behaviour::CorrelationKind;
use consilience_methods::objects::{
    Cut, MapParams, RandomFilterParams, SelectParams, SensitivityParams,
};
use consilience_models::Pool;
use consilience_models::detect::exchange::{Boxes, Picture, coco, csv};
use consilience_models::detect::{DetectParams, Detection, DetectionModel, DetectorName, classes};

use super::analyses::{check_alpha, chosen, parse};
use super::appraisal::Resolved;
use super::ratings::names;
use super::{at, input, invalid};
use crate::Result;
use crate::file::{KeyPath, ObjectsOptions};
use crate::places::Places;
use crate::plan::{PlannedAnalysis, PlannedBoxes, PlannedObjects};
use crate::reduce::Reduction;

/// Objects in the stimuli, or what will find them.
#[derive(Debug)]
pub enum ObjectSource {
    /// Boxes of each stimulus, and its width and height.
    Boxes(Vec<(Picture, Vec<Detection>)>),
    /// A detector.
    Detector(Box<DetectionModel>, DetectParams),
}

pub(super) fn resolve_objects(
    options: &ObjectsOptions,
    key: &KeyPath,
    before: &[PlannedAnalysis],
    study: &Resolved<'_>,
    inputs: &mut Vec<InputFile>,
) -> Result<(PlannedObjects, ObjectSource)> {
    let (models, ratings) = (study.models, study.ratings);
    let of = |name: &str| key.clone().key(name);
    check_alpha(options.alpha, key)?;
    let appraisal = before
        .iter()
        .rposition(|analysis| matches!(analysis, PlannedAnalysis::Appraisal(_)));
    let Some((appraisal, PlannedAnalysis::Appraisal(heads))) =
        appraisal.map(|idx| (idx, &before[idx]))
    else {
        return Err(invalid(
            key,
            "object2brain looks into the heads of an analysis of kind \"appraisal\"; add one before it",
        ));
    };
    let correlation = heads.correlation;
    let of_appraisal = |names: Option<&[String]>,
                        option: &str,
                        all: &[usize],
                        name_of: &dyn Fn(usize) -> String| {
        let named: Vec<String> = all.iter().map(|&idx| name_of(idx)).collect();
        let found = chosen(&of(option), names, &named, |name| name)?;
        Ok::<Vec<usize>, crate::StudyError>(found.into_iter().map(|at| all[at]).collect())
    };
    let used_models = of_appraisal(options.models.as_deref(), "models", &heads.models, &|idx| {
        models[idx].name.clone()
    })?;
    let used_targets = of_appraisal(
        options.targets.as_deref(),
        "targets",
        &heads.targets,
        &|idx| ratings[idx].name.clone(),
    )?;
    for &model in &used_models {
        let pool = &models[model].pool;
        if !matches!(pool, Pool::None | Pool::Mean) || models[model].reduce != Reduction::None {
            return Err(invalid(
                &KeyPath::root("model").index(model),
                "object2brain needs features whose filters are known; take `pool = \"mean\"` (or \"none\") and no `reduce`",
            ));
        }
    }
    let (source, planned_boxes, class_names) = load_boxes(options, key, study, inputs)?;
    let categories = load_categories(options, key, &class_names, study.places, inputs)?;
    let params = object_params(options, key, correlation, study.seed)?;
    let planned = PlannedObjects {
        appraisal,
        boxes: planned_boxes,
        classes: class_names,
        categories: categories
            .into_iter()
            .map(|c| (c.name, c.classes))
            .collect(),
        params,
        correction: parse(&of("correction"), &options.correction)?,
        alpha: options.alpha,
        overlays: options.overlays,
        models: used_models,
        targets: used_targets,
    };
    Ok((planned, source))
}

fn object_params(
    options: &ObjectsOptions,
    key: &KeyPath,
    correlation: CorrelationKind,
    seed: u64,
) -> Result<Object2BrainParams> {
    let of = |name: &str| key.clone().key(name);
    let cut = match (options.above, options.top, options.top_share) {
        (above, None, None) => Cut::Above(above.unwrap_or(0.3)),
        (None, Some(top), None) => Cut::Top(top),
        (None, None, Some(share)) => Cut::TopShare(share),
        _ => {
            return Err(invalid(
                key,
                "`above`, `top` and `top-share` are three ways to the same end; give one",
            ));
        }
    };
    let params = Object2BrainParams {
        sensitivity: SensitivityParams {
            map: MapParams {
                sign: parse(&of("sign"), &options.sign)?,
                scaling: parse(&of("scaling"), &options.scaling)?,
                scale_over: parse(&of("scale-over"), &options.scale_over)?,
                summary: parse(&of("summary"), &options.summary)?,
            },
            over_boxes: parse(&of("over-boxes"), &options.over_boxes)?,
            min_score: options.min_score,
        },
        select: SelectParams {
            rule: parse(&of("class-rule"), &options.class_rule)?,
            cut,
            min_images: options.min_images,
        },
        lesion: parse(&of("lesion"), &options.lesion)?,
        correlation,
        random_sets: options.random_sets,
        only_others: options.only_others,
        test: RandomFilterParams::default(),
        permutations: options.permutations,
        seed,
    };
    params.validate().map_err(|e| at(key, e))?;
    Ok(params)
}

fn load_boxes(
    options: &ObjectsOptions,
    key: &KeyPath,
    study: &Resolved<'_>,
    inputs: &mut Vec<InputFile>,
) -> Result<(ObjectSource, PlannedBoxes, Vec<String>)> {
    let places = study.places;
    let of = |name: &str| key.clone().key(name);
    let named_classes = match &options.classes {
        None => None,
        Some(file) => {
            let path = places.file(&of("classes"), file)?;
            inputs.push(input("classes", file, &path)?);
            let text = std::fs::read_to_string(&path).map_err(|e| at(&of("classes"), e))?;
            Some(classes::parse(&text).map_err(|e| at(&of("classes"), e))?)
        }
    };
    match (&options.boxes, &options.detector, &options.detector_weights) {
        (Some(file), None, None) => {
            let boxes_key = of("boxes");
            let path = places.file(&boxes_key, file)?;
            let described = input("boxes", file, &path)?;
            let planned = PlannedBoxes {
                source: file.clone(),
                blake3: described.blake3.clone(),
            };
            inputs.push(described);
            let boxes = read_boxes(&path, study.stimuli, named_classes)
                .map_err(|message| invalid(&boxes_key, &message))?;
            Ok((ObjectSource::Boxes(boxes.pictures), planned, boxes.classes))
        }
        (None, Some(name), Some(weights)) => {
            let detector: DetectorName = parse(&of("detector"), name)?;
            let weights_key = of("detector-weights");
            let path = places.file(&weights_key, weights)?;
            let described = input("detector", weights, &path)?;
            let planned = PlannedBoxes {
                source: format!("{name} ({weights})"),
                blake3: described.blake3.clone(),
            };
            inputs.push(described);
            let mut model =
                DetectionModel::by_name(detector, &path).map_err(|e| at(&weights_key, e))?;
            if let Some(named) = named_classes {
                model.classes = named;
            }
            let class_names = model.classes.clone();
            let params = DetectParams {
                executor: study.executor,
                n_threads: study.n_threads,
                ..DetectParams::default()
            };
            Ok((
                ObjectSource::Detector(Box::new(model), params),
                planned,
                class_names,
            ))
        }
        _ => Err(invalid(
            key,
            "object2brain needs the objects in the stimuli: give `boxes = \"boxes.csv\"`, or `detector` with `detector-weights`",
        )),
    }
}

fn read_boxes(
    path: &Path,
    stimuli: &Stimuli,
    named_classes: Option<Vec<String>>,
) -> std::result::Result<Boxes, String> {
    let mut pictures = Vec::with_capacity(stimuli.len());
    for (stimulus, name) in stimuli.iter().zip(names(stimuli)) {
        let size = consilience_io::image::size(&stimulus.path, Orientation::Ignore);
        let (width, height) = size.map_err(|e| e.to_string())?;
        pictures.push(Picture {
            name,
            width,
            height,
        });
    }
    let bytes = std::fs::read(path).map_err(|e| e.to_string())?;
    let named = |error: &dyn std::fmt::Display| format!("{error} ({})", path.display());
    if path
        .extension()
        .is_some_and(|ending| ending.eq_ignore_ascii_case("json"))
    {
        return coco::parse(&bytes, Some(&pictures)).map_err(|e| named(&e));
    }
    let found = csv::parse(&bytes, &pictures, named_classes.as_deref()).map_err(|e| named(&e))?;
    if named_classes.is_some() {
        return Ok(found);
    }
    // A file names the classes that occur; their detector knows more, and has usual categories.
    let known = [classes::coco(), classes::open_images()]
        .into_iter()
        .find(|known| found.classes.iter().all(|class| known.contains(class)));
    match known {
        None => Ok(found),
        Some(known) => csv::parse(&bytes, &pictures, Some(&known)).map_err(|e| named(&e)),
    }
}

fn load_categories(
    options: &ObjectsOptions,
    key: &KeyPath,
    class_names: &[String],
    places: &Places,
    inputs: &mut Vec<InputFile>,
) -> Result<Vec<Category>> {
    let of = |name: &str| key.clone().key(name);
    let all = match &options.categories {
        None => categories::usual(class_names).map_err(|e| at(key, e))?,
        Some(file) => {
            let path = places.file(&of("categories"), file)?;
            inputs.push(input("categories", file, &path)?);
            let text = std::fs::read_to_string(&path).map_err(|e| at(&of("categories"), e))?;
            categories::parse(&text, class_names).map_err(|e| at(&of("categories"), e))?
        }
    };
    let used = chosen(&of("use"), options.only.as_deref(), &all, |c| &c.name)?;
    Ok(used.into_iter().map(|idx| all[idx].clone()).collect())
}
