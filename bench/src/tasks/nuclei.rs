//! Training of modules of nuclei on cached features.

use anyhow::{Context, Result};
use consilience::learn::train::{self, Arrays, TrainParams};
use consilience::models::graph::Tensor;
use consilience::models::nuclei::{Features, Variant};

use super::{Work, single};

pub(super) fn prepare(task: &str, inputs: &[&str]) -> Result<Option<Work>> {
    Ok(Some(match (task, inputs) {
        ("train-module", &[features, ratings, weights]) => epoch(features, ratings, weights)?,
        _ => return Ok(None),
    }))
}

/// One epoch of the released module with its dropout; the number is the mean loss of the samples, each at its step.
///
/// Weights come one after another in the order of their keys.
fn epoch(features: &str, ratings: &str, weights: &str) -> Result<Work> {
    let (features, ratings, weights) = (single(features)?, single(ratings)?, single(weights)?);
    let width = features.ncols();
    let nuclei = Variant::AnatomicalTransformer.nuclei(width);
    let module = nuclei.build(Features::Vector { width }, ratings.ncols())?;
    let mut flat = weights.iter().copied();
    let parameters = module.parameters.iter().map(|(key, shape)| {
        let values = flat.by_ref().take(shape.iter().product()).collect();
        let tensor = Tensor::from_vec(shape.clone(), values).context("too few weights")?;
        Ok((key.clone(), tensor))
    });
    let graph = module.with_weights(parameters.collect::<Result<_>>()?)?;
    let params = TrainParams {
        dropped: module.dropped.clone(),
        ..TrainParams::release2026()
    };
    // The rates of a whole training, of which one epoch is run.
    let steps = features.nrows().div_ceil(params.batch);
    let params = TrainParams {
        schedule: train::Schedule::Constant,
        warm_up: 5 * steps,
        epochs: 1,
        ..params
    };
    Ok(Box::new(move || {
        let samples = Arrays::new(features.view().into_dyn(), ratings.view())?;
        let trained = train::train(&graph, &samples, None, &params, None, |_| {})?;
        Ok(trained.history.iter().filter_map(|epoch| epoch.training).collect())
    }))
}
