//! Choices by chance, on top of the random streams of `consilience-stats`.

use consilience_stats::random::{Domain, Stream};

/// One reproducible sequence of choices.
pub(super) struct Dice(Stream);

impl Dice {
    /// The sequence of a seed and an index.
    pub fn new(seed: u64, index: u64) -> Self {
        Self(Stream::new(seed, Domain::Simulation, index))
    }

    /// A number in [0, 1).
    pub fn unit(&mut self) -> f64 {
        self.0.uniform()
    }

    /// A standard normal number.
    pub fn normal(&mut self) -> f64 {
        self.0.normal()
    }

    /// A number in [low, high).
    pub fn uniform(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// Whether something with this probability happens.
    pub fn chance(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// An index below `n`.
    pub fn below(&mut self, n: usize) -> usize {
        (self.unit() * n as f64) as usize
    }

    /// One of the choices, all equally likely.
    pub fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_stay_in_range_and_all_occur() {
        let mut dice = Dice::new(1, 0);
        let mut seen = [false; 7];
        for _ in 0..500 {
            seen[dice.below(7)] = true;
            assert!((2.0..3.0).contains(&dice.uniform(2.0, 3.0)));
        }
        assert!(seen.iter().all(|&s| s));
        let heads = (0..4000).filter(|_| dice.chance(0.25)).count();
        assert!((900..1100).contains(&heads), "{heads}");
    }

    #[test]
    fn seeds_and_indices_differ_and_repeat() {
        let first = |seed, index| Dice::new(seed, index).unit();
        assert_eq!(first(3, 1), first(3, 1));
        assert_ne!(first(3, 1), first(3, 2));
        assert_ne!(first(3, 1), first(4, 1));
    }
}
