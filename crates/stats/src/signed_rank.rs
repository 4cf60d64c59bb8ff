//! The sum of signed ranks when every sign is a fair coin.

/// Probabilities of a sum of positive ranks at most, and at least, as large as the one observed.
///
/// # Shapes
///
/// `doubled_ranks` holds twice the rank of each difference, so that shared ranks are whole numbers; `doubled_sum` is twice the sum of
/// those whose difference is positive.
///
/// # Definition
///
/// Each rank takes part with probability ½, independently. The distribution of the sum is built rank by rank, exactly but for
/// rounding; it costs n times the largest sum, which is n(n + 1) doubled.
///
/// # Example
///
/// ```
/// use consilience_stats::signed_rank::tails;
///
/// // Three positive differences: one of eight assignments of signs.
/// assert_eq!(tails(&[2, 4, 6], 12), [1.0, 0.125]);
/// ```
///
/// # References
///
/// Wilcoxon (1945), doi:10.2307/3001968; Pratt & Gibbons (1981), Concepts of Nonparametric Theory.
///
/// # Peers
///
/// `scipy.stats.wilcoxon(method="exact")`, and its permutation method for ties, to 1e-12.
#[must_use]
pub fn tails(doubled_ranks: &[usize], doubled_sum: usize) -> [f64; 2] {
    let most: usize = doubled_ranks.iter().sum();
    let mut share = vec![0.0; most + 1];
    share[0] = 1.0;
    let mut reached = 0;
    for &rank in doubled_ranks {
        reached += rank;
        for sum in (0..=reached).rev() {
            let without = share[sum];
            let with = if sum < rank { 0.0 } else { share[sum - rank] };
            share[sum] = 0.5 * (without + with);
        }
    }
    let at_most: f64 = share.iter().take(doubled_sum + 1).sum();
    // From the far end, so that small probabilities come first.
    let at_least: f64 = share.iter().skip(doubled_sum).rev().sum();
    [at_most.min(1.0), at_least.min(1.0)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Every assignment of signs in turn.
        #[test]
        fn agrees_with_enumeration(ranks in prop::collection::vec(1..30_usize, 0..11), sum in 0..200_usize) {
            let sum = sum.min(ranks.iter().sum());
            let n_all = 1_usize << ranks.len();
            let of = |signs: usize| -> usize {
                (0..ranks.len()).filter(|i| signs >> i & 1 == 1).map(|i| ranks[i]).sum()
            };
            let share = |keep: &dyn Fn(usize) -> bool| {
                (0..n_all).filter(|&signs| keep(of(signs))).count() as f64 / n_all as f64
            };
            let [at_most, at_least] = tails(&ranks, sum);
            prop_assert!((at_most - share(&|s| s <= sum)).abs() < 1e-12);
            prop_assert!((at_least - share(&|s| s >= sum)).abs() < 1e-12);
        }
    }
}
