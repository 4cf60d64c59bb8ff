//! Correlation, Spearman, cosine and Euclidean dissimilarities.
//!
//! All of them are squared distances of rows that were shifted and scaled first, z = (x − shift)·scale:
//! with centred rows of length one, 1 − r = ½‖zᵢ − zⱼ‖², and likewise for the cosine without
//! centring. The distances come from one matrix product, ‖zᵢ‖² + ‖zⱼ‖² − 2·zᵢ·zⱼ, which loses digits where two
//! rows nearly coincide; those pairs are computed again from their differences, in `f64`.

use consilience_stats::gram::gram;
use consilience_stats::{Real, rank};
use ndarray::{Array1, Array2, ArrayView1, ArrayView2, Axis};
use rayon::prelude::*;

use super::{Dissimilarity, patterns, vector};

/// A measure of this module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Geometry {
    Correlation,
    Spearman,
    Cosine,
    /// With or without the root, with or without a division by channels.
    Euclidean {
        root: bool,
        per_channel: bool,
    },
}

/// Why a pattern has no dissimilarity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Undefined {
    Constant,
    Zero,
    OutOfRange,
    /// No channel is left.
    Empty,
}

impl Geometry {
    /// The geometry behind a dissimilarity, if it has one.
    pub(super) fn of(dissimilarity: Dissimilarity, per_channel: bool) -> Option<Self> {
        match dissimilarity {
            Dissimilarity::Correlation => Some(Self::Correlation),
            Dissimilarity::Spearman => Some(Self::Spearman),
            Dissimilarity::Cosine => Some(Self::Cosine),
            Dissimilarity::Euclidean => Some(Self::Euclidean {
                root: true,
                per_channel,
            }),
            Dissimilarity::Sqeuclidean => Some(Self::Euclidean {
                root: false,
                per_channel,
            }),
            Dissimilarity::Mahalanobis
            | Dissimilarity::Crossnobis
            | Dissimilarity::PoissonKl
            | Dissimilarity::PoissonKlCv => None,
        }
    }

    /// RDM vector of patterns without missing values.
    ///
    /// # Errors
    ///
    /// The first row without a dissimilarity, and why.
    pub(super) fn rdm<T: Real>(self, x: ArrayView2<'_, T>) -> Result<Vec<f64>, (usize, Undefined)> {
        let (n, n_channels) = x.dim();
        let x = x.as_standard_layout();
        let x = x.view();
        match self {
            Self::Correlation | Self::Cosine => {
                let z = Rows::of_unit_length(x, self == Self::Correlation)?;
                Ok(z.half_squared_distances())
            }
            Self::Spearman => {
                let ranks = rank_rows(x);
                let z = Rows::of_unit_length(ranks.view(), true)?;
                Ok(z.half_squared_distances())
            }
            Self::Euclidean { root, per_channel } => {
                let Some((z, unit)) = Rows::around_the_mean(x) else {
                    return Ok(vec![0.0; n * (n - 1) / 2]);
                };
                let divisor = if per_channel { n_channels as f64 } else { 1.0 };
                let mut distances = z.half_squared_distances();
                for d in &mut distances {
                    let squared = 2.0 * *d / divisor;
                    *d = if root {
                        unit * squared.sqrt()
                    } else {
                        unit * (unit * squared)
                    };
                }
                Ok(distances)
            }
        }
    }

    /// Dissimilarity of two patterns without missing values.
    pub(super) fn of_pair(self, x: &[f64], y: &[f64]) -> Result<f64, Undefined> {
        let pair = [x, y].concat();
        let pair = ArrayView2::from_shape((2, x.len()), &pair)
            .expect("two rows of one length make a matrix");
        if x.is_empty() {
            return Err(Undefined::Empty);
        }
        match self.rdm(pair) {
            Ok(vector) => Ok(vector[0]),
            Err((_, why)) => Err(why),
        }
    }
}

/// Ranks within each row.
fn rank_rows<T: Real>(x: ArrayView2<'_, T>) -> Array2<T> {
    let mut ranks = Array2::from_elem(x.dim(), T::from_f64(0.0));
    ranks
        .axis_iter_mut(Axis(0))
        .into_par_iter()
        .zip(x.axis_iter(Axis(0)))
        .for_each(|(mut ranks, row)| {
            for (slot, rank) in ranks.iter_mut().zip(rank::average_ranks(contiguous(row))) {
                *slot = T::from_f64(rank);
            }
        });
    ranks
}

