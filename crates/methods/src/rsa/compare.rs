//! Similarities of RDMs with RDMs.

use ndarray::{Array2, ArrayView1, ArrayView2, Axis};
use rayon::prelude::*;

use super::inputs;
use super::row::{Row, Source};
use super::sample::Sample;
use super::similarity::Similarity;
use super::whitening::Whitener;
use crate::{MethodsError, NanPolicy, Result};

/// Similarities of every RDM of one set with every RDM of another.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// `(a, b)`: row i, column j is the similarity of RDM i of the first set with RDM j of the
    /// second.
    pub scores: Array2<f64>,
    /// Pairs of conditions that were left out because some RDM has NaN there.
    pub n_omitted: usize,
}

/// Compares every RDM of `a` with every RDM of `b`.
///
/// # Shapes
///
/// `a` is `(n_a, n_pairs)`, `b` is `(n_b, n_pairs)`: strict upper triangles, row-major.
///
/// # Definition
///
/// See [`Similarity`]. With [`NanPolicy::Omit`] a pair that is NaN in any RDM is left out for all, so
/// that all scores speak of the same pairs.
///
/// # Errors
///
/// [`MethodsError::PairsMismatch`] for vectors of different length, [`MethodsError::Rdm`] for a
/// length that fits no number of conditions, [`MethodsError::NonFinite`] for an infinity or a NaN
/// that is not omitted, [`MethodsError::IncompleteRdms`] for omitted pairs under `bures`, and
/// [`MethodsError::UndefinedRdm`] for an RDM that has no similarity with anything (a constant one
/// under a correlation).
///
/// # Example
///
/// ```
/// use consilience_methods::{NanPolicy, rsa::{Similarity, compare}};
/// use ndarray::array;
///
/// let a = array![[1.0, 2.0, 3.0]];
/// let b = array![[1.0, 3.0, 2.0], [2.0, 4.0, 6.0]];
/// let found = compare(a.view(), b.view(), Similarity::Spearman, NanPolicy::Refuse).unwrap();
/// assert!((found.scores[[0, 0]] - 0.5).abs() < 1e-15);
/// assert!((found.scores[[0, 1]] - 1.0).abs() < 1e-15);
/// ```
///
/// # Peers
///
/// `rsatoolbox.rdm.compare` 0.3.2 with `sigma_k=None`, to 1e-9; SciPy's `pearsonr`, `spearmanr`
/// and `kendalltau`. rsatoolbox gives 0 or NaN where we refuse an undefined RDM, and takes `bures`
/// through roots of squared rounding errors, which costs it half the digits: there we agree to 1e-7.
pub fn compare(
    a: ArrayView2<'_, f64>,
    b: ArrayView2<'_, f64>,
    similarity: Similarity,
    nan: NanPolicy,
) -> Result<Comparison> {
    let (what_a, what_b) = ("the first set of RDMs", "the second set of RDMs");
    let checked = inputs::check((what_a, a), (what_b, b), similarity, nan)?;
    let sample = Sample::whole(checked.n_conditions, &checked.present());
    let n_omitted = checked.n_omitted;
    // What is known of missing pairs is in the sample now; of many pairs it takes room.
    drop(checked);
    let whitener = similarity.is_whitened().then(|| Whitener::new(&sample));
    let row = |rdm| Row::new(rdm, &sample, similarity, whitener.as_ref());
    let rows_a: Vec<Option<Row>> = a.axis_iter(Axis(0)).into_par_iter().map(row).collect();
    let rows_a = all_defined(what_a, rows_a, similarity)?;
    // Of the second set, what it has to say about the first is all that is kept.
    let by_b: Vec<Option<Vec<f64>>> = b
        .axis_iter(Axis(0))
        .into_par_iter()
        .map(|rdm| {
            let (row, against) = (row(rdm)?, rows_a.par_iter());
            let similarities = against.map(|x| x.similarity(&row, &sample, similarity));
            Some(similarities.collect())
        })
        .collect();
    let by_b = all_defined(what_b, by_b, similarity)?;
    let mut scores = Array2::zeros((a.nrows(), b.nrows()));
    for (row, found) in by_b.into_iter().enumerate() {
        scores.column_mut(row).assign(&ArrayView1::from(&found));
    }
    Ok(Comparison { scores, n_omitted })
}

/// Every RDM on a sample, or an error that names the one that is undefined.
pub(super) fn defined(
    what: &'static str,
    source: &Source,
    sample: &Sample,
    similarity: Similarity,
) -> Result<Vec<Row>> {
    all_defined(what, source.on(sample, similarity), similarity)
}

fn all_defined<T>(
    what: &'static str,
    found: Vec<Option<T>>,
    similarity: Similarity,
) -> Result<Vec<T>> {
    let undefined = |row| MethodsError::UndefinedRdm {
        similarity: similarity.name(),
        what,
        row,
        why: similarity.why_undefined(),
    };
    (found.into_iter().enumerate())
        .map(|(row, found)| found.ok_or_else(|| undefined(row)))
        .collect()
}

/// `(a, b)` similarities.
pub(super) fn scores(a: &[Row], b: &[Row], sample: &Sample, similarity: Similarity) -> Array2<f64> {
    let values: Vec<f64> = a
        .par_iter()
        .flat_map_iter(|x| b.iter().map(move |y| x.similarity(y, sample, similarity)))
        .collect();
    Array2::from_shape_vec((a.len(), b.len()), values).expect("one value for each pair of RDMs")
}
