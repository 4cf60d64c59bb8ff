//! Counts and positions that must agree.

use crate::{ReportError, Result};

/// As many as there must be.
pub(super) fn same(what: impl Into<String>, expected: usize, found: usize) -> Result<()> {
    if expected == found {
        Ok(())
    } else {
        Err(ReportError::ShapeMismatch {
            what: what.into(),
            expected,
            found,
        })
    }
}

/// A 0-based position among `n` things.
pub(super) fn within(what: impl Into<String>, position: usize, n: usize) -> Result<()> {
    if position < n {
        Ok(())
    } else {
        Err(ReportError::NoSuchEntry {
            what: what.into(),
            position,
            n,
        })
    }
}

/// A name among those that there are.
pub(super) fn named(what: impl Into<String>, name: &str, names: &[&str]) -> Result<()> {
    if names.contains(&name) {
        Ok(())
    } else {
        Err(ReportError::NoSuchName {
            what: what.into(),
            name: name.to_owned(),
        })
    }
}
