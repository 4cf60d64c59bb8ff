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
mod loss;
mod optimizer;
mod params;
mod samples;
mod schedule;
mod start;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use burn_backend::ops::FloatTensorOps;
use consilience_models::Graph;
use consilience_models::graph::Tensor as Constant;
use consilience_stats::random::{Domain, Stream};
use ndarray::{Array2, ArrayD, ArrayView1, ArrayViewD, Axis, Ix2, IxDyn, Slice, concatenate};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::error::{LearnError, Result};
use crate::interpret::{Program, guard};
use crate::value::{Ad, Precision, Tensor, Value, array, tensor};
use checkpoint::Checkpoints;
use dropout::Dropped;

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
    let task = Task::new(graph, params)?;
    let (mut parameters, fixed) = task.parameters()?;
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

/// A graph with its loss.
struct Task<'a> {
    program: Program,
    output: String,
    graph: &'a Graph,
    params: &'a TrainParams,
}

impl<'a> Task<'a> {
    fn new(graph: &'a Graph, params: &'a TrainParams) -> Result<Self> {
        let output = graph.outputs.first().cloned();
        Ok(Self {
            program: Program::new(graph, Precision::Single),
            output: output.ok_or(LearnError::NothingToTrain { what: "output" })?,
            graph,
            params,
        })
    }

    /// The trained weights, and the others.
    fn parameters(&self) -> Result<(Parameters, BTreeMap<String, ArrayD<f32>>)> {
        // Batch normalisation reads its mean and variance as inputs 3 and 4.
        let statistics: BTreeSet<&str> = self
            .graph
            .nodes
            .iter()
            .filter(|node| node.op == "BatchNormalization")
            .flat_map(|node| node.inputs.iter().skip(3).map(String::as_str))
            .collect();
        let mut trained = Parameters::new();
        let mut fixed = BTreeMap::new();
        for (key, constant) in &self.graph.initialisers {
            let Some(values) = constant.to_f32() else {
                continue;
            };
            let shape = constant.shape().to_vec();
            if self.params.trains(key) && !statistics.contains(key.as_str()) {
                let zeros = || vec![0.0; values.len()];
                let moments = [zeros(), zeros()];
                let parameter = Parameter {
                    shape,
                    values,
                    moments,
                };
                trained.insert(key.clone(), parameter);
            } else {
                let array = ArrayD::from_shape_vec(IxDyn(&shape), values);
                fixed.insert(key.clone(), array.expect("a constant fills its shape"));
            }
        }
        if trained.is_empty() {
            return Err(LearnError::NothingToTrain { what: "weight" });
        }
        Ok((trained, fixed))
    }

    /// Mean loss of a batch and its derivatives; weights that the output does not depend on have none.
    fn gradients(
        &self,
        samples: &dyn Samples,
        epoch: usize,
        batch: &[usize],
        parameters: &Parameters,
    ) -> Result<(f64, BTreeMap<String, Vec<f32>>)> {
        let pieces = batch
            .par_chunks(PIECE)
            .map(|piece| self.piece(samples, epoch, piece, parameters, batch.len()))
            .collect::<Result<Vec<_>>>()?;
        let mut loss = 0.0;
        let mut sums: BTreeMap<String, Vec<f32>> = BTreeMap::new();
        for (part, gradients) in pieces {
            loss += part;
            for (key, gradient) in gradients {
                match sums.get_mut(&key) {
                    Some(sum) => sum.iter_mut().zip(&gradient).for_each(|(s, g)| *s += g),
                    None => {
                        sums.insert(key, gradient);
                    }
                }
            }
        }
        Ok((loss, sums))
    }

