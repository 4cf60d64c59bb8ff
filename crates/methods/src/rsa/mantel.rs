//! The Mantel test: one RDM with another.

use std::collections::BTreeSet;

use ndarray::{ArrayView1, Axis};

use super::bootstrap::Problem;
use super::compare::defined;
use super::inputs;
use super::permutation::{Permutations, permute};
use super::row::Source;
use super::sample::Sample;
use super::similarity::Similarity;
use crate::error::{at_least, same_count};
use crate::{MethodsError, NanPolicy, Result};

/// Options of [`mantel`](mantel()).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MantelParams {
    /// How the RDMs are compared.
    pub similarity: Similarity,
    /// A label for each condition; only conditions with the same label are exchanged. `None` exchanges all.
    pub blocks: Option<Vec<i64>>,
    /// Permutations, at least 1.
    pub permutations: usize,
    /// Seed of the permutations.
    pub seed: u64,
    /// What to do with NaN.
    pub nan: NanPolicy,
}

impl Default for MantelParams {
    /// Spearman, all conditions exchanged, 10,000 permutations, seed 1, NaN refused.
    fn default() -> Self {
        Self {
            similarity: Similarity::default(),
            blocks: None,
            permutations: 10_000,
            seed: 1,
            nan: NanPolicy::default(),
        }
    }
}

/// Outcome of a Mantel test.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mantel {
    /// Similarity of the two RDMs.
    pub score: f64,
    /// One-sided p: (1 + number of permutations at least as similar) / (1 + permutations).
    pub p: f64,
    /// Pairs of conditions that were left out because either RDM has NaN there.
    pub n_omitted: usize,
}

/// Tests whether two RDMs agree better than under permuted conditions.
///
/// # Shapes
///
/// `a` and `b` are `(n_pairs,)`: strict upper triangles, row-major.
///
/// # Definition
///
/// The rows and columns of `b` are permuted together. p = (1 + #{permuted ≥ observed}) /
/// (1 + permutations). A missing pair moves with its conditions.
///
/// With `blocks`, conditions keep to theirs: categories (or whatever the blocks are) that make both RDMs alike then are part of
/// the null hypothesis, and p is about what the RDMs share within and between them beyond that.
///
/// # Errors
///
/// [`MethodsError::TooFew`] for no permutation, or when no two conditions share a block; [`MethodsError::ShapeMismatch`] for another number
/// of labels than conditions; otherwise as [`compare`](super::compare()).
///
/// # Example
///
/// ```
/// use consilience_methods::rsa::{MantelParams, mantel};
/// use ndarray::Array1;
///
/// let rdm: Array1<f64> = (0..45).map(|k| f64::from(k * k % 17)).collect();
/// let found = mantel(rdm.view(), rdm.view(), &MantelParams::default()).unwrap();
/// assert!((found.score - 1.0).abs() < 1e-12);
/// assert!(found.p < 0.01);
/// ```
///
/// # References
///
/// Mantel (1967), Cancer Research 27:209–220; Anderson & ter Braak (2003), doi:10.1080/00949650215733 (blocks); Phipson & Smyth (2010), doi:10.2202/1544-6115.1585.
///
/// # Peers
///
/// scikit-bio's `mantel(alternative="greater")` in definition; the permutations differ.
pub fn mantel(
    a: ArrayView1<'_, f64>,
    b: ArrayView1<'_, f64>,
    params: &MantelParams,
) -> Result<Mantel> {
    let (what_a, what_b) = ("the first RDM", "the second RDM");
    let similarity = params.similarity;
    at_least("permutations", 1, params.permutations)?;
    let (a, b) = (a.insert_axis(Axis(0)), b.insert_axis(Axis(0)));
    let checked = inputs::check((what_a, a), (what_b, b), similarity, params.nan)?;
    let blocks = match &params.blocks {
        Some(labels) => Some(block_numbers(labels, checked.n_conditions)?),
        None => None,
    };
    let present = checked.present();
    let sample = Sample::whole(checked.n_conditions, &present);
    let (first, second) = (Source::new(a, similarity), Source::new(b, similarity));
    let row_a = defined(what_a, &first, &sample, similarity)?.remove(0);
    let row_b = defined(what_b, &second, &sample, similarity)?.remove(0);
    let score = row_a.similarity(&row_b, &sample, similarity);
    let problem = Problem {
        models: &first,
        data: &second,
        n_conditions: checked.n_conditions,
        present: &present,
        similarity,
    };
    let permuted = permute(
        &problem,
        &checked.present_b,
        &checked.present_a,
        &[score],
        Permutations {
            n: params.permutations,
            seed: params.seed,
            blocks: blocks.as_deref(),
        },
        &|_| {},
    );
    Ok(Mantel {
        score,
        p: permuted.p(0),
        n_omitted: checked.n_omitted,
    })
}

/// Each condition's block as the place of its label among the different ones.
pub(super) fn block_numbers(labels: &[i64], n_conditions: usize) -> Result<Vec<usize>> {
    same_count("labels of blocks", n_conditions, labels.len())?;
    let different: BTreeSet<i64> = labels.iter().copied().collect();
    if different.len() == n_conditions {
        return Err(MethodsError::TooFew {
            what: "conditions of the largest block, so that some can be exchanged",
            needed: 2,
            found: 1,
        });
    }
    let different: Vec<i64> = different.into_iter().collect();
    Ok(labels
        .iter()
        .map(|label| different.partition_point(|other| other < label))
        .collect())
}
