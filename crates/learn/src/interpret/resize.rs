//! Resizing of maps as a product with interpolation matrices, which serves every mode.

use burn_backend::ops::FloatTensorOps;
use ndarray::Array2;

use super::call::Call;
use crate::error::Fault;
use crate::value::{Ad, Precision, Tensor, shape, tensor};

pub(super) fn operation(call: &Call<'_>) -> Result<Option<Tensor>, Fault> {
    let is_upsample = call.node.op == "Upsample";
    if !is_upsample && call.node.op != "Resize" {
        return Ok(None);
    }
    let x = call.real(0)?;
    let extents = shape(&x);
    let [scales_idx, sizes_idx] = if is_upsample || call.opset < 11 {
        [1, 4]
    } else {
        [2, 3]
    };
    let numbers = |idx| {
        call.optional(idx)
            .map(|value| value.numbers())
            .filter(|v| !v.is_empty())
    };
    let (new_extents, scales): (Vec<usize>, Vec<f64>) =
        match (numbers(sizes_idx), numbers(scales_idx)) {
            (Some(sizes), _) if sizes.len() == extents.len() => {
                let scale = sizes
                    .iter()
                    .zip(&extents)
                    .map(|(new, &old)| new / old as f64);
                (sizes.iter().map(|&n| n as usize).collect(), scale.collect())
            }
            (None, Some(scales)) if scales.len() == extents.len() => {
                let new = extents
                    .iter()
                    .zip(&scales)
                    .map(|(&n, scale)| (n as f64 * scale) as usize);
                (new.collect(), scales)
            }
            _ => {
                return Err(Fault::Unsupported {
                    what: "a resize without scales or sizes for every axis",
                });
            }
        };
    let how = Interpolation::of(call, is_upsample)?;
    let mut x = x;
    for axis in 0..extents.len() {
        let (old, new) = (extents[axis], new_extents[axis]);
        if old == new && scales[axis] == 1.0 {
            continue;
        }
        if new == 0 || old == 0 || new.saturating_mul(old) > MAX_WEIGHTS {
            return Err(Fault::Shape {
                what: "the new size",
                shape: extents,
            });
        }
        x = along(x, axis, &how.matrix(old, new, scales[axis])?);
    }
    Ok(Some(x))
}

/// Most numbers of an interpolation matrix.
const MAX_WEIGHTS: usize = 1 << 24;

/// Multiplies an axis by a matrix `(new, old)`.
fn along(x: Tensor, axis: usize, matrix: &Array2<f32>) -> Tensor {
    use burn_backend::{DType, TensorMetadata};
    let precision = if x.dtype() == DType::F64 {
        Precision::Double
    } else {
        Precision::Single
    };
    let extents = shape(&x);
    let after: usize = extents[axis + 1..].iter().product();
    let before: usize = extents[..axis].iter().product();
    let x = Ad::float_reshape(x, vec![before, extents[axis], after].into());
    let new = matrix.nrows();
    let matrix = tensor(matrix.view().into_dyn(), precision);
    let matrix = Ad::float_reshape(matrix, vec![1, new, extents[axis]].into());
    let mut new_extents = extents;
    new_extents[axis] = new;
    Ad::float_reshape(Ad::float_matmul(matrix, x), new_extents.into())
}

/// How a new position takes its value from old ones.
struct Interpolation {
    mode: String,
    coordinates: String,
    nearest: String,
    cubic: f64,
}

impl Interpolation {
    fn of(call: &Call<'_>, is_upsample: bool) -> Result<Self, Fault> {
        let (coordinates, nearest) = if is_upsample || call.opset < 11 {
            ("asymmetric".to_owned(), "floor".to_owned())
        } else {
            (
                call.text("coordinate_transformation_mode", "half_pixel")?,
                call.text("nearest_mode", "round_prefer_floor")?,
            )
        };
        if call.int("antialias", 0)? == 1 || call.int("exclude_outside", 0)? == 1 {
            return Err(Fault::Unsupported {
                what: "a resize with antialiasing",
            });
        }
        Ok(Self {
            mode: call.text("mode", "nearest")?,
            coordinates,
            nearest,
            cubic: call.float("cubic_coeff_a", -0.75)?,
        })
    }

    /// Weights `(new, old)`.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "weights are stored as 32-bit numbers"
    )]
    fn matrix(&self, old: usize, new: usize, scale: f64) -> Result<Array2<f32>, Fault> {
        let mut weights = Array2::<f32>::zeros((new, old));
        for at in 0..new {
            let place = match self.coordinates.as_str() {
                "asymmetric" => at as f64 / scale,
                "half_pixel" => (at as f64 + 0.5) / scale - 0.5,
                "pytorch_half_pixel" if new > 1 => (at as f64 + 0.5) / scale - 0.5,
                "pytorch_half_pixel" => 0.0,
                "align_corners" if new > 1 => at as f64 * (old - 1) as f64 / (new - 1) as f64,
                "align_corners" => 0.0,
                _ => {
                    return Err(Fault::Attribute {
                        name: "coordinate_transformation_mode",
                    });
                }
            };
            let mut give = |from: f64, weight: f64| {
                let from = from.clamp(0.0, (old - 1) as f64) as usize;
                weights[[at, from]] += weight as f32;
            };
            let (floor, part) = (place.floor(), place - place.floor());
            match self.mode.as_str() {
                "nearest" => {
                    let from = match self.nearest.as_str() {
                        "floor" => floor,
                        "ceil" => place.ceil(),
                        "round_prefer_floor" => (place - 0.5).ceil(),
                        "round_prefer_ceil" => (place + 0.5).floor(),
                        _ => {
                            return Err(Fault::Attribute {
                                name: "nearest_mode",
                            });
                        }
                    };
                    give(from, 1.0);
                }
                "linear" | "bilinear" => {
                    give(floor, 1.0 - part);
                    give(floor + 1.0, part);
                }
                "cubic" => {
                    for offset in -1..=2 {
                        let offset = f64::from(offset);
                        give(floor + offset, keys(self.cubic, (part - offset).abs()));
                    }
                }
                _ => return Err(Fault::Attribute { name: "mode" }),
            }
        }
        Ok(weights)
    }
}

/// Keys' cubic convolution kernel with parameter `a`.
fn keys(a: f64, distance: f64) -> f64 {
    let d = distance;
    if d <= 1.0 {
        ((a + 2.0) * d - (a + 3.0)) * d * d + 1.0
    } else if d < 2.0 {
        ((a * d - 5.0 * a) * d + 8.0 * a) * d - 4.0 * a
    } else {
        0.0
    }
}
