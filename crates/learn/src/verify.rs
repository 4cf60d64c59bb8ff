//! The layers that gradients are computed from, to be compared with those of inference.

use consilience_io::image::RgbImage;
use consilience_models::Network;
use consilience_models::verify::Activations;
use ndarray::Axis;

use crate::differentiable::Differentiable;
use crate::error::{LearnError, Result};

/// Version of burn that is part of the program.
const VERSION: &str = "0.22.1";

/// Every layer of one image, forwards, by the operations that know their derivatives.
#[derive(Debug)]
pub struct Forward {
    /// The layers that can be computed, in execution order.
    pub activations: Activations,
    /// The operations that stand in the way of the others.
    pub obstacles: Vec<LearnError>,
}

/// Runs one image through the operations that gradients are computed with and keeps every layer.
///
/// An operation without a derivative here is told of, and the layers that do not depend on it are
/// computed all the same.
///
/// # Errors
///
/// [`LearnError::Model`] for a picture without pixels, [`LearnError::InputShape`] when the preprocessing
/// does not give what the network takes.
///
/// # Example
///
/// ```no_run
/// use consilience_io::image;
/// use consilience_models::verify::{Activations, TOLERANCE, compare};
/// use consilience_models::{ExecutorChoice, Network};
///
/// let network = Network::from_zoo("squeezenet1_1", "squeezenet1_1.safetensors".as_ref())?;
/// let picture = image::read("cat.png")?;
/// let inference = Activations::of(&network, &picture, ExecutorChoice::Rten)?;
/// let gradients = consilience_learn::verify::forward(&network, &picture)?;
/// let compared = compare(&inference, &gradients.activations, TOLERANCE);
/// assert!(compared.iter().all(|layer| layer.agrees));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Peers
///
/// rten and ONNX Runtime: 10⁻⁴ of a layer's largest value.
pub fn forward(network: &Network, picture: &RgbImage) -> Result<Forward> {
    let differentiable = Differentiable::new(network);
    let image = network.preprocessing.apply(picture)?;
    differentiable.check(image.view().insert_axis(Axis(0)))?;
    let layers = network.graph.default_layers();
    let (values, obstacles) = differentiable.layers_of_image(image.view(), &layers);
    let computed = layers
        .into_iter()
        .zip(values)
        .filter_map(|(layer, value)| Some((layer.name, value?)));
    Ok(Forward {
        activations: Activations::recorded(format!("gradients (burn {VERSION})"), computed),
        obstacles,
    })
}

#[cfg(test)]
mod tests {
    use super::VERSION;

    #[test]
    fn the_stated_version_is_the_one_depended_on() {
        let manifest = include_str!("../../../Cargo.toml");
        for part in ["autodiff", "backend", "flex"] {
            let line = format!("burn-{part} = {{ version = \"{VERSION}\"");
            assert!(manifest.contains(&line), "{line}");
        }
    }
}
