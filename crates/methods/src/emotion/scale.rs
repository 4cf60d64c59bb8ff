//! Rating scales: what a rating can be, and how one scale is read on another.

use super::EmotionError;
use crate::Result;

/// The lowest and the highest rating that can be given.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RatingScale {
    low: f64,
    high: f64,
}

impl RatingScale {
    /// From the lowest to the highest rating, such as 1 to 9.
    ///
    /// # Errors
    ///
    /// [`EmotionError::BadScale`].
    pub fn new(low: f64, high: f64) -> Result<Self> {
        if low.is_finite() && high.is_finite() && low < high {
            return Ok(Self { low, high });
        }
        Err(EmotionError::BadScale { low, high }.into())
    }

    /// The lowest rating.
    #[must_use]
    pub fn low(&self) -> f64 {
        self.low
    }

    /// The highest rating.
    #[must_use]
    pub fn high(&self) -> f64 {
        self.high
    }

    /// That every rating is on the scale.
    ///
    /// # Errors
    ///
    /// [`EmotionError::OutOfScale`] for the first that is not, a NaN included.
    pub fn check(&self, ratings: &[f64]) -> Result<()> {
        let Self { low, high } = *self;
        match ratings.iter().position(|v| !(low..=high).contains(v)) {
            None => Ok(()),
            Some(item) => Err(EmotionError::OutOfScale {
                item,
                value: ratings[item],
                low,
                high,
            }
            .into()),
        }
    }

    /// The ratings on another scale.
    ///
    /// # Definition
    ///
    /// y = l′ + (h′ − l′)/(h − l) · (x − l): ends go to ends. From 1–7 to 1–9: 1 + 8/6·(x − 1).
    ///
    /// # Errors
    ///
    /// As [`check`](Self::check).
    ///
    /// # Example
    ///
    /// ```
    /// use consilience_methods::emotion::RatingScale;
    ///
    /// let (seven, nine) = (RatingScale::new(1.0, 7.0)?, RatingScale::new(1.0, 9.0)?);
    /// assert_eq!(seven.mapped(&[1.0, 4.0, 7.0], &nine)?, [1.0, 5.0, 9.0]);
    /// # Ok::<(), consilience_methods::MethodsError>(())
    /// ```
    pub fn mapped(&self, ratings: &[f64], to: &Self) -> Result<Vec<f64>> {
        self.check(ratings)?;
        let factor = (to.high - to.low) / (self.high - self.low);
        let mapped = |x: &f64| (to.low + factor * (x - self.low)).clamp(to.low, to.high);
        Ok(ratings.iter().map(mapped).collect())
    }
}

impl Default for RatingScale {
    /// 1 to 9, the scale of the Self-Assessment Manikin.
    fn default() -> Self {
        Self {
            low: 1.0,
            high: 9.0,
        }
    }
}
