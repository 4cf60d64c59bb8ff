//! Correlations of many ratings with the same targets, without their tests.

use consilience_methods::behaviour::CorrelationKind;
use consilience_stats::correlation::unit;
use consilience_stats::rank::average_ranks;

use super::ObjectInputs;

/// Targets over each subset, ready to be correlated with.
///
/// The numbers are those of [`correlation_table`](consilience_methods::behaviour::correlation_table), whose intervals and p random
/// lesions have no use for.
pub(super) struct Correlator {
    kind: CorrelationKind,
    subsets: Vec<Subset>,
}

struct Subset {
    items: Vec<usize>,
    /// Centred, at unit length; `None` for a constant target.
    targets: Vec<Option<Vec<f64>>>,
}

/// Fewer items have no correlation.
const MIN_ITEMS: usize = 3;

impl Correlator {
    pub fn new(inputs: &ObjectInputs<'_>, kind: CorrelationKind) -> Self {
        let of_mask = |mask: ndarray::ArrayView1<'_, bool>| {
            let items: Vec<usize> = (0..mask.len()).filter(|&i| mask[i]).collect();
            let of_target = |target: ndarray::ArrayView1<'_, f64>| {
                let values: Vec<f64> = items.iter().map(|&i| target[i]).collect();
                prepared(&values, kind)
            };
            let targets = inputs.targets.rows().into_iter().map(of_target).collect();
            Subset { items, targets }
        };
        Self {
            kind,
            subsets: inputs.subsets.rows().into_iter().map(of_mask).collect(),
        }
    }

    /// r for each subset and target (targets run fastest); `None` where it is undefined.
    pub fn correlations(&self, ratings: &[f64]) -> Vec<Option<f64>> {
        let of_subset = |subset: &Subset| -> Vec<Option<f64>> {
            let values: Vec<f64> = subset.items.iter().map(|&i| ratings[i]).collect();
            let ratings = prepared(&values, self.kind);
            let of_target = |target: &Option<Vec<f64>>| {
                let (x, y) = (ratings.as_ref()?, target.as_ref()?);
                let dot: f64 = x.iter().zip(y).map(|(x, y)| x * y).sum();
                Some(dot.clamp(-1.0, 1.0))
            };
            subset.targets.iter().map(of_target).collect()
        };
        self.subsets.iter().flat_map(of_subset).collect()
    }
}

fn prepared(values: &[f64], kind: CorrelationKind) -> Option<Vec<f64>> {
    if values.len() < MIN_ITEMS {
        return None;
    }
    match kind {
        CorrelationKind::Pearson => unit(values),
        CorrelationKind::Spearman => unit(&average_ranks(values)),
    }
}
