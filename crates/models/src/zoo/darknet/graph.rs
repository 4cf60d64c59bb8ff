//! Layers as a graph, and which weight is which.

use std::collections::BTreeMap;

use super::layers::{Activation, Convolutional, Layer, Section};
use super::{CfgError, Darknet};
use crate::detect::YoloHead;
use crate::graph::{Attribute, Graph, Tensor};
use crate::zoo::builder::{self, Builder, Conv, Value};

/// Added to the variance.
const EPSILON: f32 = 1e-5;
const LEAKY_SLOPE: f32 = 0.1;

/// Most numbers that a layer may give for one picture.
const MAX_VALUES: usize = 1 << 28;

/// A graph without weights, and what is known about it.
pub(super) struct Built {
    pub graph: Graph,
    pub heads: Vec<YoloHead>,
    /// Keys and shapes of the weights, in the order of a `.weights` file.
    pub order: Vec<(String, Vec<usize>)>,
}

/// Builds the graph; its outputs are the `[yolo]` layers, or the last layer.
pub(super) fn build(network: &Darknet) -> Result<Built, CfgError> {
    let (mut b, input) = Builder::new("darknet", [network.height, network.width]);
    let (heads, last) = emit(&mut b, &input, &network.sections)?;
    // Layers that are brought to one size again meet at multiples of the largest stride only.
    b.fix_size();
    let built = b.finish(&last);
    let mut graph = built.graph;
    if !heads.is_empty() {
        graph.outputs = heads.iter().map(|head| head.tensor.clone()).collect();
    }
    Ok(Built {
        order: order(&network.sections, &built.parameters),
        graph,
        heads,
    })
}

/// Writes all layers; gives the `[yolo]` layers and the last layer.
pub(super) fn emit(
    b: &mut Builder,
    input: &Value,
    sections: &[Section],
) -> Result<(Vec<YoloHead>, Value), CfgError> {
    let mut outputs: Vec<Value> = Vec::with_capacity(sections.len());
    let mut heads = Vec::new();
    for (layer_idx, section) in sections.iter().enumerate() {
        let x = outputs.last().unwrap_or(input);
        let place = Place {
            line: section.line,
            layer: layer_idx,
            name: layer_idx.to_string(),
        };
        let output = match &section.layer {
            Layer::Convolutional(settings) => place.convolutional(b, x, settings)?,
            Layer::Shortcut { from, activation } => {
                let others: Vec<&Value> = from.iter().map(|&at| &outputs[at]).collect();
                place.shortcut(b, x, &others, *activation)?
            }
            Layer::Route {
                from,
                groups,
                group,
            } => {
                let parts: Vec<&Value> = from.iter().map(|&at| &outputs[at]).collect();
                place.route(b, &parts, *groups, *group)?
            }
            Layer::Upsample { stride } => place.upsample(b, x, *stride)?,
            Layer::MaxPool {
                size,
                stride,
                padding,
            } => place.max_pool(b, x, *size, *stride, *padding)?,
            Layer::Dropout => x.clone(),
            Layer::Yolo {
                anchors,
                n_classes,
                scale_x_y,
            } => {
                let expected = anchors.len() * (5 + n_classes);
                if x.shape[0] != expected {
                    let what = "the number of channels before it";
                    return Err(place.misfit(what, x.shape[0], expected));
                }
                heads.push(YoloHead {
                    tensor: x.name.clone(),
                    anchors: anchors.clone(),
                    n_classes: *n_classes,
                    scale_x_y: *scale_x_y,
                });
                x.clone()
            }
        };
        b.container(&place.name, &output);
        outputs.push(output);
    }
    if let Some(other) = heads.iter().find(|h| h.n_classes != heads[0].n_classes) {
        let place = Place {
            line: 0,
            layer: sections.len() - 1,
            name: String::new(),
        };
        let what = "the number of classes of a [yolo] layer";
        return Err(place.misfit(what, other.n_classes, heads[0].n_classes));
    }
    let last = outputs.pop().expect("a network has a layer");
    Ok((heads, last))
}

/// Where a layer stands.
struct Place {
    line: usize,
    layer: usize,
    name: String,
}

impl Place {
    fn misfit(
        &self,
        what: &'static str,
        found: impl ToString,
        expected: impl ToString,
    ) -> CfgError {
        CfgError::Shape {
            line: self.line,
            layer: self.layer,
            what,
            found: found.to_string(),
            expected: expected.to_string(),
        }
    }

