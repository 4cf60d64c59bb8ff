//! Networks × pictures → features and RDMs, through the cache.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;
use std::path::PathBuf;

use consilience_core::Stimuli;
use consilience_io::{atomic, npy};
use consilience_methods::rdm::{Dissimilarity, Patterns, RdmParams, rdm};
use consilience_methods::{MethodsError, PatternId};
use consilience_models::preprocess::Changes;
use consilience_models::{Clips, ExtractParams, Extractor, Layer, ModelError, Network};
use ndarray::{Array2, ArrayView1, Axis, Ix2, concatenate};
use serde::Serialize;

use crate::cache::{Cache, Key};
use crate::extraction::{blocks, is_whole};
use crate::file::KeyPath;
use crate::plan::{Plan, PlannedEdit, PlannedLayer, PlannedModel, PlannedStimulus};
use crate::prepare::Prepared;
use crate::progress::Progress;
use crate::reduce::{ReduceInputs, Reducer, Reduction, reducers};
use crate::{Result, StudyError};

/// Everything an activation depends on besides the picture.
#[derive(Serialize)]
struct Activation<'a> {
    weights: &'a str,
    preprocessing: &'a consilience_models::Preprocessing,
    executor: &'a str,
    pool: String,
    reduce: String,
    /// Seed and name of the layer that a random projection is drawn by, or the pictures of a fit.
    reduce_by: Option<(u64, &'a str, &'a [String])>,
    /// Features that come out; with a tolerance they depend on the number of pictures.
    n_features: usize,
    edits: &'a [PlannedEdit],
    /// The pictures over which an edit takes means.
    mean_over: Option<Vec<Cow<'a, str>>>,
    /// All layers of the model: what else is asked for may change the last bits.
    taps: Vec<&'a str>,
    tensor: &'a str,
}

impl<'a> Activation<'a> {
    fn new(plan: &'a Plan, model: &'a PlannedModel, layer: &'a PlannedLayer) -> Self {
        let takes_means = model.edits.iter().any(|planned| planned.edit.needs_mean());
        Self {
            weights: &model.weights_blake3,
            preprocessing: &model.preprocessing,
            executor: &model.executor,
            pool: model.pool.to_string(),
            reduce: model.reduce.to_string(),
            reduce_by: (model.reduce != Reduction::None).then_some((
                plan.seed,
                layer.name.as_str(),
                model.reduce_fit.as_slice(),
            )),
            n_features: layer.n_features,
            edits: &model.edits,
            mean_over: takes_means.then(|| keys(&plan.stimuli)),
            taps: model.layers.iter().map(|l| l.tensor.as_str()).collect(),
            tensor: &layer.tensor,
        }
    }

    /// The entry of consecutive pictures. What is drawn for a changed one follows its position.
    fn block_key(&self, pictures: Pictures<'_>, rows: Range<usize>) -> Key {
        let first = rows.start;
        let keys = keys(&pictures.planned[rows]);
        match pictures.changes {
            None => Key::new("activations", &(self, keys)),
            Some(changes) => Key::new("views", &(self, keys, first, format!("{changes:?}"))),
        }
    }

    fn rdm_key(&self, plan: &Plan, dissimilarity: Dissimilarity) -> Key {
        let images = keys(&plan.stimuli);
        Key::new("rdm", &(self, images, dissimilarity.to_string()))
    }
}

fn keys(stimuli: &[PlannedStimulus]) -> Vec<Cow<'_, str>> {
    stimuli.iter().map(PlannedStimulus::key).collect()
}

/// Pictures or films whose activations are wanted.
#[derive(Clone, Copy)]
pub struct Pictures<'a> {
    /// What the activations depend on.
    pub planned: &'a [PlannedStimulus],
    /// The files.
    pub clips: &'a Clips,
    /// What is done to them first, by their positions.
    pub changes: Option<&'a Changes>,
}

