//! Operations that move values and change no number.

use burn_backend::Slice;
use burn_backend::TensorData;
use burn_backend::ops::{FloatTensorOps, IntTensorOps};
use burn_backend::tensor::IntTensor;
use burn_flex::{Flex, FlexDevice};
use consilience_models::graph::{Attribute, Element};
use ndarray::{ArrayD, Axis, IxDyn};

use super::call::Call;
use super::tape::rows;
use crate::error::Fault;
use crate::value::{Ad, Precision, Tensor, Value, constant, full, shape, tensor};

type Outcome<T> = Result<T, Fault>;

/// The outputs; `None` for other operations.
pub(super) fn operation(call: &Call<'_>, precision: Precision) -> Outcome<Option<Vec<Value>>> {
    let value = match call.node.op.as_str() {
        "Shape" => extents(call)?,
        "Size" => Value::Whole(scalar(
            call.input(0)?.shape().iter().product::<usize>() as i64
        )),
        "Cast" => cast(call, precision)?,
        "ConstantOfShape" => constant_of_shape(call, precision)?,
        "Reshape" => reshape(call)?,
        "Flatten" => {
            let x = call.input(0)?;
            let own = x.shape();
            // The axis may be the rank itself, which leaves one column.
            let axis = match call.int("axis", 1)? {
                axis if axis == own.len() as i64 => own.len(),
                axis => call.axis(axis, own.len())?,
            };
            let (rows, columns) = own.split_at(axis);
            reshaped(x, vec![rows.iter().product(), columns.iter().product()])?
        }
        "Squeeze" => squeeze(call)?,
        "Unsqueeze" => unsqueeze(call)?,
        "Transpose" => transpose(call)?,
        "Concat" => concat(call)?,
        "Slice" => slice(call)?,
        "Gather" => gather(call)?,
        "Expand" => expand(call)?,
        "Tile" => tile(call)?,
        "Pad" => Value::Real(pad(call)?),
        "Split" => return split(call).map(Some),
        "Identity" => call.input(0)?.clone(),
        _ => return Ok(None),
    };
    Ok(Some(vec![value]))
}

fn scalar(value: i64) -> ArrayD<i64> {
    ArrayD::from_elem(IxDyn(&[]), value)
}

fn misfit(what: &'static str, shape: Vec<usize>) -> Fault {
    Fault::Shape { what, shape }
}

/// The same values in other extents, whose product must be the same.
fn reshaped(x: &Value, extents: Vec<usize>) -> Outcome<Value> {
    let own = x.shape();
    if own.iter().product::<usize>() != extents.iter().product::<usize>() {
        return Err(misfit("the new shape", own));
    }
    Ok(match x {
        Value::Real(x) => Value::Real(Ad::float_reshape(x.clone(), extents.into())),
        Value::Whole(x) => {
            let values = x.iter().copied().collect();
            let array = ArrayD::from_shape_vec(IxDyn(&extents), values);
            Value::Whole(array.map_err(|_| misfit("the new shape", own))?)
        }
    })
}

fn extents(call: &Call<'_>) -> Outcome<Value> {
    let own = call.input(0)?.shape();
    let rank = own.len() as i64;
    let bound = |value: i64| if value < 0 { value + rank } else { value }.clamp(0, rank) as usize;
    let start = bound(call.int("start", 0)?);
    let end = bound(call.int("end", rank)?).max(start);
    let extents: Vec<i64> = own[start..end].iter().map(|&n| n as i64).collect();
    Ok(Value::Whole(ndarray::Array1::from(extents).into_dyn()))
}

fn cast(call: &Call<'_>, precision: Precision) -> Outcome<Value> {
    let to = i32::try_from(call.int("to", 1)?)
        .ok()
        .and_then(Element::from_code);
    let to_real = matches!(
        to,
        Some(Element::F32 | Element::F64 | Element::F16 | Element::Bf16)
    );
    Ok(match (call.input(0)?, to) {
        (_, None) => return Err(Fault::Attribute { name: "to" }),
        (Value::Whole(values), Some(_)) if to_real => {
            #[expect(clippy::cast_precision_loss, reason = "that is what casting does")]
            let values = values.mapv(|v| v as f32);
            Value::Real(tensor(values.view(), precision))
        }
        (Value::Real(x), Some(_)) if !to_real => {
            let values = Value::Real(x.clone()).numbers();
            #[expect(clippy::cast_possible_truncation, reason = "that is what casting does")]
            let values = values.into_iter().map(|v| v as i64).collect();
            let array = ArrayD::from_shape_vec(IxDyn(&shape(x)), values);
            Value::Whole(array.expect("a tensor fills its shape"))
        }
        (same, Some(_)) => same.clone(),
    })
}

