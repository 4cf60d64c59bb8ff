//! Inputs of which some values are dropped at random.

use consilience_stats::random::{Domain, Stream};
use ndarray::{Array1, ArrayD};

use super::Samples;
use crate::error::Result;

/// Samples whose inputs lose each value with probability `share` and keep the others ÷ (1 − share), so that their
/// expectation stays (inverted dropout).
///
/// What is dropped depends on the seed, the epoch and the sample alone: neither the order of the work nor an interruption
/// changes it.
pub(super) struct Dropped<'a> {
    pub samples: &'a dyn Samples,
    /// At least 0 and below 1.
    pub share: f64,
    pub seed: u64,
}

impl Samples for Dropped<'_> {
    fn len(&self) -> usize {
        self.samples.len()
    }

    fn prepare(&self, epoch: usize) -> Result<()> {
        self.samples.prepare(epoch)
    }

    fn sample(&self, epoch: usize, idx: usize) -> Result<(ArrayD<f32>, Array1<f32>)> {
        let (mut input, target) = self.samples.sample(epoch, idx)?;
        // Orders of samples and weights to begin with take the streams below 2³².
        let index = ((epoch as u64 + 1) << 32) | idx as u64;
        let mut stream = Stream::new(self.seed, Domain::Training, index);
        let kept = 1.0 - self.share;
        let factor = (1.0 / kept) as f32;
        input.map_inplace(|value| {
            *value *= match stream.uniform() < kept {
                true => factor,
                false => 0.0,
            };
        });
        Ok((input, target))
    }

    fn weight(&self, idx: usize) -> f32 {
        self.samples.weight(idx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::{Arrays, Optimizer, TrainParams, perceptron, train};
    use ndarray::Array2;

    #[test]
    fn values_are_dropped_or_enlarged_and_their_mean_stays() {
        let inputs = Array2::<f32>::ones((4, 5000));
        let targets = Array2::<f32>::zeros((4, 1));
        let samples = Arrays::new(inputs.view().into_dyn(), targets.view()).unwrap();
        let dropped = Dropped {
            samples: &samples,
            share: 0.2,
            seed: 3,
        };
        let row = |epoch, idx| dropped.sample(epoch, idx).unwrap().0;
        for (epoch, idx) in [(0, 0), (0, 3), (9, 1)] {
            let found = row(epoch, idx);
            assert!(found.iter().all(|&x| x == 0.0 || x == 1.25));
            // Five standard errors.
            assert!((found.mean().unwrap() - 1.0).abs() < 0.036);
            assert_eq!(found, row(epoch, idx));
        }
        assert_ne!(row(0, 0), row(0, 1));
        assert_ne!(row(0, 0), row(1, 0));
    }

    #[test]
    fn a_step_is_that_on_what_is_left_and_validation_takes_all() {
        let inputs = Array2::from_shape_fn((6, 3), |(i, j)| (i + 2 * j) as f32 - 3.0);
        let targets = Array2::from_shape_fn((6, 1), |(i, _)| i as f32);
        let samples = Arrays::new(inputs.view().into_dyn(), targets.view()).unwrap();
        let params = TrainParams {
            optimizer: Optimizer::sgd(),
            epochs: 1,
            batch: 6,
            seed: 5,
            dropout: 0.5,
            ..TrainParams::default()
        };
        let left = Dropped {
            samples: &samples,
            share: 0.5,
            seed: 5,
        };
        let mut dropped = Array2::zeros((6, 3));
        for (idx, mut row) in dropped.rows_mut().into_iter().enumerate() {
            row.assign(&Array1::from_iter(left.sample(0, idx).unwrap().0));
        }
        let graph = perceptron(&[3, 1], 1);
        let found = train(&graph, &samples, Some(&samples), &params, None, |_| {}).unwrap();
        let params = TrainParams {
            dropout: 0.0,
            ..params
        };
        let left = Arrays::new(dropped.view().into_dyn(), targets.view()).unwrap();
        let expected = train(&graph, &left, Some(&samples), &params, None, |_| {}).unwrap();
        assert_eq!(found, expected);
        let refused = TrainParams {
            dropout: 1.0,
            ..params
        };
        assert!(train(&graph, &samples, None, &refused, None, |_| {}).is_err());
    }
}
