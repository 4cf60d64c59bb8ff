//! Order statistics of RDMs on weighted samples: all in integers, so exact.

use consilience_stats::{Real, VectorWork, with_wide_vectors};
use rayon::prelude::*;

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
        Self::of_keys(values.len(), |k| values[k].order_key())
    }

    /// Levels of integers.
    pub fn of_integers(values: &[i64]) -> Self {
        // Flipping the sign bit keeps the order.
        Self::of_keys(values.len(), |k| values[k].cast_unsigned() ^ (1 << 63))
    }

    fn of_keys(n_keys: usize, key: impl Fn(usize) -> u64) -> Self {
        let order = ascending(n_keys, &key, n_keys >= IN_PLACE);
        let mut of = vec![0; n_keys];
        let mut n = 0;
        let mut last = None;
        for position in order {
            let key = key(position);
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
/// So many keys are sorted in place, where a second copy would be dear.
const IN_PLACE: usize = 1 << 22;

/// Positions of `n` keys in ascending order.
///
/// A radix sort by the two leading digits of what the keys differ in, least significant first, or a sort in place by more of the
/// leading bits; the keys that differ in later bits alone, few as a rule, are put right afterwards.
fn ascending(n: usize, key: &impl Fn(usize) -> u64, in_place: bool) -> impl Iterator<Item = usize> {
    let least = (0..n).map(key).min().unwrap_or(0);
    let most = (0..n).map(key).max().unwrap_or(0);
    let n_bits = u64::BITS - (most - least).leading_zeros();
    let n_later = n_bits.saturating_sub(if in_place { u32::BITS } else { 2 * DIGIT });
    // The leading bits and the position in one number, so that a pass reads nothing else.
    let leading = |packed: u64| packed >> u32::BITS;
    let position = |packed: u64| (packed & u64::from(u32::MAX)) as usize;
    let pack = |k: usize| (((key(k) - least) >> n_later) << u32::BITS) | k as u64;
    let mut packed: Vec<u64> = (0..n).map(pack).collect();
    if in_place {
        packed.par_sort_unstable();
    } else {
        packed = by_digits(packed, leading);
    }
    if n_later > 0 {
        for near in packed.chunk_by_mut(|&a, &b| leading(a) == leading(b)) {
            if near.len() > 1 {
                near.sort_by_key(|&packed| key(position(packed)));
            }
        }
    }
    packed.into_iter().map(position)
}

/// Numbers in ascending order of their leading two digits.
fn by_digits(mut packed: Vec<u64>, leading: impl Fn(u64) -> u64) -> Vec<u64> {
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
    packed
}

/// Total weight at each level; no weights are weights of 1.
fn weight_by_level(levels: &[u32], n_levels: usize, weights: &[u32]) -> Vec<u32> {
    let mut totals = vec![0; n_levels];
    if weights.is_empty() {
        levels.iter().for_each(|&level| totals[level as usize] += 1);
    }
    for (&level, &weight) in levels.iter().zip(weights) {
        totals[level as usize] += weight;
    }
    totals
}

/// Twice the average rank of each value among all copies, minus its mean: 2·C + W − N, where C is
/// the weight of smaller values, W that of equal ones and N that of all, which [`MOST_CONDITIONS`] bounds.
///
/// [`MOST_CONDITIONS`]: super::inputs::MOST_CONDITIONS
pub(super) fn centred_ranks(levels: Vec<u32>, n_levels: usize, weights: &[u32]) -> Vec<i32> {
    let by_level = weight_by_level(&levels, n_levels, weights);
    let total: i64 = by_level.iter().map(|&w| i64::from(w)).sum();
    let mut below = 0;
    let ranks = by_level.into_iter().map(|here| {
        let rank = 2 * below + i64::from(here) - total;
        below += i64::from(here);
        rank as i32
    });
    // Numbers of one size: both take the place of what they are made from.
    let ranks: Vec<i32> = ranks.collect();
    (levels.into_iter())
        .map(|level| ranks[level as usize])
        .collect()
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
        let by_level = by_level.into_iter().map(u64::from);
        let n_tied: u64 = by_level.clone().map(n_choose_2).sum();
        let n_untied = n_choose_2(by_level.sum()) - n_tied;
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
        let (x, y) = (self, other);
        if weights.is_empty() {
            return with_wide_vectors(Concordance {
                x,
                y,
                weight: |_| 1,
            });
        }
        let weight = |k: u32| weights[k as usize];
        with_wide_vectors(Concordance { x, y, weight })
    }
}

/// Values enter in ascending order of `x`; a tally over the levels of `y` holds the weight of those
/// that are strictly smaller in `x`.
struct Concordance<'a, W> {
    x: &'a Order,
    y: &'a Order,
    weight: W,
}

impl<W: Fn(u32) -> u32> VectorWork for Concordance<'_, W> {
    type Output = i64;

    #[inline(always)]
    fn call(self) -> i64 {
        let Self { x, y, weight } = self;
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
                balance += i64::from(weight(k)) * (i64::from(below) - i64::from(above));
            }
            for &k in tied {
                seen.add(y.levels[k as usize] as usize, weight(k));
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
        for weights in [vec![1; 4], Vec::new()] {
            let ranks = centred_ranks(levels.of.clone(), levels.n, &weights);
            assert_eq!(ranks, [2, -3, 2, -1]);
        }
    }

    proptest! {
        #[test]
        fn positions_ascend(
            narrow in prop::collection::vec(0_u64..6_000_000, 1..200),
            wide in prop::collection::vec(any::<u64>(), 1..200),
            offset in 0..u64::MAX / 2,
        ) {
            for keys in [narrow.iter().map(|k| k + offset).collect(), wide] {
                for in_place in [false, true] {
                    let order: Vec<usize> =
                        ascending(keys.len(), &|k| keys[k], in_place).collect();
                    prop_assert!(order.iter().map(|&p| keys[p]).is_sorted());
                    let mut all = order;
                    all.sort_unstable();
                    prop_assert!(all.into_iter().eq(0..keys.len()));
                }
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

            let ranks = centred_ranks(x.clone(), 5, &w);
            for (k, &value) in x.iter().enumerate() {
                let expected: i64 = copies
                    .iter()
                    .map(|&(other, _)| (i64::from(value) - other).signum())
                    .sum();
                prop_assert_eq!(i64::from(ranks[k]), expected);
            }
        }
    }
}
