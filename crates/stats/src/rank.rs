//! Ranks of values, ties sharing their average.

use crate::real::Real;

/// Ranks from 1 to n; equal values share the mean of the ranks they span.
///
/// # Definition
///
/// rank(i) = #{j : xⱼ < xᵢ} + (#{j : xⱼ = xᵢ} + 1) / 2, where −0 equals +0. NaN is not a value to
/// rank: callers leave it out first; here NaNs rank above everything and tie with each other.
///
/// # Example
///
/// ```
/// use consilience_stats::rank::average_ranks;
///
/// assert_eq!(average_ranks(&[30.0, 10.0, 20.0, 10.0]), [4.0, 1.5, 3.0, 1.5]);
/// ```
///
/// # Peers
///
/// `scipy.stats.rankdata(method="average")`, exactly, for values without NaN.
#[must_use]
pub fn average_ranks<T: Real>(values: &[T]) -> Vec<f64> {
    let mut ranks = vec![0.0; values.len()];
    let sorted = sorted_keys(values);
    let mut start = 0;
    while start < sorted.len() {
        let key = sorted[start].0;
        let n_tied = sorted[start..]
            .iter()
            .take_while(|&&(k, _)| k == key)
            .count();
        let rank = start as f64 + (n_tied as f64 + 1.0) / 2.0;
        for &(_, idx) in &sorted[start..start + n_tied] {
            ranks[idx] = rank;
        }
        start += n_tied;
    }
    ranks
}

/// Keys in ascending order, each with the position of its value.
fn sorted_keys<T: Real>(values: &[T]) -> Vec<(u64, usize)> {
    let mut keys: Vec<(u64, usize)> = values.iter().map(|v| v.order_key()).zip(0..).collect();
    // Below a few thousand values the histograms cost more than a comparison sort.
    if keys.len() < 4096 {
        keys.sort_unstable();
    } else {
        radix_sort(&mut keys, T::KEY_BITS);
    }
    keys
}

const DIGIT_BITS: u32 = 11;
const N_DIGITS: usize = 1 << DIGIT_BITS;

/// Stable least-significant-digit radix sort by the lowest `key_bits` of the keys.
fn radix_sort(keys: &mut Vec<(u64, usize)>, key_bits: u32) {
    let mut buffer = vec![(0, 0); keys.len()];
    for shift in (0..key_bits).step_by(DIGIT_BITS as usize) {
        let digit = |key: u64| (key >> shift) as usize & (N_DIGITS - 1);
        let mut next = [0_usize; N_DIGITS];
        for &(key, _) in keys.iter() {
            next[digit(key)] += 1;
        }
        if next.contains(&keys.len()) {
            continue;
        }
        let mut position = 0;
        for slot in &mut next {
            position += std::mem::replace(slot, position);
        }
        for &(key, idx) in keys.iter() {
            let slot = &mut next[digit(key)];
            buffer[*slot] = (key, idx);
            *slot += 1;
        }
        std::mem::swap(keys, &mut buffer);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The definition, word for word.
    fn reference(values: &[f64]) -> Vec<f64> {
        let count = |keep: &dyn Fn(f64) -> bool| values.iter().filter(|&&v| keep(v)).count() as f64;
        values
            .iter()
            .map(|&x| count(&|v| v < x) + (count(&|v| v == x) + 1.0) / 2.0)
            .collect()
    }

    proptest! {
        #[test]
        fn ranks_follow_the_definition(
            values in prop::collection::vec(prop_oneof![-4.0..4.0_f64, (-3..3_i8).prop_map(f64::from), Just(-0.0)], 0..80)
        ) {
            prop_assert_eq!(average_ranks(&values), reference(&values));
            let narrow: Vec<f32> = values.iter().map(|&v| v as f32).collect();
            let widened: Vec<f64> = narrow.iter().map(|&v| f64::from(v)).collect();
            prop_assert_eq!(average_ranks(&narrow), reference(&widened));
        }
    }

    #[test]
    fn both_sorts_agree() {
        let values: Vec<f64> = (0..9000_u32)
            .map(|i| f64::from(i.wrapping_mul(2_654_435_761) >> 20) * 0.37 - 700.0)
            .collect();
        let mut expected: Vec<(u64, usize)> =
            values.iter().map(|v| v.order_key()).zip(0..).collect();
        expected.sort_unstable();
        assert_eq!(sorted_keys(&values), expected);

        let narrow: Vec<f32> = values.iter().map(|&v| v as f32).collect();
        assert_eq!(average_ranks(&narrow), average_ranks(&values));
    }

    #[test]
    fn extremes_and_signed_zero() {
        let values = [
            f64::INFINITY,
            -0.0,
            f64::NEG_INFINITY,
            0.0,
            f64::MIN_POSITIVE,
        ];
        assert_eq!(average_ranks(&values), [5.0, 2.5, 1.0, 2.5, 4.0]);
        assert_eq!(average_ranks::<f64>(&[]), Vec::<f64>::new());
        assert_eq!(average_ranks(&[f64::NAN, 1.0, -f64::NAN]), [2.5, 1.0, 2.5]);
    }
}
