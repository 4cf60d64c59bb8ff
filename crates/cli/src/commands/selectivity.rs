//! `consilience selectivity`

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use consilience::io::{long, npy};
use consilience::methods::behaviour::{Selectivity, SelectivityParams, selectivity};
use consilience::methods::rsa::Correction;
use ndarray::{Array1, Array2, Axis};
use serde_json::{Value, json};

use crate::Format;
use crate::arrays;
use crate::tables::{self, Missing, Named, Sheet};

const HELP: &str = "\
Example: how many units of a layer prefer faces, and how many would by chance?

  consilience selectivity acts/layer4.npy pictures.csv --category category --shuffles 1000 \\
    --format text

where pictures.csv has a row for each row of the responses, in the same order. Integer labels do as well:

  consilience selectivity acts/layer4.npy labels.npy --min-items 20 --out units/

JSON: n_items, n_omitted, n_units, n_constant (units with one response to all items), threshold, alpha, correction, \
min_items, shuffles, seed, left_out (categories with too few items); categories: category, n_items, n_selective, by_chance \
(mean over shuffles), p (of the count). --out writes it as summary.json, with d_prime.npy, p.npy, tuning.npy, selective.npy \
(categories × units) and index.npy, preferred.npy (units; position among the categories), NaN where there is no value.";

#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub struct Args {
    /// Responses (items × units)
    #[arg(value_name = "RESPONSES.npy")]
    responses: String,
    /// Category of each item: integer labels, or a table with a column of names
    #[arg(value_name = "LABELS.npy|ITEMS.csv")]
    labels: String,
    /// Column of the categories in the table; default: category, label
    #[arg(long, value_name = "COLUMN")]
    category: Option<String>,
    /// Items that a category needs to be looked at
    #[arg(long, value_name = "N", default_value_t = 10)]
    min_items: usize,
    /// d′ that a selective unit exceeds
    #[arg(long, value_name = "X", default_value_t = 0.65)]
    threshold: f64,
    /// Level of Welch's test that a selective unit passes
    #[arg(long, value_name = "P", default_value_t = 0.05)]
    alpha: f64,
    /// Correction of p over all units and categories: none, fdr, fdr-any, fwe, bonferroni
    #[arg(long, value_name = "NAME", default_value = "none")]
    correction: Correction,
    /// Shuffles of the labels, to count what is selective by chance; 0 for none
    #[arg(long, value_name = "N", default_value_t = 0)]
    shuffles: usize,
    /// Seed of the shuffles
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// What to do with items that lack a response or a category
    #[arg(long, value_enum, default_value_t = Missing::Refuse)]
    nan: Missing,
    /// Folder for an array a quantity and summary.json, instead of printing
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// How the result is printed
    #[arg(long, value_enum, default_value_t = Format::Json)]
    format: Format,
}

/// The category of each item as a number, and the name of each number.
struct Labels {
    of_items: Vec<Option<i64>>,
    name: Box<dyn Fn(i64) -> String>,
}

pub fn run(args: &Args, out: &mut dyn Write) -> Result<()> {
    let responses = Named::load(&args.responses, "the responses")?.values;
    let labels = labels(args)?;
    if labels.of_items.len() != responses.nrows() {
        bail!(
            "{} has {} categories, expected one for each of the {} items (rows) of {}",
            args.labels,
            labels.of_items.len(),
            responses.nrows(),
            args.responses
        );
    }
    let gaps = labels
        .of_items
        .iter()
        .zip(responses.rows())
        .enumerate()
        .map(|(item, (label, row))| {
            let missing = match label {
                None => "category",
                Some(_) if row.iter().any(|v| v.is_nan()) => "response",
                Some(_) => return None,
            };
            Some(format!(
                "item {item} (counted from 0) lacks a {missing} ({}, {})",
                args.responses, args.labels
            ))
        });
    let kept = tables::complete(args.nan, "items", gaps)?;
    let responses = responses.select(Axis(0), &kept.rows);
    let of_items: Vec<i64> = kept
        .rows
        .iter()
        .filter_map(|&row| labels.of_items[row])
        .collect();
    let params = SelectivityParams {
        min_items: args.min_items,
        threshold: args.threshold,
        alpha: args.alpha,
        correction: args.correction.procedure(),
        shuffles: args.shuffles,
        seed: args.seed,
    };
    let found = selectivity(responses.view(), &of_items, &params);
    let found = arrays::in_files(found, &[&args.responses, &args.labels])?;
    let categories: Vec<Value> = found
        .categories
        .iter()
        .enumerate()
        .map(|(k, &label)| {
            json!({
                "category": (labels.name)(label),
                "n_items": of_items.iter().filter(|l| **l == label).count(),
                "n_selective": found.counts[k],
                "by_chance": found.shuffled_counts.get(k),
                "p": found.p_counts.get(k),
            })
        })
        .collect();
    let summary = json!({
        "n_items": of_items.len(),
        "n_omitted": kept.n_omitted,
        "n_units": responses.ncols(),
        "n_constant": found.preferred.iter().filter(|p| p.is_none()).count(),
        "threshold": args.threshold,
        "alpha": args.alpha,
        "correction": args.correction.to_string(),
        "min_items": args.min_items,
        "shuffles": args.shuffles,
        "seed": args.seed,
        "left_out": found.left_out.iter().map(|l| (labels.name)(*l)).collect::<Vec<_>>(),
        "categories": categories,
    });
    match (&args.out, args.format) {
        (Some(folder), _) => write(folder, &found, &summary, out),
        (None, Format::Json) => arrays::print_json(&summary, out),
        (None, Format::Text) => {
            let names = found.categories.iter().map(|l| (labels.name)(*l));
            Ok(out.write_all(text(names, &found, responses.ncols()).as_bytes())?)
        }
    }
}

