//! What is trained.

use std::collections::BTreeMap;

use burn_backend::{Shape, TensorData, TensorMetadata};
use burn_flex::FlexTensor;
use ndarray::{ArrayD, IxDyn};

use crate::value::array;

/// A trained tensor and the state of the optimiser.
#[derive(Clone)]
pub(super) struct Parameter {
    /// Contiguous; copies share the numbers until one is changed.
    values: FlexTensor,
    pub moments: Vec<Vec<f32>>,
}

/// Trained tensors by key.
pub(super) type Parameters = BTreeMap<String, Parameter>;

impl Parameter {
    pub fn new(shape: &[usize], values: Vec<f32>, n_moments: usize) -> Self {
        let moments = vec![vec![0.0; values.len()]; n_moments];
        let data = TensorData::new(values, Shape::from(shape.to_vec()));
        Self {
            values: FlexTensor::from_data(data),
            moments,
        }
    }

    pub fn shape(&self) -> Vec<usize> {
        self.values.shape().to_vec()
    }

    pub fn values(&self) -> &[f32] {
        self.values.storage()
    }

    /// The numbers and the moments.
    pub fn parts_mut(&mut self) -> (&mut [f32], &mut [Vec<f32>]) {
        (self.values.storage_mut(), &mut self.moments)
    }

    pub fn values_mut(&mut self) -> &mut [f32] {
        self.values.storage_mut()
    }

    /// The numbers, shared.
    pub fn tensor(&self) -> FlexTensor {
        self.values.clone()
    }

    pub fn to_array(&self) -> ArrayD<f32> {
        ArrayD::from_shape_vec(IxDyn(&self.shape()), self.values().to_vec())
            .expect("values fill their shape")
    }

    pub fn into_array(self) -> ArrayD<f32> {
        array(self.values)
    }
}

/// The weights alone, which share their numbers until training goes on.
pub(super) fn without_moments(parameters: &Parameters) -> Parameters {
    let bare = |parameter: &Parameter| Parameter {
        values: parameter.values.clone(),
        moments: Vec::new(),
    };
    parameters
        .iter()
        .map(|(key, parameter)| (key.clone(), bare(parameter)))
        .collect()
}

pub(super) fn are_finite(parameters: &Parameters) -> bool {
    // Without their signs, infinities and NaN are the largest patterns of bits.
    let largest = |part: &[f32]| {
        let patterns = part.iter().map(|value| value.to_bits() & 0x7FFF_FFFF);
        patterns.fold(0, u32::max)
    };
    parameters.values().all(|parameter| {
        let mut parts = parameter.values().chunks(1 << 14);
        parts.all(|part| largest(part) < f32::INFINITY.to_bits())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const N: usize = 1 << 15;

    fn parameters(values: Vec<f32>) -> Parameters {
        let n = values.len();
        Parameters::from([("w".to_owned(), Parameter::new(&[n], values, 1))])
    }

    #[test]
    fn what_is_not_finite_is_found_anywhere() {
        let mut values: Vec<f32> = (0..N + 3).map(|i| i as f32 - 1e4).collect();
        values[5] = f32::MAX;
        values[6] = f32::MIN;
        assert!(are_finite(&parameters(values.clone())));
        for wrong in [f32::NAN, -f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            for at in [0, N + 2] {
                let mut values = values.clone();
                values[at] = wrong;
                assert!(!are_finite(&parameters(values)), "{wrong} {at}");
            }
        }
    }
}
