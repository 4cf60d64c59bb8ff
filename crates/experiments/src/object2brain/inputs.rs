//! What an Object2Brain analysis is given.

use consilience_methods::MethodsError;
use consilience_methods::objects::{DetectedObject, ObjectsError, PictureBox};
use ndarray::{ArrayView2, Axis};

use super::{Object2BrainError, Pool};
use crate::head::RunHeads;
use crate::{ExperimentError, Result};

/// A cut network: what follows the layer at which it ends.
#[derive(Debug, Clone, Copy)]
pub struct CutLayer<'a> {
    /// Runs, each with its heads.
    pub runs: &'a [RunHeads],
    /// What becomes of the layer's positions before the head.
    pub pool: Pool,
}

/// Classes of objects that are looked at together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Category {
    /// Name, e.g. `"Body Parts"`.
    pub name: String,
    /// Its classes, 0-based and different.
    pub classes: Vec<usize>,
}

/// Objects of one picture, in the frame that the network saw.
#[derive(Debug, Clone, PartialEq)]
pub struct PictureObjects {
    /// Width and height of the frame, which the layer's maps cover.
    pub size: [f64; 2],
    /// Objects with 0-based classes of the detector, in pixels of the frame.
    pub objects: Vec<DetectedObject>,
}

/// Objects in the stimuli, and what ratings of the stimuli are correlated with.
#[derive(Debug, Clone, Copy)]
pub struct ObjectInputs<'a> {
    /// Names of the detector's classes.
    pub classes: &'a [String],
    /// Categories.
    pub categories: &'a [Category],
    /// Objects of each stimulus.
    pub pictures: &'a [PictureObjects],
    /// `(n_targets, n_stimuli)`.
    pub targets: ArrayView2<'a, f64>,
    /// `(n_subsets, n_stimuli)`, true for the stimuli of a subset.
    pub subsets: ArrayView2<'a, bool>,
}

impl ObjectInputs<'_> {
    pub(super) fn check(&self) -> Result<()> {
        let n_stimuli = self.pictures.len();
        same(
            "stimuli of the targets",
            n_stimuli,
            self.targets.len_of(Axis(1)),
        )?;
        same(
            "stimuli of the subsets",
            n_stimuli,
            self.subsets.len_of(Axis(1)),
        )?;
        let n_classes = self.classes.len();
        for category in self.categories {
            check_category(category, n_classes)?;
        }
        for (picture, objects) in self.pictures.iter().enumerate() {
            check_objects(picture, &objects.objects, n_classes)?;
        }
        Ok(())
    }
}

impl CutLayer<'_> {
    pub(super) fn check(
        &self,
        [n_filters, height, width]: [usize; 3],
        n_stimuli: usize,
    ) -> Result<()> {
        let n_features = match self.pool {
            Pool::Mean => n_filters,
            Pool::Flat => n_filters * height * width,
        };
        for (run_idx, run) in self.runs.iter().enumerate() {
            same(
                "stimuli that a run's heads rate",
                n_stimuli,
                run.head_of.len(),
            )?;
            for head in &run.heads {
                same("weights of a head", n_features, head.weights.len())?;
            }
            let n_heads = run.heads.len();
            let beyond = run.head_of.iter().position(|&head| head >= n_heads);
            if let Some(stimulus) = beyond {
                return Err(Object2BrainError::UnknownHead {
                    run: run_idx,
                    stimulus,
                    head: run.head_of[stimulus],
                    n_heads,
                }
                .into());
            }
        }
        Ok(())
    }
}

fn check_category(category: &Category, n_classes: usize) -> Result<()> {
    let mut classes = category.classes.clone();
    classes.sort_unstable();
    classes.dedup();
    let different = classes.len() == category.classes.len();
    if different && classes.last().is_some_and(|&last| last < n_classes) {
        return Ok(());
    }
    Err(Object2BrainError::BadCategory {
        category: category.name.clone(),
        source: ObjectsError::BadCategory {
            classes: category.classes.clone(),
            n_classes,
        },
    }
    .into())
}

pub(super) fn check_objects(
    picture: usize,
    objects: &[DetectedObject],
    n_classes: usize,
) -> Result<()> {
    for (object, found) in objects.iter().enumerate() {
        let PictureBox {
            left,
            top,
            right,
            bottom,
        } = found.bounds;
        let edges = [left, top, right, bottom];
        let fault = if !(edges.iter().all(|e| e.is_finite()) && found.score.is_finite()) {
            ObjectsError::BadObject {
                picture,
                object,
                edges,
                score: found.score,
            }
        } else if found.class >= n_classes {
            ObjectsError::UnknownClass {
                picture,
                object,
                class: found.class,
                n_classes,
            }
        } else {
            continue;
        };
        return Err(MethodsError::from(fault).into());
    }
    Ok(())
}

pub(super) fn same(what: &'static str, expected: usize, found: usize) -> Result<()> {
    if expected == found {
        return Ok(());
    }
    Err(ExperimentError::Count {
        what,
        expected,
        found,
    })
}
