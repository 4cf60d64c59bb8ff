//! What to do with missing values.

use crate::names::named;

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

named!(NanPolicy, "nan policy");
