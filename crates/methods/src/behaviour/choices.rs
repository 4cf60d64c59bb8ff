//! Odd-one-out choices from similarities of items.

use std::collections::BTreeMap;
use std::ops::Range;

use consilience_core::pairs;
use consilience_stats::counts::binomial_at_least;
use consilience_stats::normal;
use consilience_stats::tails::student_t_isf;
use ndarray::{Array2, ArrayView1, ArrayView2, Axis, s};
use rayon::prelude::*;

use super::BehaviourError;
use super::correlations::check_finite;
use crate::error::{at_least, same_count};
use crate::{MethodsError, Result};

/// What is known of the items.
#[derive(Debug, Clone, Copy)]
pub enum Similarities<'a> {
    /// `(n_items, n_dims)`: similarity is the inner product.
    Embedding(ArrayView2<'a, f64>),
    /// `(n_pairs,)`: similarity is the dissimilarity, negated.
    Rdm(ArrayView1<'a, f64>),
}

impl Similarities<'_> {
    /// All pairs, both ways; the diagonal is 0 and means nothing.
    fn matrix(&self) -> Result<Array2<f64>> {
        let matrix = match *self {
            Self::Embedding(x) => {
                check_finite("the embedding", x)?;
                x.dot(&x.t())
            }
            Self::Rdm(d) => {
                let n = pairs::n_conditions(d.len())?;
                check_finite("the RDM", d.insert_axis(Axis(0)))?;
                let mut matrix = Array2::zeros((n, n));
                for ((i, j), d) in pairs::iter(n).zip(d) {
                    matrix[[i, j]] = -d;
                    matrix[[j, i]] = -d;
                }
                matrix
            }
        };
        at_least("items to form triplets of", 3, matrix.nrows())?;
        Ok(matrix)
    }
}

/// How well similarities predict odd-one-out choices.
#[derive(Debug, Clone, PartialEq)]
pub struct OddOneOut {
    /// Share of triplets in which the pair that was left is the most similar; of m pairs that are equally similar
    /// the one that was chosen counts 1/m.
    pub accuracy: f64,
    /// Its 95 % interval (Wilson), if triplets were judged independently.
    pub interval: [f64; 2],
    /// One-sided p of an accuracy above ⅓, by the binomial distribution.
    pub p: f64,
    /// Probability of what was chosen, for each triplet.
    pub probabilities: Vec<f64>,
    /// Mean of their logarithms, natural; −ln 3 = −1.0986 is chance.
    pub log_likelihood: f64,
    /// Triplets in which pairs are equally similar at the top.
    pub n_ties: usize,
}

/// Predicts which of three items is the odd one out.
///
/// # Shapes
///
/// A row of `triplets` is `[i, j, odd]`: 0-based items, the odd one last, as THINGS publishes them. The result has a
/// probability for each row.
///
/// # Definition
///
/// P(odd = k) = exp(sᵢⱼ/T) / (exp(sᵢⱼ/T) + exp(sᵢₖ/T) + exp(sⱼₖ/T)), s the similarity and T the temperature: k is odd when
/// the other two are the most similar pair. Accuracy and p do not depend on T. The p counts whole triplets,
/// rounded down. Choices of one person, or about the same items, are not independent: then interval and p are too sure, and
/// a bootstrap over persons is in place.
///
/// # Errors
///
/// [`MethodsError::TooFew`] items or triplets, [`MethodsError::ShapeMismatch`] for other than three columns,
/// [`MethodsError::NonFinite`], [`MethodsError::OptionOutOfRange`], [`BehaviourError::BadTriplet`].
///
/// # Example
///
/// ```
/// use consilience_methods::behaviour::{Similarities, odd_one_out};
/// use ndarray::array;
///
/// let embedding = array![[1.0, 0.0], [1.0, 0.1], [0.0, 1.0]];
/// let triplets = array![[0, 1, 2], [0, 2, 1]];
/// let found = odd_one_out(Similarities::Embedding(embedding.view()), triplets.view(), 1.0)?;
/// assert_eq!(found.accuracy, 0.5);
/// assert!((found.probabilities[0] - 0.563555).abs() < 1e-6);
/// # Ok::<(), consilience_methods::MethodsError>(())
/// ```
///
/// # References
///
/// Hebart, Zheng, Pereira & Baker 2020, doi:10.1038/s41562-020-00951-3; Wilson 1927,
/// doi:10.1080/01621459.1927.10502953.
///
/// # Peers
///
/// The formulas in NumPy, SciPy `binomtest`, statsmodels `proportion_confint(method="wilson")`, to 1e-9.
pub fn odd_one_out(
    similarities: Similarities<'_>,
    triplets: ArrayView2<'_, usize>,
    temperature: f64,
) -> Result<OddOneOut> {
    if !(temperature > 0.0 && temperature.is_finite()) {
        return Err(MethodsError::OptionOutOfRange {
            option: "the temperature",
            value: temperature,
            expected: "a positive number",
        });
    }
    let s = similarities.matrix()?;
    let triplets = checked(triplets, Some(s.nrows()))?;
    let n = triplets.len();
    let (mut credit, mut n_ties, mut log_likelihood) = (0.0, 0, 0.0);
    let mut probabilities = Vec::with_capacity(n);
    for &[i, j, odd] in &triplets {
        let values = [s[[i, j]], s[[i, odd]], s[[j, odd]]];
        let top = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let n_top = values.iter().filter(|v| **v == top).count();
        n_ties += usize::from(n_top > 1);
        credit += if values[0] == top {
            1.0 / n_top as f64
        } else {
            0.0
        };
        // Differences from the largest, so that nothing overflows.
        let sum: f64 = values.iter().map(|v| ((v - top) / temperature).exp()).sum();
        let log = (values[0] - top) / temperature - sum.ln();
        log_likelihood += log / n as f64;
        probabilities.push(log.exp());
    }
    let accuracy = credit / n as f64;
    Ok(OddOneOut {
        accuracy,
        interval: wilson(accuracy, n as f64),
        p: binomial_at_least((credit + 1e-9).floor() as u64, n as u64, 1.0 / 3.0),
        probabilities,
        log_likelihood,
        n_ties,
    })
}

