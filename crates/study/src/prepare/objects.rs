//! Analyses of objects: where boxes come from, how filters are found and switched off.

use std::path::{Path, PathBuf};

use consilience_core::InputFile;
use consilience_experiments::object2brain::{
    Category, LesionedNetwork, Object2BrainParams, categories,
};
use consilience_io::image::Orientation;
use consilience_methods::behaviour::CorrelationKind;
use consilience_methods::objects::{Cut, MapParams, SelectParams, SensitivityParams};
use consilience_models::detect::exchange::{Boxes, Picture, coco, csv};
use consilience_models::detect::{DetectParams, Detection, DetectionModel, DetectorName, classes};
use consilience_models::graph::Layout;
use consilience_models::{Clips, ExtractParams, ExtractedLayer, Extractor, Pool};

use super::analyses::{check_alpha, chosen, parse};
use super::appraisal::{Resolved, other_pictures};
use super::ratings::names;
use super::{at, input, invalid};
use crate::Result;
use crate::file::{KeyPath, ObjectsOptions};
use crate::places::Places;
use crate::plan::{PlannedAnalysis, PlannedBoxes, PlannedElsewhere, PlannedInner, PlannedObjects};
use crate::reduce::Reduction;

/// Objects in the stimuli, or what will find them.
#[derive(Debug)]
pub enum ObjectSource {
    /// Boxes of each stimulus, and its width and height.
    Boxes(Vec<(Picture, Vec<Detection>)>),
    /// A detector.
    Detector(Box<DetectionModel>, DetectParams),
}

/// Objects in the stimuli, and in other pictures if sensitivity is measured on these.
#[derive(Debug)]
pub struct ObjectSources {
    /// In the stimuli.
    pub stimuli: ObjectSource,
    /// In other pictures.
    pub elsewhere: Option<OtherObjects>,
}

/// Pictures that are no stimuli, and the objects in them.
#[derive(Debug)]
pub struct OtherObjects {
    /// The files.
    pub paths: Vec<PathBuf>,
    /// The same, a row each.
    pub clips: Clips,
    /// The objects; `None` for what the detector of the stimuli finds.
    pub boxes: Option<ObjectSource>,
}

