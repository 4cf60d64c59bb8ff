//! Convolution and pooling of maps `(n, channels, height, width)`.

use burn_backend::ops::{ConvOptions, FloatTensorOps, ModuleOps};

use super::call::Call;
use super::shape::pad_with;
use crate::error::Fault;
use crate::value::{Ad, Tensor, full, shape};

pub(super) fn operation(call: &Call<'_>) -> Result<Option<Tensor>, Fault> {
    match call.node.op.as_str() {
        "Conv" => convolution(call).map(Some),
        "MaxPool" => max_pool(call).map(Some),
        "AveragePool" => average_pool(call).map(Some),
        "GlobalAveragePool" => {
            let x = call.real(0)?;
            let dims: Vec<usize> = (2..map_shape(&x)?.len()).collect();
            Ok(Some(super::reduce::mean(x, &dims)))
        }
        "GlobalMaxPool" => {
            let x = call.real(0)?;
            map_shape(&x)?;
            Ok(Some(Ad::float_max_dim(Ad::float_max_dim(x, 2), 3)))
        }
        _ => Ok(None),
    }
}

fn map_shape(x: &Tensor) -> Result<[usize; 4], Fault> {
    let found = shape(x);
    found.as_slice().try_into().map_err(|_| Fault::Shape {
        what: "an operation on maps (n, channels, height, width)",
        shape: found,
    })
}

/// The window of an operation: extents, steps, and what is added before and after each axis.
struct Window {
    size: [usize; 2],
    stride: [usize; 2],
    dilation: [usize; 2],
    pads: [(usize, usize); 2],
}

impl Window {
    fn of(call: &Call<'_>, size: [usize; 2], map: [usize; 4]) -> Result<Self, Fault> {
        let stride = call.pair("strides", 1)?;
        let dilation = call.pair("dilations", 1)?;
        let same = |lower: bool| {
            [0, 1].map(|axis| {
                let extent = map[axis + 2];
                let reach = (size[axis] - 1).saturating_mul(dilation[axis]) + 1;
                let last = extent.div_ceil(stride[axis]).saturating_sub(1) * stride[axis];
                let total = last.saturating_add(reach).saturating_sub(extent);
                let (less, more) = (total / 2, total - total / 2);
                if lower { (more, less) } else { (less, more) }
            })
        };
        let pads = match call.text("auto_pad", "NOTSET")?.as_str() {
            "SAME_UPPER" => same(false),
            "SAME_LOWER" => same(true),
            "VALID" => [(0, 0); 2],
            _ => match call.ints("pads")?.as_deref() {
                None => [(0, 0); 2],
                Some(&[top, left, bottom, right]) => {
                    let extent = |v: i64| {
                        usize::try_from(v).map_err(|_| Fault::Unsupported {
                            what: "negative padding",
                        })
                    };
                    [
                        (extent(top)?, extent(bottom)?),
                        (extent(left)?, extent(right)?),
                    ]
                }
                Some(_) => return Err(Fault::Attribute { name: "pads" }),
            },
        };
        for axis in [0, 1] {
            let reach = (size[axis] - 1).saturating_mul(dilation[axis]) + 1;
            if map[axis + 2] + pads[axis].0 + pads[axis].1 < reach {
                return Err(Fault::Shape {
                    what: "the window",
                    shape: map.to_vec(),
                });
            }
        }
        Ok(Self {
            size,
            stride,
            dilation,
            pads,
        })
    }

    /// The padding when it is the same before and after.
    fn even_pads(&self) -> Option<[usize; 2]> {
        let [(top, bottom), (left, right)] = self.pads;
        (top == bottom && left == right).then_some([top, left])
    }

    /// The map with its padding as part of it.
    fn padded(&self, x: Tensor, value: f64) -> Tensor {
        let x = pad_with(x, 2, self.pads[0], value);
        pad_with(x, 3, self.pads[1], value)
    }
}

fn convolution(call: &Call<'_>) -> Result<Tensor, Fault> {
    let x = call.real(0)?;
    let weight = call.real(1)?;
    let map = map_shape(&x)?;
    let [_, n_in_group, height, width] = map_shape(&weight)?;
    let groups = usize::try_from(call.int("group", 1)?)
        .ok()
        .filter(|&groups| groups > 0 && groups * n_in_group == map[1])
        .ok_or(Fault::Shape {
            what: "the weight",
            shape: map.to_vec(),
        })?;
    let window = Window::of(call, [height, width], map)?;
    let options = ConvOptions {
        stride: window.stride,
        padding: window.pads,
        dilation: window.dilation,
        groups,
    };
    Ok(Ad::conv2d(x, weight, call.optional_real(2)?, options))
}

fn max_pool(call: &Call<'_>) -> Result<Tensor, Fault> {
    let x = call.real(0)?;
    let window = Window::of(call, call.pair("kernel_shape", 1)?, map_shape(&x)?)?;
    let ceil = call.int("ceil_mode", 0)? == 1;
    let (x, pads) = match window.even_pads() {
        Some(pads) => (x, pads),
        None => (window.padded(x, f64::NEG_INFINITY), [0; 2]),
    };
    let Window {
        size,
        stride,
        dilation,
        ..
    } = window;
    Ok(Ad::max_pool2d(x, size, stride, pads, dilation, ceil))
}

fn average_pool(call: &Call<'_>) -> Result<Tensor, Fault> {
    let x = call.real(0)?;
    let map = map_shape(&x)?;
    let window = Window::of(call, call.pair("kernel_shape", 1)?, map)?;
    if window.dilation != [1; 2] {
        return Err(Fault::Unsupported {
            what: "an average over every second position",
        });
    }
    let ceil = call.int("ceil_mode", 0)? == 1;
    let padding_counts = call.int("count_include_pad", 0)? == 1;
    let Window { size, stride, .. } = window;
    let pool = |x, pads, counts| Ad::avg_pool2d(x, size, stride, pads, counts, ceil);
    Ok(match window.even_pads() {
        Some(pads) => pool(x, pads, padding_counts),
        None if padding_counts => pool(window.padded(x, 0.0), [0; 2], true),
        None => {
            // What share of each window lies inside the map.
            let inside = full(&[1, 1, map[2], map[3]], 1.0, &x);
            let share = pool(window.padded(inside, 0.0), [0; 2], true);
            Ad::float_div(pool(window.padded(x, 0.0), [0; 2], true), share)
        }
    })
}
