//! Training of heads, small modules and networks.
//!
//! What is trained is a [`Graph`]: [`perceptron`] makes heads for cached features, and any network can
//! be trained end to end, all of it or the weights that are named. [`train`] minimises a [`Loss`] over
//! [`Samples`].
//!
//! # Same bytes
//!
//! The same graph, samples and parameters give the same bytes for any number of threads, and so does a
//! training that was interrupted and goes on from its checkpoints: a step's gradient is the sum over
//! pieces of eight samples in their order.
//!
//! # Not here
//!
//! Batch normalisation keeps its statistics, and only values of inputs are dropped at random
//! ([`TrainParams::dropout`]): layers do in training what they do afterwards.

mod checkpoint;
mod dropout;
mod frequency;
mod linear;
mod loss;
mod optimizer;
mod params;
mod samples;
mod schedule;
mod start;
mod task;

use std::collections::BTreeMap;
use std::path::Path;

use consilience_models::Graph;
use consilience_models::graph::Tensor as Constant;
use consilience_stats::random::{Domain, Stream};
use ndarray::{Array2, ArrayD, ArrayViewD, Axis, Ix2, IxDyn, Slice, concatenate};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::error::{LearnError, Result};
use crate::interpret::Program;
use crate::value::{Precision, Tensor, Value, array, tensor};
use checkpoint::Checkpoints;
use dropout::Dropped;
use task::Task;

pub use frequency::{Frequencies, frequency_weights};
pub use loss::Loss;
pub use optimizer::Optimizer;
pub use params::TrainParams;
pub use samples::{Arrays, Samples, hold_out, one_hot};
pub use schedule::Schedule;
pub use start::{initial_weights, perceptron};

/// Samples that go through the network together; part of the definition of a result's last bits.
const PIECE: usize = 8;

/// Losses of an epoch.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Epoch {
    /// Which one; 0 is before training.
    pub epoch: usize,
    /// Mean loss of the samples, each at its step; `None` before training.
    pub training: Option<f64>,
    /// Mean loss of the validation samples after the epoch, if there are any.
    pub validation: Option<f64>,
}

/// How far training is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Progress {
    /// A step is done.
    Step {
        /// Which one, from 0.
        step: usize,
        /// Number of steps when training does not stop early.
        n_steps: usize,
        /// Mean loss of its samples.
        loss: f64,
    },
    /// An epoch is done.
    Epoch(Epoch),
}

/// A network that has been trained.
#[derive(Debug, Clone, PartialEq)]
pub struct Trained {
    /// All weights by key: those after the epoch of the smallest validation loss (the first of equal
    /// ones), or after the last epoch without validation.
    pub weights: BTreeMap<String, ArrayD<f32>>,
    /// The epoch that they are from.
    pub epoch: usize,
    /// Losses of all epochs, from 0.
    pub history: Vec<Epoch>,
}

impl Trained {
    /// The network that was trained, with the weights that were found.
    #[must_use]
    pub fn network(&self, graph: &Graph) -> Graph {
        let mut graph = graph.clone();
        for (key, values) in &self.weights {
            let flat: Vec<f32> = values.iter().copied().collect();
            let constant = Constant::from_f32(values.shape().to_vec(), &flat);
            graph
                .initialisers
                .insert(key.clone(), constant.expect("weights fill their shape"));
        }
        graph
    }
}

/// What a network makes of inputs `(n, …)`: its first output, a row for each, whatever its axes.
///
/// # Errors
///
/// [`LearnError::NothingToTrain`] for a network without output, [`LearnError::NotAPattern`] when the
/// output is not a row for each input, and what stands in the way of an operation.
pub fn outputs(graph: &Graph, inputs: ArrayViewD<'_, f32>) -> Result<Array2<f32>> {
    let output = graph.outputs.first();
    let output = output.ok_or(LearnError::NothingToTrain { what: "output" })?;
    let program = Program::new(graph, Precision::Single);
    let n = inputs.shape().first().copied().unwrap_or(0);
    let pieces = (0..n.div_ceil(PIECE))
        .into_par_iter()
        .map(|idx| {
            let piece = idx * PIECE..n.min((idx + 1) * PIECE);
            let input = inputs.slice_axis(Axis(0), Slice::from(piece.clone()));
            let input = tensor(input, Precision::Single);
            let found = program.run(input, &[output], &BTreeMap::new(), |_, tensor| tensor)?;
            match found.into_iter().next() {
                Some(Value::Real(found)) => rows(output, &found, piece.len()),
                _ => Err(LearnError::NotAPattern {
                    layer: output.clone(),
                }),
            }
        })
        .collect::<Result<Vec<_>>>()?;
    let views: Vec<_> = pieces.iter().map(|piece| piece.view()).collect();
    match views.is_empty() {
        true => Ok(Array2::zeros((0, 0))),
        false => Ok(concatenate(Axis(0), &views).expect("rows of one network are equally long")),
    }
}

