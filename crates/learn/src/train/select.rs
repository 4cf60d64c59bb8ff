//! Which epoch's weights are taken, and when training stops.

use ndarray::Array2;
use serde::{Deserialize, Serialize};

use super::Epoch;

/// Which epoch's weights are taken; the first of equal ones, and the last without validation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
pub enum Selection {
    /// That of the smallest validation loss.
    #[default]
    SmallestLoss,
    /// That of the largest mean over outputs of r², the squared correlation with the targets, over the validation samples.
    MostExplained,
}

impl Selection {
    /// What the best epoch has most of.
    fn merit(self, epoch: &Epoch) -> Option<f64> {
        match self {
            Self::SmallestLoss => epoch.validation.map(|loss| -loss),
            Self::MostExplained => epoch.explained,
        }
    }

    /// The epoch that is taken.
    pub(super) fn best(self, history: &[Epoch]) -> usize {
        let merits = history
            .iter()
            .filter_map(|epoch| Some((epoch.epoch, self.merit(epoch)?)));
        match merits.reduce(|best, next| if next.1 > best.1 { next } else { best }) {
            Some((epoch, _)) => epoch,
            None => history.len() - 1,
        }
    }

    pub(super) fn is_out_of_patience(self, history: &[Epoch], patience: Option<usize>) -> bool {
        patience.is_some_and(|patience| history.len() - 1 - self.best(history) >= patience.max(1))
    }
}

/// Mean over outputs of the squared correlation of outputs with targets; an output that does not vary explains nothing.
pub(super) fn explained(outputs: &Array2<f32>, targets: &Array2<f32>) -> f64 {
    let columns = outputs.columns().into_iter().zip(targets.columns());
    let squares = columns.map(|(output, target)| {
        let n = output.len() as f64;
        let mean = |values: ndarray::ArrayView1<'_, f32>| {
            values.iter().map(|&v| f64::from(v)).sum::<f64>() / n
        };
        let (mean_o, mean_t) = (mean(output), mean(target));
        let [mut oo, mut tt, mut ot] = [0.0; 3];
        for (&o, &t) in output.iter().zip(target) {
            let (o, t) = (f64::from(o) - mean_o, f64::from(t) - mean_t);
            oo += o * o;
            tt += t * t;
            ot += o * t;
        }
        match oo * tt > 0.0 {
            true => ot * ot / (oo * tt),
            false => 0.0,
        }
    });
    squares.sum::<f64>() / outputs.ncols().max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn explained_is_the_mean_squared_correlation() {
        let targets = array![[1.0, 1.0], [2.0, 0.0], [3.0, 1.0], [4.0, 0.0]];
        let outputs = array![[-2.0, 1.0], [-4.0, 1.0], [-6.0, 0.0], [-8.0, 0.0]];
        // One is minus twice the target, the other is uncorrelated.
        assert!((explained(&outputs, &targets) - 0.5).abs() < 1e-12);
        let constant = array![[1.0, 1.0], [1.0, 0.0], [1.0, 1.0], [1.0, 0.0]];
        assert!((explained(&constant, &targets) - 0.5).abs() < 1e-12);
    }

    #[test]
    fn the_first_of_the_best_epochs_is_taken() {
        let epoch = |epoch, validation, explained| Epoch {
            epoch,
            training: None,
            validation,
            explained,
        };
        let history = [
            epoch(0, Some(3.0), Some(0.1)),
            epoch(1, Some(1.0), Some(0.4)),
            epoch(2, Some(1.0), Some(0.5)),
            epoch(3, Some(2.0), Some(0.5)),
        ];
        assert_eq!(Selection::SmallestLoss.best(&history), 1);
        assert_eq!(Selection::MostExplained.best(&history), 2);
        assert!(Selection::SmallestLoss.is_out_of_patience(&history, Some(2)));
        assert!(!Selection::MostExplained.is_out_of_patience(&history, Some(2)));
        let without = [epoch(0, None, None), epoch(1, None, None)];
        assert_eq!(Selection::MostExplained.best(&without), 1);
    }
}
