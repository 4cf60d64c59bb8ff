//! The design matrix and the factorisations of its training sets.

use faer::diag::Diag;
use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::matmul::matmul;
use faer::linalg::svd::{ComputeSvdVectors, svd, svd_scratch};
use faer::{Accum, Mat, Par};
use ndarray::{Array2, ArrayView2, Axis};
use rayon::prelude::*;

use super::RidgeError;
use crate::Real;
use crate::dense::Spectrum;
use crate::gram::gram;

/// From which products a training set is factorised; both give the same predictions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Singular values of the rows themselves: cheaper where rows are at least as many as columns.
    Primal,
    /// Eigenvalues of the products of rows: cheaper where columns are more.
    Dual,
}

impl Side {
    /// The cheaper side for training sets of `n_train` rows and designs of `n_columns`.
    #[must_use]
    pub fn of(n_train: usize, n_columns: usize) -> Self {
        if n_columns <= n_train {
            Self::Primal
        } else {
            Self::Dual
        }
    }
}

/// A design matrix, ready for the factorisation of any of its training sets.
#[derive(Debug, Clone)]
pub struct Design {
    n_columns: usize,
    centred: bool,
    form: Form,
}

#[derive(Debug, Clone)]
enum Form {
    /// The rows less the means of all rows.
    Rows(Array2<f64>),
    /// Their products.
    Products(Mat<f64>),
}

impl Design {
    /// Takes a design of finite values, `(n_rows, n_columns)`; `intercept` centres the columns of every
    /// training set.
    ///
    /// Memory: a copy in `f64` on the primal side, n_rows² values on the dual side.
    ///
    /// # Errors
    ///
    /// [`RidgeError::OutOfRange`].
    pub fn new<T: Real>(
        x: ArrayView2<'_, T>,
        intercept: bool,
        side: Side,
    ) -> Result<Self, RidgeError> {
        let (n_rows, n_columns) = x.dim();
        // Centred at all rows first, so that centring a training set takes away little.
        let mut means = vec![0.0; n_columns];
        if intercept {
            for row in x.rows() {
                for (mean, value) in means.iter_mut().zip(row) {
                    *mean += value.to_f64() / n_rows as f64;
                }
            }
        }
        let form = match side {
            Side::Primal => {
                let mut rows = Array2::zeros((n_rows, n_columns));
                for (mut slot, row) in rows.rows_mut().into_iter().zip(x.rows()) {
                    for ((slot, value), mean) in slot.iter_mut().zip(row).zip(&means) {
                        *slot = value.to_f64() - mean;
                    }
                }
                Form::Rows(rows)
            }
            Side::Dual => {
                let products = gram::<f64>(n_rows, n_columns, &|row, first, slot| {
                    let row = x.row(row);
                    for (at, slot) in slot.iter_mut().enumerate() {
                        *slot = row[first + at].to_f64() - means[first + at];
                    }
                });
                Form::Products(Mat::from_fn(n_rows, n_rows, |i, j| products.get(i, j)))
            }
        };
        Self {
            n_columns,
            centred: intercept,
            form,
        }
        .checked()
    }

    /// A design of which only the products of its rows are known, a symmetric matrix.
    ///
    /// # Errors
    ///
    /// [`RidgeError::OutOfRange`].
    ///
    /// # Panics
    ///
    /// When the matrix is not square.
    pub fn from_products(
        products: ArrayView2<'_, f64>,
        n_columns: usize,
        intercept: bool,
    ) -> Result<Self, RidgeError> {
        let n_rows = products.nrows();
        assert_eq!(n_rows, products.ncols(), "products of rows are square");
        Self {
            n_columns,
            centred: intercept,
            form: Form::Products(Mat::from_fn(n_rows, n_rows, |i, j| products[[i, j]])),
        }
        .checked()
    }

