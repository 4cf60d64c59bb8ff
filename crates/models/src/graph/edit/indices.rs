//! Sets of positions, written as `3,5-9`.

use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

/// A set of positions that count from 0, never empty.
///
/// # Example
///
/// ```
/// use consilience_models::graph::Indices;
///
/// let some: Indices = "7,3,5-6".parse().unwrap();
/// assert_eq!(some.iter().collect::<Vec<_>>(), [3, 5, 6, 7]);
/// assert_eq!(some.to_string(), "3,5-7");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Indices {
    /// Ascending, neither touching nor overlapping.
    ranges: Vec<RangeInclusive<usize>>,
}

impl Indices {
    /// All positions in ascending order.
    pub fn iter(&self) -> impl Iterator<Item = usize> {
        self.ranges.iter().cloned().flatten()
    }

    /// The highest position.
    #[must_use]
    pub fn highest(&self) -> usize {
        let last = self.ranges.last().expect("a list has an entry");
        *last.end()
    }
}

/// A list that is not numbers and ranges.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected positions and ranges that count from 0 and include both ends, e.g. \"3,5-9\", found {found:?}"
)]
pub struct NotIndices {
    /// The entry at fault.
    pub found: String,
}

impl FromStr for Indices {
    type Err = NotIndices;

    fn from_str(text: &str) -> Result<Self, NotIndices> {
        let mut all = text
            .split(',')
            .map(|entry| range(entry.trim()))
            .collect::<Result<Vec<_>, _>>()?;
        all.sort_by_key(|range| *range.start());
        let mut ranges: Vec<RangeInclusive<usize>> = Vec::with_capacity(all.len());
        for range in all {
            match ranges.last_mut() {
                Some(last) if *range.start() <= last.end().saturating_add(1) => {
                    *last = *last.start()..=*last.end().max(range.end());
                }
                _ => ranges.push(range),
            }
        }
        Ok(Self { ranges })
    }
}

fn range(entry: &str) -> Result<RangeInclusive<usize>, NotIndices> {
    let not_indices = || NotIndices {
        found: entry.to_owned(),
    };
    // `parse` alone would take a plus sign.
    let number = |text: &str| match text.bytes().all(|b| b.is_ascii_digit()) {
        true => text.parse::<usize>().map_err(|_| not_indices()),
        false => Err(not_indices()),
    };
    let (first, last) = match entry.split_once('-') {
        Some((first, last)) => (number(first)?, number(last)?),
        None => (number(entry)?, number(entry)?),
    };
    if first > last {
        return Err(not_indices());
    }
    Ok(first..=last)
}

impl From<usize> for Indices {
    fn from(position: usize) -> Self {
        Self {
            ranges: vec![position..=position],
        }
    }
}

impl fmt::Display for Indices {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (k, range) in self.ranges.iter().enumerate() {
            if k > 0 {
                f.write_str(",")?;
            }
            match (range.start(), range.end()) {
                (first, last) if first == last => write!(f, "{first}")?,
                (first, last) => write!(f, "{first}-{last}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    #[test]
    fn what_is_no_list_is_refused() {
        for text in ["", "a", "3,", "5..9", "9-5", "-1", "+1", "1-2-3", "1 2"] {
            assert!(text.parse::<Indices>().is_err(), "{text}");
        }
        let most = format!("0-{}", usize::MAX);
        assert_eq!(most.parse::<Indices>().unwrap().highest(), usize::MAX);
    }

    proptest! {
        #[test]
        fn a_list_is_the_set_of_its_entries(
            entries in prop::collection::vec((0_usize..30, 0_usize..4), 1..8)
        ) {
            let text: Vec<String> = entries
                .iter()
                .map(|(first, more)| format!("{first}-{}", first + more))
                .collect();
            let expected: BTreeSet<usize> =
                entries.iter().flat_map(|(first, more)| *first..=first + more).collect();
            let list: Indices = text.join(",").parse().unwrap();
            prop_assert!(list.iter().eq(expected.iter().copied()));
            prop_assert_eq!(Some(list.highest()), expected.last().copied());
            prop_assert_eq!(list.to_string().parse::<Indices>().unwrap(), list);
        }
    }
}
