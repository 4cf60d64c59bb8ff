//! How maps are read within boxes.

use crate::names::named;

use super::ObjectsError;
use crate::{MethodsError, Result};

/// What a box gets from a map.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BoxSummary {
    /// The mean within the box, as `EmoCAM` takes it.
    #[default]
    Mean,
    /// The largest value that the box touches.
    Max,
    /// The sum within the box as a share of the sum of the map.
    Share,
}

impl BoxSummary {
    const NAMES: [(&'static str, Self); 3] = [
        ("mean", Self::Mean),
        ("max", Self::Max),
        ("share", Self::Share),
    ];
}

named!(BoxSummary, "summary of a box");

/// What becomes of the signs in a map.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sign {
    /// Negative values become 0: what speaks for a larger output.
    #[default]
    Positive,
    /// Absolute values: what speaks for either.
    Absolute,
    /// Values as they are.
    Signed,
}

impl Sign {
    const NAMES: [(&'static str, Self); 3] = [
        ("positive", Self::Positive),
        ("absolute", Self::Absolute),
        ("signed", Self::Signed),
    ];
}

named!(Sign, "sign");

/// How a map is scaled, after its signs were seen to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Scaling {
    /// Not at all.
    None,
    /// By the largest absolute value. A map of zeros stays one.
    Max,
    /// (v − min) / (max − min), as `EmoCAM` does it. A constant map becomes 0.
    #[default]
    MinMax,
}

impl Scaling {
    const NAMES: [(&'static str, Self); 3] = [
        ("none", Self::None),
        ("max", Self::Max),
        ("min-max", Self::MinMax),
    ];
}

named!(Scaling, "scaling");

/// Over what the extent for scaling is taken. A single map is both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ScaleOver {
    /// Each filter's map of a picture.
    #[default]
    Filter,
    /// All filters' maps of a picture.
    Layer,
}

impl ScaleOver {
    const NAMES: [(&'static str, Self); 2] = [("filter", Self::Filter), ("layer", Self::Layer)];
}

named!(ScaleOver, "extent of scaling");

/// What a class gets in a picture with several boxes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OverBoxes {
    /// The largest value.
    #[default]
    Max,
    /// The mean value.
    Mean,
}

impl OverBoxes {
    const NAMES: [(&'static str, Self); 2] = [("max", Self::Max), ("mean", Self::Mean)];
}

named!(OverBoxes, "summary over boxes");

impl OverBoxes {
    /// Of the values of boxes; `None` without any.
    pub(super) fn of(self, values: impl Iterator<Item = f64>) -> Option<f64> {
        let (mut n, mut sum, mut largest) = (0_usize, 0.0, f64::NEG_INFINITY);
        for value in values {
            n += 1;
            sum += value;
            largest = largest.max(value);
        }
        (n > 0).then(|| match self {
            Self::Max => largest,
            Self::Mean => sum / n as f64,
        })
    }
}

/// How a map is read within boxes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MapParams {
    /// What becomes of signs (default: positive).
    pub sign: Sign,
    /// How maps are scaled (default: min-max).
    pub scaling: Scaling,
    /// Over what they are scaled (default: each filter).
    pub scale_over: ScaleOver,
    /// What a box gets (default: mean).
    pub summary: BoxSummary,
}

impl MapParams {
    /// Checks the options.
    ///
    /// # Errors
    ///
    /// [`ObjectsError::SignedMap`]: signed values have no share, and min-max would move their zero.
    pub fn validate(&self) -> Result<()> {
        let option = match (self.sign, self.summary, self.scaling) {
            (Sign::Signed, BoxSummary::Share, _) => "the share of a box",
            (Sign::Signed, _, Scaling::MinMax) => "min-max scaling",
            _ => return Ok(()),
        };
        Err(ObjectsError::SignedMap { option }.into())
    }
}

/// Refuses a threshold or score that is not a number.
pub(super) fn check_number(option: &'static str, value: f64) -> Result<()> {
    if value.is_finite() {
        return Ok(());
    }
    Err(MethodsError::OptionOutOfRange {
        option,
        value,
        expected: "a finite number",
    })
}