    fn bounded(&self, [c, h, w]: [usize; 3]) -> Result<Vec<usize>, CfgError> {
        let product = c.checked_mul(h).and_then(|n| n.checked_mul(w));
        match product {
            Some(n) if n <= MAX_VALUES => Ok(vec![c, h, w]),
            _ => {
                let found = format!("{c} × {h} × {w}");
                let expected = format!("at most {MAX_VALUES} numbers");
                Err(self.misfit("its size", found, expected))
            }
        }
    }

    /// Positions of a window along an axis.
    fn windows(&self, room: usize, window: usize, stride: usize) -> Result<usize, CfgError> {
        match room.checked_sub(window) {
            Some(rest) => Ok(rest / stride + 1),
            None => Err(self.misfit("its window", window, format!("at most {room}"))),
        }
    }

    fn convolutional(
        &self,
        b: &mut Builder,
        x: &Value,
        settings: &Convolutional,
    ) -> Result<Value, CfgError> {
        let Convolutional {
            filters, groups, ..
        } = *settings;
        if !x.shape[0].is_multiple_of(groups) || filters % groups != 0 {
            let found = format!("{groups} for {} channels and {filters} filters", x.shape[0]);
            return Err(self.misfit("the number of groups", found, "a divisor of both"));
        }
        let window = settings.dilation * (settings.size - 1) + 1;
        let side =
            |extent: usize| self.windows(extent + 2 * settings.padding, window, settings.stride);
        self.bounded([filters, side(x.shape[1])?, side(x.shape[2])?])?;
        let mut conv = Conv::square(filters, settings.size)
            .stride(settings.stride)
            .padding(settings.padding)
            .dilation(settings.dilation)
            .groups(groups);
        if settings.batch_normalize {
            conv = conv.without_bias();
        }
        let mut y = b.conv(&format!("{}.convolutional", self.name), x, conv);
        if settings.batch_normalize {
            y = b.batch_norm(&format!("{}.batch_normalize", self.name), &y, EPSILON);
        }
        Ok(self.activation(b, &y, settings.activation))
    }

    fn shortcut(
        &self,
        b: &mut Builder,
        x: &Value,
        others: &[&Value],
        activation: Activation,
    ) -> Result<Value, CfgError> {
        let mut sum = x.clone();
        for other in others {
            if other.shape != x.shape {
                let what = "the shape of a layer to be added";
                let (found, expected) = (&other.shape, &x.shape);
                return Err(self.misfit(what, format!("{found:?}"), format!("{expected:?}")));
            }
            sum = b.add(&format!("{}.shortcut", self.name), &sum, other);
        }
        Ok(self.activation(b, &sum, activation))
    }

    fn route(
        &self,
        b: &mut Builder,
        from: &[&Value],
        groups: usize,
        group: usize,
    ) -> Result<Value, CfgError> {
        let mut parts = Vec::with_capacity(from.len());
        for part in from {
            if part.shape[1..] != from[0].shape[1..] {
                let (found, expected) = (&part.shape[1..], &from[0].shape[1..]);
                let what = "height and width of a layer to be joined";
                return Err(self.misfit(what, format!("{found:?}"), format!("{expected:?}")));
            }
            if part.shape[0] % groups != 0 {
                let expected = format!("a multiple of {groups}");
                return Err(self.misfit("the number of channels", part.shape[0], expected));
            }
            let width = part.shape[0] / groups;
            parts.push(if groups == 1 {
                (*part).clone()
            } else {
                let tensor = format!("{}/group", self.name);
                b.slice(&tensor, part, 0, group * width, (group + 1) * width)
            });
        }
        let n_channels = parts.iter().map(|part| part.shape[0]).sum();
        self.bounded([n_channels, parts[0].shape[1], parts[0].shape[2]])?;
        if let [part] = &parts[..] {
            return Ok(part.clone());
        }
        let parts: Vec<&Value> = parts.iter().collect();
        Ok(b.concat(&format!("{}.route", self.name), &parts, 0))
    }

