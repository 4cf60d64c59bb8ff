//! How well targets are predicted.

use consilience_stats::Real;
use ndarray::ArrayView2;

/// Agreement of predictions with targets.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TargetScores {
    /// Pearson correlation; 0 where target or prediction does not vary.
    pub r: Vec<f64>,
    /// Coefficient of determination; 0 where the target does not vary.
    pub r2: Vec<f64>,
}

/// Pearson's r and R² of each column of `predictions` with that of `y`.
///
/// # Shapes
///
/// Both `(n_rows, n_targets)`, finite; the scores have a value for each target.
///
/// # Definition
///
/// R² = 1 − Σ(y − ŷ)² / Σ(y − ȳ)², where ȳ is the mean of the target over the same rows; it is negative where
/// the mean predicts better. A target that is constant has no R² and no r, predictions that are constant have
/// no r: these are 0.
///
/// # Panics
///
/// When the shapes differ.
///
/// # Peers
///
/// scikit-learn `r2_score(multioutput="raw_values")`, SciPy `pearsonr`: 1e-12.
#[must_use]
pub fn scores<Y: Real>(y: ArrayView2<'_, Y>, predictions: ArrayView2<'_, f64>) -> TargetScores {
    assert_eq!(y.dim(), predictions.dim(), "a prediction for each value");
    let (n_rows, n_targets) = y.dim();
    let mut sums = vec![Sums::default(); n_targets];
    for (row, predicted) in y.rows().into_iter().zip(predictions.rows()) {
        for ((sums, y), predicted) in sums.iter_mut().zip(row).zip(predicted) {
            sums.mean_y += y.to_f64() / n_rows as f64;
            sums.mean_predicted += predicted / n_rows as f64;
        }
    }
    // In units of the largest deviation, so that no square overflows or vanishes.
    for (row, predicted) in y.rows().into_iter().zip(predictions.rows()) {
        for ((sums, y), predicted) in sums.iter_mut().zip(row).zip(predicted) {
            let y = (y.to_f64() - sums.mean_y).abs();
            sums.unit = sums.unit.max(y);
            sums.unit_predicted = sums
                .unit_predicted
                .max((predicted - sums.mean_predicted).abs());
        }
    }
    for (row, predicted) in y.rows().into_iter().zip(predictions.rows()) {
        for ((sums, y), predicted) in sums.iter_mut().zip(row).zip(predicted) {
            sums.add(y.to_f64(), *predicted);
        }
    }
    let constant = constant(y);
    TargetScores {
        r: sums.iter().zip(&constant).map(|(s, c)| s.r(*c)).collect(),
        r2: sums.iter().zip(&constant).map(|(s, c)| s.r2(*c)).collect(),
    }
}

/// Whether each target has the same value in all rows.
pub(super) fn constant<Y: Real>(y: ArrayView2<'_, Y>) -> Vec<bool> {
    let mut constant = vec![true; y.ncols()];
    for row in y.rows() {
        for ((constant, value), first) in constant.iter_mut().zip(row).zip(y.row(0)) {
            *constant &= value == first;
        }
    }
    constant
}

#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    mean_y: f64,
    mean_predicted: f64,
    unit: f64,
    unit_predicted: f64,
    yy: f64,
    pp: f64,
    yp: f64,
    errors: f64,
}

impl Sums {
    fn add(&mut self, y: f64, predicted: f64) {
        let error = (y - predicted) / self.unit;
        let y = (y - self.mean_y) / self.unit;
        let predicted = match self.unit_predicted {
            0.0 => 0.0,
            unit => (predicted - self.mean_predicted) / unit,
        };
        self.yy += y * y;
        self.pp += predicted * predicted;
        self.yp += y * predicted;
        self.errors += error * error;
    }

    fn r(&self, constant: bool) -> f64 {
        if constant || self.unit_predicted == 0.0 {
            return 0.0;
        }
        (self.yp / (self.yy * self.pp).sqrt()).clamp(-1.0, 1.0)
    }

    fn r2(&self, constant: bool) -> f64 {
        if constant {
            return 0.0;
        }
        1.0 - self.errors / self.yy
    }
}
