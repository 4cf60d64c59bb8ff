//! Networks: extraction, forward passes, gradients, files of weights.

use std::path::Path;
use std::thread;

use anyhow::{Context, Result};
use consilience::io::image;
use consilience::io::weights::Weights;
use consilience::learn::{Differentiable, Scalar};
use consilience::models::executor::{self, Executor, Operations};
use consilience::models::preprocess::Resize;
use consilience::models::{ExtractParams, Extractor, Images, ModelError, Network, Preprocessing};
use ndarray::{Array2, Array4, ArrayD, ArrayView4, Axis, s, stack};

use super::Work;

pub(super) fn prepare(task: &str, inputs: &[&str]) -> Result<Option<Work>> {
    Ok(Some(match (task, inputs) {
        ("extract", &[weights, images, executor, threads]) => {
            extract(weights, images, executor, threads.parse()?)?
        }
        ("forward", &[name, weights, images, layer, executor, threads]) => {
            forward(name, weights, images, layer, executor, threads.parse()?)?
        }
        ("gradcam", &[name, weights, images, layers]) => gradcam(name, weights, images, layers)?,
        ("weights-file", &[file]) => weights_file(file),
        _ => return Ok(None),
    }))
}

/// All layers of SqueezeNet 1.1, kept in memory; the numbers are the means of the first picture.
///
/// Loading the executor belongs to each call: an extractor serves one run.
fn extract(weights: &str, images: &str, executor: &str, n_threads: usize) -> Result<Work> {
    let network = Network::from_zoo("squeezenet1_1", Path::new(weights))?;
    let layers = network.select(&["*"])?;
    let images = consilience::study::pictures_in(Path::new(images)).context("no pictures")?;
    let params = ExtractParams {
        executor: executor.parse()?,
        n_threads,
        ..ExtractParams::default()
    };
    let mut kept: Vec<Array2<f32>> = Vec::new();
    Ok(Box::new(move || {
        let extractor = Extractor::prepare(&network, &layers, &params)?;
        let (sizes, is_new): (Vec<usize>, Vec<bool>) = extractor
            .layers
            .iter()
            .map(|layer| (layer.n_features, layer.alias_of.is_none()))
            .unzip();
        if kept.is_empty() {
            let rows = |is_new| if is_new { images.len() } else { 0 };
            kept = (sizes.iter().zip(&is_new))
                .map(|(&n_features, &is_new)| Array2::zeros((rows(is_new), n_features)))
                .collect();
        }
        extractor.run(
            Images::Files(&images),
            |block| {
                let rows = block.first_row..block.first_row + block.rows.nrows();
                kept[block.layer_idx]
                    .slice_mut(s![rows, ..])
                    .assign(&block.rows);
                Ok::<(), ModelError>(())
            },
            |_| {},
        )?;
        // The first image's mean says that the numbers are the same; more would be timed as well.
        let firsts = kept.iter().zip(&is_new).filter(|(_, is_new)| **is_new);
        Ok(firsts
            .map(|(layer, _)| {
                let row = layer.row(0);
                row.iter().map(|&v| f64::from(v)).sum::<f64>() / row.len() as f64
            })
            .collect())
    }))
}

/// One batch of pictures in memory through a network to one layer; the numbers are the layer's means.
///
/// The network is loaded outside the clock, and each thread takes its share of the batch, as in an
/// extraction.
fn forward(
    name: &str,
    weights: &str,
    images: &str,
    layer: &str,
    executor: &str,
    n_threads: usize,
) -> Result<Work> {
    let network = Network::from_zoo(name, Path::new(weights))?;
    let chosen = network.select(&[layer])?;
    let tensor = &chosen.first().context("no such layer")?.tensor;
    // The whole network runs, as it does in PyTorch; cut off at the layer it would be faster.
    let outputs: Vec<&str> = [tensor]
        .into_iter()
        .chain(&network.graph.outputs)
        .map(String::as_str)
        .collect();
    let graph = network.graph.cut(&outputs);
    let (_, mut executors) =
        executor::load_with(executor.parse()?, Operations::Fused, &graph, n_threads)?;
    let batch = as_they_are(&network, images)?;
    let share = batch.dim().0.div_ceil(executors.len());
    Ok(Box::new(move || {
        let outputs: Vec<Vec<f64>> = thread::scope(|scope| {
            let running: Vec<_> = executors
                .iter_mut()
                .zip(batch.axis_chunks_iter(Axis(0), share))
                .map(|(executor, share)| scope.spawn(move || means(executor.as_mut(), share)))
                .collect();
            running
                .into_iter()
                .map(|thread| thread.join().expect("a forward pass does not panic"))
                .collect::<Result<_>>()
        })?;
        Ok(outputs.concat())
    }))
}

