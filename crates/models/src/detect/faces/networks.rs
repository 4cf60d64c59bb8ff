//! The networks that faces are found, measured and told apart with.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use consilience_io::image::RgbImage;

use super::{Landmarks, crop};
use crate::detect::decode::Decoder;
use crate::detect::model::{input_size, letterbox, plain, stretched};
use crate::detect::runner::Runner;
use crate::detect::{BoxXyxy, DetectError, DetectionModel};
use crate::preprocess::{Align, ChannelOrder, Range};
use crate::{ExecutorChoice, Graph, ModelError, Network, Preprocessing, Result};

/// The face detectors that are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FaceDetectorKind {
    /// `face-detection-retail-0004` of Open Model Zoo with priors and decoding inside: 300 × 300,
    /// stretched, blue-green-red bytes.
    Ssd,
    /// The tiny face detector of face-api.js with decoding inside: 416 × 416, in the upper left corner
    /// of a black square, red-green-blue bytes. (Its authors pad before they resize; scores differ by up to
    /// 0.03.)
    Tiny,
    /// Ultra-light face detector (RFB-320, slim-320): 240 rows of 320, stretched, (byte − 127) ÷ 128.
    UltraFace,
}

impl FaceDetectorKind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Ssd, Self::Tiny, Self::UltraFace];

    fn name(self) -> &'static str {
        match self {
            Self::Ssd => "ssd",
            Self::Tiny => "tiny",
            Self::UltraFace => "ultraface",
        }
    }

    /// Height and width of its input.
    #[must_use]
    pub fn size(self) -> [usize; 2] {
        match self {
            Self::Ssd => [300, 300],
            Self::Tiny => [416, 416],
            Self::UltraFace => [240, 320],
        }
    }

    /// How a picture goes in.
    fn preprocessing(self) -> Preprocessing {
        let bytes = plain(Range::Bytes);
        match self {
            Self::Ssd => Preprocessing {
                resize: stretched(self.size()),
                order: ChannelOrder::Bgr,
                ..bytes
            },
            Self::Tiny => Preprocessing {
                resize: letterbox(self.size(), Align::Corner, 0.0),
                ..bytes
            },
            Self::UltraFace => Preprocessing {
                resize: stretched(self.size()),
                mean: [127.0; 3],
                std: [128.0; 3],
                ..bytes
            },
        }
    }

    /// Its authors' thresholds of score and overlap.
    fn thresholds(self) -> (f64, f64) {
        match self {
            Self::Ssd => (0.5, 0.45),
            Self::Tiny => (0.5, 0.4),
            Self::UltraFace => (0.7, 0.5),
        }
    }
}

impl fmt::Display for FaceDetectorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for FaceDetectorKind {
    type Err = ModelError;

    fn from_str(word: &str) -> Result<Self> {
        let known = Self::ALL.into_iter().find(|one| one.name() == word);
        known.ok_or_else(|| ModelError::UnknownChoice {
            what: "face detector",
            found: word.to_owned(),
            expected: "ssd, tiny, ultraface",
        })
    }
}

/// A face detector from an `.onnx` file; without `kind`, the size of its input tells which.
///
/// Its boxes are outputs `scores` and `boxes`, as fractions of the input.
///
/// # Errors
///
/// What [`Network::from_onnx`] says; [`DetectError::UnknownFaceDetector`] for another size of input,
/// [`DetectError::NotThisDetector`] for other outputs.
pub fn detector(path: &Path, kind: Option<FaceDetectorKind>) -> Result<DetectionModel> {
    let graph = Network::from_onnx(path)?.graph;
    let [height, width] = input_size(&graph, "face detector")?;
    let of_size = || {
        FaceDetectorKind::ALL
            .into_iter()
            .find(|one| one.size() == [height, width])
    };
    let Some(kind) = kind.or_else(of_size) else {
        let known = FaceDetectorKind::ALL.map(|one| {
            let [height, width] = one.size();
            format!("{one} {height} × {width}")
        });
        return Err(DetectError::UnknownFaceDetector {
            found: format!("{height} × {width}"),
            known: known.join(", "),
        }
        .into());
    };
    let (score, iou) = kind.thresholds();
    Ok(DetectionModel {
        name: kind.to_string(),
        decoder: Decoder::ReadyBoxes {
            scores: output(&graph, "scores")?,
            boxes: output(&graph, "boxes")?,
        },
        graph,
        preprocessing: kind.preprocessing(),
        classes: vec!["face".into()],
        score,
        iou,
    })
}

