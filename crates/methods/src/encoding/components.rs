//! Regression on a few components of the features: principal components and partial least squares.

use consilience_stats::dense::{Spectrum, Svd, product};
use consilience_stats::ridge::RidgeError;
use faer::{Mat, MatRef};
use ndarray::{Array2, ArrayView2, Axis, concatenate};
use rayon::prelude::*;

use super::ridge::{check_features, check_targets, splits};
use super::scores::{constant, scores};
use super::{ComponentsKind, ComponentsOutcome, ComponentsParams, EncodingError};
use crate::Result;

const NOT_CONVERGED: EncodingError = EncodingError::Ridge(RidgeError::NotConverged);

/// Regression of every target on a few components of the features, as many as predict it best.
///
/// # Shapes
///
/// `x` (n_rows, n_features), `y` (n_rows, n_targets): a row is a stimulus or a time point.
///
/// # Definition
///
/// In each training set features and targets are centred. The components are orthogonal columns t₁, t₂ … of the
/// training rows; a row is predicted by its own values on the first k of them, times their least-squares weights
/// (tⱼ·y)/(tⱼ·tⱼ). [`ComponentsKind`] says which components. The k of a target minimises the squared error summed over
/// all rows, of equals the smallest. Features are not scaled. Partial least squares takes all targets together, so
/// the components of one depend on the others.
///
/// # Errors
///
/// [`MethodsError::ShapeMismatch`](crate::MethodsError::ShapeMismatch),
/// [`MethodsError::NonFinite`](crate::MethodsError::NonFinite), [`MethodsError::TooFew`](crate::MethodsError::TooFew);
/// [`EncodingError::TooManyComponents`] for more than the rank of the features of a training set,
/// [`EncodingError::ConstantFeatures`], [`EncodingError`] for folds that cannot be used.
///
/// # Example
///
/// ```
/// use consilience_methods::encoding::{ComponentsKind, ComponentsParams, components};
/// use ndarray::{Array2, array};
///
/// let x = Array2::from_shape_fn((20, 3), |(i, j)| ((i * (j + 2) * 5) % 13) as f64);
/// let y = x.dot(&array![[1.0], [-2.0], [0.5]]);
/// let params = ComponentsParams {
///     kind: ComponentsKind::PartialLeastSquares,
///     counts: vec![1, 2, 3],
///     ..ComponentsParams::default()
/// };
/// let found = components(x.view(), y.view(), &params)?;
/// assert_eq!(found.count, [3]);
/// assert!(found.r2[0] > 0.999_999);
/// # Ok::<(), consilience_methods::MethodsError>(())
/// ```
///
/// # References
///
/// Massy 1965, doi:10.1080/01621459.1965.10480787 (principal components); Wold, Sjöström & Eriksson 2001,
/// doi:10.1016/S0169-7439(01)00155-1 (partial least squares).
///
/// # Peers
///
/// scikit-learn `LinearRegression` on `PCA`, and `PLSRegression(scale=False)` run until it converges: 1e-9.
pub fn components(
    x: ArrayView2<'_, f64>,
    y: ArrayView2<'_, f64>,
    params: &ComponentsParams,
) -> Result<ComponentsOutcome> {
    params.validate()?;
    let folds = params.folds.rows(x.nrows(), false)?;
    check_features(x, true)?;
    check_targets(y, x.nrows())?;
    let largest = params.counts.iter().copied().max().unwrap_or(0);
    let fits = splits(&folds, x.nrows(), false)
        .par_iter()
        .zip(&folds)
        .map(|(split, test)| {
            Centred::of(x, y, &split.train).fit(
                x.select(Axis(0), test).view(),
                params.kind,
                largest,
            )
        })
        .collect::<Result<Vec<Fit>>>()?;

    let mut predictions = Array2::zeros(y.dim());
    let mut count = vec![0; y.ncols()];
    let mut least = vec![f64::INFINITY; y.ncols()];
    let mut counts = params.counts.clone();
    counts.sort_unstable();
    for k in counts {
        let found = predicted(&fits, &folds, y.dim(), k);
        let errors = (&y - &found).mapv(|e| e * e).sum_axis(Axis(0));
        for (target, &error) in errors.iter().enumerate() {
            if error < least[target] {
                (least[target], count[target]) = (error, k);
                predictions.column_mut(target).assign(&found.column(target));
            }
        }
    }
    let scores = scores(y, predictions.view());
    let constant = constant(y).into_iter().enumerate();
    Ok(ComponentsOutcome {
        count,
        r: scores.r,
        r2: scores.r2,
        predictions,
        constant: constant.filter_map(|(idx, is)| is.then_some(idx)).collect(),
    })
}

