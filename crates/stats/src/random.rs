//! Random numbers that depend on a seed and an index, never on the order of the work.
//!
//! Every resample owns a stream of its own, so that its draws are the same whichever thread takes
//! it, in whatever order, in whatever shard.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// What a stream is drawn for. Streams of different domains are independent under one seed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Domain {
    /// Resampling of subjects.
    Subjects,
    /// Resampling of conditions.
    Conditions,
    /// Permutation of condition labels.
    Permutations,
    /// Data that are simulated.
    Simulation,
    /// Weights to begin with and the order of samples.
    Training,
    /// Random projection of activations.
    Projection,
    /// Weights of bands of features.
    Bands,
    /// Division of samples into those to learn from and those to judge by.
    Split,
    /// Signs of subjects' scores.
    Signs,
}

impl Domain {
    /// Part of the key: changing a number changes every result that was drawn with it.
    fn key(self) -> u64 {
        match self {
            Self::Subjects => 1,
            Self::Conditions => 2,
            Self::Permutations => 3,
            Self::Simulation => 4,
            Self::Training => 5,
            Self::Projection => 6,
            Self::Bands => 7,
            Self::Split => 8,
            Self::Signs => 9,
        }
    }
}

/// A reproducible stream of random numbers.
///
/// # Definition
///
/// `ChaCha8` whose 32-byte key is the seed and the domain (little-endian, then zeros) and whose
/// stream number is the index of the resample.
///
/// # Example
///
/// ```
/// use consilience_stats::random::{Domain, Stream};
///
/// let mut first = Stream::new(1, Domain::Permutations, 7);
/// let mut again = Stream::new(1, Domain::Permutations, 7);
/// assert_eq!(first.permutation(20), again.permutation(20));
/// ```
///
/// # References
///
/// Bernstein (2008), ChaCha, a variant of Salsa20.
#[derive(Debug, Clone)]
pub struct Stream(ChaCha8Rng);

impl Stream {
    /// The stream of resample `index` in a domain.
    #[must_use]
    pub fn new(seed: u64, domain: Domain, index: u64) -> Self {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        key[8..16].copy_from_slice(&domain.key().to_le_bytes());
        let mut rng = ChaCha8Rng::from_seed(key);
        rng.set_stream(index);
        Self(rng)
    }

    /// A uniform integer in 0…n−1, without bias (Lemire 2019, doi:10.1145/3230636).
    ///
    /// # Panics
    ///
    /// When `n` is zero: there is nothing to draw.
    pub fn below(&mut self, n: u32) -> u32 {
        assert!(n > 0, "a draw needs at least one possibility");
        let rejected_below = n.wrapping_neg() % n;
        loop {
            let product = u64::from(self.0.next_u32()) * u64::from(n);
            // The low half decides whether the draw falls into the uneven remainder.
            if (product & u64::from(u32::MAX)) >= u64::from(rejected_below) {
                return (product >> 32) as u32;
            }
        }
    }

    /// A uniform number in [0, 1) with 53 random bits.
    pub fn uniform(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 * (-53.0_f64).exp2()
    }

