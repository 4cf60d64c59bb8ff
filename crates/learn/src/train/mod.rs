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
//! [pieces](TrainParams::piece) of samples in their order.
//!
//! # Modules of nuclei
//!
//! A [module](consilience_models::nuclei) begins with [`torch_weights`] and is trained with [`TrainParams::paper2025`] or
//! [`TrainParams::release2026`]:
//!
//! ```
//! use consilience_learn::train::{self, Arrays, TrainParams};
//! use consilience_models::nuclei::{Features, Variant};
//! use ndarray::Array2;
//!
//! let features = Array2::from_shape_fn((12, 8), |(i, j)| ((3 * i + 5 * j) % 7) as f32 / 7.0);
//! let ratings = Array2::from_shape_fn((12, 2), |(i, j)| 1.0 + ((i + j) % 8) as f32);
//! let samples = Arrays::new(features.view().into_dyn(), ratings.view())?;
//!
//! let module = Variant::AnatomicalLinear.nuclei(8).build(Features::Vector { width: 8 }, 2)?;
//! let weights = train::torch_weights(&module.parameters, &module.copies, 1);
//! let graph = module.with_weights(weights)?;
//! let params = TrainParams {
//!     dropped: module.dropped.clone(),
//!     epochs: 2,
//!     ..TrainParams::release2026()
//! };
//! let trained = train::train(&graph, &samples, Some(&samples), &params, None, |_| {})?;
//! assert_eq!(trained.history.len(), 3);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Not here
//!
//! Batch normalisation keeps its statistics. What is dropped at random is named ([`TrainParams::dropout`],
//! [`TrainParams::dropped`]); an operator `Dropout` of a graph does nothing.

mod checkpoint;
mod dropout;
mod frequency;
mod linear;
mod loss;
mod masks;
mod optimizer;
mod outputs;
mod parameters;
mod params;
mod presets;
mod rows;
mod samples;
mod schedule;
mod select;
mod start;
mod task;

use std::collections::BTreeMap;
use std::path::Path;

use consilience_models::Graph;
use consilience_models::graph::Tensor as Constant;
use consilience_stats::random::{Domain, Stream};
use ndarray::ArrayD;
use serde::{Deserialize, Serialize};

use crate::error::{LearnError, Result};
use checkpoint::Checkpoints;
use dropout::Dropped;
use parameters::Parameters;
use task::Task;

pub use frequency::{Frequencies, frequency_weights};
pub use loss::Loss;
pub use optimizer::Optimizer;
pub use outputs::{Distance, OutputLoss, Phase};
pub use params::TrainParams;
pub use rows::outputs;
pub use samples::{Arrays, Samples, hold_out, one_hot};
pub use schedule::Schedule;
pub use select::Selection;
pub use start::{initial_weights, perceptron, torch_weights};

/// Losses of an epoch.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Epoch {
    /// Which one; 0 is before training.
    pub epoch: usize,
    /// Mean loss of the samples, each at its step; `None` before training.
    pub training: Option<f64>,
    /// Mean loss of the validation samples after the epoch, if there are any; weights of outputs are those of the epoch.
    pub validation: Option<f64>,
    /// With [`Selection::MostExplained`], the mean over outputs of r² over the validation samples.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub explained: Option<f64>,
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
    /// All weights by key: those after the epoch that [`TrainParams::selection`] takes (the first of equal
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
/// targets do not fit outputs, [`LearnError::Diverged`] when a loss or a weight is not finite (the checkpoints of the
/// epochs before stay), [`LearnError::Checkpoint`] for a folder of another training, and what stands in the way of an
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
        "weights": parameters.iter().map(|(key, p)| (key, p.shape())).collect::<BTreeMap<_, _>>(),
    });
    let checkpoints = checkpoints.map(|folder| Checkpoints::new(folder, settings));
    let resumed = match &checkpoints {
        Some(checkpoints) => checkpoints.resume(&mut parameters)?,
        None => None,
    };
    let validate = |epoch: usize, parameters: &Parameters| match validation {
        Some(samples) => task.validate(samples, epoch, parameters).map(Some),
        None => Ok(None),
    };
    let best_epoch = |history: &[Epoch]| params.selection.best(history);
    let mut best: Option<(usize, Parameters)> = None;
    let (mut step, mut history) = match resumed {
        Some(resumed) => (resumed.step, resumed.epochs),
        None => {
            let before = Epoch::after(0, None, validate(0, &parameters)?);
            if let Some(checkpoints) = &checkpoints {
                checkpoints.write(&parameters, &fixed, 0, &[before])?;
            }
            progress(Progress::Epoch(before));
            (0, vec![before])
        }
    };
    if let Some(checkpoints) = checkpoints.as_ref().filter(|_| history.len() > 1) {
        let mut of_best = parameters::without_moments(&parameters);
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
    let steps_per_epoch = training.len().div_ceil(params.batch);
    let n_steps = params.epochs * steps_per_epoch;
    let stops = |history: &[Epoch]| {
        params
            .selection
            .is_out_of_patience(history, params.patience)
    };
    while history.len() <= params.epochs && !stops(&history) {
        let epoch = history.len() - 1;
        if validation.is_some() && best.is_none() {
            best = Some((epoch, parameters::without_moments(&parameters)));
        }
        let order: Vec<usize> = if params.shuffle {
            Stream::new(params.seed, Domain::Training, epoch as u64).permutation(training.len())
        } else {
            (0..training.len()).collect()
        };
        training.prepare(epoch)?;
        let mut sum = 0.0;
        let mut rate = 0.0;
        for batch in order.chunks(params.batch) {
            let done = usize::try_from(step).unwrap_or(usize::MAX);
            rate = params.rate(done, steps_per_epoch);
            let (loss, pieces) = task.gradients(training, epoch, batch, &parameters)?;
            if !loss.is_finite() {
                return Err(diverged(epoch + 1, rate));
            }
            sum += loss * batch.len() as f64;
            step += 1;
            params.optimizer.step(&mut parameters, &pieces, step, rate);
            progress(Progress::Step {
                step: done,
                n_steps,
                loss,
            });
        }
        let validated = validate(epoch, &parameters)?;
        let is_finite = validated.is_none_or(|(loss, _)| loss.is_finite());
        if !(is_finite && parameters::are_finite(&parameters)) {
            return Err(diverged(epoch + 1, rate));
        }
        let training = sum / training.len() as f64;
        let after = Epoch::after(epoch + 1, Some(training), validated);
        history.push(after);
        if let Some(checkpoints) = &checkpoints {
            checkpoints.write(&parameters, &fixed, step, &history)?;
        }
        if best_epoch(&history) == epoch + 1 && validation.is_some() {
            best = Some((epoch + 1, parameters::without_moments(&parameters)));
        }
        progress(Progress::Epoch(after));
    }
    let (epoch, of_best) = match best.filter(|_| validation.is_some()) {
        Some(best) => best,
        None => (history.len() - 1, parameters),
    };
    let mut weights = fixed;
    for (key, parameter) in of_best {
        weights.insert(key, parameter.into_array());
    }
    Ok(Trained {
        weights,
        epoch,
        history,
    })
}

fn diverged(epoch: usize, learning_rate: f64) -> LearnError {
    LearnError::Diverged {
        epoch,
        learning_rate,
    }
}

impl Epoch {
    /// `validated` is the loss and the explained share of validation samples.
    fn after(epoch: usize, training: Option<f64>, validated: Option<(f64, Option<f64>)>) -> Self {
        Self {
            epoch,
            training,
            validation: validated.map(|(loss, _)| loss),
            explained: validated.and_then(|(_, explained)| explained),
        }
    }
}
