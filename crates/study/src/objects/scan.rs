//! The filters of all layers of a model, in one pass over the stimuli.

use consilience_core::LesionedLayer;
use consilience_experiments::ExperimentError;
use consilience_experiments::head::RunHeads;
use consilience_experiments::object2brain::{
    CutLayer, CutScan, LayerOutcome, ObjectInputs, PictureObjects, Pool, SeenObjects,
    boxes_as_seen, layer_map,
};
use consilience_learn::gradcam;
use consilience_models::graph::Layout;
use consilience_models::{ExtractParams, Extractor, Network};
use ndarray::{Array2, ArrayD, IxDyn};

use super::Inputs;
use crate::appraisal::{TrainedRater, of_analysis};
use crate::plan::{PlannedModel, PlannedObjects};
use crate::prepare::Prepared;
use crate::progress::Progress;
use crate::{Result, StudyError};

/// What is the same for all models.
pub(super) struct Stage<'a> {
    pub(super) prepared: &'a Prepared,
    /// Position of the analysis in the plan.
    pub(super) idx: usize,
    pub(super) planned: &'a PlannedObjects,
    pub(super) inputs: &'a Inputs<'a>,
    pub(super) n_threads: usize,
    pub(super) progress: &'a dyn Progress,
}

/// The layers of one model.
pub(super) struct ModelOutcome {
    pub(super) layers: Vec<(LesionedLayer, LayerOutcome)>,
    /// For each of the shown stimuli the map of the last layer, by the first run.
    pub(super) maps: Vec<Option<Array2<f32>>>,
    pub(super) seen: Vec<SeenObjects>,
    pub(super) notes: Vec<String>,
}

/// A layer on its way: what the extractor gives of it, and what is gathered.
struct LayerScan<'a> {
    /// Position in the model's layers.
    layer: usize,
    shape: Vec<usize>,
    layout: Layout,
    scan: CutScan<'a>,
}

/// Looks at the filters of all layers of a model in one pass over the stimuli.
pub(super) fn scan_model(
    stage: &Stage<'_>,
    model: usize,
    raters: &[&TrainedRater],
) -> Result<ModelOutcome> {
    let (prepared, inputs, progress) = (stage.prepared, stage.inputs, stage.progress);
    let planned_model = &prepared.plan.models[model];
    let params = ExtractParams {
        executor: prepared.executor,
        n_threads: stage.n_threads,
        ..ExtractParams::default()
    };
    let network = prepared.networks[model].edited(
        &prepared.edits[model],
        prepared.clips.frames(),
        &params,
    )?;
    let extractor = Extractor::prepare(&network, &planned_model.taps(), &params)?;
    let mut notes = Vec::new();
    let seen = seen_objects(planned_model, inputs, &mut notes);
    let pictures: Vec<PictureObjects> = seen.iter().map(|seen| seen.picture.clone()).collect();
    let heads: Vec<Vec<RunHeads>> = raters
        .iter()
        .map(|rater| rater.runs.iter().map(|run| run.heads.clone()).collect())
        .collect();
    let mut scans = layer_scans(
        stage,
        planned_model,
        (&network, &extractor),
        &heads,
        &pictures,
        &mut notes,
    )?;
    let last = scans.iter().rposition(Option::is_some);
    let mut maps: Vec<Option<Array2<f32>>> = vec![None; inputs.shown.len()];
    progress.begin(
        &format!("filters of {}", planned_model.name),
        inputs.found.len() as u64,
    );
    extractor.run_clips(
        &prepared.clips,
        0..inputs.found.len(),
        |block| -> Result<()> {
            let Some(of) = &mut scans[block.layer_idx] else {
                return Ok(());
            };
            let failed = |source| of_layer(planned_model, of.layer, source);
            for (row, values) in block.rows.rows().into_iter().enumerate() {
                let activation = ArrayD::from_shape_vec(IxDyn(&of.shape), values.to_vec())
                    .ok()
                    .and_then(|values| gradcam::positions(values, of.layout))
                    .expect("a layer has one shape");
                of.scan.add(activation.view()).map_err(failed)?;
                let stimulus = block.first_row + row;
                let place = inputs.shown.iter().position(|&shown| shown == stimulus);
                if let Some(place) = place.filter(|_| last == Some(block.layer_idx)) {
                    let head = heads[of.layer][0].of(stimulus);
                    let map = layer_map(activation.view(), head, pool(planned_model));
                    maps[place] = Some(map.map_err(failed)?);
                }
            }
            Ok(())
        },
        |done| progress.advance_to(done as u64),
    )?;
    progress.end();
    let scans: Vec<LayerScan<'_>> = scans.into_iter().flatten().collect();
    progress.begin(
        &format!("lesions of {}", planned_model.name),
        scans.len() as u64,
    );
    let mut layers = Vec::new();
    let n_scans = scans.len();
    for (done, LayerScan { layer, scan, .. }) in (1..).zip(scans) {
        let outcome = scan.finish().map_err(|e| match e {
            ExperimentError::Methods(source) => of_analysis(stage.idx, source),
            other => of_layer(planned_model, layer, other),
        })?;
        let described = LesionedLayer {
            model: planned_model.name.clone(),
            layer: planned_model.layers[layer].name.clone(),
            is_last: done == n_scans,
            n_filters: outcome.n_filters,
            n_runs: heads[layer].len(),
        };
        layers.push((described, outcome));
        progress.advance_to(done as u64);
    }
    progress.end();
    Ok(ModelOutcome {
        layers,
        maps,
        seen,
        notes,
    })
}

