//! Noise ceilings.

use consilience_core::Ceiling;
use ndarray::ArrayView2;

use super::compare::defined;
use super::inputs;
use super::levels::Levels;
use super::row::{Row, Source, dot};
use super::sample::Sample;
use super::similarity::Similarity;
use crate::{MethodsError, NanPolicy, Result};

/// How well the best possible model could score, given how much subjects differ.
///
/// # Shapes
///
/// `data` is `(n_subjects, n_pairs)`.
///
/// # Definition
///
/// upper = (1/S)·Σₛ sim(pool of all subjects, s); lower = (1/S)·Σₛ sim(pool of all but s, s), where the
/// pool is the sum of the subjects' RDMs after making them comparable: ranks for `spearman`, `rho-a`
/// and Kendall's τ; z-scores for `pearson` and `whitened-pearson`; division by the root mean square for
/// `cosine` and `whitened-cosine`; division by the mean for `bures`.
///
/// The pool of ranks maximises `spearman` only approximately, and Kendall's τ still less, so there a
/// model can in principle exceed the upper bound.
///
/// # Errors
///
/// [`MethodsError::NoCeiling`] for one subject; otherwise as [`compare`](super::compare()).
///
/// # Example
///
/// ```
/// use consilience_methods::{NanPolicy, rsa::{Similarity, noise_ceiling}};
/// use ndarray::array;
///
/// let data = array![[1.0, 2.0, 3.0], [1.0, 3.0, 2.0], [1.0, 2.0, 4.0]];
/// let ceiling = noise_ceiling(data.view(), Similarity::Pearson, NanPolicy::Refuse).unwrap();
/// assert!(ceiling.lower < ceiling.upper && ceiling.upper < 1.0);
/// ```
///
/// # References
///
/// Nili et al. (2014), doi:10.1371/journal.pcbi.1003553.
///
/// # Peers
///
/// `rsatoolbox.inference.boot_noise_ceiling` 0.3.2, to 1e-9. It has no ceiling for `bures`.
pub fn noise_ceiling(
    data: ArrayView2<'_, f64>,
    similarity: Similarity,
    nan: NanPolicy,
) -> Result<Ceiling> {
    let what = "the subjects' RDMs";
    let checked = inputs::check((what, data), (what, data), similarity, nan)?;
    let n_subjects = data.nrows();
    if n_subjects < 2 {
        return Err(MethodsError::NoCeiling { n_subjects });
    }
    let sample = Sample::whole(checked.n_conditions, &checked.present());
    let source = Source::new(data, similarity);
    let rows = defined(what, &source, &sample, similarity)?;
    Pool::new(&source, &rows, &sample, similarity)
        .ceiling(&vec![1; n_subjects])
        .ok_or(MethodsError::UndefinedPool {
            similarity: similarity.name(),
        })
}

/// Subject RDMs on one sample of conditions, made comparable for pooling.
pub(super) struct Pool<'a> {
    rows: &'a [Row],
    sample: &'a Sample,
    similarity: Similarity,
    parts: Parts,
}

/// What the pool of some subjects is computed from.
enum Parts {
    /// Inner products of the subjects' unit vectors, and the length each enters the pool with: where
    /// pooling is linear in the compared vectors, nothing else is needed.
    Gram {
        products: Vec<Vec<f64>>,
        lengths: Vec<f64>,
    },
    /// Doubled and centred ranks of each subject.
    Ranks(Vec<Vec<i32>>),
    /// Values of each subject, divided by their mean.
    Values(Vec<Vec<f64>>),
}

impl<'a> Pool<'a> {
    /// The pool of `source`, whose RDMs on `sample` are `rows`.
    pub fn new(
        source: &Source,
        rows: &'a [Row],
        sample: &'a Sample,
        similarity: Similarity,
    ) -> Self {
        let parts = if similarity.is_rank_based() {
            Parts::Ranks(
                (0..source.len())
                    .map(|s| source.ranks_on(s, sample))
                    .collect(),
            )
        } else if similarity == Similarity::Bures {
            let by_mean = |v: &[f64]| {
                let mean = v.iter().sum::<f64>() / v.len() as f64;
                v.iter().map(|x| x / mean).collect()
            };
            Parts::Values(source.vectors.iter().map(|v| by_mean(v)).collect())
        } else {
            let vectors: Vec<_> = rows.iter().filter_map(Row::vector).collect();
            let products = vectors
                .iter()
                .map(|a| {
                    vectors
                        .iter()
                        .map(|b| dot(&a.entries, &b.entries))
                        .collect()
                })
                .collect();
            Parts::Gram {
                products,
                lengths: vectors.iter().map(|v| v.pool_weight).collect(),
            }
        };
        Self {
            rows,
            sample,
            similarity,
            parts,
        }
    }

