//! Order statistics of RDMs on weighted samples: all in integers, so exact.

use consilience_stats::{Real, VectorWork, with_wide_vectors};

/// The order of the values of one RDM: level 0 for the smallest value, 1 for the next different
/// one, ….
#[derive(Debug, Clone)]
pub(super) struct Levels {
    /// The level of each value.
    pub of: Vec<u32>,
    /// Number of different values.
    pub n: usize,
}

impl Levels {
    /// Levels of numbers; NaN (a missing pair) sorts last.
    pub fn of_values(values: &[f64]) -> Self {
        Self::of_keys(values.iter().map(|v| v.order_key()).collect())
    }

    /// Levels of integers.
    pub fn of_integers(values: &[i64]) -> Self {
        // Flipping the sign bit keeps the order.
        Self::of_keys(
            values
                .iter()
                .map(|v| v.cast_unsigned() ^ (1 << 63))
                .collect(),
        )
    }

    fn of_keys(keys: Vec<u64>) -> Self {
        let mut of = vec![0; keys.len()];
        let mut n = 0;
        let mut last = None;
        for position in ascending(&keys) {
            let key = keys[position];
            if last.is_some_and(|last| last != key) {
                n += 1;
            }
            last = Some(key);
            of[position] = n;
        }
        Self {
            n: if of.is_empty() { 0 } else { n as usize + 1 },
            of,
        }
    }
}

/// Bits of a digit by which keys are sorted: the counts of all digits stay in the fastest cache.
const DIGIT: u32 = 11;

/// Positions of keys in ascending order.
///
/// A radix sort by the two leading digits of what the keys differ in, least significant first; the
/// keys that differ in later bits alone, few as a rule, are put right afterwards.
fn ascending(keys: &[u64]) -> impl Iterator<Item = usize> {
    let least = keys.iter().min().copied().unwrap_or(0);
    let most = keys.iter().max().copied().unwrap_or(0);
    let n_bits = u64::BITS - (most - least).leading_zeros();
    let n_later = n_bits.saturating_sub(2 * DIGIT);
    // Both digits and the position in one number, so that a pass reads nothing else.
    let leading = |packed: u64| packed >> u32::BITS;
    let position = |packed: u64| (packed & u64::from(u32::MAX)) as usize;
    let mut packed: Vec<u64> = keys
        .iter()
        .zip(0..)
        .map(|(key, position)| (((key - least) >> n_later) << u32::BITS) | position)
        .collect();
    let mut sorted = packed.clone();
    for place in 0..2 {
        let digit = |packed: u64| (leading(packed) >> (place * DIGIT)) as usize % (1 << DIGIT);
        let mut starts = [0_u32; (1 << DIGIT) + 1];
        for &entry in &packed {
            starts[digit(entry) + 1] += 1;
        }
        for value in 0..1 << DIGIT {
            starts[value + 1] += starts[value];
        }
        for &entry in &packed {
            let slot = &mut starts[digit(entry)];
            sorted[*slot as usize] = entry;
            *slot += 1;
        }
        std::mem::swap(&mut packed, &mut sorted);
    }
    if n_later > 0 {
        for near in packed.chunk_by_mut(|&a, &b| leading(a) == leading(b)) {
            if near.len() > 1 {
                near.sort_by_key(|&packed| keys[position(packed)]);
            }
        }
    }
    packed.into_iter().map(position)
}

/// Total weight at each level.
fn weight_by_level(levels: &[u32], n_levels: usize, weights: &[u32]) -> Vec<u64> {
    let mut totals = vec![0; n_levels];
    for (&level, &weight) in levels.iter().zip(weights) {
        totals[level as usize] += u64::from(weight);
    }
    totals
}

/// Twice the average rank of each value among all copies, minus its mean: 2·C + W − N, where C is
/// the weight of smaller values, W that of equal ones and N that of all.
pub(super) fn centred_ranks(levels: &[u32], n_levels: usize, weights: &[u32]) -> Vec<i64> {
    let mut ranks: Vec<i64> = weight_by_level(levels, n_levels, weights)
        .into_iter()
        .map(u64::cast_signed)
        .collect();
    let total: i64 = ranks.iter().sum();
    let mut below = 0;
    for slot in &mut ranks {
        let here = *slot;
        *slot = 2 * below + here - total;
        below += here;
    }
    levels.iter().map(|&level| ranks[level as usize]).collect()
}

