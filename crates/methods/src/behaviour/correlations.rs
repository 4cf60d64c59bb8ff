//! Correlation tables: predictions with targets, by subset of items and over runs.

use consilience_stats::correction::{Procedure, corrected};
use consilience_stats::correlation::unit;
use consilience_stats::normal;
use consilience_stats::random::{Domain, Stream};
use consilience_stats::rank::average_ranks;
use consilience_stats::tails::student_t_two_sided;
use ndarray::{Array3, ArrayView1, ArrayView2, ArrayView3, Axis};
use rayon::prelude::*;

use super::BehaviourError;
use crate::error::{at_least, same_count};
use crate::names::named;
use crate::{MethodsError, Result};

/// Which correlation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CorrelationKind {
    /// Pearson's r.
    #[default]
    Pearson,
    /// Pearson's r of average ranks.
    Spearman,
}

impl CorrelationKind {
    const NAMES: [(&'static str, Self); 2] =
        [("pearson", Self::Pearson), ("spearman", Self::Spearman)];
}

named!(CorrelationKind, "correlation");

/// Options of [`correlation_table`] and [`correlation_over_runs`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CorrelationParams {
    /// Which correlation (default: Pearson).
    pub kind: CorrelationKind,
    /// Permutations of items (default 0: no permutation test).
    pub permutations: usize,
    /// Seed of the permutations (default 1).
    pub seed: u64,
    /// Correction of the p over all cells that have one, subsets included (default: none).
    pub correction: Option<Procedure>,
}

impl Default for CorrelationParams {
    fn default() -> Self {
        Self {
            kind: CorrelationKind::default(),
            permutations: 0,
            seed: 1,
            correction: None,
        }
    }
}

/// One cell of a correlation table.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Correlated {
    /// The correlation.
    pub r: f64,
    /// Items that it is over.
    pub n: usize,
    /// 95 % interval; `None` for fewer than 4 items or |r| = 1.
    pub interval: Option<[f64; 2]>,
    /// Two-sided p by Student's t with n − 2 degrees of freedom.
    pub p: f64,
    /// Two-sided p by permutation of items.
    pub p_permutation: Option<f64>,
    /// `p`, corrected as asked for.
    pub p_corrected: Option<f64>,
    /// `p_permutation`, corrected as asked for.
    pub p_permutation_corrected: Option<f64>,
}

/// Why a cell of a correlation table is empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoCorrelation {
    /// Nothing to correlate over.
    #[error("the subset has {found} items, expected at least 3")]
    TooFewItems {
        /// Items of the subset.
        found: usize,
    },
    /// The prediction is the same for all items of the subset.
    #[error("the prediction is the same for all items")]
    ConstantPrediction,
    /// The target is the same for all items of the subset.
    #[error("the target is the same for all items")]
    ConstantTarget,
}

/// A correlation or why there is none.
type Cell = std::result::Result<Correlated, NoCorrelation>;

/// Correlates each prediction with each target, over each subset of the items.
///
/// # Shapes
///
/// `predictions` is `(n_predictions, n_items)`, `targets` is `(n_targets, n_items)`, a subset lists 0-based items;
/// the result is `(n_subsets, n_predictions, n_targets)`. Without a subset there is one of all items.
///
/// # Definition
///
/// p is two-sided: of t = r·√((n − 2)/(1 − r²)) under Student's t with n − 2 degrees of freedom, and by permutation (1 +
/// #{|permuted| ≥ |r|}) / (1 + permutations), the items of the targets being permuted within the subset, in the
/// same way for all cells. The interval is z ± 1.96·s with z = artanh r and s² = 1/(n − 3) for Pearson
/// (Fisher), (1 + r²/2)/(n − 3) for Spearman (Bonett and Wright). A correction is over all cells of the table that have
/// a p, for either p on its own; nothing is corrected without one.
///
/// # Errors
///
/// [`MethodsError::ShapeMismatch`] of items, [`MethodsError::TooFew`] rows, [`MethodsError::NonFinite`],
/// [`BehaviourError::BadSubset`]. A cell that cannot be had says why itself.
///
/// # Example
///
/// ```
/// use consilience_methods::behaviour::{CorrelationParams, correlation_table};
/// use ndarray::array;
///
/// let predictions = array![[1.0, 2.0, 3.0, 4.0, 5.0]];
/// let valence = array![[2.0, 1.0, 4.0, 3.0, 5.0]];
/// let subsets = [vec![0, 1, 2, 3, 4], vec![0, 2, 4]];
/// let params = CorrelationParams::default();
/// let table = correlation_table(predictions.view(), valence.view(), &subsets, &params)?;
/// assert!((table[[0, 0, 0]].unwrap().r - 0.8).abs() < 1e-12);
/// assert_eq!(table[[1, 0, 0]].unwrap().n, 3);
/// # Ok::<(), consilience_methods::MethodsError>(())
/// ```
///
/// # References
///
/// Fisher 1921, Metron 1:3–32; Bonett & Wright 2000, doi:10.1007/BF02294183; Phipson & Smyth 2010,
/// doi:10.2202/1544-6115.1585.
///
/// # Peers
///
/// SciPy 1.17.1 `pearsonr` (with its interval) and `spearmanr`, to 1e-9.
pub fn correlation_table(
    predictions: ArrayView2<'_, f64>,
    targets: ArrayView2<'_, f64>,
    subsets: &[Vec<usize>],
    params: &CorrelationParams,
) -> Result<Array3<Cell>> {
    let (what_x, what_y) = ("the predictions", "the targets");
    let (n_x, n_items) = predictions.dim();
    let n_y = targets.nrows();
    for (what, found) in [
        ("rows of the predictions", n_x),
        ("rows of the targets", n_y),
    ] {
        at_least(what, 1, found)?;
    }
    same_count(
        "items of the targets, as many as of the predictions",
        n_items,
        targets.ncols(),
    )?;
    check_finite(what_x, predictions)?;
    check_finite(what_y, targets)?;
    check_subsets(subsets, n_items)?;
    let everything = [(0..n_items).collect()];
    let subsets = if subsets.is_empty() {
        &everything
    } else {
        subsets
    };
    let mut cells = Vec::with_capacity(subsets.len() * n_x * n_y);
    for subset in subsets {
        cells.extend(of_subset(predictions, targets, subset, params));
    }
    if let Some(procedure) = params.correction {
        correct(&mut cells, procedure);
    }
    Ok(Array3::from_shape_vec((subsets.len(), n_x, n_y), cells)
        .expect("a cell for each subset, prediction and target"))
}