/// Rows that are shifted and scaled as they are read.
struct Rows<'a, T> {
    x: ArrayView2<'a, T>,
    shift: Shift,
    /// A factor for each row.
    scale: Vec<f64>,
}

enum Shift {
    /// One value a row.
    Rows(Vec<f64>),
    /// One value a channel.
    Channels(Array1<f64>),
}

impl<'a, T: Real> Rows<'a, T> {
    /// Rows of length one, centred first if `centred`.
    fn of_unit_length(x: ArrayView2<'a, T>, centred: bool) -> Result<Self, (usize, Undefined)> {
        let rows: Vec<Result<(f64, f64), Undefined>> = x
            .axis_iter(Axis(0))
            .into_par_iter()
            .map(|row| unit_length(contiguous(row), centred))
            .collect();
        let mut shift = Vec::with_capacity(rows.len());
        let mut scale = Vec::with_capacity(rows.len());
        for (idx, row) in rows.into_iter().enumerate() {
            let (mean, factor) = row.map_err(|why| (idx, why))?;
            shift.push(mean);
            scale.push(factor);
        }
        Ok(Self {
            x,
            shift: Shift::Rows(shift),
            scale,
        })
    }

    /// Rows minus the mean row, in a unit near the largest value; `None` when all rows
    /// are the same.
    fn around_the_mean(x: ArrayView2<'a, T>) -> Option<(Self, f64)> {
        let means = patterns::channel_means(x);
        let extremes: Vec<f64> = x
            .axis_iter(Axis(0))
            .into_par_iter()
            .map(|row| {
                row.iter().zip(&means).fold(0.0_f64, |largest, (v, mean)| {
                    largest.max((v.to_f64() - mean).abs())
                })
            })
            .collect();
        let largest = extremes.into_iter().fold(0.0, f64::max);
        (largest > 0.0).then(|| {
            let unit = power_of_two_near(largest);
            let rows = Self {
                x,
                shift: Shift::Channels(means),
                scale: vec![1.0 / unit; x.nrows()],
            };
            (rows, unit)
        })
    }

    /// ½‖zᵢ − zⱼ‖² for every pair.
    fn half_squared_distances(&self) -> Vec<f64> {
        // So few channels that a matrix product gains nothing over exact differences.
        const FEW_CHANNELS: usize = 64;
        // A product of unit rows is off by up to 7e-7 (f32) or 1e-15 (f64). Below these shares of
        // the squared lengths that would be more than 1e-5 or 1e-10 of the distance.
        const CLOSE_F32: f64 = 1.0 / 8.0;
        const CLOSE_F64: f64 = 1e-5;

        let (n, n_channels) = self.x.dim();
        if n_channels <= FEW_CHANNELS {
            return vector::from_pairs(n, |i, j| self.half_squared_distance(i, j));
        }
        if T::KEY_BITS == f32::KEY_BITS {
            let products = Products::new::<f32>(self, CLOSE_F32);
            // Many close pairs are cheaper to have from a product in f64 than one by one.
            if products.n_close() <= n {
                return products.distances();
            }
        }
        Products::new::<f64>(self, CLOSE_F64).distances()
    }

    /// Writes part of row `row` from channel `start` on.
    fn fill<K: Real>(&self, row: usize, start: usize, slot: &mut [K]) {
        let values = &contiguous(self.x.row(row))[start..start + slot.len()];
        let scale = self.scale[row];
        match &self.shift {
            Shift::Rows(shift) => {
                let shift = shift[row];
                for (z, x) in slot.iter_mut().zip(values) {
                    *z = K::from_f64((x.to_f64() - shift) * scale);
                }
            }
            Shift::Channels(shift) => {
                for ((z, x), shift) in slot.iter_mut().zip(values).zip(shift.iter().skip(start)) {
                    *z = K::from_f64((x.to_f64() - shift) * scale);
                }
            }
        }
    }

