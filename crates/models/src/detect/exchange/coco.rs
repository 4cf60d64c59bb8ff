//! Boxes as COCO's JSON: `bbox` is `[x, y, width, height]` in pixels.
//!
//! # References
//!
//! Lin et al. (2014), doi:10.1007/978-3-319-10602-1_48.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{BoxFault, Boxes, BoxesError, Collector, Picture, positions};
use crate::detect::BoxXyxy;

#[derive(Serialize, Deserialize)]
struct Dataset {
    images: Vec<Image>,
    #[serde(default)]
    annotations: Vec<Annotation>,
    categories: Vec<Category>,
}

#[derive(Serialize, Deserialize)]
struct Image {
    id: i64,
    file_name: String,
    width: usize,
    height: usize,
}

#[derive(Serialize, Deserialize)]
struct Annotation {
    id: i64,
    image_id: i64,
    category_id: i64,
    bbox: [f64; 4],
    area: Option<f64>,
    #[serde(default)]
    iscrowd: u8,
    /// 1 where a person drew the box.
    #[serde(default = "certain")]
    score: f64,
}

fn certain() -> f64 {
    1.0
}

#[derive(Deserialize)]
struct Finding {
    image_id: i64,
    category_id: i64,
    bbox: [f64; 4],
    score: f64,
}

#[derive(Serialize, Deserialize)]
struct Category {
    id: i64,
    name: String,
}

/// Takes the bytes of an annotation file. Boxes without `score` get 1, crowds count as boxes, outlines
/// are ignored. With `pictures`, the file's pictures have to be among them, of the same size; without,
/// they are taken as the file states them.
///
/// # Errors
///
/// [`BoxesError`] for the first entry that cannot be used; see [the module](super).
///
/// # Example
///
/// ```
/// use consilience_models::detect::exchange::coco;
///
/// let text = r#"{"images": [{"id": 7, "file_name": "dog.jpg", "width": 768, "height": 576}],
///     "annotations": [{"id": 1, "image_id": 7, "category_id": 18, "bbox": [133, 207, 192, 335]}],
///     "categories": [{"id": 18, "name": "dog"}]}"#;
/// let boxes = coco::parse(text.as_bytes(), None)?;
/// assert_eq!(boxes.pictures[0].1[0].bounds.x_max, 325.0);
/// # Ok::<(), consilience_models::detect::exchange::BoxesError>(())
/// ```
pub fn parse(bytes: &[u8], pictures: Option<&[Picture]>) -> Result<Boxes, BoxesError> {
    let dataset = dataset(bytes)?;
    let findings = dataset.annotations.iter().map(|annotation| {
        let finding = Finding {
            image_id: annotation.image_id,
            category_id: annotation.category_id,
            bbox: annotation.bbox,
            score: annotation.score,
        };
        (format!("annotation {}", annotation.id), finding)
    });
    collect(&dataset, findings, pictures)
}

/// Takes the bytes of a result file, a list of boxes whose numbers of pictures and categories are those
/// of an annotation file, `index`. Boxes in `index` are ignored.
///
/// # Errors
///
/// As [`parse`].
pub fn parse_results(
    bytes: &[u8],
    index: &[u8],
    pictures: Option<&[Picture]>,
) -> Result<Boxes, BoxesError> {
    let findings: Vec<Finding> = json(
        bytes,
        "a result file is a list of image_id, category_id, bbox, score",
    )?;
    let findings = (1..)
        .zip(findings)
        .map(|(number, finding)| (format!("result {number}"), finding));
    collect(&dataset(index)?, findings, pictures)
}

/// Whether the bytes are those of a result file, a list, rather than an annotation file.
#[must_use]
pub fn is_results(bytes: &[u8]) -> bool {
    let first = bytes.iter().find(|byte| !byte.is_ascii_whitespace());
    first == Some(&b'[')
}

