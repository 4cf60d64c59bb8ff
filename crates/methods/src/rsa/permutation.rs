//! Permutation of condition labels.

use consilience_core::pairs;
use consilience_stats::random::{Domain, Stream};
use consilience_stats::{VectorWork, with_wide_vectors};
use faer::linalg::matmul::matmul;
use faer::{Accum, Mat, MatRef, Par};
use rayon::prelude::*;

use super::bootstrap::Problem;
use super::row::{Row, UnitVector, dot};
use super::sample::Sample;

/// Permutations that are evaluated together: enough for a matrix product to pay …
const BATCH: usize = 32;

/// … unless they take more than this.
pub(super) const BATCH_BYTES: usize = 64 << 20;

/// Models from which a matrix product pays, that reads each of them once for many permutations.
const MANY_MODELS: usize = 8;

/// Rounding errors must not turn a tie with the observed score into a smaller one.
const TIE_TOLERANCE: f64 = 1e-12;

/// Which permutations are drawn.
#[derive(Debug, Clone, Copy)]
pub(super) struct Permutations<'a> {
    /// How many.
    pub n: usize,
    pub seed: u64,
    /// A label for each condition, where only conditions of the same block are exchanged.
    pub blocks: Option<&'a [usize]>,
}

impl Permutations<'_> {
    fn order(&self, index: u64, n_conditions: usize) -> Vec<usize> {
        let mut stream = Stream::new(self.seed, Domain::Permutations, index);
        match self.blocks {
            Some(blocks) => stream.permutation_within(blocks),
            None => stream.permutation(n_conditions),
        }
    }
}

/// How often permuted data agree at least as well as the observed ones.
pub(super) struct Permuted {
    n_permutations: usize,
    /// By model.
    n_at_least: Vec<usize>,
    /// By model: how often the best of all models reaches its score.
    n_best_at_least: Vec<usize>,
}

impl Permuted {
    /// One-sided p of a model: (1 + number at least as large) / (1 + permutations).
    pub fn p(&self, model: usize) -> f64 {
        self.p_of(self.n_at_least[model])
    }

    /// The same for the best of all models, which controls the family-wise error.
    pub fn p_fwe(&self, model: usize) -> f64 {
        self.p_of(self.n_best_at_least[model])
    }

    fn p_of(&self, n: usize) -> f64 {
        (1 + n) as f64 / (1 + self.n_permutations) as f64
    }
}

/// Permutes rows and columns of all subjects' RDMs together and compares the mean scores with the
/// `observed` ones. All models see the same permutations.
pub(super) fn permute(
    problem: &Problem<'_>,
    present_in_data: &[bool],
    present_in_models: &[bool],
    observed: &[f64],
    permutations: Permutations<'_>,
    done: &(dyn Fn(usize) + Sync),
) -> Permuted {
    let statistic = Statistic::new(problem, present_in_data, present_in_models);
    let n_permutations = permutations.n;
    let n_models = observed.len();
    let bytes_each = 8 * problem.present.len();
    let size = (BATCH_BYTES / bytes_each).clamp(1, BATCH);
    let counts: Vec<(Vec<usize>, Vec<usize>)> = (0..n_permutations.div_ceil(size))
        .into_par_iter()
        .map(|batch| {
            let indices = batch * size..n_permutations.min((batch + 1) * size);
            let orders: Vec<Vec<usize>> = indices
                .map(|i| permutations.order(i as u64, problem.n_conditions))
                .collect();
            let (mut n_at_least, mut n_best_at_least) = (vec![0; n_models], vec![0; n_models]);
            for scores in statistic.of(&orders) {
                let best = scores
                    .iter()
                    .fold(f64::NEG_INFINITY, |best, s| best.max(*s));
                for (model, (&score, &threshold)) in scores.iter().zip(observed).enumerate() {
                    n_at_least[model] += usize::from(score >= threshold - TIE_TOLERANCE);
                    n_best_at_least[model] += usize::from(best >= threshold - TIE_TOLERANCE);
                }
            }
            done(orders.len());
            (n_at_least, n_best_at_least)
        })
        .collect();
    let mut total = Permuted {
        n_permutations,
        n_at_least: vec![0; n_models],
        n_best_at_least: vec![0; n_models],
    };
    for (n_at_least, n_best_at_least) in counts {
        total
            .n_at_least
            .iter_mut()
            .zip(n_at_least)
            .for_each(|(sum, n)| *sum += n);
        total
            .n_best_at_least
            .iter_mut()
            .zip(n_best_at_least)
            .for_each(|(sum, n)| *sum += n);
    }
    total
}

