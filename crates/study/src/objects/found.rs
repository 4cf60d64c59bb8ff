//! The objects in the stimuli, and what must be said of them.

use std::path::PathBuf;

use consilience_experiments::object2brain::Category;
use consilience_methods::objects::{DetectedObject, PictureBox};
use consilience_models::Images;
use consilience_models::detect::{Detection, Detector};
use serde::{Deserialize, Serialize};

use super::Inputs;
use crate::Result;
use crate::cache::{Cache, Key};
use crate::plan::{PlannedBoxes, PlannedObjects, PlannedStimulus};
use crate::prepare::ObjectSource;
use crate::progress::Progress;

/// An object in a stimulus, in pixels of its file.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct Found {
    pub(super) class: usize,
    pub(super) score: f64,
    pub(super) edges: [f64; 4],
}

/// A stimulus and what is in it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct FoundObjects {
    /// Width and height of the file.
    pub(super) size: [usize; 2],
    pub(super) objects: Vec<Found>,
}

impl FoundObjects {
    pub(super) fn detected(&self) -> Vec<DetectedObject> {
        let detected = self.objects.iter().map(|found| {
            let [left, top, right, bottom] = found.edges;
            DetectedObject {
                bounds: PictureBox::new(left, top, right, bottom),
                class: found.class,
                score: found.score,
            }
        });
        detected.collect()
    }
}

/// Pictures in which objects are looked for.
pub(super) struct Looked<'a> {
    /// What they are called.
    pub(super) name: &'a str,
    pub(super) pictures: &'a [PlannedStimulus],
    pub(super) paths: Vec<PathBuf>,
    pub(super) boxes: &'a PlannedBoxes,
    pub(super) source: &'a ObjectSource,
}

/// The objects of each picture: those of the file, or what the detector finds.
pub(super) fn objects(
    looked: &Looked<'_>,
    min_score: f64,
    cache: &Cache,
    progress: &dyn Progress,
) -> Result<Vec<FoundObjects>> {
    let of_picture = |(size, detections): ([usize; 2], &[Detection])| {
        let objects = detections.iter().map(|d| Found {
            class: d.class_idx,
            score: d.score,
            edges: [
                d.bounds.x_min,
                d.bounds.y_min,
                d.bounds.x_max,
                d.bounds.y_max,
            ],
        });
        FoundObjects {
            size,
            objects: objects.collect(),
        }
    };
    let all = match looked.source {
        ObjectSource::Boxes(pictures) => pictures
            .iter()
            .map(|(picture, found)| of_picture(([picture.width, picture.height], found)))
            .collect(),
        ObjectSource::Detector(model, params) => {
            let pictures: Vec<&str> = looked.pictures.iter().map(|s| s.blake3.as_str()).collect();
            let mut detector = Detector::prepare(model, params)?;
            let executor = detector.executor().to_string();
            let key = Key::new("objects", &(looked.boxes, executor, pictures));
            match cache.json::<Vec<FoundObjects>>("objects", &key) {
                Some(done) => done,
                None => {
                    let paths = &looked.paths;
                    let mut all = Vec::with_capacity(paths.len());
                    progress.begin(&format!("objects in {}", looked.name), paths.len() as u64);
                    detector.run(Images::Files(paths), |idx, picture, found| -> Result<()> {
                        all.push(of_picture(([picture.width, picture.height], &found)));
                        progress.advance_to(idx as u64 + 1);
                        Ok(())
                    })?;
                    progress.end();
                    cache.put_json("objects", &key, &all)?;
                    all
                }
            }
        }
    };
    let certain = |mut found: FoundObjects| {
        found.objects.retain(|object| object.score >= min_score);
        found
    };
    Ok(all.into_iter().map(certain).collect())
}

/// Pictures that show a class.
pub(super) fn n_with(found: &[FoundObjects], class: usize) -> usize {
    let shows = |found: &&FoundObjects| found.objects.iter().any(|object| object.class == class);
    found.iter().filter(shows).count()
}

pub(super) fn least_images(planned: &PlannedObjects) -> usize {
    planned.params.select.min_images.max(1)
}

pub(super) fn notes_on_boxes(planned: &PlannedObjects, inputs: &Inputs<'_>) -> Vec<String> {
    let mut notes = planned.left_out.clone();
    let pictures = match &inputs.elsewhere {
        None => "stimuli",
        Some(_) => "of the other pictures",
    };
    let without = inputs.found.iter().filter(|found| found.objects.is_empty());
    let n_without = without.count();
    if n_without > 0 {
        notes.push(format!(
            "{n_without} of {} stimuli show no object with a score of at least {}; they take part in correlations only",
            inputs.found.len(),
            planned.params.sensitivity.min_score
        ));
    }
    let unused: Vec<&str> = planned
        .categories
        .iter()
        .map(|(name, _)| name.as_str())
        .filter(|name| inputs.categories.iter().all(|c| c.name != *name))
        .collect();
    if let Some(found) = &inputs.elsewhere {
        let n_without = found
            .iter()
            .filter(|found| found.objects.is_empty())
            .count();
        notes.push(format!(
            "the sensitivity of filters, and overlap and co-occurrence of categories are those of {} other pictures, {n_without} of them without an object",
            found.len()
        ));
    }
    if !unused.is_empty() {
        notes.push(format!(
            "left out, because none of their classes is in {} {pictures}: {}",
            least_images(planned),
            unused.join(", ")
        ));
    }
    let mut others: Vec<&str> = inputs
        .measured()
        .iter()
        .flat_map(|found| &found.objects)
        .map(|object| object.class)
        .filter(|class| planned.categories.iter().all(|(_, of)| !of.contains(class)))
        .map(|class| planned.classes[class].as_str())
        .collect();
    others.sort_unstable();
    others.dedup();
    if !others.is_empty() {
        notes.push(format!("classes of no category: {}", others.join(", ")));
    }
    notes
}

/// The stimuli that show most categories, the first of equal ones first.
pub(super) fn shown(categories: &[Category], found: &[FoundObjects], n: usize) -> Vec<usize> {
    let n_categories = |idx: usize| {
        let shows = |category: &&Category| {
            (found[idx].objects.iter()).any(|object| category.classes.contains(&object.class))
        };
        categories.iter().filter(shows).count()
    };
    let mut order: Vec<usize> = (0..found.len()).filter(|&i| n_categories(i) > 0).collect();
    order.sort_by_key(|&idx| std::cmp::Reverse(n_categories(idx)));
    order.truncate(n);
    order.sort_unstable();
    order
}
