//! `consilience mantel`

use std::io::Write;

use anyhow::Result;
use consilience::methods::rsa::{self, MantelParams, Similarity, Workload};
use serde_json::json;

use crate::Format;
use crate::arrays::{self, Nan};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// One RDM (n_pairs,)
    #[arg(value_name = "A.npy")]
    a: String,
    /// Another RDM (n_pairs,)
    #[arg(value_name = "B.npy")]
    b: String,
    /// Similarity of RDMs, as for `compare`
    #[arg(long, value_name = "NAME", default_value = "spearman")]
    similarity: Similarity,
    /// Permutations of the conditions, rows and columns together
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    permutations: usize,
    /// An integer label for each condition; only conditions of the same label are permuted
    #[arg(long, value_name = "B.npy")]
    blocks: Option<String>,
    /// Seed of the permutations
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// What to do with NaN
    #[arg(long, value_enum, default_value_t = Nan::Refuse)]
    nan: Nan,
    /// How the result is printed
    #[arg(long, value_enum, default_value_t = Format::Json)]
    format: Format,
}

pub fn run(args: &Args, out: &mut dyn Write) -> Result<()> {
    let a = arrays::one_rdm(&args.a, "A")?;
    let b = arrays::one_rdm(&args.b, "B")?;
    let params = MantelParams {
        similarity: args.similarity,
        blocks: (args.blocks.as_deref())
            .map(|b| arrays::labels(b, "--blocks"))
            .transpose()?,
        permutations: args.permutations,
        seed: args.seed,
        nan: args.nan.into(),
    };
    arrays::check_rdms_fit(&Workload {
        n_rdms: 2,
        n_pairs: a.len(),
        similarity: args.similarity,
        is_resampled: false,
        is_permuted: true,
        n_threads: rayon::current_num_threads(),
    })?;
    let mantel = arrays::in_files(
        rsa::mantel(a.view(), b.view(), &params),
        &[&args.a, &args.b],
    )?;
    match args.format {
        Format::Json => arrays::print_json(&json!({"score": mantel.score, "p": mantel.p}), out),
        Format::Text => {
            writeln!(
                out,
                "{} {:.6}  p {:.6}",
                args.similarity, mantel.score, mantel.p
            )?;
            Ok(())
        }
    }
}
