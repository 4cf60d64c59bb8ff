//! Standard errors and intervals from resamples and from leaving one out.

use consilience_stats::tails::student_t_isf;

/// The scale on which an estimate is nearly normal.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Scale {
    /// Artanh, for correlations.
    Fisher,
    /// −ln(1 − x), for shares of variance, which end at 1 and have no lower end.
    LogComplement,
    /// ln((1 + (k − 1)·x) / (1 − x)), for a mean correlation of k, which ends at −1/(k − 1) and 1.
    Intraclass(f64),
}

impl Scale {
    fn to(self, x: f64) -> f64 {
        match self {
            Self::Fisher => x.atanh(),
            Self::LogComplement => -(-x).ln_1p(),
            Self::Intraclass(k) => ((k - 1.0) * x).ln_1p() - (-x).ln_1p(),
        }
    }

    fn from(self, y: f64) -> f64 {
        match self {
            Self::Fisher => y.tanh(),
            Self::LogComplement => -(-y).exp_m1(),
            // Written for large y, of which the exponential overflows.
            Self::Intraclass(k) => -(-y).exp_m1() / (1.0 + (k - 1.0) * (-y).exp()),
        }
    }
}

/// How sure an estimate is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Uncertainty {
    /// Standard error.
    pub sem: f64,
    /// 95 % interval.
    pub interval: [f64; 2],
}

impl Uncertainty {
    /// From values of resamples of `n_units`.
    ///
    /// The interval is Student's with n − 1 degrees of
    /// freedom on `scale`. `None` when fewer than two values are left or one is at the end of the scale.
    pub fn of_resamples(
        value: f64,
        resamples: &[f64],
        n_units: usize,
        scale: Scale,
    ) -> Option<Self> {
        let on_scale: Vec<f64> = resamples.iter().map(|&v| scale.to(v)).collect();
        let sem = standard_error(resamples, n_units)?;
        let on_scale = standard_error(&on_scale, n_units)?;
        Self::new(value, sem, on_scale, n_units, scale)
    }

    /// From the values without each of `left_out.len()` units (jackknife).
    pub fn of_deletions(value: f64, left_out: &[f64], scale: Scale) -> Option<Self> {
        let n = left_out.len();
        if n < 3 {
            return None;
        }
        let share = (n as f64 - 1.0) / n as f64;
        let on_scale: Vec<f64> = left_out.iter().map(|&v| scale.to(v)).collect();
        let [sem, on_scale] = [left_out, &on_scale].map(|v| (share * squares(v)).sqrt());
        Self::new(value, sem, on_scale, n, scale)
    }

    fn new(value: f64, sem: f64, on_scale: f64, n_units: usize, scale: Scale) -> Option<Self> {
        let centre = scale.to(value);
        if !(centre.is_finite() && on_scale.is_finite() && sem.is_finite()) {
            return None;
        }
        let half = student_t_isf(0.025, n_units as f64 - 1.0) * on_scale;
        Some(Self {
            sem,
            interval: [scale.from(centre - half), scale.from(centre + half)],
        })
    }
}

/// Standard error from values of resamples of `n_units`; `None` for fewer than two.
///
/// A bootstrap of n units has (n − 1)/n of the variance.
pub(crate) fn standard_error(resamples: &[f64], n_units: usize) -> Option<f64> {
    let (n, n_units) = (resamples.len() as f64, n_units as f64);
    let variance = squares(resamples) / (n - 1.0) * n_units / (n_units - 1.0);
    (n > 1.0 && n_units > 1.0).then(|| variance.sqrt())
}

/// Sum of squared deviations from the mean.
fn squares(values: &[f64]) -> f64 {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    values.iter().map(|v| (v - mean) * (v - mean)).sum()
}
