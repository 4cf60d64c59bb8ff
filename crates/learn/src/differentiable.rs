//! Gradients of a network's layers.

use std::collections::BTreeMap;

use burn_backend::ops::FloatTensorOps;
use consilience_models::graph::Input;
use consilience_models::{Layer, Network};
use ndarray::{Array1, ArrayD, ArrayView3, ArrayView4, ArrayViewD, Axis, IxDyn};
use rayon::prelude::*;

use crate::error::{LearnError, Result};
use crate::interpret::{Program, guard};
use crate::value::{Ad, Precision, Tensor, Value, array, array64, full, tensor};

/// A network whose layers can be differentiated.
///
/// Images are worked on in parallel, each by kernels of one thread, so that the numbers are the same
/// for any number of threads and of images.
///
/// # Peers
///
/// PyTorch's autograd with the same weights: gradients of the largest logit with respect to layers and
/// to the image agree to 1e-6 of their largest value when both compute with 64 bits, and to 1e-4 with
/// 32 bits, unless the rounding opens or closes rectifiers (then to about 1e-2, as torch with itself).
///
/// # Example
///
/// The gradient of the largest output with respect to a layer and to the pixels, of a small network with
/// random weights ([`Network::from_zoo`] takes those of a file):
///
/// ```
/// use consilience_learn::{Differentiable, Scalar, train};
/// use consilience_models::{Network, zoo};
///
/// let architecture = zoo::find("consilience_demo")?;
/// let weights = train::initial_weights(&architecture.parameters()?, 1);
/// let network = Network::with_state_dict(&architecture, weights)?;
/// let differentiable = Differentiable::new(&network);
/// let mut layers = network.select(&["conv3"])?;
/// layers.push(differentiable.images());
///
/// let images = ndarray::Array4::ones((2, 3, 64, 64));
/// let found = differentiable.gradients(images.view(), &layers, &Scalar::MaxClass)?;
/// assert_eq!(found.gradients[0].shape(), found.activations[0].shape());
/// assert_eq!(found.gradients[1].shape(), [2, 3, 64, 64]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Differentiable {
    program: Program,
    input: Input,
    output: String,
}

/// A number that an image's activations give, to be differentiated.
#[derive(Clone)]
pub enum Scalar<'a> {
    /// The network's output for one class (a logit, unless the network ends in a softmax).
    Class(usize),
    /// The largest of the network's outputs; the first of equal ones.
    MaxClass,
    /// Σ weights · activation of a layer.
    Linear {
        /// The layer.
        layer: &'a Layer,
        /// Weights of the shape of one image's activation.
        weights: ArrayViewD<'a, f32>,
    },
    /// Any function of a layer.
    Function {
        /// The layer.
        layer: &'a Layer,
        /// Gives the number and its derivative with respect to each unit, for one image's activation.
        function: &'a Functional,
    },
}

