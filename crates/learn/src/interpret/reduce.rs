//! Sums and means over axes, and what normalises by them.

use burn_backend::ops::{ActivationOps, FloatTensorOps};

use super::call::Call;
use super::pointwise::with_rank;
use crate::error::Fault;
use crate::value::{Ad, Tensor, shape};

pub(super) fn operation(call: &Call<'_>) -> Result<Option<Tensor>, Fault> {
    match call.node.op.as_str() {
        "ReduceMean" => reduce(call, mean).map(Some),
        "ReduceSum" => reduce(call, sum).map(Some),
        "ReduceMax" => reduce(call, |x, axes| {
            axes.iter().fold(x, |x, &axis| Ad::float_max_dim(x, axis))
        })
        .map(Some),
        "ReduceL2" => reduce(call, |x, axes| {
            Ad::float_sqrt(sum(Ad::float_mul(x.clone(), x), axes))
        })
        .map(Some),
        "Softmax" => softmax(call, Ad::softmax).map(Some),
        "LogSoftmax" => softmax(call, Ad::log_softmax).map(Some),
        "BatchNormalization" => batch_normalization(call).map(Some),
        "LayerNormalization" => layer_normalization(call).map(Some),
        "LpNormalization" => {
            let x = call.real(0)?;
            let axis = call.axis(call.int("axis", -1)?, shape(&x).len())?;
            if call.int("p", 2)? != 2 {
                return Err(Fault::Unsupported {
                    what: "a norm other than the Euclidean",
                });
            }
            let norm = Ad::float_sqrt(sum(Ad::float_mul(x.clone(), x.clone()), &[axis]));
            Ok(Some(Ad::float_div(x, norm)))
        }
        _ => Ok(None),
    }
}

/// Mean over `axes`, which keep an extent of 1.
pub(super) fn mean(x: Tensor, axes: &[usize]) -> Tensor {
    axes.iter().fold(x, |x, &axis| Ad::float_mean_dim(x, axis))
}

fn sum(x: Tensor, axes: &[usize]) -> Tensor {
    axes.iter().fold(x, |x, &axis| Ad::float_sum_dim(x, axis))
}

fn reduce(call: &Call<'_>, f: impl FnOnce(Tensor, &[usize]) -> Tensor) -> Result<Tensor, Fault> {
    let x = call.real(0)?;
    let extents = shape(&x);
    let named = call.ints_or_input("axes", 1)?.unwrap_or_default();
    let mut axes = named
        .iter()
        .map(|&axis| call.axis(axis, extents.len()))
        .collect::<Result<Vec<_>, _>>()?;
    if axes.is_empty() {
        if call.int("noop_with_empty_axes", 0)? == 1 {
            return Ok(x);
        }
        axes = (0..extents.len()).collect();
    }
    let reduced = f(x, &axes);
    if call.int("keepdims", 1)? == 1 {
        return Ok(reduced);
    }
    let kept: Vec<usize> = (0..extents.len())
        .filter(|axis| !axes.contains(axis))
        .map(|axis| extents[axis])
        .collect();
    Ok(Ad::float_reshape(reduced, kept.into()))
}

/// Until operator set 13, the axes from `axis` on counted as one.
fn softmax(call: &Call<'_>, f: fn(Tensor, usize) -> Tensor) -> Result<Tensor, Fault> {
    let x = call.real(0)?;
    let extents = shape(&x);
    if call.opset >= 13 {
        let axis = call.axis(call.int("axis", -1)?, extents.len())?;
        return Ok(f(x, axis));
    }
    let axis = call.axis(call.int("axis", 1)?, extents.len())?;
    let rows: usize = extents[..axis].iter().product();
    let columns: usize = extents[axis..].iter().product();
    let flat = Ad::float_reshape(x, vec![rows, columns].into());
    Ok(Ad::float_reshape(f(flat, 1), extents.into()))
}

fn batch_normalization(call: &Call<'_>) -> Result<Tensor, Fault> {
    let x = call.real(0)?;
    let extents = shape(&x);
    if extents.len() < 2 {
        return Err(Fault::Shape {
            what: "a normalisation of channels",
            shape: extents,
        });
    }
    let mut along_channels = vec![1; extents.len()];
    along_channels[1] = extents[1];
    let channels = |idx| -> Result<Tensor, Fault> {
        let values = call.real(idx)?;
        if shape(&values) != [extents[1]] {
            return Err(Fault::Shape {
                what: "a parameter",
                shape: extents.clone(),
            });
        }
        Ok(Ad::float_reshape(values, along_channels.clone().into()))
    };
    let (weight, bias, mean, variance) = (channels(1)?, channels(2)?, channels(3)?, channels(4)?);
    let epsilon = call.float("epsilon", 1e-5)?;
    let deviation = Ad::float_sqrt(Ad::float_add_scalar(variance, epsilon.into()));
    let scale = Ad::float_div(weight, deviation);
    let offset = Ad::float_sub(bias, Ad::float_mul(mean, scale.clone()));
    Ok(Ad::float_add(Ad::float_mul(x, scale), offset))
}

fn layer_normalization(call: &Call<'_>) -> Result<Tensor, Fault> {
    let x = call.real(0)?;
    let rank = shape(&x).len();
    let first = call.axis(call.int("axis", -1)?, rank)?;
    let axes: Vec<usize> = (first..rank).collect();
    let centred = Ad::float_sub(x.clone(), mean(x, &axes));
    let variance = mean(Ad::float_mul(centred.clone(), centred.clone()), &axes);
    let epsilon = call.float("epsilon", 1e-5)?;
    let deviation = Ad::float_sqrt(Ad::float_add_scalar(variance, epsilon.into()));
    let normal = Ad::float_div(centred, deviation);
    let scaled = Ad::float_mul(normal, with_rank(call.real(1)?, rank));
    Ok(match call.optional_real(2)? {
        Some(bias) => Ad::float_add(scaled, with_rank(bias, rank)),
        None => scaled,
    })
}
