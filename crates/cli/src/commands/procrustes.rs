//! `consilience procrustes`

use std::io::Write;
use std::path::PathBuf;

use anyhow::{Result, bail};
use consilience::io::npy;
use consilience::methods::behaviour::{ProcrustesParams, procrustes};
use ndarray::{Axis, stack};
use serde_json::json;

use crate::arrays;
use crate::tables::{self, Missing, Named, Report};

const HELP: &str = "\
Example: how far are predicted valence and arousal from rated ones, beyond place, size and orientation?

  consilience procrustes rated.csv predicted.csv --permutations 10000 --format text

Both files have an item a row, in the same order, and a dimension a column.

JSON: disparity (0 … 1), p (one-sided), n_items, n_dims, n_omitted, permutations, seed.";

#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub struct Args {
    /// Configuration (items × dimensions)
    #[arg(value_name = "A.npy")]
    a: String,
    /// Another one of the same items
    #[arg(value_name = "B.npy")]
    b: String,
    /// Permutations of the items for p; 0 for none
    #[arg(long, value_name = "N", default_value_t = 0)]
    permutations: usize,
    /// Seed of the permutations
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// File for both as they are compared (2 × items × dimensions): A centred and scaled, B fitted to it
    #[arg(long, value_name = "FILE.npy")]
    fitted: Option<PathBuf>,
    /// What to do with items that lack a value
    #[arg(long, value_enum, default_value_t = Missing::Refuse)]
    nan: Missing,
    #[command(flatten)]
    report: Report,
}

pub fn run(args: &Args, out: &mut dyn Write) -> Result<()> {
    let a = Named::load(&args.a, "the items of A")?;
    let b = Named::load(&args.b, "the items of B")?;
    if a.values.nrows() != b.values.nrows() {
        bail!(
            "{} has {} items (rows), {} has {}; give the same items in the same order",
            args.a,
            a.values.nrows(),
            args.b,
            b.values.nrows()
        );
    }
    tables::check_same_rows(&a.rows, &b.rows, [&args.a, &args.b])?;
    let rows = a.values.rows().into_iter().zip(b.values.rows());
    let gaps = rows.enumerate().map(|(item, (a, b))| {
        let gap = a.iter().chain(b).any(|v| v.is_nan());
        gap.then(|| {
            format!(
                "item {item} (counted from 0) lacks a value ({}, {})",
                args.a, args.b
            )
        })
    });
    let kept = tables::complete(args.nan, "items", gaps)?;
    let [a, b] = [&a, &b].map(|named| named.values.select(Axis(0), &kept.rows));
    let params = ProcrustesParams {
        permutations: args.permutations,
        seed: args.seed,
    };
    let found = procrustes(a.view(), b.view(), &params);
    let found = arrays::in_files(found, &[&args.a, &args.b])?;
    if let Some(path) = &args.fitted {
        let both = stack(Axis(0), &[found.target.view(), found.fitted.view()])?;
        npy::write(path, both.view())?;
    }
    let json = json!({
        "disparity": found.disparity,
        "p": found.p,
        "n_items": a.nrows(),
        "n_dims": a.ncols(),
        "n_omitted": kept.n_omitted,
        "permutations": args.permutations,
        "seed": args.seed,
    });
    let mut text = format!("disparity {:.4}", found.disparity);
    if found.p.is_some() {
        text += &format!("  p {}", tables::p_value(found.p));
    }
    text += &format!("  items {}\n", a.nrows());
    args.report.write(&json, &text, out)
}