/// Mean scores over subjects of every model with permuted data.
enum Statistic<'a> {
    /// Where similarity is an inner product: the mean over subjects of the similarities is the
    /// similarity with the mean vector, and permuting conditions only rearranges its entries.
    Linear(Linear),
    /// Everything else: the data are rearranged and compared anew.
    General {
        problem: &'a Problem<'a>,
        present_in_data: &'a [bool],
        present_in_models: &'a [bool],
        /// The sample and the models on it when no pair is missing, and so neither ever changes.
        complete: Option<(Sample, Vec<Option<Row>>)>,
    },
}

impl<'a> Statistic<'a> {
    fn new(
        problem: &'a Problem<'a>,
        present_in_data: &'a [bool],
        present_in_models: &'a [bool],
    ) -> Self {
        let complete = problem.present.iter().all(|&p| p).then(|| {
            let sample = Sample::whole(problem.n_conditions, problem.present);
            let models = problem.models.on(&sample, problem.similarity);
            (sample, models)
        });
        if let Some((sample, models)) = &complete
            && let Some(linear) = Linear::new(problem, sample, models)
        {
            return Self::Linear(linear);
        }
        Self::General {
            problem,
            present_in_data,
            present_in_models,
            complete,
        }
    }

    /// One row of scores for each order of the conditions.
    fn of(&self, orders: &[Vec<usize>]) -> Vec<Vec<f64>> {
        match self {
            Self::Linear(linear) => linear.scores(orders),
            Self::General {
                problem,
                present_in_data,
                present_in_models,
                complete,
            } => orders
                .iter()
                .map(|order| {
                    let origin = pair_origins(order);
                    let data = problem.data.rearranged(&origin);
                    if let Some((sample, models)) = complete {
                        return mean_scores(
                            models,
                            &data.on(sample, problem.similarity),
                            sample,
                            problem,
                        );
                    }
                    let present: Vec<bool> = origin
                        .iter()
                        .zip(*present_in_models)
                        .map(|(&k, &in_models)| in_models && present_in_data[k])
                        .collect();
                    let sample = Sample::whole(problem.n_conditions, &present);
                    let models = problem.models.on(&sample, problem.similarity);
                    let data = data.on(&sample, problem.similarity);
                    mean_scores(&models, &data, &sample, problem)
                })
                .collect(),
        }
    }
}

/// Mean over subjects; what is undefined on permuted data counts as no similarity.
fn mean_scores(
    models: &[Option<Row>],
    data: &[Option<Row>],
    sample: &Sample,
    problem: &Problem<'_>,
) -> Vec<f64> {
    models
        .iter()
        .map(|model| {
            let sum: f64 = data
                .iter()
                .filter_map(|subject| {
                    Some(
                        model
                            .as_ref()?
                            .similarity(subject.as_ref()?, sample, problem.similarity),
                    )
                })
                .sum();
            sum / data.len() as f64
        })
        .collect()
}

/// For each pair (i, j) the pair (order[i], order[j]) that takes its place.
fn pair_origins(order: &[usize]) -> Vec<usize> {
    let n = order.len();
    pairs::iter(n)
        .map(|(i, j)| {
            let (a, b) = (order[i], order[j]);
            pairs::pair_idx(a.min(b), a.max(b), n)
        })
        .collect()
}

/// See [`Statistic::Linear`].
struct Linear {
    n_conditions: usize,
    n_models: usize,
    /// Whether vectors carry one entry a condition after those of the pairs.
    has_diagonal: bool,
    /// `(n_models, n_entries)`, row-major.
    models: Vec<f64>,
    /// The mean subject as a symmetric matrix, `(n_conditions, n_conditions)`.
    mean_subject: Vec<f64>,
}

