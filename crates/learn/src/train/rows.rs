//! What a network makes of inputs.

use std::collections::BTreeMap;

use consilience_models::Graph;
use ndarray::{Array2, ArrayViewD, Axis, Ix2, IxDyn, Slice, concatenate};
use rayon::prelude::*;

use crate::error::{LearnError, Result};
use crate::interpret::Program;
use crate::value::{Precision, Tensor, Value, array, tensor};

/// Samples that go through a network together when nothing is learnt.
const PIECE: usize = 8;

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

/// An output as a row for each of `n` samples.
pub(super) fn rows(layer: &str, output: &Tensor, n: usize) -> Result<Array2<f32>> {
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
