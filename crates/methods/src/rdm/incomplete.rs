//! Cross-validation over runs that do not all hold every condition.

use consilience_core::pairs;
use consilience_stats::Real;
use ndarray::{Array2, ArrayView2};

use super::bilinear;
use super::method::poisson_rates;
use super::patterns::{Conditions, means};
use super::{Dissimilarity, RdmParams, crossnobis, vector};
use crate::{MethodsError, Result};

/// Rows of each condition in each run: `rows[run][condition]`, runs ascending by label.
fn rows_by_run(conditions: &Conditions, runs: &[i64]) -> Result<Vec<Vec<Vec<usize>>>> {
    let labels = crossnobis::labels(runs)?;
    Ok(labels
        .iter()
        .map(|&run| {
            conditions
                .rows
                .iter()
                .map(|rows| {
                    rows.iter()
                        .copied()
                        .filter(|&row| runs[row] == run)
                        .collect()
                })
                .collect()
        })
        .collect())
}

/// Each pair of conditions over the runs that hold both, left out one at a time.
///
/// # Errors
///
/// [`MethodsError::NoCommonRuns`] for the first pair with fewer than two such runs,
/// [`MethodsError::UndefinedPair`] for one without a common channel, [`MethodsError::NegativeRate`].
pub(super) fn common_runs<T: Real>(
    x: ArrayView2<'_, T>,
    conditions: &Conditions,
    runs: &[i64],
    params: &RdmParams,
) -> Result<Vec<f64>> {
    let rows = rows_by_run(conditions, runs)?;
    let poisson = params.dissimilarity == Dissimilarity::PoissonKlCv;
    // Patterns far from 0 keep their digits when the mean pattern is taken off; rates have a zero.
    let mean = if poisson {
        ndarray::Array1::zeros(x.ncols())
    } else {
        super::patterns::channel_means(x)
    };
    let n_channels = x.ncols();
    let mut sums = Vec::with_capacity(rows.len());
    let mut counts = Vec::with_capacity(rows.len());
    for of_run in &rows {
        let mut sum = Array2::<f64>::zeros((conditions.len(), n_channels));
        let mut count = Array2::<f64>::zeros((conditions.len(), n_channels));
        for (condition, rows) in of_run.iter().enumerate() {
            for &row in rows {
                for (k, value) in x.row(row).iter().map(|v| v.to_f64()).enumerate() {
                    if !value.is_nan() {
                        sum[[condition, k]] += value - mean[k];
                        count[[condition, k]] += 1.0;
                    }
                }
            }
        }
        sums.push(sum);
        counts.push(count);
    }
    if poisson {
        // Rates below 0 are told by the run that has them; a mean of rates is no lower than the lowest.
        for of_run in &rows {
            poisson_rates(means(x, of_run), conditions)?;
        }
    }
    vector::try_from_pairs(conditions.len(), |i, j| {
        let common: Vec<usize> = (0..rows.len())
            .filter(|&run| !rows[run][i].is_empty() && !rows[run][j].is_empty())
            .collect();
        if common.len() < 2 {
            return Err(MethodsError::NoCommonRuns {
                first: conditions.labels[i],
                second: conditions.labels[j],
                found: if common.is_empty() {
                    "have no run in common"
                } else {
                    "have one run in common"
                },
            });
        }
        let channels: Vec<usize> = (0..n_channels)
            .filter(|&k| {
                let has = |run: &usize| counts[*run][[i, k]] > 0.0 && counts[*run][[j, k]] > 0.0;
                common.iter().all(has)
            })
            .collect();
        if channels.is_empty() {
            return Err(MethodsError::UndefinedPair {
                dissimilarity: params.dissimilarity.name(),
                first: conditions.pattern_id(i),
                second: conditions.pattern_id(j),
                n_common: 0,
                why: "they have no channel in common",
            });
        }
        let inside = |run: usize, condition: usize, k: usize| {
            sums[run][[condition, k]] / counts[run][[condition, k]]
        };
        let outside = |run: usize, condition: usize, k: usize| {
            let others = common.iter().filter(|&&other| other != run);
            let (sum, count) = others.fold((0.0, 0.0), |(sum, count), &other| {
                (
                    sum + sums[other][[condition, k]],
                    count + counts[other][[condition, k]],
                )
            });
            sum / count
        };
        let rate = |v: f64| (v + 0.1) / 1.1;
        let total: f64 = common
            .iter()
            .map(|&run| {
                let difference = |k: usize| outside(run, i, k) - outside(run, j, k);
                if poisson {
                    let terms = channels.iter().map(|&k| {
                        let ratio = rate(inside(run, i, k)) / rate(inside(run, j, k));
                        difference(k) / 1.1 * ratio.ln()
                    });
                    return terms.sum::<f64>();
                }
                let other: Vec<f64> = channels
                    .iter()
                    .map(|&k| inside(run, i, k) - inside(run, j, k))
                    .collect();
                let weighted = |a: usize| match &params.noise_precision {
                    Some(precision) => {
                        let row = precision.row(channels[a]);
                        channels.iter().zip(&other).map(|(&l, d)| row[l] * d).sum()
                    }
                    None => other[a],
                };
                channels
                    .iter()
                    .enumerate()
                    .map(|(a, &k)| difference(k) * weighted(a))
                    .sum()
            })
            .sum();
        Ok(total / (common.len() * channels.len()) as f64)
    })
}

