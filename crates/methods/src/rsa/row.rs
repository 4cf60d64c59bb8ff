//! RDMs on one sample, in the form in which comparing two of them is cheap.

use std::borrow::Cow;

use ndarray::{ArrayView1, ArrayView2, s};
use rayon::prelude::*;

use super::kernel::Kernel;
use super::levels::{Levels, Order, centred_ranks, n_choose_2};
use super::sample::Sample;
use super::similarity::Similarity;
use super::whitening::Whitener;

/// RDM vectors with what does not depend on the sample worked out once.
#[derive(Clone)]
pub(super) struct Source<'a> {
    /// One vector an RDM, not copied where it need not be; missing pairs hold NaN.
    pub vectors: Vec<Cow<'a, [f64]>>,
    /// Their order, for similarities that use ranks only.
    pub levels: Vec<Levels>,
}

impl<'a> Source<'a> {
    pub fn new(rdms: ArrayView2<'a, f64>, similarity: Similarity) -> Self {
        let row = |i| {
            let row = rdms.slice_move(s![i, ..]);
            row.to_slice()
                .map_or_else(|| row.to_vec().into(), Cow::from)
        };
        let vectors: Vec<Cow<'a, [f64]>> = (0..rdms.nrows()).map(row).collect();
        let levels = if similarity.is_rank_based() {
            vectors.par_iter().map(|v| Levels::of_values(v)).collect()
        } else {
            Vec::new()
        };
        Self { vectors, levels }
    }

    pub fn len(&self) -> usize {
        self.vectors.len()
    }

    /// The RDMs at `indices`.
    pub fn select(&self, indices: &[usize]) -> Self {
        Self {
            vectors: indices.iter().map(|&i| self.vectors[i].clone()).collect(),
            levels: if self.levels.is_empty() {
                Vec::new()
            } else {
                indices.iter().map(|&i| self.levels[i].clone()).collect()
            },
        }
    }

    /// The RDMs whose entry k is the present entry `origin[k]`.
    pub fn rearranged(&self, origin: &[usize]) -> Self {
        Self {
            vectors: self
                .vectors
                .iter()
                .map(|v| origin.iter().map(|&k| v[k]).collect::<Vec<f64>>().into())
                .collect(),
            levels: self
                .levels
                .iter()
                .map(|l| Levels {
                    of: origin.iter().map(|&k| l.of[k]).collect(),
                    n: l.n,
                })
                .collect(),
        }
    }

    /// Every RDM on a sample; `None` where its similarity with anything is undefined.
    pub fn on(&self, sample: &Sample, similarity: Similarity) -> Vec<Option<Row>> {
        let whitener = similarity.is_whitened().then(|| Whitener::new(sample));
        (0..self.len())
            .into_par_iter()
            .map(|i| self.one_on(i, sample, similarity, whitener.as_ref()))
            .collect()
    }

    /// RDM `i` on a sample.
    pub fn one_on(
        &self,
        i: usize,
        sample: &Sample,
        similarity: Similarity,
        whitener: Option<&Whitener>,
    ) -> Option<Row> {
        if similarity.is_rank_based() {
            let levels = &self.levels[i];
            Row::of_levels(sample.gather(&levels.of), levels.n, sample, similarity)
        } else {
            let values = sample.gather(&self.vectors[i]);
            Row::of_values(values, sample, similarity, whitener)
        }
    }

    /// Average ranks of RDM `i` on a sample, doubled and centred.
    pub fn ranks_on(&self, i: usize, sample: &Sample) -> Vec<i32> {
        let levels = &self.levels[i];
        centred_ranks(sample.gather(&levels.of), levels.n, sample.weights())
    }
}

/// One RDM on a sample.
pub(super) enum Row {
    /// For every similarity that is an inner product.
    Vector(UnitVector),
    /// For Kendall's τ.
    Order(Order),
    /// For the Bures similarity.
    Kernel(Kernel),
}

/// A vector scaled so that the similarity of two RDMs is the inner product of theirs.
pub(super) struct UnitVector {
    pub entries: Vec<f64>,
    /// Its length before scaling.
    pub length: f64,
    /// That length relative to what the pooling of the noise ceiling divides by.
    pub pool_weight: f64,
}

impl Row {
    /// An RDM vector on a sample; `None` where its similarity with anything is undefined.
    ///
    /// Of an RDM that is needed on one sample only, this takes less memory than a [`Source`].
    pub fn new(
        vector: ArrayView1<'_, f64>,
        sample: &Sample,
        similarity: Similarity,
        whitener: Option<&Whitener>,
    ) -> Option<Self> {
        let vector = vector
            .to_slice()
            .map_or_else(|| Cow::from(vector.to_vec()), Cow::from);
        if similarity.is_rank_based() {
            let levels = Levels::of_values(&sample.at_pairs(&vector));
            Self::of_levels(levels.of, levels.n, sample, similarity)
        } else {
            Self::of_values(sample.gather(&vector), sample, similarity, whitener)
        }
    }

