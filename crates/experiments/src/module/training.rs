//! A module that learns from the features of rated pictures.

use std::collections::BTreeMap;
use std::path::Path;

use consilience_learn::train::{self, Epoch, Progress};
use ndarray::{ArrayD, ArrayView2};

use crate::error::{ExperimentError, Result};
use crate::visual_emotion::{Division, Learning, Pictures, Scaling, Views, Wired};

/// Rated pictures.
#[derive(Clone, Copy)]
pub struct Examples<'a> {
    /// Features `(n, n_features)`.
    pub features: ArrayView2<'a, f32>,
    /// Ratings `(n, n_ratings)`, in the order of the module's outputs.
    pub ratings: ArrayView2<'a, f64>,
    /// Views that are learnt from instead, others in every epoch; pictures that are held out stay as they are.
    pub views: Option<&'a Views<'a>>,
}

/// What a training gave.
#[derive(Debug, Clone, PartialEq)]
pub struct Lesson {
    /// Means and deviations of the pictures that were learnt from.
    pub scaling: Scaling,
    /// The weights that are used.
    pub weights: BTreeMap<String, ArrayD<f32>>,
    /// The epoch that they are from.
    pub epoch: usize,
    /// Losses from epoch 0.
    pub history: Vec<Epoch>,
    /// Rows that were learnt from, ascending.
    pub training: Vec<usize>,
    /// Rows that were not, ascending.
    pub held_out: Vec<usize>,
}

/// Trains a module.
///
/// # Definition
///
/// Weights begin as PyTorch's do, drawn by `seed`, which also draws the order, what is dropped, and the share `held_out` of the rows that
/// is not learnt from but chooses the epoch; without any, the last epoch is used. The weights of every epoch, 0 (before training)
/// included, are written to `folder`, from where an interrupted training goes on with the same bytes.
///
/// # Errors
///
/// [`ExperimentError::Count`] when features and ratings are not equally many;
/// [`LearnError::Diverged`](consilience_learn::LearnError::Diverged), after which the epochs before are in `folder`; [`LearnError::Checkpoint`](consilience_learn::LearnError::Checkpoint) for a folder of another training.
pub fn train(
    wired: &Wired,
    examples: &Examples<'_>,
    learning: &Learning,
    seed: u64,
    held_out: f64,
    folder: &Path,
    progress: impl FnMut(Progress),
) -> Result<Lesson> {
    if examples.ratings.nrows() != examples.features.nrows() {
        return Err(ExperimentError::Count {
            what: "rows of ratings",
            expected: examples.features.nrows(),
            found: examples.ratings.nrows(),
        });
    }
    let (training, held_out) = train::hold_out(examples.features.nrows(), held_out, seed)?;
    let pictures = Pictures {
        features: examples.features,
        ratings: examples.ratings,
        stimuli: examples.features,
        tokens: None,
        views: examples.views,
    };
    let division = Division {
        training,
        validation: held_out,
        tested: Vec::new(),
    };
    let (scaling, trained) = learning.train(wired, &pictures, &division, seed, folder, progress)?;
    Ok(Lesson {
        scaling,
        weights: trained.weights,
        epoch: trained.epoch,
        history: trained.history,
        training: division.training,
        held_out: division.validation,
    })
}