/// Products of all rows of different runs: Kᵢᵢ + Kⱼⱼ − 2·Kᵢⱼ, where Kᵢⱼ is the mean of xᵀPy/p over rows x of
/// condition i and y of condition j in different runs.
///
/// # Errors
///
/// [`MethodsError::NoCommonRuns`] for conditions without rows in different runs,
/// [`MethodsError::UnusedOption`] for missing values.
pub(super) fn all_rows<T: Real>(
    x: ArrayView2<'_, T>,
    conditions: &Conditions,
    runs: &[i64],
    params: &RdmParams,
) -> Result<Vec<f64>> {
    if x.iter().any(|v| v.to_f64().is_nan()) {
        return Err(MethodsError::UnusedOption {
            dissimilarity: params.dissimilarity.name(),
            option: "the treatment all-rows of incomplete runs with missing values",
            instead: "common-runs",
        });
    }
    let rows = rows_by_run(conditions, runs)?;
    let (n, n_channels) = (conditions.len(), x.ncols());
    // Sums over rows, of each run and of all: products of different runs are those of the whole sums
    // less those within runs.
    let sums = |groups: &[Vec<usize>]| {
        let mut sums = means(x, groups);
        for (mut sum, rows) in sums.rows_mut().into_iter().zip(groups) {
            if rows.is_empty() {
                sum.fill(0.0);
            } else {
                sum *= rows.len() as f64;
            }
        }
        sums
    };
    let add_products = |kernel: &mut Array2<f64>, sums: &Array2<f64>, sign: f64| {
        let left = match &params.noise_precision {
            Some(precision) => bilinear::product(sums.view(), precision.view()),
            None => sums.clone(),
        };
        let products = bilinear::product(left.view(), sums.t());
        kernel.scaled_add(sign, &products);
    };
    let mut kernel = Array2::zeros((n, n));
    let mut counts = Array2::<f64>::zeros((n, n));
    let mut add = |groups: &[Vec<usize>], sign: f64| {
        add_products(&mut kernel, &sums(groups), sign);
        for ((i, j), count) in counts.indexed_iter_mut() {
            *count += sign * (groups[i].len() * groups[j].len()) as f64;
        }
    };
    add(&conditions.rows, 1.0);
    for of_run in &rows {
        add(of_run, -1.0);
    }
    let lacking = pairs::iter(n)
        .flat_map(|(i, j)| [(i, i), (j, j), (i, j)])
        .find(|&(i, j)| counts[[i, j]] <= 0.0);
    if let Some((i, j)) = lacking {
        return Err(MethodsError::NoCommonRuns {
            first: conditions.labels[i],
            second: conditions.labels[j],
            found: "have no rows in different runs",
        });
    }
    let mean = |i: usize, j: usize| kernel[[i, j]] / counts[[i, j]];
    Ok(vector::from_pairs(n, |i, j| {
        (mean(i, i) + mean(j, j) - mean(i, j) - mean(j, i)) / n_channels as f64
    }))
}