    /// A standard normal number (Box and Muller 1958, doi:10.1214/aoms/1177706645).
    pub fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.uniform()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.uniform()).cos()
    }

    /// A draw from the symmetric Dirichlet distribution: `n` positive shares that add up to 1, the more
    /// unequal the smaller `concentration`.
    ///
    /// Gamma variates (Marsaglia and Tsang 2000, doi:10.1145/358407.358414) over their sum, in logarithms,
    /// so that small concentrations do not vanish.
    ///
    /// # Panics
    ///
    /// When `n` is zero or `concentration` is not a positive finite number.
    pub fn dirichlet(&mut self, n: usize, concentration: f64) -> Vec<f64> {
        assert!(n > 0 && concentration > 0.0 && concentration.is_finite());
        let logs: Vec<f64> = (0..n)
            .map(|_| self.log_gamma_variate(concentration))
            .collect();
        let largest = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let shares: Vec<f64> = logs.iter().map(|log| (log - largest).exp()).collect();
        let sum: f64 = shares.iter().sum();
        shares.iter().map(|share| share / sum).collect()
    }

    /// The logarithm of a gamma variate of the given shape.
    fn log_gamma_variate(&mut self, shape: f64) -> f64 {
        // Below 1, G(a) = G(a + 1)·U^(1/a).
        let boost = match shape < 1.0 {
            true => (1.0 - self.uniform()).ln() / shape,
            false => 0.0,
        };
        let d = shape + f64::from(u8::from(shape < 1.0)) - 1.0 / 3.0;
        let c = 1.0 / (9.0 * d).sqrt();
        loop {
            let x = self.normal();
            let v = (1.0 + c * x).powi(3);
            if v <= 0.0 {
                continue;
            }
            let u = 1.0 - self.uniform();
            if u.ln() < 0.5 * x * x + d - d * v + d * v.ln() {
                return boost + (d * v).ln();
            }
        }
    }

    /// How often each of `n` items is drawn in `n` draws with replacement.
    ///
    /// # Panics
    ///
    /// When `n` does not fit 32 bits.
    pub fn multiplicities(&mut self, n: usize) -> Vec<u32> {
        let n_items = to_u32(n);
        let mut counts = vec![0; n];
        for _ in 0..n {
            counts[self.below(n_items) as usize] += 1;
        }
        counts
    }

    /// A uniform permutation of 0…n−1 (Fisher and Yates).
    ///
    /// # Panics
    ///
    /// When `n` does not fit 32 bits.
    pub fn permutation(&mut self, n: usize) -> Vec<usize> {
        let mut items: Vec<usize> = (0..n).collect();
        for i in (1..n).rev() {
            items.swap(i, self.below(to_u32(i + 1)) as usize);
        }
        items
    }

    /// A uniform permutation among those that exchange items of the same block only.
    ///
    /// # Shapes
    ///
    /// `blocks` has a label for each item; items that share one are a block.
    ///
    /// # Definition
    ///
    /// Fisher and Yates within each block, in ascending order of the labels. A single block draws what
    /// [`Stream::permutation`] draws.
    ///
    /// # Panics
    ///
    /// When the number of items does not fit 32 bits.
    pub fn permutation_within(&mut self, blocks: &[usize]) -> Vec<usize> {
        let mut items: Vec<usize> = (0..blocks.len()).collect();
        let mut by_block = items.clone();
        by_block.sort_by_key(|&item| blocks[item]);
        for places in by_block.chunk_by(|&a, &b| blocks[a] == blocks[b]) {
            for i in (1..places.len()).rev() {
                let j = self.below(to_u32(i + 1)) as usize;
                items.swap(places[i], places[j]);
            }
        }
        items
    }

    /// `n` fair signs, −1 or 1.
    pub fn signs(&mut self, n: usize) -> Vec<f64> {
        let mut bits = 0;
        (0..n)
            .map(|i| {
                if i % 64 == 0 {
                    bits = self.0.next_u64();
                }
                if bits >> (i % 64) & 1 == 1 { -1.0 } else { 1.0 }
            })
            .collect()
    }
}