/// An RDM on a sample, ready for Kendall's τ.
#[derive(Debug, Clone)]
pub(super) struct Order {
    levels: Vec<u32>,
    n_levels: usize,
    /// Positions by ascending level.
    ascending: Vec<u32>,
    /// Number of pairs of values that are not tied, copies counted.
    pub n_untied: u64,
}

impl Order {
    pub fn new(levels: Vec<u32>, n_levels: usize, weights: &[u32]) -> Self {
        let by_level = weight_by_level(&levels, n_levels, weights);
        let n_tied: u64 = by_level.iter().map(|&w| n_choose_2(w)).sum();
        let n_untied = n_choose_2(by_level.iter().sum()) - n_tied;
        // A counting sort: the levels are small integers.
        let mut next = vec![0_u32; n_levels + 1];
        for &level in &levels {
            next[level as usize + 1] += 1;
        }
        for level in 0..n_levels {
            next[level + 1] += next[level];
        }
        let mut ascending = vec![0; levels.len()];
        for (position, &level) in (0..).zip(&levels) {
            let slot = &mut next[level as usize];
            ascending[*slot as usize] = position;
            *slot += 1;
        }
        Self {
            levels,
            n_levels,
            ascending,
            n_untied,
        }
    }

    /// Concordant minus discordant pairs of values, copies counted, in O(m log m).
    pub fn concordance(&self, other: &Self, weights: &[u32]) -> i64 {
        with_wide_vectors(Concordance {
            x: self,
            y: other,
            weights,
        })
    }
}

/// Values enter in ascending order of `x`; a tally over the levels of `y` holds the weight of those
/// that are strictly smaller in `x`.
struct Concordance<'a> {
    x: &'a Order,
    y: &'a Order,
    weights: &'a [u32],
}

impl VectorWork for Concordance<'_> {
    type Output = i64;

    #[inline(always)]
    fn call(self) -> i64 {
        let Self { x, y, weights } = self;
        let mut seen = Tally::new(y.n_levels);
        let mut balance = 0;
        let mut rest = x.ascending.as_slice();
        while let Some(&first) = rest.first() {
            let level = x.levels[first as usize];
            let mut n_tied = 1;
            while n_tied < rest.len() && x.levels[rest[n_tied] as usize] == level {
                n_tied += 1;
            }
            let (tied, later) = rest.split_at(n_tied);
            for &k in tied {
                let (below, above) = seen.around(y.levels[k as usize] as usize);
                balance += i64::from(weights[k as usize]) * (i64::from(below) - i64::from(above));
            }
            for &k in tied {
                seen.add(y.levels[k as usize] as usize, weights[k as usize]);
            }
            rest = later;
        }
        balance
    }
}

/// Number of pairs of `n` things.
pub(super) fn n_choose_2(n: u64) -> u64 {
    n * n.saturating_sub(1) / 2
}

/// Weights by level with fast prefix sums.
///
/// Levels lie in blocks of 64, and these in groups of 64. To add a weight is to add it to all later
/// levels of its block, to all later blocks of its group, a few wide vectors each, and to the sums of
/// groups, a binary indexed tree (Fenwick 1994, doi:10.1002/spe.4380240306). A sum is then read at
/// three places.
struct Tally {
    /// For each level, the weight of the smaller ones in its block.
    in_blocks: Vec<[u32; SPAN]>,
    /// For each block, the weight of the earlier ones in its group.
    in_groups: Vec<[u32; SPAN]>,
    /// Entry g + 1 holds a sum that ends with group g.
    groups: Vec<u32>,
    total: u32,
}

/// Levels of a block, and blocks of a group.
const SPAN: usize = 64;

impl Tally {
    fn new(n_levels: usize) -> Self {
        // One level more, for the sum up to the last.
        let n_blocks = n_levels / SPAN + 1;
        let n_groups = n_blocks.div_ceil(SPAN);
        Self {
            in_blocks: vec![[0; SPAN]; n_blocks],
            in_groups: vec![[0; SPAN]; n_groups],
            groups: vec![0; n_groups + 1],
            total: 0,
        }
    }

    #[inline(always)]
    fn add(&mut self, level: usize, weight: u32) {
        let block = level / SPAN;
        add_after(&mut self.in_blocks[block], level % SPAN, weight);
        add_after(&mut self.in_groups[block / SPAN], block % SPAN, weight);
        let mut node = block / SPAN + 1;
        while node < self.groups.len() {
            self.groups[node] += weight;
            node += node & node.wrapping_neg();
        }
        self.total += weight;
    }

