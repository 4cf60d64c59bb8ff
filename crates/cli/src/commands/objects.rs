//! What the commands on objects in pictures share: boxes, categories, and how maps are read.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use consilience::core::csv::field;
use consilience::experiments::object2brain::{Category, SeenObjects, boxes_as_seen, categories};
use consilience::methods::objects::{
    BoxSummary, DetectedObject, MapParams, OverBoxes, PictureBox, ScaleOver, Scaling, Sign,
};
use consilience::models::Preprocessing;
use consilience::models::detect::classes;
use consilience::models::detect::exchange::{Boxes, Picture, coco, csv};
use serde_json::{Value, json};

use super::boxes::{Format, OrientationTags, class_names, names, read, sized};

/// Boxes of objects and how their classes go together.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct BoxArgs {
    /// Boxes of objects in the pictures: CSV as `consilience detect` writes it, or COCO annotations
    #[arg(long, value_name = "BOXES.csv|BOXES.json")]
    pub(super) boxes: PathBuf,
    /// Names of the classes, one a line; default: those of the file
    #[arg(long, value_name = "FILE.txt")]
    classes: Option<PathBuf>,
    /// Categories of classes: usual (for those of COCO and Open Images), or a table with the columns class
    /// and category; default: each class is one
    #[arg(long, value_name = "usual|FILE.csv")]
    pub(super) categories: Option<String>,
    /// Least score of a box
    #[arg(long, value_name = "T", default_value_t = 0.3)]
    pub(super) min_score: f64,
}

/// How maps are read within boxes.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct MapArgs {
    /// What becomes of signs: positive, absolute, signed
    #[arg(long, value_name = "HOW", default_value = "positive")]
    sign: Sign,
    /// How maps are scaled: min-max, max, none
    #[arg(long, value_name = "HOW", default_value = "min-max")]
    scaling: Scaling,
    /// What a box gets: mean, max, share
    #[arg(long, value_name = "HOW", default_value = "mean")]
    summary: BoxSummary,
    /// What several boxes of one picture give: max, mean
    #[arg(long, value_name = "HOW", default_value = "max")]
    pub(super) over_boxes: OverBoxes,
}

impl MapArgs {
    pub(super) fn params(&self, scale_over: ScaleOver) -> MapParams {
        MapParams {
            sign: self.sign,
            scaling: self.scaling,
            scale_over,
            summary: self.summary,
        }
    }

    /// The same for a summary.
    pub(super) fn as_json(&self) -> Value {
        json!({
            "sign": self.sign.to_string(),
            "scaling": self.scaling.to_string(),
            "box": self.summary.to_string(),
            "over_boxes": self.over_boxes.to_string(),
        })
    }
}

/// Objects in pictures.
pub(super) struct Objects {
    /// Names of the classes.
    pub(super) classes: Vec<String>,
    /// Categories with at least one box.
    pub(super) categories: Vec<Category>,
    /// Each picture and what is in it, in its own pixels.
    pub(super) pictures: Vec<(Picture, Vec<DetectedObject>)>,
}

impl BoxArgs {
    /// The boxes of the pictures.
    pub(super) fn load(&self, paths: &[PathBuf]) -> Result<Objects> {
        let pictures = sized(paths, &names(paths), OrientationTags::Ignore)?;
        let known = self.classes.as_deref().map(class_names).transpose()?;
        let mut boxes = parse(&self.boxes, &pictures, known.as_deref())?;
        let usual = self.categories.as_deref() == Some("usual");
        if usual && known.is_none() {
            // A file names the classes that occur; their detector knows more.
            let all = [classes::coco(), classes::open_images()];
            let detector = all
                .into_iter()
                .find(|all| boxes.classes.iter().all(|class| all.contains(class)));
            if let Some(detector) = detector {
                boxes = parse(&self.boxes, &pictures, Some(&detector))?;
            }
        }
        let all = match self.categories.as_deref() {
            None => each_alone(&boxes.classes),
            Some("usual") => categories::usual(&boxes.classes)
                .with_context(|| format!("--categories usual, {}", self.boxes.display()))?,
            Some(file) => {
                let text = String::from_utf8(read(file.as_ref())?)
                    .with_context(|| format!("the categories {file} are no UTF-8 text"))?;
                categories::parse(&text, &boxes.classes).with_context(|| file.to_owned())?
            }
        };
        let objects = |found: &[consilience::models::detect::Detection]| {
            let object = |d: &consilience::models::detect::Detection| DetectedObject {
                bounds: PictureBox::new(
                    d.bounds.x_min,
                    d.bounds.y_min,
                    d.bounds.x_max,
                    d.bounds.y_max,
                ),
                class: d.class_idx,
                score: d.score,
            };
            found.iter().map(object).collect::<Vec<_>>()
        };
        let pictures: Vec<_> = boxes
            .pictures
            .iter()
            .map(|(picture, found)| (picture.clone(), objects(found)))
            .collect();
        let counts = |category: &Category| {
            let mut all = pictures.iter().flat_map(|(_, objects)| objects);
            all.any(|o| o.score >= self.min_score && category.classes.contains(&o.class))
        };
        let present: Vec<Category> = all.into_iter().filter(|c| counts(c)).collect();
        if present.is_empty() {
            bail!(
                "no box of a category has a score of at least {}; lower --min-score or check --categories: {}",
                self.min_score,
                self.boxes.display()
            );
        }
        Ok(Objects {
            classes: boxes.classes,
            categories: present,
            pictures,
        })
    }
}

impl Objects {
    /// Objects of each picture by category instead of class, those of none left out.
    pub(super) fn by_category(&self, objects: &[DetectedObject]) -> Vec<DetectedObject> {
        let of = |object: &DetectedObject| {
            let class = self.category_of(object.class)?;
            Some(DetectedObject { class, ..*object })
        };
        objects.iter().filter_map(of).collect()
    }

    /// The category of a class.
    pub(super) fn category_of(&self, class: usize) -> Option<usize> {
        (self.categories.iter()).position(|category| category.classes.contains(&class))
    }

    /// What a network saw of the objects of a picture.
    pub(super) fn seen(&self, idx: usize, preprocessing: &Preprocessing) -> SeenObjects {
        let (picture, objects) = &self.pictures[idx];
        boxes_as_seen(preprocessing, [picture.width, picture.height], objects)
    }

    pub(super) fn category_names(&self) -> Vec<&str> {
        self.categories.iter().map(|c| c.name.as_str()).collect()
    }
}

fn each_alone(classes: &[String]) -> Vec<Category> {
    let alone = |(class, name): (usize, &String)| Category {
        name: name.clone(),
        classes: vec![class],
    };
    classes.iter().enumerate().map(alone).collect()
}

fn parse(file: &Path, pictures: &[Picture], known: Option<&[String]>) -> Result<Boxes> {
    let bytes = read(file)?;
    match Format::of(file)? {
        Format::Csv => csv::parse(&bytes, pictures, known),
        Format::Json if coco::is_results(&bytes) => bail!(
            "{} is a list of COCO results; `consilience boxes --annotations` makes annotations of it",
            file.display()
        ),
        Format::Json => coco::parse(&bytes, Some(pictures)),
    }
    .with_context(|| format!("reading {}", file.display()))
}

/// A row of a CSV file.
pub(super) fn line(cells: &[String]) -> String {
    let fields: Vec<String> = cells.iter().map(|cell| field(cell)).collect();
    fields.join(",") + "\n"
}

/// A number, or nothing.
pub(super) fn number(value: Option<f64>) -> String {
    value.map_or_else(String::new, |value| value.to_string())
}
