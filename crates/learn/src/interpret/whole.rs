//! Arithmetic on integers: what graphs compute about shapes.

use ndarray::{ArrayD, IxDyn, Zip};

use super::call::Call;
use crate::error::Fault;
use crate::value::Value;

/// The result when every input holds integers; `None` for other operations.
pub(super) fn operation(call: &Call<'_>) -> Result<Option<Value>, Fault> {
    let inputs: Vec<&ArrayD<i64>> = call
        .inputs
        .iter()
        .filter_map(|input| match input {
            Some(Value::Whole(values)) => Some(values),
            _ => None,
        })
        .collect();
    if inputs.is_empty() || inputs.len() != call.inputs.len() {
        return Ok(None);
    }
    let both = |f: fn(i64, i64) -> i64| match inputs[..] {
        [a, b] => broadcast(a, b, f).map(Some),
        _ => Err(Fault::MissingInput { idx: 1 }),
    };
    let values = match call.node.op.as_str() {
        "Add" => both(i64::wrapping_add)?,
        "Sub" => both(i64::wrapping_sub)?,
        "Mul" => both(i64::wrapping_mul)?,
        "Div" => {
            if inputs.get(1).is_some_and(|by| by.iter().any(|&v| v == 0)) {
                return Err(Fault::Unsupported {
                    what: "division by zero",
                });
            }
            both(i64::wrapping_div)?
        }
        "Mod" => both(|a, b| a.checked_rem_euclid(b).unwrap_or(0))?,
        "Equal" => both(|a, b| (a == b).into())?,
        "Less" => both(|a, b| (a < b).into())?,
        "Greater" => both(|a, b| (a > b).into())?,
        "And" => both(|a, b| (a != 0 && b != 0).into())?,
        "Min" => both(i64::min)?,
        "Max" => both(i64::max)?,
        "Not" => Some(inputs[0].mapv(|v| (v == 0).into())),
        "Neg" => Some(inputs[0].mapv(i64::wrapping_neg)),
        "ReduceProd" => {
            let product = inputs[0].iter().fold(1_i64, |p, &v| p.wrapping_mul(v));
            let rank = if call.int("keepdims", 1)? == 1 {
                inputs[0].ndim()
            } else {
                0
            };
            Some(ArrayD::from_elem(IxDyn(&vec![1; rank]), product))
        }
        "Where" => match inputs[..] {
            [condition, yes, no] => {
                let chosen = broadcast(condition, yes, |c, v| if c == 0 { 0 } else { v })?;
                let other = broadcast(condition, no, |c, v| if c == 0 { v } else { 0 })?;
                Some(broadcast(&chosen, &other, i64::wrapping_add)?)
            }
            _ => return Err(Fault::MissingInput { idx: 2 }),
        },
        "Range" => match inputs[..] {
            [start, limit, step] => Some(range(start, limit, step)?),
            _ => return Err(Fault::MissingInput { idx: 2 }),
        },
        _ => None,
    };
    Ok(values.map(Value::Whole))
}

/// Most integers that a range may have.
const MAX_RANGE: usize = 1 << 24;

fn range(
    start: &ArrayD<i64>,
    limit: &ArrayD<i64>,
    step: &ArrayD<i64>,
) -> Result<ArrayD<i64>, Fault> {
    let one =
        |values: &ArrayD<i64>, idx| values.first().copied().ok_or(Fault::MissingInput { idx });
    let (start, limit, step) = (one(start, 0)?, one(limit, 1)?, one(step, 2)?);
    let mut values = Vec::new();
    let mut next = start;
    while (step > 0 && next < limit) || (step < 0 && next > limit) {
        if values.len() == MAX_RANGE {
            return Err(Fault::Unsupported {
                what: "a range this long",
            });
        }
        values.push(next);
        next = next.saturating_add(step);
    }
    Ok(ndarray::Array1::from(values).into_dyn())
}

/// `f` of each pair, extents of 1 repeated.
fn broadcast(
    a: &ArrayD<i64>,
    b: &ArrayD<i64>,
    f: impl Fn(i64, i64) -> i64,
) -> Result<ArrayD<i64>, Fault> {
    let shape = broadcast_shape(a.shape(), b.shape())?;
    let fits = "the shape is the common one";
    let a = a.broadcast(IxDyn(&shape)).expect(fits);
    let b = b.broadcast(IxDyn(&shape)).expect(fits);
    Ok(Zip::from(&a).and(&b).map_collect(|&a, &b| f(a, b)))
}

/// The shape that two shapes have in common when extents of 1 are repeated.
pub(super) fn broadcast_shape(a: &[usize], b: &[usize]) -> Result<Vec<usize>, Fault> {
    let rank = a.len().max(b.len());
    let extent = |shape: &[usize], axis: usize| {
        (axis + shape.len())
            .checked_sub(rank)
            .map_or(1, |axis| shape[axis])
    };
    (0..rank)
        .map(|axis| match (extent(a, axis), extent(b, axis)) {
            (1, n) | (n, 1) => Ok(n),
            (n, m) if n == m => Ok(n),
            _ => Err(Fault::Shape {
                what: "an operand",
                shape: a.to_vec(),
            }),
        })
        .collect()
}
