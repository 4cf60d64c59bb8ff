//! The filters of all layers of a model.

use consilience_core::{CategoryImportance, LesionEffect, LesionedLayer};
use consilience_experiments::ExperimentError;
use consilience_experiments::head::RunHeads;
use consilience_experiments::object2brain::{
    CutLayer, CutScan, LayerOutcome, LesionedNetwork, ObjectInputs, PictureObjects, Pool,
    SeenObjects, boxes_as_seen, layer_map,
};
use consilience_learn::gradcam;
use consilience_methods::objects::ObjectImportance;
use consilience_models::graph::Layout;
use consilience_models::{Block, ExtractParams, Extractor, Network};
use ndarray::{Array2, Array3, ArrayD, ArrayView1, IxDyn};
use serde::{Deserialize, Serialize};

use super::Inputs;
use super::found::FoundObjects;
use super::whole::scan_inner;
use crate::appraisal::{TrainedRater, of_analysis};
use crate::cache::Cache;
use crate::plan::{PlannedModel, PlannedObjects};
use crate::prepare::{OtherObjects, Prepared};
use crate::progress::Progress;
use crate::{Result, StudyError};

/// What is the same for all models.
pub(super) struct Stage<'a> {
    pub(super) prepared: &'a Prepared,
    /// Position of the analysis in the plan.
    pub(super) idx: usize,
    pub(super) planned: &'a PlannedObjects,
    pub(super) inputs: &'a Inputs<'a>,
    pub(super) cache: &'a Cache,
    pub(super) n_threads: usize,
    pub(super) progress: &'a dyn Progress,
}

impl<'a> Stage<'a> {
    /// Other pictures on which sensitivity is measured.
    pub(super) fn elsewhere(&self) -> Option<&'a OtherObjects> {
        let sources = self.prepared.objects[self.idx].as_ref();
        sources.and_then(|sources| sources.elsewhere.as_ref())
    }

    pub(super) fn objects(&self, pictures: &'a [PictureObjects]) -> ObjectInputs<'a> {
        ObjectInputs {
            classes: self.inputs.classes,
            categories: &self.inputs.categories,
            pictures,
            targets: self.inputs.targets.view(),
            subsets: self.inputs.masks.view(),
        }
    }

    pub(super) fn failed(&self, model: usize, layer: usize, source: ExperimentError) -> StudyError {
        match source {
            ExperimentError::Methods(source) => of_analysis(self.idx, source),
            other => of_layer(&self.prepared.plan.models[model], layer, other),
        }
    }
}

/// A layer as the record speaks of it, its position there excepted.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct LayerResult {
    /// Position in the model's layers.
    pub(super) layer: usize,
    pub(super) described: LesionedLayer,
    pub(super) effects: Vec<LesionEffect>,
    pub(super) importance: Vec<CategoryImportance>,
}

impl LayerResult {
    pub(super) fn new(
        model: &PlannedModel,
        layer: usize,
        n_runs: usize,
        outcome: &LayerOutcome,
    ) -> Self {
        Self {
            layer,
            described: LesionedLayer {
                model: model.name.clone(),
                layer: model.layers[layer].name.clone(),
                is_last: false,
                n_filters: outcome.n_filters,
                n_runs,
            },
            effects: outcome.record_effects(0),
            importance: outcome.record_importance(0),
        }
    }
}

/// What the report shows of stimuli: the last layer that ends a cut network.
pub(super) struct ShownLayer {
    pub(super) layer: String,
    /// For each of the shown stimuli the map, by the first run.
    pub(super) maps: Vec<Option<Array2<f32>>>,
    /// Importance of the boxes of each stimulus in that map.
    pub(super) boxes: Vec<Vec<ObjectImportance>>,
}

/// The layers of one model.
pub(super) struct ModelOutcome {
    pub(super) layers: Vec<LayerResult>,
    pub(super) shown: Option<ShownLayer>,
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

impl LayerScan<'_> {
    fn map(&self, values: ArrayView1<'_, f32>) -> Array3<f32> {
        ArrayD::from_shape_vec(IxDyn(&self.shape), values.to_vec())
            .ok()
            .and_then(|values| gradcam::positions(values, self.layout))
            .expect("a layer has one shape")
    }
}