    /// The ceiling when subject s takes part `multiplicities[s]` times; `None` where some pool has no
    /// similarity with anything.
    ///
    /// A resampled subject is left out with all its copies, and counts once in the mean. When only
    /// one subject takes part, nobody is left to predict it and both bounds are its similarity
    /// with itself, as in rsatoolbox.
    pub fn ceiling(&self, multiplicities: &[u32]) -> Option<Ceiling> {
        let weights: Vec<f64> = multiplicities.iter().map(|&m| f64::from(m)).collect();
        let subjects: Vec<usize> = (0..weights.len()).filter(|&s| weights[s] > 0.0).collect();
        let upper = self.similarities(&weights, &subjects)?;
        let lower = if let [_] = subjects.as_slice() {
            upper
        } else {
            self.left_out(&weights, &subjects)?
        };
        let n = subjects.len() as f64;
        Some(Ceiling {
            lower: lower / n,
            upper: upper / n,
        })
    }

    /// Sum of the similarities of each subject with the pool of the others.
    fn left_out(&self, weights: &[f64], subjects: &[usize]) -> Option<f64> {
        let mut sum = 0.0;
        if let Parts::Ranks(ranks) = &self.parts {
            // Integers: what one subject adds can be taken off again.
            let total = self.sum_of_ranks(ranks, weights);
            for &s in subjects {
                let copies = weights[s] as i64;
                let others = total
                    .iter()
                    .zip(&ranks[s])
                    .map(|(sum, &r)| sum - copies * i64::from(r));
                let pooled = self.row_of_ranks(&others.collect::<Vec<_>>())?;
                sum += pooled.similarity(&self.rows[s], self.sample, self.similarity);
            }
            return Some(sum);
        }
        for &s in subjects {
            let mut others = weights.to_vec();
            others[s] = 0.0;
            sum += self.similarities(&others, &[s])?;
        }
        Some(sum)
    }

    fn sum_of_ranks(&self, ranks: &[Vec<i32>], weights: &[f64]) -> Vec<i64> {
        let mut sums = vec![0_i64; self.sample.n_pairs()];
        for (row, &weight) in ranks.iter().zip(weights) {
            if weight > 0.0 {
                let copies = weight as i64;
                sums.iter_mut()
                    .zip(row)
                    .for_each(|(sum, &r)| *sum += copies * i64::from(r));
            }
        }
        sums
    }

    fn row_of_ranks(&self, sums: &[i64]) -> Option<Row> {
        let levels = Levels::of_integers(sums);
        Row::of_levels(levels.of, levels.n, self.sample, self.similarity)
    }

    /// Sum of the similarities of the weighted pool with some subjects.
    pub fn similarities(&self, weights: &[f64], subjects: &[usize]) -> Option<f64> {
        let pooled = match &self.parts {
            Parts::Gram { products, lengths } => {
                let shares: Vec<f64> = weights.iter().zip(lengths).map(|(w, l)| w * l).collect();
                let with: Vec<f64> = products
                    .iter()
                    .map(|row| row.iter().zip(&shares).map(|(g, c)| g * c).sum())
                    .collect();
                let square: f64 = with.iter().zip(&shares).map(|(p, c)| p * c).sum();
                let largest = shares.iter().fold(0.0_f64, |m, c| m.max(*c));
                // Opposite RDMs cancel to rounding errors: a pool without direction.
                if square <= (1e-12 * largest).powi(2) {
                    return None;
                }
                return Some(subjects.iter().map(|&s| with[s]).sum::<f64>() / square.sqrt());
            }
            Parts::Ranks(ranks) => self.row_of_ranks(&self.sum_of_ranks(ranks, weights))?,
            Parts::Values(values) => {
                let mut sums = vec![0.0; self.sample.n_pairs()];
                for (row, weight) in values.iter().zip(weights) {
                    sums.iter_mut()
                        .zip(row)
                        .for_each(|(sum, v)| *sum += weight * v);
                }
                Row::of_values(sums, self.sample, self.similarity, None)?
            }
        };
        let similarity =
            |&s: &usize| pooled.similarity(&self.rows[s], self.sample, self.similarity);
        Some(subjects.iter().map(similarity).sum())
    }
}
