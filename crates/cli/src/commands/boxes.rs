//! `consilience boxes`, and what the other commands on boxes share.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::ValueEnum;
use consilience::detection;
use consilience::io::atomic::{self, AtomicFolder};
use consilience::io::image::{self, Orientation, RgbImage};
use consilience::models::detect::exchange::{Boxes, Picture, coco, csv};
use consilience::models::detect::{Detection, classes};

use crate::arrays;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Boxes: CSV with the columns image,class,score,x_min,y_min,x_max,y_max, or COCO JSON
    /// (annotations or results)
    #[arg(value_name = "BOXES.csv|BOXES.json")]
    boxes: PathBuf,
    /// Pictures that the boxes belong to: a folder, or a text file with a path a line
    #[arg(long, value_name = "DIR|LIST.txt")]
    images: PathBuf,
    /// COCO annotations that number the pictures and categories of COCO results
    #[arg(long, value_name = "FILE.json")]
    annotations: Option<PathBuf>,
    /// Names of the classes, one a line; default: those of the file
    #[arg(long, value_name = "FILE.txt")]
    classes: Option<PathBuf>,
    /// Orientation tags of photographs, as they were taken when the boxes were made
    #[arg(long, value_name = "HOW", value_enum, default_value = "ignore")]
    orientation: OrientationTags,
    /// Where the checked boxes go, as CSV or COCO annotations
    #[arg(long, value_name = "BOXES.csv|BOXES.json")]
    out: PathBuf,
    /// Folder for the pictures with their boxes drawn on them
    #[arg(long, value_name = "DIR")]
    overlay: Option<PathBuf>,
}

pub fn run(args: &Args, out: &mut dyn Write) -> Result<()> {
    let format = Format::of(&args.out)?;
    let paths = super::extract::images(&args.images)?;
    let names = names(&paths);
    let pictures = sized(&paths, &names, args.orientation)?;
    let known = args.classes.as_deref().map(class_names).transpose()?;
    let bytes = read(&args.boxes)?;
    let boxes = match Format::of(&args.boxes)? {
        Format::Csv => csv::parse(&bytes, &pictures, known.as_deref()),
        Format::Json if coco::is_results(&bytes) => {
            let Some(index) = &args.annotations else {
                bail!(
                    "{} is a list of COCO results, whose pictures have numbers only; give the file that numbers them with --annotations",
                    args.boxes.display()
                );
            };
            coco::parse_results(&bytes, &read(index)?, Some(&pictures))
        }
        Format::Json => coco::parse(&bytes, Some(&pictures)),
    }
    .with_context(|| format!("reading {}", args.boxes.display()))?;
    if let Some(folder) = &args.overlay {
        let overlays = AtomicFolder::create(folder)?;
        for ((path, stem), (_, found)) in paths.iter().zip(stems(&names)).zip(&boxes.pictures) {
            let picture = image::read_oriented(path, args.orientation.into())?;
            write_overlay(overlays.path(), &stem, &picture, found)?;
        }
        overlays.commit()?;
    }
    format.write(&args.out, &boxes)?;
    writeln!(out, "{}", args.out.display())?;
    Ok(())
}

/// Pictures with their names and sizes.
pub(super) fn sized(
    paths: &[PathBuf],
    names: &[String],
    orientation: OrientationTags,
) -> Result<Vec<Picture>> {
    let pictures = paths.iter().zip(names).map(|(path, name)| {
        let (width, height) = image::size(path, orientation.into())?;
        let name = name.clone();
        Ok(Picture {
            name,
            width,
            height,
        })
    });
    pictures.collect()
}

/// What is done with orientation tags of photographs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum OrientationTags {
    /// The picture is taken as it is stored
    Ignore,
    /// It is turned as picture viewers turn it
    Exif,
}

impl From<OrientationTags> for Orientation {
    fn from(tags: OrientationTags) -> Self {
        match tags {
            OrientationTags::Ignore => Self::Ignore,
            OrientationTags::Exif => Self::Exif,
        }
    }
}

/// How boxes are stored.
#[derive(Debug, Clone, Copy)]
pub(super) enum Format {
    Csv,
    Json,
}

impl Format {
    pub(super) fn of(path: &Path) -> Result<Self> {
        match path.extension().and_then(|ending| ending.to_str()) {
            Some("csv") => Ok(Self::Csv),
            Some("json") => Ok(Self::Json),
            _ => bail!(
                "boxes are stored as .csv or .json; rename {}",
                path.display()
            ),
        }
    }

    pub(super) fn write(self, path: &Path, boxes: &Boxes) -> Result<()> {
        let text = match self {
            Self::Csv => csv::text(boxes),
            Self::Json => coco::text(boxes),
        };
        arrays::write_text(path, &text)
    }
}

/// Names of pictures in files of boxes: their file names, or their paths where two have one name.
pub(super) fn names(paths: &[PathBuf]) -> Vec<String> {
    let short = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default();
        name.to_string_lossy().into_owned()
    };
    let distinct: BTreeSet<String> = paths.iter().map(short).collect();
    if distinct.len() == paths.len() {
        paths.iter().map(short).collect()
    } else {
        paths
            .iter()
            .map(|path| path.display().to_string())
            .collect()
    }
}

/// File names without ending for what is written about pictures; a number is added where two would be
/// the same.
pub(super) fn stems(names: &[String]) -> Vec<String> {
    let mut taken = BTreeSet::new();
    names
        .iter()
        .map(|name| {
            let base = Path::new(name).file_stem().unwrap_or_default();
            let base = base.to_string_lossy().into_owned();
            let numbered = (2..).map(|n| format!("{base}~{n}"));
            std::iter::once(base.clone())
                .chain(numbered)
                .find(|stem| taken.insert(stem.to_lowercase()))
                .expect("one of the numbers is free")
        })
        .collect()
}

/// Class names from a file with one a line.
pub(super) fn class_names(path: &Path) -> Result<Vec<String>> {
    let text = String::from_utf8(read(path)?)
        .with_context(|| format!("the class names {} are no UTF-8 text", path.display()))?;
    classes::parse(&text).with_context(|| format!("reading {}", path.display()))
}

pub(super) fn write_overlay(
    folder: &Path,
    stem: &str,
    picture: &RgbImage,
    found: &[Detection],
) -> Result<()> {
    write_picture(
        &folder.join(format!("{stem}.png")),
        &detection::overlay(picture, found)?,
    )
}

pub(super) fn write_picture(path: &Path, png: &[u8]) -> Result<()> {
    Ok(atomic::write_atomically(path, |file| file.write_all(png))?)
}

pub(super) fn read(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))
}
