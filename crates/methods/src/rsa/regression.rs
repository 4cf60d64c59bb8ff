//! An RDM as a weighted sum of others: multiple regression, partial and semi-partial correlation.

use consilience_core::pairs;
use consilience_stats::rank::average_ranks;
use ndarray::{Array2, ArrayView1, ArrayView2};

use crate::{MethodsError, NanPolicy, Result};

/// How the weights of a regression may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Weights {
    /// Any (ordinary least squares).
    #[default]
    Any,
    /// None below 0: an RDM adds to what differs and takes nothing away.
    NonNegative,
}

/// Options of [`regress`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RegressionParams {
    /// How weights may be (default: any).
    pub weights: Weights,
    /// Whether a constant is fitted beside the RDMs (default: yes). It may have any sign.
    pub intercept: bool,
    /// Whether all RDMs are ranked and the ranks brought to unit variance first (default: no).
    pub ranks: bool,
    /// What to do with NaN; omitting leaves a pair out of all RDMs.
    pub nan: NanPolicy,
}

impl Default for RegressionParams {
    fn default() -> Self {
        Self {
            weights: Weights::default(),
            intercept: true,
            ranks: false,
            nan: NanPolicy::default(),
        }
    }
}

/// RDMs as weighted sums of model RDMs.
#[derive(Debug, Clone, PartialEq)]
pub struct Regression {
    /// `(n_data, n_models)` weights.
    pub weights: Array2<f64>,
    /// Constant of each data RDM; 0 without an intercept.
    pub intercepts: Vec<f64>,
    /// Share of variance explained, of each data RDM: 1 − Σ residual² / Σ (d − d̄)²; without an intercept
    /// the sum of squares below is about 0.
    pub r_squared: Vec<f64>,
    /// Pairs that were left out.
    pub n_omitted: usize,
}

/// Fits each data RDM by a weighted sum of all model RDMs.
///
/// # Shapes
///
/// `data` is `(n_data, n_pairs)`, `models` is `(n_models, n_pairs)`.
///
/// # Definition
///
/// Least squares of d on the models, by an orthogonal decomposition of the (centred) models; with
/// [`Weights::NonNegative`] the same under weights of at least 0, by the active set of Lawson & Hanson.
/// With `ranks`, every RDM is replaced by its average ranks in units of their standard deviation, so that
/// weights are standardised.
///
/// # Errors
///
/// [`MethodsError::PairsMismatch`], [`MethodsError::Rdm`], [`MethodsError::NonFinite`],
/// [`MethodsError::TooFew`] pairs for the number of models, [`MethodsError::UndefinedRdm`] for a
/// constant RDM, [`MethodsError::Collinear`] for a model that is a sum of the others.
///
/// # Example
///
/// ```
/// use consilience_methods::rsa::{RegressionParams, regress};
/// use ndarray::array;
///
/// let models = array![[1.0, 0.0, 0.0, 2.0, 1.0, 0.0], [0.0, 1.0, 0.0, 1.0, 0.0, 3.0]];
/// let data = array![[3.0, 1.5, 1.0, 5.5, 3.0, 2.5]];
/// let found = regress(data.view(), models.view(), &RegressionParams::default())?;
/// assert!((found.weights[[0, 0]] - 2.0).abs() < 1e-12);
/// assert!((found.weights[[0, 1]] - 0.5).abs() < 1e-12);
/// assert!((found.intercepts[0] - 1.0).abs() < 1e-12);
/// # Ok::<(), consilience_methods::MethodsError>(())
/// ```
///
/// # References
///
/// Lawson & Hanson 1974, Solving least squares problems; Khaligh-Razavi & Kriegeskorte 2014,
/// doi:10.1371/journal.pcbi.1003915; Jozwik et al. 2016, doi:10.1016/j.neuropsychologia.2015.10.023.
///
/// # Peers
///
/// NumPy `lstsq`, SciPy `nnls` 1.17.1 and mne-rsa's `regression` metric, to 1e-9.
pub fn regress(
    data: ArrayView2<'_, f64>,
    models: ArrayView2<'_, f64>,
    params: &RegressionParams,
) -> Result<Regression> {
    let (what_data, what_models) = ("the data RDMs", "the model RDMs");
    let kept = check((what_data, data), (what_models, models), params.nan)?;
    let n_models = models.nrows();
    let n_unknowns = n_models + usize::from(params.intercept);
    if kept.len() <= n_unknowns {
        return Err(MethodsError::TooFew {
            what: "pairs of conditions to fit the models to",
            needed: n_unknowns + 1,
            found: kept.len(),
        });
    }
    let columns = prepared(what_models, models, &kept, params)?;
    let targets = prepared(what_data, data, &kept, params)?;
    let decomposition =
        Triangular::of(&columns.iter().map(|c| c.values.clone()).collect::<Vec<_>>())
            .map_err(|model| MethodsError::Collinear { model })?;
    let mut weights = Array2::zeros((data.nrows(), n_models));
    let mut intercepts = Vec::with_capacity(data.nrows());
    let mut r_squared = Vec::with_capacity(data.nrows());
    for (row, target) in targets.iter().enumerate() {
        let found = match params.weights {
            Weights::Any => decomposition.solve(&target.values),
            Weights::NonNegative => {
                let columns: Vec<&[f64]> = columns.iter().map(|c| c.values.as_slice()).collect();
                non_negative(&columns, &target.values)
            }
        };
        let mut residual = target.values.clone();
        for (weight, column) in found.iter().zip(&columns) {
            for (r, c) in residual.iter_mut().zip(&column.values) {
                *r -= weight * c;
            }
        }
        let total: f64 = target.values.iter().map(|v| v * v).sum();
        let rest: f64 = residual.iter().map(|v| v * v).sum();
        r_squared.push(1.0 - rest / total);
        let means = found.iter().zip(&columns).map(|(w, c)| w * c.mean);
        intercepts.push(if params.intercept {
            target.mean - means.sum::<f64>()
        } else {
            0.0
        });
        for (slot, weight) in weights.row_mut(row).iter_mut().zip(found) {
            *slot = weight;
        }
    }
    Ok(Regression {
        weights,
        intercepts,
        r_squared,
        n_omitted: data.ncols() - kept.len(),
    })
}