/// Similarity of each two items as a choice: how probably they are the pair that is left, averaged over all third
/// items.
///
/// # Shapes
///
/// The result is `(n_pairs,)`; 1 − it is an RDM.
///
/// # Definition
///
/// Mean over k of exp(sᵢⱼ/T) / (exp(sᵢⱼ/T) + exp(sᵢₖ/T) + exp(sⱼₖ/T)). The time grows with the cube of the number of
/// items.
///
/// # Errors
///
/// As [`odd_one_out`], without those of triplets.
///
/// # References
///
/// Hebart, Zheng, Pereira & Baker 2020, doi:10.1038/s41562-020-00951-3.
pub fn triplet_similarity(similarities: Similarities<'_>, temperature: f64) -> Result<Vec<f64>> {
    if !(temperature > 0.0 && temperature.is_finite()) {
        return Err(MethodsError::OptionOutOfRange {
            option: "the temperature",
            value: temperature,
            expected: "a positive number",
        });
    }
    let similarity = similarities.matrix()?;
    let n = similarity.nrows();
    let off_diagonal = || pairs::iter(n).map(|pair| similarity[pair] / temperature);
    let (low, high) = off_diagonal().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| {
        (l.min(v), h.max(v))
    });
    // One exponential a pair, unless they leave the range of `f64`; then one a term.
    let exponentials =
        (high - low < 600.0).then(|| similarity.mapv(|v| (v / temperature - high).exp()));
    let of_pair = |i: usize, j: usize| -> f64 {
        let others = [0..i, i + 1..j, j + 1..n];
        match &exponentials {
            Some(e) => {
                let own = e[[i, j]];
                let sum_over = |others: Range<usize>| -> f64 {
                    let (a, b) = (e.slice(s![i, others.clone()]), e.slice(s![j, others]));
                    a.iter().zip(b).map(|(a, b)| own / (own + a + b)).sum()
                };
                others.into_iter().map(sum_over).sum()
            }
            None => {
                let over = |v: f64| ((v - similarity[[i, j]]) / temperature).exp();
                let term =
                    |k: usize| 1.0 / (1.0 + over(similarity[[i, k]]) + over(similarity[[j, k]]));
                others.into_iter().flatten().map(term).sum()
            }
        }
    };
    let row =
        |i: usize| -> Vec<f64> { (i + 1..n).map(|j| of_pair(i, j) / (n - 2) as f64).collect() };
    let rows: Vec<Vec<f64>> = (0..n).into_par_iter().map(row).collect();
    Ok(rows.concat())
}

/// How consistently people choose.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ChoiceCeiling {
    /// Mean over triplets of the share of the most frequent choice: what no model can be expected to exceed.
    pub upper: f64,
    /// Mean over triplets of how often the most frequent choice of the others is made.
    pub lower: f64,
    /// 95 % intervals of upper and lower over triplets; `None` for one triplet.
    pub intervals: Option<[[f64; 2]; 2]>,
    /// Triplets that were judged at least twice.
    pub n_triplets: usize,
    /// Judgements of these.
    pub n_judgements: usize,
}

