//! Covariances of raters over items, from which every coefficient follows.

use consilience_stats::dense::product;
use faer::Mat;
use ndarray::{Array2, ArrayView2, Axis};

/// A variance this far below that of all items is the rounding of none.
const ROUNDING: f64 = 1e-12;

/// Ratings without the mean of each rater, so that sums of squares lose no digits.
pub(super) struct Centred {
    /// `(n_items, n_raters)`.
    values: Array2<f64>,
    /// Variance of each rater over all items; exactly 0 for one who gives all items the same.
    variances: Vec<f64>,
}

/// Covariances of raters, `(n_raters, n_raters)`.
pub(super) struct Covariance {
    pub matrix: Mat<f64>,
}

impl Centred {
    pub fn new(ratings: ArrayView2<'_, f64>) -> Self {
        let mut values = ratings.to_owned();
        let n = values.nrows() as f64;
        let mut variances = Vec::with_capacity(values.ncols());
        for mut rater in values.axis_iter_mut(Axis(1)) {
            let constant = rater.iter().all(|v| *v == rater[0]);
            let mean = rater.sum() / n;
            rater.mapv_inplace(|v| if constant { 0.0 } else { v - mean });
            variances.push(rater.iter().map(|v| v * v).sum::<f64>() / (n - 1.0));
        }
        Self { values, variances }
    }

    pub fn n_items(&self) -> usize {
        self.values.nrows()
    }

    pub fn n_raters(&self) -> usize {
        self.values.ncols()
    }

    /// The first rater without variance.
    pub fn constant_rater(&self) -> Option<usize> {
        self.variances.iter().position(|v| *v == 0.0)
    }

    /// Over all items.
    pub fn covariance(&self) -> Covariance {
        self.resampled(&vec![1; self.n_items()])
    }

    /// Over items that occur `counts[i]` times.
    pub fn resampled(&self, counts: &[u32]) -> Covariance {
        let (n, k) = self.values.dim();
        let total: f64 = counts.iter().map(|&c| f64::from(c)).sum();
        let mut rows = Mat::<f64>::zeros(n, k);
        for rater in 0..k {
            let values = self.values.column(rater);
            let mean = counts
                .iter()
                .zip(values)
                .map(|(&c, v)| f64::from(c) * v)
                .sum::<f64>()
                / total;
            for (item, (&c, v)) in counts.iter().zip(values).enumerate() {
                rows[(item, rater)] = f64::from(c).sqrt() * (v - mean);
            }
        }
        self.of_rows(&rows, total)
    }

    /// With the items of rater j in the order of `orders[j]`.
    pub fn permuted(&self, orders: &[Vec<usize>]) -> Covariance {
        let (n, k) = self.values.dim();
        let rows = Mat::from_fn(n, k, |item, rater| {
            self.values[[orders[rater][item], rater]]
        });
        self.of_rows(&rows, n as f64)
    }

    fn of_rows(&self, rows: &Mat<f64>, total: f64) -> Covariance {
        let mut matrix = product(rows.transpose(), rows.as_ref());
        for i in 0..matrix.nrows() {
            for j in 0..matrix.ncols() {
                matrix[(i, j)] /= total - 1.0;
            }
        }
        // A resample may hold items to which a rater gives one value; then nothing of it may remain.
        for (rater, variance) in self.variances.iter().enumerate() {
            if matrix[(rater, rater)] <= ROUNDING * variance {
                for other in 0..matrix.nrows() {
                    matrix[(rater, other)] = 0.0;
                    matrix[(other, rater)] = 0.0;
                }
            }
        }
        Covariance { matrix }
    }
}

impl Covariance {
    pub fn n_raters(&self) -> usize {
        self.matrix.nrows()
    }

    pub fn variance(&self, rater: usize) -> f64 {
        self.matrix[(rater, rater)]
    }

    /// Raters at unit variance; those without any stay at 0.
    pub fn standardised(&self) -> Self {
        let scale = |rater: usize| {
            let variance = self.variance(rater);
            if variance > 0.0 {
                variance.sqrt().recip()
            } else {
                0.0
            }
        };
        let scales: Vec<f64> = (0..self.n_raters()).map(scale).collect();
        let k = self.n_raters();
        Self {
            matrix: Mat::from_fn(k, k, |i, j| self.matrix[(i, j)] * scales[i] * scales[j]),
        }
    }

    pub fn without(&self, rater: usize) -> Self {
        let kept: Vec<usize> = (0..self.n_raters()).filter(|&r| r != rater).collect();
        Self {
            matrix: Mat::from_fn(kept.len(), kept.len(), |i, j| {
                self.matrix[(kept[i], kept[j])]
            }),
        }
    }

    /// Sum of the variances of raters.
    pub fn trace(&self) -> f64 {
        (0..self.n_raters()).map(|r| self.variance(r)).sum()
    }

    /// Covariance of each rater with the sum of all.
    pub fn sums(&self) -> Vec<f64> {
        let k = self.n_raters();
        (0..k)
            .map(|i| (0..k).map(|j| self.matrix[(j, i)]).sum())
            .collect()
    }
}