/// Most numbers that a graph may make from a shape alone.
const MAX_FILLED: usize = 1 << 26;

fn constant_of_shape(call: &Call<'_>, precision: Precision) -> Outcome<Value> {
    let extents = sizes(&call.input(0)?.whole(0)?.iter().copied().collect::<Vec<_>>())?;
    let n = extents.iter().try_fold(1_usize, |n, &e| n.checked_mul(e));
    if n.is_none_or(|n| n > MAX_FILLED) {
        return Err(misfit("memory", extents));
    }
    let filling = match call.node.attributes.get("value") {
        Some(Attribute::Tensor(value)) => constant(value, precision),
        _ => Value::Real(tensor(ndarray::arr0(0.0).view().into_dyn(), precision)),
    };
    let number = filling.numbers().first().copied().unwrap_or(0.0);
    Ok(match filling {
        Value::Real(like) => Value::Real(full(&extents, number, &like)),
        #[expect(clippy::cast_possible_truncation, reason = "it was an integer before")]
        Value::Whole(_) => Value::Whole(ArrayD::from_elem(IxDyn(&extents), number as i64)),
    })
}

fn sizes(values: &[i64]) -> Outcome<Vec<usize>> {
    let sizes: Option<Vec<usize>> = values.iter().map(|&v| usize::try_from(v).ok()).collect();
    sizes.ok_or(Fault::Unsupported {
        what: "a negative extent",
    })
}

fn reshape(call: &Call<'_>) -> Outcome<Value> {
    let x = call.input(0)?;
    let own = x.shape();
    let wanted: Vec<i64> = call.input(1)?.whole(1)?.iter().copied().collect();
    let keeps_zero = call.int("allowzero", 0)? == 1;
    let mut extents = Vec::with_capacity(wanted.len());
    for (axis, &extent) in wanted.iter().enumerate() {
        extents.push(match extent {
            -1 => 1,
            0 if !keeps_zero => *own
                .get(axis)
                .ok_or_else(|| misfit("the new shape", own.clone()))?,
            extent => sizes(&[extent])?[0],
        });
    }
    if let Some(free) = wanted.iter().position(|&extent| extent == -1) {
        let known: usize = extents.iter().product();
        let n: usize = own.iter().product();
        extents[free] = n.checked_div(known).unwrap_or(0);
    }
    reshaped(x, extents)
}

fn squeeze(call: &Call<'_>) -> Outcome<Value> {
    let x = call.input(0)?;
    let own = x.shape();
    let axes = match call.ints_or_input("axes", 1)? {
        Some(axes) => axes
            .iter()
            .map(|&axis| call.axis(axis, own.len()))
            .collect::<Outcome<Vec<_>>>()?,
        None => (0..own.len()).filter(|&axis| own[axis] == 1).collect(),
    };
    let kept = (0..own.len()).filter(|axis| !axes.contains(axis));
    reshaped(x, kept.map(|axis| own[axis]).collect())
}

fn unsqueeze(call: &Call<'_>) -> Outcome<Value> {
    let x = call.input(0)?;
    let named = call
        .ints_or_input("axes", 1)?
        .ok_or(Fault::Attribute { name: "axes" })?;
    let rank = x.shape().len() + named.len();
    let mut axes = named
        .iter()
        .map(|&axis| call.axis(axis, rank))
        .collect::<Outcome<Vec<_>>>()?;
    axes.sort_unstable();
    let mut extents = x.shape();
    for axis in axes {
        if axis > extents.len() {
            return Err(Fault::Attribute { name: "axes" });
        }
        extents.insert(axis, 1);
    }
    reshaped(x, extents)
}

fn transpose(call: &Call<'_>) -> Outcome<Value> {
    let x = call.input(0)?;
    let rank = x.shape().len();
    let order = match call.ints("perm")? {
        Some(order) => sizes(&order)?,
        None => (0..rank).rev().collect(),
    };
    let mut sorted = order.clone();
    sorted.sort_unstable();
    if !sorted.iter().copied().eq(0..rank) {
        return Err(Fault::Attribute { name: "perm" });
    }
    Ok(match x {
        Value::Real(x) => Value::Real(Ad::float_permute(x.clone(), &order)),
        Value::Whole(x) => Value::Whole(x.clone().permuted_axes(order)),
    })
}