    /// ½‖zᵢ − zⱼ‖² from the differences.
    fn half_squared_distance(&self, i: usize, j: usize) -> f64 {
        let (x, y) = (contiguous(self.x.row(i)), contiguous(self.x.row(j)));
        let (a, b) = (self.scale[i], self.scale[j]);
        let (shift_x, shift_y) = match &self.shift {
            Shift::Rows(shift) => (shift[i], shift[j]),
            // The scale is common to all rows, so that a common shift cancels.
            Shift::Channels(_) => (0.0, 0.0),
        };
        0.5 * sum(x.len(), |k| {
            let difference = (x[k].to_f64() - shift_x) * a - (y[k].to_f64() - shift_y) * b;
            difference * difference
        })
    }
}

/// Distances by way of a matrix product.
struct Products<'r, 'a, T> {
    rows: &'r Rows<'a, T>,
    gram: consilience_stats::gram::Gram,
    /// ‖zᵢ‖²
    lengths: Vec<f64>,
    close: f64,
}

impl<'r, 'a, T: Real> Products<'r, 'a, T> {
    /// Multiplies in the width of `K`.
    fn new<K: Real>(rows: &'r Rows<'a, T>, close: f64) -> Self {
        let (n, n_channels) = rows.x.dim();
        let gram = gram::<K>(n, n_channels, &|row, start, slot| {
            rows.fill(row, start, slot)
        });
        Self {
            rows,
            lengths: (0..n).map(|i| gram.get(i, i)).collect(),
            gram,
            close,
        }
    }

    /// ½‖zᵢ − zⱼ‖², or nothing when too many digits cancel.
    fn distance(&self, i: usize, j: usize) -> Option<f64> {
        let lengths = self.lengths[i] + self.lengths[j];
        let distance = 0.5 * lengths - self.gram.get(i, j);
        (2.0 * distance > self.close * lengths).then_some(distance)
    }

    fn n_close(&self) -> usize {
        let n = self.gram.n();
        (0..n)
            .into_par_iter()
            .map(|i| {
                (i + 1..n)
                    .filter(|&j| self.distance(i, j).is_none())
                    .count()
            })
            .sum()
    }

    fn distances(&self) -> Vec<f64> {
        vector::from_pairs(self.gram.n(), |i, j| {
            self.distance(i, j)
                .unwrap_or_else(|| self.rows.half_squared_distance(i, j))
        })
    }
}

/// Mean (0 unless `centred`) and the factor that makes the centred row one long.
fn unit_length<T: Real>(row: &[T], centred: bool) -> Result<(f64, f64), Undefined> {
    let flat = if centred {
        row.first().map_or(0.0, |v| v.to_f64())
    } else {
        0.0
    };
    if row.iter().all(|v| v.to_f64() == flat) {
        return Err(if centred {
            Undefined::Constant
        } else {
            Undefined::Zero
        });
    }
    let mean = if centred {
        sum(row.len(), |k| row[k].to_f64()) / row.len() as f64
    } else {
        0.0
    };
    let largest = row
        .iter()
        .fold(0.0_f64, |largest, v| largest.max((v.to_f64() - mean).abs()));
    // Squares are taken of values around one: patterns may be as large or small as f64 allows.
    let unit = 1.0 / largest;
    let length = sum(row.len(), |k| {
        let z = (row[k].to_f64() - mean) * unit;
        z * z
    })
    .sqrt();
    let scale = unit / length;
    if scale.is_normal() {
        Ok((mean, scale))
    } else {
        Err(Undefined::OutOfRange)
    }
}

/// Scaling by a power of two is exact. The bounds keep its reciprocal in range.
fn power_of_two_near(value: f64) -> f64 {
    value.log2().round().clamp(-1000.0, 1000.0).exp2()
}

/// Sum of n terms over eight running sums: vectorises, and always adds in the same order.
fn sum(n: usize, term: impl Fn(usize) -> f64) -> f64 {
    const LANES: usize = 8;
    let mut lanes = [0.0; LANES];
    let n_whole = n - n % LANES;
    for start in (0..n_whole).step_by(LANES) {
        for (lane, sum) in lanes.iter_mut().enumerate() {
            *sum += term(start + lane);
        }
    }
    let tail: f64 = (n_whole..n).map(term).sum();
    lanes.into_iter().sum::<f64>() + tail
}

fn contiguous<T>(row: ArrayView1<'_, T>) -> &[T] {
    row.to_slice()
        .expect("rows of a matrix in standard layout are contiguous")
}
