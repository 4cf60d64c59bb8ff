//! `consilience compare`

use std::io::Write;

use anyhow::Result;
use consilience::methods::rsa::{self, Similarity};
use serde_json::json;

use crate::arrays::{self, Nan, Output};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// RDMs (a, n_pairs), or one (n_pairs,)
    #[arg(value_name = "A.npy")]
    a: String,
    /// RDMs (b, n_pairs), or one (n_pairs,)
    #[arg(value_name = "B.npy")]
    b: String,
    /// pearson, spearman, kendall-tau-a, kendall-tau-b, rho-a, cosine, whitened-pearson, whitened-cosine, bures
    #[arg(long, value_name = "NAME", default_value = "spearman")]
    similarity: Similarity,
    /// What to do with NaN
    #[arg(long, value_enum, default_value_t = Nan::Refuse)]
    nan: Nan,
    #[command(flatten)]
    output: Output,
}

pub fn run(args: &Args, out: &mut dyn Write) -> Result<()> {
    let a = arrays::rdms(&args.a, "A")?;
    let b = arrays::rdms(&args.b, "B")?;
    let comparison = rsa::compare(a.view(), b.view(), args.similarity, args.nan.into());
    let comparison = arrays::in_files(comparison, &[&args.a, &args.b])?;
    arrays::report_omitted(comparison.n_omitted);
    let rows: Vec<Vec<f64>> = comparison
        .scores
        .rows()
        .into_iter()
        .map(|r| r.to_vec())
        .collect();
    let json = json!({
        "similarity": args.similarity.to_string(),
        "scores": rows,
        "n_omitted": comparison.n_omitted,
    });
    args.output.write(comparison.scores.view(), &json, out)
}
