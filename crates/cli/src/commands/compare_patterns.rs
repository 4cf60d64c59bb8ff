//! `consilience compare-patterns`

use std::io::Write;

use anyhow::Result;
use consilience::methods::rsa::{self, PatternMeasure};
use serde_json::json;

use crate::Format;
use crate::arrays;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Patterns (rows are stimuli, columns are channels)
    #[arg(value_name = "X.npy")]
    x: String,
    /// Patterns of the same stimuli, with channels of their own
    #[arg(value_name = "Y.npy")]
    y: String,
    /// cka, unbiased-cka, procrustes, angular-shape, cca, svcca
    #[arg(long, value_name = "NAME", default_value = "cka")]
    measure: PatternMeasure,
    /// How the result is printed
    #[arg(long, value_enum, default_value_t = Format::Json)]
    format: Format,
}

pub fn run(args: &Args, out: &mut dyn Write) -> Result<()> {
    let x = arrays::matrix_f64(&args.x, "X")?;
    let y = arrays::matrix_f64(&args.y, "Y")?;
    let value = rsa::compare_patterns(x.view(), y.view(), args.measure);
    let value = arrays::in_files(value, &[&args.x, &args.y])?;
    match args.format {
        Format::Json => arrays::print_json(
            &json!({ "measure": args.measure.to_string(), "value": value }),
            out,
        ),
        Format::Text => {
            writeln!(out, "{} {value:.6}", args.measure)?;
            Ok(())
        }
    }
}
