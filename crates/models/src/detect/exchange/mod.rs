//! Boxes made elsewhere, and ours for elsewhere: CSV and COCO's JSON.
//!
//! | format | reads | writes |
//! |---|---|---|
//! | CSV with the columns `image,class,score,x_min,y_min,x_max,y_max` | [`csv::parse`] | [`csv::text`] |
//! | COCO annotations (an object with `images`, `annotations`, `categories`) | [`coco::parse`] | [`coco::text`] |
//! | COCO results (a list of `image_id`, `category_id`, `bbox`, `score`) | [`coco::parse_results`] | – |
//!
//! Reading is strict: every box belongs to a picture that is known, lies within it, has an area and a
//! score in 0 … 1, or the whole file is refused with the place of the first that does not. Edges may
//! stick out by a hundredth of a pixel, which is cut off; other programs round.

pub mod coco;
pub mod csv;

use std::collections::{BTreeMap, HashMap};

use super::{BoxXyxy, Detection};

/// A picture that boxes can be in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// Name in the files of boxes.
    pub name: String,
    /// Pixels in a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
}

/// Boxes of several pictures.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Boxes {
    /// Names of the classes.
    pub classes: Vec<String>,
    /// Every picture, also those without a box, and what is in it.
    pub pictures: Vec<(Picture, Vec<Detection>)>,
}

/// Boxes that cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BoxesError {
    /// A table that cannot be read.
    #[error(transparent)]
    Table(#[from] consilience_io::IoError),
    /// JSON of another form.
    #[error("not COCO boxes: {source}; {cure}")]
    Json {
        /// What the parser says.
        source: serde_json::Error,
        /// What to do about it.
        cure: &'static str,
    },
    /// Two entries that must differ.
    #[error("{what} {name} stands there twice; keep one")]
    Twice {
        /// What was listed.
        what: &'static str,
        /// Its name or number.
        name: String,
    },
    /// A picture of another size than known.
    #[error(
        "the file says that {name} has {found:?} pixels (width, height), it has {expected:?}; the boxes are of another version of the picture"
    )]
    PictureSize {
        /// The picture.
        name: String,
        /// Width and height in the file.
        found: [usize; 2],
        /// Width and height of the picture.
        expected: [usize; 2],
    },
    /// A box that cannot be used.
    #[error("{place}: {fault}")]
    Box {
        /// Where it stands, e.g. `row 3`.
        place: String,
        /// What is wrong.
        fault: BoxFault,
    },
}

/// What is wrong with a box.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum BoxFault {
    /// A picture that is not among those known.
    #[error("no picture is called {name}; use the names of the pictures that were given")]
    UnknownPicture {
        /// The name or number in the file.
        name: String,
    },
    /// A class that is not among those known.
    #[error("no class is called {name}")]
    UnknownClass {
        /// The name or number in the file.
        name: String,
    },
    /// An edge that is no number.
    #[error("an edge of the box is {found}, expected a finite number")]
    NotFinite {
        /// The edge.
        found: f64,
    },
    /// A box without area.
    #[error("the box is {width} wide and {height} high, expected both above 0")]
    Empty {
        /// Its width.
        width: f64,
        /// Its height.
        height: f64,
    },
    /// A box that sticks out of its picture.
    #[error(
        "the box ({}, {}, {}, {}) is not within the picture of {width} × {height} pixels",
        bounds.x_min, bounds.y_min, bounds.x_max, bounds.y_max
    )]
    Outside {
        /// The box.
        bounds: BoxXyxy,
        /// Width of the picture.
        width: usize,
        /// Height of the picture.
        height: usize,
    },
    /// A score out of its range.
    #[error("the score is {found}, expected a number from 0 to 1")]
    Score {
        /// The score.
        found: f64,
    },
}

/// How far an edge may stick out.
const SLACK: f64 = 0.01;

/// Collects checked boxes.
struct Collector {
    boxes: Boxes,
    picture_idx: HashMap<String, usize>,
}

impl Collector {
    fn new(pictures: &[Picture]) -> Result<Self, BoxesError> {
        let mut picture_idx = HashMap::new();
        for (idx, picture) in pictures.iter().enumerate() {
            if picture_idx.insert(picture.name.clone(), idx).is_some() {
                return Err(BoxesError::Twice {
                    what: "the picture",
                    name: picture.name.clone(),
                });
            }
        }
        Ok(Self {
            boxes: Boxes {
                classes: Vec::new(),
                pictures: pictures.iter().map(|p| (p.clone(), Vec::new())).collect(),
            },
            picture_idx,
        })
    }

    /// Adds a box of the class with that position.
    fn add(
        &mut self,
        place: impl Fn() -> String,
        picture: &str,
        class_idx: usize,
        score: f64,
        bounds: BoxXyxy,
    ) -> Result<(), BoxesError> {
        let wrong = |fault| BoxesError::Box {
            place: place(),
            fault,
        };
        let Some(&picture_idx) = self.picture_idx.get(picture) else {
            let name = picture.to_owned();
            return Err(wrong(BoxFault::UnknownPicture { name }));
        };
        let (picture, detections) = &mut self.boxes.pictures[picture_idx];
        let bounds = checked(bounds, picture).map_err(wrong)?;
        if !(0.0..=1.0).contains(&score) {
            return Err(wrong(BoxFault::Score { found: score }));
        }
        detections.push(Detection {
            class_idx,
            class: self.boxes.classes[class_idx].clone(),
            score,
            bounds,
        });
        Ok(())
    }
}

fn checked(bounds: BoxXyxy, picture: &Picture) -> Result<BoxXyxy, BoxFault> {
    let BoxXyxy {
        x_min,
        y_min,
        x_max,
        y_max,
    } = bounds;
    let edges = [x_min, y_min, x_max, y_max];
    if let Some(&found) = edges.iter().find(|edge| !edge.is_finite()) {
        return Err(BoxFault::NotFinite { found });
    }
    let (width, height) = (picture.width, picture.height);
    let inside = x_min >= -SLACK
        && y_min >= -SLACK
        && x_max <= width as f64 + SLACK
        && y_max <= height as f64 + SLACK;
    if !inside {
        return Err(BoxFault::Outside {
            bounds,
            width,
            height,
        });
    }
    let clipped = bounds.clipped(width, height);
    if clipped.width() > 0.0 && clipped.height() > 0.0 {
        Ok(clipped)
    } else {
        Err(BoxFault::Empty {
            width: bounds.width(),
            height: bounds.height(),
        })
    }
}

/// Positions of names; the first name that stands there twice is an error.
fn positions<'a>(
    what: &'static str,
    names: impl IntoIterator<Item = &'a str>,
) -> Result<BTreeMap<&'a str, usize>, BoxesError> {
    let mut positions = BTreeMap::new();
    for (idx, name) in names.into_iter().enumerate() {
        if positions.insert(name, idx).is_some() {
            let name = name.to_owned();
            return Err(BoxesError::Twice { what, name });
        }
    }
    Ok(positions)
}

#[cfg(test)]
mod tests;
