//! What is learnt from.

use ndarray::{Array1, Array2, ArrayD, ArrayView2, ArrayViewD, Axis};

use crate::error::{LearnError, Result};

/// Inputs with their targets.
pub trait Samples: Sync {
    /// Number of samples in an epoch.
    fn len(&self) -> usize;

    /// Whether there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Input and target of sample `idx` in epoch `epoch` (from 0). The same arguments must give the
    /// same sample; another epoch may give another view of it.
    ///
    /// # Errors
    ///
    /// Whatever keeps the sample from being had.
    fn sample(&self, epoch: usize, idx: usize) -> Result<(ArrayD<f32>, Array1<f32>)>;
}

/// Samples in memory, such as cached features with ratings.
#[derive(Debug, Clone)]
pub struct Arrays<'a> {
    inputs: ArrayViewD<'a, f32>,
    targets: ArrayView2<'a, f32>,
}

impl<'a> Arrays<'a> {
    /// Takes inputs `(n, …)` and targets `(n, n_outputs)`.
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
        Ok(Self { inputs, targets })
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