fn output(graph: &Graph, name: &str) -> Result<usize> {
    let position = graph.outputs.iter().position(|output| output == name);
    position.ok_or_else(|| {
        DetectError::NotThisDetector {
            detector: "face detector",
            what: "the list of outputs",
            found: graph.outputs.join(", "),
            expected: "scores, boxes".into(),
        }
        .into()
    })
}

/// How much larger than the box of a face the part is that landmarks are looked for in, as in Open
/// Model Zoo's own program.
const MARGIN: f64 = 1.15;

/// A network that finds five points of a face, e.g. `landmarks-regression-retail-0009`.
pub struct LandmarkNetwork(FaceNetwork);

impl LandmarkNetwork {
    /// Loads it; its output is `(1, 10)`: x, y of the points as fractions of the part of the picture
    /// that it saw. Input: stretched, blue-green-red bytes.
    ///
    /// # Errors
    ///
    /// As [`FaceNetwork::prepare`].
    pub fn prepare(path: &Path, executor: ExecutorChoice) -> Result<Self> {
        Ok(Self(FaceNetwork::prepare(
            path,
            ChannelOrder::Bgr,
            executor,
        )?))
    }

    /// The landmarks of the face in a box, in pixels of the picture.
    ///
    /// # Definition
    ///
    /// The network sees the box, 1.15 times as large around the same middle, within the picture.
    ///
    /// # Errors
    ///
    /// As [`FaceNetwork::run`]; [`DetectError::NotThisDetector`] for a network of another kind.
    pub fn find(&mut self, picture: &RgbImage, face: &BoxXyxy) -> Result<Landmarks> {
        let seen = face.scaled(MARGIN).clipped(picture.width, picture.height);
        let part = crop(picture, &seen);
        let (left, top) = (seen.x_min.round(), seen.y_min.round());
        let fractions = self.find_in(&part)?;
        Ok(fractions.map(|[x, y]| [left + x * part.width as f64, top + y * part.height as f64]))
    }

    /// The landmarks as fractions of a picture that shows the face alone.
    ///
    /// # Errors
    ///
    /// As [`LandmarkNetwork::find`].
    pub fn find_in(&mut self, face: &RgbImage) -> Result<Landmarks> {
        let mut outputs = self.0.run(face)?;
        let values = outputs.swap_remove(0);
        let (points, []) = values.as_chunks::<2>() else {
            return Err(not_landmarks(values.len()));
        };
        points.try_into().map_err(|_| not_landmarks(values.len()))
    }
}

fn not_landmarks(found: usize) -> ModelError {
    DetectError::NotThisDetector {
        detector: "landmark network",
        what: "the number of outputs",
        found: found.to_string(),
        expected: "10, x and y of five points".into(),
    }
    .into()
}

/// What the outputs of face-api.js' expression network say, in their order.
///
/// # References
///
/// Mühler (2018), face-api.js.
pub const EXPRESSIONS: [&str; 7] = [
    "neutral",
    "happy",
    "sad",
    "angry",
    "fearful",
    "disgusted",
    "surprised",
];

/// A network on pictures of single faces: identity, expression, landmarks.
pub struct FaceNetwork(Runner);

impl FaceNetwork {
    /// Loads an `.onnx` file whose input is the face's bytes in that order of channels, the picture
    /// stretched to its size; scaling has to be inside.
    ///
    /// # Errors
    ///
    /// What [`Network::from_onnx`] and the executor say; [`DetectError::NotThisDetector`] for an input
    /// of free size.
    pub fn prepare(path: &Path, order: ChannelOrder, executor: ExecutorChoice) -> Result<Self> {
        let graph = Network::from_onnx(path)?.graph;
        let preprocessing = Preprocessing {
            resize: stretched(input_size(&graph, "network of faces")?),
            order,
            ..plain(Range::Bytes)
        };
        Ok(Self(Runner::new(&graph, &preprocessing, executor, 1)?))
    }

    /// All numbers of each output, in the order of the file.
    ///
    /// # Errors
    ///
    /// [`ModelError::Run`], [`ModelError::NonFinite`], [`ModelError::EmptyPicture`].
    pub fn run(&mut self, face: &RgbImage) -> Result<Vec<Vec<f64>>> {
        let outputs = self.0.run(face, "given")?.outputs;
        let numbers = |output: &ndarray::ArrayD<f32>| output.iter().map(|&v| v.into()).collect();
        Ok(outputs.iter().map(numbers).collect())
    }
}

/// Cosine of the angle between two embeddings; NaN when one is zero.
///
/// # Definition
///
/// Σ aᵢbᵢ ÷ √(Σ aᵢ² · Σ bᵢ²) over the numbers that both have.
#[must_use]
pub fn cosine(a: &[f64], b: &[f64]) -> f64 {
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
}
