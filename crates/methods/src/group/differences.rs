//! What is tested: subjects' differences from chance, or between two models.

use ndarray::ArrayView1;

/// Differences that are smaller than this share of the numbers they come from are rounding.
const ROUNDING: f64 = 4.0 * f64::EPSILON;

/// The differences of one test, of the subjects that have them.
pub(super) struct Differences {
    /// Value to which a difference of 0 belongs.
    pub origin: f64,
    /// Differences, with exact zeros where there is nothing but rounding.
    pub values: Vec<f64>,
    /// 0-based subjects that they belong to.
    pub subjects: Vec<usize>,
    /// Subjects that were left out.
    pub n_omitted: usize,
    /// Differences no further apart than this are the same but for rounding.
    pub resolution: f64,
}

impl Differences {
    pub fn from_chance(scores: ArrayView1<'_, f64>, chance: f64) -> Self {
        Self::new(scores.iter().map(|&score| (score, chance)), chance)
    }

    pub fn between(first: ArrayView1<'_, f64>, second: ArrayView1<'_, f64>) -> Self {
        Self::new(first.iter().copied().zip(second.iter().copied()), 0.0)
    }

    fn new(scores: impl Iterator<Item = (f64, f64)>, origin: f64) -> Self {
        let mut out = Self {
            origin,
            values: Vec::new(),
            subjects: Vec::new(),
            n_omitted: 0,
            resolution: 0.0,
        };
        for (subject, (a, b)) in scores.enumerate() {
            let difference = a - b;
            if difference.is_nan() {
                out.n_omitted += 1;
                continue;
            }
            let rounding = ROUNDING * a.abs().max(b.abs());
            let value = if difference.abs() <= rounding {
                0.0
            } else {
                difference
            };
            out.values.push(value);
            out.subjects.push(subject);
            // Each of two differences has its own rounding.
            out.resolution = out.resolution.max(2.0 * rounding);
        }
        out
    }

    pub fn n(&self) -> usize {
        self.values.len()
    }

    /// Mean score, or difference; `None` without subjects or beyond the largest number.
    pub fn mean(&self) -> Option<f64> {
        let sum: f64 = self.values.iter().sum();
        Some(self.origin + sum / self.n() as f64).filter(|mean| mean.is_finite())
    }

    /// Mean and standard deviation (n − 1); the latter is 0 when nothing varies but by rounding.
    pub fn mean_and_sd(&self) -> [f64; 2] {
        let n = self.n() as f64;
        let mean = self.values.iter().sum::<f64>() / n;
        let square: f64 = self.values.iter().map(|v| (v - mean) * (v - mean)).sum();
        let [least, most] = self
            .values
            .iter()
            .fold([f64::INFINITY, f64::NEG_INFINITY], |[least, most], &v| {
                [least.min(v), most.max(v)]
            });
        let constant = most - least <= self.resolution;
        [
            mean,
            if constant {
                0.0
            } else {
                (square / (n - 1.0)).sqrt()
            },
        ]
    }
}
