//! What a layer's maps give over the stimuli, for each run.

use consilience_methods::MethodsError;
use consilience_methods::objects::{
    CategoryImportance, CorpusParams, DetectedObject, FilterSensitivity, ObjectImportance,
    ObjectsError, corpus_importance, importance, sensitive_filters,
};
use ndarray::{Array2, ArrayView3, Axis};
use rayon::prelude::*;

use super::effects::{Lesion, Selected, effects};
use super::inputs::{check_objects, same};
use super::read_out::{filter_maps, whole_map};
use super::{
    Category, CategoryOutcome, LayerOutcome, Object2BrainParams, ObjectInputs, PictureObjects,
};
use crate::{ExperimentError, Result};

/// Sensitivities and importances of one layer, picture by picture.
pub(super) struct Gathering<'a> {
    pub inputs: ObjectInputs<'a>,
    pub params: Object2BrainParams,
    pub shape: [usize; 3],
    pub n_added: usize,
    n_elsewhere: usize,
    /// Classes that are in a category and may be in a picture, ascending; sensitivities are counted by place in this list.
    classes: Vec<usize>,
    runs: Vec<RunMaps>,
}

/// What one run has gathered.
struct RunMaps {
    /// `None` when no picture can have an object of any category.
    sensitivity: Option<FilterSensitivity>,
    boxes: Vec<Vec<ObjectImportance>>,
}

impl<'a> Gathering<'a> {
    pub fn new(
        n_runs: usize,
        shape: [usize; 3],
        inputs: ObjectInputs<'a>,
        params: Object2BrainParams,
    ) -> Result<Self> {
        params.validate()?;
        inputs.check()?;
        for (what, found) in [
            ("or more runs", n_runs),
            ("or more positions of filters", shape.iter().product()),
        ] {
            if found == 0 {
                return Err(ExperimentError::Count {
                    what,
                    expected: 1,
                    found,
                });
            }
        }
        let classes = classes_that_count(&inputs, params.elsewhere);
        let of_run = |_| {
            let sensitivity = (!classes.is_empty())
                .then(|| FilterSensitivity::new(shape[0], classes.len(), params.sensitivity));
            Ok(RunMaps {
                sensitivity: sensitivity.transpose()?,
                boxes: Vec::with_capacity(inputs.pictures.len()),
            })
        };
        Ok(Self {
            runs: (0..n_runs).map(of_run).collect::<Result<_>>()?,
            inputs,
            params,
            shape,
            classes,
            n_added: 0,
            n_elsewhere: 0,
        })
    }

    pub fn n_runs(&self) -> usize {
        self.runs.len()
    }

    /// Refuses an activation of another shape.
    pub fn check_shape(&self, activation: ArrayView3<'_, f32>) -> Result<()> {
        for (axis, what) in [
            "filters of the activation",
            "rows of the activation",
            "columns of the activation",
        ]
        .into_iter()
        .enumerate()
        {
            same(what, self.shape[axis], activation.len_of(Axis(axis)))?;
        }
        Ok(())
    }