/// Corrects either p over the cells that have one.
fn correct(cells: &mut [Cell], procedure: Procedure) {
    let mut found: Vec<&mut Correlated> = cells.iter_mut().flatten().collect();
    let p: Vec<f64> = found.iter().map(|cell| cell.p).collect();
    let p_permutation: Vec<f64> = found.iter().filter_map(|cell| cell.p_permutation).collect();
    for (cell, p) in found.iter_mut().zip(corrected(&p, procedure)) {
        cell.p_corrected = Some(p);
    }
    // All cells have a permutation test, or none has.
    for (cell, p) in found.iter_mut().zip(corrected(&p_permutation, procedure)) {
        cell.p_permutation_corrected = Some(p);
    }
}

/// A correlation over several runs of one model.
#[derive(Debug, Clone, PartialEq)]
pub struct OverRuns {
    /// The correlation of each run.
    pub runs: Vec<Cell>,
    /// Mean over the runs that have one.
    pub mean: Option<f64>,
    /// Standard deviation (denominator n − 1) over them; `None` for fewer than two.
    pub sd: Option<f64>,
    /// Correlation of the mean prediction over all runs, whose p speaks for the model: runs are not
    /// independent samples of items.
    pub of_mean: Cell,
}

/// The same for models of which there are several runs.
///
/// # Shapes
///
/// `predictions` is `(n_runs, n_models, n_items)`, the rest as [`correlation_table`]; the result is `(n_subsets,
/// n_models, n_targets)`.
///
/// # Definition
///
/// As [`correlation_table`]; what is corrected is the p of the mean predictions, because a run answers no question of its own.
///
/// # Errors
///
/// As [`correlation_table`].
pub fn correlation_over_runs(
    predictions: ArrayView3<'_, f64>,
    targets: ArrayView2<'_, f64>,
    subsets: &[Vec<usize>],
    params: &CorrelationParams,
) -> Result<Array3<OverRuns>> {
    let Some(mean_prediction) = predictions.mean_axis(Axis(0)) else {
        return Err(MethodsError::TooFew {
            what: "runs of the predictions",
            needed: 1,
            found: 0,
        });
    };
    let uncorrected = CorrelationParams {
        correction: None,
        ..*params
    };
    let each: Vec<Array3<Cell>> = predictions
        .axis_iter(Axis(0))
        .map(|run| correlation_table(run, targets, subsets, &uncorrected))
        .collect::<Result<_>>()?;
    let of_mean = correlation_table(mean_prediction.view(), targets, subsets, params)?;
    Ok(Array3::from_shape_fn(of_mean.dim(), |at| {
        let runs: Vec<Cell> = each.iter().map(|table| table[at]).collect();
        let values: Vec<f64> = runs.iter().flatten().map(|cell| cell.r).collect();
        let n = values.len() as f64;
        let mean = (!values.is_empty()).then(|| values.iter().sum::<f64>() / n);
        let sd = mean.filter(|_| values.len() > 1).map(|mean| {
            let square: f64 = values.iter().map(|r| (r - mean) * (r - mean)).sum();
            (square / (n - 1.0)).sqrt()
        });
        OverRuns {
            runs,
            mean,
            sd,
            of_mean: of_mean[at],
        }
    }))
}