/// Correlations of data RDMs with each model RDM apart from the other models.
#[derive(Debug, Clone, PartialEq)]
pub struct PartialCorrelation {
    /// `(n_data, n_models)`: the others taken out of the data and of the model.
    pub partial: Array2<f64>,
    /// `(n_data, n_models)`: the others taken out of the model only.
    pub semi_partial: Array2<f64>,
    /// Pairs that were left out.
    pub n_omitted: usize,
}

/// Correlates data RDMs with each model RDM, controlling for all other models.
///
/// # Shapes
///
/// `data` is `(n_data, n_pairs)`, `models` is `(n_models, n_pairs)`.
///
/// # Definition
///
/// Pearson correlation of what is left of the model, and (partial) of the data, after least squares on a
/// constant and all other models; of ranks with `ranks`. With one model both are the plain correlation.
///
/// # Errors
///
/// As [`regress`]; [`MethodsError::UndefinedRdm`] also for data RDMs that are a sum of models, of
/// which nothing is left.
///
/// # Example
///
/// ```
/// use consilience_methods::{NanPolicy, rsa::partial_correlation};
/// use ndarray::array;
///
/// let models = array![[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], [2.0, 1.0, 4.0, 3.0, 6.0, 5.0]];
/// let data = array![[1.0, 2.0, 4.0, 3.0, 5.0, 6.5]];
/// let found = partial_correlation(data.view(), models.view(), false, NanPolicy::Refuse)?;
/// assert!(found.partial[[0, 0]] > found.semi_partial[[0, 0]]);
/// # Ok::<(), consilience_methods::MethodsError>(())
/// ```
///
/// # Peers
///
/// mne-rsa 1.0 `rsa` with the metrics `partial` and `partial-spearman`; NumPy by residuals, to 1e-9.
pub fn partial_correlation(
    data: ArrayView2<'_, f64>,
    models: ArrayView2<'_, f64>,
    ranks: bool,
    nan: NanPolicy,
) -> Result<PartialCorrelation> {
    let (what_data, what_models) = ("the data RDMs", "the model RDMs");
    let params = RegressionParams {
        ranks,
        nan,
        ..RegressionParams::default()
    };
    let kept = check((what_data, data), (what_models, models), nan)?;
    let n_models = models.nrows();
    if kept.len() < n_models + 2 {
        return Err(MethodsError::TooFew {
            what: "pairs of conditions to control for the other models",
            needed: n_models + 2,
            found: kept.len(),
        });
    }
    let columns = prepared(what_models, models, &kept, &params)?;
    let targets = prepared(what_data, data, &kept, &params)?;
    let mut partial = Array2::zeros((data.nrows(), n_models));
    let mut semi_partial = Array2::zeros((data.nrows(), n_models));
    for model in 0..n_models {
        let others: Vec<Vec<f64>> = (0..n_models)
            .filter(|&other| other != model)
            .map(|other| columns[other].values.clone())
            .collect();
        let decomposition = Triangular::of(&others).map_err(|idx| MethodsError::Collinear {
            model: if idx < model { idx } else { idx + 1 },
        })?;
        let own = decomposition.rest(&columns[model].values);
        if is_rounding(&own, &columns[model].values) {
            return Err(MethodsError::Collinear { model });
        }
        for (row, target) in targets.iter().enumerate() {
            let rest = decomposition.rest(&target.values);
            if is_rounding(&rest, &target.values) {
                return Err(MethodsError::UndefinedRdm {
                    similarity: "partial correlation",
                    what: what_data,
                    row,
                    why: "it is a weighted sum of the other models",
                });
            }
            partial[[row, model]] = cosine(&rest, &own);
            semi_partial[[row, model]] = cosine(&target.values, &own);
        }
    }
    Ok(PartialCorrelation {
        partial,
        semi_partial,
        n_omitted: data.ncols() - kept.len(),
    })
}

