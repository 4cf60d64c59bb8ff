//! Patterns as they come in: storage types, missing values, repetitions.

use consilience_stats::Real;
use ndarray::{Array1, Array2, ArrayView2, ArrayViewMut1, Axis};
use rayon::prelude::*;

use crate::{MethodsError, NanPolicy, PatternId, Result};

/// Response patterns in the width they are stored in.
///
/// # Shapes
///
/// `(n_rows, n_channels)`: a row is a stimulus, a trial or a condition; a channel is a unit,
/// voxel or sensor.
#[derive(Debug, Clone, Copy)]
pub enum Patterns<'a> {
    /// Single precision.
    F32(ArrayView2<'a, f32>),
    /// Double precision.
    F64(ArrayView2<'a, f64>),
}

impl<'a> From<ArrayView2<'a, f32>> for Patterns<'a> {
    fn from(patterns: ArrayView2<'a, f32>) -> Self {
        Self::F32(patterns)
    }
}

impl<'a> From<ArrayView2<'a, f64>> for Patterns<'a> {
    fn from(patterns: ArrayView2<'a, f64>) -> Self {
        Self::F64(patterns)
    }
}

/// Number of NaNs.
///
/// # Errors
///
/// [`MethodsError::NonFinite`] at the first infinity, or the first NaN when they are refused.
pub(super) fn count_missing<T: Real>(x: ArrayView2<'_, T>, policy: NanPolicy) -> Result<usize> {
    let counts: Vec<Result<usize>> = x
        .axis_iter(Axis(0))
        .into_par_iter()
        .enumerate()
        .map(|(row, values)| {
            // The common case in a form that vectorises.
            if values
                .iter()
                .fold(true, |all, v| all & v.to_f64().is_finite())
            {
                return Ok(0);
            }
            let mut n_missing = 0;
            for (column, value) in values.iter().map(|v| v.to_f64()).enumerate() {
                match policy {
                    NanPolicy::Omit if value.is_nan() => n_missing += 1,
                    _ if value.is_finite() => {}
                    _ => {
                        return Err(MethodsError::NonFinite {
                            what: "the pattern matrix",
                            row,
                            column,
                            value,
                            cure: if value.is_nan() {
                                "fill missing values, or ask for them to be omitted"
                            } else {
                                "find out where the infinity comes from and replace it"
                            },
                        });
                    }
                }
            }
            Ok(n_missing)
        })
        .collect();
    counts.into_iter().sum()
}

/// Channels that hold a value in at least one row.
pub(super) fn present_channels<T: Real>(x: ArrayView2<'_, T>) -> Vec<usize> {
    let mut present = vec![false; x.ncols()];
    for row in x.rows() {
        for (seen, value) in present.iter_mut().zip(row) {
            *seen |= !value.to_f64().is_nan();
        }
    }
    (0..present.len()).filter(|&k| present[k]).collect()
}

/// Which rows belong to which condition.
#[derive(Debug, Clone)]
pub(super) struct Conditions {
    /// Labels in ascending order; row numbers when no labels were given.
    pub(super) labels: Vec<i64>,
    /// Rows of each condition, ascending.
    pub(super) rows: Vec<Vec<usize>>,
    /// Whether the labels were given.
    pub(super) labelled: bool,
}

impl Conditions {
    pub(super) fn new(n_rows: usize, labels: Option<&[i64]>) -> Self {
        let Some(labels) = labels else {
            return Self {
                labels: (0..).take(n_rows).collect(),
                rows: (0..n_rows).map(|row| vec![row]).collect(),
                labelled: false,
            };
        };
        let mut order: Vec<usize> = (0..labels.len()).collect();
        order.sort_by_key(|&row| labels[row]);
        let rows: Vec<Vec<usize>> = order
            .chunk_by(|&a, &b| labels[a] == labels[b])
            .map(<[usize]>::to_vec)
            .collect();
        Self {
            labels: rows.iter().map(|rows| labels[rows[0]]).collect(),
            rows,
            labelled: true,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.labels.len()
    }

    /// How a message names condition `idx`.
    pub(super) fn pattern_id(&self, idx: usize) -> PatternId {
        if self.labelled {
            PatternId::Condition {
                label: self.labels[idx],
                first_row: self.rows[idx][0],
            }
        } else {
            PatternId::Row(idx)
        }
    }
}

/// Means over groups of rows, `(n_groups, n_channels)`.
///
/// A NaN is left out of its mean; a channel without any value stays NaN.
pub(super) fn means<T: Real>(x: ArrayView2<'_, T>, groups: &[Vec<usize>]) -> Array2<f64> {
    let mut means = Array2::zeros((groups.len(), x.ncols()));
    means
        .axis_iter_mut(Axis(0))
        .into_par_iter()
        .zip(groups)
        .for_each(|(mean, rows)| mean_of_rows(x, rows.iter().copied(), mean));
    means
}

/// Mean over all rows, NaN left out; NaN where a channel has no value.
pub(super) fn channel_means<T: Real>(x: ArrayView2<'_, T>) -> Array1<f64> {
    const CHUNK: usize = 1024;
    let mut means = Array1::zeros(x.ncols());
    means
        .axis_chunks_iter_mut(Axis(0), CHUNK)
        .into_par_iter()
        .zip(x.axis_chunks_iter(Axis(1), CHUNK).into_par_iter())
        .for_each(|(means, x)| mean_of_rows(x, 0..x.nrows(), means));
    means
}

fn mean_of_rows<T: Real>(
    x: ArrayView2<'_, T>,
    rows: impl Iterator<Item = usize>,
    mut mean: ArrayViewMut1<'_, f64>,
) {
    let mut counts = vec![0.0_f64; mean.len()];
    for row in rows {
        for ((sum, count), value) in mean.iter_mut().zip(&mut counts).zip(x.row(row)) {
            let value = value.to_f64();
            let present = !value.is_nan();
            *sum += if present { value } else { 0.0 };
            *count += if present { 1.0 } else { 0.0 };
        }
    }
    for (sum, count) in mean.iter_mut().zip(counts) {
        *sum /= count;
    }
}
