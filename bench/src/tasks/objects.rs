//! Objects: sensitivities of filters to classes, lesions of inner layers.

use std::path::Path;
use std::thread;

use anyhow::{Context, Result};
use consilience::learn::LearnError;
use consilience::learn::gradcam::{Filters, GradCam, GradCamParams};
use consilience::methods::objects::{
    Cut, DetectedObject, FilterSensitivity, PictureBox, SelectParams, SensitivityParams,
};
use consilience::models::executor;
use consilience::models::{ExecutorChoice, Images, Layer, Network};
use consilience_experiments::head::{HeadOutput, RatingHead, RunHeads};
use consilience_experiments::object2brain::{
    Category, CutLayer, HeadedNetwork, Object2BrainParams, ObjectInputs, PictureObjects, Pool,
    WholeScan,
};
use ndarray::{Array2, Array3, Array4, ArrayViewD};

use super::networks::{as_they_are, keeping_size};
use super::{Work, matrix};

/// Classes of the boxes.
const N_CLASSES: usize = 5;

pub(super) fn prepare(task: &str, inputs: &[&str]) -> Result<Option<Work>> {
    Ok(Some(match (task, inputs) {
        ("sensitivity", &[name, weights, images, layers, boxes]) => {
            sensitivity(name, weights, images, layers, boxes)?
        }
        ("lesions", &[name, weights, images, layer, end, n_lesions]) => lesions(
            Inner::new(name, weights, images, [layer, end])?,
            n_lesions.parse()?,
        )?,
        ("suffix", &[name, weights, images, layer, end, n_passes]) => suffix(
            Inner::new(name, weights, images, [layer, end])?,
            n_passes.parse()?,
        )?,
        _ => return Ok(None),
    }))
}

/// Sensitivity of each filter of several layers to each class; the numbers are all of them.
fn sensitivity(name: &str, weights: &str, images: &str, layers: &str, boxes: &str) -> Result<Work> {
    let mut network = Network::from_zoo(name, Path::new(weights))?;
    network.preprocessing = keeping_size(&network);
    let patterns: Vec<&str> = layers.split(',').collect();
    let layers = network.select(&patterns)?;
    let files = consilience::study::pictures_in(Path::new(images)).context("no pictures")?;
    let pictures: Vec<_> = (files.iter())
        .map(consilience::io::image::read)
        .collect::<std::result::Result<_, _>>()?;
    let mut objects: Vec<Vec<DetectedObject>> = vec![Vec::new(); pictures.len()];
    for row in matrix(boxes)?.rows() {
        objects[row[0] as usize].push(DetectedObject {
            class: row[1] as usize,
            bounds: PictureBox::new(row[2], row[3], row[4], row[5]),
            score: 1.0,
        });
    }
    let params = GradCamParams {
        filters: Some(Filters::Positive),
        ..GradCamParams::default()
    };
    let cam = GradCam::prepare(&network, &layers, &params)?;
    Ok(Box::new(move || {
        let mut found: Vec<FilterSensitivity> = (cam.layers.iter())
            .map(|layer| {
                FilterSensitivity::new(layer.n_channels, N_CLASSES, SensitivityParams::default())
            })
            .collect::<std::result::Result<_, _>>()?;
        let size = [pictures[0].width as f64, pictures[0].height as f64];
        let mut failed = None;
        cam.run(
            Images::Decoded(&pictures),
            |block| {
                let of_layer = &mut found[block.layer_idx];
                let added = of_layer.add(block.maps, size, &objects[block.image_idx]);
                failed = failed.take().or(added.err());
                Ok::<(), LearnError>(())
            },
            |_| {},
        )?;
        if let Some(error) = failed {
            return Err(error.into());
        }
        let values = found.iter().flat_map(|layer| layer.means().into_iter());
        values.map(|v| v.context("a class without a box")).collect()
    }))
}

/// A network, two of its layers, and its pictures' activations at the first.
struct Inner {
    network: Network,
    layer: Layer,
    end: Layer,
    activations: Array4<f32>,
    /// `(n_filters, h, w)` of the second.
    end_shape: Vec<usize>,
}

impl Inner {
    fn new(name: &str, weights: &str, images: &str, layers: [&str; 2]) -> Result<Self> {
        let network = Network::from_zoo(name, Path::new(weights))?;
        let find = |name: &str| -> Result<Layer> {
            let found = network.select(&[name])?;
            found.first().cloned().context("no such layer")
        };
        let (layer, end) = (find(layers[0])?, find(layers[1])?);
        let graph = network.graph.cut(&[&layer.tensor, &end.tensor]);
        let (_, mut executors) = executor::load(ExecutorChoice::Rten, &graph, 1)?;
        let outputs = executors[0].run(as_they_are(&network, images)?.view())?;
        let [activations, ends] = <[_; 2]>::try_from(outputs).ok().context("two outputs")?;
        let activations = activations.context("no output")?.into_dimensionality()?;
        let end_shape = ends.context("no output")?.shape()[1..].to_vec();
        Ok(Self {
            network,
            layer,
            end,
            activations,
            end_shape,
        })
    }

