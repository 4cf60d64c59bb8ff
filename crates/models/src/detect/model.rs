//! Networks that find things, with what turns their outputs into boxes.

use std::path::Path;

use super::decode::Decoder;
use super::framing::{Channels, Fit, Framing, Letterbox};
use super::{DetectError, classes};
use crate::{Graph, Network, Result};

/// A detector: its network, how a picture goes in, and how boxes come out.
#[derive(Debug, Clone, PartialEq)]
pub struct DetectionModel {
    /// Name of the detector.
    pub name: String,
    /// Operations and weights.
    pub graph: Graph,
    /// How a picture becomes the network's input.
    pub framing: Framing,
    /// Names of the classes; may be replaced for weights that were trained on others.
    pub classes: Vec<String>,
    /// Score from which on its authors count a box.
    pub score: f64,
    /// Intersection over union above which its authors take two boxes for one thing.
    pub iou: f64,
    pub(super) decoder: Decoder,
}

impl DetectionModel {
    /// YOLOX from an `.onnx` file with undecoded boxes, e.g. YOLOX-nano for COCO.
    ///
    /// Input: letterbox in the upper left corner, grey 114, blue-green-red bytes. Score =
    /// objectness × class probability; every class above the threshold gives a box.
    ///
    /// # Errors
    ///
    /// What [`Network::from_onnx`] says; [`DetectError::NotThisDetector`] for another input;
    /// outputs of another network show when it runs.
    ///
    /// # References
    ///
    /// Ge, Liu, Wang, Li & Sun (2021), arXiv:2107.08430.
    pub fn yolox(path: &Path) -> Result<Self> {
        let graph = Network::from_onnx(path)?.graph;
        let [height, width] = input_size(&graph, "YOLOX")?;
        Ok(Self {
            name: "yolox_nano".into(),
            framing: Framing {
                height,
                width,
                fit: Fit::Letterbox(Letterbox {
                    centred: false,
                    fill: 114.0,
                }),
                channels: Channels::Bgr,
                mean: [0.0; 3],
                std: 1.0,
            },
            graph,
            classes: classes::coco(),
            score: 0.3,
            iou: 0.45,
            decoder: Decoder::Yolox,
        })
    }

    /// FastestDet for COCO from its `.onnx` file.
    ///
    /// Input: stretched, blue-green-red, byte ÷ 255. Score = objectness^0.6 × class^0.4 of the
    /// likeliest class.
    ///
    /// # Errors
    ///
    /// As [`DetectionModel::yolox`].
    ///
    /// # References
    ///
    /// Ma (2022), FastestDet.
    pub fn fastest_det(path: &Path) -> Result<Self> {
        let graph = Network::from_onnx(path)?.graph;
        let [height, width] = input_size(&graph, "FastestDet")?;
        Ok(Self {
            name: "fastestdet".into(),
            framing: Framing {
                height,
                width,
                fit: Fit::Stretch,
                channels: Channels::Bgr,
                mean: [0.0; 3],
                std: 255.0,
            },
            graph,
            classes: classes::coco(),
            score: 0.65,
            iou: 0.45,
            decoder: Decoder::FastestDet,
        })
    }
}

/// Height and width that a network insists on.
pub(super) fn input_size(
    graph: &Graph,
    detector: &'static str,
) -> std::result::Result<[usize; 2], DetectError> {
    let shape = graph.inputs.first().map_or(&[][..], |input| &input.shape);
    match *shape {
        [None | Some(1), Some(3), Some(height), Some(width)] => Ok([height, width]),
        _ => Err(DetectError::NotThisDetector {
            detector,
            what: "the shape of the input",
            found: shape_text(shape),
            expected: "[1, 3, height, width]".into(),
        }),
    }
}

fn shape_text(shape: &[Option<usize>]) -> String {
    let extents: Vec<String> = shape
        .iter()
        .map(|extent| extent.map_or("?".into(), |n| n.to_string()))
        .collect();
    format!("[{}]", extents.join(", "))
}
