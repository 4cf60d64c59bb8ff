//! What each band adds to the predictions of banded ridge regression.

use consilience_stats::Real;
use consilience_stats::ridge::Targets;
use ndarray::{Array2, ArrayView2};

use super::BandedOutcome;
use super::scores::{constant, scores};

/// Predictions and the sums behind the product measure.
pub(super) struct Parts<'a, Y> {
    y: ArrayView2<'a, Y>,
    predictions: Array2<f64>,
    /// Σ ŷ_b·(2z − ŷ), (n_bands, n_targets), in squared units of each target.
    products: Array2<f64>,
    /// Σ z².
    baseline: Vec<f64>,
    /// Σ (y − ȳ)².
    total: Vec<f64>,
}

impl<'a, Y: Real> Parts<'a, Y> {
    pub fn new(n_bands: usize, y: ArrayView2<'a, Y>) -> Self {
        let n_targets = y.ncols();
        Self {
            y,
            predictions: Array2::zeros(y.dim()),
            products: Array2::zeros((n_bands, n_targets)),
            baseline: vec![0.0; n_targets],
            total: vec![0.0; n_targets],
        }
    }

    /// Adds a test set: `found` has the means of the training set and then a part for each band.
    pub fn add(
        &mut self,
        targets: &Targets<f64>,
        members: &[usize],
        shares: &[f64],
        test: &[usize],
        found: &[Vec<f64>],
    ) {
        let width = members.len();
        let (means, units) = targets.means_and_units();
        for (i, &row) in test.iter().enumerate() {
            for (t, &target) in members.iter().enumerate() {
                let train_mean = found[0][t];
                let own: Vec<f64> = found[1..]
                    .iter()
                    .zip(shares)
                    .map(|(part, share)| share * part[i * width + t])
                    .collect();
                let sum: f64 = own.iter().sum();
                self.predictions[[row, target]] = means[t] + units[t] * (train_mean + sum);
                let value = (self.y[[row, target]].to_f64() - means[t]) / units[t];
                let z = value - train_mean;
                self.baseline[target] += z * z;
                for (band, own) in own.iter().enumerate() {
                    self.products[[band, target]] += own * (2.0 * z - sum);
                }
            }
        }
    }

    /// Sums of squares about the mean, in the units of `targets`.
    pub fn add_totals(&mut self, targets: &Targets<f64>, members: &[usize]) {
        let (_, units) = targets.means_and_units();
        for (&target, unit) in members.iter().zip(units) {
            let column = self.y.column(target);
            let mean = column
                .iter()
                .map(|v| v.to_f64() / column.len() as f64)
                .sum::<f64>();
            let square = |v: &Y| ((v.to_f64() - mean) / unit).powi(2);
            self.total[target] = column.iter().map(square).sum();
        }
    }

    pub fn outcome(
        self,
        y: ArrayView2<'_, Y>,
        shares: &Array2<f64>,
        sample: &[usize],
        alpha: Vec<f64>,
    ) -> BandedOutcome {
        let constant = constant(y);
        let scores = scores(y, self.predictions.view());
        let share = |value: f64, t: usize| match constant[t] {
            true => 0.0,
            false => value / self.total[t],
        };
        let mut product_measure = self.products.clone();
        for ((_, t), value) in product_measure.indexed_iter_mut() {
            *value = share(*value, t);
        }
        let baseline = (0..sample.len()).map(|t| match constant[t] {
            true => 0.0,
            false => 1.0 - share(self.baseline[t], t),
        });
        BandedOutcome {
            shares: Array2::from_shape_fn((shares.ncols(), sample.len()), |(band, t)| {
                shares[[sample[t], band]]
            }),
            alpha,
            r: scores.r,
            r2: scores.r2,
            product_measure,
            baseline: baseline.collect(),
            constant: (0..sample.len()).filter(|&t| constant[t]).collect(),
            predictions: self.predictions,
        }
    }
}
