//! What ridge regression finds.

use ndarray::Array2;

/// Predictions of targets and how good they are.
#[derive(Debug, Clone, PartialEq)]
pub struct RidgeOutcome {
    /// The penalty of each target that is best over all folds, `(n_targets,)`.
    pub alpha: Vec<f64>,
    /// With [`nested`](super::RidgeParams::nested) the penalties behind the predictions, `(n_folds, n_targets)`.
    pub fold_alphas: Option<Array2<f64>>,
    /// Pearson correlation of target and prediction over all rows; 0 where either is constant.
    pub r: Vec<f64>,
    /// R² over all rows; 0 for a constant target.
    pub r2: Vec<f64>,
    /// Predictions of rows from the folds that do not hold them, `(n_rows, n_targets)`.
    pub predictions: Array2<f64>,
    /// 0-based targets with the same value in all rows.
    pub constant: Vec<usize>,
}

/// How many targets chose a penalty at an end of the grid, where a better one may lie beyond it.
///
/// Constant targets are not counted, nor is an end that cannot be moved: a grid of one penalty, or 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct GridEnds {
    /// Targets at the smallest penalty.
    pub n_smallest: usize,
    /// Targets at the largest penalty.
    pub n_largest: usize,
}

impl GridEnds {
    /// Counts targets by the penalties that they chose; `constant` are those that do not count, ascending.
    #[must_use]
    pub fn count(chosen: &[f64], constant: &[usize], alphas: &[f64]) -> Self {
        let smallest = alphas.iter().copied().fold(f64::INFINITY, f64::min);
        let largest = alphas.iter().copied().fold(0.0, f64::max);
        let mut ends = Self::default();
        if smallest == largest {
            return ends;
        }
        let mut constant = constant.iter().peekable();
        for (target, &alpha) in chosen.iter().enumerate() {
            if constant.next_if(|&&idx| idx == target).is_some() {
                continue;
            }
            ends.n_smallest += usize::from(alpha == smallest && smallest > 0.0);
            ends.n_largest += usize::from(alpha == largest);
        }
        ends
    }

    /// Both counts together with those of other targets.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            n_smallest: self.n_smallest + other.n_smallest,
            n_largest: self.n_largest + other.n_largest,
        }
    }
}

/// Predictions of targets from several bands of features.
#[derive(Debug, Clone, PartialEq)]
pub struct BandedOutcome {
    /// Share of each band, `(n_bands, n_targets)`.
    pub shares: Array2<f64>,
    /// Penalty of each target; that of a band is this over its share.
    pub alpha: Vec<f64>,
    /// Pearson correlation of target and prediction over all rows; 0 where either is constant.
    pub r: Vec<f64>,
    /// R² over all rows; 0 for a constant target.
    pub r2: Vec<f64>,
    /// What each band adds to R², `(n_bands, n_targets)`; with [`baseline`](Self::baseline) the sum is R².
    pub product_measure: Array2<f64>,
    /// R² of the means of the training sets alone, at most 0 with an intercept.
    pub baseline: Vec<f64>,
    /// Predictions of rows from the folds that do not hold them, `(n_rows, n_targets)`.
    pub predictions: Array2<f64>,
    /// 0-based targets with the same value in all rows.
    pub constant: Vec<usize>,
}

/// Predictions of targets from a few components of the features.
#[derive(Debug, Clone, PartialEq)]
pub struct ComponentsOutcome {
    /// Number of components of each target that is best over all folds.
    pub count: Vec<usize>,
    /// Pearson correlation of target and prediction over all rows; 0 where either is constant.
    pub r: Vec<f64>,
    /// R² over all rows; 0 for a constant target.
    pub r2: Vec<f64>,
    /// Predictions of rows from the folds that do not hold them, `(n_rows, n_targets)`.
    pub predictions: Array2<f64>,
    /// 0-based targets with the same value in all rows.
    pub constant: Vec<usize>,
}
