//! Mahalanobis, crossnobis and Poisson divergences: Σ (lᵢ − lⱼ)ᵀ P (rᵢ − rⱼ) over one or more
//! pairs of matrices L and R.

use consilience_core::pairs;
use consilience_stats::gram::{Gram, gram, symmetric_product};
use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};
use ndarray::{Array2, ArrayView2, Axis, Zip};
use rayon::prelude::*;

use super::{patterns, vector};

/// Conditions whose products occupy several threads by themselves.
const MANY_CONDITIONS: usize = 256;

/// The two sides of a product of differences, `(n_conditions, n_channels)` each, and its weight in a
/// sum of several.
///
/// A constant pattern taken off all rows of a side changes no difference; taking off the mean
/// keeps digits.
pub(super) struct Form {
    left: Array2<f64>,
    /// None when it is the same as the left.
    right: Option<Array2<f64>>,
    weight: f64,
}

impl Form {
    /// Takes the mean pattern off either side.
    pub(super) fn of_two(left: Array2<f64>, right: Array2<f64>, weight: f64) -> Self {
        Self {
            left: centred(left),
            right: Some(centred(right)),
            weight,
        }
    }

    /// Takes the mean pattern off the only side.
    pub(super) fn of_one(side: Array2<f64>, weight: f64) -> Self {
        Self {
            left: centred(side),
            right: None,
            weight,
        }
    }

    fn right(&self) -> ArrayView2<'_, f64> {
        self.right.as_ref().unwrap_or(&self.left).view()
    }

    /// L·P·Rᵀ, made symmetric.
    fn products(&self, precision: Option<ArrayView2<'_, f64>>) -> Gram {
        let (n, n_channels) = self.left.dim();
        let right = self.right();
        let copy_right = |row, start, slot: &mut [f64]| copy_part(right, row, start, slot);
        let weighted = precision.map(|precision| product(self.left.view(), precision));
        if weighted.is_none() && self.right.is_none() {
            return gram::<f64>(n, n_channels, &copy_right);
        }
        let left = weighted.as_ref().unwrap_or(&self.left).view();
        symmetric_product::<f64>(
            n,
            n_channels,
            &|row, start, slot| copy_part(left, row, start, slot),
            &copy_right,
        )
    }
}

fn centred(mut side: Array2<f64>) -> Array2<f64> {
    let mean = patterns::channel_means(side.view());
    for mut row in side.rows_mut() {
        row -= &mean;
    }
    side
}

/// Two conditions, by index, that have no channel in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NothingInCommon(pub(super) usize, pub(super) usize);

/// Weighted sum over `n_forms` forms of (lᵢ − lⱼ)ᵀ P (rᵢ − rⱼ) / n_channels, for every pair of
/// conditions.
///
/// `precision(m)` is P of form m, none for the identity. Forms of many conditions are asked for one
/// at a time, so that only one is in memory; of few, one a thread. The values must be finite.
pub(super) fn distances<'p>(
    n_conditions: usize,
    n_forms: usize,
    form: impl Fn(usize) -> Form + Sync,
    precision: &(dyn Fn(usize) -> Option<ArrayView2<'p, f64>> + Sync),
) -> Vec<f64> {
    let at_once = if n_conditions < MANY_CONDITIONS {
        rayon::current_num_threads()
    } else {
        1
    };
    let mut sum = vec![0.0; pairs::n_pairs(n_conditions)];
    for first in (0..n_forms).step_by(at_once) {
        let batch: Vec<Vec<f64>> = (first..n_forms.min(first + at_once))
            .into_par_iter()
            .map(|m| {
                let form = form(m);
                let factor = form.weight / form.left.ncols() as f64;
                let gram = form.products(precision(m));
                vector::from_pairs(gram.n(), |i, j| {
                    factor * (gram.get(i, i) + gram.get(j, j) - 2.0 * gram.get(i, j))
                })
            })
            .collect();
        // In the order of the forms, however many were made at once.
        for part in batch {
            for (sum, value) in sum.iter_mut().zip(part) {
                *sum += value;
            }
        }
    }
    sum
}

/// The same over the channels that both conditions have in every form.
///
/// # Errors
///
/// The first pair without such a channel.
pub(super) fn distances_of_incomplete(
    n_forms: usize,
    form: impl Fn(usize) -> Form,
    precision: Option<&Array2<f64>>,
) -> Result<Vec<f64>, NothingInCommon> {
    let mut present = Array2::from_elem((0, 0), true);
    for m in 0..n_forms {
        let form = form(m);
        if m == 0 {
            present = Array2::from_elem(form.left.dim(), true);
        }
        Zip::from(&mut present)
            .and(&form.left)
            .and(form.right())
            .for_each(|seen, l, r| *seen &= !l.is_nan() && !r.is_nan());
    }
    let n = present.nrows();
    let mut sum = vec![0.0; pairs::n_pairs(n)];
    for m in 0..n_forms {
        let form = form(m);
        let (left, right) = (form.left.view(), form.right());
        let part = vector::try_from_pairs(n, |i, j| {
            let common: Vec<usize> = (0..present.ncols())
                .filter(|&k| present[[i, k]] && present[[j, k]])
                .collect();
            if common.is_empty() {
                return Err(NothingInCommon(i, j));
            }
            let difference = |side: ArrayView2<'_, f64>, k: usize| side[[i, k]] - side[[j, k]];
            let weighted = |k: usize| match precision {
                Some(precision) => common
                    .iter()
                    .map(|&l| precision[[k, l]] * difference(right, l))
                    .sum(),
                None => difference(right, k),
            };
            let total: f64 = common
                .iter()
                .map(|&k| difference(left, k) * weighted(k))
                .sum();
            Ok(form.weight * total / common.len() as f64)
        })?;
        for (total, value) in sum.iter_mut().zip(part) {
            *total += value;
        }
    }
    Ok(sum)
}

fn copy_part(x: ArrayView2<'_, f64>, row: usize, start: usize, slot: &mut [f64]) {
    for (slot, value) in slot.iter_mut().zip(x.row(row).iter().skip(start)) {
        *slot = *value;
    }
}

/// A·B, a fixed number of rows at a time.
pub(super) fn product(a: ArrayView2<'_, f64>, b: ArrayView2<'_, f64>) -> Array2<f64> {
    const ROWS: usize = 64;
    let (a, b) = (a.as_standard_layout(), b.as_standard_layout());
    let b = MatRef::from_row_major_slice(
        b.as_slice().expect("standard layout is contiguous"),
        b.nrows(),
        b.ncols(),
    );
    let mut c = Array2::zeros((a.nrows(), b.ncols()));
    c.axis_chunks_iter_mut(Axis(0), ROWS)
        .into_par_iter()
        .zip(a.axis_chunks_iter(Axis(0), ROWS))
        .for_each(|(mut c, a)| {
            let (n_rows, n_columns) = c.dim();
            let c = c
                .as_slice_mut()
                .expect("rows of a new matrix are contiguous");
            let a_slice = a
                .as_slice()
                .expect("rows in standard layout are contiguous");
            matmul(
                MatMut::from_row_major_slice_mut(c, n_rows, n_columns),
                Accum::Replace,
                MatRef::from_row_major_slice(a_slice, n_rows, a.ncols()),
                b,
                1.0,
                Par::Seq,
            );
        });
    c
}
