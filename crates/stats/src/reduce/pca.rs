//! Principal components of tall or wide data, fitted column by column.

use std::ops::Range;

use faer::linalg::matmul::matmul;
use faer::{Accum, Mat, MatMut, MatRef, Par};
use ndarray::{Array1, Array2, ArrayView2, Axis};

use super::ReduceError;
use crate::dense::Spectrum;

/// Largest smaller side of the data: the matrix and its eigenvectors then take 0.8 GB.
const LIMIT: usize = 6000;
/// Values of the data that are in memory at once.
const CHUNK_VALUES: usize = 1 << 22;
/// Columns that are multiplied before their sum is widened.
const BLOCK: usize = 256;

/// Principal components.
///
/// # Shapes
///
/// `mean` (n_features), `components` (n_components, n_features), the others (n_components).
///
/// # Definition
///
/// With the rows centred at their mean, X = U·S·Vᵀ; the components are the first rows of Vᵀ, each
/// with the sign that makes its largest weight (by absolute value, the first of equals) positive.
/// The explained variance of component i is S_i² ÷ (n − 1), its ratio that ÷ the total variance. A
/// row x becomes (x − mean)·V. A component without variance is zero.
///
/// # Peers
///
/// scikit-learn `PCA`: equal but for rounding, signs included.
#[derive(Debug, Clone, PartialEq)]
pub struct Pca {
    /// Mean of each feature.
    pub mean: Array1<f64>,
    /// Orthonormal rows, the first with the most variance.
    pub components: Array2<f32>,
    /// Variance along each component.
    pub explained_variance: Vec<f64>,
    /// The same as a share of the total variance.
    pub explained_variance_ratio: Vec<f64>,
}

impl Pca {
    /// Fits to data of which `columns` gives all rows of a range of columns; it is asked for the whole
    /// width twice.
    ///
    /// When there are fewer rows than features, the eigenvectors are those of the rows' products, so
    /// the memory is n² and a few columns; else those of the features' products, and the data are
    /// held as a whole.
    ///
    /// # Errors
    ///
    /// [`ReduceError`] by the shape or by equal rows, and the error of `columns`.
    pub fn fit<E: From<ReduceError>>(
        (n_rows, n_features): (usize, usize),
        n_components: usize,
        mut columns: impl FnMut(Range<usize>) -> Result<Array2<f32>, E>,
    ) -> Result<Self, E> {
        check(n_rows, n_features, n_components)?;
        let is_wide = n_rows < n_features;
        let width = match is_wide {
            true => (CHUNK_VALUES / n_rows).clamp(1, n_features),
            false => n_features,
        };
        let chunks: Vec<Range<usize>> = (0..n_features)
            .step_by(width)
            .map(|first| first..(first + width).min(n_features))
            .collect();
        let mut mean = Array1::zeros(n_features);
        let n_small = n_rows.min(n_features);
        let mut products = Mat::<f64>::zeros(n_small, n_small);
        for chunk in &chunks {
            let data = columns(chunk.clone())?;
            let centred = centre(&data, chunk, &mut mean);
            let (left, right) = match is_wide {
                true => (centred.as_ref(), centred.transpose()),
                false => (centred.transpose(), centred.as_ref()),
            };
            matmul(products.as_mut(), Accum::Add, left, right, 1.0, Par::Seq);
        }
        let total: f64 = (0..n_small).map(|i| products[(i, i)]).sum();
        if total <= 0.0 {
            return Err(ReduceError::NoVariance.into());
        }
        let (values, vectors) = largest(&products, n_components)?;
        drop(products);
        let mut components = Array2::<f64>::zeros((n_components, n_features));
        if is_wide {
            for chunk in &chunks {
                let data = columns(chunk.clone())?;
                let centred = centre(&data, chunk, &mut mean);
                let mut part = Mat::<f64>::zeros(n_components, chunk.len());
                matmul(
                    part.as_mut(),
                    Accum::Replace,
                    vectors.transpose(),
                    centred.as_ref(),
                    1.0,
                    Par::Seq,
                );
                for component in 0..n_components {
                    for (at, column) in chunk.clone().enumerate() {
                        components[[component, column]] = part[(component, at)];
                    }
                }
            }
        } else {
            for component in 0..n_components {
                for column in 0..n_features {
                    components[[component, column]] = vectors[(column, component)];
                }
            }
        }
        for mut component in components.rows_mut() {
            orient(component.as_slice_mut().expect("rows are contiguous"));
        }
        let ratio = |value: &f64| value / total;
        #[allow(
            clippy::cast_possible_truncation,
            reason = "weights are stored in 32 bits"
        )]
        let components = components.mapv(|weight| weight as f32);
        Ok(Self {
            mean,
            components,
            explained_variance: values.iter().map(|v| v / (n_rows as f64 - 1.0)).collect(),
            explained_variance_ratio: values.iter().map(ratio).collect(),
        })
    }

    /// Scores of rows, `(n, n_features)` → `(n, n_components)`.
    ///
    /// # Panics
    ///
    /// When the rows have another number of features.
    #[must_use]
    pub fn transform(&self, rows: ArrayView2<'_, f32>) -> Array2<f32> {
        let (n, n_features) = rows.dim();
        let n_components = self.components.nrows();
        assert_eq!(n_features, self.mean.len(), "one fit, one width");
        let weights = self.components.as_slice().expect("just as it was fitted");
        let weights = MatRef::from_row_major_slice(weights, n_components, n_features);
        let mut sums = Array2::<f64>::zeros((n, n_components));
        let mut block = vec![0.0_f32; n * n_components];
        for first in (0..n_features).step_by(BLOCK) {
            let width = BLOCK.min(n_features - first);
            #[allow(clippy::cast_possible_truncation, reason = "activations are f32")]
            let centred = Mat::from_fn(n, width, |row, at| {
                (f64::from(rows[[row, first + at]]) - self.mean[first + at]) as f32
            });
            matmul(
                MatMut::from_row_major_slice_mut(&mut block, n, n_components),
                Accum::Replace,
                centred.as_ref(),
                weights.get(.., first..first + width).transpose(),
                1.0,
                Par::Seq,
            );
            for (sum, product) in sums.iter_mut().zip(&block) {
                *sum += f64::from(*product);
            }
        }
        #[allow(clippy::cast_possible_truncation, reason = "activations are f32")]
        sums.mapv(|sum| sum as f32)
    }
}

