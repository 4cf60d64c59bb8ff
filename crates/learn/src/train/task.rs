//! Losses of batches and their derivatives by the trained weights.

use std::collections::{BTreeMap, BTreeSet};

use burn_backend::ops::FloatTensorOps;
use consilience_models::Graph;
use ndarray::{Array1, Array2, ArrayD, ArrayView1, Axis, IxDyn};
use rayon::prelude::*;

use super::linear::Linear;
use super::{PIECE, Parameter, Parameters, Samples, TrainParams, rows};
use crate::error::{LearnError, Result};
use crate::interpret::{Program, guard};
use crate::value::{Ad, Precision, Tensor, Value, array, tensor};

/// The trained weights, and the others.
pub(super) fn parameters(
    graph: &Graph,
    params: &TrainParams,
) -> Result<(Parameters, BTreeMap<String, ArrayD<f32>>)> {
    // Batch normalisation reads its mean and variance as inputs 3 and 4.
    let statistics: BTreeSet<&str> = graph
        .nodes
        .iter()
        .filter(|node| node.op == "BatchNormalization")
        .flat_map(|node| node.inputs.iter().skip(3).map(String::as_str))
        .collect();
    let mut trained = Parameters::new();
    let mut fixed = BTreeMap::new();
    for (key, constant) in &graph.initialisers {
        let Some(values) = constant.to_f32() else {
            continue;
        };
        let shape = constant.shape().to_vec();
        if params.trains(key) && !statistics.contains(key.as_str()) {
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

/// A graph with its loss.
pub(super) struct Task<'a> {
    program: Program,
    /// Takes the program's place for heads without hidden layers.
    linear: Option<Linear>,
    output: String,
    params: &'a TrainParams,
}

impl<'a> Task<'a> {
    pub fn new(graph: &Graph, params: &'a TrainParams, trained: &Parameters) -> Result<Self> {
        let output = graph.outputs.first().cloned();
        Ok(Self {
            program: Program::new(graph, Precision::Single),
            linear: Linear::of(graph, trained),
            output: output.ok_or(LearnError::NothingToTrain { what: "output" })?,
            params,
        })
    }

    /// Mean loss of a batch and its derivatives; weights that the output does not depend on have none.
    pub fn gradients(
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
        let (inputs, targets) = stacked(samples, epoch, piece)?;
        let judge = |rows: &Array2<f32>| self.judge(rows, &targets, samples, piece, n_batch);
        if let Some(linear) = &self.linear {
            let features = linear.features(inputs)?;
            let outputs = linear.outputs(features.view(), parameters);
            let (loss, slopes) = judge(&outputs)?;
            let gradients = linear.gradients(features.view(), &outputs, &slopes);
            return Ok((loss, gradients));
        }
        let leaves: BTreeMap<String, Tensor> = self
            .tensors(parameters)
            .into_iter()
            .map(|(key, tensor)| (key, tensor.require_grad()))
            .collect();
        let output = self.forward(&inputs, &leaves)?;
        let (loss, derivative) = judge(&rows(&self.output, &output, piece.len())?)?;
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

    /// Loss of a piece's outputs, its part of the batch's mean, and the derivatives by the outputs.
    fn judge(
        &self,
        outputs: &Array2<f32>,
        targets: &[Array1<f32>],
        samples: &dyn Samples,
        piece: &[usize],
        n_batch: usize,
    ) -> Result<(f64, Array2<f32>)> {
        let mut slopes = outputs.clone();
        let mut loss = 0.0;
        let share = 1.0 / n_batch as f64;
        for (((row, target), &idx), mut slope) in outputs
            .outer_iter()
            .zip(targets)
            .zip(piece)
            .zip(slopes.outer_iter_mut())
        {
            let (value, of_row) = self.params.loss.evaluate(row, target.view())?;
            let weight = f64::from(samples.weight(idx)) * share;
            loss += value * weight;
            slope.assign(&of_row.mapv(|d| (f64::from(d) * weight) as f32));
        }
        Ok((loss, slopes))
    }

    pub fn mean_loss(&self, samples: &dyn Samples, parameters: &Parameters) -> Result<f64> {
        let all: Vec<usize> = (0..samples.len()).collect();
        let sums = all
            .par_chunks(PIECE)
            .map(|piece| {
                let (inputs, targets) = stacked(samples, 0, piece)?;
                let rows = match &self.linear {
                    Some(linear) => linear.outputs(linear.features(inputs)?.view(), parameters),
                    None => {
                        let output = self.forward(&inputs, &self.tensors(parameters))?;
                        rows(&self.output, &output, piece.len())?
                    }
                };
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

    fn forward(&self, inputs: &ArrayD<f32>, tensors: &BTreeMap<String, Tensor>) -> Result<Tensor> {
        let input = tensor(inputs.view(), Precision::Single);
        let wanted = [self.output.as_str()];
        let mut outputs = self
            .program
            .run(input, &wanted, tensors, |_, tensor| tensor)?;
        match outputs.pop() {
            Some(Value::Real(output)) => Ok(output),
            _ => Err(LearnError::NotAPattern {
                layer: self.output.clone(),
            }),
        }
    }
}

/// Inputs of samples, one after another, and their targets.
fn stacked(
    samples: &dyn Samples,
    epoch: usize,
    piece: &[usize],
) -> Result<(ArrayD<f32>, Vec<Array1<f32>>)> {
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
    Ok((stacked, targets))
}
