//! Losses of batches and their derivatives by the trained weights.

use std::collections::{BTreeMap, BTreeSet};

use burn_backend::ops::FloatTensorOps;
use burn_flex::FlexTensor;
use consilience_models::Graph;
use ndarray::{Array1, Array2, ArrayD, ArrayView2, Axis, IxDyn, concatenate};
use rayon::prelude::*;

use super::linear::Linear;
use super::masks::Masks;
use super::optimizer::{Gradients, Parameter, Parameters};
use super::select::explained;
use super::{Samples, Selection, TrainParams, rows};
use crate::error::{LearnError, Result};
use crate::interpret::{Program, guard};
use crate::value::{Ad, Precision, Tensor, Value, tensor};

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
            let parameter = Parameter::new(&shape, values, params.optimizer.n_moments());
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
    masks: Masks<'a>,
    params: &'a TrainParams,
}

impl<'a> Task<'a> {
    pub fn new(graph: &Graph, params: &'a TrainParams, trained: &Parameters) -> Result<Self> {
        let output = graph.outputs.first().cloned();
        let masks = Masks::new(graph, &params.dropped, params.seed)?;
        Ok(Self {
            // Trained tensors come with each step.
            program: Program::with_constants(graph, Precision::Single, |key| {
                !trained.contains_key(key)
            }),
            linear: Linear::of(graph, trained).filter(|_| masks.is_empty()),
            output: output.ok_or(LearnError::NothingToTrain { what: "output" })?,
            masks,
            params,
        })
    }

    /// Mean loss of a batch and its derivatives, piece by piece; weights that the output does not depend on have none.
    pub fn gradients(
        &self,
        samples: &dyn Samples,
        epoch: usize,
        batch: &[usize],
        parameters: &Parameters,
    ) -> Result<(f64, Vec<Gradients>)> {
        let tensors = tensors(parameters);
        let pieces = batch
            .par_chunks(self.params.piece)
            .map(|piece| self.piece(samples, epoch, piece, parameters, &tensors, batch.len()))
            .collect::<Result<Vec<_>>>()?;
        let (losses, gradients): (Vec<f64>, Vec<Gradients>) = pieces.into_iter().unzip();
        Ok((losses.iter().sum(), gradients))
    }

    fn piece(
        &self,
        samples: &dyn Samples,
        epoch: usize,
        piece: &[usize],
        parameters: &Parameters,
        tensors: &BTreeMap<String, FlexTensor>,
        n_batch: usize,
    ) -> Result<(f64, Gradients)> {
        let (inputs, targets) = stacked(samples, epoch, piece)?;
        let judge = |rows: &Array2<f32>| self.judge(rows, &targets, samples, epoch, piece, n_batch);
        if let Some(linear) = &self.linear {
            let features = linear.features(inputs)?;
            let outputs = linear.outputs(features.view(), parameters);
            let (loss, slopes) = judge(&outputs)?;
            let gradients = linear.gradients(features.view(), &outputs, &slopes);
            return Ok((loss, gradients));
        }
        let leaves = leaves(tensors, Tensor::require_grad);
        let mut masks = self.masks.piece(epoch, piece);
        let output = self.forward(&inputs, &leaves, |name, tensor| masks.apply(name, tensor))?;
        if let Some(fault) = masks.fault {
            return Err(fault);
        }
        let (loss, derivative) = judge(&rows(&self.output, &output, piece.len())?)?;
        let seed = tensor(derivative.view().into_dyn(), Precision::Single);
        let seed = Ad::float_reshape(seed, crate::value::shape(&output).into());
        let sum = Ad::float_sum(Ad::float_mul(output, seed));
        if !sum.is_tracked() {
            return Ok((loss, Gradients::new()));
        }
        let gradients = guard(|| sum.backward());
        let mut gradients = gradients.map_err(|reason| LearnError::Backward { reason })?;
        let of_leaves = leaves.iter().filter_map(|(key, leaf)| {
            let gradient = leaf.grad_remove(&mut gradients)?;
            Some((key.clone(), gradient.to_contiguous()))
        });
        Ok((loss, of_leaves.collect()))
    }