fn check(n_rows: usize, n_features: usize, n_components: usize) -> Result<(), ReduceError> {
    if n_components == 0 || n_components > n_features {
        return Err(ReduceError::Components {
            n_components,
            n_features,
        });
    }
    if n_components >= n_rows {
        return Err(ReduceError::TooFewRows {
            n_rows,
            n_components,
        });
    }
    if n_rows.min(n_features) > LIMIT {
        return Err(ReduceError::TooLarge {
            n_rows,
            n_features,
            limit: LIMIT,
        });
    }
    Ok(())
}

/// The columns less their means, which are stored.
fn centre(data: &Array2<f32>, chunk: &Range<usize>, mean: &mut Array1<f64>) -> Mat<f64> {
    let n_rows = data.nrows() as f64;
    for (at, column) in data.axis_iter(Axis(1)).enumerate() {
        let sum: f64 = column.iter().map(|value| f64::from(*value)).sum();
        mean[chunk.start + at] = sum / n_rows;
    }
    Mat::from_fn(data.nrows(), data.ncols(), |row, at| {
        f64::from(data[[row, at]]) - mean[chunk.start + at]
    })
}

/// The `n` largest eigenvalues, descending, and what gives unit components: eigenvectors, which for the
/// products of rows are still to be multiplied with the data, and therefore divided by the roots.
fn largest(products: &Mat<f64>, n: usize) -> Result<(Vec<f64>, Mat<f64>), ReduceError> {
    let size = products.nrows();
    let Spectrum { values, vectors } =
        Spectrum::of(products.as_ref()).ok_or(ReduceError::NotConverged)?;
    // What is smaller is rounding of 0, and its direction would be noise.
    let rounding = values[size - 1] * size as f64 * f64::EPSILON;
    let real = |value: f64| if value > rounding { value } else { 0.0 };
    let chosen: Vec<f64> = values.iter().rev().take(n).map(|v| real(*v)).collect();
    let vectors = Mat::from_fn(size, n, |row, k| match chosen[k] {
        0.0 => 0.0,
        _ => vectors[(row, size - 1 - k)],
    });
    Ok((chosen, vectors))
}