    /// Weight below a level.
    #[inline(always)]
    fn below(&self, level: usize) -> u32 {
        let block = level / SPAN;
        let mut node = block / SPAN;
        let mut sum = self.in_blocks[block][level % SPAN] + self.in_groups[node][block % SPAN];
        while node > 0 {
            sum += self.groups[node];
            node &= node - 1;
        }
        sum
    }

    /// Weight below a level and weight above it.
    #[inline(always)]
    fn around(&self, level: usize) -> (u32, u32) {
        (self.below(level), self.total - self.below(level + 1))
    }
}

/// Adds to all places after one, by a loop over all, which vectorises.
#[inline(always)]
fn add_after(sums: &mut [u32; SPAN], place: usize, weight: u32) {
    let place = place as u32;
    for (i, sum) in (0_u32..).zip(sums) {
        *sum += if i > place { weight } else { 0 };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn levels_count_different_values() {
        let levels = Levels::of_values(&[2.0, -0.0, 0.0, 5.0, 2.0]);
        assert_eq!(levels.of, [1, 0, 0, 2, 1]);
        assert_eq!(levels.n, 3);
        assert_eq!(Levels::of_integers(&[]).n, 0);
        assert_eq!(Levels::of_integers(&[3, i64::MIN, 3, -1]).of, [2, 0, 2, 1]);
    }

    #[test]
    fn levels_tell_neighbours_apart() {
        // The huge values leave the others the least room.
        let mut values = vec![-1e300, f64::NAN];
        let steps = [7_u32, 3, 0, 7, 1, 6, 2, 5, 3, 4];
        values.extend(steps.map(|step| 1.0 + f64::from(step) * f64::EPSILON));
        let levels = Levels::of_values(&values);
        assert_eq!(levels.of[..2], [0, 9]);
        assert_eq!(levels.of[2..], steps.map(|step| step + 1));
        assert_eq!(levels.n, 10);
    }

    #[test]
    fn centred_ranks_are_twice_scipy_ranks_around_zero() {
        // Ranks of 3, 1, 3, 2 are 3.5, 1, 3.5, 2; their mean is 2.5.
        let levels = Levels::of_values(&[3.0, 1.0, 3.0, 2.0]);
        assert_eq!(centred_ranks(&levels.of, levels.n, &[1; 4]), [2, -3, 2, -1]);
    }

    proptest! {
        #[test]
        fn positions_ascend(
            narrow in prop::collection::vec(0_u64..6_000_000, 1..200),
            wide in prop::collection::vec(any::<u64>(), 1..200),
            offset in 0..u64::MAX / 2,
        ) {
            for keys in [narrow.iter().map(|k| k + offset).collect(), wide] {
                let order: Vec<usize> = ascending(&keys).collect();
                prop_assert!(order.iter().map(|&p| keys[p]).is_sorted());
                let mut all = order;
                all.sort_unstable();
                prop_assert!(all.into_iter().eq(0..keys.len()));
            }
        }

        #[test]
        fn weights_are_copies(rows in prop::collection::vec((0_u32..5, 0_u32..90, 1_u32..4), 1..60)) {
            let (x, (y, w)): (Vec<u32>, (Vec<u32>, Vec<u32>)) =
                rows.iter().map(|&(x, y, w)| (x, (y, w))).unzip();
            let copies: Vec<(i64, i64)> = rows
                .iter()
                .flat_map(|&(x, y, w)| std::iter::repeat_n((i64::from(x), i64::from(y)), w as usize))
                .collect();
            let (mut balance, mut untied) = (0, 0);
            for (k, a) in copies.iter().enumerate() {
                for b in &copies[..k] {
                    balance += (a.0 - b.0).signum() * (a.1 - b.1).signum();
                    untied += u64::from(a.0 != b.0);
                }
            }
            let order_x = Order::new(x.clone(), 5, &w);
            let order_y = Order::new(y, 90, &w);
            prop_assert_eq!(order_x.n_untied, untied);
            prop_assert_eq!(order_x.concordance(&order_y, &w), balance);
            prop_assert_eq!(order_y.concordance(&order_x, &w), balance);

            let ranks = centred_ranks(&x, 5, &w);
            for (k, &value) in x.iter().enumerate() {
                let expected: i64 = copies
                    .iter()
                    .map(|&(other, _)| (i64::from(value) - other).signum())
                    .sum();
                prop_assert_eq!(ranks[k], expected);
            }
        }
    }
}