pub(crate) fn check_finite(what: &'static str, x: ArrayView2<'_, f64>) -> Result<()> {
    match x.indexed_iter().find(|(_, v)| !v.is_finite()) {
        None => Ok(()),
        Some(((row, column), &value)) => Err(MethodsError::NonFinite {
            what,
            row,
            column,
            value,
            cure: "leave out the items without a value",
        }),
    }
}

fn check_subsets(subsets: &[Vec<usize>], n_items: usize) -> Result<()> {
    for (subset, items) in subsets.iter().enumerate() {
        let mut seen = vec![false; n_items];
        for &item in items {
            let found = match seen.get_mut(item) {
                None => "that is not there",
                Some(true) => "twice",
                Some(seen) => {
                    *seen = true;
                    continue;
                }
            };
            return Err(BehaviourError::BadSubset {
                subset,
                item,
                found,
                n_items,
            }
            .into());
        }
    }
    Ok(())
}

/// Cells of one subset, predictions in rows.
fn of_subset(
    predictions: ArrayView2<'_, f64>,
    targets: ArrayView2<'_, f64>,
    subset: &[usize],
    params: &CorrelationParams,
) -> Vec<Cell> {
    let n = subset.len();
    let n_cells = predictions.nrows() * targets.nrows();
    if n < 3 {
        return vec![Err(NoCorrelation::TooFewItems { found: n }); n_cells];
    }
    let units = |x: ArrayView2<'_, f64>| -> Vec<Option<Vec<f64>>> {
        let of_row = |row: ArrayView1<'_, f64>| {
            let mut values: Vec<f64> = subset.iter().map(|&item| row[item]).collect();
            if params.kind == CorrelationKind::Spearman {
                values = average_ranks(&values);
            }
            unit(&values)
        };
        x.rows().into_iter().map(of_row).collect()
    };
    let (x, y) = (units(predictions), units(targets));
    let orders: Vec<Vec<usize>> = (0..params.permutations as u64)
        .map(|index| Stream::new(params.seed, Domain::Permutations, index).permutation(n))
        .collect();
    let cells: Vec<(usize, usize)> = (0..x.len())
        .flat_map(|i| (0..y.len()).map(move |j| (i, j)))
        .collect();
    cells
        .into_par_iter()
        .map(|(i, j)| {
            let x = x[i].as_ref().ok_or(NoCorrelation::ConstantPrediction)?;
            let y = y[j].as_ref().ok_or(NoCorrelation::ConstantTarget)?;
            Ok(cell(x, y, &orders, params.kind))
        })
        .collect()
}

/// Of two centred vectors of unit length.
fn cell(x: &[f64], y: &[f64], orders: &[Vec<usize>], kind: CorrelationKind) -> Correlated {
    let n = x.len();
    let dot: f64 = x.iter().zip(y).map(|(x, y)| x * y).sum();
    let r = dot.clamp(-1.0, 1.0);
    let dof = n as f64 - 2.0;
    let t = r * (dof / ((1.0 - r) * (1.0 + r))).sqrt();
    let p_permutation = (!orders.is_empty()).then(|| {
        // Permutations that change nothing must count whatever their sums were rounded to.
        let least = r.abs() - 1e-12;
        let as_large = |order: &&Vec<usize>| {
            let permuted: f64 = x.iter().zip(order.iter()).map(|(x, &j)| x * y[j]).sum();
            permuted.abs() >= least
        };
        let n_as_large = orders.iter().filter(as_large).count();
        (1 + n_as_large) as f64 / (1 + orders.len()) as f64
    });
    Correlated {
        r,
        n,
        interval: interval(r, n, kind),
        p: student_t_two_sided(t, dof),
        p_permutation,
        p_corrected: None,
        p_permutation_corrected: None,
    }
}

fn interval(r: f64, n: usize, kind: CorrelationKind) -> Option<[f64; 2]> {
    let z = r.atanh();
    if n < 4 || !z.is_finite() {
        return None;
    }
    let variance = match kind {
        CorrelationKind::Pearson => 1.0,
        CorrelationKind::Spearman => 1.0 + r * r / 2.0,
    } / (n as f64 - 3.0);
    let half = normal::quantile(0.975) * variance.sqrt();
    Some([(z - half).tanh(), (z + half).tanh()])
}

/// The items of each subset, from masks.
pub(crate) fn items_of(subsets: ArrayView2<'_, bool>, n_images: usize) -> Result<Vec<Vec<usize>>> {
    same_count("pictures of the subsets", n_images, subsets.ncols())?;
    at_least("subsets of the pictures", 1, subsets.nrows())?;
    let of_mask = |mask: ArrayView1<'_, bool>| (0..n_images).filter(|&i| mask[i]).collect();
    Ok(subsets.rows().into_iter().map(of_mask).collect())
}
