//! A whole network with heads at its end.

use std::sync::{Mutex, PoisonError};

use consilience_learn::{Differentiable, Scalar};
use consilience_models::executor::{self, Executor};
use consilience_models::graph::Layout;
use consilience_models::{ExecutorChoice, Layer, Network};
use ndarray::{Array3, ArrayD, ArrayView3, ArrayView4, Axis, Ix3};

use super::inputs::same;
use super::read_out::features;
use super::{CutLayer, Object2BrainError, Pool};
use crate::Result;

/// A network whose ratings are read by heads from one of its last layers.
pub struct HeadedNetwork<'a> {
    network: &'a Network,
    differentiable: Differentiable,
    end: Layer,
    heads: CutLayer<'a>,
    /// For each run and head, the derivative of its sum with respect to the layer that it reads.
    derivatives: Vec<Vec<ArrayD<f32>>>,
    /// For each run, their mean over the heads.
    mean_derivatives: Vec<ArrayD<f32>>,
}

/// Activation of a layer for one picture, and gradients of the runs' sums with respect to it.
#[derive(Debug, Clone, PartialEq)]
pub struct LayerGradients {
    /// `(n_filters, h, w)`.
    pub activation: Array3<f32>,
    /// Of the same shape, for each run.
    pub gradients: Vec<Array3<f32>>,
}

impl<'a> HeadedNetwork<'a> {
    /// Heads that read the layer `end`, whose activation for one picture has the shape `shape`.
    ///
    /// # Errors
    ///
    /// [`ExperimentError::Count`](crate::ExperimentError::Count) of weights, and as [`CutScan::new`](super::CutScan::new) for the heads.
    pub fn new(
        network: &'a Network,
        end: Layer,
        shape: &[usize],
        heads: CutLayer<'a>,
    ) -> Result<Self> {
        let n_stimuli = heads.runs.first().map_or(0, |run| run.head_of.len());
        let n_positions: usize = shape.iter().skip(1).product();
        let n_filters = shape.first().copied().unwrap_or(0);
        heads.check([n_filters, n_positions, 1], n_stimuli)?;
        let of_head = |head: &crate::head::RatingHead| {
            let of_unit = |unit: usize| match heads.pool {
                Pool::Flat => head.weights[unit],
                Pool::Mean => head.weights[unit / n_positions] / n_positions as f32,
            };
            let values = (0..n_filters * n_positions).map(of_unit).collect();
            ArrayD::from_shape_vec(shape, values).expect("a derivative for each unit")
        };
        let of_run = |run: &crate::head::RunHeads| run.heads.iter().map(of_head).collect();
        let derivatives: Vec<Vec<ArrayD<f32>>> = heads.runs.iter().map(of_run).collect();
        let mean = |of_heads: &Vec<ArrayD<f32>>| {
            let sum = of_heads
                .iter()
                .fold(ArrayD::<f32>::zeros(shape), |sum, own| sum + own);
            sum / of_heads.len() as f32
        };
        Ok(Self {
            network,
            differentiable: Differentiable::new(network),
            end,
            heads,
            mean_derivatives: derivatives.iter().map(mean).collect(),
            derivatives,
        })
    }

    /// Gradients at `layers` for stimulus `idx`, whose picture is `image` as the preprocessing gives it.
    ///
    /// One pass forwards and one backwards for each run, for all layers at once.
    ///
    /// # Errors
    ///
    /// [`Object2BrainError::NoMap`] for a layer that is no map, and as [`Differentiable::gradients`].
    pub fn gradients(
        &self,
        idx: usize,
        image: ArrayView3<'_, f32>,
        layers: &[Layer],
    ) -> Result<Vec<LayerGradients>> {
        let runs = self.heads.runs.iter().zip(&self.derivatives);
        let own = runs.map(|(run, derivatives)| &derivatives[run.head_of[idx]]);
        self.of_derivatives(own, image, layers)
    }

    /// The same for a picture that is no stimulus, by the mean of the heads of each run.
    ///
    /// # Errors
    ///
    /// As [`HeadedNetwork::gradients`].
    pub fn gradients_elsewhere(
        &self,
        image: ArrayView3<'_, f32>,
        layers: &[Layer],
    ) -> Result<Vec<LayerGradients>> {
        self.of_derivatives(self.mean_derivatives.iter(), image, layers)
    }