    fn checked(self) -> Result<Self, RidgeError> {
        let in_range = match &self.form {
            // Squares of singular values are needed too.
            Form::Rows(rows) => rows
                .axis_iter(Axis(0))
                .all(|row| row.iter().map(|v| v * v).sum::<f64>().is_finite()),
            Form::Products(products) => {
                let trace: f64 = (0..products.nrows()).map(|i| products[(i, i)]).sum();
                trace.is_finite()
            }
        };
        if in_range {
            Ok(self)
        } else {
            Err(RidgeError::OutOfRange)
        }
    }

    /// Which side the design was made for.
    #[must_use]
    pub fn side(&self) -> Side {
        match self.form {
            Form::Rows(_) => Side::Primal,
            Form::Products(_) => Side::Dual,
        }
    }

    /// Columns of the design.
    #[must_use]
    pub fn n_columns(&self) -> usize {
        self.n_columns
    }

    /// Whether training sets are centred.
    #[must_use]
    pub fn has_intercept(&self) -> bool {
        self.centred
    }

    /// Factorises the training set of the given rows.
    ///
    /// # Errors
    ///
    /// [`RidgeError::NotConverged`].
    pub fn factor(&self, train: &[usize]) -> Result<Factor, RidgeError> {
        match &self.form {
            Form::Rows(rows) => primal(rows, train, self.centred),
            Form::Products(products) => dual(products, train, self.centred),
        }
    }

    /// Factorises several training sets at once.
    ///
    /// # Errors
    ///
    /// [`RidgeError::NotConverged`].
    pub fn factors(&self, trains: &[Vec<usize>]) -> Result<Vec<Factor>, RidgeError> {
        trains.par_iter().map(|train| self.factor(train)).collect()
    }

    /// Products of rows with those of a training set, both centred at the training set: (n_rows, n_train).
    pub(super) fn centred_products(&self, train: &[usize], rows: &[usize]) -> Mat<f64> {
        let Form::Products(k) = &self.form else {
            panic!("the primal side has no products");
        };
        if !self.centred {
            return self.products_less(train, rows, &[], 0.0);
        }
        let n = train.len();
        let (means, mean) = means_of(&Mat::from_fn(n, n, |i, j| k[(train[i], train[j])]));
        self.products_less(train, rows, &means, mean)
    }

    /// The same from the means over the training set.
    fn products_less(&self, train: &[usize], rows: &[usize], means: &[f64], mean: f64) -> Mat<f64> {
        let Form::Products(k) = &self.form else {
            unreachable!("only the dual side asks");
        };
        let mut products = Mat::from_fn(rows.len(), train.len(), |i, j| k[(rows[i], train[j])]);
        if self.centred {
            for i in 0..rows.len() {
                let own = products.row(i).iter().sum::<f64>() / train.len() as f64;
                for j in 0..train.len() {
                    products[(i, j)] += mean - own - means[j];
                }
            }
        }
        products
    }

    /// Coordinates of rows along the directions of a factor, X·V: (n_rows, rank).
    pub(super) fn scores(&self, factor: &Factor, rows: &[usize]) -> Mat<f64> {
        let mut scores = Mat::zeros(rows.len(), factor.values.len());
        match (&self.form, &factor.map) {
            (Form::Rows(x), Map::Directions { vectors, means }) => {
                let centred =
                    Mat::from_fn(rows.len(), x.ncols(), |i, j| x[[rows[i], j]] - means[j]);
                matmul(
                    scores.as_mut(),
                    Accum::Replace,
                    centred.as_ref(),
                    vectors.as_ref(),
                    1.0,
                    Par::Seq,
                );
            }
            (Form::Products(_), Map::Training { means, mean }) => {
                let products = self.products_less(&factor.train, rows, means, *mean);
                matmul(
                    scores.as_mut(),
                    Accum::Replace,
                    products.as_ref(),
                    factor.vectors.as_ref(),
                    1.0,
                    Par::Seq,
                );
                for (j, value) in factor.values.iter().enumerate() {
                    for i in 0..rows.len() {
                        scores[(i, j)] /= value;
                    }
                }
            }
            _ => unreachable!("a factor belongs to the design that made it"),
        }
        scores
    }
}

