//! `consilience ceiling`

use std::io::Write;

use anyhow::Result;
use consilience::methods::rsa::{self, CeilingParams, Similarity};
use consilience::study::Progress;
use ndarray::ArrayView2;
use serde_json::json;

use crate::Format;
use crate::arrays::{self, Nan};
use crate::console::Console;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// RDMs of the subjects (subjects, n_pairs)
    #[arg(value_name = "D.npy")]
    data: String,
    /// Similarity of RDMs, as for `compare`
    #[arg(long, value_name = "NAME", default_value = "spearman")]
    similarity: Similarity,
    /// Permutations of conditions to test the lower bound against chance; adds intervals over subjects
    #[arg(long, value_name = "N")]
    permutations: Option<usize>,
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
    let data = arrays::rdms(&args.data, "the subjects' RDMs")?;
    if let Some(permutations) = args.permutations {
        return tested(args, data.view(), permutations, out);
    }
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

/// Both bounds with their intervals, and the test of the lower one.
fn tested(
    args: &Args,
    data: ArrayView2<'_, f64>,
    permutations: usize,
    out: &mut dyn Write,
) -> Result<()> {
    let params = CeilingParams {
        similarity: args.similarity,
        permutations,
        seed: args.seed,
        nan: args.nan.into(),
    };
    let found = arrays::in_files(rsa::tested_ceiling(data, &params), &[&args.data])?;
    if args.format == Format::Json {
        return arrays::print_json(
            &json!({
                "lower": found.ceiling.lower,
                "upper": found.ceiling.upper,
                "lower_ci": found.lower_interval,
                "upper_ci": found.upper_interval,
                "sem": found.sem,
                "p": found.p,
                "permutations": permutations,
                "seed": args.seed,
                "notes": found.notes,
            }),
            out,
        );
    }
    for (name, bound, interval) in [
        ("lower", found.ceiling.lower, found.lower_interval),
        ("upper", found.ceiling.upper, found.upper_interval),
    ] {
        write!(out, "{name} {bound:.6}")?;
        if let Some([low, high]) = interval {
            write!(out, "  95 % interval {low:.6} to {high:.6}")?;
        }
        writeln!(out)?;
    }
    if let Some(p) = found.p {
        writeln!(out, "p {p:.6}")?;
    }
    for note in &found.notes {
        Console::new().note(&format!("note: {note}"));
    }
    Ok(())
}
