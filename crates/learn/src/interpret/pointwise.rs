//! Operations on each number by itself, or on pairs.

use burn_backend::ops::{ActivationOps, FloatTensorOps};

use super::call::Call;
use super::whole::broadcast_shape;
use crate::error::Fault;
use crate::value::{Ad, Tensor, full, shape};

pub(super) fn operation(call: &Call<'_>) -> Result<Option<Tensor>, Fault> {
    let x = || call.real(0);
    Ok(Some(match call.node.op.as_str() {
        "Relu" => Ad::relu(x()?),
        "Sigmoid" => Ad::sigmoid(x()?),
        "Tanh" => Ad::float_tanh(x()?),
        "Erf" => Ad::float_erf(x()?),
        "Exp" => Ad::float_exp(x()?),
        "Log" => Ad::float_log(x()?),
        "Sqrt" => Ad::float_sqrt(x()?),
        "Abs" => Ad::float_abs(x()?),
        "Neg" => Ad::float_neg(x()?),
        "Reciprocal" => Ad::float_recip(x()?),
        "Sin" => Ad::float_sin(x()?),
        "Cos" => Ad::float_cos(x()?),
        "Floor" => Ad::float_floor(x()?),
        "Ceil" => Ad::float_ceil(x()?),
        "Round" => Ad::float_round(x()?),
        "Softplus" => Ad::float_log1p(Ad::float_exp(x()?)),
        "HardSigmoid" => hard_sigmoid(x()?, call.float("alpha", 0.2)?, call.float("beta", 0.5)?),
        "HardSwish" => {
            let x = x()?;
            Ad::float_mul(x.clone(), hard_sigmoid(x, 1.0 / 6.0, 0.5))
        }
        "LeakyRelu" => {
            let slope = call.float("alpha", 0.01)?;
            two_slopes(x()?, |below| Ad::float_mul_scalar(below, slope.into()))
        }
        "PRelu" => {
            let x = x()?;
            let slope = call.real(1)?;
            let rank = shape(&x).len();
            let slope = with_rank(slope, rank);
            two_slopes(x, |below| Ad::float_mul(below, slope))
        }
        "Elu" => {
            let alpha = call.float("alpha", 1.0)?;
            two_slopes(x()?, |below| {
                let grown = Ad::float_sub_scalar(Ad::float_exp(below), 1.0.into());
                Ad::float_mul_scalar(grown, alpha.into())
            })
        }
        "Gelu" => gelu(x()?, &call.text("approximate", "none")?)?,
        "Clip" => clip(call)?,
        "Add" => pair(call, Ad::float_add)?,
        "Sub" => pair(call, Ad::float_sub)?,
        "Mul" => pair(call, Ad::float_mul)?,
        "Div" => pair(call, Ad::float_div)?,
        "Pow" => power(call)?,
        "Max" => pair(call, |a, b| {
            Ad::float_add(b.clone(), Ad::relu(Ad::float_sub(a, b)))
        })?,
        "Min" => pair(call, |a, b| {
            Ad::float_sub(a.clone(), Ad::relu(Ad::float_sub(a, b)))
        })?,
        "Identity" | "Dropout" => x()?,
        _ => return Ok(None),
    }))
}

/// x above zero, `f` of what is below.
fn two_slopes(x: Tensor, f: impl FnOnce(Tensor) -> Tensor) -> Tensor {
    let above = Ad::relu(x.clone());
    let below = Ad::float_sub(x, above.clone());
    Ad::float_add(above, f(below))
}

fn hard_sigmoid(x: Tensor, alpha: f64, beta: f64) -> Tensor {
    let line = Ad::float_add_scalar(Ad::float_mul_scalar(x, alpha.into()), beta.into());
    Ad::float_clamp(line, 0.0.into(), 1.0.into())
}

fn gelu(x: Tensor, approximate: &str) -> Result<Tensor, Fault> {
    let gate = match approximate {
        "none" => {
            let scaled = Ad::float_mul_scalar(x.clone(), std::f64::consts::FRAC_1_SQRT_2.into());
            Ad::float_erf(scaled)
        }
        "tanh" => {
            let cube = Ad::float_mul(x.clone(), Ad::float_mul(x.clone(), x.clone()));
            let inner = Ad::float_add(x.clone(), Ad::float_mul_scalar(cube, 0.044_715.into()));
            let root = (2.0 / std::f64::consts::PI).sqrt();
            Ad::float_tanh(Ad::float_mul_scalar(inner, root.into()))
        }
        _ => {
            return Err(Fault::Attribute {
                name: "approximate",
            });
        }
    };
    let half = Ad::float_mul_scalar(x, 0.5.into());
    Ok(Ad::float_mul(half, Ad::float_add_scalar(gate, 1.0.into())))
}

fn clip(call: &Call<'_>) -> Result<Tensor, Fault> {
    let bound = |name, idx| -> Result<Option<f64>, Fault> {
        match call.optional(idx) {
            Some(value) => Ok(value.numbers().first().copied()),
            None if call.node.attributes.contains_key(name) => call.float(name, 0.0).map(Some),
            None => Ok(None),
        }
    };
    let x = call.real(0)?;
    let x = match bound("min", 1)? {
        Some(min) => Ad::float_clamp_min(x, min.into()),
        None => x,
    };
    Ok(match bound("max", 2)? {
        Some(max) => Ad::float_clamp_max(x, max.into()),
        None => x,
    })
}

fn power(call: &Call<'_>) -> Result<Tensor, Fault> {
    let x = call.real(0)?;
    let exponent = call.input(1)?;
    match exponent.numbers()[..] {
        [2.0] => Ok(Ad::float_mul(x.clone(), x)),
        [0.5] => Ok(Ad::float_sqrt(x)),
        [exponent] => Ok(Ad::float_powf_scalar(x, exponent.into())),
        _ => pair(call, Ad::float_powf),
    }
}

/// `f` of two tensors brought to one rank; the kernels repeat extents of 1.
fn pair(call: &Call<'_>, f: impl FnOnce(Tensor, Tensor) -> Tensor) -> Result<Tensor, Fault> {
    let (a, b) = (call.input(0)?, call.input(1)?);
    // Shape arithmetic may meet real numbers, as where a size is scaled.
    let like = a.real(0).or_else(|_| b.real(1))?.clone();
    let real = |value: &crate::value::Value, idx| match value.real(idx) {
        Ok(tensor) => Ok(tensor.clone()),
        Err(fault) => match value.numbers()[..] {
            [number] => Ok(full(&value.shape(), number, &like)),
            _ => Err(fault),
        },
    };
    let (a, b) = (real(a, 0)?, real(b, 1)?);
    let rank = broadcast_shape(&shape(&a), &shape(&b))?.len();
    Ok(f(with_rank(a, rank), with_rank(b, rank)))
}

/// The tensor with extents of 1 before its own until it has `rank` axes.
pub(super) fn with_rank(tensor: Tensor, rank: usize) -> Tensor {
    let own = shape(&tensor);
    if own.len() >= rank {
        return tensor;
    }
    let mut wider = vec![1; rank - own.len()];
    wider.extend(own);
    Ad::float_reshape(tensor, wider.into())
}
