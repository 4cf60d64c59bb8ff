//! How maps are read within boxes.

use std::fmt;
use std::str::FromStr;

use super::ObjectsError;
use crate::names::{self, name_of};
use crate::{MethodsError, Result};

/// Names for the values of an option: how it is parsed and printed.
macro_rules! named {
    ($type:ty, $what:literal, $names:expr) => {
        impl $type {
            pub(super) const NAMES: &'static [(&'static str, Self)] = $names;
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(name_of(*self, Self::NAMES))
            }
        }

        impl FromStr for $type {
            type Err = MethodsError;

            fn from_str(name: &str) -> Result<Self> {
                names::parse($what, name, Self::NAMES)
            }
        }
    };
}

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

named!(
    BoxSummary,
    "summary of a box",
    &[
        ("mean", Self::Mean),
        ("max", Self::Max),
        ("share", Self::Share)
    ]
);

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

named!(
    Sign,
    "sign",
    &[
        ("positive", Self::Positive),
        ("absolute", Self::Absolute),
        ("signed", Self::Signed)
    ]
);

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

named!(
    Scaling,
    "scaling",
    &[
        ("none", Self::None),
        ("max", Self::Max),
        ("min-max", Self::MinMax)
    ]
);

/// Over what the extent for scaling is taken. A single map is both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ScaleOver {
    /// Each filter's map of a picture.
    #[default]
    Filter,
    /// All filters' maps of a picture.
    Layer,
}

named!(
    ScaleOver,
    "extent of scaling",
    &[("filter", Self::Filter), ("layer", Self::Layer)]
);

/// What a class gets in a picture with several boxes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OverBoxes {
    /// The largest value.
    #[default]
    Max,
    /// The mean value.
    Mean,
}

named!(
    OverBoxes,
    "summary over boxes",
    &[("max", Self::Max), ("mean", Self::Mean)]
);

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

pub(super) use named;
