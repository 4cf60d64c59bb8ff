//! Which pairs of conditions count, and how often.

use std::borrow::Cow;
use std::sync::OnceLock;

use consilience_core::pairs;

use super::row::length;

/// The pairs of one sample of conditions.
///
/// A bootstrap over conditions draws condition i mᵢ times. Pair (i, j) then occurs mᵢ·mⱼ times, and
/// the pairs of a condition with its own copies are left out: they are 0 by construction. So a
/// resample only reweights the original pairs, and nothing needs to be expanded.
pub(super) struct Sample {
    /// How often each condition occurs.
    pub conditions: Vec<u32>,
    /// Sum of how often each pair occurs.
    pub total: u64,
    /// Positions, in the RDM vector, of the pairs that count; `None` when all do, which saves the most where there are most
    /// pairs.
    positions: Option<Vec<u32>>,
    /// How often each of these pairs occurs, and the square roots; empty when all occur once.
    weights: Vec<u32>,
    roots: Vec<f64>,
    /// The two conditions of each of the pairs, made when they are asked for; not when all count.
    ends: OnceLock<Vec<(u32, u32)>>,
}

impl Sample {
    /// Every condition once, without the pairs that are missing.
    pub fn whole(n_conditions: usize, present: &[bool]) -> Self {
        let conditions = vec![1; n_conditions];
        if present.iter().all(|&is_present| is_present) {
            return Self {
                conditions,
                total: present.len() as u64,
                positions: None,
                weights: Vec::new(),
                roots: Vec::new(),
                ends: OnceLock::new(),
            };
        }
        Self::resampled(conditions, present)
    }

    /// Condition i `conditions[i]` times, without the pairs that are missing.
    pub fn resampled(conditions: Vec<u32>, present: &[bool]) -> Self {
        let mut positions = Vec::with_capacity(present.len());
        let mut weights = Vec::with_capacity(present.len());
        let mut total = 0;
        for (k, (i, j)) in pairs::iter(conditions.len()).enumerate() {
            let weight = conditions[i] * conditions[j];
            if weight > 0 && present[k] {
                positions.push(k as u32);
                weights.push(weight);
                total += u64::from(weight);
            }
        }
        if weights.iter().all(|&w| w == 1) {
            weights = Vec::new();
        }
        let roots = weights.iter().map(|&w| f64::from(w).sqrt()).collect();
        Self {
            conditions,
            total,
            positions: Some(positions),
            weights,
            roots,
            ends: OnceLock::new(),
        }
    }

    /// Number of pairs that count, copies not counted.
    pub fn n_pairs(&self) -> usize {
        match &self.positions {
            None => pairs::n_pairs(self.conditions.len()),
            Some(positions) => positions.len(),
        }
    }

    /// How often each of the pairs that count occurs; empty when each occurs once.
    pub fn weights(&self) -> &[u32] {
        &self.weights
    }

    /// Calls `act` with the place among the pairs that count and the two conditions of each of them.
    pub fn for_each_pair(&self, mut act: impl FnMut(usize, usize, usize)) {
        let n = self.conditions.len();
        let Some(positions) = &self.positions else {
            for (k, (i, j)) in pairs::iter(n).enumerate() {
                act(k, i, j);
            }
            return;
        };
        let ends = self.ends.get_or_init(|| {
            let mut counted = positions.iter().peekable();
            let ends = pairs::iter(n).zip(0..);
            let ends = ends.filter(|&(_, k)| counted.next_if(|&&pair| pair == k).is_some());
            ends.map(|((i, j), _)| (i as u32, j as u32)).collect()
        });
        for (k, &(i, j)) in ends.iter().enumerate() {
            act(k, i as usize, j as usize);
        }
    }

    /// Whether every pair of two different conditions that were drawn counts.
    pub fn is_complete(&self) -> bool {
        self.n_pairs() == pairs::n_pairs(self.n_distinct())
    }

    /// Multiplies the value of each pair by the root of how often it occurs.
    pub fn scale_by_roots(&self, values: &mut [f64]) {
        for (value, root) in values.iter_mut().zip(&self.roots) {
            *value *= root;
        }
    }

    /// Root of the sum of squares of the pairs' values, each as often as it occurs.
    pub fn length(&self, values: &[f64]) -> f64 {
        if self.roots.is_empty() {
            return length(values);
        }
        let mut scaled = values.to_vec();
        self.scale_by_roots(&mut scaled);
        length(&scaled)
    }

    /// Number of different conditions.
    pub fn n_distinct(&self) -> usize {
        self.conditions.iter().filter(|&&m| m > 0).count()
    }

    /// The values of one RDM vector at the pairs that count.
    pub fn gather<T: Copy>(&self, vector: &[T]) -> Vec<T> {
        // Whitening appends a value a condition; where that does not fit, everything would be copied.
        let mut values = Vec::with_capacity(self.n_pairs() + self.conditions.len());
        match &self.positions {
            None => values.extend_from_slice(vector),
            Some(positions) => values.extend(positions.iter().map(|&k| vector[k as usize])),
        }
        values
    }

    /// The same without a copy where every pair counts.
    pub fn at_pairs<'a, T: Copy>(&self, vector: &'a [T]) -> Cow<'a, [T]> {
        match self.positions {
            None => vector.into(),
            Some(_) => self.gather(vector).into(),
        }
    }

    /// Adds `weight` times the values of one RDM vector to the sums at the pairs that count.
    pub fn add_to(&self, sums: &mut [f64], weight: f64, vector: &[f64]) {
        match &self.positions {
            None => (sums.iter_mut().zip(vector)).for_each(|(sum, value)| *sum += weight * value),
            Some(positions) => sums
                .iter_mut()
                .zip(positions)
                .for_each(|(sum, &k)| *sum += weight * vector[k as usize]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_of_copies_are_left_out() {
        let sample = Sample::resampled(vec![2, 0, 1, 1], &[true; 6]);
        assert_eq!(sample.gather(&[0, 1, 2, 3, 4, 5]), [1, 2, 5]);
        let mut found = Vec::new();
        sample.for_each_pair(|k, i, j| found.push((k, i, j)));
        assert_eq!(found, [(0, 0, 2), (1, 0, 3), (2, 2, 3)]);
        assert_eq!(sample.weights(), [2, 2, 1]);
        assert_eq!(sample.total, 5);
        assert_eq!(sample.n_distinct(), 3);
    }

    #[test]
    fn missing_pairs_are_left_out() {
        let sample = Sample::whole(3, &[true, false, true]);
        assert_eq!(sample.gather(&[1.0, f64::NAN, 3.0]), [1.0, 3.0]);
        assert_eq!(sample.total, 2);
        assert!(!sample.is_complete());
    }

    #[test]
    fn a_sample_of_everything_is_the_same_with_and_without_its_pairs() {
        let listed = Sample::resampled(vec![1; 4], &[true; 6]);
        let implied = Sample::whole(4, &[true; 6]);
        let seen = |sample: &Sample| {
            let mut ends = Vec::new();
            sample.for_each_pair(|k, i, j| ends.push((k, i, j)));
            let mut sums = vec![1.0; 6];
            sample.add_to(&mut sums, 2.0, &[0.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
            let counts = (sample.n_pairs(), sample.total, sample.is_complete());
            (ends, sums, counts, sample.weights().to_vec())
        };
        assert_eq!(seen(&listed), seen(&implied));
    }
}