/// Grad-CAM of pictures in memory for several layers in one pass; the numbers are the means of the maps.
fn gradcam(name: &str, weights: &str, images: &str, layers: &str) -> Result<Work> {
    let network = Network::from_zoo(name, Path::new(weights))?;
    let patterns: Vec<&str> = layers.split(',').collect();
    let layers = network.select(&patterns)?;
    let batch = as_they_are(&network, images)?;
    let differentiable = Differentiable::new(&network);
    Ok(Box::new(move || {
        let found = differentiable.gradients(batch.view(), &layers, &Scalar::MaxClass)?;
        let layers = found.activations.iter().zip(&found.gradients);
        Ok(layers.map(|(a, g)| mean_of_maps(a, g)).collect())
    }))
}

/// Mean over pictures of ReLU(Σ α A), where α is the mean of a channel's gradient.
fn mean_of_maps(activations: &ArrayD<f32>, gradients: &ArrayD<f32>) -> f64 {
    let pictures = activations.outer_iter().zip(gradients.outer_iter());
    let means = pictures.map(|(activations, gradients)| {
        let mut map = Array2::<f64>::zeros((activations.shape()[1], activations.shape()[2]));
        for (channel, gradient) in activations.outer_iter().zip(gradients.outer_iter()) {
            let alpha = gradient.iter().map(|&v| f64::from(v)).sum::<f64>() / gradient.len() as f64;
            for (sum, &value) in map.iter_mut().zip(&channel) {
                *sum += alpha * f64::from(value);
            }
        }
        map.iter().map(|&v| v.max(0.0)).sum::<f64>() / map.len() as f64
    });
    means.sum::<f64>() / activations.shape()[0] as f64
}

/// A file of weights into memory; the numbers are the means of the first tensors by name.
fn weights_file(file: &str) -> Work {
    let file = file.to_owned();
    Box::new(move || {
        let weights = Weights::read(&file)?;
        let tensors = weights.tensors().iter().take(3);
        Ok(tensors
            .map(|(_, t)| t.iter().map(|&v| f64::from(v)).sum::<f64>() / t.len() as f64)
            .collect())
    })
}

/// A network's preprocessing for pictures that have its size.
pub(super) fn keeping_size(network: &Network) -> Preprocessing {
    Preprocessing {
        resize: Resize::Keep,
        crop: None,
        ..network.preprocessing.clone()
    }
}

/// Pictures of the network's size, normalised.
pub(super) fn as_they_are(network: &Network, images: &str) -> Result<Array4<f32>> {
    let images = consilience::study::pictures_in(Path::new(images)).context("no pictures")?;
    let preprocessing = keeping_size(network);
    let pictures: Vec<_> = images
        .iter()
        .map(|path| preprocessing.apply(&image::read(path)?).map_err(Into::into))
        .collect::<Result<_>>()?;
    let views: Vec<_> = pictures.iter().map(|picture| picture.view()).collect();
    Ok(stack(Axis(0), &views)?)
}

/// Mean of the layer for each picture.
fn means(executor: &mut dyn Executor, pictures: ArrayView4<'_, f32>) -> Result<Vec<f64>> {
    let outputs = executor.run(pictures)?;
    let layer = outputs.into_iter().next().flatten().context("no output")?;
    Ok(layer
        .outer_iter()
        .map(|picture| picture.iter().map(|&v| f64::from(v)).sum::<f64>() / picture.len() as f64)
        .collect())
}
