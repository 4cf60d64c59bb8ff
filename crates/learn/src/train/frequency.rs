//! Weights by which rare ratings count as much as common ones.

use crate::error::{LearnError, Result};

/// Which ratings count as equal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Frequencies {
    /// Those of the same value.
    #[default]
    Values,
    /// Those in the same of so many equally wide parts of their range. Ratings that are nearly all distinct, such as
    /// means over raters, need this: each would be a value of its own.
    Bins(usize),
}

/// Weight of each rating, from how often its like occurs.
///
/// # Definition
///
/// w = N ÷ (K·n_v), where n_v of the N ratings are alike and K kinds occur: each kind weighs N ÷ K in all, and the mean of
/// the weights is 1. Part i of n, from 0, holds the ratings with ⌊n·(v − min) ÷ (max − min)⌋ = i; the largest belongs to
/// the last one, and without variation all are alike.
///
/// # Errors
///
/// [`LearnError::Parameter`] for a rating that is not finite or a number of parts of 0.
///
/// # Example
///
/// ```
/// use consilience_learn::train::{Frequencies, frequency_weights};
///
/// let weights = frequency_weights(&[1.0, 3.0, 3.0, 3.0], Frequencies::Values)?;
/// assert_eq!(weights, [2.0, 2.0 / 3.0, 2.0 / 3.0, 2.0 / 3.0]);
/// # Ok::<(), consilience_learn::LearnError>(())
/// ```
///
/// # Peers
///
/// scikit-learn `compute_sample_weight("balanced", ratings)`.
pub fn frequency_weights(ratings: &[f64], frequencies: Frequencies) -> Result<Vec<f32>> {
    if let Some(&found) = ratings.iter().find(|rating| !rating.is_finite()) {
        return Err(LearnError::Parameter {
            what: "a rating",
            expected: "a finite number",
            found,
        });
    }
    let kinds: Vec<f64> = match frequencies {
        // −0 and 0 are one value.
        Frequencies::Values => ratings.iter().map(|rating| rating + 0.0).collect(),
        Frequencies::Bins(0) => {
            return Err(LearnError::Parameter {
                what: "the number of bins of ratings",
                expected: "at least 1",
                found: 0.0,
            });
        }
        Frequencies::Bins(n_bins) => {
            let low = ratings.iter().copied().fold(f64::INFINITY, f64::min);
            let high = ratings.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let last = n_bins as f64 - 1.0;
            let bin = |rating: f64| (n_bins as f64 * ((rating - low) / (high - low))).floor();
            // Without variation this is 0 ÷ 0, which `min` takes for the last bin.
            ratings
                .iter()
                .map(|&rating| bin(rating).min(last))
                .collect()
        }
    };
    let mut order: Vec<usize> = (0..kinds.len()).collect();
    order.sort_by(|&a, &b| kinds[a].total_cmp(&kinds[b]));
    let alike: Vec<&[usize]> = order.chunk_by(|&a, &b| kinds[a] == kinds[b]).collect();
    let mut weights = vec![0.0; ratings.len()];
    for members in &alike {
        let weight = ratings.len() as f64 / (alike.len() * members.len()) as f64;
        members.iter().for_each(|&idx| weights[idx] = weight as f32);
    }
    Ok(weights)
}

#[cfg(test)]
mod tests {
    use super::*;
    use consilience_stats::random::{Domain, Stream};

    #[test]
    fn weights_are_those_of_counting_each_rating_anew() {
        let mut stream = Stream::new(1, Domain::Simulation, 0);
        for n in [1, 2, 7, 60] {
            let ratings: Vec<f64> = (0..n)
                .map(|_| (stream.uniform() * 7.0).floor() - 3.0)
                .collect();
            let mut distinct = ratings.clone();
            distinct.sort_by(f64::total_cmp);
            distinct.dedup();
            let found = frequency_weights(&ratings, Frequencies::Values).unwrap();
            for (rating, weight) in ratings.iter().zip(&found) {
                let count = ratings.iter().filter(|other| *other == rating).count();
                let expected = n as f64 / (distinct.len() * count) as f64;
                assert_eq!(*weight, expected as f32);
            }
            let sum: f64 = found.iter().map(|&w| f64::from(w)).sum();
            assert!((sum - n as f64).abs() < 1e-5 * n as f64);
        }
    }

    #[test]
    fn bins_are_equally_wide_and_those_without_ratings_do_not_count() {
        let ratings = [0.0, 0.9, 1.1, 3.9, 4.0];
        let found = frequency_weights(&ratings, Frequencies::Bins(4)).unwrap();
        let (twice, once) = (5.0_f32 / 6.0, 5.0_f32 / 3.0);
        assert_eq!(found, [twice, twice, once, twice, twice]);
        let one = frequency_weights(&ratings, Frequencies::Bins(1)).unwrap();
        assert_eq!(one, [1.0; 5]);
        let equal = frequency_weights(&[2.0; 3], Frequencies::Bins(4)).unwrap();
        assert_eq!(equal, [1.0; 3]);
    }

    #[test]
    fn zero_has_no_sign_and_nothing_gives_nothing() {
        let found = frequency_weights(&[-0.0, 0.0], Frequencies::Values).unwrap();
        assert_eq!(found, [1.0, 1.0]);
        assert!(
            frequency_weights(&[], Frequencies::Bins(2))
                .unwrap()
                .is_empty()
        );
    }

    #[test]
    fn what_cannot_be_counted_is_refused() {
        assert!(frequency_weights(&[1.0, f64::NAN], Frequencies::Values).is_err());
        assert!(frequency_weights(&[1.0], Frequencies::Bins(0)).is_err());
    }
}
