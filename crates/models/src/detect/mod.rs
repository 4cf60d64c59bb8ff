//! Finding things and faces in pictures.
//!
//! A [`DetectionModel`] is a network with the rules that turn its outputs into boxes; a [`Detector`]
//! runs it and gives [`Detection`]s in pixels of the original picture.
//!
//! ```no_run
//! use consilience_io::image;
//! use consilience_models::detect::{DetectParams, DetectionModel, Detector};
//!
//! let model = DetectionModel::yolox("yolox_nano.onnx".as_ref())?;
//! let mut detector = Detector::prepare(&model, &DetectParams::default())?;
//! for found in detector.detect(&image::read("dog.jpg")?)? {
//!     println!("{} {:.2} at {:?}", found.class, found.score, found.bounds);
//! }
//! # Ok::<(), consilience_models::ModelError>(())
//! ```
//!
//! | detector | file | input | score |
//! |---|---|---|---|
//! | [`DetectionModel::yolox`] | `.onnx` | letterbox in the corner, grey 114, BGR bytes | objectness × class |
//! | [`DetectionModel::fastest_det`] | `.onnx` | stretched, BGR ÷ 255 | objectness^0.6 × class^0.4 |
//! | [`DetectionModel::yolov3`], [`DetectionModel::darknet`] | `.weights` | letterbox in the middle, grey ½, RGB ÷ 255 | objectness × class |
//! | [`faces::detector`] | `.onnx` | see [`faces::FaceDetectorKind`] | probability of a face |
//!
//! [`faces`] aligns faces by their landmarks, [`exchange`] reads and writes boxes as CSV and COCO JSON.

mod bounds;
pub mod classes;
mod decode;
mod detector;
mod error;
pub mod exchange;
pub mod faces;
mod model;
mod runner;
mod suppress;

pub use bounds::BoxXyxy;
pub use decode::YoloHead;
pub use detector::{DetectParams, Detection, Detector};
pub use error::DetectError;
pub use model::{DetectionModel, DetectorName};
pub use suppress::{Proposal, suppress};