/// Predictions of all rows from the first `k` components.
fn predicted(fits: &[Fit], folds: &[Vec<usize>], shape: (usize, usize), k: usize) -> Array2<f64> {
    let parts: Vec<Array2<f64>> = fits.par_iter().map(|fit| fit.predict(k)).collect();
    let views: Vec<_> = parts.iter().map(|part| part.view()).collect();
    let stacked = concatenate(Axis(0), &views).expect("all have the same targets");
    let mut out = Array2::zeros(shape);
    for (&row, found) in folds.iter().flatten().zip(stacked.rows()) {
        out.row_mut(row).assign(&found);
    }
    out
}

/// A training set about its means.
pub(super) struct Centred {
    x: Mat<f64>,
    y: Mat<f64>,
    mean_x: Vec<f64>,
    mean_y: Vec<f64>,
}

impl Centred {
    pub(super) fn of(x: ArrayView2<'_, f64>, y: ArrayView2<'_, f64>, rows: &[usize]) -> Self {
        let centred = |values: ArrayView2<'_, f64>| {
            let n = rows.len() as f64;
            let mean: Vec<f64> = (values.columns().into_iter())
                .map(|column| rows.iter().map(|&row| column[row]).sum::<f64>() / n)
                .collect();
            let matrix = Mat::from_fn(rows.len(), values.ncols(), |i, j| {
                values[[rows[i], j]] - mean[j]
            });
            (matrix, mean)
        };
        let ((x, mean_x), (y, mean_y)) = (centred(x), centred(y));
        Self {
            x,
            y,
            mean_x,
            mean_y,
        }
    }

    /// The first `n_components` for the rows of a fold.
    pub(super) fn fit(
        &self,
        test: ArrayView2<'_, f64>,
        kind: ComponentsKind,
        n_components: usize,
    ) -> Result<Fit> {
        // Both kinds know features by their products only, so their coordinates in as many
        // directions as there are rows will do.
        let svd = Svd::of(self.x.as_ref()).ok_or(NOT_CONVERGED)?;
        let first = svd.values.first().copied().unwrap_or(0.0);
        let rounding = first * self.x.nrows().max(self.x.ncols()) as f64 * f64::EPSILON;
        let rank = svd.values.iter().filter(|&&v| v > rounding).count();
        if n_components > rank {
            return Err(EncodingError::TooManyComponents {
                found: n_components,
                rank,
                n_train: self.x.nrows(),
            }
            .into());
        }
        let test = Mat::from_fn(test.nrows(), test.ncols(), |i, j| {
            test[[i, j]] - self.mean_x[j]
        });
        let test = product(test.as_ref(), svd.right.subcols(0, rank));
        let train = Mat::from_fn(self.x.nrows(), rank, |i, j| {
            svd.left[(i, j)] * svd.values[j]
        });
        let (train, test) = match kind {
            ComponentsKind::Principal => (train, test),
            ComponentsKind::PartialLeastSquares => {
                least_squares(train, test, self.y.as_ref(), n_components)?
            }
        };
        let n_components = n_components.min(train.ncols());
        let with_targets = product(train.transpose(), self.y.as_ref());
        let weights = Mat::from_fn(n_components, self.y.ncols(), |j, target| {
            let square: f64 = (0..train.nrows())
                .map(|i| train[(i, j)] * train[(i, j)])
                .sum();
            with_targets[(j, target)] / square
        });
        Ok(Fit {
            test,
            weights,
            mean_y: self.mean_y.clone(),
        })
    }
}

