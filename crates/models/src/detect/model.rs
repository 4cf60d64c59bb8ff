//! Networks that find things, with what turns their outputs into boxes.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use consilience_io::weights::darknet as darknet_weights;

use super::decode::Decoder;
use super::{DetectError, classes};
use crate::darknet::{self, Darknet};
use crate::preprocess::{Align, ChannelOrder, Filter, Range, Resize};
use crate::{Graph, ModelError, Network, Preprocessing, Result};

/// The detectors that are known by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DetectorName {
    /// [`DetectionModel::yolox`], an `.onnx` file.
    YoloxNano,
    /// [`DetectionModel::fastest_det`], an `.onnx` file.
    FastestDet,
    /// [`DetectionModel::yolov3`] for the 80 classes of COCO, a `.weights` file.
    Yolov3Coco,
    /// [`DetectionModel::yolov3`] for the 601 classes of Open Images, a `.weights` file.
    Yolov3OpenImages,
}

impl DetectorName {
    /// All of them.
    pub const ALL: [Self; 4] = [
        Self::YoloxNano,
        Self::FastestDet,
        Self::Yolov3Coco,
        Self::Yolov3OpenImages,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::YoloxNano => "yolox_nano",
            Self::FastestDet => "fastestdet",
            Self::Yolov3Coco => "yolov3_coco",
            Self::Yolov3OpenImages => "yolov3_openimages",
        }
    }
}

impl fmt::Display for DetectorName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for DetectorName {
    type Err = DetectError;

    fn from_str(word: &str) -> std::result::Result<Self, DetectError> {
        let known = Self::ALL.into_iter().find(|one| one.name() == word);
        known.ok_or_else(|| DetectError::UnknownDetector {
            name: word.to_owned(),
            expected: Self::ALL.map(Self::name).join(", "),
        })
    }
}

/// A detector: its network, how a picture goes in, and how boxes come out.
#[derive(Debug, Clone, PartialEq)]
pub struct DetectionModel {
    /// Name of the detector.
    pub name: String,
    /// Operations and weights.
    pub graph: Graph,
    /// How a picture becomes the network's input.
    pub preprocessing: Preprocessing,
    /// Names of the classes; may be replaced for weights that were trained on others.
    pub classes: Vec<String>,
    /// Score from which on its authors count a box.
    pub score: f64,
    /// Intersection over union above which its authors take two boxes for one thing.
    pub iou: f64,
    pub(super) decoder: Decoder,
}

impl DetectionModel {
    /// The detector called `name` with the weights of a file.
    ///
    /// # Errors
    ///
    /// As the function for that detector.
    pub fn by_name(name: DetectorName, weights: &Path) -> Result<Self> {
        match name {
            DetectorName::YoloxNano => Self::yolox(weights),
            DetectorName::FastestDet => Self::fastest_det(weights),
            DetectorName::Yolov3Coco => Self::yolov3(80, weights),
            DetectorName::Yolov3OpenImages => Self::yolov3(601, weights),
        }
    }

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
        let size = input_size(&graph, "YOLOX")?;
        Ok(Self {
            name: "yolox_nano".into(),
            preprocessing: Preprocessing {
                resize: letterbox(size, Align::Corner, 114.0),
                order: ChannelOrder::Bgr,
                ..plain(Range::Bytes)
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
        let size = input_size(&graph, "FastestDet")?;
        Ok(Self {
            name: "fastestdet".into(),
            preprocessing: Preprocessing {
                resize: stretched(size),
                order: ChannelOrder::Bgr,
                ..plain(Range::Unit)
            },
            graph,
            classes: classes::coco(),
            score: 0.65,
            iou: 0.45,
            decoder: Decoder::FastestDet,
        })
    }

    /// YOLOv3 for inputs of 608 × 608 with the weights of a `.weights` file; 80 classes are those of
    /// COCO, 601 those of Open Images.
    ///
    /// # Errors
    ///
    /// As [`DetectionModel::darknet`].
    ///
    /// # References
    ///
    /// Redmon & Farhadi (2018), arXiv:1804.02767.
    pub fn yolov3(n_classes: usize, weights: &Path) -> Result<Self> {
        let classes = classes::usual(n_classes)?;
        let mut model = Self::darknet(&darknet::yolov3(n_classes), weights, classes)?;
        model.name = "yolov3".into();
        Ok(model)
    }

    /// The detector of a `.cfg` file with the weights of a `.weights` file.
    ///
    /// Input: letterbox in the middle, grey ½, red-green-blue byte ÷ 255. Score = objectness × class
    /// probability; every class above the threshold gives a box.
    ///
    /// # Errors
    ///
    /// [`ModelError::File`] when the weights cannot be read, [`ModelError::InFile`] around
    /// [`darknet::CfgError`] when they do not fit; [`DetectError::NotThisDetector`] for a network
    /// without `[yolo]` layer, [`DetectError::ClassCount`] for another number of class names.
    ///
    /// # Peers
    ///
    /// Darknet's `detector test` with `letter_box=1`: the same arithmetic; its resizing is bilinear
    /// without antialiasing, ours is Pillow's.
    pub fn darknet(network: &Darknet, weights: &Path, classes: Vec<String>) -> Result<Self> {
        let heads = network.heads();
        let Some(expected) = heads.first().map(|head| head.n_classes) else {
            return Err(DetectError::NotThisDetector {
                detector: "darknet detector",
                what: "the number of [yolo] layers",
                found: "0".into(),
                expected: "1 or more".into(),
            }
            .into());
        };
        if expected != classes.len() {
            let found = classes.len();
            return Err(DetectError::ClassCount { expected, found }.into());
        }
        let graph = network
            .with_weights(&darknet_weights::read(weights)?)
            .map_err(|error| ModelError::Darknet(error).at(weights))?;
        Ok(Self {
            name: "darknet".into(),
            graph,
            preprocessing: Preprocessing {
                resize: letterbox([network.height, network.width], Align::Centre, 127.5),
                ..plain(Range::Unit)
            },
            classes,
            score: 0.5,
            iou: 0.45,
            decoder: Decoder::Darknet(heads),
        })
    }
}

/// Neither cut nor normalised, red-green-blue.
pub(super) fn plain(range: Range) -> Preprocessing {
    Preprocessing {
        crop: None,
        range,
        mean: [0.0; 3],
        std: [1.0; 3],
        ..Preprocessing::default()
    }
}

pub(super) fn stretched([height, width]: [usize; 2]) -> Resize {
    Resize::Exact {
        height,
        width,
        filter: Filter::Bilinear,
    }
}

pub(super) fn letterbox([height, width]: [usize; 2], align: Align, fill: f32) -> Resize {
    Resize::Letterbox {
        height,
        width,
        filter: Filter::Bilinear,
        align,
        fill,
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
