//! `consilience report`

use std::io::Write;
use std::path::PathBuf;

use anyhow::Result;
use consilience::results;

use crate::arrays;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// A record.json of an earlier run, or the folder that holds it
    record: PathBuf,
    /// Where the page goes; default: report.html beside the record
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

pub fn run(args: &Args, out: &mut dyn Write) -> Result<()> {
    let path = match args.record.is_dir() {
        true => args.record.join("record.json"),
        false => args.record.clone(),
    };
    let record = results::read_record(&path)?;
    let page = args
        .out
        .clone()
        .unwrap_or_else(|| path.with_file_name("report.html"));
    arrays::write_text(&page, &consilience::report::render(&record)?.html)?;
    writeln!(out, "{}", page.display())?;
    Ok(())
}
