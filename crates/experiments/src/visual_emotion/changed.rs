//! Trained modules with units or connections changed.

use std::collections::BTreeMap;

use ndarray::{Array2, ArrayD};

use super::fold::Scaling;
use super::forward::{Change, gains_of};
use super::{Connection, Division, FoldRun, Learning, Pictures, Wired};

/// The trained networks of a repeat with what each is tested on.
#[derive(Debug)]
pub struct TrainedRepeat {
    folds: Vec<TrainedFold>,
    n_stimuli: usize,
}

#[derive(Debug)]
struct TrainedFold {
    weights: BTreeMap<String, ArrayD<f32>>,
    /// What the nuclei read of the tested stimuli.
    visual: Array2<f32>,
    tested: Vec<usize>,
    scaling: Scaling,
}

impl TrainedRepeat {
    /// From the trainings of a repeat.
    #[must_use]
    pub fn of(
        wired: &Wired,
        pictures: &Pictures<'_>,
        divisions: &[Division],
        runs: &[FoldRun],
        learning: &Learning,
    ) -> Self {
        let folds = divisions.iter().zip(runs).map(|(division, run)| {
            let scaling = Scaling::of(pictures, &division.training, learning);
            let tested = pictures.stimuli.select(ndarray::Axis(0), &division.tested);
            let features = scaling.features(tested.view());
            TrainedFold {
                visual: wired.visual(&run.weights, features.view()),
                weights: run.weights.clone(),
                tested: division.tested.clone(),
                scaling,
            }
        });
        Self {
            folds: folds.collect(),
            n_stimuli: pictures.stimuli.nrows(),
        }
    }

    /// Ratings of all stimuli, `(n_stimuli, n_ratings)`, when `units` are multiplied by 1 + `alpha`.
    ///
    /// # Panics
    ///
    /// When `wired` is another module, or a unit is none of its units.
    #[must_use]
    pub fn ratings(&self, wired: &Wired, units: &[usize], alpha: f64) -> Array2<f64> {
        let gains = gains_of(wired.n_units(), units, alpha);
        self.changed(wired, Change::Gains(&gains))
    }

    /// The same when a connection carries nothing.
    ///
    /// # Panics
    ///
    /// When `wired` is another module.
    #[must_use]
    pub fn without(&self, wired: &Wired, connection: &Connection) -> Array2<f64> {
        self.changed(wired, Change::Cut(connection))
    }

    fn changed(&self, wired: &Wired, change: Change<'_>) -> Array2<f64> {
        let mut all = Array2::zeros((self.n_stimuli, wired.n_ratings()));
        for fold in &self.folds {
            let forward = wired.forward(&fold.weights);
            let (_, found) = forward.run(fold.visual.view(), change);
            let found = fold.scaling.ratings(found.view());
            for (row, &stimulus) in fold.tested.iter().enumerate() {
                all.row_mut(stimulus).assign(&found.row(row));
            }
        }
        all
    }
}