impl Linear {
    fn new(problem: &Problem<'_>, sample: &Sample, models: &[Option<Row>]) -> Option<Self> {
        let vectors = |rows: &[Option<Row>]| -> Option<Vec<Vec<f64>>> {
            let entries = |v: &UnitVector| v.entries.clone();
            rows.iter()
                .map(|row| row.as_ref().and_then(Row::vector).map(entries))
                .collect()
        };
        let models = vectors(models)?;
        let subjects = vectors(&problem.data.on(sample, problem.similarity))?;
        let n = problem.n_conditions;
        let mut mean_subject = vec![0.0; n * n];
        for subject in &subjects {
            let (of_pairs, of_conditions) = subject.split_at(pairs::n_pairs(n));
            for ((i, j), entry) in pairs::iter(n).zip(of_pairs) {
                mean_subject[i * n + j] += entry / subjects.len() as f64;
            }
            for (i, entry) in of_conditions.iter().enumerate() {
                mean_subject[i * n + i] += entry / subjects.len() as f64;
            }
        }
        for (i, j) in pairs::iter(n) {
            mean_subject[j * n + i] = mean_subject[i * n + j];
        }
        Some(Self {
            n_conditions: n,
            n_models: models.len(),
            has_diagonal: problem.similarity.is_whitened(),
            models: models.concat(),
            mean_subject,
        })
    }

    fn scores(&self, orders: &[Vec<usize>]) -> Vec<Vec<f64>> {
        if self.n_models < MANY_MODELS {
            return with_wide_vectors(FewModels { of: self, orders });
        }
        let n = self.n_conditions;
        let n_entries = self.models.len() / self.n_models;
        let mut permuted = Vec::with_capacity(orders.len() * n_entries);
        for order in orders {
            for (i, &a) in order.iter().enumerate() {
                let row = &self.mean_subject[a * n..(a + 1) * n];
                permuted.extend(order[i + 1..].iter().map(|&b| row[b]));
            }
            if self.has_diagonal {
                permuted.extend(order.iter().map(|&a| self.mean_subject[a * n + a]));
            }
        }
        let models = MatRef::from_row_major_slice(&self.models, self.n_models, n_entries);
        let permuted = MatRef::from_row_major_slice(&permuted, orders.len(), n_entries);
        let mut scores = Mat::<f64>::zeros(self.n_models, orders.len());
        // One thread: the batches are what runs in parallel, and the order of additions stays fixed.
        matmul(
            &mut scores,
            Accum::Replace,
            models,
            permuted.transpose(),
            1.0,
            Par::Seq,
        );
        scores
            .col_iter()
            .map(|column| column.iter().copied().collect())
            .collect()
    }
}

/// Scores for few models, a row of the permuted matrices at a time: the models are read once for all
/// orders, and a permuted row stays in the cache.
struct FewModels<'a> {
    of: &'a Linear,
    orders: &'a [Vec<usize>],
}

impl FewModels<'_> {
    /// Adds the products of a part of every model, from `start` on, with the permuted data.
    #[inline(always)]
    fn add(&self, scores: &mut [f64], start: usize, permuted: &[f64]) {
        let n_entries = self.of.models.len() / self.of.n_models;
        for (score, model) in scores
            .iter_mut()
            .zip(self.of.models.chunks_exact(n_entries))
        {
            *score += dot(&model[start..start + permuted.len()], permuted);
        }
    }
}

impl VectorWork for FewModels<'_> {
    type Output = Vec<Vec<f64>>;

    #[inline(always)]
    fn call(self) -> Vec<Vec<f64>> {
        let n = self.of.n_conditions;
        let mut scores = vec![vec![0.0; self.of.n_models]; self.orders.len()];
        let mut permuted = vec![0.0; n];
        let mut start = 0;
        for i in 0..n {
            let n_later = n - i - 1;
            for (scores, order) in scores.iter_mut().zip(self.orders) {
                let row = &self.of.mean_subject[order[i] * n..(order[i] + 1) * n];
                for (slot, &b) in permuted.iter_mut().zip(&order[i + 1..]) {
                    *slot = row[b];
                }
                self.add(scores, start, &permuted[..n_later]);
            }
            start += n_later;
        }
        if self.of.has_diagonal {
            for (scores, order) in scores.iter_mut().zip(self.orders) {
                for (slot, &a) in permuted.iter_mut().zip(order) {
                    *slot = self.of.mean_subject[a * n + a];
                }
                self.add(scores, start, &permuted);
            }
        }
        scores
    }
}