/// One RDM on the pairs that count, ranked and centred as asked for.
struct Column {
    values: Vec<f64>,
    /// What was taken off.
    mean: f64,
}

/// Pairs that count, of two named sets of RDMs.
fn check(
    (what_a, a): (&'static str, ArrayView2<'_, f64>),
    (what_b, b): (&'static str, ArrayView2<'_, f64>),
    nan: NanPolicy,
) -> Result<Vec<usize>> {
    // The checks are those of any comparison; no similarity is computed.
    let checked = super::inputs::check((what_a, a), (what_b, b), super::Similarity::Pearson, nan)?;
    debug_assert_eq!(pairs::n_pairs(checked.n_conditions), a.ncols());
    let present = checked.present();
    Ok((0..present.len()).filter(|&k| present[k]).collect())
}

fn prepared(
    what: &'static str,
    rdms: ArrayView2<'_, f64>,
    kept: &[usize],
    params: &RegressionParams,
) -> Result<Vec<Column>> {
    let of_row = |(row, rdm): (usize, ArrayView1<'_, f64>)| {
        let mut values: Vec<f64> = kept.iter().map(|&k| rdm[k]).collect();
        let undefined = |why| MethodsError::UndefinedRdm {
            similarity: "regression",
            what,
            row,
            why,
        };
        let centred = params.intercept || params.ranks;
        if centred && values.iter().all(|v| *v == values[0]) {
            return Err(undefined("all its dissimilarities are equal"));
        }
        if values.iter().all(|v| *v == 0.0) {
            return Err(undefined("all its dissimilarities are 0"));
        }
        if params.ranks {
            values = average_ranks(&values);
        }
        let mut mean = values.iter().sum::<f64>() / values.len() as f64;
        if params.ranks {
            let square = values.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>();
            let deviation = (square / values.len() as f64).sqrt();
            values.iter_mut().for_each(|v| *v = (*v - mean) / deviation);
            mean = 0.0;
        } else if params.intercept {
            values.iter_mut().for_each(|v| *v -= mean);
        }
        Ok(Column { values, mean })
    };
    rdms.rows().into_iter().enumerate().map(of_row).collect()
}

/// Columns as orthonormal vectors times a triangle (Householder's end result by twice-repeated
/// Gram-Schmidt, which is as orthogonal).
pub(super) struct Triangular {
    orthonormal: Vec<Vec<f64>>,
    /// `upper[j]` has the coefficients of column j on the vectors 0…j.
    upper: Vec<Vec<f64>>,
}

