//! Colours, and the network that tells them apart.

use std::collections::BTreeMap;

use consilience_io::image::RgbImage;
use consilience_models::graph::{Attribute, Graph, Input, Node, Opset, Tensor};
use consilience_models::onnx;

use super::{N_COLOURS, SIDE};

/// Level of grey.
pub const GREY: f64 = 128.0;
/// How many levels a colour is from grey.
const RADIUS: f64 = 100.0;
/// Pixels that a filter averages along each axis, and its stride.
const FIELD: usize = 4;
/// What is taken off a filter's answer to its own colour, 1. The next colours get 0.85.
const THRESHOLD: f32 = 0.925;

/// Points of Fibonacci's spiral on the unit sphere; the nearest two are 32° apart.
pub fn directions() -> [[f64; 3]; N_COLOURS] {
    let golden = std::f64::consts::PI * (1.0 + 5.0_f64.sqrt());
    std::array::from_fn(|i| {
        let place = i as f64 + 0.5;
        let z = 1.0 - 2.0 * place / N_COLOURS as f64;
        let (sin, cos) = (golden * place).sin_cos();
        let radius = (1.0 - z * z).sqrt();
        [radius * cos, radius * sin, z]
    })
}

/// Levels of red, green and blue.
pub fn levels(direction: [f64; 3]) -> [f64; 3] {
    direction.map(|part| GREY + RADIUS * part)
}

/// What the network's filters make of a picture: their answers, averaged over places.
pub fn answers(picture: &RgbImage) -> [f64; N_COLOURS] {
    let n_cells = SIDE / FIELD;
    let mut sums = [0.0; N_COLOURS];
    for cell in 0..n_cells * n_cells {
        let (top, left) = (cell / n_cells * FIELD, cell % n_cells * FIELD);
        let mut mean = [0.0; 3];
        for pixel in 0..FIELD * FIELD {
            let at = 3 * ((top + pixel / FIELD) * SIDE + left + pixel % FIELD);
            for (channel, mean) in mean.iter_mut().enumerate() {
                let level = f64::from(picture.pixels[at + channel]);
                *mean += (level - GREY) / RADIUS / (FIELD * FIELD) as f64;
            }
        }
        for (sum, direction) in sums.iter_mut().zip(directions()) {
            let along: f64 = direction.iter().zip(mean).map(|(d, m)| d * m).sum();
            *sum += (along - f64::from(THRESHOLD)).max(0.0);
        }
    }
    sums.map(|sum| sum / (n_cells * n_cells) as f64)
}

/// One convolution of 4 × 4 pixels with stride 4 and a ReLU, as an ONNX file; its input is (level − 128) ÷ 100.
///
/// Filter k is the mean of the inner product with direction k, less a threshold that no other colour reaches.
pub fn network() -> Vec<u8> {
    let area = FIELD * FIELD;
    let weights: Vec<f32> = directions()
        .iter()
        .flatten()
        .flat_map(|&part| std::iter::repeat_n((part / area as f64) as f32, area))
        .collect();
    let tensor = |shape: &[usize], values: &[f32]| {
        Tensor::from_f32(shape.to_vec(), values).expect("as many numbers as the shape says")
    };
    let node = |op: &str, inputs: &[&str], output: &str| Node {
        name: output.to_owned(),
        op: op.to_owned(),
        inputs: inputs.iter().map(|&name| name.to_owned()).collect(),
        outputs: vec![output.to_owned()],
        ..Node::default()
    };
    let both = |extent: usize| Attribute::Ints(vec![extent as i64; 2]);
    let graph = Graph {
        name: "colours".to_owned(),
        opsets: vec![Opset {
            version: 17,
            ..Opset::default()
        }],
        inputs: vec![Input {
            name: "pictures".to_owned(),
            shape: vec![None, Some(3), Some(SIDE), Some(SIDE)],
        }],
        nodes: vec![
            Node {
                attributes: BTreeMap::from([
                    ("kernel_shape".to_owned(), both(FIELD)),
                    ("strides".to_owned(), both(FIELD)),
                ]),
                ..node("Conv", &["pictures", "weight", "bias"], "answers")
            },
            node("Relu", &["answers"], "filters"),
        ],
        initialisers: BTreeMap::from([
            (
                "weight".to_owned(),
                tensor(&[N_COLOURS, 3, FIELD, FIELD], &weights),
            ),
            (
                "bias".to_owned(),
                tensor(&[N_COLOURS], &[-THRESHOLD; N_COLOURS]),
            ),
        ]),
        outputs: vec!["filters".to_owned()],
        ..Graph::default()
    };
    onnx::write(&graph)
}