/// A trained tensor and the state of the optimiser.
#[derive(Clone)]
struct Parameter {
    shape: Vec<usize>,
    values: Vec<f32>,
    moments: [Vec<f32>; 2],
}

type Parameters = BTreeMap<String, Parameter>;

/// Trains the weights of `graph`.
///
/// # Shapes
///
/// The graph's first output is taken as one row of numbers for each sample, as many as the target has.
///
/// # Definition
///
/// Epoch by epoch, the samples (in an order drawn for the epoch when shuffled) are taken `batch` at a
/// time; a step follows the gradient of the mean of their losses, each times its
/// [weight](Samples::weight). With `checkpoints`, the weights before
/// training and after each epoch are written to that folder, and a training that was interrupted goes
/// on from there.
///
/// # Errors
///
/// [`LearnError::Parameter`], [`LearnError::NothingToTrain`], [`LearnError::ShapeMismatch`] when
/// targets do not fit outputs, [`LearnError::Diverged`] when a loss is not finite,
/// [`LearnError::Checkpoint`] for a folder of another training, and what stands in the way of an
/// operation.
///
/// # Example
///
/// ```
/// use consilience_learn::train::{self, Arrays, TrainParams};
/// use ndarray::{Array2, array};
///
/// let features = array![[0.0, 1.0], [1.0, 0.0], [1.0, 1.0], [0.0, 0.0]];
/// let ratings: Array2<f32> = array![[1.0], [2.0], [3.0], [0.0]];
/// let samples = Arrays::new(features.view().into_dyn(), ratings.view())?;
/// let params = TrainParams { learning_rate: 0.05, epochs: 300, ..TrainParams::default() };
/// let head = train::perceptron(&[2, 1], 1);
/// let trained = train::train(&head, &samples, None, &params, None, |_| {})?;
/// let weight = &trained.weights["0.weight"];
/// assert!((weight[[0, 0]] - 2.0).abs() < 0.05 && (weight[[0, 1]] - 1.0).abs() < 0.05);
/// # Ok::<(), consilience_learn::LearnError>(())
/// ```
pub fn train(
    graph: &Graph,
    training: &dyn Samples,
    validation: Option<&dyn Samples>,
    params: &TrainParams,
    checkpoints: Option<&Path>,
    mut progress: impl FnMut(Progress),
) -> Result<Trained> {
    params.validate()?;
    let (mut parameters, fixed) = task::parameters(graph, params)?;
    let task = Task::new(graph, params, &parameters)?;
    if training.is_empty() {
        return Err(LearnError::NothingToTrain { what: "sample" });
    }
    let settings = serde_json::json!({
        "params": params,
        "n_samples": training.len(),
        "n_validation": validation.map(|samples| samples.len()),
        "weights": parameters.iter().map(|(key, p)| (key, &p.shape)).collect::<BTreeMap<_, _>>(),
    });
    let checkpoints = checkpoints.map(|folder| Checkpoints::new(folder, settings));
    let resumed = match &checkpoints {
        Some(checkpoints) => checkpoints.resume(&mut parameters)?,
        None => None,
    };
    let validate = |parameters: &Parameters| match validation {
        Some(samples) => task.mean_loss(samples, parameters).map(Some),
        None => Ok(None),
    };
    let mut best: Option<(usize, Parameters)> = None;
    let (mut step, mut history) = match resumed {
        Some(resumed) => (resumed.step, resumed.epochs),
        None => {
            let before = Epoch {
                epoch: 0,
                training: None,
                validation: validate(&parameters)?,
            };
            if let Some(checkpoints) = &checkpoints {
                checkpoints.write(&parameters, &fixed, 0, &[before])?;
            }
            progress(Progress::Epoch(before));
            (0, vec![before])
        }
    };
    if let Some(checkpoints) = checkpoints.as_ref().filter(|_| history.len() > 1) {
        let mut of_best = parameters.clone();
        checkpoints.read_weights(best_epoch(&history), &mut of_best)?;
        best = Some((best_epoch(&history), of_best));
    }
    let dropped = Dropped {
        samples: training,
        share: params.dropout,
        seed: params.seed,
    };
    let training: &dyn Samples = match params.dropout > 0.0 {
        true => &dropped,
        false => training,
    };
    let n_steps = params.epochs * training.len().div_ceil(params.batch);
    while history.len() <= params.epochs && !out_of_patience(&history, params.patience) {
        let epoch = history.len() - 1;
        if validation.is_some() && best.is_none() {
            best = Some((epoch, parameters.clone()));
        }
        let order: Vec<usize> = if params.shuffle {
            Stream::new(params.seed, Domain::Training, epoch as u64).permutation(training.len())
        } else {
            (0..training.len()).collect()
        };
        let mut sum = 0.0;
        for batch in order.chunks(params.batch) {
            let (loss, gradients) = task.gradients(training, epoch, batch, &parameters)?;
            if !loss.is_finite() {
                return Err(LearnError::Diverged { epoch: epoch + 1 });
            }
            sum += loss * batch.len() as f64;
            let done = usize::try_from(step).unwrap_or(usize::MAX);
            let rate = params.rate(epoch, done, n_steps);
            step += 1;
            for (key, gradient) in gradients {
                let Some(parameter) = parameters.get_mut(&key) else {
                    continue;
                };
                params.optimizer.update(
                    &mut parameter.values,
                    &gradient,
                    &mut parameter.moments,
                    step,
                    rate,
                );
            }
            progress(Progress::Step {
                step: done,
                n_steps,
                loss,
            });
        }
        let after = Epoch {
            epoch: epoch + 1,
            training: Some(sum / training.len() as f64),
            validation: validate(&parameters)?,
        };
        history.push(after);
        if let Some(checkpoints) = &checkpoints {
            checkpoints.write(&parameters, &fixed, step, &history)?;
        }
        if best_epoch(&history) == epoch + 1 && validation.is_some() {
            best = Some((epoch + 1, parameters.clone()));
        }
        progress(Progress::Epoch(after));
    }
    let (epoch, of_best) = match best.filter(|_| validation.is_some()) {
        Some(best) => best,
        None => (history.len() - 1, parameters),
    };
    let mut weights = fixed;
    for (key, parameter) in of_best {
        let array = ArrayD::from_shape_vec(IxDyn(&parameter.shape), parameter.values);
        weights.insert(key, array.expect("values fill their shape"));
    }
    Ok(Trained {
        weights,
        epoch,
        history,
    })
}

/// The epoch of the smallest validation loss, the first of equal ones; the last without validation.
fn best_epoch(history: &[Epoch]) -> usize {
    let validated = history
        .iter()
        .filter_map(|e| Some((e.epoch, e.validation?)));
    match validated.reduce(|best, next| if next.1 < best.1 { next } else { best }) {
        Some((epoch, _)) => epoch,
        None => history.len() - 1,
    }
}

fn out_of_patience(history: &[Epoch], patience: Option<usize>) -> bool {
    patience.is_some_and(|patience| history.len() - 1 - best_epoch(history) >= patience.max(1))
}

/// An output as a row for each of `n` samples.
fn rows(layer: &str, output: &Tensor, n: usize) -> Result<Array2<f32>> {
    let values = array(output.primitive().clone());
    let n_values = values.len();
    let not_rows = || LearnError::NotAPattern {
        layer: layer.to_owned(),
    };
    if values.shape().first() != Some(&n) || n == 0 {
        return Err(not_rows());
    }
    let rows = values.into_shape_with_order(IxDyn(&[n, n_values / n]));
    let rows = rows.map_err(|_| not_rows())?;
    rows.into_dimensionality::<Ix2>().map_err(|_| not_rows())
}