impl Pictures<'_> {
    /// The folder of their activations in the cache.
    fn kind(&self) -> &'static str {
        match self.changes {
            None => "activations",
            Some(_) => "views",
        }
    }
}

impl Prepared {
    /// The stimuli.
    pub(crate) fn pictures(&self) -> Pictures<'_> {
        Pictures {
            planned: &self.plan.stimuli,
            clips: &self.clips,
            changes: None,
        }
    }
}

/// Puts the activations of every layer of a model into the cache, as far as they are not there.
pub fn make_features(
    prepared: &Prepared,
    pictures: Pictures<'_>,
    model_idx: usize,
    cache: &Cache,
    n_threads: usize,
    progress: &dyn Progress,
) -> Result<()> {
    let layers: Vec<&PlannedLayer> = prepared.plan.models[model_idx].layers.iter().collect();
    extract_missing(
        prepared,
        &[pictures],
        model_idx,
        &layers,
        cache,
        n_threads,
        progress,
    )
}

/// Puts the activations of the last layer of a model into the cache, for each of the `sets`, as far as they are not there.
pub fn make_views(
    prepared: &Prepared,
    sets: &[Pictures<'_>],
    model_idx: usize,
    cache: &Cache,
    n_threads: usize,
    progress: &dyn Progress,
) -> Result<()> {
    let last: Vec<&PlannedLayer> = prepared.plan.models[model_idx]
        .layers
        .last()
        .into_iter()
        .collect();
    extract_missing(prepared, sets, model_idx, &last, cache, n_threads, progress)
}

/// What the activations of a layer depend on, the pictures included.
pub fn features_key(
    prepared: &Prepared,
    pictures: Pictures<'_>,
    model_idx: usize,
    layer_idx: usize,
) -> Key {
    let model = &prepared.plan.models[model_idx];
    Activation::new(&prepared.plan, model, &model.layers[layer_idx])
        .block_key(pictures, 0..pictures.planned.len())
}

/// The RDM of every layer of a model, `(n_layers, n_pairs)`.
pub fn model_rdms(
    prepared: &Prepared,
    model_idx: usize,
    dissimilarity: Dissimilarity,
    cache: &Cache,
    n_threads: usize,
    progress: &dyn Progress,
) -> Result<Array2<f64>> {
    let plan = &prepared.plan;
    let model = &plan.models[model_idx];
    let n_pairs = consilience_core::pairs::n_pairs(plan.stimuli.len());
    let keys: Vec<Key> = model
        .layers
        .iter()
        .map(|layer| Activation::new(plan, model, layer).rdm_key(plan, dissimilarity))
        .collect();
    let mut rdms: Vec<Option<Vec<f64>>> = keys
        .iter()
        .map(|key| cache.array("rdms", key, &[n_pairs]))
        .collect();
    let missing: Vec<&PlannedLayer> = model
        .layers
        .iter()
        .zip(&rdms)
        .filter(|(_, rdm)| rdm.is_none())
        .map(|(l, _)| l)
        .collect();
    if !missing.is_empty() {
        let pictures = prepared.pictures();
        extract_missing(
            prepared,
            &[pictures],
            model_idx,
            &missing,
            cache,
            n_threads,
            progress,
        )?;
        progress.begin(&format!("RDMs of {}", model.name), missing.len() as u64);
        let mut done = 0;
        for ((layer, key), slot) in model.layers.iter().zip(&keys).zip(&mut rdms) {
            if slot.is_some() {
                continue;
            }
            let patterns = load_features(prepared, pictures, model, layer, cache)?;
            let params = RdmParams {
                dissimilarity,
                ..RdmParams::default()
            };
            let outcome = rdm(Patterns::F32(patterns.view()), &params).map_err(|source| {
                StudyError::Layer {
                    key: KeyPath::root("model").index(model_idx).key("layers"),
                    picture: picture_at_fault(&source, &prepared.stimuli),
                    model: model.name.clone(),
                    layer: layer.name.clone(),
                    source: Box::new(source),
                }
            })?;
            cache.put_array("rdms", key, ArrayView1::from(&outcome.vector))?;
            *slot = Some(outcome.vector);
            done += 1;
            progress.advance_to(done);
        }
        progress.end();
    }
    let mut all = Array2::zeros((model.layers.len(), n_pairs));
    for (mut row, rdm) in all.rows_mut().into_iter().zip(&rdms) {
        let rdm = rdm.as_ref().expect("every missing RDM was computed above");
        row.assign(&ArrayView1::from(rdm));
    }
    Ok(all)
}

/// Runs the network for every block of pictures of which a layer is not in the cache.
fn extract_missing(
    prepared: &Prepared,
    sets: &[Pictures<'_>],
    model_idx: usize,
    layers: &[&PlannedLayer],
    cache: &Cache,
    n_threads: usize,
    progress: &dyn Progress,
) -> Result<()> {
    let plan = &prepared.plan;
    let model = &plan.models[model_idx];
    let params = ExtractParams {
        pool: model.pool,
        executor: prepared.executor,
        n_threads,
        ..ExtractParams::default()
    };
    let mut ready: Option<(Network, Vec<Reducer>)> = None;
    let n_frames = sets.iter().map(|set| set.clips.n_frames());
    let n_frames: usize = n_frames.sum();
    let mut n_before = 0;
    for pictures in sets {
        let clips = pictures.clips;
        for rows in blocks(clips) {
            let block = &pictures.planned[rows.clone()];
            let absent: BTreeMap<&str, PathBuf> = layers
                .iter()
                .map(|layer| {
                    let key =
                        Activation::new(plan, model, layer).block_key(*pictures, rows.clone());
                    let path = cache.path(pictures.kind(), &key, "npy");
                    (layer, path)
                })
                .filter(|(layer, path)| !is_whole(path, &[block.len(), layer.n_features]))
                .map(|(layer, path)| (layer.name.as_str(), path))
                .collect();
            if absent.is_empty() {
                continue;
            }
            // The whole set at every time: the numbers depend on it.
            let wanted = model.taps();
            let (network, reducers) = match &mut ready {
                Some(ready) => ready,
                None => {
                    let made = make_ready(prepared, model_idx, &wanted, &params, cache, progress)?;
                    let label = format!("{} of {}", pictures.kind(), model.name);
                    progress.begin(&label, n_frames as u64);
                    ready.insert(made)
                }
            };
            let mut extractor = Extractor::prepare(network, &wanted, &params)?;
            if let Some(changes) = pictures.changes {
                extractor = extractor.changed(changes.clone());
            }
            let mut writers = extractor
                .layers
                .iter()
                .map(|layer| {
                    let Some(path) = absent.get(layer.name.as_str()) else {
                        return Ok(None);
                    };
                    // What a killed run had begun is as large as the entry itself.
                    if let Some(folder) = path.parent() {
                        atomic::clear_leftovers(folder);
                    }
                    let n_features = model
                        .reduce
                        .n_features(layer.n_features, plan.stimuli.len());
                    npy::Writer::<f32>::create(path, &[block.len(), n_features]).map(Some)
                })
                .collect::<std::result::Result<Vec<_>, _>>()?;
            let first_frame = n_before + clips.frames_of(rows.clone()).start;
            extractor
                .run_clips(
                    clips,
                    rows,
                    |rows| -> Result<()> {
                        if let Some(writer) = &mut writers[rows.layer_idx] {
                            writer.append(&reducers[rows.layer_idx].apply(rows.rows))?;
                        }
                        Ok(())
                    },
                    |done| progress.advance_to((first_frame + done) as u64),
                )
                .map_err(of_picture)?;
            for writer in writers.into_iter().flatten() {
                writer.finish()?;
            }
        }
        n_before += clips.n_frames();
    }
    if ready.is_some() {
        progress.end();
    }
    Ok(())
}

/// The network with its edits and what reduces each of its layers.
fn make_ready(
    prepared: &Prepared,
    model_idx: usize,
    layers: &[Layer],
    params: &ExtractParams,
    cache: &Cache,
    progress: &dyn Progress,
) -> Result<(Network, Vec<Reducer>)> {
    let clips = &prepared.clips;
    let network = prepared.networks[model_idx]
        .edited(&prepared.edits[model_idx], clips.frames(), params)
        .map_err(|error| of_picture(error.into()))?;
    let inputs = ReduceInputs {
        reduction: prepared.plan.models[model_idx].reduce,
        seed: prepared.plan.seed,
        n_rows: clips.n_rows(),
        fit: &prepared.reduce_fit[model_idx],
        scratch: cache.root(),
    };
    let reducers = reducers(&network, layers, params, &inputs, progress)?;
    Ok((network, reducers))
}

/// Points at the stimuli when one cannot be read: while networks run, no other file is.
fn of_picture(error: StudyError) -> StudyError {
    match error {
        StudyError::Model(ModelError::File(problem)) => StudyError::Invalid {
            key: KeyPath::root("stimuli").key("images"),
            message: problem.to_string(),
        },
        other => other,
    }
}

/// The picture or film whose activations a method refused.
fn picture_at_fault(source: &MethodsError, stimuli: &Stimuli) -> Option<PathBuf> {
    let row = match source {
        MethodsError::UndefinedPattern {
            pattern: PatternId::Row(row),
            ..
        }
        | MethodsError::NonFinite { row, .. } => *row,
        _ => return None,
    };
    stimuli
        .iter()
        .nth(row)
        .map(|stimulus| stimulus.path.clone())
}

/// The activations of one layer for all pictures from the cache, `(n_pictures, n_features)`.
pub fn load_features(
    prepared: &Prepared,
    pictures: Pictures<'_>,
    model: &PlannedModel,
    layer: &PlannedLayer,
    cache: &Cache,
) -> Result<Array2<f32>> {
    let mut parts = Vec::new();
    for rows in blocks(pictures.clips) {
        parts.push(load_block(prepared, pictures, model, layer, cache, rows)?);
    }
    if parts.len() == 1 {
        return Ok(parts.remove(0));
    }
    let views: Vec<_> = parts.iter().map(|part| part.view()).collect();
    Ok(concatenate(Axis(0), &views).expect("blocks have one width"))
}

/// The same of some pictures by their positions, `(n_rows, n_features)`; a block is in memory beside them.
pub fn load_rows(
    prepared: &Prepared,
    pictures: Pictures<'_>,
    model: &PlannedModel,
    layer: &PlannedLayer,
    cache: &Cache,
    rows: &[usize],
) -> Result<Array2<f32>> {
    let mut found = Array2::zeros((rows.len(), layer.n_features));
    for block in blocks(pictures.clips) {
        if !rows.iter().any(|row| block.contains(row)) {
            continue;
        }
        let part = load_block(prepared, pictures, model, layer, cache, block.clone())?;
        for (to, row) in rows.iter().enumerate() {
            if block.contains(row) {
                found.row_mut(to).assign(&part.row(row - block.start));
            }
        }
    }
    Ok(found)
}

fn load_block(
    prepared: &Prepared,
    pictures: Pictures<'_>,
    model: &PlannedModel,
    layer: &PlannedLayer,
    cache: &Cache,
    rows: Range<usize>,
) -> Result<Array2<f32>> {
    let shape = [rows.len(), layer.n_features];
    let key = Activation::new(&prepared.plan, model, layer).block_key(pictures, rows);
    let path = cache.path(pictures.kind(), &key, "npy");
    let damaged = || StudyError::DamagedCache { path: path.clone() };
    match npy::read(&path)? {
        consilience_io::AnyArray::F32(array) if array.shape() == shape => {
            array.into_dimensionality::<Ix2>().map_err(|_| damaged())
        }
        _ => Err(damaged()),
    }
}