    /// Loss of a piece's outputs, its part of the batch's mean, and the derivatives by the outputs.
    fn judge(
        &self,
        outputs: &Array2<f32>,
        targets: &[Array1<f32>],
        samples: &dyn Samples,
        epoch: usize,
        piece: &[usize],
        n_batch: usize,
    ) -> Result<(f64, Array2<f32>)> {
        let progress = self.params.progress(epoch);
        let mut slopes = outputs.clone();
        let mut loss = 0.0;
        let share = 1.0 / n_batch as f64;
        for (((row, target), &idx), mut slope) in outputs
            .outer_iter()
            .zip(targets)
            .zip(piece)
            .zip(slopes.outer_iter_mut())
        {
            let (value, of_row) = self.params.loss.evaluate_at(progress, row, target.view())?;
            let weight = f64::from(samples.weight(idx)) * share;
            loss += value * weight;
            slope.assign(&of_row.mapv(|d| (f64::from(d) * weight) as f32));
        }
        Ok((loss, slopes))
    }

    /// Mean loss of samples with the weights of outputs of `epoch`, and how much of their variance is explained when it
    /// is asked for.
    pub fn validate(
        &self,
        samples: &dyn Samples,
        epoch: usize,
        parameters: &Parameters,
    ) -> Result<(f64, Option<f64>)> {
        let all: Vec<usize> = (0..samples.len()).collect();
        let leaves = leaves(&tensors(parameters), |tensor| tensor);
        let progress = self.params.progress(epoch);
        let explains = self.params.selection == Selection::MostExplained;
        let pieces = all
            .par_chunks(self.params.piece)
            .map(|piece| {
                let (inputs, targets) = stacked(samples, 0, piece)?;
                let rows = match &self.linear {
                    Some(linear) => linear.outputs(linear.features(inputs)?.view(), parameters),
                    None => {
                        let output = self.forward(&inputs, &leaves, |_, tensor| tensor)?;
                        rows(&self.output, &output, piece.len())?
                    }
                };
                let mut sum = 0.0;
                for ((row, target), &idx) in rows.outer_iter().zip(&targets).zip(piece) {
                    let loss = self
                        .params
                        .loss
                        .evaluate_at(progress, row, target.view())?
                        .0;
                    sum += loss * f64::from(samples.weight(idx));
                }
                let kept = explains.then(|| {
                    let mut of_piece = rows.clone();
                    let pairs = of_piece.outer_iter_mut().zip(&targets);
                    pairs.for_each(|(mut row, target)| row.assign(target));
                    (rows, of_piece)
                });
                Ok((sum, kept))
            })
            .collect::<Result<Vec<_>>>()?;
        let loss = pieces.iter().map(|(sum, _)| sum).sum::<f64>() / all.len().max(1) as f64;
        let kept = || pieces.iter().filter_map(|(_, kept)| kept.as_ref());
        let whole = |views: Vec<ArrayView2<'_, f32>>| {
            concatenate(Axis(0), &views).expect("rows of one network are equally long")
        };
        let explained = kept().next().map(|_| {
            let outputs = whole(kept().map(|(outputs, _)| outputs.view()).collect());
            let targets = whole(kept().map(|(_, targets)| targets.view()).collect());
            explained(&outputs, &targets)
        });
        Ok((loss, explained))
    }

    fn forward(
        &self,
        inputs: &ArrayD<f32>,
        tensors: &BTreeMap<String, Tensor>,
        made: impl FnMut(&str, Tensor) -> Tensor,
    ) -> Result<Tensor> {
        let input = tensor(inputs.view(), Precision::Single);
        let wanted = [self.output.as_str()];
        let mut outputs = self.program.run(input, &wanted, tensors, made)?;
        match outputs.pop() {
            Some(Value::Real(output)) => Ok(output),
            _ => Err(LearnError::NotAPattern {
                layer: self.output.clone(),
            }),
        }
    }
}

/// The numbers of the trained tensors, shared by all pieces.
fn tensors(parameters: &Parameters) -> BTreeMap<String, FlexTensor> {
    parameters
        .iter()
        .map(|(key, parameter)| (key.clone(), parameter.tensor()))
        .collect()
}

/// Tensors that remember what is made of them; each piece needs its own.
fn leaves(
    tensors: &BTreeMap<String, FlexTensor>,
    as_leaf: fn(Tensor) -> Tensor,
) -> BTreeMap<String, Tensor> {
    let leaf = |values: &FlexTensor| as_leaf(Tensor::new(values.clone()));
    tensors
        .iter()
        .map(|(key, values)| (key.clone(), leaf(values)))
        .collect()
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
