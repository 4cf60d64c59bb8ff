//! The cross-validated error of a target by the weights of bands, and the way down its gradient.

use consilience_stats::dense::{Cholesky, Spectrum};
use consilience_stats::ridge::RidgeError;
use faer::Mat;
use ndarray::{Array1, Array2};

use super::EncodingError;

/// ln(γ_b/α) of each band; −∞ for a band that takes no part.
pub(super) type Start = Array1<f64>;

/// Most that a logarithm changes in a step.
const LONGEST_STEP: f64 = 5.0;
/// Most that a logarithm changes in all, so that weights stay within 64 bits.
const LONGEST_WAY: f64 = 50.0;

/// What the searches of all targets share.
pub(super) struct Descent<'a> {
    /// Products of rows of each band.
    pub kernels: &'a [Array2<f64>],
    /// Training and test rows of each fold.
    pub splits: &'a [(&'a [usize], &'a [usize])],
    pub intercept: bool,
    pub steps: usize,
    pub tolerance: f64,
}

/// Where a search ends.
pub(super) struct End {
    pub logarithms: Array1<f64>,
    /// Of each fold the mean of the training set, then what each band adds to the prediction of its rows.
    pub parts: Vec<Vec<Vec<f64>>>,
    /// Half the squared error over all rows.
    pub loss: f64,
}

/// The error at given logarithms, and how it changes with them.
pub(super) struct Point {
    pub end: End,
    /// ∂loss/∂δ.
    pub gradient: Array1<f64>,
    /// Σ of ∂ŷ/∂δ_b·∂ŷ/∂δ_c over rows.
    curvature: Mat<f64>,
}