    /// Objects of the next picture, whose activation has to be of the right shape.
    pub fn next(&self, activation: ArrayView3<'_, f32>) -> Result<&'a PictureObjects> {
        self.check_shape(activation)?;
        let next = self.inputs.pictures.get(self.n_added);
        next.ok_or(ExperimentError::Count {
            what: "stimuli",
            expected: self.inputs.pictures.len(),
            found: self.n_added + 1,
        })
    }

    /// Adds the next picture, with the mean gradient of each filter for each run.
    pub fn add(&mut self, activation: ArrayView3<'_, f32>, alphas: &[&[f64]]) -> Result<()> {
        let picture = self.next(activation)?;
        if !self.params.elsewhere {
            self.measure(activation, picture, alphas)?;
        }
        let map_params = self.params.sensitivity.map;
        let of_run = |(run, alphas): (&mut RunMaps, &&[f64])| -> Result<()> {
            let map = whole_map(activation, alphas);
            let boxes = importance(map.view(), picture.size, &picture.objects, &map_params)?;
            run.boxes.push(boxes);
            Ok(())
        };
        let runs = self.runs.par_iter_mut().zip(alphas);
        let done: Vec<Result<()>> = runs.map(of_run).collect();
        self.n_added += 1;
        done.into_iter().collect()
    }

    /// Adds a picture that is no stimulus to the sensitivities.
    pub fn add_elsewhere(
        &mut self,
        activation: ArrayView3<'_, f32>,
        picture: &PictureObjects,
        alphas: &[&[f64]],
    ) -> Result<()> {
        self.check_shape(activation)?;
        check_objects(
            self.n_elsewhere,
            &picture.objects,
            self.inputs.classes.len(),
        )?;
        self.n_elsewhere += 1;
        self.measure(activation, picture, alphas)
    }

    /// Adds a picture to the sensitivities.
    fn measure(
        &mut self,
        activation: ArrayView3<'_, f32>,
        picture: &PictureObjects,
        alphas: &[&[f64]],
    ) -> Result<()> {
        let counted: Vec<DetectedObject> = picture
            .objects
            .iter()
            .filter_map(|&object| {
                let class = self.classes.binary_search(&object.class).ok()?;
                Some(DetectedObject { class, ..object })
            })
            .collect();
        if counted.is_empty() {
            return Ok(());
        }
        let of_run = |(run, alphas): (&mut RunMaps, &&[f64])| -> Result<()> {
            if let Some(sensitivity) = &mut run.sensitivity {
                let maps = filter_maps(activation, alphas);
                sensitivity.add(maps.view(), picture.size, &counted)?;
            }
            Ok(())
        };
        let runs = self.runs.par_iter_mut().zip(alphas);
        runs.map(of_run).collect::<Vec<_>>().into_iter().collect()
    }

    /// Selects filters, switches them off and compares the effects with those of random filters.
    pub fn finish(self, intact: Array2<f64>, lesioned: &Lesion<'_>) -> Result<LayerOutcome> {
        let n_filters = self.shape[0];
        let categories = self.inputs.categories;
        let selected: Vec<Selected> = categories
            .iter()
            .map(|category| self.selected(category))
            .collect::<Result<_>>()?;
        let (inputs, params) = (&self.inputs, &self.params);
        let effects = effects(
            inputs,
            params,
            n_filters,
            intact.view(),
            &selected,
            lesioned,
        )?;
        let over_runs = self.boxes_over_runs();
        let outcomes = categories.iter().zip(selected).zip(effects);
        let categories = outcomes
            .map(|((category, filters), effects)| {
                Ok(CategoryOutcome {
                    name: category.name.clone(),
                    filters,
                    effects,
                    importance: self.importance_of(category, &over_runs)?,
                })
            })
            .collect::<Result<_>>()?;
        Ok(LayerOutcome {
            n_filters,
            intact,
            categories,
            boxes: self.runs.into_iter().map(|run| run.boxes).collect(),
        })
    }

    /// Filters of a category for each run, or that it is in too few pictures.
    fn selected(&self, category: &Category) -> Result<Selected> {
        let place = |class: &usize| self.classes.binary_search(class);
        let counted: Vec<usize> = category
            .classes
            .iter()
            .filter_map(|c| place(c).ok())
            .collect();
        let absent = category
            .classes
            .iter()
            .copied()
            .filter(|c| place(c).is_err());
        let rare = ObjectsError::RareCategory {
            min_images: self.params.select.min_images.max(1),
            found: 0,
        };
        let mut runs = Vec::with_capacity(self.runs.len());
        for run in &self.runs {
            let Some(sensitivity) = run.sensitivity.as_ref().filter(|_| !counted.is_empty()) else {
                return Ok(Err(rare));
            };
            let mut found = match sensitive_filters(sensitivity, &counted, &self.params.select) {
                Ok(found) => found,
                Err(MethodsError::Objects(rare @ ObjectsError::RareCategory { .. })) => {
                    return Ok(Err(rare));
                }
                Err(error) => return Err(error.into()),
            };
            for list in [&mut found.classes, &mut found.left_out] {
                list.iter_mut()
                    .for_each(|class| *class = self.classes[*class]);
            }
            found.left_out.extend(absent.clone());
            found.left_out.sort_unstable();
            runs.push(found);
        }
        Ok(Ok(runs))
    }

    /// What each box gets, averaged over the runs in which it gets something.
    fn boxes_over_runs(&self) -> Vec<Vec<ObjectImportance>> {
        let of_object = |picture: usize, object: usize| {
            let first = self.runs[0].boxes[picture][object];
            let values: Vec<f64> = self
                .runs
                .iter()
                .filter_map(|run| run.boxes[picture][object].importance.ok())
                .collect();
            let mean = values.iter().sum::<f64>() / values.len() as f64;
            ObjectImportance {
                importance: if values.is_empty() {
                    first.importance
                } else {
                    Ok(mean)
                },
                ..first
            }
        };
        let objects_of = |picture: usize| 0..self.runs[0].boxes[picture].len();
        (0..self.n_added)
            .map(|picture| {
                objects_of(picture)
                    .map(|object| of_object(picture, object))
                    .collect()
            })
            .collect()
    }

    fn importance_of(
        &self,
        category: &Category,
        boxes: &[Vec<ObjectImportance>],
    ) -> Result<CategoryImportance> {
        let params = CorpusParams {
            min_score: self.params.sensitivity.min_score,
            over_boxes: self.params.sensitivity.over_boxes,
            resamples: 0,
            ..CorpusParams::default()
        };
        let of_picture = |objects: &Vec<ObjectImportance>| -> Vec<ObjectImportance> {
            let own = objects
                .iter()
                .filter(|o| category.classes.contains(&o.class));
            own.map(|object| ObjectImportance {
                class: 0,
                ..*object
            })
            .collect()
        };
        let own: Vec<_> = boxes.iter().map(of_picture).collect();
        Ok(corpus_importance(&own, 1, &params)?.remove(0))
    }
}

/// Classes of categories; where sensitivity is measured on the stimuli, those in any of them.
fn classes_that_count(inputs: &ObjectInputs<'_>, elsewhere: bool) -> Vec<usize> {
    let mut is_wanted = vec![false; inputs.classes.len()];
    for &class in inputs.categories.iter().flat_map(|c| &c.classes) {
        is_wanted[class] = true;
    }
    if elsewhere {
        return (0..is_wanted.len())
            .filter(|&class| is_wanted[class])
            .collect();
    }
    let objects = inputs.pictures.iter().flat_map(|p| &p.objects);
    let mut classes: Vec<usize> = objects.map(|o| o.class).filter(|&c| is_wanted[c]).collect();
    classes.sort_unstable();
    classes.dedup();
    classes
}
