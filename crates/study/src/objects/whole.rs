//! Filters of layers inside a whole network: gradients of all layers at once, then lesions layer by layer, each through the cache.

use consilience_experiments::head::RunHeads;
use consilience_experiments::object2brain::{
    CutLayer, HeadedNetwork, LayerGradients, PictureObjects, WholeScan,
};
use consilience_io::image::RgbImage;
use consilience_models::{Clips, ExtractParams, Extractor, Layer, Network};
use ndarray::{Array4, ArrayView3};
use rayon::prelude::*;

use super::scan::{LayerResult, Stage, pool};
use crate::Result;
use crate::cache::Key;
use crate::plan::PlannedInner;

/// The layers of a model that lie before its last one, from the cache as far as they are there.
///
/// `pictures` are what is seen of the objects in the stimuli and in other pictures.
pub(super) fn scan_inner(
    stage: &Stage<'_>,
    model: usize,
    network: &Network,
    heads: &[Vec<RunHeads>],
    [stimuli, others]: [&[PictureObjects]; 2],
) -> Result<Vec<LayerResult>> {
    let planned_model = &stage.prepared.plan.models[model];
    let Some(heads) = heads.last() else {
        return Ok(Vec::new());
    };
    let inner = stage.planned.inner.iter();
    let inner: Vec<&PlannedInner> = inner.filter(|inner| inner.model == model).collect();
    let mut results: Vec<Option<LayerResult>> = inner
        .iter()
        .map(|inner| stage.cache.json("lesions", &key(stage, model, inner.layer)))
        .collect();
    let missing: Vec<usize> = (0..inner.len()).filter(|&i| results[i].is_none()).collect();
    if missing.is_empty() {
        return Ok(results.into_iter().flatten().collect());
    }
    let layer_of = |layer: usize| Layer {
        name: planned_model.layers[layer].name.clone(),
        tensor: planned_model.layers[layer].tensor.clone(),
    };
    let end_idx = planned_model.layers.len() - 1;
    let end = layer_of(end_idx);
    let params = ExtractParams {
        executor: stage.prepared.executor,
        n_threads: stage.n_threads,
        ..ExtractParams::default()
    };
    let at_end = Extractor::prepare(network, std::slice::from_ref(&end), &params)?;
    let cut = CutLayer {
        runs: heads,
        pool: pool(planned_model),
    };
    let failed = |layer: usize| move |source| stage.failed(model, layer, source);
    let headed =
        HeadedNetwork::new(network, end, &at_end.layers[0].shape, cut).map_err(failed(end_idx))?;
    let mut scans = Vec::with_capacity(missing.len());
    for &i in &missing {
        let (objects, params) = (stage.objects(stimuli), stage.planned.params);
        let scan = WholeScan::new(heads.len(), inner[i].shape, objects, params);
        scans.push(scan.map_err(failed(inner[i].layer))?);
    }
    let layers: Vec<Layer> = missing.iter().map(|&i| layer_of(inner[i].layer)).collect();
    let progress = stage.progress;
    let n_pictures = stimuli.len() + others.len();
    progress.begin(
        &format!("gradients of {}", planned_model.name),
        n_pictures as u64,
    );
    let mut add = |clips: &Clips, is_stimulus: bool| -> Result<()> {
        let before = if is_stimulus { 0 } else { stimuli.len() };
        let window = rayon::current_num_threads();
        for first in (0..clips.n_rows()).step_by(window) {
            let gradients = |idx: usize| -> Result<Vec<LayerGradients>> {
                let orientation = network.preprocessing.orientation;
                let picture: RgbImage = clips.still(idx, orientation)?;
                let image = network.preprocessing.apply(&picture)?;
                let found = match is_stimulus {
                    true => headed.gradients(idx, image.view(), &layers),
                    false => headed.gradients_elsewhere(image.view(), &layers),
                };
                found.map_err(failed(end_idx))
            };
            let block = first..clips.n_rows().min(first + window);
            let found: Vec<Result<_>> = block.clone().into_par_iter().map(gradients).collect();
            for (idx, of_picture) in block.zip(found) {
                for ((scan, of_layer), &i) in scans.iter_mut().zip(of_picture?).zip(&missing) {
                    let views: Vec<ArrayView3<'_, f32>> =
                        of_layer.gradients.iter().map(|g| g.view()).collect();
                    let activation = of_layer.activation.view();
                    let added = match is_stimulus {
                        true => scan.add(activation, &views),
                        false => scan.add_elsewhere(activation, &views, &others[idx]),
                    };
                    added.map_err(failed(inner[i].layer))?;
                }
                progress.advance_to((before + idx + 1) as u64);
            }
        }
        Ok(())
    };
    add(&stage.prepared.clips, true)?;
    if let Some(elsewhere) = stage.elsewhere() {
        add(&elsewhere.clips, false)?;
    }
    progress.end();
    progress.begin(
        &format!("lesions inside {}", planned_model.name),
        missing.len() as u64,
    );
    for (done, ((scan, layer), &i)) in (1..).zip(scans.into_iter().zip(&layers).zip(&missing)) {
        let PlannedInner {
            layer: layer_idx,
            shape,
            ..
        } = *inner[i];
        let activations = activations(stage, network, layer, shape, &params)?;
        let rest = headed
            .rest(layer, shape, stage.prepared.executor, stage.n_threads)
            .map_err(failed(layer_idx))?;
        let outcome = scan
            .finish(activations.view(), &|run, first, block| {
                rest.rate(run, first, block)
            })
            .map_err(failed(layer_idx))?;
        let result = LayerResult::new(planned_model, layer_idx, heads.len(), &outcome);
        let key = key(stage, model, layer_idx);
        stage.cache.put_json("lesions", &key, &result)?;
        results[i] = Some(result);
        progress.advance_to(done);
    }
    progress.end();
    Ok(results.into_iter().flatten().collect())
}

/// What a layer's outcome depends on.
fn key(stage: &Stage<'_>, model: usize, layer: usize) -> Key {
    let (plan, planned) = (&stage.prepared.plan, stage.planned);
    Key::new(
        "lesions",
        &(
            (&plan.stimuli, &plan.models[model], &plan.ratings),
            &plan.analyses[planned.appraisal],
            (&planned.boxes, &planned.classes, &planned.categories),
            (&planned.elsewhere, &planned.targets),
            format!("{:?}", planned.params),
            (plan.seed, layer),
        ),
    )
}

/// A layer's activations of all stimuli, with all positions.
fn activations(
    stage: &Stage<'_>,
    network: &Network,
    layer: &Layer,
    [n_filters, height, width]: [usize; 3],
    params: &ExtractParams,
) -> Result<Array4<f32>> {
    let extractor = Extractor::prepare(network, std::slice::from_ref(layer), params)?;
    let clips = &stage.prepared.clips;
    let mut values = Vec::with_capacity(clips.n_rows() * n_filters * height * width);
    let sink = |block: consilience_models::Block<'_>| -> Result<()> {
        values.extend(block.rows.iter());
        Ok(())
    };
    extractor.run_clips(clips, 0..clips.n_rows(), sink, |_| {})?;
    let shape = (clips.n_rows(), n_filters, height, width);
    Ok(Array4::from_shape_vec(shape, values).expect("a layer has one shape"))
}