    /// An RDM by its values at the sample's pairs.
    pub fn of_values(
        mut values: Vec<f64>,
        sample: &Sample,
        similarity: Similarity,
        whitener: Option<&Whitener>,
    ) -> Option<Self> {
        if similarity == Similarity::Bures {
            return Kernel::new(&values, sample.conditions.len()).map(Self::Kernel);
        }
        let first = *values.first()?;
        let same = if similarity.subtracts_mean() {
            first
        } else {
            0.0
        };
        if values.iter().all(|&v| v == same) {
            return None;
        }
        if similarity.subtracts_mean() {
            let weighted = values.iter().zip(sample.weights());
            let sum = match sample.weights() {
                [] => values.iter().sum::<f64>(),
                _ => weighted.map(|(v, &w)| v * f64::from(w)).sum(),
            };
            let mean = sum / sample.total as f64;
            values.iter_mut().for_each(|v| *v -= mean);
        }
        let Some(whitener) = whitener else {
            sample.scale_by_roots(&mut values);
            return Self::unit(values, 1.0);
        };
        let plain_length = sample.length(&values);
        let whitened = whitener.whiten(values, sample);
        let pool_weight = length(&whitened) / plain_length;
        Self::unit(whitened, pool_weight)
    }

    /// An RDM by its levels at the sample's pairs.
    pub fn of_levels(
        levels: Vec<u32>,
        n_levels: usize,
        sample: &Sample,
        similarity: Similarity,
    ) -> Option<Self> {
        if similarity.is_kendall() {
            let order = Order::new(levels, n_levels, sample.weights());
            let n_pairs = if similarity == Similarity::KendallTauB {
                order.n_untied
            } else {
                n_choose_2(sample.total)
            };
            return (n_pairs > 0).then_some(Self::Order(order));
        }
        let ranks = centred_ranks(levels, n_levels, sample.weights());
        let mut entries: Vec<f64> = ranks.into_iter().map(f64::from).collect();
        sample.scale_by_roots(&mut entries);
        if similarity == Similarity::Spearman {
            return Self::unit(entries, 1.0);
        }
        // ρ-a: 12·Σ(r − r̄)(s − s̄) / (N³ − N), with ranks that are doubled here.
        let n = sample.total as f64;
        let scale = (3.0 / (n * n * n - n)).sqrt();
        entries.iter_mut().for_each(|e| *e *= scale);
        (n > 1.0).then_some(Self::Vector(UnitVector {
            entries,
            length: 1.0,
            pool_weight: 1.0,
        }))
    }

    fn unit(mut entries: Vec<f64>, pool_weight: f64) -> Option<Self> {
        let length = length(&entries);
        if !(length > 0.0 && length.is_finite()) {
            return None;
        }
        entries.iter_mut().for_each(|e| *e /= length);
        Some(Self::Vector(UnitVector {
            entries,
            length,
            pool_weight,
        }))
    }

    /// Similarity of two RDMs that were brought onto the same sample.
    pub fn similarity(&self, other: &Self, sample: &Sample, similarity: Similarity) -> f64 {
        match (self, other) {
            (Self::Vector(a), Self::Vector(b)) => dot(&a.entries, &b.entries).clamp(-1.0, 1.0),
            (Self::Kernel(a), Self::Kernel(b)) => a.similarity(b),
            (Self::Order(a), Self::Order(b)) => {
                let balance = a.concordance(b, sample.weights()) as f64;
                let tau = if similarity == Similarity::KendallTauB {
                    balance / (a.n_untied as f64).sqrt() / (b.n_untied as f64).sqrt()
                } else {
                    balance / n_choose_2(sample.total) as f64
                };
                tau.clamp(-1.0, 1.0)
            }
            _ => unreachable!("rows of one similarity have one form"),
        }
    }

    /// The vector form, which every similarity but Kendall's and Bures' has.
    pub fn vector(&self) -> Option<&UnitVector> {
        match self {
            Self::Vector(vector) => Some(vector),
            Self::Order(_) | Self::Kernel(_) => None,
        }
    }
}

pub(super) fn length(vector: &[f64]) -> f64 {
    dot(vector, vector).sqrt()
}

/// Inner product in a fixed order of additions: eight interleaved sums, then their total.
#[inline(always)]
pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut sums = [0.0; 8];
    let (blocks_a, rest_a) = a.as_chunks::<8>();
    let (blocks_b, rest_b) = b.as_chunks::<8>();
    for (x, y) in blocks_a.iter().zip(blocks_b) {
        for lane in 0..8 {
            sums[lane] += x[lane] * y[lane];
        }
    }
    let rest: f64 = rest_a.iter().zip(rest_b).map(|(x, y)| x * y).sum();
    sums.iter().sum::<f64>() + rest
}
