//! Does a network give the same activations wherever it runs?
//!
//! Every layer of one image, by each executor and, if there is one, by a reference that another
//! program recorded (`tools/reference_activations.py` does it for PyTorch). The first layer that
//! differs is where to look; those after it only inherit the difference.

use consilience_io::image::RgbImage;
use ndarray::{Array1, ArrayD};

use crate::{ExecutorChoice, ExtractParams, Extractor, Images, ModelError, Network, Result};

/// The executors that are compared, the one that is always there first.
pub const EXECUTORS: [ExecutorChoice; 2] = [ExecutorChoice::Rten, ExecutorChoice::OnnxRuntime];

/// Largest difference that counts as none, relative to the layer.
pub const TOLERANCE: f64 = 1e-4;

/// Activations of one image, from one place.
#[derive(Debug, Clone, PartialEq)]
pub struct Activations {
    /// Who computed them.
    pub by: String,
    /// Layers in execution order, with the values flattened row-major.
    pub layers: Vec<(String, Array1<f32>)>,
}

impl Activations {
    /// Runs one image through `executor` and keeps every layer.
    ///
    /// # Errors
    ///
    /// [`ModelError::NoOnnxRuntime`], and as [`Extractor::run`].
    pub fn of(network: &Network, image: &RgbImage, executor: ExecutorChoice) -> Result<Self> {
        let params = ExtractParams {
            executor,
            ..ExtractParams::default()
        };
        let extractor = Extractor::prepare(network, &network.graph.default_layers(), &params)?;
        let described = extractor.layers.clone();
        let by = extractor.executor.to_string();
        let mut layers: Vec<(String, Array1<f32>)> = described
            .iter()
            .map(|layer| (layer.name.clone(), Array1::default(0)))
            .collect();
        extractor.run(
            Images::Decoded(std::slice::from_ref(image)),
            |block| {
                layers[block.layer_idx].1 = block.rows.row(0).to_owned();
                Ok::<(), ModelError>(())
            },
            |_| {},
        )?;
        for (idx, layer) in described.iter().enumerate() {
            if let Some(original) = layer.alias_of {
                layers[idx].1 = layers[original].1.clone();
            }
        }
        Ok(Self { by, layers })
    }

    /// Activations that another program recorded, one image each, whatever their axes.
    #[must_use]
    pub fn recorded(by: String, tensors: impl IntoIterator<Item = (String, ArrayD<f32>)>) -> Self {
        Self {
            by,
            layers: tensors
                .into_iter()
                .map(|(name, tensor)| (name, tensor.iter().copied().collect()))
                .collect(),
        }
    }
}

/// A layer in two places.
#[derive(Debug, Clone, PartialEq)]
pub struct Compared {
    /// The layer.
    pub layer: String,
    /// Values in the first place and in the second.
    pub n_values: [usize; 2],
    /// Largest absolute difference; infinite where the numbers of values differ.
    pub difference: f64,
    /// Largest absolute value of the first.
    pub scale: f64,
    /// Whether they agree.
    pub agrees: bool,
}

/// Compares the layers that both have, in the order of the first.
///
/// # Definition
///
/// A layer agrees when max |a − b| ≤ tolerance · max |a|, both over all its values.
///
/// # Example
///
/// ```
/// use consilience_models::verify::{Activations, compare};
/// use ndarray::array;
///
/// let ours = Activations::recorded("ours".into(), [("fc".into(), array![1.0, 2.0].into_dyn())]);
/// let theirs = Activations::recorded("theirs".into(), [("fc".into(), array![1.0, 2.5].into_dyn())]);
/// let compared = compare(&ours, &theirs, 1e-4);
/// assert_eq!((compared[0].difference, compared[0].agrees), (0.5, false));
/// ```
#[must_use]
pub fn compare(first: &Activations, second: &Activations, tolerance: f64) -> Vec<Compared> {
    first
        .layers
        .iter()
        .filter_map(|(layer, a)| {
            let (_, b) = second.layers.iter().find(|(name, _)| name == layer)?;
            let pairs = || a.iter().zip(b).map(|(a, b)| (f64::from(*a), f64::from(*b)));
            let scale = a.iter().fold(0.0, |most, a| f64::from(a.abs()).max(most));
            let difference = if a.len() == b.len() {
                // A value that is no number differs from every number.
                pairs().map(|(a, b)| (a - b).abs()).fold(0.0, |most, d| {
                    if d.is_nan() {
                        f64::INFINITY
                    } else {
                        d.max(most)
                    }
                })
            } else {
                f64::INFINITY
            };
            Some(Compared {
                layer: layer.clone(),
                n_values: [a.len(), b.len()],
                difference,
                scale,
                agrees: difference <= tolerance * scale,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array, array};

    fn activations(layers: &[(&str, ArrayD<f32>)]) -> Activations {
        let layers = layers
            .iter()
            .map(|(name, x)| ((*name).to_owned(), x.clone()));
        Activations::recorded("test".into(), layers)
    }

    #[test]
    fn differences_are_relative_to_the_layer() {
        let first = activations(&[
            ("zero", array![0.0, 0.0].into_dyn()),
            ("large", array![[1000.0, 1.0]].into_dyn()),
            ("small", array![1e-3, 0.0].into_dyn()),
            ("mine", array![1.0].into_dyn()),
            ("shape", array![1.0].into_dyn()),
            ("nan", array![1.0, f32::NAN].into_dyn()),
        ]);
        let second = activations(&[
            ("zero", array![0.0, 0.0].into_dyn()),
            ("large", array![1000.0, 1.01].into_dyn()),
            ("small", array![1e-3, 1e-5].into_dyn()),
            ("theirs", array![1.0].into_dyn()),
            ("shape", array![1.0, 1.0].into_dyn()),
            ("nan", array![1.0, f32::NAN].into_dyn()),
        ]);
        let compared = compare(&first, &second, TOLERANCE);
        let outcome: Vec<(&str, bool)> = compared
            .iter()
            .map(|c| (c.layer.as_str(), c.agrees))
            .collect();
        assert_eq!(
            outcome,
            [
                ("zero", true),
                ("large", true),
                ("small", false),
                ("shape", false),
                ("nan", false)
            ]
        );
        assert_eq!(compared[3].difference, f64::INFINITY);
    }

    #[test]
    fn every_layer_of_a_network_is_recorded() {
        let architecture = crate::zoo::find("consilience_demo").unwrap();
        let weights = architecture
            .parameters()
            .unwrap()
            .into_iter()
            .map(|(key, shape)| {
                let values = Array::from_elem(shape.iter().product::<usize>(), 0.01).to_vec();
                (key, crate::graph::Tensor::from_vec(shape, values).unwrap())
            })
            .collect();
        let network = Network::with_state_dict(&architecture, weights).unwrap();
        let image = RgbImage {
            width: 64,
            height: 64,
            pixels: (0..64 * 64 * 3).map(|i| (i % 251) as u8).collect(),
        };
        let recorded = Activations::of(&network, &image, ExecutorChoice::Rten).unwrap();
        assert!(recorded.by.starts_with("rten "));
        let names: Vec<&str> = recorded
            .layers
            .iter()
            .map(|(name, _)| name.as_str())
            .collect();
        let expected: Vec<&str> = network.layers().iter().map(|l| l.name.as_str()).collect();
        assert_eq!(names, expected);
        assert_eq!(recorded.layers[0].1.len(), 16 * 64 * 64);
        assert!(compare(&recorded, &recorded, 0.0).iter().all(|c| c.agrees));
    }
}
