//! Correlations of many ratings with the same targets, without their tests.

use consilience_methods::behaviour::CorrelationKind;
use consilience_stats::correlation::unit;
use consilience_stats::random::{Domain, Stream};
use consilience_stats::rank::average_ranks;
use ndarray::ArrayView1;
use rayon::prelude::*;

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
        let of_mask = |mask: ArrayView1<'_, bool>| {
            let items: Vec<usize> = (0..mask.len()).filter(|&i| mask[i]).collect();
            let of_target = |target: ArrayView1<'_, f64>| {
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

    /// Orders of the stimuli of each subset.
    pub fn orders(&self, n: usize, seed: u64) -> Vec<Vec<Vec<usize>>> {
        let of_subset = |subset: &Subset| {
            let draw =
                |i| Stream::new(seed, Domain::Permutations, i).permutation(subset.items.len());
            (0..n as u64).into_par_iter().map(draw).collect()
        };
        self.subsets.iter().map(of_subset).collect()
    }

    /// Two-sided p of the mean difference of the correlations with a target, over `pairs` of ratings, first minus second, when the stimuli of the
    /// target are permuted; `None` where a correlation is undefined.
    pub fn p_of_difference(
        &self,
        [subset_idx, target_idx]: [usize; 2],
        pairs: &[[ArrayView1<'_, f64>; 2]],
        orders: &[Vec<Vec<usize>>],
    ) -> Option<f64> {
        let subset = &self.subsets[subset_idx];
        let target = subset.targets[target_idx].as_ref()?;
        // A correlation is an inner product with the target, and so is a mean of differences.
        let mut by = vec![0.0; target.len()];
        for pair in pairs {
            for (ratings, sign) in pair.iter().zip([1.0, -1.0]) {
                let values: Vec<f64> = subset.items.iter().map(|&i| ratings[i]).collect();
                let values = prepared(&values, self.kind)?;
                by.iter_mut()
                    .zip(values)
                    .for_each(|(by, v)| *by += sign * v);
            }
        }
        let own: f64 = by.iter().zip(target).map(|(by, t)| by * t).sum();
        // Permutations that change nothing must count whatever their sums were rounded to.
        let least = own.abs() - 1e-12;
        let is_as_large = |order: &&Vec<usize>| {
            let permuted: f64 = by
                .iter()
                .zip(order.iter())
                .map(|(by, &i)| by * target[i])
                .sum();
            permuted.abs() >= least
        };
        let orders = &orders[subset_idx];
        let n_as_large = orders.iter().filter(is_as_large).count();
        let has_any = !(pairs.is_empty() || orders.is_empty());
        has_any.then(|| (1 + n_as_large) as f64 / (1 + orders.len()) as f64)
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