/// What a model sees of the objects.
fn seen_objects(
    model: &PlannedModel,
    inputs: &Inputs<'_>,
    notes: &mut Vec<String>,
) -> Vec<SeenObjects> {
    let found = inputs.found.iter();
    let seen: Vec<SeenObjects> = found
        .map(|found| boxes_as_seen(&model.preprocessing, found.size, &found.detected()))
        .collect();
    let n_objects: usize = inputs.found.iter().map(|found| found.objects.len()).sum();
    let n_seen: usize = seen.iter().map(|seen| seen.kept.len()).sum();
    if n_seen < n_objects {
        notes.push(format!(
            "{} of {n_objects} boxes lie beside what {} sees of the stimuli",
            n_objects - n_seen,
            model.name
        ));
    }
    seen
}

/// A scan for each layer of the extractor; none for those without positions, which have no filters.
fn layer_scans<'a>(
    stage: &'a Stage<'_>,
    model: &PlannedModel,
    (network, extractor): (&Network, &Extractor),
    heads: &'a [Vec<RunHeads>],
    pictures: &'a [PictureObjects],
    notes: &mut Vec<String>,
) -> Result<Vec<Option<LayerScan<'a>>>> {
    let objects = ObjectInputs {
        classes: stage.inputs.classes,
        categories: &stage.inputs.categories,
        pictures,
        targets: stage.inputs.targets.view(),
        subsets: stage.inputs.masks.view(),
    };
    let mut scans = Vec::new();
    for extracted in &extractor.layers {
        let layer = (model.layers.iter())
            .position(|planned| planned.name == extracted.name)
            .expect("what is extracted was planned");
        let layout = network.graph.layout(&model.layers[layer].tensor);
        let zeros = ArrayD::<f32>::zeros(IxDyn(&extracted.shape));
        let Some(map) = gradcam::positions(zeros, layout) else {
            notes.push(format!(
                "{} {} has no positions, so its filters were not looked at",
                model.name, extracted.name
            ));
            scans.push(None);
            continue;
        };
        let (n_filters, height, width) = map.dim();
        let cut = CutLayer {
            runs: &heads[layer],
            pool: pool(model),
        };
        let shape = [n_filters, height, width];
        let scan = CutScan::new(cut, shape, objects, stage.planned.params)
            .map_err(|source| of_layer(model, layer, source))?;
        scans.push(Some(LayerScan {
            layer,
            shape: extracted.shape.clone(),
            layout,
            scan,
        }));
    }
    Ok(scans)
}

fn pool(model: &PlannedModel) -> Pool {
    match model.pool {
        consilience_models::Pool::Mean => Pool::Mean,
        _ => Pool::Flat,
    }
}

fn of_layer(model: &PlannedModel, layer: usize, source: ExperimentError) -> StudyError {
    StudyError::Experiment {
        about: format!("{}, layer {}", model.name, model.layers[layer].name),
        source: Box::new(source),
    }
}
