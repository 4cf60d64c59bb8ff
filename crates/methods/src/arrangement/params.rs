//! Options of RDMs from arrangements.

use crate::names::named;
use std::fmt;
use std::str::FromStr;

use crate::{MethodsError, NanPolicy, Result, names};

/// How much the distance of a pair in one trial counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Weighting {
    /// The evidence that it gives: its squared distance on the screen, in units of the arena and not
    /// below the floor. A misplacement by a millimetre says little against a long distance and much
    /// against a short one.
    #[default]
    Evidence,
    /// One over the number of pairs in the trial.
    SetSize,
    /// The same for all.
    Equal,
}

impl Weighting {
    const NAMES: [(&'static str, Self); 3] = [
        ("evidence", Self::Evidence),
        ("set-size", Self::SetSize),
        ("equal", Self::Equal),
    ];
}

named!(Weighting, "weighting");

/// How the RDM is estimated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Estimator {
    /// Weighted average of the distances, each trial scaled to match the others.
    #[default]
    Average,
    /// From there, the RDM whose arrangements in the plane come closest to those that were made.
    InverseMds,
}

impl Estimator {
    const NAMES: [(&'static str, Self); 2] = [
        ("average", Self::Average),
        ("inverse-mds", Self::InverseMds),
    ];
}

named!(Estimator, "estimator");

/// The length on the screen that counts as 1 in the evidence.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ScreenUnit {
    /// A length in the unit of the coordinates, the same for all trials. Meadows gives coordinates in
    /// units of the arena, so 1.
    Length(f64),
    /// The root mean square distance of each trial: then the scale of a trial means nothing at all.
    Trial,
}

impl Default for ScreenUnit {
    fn default() -> Self {
        Self::Length(1.0)
    }
}

impl fmt::Display for ScreenUnit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length(length) => write!(f, "{length}"),
            Self::Trial => f.pad("trial"),
        }
    }
}

impl FromStr for ScreenUnit {
    type Err = MethodsError;

    fn from_str(text: &str) -> Result<Self> {
        if let Ok(length) = text.parse::<f64>() {
            if !(length.is_finite() && length > 0.0) {
                return Err(MethodsError::OptionOutOfRange {
                    option: "the length that counts as 1",
                    value: length,
                    expected: "a positive number",
                });
            }
            return Ok(Self::Length(length));
        }
        names::parse("screen unit", text, &[("trial", Self::Trial)])
    }
}

/// Options of [`fit`](super::fit()).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ArrangementParams {
    /// How much each distance counts (default: its evidence).
    pub weighting: Weighting,
    /// Unit of distances in the evidence (default: that of the coordinates).
    pub unit: ScreenUnit,
    /// Distances below this count as this long in the evidence (default 0.2 units).
    pub floor: f64,
    /// How the RDM is estimated (default: weighted average).
    pub estimator: Estimator,
    /// The iteration ends when the mean squared change of the RDM, whose mean square is 1, is no
    /// larger than this (default 1e-20, which leaves some nine digits; rsatoolbox stops at 1e-8, with
    /// about four).
    pub tolerance: f64,
    /// Most iterations to make (default 10,000).
    pub max_iterations: usize,
    /// What to do about pairs that no trial holds (default: refuse). When they are omitted, they are
    /// NaN in the RDM.
    pub unseen: NanPolicy,
    /// Most pairs, counted in each trial and in the RDM (default 2²⁷, of about 2 GB).
    pub max_pairs: usize,
}

impl Default for ArrangementParams {
    fn default() -> Self {
        Self {
            weighting: Weighting::default(),
            unit: ScreenUnit::default(),
            floor: 0.2,
            estimator: Estimator::default(),
            tolerance: 1e-20,
            max_iterations: 10_000,
            unseen: NanPolicy::default(),
            max_pairs: 1 << 27,
        }
    }
}

impl ArrangementParams {
    /// Checks the options.
    ///
    /// # Errors
    ///
    /// [`MethodsError::OptionOutOfRange`].
    pub fn validate(&self) -> Result<()> {
        let unit = match self.unit {
            ScreenUnit::Length(length) => length,
            ScreenUnit::Trial => 1.0,
        };
        for (option, value, expected, good) in [
            (
                "the length that counts as 1",
                unit,
                "a positive number",
                unit > 0.0,
            ),
            (
                "the floor of the evidence",
                self.floor,
                "a positive number",
                self.floor > 0.0,
            ),
            (
                "the tolerance",
                self.tolerance,
                "a number of at least 0",
                self.tolerance >= 0.0,
            ),
        ] {
            if !(good && value.is_finite()) {
                return Err(MethodsError::OptionOutOfRange {
                    option,
                    value,
                    expected,
                });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip() {
        for (name, value) in Weighting::NAMES {
            assert_eq!((name.parse(), value.to_string()), (Ok(value), name.into()));
        }
        for (name, value) in Estimator::NAMES {
            assert_eq!((name.parse(), value.to_string()), (Ok(value), name.into()));
        }
        for (name, value) in [
            ("2.5", ScreenUnit::Length(2.5)),
            ("trial", ScreenUnit::Trial),
        ] {
            assert_eq!((name.parse(), value.to_string()), (Ok(value), name.into()));
        }
        for name in ["0", "-1", "inf", "nan", "arena"] {
            assert!(name.parse::<ScreenUnit>().is_err(), "{name}");
        }
    }
}
