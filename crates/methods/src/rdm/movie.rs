//! RDMs over time.

use std::ops::Range;

use consilience_stats::Real;
use ndarray::{Array2, ArrayView3, Axis, s};
use rayon::prelude::*;

use super::{RdmParams, rdm};
use crate::error::at_least;
use crate::names::named;
use crate::{NanPolicy, Result};

/// What becomes of the time points of a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum WindowSamples {
    /// Each channel is averaged over them.
    #[default]
    Mean,
    /// Each channel at each of them is a channel of its own, channel by channel.
    Concatenate,
}

impl WindowSamples {
    const NAMES: [(&'static str, Self); 2] =
        [("mean", Self::Mean), ("concatenate", Self::Concatenate)];
}

named!(WindowSamples, "treatment of the samples of a window");

/// Options of [`rdm_movie`].
#[derive(Debug, Clone, PartialEq)]
pub struct MovieParams {
    /// Time points of a window (default 1).
    pub window: usize,
    /// Time points from the start of a window to that of the next (default 1).
    pub step: usize,
    /// What becomes of the time points of a window (default: their mean).
    pub samples: WindowSamples,
    /// How each RDM is made.
    pub rdm: RdmParams,
}

impl Default for MovieParams {
    fn default() -> Self {
        Self {
            window: 1,
            step: 1,
            samples: WindowSamples::default(),
            rdm: RdmParams::default(),
        }
    }
}

/// An RDM for each window of time.
#[derive(Debug, Clone, PartialEq)]
pub struct RdmMovie {
    /// `(n_windows, n_pairs)`.
    pub rdms: Array2<f64>,
    /// Time points of each window, 0-based.
    pub windows: Vec<Range<usize>>,
    /// Condition labels in the order of the RDMs, ascending.
    pub conditions: Vec<i64>,
    /// Values that were left out of each window because they are NaN; of its means, with
    /// [`WindowSamples::Mean`].
    pub n_omitted: Vec<usize>,
}

/// Compares every pair of conditions in each window of time.
///
/// # Shapes
///
/// `patterns` is `(n_rows, n_channels, n_times)`.
///
/// # Definition
///
/// Window k holds the time points k·step … k·step + window − 1; time points at the end that fill no window are left
/// out. Each window is an [`rdm`](super::rdm()) of its own, in `f64`. When missing values are omitted, a mean is over
/// the time points that are present.
///
/// # Errors
///
/// [`MethodsError::TooFew`](crate::MethodsError::TooFew) time points, a window or a step of none; as [`rdm`](super::rdm()), of the first window
/// concerned.
///
/// # Example
///
/// ```
/// use consilience_methods::rdm::{Dissimilarity, MovieParams, RdmParams, rdm_movie};
/// use ndarray::Array3;
///
/// // Two conditions, one channel, which part after three of six time points.
/// let patterns = Array3::from_shape_fn((2, 1, 6), |(c, _, t)| if t < 3 { 1.0 } else { c as f64 });
/// let params = MovieParams {
///     window: 3,
///     step: 3,
///     rdm: RdmParams { dissimilarity: Dissimilarity::Euclidean, ..RdmParams::default() },
///     ..MovieParams::default()
/// };
/// let movie = rdm_movie(patterns.view(), &params)?;
/// assert_eq!(movie.rdms.into_raw_vec_and_offset().0, [0.0, 1.0]);
/// assert_eq!(movie.windows, [0..3, 3..6]);
/// # Ok::<(), consilience_methods::MethodsError>(())
/// ```
///
/// # Peers
///
/// rsatoolbox 0.3.2 `calc_rdm_movie` with the windows as bins, to 1e-9.
pub fn rdm_movie<T: Real>(patterns: ArrayView3<'_, T>, params: &MovieParams) -> Result<RdmMovie> {
    let n_times = patterns.dim().2;
    for (what, needed, found) in [
        ("time points of a window", 1, params.window),
        ("time points from window to window", 1, params.step),
        (
            "time points of the patterns, for a window",
            params.window,
            n_times,
        ),
    ] {
        at_least(what, needed, found)?;
    }
    let windows: Vec<Range<usize>> = (0..=n_times - params.window)
        .step_by(params.step)
        .map(|start| start..start + params.window)
        .collect();
    let outcomes: Vec<_> = windows
        .par_iter()
        .map(|window| {
            let part = patterns.slice(s![.., .., window.clone()]);
            rdm(samples(part, params).view(), &params.rdm)
        })
        .collect();
    let outcomes = outcomes.into_iter().collect::<Result<Vec<_>>>()?;
    let n_pairs = outcomes[0].vector.len();
    let mut rdms = Array2::zeros((windows.len(), n_pairs));
    for (mut row, outcome) in rdms.rows_mut().into_iter().zip(&outcomes) {
        row.iter_mut()
            .zip(&outcome.vector)
            .for_each(|(slot, d)| *slot = *d);
    }
    Ok(RdmMovie {
        rdms,
        windows,
        n_omitted: outcomes.iter().map(|outcome| outcome.n_omitted).collect(),
        conditions: outcomes
            .into_iter()
            .next()
            .map(|o| o.conditions)
            .unwrap_or_default(),
    })
}

/// Patterns of one window, `(n_rows, n_channels)` or `(n_rows, n_channels · window)`.
fn samples<T: Real>(part: ArrayView3<'_, T>, params: &MovieParams) -> Array2<f64> {
    let (n_rows, n_channels, n_times) = part.dim();
    match params.samples {
        WindowSamples::Concatenate => {
            Array2::from_shape_fn((n_rows, n_channels * n_times), |(row, column)| {
                part[[row, column / n_times, column % n_times]].to_f64()
            })
        }
        WindowSamples::Mean => {
            let omit = params.rdm.nan == NanPolicy::Omit;
            part.map_axis(Axis(2), |values| {
                let present = values
                    .iter()
                    .map(|v| v.to_f64())
                    .filter(|v| !(omit && v.is_nan()));
                let (sum, n) = present.fold((0.0, 0.0), |(sum, n), v| (sum + v, n + 1.0));
                sum / n
            })
        }
    }
}
