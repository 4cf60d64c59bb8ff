//! One training: weights, losses, and what the module makes of the stimuli that it did not learn from, epoch by epoch.

use std::collections::BTreeMap;
use std::path::Path;

use consilience_io::weights::Weights;
use consilience_learn::train::{
    self, Arrays, Epoch, Progress, Samples, Selection, TrainParams, Trained,
};
use ndarray::{Array2, Array3, ArrayD, ArrayView2, Axis, s};
use serde::{Deserialize, Serialize};

use super::Division;
use super::module::Wired;
use super::views::{Viewed, Views};
use crate::error::{ExperimentError, Result};

/// How modules learn.
#[derive(Debug, Clone, PartialEq)]
pub struct Learning {
    /// Loss, optimiser, rate, epochs. Its seed is that of the repeat, and what is dropped is what the module says.
    pub params: TrainParams,
    /// Whether features are z-scored with means and deviations of the pictures that are learnt from.
    pub standardise: bool,
    /// Whether the weights of the last epoch are used, whatever the validation pictures say of it.
    pub last_epoch: bool,
    /// Whether ratings are, for the training alone: predictions are on the scale of the ratings.
    pub standardise_ratings: bool,
}

impl Learning {
    /// Trains a module on the training pictures of a division, from the initial weights that `seed` draws, with checkpoints in `folder`.
    /// What comes back is of the epoch that is used.
    ///
    /// Means and deviations are those of the pictures as they are, whatever views are learnt from. Validation pictures, if there are any,
    /// stay as they are.
    pub(crate) fn train(
        &self,
        wired: &Wired,
        pictures: &Pictures<'_>,
        division: &Division,
        seed: u64,
        folder: &Path,
        progress: impl FnMut(Progress),
    ) -> Result<(Scaling, Trained)> {
        let scaling = Scaling::of(pictures, &division.training, self);
        let features = |rows: &[usize]| {
            let features = pictures.features.select(Axis(0), rows);
            shaped(scaling.features(features.view()), pictures.tokens)
        };
        let ratings = |rows: &[usize]| {
            let ratings = pictures.ratings.select(Axis(0), rows);
            scaling.learnt(ratings.view())
        };
        let (rows, y) = (&division.training, ratings(&division.training));
        let (x, viewed, as_they_are);
        let training: &dyn Samples = match pictures.views {
            Some(views) => {
                viewed = Viewed::new(views, rows, &scaling, pictures.tokens, y.view());
                &viewed
            }
            None => {
                x = features(rows);
                as_they_are = Arrays::new(x.view(), y.view())?;
                &as_they_are
            }
        };
        let (held_out, given) = (
            features(&division.validation),
            ratings(&division.validation),
        );
        let validation = Arrays::new(held_out.view(), given.view())?;
        let validation: Option<&dyn Samples> =
            (!division.validation.is_empty()).then_some(&validation);

        let mut network = wired.graph.clone();
        let weights = train::torch_weights(&wired.parameters, &wired.copies, seed);
        network.initialisers.extend(weights);
        let params = TrainParams {
            seed,
            ..self.params.clone()
        };
        let mut trained = train::train(
            &network,
            training,
            validation,
            &params,
            Some(folder),
            progress,
        )?;
        let last = trained.history.len() - 1;
        if self.last_epoch && trained.epoch != last {
            let weights = weights_of(folder, last)?;
            (trained.epoch, trained.weights) = (last, weights.into_tensors());
        }
        Ok((scaling, trained))
    }

    /// What a reader must know of trainings whose weights are those of before training, which is no error: of the epochs that are used, one
    /// for each training, how many are 0. `last` is how the user asks for the last epoch instead.
    #[must_use]
    pub fn untrained(&self, epochs: &[usize], last: &str) -> Option<String> {
        let n_untrained = epochs.iter().filter(|&&epoch| epoch == 0).count();
        if n_untrained == 0 || self.params.epochs == 0 {
            return None;
        }
        let which = match (n_untrained, epochs.len()) {
            (1, 1) => "epoch 0 is used".to_owned(),
            (n, all) => format!("epoch 0 is used in {n} of {all} trainings"),
        };
        let sign = match self.params.selection {
            Selection::MostExplained => {
                ". Epochs are judged by r², which does not see the sign: a module before training may predict the wrong way round"
            }
            Selection::SmallestLoss => "",
        };
        Some(format!(
            "{which}: no later one was better by the validation pictures than the module before training{sign}. Try more epochs, a higher learning rate, or {last}"
        ))
    }
}

/// Weights after an epoch of a training with checkpoints in `folder`.
fn weights_of(folder: &Path, epoch: usize) -> Result<Weights> {
    let file = folder.join(format!("epoch-{epoch:04}.safetensors"));
    Ok(Weights::read(file).map_err(consilience_learn::LearnError::from)?)
}

