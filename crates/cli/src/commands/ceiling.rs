//! `consilience ceiling`

use std::io::Write;

use anyhow::Result;
use consilience::methods::rsa::{self, Similarity};

use crate::Format;
use crate::arrays::{self, Nan};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// RDMs of the subjects (subjects, n_pairs)
    #[arg(value_name = "D.npy")]
    data: String,
    /// Similarity of RDMs, as for `compare`
    #[arg(long, value_name = "NAME", default_value = "spearman")]
    similarity: Similarity,
    /// What to do with NaN
    #[arg(long, value_enum, default_value_t = Nan::Refuse)]
    nan: Nan,
    /// How the result is printed
    #[arg(long, value_enum, default_value_t = Format::Json)]
    format: Format,
}

pub fn run(args: &Args, out: &mut dyn Write) -> Result<()> {
    let data = arrays::rdms(&args.data, "the subjects' RDMs")?;
    let ceiling = rsa::noise_ceiling(data.view(), args.similarity, args.nan.into());
    let ceiling = arrays::in_files(ceiling, &[&args.data])?;
    match args.format {
        Format::Json => arrays::print_json(&ceiling, out),
        Format::Text => {
            writeln!(
                out,
                "lower {:.6}  upper {:.6}",
                ceiling.lower, ceiling.upper
            )?;
            Ok(())
        }
    }
}
