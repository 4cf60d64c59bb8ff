//! Pictures to boxes.

use consilience_io::image::{self, RgbImage};

use super::decode::Decoder;
use super::runner::{Answer, Runner};
use super::{BoxXyxy, DetectError, DetectionModel, suppress};
use crate::{ExecutorChoice, ExecutorInfo, Images, Result};

/// Something found in a picture.
#[derive(Debug, Clone, PartialEq)]
pub struct Detection {
    /// Position of the class among the detector's classes.
    pub class_idx: usize,
    /// Name of the class.
    pub class: String,
    /// Confidence, in 0 … 1.
    pub score: f64,
    /// Where, in pixels of the original picture; never outside of it.
    pub bounds: BoxXyxy,
}

/// How things are looked for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DetectParams {
    /// Least score of a box. Default: the detector's own ([`DetectionModel::score`]).
    pub score: Option<f64>,
    /// Intersection over union above which two boxes of a class are one thing. Default: the
    /// detector's own ([`DetectionModel::iou`]).
    pub iou: Option<f64>,
    /// Boxes of a class that take part in the suppression, best first; see [`suppress`]. Default 1000.
    pub n_candidates: usize,
    /// What runs the network. Default [`ExecutorChoice::Auto`].
    pub executor: ExecutorChoice,
    /// Pictures that are worked on at the same time; changes nothing in the result. Default 1.
    pub n_threads: usize,
}

impl Default for DetectParams {
    fn default() -> Self {
        Self {
            score: None,
            iou: None,
            n_candidates: 1000,
            executor: ExecutorChoice::Auto,
            n_threads: 1,
        }
    }
}

/// A detector that is ready to look at pictures.
pub struct Detector {
    /// Names of the classes.
    pub classes: Vec<String>,
    /// Least score of a box.
    pub score: f64,
    /// Intersection over union above which two boxes are one thing.
    pub iou: f64,
    runner: Runner,
    decoder: Decoder,
    n_candidates: usize,
}

impl Detector {
    /// Loads the network.
    ///
    /// # Errors
    ///
    /// [`DetectError::Threshold`] for a score outside of (0, 1] or an intersection over union outside
    /// of [0, 1], [`DetectError::ClassCount`] when the names of the classes do not fit,
    /// [`crate::ModelError::Zero`] for no thread, and what the executor says when it refuses
    /// the network.
    pub fn prepare(model: &DetectionModel, params: &DetectParams) -> Result<Self> {
        let score = params.score.unwrap_or(model.score);
        let iou = params.iou.unwrap_or(model.iou);
        let threshold = |what, range, found| DetectError::Threshold { what, range, found };
        if !(score > 0.0 && score <= 1.0) {
            return Err(threshold("score", "(0, 1]", score).into());
        }
        if !(0.0..=1.0).contains(&iou) {
            return Err(threshold("intersection-over-union", "[0, 1]", iou).into());
        }
        if let Some(expected) = model.decoder.n_classes()
            && expected != model.classes.len()
        {
            let found = model.classes.len();
            return Err(DetectError::ClassCount { expected, found }.into());
        }
        Ok(Self {
            classes: model.classes.clone(),
            score,
            iou,
            runner: Runner::new(
                &model.graph,
                &model.preprocessing,
                params.executor,
                params.n_threads,
            )?,
            decoder: model.decoder.clone(),
            n_candidates: params.n_candidates,
        })
    }

    /// What runs the network.
    #[must_use]
    pub fn executor(&self) -> &ExecutorInfo {
        &self.runner.info
    }

    /// What is in a picture, best first.
    ///
    /// # Definition
    ///
    /// The network's boxes of at least the least score are [`suppress`]ed in its input, brought back to
    /// the picture and clipped to it; boxes without area are dropped.
    ///
    /// # Errors
    ///
    /// [`crate::ModelError::NonFinite`] when an output is not finite, [`crate::ModelError::Run`],
    /// [`DetectError::NotThisDetector`] when the outputs are not those of the detector.
    pub fn detect(&mut self, picture: &RgbImage) -> Result<Vec<Detection>> {
        let answer = self.runner.run(picture, "given")?;
        self.found(&answer, picture)
    }

    /// Looks at all pictures; `sink` gets position, picture and what is in it, in the order of the
    /// pictures. Memory stays at one picture a thread.
    ///
    /// # Errors
    ///
    /// The sink's own, a picture that cannot be read, and as [`Detector::detect`]. What was delivered
    /// before stays delivered.
    pub fn run<E: From<crate::ModelError>>(
        &mut self,
        images: Images<'_>,
        mut sink: impl FnMut(usize, &RgbImage, Vec<Detection>) -> std::result::Result<(), E>,
    ) -> std::result::Result<(), E> {
        let orientation = self.runner.preprocessing.orientation;
        let all: Vec<usize> = (0..images.len()).collect();
        for round in all.chunks(self.runner.width()) {
            let answers = self.runner.each(round, |&image_idx, run| {
                let picture = match images {
                    Images::Files(paths) => image::read_oriented(&paths[image_idx], orientation)?,
                    Images::Decoded(pictures) => pictures[image_idx].clone(),
                };
                let answer = run(&picture, &images.name(image_idx))?;
                Ok((picture, answer))
            });
            for (&image_idx, answer) in round.iter().zip(answers) {
                let (picture, answer) = answer?;
                let found = self.found(&answer, &picture)?;
                sink(image_idx, &picture, found)?;
            }
        }
        Ok(())
    }

    fn found(&self, answer: &Answer, picture: &RgbImage) -> Result<Vec<Detection>> {
        let n_classes = self.classes.len();
        let proposals = self
            .decoder
            .decode(&answer.outputs, answer.size, n_classes, self.score)?;
        let back = |bounds: &BoxXyxy| {
            let [x_min, y_min] = answer.placement.to_image([bounds.x_min, bounds.y_min]);
            let [x_max, y_max] = answer.placement.to_image([bounds.x_max, bounds.y_max]);
            BoxXyxy::new(x_min, y_min, x_max, y_max)
        };
        Ok(suppress(proposals, self.iou, self.n_candidates)
            .into_iter()
            .map(|kept| Detection {
                class_idx: kept.class_idx,
                class: self.classes[kept.class_idx].clone(),
                score: kept.score,
                bounds: back(&kept.bounds).clipped(picture.width, picture.height),
            })
            .filter(|detection| detection.bounds.area() > 0.0)
            .collect())
    }
}
