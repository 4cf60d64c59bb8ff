//! Columns of a run's design.

use std::f64::consts::PI;

use ndarray::{Array1, Array2};

use super::{Event, SingleTrialError};
use crate::Result;

/// When the volumes of a run were recorded.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Timing {
    /// Volumes.
    pub n_volumes: usize,
    /// Seconds from one to the next (TR).
    pub repetition_time: f64,
    /// Seconds from the beginning of the first volume that is counted as the run's time 0 to the moment that values of a volume stand for:
    /// 0 for its beginning (nilearn's default), half the repetition time when slices were interpolated to the middle one. Volumes that were
    /// left out at the start add their time.
    pub first: f64,
}

impl Timing {
    fn times(&self) -> impl Iterator<Item = f64> {
        let Self {
            repetition_time,
            first,
            ..
        } = *self;
        (0..self.n_volumes).map(move |volume| first + volume as f64 * repetition_time)
    }

    fn check(&self) -> Result<()> {
        positive("the repetition time", self.repetition_time)?;
        match self.first.is_finite() {
            true => Ok(()),
            false => Err(SingleTrialError::BadTime {
                what: "the time of the first volume",
                value: self.first,
                expected: "a number of seconds",
            }
            .into()),
        }
    }
}

fn positive(what: &'static str, value: f64) -> Result<()> {
    match value.is_finite() && value > 0.0 {
        true => Ok(()),
        false => Err(SingleTrialError::BadTime {
            what,
            value,
            expected: "a number of seconds above 0",
        }
        .into()),
    }
}

/// The response that events of a kind should evoke, at each volume: the sum over events of SPM's canonical response, integrated over the event.
///
/// # Shapes
///
/// Returns (volumes,). A long event reaches 1; an event of duration 0 is an impulse with an integral of 1 s.
///
/// # Errors
///
/// [`SingleTrialError::BadTime`] for a time that is no number or a negative duration.
///
/// # Example
///
/// ```
/// use consilience_methods::single_trial::{Event, Timing, regressor};
/// let timing = Timing { n_volumes: 20, repetition_time: 2.0, first: 0.0 };
/// let expected = regressor(&[Event { onset: 4.0, duration: 0.0 }], &timing)?;
/// // The peak is some five seconds behind the event: at 10 s of those recorded.
/// let peak = expected.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).unwrap().0;
/// assert_eq!((expected[2], peak), (0.0, 5));
/// # Ok::<(), consilience_methods::MethodsError>(())
/// ```
///
/// # Peers
///
/// Integrals by SciPy's `quad` (1e-9). nilearn's `compute_regressor` with `"spm"` sums the same response over a grid, with 0.167 for ⅙.
pub fn regressor(events: &[Event], timing: &Timing) -> Result<Array1<f64>> {
    timing.check()?;
    for event in events {
        let (what, value, expected) = match event {
            Event { onset, .. } if !onset.is_finite() => {
                ("an onset", *onset, "a number of seconds")
            }
            Event { duration, .. } if !(duration.is_finite() && *duration >= 0.0) => (
                "a duration",
                *duration,
                "a number of seconds, 0 for an instant",
            ),
            _ => continue,
        };
        return Err(SingleTrialError::BadTime {
            what,
            value,
            expected,
        }
        .into());
    }
    let at = |time| events.iter().map(|event| event.response(time)).sum();
    Ok(timing.times().map(at).collect())
}

/// Cosines that stand for drifts slower than `period` seconds; the constant is not among them.
///
/// # Shapes
///
/// Returns (volumes, ⌊2 × duration of the run ÷ period⌋), columns of unit length; fewer columns than volumes.
///
/// # Errors
///
/// [`SingleTrialError::BadTime`] for a period that is not above 0.
///
/// # Peers
///
/// SPM's `spm_dctmtx` with its high-pass filter (128 s), nilearn's drift model `"cosine"`.
pub fn drifts(timing: &Timing, period: f64) -> Result<Array2<f64>> {
    timing.check()?;
    positive("the period of the high-pass filter", period)?;
    let n = timing.n_volumes;
    let n_cosines = (2.0 * n as f64 * timing.repetition_time / period).floor();
    // A float far above the range saturates.
    let n_cosines = (n_cosines as usize).min(n.saturating_sub(1));
    let height = (2.0 / n as f64).sqrt();
    Ok(Array2::from_shape_fn((n, n_cosines), |(volume, k)| {
        height * (PI * (k + 1) as f64 * (2 * volume + 1) as f64 / (2 * n) as f64).cos()
    }))
}
