//! `consilience correlate`

mod data;

use std::io::Write;

use anyhow::{Result, bail};
use consilience::methods::behaviour::{
    Correlated, CorrelationKind, CorrelationParams, NoCorrelation, correlation_over_runs,
    correlation_table,
};
use consilience::methods::rsa::Correction;
use ndarray::{Array3, Axis};
use serde_json::{Value, json};

use crate::arrays;
use crate::tables::{self, Missing, Report};

const HELP: &str = "\
Example: how well does a network predict ratings of valence, over all pictures and over each kind of them?

  image,kind,network,valence
  a.png,face,0.81,4.5
  b.png,scene,0.12,2.0
  …

  consilience correlate ratings.csv --predictions network --targets valence --subsets kind \\
    --format text

Several runs of a network are rows of their own: --item image --run run. With arrays:

  consilience correlate predictions.npy ratings.npy --permutations 10000 --correction fdr

JSON: correlation, n_items, n_omitted, n_runs, permutations, seed, correction; cells, one for each subset, prediction \
and target: subset, prediction, target, n (items), r, ci (95 %), p (Student's t), p_permutation, p_corrected, \
p_permutation_corrected, reason (why there is no r). With several runs r and its p are those of the mean prediction, and \
each cell also has mean and sd over runs, and runs (the r of each).";

#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub struct Args {
    /// Predictions (items × predictions), in several runs (runs × items × predictions); or a table with
    /// predictions and targets in its columns
    #[arg(value_name = "PREDICTIONS.npy|TABLE.csv")]
    data: String,
    /// Targets (items × targets); not with a table of both
    #[arg(value_name = "TARGETS.npy")]
    target_file: Option<String>,
    /// Columns of the table that predict
    #[arg(long, value_name = "COLUMN,…", value_delimiter = ',')]
    predictions: Vec<String>,
    /// Columns of the table that are predicted
    #[arg(long, value_name = "COLUMN,…", value_delimiter = ',')]
    targets: Vec<String>,
    /// What divides the items into subsets, beside all of them: a column of the table, or integer labels, one an item
    #[arg(long, value_name = "COLUMN|LABELS.npy")]
    subsets: Option<String>,
    /// Column that tells runs of the models apart; targets have to be the same in all of them
    #[arg(long, value_name = "COLUMN", requires = "item")]
    run: Option<String>,
    /// Column that names the items, for --run
    #[arg(long, value_name = "COLUMN", requires = "run")]
    item: Option<String>,
    /// pearson, spearman
    #[arg(long, value_name = "NAME", default_value = "pearson")]
    correlation: CorrelationKind,
    /// Permutations of the items for a second p; 0 for none
    #[arg(long, value_name = "N", default_value_t = 0)]
    permutations: usize,
    /// Correction of p over all cells: none, fdr, fdr-any, fwe, bonferroni
    #[arg(long, value_name = "NAME", default_value = "none")]
    correction: Correction,
    /// Seed of the permutations
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// What to do with items that lack a prediction or a target
    #[arg(long, value_enum, default_value_t = Missing::Refuse)]
    nan: Missing,
    #[command(flatten)]
    report: Report,
}

/// A cell of the table.
struct Cell {
    of: Result<Correlated, NoCorrelation>,
    over_runs: Option<Spread>,
}

/// The correlations of several runs.
struct Spread {
    mean: Option<f64>,
    sd: Option<f64>,
    runs: Vec<Option<f64>>,
}