/// Means of the columns of a symmetric matrix, and the mean of these.
fn means_of(square: &Mat<f64>) -> (Vec<f64>, f64) {
    let n = square.nrows() as f64;
    let means: Vec<f64> = (0..square.ncols())
        .map(|j| square.col(j).iter().sum::<f64>() / n)
        .collect();
    let mean = means.iter().sum::<f64>() / n;
    (means, mean)
}

/// The factorisation of a training set, X = U·S·Vᵀ.
#[derive(Debug, Clone)]
pub struct Factor {
    pub(super) train: Vec<usize>,
    /// Positive singular values.
    pub(super) values: Vec<f64>,
    /// U, (n_train, rank).
    pub(super) vectors: Mat<f64>,
    map: Map,
}

/// How rows get their coordinates.
#[derive(Debug, Clone)]
enum Map {
    Directions {
        /// V, (n_columns, rank).
        vectors: Mat<f64>,
        /// Means of the columns over the training set.
        means: Vec<f64>,
    },
    Training {
        /// Means of the products over the training set, by row of it.
        means: Vec<f64>,
        mean: f64,
    },
}

impl Factor {
    /// Independent directions of the training set.
    #[must_use]
    pub fn rank(&self) -> usize {
        self.values.len()
    }
}

fn primal(x: &Array2<f64>, train: &[usize], centred: bool) -> Result<Factor, RidgeError> {
    let (n, p) = (train.len(), x.ncols());
    let mut means = vec![0.0; p];
    if centred {
        for &row in train {
            for (mean, value) in means.iter_mut().zip(x.row(row)) {
                *mean += value / n as f64;
            }
        }
    }
    let rows = Mat::from_fn(n, p, |i, j| x[[train[i], j]] - means[j]);
    let size = n.min(p);
    let mut values = Diag::<f64>::zeros(size);
    let mut left = Mat::<f64>::zeros(n, size);
    let mut right = Mat::<f64>::zeros(p, size);
    let thin = ComputeSvdVectors::Thin;
    let scratch = svd_scratch::<f64>(n, p, thin, thin, Par::Seq, Default::default());
    svd(
        rows.as_ref(),
        values.as_mut(),
        Some(left.as_mut()),
        Some(right.as_mut()),
        Par::Seq,
        MemStack::new(&mut MemBuffer::new(scratch)),
        Default::default(),
    )
    .map_err(|_| RidgeError::NotConverged)?;
    let values: Vec<f64> = values.column_vector().iter().copied().collect();
    // Smaller ones are rounding of 0: singular values come largest first.
    let largest = values.first().copied().unwrap_or(0.0);
    let rounding = largest * n.max(p) as f64 * f64::EPSILON;
    let rank = values.iter().take_while(|&&value| value > rounding).count();
    Ok(Factor {
        train: train.to_vec(),
        values: values[..rank].to_vec(),
        vectors: left.subcols(0, rank).to_owned(),
        map: Map::Directions {
            vectors: right.subcols(0, rank).to_owned(),
            means,
        },
    })
}

fn dual(products: &Mat<f64>, train: &[usize], centred: bool) -> Result<Factor, RidgeError> {
    let n = train.len();
    let mut kernel = Mat::from_fn(n, n, |i, j| products[(train[i], train[j])]);
    let (mut means, mut mean) = (Vec::new(), 0.0);
    if centred {
        (means, mean) = means_of(&kernel);
        for j in 0..n {
            for i in 0..n {
                kernel[(i, j)] += mean - means[i] - means[j];
            }
        }
    }
    let Spectrum { values, vectors } =
        Spectrum::of(kernel.as_ref()).ok_or(RidgeError::NotConverged)?;
    // Smaller ones are rounding of 0: eigenvalues come largest last.
    let largest = values.last().copied().unwrap_or(0.0).max(0.0);
    let rounding = largest * n as f64 * f64::EPSILON;
    let rank = values.iter().rev().take_while(|&&v| v > rounding).count();
    Ok(Factor {
        train: train.to_vec(),
        values: values[n - rank..].iter().map(|v| v.sqrt()).collect(),
        vectors: vectors.subcols(n - rank, rank).to_owned(),
        map: Map::Training { means, mean },
    })
}