fn concat(call: &Call<'_>) -> Outcome<Value> {
    let first = call.input(0)?;
    let own = first.shape();
    let axis = call.axis(call.int("axis", 0)?, own.len())?;
    for input in call.inputs.iter().flatten() {
        let other = input.shape();
        let fits =
            other.len() == own.len() && (0..own.len()).all(|k| k == axis || other[k] == own[k]);
        if !fits {
            return Err(misfit("a part", own));
        }
    }
    let inputs = call.inputs.iter().flatten().enumerate();
    Ok(match first {
        Value::Real(_) => {
            let parts = inputs.map(|(idx, part)| part.real(idx).cloned());
            Value::Real(Ad::float_cat(parts.collect::<Outcome<_>>()?, axis))
        }
        Value::Whole(_) => {
            let parts = inputs.map(|(idx, part)| Ok(part.whole(idx)?.view()));
            let joined = ndarray::concatenate(Axis(axis), &parts.collect::<Outcome<Vec<_>>>()?);
            Value::Whole(joined.map_err(|_| misfit("a part", own))?)
        }
    })
}

/// The positions `indices` of an axis.
fn select(x: &Value, axis: usize, indices: &[usize]) -> Value {
    match x {
        Value::Whole(x) => Value::Whole(x.select(Axis(axis), indices)),
        Value::Real(x) => {
            let extents = shape(x);
            let follows = indices.windows(2).all(|pair| pair[1] == pair[0] + 1);
            match indices.first() {
                Some(&first) if follows => {
                    let slices: Vec<Slice> = extents
                        .iter()
                        .enumerate()
                        .map(|(k, &extent)| match k == axis {
                            true => Slice::from(first..first + indices.len()),
                            false => Slice::from(0..extent),
                        })
                        .collect();
                    Value::Real(Ad::float_slice(x.clone(), &slices))
                }
                _ => Value::Real(Ad::float_select(x.clone(), axis, positions(indices))),
            }
        }
    }
}

fn positions(indices: &[usize]) -> IntTensor<Ad> {
    let values: Vec<i64> = indices.iter().map(|&idx| idx as i64).collect();
    let n = values.len();
    Flex::int_from_data(TensorData::new(values, vec![n]), &FlexDevice)
}

fn slice(call: &Call<'_>) -> Outcome<Value> {
    let needed = |name, idx| {
        call.ints_or_input(name, idx)?
            .ok_or(Fault::MissingInput { idx })
    };
    let (starts, ends) = (needed("starts", 1)?, needed("ends", 2)?);
    let axes = call
        .ints_or_input("axes", 3)?
        .unwrap_or_else(|| (0..starts.len() as i64).collect());
    let steps = call
        .ints_or_input("steps", 4)?
        .unwrap_or_else(|| vec![1; starts.len()]);
    if ends.len() != starts.len() || axes.len() != starts.len() || steps.len() != starts.len() {
        return Err(Fault::Attribute { name: "axes" });
    }
    let mut x = call.input(0)?.clone();
    for (((&start, &end), &axis), &step) in starts.iter().zip(&ends).zip(&axes).zip(&steps) {
        let own = x.shape();
        let axis = call.axis(axis, own.len())?;
        let extent = own[axis] as i64;
        let place = |at: i64| {
            if at < 0 {
                at.saturating_add(extent)
            } else {
                at
            }
        };
        let indices: Vec<usize> = match step {
            0 => return Err(Fault::Attribute { name: "steps" }),
            1.. => {
                let (start, end) = (place(start).clamp(0, extent), place(end).clamp(0, extent));
                (start..end)
                    .step_by(step as usize)
                    .map(|at| at as usize)
                    .collect()
            }
            _ => {
                let start = place(start).clamp(-1, extent - 1);
                let end = place(end).clamp(-1, extent - 1);
                let stride = usize::try_from(step.unsigned_abs()).unwrap_or(usize::MAX);
                (end + 1..=start)
                    .rev()
                    .step_by(stride)
                    .map(|at| at as usize)
                    .collect()
            }
        };
        let is_whole = indices.len() == own[axis] && step > 0;
        x = match (&x, indices.as_slice()) {
            _ if is_whole => x,
            (Value::Real(whole), &[from, .., last]) if axis == 0 && step == 1 => {
                Value::Real(rows(whole, from, last + 1))
            }
            _ => select(&x, axis, &indices),
        };
    }
    Ok(x)
}

fn gather(call: &Call<'_>) -> Outcome<Value> {
    let x = call.input(0)?;
    let own = x.shape();
    let axis = call.axis(call.int("axis", 0)?, own.len())?;
    let indices = call.input(1)?.whole(1)?;
    let positions: Option<Vec<usize>> = indices
        .iter()
        .map(|&idx| if idx < 0 { idx + own[axis] as i64 } else { idx })
        .map(|idx| usize::try_from(idx).ok().filter(|&idx| idx < own[axis]))
        .collect();
    let positions = positions.ok_or_else(|| misfit("an index", own.clone()))?;
    let mut extents = own[..axis].to_vec();
    extents.extend(indices.shape());
    extents.extend(&own[axis + 1..]);
    reshaped(&select(x, axis, &positions), extents)
}