/// Looks at the filters of all layers of a model: those that end cut networks in one pass over the stimuli.
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
    let seen = seen_objects(planned_model, &inputs.found, "the stimuli", &mut notes);
    let pictures: Vec<PictureObjects> = seen.iter().map(|seen| seen.picture.clone()).collect();
    let others: Vec<PictureObjects> = match &inputs.elsewhere {
        None => Vec::new(),
        Some(found) => seen_objects(planned_model, found, "the other pictures", &mut notes)
            .into_iter()
            .map(|seen| seen.picture)
            .collect(),
    };
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
        (inputs.found.len() + others.len()) as u64,
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
                let activation = of.map(values);
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
    if let Some(elsewhere) = stage.elsewhere().filter(|_| last.is_some()) {
        let add = |block: Block<'_>| -> Result<()> {
            let Some(of) = &mut scans[block.layer_idx] else {
                return Ok(());
            };
            for (row, values) in block.rows.rows().into_iter().enumerate() {
                let activation = of.map(values);
                let picture = &others[block.first_row + row];
                of.scan
                    .add_elsewhere(activation.view(), picture)
                    .map_err(|source| of_layer(planned_model, of.layer, source))?;
            }
            Ok(())
        };
        let told = |done: usize| progress.advance_to((inputs.found.len() + done) as u64);
        // An extractor is spent after a pass.
        let extractor = Extractor::prepare(&network, &planned_model.taps(), &params)?;
        extractor.run_clips(&elsewhere.clips, 0..others.len(), add, told)?;
    }
    progress.end();
    let scans: Vec<LayerScan<'_>> = scans.into_iter().flatten().collect();
    let mut layers = match stage.planned.network {
        LesionedNetwork::Cut => Vec::new(),
        LesionedNetwork::Whole => scan_inner(stage, model, &network, &heads, [&pictures, &others])?,
    };
    progress.begin(
        &format!("lesions of {}", planned_model.name),
        scans.len() as u64,
    );
    let mut shown = None;
    for (done, LayerScan { layer, scan, .. }) in (1..).zip(scans) {
        let outcome = scan
            .finish()
            .map_err(|source| stage.failed(model, layer, source))?;
        let n_runs = heads[layer].len();
        layers.push(LayerResult::new(planned_model, layer, n_runs, &outcome));
        shown = outcome.boxes.into_iter().next().map(|boxes| ShownLayer {
            layer: planned_model.layers[layer].name.clone(),
            maps: std::mem::take(&mut maps),
            boxes,
        });
        progress.advance_to(done);
    }
    progress.end();
    if let Some(last) = layers.last_mut() {
        last.described.is_last = true;
    }
    Ok(ModelOutcome {
        layers,
        shown,
        seen,
        notes,
    })
}

/// What a model sees of the objects.
fn seen_objects(
    model: &PlannedModel,
    found: &[FoundObjects],
    of: &str,
    notes: &mut Vec<String>,
) -> Vec<SeenObjects> {
    let seen: Vec<SeenObjects> = found
        .iter()
        .map(|found| boxes_as_seen(&model.preprocessing, found.size, &found.detected()))
        .collect();
    let n_objects: usize = found.iter().map(|found| found.objects.len()).sum();
    let n_seen: usize = seen.iter().map(|seen| seen.kept.len()).sum();
    if n_seen < n_objects {
        notes.push(format!(
            "{} of {n_objects} boxes lie beside what {} sees of {of}",
            n_objects - n_seen,
            model.name
        ));
    }
    seen
}

/// A scan for each layer of the extractor that ends a cut network; none for those without positions, which have no filters.
fn layer_scans<'a>(
    stage: &'a Stage<'_>,
    model: &PlannedModel,
    (network, extractor): (&Network, &Extractor),
    heads: &'a [Vec<RunHeads>],
    pictures: &'a [PictureObjects],
    notes: &mut Vec<String>,
) -> Result<Vec<Option<LayerScan<'a>>>> {
    let mut scans = Vec::new();
    for extracted in &extractor.layers {
        let layer = (model.layers.iter())
            .position(|planned| planned.name == extracted.name)
            .expect("what is extracted was planned");
        // Where the heads follow at once, the whole network is the cut one.
        let is_cut = match stage.planned.network {
            LesionedNetwork::Cut => true,
            LesionedNetwork::Whole => layer + 1 == model.layers.len(),
        };
        if !is_cut {
            scans.push(None);
            continue;
        }
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
        let scan = CutScan::new(cut, shape, stage.objects(pictures), stage.planned.params)
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

pub(super) fn pool(model: &PlannedModel) -> Pool {
    match model.pool {
        consilience_models::Pool::Mean => Pool::Mean,
        _ => Pool::Flat,
    }
}

pub(super) fn of_layer(model: &PlannedModel, layer: usize, source: ExperimentError) -> StudyError {
    StudyError::Experiment {
        about: format!("{}, layer {}", model.name, model.layers[layer].name),
        source: Box::new(source),
    }
}