impl Triangular {
    /// The first column that is a sum of those before it is the error.
    pub fn of(columns: &[Vec<f64>]) -> std::result::Result<Self, usize> {
        let mut orthonormal: Vec<Vec<f64>> = Vec::with_capacity(columns.len());
        let mut upper = Vec::with_capacity(columns.len());
        for (j, column) in columns.iter().enumerate() {
            let mut rest = column.clone();
            let mut coefficients = vec![0.0; j + 1];
            for _ in 0..2 {
                for (q, coefficient) in orthonormal.iter().zip(&mut coefficients) {
                    let along = dot(q, &rest);
                    *coefficient += along;
                    rest.iter_mut().zip(q).for_each(|(r, q)| *r -= along * q);
                }
            }
            if is_rounding(&rest, column) {
                return Err(j);
            }
            let length = dot(&rest, &rest).sqrt();
            rest.iter_mut().for_each(|r| *r /= length);
            coefficients[j] = length;
            orthonormal.push(rest);
            upper.push(coefficients);
        }
        Ok(Self { orthonormal, upper })
    }

    /// Least-squares weights of the columns.
    pub fn solve(&self, target: &[f64]) -> Vec<f64> {
        let mut weights: Vec<f64> = self.orthonormal.iter().map(|q| dot(q, target)).collect();
        for j in (0..weights.len()).rev() {
            weights[j] /= self.upper[j][j];
            for i in 0..j {
                weights[i] -= weights[j] * self.upper[j][i];
            }
        }
        weights
    }

    /// What the columns do not explain.
    fn rest(&self, target: &[f64]) -> Vec<f64> {
        let mut rest = target.to_vec();
        for _ in 0..2 {
            for q in &self.orthonormal {
                let along = dot(q, &rest);
                rest.iter_mut().zip(q).for_each(|(r, q)| *r -= along * q);
            }
        }
        rest
    }
}

/// Least squares with weights of at least 0 (Lawson & Hanson's active set).
pub(super) fn non_negative(columns: &[&[f64]], target: &[f64]) -> Vec<f64> {
    let n = columns.len();
    let mut weights = vec![0.0; n];
    let mut active = vec![false; n];
    let scale = dot(target, target).sqrt();
    // Each round takes in a column that lowers the error, so there are few more rounds than columns.
    for _ in 0..3 * n + 10 {
        let mut residual = target.to_vec();
        for (weight, column) in weights.iter().zip(columns) {
            residual
                .iter_mut()
                .zip(*column)
                .for_each(|(r, c)| *r -= weight * c);
        }
        let gain = |j: usize| {
            let column = columns[j];
            dot(column, &residual) / dot(column, column).sqrt()
        };
        let best = (0..n)
            .filter(|&j| !active[j])
            .map(|j| (gain(j), j))
            .reduce(|best, next| if next.0 > best.0 { next } else { best });
        match best {
            Some((gain, j)) if gain > 1e-13 * scale => active[j] = true,
            _ => break,
        }
        loop {
            let chosen: Vec<usize> = (0..n).filter(|&j| active[j]).collect();
            let picked: Vec<Vec<f64>> = chosen.iter().map(|&j| columns[j].to_vec()).collect();
            let Ok(decomposition) = Triangular::of(&picked) else {
                return weights;
            };
            let free = decomposition.solve(target);
            if free.iter().all(|w| *w > 0.0) {
                weights.fill(0.0);
                for (&j, w) in chosen.iter().zip(free) {
                    weights[j] = w;
                }
                break;
            }
            // As far towards the free weights as none passes 0; those that get there are let go.
            let mut step = 1.0_f64;
            for (&j, &w) in chosen.iter().zip(&free) {
                if w <= 0.0 {
                    step = step.min(weights[j] / (weights[j] - w));
                }
            }
            for (&j, &w) in chosen.iter().zip(&free) {
                weights[j] += step * (w - weights[j]);
                if w <= 0.0 && weights[j] <= 1e-14 * w.abs() {
                    weights[j] = 0.0;
                    active[j] = false;
                }
            }
        }
    }
    weights
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    super::row::dot(a, b)
}

fn cosine(a: &[f64], b: &[f64]) -> f64 {
    (dot(a, b) / (dot(a, a).sqrt() * dot(b, b).sqrt())).clamp(-1.0, 1.0)
}

/// Whether nothing but rounding is left of `whole`.
fn is_rounding(rest: &[f64], whole: &[f64]) -> bool {
    dot(rest, rest) <= 1e-24 * dot(whole, whole)
}
