//! Weights by key, and whether they are those of an architecture.

use std::collections::BTreeMap;

use super::Architecture;
use crate::error::Misshapen;
use crate::graph::{Element, Graph, Tensor};
use crate::{ModelError, Result};

/// Weights by key, as in PyTorch's state dict.
pub type StateDict = BTreeMap<String, Tensor>;

/// What torch's `DataParallel` puts before every key.
const PARALLEL: &str = "module.";

/// What batch normalisation counts while training and never uses afterwards.
const BATCHES: &str = ".num_batches_tracked";

impl Architecture {
    /// Keys of the state dict and the shapes of their tensors.
    ///
    /// # Errors
    ///
    /// As [`Architecture::skeleton`].
    pub fn parameters(&self) -> Result<BTreeMap<String, Vec<usize>>> {
        Ok(self.build()?.parameters)
    }

    /// Keys that published weights hold beside [`Architecture::parameters`] for parts that only
    /// training runs; they may be there or not.
    ///
    /// # Errors
    ///
    /// As [`Architecture::skeleton`].
    pub fn training_parameters(&self) -> Result<BTreeMap<String, Vec<usize>>> {
        Ok(self.build()?.unused)
    }

    /// The graph with its weights.
    ///
    /// A `module.` before every key, as `DataParallel` writes it, is taken off, and
    /// `num_batches_tracked` of a batch normalisation is passed over.
    ///
    /// # Errors
    ///
    /// [`ModelError::StateDict`] naming every key that is missing, not expected or of another
    /// shape; [`ModelError::NonFiniteWeight`]; as [`Architecture::skeleton`].
    pub fn with_weights(&self, weights: StateDict) -> Result<Graph> {
        let built = self.build()?;
        let mut weights = self.in_present_keys(weights);
        weights.retain(|key, _| {
            let counts_batches = key.strip_suffix(BATCHES).is_some_and(|module| {
                let mean = format!("{module}.running_mean");
                built.parameters.contains_key(&mean) || built.unused.contains_key(&mean)
            });
            !counts_batches
        });
        check(&self.name, &built.parameters, &built.unused, &weights)?;
        weights.retain(|key, _| built.parameters.contains_key(key));
        let mut graph = built.graph;
        graph.initialisers.append(&mut weights);
        Ok(graph)
    }

    /// The weights under the keys that the architecture has today.
    fn in_present_keys(&self, weights: StateDict) -> StateDict {
        let parallel = weights.keys().all(|key| key.starts_with(PARALLEL));
        weights
            .into_iter()
            .map(|(key, tensor)| {
                let bare = if parallel {
                    &key[PARALLEL.len()..]
                } else {
                    &key
                };
                let present = (self.renamed)(bare).unwrap_or_else(|| bare.to_owned());
                (present, tensor)
            })
            .collect()
    }
}

/// Whether `weights` are the `parameters` of the network `name`, all of them, and at most `unused` ones beside.
pub(crate) fn check(
    name: &str,
    parameters: &BTreeMap<String, Vec<usize>>,
    unused: &BTreeMap<String, Vec<usize>>,
    weights: &StateDict,
) -> Result<()> {
    let missing: Vec<String> = parameters
        .keys()
        .filter(|key| !weights.contains_key(*key))
        .cloned()
        .collect();
    let mut extra = Vec::new();
    let mut misshapen = Vec::new();
    for (key, tensor) in weights {
        match parameters.get(key).or_else(|| unused.get(key)) {
            None => extra.push(key.clone()),
            Some(expected) if expected != tensor.shape() => misshapen.push(Misshapen {
                key: key.clone(),
                expected: expected.clone(),
                found: tensor.shape().to_vec(),
            }),
            Some(_) => {}
        }
    }
    if !(missing.is_empty() && extra.is_empty() && misshapen.is_empty()) {
        return Err(ModelError::StateDict {
            architecture: name.to_owned(),
            missing,
            extra,
            misshapen,
        });
    }
    // A ReLU that takes the larger of 0 and NaN would hide it from the layers after.
    for (key, tensor) in weights {
        if let Some(value) = non_finite(tensor) {
            return Err(ModelError::NonFiniteWeight {
                architecture: name.to_owned(),
                key: key.clone(),
                value,
            });
        }
    }
    Ok(())
}

/// The first number of single precision that is NaN or infinite.
fn non_finite(tensor: &Tensor) -> Option<f32> {
    if tensor.element() != Element::F32 {
        return None;
    }
    let (numbers, _) = tensor.bytes().as_chunks::<4>();
    let mut values = numbers.iter().map(|bytes| f32::from_le_bytes(*bytes));
    values.find(|value| !value.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::zoo::find;

    fn zeros(architecture: &Architecture) -> StateDict {
        let zeros = |shape: Vec<usize>| {
            let n = shape.iter().product();
            Tensor::from_f32(shape, &vec![0.0; n]).unwrap()
        };
        let parameters = architecture.parameters().unwrap();
        parameters
            .into_iter()
            .map(|(key, shape)| (key, zeros(shape)))
            .collect()
    }

    #[test]
    fn every_fault_of_a_state_dict_is_named() {
        let architecture = find("consilience_demo").unwrap();
        let mut weights = zeros(&architecture);
        assert!(architecture.with_weights(weights.clone()).is_ok());
        weights.remove("conv1.bias");
        let one = || Tensor::from_f32(vec![1], &[1.0]).unwrap();
        weights.insert("fc.scale".into(), one());
        weights.insert("fc.bias".into(), one());
        // There is no such module, so nothing has counted batches.
        weights.insert("bn1.num_batches_tracked".into(), one());
        let message = architecture.with_weights(weights).unwrap_err().to_string();
        for part in [
            "missing conv1.bias",
            "not expected bn1.num_batches_tracked, fc.scale",
            "fc.bias expected [8], found [1]",
        ] {
            assert!(message.contains(part), "{message}");
        }
    }

    #[test]
    fn weights_that_are_no_numbers_are_refused() {
        let architecture = find("consilience_demo").unwrap();
        for value in [f32::NAN, f32::NEG_INFINITY] {
            let mut weights = zeros(&architecture);
            let mut values = weights["fc.bias"].to_f32().unwrap();
            values[5] = value;
            let tensor = Tensor::from_f32(vec![8], &values).unwrap();
            weights.insert("fc.bias".into(), tensor);
            let message = architecture.with_weights(weights).unwrap_err().to_string();
            let expected = format!("\"fc.bias\" of consilience_demo holds {value}");
            assert!(message.contains(&expected), "{message}");
        }
    }

    #[test]
    fn the_prefix_of_data_parallel_is_taken_off() {
        let architecture = find("consilience_demo").unwrap();
        let weights = zeros(&architecture);
        let parallel: StateDict = weights
            .iter()
            .map(|(key, tensor)| (format!("module.{key}"), tensor.clone()))
            .collect();
        let plain = architecture.with_weights(weights).unwrap();
        assert_eq!(architecture.with_weights(parallel.clone()).unwrap(), plain);
        // A prefix that only some keys have is a fault.
        let mut mixed = parallel;
        let tensor = mixed.remove("module.fc.bias").unwrap();
        mixed.insert("fc.bias".into(), tensor);
        assert!(architecture.with_weights(mixed).is_err());
    }
}