    fn of_derivatives<'b>(
        &self,
        derivatives: impl Iterator<Item = &'b ArrayD<f32>>,
        image: ArrayView3<'_, f32>,
        layers: &[Layer],
    ) -> Result<Vec<LayerGradients>> {
        let mut found: Vec<LayerGradients> = Vec::with_capacity(layers.len());
        for derivative in derivatives {
            let scalar = Scalar::Linear {
                layer: &self.end,
                weights: derivative.view(),
            };
            let images = image.insert_axis(Axis(0));
            let of_run = self.differentiable.gradients(images, layers, &scalar)?;
            let of_layers = of_run.activations.into_iter().zip(of_run.gradients);
            for (layer_idx, (activation, gradient)) in of_layers.enumerate() {
                let gradient = self.map(&layers[layer_idx], gradient)?;
                match found.get_mut(layer_idx) {
                    Some(known) => known.gradients.push(gradient),
                    None => found.push(LayerGradients {
                        activation: self.map(&layers[layer_idx], activation)?,
                        gradients: vec![gradient],
                    }),
                }
            }
        }
        Ok(found)
    }

    /// One picture's map of a layer.
    fn map(&self, layer: &Layer, values: ArrayD<f32>) -> Result<Array3<f32>> {
        let shape = values.shape().to_vec();
        let is_map = self.network.graph.layout(&layer.tensor) == Layout::ChannelsFirst;
        let map = values
            .index_axis_move(Axis(0), 0)
            .into_dimensionality::<Ix3>();
        map.ok().filter(|_| is_map).ok_or_else(|| {
            Object2BrainError::NoMap {
                layer: layer.name.clone(),
                shape,
            }
            .into()
        })
    }

    /// The network after `layer`, whose activation for one picture has the shape `shape`.
    ///
    /// # Errors
    ///
    /// [`ModelError::Bypassed`](consilience_models::ModelError::Bypassed) for a layer that something bypasses, and what the executor says.
    pub fn rest(
        &self,
        layer: &Layer,
        shape: [usize; 3],
        executor: ExecutorChoice,
        n_threads: usize,
    ) -> Result<Rest<'a>> {
        let graph = self.network.graph.cut(&[&self.end.tensor]);
        let rest = graph.suffix(&layer.tensor, &shape)?;
        let (_, executors) = executor::load(executor, &rest, n_threads)?;
        Ok(Rest {
            executors: executors.into_iter().map(Mutex::new).collect(),
            heads: self.heads,
        })
    }
}

/// What follows a layer, ready to rate.
pub struct Rest<'a> {
    executors: Vec<Mutex<Box<dyn Executor>>>,
    heads: CutLayer<'a>,
}

impl Rest<'_> {
    /// Ratings of the stimuli from `first` (0-based) on by one run (0-based), from their activations `(n, n_filters, h, w)`.
    ///
    /// # Errors
    ///
    /// What the executor says; [`ExperimentError::Count`](crate::ExperimentError::Count) of stimuli or features.
    pub fn rate(
        &self,
        run: usize,
        first: usize,
        activations: ArrayView4<'_, f32>,
    ) -> Result<Vec<f64>> {
        let run = &self.heads.runs[run];
        let n_given = activations.len_of(Axis(0));
        let n_left = run.head_of.len().saturating_sub(first);
        same("stimuli from the first on", n_given.min(n_left), n_given)?;
        // Each thread keeps to one executor as far as there are enough.
        let own = rayon::current_thread_index().unwrap_or(0) % self.executors.len();
        let executor = &self.executors[own];
        // On a thread that is none of rayon's: one of these would take up another lesion while it waits for the executor's own threads, and wait for
        // the lock that it holds.
        let pass = || {
            let mut executor = executor.lock().unwrap_or_else(PoisonError::into_inner);
            executor.run(activations)
        };
        let ran = std::thread::scope(|scope| scope.spawn(pass).join());
        let ran = ran.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        let output = ran?.into_iter().next().flatten();
        let output = output.ok_or_else(|| Object2BrainError::NoMap {
            layer: "that the heads read".to_owned(),
            shape: Vec::new(),
        })?;
        let n_stimuli = output.len_of(Axis(0));
        same("stimuli of the pass", n_given, n_stimuli)?;
        let rate = |(idx, values): (usize, ndarray::ArrayViewD<'_, f32>)| {
            let n_filters = values.shape().first().copied().unwrap_or(1);
            let n_positions = values.len() / n_filters.max(1);
            let values: Vec<f32> = values.iter().copied().collect();
            let map = Array3::from_shape_vec((n_filters, n_positions, 1), values)
                .expect("as many values as there are");
            let features = features(map.view(), self.heads.pool);
            let head = run.of(first + idx);
            Ok(head.output.of(head.sum(ndarray::aview1(&features))?))
        };
        output.outer_iter().enumerate().map(rate).collect()
    }
}
