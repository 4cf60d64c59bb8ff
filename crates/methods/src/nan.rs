//! What to do with missing values.

use std::fmt;
use std::str::FromStr;

use crate::{MethodsError, Result, names};

/// What to do with NaN in the input. An infinity is always refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum NanPolicy {
    /// Refuse the input, naming the first NaN.
    #[default]
    Refuse,
    /// Leave missing values out and count them in the result.
    Omit,
}

impl NanPolicy {
    const NAMES: [(&'static str, Self); 2] = [("refuse", Self::Refuse), ("omit", Self::Omit)];
}

impl fmt::Display for NanPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Refuse => "refuse",
            Self::Omit => "omit",
        })
    }
}

impl FromStr for NanPolicy {
    type Err = MethodsError;

    fn from_str(name: &str) -> Result<Self> {
        names::parse("nan policy", name, &Self::NAMES)
    }
}
