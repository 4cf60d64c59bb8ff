//! What is learnt from.

use consilience_stats::random::{Domain, Stream};
use ndarray::{Array1, Array2, ArrayD, ArrayView1, ArrayView2, ArrayViewD, Axis};

use crate::error::{LearnError, Result};

/// Inputs with their targets.
pub trait Samples: Sync {
    /// Number of samples in an epoch.
    fn len(&self) -> usize;

    /// Whether there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Called once before the samples of an epoch are asked for in training, from one thread, so that what they share can be made
    /// together. By default nothing is done.
    ///
    /// # Errors
    ///
    /// Whatever keeps the samples from being had.
    fn prepare(&self, _epoch: usize) -> Result<()> {
        Ok(())
    }

    /// Input and target of sample `idx` in epoch `epoch` (from 0). The same arguments must give the
    /// same sample; another epoch may give another view of it.
    ///
    /// # Errors
    ///
    /// Whatever keeps the sample from being had.
    fn sample(&self, epoch: usize, idx: usize) -> Result<(ArrayD<f32>, Array1<f32>)>;

    /// What the loss of sample `idx` is multiplied with.
    fn weight(&self, _idx: usize) -> f32 {
        1.0
    }
}

/// Samples in memory, such as cached features with ratings.
#[derive(Debug, Clone)]
pub struct Arrays<'a> {
    inputs: ArrayViewD<'a, f32>,
    targets: ArrayView2<'a, f32>,
    weights: Option<ArrayView1<'a, f32>>,
}

impl<'a> Arrays<'a> {
    /// Takes inputs `(n, …)` and targets `(n, n_outputs)`; all samples weigh 1.
    ///
    /// # Errors
    ///
    /// [`LearnError::ShapeMismatch`] when they are not equally many.
    pub fn new(inputs: ArrayViewD<'a, f32>, targets: ArrayView2<'a, f32>) -> Result<Self> {
        let n = inputs.shape().first().copied().unwrap_or(0);
        if targets.nrows() != n {
            return Err(LearnError::ShapeMismatch {
                what: "the array of targets",
                expected: vec![n, targets.ncols()],
                found: targets.shape().to_vec(),
            });
        }
        Ok(Self {
            inputs,
            targets,
            weights: None,
        })
    }

    /// The same samples with weights `(n)`, at least 0, that their losses are multiplied with, such as those of
    /// [`frequency_weights`](super::frequency_weights).
    ///
    /// # Errors
    ///
    /// [`LearnError::ShapeMismatch`] when there is not one for each sample, [`LearnError::Parameter`] for one that is
    /// negative or not finite.
    pub fn weighted(self, weights: ArrayView1<'a, f32>) -> Result<Self> {
        if weights.len() != self.len() {
            return Err(LearnError::ShapeMismatch {
                what: "the array of weights of samples",
                expected: vec![self.len()],
                found: vec![weights.len()],
            });
        }
        if let Some(wrong) = weights.iter().find(|w| !(w.is_finite() && **w >= 0.0)) {
            return Err(LearnError::Parameter {
                what: "the weight of a sample",
                expected: "a finite number of at least 0",
                found: f64::from(*wrong),
            });
        }
        Ok(Self {
            weights: Some(weights),
            ..self
        })
    }
}

impl Samples for Arrays<'_> {
    fn len(&self) -> usize {
        self.targets.nrows()
    }

    fn sample(&self, _epoch: usize, idx: usize) -> Result<(ArrayD<f32>, Array1<f32>)> {
        let input = self.inputs.index_axis(Axis(0), idx).to_owned();
        Ok((input, self.targets.row(idx).to_owned()))
    }

    fn weight(&self, idx: usize) -> f32 {
        self.weights.map_or(1.0, |weights| weights[idx])
    }
}

/// Targets of a classification: a row for each sample with 1 at its class.
///
/// # Errors
///
/// [`LearnError::UnknownClass`] for a class that is not below `n_classes`.
pub fn one_hot(classes: &[usize], n_classes: usize) -> Result<Array2<f32>> {
    let mut targets = Array2::zeros((classes.len(), n_classes));
    for (mut row, &class) in targets.rows_mut().into_iter().zip(classes) {
        let Some(one) = row.get_mut(class) else {
            return Err(LearnError::UnknownClass {
                n_classes,
                found: class,
            });
        };
        *one = 1.0;
    }
    Ok(targets)
}

/// Positions of samples to learn from and of samples that are held out, both ascending.
///
/// `share` of the `n` samples, rounded, are held out; which ones is drawn by the seed.
///
/// # Errors
///
/// [`LearnError::Parameter`] unless 0 ≤ share < 1; [`LearnError::NothingToTrain`] when none is left.
///
/// # Example
///
/// ```
/// use consilience_learn::train::hold_out;
///
/// let (training, held_out) = hold_out(10, 0.2, 1)?;
/// assert_eq!((training.len(), held_out.len()), (8, 2));
/// assert_eq!(hold_out(10, 0.2, 1)?, (training, held_out));
/// # Ok::<(), consilience_learn::LearnError>(())
/// ```
pub fn hold_out(n: usize, share: f64, seed: u64) -> Result<(Vec<usize>, Vec<usize>)> {
    if !(0.0..1.0).contains(&share) {
        return Err(LearnError::Parameter {
            what: "the share of samples that are held out",
            expected: "at least 0 and below 1",
            found: share,
        });
    }
    let n_held_out = (share * n as f64).round() as usize;
    if n_held_out == n {
        return Err(LearnError::NothingToTrain { what: "sample" });
    }
    let order = Stream::new(seed, Domain::Split, 0).permutation(n);
    let (held_out, training) = order.split_at(n_held_out);
    let ascending = |positions: &[usize]| {
        let mut positions = positions.to_vec();
        positions.sort_unstable();
        positions
    };
    Ok((ascending(training), ascending(held_out)))
}