pub(super) fn resolve_objects(
    options: &ObjectsOptions,
    key: &KeyPath,
    before: &[PlannedAnalysis],
    study: &Resolved<'_>,
    inputs: &mut Vec<InputFile>,
) -> Result<(PlannedObjects, ObjectSources)> {
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
    let network: LesionedNetwork = parse(&of("network"), &options.network)?;
    let (elsewhere, other_objects) =
        load_elsewhere(options, key, study, (&planned_boxes, &class_names), inputs)?.unzip();
    let params = Object2BrainParams {
        elsewhere: elsewhere.is_some(),
        random_sets: options.random_sets.unwrap_or(match network {
            LesionedNetwork::Cut => 1000,
            LesionedNetwork::Whole => 100,
        }),
        ..object_params(options, key, correlation, study.seed)?
    };
    let (inner, left_out) = match network {
        LesionedNetwork::Cut => (Vec::new(), Vec::new()),
        LesionedNetwork::Whole => inner_layers(&of("network"), &used_models, study)?,
    };
    let planned = PlannedObjects {
        appraisal,
        boxes: planned_boxes,
        classes: class_names,
        categories: categories
            .into_iter()
            .map(|c| (c.name, c.classes))
            .collect(),
        elsewhere,
        network,
        inner,
        left_out,
        params,
        correction: parse(&of("correction"), &options.correction)?,
        alpha: options.alpha,
        overlays: options.overlays,
        models: used_models,
        targets: used_targets,
    };
    let sources = ObjectSources {
        stimuli: source,
        elsewhere: other_objects,
    };
    Ok((planned, sources))
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
        only_others: options.only_others,
        permutations: options.permutations,
        seed,
        ..Object2BrainParams::default()
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
            let stimuli = study.stimuli.iter().map(|s| s.path.as_path());
            let boxes = read_boxes(&path, stimuli, &names(study.stimuli), named_classes)
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

/// Other pictures on which sensitivity is measured, with boxes of the same classes.
fn load_elsewhere(
    options: &ObjectsOptions,
    key: &KeyPath,
    study: &Resolved<'_>,
    (boxes, class_names): (&PlannedBoxes, &[String]),
    inputs: &mut Vec<InputFile>,
) -> Result<Option<(PlannedElsewhere, OtherObjects)>> {
    let of = |name: &str| key.clone().key(name);
    let Some(images) = &options.sensitivity_images else {
        if options.sensitivity_boxes.is_some() {
            return Err(invalid(
                &of("sensitivity-boxes"),
                "these boxes need pictures; add `sensitivity-images = \"others/*.jpg\"`",
            ));
        }
        return Ok(None);
    };
    let images_key = of("sensitivity-images");
    let paths = study.places.matching(&images_key, images)?;
    let (pictures, clips) = other_pictures(&paths, "sensitivity picture", &images_key, inputs)?;
    if clips.has_films() {
        return Err(invalid(
            &images_key,
            "there are films among them; sensitivity is measured on pictures",
        ));
    }
    let (boxes, source) = match &options.sensitivity_boxes {
        None if options.detector.is_some() => (boxes.clone(), None),
        None => {
            return Err(invalid(
                &images_key,
                "these pictures need boxes of the objects in them; add `sensitivity-boxes = \"others.csv\"`, or take a `detector`",
            ));
        }
        Some(file) => {
            let boxes_key = of("sensitivity-boxes");
            let path = study.places.file(&boxes_key, file)?;
            let described = input("boxes", file, &path)?;
            let planned = PlannedBoxes {
                source: file.clone(),
                blake3: described.blake3.clone(),
            };
            inputs.push(described);
            let names: Vec<String> = pictures.iter().map(|picture| picture.id.clone()).collect();
            let files = paths.iter().map(PathBuf::as_path);
            let found = read_boxes(&path, files, &names, Some(class_names.to_vec()))
                .map_err(|message| invalid(&boxes_key, &message))?;
            if found.classes != class_names {
                return Err(invalid(
                    &boxes_key,
                    &format!(
                        "{file} has other classes ({}) than the boxes of the stimuli ({}); give both the same list",
                        found.classes.join(", "),
                        class_names.join(", ")
                    ),
                ));
            }
            (planned, Some(ObjectSource::Boxes(found.pictures)))
        }
    };
    let planned = PlannedElsewhere {
        images: images.clone(),
        pictures,
        boxes,
    };
    let objects = OtherObjects {
        paths,
        clips,
        boxes: source,
    };
    Ok(Some((planned, objects)))
}

/// Layers of whole networks whose filters can be switched off on the way to the last one, and why others cannot.
fn inner_layers(
    key: &KeyPath,
    models: &[usize],
    study: &Resolved<'_>,
) -> Result<(Vec<PlannedInner>, Vec<String>)> {
    if study.clips.has_films() {
        return Err(invalid(
            key,
            "films are rated by the mean over their frames, which no whole network has inside; take `network = \"cut\"`",
        ));
    }
    let params = ExtractParams {
        executor: study.executor,
        n_threads: study.n_threads,
        ..ExtractParams::default()
    };
    let (mut inner, mut left_out) = (Vec::new(), Vec::new());
    for &model_idx in models {
        let (model, network) = (&study.models[model_idx], &study.networks[model_idx]);
        let Some((end, before)) = model.layers.split_last() else {
            continue;
        };
        let extractor =
            Extractor::prepare(network, network.layers(), &params).map_err(|e| at(key, e))?;
        let shape_of = |name: &str| {
            let position = extractor.layers.iter().position(|l| l.name == name)?;
            Some((position, extractor.layers[position].shape.as_slice()))
        };
        let layout = |tensor: &str| network.graph.layout(tensor);
        let is_flat = shape_of(&end.name).is_some_and(|(_, shape)| shape.len() == 1);
        if !is_flat && layout(&end.tensor) != Layout::ChannelsFirst {
            return Err(invalid(
                key,
                &format!(
                    "{}, layer {}, where the heads are, has no channels first; end with another layer, or take `network = \"cut\"`",
                    model.name, end.name
                ),
            ));
        }
        let ends_there = network.graph.cut(&[&end.tensor]);
        let n_of = |layers: &[ExtractedLayer]| -> usize {
            let distinct = layers.iter().filter(|layer| layer.alias_of.is_none());
            distinct.map(|layer| layer.n_features).sum()
        };
        for (layer, planned) in before.iter().enumerate() {
            let found = shape_of(&planned.name);
            let map = found.filter(|_| layout(&planned.tensor) == Layout::ChannelsFirst);
            let Some((position, &[n_filters, height, width])) = map else {
                left_out.push(format!(
                    "{} {} is no map with channels first, so its filters were not looked at",
                    model.name, planned.name
                ));
                continue;
            };
            let shape = [n_filters, height, width];
            match ends_there.suffix(&planned.tensor, &shape) {
                Ok(_) => inner.push(PlannedInner {
                    model: model_idx,
                    layer,
                    shape,
                    n_after: n_of(&extractor.layers[position + 1..]),
                    n_all: n_of(&extractor.layers),
                }),
                Err(reason) => {
                    left_out.push(format!("{} {}: {reason}", model.name, planned.name));
                }
            }
        }
    }
    if inner.is_empty() {
        let why = match left_out.is_empty() {
            true => "no model has a layer before its last one".to_owned(),
            false => left_out.join("; "),
        };
        return Err(invalid(
            key,
            &format!(
                "no layer lies inside a whole network: {why}; choose layers that nothing bypasses before the last one, or take `network = \"cut\"`"
            ),
        ));
    }
    Ok((inner, left_out))
}

fn read_boxes<'a>(
    path: &Path,
    files: impl Iterator<Item = &'a Path>,
    names: &[String],
    named_classes: Option<Vec<String>>,
) -> std::result::Result<Boxes, String> {
    let mut pictures = Vec::with_capacity(names.len());
    for (file, name) in files.zip(names) {
        let size = consilience_io::image::size(file, Orientation::Ignore);
        let (width, height) = size.map_err(|e| e.to_string())?;
        pictures.push(Picture {
            name: name.clone(),
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
