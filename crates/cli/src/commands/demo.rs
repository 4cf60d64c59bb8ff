//! `consilience demo`

use std::io::Write;
use std::path::PathBuf;

use anyhow::Result;
use consilience::models::ExecutorChoice;
use consilience::results;
use consilience::study::demo;

use super::run::{StudyArgs, carry_out, tell};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Folder for the results, and for the study as `study/` in it
    #[arg(long, value_name = "DIR", default_value = "consilience-demo")]
    out: PathBuf,
    /// Seed of the simulated subjects and of every draw
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
}

pub fn run(args: &Args, threads: usize, out: &mut dyn Write) -> Result<()> {
    let study_folder = args.out.join("study");
    let file = demo::write(&study_folder, args.seed, threads)?;
    let study = StudyArgs {
        file,
        overrides: Vec::new(),
        seed: None,
        executor: ExecutorChoice::default(),
    };
    let ready = study.prepare(threads)?;
    let record = carry_out(&ready, threads)?;
    results::write(&record, &args.out)?;
    writeln!(
        out,
        "The study lies in {}; its answer was planted, and this is what came out:",
        study_folder.display()
    )?;
    tell(&record, &args.out, out)
}
