//! What all modules of an analysis have in common: ratings, folds, features.

use consilience_experiments::ExperimentError;
use consilience_experiments::visual_emotion::{Division, Pictures as Arrays, elsewhere, folds};
use consilience_learn::LearnError;
use consilience_methods::MethodsError;
use ndarray::Array2;

use crate::activations::{Pictures, features_key, load_features, make_features};
use crate::cache::{Cache, Key};
use crate::file::KeyPath;
use crate::plan::{PlannedEmotion, PlannedModule};
use crate::prepare::{Prepared, RatingSource};
use crate::progress::Progress;
use crate::{Result, StudyError};

/// What all modules have in common.
pub struct Study<'a> {
    pub prepared: &'a Prepared,
    pub idx: usize,
    pub planned: &'a PlannedEmotion,
    pub cache: &'a Cache,
    pub n_threads: usize,
    pub progress: &'a dyn Progress,
    /// Names of what is learnt: valence, arousal.
    pub names: Vec<String>,
    /// Ratings of the stimuli, `(n_stimuli, n_ratings)`.
    pub ratings: Array2<f64>,
    /// Ratings of the pictures that are learnt from.
    pub learnt: Array2<f64>,
    /// Seeds of the repeats with their divisions.
    pub repeats: Vec<(u64, Vec<Division>)>,
}

/// Features of one network.
pub struct Encoder {
    /// Of the stimuli.
    pub stimuli: Array2<f32>,
    /// Of other pictures, if these are learnt from.
    pub others: Option<Array2<f32>>,
    /// Tokens that lie side by side in a row; `None` for one vector.
    pub tokens: Option<usize>,
    pub key: (Key, Option<Key>),
}

impl<'a> Study<'a> {
    pub fn new(
        prepared: &'a Prepared,
        idx: usize,
        planned: &'a PlannedEmotion,
        cache: &'a Cache,
        n_threads: usize,
        progress: &'a dyn Progress,
    ) -> Result<Self> {
        let columns: Vec<&[f64]> = planned
            .ratings
            .iter()
            .map(|&rating| match &prepared.ratings[rating].source {
                RatingSource::Given(given) => given.mean.as_slice(),
                RatingSource::Responses(_) => &[],
            })
            .collect();
        let stacked = |columns: &[&[f64]]| {
            let n = columns.first().map_or(0, |column| column.len());
            Array2::from_shape_fn((n, columns.len()), |(row, column)| columns[column][row])
        };
        let ratings = stacked(&columns);
        let learnt = match &planned.training {
            None => ratings.clone(),
            Some(training) => {
                let columns: Vec<&[f64]> = training.ratings.iter().map(Vec::as_slice).collect();
                stacked(&columns)
            }
        };
        let valence = ratings.column(0).to_vec();
        let repeats = (0..planned.repeats as u64).map(|repeat| {
            let seed = prepared.plan.seed.wrapping_add(repeat);
            let divisions = match &planned.training {
                None => folds(&valence, planned.folds, planned.validation, seed),
                Some(training) => {
                    let n = training.pictures.len();
                    elsewhere(n, valence.len(), planned.validation, seed)
                }
            };
            Ok((seed, divisions?))
        });
        let repeats = repeats
            .collect::<std::result::Result<Vec<_>, ExperimentError>>()
            .map_err(|source| of_experiment("the folds", source))?;
        let names = ["valence", "arousal"].iter().take(planned.ratings.len());
        Ok(Self {
            names: names.map(|name| (*name).to_owned()).collect(),
            prepared,
            idx,
            planned,
            cache,
            n_threads,
            progress,
            ratings,
            learnt,
            repeats,
        })
    }

    /// A rating of the stimuli.
    pub fn column(&self, rating: usize) -> Option<Vec<f64>> {
        (rating < self.ratings.ncols()).then(|| self.ratings.column(rating).to_vec())
    }

    /// Position of the network that a module reads.
    pub fn encoder_of(&self, module: &PlannedModule) -> usize {
        let models = self.planned.models.iter();
        let mut models = models.enumerate();
        let found = models.find(|(_, model)| **model == module.model);
        found.map_or(0, |(position, _)| position)
    }

    /// Network and structure.
    pub fn label(&self, module: &PlannedModule) -> String {
        let encoder = &self.prepared.plan.models[module.model].name;
        format!("{encoder} {}", module.structure.name)
    }

    /// What a method could not do with this analysis.
    pub fn failed(&self, source: MethodsError) -> StudyError {
        StudyError::Invalid {
            key: KeyPath::root("analysis").index(self.idx),
            message: source.to_string(),
        }
    }

    /// The other pictures that modules learn from.
    fn others(&self) -> Option<Pictures<'_>> {
        let training = self.planned.training.as_ref()?;
        let clips = self.prepared.training[self.idx].as_ref()?;
        Some(Pictures {
            planned: &training.pictures,
            clips,
            changes: None,
        })
    }

    /// The pictures that modules learn from.
    pub fn learnt_pictures(&self) -> Pictures<'_> {
        self.others().unwrap_or_else(|| self.prepared.pictures())
    }

    /// Features of a network, through the cache.
    pub fn encoder(&self, model: usize) -> Result<Encoder> {
        let prepared = self.prepared;
        let planned = &prepared.plan.models[model];
        let last = planned.layers.len() - 1;
        let mut found = Vec::new();
        for pictures in [prepared.pictures()].into_iter().chain(self.others()) {
            make_features(
                prepared,
                pictures,
                model,
                self.cache,
                self.n_threads,
                self.progress,
            )?;
            let layer = &planned.layers[last];
            let features = load_features(prepared, pictures, planned, layer, self.cache)?;
            let features = match self.planned.reads_tokens() {
                true => layer.tokens.side_by_side(features.view()),
                false => features,
            };
            found.push((features, features_key(prepared, pictures, model, last)));
        }
        let mut found = found.into_iter();
        let (stimuli, key) = found.next().expect("there are stimuli");
        let (others, key_of_others) = found.next().unzip();
        Ok(Encoder {
            stimuli,
            others,
            tokens: (self.planned.reads_tokens()).then(|| planned.layers[last].tokens.n()),
            key: (key, key_of_others),
        })
    }

    /// Pictures to learn from and stimuli, as trainings take them.
    pub fn arrays<'b>(&'b self, encoder: &'b Encoder) -> Arrays<'b> {
        Arrays {
            features: encoder.others.as_ref().unwrap_or(&encoder.stimuli).view(),
            ratings: self.learnt.view(),
            stimuli: encoder.stimuli.view(),
            tokens: encoder.tokens,
            views: None,
        }
    }
}

pub fn of_experiment(about: &str, source: ExperimentError) -> StudyError {
    StudyError::Experiment {
        about: about.to_owned(),
        source: Box::new(source),
    }
}

/// Epoch and learning rate of a training whose loss was no number.
pub fn diverged_in(error: &ExperimentError) -> Option<(usize, f64)> {
    match *error {
        ExperimentError::Learn(LearnError::Diverged {
            epoch,
            learning_rate,
        }) => Some((epoch, learning_rate)),
        _ => None,
    }
}