/// The text of an annotation file with a `score` for every box; pictures, boxes and categories are
/// numbered from 1.
#[must_use]
pub fn text(boxes: &Boxes) -> String {
    let number = |idx: usize| i64::try_from(idx).unwrap_or(i64::MAX).saturating_add(1);
    let found = boxes
        .pictures
        .iter()
        .enumerate()
        .flat_map(|(idx, (_, found))| found.iter().map(move |one| (idx, one)));
    let dataset = Dataset {
        images: boxes
            .pictures
            .iter()
            .enumerate()
            .map(|(idx, (picture, _))| Image {
                id: number(idx),
                file_name: picture.name.clone(),
                width: picture.width,
                height: picture.height,
            })
            .collect(),
        annotations: found
            .enumerate()
            .map(|(idx, (picture_idx, found))| {
                let b = found.bounds;
                Annotation {
                    id: number(idx),
                    image_id: number(picture_idx),
                    category_id: number(found.class_idx),
                    bbox: [b.x_min, b.y_min, b.width(), b.height()],
                    area: Some(b.area()),
                    iscrowd: 0,
                    score: found.score,
                }
            })
            .collect(),
        categories: boxes
            .classes
            .iter()
            .enumerate()
            .map(|(idx, name)| Category {
                id: number(idx),
                name: name.clone(),
            })
            .collect(),
    };
    serde_json::to_string_pretty(&dataset).expect("finite numbers and text become JSON") + "\n"
}

fn json<'a, T: Deserialize<'a>>(bytes: &'a [u8], cure: &'static str) -> Result<T, BoxesError> {
    serde_json::from_slice(bytes).map_err(|source| BoxesError::Json { source, cure })
}

fn dataset(bytes: &[u8]) -> Result<Dataset, BoxesError> {
    json(
        bytes,
        "an annotation file has images, annotations and categories",
    )
}

/// Positions of numbers; the first that stands there twice is an error.
fn numbered(
    what: &'static str,
    ids: impl Iterator<Item = i64>,
) -> Result<BTreeMap<i64, usize>, BoxesError> {
    let mut positions = BTreeMap::new();
    for (idx, id) in ids.enumerate() {
        if positions.insert(id, idx).is_some() {
            let name = id.to_string();
            return Err(BoxesError::Twice { what, name });
        }
    }
    Ok(positions)
}

fn collect(
    dataset: &Dataset,
    findings: impl Iterator<Item = (String, Finding)>,
    pictures: Option<&[Picture]>,
) -> Result<Boxes, BoxesError> {
    let stated: Vec<Picture> = dataset
        .images
        .iter()
        .map(|image| Picture {
            name: image.file_name.clone(),
            width: image.width,
            height: image.height,
        })
        .collect();
    let mut all = Collector::new(pictures.unwrap_or(&stated))?;
    for picture in &stated {
        let Some(&idx) = all.picture_idx.get(&picture.name) else {
            return Err(BoxesError::Box {
                place: "images".into(),
                fault: BoxFault::UnknownPicture {
                    name: picture.name.clone(),
                },
            });
        };
        let (known, _) = &all.boxes.pictures[idx];
        if known != picture {
            return Err(BoxesError::PictureSize {
                name: picture.name.clone(),
                found: [picture.width, picture.height],
                expected: [known.width, known.height],
            });
        }
    }
    let images = numbered("the image id", dataset.images.iter().map(|image| image.id))?;
    let categories = numbered("the category id", dataset.categories.iter().map(|c| c.id))?;
    all.boxes.classes = dataset.categories.iter().map(|c| c.name.clone()).collect();
    positions("the category", all.boxes.classes.iter().map(String::as_str))?;
    for (place, finding) in findings {
        let wrong = |fault| BoxesError::Box {
            place: place.clone(),
            fault,
        };
        let name = |id: i64| format!("number {id}");
        let Some(&image) = images.get(&finding.image_id) else {
            let name = name(finding.image_id);
            return Err(wrong(BoxFault::UnknownPicture { name }));
        };
        let Some(&class_idx) = categories.get(&finding.category_id) else {
            let name = name(finding.category_id);
            return Err(wrong(BoxFault::UnknownClass { name }));
        };
        let [x, y, width, height] = finding.bbox;
        let bounds = BoxXyxy::new(x, y, x + width, y + height);
        let picture = &stated[image].name;
        all.add(|| place.clone(), picture, class_idx, finding.score, bounds)?;
    }
    Ok(all.boxes)
}