/// Gives the component unit length and the sign that makes its largest weight positive.
fn orient(component: &mut [f64]) {
    let largest = component.iter().fold(
        0.0_f64,
        |most, w| if w.abs() > most.abs() { *w } else { most },
    );
    let length = component.iter().map(|w| w * w).sum::<f64>().sqrt();
    if length > 0.0 {
        let scale = largest.signum() / length;
        component.iter_mut().for_each(|weight| *weight *= scale);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Domain, Stream};
    use ndarray::s;
    use proptest::prelude::*;

    fn fit(data: &Array2<f32>, k: usize) -> Result<Pca, ReduceError> {
        Pca::fit(data.dim(), k, |columns| {
            Ok(data.slice(s![.., columns]).to_owned())
        })
    }

    fn normals(n: usize, p: usize, seed: u64) -> Array2<f32> {
        let mut random = Stream::new(seed, Domain::Simulation, 0);
        // Columns of different spread, so that the components are well apart.
        Array2::from_shape_fn((n, p), |(_, j)| {
            (random.normal() * (1.0 + j as f64).powf(-0.7) + 0.3) as f32
        })
    }

    /// Component by component by power iteration on the covariance, each time taking out what was found.
    fn reference(data: &Array2<f32>, k: usize) -> (Vec<f64>, Array2<f64>) {
        let x = data.mapv(f64::from);
        let mean = x.mean_axis(Axis(0)).unwrap();
        let x = &x - &mean;
        let mut covariance = x.t().dot(&x) / (data.nrows() as f64 - 1.0);
        let mut values = Vec::new();
        let mut components = Array2::zeros((k, data.ncols()));
        for i in 0..k {
            let mut v = Array1::from_shape_fn(data.ncols(), |j| 1.0 + (j as f64 * 0.7).sin());
            for _ in 0..3000 {
                v = covariance.dot(&v);
                v /= v.dot(&v).sqrt();
            }
            let value = v.dot(&covariance.dot(&v));
            let outer = v
                .view()
                .insert_axis(Axis(1))
                .dot(&v.view().insert_axis(Axis(0)));
            covariance = covariance - outer * value;
            let mut v = v.to_vec();
            orient(&mut v);
            components.row_mut(i).assign(&Array1::from(v));
            values.push(value);
        }
        (values, components)
    }

    #[test]
    fn tall_and_wide_data_give_what_power_iteration_gives() {
        for (n, p) in [(40, 8), (9, 30)] {
            let data = normals(n, p, 4);
            let pca = fit(&data, 3).unwrap();
            let (values, components) = reference(&data, 3);
            for (i, value) in values.iter().enumerate() {
                assert!((pca.explained_variance[i] / value - 1.0).abs() < 1e-6);
                for (a, b) in pca.components.row(i).iter().zip(components.row(i)) {
                    assert!((f64::from(*a) - b).abs() < 1e-4, "{a} and {b}");
                }
            }
            let scores = pca.transform(data.view());
            for (i, value) in values.iter().enumerate() {
                let column = scores.column(i).mapv(f64::from);
                let variance = column.dot(&column) / (n as f64 - 1.0);
                assert!((variance / value - 1.0).abs() < 1e-5);
            }
        }
    }

    #[test]
    fn what_cannot_be_fitted_is_refused() {
        let data = normals(5, 4, 1);
        for (k, expected) in [(0, "from 1 to 4"), (5, "from 1 to 4")] {
            assert!(fit(&data, k).unwrap_err().to_string().contains(expected));
        }
        let few = normals(3, 9, 1);
        assert_eq!(
            fit(&few, 3),
            Err(ReduceError::TooFewRows {
                n_rows: 3,
                n_components: 3
            })
        );
        assert_eq!(fit(&Array2::ones((4, 3)), 1), Err(ReduceError::NoVariance));
        let never =
            |_| -> Result<Array2<f32>, ReduceError> { unreachable!("the shape is refused") };
        assert!(Pca::fit((7000, 7000), 2, never).is_err());
    }

    #[test]
    fn a_component_without_variance_is_zero() {
        let thin = normals(6, 2, 3);
        let data = Array2::from_shape_fn((6, 9), |(i, j)| thin[[i, j % 2]]);
        let pca = fit(&data, 4).unwrap();
        assert!(pca.explained_variance[1] > 0.0);
        assert_eq!(pca.explained_variance[2..], [0.0, 0.0]);
        assert!(pca.components.slice(s![2.., ..]).iter().all(|w| *w == 0.0));
    }

    proptest! {
        #[test]
        fn components_are_orthonormal_and_all_of_them_keep_distances(
            n in 3_usize..12, p in 2_usize..12, seed in 0_u64..1000,
        ) {
            let data = normals(n, p, seed);
            let k = p.min(n - 1);
            let pca = fit(&data, k).unwrap();
            let products = pca.components.dot(&pca.components.t());
            for ((i, j), found) in products.indexed_iter() {
                let expected = if i == j { 1.0 } else { 0.0 };
                prop_assert!((found - expected).abs() < 1e-4);
            }
            prop_assert!((pca.explained_variance_ratio.iter().sum::<f64>() - 1.0).abs() < 1e-9);
            let scores = pca.transform(data.view());
            let distance = |x: &Array2<f32>| (&x.row(0) - &x.row(1)).mapv(|d| d * d).sum();
            prop_assert!((distance(&scores) - distance(&data)).abs() < 1e-3 * (1.0 + distance(&data)));
        }
    }
}
