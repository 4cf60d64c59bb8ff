//! `consilience faces`

use std::io::Write;
use std::path::PathBuf;

use anyhow::Result;
use clap::ValueEnum;
use consilience::detection;
use consilience::io::atomic::AtomicFolder;
use consilience::io::{image, table};
use consilience::models::detect::faces::{
    self, Face, FaceDetectorKind, FaceFinder, LandmarkNetwork, Template,
};
use consilience::models::detect::{DetectParams, Detector};
use consilience::models::{ExecutorChoice, Images};
use consilience::study::Progress;

use super::boxes::{OrientationTags, names, stems, write_picture};
use crate::console::Console;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Network that finds faces
    #[arg(long, value_name = "FILE.onnx")]
    detector: PathBuf,
    /// Kind of the detector: ssd, tiny, ultraface; default: told by the size of its input
    #[arg(long, value_name = "KIND")]
    kind: Option<FaceDetectorKind>,
    /// Network that finds five landmarks in a face
    #[arg(long, value_name = "FILE.onnx")]
    landmarks: PathBuf,
    /// Folder of pictures (natural order of names), or a text file with a path a line
    #[arg(long, value_name = "DIR|LIST.txt")]
    images: PathBuf,
    /// Where the landmarks are brought to
    #[arg(long, value_name = "NAME", value_enum, default_value = "arcface")]
    template: TemplateName,
    /// Least score of a face; default: that of the detector's authors
    #[arg(long, value_name = "T")]
    score: Option<f64>,
    /// Intersection over union above which two boxes are one face; default: that of the detector's
    /// authors
    #[arg(long, value_name = "T")]
    iou: Option<f64>,
    /// Orientation tags of photographs; boxes are in pixels of the picture as it is seen here
    #[arg(long, value_name = "HOW", value_enum, default_value = "ignore")]
    orientation: OrientationTags,
    /// What runs the networks: auto, rten, onnx-runtime, onnx-runtime-cuda
    #[arg(long, value_name = "NAME", default_value = "auto")]
    executor: ExecutorChoice,
    /// Folder for the aligned faces (PICTURE_0.png, PICTURE_1.png, …, likeliest first) and faces.csv
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Folder for the pictures with boxes and landmarks drawn on them
    #[arg(long, value_name = "DIR")]
    overlay: Option<PathBuf>,
}

/// Where landmarks are brought to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum TemplateName {
    /// 112 × 112, for ArcFace and most networks of face identity
    Arcface,
    /// 128 × 128, for face-reidentification-retail-0095
    Reidentification,
}

/// Columns of faces.csv; points are in pixels of the picture.
const COLUMNS: [&str; 18] = [
    "image",
    "face",
    "file",
    "score",
    "x_min",
    "y_min",
    "x_max",
    "y_max",
    "left_eye_x",
    "left_eye_y",
    "right_eye_x",
    "right_eye_y",
    "nose_x",
    "nose_y",
    "left_mouth_x",
    "left_mouth_y",
    "right_mouth_x",
    "right_mouth_y",
];

pub fn run(args: &Args, threads: usize, out: &mut dyn Write) -> Result<()> {
    let mut model = faces::detector(&args.detector, args.kind)?;
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
    let template = match args.template {
        TemplateName::Arcface => Template::arc_face(),
        TemplateName::Reidentification => Template::reidentification(),
    };
    let mut finder = FaceFinder {
        detector: Detector::prepare(&model, &params)?,
        landmarks: LandmarkNetwork::prepare(&args.landmarks, args.executor)?,
        template,
    };
    let console = Console::new();
    if let Some(note) = &finder.detector.executor().note {
        console.note(&format!("note: {note}"));
    }
    let files = AtomicFolder::create(&args.out)?;
    let overlays = args.overlay.as_ref().map(AtomicFolder::create);
    let overlays = overlays.transpose()?;
    console.begin("faces", paths.len() as u64);
    let mut rows: Vec<Vec<String>> = Vec::new();
    finder.run(Images::Files(&paths), |idx, picture, found| -> Result<()> {
        for (face_idx, face) in found.iter().enumerate() {
            let file = format!("{}_{face_idx}.png", stems[idx]);
            write_picture(
                &files.path().join(&file),
                &image::encode_png(&face.aligned)?,
            )?;
            rows.push(row(&names[idx], face_idx, file, face));
        }
        if found.is_empty() {
            console.note(&format!("note: no face in {}", paths[idx].display()));
        }
        if let Some(overlays) = &overlays {
            let png = detection::overlay_faces(picture, &found)?;
            write_picture(&overlays.path().join(format!("{}.png", stems[idx])), &png)?;
        }
        console.advance_to(idx as u64 + 1);
        Ok(())
    })?;
    console.end();
    for files in overlays.into_iter().chain([files]) {
        files.commit()?;
    }
    // The table comes last: a folder with a table is complete.
    let path = args.out.join("faces.csv");
    table::write(&path, &COLUMNS, rows)?;
    writeln!(out, "{}", path.display())?;
    Ok(())
}

fn row(name: &str, face_idx: usize, file: String, face: &Face) -> Vec<String> {
    let bounds = face.detection.bounds;
    let numbers = [
        face.detection.score,
        bounds.x_min,
        bounds.y_min,
        bounds.x_max,
        bounds.y_max,
    ];
    let numbers = numbers.iter().chain(face.landmarks.as_flattened());
    [name.to_owned(), face_idx.to_string(), file]
        .into_iter()
        .chain(numbers.map(f64::to_string))
        .collect()
}
