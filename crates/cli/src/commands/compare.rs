//! `consilience compare`

use std::io::Write;

use anyhow::{Result, bail};
use consilience::methods::rsa::{self, Comparison, Similarity};
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
    /// Covariance of the noise of the conditions' patterns (conditions × conditions), for
    /// whitened-pearson and whitened-cosine; default: equal and independent
    #[arg(long, value_name = "S.npy")]
    covariance: Option<String>,
    /// What to do with NaN
    #[arg(long, value_enum, default_value_t = Nan::Refuse)]
    nan: Nan,
    #[command(flatten)]
    output: Output,
}

pub fn run(args: &Args, out: &mut dyn Write) -> Result<()> {
    let a = arrays::rdms(&args.a, "A")?;
    let b = arrays::rdms(&args.b, "B")?;
    let comparison = match &args.covariance {
        None => {
            let n_threads = rayon::current_num_threads();
            let sizes = [a.nrows(), b.nrows()];
            arrays::check_memory_of_rdms(
                rsa::compare_memory(sizes, a.ncols(), args.similarity, n_threads),
                sizes.iter().sum(),
                a.ncols(),
            )?;
            let comparison = rsa::compare(a.view(), b.view(), args.similarity, args.nan.into());
            arrays::in_files(comparison, &[&args.a, &args.b])?
        }
        Some(spec) => {
            use Similarity::{WhitenedCosine, WhitenedPearson};
            if !matches!(args.similarity, WhitenedCosine | WhitenedPearson) {
                bail!(
                    "--covariance has no meaning for the similarity {}; leave it out or choose whitened-pearson or whitened-cosine",
                    args.similarity
                );
            }
            let covariance = arrays::matrix_f64(spec, "--covariance")?;
            let scores = rsa::compare_whitened(
                a.view(),
                b.view(),
                args.similarity,
                covariance.view(),
                args.nan.into(),
            );
            Comparison {
                scores: arrays::in_files(scores, &[&args.a, &args.b, spec])?,
                n_omitted: 0,
            }
        }
    };
    arrays::report_omitted(comparison.n_omitted);
    let rows: Vec<Vec<f64>> = comparison
        .scores
        .rows()
        .into_iter()
        .map(|r| r.to_vec())
        .collect();
    let json = || {
        json!({
            "similarity": args.similarity.to_string(),
            "scores": rows,
            "n_omitted": comparison.n_omitted,
        })
    };
    args.output.write(comparison.scores.view(), json, out)
}