    fn upsample(&self, b: &mut Builder, x: &Value, stride: usize) -> Result<Value, CfgError> {
        let shape = self.bounded([x.shape[0], x.shape[1] * stride, x.shape[2] * stride])?;
        let floats = |values: &[f32]| {
            Tensor::from_f32(vec![values.len()], values).expect("one axis of that extent")
        };
        let scale = stride as f32;
        let name = |part: &str| format!("{}/{part}", self.name);
        let region = b.constant(&name("region"), floats(&[]));
        let scales = b.constant(&name("scales"), floats(&[1.0, 1.0, scale, scale]));
        let text = |text: &str| Attribute::Text(text.as_bytes().to_vec());
        let attributes = [
            ("mode", text("nearest")),
            ("coordinate_transformation_mode", text("asymmetric")),
            ("nearest_mode", text("floor")),
        ];
        let tensor = format!("{}.upsample", self.name);
        Ok(b.op(
            &tensor,
            "Resize",
            &[x, &region, &scales],
            &attributes,
            shape,
        ))
    }

    fn max_pool(
        &self,
        b: &mut Builder,
        x: &Value,
        size: usize,
        stride: usize,
        padding: usize,
    ) -> Result<Value, CfgError> {
        let side = |extent: usize| self.windows(extent + padding, size, stride);
        let shape = self.bounded([x.shape[0], side(x.shape[1])?, side(x.shape[2])?])?;
        let (before, after) = (padding / 2, padding - padding / 2);
        let ints = |values: &[usize]| Attribute::Ints(values.iter().map(|&v| v as i64).collect());
        let attributes = [
            ("kernel_shape", ints(&[size; 2])),
            ("strides", ints(&[stride; 2])),
            ("pads", ints(&[before, before, after, after])),
        ];
        let tensor = format!("{}.maxpool", self.name);
        Ok(b.op(&tensor, "MaxPool", &[x], &attributes, shape))
    }

    fn activation(&self, b: &mut Builder, x: &Value, activation: Activation) -> Value {
        let module = format!("{}.{}", self.name, activation.name());
        let known = match activation {
            Activation::Linear => return x.clone(),
            Activation::Leaky => builder::Activation::LeakyRelu(LEAKY_SLOPE),
            Activation::Relu => builder::Activation::Relu,
            Activation::Relu6 => builder::Activation::Relu6,
            Activation::Swish => builder::Activation::Silu,
            Activation::Logistic => builder::Activation::Sigmoid,
            // x · tanh(ln(1 + eˣ))
            Activation::Mish => {
                let mut step = |name: &str, op: &str, of: &[&Value]| {
                    b.op(&format!("{module}/{name}"), op, of, &[], x.shape.clone())
                };
                let softplus = step("softplus", "Softplus", &[x]);
                let gate = step("tanh", "Tanh", &[&softplus]);
                return b.module(&module, "Mul", &[x, &gate], &[], x.shape.clone());
            }
        };
        b.activation(&module, x, known)
    }
}

/// Keys and shapes of the weights as a `.weights` file has them.
pub(super) fn order(
    sections: &[Section],
    parameters: &BTreeMap<String, Vec<usize>>,
) -> Vec<(String, Vec<usize>)> {
    let mut order = Vec::with_capacity(parameters.len());
    for (layer_idx, section) in sections.iter().enumerate() {
        let Layer::Convolutional(settings) = &section.layer else {
            continue;
        };
        let keys: &[&str] = if settings.batch_normalize {
            &[
                "batch_normalize.bias",
                "batch_normalize.weight",
                "batch_normalize.running_mean",
                "batch_normalize.running_var",
                "convolutional.weight",
            ]
        } else {
            &["convolutional.bias", "convolutional.weight"]
        };
        order.extend(keys.iter().map(|key| {
            let key = format!("{layer_idx}.{key}");
            let shape = parameters[&key].clone();
            (key, shape)
        }));
    }
    order
}

/// Gives every weight its numbers.
pub(super) fn assign(
    order: &[(String, Vec<usize>)],
    values: &[f32],
) -> Result<BTreeMap<String, Tensor>, CfgError> {
    let expected: usize = order
        .iter()
        .map(|(_, shape)| shape.iter().product::<usize>())
        .sum();
    if expected != values.len() {
        return Err(CfgError::Weights {
            expected,
            found: values.len(),
        });
    }
    let mut rest = values;
    Ok(order
        .iter()
        .map(|(key, shape)| {
            let (of_this, others) = rest.split_at(shape.iter().product());
            rest = others;
            let tensor = Tensor::from_f32(shape.clone(), of_this);
            (
                key.clone(),
                tensor.expect("as many numbers as the shape has"),
            )
        })
        .collect())
}
