//! Architectures that are known by name.
//!
//! An [`Architecture`] is data (description, citation, preprocessing) and a recipe that builds its
//! graph; with a state dict in torchvision's keys it becomes a network.

mod builder;
mod demo;
mod squeezenet;

use std::collections::BTreeMap;

use consilience_core::Citation;

use crate::error::Misshapen;
use crate::graph::{Graph, Tensor};
use crate::suggest::nearest;
use crate::{ModelError, Preprocessing, Result};
use builder::Builder;

/// Weights by key, as in PyTorch's state dict.
pub type StateDict = BTreeMap<String, Tensor>;

/// An architecture without its weights.
#[derive(Debug, Clone)]
pub struct Architecture {
    /// Name, torchvision's where it has the architecture.
    pub name: &'static str,
    /// One sentence about it.
    pub description: &'static str,
    /// Work to cite; `None` for this project's own.
    pub citation: Option<Citation>,
    /// Number of classes of the last layer.
    pub n_classes: usize,
    /// What its usual weights expect done to an image.
    pub preprocessing: Preprocessing,
    /// Graph without weights.
    graph: Graph,
    /// Keys of the state dict and their shapes.
    parameters: BTreeMap<String, Vec<usize>>,
}

/// All architectures, in alphabetical order.
#[must_use]
pub fn list() -> Vec<Architecture> {
    vec![
        demo::consilience_demo(),
        squeezenet::squeezenet1_0(),
        squeezenet::squeezenet1_1(),
    ]
}

/// The architecture called `name`.
///
/// # Errors
///
/// [`ModelError::UnknownModel`] with the nearest names.
///
/// # Example
///
/// ```
/// use consilience_models::zoo;
///
/// assert_eq!(zoo::find("squeezenet1_1")?.n_classes, 1000);
/// let error = zoo::find("squeezenet11").unwrap_err();
/// assert!(error.to_string().contains("squeezenet1_1"));
/// # Ok::<(), consilience_models::ModelError>(())
/// ```
pub fn find(name: &str) -> Result<Architecture> {
    let all = list();
    let names: Vec<&str> = all.iter().map(|architecture| architecture.name).collect();
    let near = nearest(name, names, 2);
    all.into_iter()
        .find(|architecture| architecture.name == name)
        .ok_or_else(|| ModelError::UnknownModel {
            name: name.to_owned(),
            nearest: near,
        })
}

impl Architecture {
    /// The graph without weights: layer names are there, numbers are not.
    #[must_use]
    pub fn skeleton(&self) -> &Graph {
        &self.graph
    }

    /// Keys of the state dict and the shapes of their tensors.
    #[must_use]
    pub fn parameters(&self) -> &BTreeMap<String, Vec<usize>> {
        &self.parameters
    }

    /// The graph with its weights.
    ///
    /// # Errors
    ///
    /// [`ModelError::StateDict`] naming every key that is missing, not expected or of another
    /// shape.
    pub fn with_weights(&self, weights: StateDict) -> Result<Graph> {
        let missing: Vec<String> = self
            .parameters
            .keys()
            .filter(|key| !weights.contains_key(*key))
            .cloned()
            .collect();
        let extra: Vec<String> = weights
            .keys()
            .filter(|key| !self.parameters.contains_key(*key))
            .cloned()
            .collect();
        let misshapen: Vec<Misshapen> = self
            .parameters
            .iter()
            .filter_map(|(key, expected)| {
                let found = weights.get(key)?.shape();
                (found != expected).then(|| Misshapen {
                    key: key.clone(),
                    expected: expected.clone(),
                    found: found.to_vec(),
                })
            })
            .collect();
        if !(missing.is_empty() && extra.is_empty() && misshapen.is_empty()) {
            return Err(ModelError::StateDict {
                architecture: self.name.to_owned(),
                missing,
                extra,
                misshapen,
            });
        }
        Ok(Graph {
            initialisers: weights,
            ..self.graph.clone()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zeros(architecture: &Architecture) -> StateDict {
        let zeros = |shape: &Vec<usize>| {
            let n = shape.iter().product();
            Tensor::from_f32(shape.clone(), &vec![0.0; n]).unwrap()
        };
        architecture
            .parameters
            .iter()
            .map(|(key, shape)| (key.clone(), zeros(shape)))
            .collect()
    }

    #[test]
    fn every_fault_of_a_state_dict_is_named() {
        let architecture = find("consilience_demo").unwrap();
        let mut weights = zeros(&architecture);
        assert!(architecture.with_weights(weights.clone()).is_ok());
        weights.remove("conv1.bias");
        weights.insert(
            "fc.scale".into(),
            Tensor::from_f32(vec![1], &[1.0]).unwrap(),
        );
        weights.insert("fc.bias".into(), Tensor::from_f32(vec![1], &[1.0]).unwrap());
        let message = architecture.with_weights(weights).unwrap_err().to_string();
        for part in [
            "missing conv1.bias",
            "not expected fc.scale",
            "fc.bias expected [8], found [1]",
        ] {
            assert!(message.contains(part), "{message}");
        }
    }

    #[test]
    fn torchvision_names_its_layers_so() {
        let names = |architecture: &str| -> Vec<String> {
            let graph = find(architecture).unwrap().graph;
            graph.layers.into_iter().map(|layer| layer.name).collect()
        };
        let squeezenet = names("squeezenet1_1");
        assert_eq!(squeezenet.len(), 5 + 8 * 7 + 6);
        assert_eq!(
            squeezenet[3..10],
            [
                "features.3.squeeze",
                "features.3.squeeze_activation",
                "features.3.expand1x1",
                "features.3.expand1x1_activation",
                "features.3.expand3x3",
                "features.3.expand3x3_activation",
                "features.3",
            ]
        );
        assert_eq!(
            squeezenet[squeezenet.len() - 6..],
            [
                "features",
                "classifier.0",
                "classifier.1",
                "classifier.2",
                "classifier.3",
                "classifier"
            ]
        );
        assert_eq!(
            names("consilience_demo"),
            [
                "conv1", "relu1", "pool1", "conv2", "relu2", "pool2", "conv3", "relu3", "pool3",
                "conv4", "relu4", "avgpool", "fc"
            ]
        );
        // torchvision counts 1,248,424 parameters in squeezenet1_0 and 1,235,496 in squeezenet1_1.
        let n_parameters = |architecture: &str| -> usize {
            let parameters = find(architecture).unwrap().parameters;
            parameters
                .values()
                .map(|shape| shape.iter().product::<usize>())
                .sum()
        };
        assert_eq!(n_parameters("squeezenet1_0"), 1_248_424);
        assert_eq!(n_parameters("squeezenet1_1"), 1_235_496);
    }

    #[test]
    fn a_star_selects_every_module() {
        let squeezenet = find("squeezenet1_1").unwrap();
        let selected = squeezenet.skeleton().select(&["*"]).unwrap();
        let names: Vec<&str> = selected.iter().map(|layer| layer.name.as_str()).collect();
        for name in [
            "features.0",
            "features.12",
            "features",
            "classifier.0",
            "classifier.3",
        ] {
            assert!(names.contains(&name), "{name} is missing");
        }
        // `features` has 13 modules, 8 of them Fire modules with 6 parts; the classifier has 4; and
        // there are the two containers.
        assert_eq!(names.len(), 13 + 8 * 6 + 4 + 2);
    }
}
