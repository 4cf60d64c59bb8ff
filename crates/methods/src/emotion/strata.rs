//! Whether units of one set are those of another, where units of different layers are not alike.

use std::ops::Range;

use consilience_stats::counts::hypergeometric;
use consilience_stats::random::{Domain, Stream};
use ndarray::ArrayView2;
use rayon::prelude::*;

use super::{EmotionError, Overlap};
use crate::Result;
use crate::error::{at_least, same_count};

/// Compares two sets of the same units layer by layer.
///
/// # Shapes
///
/// Both are `(n_units,)`, true for the units of the set; `layers` are ranges of units that do not overlap. Units of no layer do not count.
///
/// # Definition
///
/// As [`overlap`](super::overlap()) within each layer, and summed: expected are Σ n₁·n₂/N, and p is that of so many or more when every
/// layer's number is hypergeometric by itself (the exact test of a common odds ratio of 1 over 2 × 2 tables). Layers that differ in their share
/// of both sets would otherwise overlap without any unit being kept. With one layer it is the same as [`overlap`](super::overlap()).
///
/// # Errors
///
/// [`MethodsError::TooFew`](crate::MethodsError::TooFew) units, [`MethodsError::ShapeMismatch`](crate::MethodsError::ShapeMismatch),
/// [`EmotionError::BadLayer`].
///
/// # References
///
/// Birch 1964, J R Stat Soc B 26:313.
///
/// # Peers
///
/// Convolved `scipy.stats.hypergeom.pmf`, to 1e-9.
pub fn overlap_in_layers(
    first: &[bool],
    second: &[bool],
    layers: &[Range<usize>],
) -> Result<Overlap> {
    let mut found = sums(first, second, layers)?;
    // The distribution of the sum, and the least that it can be.
    let (mut sum, mut least) = (vec![1.0], 0);
    for layer in layers {
        let [n, a, b] = counts(&first[layer.clone()], &second[layer.clone()]).map(|n| n as u64);
        let from = (a + b).saturating_sub(n);
        let of_layer: Vec<f64> = (from..=a.min(b))
            .map(|k| hypergeometric(k, n, a, b))
            .collect();
        sum = convolved(&sum, &of_layer);
        least += from as usize;
    }
    found.p = match found.n_both <= least {
        true => 1.0,
        false => sum[found.n_both - least..].iter().sum::<f64>().min(1.0),
    };
    Ok(found)
}

/// Units that are in a set and in its counterpart, for any of several pairs of sets.
///
/// # Shapes
///
/// Both are `(n_bins, n_units)`, a set in each row; `layers` as in [`overlap_in_layers`].
///
/// # Definition
///
/// `n` are the units that are in any set, `n_both` those that are in the first and the second set of the same row. Expected are those when the second
/// units are dealt anew to the columns of their layer: Σ over layers of the pairs of units that have a row in common, ÷ N. p is one-sided
/// over `permutations` of that kind, (1 + #{dealt ≥ observed}) / (1 + permutations).
///
/// # Errors
///
/// As [`overlap_in_layers`], and [`MethodsError::TooFew`](crate::MethodsError::TooFew) permutations (1).
pub fn same_bin(
    first: ArrayView2<'_, bool>,
    second: ArrayView2<'_, bool>,
    layers: &[Range<usize>],
    permutations: usize,
    seed: u64,
) -> Result<Overlap> {
    at_least("permutations of units", 1, permutations)?;
    same_count("bins of the second sets", first.nrows(), second.nrows())?;
    let rows = |of: ArrayView2<'_, bool>| -> Vec<Vec<usize>> {
        let units = of.columns().into_iter();
        units
            .map(|unit| (0..unit.len()).filter(|&row| unit[row]).collect())
            .collect()
    };
    let (a, b) = (rows(first), rows(second));
    let any = |of: &[Vec<usize>]| -> Vec<bool> { of.iter().map(|rows| !rows.is_empty()).collect() };
    let mut found = sums(&any(&a), &any(&b), layers)?;
    let meet = |a: &[usize], b: &[usize]| a.iter().any(|row| b.contains(row));
    let inside = |of: &[Vec<usize>], layer: &Range<usize>| -> Vec<usize> {
        layer.clone().filter(|&unit| !of[unit].is_empty()).collect()
    };
    found.n_both = (layers.iter().flat_map(Clone::clone))
        .filter(|&unit| meet(&a[unit], &b[unit]))
        .count();
    found.expected = (layers.iter())
        .map(|layer| {
            let second = inside(&b, layer);
            let pairs = inside(&a, layer).into_iter().map(|unit| {
                let with = second.iter().filter(|&&other| meet(&a[unit], &b[other]));
                with.count()
            });
            pairs.sum::<usize>() as f64 / layer.len() as f64
        })
        .sum();
    found.jaccard = jaccard(&found);
    let n_as_many = (0..permutations as u64)
        .into_par_iter()
        .filter(|&draw| {
            let mut stream = Stream::new(seed, Domain::Permutations, draw);
            let dealt = layers.iter().map(|layer| {
                let order = stream.permutation(layer.len());
                let pairs = layer.clone().zip(order);
                let both = pairs.filter(|&(unit, other)| meet(&a[unit], &b[layer.start + other]));
                both.count()
            });
            dealt.sum::<usize>() >= found.n_both
        })
        .count();
    found.p = (1 + n_as_many) as f64 / (1 + permutations) as f64;
    Ok(found)
}

/// Counts and what is expected of them, without p.
fn sums(first: &[bool], second: &[bool], layers: &[Range<usize>]) -> Result<Overlap> {
    at_least("units of the sets", 1, first.len())?;
    same_count("units of the second set", first.len(), second.len())?;
    let mut ordered: Vec<&Range<usize>> = layers.iter().collect();
    ordered.sort_by_key(|layer| layer.start);
    let mut free = 0;
    for (idx, layer) in ordered.into_iter().enumerate() {
        if layer.is_empty() || layer.start < free || layer.end > first.len() {
            return Err(EmotionError::BadLayer {
                name: format!("{}", idx + 1),
                first: layer.start,
                last: layer.end,
                n_units: first.len(),
            }
            .into());
        }
        free = layer.end;
    }
    let mut found = Overlap {
        n_units: 0,
        n: [0, 0],
        n_both: 0,
        n_either: 0,
        expected: 0.0,
        p: 1.0,
        jaccard: None,
    };
    for layer in layers {
        let (first, second) = (&first[layer.clone()], &second[layer.clone()]);
        let [n, a, b] = counts(first, second);
        found.n_units += n;
        found.n = [found.n[0] + a, found.n[1] + b];
        found.n_both += first.iter().zip(second).filter(|&(a, b)| *a && *b).count();
        found.expected += a as f64 * b as f64 / n as f64;
    }
    found.n_either = found.n[0] + found.n[1] - found.n_both;
    found.jaccard = jaccard(&found);
    Ok(found)
}

fn jaccard(of: &Overlap) -> Option<f64> {
    (of.n_either > 0).then(|| of.n_both as f64 / of.n_either as f64)
}

/// Units, and those of either set.
fn counts(first: &[bool], second: &[bool]) -> [usize; 3] {
    let [a, b] = [first, second].map(|set| set.iter().filter(|&&in_set| in_set).count());
    [first.len(), a, b]
}

/// The distribution of the sum of two numbers.
fn convolved(a: &[f64], b: &[f64]) -> Vec<f64> {
    let mut sum = vec![0.0; a.len() + b.len() - 1];
    for (i, p) in a.iter().enumerate() {
        for (j, q) in b.iter().enumerate() {
            sum[i + j] += p * q;
        }
    }
    sum
}