    /// What a head makes of a filter's mean.
    fn weights(&self) -> Vec<f32> {
        (0..self.end_shape[0])
            .map(|k| (k % 7) as f32 - 3.0)
            .collect()
    }
}

/// Lesions of a category's filters and of random ones in an inner layer, with a pass through the rest of the network for each; the
/// numbers are the intact ratings.
fn lesions(inner: Inner, n_lesions: usize) -> Result<Work> {
    let (n, n_filters, height, width) = inner.activations.dim();
    let shape = [n_filters, height, width];
    let runs = [RunHeads {
        heads: vec![RatingHead {
            weights: inner.weights(),
            bias: 0.0,
            output: HeadOutput::Linear,
        }],
        head_of: vec![0; n],
    }];
    let object = DetectedObject {
        class: 0,
        bounds: PictureBox::new(20.0, 20.0, 120.0, 120.0),
        score: 1.0,
    };
    let picture = PictureObjects {
        size: [224.0; 2],
        objects: vec![object],
    };
    let pictures = vec![picture; n];
    let classes = ["object".to_owned()];
    let categories = [Category {
        name: "objects".to_owned(),
        classes: vec![0],
    }];
    let targets = Array2::from_shape_fn((1, n), |(_, i)| (i * i % 7) as f64);
    let subsets = Array2::from_elem((1, n), true);
    let params = Object2BrainParams {
        select: SelectParams {
            cut: Cut::TopShare(0.1),
            ..SelectParams::default()
        },
        // The intact network and the category's own lesion are a pass each.
        random_sets: n_lesions - 2,
        permutations: 0,
        ..Object2BrainParams::default()
    };
    let n_threads = thread::available_parallelism()?.get();
    Ok(Box::new(move || {
        let heads = CutLayer {
            runs: &runs,
            pool: Pool::Mean,
        };
        let end = inner.end.clone();
        let headed = HeadedNetwork::new(&inner.network, end, &inner.end_shape, heads)?;
        let rest = headed.rest(&inner.layer, shape, ExecutorChoice::Rten, n_threads)?;
        let inputs = ObjectInputs {
            classes: &classes,
            categories: &categories,
            pictures: &pictures,
            targets: targets.view(),
            subsets: subsets.view(),
        };
        let mut scan = WholeScan::new(1, shape, inputs, params)?;
        let gradient = Array3::<f32>::ones(shape);
        for activation in inner.activations.outer_iter() {
            scan.add(activation, &[gradient.view()])?;
        }
        let outcome = scan.finish(inner.activations.view(), &|run, first, activations| {
            rest.rate(run, first, activations)
        })?;
        Ok(outcome.intact.into_iter().collect())
    }))
}

/// As many passes through the rest of the network and nothing else; the numbers are the same.
fn suffix(inner: Inner, n_passes: usize) -> Result<Work> {
    let (_, n_filters, height, width) = inner.activations.dim();
    let n_threads = thread::available_parallelism()?.get();
    let weights = inner.weights();
    Ok(Box::new(move || {
        let graph = inner.network.graph.cut(&[&inner.end.tensor]);
        let rest = graph.suffix(&inner.layer.tensor, &[n_filters, height, width])?;
        let (_, mut executors) = executor::load(ExecutorChoice::Rten, &rest, n_threads)?;
        let share = n_passes.div_ceil(executors.len());
        let activations = inner.activations.view();
        let last = thread::scope(|scope| {
            let running: Vec<_> = (executors.iter_mut())
                .map(|executor| {
                    scope.spawn(move || {
                        for _ in 1..share {
                            executor.run(activations)?;
                        }
                        executor.run(activations)
                    })
                })
                .collect();
            let mut done = running.into_iter().map(|thread| thread.join());
            let last = done.next_back().context("no executor")?;
            Ok::<_, anyhow::Error>(last.expect("a pass does not panic")?)
        })?;
        let output = last.into_iter().next().flatten().context("no output")?;
        let rating = |picture: ArrayViewD<'_, f32>| {
            let filters = picture.outer_iter().zip(&weights);
            filters
                .map(|(map, &weight)| {
                    let sum: f64 = map.iter().map(|&v| f64::from(v)).sum();
                    f64::from(weight) * sum / map.len() as f64
                })
                .sum()
        };
        Ok(output.outer_iter().map(rating).collect())
    }))
}
