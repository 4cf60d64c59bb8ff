//! A module that learns from the features of rated pictures.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::RwLock;

use consilience_learn::LearnError;
use consilience_learn::train::{self, Arrays, Epoch, Progress, Samples};
use ndarray::{Array1, Array2, ArrayD, ArrayView2, Axis};

use crate::error::{ExperimentError, Result};
use crate::visual_emotion::{Learning, Pictures, Scaling, Wired};

/// Makes the features of other views of pictures: epoch (from 0) and rows of [`Examples::features`] to `(n_rows, n_features)`.
pub type Fresh<'a> =
    dyn Fn(usize, &[usize]) -> std::result::Result<Array2<f32>, LearnError> + Sync + 'a;

/// Rated pictures.
#[derive(Clone, Copy)]
pub struct Examples<'a> {
    /// Features `(n, n_features)`.
    pub features: ArrayView2<'a, f32>,
    /// Ratings `(n, n_ratings)`, in the order of the module's outputs.
    pub ratings: ArrayView2<'a, f64>,
    /// Features that are learnt from instead, made anew in each epoch; pictures that are held out stay as they are.
    pub fresh: Option<&'a Fresh<'a>>,
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
/// [`LearnError::Diverged`], after which the epochs before are in `folder`; [`LearnError::Checkpoint`] for a folder of another training.
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
    };
    let scaling = Scaling::of(&pictures, &training, learning);
    let part = |rows: &[usize]| {
        let features = examples.features.select(Axis(0), rows);
        let ratings = examples.ratings.select(Axis(0), rows);
        (
            scaling.features(features.view()),
            scaling.learnt(ratings.view()),
        )
    };
    let (x, y) = part(&training);
    let as_they_are = Arrays::new(x.view().into_dyn(), y.view())?;
    let anew = examples.fresh.map(|fresh| Anew {
        fresh,
        rows: &training,
        scaling: &scaling,
        targets: y.view(),
        features: RwLock::new((usize::MAX, Array2::zeros((0, 0)))),
    });
    let samples: &dyn Samples = match &anew {
        Some(anew) => anew,
        None => &as_they_are,
    };
    let (x, y) = part(&held_out);
    let validation = Arrays::new(x.view().into_dyn(), y.view())?;
    let validation: Option<&dyn Samples> = (!held_out.is_empty()).then_some(&validation);
    let trained = learning.train(wired, samples, validation, seed, folder, progress)?;
    Ok(Lesson {
        scaling,
        weights: trained.weights,
        epoch: trained.epoch,
        history: trained.history,
        training,
        held_out,
    })
}

/// Samples whose features are made anew in each epoch, all together.
struct Anew<'a> {
    fresh: &'a Fresh<'a>,
    rows: &'a [usize],
    scaling: &'a Scaling,
    targets: ArrayView2<'a, f32>,
    /// Those of one epoch, and which.
    features: RwLock<(usize, Array2<f32>)>,
}

impl Samples for Anew<'_> {
    fn len(&self) -> usize {
        self.rows.len()
    }

    fn prepare(&self, epoch: usize) -> std::result::Result<(), LearnError> {
        let features = (self.fresh)(epoch, self.rows)?;
        let features = self.scaling.features(features.view());
        *self.features.write().expect("no panic holds the lock") = (epoch, features);
        Ok(())
    }

    fn sample(
        &self,
        epoch: usize,
        idx: usize,
    ) -> std::result::Result<(ArrayD<f32>, Array1<f32>), LearnError> {
        let features = self.features.read().expect("no panic holds the lock");
        assert_eq!(features.0, epoch, "features are prepared for their epoch");
        let input = features.1.row(idx).to_owned().into_dyn();
        Ok((input, self.targets.row(idx).to_owned()))
    }
}