    fn piece(
        &self,
        samples: &dyn Samples,
        epoch: usize,
        piece: &[usize],
        parameters: &Parameters,
        n_batch: usize,
    ) -> Result<(f64, BTreeMap<String, Vec<f32>>)> {
        let leaves: BTreeMap<String, Tensor> = self
            .tensors(parameters)
            .into_iter()
            .map(|(key, tensor)| (key, tensor.require_grad()))
            .collect();
        let (output, targets) = self.forward(samples, epoch, piece, &leaves)?;
        let rows = rows(&self.output, &output, piece.len())?;
        let mut derivative = rows.clone();
        let mut loss = 0.0;
        let share = 1.0 / n_batch as f64;
        for (((row, target), &idx), mut slope) in rows
            .outer_iter()
            .zip(&targets)
            .zip(piece)
            .zip(derivative.outer_iter_mut())
        {
            let (value, of_row) = self.params.loss.evaluate(row, target.view())?;
            let weight = f64::from(samples.weight(idx)) * share;
            loss += value * weight;
            slope.assign(&of_row.mapv(|d| (f64::from(d) * weight) as f32));
        }
        let seed = tensor(derivative.view().into_dyn(), Precision::Single);
        let seed = Ad::float_reshape(seed, crate::value::shape(&output).into());
        let sum = Ad::float_sum(Ad::float_mul(output, seed));
        if !sum.is_tracked() {
            return Ok((loss, BTreeMap::new()));
        }
        let gradients = guard(|| sum.backward());
        let gradients = gradients.map_err(|reason| LearnError::Backward { reason })?;
        let of_leaves = leaves.iter().filter_map(|(key, leaf)| {
            let gradient = array(leaf.grad(&gradients)?);
            Some((key.clone(), gradient.into_iter().collect()))
        });
        Ok((loss, of_leaves.collect()))
    }

    fn mean_loss(&self, samples: &dyn Samples, parameters: &Parameters) -> Result<f64> {
        let all: Vec<usize> = (0..samples.len()).collect();
        let sums = all
            .par_chunks(PIECE)
            .map(|piece| {
                let (output, targets) =
                    self.forward(samples, 0, piece, &self.tensors(parameters))?;
                let rows = rows(&self.output, &output, piece.len())?;
                let mut sum = 0.0;
                for ((row, target), &idx) in rows.outer_iter().zip(&targets).zip(piece) {
                    let value = self.params.loss.evaluate(row, target.view())?.0;
                    sum += value * f64::from(samples.weight(idx));
                }
                Ok(sum)
            })
            .collect::<Result<Vec<f64>>>()?;
        Ok(sums.iter().sum::<f64>() / all.len().max(1) as f64)
    }

    fn tensors(&self, parameters: &Parameters) -> BTreeMap<String, Tensor> {
        parameters
            .iter()
            .map(|(key, parameter)| {
                let values = ArrayView1::from(&parameter.values);
                let values = values.into_shape_with_order(IxDyn(&parameter.shape));
                let values = values.expect("values fill their shape");
                (key.clone(), tensor(values, Precision::Single))
            })
            .collect()
    }

    fn forward(
        &self,
        samples: &dyn Samples,
        epoch: usize,
        piece: &[usize],
        tensors: &BTreeMap<String, Tensor>,
    ) -> Result<(Tensor, Vec<ndarray::Array1<f32>>)> {
        let mut inputs = Vec::with_capacity(piece.len());
        let mut targets = Vec::with_capacity(piece.len());
        for &idx in piece {
            let (input, target) = samples.sample(epoch, idx)?;
            inputs.push(input);
            targets.push(target);
        }
        let views: Vec<_> = inputs.iter().map(|input| input.view()).collect();
        let stacked = ndarray::stack(Axis(0), &views).map_err(|_| LearnError::ShapeMismatch {
            what: "the input of a sample",
            expected: inputs[0].shape().to_vec(),
            found: inputs
                .last()
                .map(|input| input.shape().to_vec())
                .unwrap_or_default(),
        })?;
        let input = tensor(stacked.view(), Precision::Single);
        let wanted = [self.output.as_str()];
        let mut outputs = self
            .program
            .run(input, &wanted, tensors, |_, tensor| tensor)?;
        match outputs.pop() {
            Some(Value::Real(output)) => Ok((output, targets)),
            _ => Err(LearnError::NotAPattern {
                layer: self.output.clone(),
            }),
        }
    }
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