fn to_u32(n: usize) -> u32 {
    u32::try_from(n).expect("no more than 2³² − 1 items are resampled")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_differ_by_seed_domain_and_index() {
        let draw = |seed, domain, index| Stream::new(seed, domain, index).permutation(50);
        let first = draw(1, Domain::Subjects, 0);
        assert_ne!(first, draw(2, Domain::Subjects, 0));
        assert_ne!(first, draw(1, Domain::Conditions, 0));
        assert_ne!(first, draw(1, Domain::Subjects, 1));
    }

    #[test]
    fn a_permutation_holds_every_item_once() {
        let mut items = Stream::new(3, Domain::Permutations, 0).permutation(101);
        items.sort_unstable();
        assert!(items.into_iter().eq(0..101));
    }

    #[test]
    fn permutations_are_uniform() {
        let mut counts = std::collections::BTreeMap::new();
        for index in 0..6000 {
            let order = Stream::new(5, Domain::Permutations, index).permutation(3);
            *counts.entry(order).or_insert(0_i32) += 1;
        }
        assert_eq!(counts.len(), 6);
        // Five standard deviations of a binomial count around 1000.
        assert!(
            counts.values().all(|n| (n - 1000).abs() < 145),
            "{counts:?}"
        );
    }

    #[test]
    fn blocks_are_kept() {
        let blocks = [2, 0, 2, 7, 0, 2, 0];
        let mut counts = std::collections::BTreeMap::new();
        for index in 0..3600 {
            let order = Stream::new(8, Domain::Permutations, index).permutation_within(&blocks);
            assert!(order.iter().zip(&blocks).all(|(&i, b)| blocks[i] == *b));
            let mut sorted = order.clone();
            sorted.sort_unstable();
            assert!(sorted.into_iter().eq(0..7));
            *counts.entry(order).or_insert(0_i32) += 1;
        }
        // 3! · 3! · 1!, each within five standard deviations of 100.
        assert_eq!(counts.len(), 36);
        assert!(counts.values().all(|n| (n - 100).abs() < 50), "{counts:?}");
        for n in [0, 1, 30] {
            let draw = || Stream::new(9, Domain::Permutations, 1);
            assert_eq!(
                draw().permutation_within(&vec![4; n]),
                draw().permutation(n)
            );
        }
    }

    #[test]
    fn signs_are_fair_and_independent() {
        let n = 130;
        let flips: Vec<Vec<f64>> = (0..2000)
            .map(|index| Stream::new(2, Domain::Signs, index).signs(n))
            .collect();
        let mean = |of: &dyn Fn(&[f64]) -> f64| {
            flips.iter().map(|signs| of(signs)).sum::<f64>() / flips.len() as f64
        };
        // Five standard errors.
        for i in 0..n {
            assert!(mean(&|signs| signs[i]).abs() < 0.112);
            assert!(mean(&|signs| signs[i] * signs[(i + 64) % n]).abs() < 0.112);
        }
        assert!(flips.iter().flatten().all(|s| s.abs() == 1.0));
    }

    #[test]
    fn multiplicities_sum_to_the_number_of_draws() {
        let counts = Stream::new(4, Domain::Subjects, 9).multiplicities(16);
        assert_eq!(counts.iter().sum::<u32>(), 16);
    }

    #[test]
    fn normals_have_unit_moments() {
        let mut stream = Stream::new(6, Domain::Simulation, 0);
        let draws: Vec<f64> = (0..20_000).map(|_| stream.normal()).collect();
        let mean = draws.iter().sum::<f64>() / draws.len() as f64;
        let variance = draws.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / draws.len() as f64;
        assert!(mean.abs() < 0.04, "{mean}");
        assert!((variance - 1.0).abs() < 0.05, "{variance}");
    }

    #[test]
    fn dirichlet_shares_have_their_moments() {
        let (n, n_draws) = (3, 20_000);
        for concentration in [0.1, 1.0, 4.0] {
            let (mut mean, mut square) = (0.0, 0.0);
            for index in 0..n_draws {
                let shares = Stream::new(3, Domain::Bands, index).dirichlet(n, concentration);
                assert!((shares.iter().sum::<f64>() - 1.0).abs() < 1e-12);
                mean += shares[1] / n_draws as f64;
                square += shares[1] * shares[1] / n_draws as f64;
            }
            let expected = (1.0 / 3.0) * (2.0 / 3.0) / (3.0 * concentration + 1.0);
            assert!((mean - 1.0 / 3.0).abs() < 0.012, "{mean}");
            let variance = square - mean * mean;
            assert!(
                (variance / expected - 1.0).abs() < 0.06,
                "{variance} {expected}"
            );
        }
    }
}
