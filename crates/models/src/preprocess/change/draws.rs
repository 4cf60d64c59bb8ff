//! Random numbers of one picture in one epoch.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// Part of the key, so that no other use of a seed has the same numbers.
const DOMAIN: &[u8; 8] = b"pictures";

/// `ChaCha8` whose key is the seed, the domain and the epoch, and whose stream is the picture's position.
pub(super) struct Draws(ChaCha8Rng);

impl Draws {
    pub fn new(seed: u64, epoch: u64, image_idx: u64) -> Self {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        key[8..16].copy_from_slice(DOMAIN);
        key[16..24].copy_from_slice(&epoch.to_le_bytes());
        let mut rng = ChaCha8Rng::from_seed(key);
        rng.set_stream(image_idx);
        Self(rng)
    }

    /// In [0, 1), with 53 random bits.
    pub fn uniform(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 * (-53.0_f64).exp2()
    }

    /// Standard normal (Box and Muller 1958).
    pub fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.uniform()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.uniform()).cos()
    }
}