/// Pictures that modules learn from, and those that they are tested on.
#[derive(Clone, Copy)]
pub struct Pictures<'a> {
    /// Features of the pictures to learn from, `(n, n_features)`, or `(n, tokens · n_channels)`.
    pub features: ArrayView2<'a, f32>,
    /// Their ratings, `(n, n_ratings)`.
    pub ratings: ArrayView2<'a, f64>,
    /// Features of the stimuli, alike.
    pub stimuli: ArrayView2<'a, f32>,
    /// Tokens that lie side by side in the features of a picture; `None` for one vector.
    pub tokens: Option<usize>,
    /// Views that are learnt from instead of the pictures as they are, others in every epoch; what is validated and tested stays as it is.
    pub views: Option<&'a Views<'a>>,
}

/// What a training gave.
#[derive(Debug, Clone, PartialEq)]
pub struct FoldRun {
    /// The epoch whose weights are used.
    pub epoch: usize,
    /// Losses from epoch 0.
    pub history: Vec<Epoch>,
    /// Ratings of the tested stimuli at each epoch from 0, `(n_epochs + 1, n_tested, n_ratings)`.
    pub ratings: Array3<f64>,
    /// Units of all nuclei at the same, `(n_epochs + 1, n_tested, n_units)`; without epochs where none were asked for.
    pub units: Array3<f32>,
    /// The weights that are used.
    pub weights: BTreeMap<String, ArrayD<f32>>,
    /// Entropy of the attention of each nucleus to the tokens of the tested stimuli, as [`Wired::attention`]; empty without tokens.
    pub attention: Vec<Option<f64>>,
}

/// Means and deviations of features and ratings of the pictures that are learnt from.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Scaling {
    /// Mean and factor of each feature, or of each channel over all tokens.
    features: Option<(Vec<f64>, Vec<f64>)>,
    /// Mean and deviation of each rating.
    ratings: Option<(Vec<f64>, Vec<f64>)>,
}

impl Scaling {
    /// Of the pictures `rows`.
    #[must_use]
    pub fn of(pictures: &Pictures<'_>, rows: &[usize], learning: &Learning) -> Self {
        let features = learning.standardise.then(|| {
            let n_tokens = pictures.tokens.unwrap_or(1);
            let n_columns = pictures.features.ncols() / n_tokens;
            let (means, deviations) = moments(rows, n_tokens, n_columns, |row, column| {
                f64::from(pictures.features[[row, column]])
            });
            // A feature that does not vary tells nothing.
            let factors = deviations
                .iter()
                .map(|&sd| if sd > 0.0 { 1.0 / sd } else { 0.0 });
            (means, factors.collect())
        });
        let ratings = learning.standardise_ratings.then(|| {
            let (means, deviations) = moments(rows, 1, pictures.ratings.ncols(), |row, column| {
                pictures.ratings[[row, column]]
            });
            let deviations = deviations.iter().map(|&sd| if sd > 0.0 { sd } else { 1.0 });
            (means, deviations.collect())
        });
        Self { features, ratings }
    }

    /// Features as the module reads them.
    #[must_use]
    pub fn features(&self, features: ArrayView2<'_, f32>) -> Array2<f32> {
        let Some((means, factors)) = &self.features else {
            return features.to_owned();
        };
        Array2::from_shape_fn(features.dim(), |(row, column)| {
            let value = f64::from(features[[row, column]]);
            let column = column % means.len();
            ((value - means[column]) * factors[column]) as f32
        })
    }

    /// Whether so many features and ratings can be scaled by it: finite numbers, one for each.
    #[must_use]
    pub fn fits(&self, n_features: usize, n_ratings: usize) -> bool {
        let parts = [(&self.features, n_features), (&self.ratings, n_ratings)];
        parts.iter().all(|(part, n)| {
            part.as_ref().is_none_or(|(means, spreads)| {
                let all = means.iter().chain(spreads);
                means.len() == *n && spreads.len() == *n && all.into_iter().all(|v| v.is_finite())
            })
        })
    }

    /// Whether features are changed.
    #[must_use]
    pub fn of_features(&self) -> bool {
        self.features.is_some()
    }

    /// Means and deviations of ratings, if these are changed.
    #[must_use]
    pub fn of_ratings(&self) -> Option<(&[f64], &[f64])> {
        let ratings = self.ratings.as_ref();
        ratings.map(|(means, deviations)| (means.as_slice(), deviations.as_slice()))
    }

    /// Ratings as the module learns them.
    #[must_use]
    pub fn learnt(&self, ratings: ArrayView2<'_, f64>) -> Array2<f32> {
        Array2::from_shape_fn(ratings.dim(), |(row, column)| {
            let value = ratings[[row, column]];
            match &self.ratings {
                Some((means, deviations)) => ((value - means[column]) / deviations[column]) as f32,
                None => value as f32,
            }
        })
    }