fn text(names: impl Iterator<Item = String>, found: &Selectivity, n_units: usize) -> String {
    let header = ["category", "selective units", "of", "by chance", "p"];
    let mut rows = vec![header.map(str::to_owned).to_vec()];
    for (k, name) in names.enumerate() {
        rows.push(vec![
            name,
            found.counts[k].to_string(),
            n_units.to_string(),
            tables::number(found.shuffled_counts.get(k).copied()),
            tables::p_value(found.p_counts.get(k).copied()),
        ]);
    }
    tables::aligned(&rows)
}

/// The arrays, then the summary: a folder with a summary is complete.
fn write(folder: &Path, found: &Selectivity, summary: &Value, out: &mut dyn Write) -> Result<()> {
    let summary_path = folder.join("summary.json");
    if summary_path.exists() {
        std::fs::remove_file(&summary_path)
            .with_context(|| format!("cannot replace {}", summary_path.display()))?;
    }
    let or_nan = |values: &Array2<Option<f64>>| values.mapv(|v| v.unwrap_or(f64::NAN));
    for (name, values) in [
        ("d_prime", or_nan(&found.d_prime)),
        ("p", or_nan(&found.p)),
        ("tuning", or_nan(&found.tuning)),
        (
            "selective",
            found.selective.mapv(|s| f64::from(u8::from(s))),
        ),
    ] {
        npy::write(folder.join(format!("{name}.npy")), values.view())?;
    }
    let index = found.index.iter().map(|v| v.unwrap_or(f64::NAN));
    let preferred = found.preferred.iter();
    let preferred = preferred.map(|p| p.map_or(f64::NAN, |p| p as f64));
    for (name, values) in [
        ("index", index.collect::<Array1<f64>>()),
        ("preferred", preferred.collect()),
    ] {
        npy::write(folder.join(format!("{name}.npy")), values.view())?;
    }
    arrays::write_json(&summary_path, summary)?;
    writeln!(out, "{}", summary_path.display())?;
    Ok(())
}

fn labels(args: &Args) -> Result<Labels> {
    if !tables::is_table(&args.labels) {
        if args.category.is_some() {
            bail!(
                "--category names a column of a table, but {} is none; leave it out",
                args.labels
            );
        }
        let labels = arrays::labels(&args.labels, "the categories")?;
        return Ok(Labels {
            of_items: labels.into_iter().map(Some).collect(),
            name: Box::new(|label| label.to_string()),
        });
    }
    let sheet = Sheet::read(&args.labels)?;
    let column = sheet.choose(
        "--category",
        args.category.as_deref(),
        &["category", "label"],
    )?;
    let mut names: Vec<String> = Vec::new();
    let mut of_items = Vec::new();
    for cell in sheet.at(sheet.table.column(&column))? {
        let cell = cell.trim();
        if long::is_missing(cell) {
            of_items.push(None);
            continue;
        }
        let known = names.iter().position(|name| name == cell);
        let position = known.unwrap_or_else(|| {
            names.push(cell.to_owned());
            names.len() - 1
        });
        of_items.push(Some(position as i64));
    }
    Ok(Labels {
        of_items,
        name: Box::new(move |label| names[label as usize].clone()),
    })
}