/// A number made from one image's activation, and its derivative with respect to each unit.
pub type Functional = dyn Fn(ArrayViewD<'_, f32>) -> (f64, ArrayD<f32>) + Sync;

/// Gradients of a scalar for a batch of images.
#[derive(Debug, Clone, PartialEq)]
pub struct Gradients {
    /// The scalar of each image.
    pub values: Array1<f64>,
    /// The class of each image; empty when the scalar is no class.
    pub classes: Vec<usize>,
    /// Activations of the layers, `(n_images, …)` each.
    pub activations: Vec<ArrayD<f32>>,
    /// Derivatives with respect to those activations.
    pub gradients: Vec<ArrayD<f32>>,
}

/// Gradients of a scalar for one image.
pub(crate) struct ImageGradients {
    pub value: f64,
    pub class: Option<usize>,
    pub activations: Vec<ArrayD<f32>>,
    pub gradients: Vec<ArrayD<f32>>,
}

impl Differentiable {
    /// Takes the weights of a network.
    #[must_use]
    pub fn new(network: &Network) -> Self {
        Self::with_precision(network, Precision::Single)
    }

    /// Takes the weights of a network and computes with another width.
    #[must_use]
    pub fn with_precision(network: &Network, precision: Precision) -> Self {
        Self {
            program: Program::new(&network.graph, precision),
            input: network.graph.inputs.first().cloned().unwrap_or_default(),
            output: network.graph.outputs.first().cloned().unwrap_or_default(),
        }
    }

    /// The images as a layer, for gradients with respect to their pixels.
    #[must_use]
    pub fn images(&self) -> Layer {
        Layer {
            name: self.input.name.clone(),
            tensor: self.input.name.clone(),
        }
    }

    /// Activations of `layers`.
    ///
    /// # Shapes
    ///
    /// Images `(n, channels, height, width)` as the preprocessing gives them; one `(n, …)` for each
    /// layer.
    ///
    /// # Errors
    ///
    /// [`LearnError::InputShape`], [`LearnError::NotAPattern`], and what stands in the way of an
    /// operation.
    pub fn forward(
        &self,
        images: ArrayView4<'_, f32>,
        layers: &[Layer],
    ) -> Result<Vec<ArrayD<f32>>> {
        self.check(images)?;
        let of_images = (0..images.len_of(Axis(0)))
            .into_par_iter()
            .map(|idx| self.forward_image(images.index_axis(Axis(0), idx), layers))
            .collect::<Result<Vec<_>>>()?;
        Ok(stack(layers.len(), &of_images, |of_image| of_image))
    }

    /// Gradients of `scalar` with respect to `layers`, all in one backward pass.
    ///
    /// # Shapes
    ///
    /// Images `(n, channels, height, width)` as the preprocessing gives them; in [`Gradients`] one
    /// `(n, …)` for each layer. A layer that the scalar does not depend on has a gradient of zeros.
    ///
    /// # Errors
    ///
    /// [`LearnError::InputShape`], [`LearnError::NotAPattern`], [`LearnError::UnknownClass`],
    /// [`LearnError::ShapeMismatch`] for weights or a derivative that are not of the layer's shape,
    /// [`LearnError::NonFinite`], and what stands in the way of an operation.
    pub fn gradients(
        &self,
        images: ArrayView4<'_, f32>,
        layers: &[Layer],
        scalar: &Scalar<'_>,
    ) -> Result<Gradients> {
        self.check(images)?;
        let of_images = (0..images.len_of(Axis(0)))
            .into_par_iter()
            .map(|idx| {
                let image = images.index_axis(Axis(0), idx);
                self.image_gradients(idx, image, layers, scalar)
            })
            .collect::<Result<Vec<_>>>()?;
        Ok(Gradients {
            values: of_images.iter().map(|of_image| of_image.value).collect(),
            classes: of_images
                .iter()
                .filter_map(|of_image| of_image.class)
                .collect(),
            activations: stack(layers.len(), &of_images, |of_image| &of_image.activations),
            gradients: stack(layers.len(), &of_images, |of_image| &of_image.gradients),
        })
    }

    pub(crate) fn check(&self, images: ArrayView4<'_, f32>) -> Result<()> {
        let fits = images
            .shape()
            .iter()
            .zip(&self.input.shape)
            .skip(1)
            .all(|(&found, extent)| extent.is_none_or(|extent| extent == found));
        // Images go through one by one.
        let one_by_one = self
            .input
            .shape
            .first()
            .is_none_or(|n| n.is_none_or(|n| n == 1));
        if fits && one_by_one && !images.is_empty() {
            return Ok(());
        }
        let extents: Vec<String> = self
            .input
            .shape
            .iter()
            .map(|extent| extent.map_or("?".to_owned(), |n| n.to_string()))
            .collect();
        Err(LearnError::InputShape {
            expected: format!("({})", extents.join(", ")),
            found: images.shape().to_vec(),
        })
    }

    fn leaf(&self, image: ArrayView3<'_, f32>) -> Tensor {
        tensor(
            image.insert_axis(Axis(0)).into_dyn(),
            self.program.precision,
        )
    }

    fn forward_image(
        &self,
        image: ArrayView3<'_, f32>,
        layers: &[Layer],
    ) -> Result<Vec<ArrayD<f32>>> {
        let wanted: Vec<&str> = layers.iter().map(|layer| layer.tensor.as_str()).collect();
        let values =
            self.program
                .run(self.leaf(image), &wanted, &BTreeMap::new(), |_, tensor| {
                    tensor
                })?;
        layers
            .iter()
            .zip(values)
            .map(|(layer, value)| match value {
                Value::Real(tensor) => without_batch(array(tensor.into_primitive()), &layer.name),
                Value::Whole(_) => Err(not_a_pattern(&layer.name)),
            })
            .collect()
    }

    /// What can be computed of `layers` for one image, and what stands in the way of the others; `None`
    /// for a layer that depends on that or is no pattern of numbers.
    pub(crate) fn layers_of_image(
        &self,
        image: ArrayView3<'_, f32>,
        layers: &[Layer],
    ) -> (Vec<Option<ArrayD<f32>>>, Vec<LearnError>) {
        let wanted: Vec<&str> = layers.iter().map(|layer| layer.tensor.as_str()).collect();
        let (values, obstacles) = self.program.run_where_possible(self.leaf(image), &wanted);
        let values = layers.iter().zip(values).map(|(layer, value)| match value {
            Some(Value::Real(tensor)) => {
                without_batch(array(tensor.into_primitive()), &layer.name).ok()
            }
            Some(Value::Whole(_)) | None => None,
        });
        (values.collect(), obstacles)
    }

    /// Gradients for one image `(channels, height, width)`, whose number messages state.
    pub(crate) fn image_gradients(
        &self,
        image_idx: usize,
        image: ArrayView3<'_, f32>,
        layers: &[Layer],
        scalar: &Scalar<'_>,
    ) -> Result<ImageGradients> {
        let of = match scalar {
            Scalar::Class(_) | Scalar::MaxClass => self.output.as_str(),
            Scalar::Linear { layer, .. } | Scalar::Function { layer, .. } => &layer.tensor,
        };
        let mut taps: BTreeMap<&str, Option<(Tensor, Tensor)>> = layers
            .iter()
            .map(|layer| (layer.tensor.as_str(), None))
            .collect();
        let mut wanted: Vec<&str> = taps.keys().copied().collect();
        wanted.push(of);
        let mut outputs = self.program.run(
            self.leaf(image),
            &wanted,
            &BTreeMap::new(),
            |name, tensor| {
                let Some(tap) = taps.get_mut(name) else {
                    return tensor;
                };
                // Its derivative is the layer's own: gradients are kept for what is given, not for
                // what is computed.
                let nothing = full(&crate::value::shape(&tensor), 0.0, &tensor).require_grad();
                let tapped = Ad::float_add(tensor.clone(), nothing.clone());
                *tap = Some((tensor, nothing));
                tapped
            },
        )?;
        let Some(Value::Real(output)) = outputs.pop() else {
            return Err(not_a_pattern(of));
        };
        drop(outputs);
        let (value, class, derivative) = self.derivative(image_idx, scalar, &output, of)?;
        let sum = Ad::float_sum(Ad::float_mul(output, derivative));
        let gradients = if sum.is_tracked() {
            Some(guard(|| sum.backward()).map_err(|reason| LearnError::Backward { reason })?)
        } else {
            None
        };
        let mut result = ImageGradients {
            value,
            class,
            activations: Vec::with_capacity(layers.len()),
            gradients: Vec::with_capacity(layers.len()),
        };
        for layer in layers {
            let Some(Some((activation, tap))) = taps.get(layer.tensor.as_str()) else {
                return Err(not_a_pattern(&layer.name));
            };
            let activation = without_batch(array(activation.primitive().clone()), &layer.name)?;
            let gradient = match gradients.as_ref().and_then(|gradients| tap.grad(gradients)) {
                Some(gradient) => without_batch(array(gradient), &layer.name)?,
                None => ArrayD::zeros(activation.raw_dim()),
            };
            let finite = |values: &ArrayD<f32>| values.iter().all(|v| v.is_finite());
            if !(finite(&activation) && finite(&gradient)) {
                return Err(LearnError::NonFinite {
                    what: format!("the gradient at layer {:?}", layer.name),
                    image: image_idx,
                });
            }
            result.activations.push(activation);
            result.gradients.push(gradient);
        }
        Ok(result)
    }

    /// The scalar, its class, and its derivative with respect to the layer that it is a function of.
    fn derivative(
        &self,
        image_idx: usize,
        scalar: &Scalar<'_>,
        output: &Tensor,
        name: &str,
    ) -> Result<(f64, Option<usize>, Tensor)> {
        let values = array64(output.primitive().clone());
        let batched = values.raw_dim();
        let unit = |class: usize| {
            let mut derivative = ArrayD::<f32>::zeros(batched.clone());
            if let Some(one) = derivative.iter_mut().nth(class) {
                *one = 1.0;
            }
            tensor(derivative.view(), self.program.precision)
        };
        let logits: Vec<f64> = values.iter().copied().collect();
        let derived = |layer: &Layer, value: f64, derivative: ArrayViewD<'_, f32>| {
            let expected = without_batch(values.mapv(|v| v as f32), &layer.name)?;
            if expected.shape() != derivative.shape() {
                return Err(LearnError::ShapeMismatch {
                    what: "the derivative of the scalar with respect to its layer",
                    expected: expected.shape().to_vec(),
                    found: derivative.shape().to_vec(),
                });
            }
            let derivative = derivative.insert_axis(Axis(0));
            Ok((value, None, tensor(derivative, self.program.precision)))
        };
        match scalar {
            Scalar::Class(class) => match logits.get(*class) {
                Some(&logit) => Ok((logit, Some(*class), unit(*class))),
                None => Err(LearnError::UnknownClass {
                    n_classes: logits.len(),
                    found: *class,
                }),
            },
            Scalar::MaxClass => {
                if logits.iter().any(|logit| !logit.is_finite()) {
                    return Err(LearnError::NonFinite {
                        what: "the output".to_owned(),
                        image: image_idx,
                    });
                }
                let first_largest = logits
                    .iter()
                    .enumerate()
                    .reduce(|best, next| if next.1 > best.1 { next } else { best });
                let (class, &logit) = first_largest.ok_or_else(|| not_a_pattern(name))?;
                Ok((logit, Some(class), unit(class)))
            }
            Scalar::Linear { layer, weights } => {
                let activation = without_batch(values.mapv(|v| v as f32), &layer.name)?;
                if activation.shape() != weights.shape() {
                    return Err(LearnError::ShapeMismatch {
                        what: "the weights of the scalar",
                        expected: activation.shape().to_vec(),
                        found: weights.shape().to_vec(),
                    });
                }
                let products = weights.iter().zip(&logits).map(|(&w, a)| f64::from(w) * a);
                derived(layer, products.sum(), weights.view())
            }
            Scalar::Function { layer, function } => {
                let activation = without_batch(values.mapv(|v| v as f32), &layer.name)?;
                let (value, derivative) = function(activation.view());
                derived(layer, value, derivative.view())
            }
        }
    }
}

fn not_a_pattern(layer: &str) -> LearnError {
    LearnError::NotAPattern {
        layer: layer.to_owned(),
    }
}

/// One image's part of a batch of one.
fn without_batch(values: ArrayD<f32>, layer: &str) -> Result<ArrayD<f32>> {
    match values.shape() {
        [1, ..] => Ok(values.index_axis_move(Axis(0), 0)),
        _ => Err(not_a_pattern(layer)),
    }
}

/// Layer by layer, the arrays of all images as one.
fn stack<T>(
    n_layers: usize,
    of_images: &[T],
    arrays: impl Fn(&T) -> &Vec<ArrayD<f32>>,
) -> Vec<ArrayD<f32>> {
    (0..n_layers)
        .map(|layer_idx| {
            let parts: Vec<ArrayViewD<'_, f32>> = of_images
                .iter()
                .map(|of_image| arrays(of_image)[layer_idx].view())
                .collect();
            match ndarray::stack(Axis(0), &parts) {
                Ok(stacked) => stacked,
                Err(_) => ArrayD::zeros(IxDyn(&[0])),
            }
        })
        .collect()
}