    /// Outputs of the module on the scale of the ratings.
    #[must_use]
    pub fn ratings(&self, outputs: ArrayView2<'_, f32>) -> Array2<f64> {
        Array2::from_shape_fn(outputs.dim(), |(row, column)| {
            let value = f64::from(outputs[[row, column]]);
            match &self.ratings {
                Some((means, deviations)) => means[column] + deviations[column] * value,
                None => value,
            }
        })
    }
}

/// Means and standard deviations (denominator n) of columns over some rows, each of which has all columns once for each token.
fn moments(
    rows: &[usize],
    n_tokens: usize,
    n_columns: usize,
    value: impl Fn(usize, usize) -> f64,
) -> (Vec<f64>, Vec<f64>) {
    let n = (rows.len() * n_tokens).max(1) as f64;
    let of_column = |column: usize| {
        let values = || {
            let rows = rows.iter();
            rows.flat_map(|&row| {
                let value = &value;
                (0..n_tokens).map(move |token| value(row, token * n_columns + column))
            })
        };
        let first = values().next().unwrap_or(0.0);
        if values().all(|value| value == first) {
            return (first, 0.0);
        }
        let mean = values().sum::<f64>() / n;
        let squares = values().map(|value| (value - mean).powi(2));
        (mean, (squares.sum::<f64>() / n).sqrt())
    };
    (0..n_columns).map(of_column).unzip()
}

/// Trains a module on one division, from weights that depend on `seed` alone.
///
/// Weights before training and after each epoch pass through `folder`, from where an interrupted training goes on.
///
/// # Errors
///
/// [`LearnError::Diverged`](consilience_learn::LearnError::Diverged), and what else stands in the way of a training.
pub fn train_fold(
    wired: &Wired,
    pictures: &Pictures<'_>,
    division: &Division,
    learning: &Learning,
    seed: u64,
    with_units: bool,
    folder: &Path,
) -> Result<FoldRun> {
    let (scaling, trained) = learning.train(wired, pictures, division, seed, folder, |_| {})?;
    let tested = pictures.stimuli.select(Axis(0), &division.tested);
    let tested = scaling.features(tested.view());
    let n_epochs = learning.params.epochs;
    let n_units = if with_units { wired.n_units() } else { 0 };
    let n_kept = if with_units { n_epochs + 1 } else { 0 };
    let mut ratings = Array3::zeros((n_epochs + 1, tested.nrows(), wired.n_ratings()));
    let mut units = Array3::zeros((n_kept, tested.nrows(), n_units));
    for epoch in 0..=n_epochs {
        // A training that stopped early stays as it was.
        let at = epoch.min(trained.history.len() - 1);
        if at < epoch {
            let (before, mut after) = ratings.view_mut().split_at(Axis(0), epoch);
            after
                .index_axis_mut(Axis(0), 0)
                .assign(&before.index_axis(Axis(0), at));
            if with_units {
                let (before, mut after) = units.view_mut().split_at(Axis(0), epoch);
                after
                    .index_axis_mut(Axis(0), 0)
                    .assign(&before.index_axis(Axis(0), at));
            }
            continue;
        }
        let weights = weights_of(folder, epoch)?;
        let (of_units, outputs) = wired.read(weights.tensors(), tested.view());
        ratings
            .slice_mut(s![epoch, .., ..])
            .assign(&scaling.ratings(outputs.view()));
        if with_units {
            units.slice_mut(s![epoch, .., ..]).assign(&of_units);
        }
    }
    if ratings.iter().any(|value| !value.is_finite()) {
        let epoch = trained.history.len() - 1;
        let diverged = consilience_learn::LearnError::Diverged {
            epoch,
            learning_rate: learning.params.learning_rate,
        };
        return Err(ExperimentError::Learn(diverged));
    }
    let attention = match pictures.tokens {
        None => Vec::new(),
        Some(_) => wired.attention(&trained.weights, tested.view())?,
    };
    Ok(FoldRun {
        epoch: trained.epoch,
        history: trained.history,
        ratings,
        units,
        weights: trained.weights,
        attention,
    })
}

/// Features as the network takes them: `(n, n_features)`, or `(n, tokens, n_channels)`.
pub(super) fn shaped(features: Array2<f32>, tokens: Option<usize>) -> ArrayD<f32> {
    let (n, width) = features.dim();
    match tokens {
        None => features.into_dyn(),
        Some(tokens) => {
            let shape = ndarray::IxDyn(&[n, tokens, width / tokens]);
            let shaped = features.into_shape_with_order(shape);
            shaped.expect("every stimulus has as many tokens")
        }
    }
}
