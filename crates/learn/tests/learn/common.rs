//! What the integration tests share.

use std::collections::BTreeMap;

use consilience_models::graph::Tensor;
use consilience_models::{Network, zoo};
use ndarray::Array4;

/// `n` numbers in (−½, ½), from FNV-1a of the key and the flat index.
pub fn formula(key: &str, n: usize) -> impl Iterator<Item = f64> + use<> {
    let start = key.bytes().fold(0x811C_9DC5_u32, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    });
    (0..n).map(move |idx| {
        let mut x = start ^ (idx as u32).wrapping_mul(0x9E37_79B1);
        x ^= x >> 16;
        x = x.wrapping_mul(0x7FEB_352D);
        x ^= x >> 15;
        x = x.wrapping_mul(0x846C_A68B);
        x ^= x >> 16;
        (f64::from(x) + 0.5) / 4_294_967_296.0 - 0.5
    })
}

/// A tensor of a state dict by formula, as `fixtures/generate/networks.py` fills it.
pub fn weight(key: &str, shape: &[usize]) -> Tensor {
    scaled_weight(key, shape, 1.0)
}

fn scaled_weight(key: &str, shape: &[usize], scale: f64) -> Tensor {
    let n = shape.iter().product();
    let (offset, gain) = if shape.len() >= 2 {
        let fan_in: usize = shape[1..].iter().product();
        (0.0, (12.0 * 2.0 / fan_in as f64).sqrt())
    } else if key.ends_with("running_var") {
        (1.0, 1.0)
    } else if key.ends_with("running_mean") {
        (0.0, 0.2)
    } else if key.ends_with("weight") || key.ends_with("gamma") {
        (1.0, 0.4)
    } else {
        (0.0, 0.2)
    };
    let values: Vec<f32> = formula(key, n)
        .map(|u| (scale * (offset + gain * u)) as f32)
        .collect();
    Tensor::from_f32(shape.to_vec(), &values).unwrap()
}

/// An architecture with weights by formula, for images of another size.
pub fn network(name: &str, size: [usize; 2]) -> Network {
    scaled_network(name, size, &BTreeMap::new())
}

/// The same with a factor for the keys that end in a suffix: some networks saturate without.
pub fn scaled_network(name: &str, size: [usize; 2], scales: &BTreeMap<String, f64>) -> Network {
    let scale = |key: &str| -> f64 {
        let matching = scales.iter().filter(|(suffix, _)| key.ends_with(*suffix));
        matching.map(|(_, factor)| factor).product()
    };
    let mut architecture = zoo::find(name).unwrap();
    architecture.preprocessing.crop = Some(size);
    let weights: BTreeMap<String, Tensor> = architecture
        .parameters()
        .unwrap()
        .iter()
        .map(|(key, shape)| (key.clone(), scaled_weight(key, shape, scale(key))))
        .collect();
    Network::with_state_dict(&architecture, weights).unwrap()
}

/// The image by formula, as the network takes it.
pub fn image([height, width]: [usize; 2]) -> Array4<f32> {
    let values = formula("input", 3 * height * width).map(|u| (3.4 * u) as f32);
    Array4::from_shape_vec((1, 3, height, width), values.collect()).unwrap()
}