pub fn run(args: &Args, out: &mut dyn Write) -> Result<()> {
    let data = match &args.target_file {
        Some(targets) => data::from_arrays(args, targets)?,
        None => data::from_table(args)?,
    };
    let gaps = (0..data.items.len()).map(|item| {
        let mut values = data
            .predictions
            .index_axis(Axis(1), item)
            .into_iter()
            .chain(data.targets.row(item));
        values
            .any(|v| v.is_nan())
            .then(|| format!("{} lacks a value ({})", data.items[item], args.data))
    });
    let kept = tables::complete(args.nan, "items", gaps)?;
    // The methods have items in the columns.
    let predictions = data
        .predictions
        .select(Axis(1), &kept.rows)
        .permuted_axes([0, 2, 1]);
    let targets = data.targets.select(Axis(0), &kept.rows).reversed_axes();
    let (names, subsets) = data.subsets(&kept.rows);
    let params = CorrelationParams {
        kind: args.correlation,
        permutations: args.permutations,
        seed: args.seed,
        correction: args.correction.procedure(),
    };
    let files: Vec<&str> = [Some(&args.data), args.target_file.as_ref()]
        .into_iter()
        .flatten()
        .map(String::as_str)
        .collect();
    let n_runs = predictions.len_of(Axis(0));
    let cells: Array3<Cell> = if n_runs == 1 {
        let one = predictions.index_axis(Axis(0), 0);
        let table = correlation_table(one, targets.view(), &subsets, &params);
        arrays::in_files(table, &files)?.mapv(|of| Cell {
            of,
            over_runs: None,
        })
    } else {
        let table = correlation_over_runs(predictions.view(), targets.view(), &subsets, &params);
        arrays::in_files(table, &files)?.map(|cell| {
            let runs = cell.runs.iter().map(|run| run.ok().map(|run| run.r));
            Cell {
                of: cell.of_mean,
                over_runs: Some(Spread {
                    mean: cell.mean,
                    sd: cell.sd,
                    runs: runs.collect(),
                }),
            }
        })
    };
    if let Some(Err(reason)) = cells.first().map(|cell| cell.of)
        && cells.iter().all(|cell| cell.of.is_err())
    {
        bail!("{}: there is no correlation at all: {reason}", args.data);
    }
    let at = |[subset, prediction, target]: [usize; 3]| {
        [
            names[subset].clone(),
            data.prediction_names[prediction].clone(),
            data.target_names[target].clone(),
        ]
    };
    let named: Vec<([String; 3], &Cell)> = cells
        .indexed_iter()
        .map(|((s, p, t), cell)| (at([s, p, t]), cell))
        .collect();
    let json = json!({
        "correlation": args.correlation.to_string(),
        "n_items": kept.rows.len(),
        "n_omitted": kept.n_omitted,
        "n_runs": n_runs,
        "permutations": args.permutations,
        "seed": args.seed,
        "correction": args.correction.to_string(),
        "cells": named.iter().map(|(names, cell)| as_json(names, cell)).collect::<Vec<_>>(),
    });
    args.report.write(&json, &text(args, &named, n_runs), out)
}

fn as_json([subset, prediction, target]: &[String; 3], cell: &Cell) -> Value {
    let found = cell.of.ok();
    let mut json = json!({
        "subset": subset,
        "prediction": prediction,
        "target": target,
        "n": found.map(|c| c.n),
        "r": found.map(|c| c.r),
        "ci": found.and_then(|c| c.interval),
        "p": found.map(|c| c.p),
        "p_permutation": found.and_then(|c| c.p_permutation),
        "p_corrected": found.and_then(|c| c.p_corrected),
        "p_permutation_corrected": found.and_then(|c| c.p_permutation_corrected),
        "reason": cell.of.err().map(|reason| reason.to_string()),
    });
    if let Some(Spread { mean, sd, runs }) = &cell.over_runs {
        json["mean"] = json!(mean);
        json["sd"] = json!(sd);
        json["runs"] = json!(runs);
    }
    json
}

fn text(args: &Args, cells: &[([String; 3], &Cell)], n_runs: usize) -> String {
    let permuted = args.permutations > 0;
    let corrected = args.correction != Correction::None;
    let mut header = vec!["subset", "prediction", "target"];
    if n_runs > 1 {
        header.extend(["mean of runs", "sd"]);
    }
    header.extend(["r", "95 % interval", "p"]);
    let columns = [
        (permuted, "p permuted"),
        (corrected, "p corrected"),
        (permuted && corrected, "p permuted, corrected"),
    ];
    header.extend(columns.iter().filter(|c| c.0).map(|c| c.1));
    header.push("items");
    let mut rows = vec![header.into_iter().map(str::to_owned).collect::<Vec<_>>()];
    for (names, cell) in cells {
        let mut row = names.to_vec();
        if let Some(Spread { mean, sd, .. }) = &cell.over_runs {
            row.extend([tables::number(*mean), tables::number(*sd)]);
        }
        let found = cell.of.ok();
        row.extend([
            tables::number(found.map(|c| c.r)),
            tables::interval(found.and_then(|c| c.interval)),
            tables::p_value(found.map(|c| c.p)),
        ]);
        let more = [
            (permuted, found.and_then(|c| c.p_permutation)),
            (corrected, found.and_then(|c| c.p_corrected)),
            (
                permuted && corrected,
                found.and_then(|c| c.p_permutation_corrected),
            ),
        ];
        row.extend(more.iter().filter(|c| c.0).map(|c| tables::p_value(c.1)));
        row.push(match cell.of {
            Ok(found) => found.n.to_string(),
            Err(reason) => reason.to_string(),
        });
        rows.push(row);
    }
    tables::aligned(&rows)
}