/// The ceiling of odd-one-out accuracy, from triplets that were judged repeatedly.
///
/// # Shapes
///
/// As [`odd_one_out`]: rows `[i, j, odd]`.
///
/// # Definition
///
/// Over triplets with at least two judgements, each counting the same. upper: share of the most frequent choice; with few
/// judgements it is high by chance (⅔ and more for two). lower: mean over judgements of 1/m when the choice is among the m
/// most frequent ones of the other judgements, else 0. Intervals are Student's over triplets.
///
/// # Errors
///
/// [`MethodsError::TooFew`], [`MethodsError::ShapeMismatch`], [`BehaviourError::BadTriplet`],
/// [`BehaviourError::NoRepeatedTriplet`].
///
/// # References
///
/// Hebart, Zheng, Pereira & Baker 2020, doi:10.1038/s41562-020-00951-3.
pub fn odd_one_out_ceiling(triplets: ArrayView2<'_, usize>) -> Result<ChoiceCeiling> {
    let mut counts: BTreeMap<[usize; 3], [usize; 3]> = BTreeMap::new();
    for row in checked(triplets, None)? {
        let mut items = row;
        items.sort_unstable();
        let odd = items.iter().position(|item| *item == row[2]).unwrap_or(0);
        counts.entry(items).or_default()[odd] += 1;
    }
    let repeated: Vec<[usize; 3]> = counts
        .values()
        .filter(|c| c.iter().sum::<usize>() > 1)
        .copied()
        .collect();
    if repeated.is_empty() {
        return Err(BehaviourError::NoRepeatedTriplet {
            n_triplets: counts.len(),
        }
        .into());
    }
    let upper: Vec<f64> = repeated
        .iter()
        .map(|c| largest(c) as f64 / c.iter().sum::<usize>() as f64)
        .collect();
    let lower: Vec<f64> = repeated
        .iter()
        .map(|c| {
            let credit = |choice: usize| {
                let mut others = *c;
                others[choice] -= 1;
                let top = largest(&others);
                let n_top = others.iter().filter(|&&n| n == top).count();
                if others[choice] == top {
                    1.0 / n_top as f64
                } else {
                    0.0
                }
            };
            let sum: f64 = (0..3)
                .filter(|&k| c[k] > 0)
                .map(|k| c[k] as f64 * credit(k))
                .sum();
            sum / c.iter().sum::<usize>() as f64
        })
        .collect();
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let n = repeated.len();
    let intervals = (n > 1).then(|| {
        [&upper, &lower].map(|values| {
            let mean = mean(values);
            let square: f64 = values.iter().map(|v| (v - mean) * (v - mean)).sum();
            let sem = (square / (n as f64 - 1.0) / n as f64).sqrt();
            let half = student_t_isf(0.025, n as f64 - 1.0) * sem;
            [mean - half, mean + half]
        })
    });
    Ok(ChoiceCeiling {
        upper: mean(&upper),
        lower: mean(&lower),
        intervals,
        n_triplets: n,
        n_judgements: repeated.iter().flatten().sum(),
    })
}

fn largest(counts: &[usize; 3]) -> usize {
    counts.iter().copied().max().unwrap_or(0)
}

/// Rows of three different items.
fn checked(triplets: ArrayView2<'_, usize>, n_items: Option<usize>) -> Result<Vec<[usize; 3]>> {
    same_count(
        "columns of the triplets: two items and the odd one",
        3,
        triplets.ncols(),
    )?;
    at_least("triplets", 1, triplets.nrows())?;
    let n_items = n_items.unwrap_or(usize::MAX);
    let mut rows = Vec::with_capacity(triplets.nrows());
    for (row, values) in triplets.rows().into_iter().enumerate() {
        let found = [values[0], values[1], values[2]];
        let [a, b, c] = found;
        if a == b || b == c || a == c || found.iter().any(|&item| item >= n_items) {
            return Err(BehaviourError::BadTriplet {
                row,
                found,
                n_items,
            }
            .into());
        }
        rows.push(found);
    }
    Ok(rows)
}

/// Wilson's 95 % interval of a share of n.
fn wilson(share: f64, n: f64) -> [f64; 2] {
    let z = normal::quantile(0.975);
    let spread = z * z / n;
    let centre = (share + spread / 2.0) / (1.0 + spread);
    let half = z * (share * (1.0 - share) / n + spread / (4.0 * n)).sqrt() / (1.0 + spread);
    [(centre - half).max(0.0), (centre + half).min(1.0)]
}