impl Descent<'_> {
    /// From a start, Gauss–Newton steps of which each is damped tenfold more until the error falls.
    ///
    /// # Errors
    ///
    /// [`RidgeError::OutOfRange`] when the products of rows are too large for the penalty.
    pub fn run(&self, y: &[f64], start: &Start) -> Result<End, EncodingError> {
        let mut at = self.point(y, start).ok_or(RidgeError::OutOfRange)?;
        let mut damping = 1e-3;
        for _ in 0..self.steps {
            let Some(step) = at.step(damping) else {
                break;
            };
            let logarithms: Array1<f64> = (&at.end.logarithms + &step)
                .iter()
                .zip(start)
                .map(|(to, from)| {
                    if from.is_finite() {
                        to.clamp(from - LONGEST_WAY, from + LONGEST_WAY)
                    } else {
                        *from
                    }
                })
                .collect();
            match self.point(y, &logarithms) {
                Some(trial) if trial.end.loss < at.end.loss => {
                    at = trial;
                    damping /= 10.0;
                }
                _ => damping *= 10.0,
            }
            if step.iter().all(|change| change.abs() < self.tolerance) {
                break;
            }
        }
        Ok(at.end)
    }

    /// With K = Σ e^δ_b·K_b and A = K + 1, both of a training set: ŷ = Σ e^δ_b·K_b·A⁻¹·y, and
    /// ∂ŷ/∂δ_b = e^δ_b·(K_b·A⁻¹·y − K·A⁻¹·K_b·A⁻¹·y), each K having the rows of the test set where it is first.
    ///
    /// `None` when A has no Cholesky factor or the error is not finite.
    pub fn point(&self, y: &[f64], logarithms: &Array1<f64>) -> Option<Point> {
        let n_bands = self.kernels.len();
        let weights = logarithms.mapv(f64::exp);
        let mut sum = Array2::<f64>::zeros(self.kernels[0].dim());
        for (kernel, &weight) in self.kernels.iter().zip(&weights) {
            sum.scaled_add(weight, kernel);
        }
        let mut loss = 0.0;
        let mut gradient = Array1::zeros(n_bands);
        let mut curvature = Mat::zeros(n_bands, n_bands);
        let mut parts = Vec::with_capacity(self.splits.len());
        for &(train, test) in self.splits {
            let mean = match self.intercept {
                true => train.iter().map(|&row| y[row]).sum::<f64>() / train.len() as f64,
                false => 0.0,
            };
            let factor = self.factor(&sum, train)?;
            let mut dual = Mat::from_fn(train.len(), 1, |i, _| y[train[i]] - mean);
            factor.solve(&mut dual);
            let [bands_of_train, bands_of_test] =
                self.products(self.kernels, &dual, 0, train, test);
            // How the prediction would change if only the training set did.
            let mut changes = Mat::from_fn(train.len(), n_bands, |i, b| bands_of_train[b][i]);
            factor.solve(&mut changes);
            let by_training: Vec<Vec<f64>> = (0..n_bands)
                .map(|b| {
                    let [_, mut of_test] =
                        self.products(std::slice::from_ref(&sum), &changes, b, train, test);
                    of_test.swap_remove(0)
                })
                .collect();
            let mut own = vec![vec![mean]];
            own.extend((0..n_bands).map(|b| scaled(&bands_of_test[b], weights[b])));
            for (i, &row) in test.iter().enumerate() {
                let prediction = mean + own[1..].iter().map(|part| part[i]).sum::<f64>();
                let residual = prediction - y[row];
                loss += 0.5 * residual * residual;
                let change = |b: usize| weights[b] * (bands_of_test[b][i] - by_training[b][i]);
                for b in 0..n_bands {
                    gradient[b] += residual * change(b);
                    for c in 0..n_bands {
                        curvature[(b, c)] += change(b) * change(c);
                    }
                }
            }
            parts.push(own);
        }
        let finite = loss.is_finite() && gradient.iter().all(|g: &f64| g.is_finite());
        finite.then(|| Point {
            end: End {
                logarithms: logarithms.clone(),
                parts,
                loss,
            },
            gradient,
            curvature,
        })
    }

    /// Of the products of a training set, centred there with an intercept, plus 1.
    fn factor(&self, products: &Array2<f64>, train: &[usize]) -> Option<Cholesky> {
        let n = train.len();
        let mut matrix = Mat::from_fn(n, n, |i, j| products[[train[i], train[j]]]);
        if self.intercept {
            let means: Vec<f64> = (0..n)
                .map(|j| matrix.col(j).iter().sum::<f64>() / n as f64)
                .collect();
            let mean = means.iter().sum::<f64>() / n as f64;
            for j in 0..n {
                for i in 0..n {
                    matrix[(i, j)] += mean - means[i] - means[j];
                }
            }
        }
        for i in 0..n {
            matrix[(i, i)] += 1.0;
        }
        Cholesky::of(matrix)
    }

    /// Each kernel times a column over the training set, for the rows of the training and of the test set.
    ///
    /// Rows are centred at the training set with an intercept; the column then sums to 0, which centres the other side.
    fn products(
        &self,
        kernels: &[Array2<f64>],
        columns: &Mat<f64>,
        column: usize,
        train: &[usize],
        test: &[usize],
    ) -> [Vec<Vec<f64>>; 2] {
        let column: Vec<f64> = columns.col(column).iter().copied().collect();
        let of = |kernel: &Array2<f64>, rows: &[usize]| -> Vec<f64> {
            rows.iter()
                .map(|&row| {
                    let values = kernel.row(row);
                    train.iter().zip(&column).map(|(&t, w)| values[t] * w).sum()
                })
                .collect()
        };
        let mut out = [Vec::new(), Vec::new()];
        for kernel in kernels {
            let [mut of_train, mut of_test] = [of(kernel, train), of(kernel, test)];
            if self.intercept {
                let mean = of_train.iter().sum::<f64>() / train.len() as f64;
                of_train
                    .iter_mut()
                    .chain(&mut of_test)
                    .for_each(|v| *v -= mean);
            }
            out[0].push(of_train);
            out[1].push(of_test);
        }
        out
    }
}

impl Point {
    /// −(J′J + damping·s·1)⁻¹·gradient with s the largest eigenvalue of J′J, no change longer than the longest step; `None` where
    /// nothing changes the prediction.
    fn step(&self, damping: f64) -> Option<Array1<f64>> {
        let spectrum = Spectrum::of(self.curvature.as_ref())?;
        let largest = spectrum.values.last().copied().filter(|v| *v > 0.0)?;
        let inverse = spectrum.with_values(|v| 1.0 / (v.max(0.0) + damping * largest));
        let n_bands = self.gradient.len();
        let step: Array1<f64> = (0..n_bands)
            .map(|b| {
                -(0..n_bands)
                    .map(|c| inverse[(b, c)] * self.gradient[c])
                    .sum::<f64>()
            })
            .collect();
        let longest = step.iter().fold(0.0_f64, |l, v| l.max(v.abs()));
        Some(step * (LONGEST_STEP / longest).min(1.0))
    }
}

fn scaled(values: &[f64], factor: f64) -> Vec<f64> {
    values.iter().map(|v| v * factor).collect()
}
