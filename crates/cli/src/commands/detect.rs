//! `consilience detect`

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use consilience::io::atomic::AtomicFolder;
use consilience::models::darknet::Darknet;
use consilience::models::detect::exchange::{Boxes, Picture};
use consilience::models::detect::{DetectParams, DetectionModel, Detector, DetectorName, classes};
use consilience::models::{ExecutorChoice, Images};
use consilience::study::Progress;

use super::boxes::{Format, OrientationTags, class_names, names, stems, write_overlay};
use crate::console::Console;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Detector: yolox_nano, fastestdet, yolov3_coco, yolov3_openimages, or a darknet .cfg file
    #[arg(long, value_name = "NAME|FILE.cfg")]
    model: String,
    /// Weights: .onnx for yolox_nano and fastestdet, else .weights
    #[arg(long, value_name = "FILE")]
    weights: PathBuf,
    /// Names of the classes, one a line; default: COCO for 80 classes, Open Images for 601
    #[arg(long, value_name = "FILE.txt")]
    classes: Option<PathBuf>,
    /// Folder of pictures (natural order of names), or a text file with a path a line
    #[arg(long, value_name = "DIR|LIST.txt")]
    images: PathBuf,
    /// Least score of a box; default: that of the detector's authors
    #[arg(long, value_name = "T")]
    score: Option<f64>,
    /// Intersection over union above which two boxes of a class are one thing; default: that of the
    /// detector's authors
    #[arg(long, value_name = "T")]
    iou: Option<f64>,
    /// Orientation tags of photographs; boxes are in pixels of the picture as it is seen here
    #[arg(long, value_name = "HOW", value_enum, default_value = "ignore")]
    orientation: OrientationTags,
    /// What runs the network: auto, rten, onnx-runtime, onnx-runtime-cuda
    #[arg(long, value_name = "NAME", default_value = "auto")]
    executor: ExecutorChoice,
    /// Where the boxes go, as CSV (image,class,score,x_min,y_min,x_max,y_max) or COCO annotations
    #[arg(long, value_name = "BOXES.csv|BOXES.json")]
    out: PathBuf,
    /// Folder for the pictures with their boxes drawn on them
    #[arg(long, value_name = "DIR")]
    overlay: Option<PathBuf>,
}

pub fn run(args: &Args, threads: usize, out: &mut dyn Write) -> Result<()> {
    let format = Format::of(&args.out)?;
    let mut model = model(args)?;
    model.preprocessing.orientation = args.orientation.into();
    let paths = super::extract::images(&args.images)?;
    let names = names(&paths);
    let stems = stems(&names);
    let params = DetectParams {
        score: args.score,
        iou: args.iou,
        executor: args.executor,
        n_threads: threads,
        ..DetectParams::default()
    };
    let mut detector = Detector::prepare(&model, &params)?;
    let console = Console::new();
    if let Some(note) = &detector.executor().note {
        console.note(&format!("note: {note}"));
    }
    let overlays = args.overlay.as_ref().map(AtomicFolder::create);
    let overlays = overlays.transpose()?;
    console.begin("detections", paths.len() as u64);
    let mut boxes = Boxes {
        classes: model.classes.clone(),
        pictures: Vec::with_capacity(paths.len()),
    };
    detector.run(Images::Files(&paths), |idx, picture, found| -> Result<()> {
        if let Some(overlays) = &overlays {
            write_overlay(overlays.path(), &stems[idx], picture, &found)?;
        }
        let described = Picture {
            name: names[idx].clone(),
            width: picture.width,
            height: picture.height,
        };
        boxes.pictures.push((described, found));
        console.advance_to(idx as u64 + 1);
        Ok(())
    })?;
    console.end();
    if let Some(overlays) = overlays {
        overlays.commit()?;
    }
    format.write(&args.out, &boxes)?;
    writeln!(out, "{}", args.out.display())?;
    Ok(())
}

fn model(args: &Args) -> Result<DetectionModel> {
    let named = args.classes.as_deref().map(class_names).transpose()?;
    let is_cfg = Path::new(&args.model)
        .extension()
        .is_some_and(|ending| ending.eq_ignore_ascii_case("cfg"));
    if !is_cfg {
        let name: DetectorName = args.model.parse()?;
        let mut model = DetectionModel::by_name(name, &args.weights)?;
        if let Some(named) = named {
            model.classes = named;
        }
        return Ok(model);
    }
    let network = Darknet::read(args.model.as_ref())?;
    let Some(head) = network.heads().into_iter().next() else {
        bail!(
            "{} has no [yolo] layer, so it finds no boxes; give the .cfg of a detector",
            args.model
        );
    };
    let named = named.map_or_else(|| classes::usual(head.n_classes), Ok)?;
    Ok(DetectionModel::darknet(&network, &args.weights, named)?)
}
