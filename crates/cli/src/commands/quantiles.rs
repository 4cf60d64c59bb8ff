//! `consilience quantiles`

use std::io::Write;

use anyhow::{Result, bail};
use consilience::methods::behaviour::quantile_table;
use ndarray::ArrayView1;
use serde_json::json;

use crate::arrays;
use crate::tables::{self, Missing, Report, Sheet};

const HELP: &str = "\
Example: do mean predictions follow mean ratings, from the least to the most pleasant tenth of the pictures?

  consilience quantiles ratings.csv --actual valence --predicted network --bins 10 --format text

With arrays: consilience quantiles actual.npy predicted.npy

JSON: n_items, n_omitted, n_merged (bins that fell together because values are equal), r (of the means; says nothing of single \
items), bins: low and high (edges), n, actual and predicted (means).";

#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub struct Args {
    /// Actual values (n_items,), or a table with --actual and --predicted
    #[arg(value_name = "ACTUAL.npy|TABLE.csv")]
    data: String,
    /// Predicted values (n_items,); not with a table of both
    #[arg(value_name = "PREDICTED.npy")]
    predicted_file: Option<String>,
    /// Column of the actual values; default: actual
    #[arg(long, value_name = "COLUMN")]
    actual: Option<String>,
    /// Column of the predicted values; default: predicted
    #[arg(long, value_name = "COLUMN")]
    predicted: Option<String>,
    /// Bins of about equal size, by the actual values
    #[arg(long, value_name = "N", default_value_t = 10)]
    bins: usize,
    /// What to do with items that lack a value
    #[arg(long, value_enum, default_value_t = Missing::Refuse)]
    nan: Missing,
    #[command(flatten)]
    report: Report,
}

pub fn run(args: &Args, out: &mut dyn Write) -> Result<()> {
    let (actual, predicted) = match &args.predicted_file {
        Some(file) => {
            if args.actual.is_some() || args.predicted.is_some() {
                bail!(
                    "--actual and --predicted name columns of one table; leave them out, or leave out {file}"
                );
            }
            (
                arrays::vector_f64(&args.data, "the actual values")?,
                arrays::vector_f64(file, "the predicted values")?,
            )
        }
        None => {
            if !tables::is_table(&args.data) {
                bail!(
                    "{} holds actual values only; give the predicted ones as a second file, or a table (.csv) with both",
                    args.data
                );
            }
            let sheet = Sheet::read(&args.data)?;
            let actual = sheet.choose("--actual", args.actual.as_deref(), &["actual"])?;
            let predicted =
                sheet.choose("--predicted", args.predicted.as_deref(), &["predicted"])?;
            (sheet.numbers(&actual)?, sheet.numbers(&predicted)?)
        }
    };
    let files: Vec<&str> = std::iter::once(args.data.as_str())
        .chain(args.predicted_file.as_deref())
        .collect();
    if actual.len() != predicted.len() {
        bail!(
            "{}: {} actual and {} predicted values, expected as many",
            files.join(", "),
            actual.len(),
            predicted.len()
        );
    }
    let gaps = actual.iter().zip(&predicted).enumerate();
    let gaps = gaps.map(|(item, (a, p))| {
        (a.is_nan() || p.is_nan()).then(|| {
            let place = match args.predicted_file {
                // The header is the first row of the file.
                None => format!("row {}", item + 2),
                Some(_) => format!("item {item} (counted from 0)"),
            };
            format!("{place} lacks a value ({})", files.join(", "))
        })
    });
    let kept = tables::complete(args.nan, "items", gaps)?;
    let [actual, predicted] =
        [&actual, &predicted].map(|values| tables::at_rows(values, &kept.rows));
    let found = quantile_table(
        ArrayView1::from(&actual),
        ArrayView1::from(&predicted),
        args.bins,
    );
    let found = arrays::in_files(found, &files)?;
    let mut rows = vec![
        ["from", "to", "items", "actual", "predicted"]
            .map(str::to_owned)
            .to_vec(),
    ];
    let mut bins = Vec::new();
    for (k, &n) in found.counts.iter().enumerate() {
        let (low, high) = (found.edges[k], found.edges[k + 1]);
        let (actual, predicted) = (found.actual[k], found.predicted[k]);
        bins.push(json!({
            "low": low,
            "high": high,
            "n": n,
            "actual": actual,
            "predicted": predicted,
        }));
        let [low, high, actual, predicted] =
            [low, high, actual, predicted].map(|value| tables::number(Some(value)));
        rows.push(vec![low, high, n.to_string(), actual, predicted]);
    }
    let json = json!({
        "n_items": actual.len(),
        "n_omitted": kept.n_omitted,
        "n_merged": found.n_merged,
        "r": found.r,
        "bins": bins,
    });
    let mut text = tables::aligned(&rows);
    text += &format!("r of the means {}", tables::number(found.r));
    if found.n_merged > 0 {
        text += &format!("  bins that fell together {}", found.n_merged);
    }
    text.push('\n');
    args.report.write(&json, &text, out)
}