fn expand(call: &Call<'_>) -> Outcome<Value> {
    let x = call.input(0)?;
    let wanted = sizes(&call.input(1)?.whole(1)?.iter().copied().collect::<Vec<_>>())?;
    let extents = super::whole::broadcast_shape(&x.shape(), &wanted)?;
    if extents
        .iter()
        .try_fold(1_usize, |n, &e| n.checked_mul(e))
        .is_none_or(|n| n > MAX_FILLED)
    {
        return Err(misfit("memory", extents));
    }
    Ok(match x {
        Value::Real(x) => {
            let x = super::pointwise::with_rank(x.clone(), extents.len());
            Value::Real(Ad::float_expand(x, extents.into()))
        }
        Value::Whole(x) => {
            let wide = x.broadcast(IxDyn(&extents));
            Value::Whole(wide.expect("the shape is the common one").to_owned())
        }
    })
}

fn tile(call: &Call<'_>) -> Outcome<Value> {
    let mut x = call.real(0)?;
    let times = sizes(&call.input(1)?.whole(1)?.iter().copied().collect::<Vec<_>>())?;
    if times.len() != shape(&x).len() {
        return Err(misfit("the number of repetitions", shape(&x)));
    }
    for (axis, &times) in times.iter().enumerate() {
        if times != 1 {
            x = Ad::float_cat(vec![x; times], axis);
        }
    }
    Ok(Value::Real(x))
}

fn split(call: &Call<'_>) -> Outcome<Vec<Value>> {
    let x = call.input(0)?;
    let own = x.shape();
    let axis = call.axis(call.int("axis", 0)?, own.len())?;
    let n_parts = call.node.outputs.len().max(1);
    let parts = match call.ints_or_input("split", 1)? {
        Some(parts) => sizes(&parts)?,
        None => {
            // The last part may be smaller.
            let size = own[axis].div_ceil(n_parts);
            (0..n_parts)
                .map(|k| size.min(own[axis].saturating_sub(k * size)))
                .collect()
        }
    };
    if parts.iter().sum::<usize>() != own[axis] {
        return Err(misfit("the sum of the parts", own));
    }
    let mut first = 0;
    Ok(parts
        .into_iter()
        .map(|n| {
            let indices: Vec<usize> = (first..first + n).collect();
            first += n;
            select(x, axis, &indices)
        })
        .collect())
}

fn pad(call: &Call<'_>) -> Outcome<Tensor> {
    let mut x = call.real(0)?;
    let rank = shape(&x).len();
    let pads = call
        .ints_or_input("pads", 1)?
        .ok_or(Fault::MissingInput { idx: 1 })?;
    let pads = sizes(&pads)?;
    let axes = match call.optional(3) {
        Some(axes) => axes
            .whole(3)?
            .iter()
            .map(|&axis| call.axis(axis, rank))
            .collect::<Outcome<Vec<_>>>()?,
        None => (0..rank).collect(),
    };
    if pads.len() != 2 * axes.len() {
        return Err(misfit("the padding", shape(&x)));
    }
    let value = match call.optional(2) {
        Some(value) => value.numbers().first().copied().unwrap_or(0.0),
        None => call.float("value", 0.0)?,
    };
    let mode = call.text("mode", "constant")?;
    for (k, &axis) in axes.iter().enumerate() {
        let (before, after) = (pads[k], pads[k + axes.len()]);
        if before + after == 0 {
            continue;
        }
        let extent = shape(&x)[axis];
        let furthest = before.max(after);
        let source: Vec<usize> = match mode.as_str() {
            "constant" => {
                x = pad_with(x, axis, (before, after), value);
                continue;
            }
            "edge" if extent > 0 => (0..before + extent + after)
                .map(|at| at.saturating_sub(before).min(extent - 1))
                .collect(),
            "reflect" if furthest < extent => (0..before + extent + after)
                .map(|at| {
                    let at = at.abs_diff(before);
                    at.min(2 * (extent - 1) - at)
                })
                .collect(),
            "edge" | "reflect" => return Err(misfit("the padding", shape(&x))),
            _ => return Err(Fault::Attribute { name: "mode" }),
        };
        x = Ad::float_select(x, axis, positions(&source));
    }
    Ok(x)
}

/// One axis with constant values before and after.
pub(super) fn pad_with(
    x: Tensor,
    axis: usize,
    (before, after): (usize, usize),
    value: f64,
) -> Tensor {
    let mut parts = Vec::with_capacity(3);
    let mut extents = shape(&x);
    for n in [before, after] {
        extents[axis] = n;
        parts.push((n > 0).then(|| full(&extents, value, &x)));
    }
    let after = parts.pop().flatten();
    let parts: Vec<Tensor> = parts
        .into_iter()
        .flatten()
        .chain([x])
        .chain(after)
        .collect();
    Ad::float_cat(parts, axis)
}
