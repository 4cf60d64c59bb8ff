//! `consilience overlap-units`

use std::io::Write;

use anyhow::{Result, bail};
use consilience::methods::emotion::overlap;
use serde_json::json;

use crate::arrays;
use crate::tables::{self, Report};

const HELP: &str = "\
Example: are the units that are selective in one set of pictures also selective in another?

  consilience emotion-selectivity iaps.npy --ratings iaps.csv --selective a.npy
  consilience emotion-selectivity naps.npy --ratings naps.csv --selective b.npy
  consilience overlap-units a.npy b.npy --format text

Both files have a row a category (or one of all), a column a unit, and hold 0 and 1; the categories have to be the same in both.

JSON: n_units; sets (one a row): n_first, n_second, n_both, expected (n_first·n_second/n_units), p (one-sided, hypergeometric), \
jaccard (share of both in either).";

#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub struct Args {
    /// Units of the first set, 1 or 0 (categories × units)
    #[arg(value_name = "A.npy")]
    a: String,
    /// Units of the second set
    #[arg(value_name = "B.npy")]
    b: String,
    #[command(flatten)]
    report: Report,
}

pub fn run(args: &Args, out: &mut dyn Write) -> Result<()> {
    let (a, b) = (sets(&args.a)?, sets(&args.b)?);
    if a.len() != b.len() {
        bail!(
            "{} has {} categories (rows), {} has {}; give the same categories in the same order",
            args.a,
            a.len(),
            args.b,
            b.len()
        );
    }
    let header = [
        "category", "first", "second", "both", "expected", "p", "jaccard",
    ];
    let mut rows = vec![header.map(str::to_owned).to_vec()];
    let mut found = Vec::new();
    for (k, (a, b)) in a.iter().zip(&b).enumerate() {
        let set = arrays::in_files(overlap(a, b), &[&args.a, &args.b])?;
        found.push(json!({
            "n_first": set.n[0], "n_second": set.n[1], "n_both": set.n_both,
            "expected": set.expected, "p": set.p, "jaccard": set.jaccard,
        }));
        rows.push(vec![
            k.to_string(),
            set.n[0].to_string(),
            set.n[1].to_string(),
            set.n_both.to_string(),
            tables::number(Some(set.expected)),
            tables::p_value(Some(set.p)),
            tables::number(set.jaccard),
        ]);
    }
    let json = json!({"n_units": a.first().map_or(0, Vec::len), "sets": found});
    args.report.write(&json, &tables::aligned(&rows), out)
}

/// A set of units a row.
fn sets(spec: &str) -> Result<Vec<Vec<bool>>> {
    let array = consilience::io::source::load_array(spec)?.into_f64();
    if let Some(value) = array.iter().find(|v| **v != 0.0 && **v != 1.0) {
        bail!("a set of units holds 0 and 1, found {value}: {spec}");
    }
    let n_units = array.shape().last().copied().unwrap_or(0);
    if n_units == 0 || array.ndim() > 2 {
        bail!(
            "a set of units has the shape {:?}, expected (units,) or (categories, units): {spec}",
            array.shape()
        );
    }
    let values: Vec<bool> = array.iter().map(|v| *v == 1.0).collect();
    Ok(values.chunks(n_units).map(<[bool]>::to_vec).collect())
}
