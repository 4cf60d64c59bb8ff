//! Which pairs of conditions count, and how often.

use std::sync::OnceLock;

use consilience_core::pairs;

/// The pairs of one sample of conditions.
///
/// A bootstrap over conditions draws condition i mᵢ times. Pair (i, j) then occurs mᵢ·mⱼ times, and
/// the pairs of a condition with its own copies are left out: they are 0 by construction. So a
/// resample only reweights the original pairs, and nothing needs to be expanded.
pub(super) struct Sample {
    /// How often each condition occurs.
    pub conditions: Vec<u32>,
    /// Positions, in the RDM vector, of the pairs that count.
    pub pairs: Vec<u32>,
    /// How often each of `pairs` occurs.
    pub weights: Vec<u32>,
    /// Sum of `weights`.
    pub total: u64,
    /// Square roots of `weights`; empty when all are 1, which saves the most where there are most pairs.
    roots: Vec<f64>,
    /// The two conditions of each of `pairs`, made when they are asked for.
    ends: OnceLock<Vec<(u32, u32)>>,
}

impl Sample {
    /// Every condition once, without the pairs that are missing.
    pub fn whole(n_conditions: usize, present: &[bool]) -> Self {
        Self::resampled(vec![1; n_conditions], present)
    }

    /// Condition i `conditions[i]` times, without the pairs that are missing.
    pub fn resampled(conditions: Vec<u32>, present: &[bool]) -> Self {
        let mut sample = Self {
            pairs: Vec::with_capacity(present.len()),
            weights: Vec::with_capacity(present.len()),
            total: 0,
            roots: Vec::new(),
            ends: OnceLock::new(),
            conditions,
        };
        for (k, (i, j)) in pairs::iter(sample.conditions.len()).enumerate() {
            let weight = sample.conditions[i] * sample.conditions[j];
            if weight > 0 && present[k] {
                sample.pairs.push(k as u32);
                sample.weights.push(weight);
                sample.total += u64::from(weight);
            }
        }
        if sample.weights.iter().any(|&w| w != 1) {
            let weights = sample.weights.iter();
            sample.roots = weights.map(|&w| f64::from(w).sqrt()).collect();
        }
        sample
    }

    /// The two conditions of each of the pairs that count.
    pub fn ends(&self) -> &[(u32, u32)] {
        self.ends.get_or_init(|| {
            let mut counted = self.pairs.iter().peekable();
            let ends = pairs::iter(self.conditions.len()).zip(0..);
            let ends = ends.filter(|&(_, k)| counted.next_if(|&&pair| pair == k).is_some());
            ends.map(|((i, j), _)| (i as u32, j as u32)).collect()
        })
    }

    /// Multiplies the value of each pair by the root of how often it occurs.
    pub fn scale_by_roots(&self, values: &mut [f64]) {
        for (value, root) in values.iter_mut().zip(&self.roots) {
            *value *= root;
        }
    }

    /// Number of different conditions.
    pub fn n_distinct(&self) -> usize {
        self.conditions.iter().filter(|&&m| m > 0).count()
    }

    /// The values of one RDM vector at the pairs that count.
    pub fn gather<T: Copy>(&self, vector: &[T]) -> Vec<T> {
        self.pairs.iter().map(|&k| vector[k as usize]).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_of_copies_are_left_out() {
        let sample = Sample::resampled(vec![2, 0, 1, 1], &[true; 6]);
        assert_eq!(sample.pairs, [1, 2, 5]);
        assert_eq!(sample.ends(), [(0, 2), (0, 3), (2, 3)]);
        assert_eq!(sample.weights, [2, 2, 1]);
        assert_eq!(sample.total, 5);
        assert_eq!(sample.n_distinct(), 3);
    }

    #[test]
    fn missing_pairs_are_left_out() {
        let sample = Sample::whole(3, &[true, false, true]);
        assert_eq!(sample.gather(&[1.0, f64::NAN, 3.0]), [1.0, 3.0]);
        assert_eq!(sample.total, 2);
    }
}
