//! Pictures that are seen in another view in each epoch, instead of as they are.

use std::sync::RwLock;

use consilience_learn::LearnError;
use consilience_learn::train::Samples;
use ndarray::{Array1, Array2, ArrayD, ArrayView2, Axis};

use super::Scaling;
use super::fold::shaped;

/// Makes the features of other views of pictures: epoch (from 0) and rows of [`Pictures::features`](super::Pictures::features) to
/// `(n_rows, n_features)`. The same arguments must give the same features.
pub type Views<'a> = dyn Fn(usize, &[usize]) -> Result<Array2<f32>, LearnError> + Sync + 'a;

/// Samples whose features are those of the views of an epoch, had all together when it begins; those of one epoch are kept.
pub(super) struct Viewed<'a> {
    views: &'a Views<'a>,
    rows: &'a [usize],
    scaling: &'a Scaling,
    tokens: Option<usize>,
    targets: ArrayView2<'a, f32>,
    /// Those of one epoch, and which.
    features: RwLock<(usize, ArrayD<f32>)>,
}

impl<'a> Viewed<'a> {
    /// Of the pictures `rows`, with a row of `targets` for each.
    pub fn new(
        views: &'a Views<'a>,
        rows: &'a [usize],
        scaling: &'a Scaling,
        tokens: Option<usize>,
        targets: ArrayView2<'a, f32>,
    ) -> Self {
        Self {
            views,
            rows,
            scaling,
            tokens,
            targets,
            features: RwLock::new((usize::MAX, ArrayD::zeros(vec![0]))),
        }
    }
}

impl Samples for Viewed<'_> {
    fn len(&self) -> usize {
        self.rows.len()
    }

    fn prepare(&self, epoch: usize) -> Result<(), LearnError> {
        // Those of the epoch before go first, so that memory never holds both.
        let mut kept = self.features.write().expect("no panic holds the lock");
        kept.1 = ArrayD::zeros(vec![0]);
        let features = (self.views)(epoch, self.rows)?;
        let features = self.scaling.features(features.view());
        *kept = (epoch, shaped(features, self.tokens));
        Ok(())
    }

    fn sample(&self, epoch: usize, idx: usize) -> Result<(ArrayD<f32>, Array1<f32>), LearnError> {
        let features = self.features.read().expect("no panic holds the lock");
        assert_eq!(features.0, epoch, "features are prepared for their epoch");
        let input = features.1.index_axis(Axis(0), idx).to_owned();
        Ok((input, self.targets.row(idx).to_owned()))
    }
}
