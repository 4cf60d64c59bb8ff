//! Splits of raters into halves.

use consilience_stats::random::{Domain, Stream};
use faer::Mat;

/// Splits of k raters into ⌊k/2⌋ and the rest.
pub(super) struct Splits {
    /// `(k, n_splits)`: 1 for raters in the first half, else 0.
    pub first: Mat<f64>,
    /// Whether these are all splits that there are.
    pub exhaustive: bool,
}

impl Splits {
    /// All splits when there are at most `most`, else `most` at random.
    pub fn new(n_raters: usize, most: usize, seed: u64) -> Self {
        let exhaustive = n_splits(n_raters, most).is_some();
        let halves = match exhaustive {
            true => all(n_raters),
            false => (0..most as u64)
                .map(|split| {
                    let mut order = Stream::new(seed, Domain::Split, split).permutation(n_raters);
                    order.truncate(n_raters / 2);
                    order
                })
                .collect(),
        };
        let mut first = Mat::zeros(n_raters, halves.len());
        for (split, half) in halves.iter().enumerate() {
            for &rater in half {
                first[(rater, split)] = 1.0;
            }
        }
        Self { first, exhaustive }
    }

    /// The same splits of the raters but one.
    pub fn without(&self, rater: usize) -> Self {
        let kept: Vec<usize> = (0..self.first.nrows()).filter(|&r| r != rater).collect();
        Self {
            first: Mat::from_fn(kept.len(), self.first.ncols(), |i, s| {
                self.first[(kept[i], s)]
            }),
            exhaustive: self.exhaustive,
        }
    }
}

/// How many splits there are, `None` when there are more than `most`.
fn n_splits(n_raters: usize, most: usize) -> Option<usize> {
    // Each half of an even number is also the rest of another split, so the last rater stays in the rest.
    let (n, k) = (
        n_raters - usize::from(n_raters.is_multiple_of(2)),
        n_raters / 2,
    );
    let mut count: u128 = 1;
    for i in 0..k {
        count = count * (n - i) as u128 / (i + 1) as u128;
        if count > most as u128 {
            return None;
        }
    }
    Some(count as usize)
}

/// The first half of every split, in lexicographic order.
fn all(n_raters: usize) -> Vec<Vec<usize>> {
    let (n, k) = (
        n_raters - usize::from(n_raters.is_multiple_of(2)),
        n_raters / 2,
    );
    let mut half: Vec<usize> = (0..k).collect();
    let mut halves = vec![half.clone()];
    // The last position that can move on takes all behind it along.
    while let Some(i) = (0..k).rev().find(|&i| half[i] < n - k + i) {
        half[i] += 1;
        for j in i + 1..k {
            half[j] = half[j - 1] + 1;
        }
        halves.push(half.clone());
    }
    halves
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_split_comes_once() {
        for (n_raters, expected) in [(2, 1), (3, 3), (4, 3), (5, 10), (6, 10), (12, 462)] {
            let mut halves = all(n_raters);
            assert_eq!(halves.len(), expected, "{n_raters}");
            assert_eq!(n_splits(n_raters, expected), Some(expected));
            assert_eq!(n_splits(n_raters, expected - 1), None);
            halves.dedup();
            assert_eq!(halves.len(), expected);
            for half in &halves {
                let rest: Vec<usize> = (0..n_raters).filter(|r| !half.contains(r)).collect();
                assert_eq!(half.len(), n_raters / 2);
                assert!(!halves.contains(&rest));
            }
        }
        assert_eq!(n_splits(200, 1000), None);
    }

    #[test]
    fn random_halves_are_halves() {
        let splits = Splits::new(21, 50, 3);
        assert!(!splits.exhaustive);
        for split in 0..50 {
            let sum: f64 = (0..21).map(|r| splits.first[(r, split)]).sum();
            assert_eq!(sum, 10.0);
        }
        assert!(Splits::new(4, 3, 3).exhaustive);
    }
}