/// Components of one training set, for the rows that it predicts.
pub(super) struct Fit {
    /// Values of the rows, `(n_test, n_components)`.
    test: Mat<f64>,
    /// Least-squares weights, `(n_components, n_targets)`.
    weights: Mat<f64>,
    mean_y: Vec<f64>,
}

impl Fit {
    pub(super) fn predict(&self, k: usize) -> Array2<f64> {
        let k = k.min(self.weights.nrows());
        let found = product(self.test.subcols(0, k), self.weights.subrows(0, k));
        Array2::from_shape_fn((self.test.nrows(), self.mean_y.len()), |(i, target)| {
            found[(i, target)] + self.mean_y[target]
        })
    }
}

/// Components of partial least squares of the training rows and the same of the test rows.
///
/// The weights of a component are the first left singular vector of XᵀY; X then loses what the component explains of
/// it. There are fewer than asked for once nothing of X covaries with Y.
fn least_squares(
    mut x: Mat<f64>,
    mut test: Mat<f64>,
    y: MatRef<'_, f64>,
    n_components: usize,
) -> Result<(Mat<f64>, Mat<f64>)> {
    let mut train_scores: Vec<Mat<f64>> = Vec::new();
    let mut test_scores: Vec<Mat<f64>> = Vec::new();
    let squares = |m: &Mat<f64>| -> f64 {
        (0..m.ncols())
            .map(|j| (0..m.nrows()).map(|i| m[(i, j)] * m[(i, j)]).sum::<f64>())
            .sum()
    };
    // Where all that is left of X is rounding, its directions mean nothing.
    let least = squares(&x) * f64::EPSILON * f64::EPSILON * x.ncols() as f64;
    for _ in 0..n_components {
        let Some(weights) = first_left_vector(product(x.transpose(), y))? else {
            break;
        };
        let scores = product(x.as_ref(), weights.as_ref());
        let square = squares(&scores);
        if square <= least {
            break;
        }
        let mut loadings = product(scores.transpose(), x.as_ref());
        for j in 0..loadings.ncols() {
            loadings[(0, j)] /= square;
        }
        let of_test = product(test.as_ref(), weights.as_ref());
        x -= product(scores.as_ref(), loadings.as_ref());
        test -= product(of_test.as_ref(), loadings.as_ref());
        train_scores.push(scores);
        test_scores.push(of_test);
    }
    let joined =
        |columns: &[Mat<f64>], n: usize| Mat::from_fn(n, columns.len(), |i, j| columns[j][(i, 0)]);
    Ok((
        joined(&train_scores, x.nrows()),
        joined(&test_scores, test.nrows()),
    ))
}

/// The first left singular vector as a column, by the eigenvectors of the smaller side; `None` for a matrix of zeros.
fn first_left_vector(matrix: Mat<f64>) -> Result<Option<Mat<f64>>> {
    let tall = matrix.nrows() > matrix.ncols();
    let square = match tall {
        true => product(matrix.transpose(), matrix.as_ref()),
        false => product(matrix.as_ref(), matrix.transpose()),
    };
    let spectrum = Spectrum::of(square.as_ref()).ok_or(NOT_CONVERGED)?;
    let last = spectrum.values.len() - 1;
    if spectrum.values[last] <= 0.0 {
        return Ok(None);
    }
    let vector = spectrum.vectors.subcols(last, 1);
    if !tall {
        return Ok(Some(vector.to_owned()));
    }
    let mut left = product(matrix.as_ref(), vector);
    let length = (0..left.nrows())
        .map(|i| left[(i, 0)] * left[(i, 0)])
        .sum::<f64>()
        .sqrt();
    for i in 0..left.nrows() {
        left[(i, 0)] /= length;
    }
    Ok((length > 0.0).then_some(left))
}
