//! `consilience bins`

use std::io::Write;
use std::path::PathBuf;

use anyhow::Result;
use consilience::io::npy;
use ndarray::Array1;

use crate::rated::{BinArgs, RatingArgs, bins_as_json};
use crate::tables::{self, Report};

const HELP: &str = "\
Example: how many pictures of OASIS are pleasant and arousing?

  consilience bins OASIS.csv --scale 1,7 --valence-edges 3,5 --arousal-edges 3,4 --format text

Bins are named by arousal (H, M, L), then valence (N, M, P): HN is high arousal, negative valence. A rating on an edge belongs above it. \
With --labels, the bins are integers that `consilience selectivity` takes as categories, or --category of a table.

JSON: n_items, n_omitted, bins (bin, n_items, kept), left_out (too few items), min_items, n_between (items in a gap between edges), \
valence_edges and arousal_edges (where low ends, middle begins; middle ends, high begins).";

#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub struct Args {
    /// Ratings: a table, or an array (items × 2: valence, arousal)
    #[arg(value_name = "RATINGS.csv|RATINGS.npy")]
    ratings: String,
    #[command(flatten)]
    columns: RatingArgs,
    #[command(flatten)]
    division: BinArgs,
    /// File for the bin of each row: its position from 0, −1 for none
    #[arg(long, value_name = "FILE.npy")]
    labels: Option<PathBuf>,
    #[command(flatten)]
    report: Report,
}

pub fn run(args: &Args, out: &mut dyn Write) -> Result<()> {
    let rated = args.columns.read(&args.ratings, &|_| false)?;
    let bins = args.division.divide(&rated)?;
    if let Some(path) = &args.labels {
        let mut labels = Array1::from_elem(rated.n_rows, -1.0);
        for (&row, bin) in rated.kept.rows.iter().zip(&bins.of_items) {
            labels[row] = bin.map_or(-1.0, |bin| bin as f64);
        }
        npy::write(path, labels.view())?;
    }
    let mut json = bins_as_json(&bins);
    json["n_items"] = rated.valence.len().into();
    json["n_omitted"] = rated.kept.n_omitted.into();
    let kept = bins.kept();
    let mut rows = vec![["bin", "items", ""].map(str::to_owned).to_vec()];
    for (k, (name, n)) in bins.names.iter().zip(&bins.counts).enumerate() {
        let word = if kept.contains(&k) { "" } else { "too few" };
        rows.push(vec![(*name).to_owned(), n.to_string(), word.to_owned()]);
    }
    let mut text = tables::aligned(&rows);
    if bins.n_between() > 0 {
        text += &format!("between edges: {}\n", bins.n_between());
    }
    args.report.write(&json, &text, out)
}
